"""Institutions verify many letters at once: by key, a CSV in, a CSV out."""

import csv
import io
import tracemalloc
from collections.abc import Callable

import pytest
from flask import Flask

from kiosk import institutions, letter_status
from kiosk.errors import Invalid, NotAllowed, NotFound, TooMany
from kiosk.loket import Loket
from models import Audit, Institution, Letter
from tests.conftest import Clock, actor
from tests.letters import digits_of, issue
from tests.pages import Browser

Submit = Callable[..., int]
NAME = "SMA Negeri 1 Rangkasbitung"


@pytest.fixture
def office(app: Flask) -> Loket:
    found: Loket = app.extensions["loket"]
    return found


def results(answer: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(answer.removeprefix("\ufeff"))))


def test_codes_are_answered_line_by_line_in_their_order(
    office: Loket, clock: Clock, submit: Submit, browser: Browser
) -> None:
    key = institutions.add(NAME, actor("admin"), clock.at)
    genuine, forged = digits_of(office, issue(office, clock, submit)), "1" * 193
    lines = [
        "nama siswa;kode",
        f"Ani;{office.verify_url(genuine)}",
        f"Budi;{forged}",
        "Cici;1,2E+192",
    ]
    answer = browser.client.post(
        "/api/v1/verifikasi",
        data="\n".join(lines).encode(),
        headers={"Authorization": f"Bearer {key}", "Content-Type": "text/csv"},
    )
    assert answer.status_code == 200
    assert answer.mimetype == "text/csv"
    found = results(answer.get_data(as_text=True))
    wanted = ["sah", "tanda_tangan_tidak_sah", "tanda_tangan_tidak_sah"]
    assert [row["hasil"] for row in found] == wanted
    assert found[0]["nomor"] == "400.9.1/1/DINSOS/2026"
    assert (found[0]["nama"], found[0]["nik_akhir"]) == ("S*** A*****", "0001")
    assert found[1]["nomor"] == ""
    assert "teks" in found[2]["catatan"]
    row = Institution.get()
    assert (row.codes, row.used_at) == (3, clock.at)


def test_what_a_spreadsheet_would_run_comes_back_as_text(
    office: Loket, clock: Clock, database: None
) -> None:
    id_ = _added(clock)
    answer = institutions.verify(office, id_, b"kode\n=1+1\n@SUM(A1)\n", clock.at)
    assert [row["kode"] for row in results(answer)] == ["'=1+1", "'@SUM(A1)"]
    # Where a semicolon parts the cells, quotes inside one do not hold it together.
    data = b'kode\n"https://x.test/v/12;=HYPERLINK(""//y.test"";1)\t+1\n|@a"\n'
    [row] = results(institutions.verify(office, id_, data, clock.at))
    assert row["kode"] == "https://x.test/v/12 =HYPERLINK( //y.test 1) +1 @a"


def _added(clock: Clock) -> int:
    key = institutions.add(NAME, actor("admin"), clock.at)
    return institutions.of_key(key, "10.0.0.1", clock.at)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"kode\n", b"kode;nama\n"])
def test_a_file_without_codes_says_so(office: Loket, clock: Clock, data: bytes) -> None:
    with pytest.raises(Invalid):
        institutions.verify(office, _added(clock), data, clock.at)


def test_ten_thousand_and_one_codes_are_refused_and_not_counted(
    office: Loket, clock: Clock
) -> None:
    id_ = _added(clock)
    with pytest.raises(Invalid):
        institutions.verify(office, id_, b"1\n" * 10_001, clock.at)
    assert Institution.get().codes == 0


@pytest.mark.parametrize("data", [b"," * 8_000_000, b"1\n" * 4_000_000, b'1,"\n' * 2_000_000])
def test_a_file_of_next_to_nothing_is_refused_before_it_fills_the_memory(
    office: Loket, clock: Clock, data: bytes
) -> None:
    id_ = _added(clock)
    tracemalloc.start()
    try:
        with pytest.raises(Invalid):
            institutions.verify(office, id_, data, clock.at)
        assert tracemalloc.get_traced_memory()[1] < 80_000_000
    finally:
        tracemalloc.stop()


