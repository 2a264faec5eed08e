"""The admin's pages: people, devices, and the register's import with its way back."""

import csv
import io
import json
import re
import stat
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from kiosk import imports, population
from kiosk.imports import Imports
from kiosk.loket import Loket
from models import Audit, Device, User
from tests.conftest import PASSWORD, Clock, actor
from tests.pages import Browser

ROUTES = ("/admin", "/admin/petugas", "/admin/petugas/1", "/admin/perangkat", "/admin/register")
HEADER = "NIK|NOKK|NAMA|TANGGAL LAHIR\n"
GOOD = HEADER + "3602014708900001|3602014708900009|SITI AMINAH|1990-08-07\n"
MIXED = GOOD + "".join(
    (
        "3602015001850002|3602014708900009|BUDI|1985-01-10\n",
        "36020147|3602014708900009|ANI|1990-08-07\n",
        "3,60201E+15|3602014708900009|EDI|1990-08-07\n",
        "3602015001850003|3602014708900009||1985-01-10\n",
    )
)


@pytest.fixture
def admin(as_role: Callable[[str], Browser]) -> Browser:
    return as_role("admin")


@pytest.fixture
def office(app: Flask) -> Loket:
    found: Loket = app.extensions["loket"]
    return found


@pytest.fixture
def running(app: Flask) -> Iterator[Imports]:
    found: Imports = app.extensions["imports"]
    yield found
    found.wait(20)


def words(answer: TestResponse) -> str:
    return " ".join(re.sub("<[^>]+>", " ", answer.get_data(as_text=True)).split())


# ── Who may ──


@pytest.mark.parametrize("role", ["front_office", "sekretariat", "kepala_dinas", "operator"])
def test_only_the_admin_right_opens_the_admin_pages(
    as_role: Callable[[str], Browser], role: str
) -> None:
    browser = as_role(role)
    assert {browser.page(url).status_code for url in ROUTES} == {403}
    assert browser.send("/admin/petugas", {"name": "x"}).status_code == 403
    assert browser.send("/admin/register/restorations").status_code == 403


def test_each_admin_page_stands_in_both_languages(admin: Browser) -> None:
    for language in ("id", "en"):
        admin.send("/bahasa?next=/admin", {"lang": language})
        assert [admin.page(url).status_code for url in ROUTES] == [200] * len(ROUTES)


def test_the_overview_warns_of_an_old_register(
    admin: Browser, as_role: Callable[[str], Browser], clock: Clock
) -> None:
    assert "Perlu diperbarui" not in words(admin.page("/admin"))
    clock.at += 60 * 86400
    assert "Perlu diperbarui" in words(as_role("admin").page("/admin"))


# ── People ──


def person(**over: str) -> dict[str, str]:
    given = {"name": "budi", "full_name": "Budi Baru", "role": "operator", "password": PASSWORD}
    return given | over


def test_a_new_person_can_sign_in_with_the_temporary_password(admin: Browser, app: Flask) -> None:
    assert admin.send("/admin/petugas", person()).status_code == 303
    assert "Budi Baru" in words(admin.page("/admin/petugas"))
    new = Browser(app.test_client())
    assert new.send("/masuk", {"name": "budi", "password": PASSWORD}).status_code == 303
    noted = Audit.select().where((Audit.what == "tambah petugas") & (Audit.subject == "budi"))
    assert noted.get().actor_id == actor("admin").id


@pytest.mark.parametrize(
    ("over", "fault"),
    [
        ({"password": "pendek"}, "Kata sandi paling sedikit 10 huruf atau angka."),
        ({"name": "kadis"}, "Nama masuk ini sudah dipakai."),
        ({"name": "a b"}, "Nama masuk hanya huruf, angka, titik, dan garis bawah."),
        ({"role": "raja"}, "Peran tidak dikenal."),
    ],
)
def test_a_fault_is_told_and_what_was_typed_stays_but_for_the_password(
    admin: Browser, over: dict[str, str], fault: str
) -> None:
    answer = admin.send("/admin/petugas", person(**over))
    assert answer.status_code == 422
    assert fault in words(answer)
    html = answer.get_data(as_text=True)
    assert 'value="Budi Baru"' in html
    assert person(**over)["password"] not in html
    assert not User.select().where(User.full_name == "Budi Baru").exists()


def test_a_role_is_changed_and_a_person_disabled(admin: Browser) -> None:
    user = User.get(User.name == "operator")
    admin.send(f"/admin/petugas/{user.id}", {"role": "front_office", "active": "1"})
    assert (User.get_by_id(user.id).role, User.get_by_id(user.id).active) == ("front_office", True)
    admin.send(f"/admin/petugas/{user.id}", {"role": "front_office"})
    assert User.get_by_id(user.id).active is False
    assert "Nonaktif" in words(admin.page("/admin/petugas"))