def test_a_day_has_so_many_codes_and_the_next_begins_anew(office: Loket, clock: Clock) -> None:
    id_ = _added(clock)
    used = institutions.CODES_A_DAY - 1
    Institution.update(day_codes=used, day_at=clock.at).execute()
    with pytest.raises(TooMany):
        institutions.verify(office, id_, b"12\n13\n", clock.at)
    answer = institutions.verify(office, id_, b"12\n13\n", clock.at + institutions.DAY_S)
    assert len(results(answer)) == 2


def test_wrong_keys_open_nothing_and_are_limited_by_address(office: Loket, clock: Clock) -> None:
    key = institutions.add(NAME, actor("admin"), clock.at)
    for _ in range(institutions.WRONG_KEYS):
        with pytest.raises(NotAllowed):
            institutions.of_key("loket15-x", "10.0.0.1", clock.at)
    with pytest.raises(TooMany):
        institutions.of_key("loket15-x", "10.0.0.1", clock.at)
    assert institutions.of_key(f" {key} ", "10.0.0.1", clock.at)


def test_a_new_key_ends_the_old_and_a_revoked_one_opens_nothing(
    office: Loket, clock: Clock
) -> None:
    old = institutions.add(NAME, actor("admin"), clock.at)
    id_ = institutions.listed()[0].id
    name, new = institutions.renew(id_, actor("admin"), clock.at)
    assert name == NAME
    with pytest.raises(NotAllowed):
        institutions.of_key(old, "10.0.0.1", clock.at)
    assert institutions.of_key(new, "10.0.0.1", clock.at) == id_
    institutions.revoke(id_, actor("admin"), clock.at)
    with pytest.raises(NotAllowed):
        institutions.of_key(new, "10.0.0.1", clock.at)
    with pytest.raises(NotFound):
        institutions.revoke(id_ + 1, actor("admin"), clock.at)
    said = [row.what for row in Audit.select().where(Audit.subject == NAME).order_by(Audit.id)]
    assert said == ["tambah lembaga", "kunci lembaga baru", "cabut lembaga"]


def test_the_admin_makes_a_key_that_the_page_takes(
    office: Loket,
    clock: Clock,
    submit: Submit,
    as_role: Callable[[str], Browser],
    browser: Browser,
) -> None:
    admin = as_role("admin")
    assert admin.page("/admin/lembaga").status_code == 200
    made = admin.send("/admin/lembaga", {"name": NAME})
    assert made.status_code == 201
    key = made.get_data(as_text=True).split("<code>")[1].split("</code>")[0]
    assert key not in admin.page("/admin/lembaga").get_data(as_text=True)
    assert admin.send("/admin/lembaga", {"name": NAME}).status_code == 422
    digits = digits_of(office, issue(office, clock, submit))
    letter_status.revoke(
        office, Letter.get().application_id, "Keliru", actor("kepala_dinas"), clock.at
    )
    browser.page("/v/kelompok")
    file = (io.BytesIO(digits.encode()), "kode.csv")
    answer = browser.send("/v/kelompok", {"key": key, "file": file})
    assert answer.status_code == 200
    assert "attachment" in answer.headers["Content-Disposition"]
    assert [row["hasil"] for row in results(answer.get_data(as_text=True))] == ["dicabut"]


def test_the_page_says_which_field_is_at_fault(browser: Browser, clock: Clock) -> None:
    browser.page("/v/kelompok")
    empty = (io.BytesIO(b""), "kode.csv")
    assert browser.send("/v/kelompok", {"key": "x", "file": empty}).status_code == 403
    key = institutions.add(NAME, actor("admin"), clock.at)
    empty = (io.BytesIO(b""), "kode.csv")
    assert browser.send("/v/kelompok", {"key": key, "file": empty}).status_code == 422


def test_the_api_without_a_key_says_what_it_wants(browser: Browser) -> None:
    answer = browser.client.post("/api/v1/verifikasi", data=b"12", content_type="text/csv")
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert "error" in answer.get_json()


def test_the_api_takes_no_form_whose_lines_would_be_codes(browser: Browser, clock: Clock) -> None:
    key = institutions.add(NAME, actor("admin"), clock.at)
    answer = browser.client.post(
        "/api/v1/verifikasi",
        data={"file": (io.BytesIO(b"12"), "kode.csv")},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert answer.status_code == 422
    assert "langsung" in answer.get_json()["error"]
    assert Institution.get().codes == 0