def test_nobody_locks_themselves_out(admin: Browser) -> None:
    me = actor("admin").id
    assert "Ini akun Anda sendiri." in words(admin.page(f"/admin/petugas/{me}"))
    assert admin.send(f"/admin/petugas/{me}", {"role": "operator"}).status_code == 403
    assert User.get_by_id(me).role == "admin"


def test_people_who_do_not_exist_are_not_found(admin: Browser) -> None:
    assert admin.page("/admin/petugas/999").status_code == 404
    assert admin.send("/admin/petugas/999", {"role": "operator"}).status_code == 404
    given = {"password": PASSWORD}
    assert admin.send("/admin/petugas/999/password", given).status_code == 404


def test_a_new_password_that_is_too_short_changes_nothing(admin: Browser) -> None:
    user = User.get(User.name == "kadis")
    answer = admin.send(f"/admin/petugas/{user.id}/password", {"password": "pendek"})
    assert answer.status_code == 422
    assert User.get_by_id(user.id).password == user.password


# ── Devices ──


def test_an_enrolment_address_is_shown_once_and_works_once(admin: Browser, app: Flask) -> None:
    answer = admin.send("/admin/perangkat", {"name": "Anjungan 3", "kind": "kiosk"})
    assert answer.status_code == 201
    found = re.search("<code>http://loket.test(/perangkat/[^<]+)</code>", answer.text)
    assert found
    assert 'class="qr"' in answer.text
    assert found[1] not in admin.page("/admin/perangkat").get_data(as_text=True)
    assert "Menunggu dibuka" in words(admin.page("/admin/perangkat"))
    device = Browser(app.test_client())
    assert device.send(found[1]).headers["Location"] == "/kiosk"
    assert "Terdaftar" in words(admin.page("/admin/perangkat"))


def test_a_device_is_revoked_by_its_admin(admin: Browser, kiosk: Browser) -> None:
    device = Device.get(Device.kind == "kiosk")
    answer = admin.send(f"/admin/perangkat/{device.id}/revocations")
    assert answer.status_code == 303
    assert kiosk.page("/kiosk").status_code == 403
    assert admin.send(f"/admin/perangkat/{device.id}/revocations").status_code == 404


def test_a_device_without_a_name_is_a_fault(admin: Browser) -> None:
    answer = admin.send("/admin/perangkat", {"name": " ", "kind": "kiosk"})
    assert answer.status_code == 422
    assert "Beri nama perangkat" in words(answer)
    wrong = admin.send("/admin/perangkat", {"name": "A", "kind": "toaster"})
    assert wrong.status_code == 422


# ── The register ──


def upload(admin: Browser, text: str, as_of: str = "2026-11-20") -> TestResponse:
    file = (io.BytesIO(text.encode()), "ekspor november.csv")
    return admin.send("/admin/register", {"file": file, "as_of": as_of})


def leftovers(office: Loket) -> list[str]:
    kept = {"current.sqlite", "previous.sqlite", "last-import.json", ".lock"}
    return [path.name for path in (office.home / "register").iterdir() if path.name not in kept]


def test_an_export_becomes_the_register_and_its_figures_are_told(
    admin: Browser, office: Loket, running: Imports
) -> None:
    assert upload(admin, MIXED).headers["Location"] == "/admin/register"
    done = running.wait(20)
    assert done
    assert done.state == "done"
    assert (done.rows, done.accepted) == (5, 2)
    assert done.rejected == {"nik_form": 1, "nik_number": 1, "name_missing": 1}
    assert office.register.as_of() == date(2026, 11, 20)
    html = words(admin.page("/admin/register"))
    assert "20 November 2026" in html
    assert "ekspor november.csv" in html
    assert "NIK tersimpan sebagai bilangan, angka akhirnya dibulatkan nik_number 1" in html
    assert leftovers(office) == []
    noted = Audit.get(Audit.what == "impor register per 2026-11-20")
    assert noted.actor_id == actor("admin").id


def test_the_rows_held_out_are_downloaded_without_anything_personal(
    admin: Browser, running: Imports, office: Loket
) -> None:
    upload(admin, MIXED)
    running.wait(20)
    answer = admin.page("/admin/register/rejects.csv")
    assert answer.mimetype == "text/csv"
    disposition = answer.headers["Content-Disposition"]
    assert disposition == 'attachment; filename="baris-ditolak-2026-11-20.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [row["alasan"] for row in rows] == ["nik_form", "nik_number", "name_missing"]
    assert "ANI" not in answer.get_data(as_text=True)
    assert "36020147" not in answer.get_data(as_text=True)
    assert stat.S_IMODE(running.rejects.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "text", ["", "nama;alamat\nSiti;Rangkasbitung\n", "bukan tabel", HEADER + "1|2|3|4\n"]
)
def test_a_file_that_cannot_be_used_gives_one_line_and_the_old_register_stays(
    admin: Browser, office: Loket, running: Imports, text: str
) -> None:
    before = office.register.snapshot()
    assert upload(admin, text).status_code == 303
    failed = running.wait(20)
    assert failed
    assert failed.state == "failed"
    assert "\n" not in failed.reason
    assert failed.reason.endswith("Register lama tetap dipakai.")
    assert failed.reason in words(admin.page("/admin/register"))
    assert office.register.snapshot() == before
    demo = population.DEMO_PERSON
    assert office.register.find_pair(demo.nik, demo.kk) is not None
    assert leftovers(office) == []


def test_a_fault_of_the_disk_keeps_the_old_register_and_says_so(
    admin: Browser, office: Loket, running: Imports
) -> None:
    before = office.register.snapshot()
    (office.home / "register" / ".lock").unlink()
    (office.home / "register" / ".lock").mkdir()
    upload(admin, GOOD)
    failed = running.wait(20)
    assert failed
    assert (failed.state, failed.reason) == ("failed", imports.DISK)
    assert office.register.snapshot() == before
    assert leftovers(office) == []


def test_the_date_of_the_data_is_asked_for_and_not_in_the_future(
    admin: Browser, running: Imports
) -> None:
    for as_of, fault in (("", "Isi tanggal data"), ("2026-11-24", "sesudah hari ini")):
        answer = upload(admin, GOOD, as_of)
        assert answer.status_code == 422
        assert fault in words(answer)
    missing = admin.send("/admin/register", {"as_of": "2026-11-20"})
    assert missing.status_code == 422
    assert "Pilih berkas ekspor." in words(missing)
    assert running.last() is None


def test_one_import_at_a_time_and_its_progress_survives_a_reload(
    admin: Browser, office: Loket, running: Imports, tmp_path: Path
) -> None:
    export = tmp_path / "big.csv"
    population.write_export(export, people=2000)
    upload(admin, export.read_text())
    first = admin.page("/admin/register").get_data(as_text=True)
    busy = upload(admin, GOOD)
    done = running.wait(60)
    assert done
    assert done.state == "done"
    assert busy.status_code == 409
    assert "Impor lain sedang berjalan" in words(busy)
    assert "Sedang mengimpor ekspor november.csv" in first
    assert '<progress class="import-bar"' in first
    found = re.search(r'hx-get="([^"]+)" hx-trigger="every 1s"', first)
    assert found
    after = admin.fragment(found[1]).get_data(as_text=True)
    assert "hx-get" not in after, "an import that ended is asked for no more"
    assert "Impor terakhir" in after


def test_progress_that_did_not_move_is_answered_with_nothing(
    admin: Browser, running: Imports
) -> None:
    upload(admin, GOOD)
    done = running.wait(20)
    assert done
    assert admin.fragment(f"/admin/register/progress?v={done.version}").status_code == 204
    assert admin.fragment("/admin/register/progress").status_code == 200


def test_the_way_back_to_the_register_before(
    admin: Browser, office: Loket, running: Imports
) -> None:
    before = office.register.snapshot()
    assert "Kembali ke data sebelumnya" not in words(admin.page("/admin/register"))
    assert admin.send("/admin/register/restorations").status_code == 422
    upload(admin, MIXED)
    running.wait(20)
    assert "Kembali ke data sebelumnya" in words(admin.page("/admin/register"))
    assert admin.send("/admin/register/restorations").status_code == 303
    assert office.register.snapshot() == before
    assert admin.page("/admin/register/rejects.csv").status_code == 404
    assert "Impor terakhir" not in words(admin.page("/admin/register"))


def test_a_restart_remembers_the_last_import_and_clears_one_that_was_cut_off(
    admin: Browser, office: Loket, running: Imports
) -> None:
    upload(admin, MIXED)
    done = running.wait(20)
    assert Imports(office).last() == done
    (office.home / "register" / "upload-cut").write_text(GOOD)
    again = Imports(office)
    last = again.last()
    assert last
    assert (last.state, last.reason) == ("failed", imports.CUT_OFF)
    assert leftovers(office) == []


def test_a_memory_that_cannot_be_read_is_no_fault(office: Loket) -> None:
    memory = office.home / "register" / "last-import.json"
    for text in ("{", "[]", json.dumps({"state": "done"})):
        memory.write_text(text)
        assert Imports(office).last() is None
