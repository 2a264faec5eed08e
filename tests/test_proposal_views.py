"""The rooms of proposals on the web: what each person sees, sends, and is told."""

import re
import shutil
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from flask import Flask
from pypdf import PdfReader

import models
from app import create_app
from kiosk import bundles, documents, proposals, upkeep
from kiosk.household import HEAD, Household
from kiosk.loket import Loket
from kiosk.settings import read
from models import Application, Audit, Event
from tests import scans
from tests.conftest import BASE_URL, Clock, enrolled
from tests.households import VILLAGE, household, households
from tests.pages import Browser
from tests.people import PASSWORD
from tests.proposal_office import NOW, SERVICE, actor, made
from tests.test_web_contract import Walk

NOTICE = "merupakan usulan (tidak otomatis menjadi penerima bansos)"
DAY_S = 86400
MINUTES = {
    "tanggal": "2026-11-15",
    "tempat": "Balai Desa Bades",
    "ketua": "Contoh Ketua",
    "notulis": "Contoh Notulis",
    "hadir": "Kepala desa, BPD, ketua RT",
    "agenda": "Usulan DTKS dan bansos",
}
SignIn = Callable[[str], Browser]


@pytest.fixture(scope="session")
def lumajang_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made("lumajang", tmp_path_factory.mktemp("lumajang"))


@pytest.fixture
def home(lumajang_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(lumajang_home, tmp_path / "var")
    return tmp_path / "var"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def app(home: Path, clock: Clock) -> Iterator[Flask]:
    settings = {"LOKET15_HOME": str(home), "LOKET15_OFFICE": "lumajang"}
    made_app = create_app(read(settings | {"LOKET15_BASE_URL": BASE_URL}), clock)
    made_app.testing = True
    made_app.extensions["jobs"].patience_s = 60
    models.db.connect(reuse_if_open=True)
    yield made_app
    models.db.close()


@pytest.fixture
def loket(app: Flask) -> Loket:
    found: Loket = app.extensions["loket"]
    return found


@pytest.fixture
def sign_in(app: Flask) -> SignIn:
    def enter(name: str) -> Browser:
        browser = Browser(app.test_client())
        answer = browser.send("/masuk", {"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        return browser

    return enter


@pytest.fixture
def desa(sign_in: SignIn) -> Browser:
    return sign_in("desa")


@pytest.fixture
def supervisor(sign_in: SignIn) -> Browser:
    return sign_in("supervisor")


def said(answer: Any) -> str:
    return " ".join(answer.get_data(as_text=True).split())


def propose(loket: Loket, clock: Clock, many: int = 1, who: str = "desa", **over: Any) -> list[int]:
    some = list(households(many, **over))
    return proposals.add_many(loket, SERVICE, some, actor(who), clock.at)


def done(loket: Loket, clock: Clock, ids: list[int], *acts: str, who: str = "desa") -> None:
    """These acts, one after the other, on all; what is asked is answered."""
    given = {
        "reason": ["Sudah jelas"], "uploaded_on": ["2026-11-16"], "statement": ["benar"],
    }  # fmt: skip
    for action in acts:
        result = proposals.act_all(loket, ids, action, given, actor(who), clock.at)
        assert result.refused == ()


def discussed(loket: Loket, clock: Clock, ids: list[int]) -> int:
    """All eligible, on a Berita Acara that is not signed yet; its id."""
    done(loket, clock, ids, "bawa", "layak")
    given = {name: [value] for name, value in MINUTES.items()}
    period = proposals.read(loket, ids[0], actor("desa"), clock.at).period
    return bundles.freeze(
        loket, SERVICE, "berita_acara", given, VILLAGE, period, actor("desa"), clock.at
    )


def sent_up(loket: Loket, clock: Clock, ids: list[int]) -> None:
    """With its signed Berita Acara at the kabupaten."""
    sheet = discussed(loket, clock, ids)
    bundles.sign(loket, sheet, scans.jpeg(), actor("desa"), clock.at)
    done(loket, clock, ids, "kirim")


def final(loket: Loket, clock: Clock, ids: list[int]) -> None:
    sent_up(loket, clock, ids)
    done(loket, clock, ids, "terima", "finalisasi", who="supervisor")


def step(id_: int) -> str:
    return str(Application.get_by_id(id_).step)


# --- who comes where ---


@pytest.mark.parametrize(
    ("name", "place"),
    [("desa", "/usulan"), ("supervisor", "/usulan"), ("kadis", "/usulan"), ("admin", "/admin")],
)
def test_each_lands_where_they_work(sign_in: SignIn, name: str, place: str) -> None:
    assert sign_in(name).client.get("/").headers["Location"] == place


def test_an_empty_list_says_what_to_do_first(desa: Browser, supervisor: Browser) -> None:
    page = said(desa.page("/usulan"))
    assert "Mulai dengan satu keluarga yang mendaftar hari ini" in page
    assert 'href="/usulan/baru?layanan=usulan"' in page
    assert "Usulan muncul di sini setelah desa mengirim" in said(supervisor.page("/usulan"))


@pytest.mark.parametrize("lang", ["id", "en"])
@pytest.mark.parametrize("name", ["desa", "supervisor", "kadis"])
def test_every_link_leads_somewhere_and_every_page_says_that_it_is_a_proposal(
    app: Flask, loket: Loket, clock: Clock, sign_in: SignIn, name: str, lang: str
) -> None:
    ids = propose(loket, clock, 6)
    final(loket, clock, ids[:1])
    sent_up(loket, clock, ids[1:2])
    discussed(loket, clock, ids[2:3])
    done(loket, clock, ids[3:4], "bawa")
    browser = sign_in(name)
    browser.client.set_cookie("lang", lang)
    walk = Walk(app, browser).from_("/usulan", most=90).finish()
    assert len(walk.seen) > 20
    notice = NOTICE if lang == "id" else "it does not make anyone a recipient"
    pages = [url for url in walk.seen if re.fullmatch(r"/usulan(/\d+|/(?!rows)[a-z_]+)?", url)]
    assert len(pages) > 5
    for url in pages:
        assert notice in said(browser.page(url)), url


# --- entering a household ---


def form(one: Household, **over: str) -> dict[str, str]:
    """The household as the form sends it."""
    head = one.head
    sent = {"route": one.route, "purpose": one.purpose, "family_size": str(one.family_size)}
    sent |= {part: head[part] for part in ("kk", "address", "rt", "rw")}
    for n, member in enumerate(one.members):
        sent |= {
            f"members.{n}.{part}": value
            for part, value in member.items()
            if part not in ("kk", "address", "rt", "rw")
        }
    return sent | {"do": "save"} | over


def test_a_household_is_entered_by_hand(desa: Browser, loket: Loket, clock: Clock) -> None:
    answer = desa.send("/usulan/baru", form(household(1), **{"extra.alasan": "Rumah roboh"}))
    assert answer.status_code == 303
    assert re.fullmatch(r"/usulan/\d+", answer.headers["Location"])
    view = proposals.read(loket, 1, actor("desa"), clock.at)
    assert view.household.village == VILLAGE
    assert view.household.niks == household(1).niks
    assert view.household.extra == {"alasan": "Rumah roboh"}
    page = said(desa.page(answer.headers["Location"]))
    assert "3 dari 3 orang pada KK" in page
    assert household(1).niks[0] not in page


def test_what_is_wrong_stands_at_its_field_and_nothing_is_lost(desa: Browser) -> None:
    sent = form(household(1), **{"members.1.nik": "123", "family_size": "x", "kk": "1"})
    for htmx in (False, True):
        answer = desa.send("/usulan/baru", sent, htmx=htmx)
        page = said(answer)
        assert answer.status_code == 422
        assert 'id="e-members.1.nik"' in page
        assert page.count("Nomor KK terdiri dari 16 angka") == 2  # above, and at the field
        assert 'value="123"' in page
        assert household(1).members[2]["name"] in page
    assert not Application.select().exists()


def test_members_are_added_and_taken_out_without_losing_what_was_typed(desa: Browser) -> None:
    sent = form(household(1))
    answer = desa.send("/usulan/baru", sent | {"do": "add"})
    assert answer.status_code == 200
    assert 'name="members.3.nik"' in said(answer)
    page = said(desa.send("/usulan/baru", sent | {"do": "remove.1"}, htmx=True))
    assert household(1).niks[1] not in page
    assert household(1).niks[2] in page
    assert 'name="members.2.nik"' not in page
    assert said(desa.send("/usulan/baru", sent | {"do": "remove.0"})).count("members.0.nik") > 0
    for odd in ({"do": "remove.²"}, {"do": "remove." + "1" * 5000}, {"family_size": "1" * 5000}):
        assert desa.send("/usulan/baru", sent | odd).status_code in (200, 422)
    assert not Application.select().exists()


def test_with_scripts_the_browser_is_led_to_the_new_household(desa: Browser) -> None:
    answer = desa.send("/usulan/baru", form(household(1)), htmx=True)
    assert answer.headers["HX-Redirect"] == "/usulan/1"


def test_a_household_is_mended_only_while_it_is_the_villages(
    desa: Browser, loket: Loket, clock: Clock
) -> None:
    [id_] = propose(loket, clock)
    assert household(1).niks[0] in said(desa.page(f"/usulan/{id_}/ubah"))
    sent = form(household(1), address="DUSUN BARU 7", seq="1")
    assert desa.send(f"/usulan/{id_}/ubah", sent).status_code == 303
    view = proposals.read(loket, id_, actor("desa"), clock.at)
    assert view.household.head["address"] == "DUSUN BARU 7"
    late = desa.send(f"/usulan/{id_}/ubah", sent)
    assert late.status_code == 409
    assert "DUSUN BARU 7" in said(late)
    done(loket, clock, [id_], "bawa")
    assert desa.client.get(f"/usulan/{id_}/ubah").status_code == 403


def test_papers_are_checked_by_content_and_opened_on_the_record(
    desa: Browser, loket: Loket, clock: Clock
) -> None:
    [id_] = propose(loket, clock)
    url = f"/usulan/{id_}/papers"
    wrong = desa.send(url, {"kind": "kk", "paper": (BytesIO(b"MZ not a photo"), "kk.jpg")})
    assert wrong.status_code == 422
    assert 'id="e-paper"' in said(wrong)
    stranger = {"kind": "sktm", "paper": (BytesIO(scans.jpeg()), "a.jpg")}
    assert desa.send(url, stranger).status_code == 422
    for _ in range(2):  # a second click
        sent = {"kind": "kk", "key": "a", "paper": (BytesIO(scans.jpeg()), "kk.jpg")}
        assert desa.send(url, sent).status_code == 303
    [kept] = documents.listed(loket, id_)
    photo = desa.client.get(f"{url}/{kept.id}")
    assert (photo.status_code, photo.mimetype) == (200, "image/jpeg")
    assert Audit.select().where(Audit.what == "buka berkas kk").count() == 1
    assert desa.client.get(f"/usulan/{id_}/papers/99").status_code == 404


# --- the list ---


def test_the_list_opens_where_work_waits_and_hides_the_numbers(
    desa: Browser, loket: Loket, clock: Clock
) -> None:
    ids = propose(loket, clock, 3)
    done(loket, clock, ids[:2], "bawa")
    page = said(desa.page("/usulan"))
    assert page.count('name="ids"') == 1
    assert "Bawa ke musyawarah" in page
    assert not re.search(r"\d{16}", page)
    everything = said(desa.page("/usulan?langkah="))
    assert everything.count('class="who"') == 3
    assert 'name="ids"' not in everything
    assert said(desa.fragment("/usulan/rows?langkah=musyawarah")).count('name="ids"') == 2


def test_a_long_list_has_pages(desa: Browser, loket: Loket, clock: Clock) -> None:
    propose(loket, clock, 60)
    first, second = said(desa.page("/usulan")), said(desa.page("/usulan?hal=2&langkah=input"))
    assert (first.count('name="ids"'), second.count('name="ids"')) == (50, 10)
    assert "Halaman 1 dari 2" in first
    assert said(desa.page("/usulan?hal=999999999999999999999999&langkah=input")).count('name="ids"')


def test_a_number_is_looked_for_without_standing_in_an_address(
    desa: Browser, sign_in: SignIn, loket: Loket, clock: Clock
) -> None:
    propose(loket, clock, 3)
    nik = household(2, 4).niks[1]
    assert desa.client.get(f"/usulan/cari?text={nik}").status_code in (404, 405)
    found = desa.send("/usulan/cari", {"text": nik})
    assert (found.status_code, found.headers["Location"]) == (303, "/usulan/2")
    listed = said(desa.send("/usulan/cari", {"text": nik}, htmx=True))
    assert "1 usulan ditemukan" in listed
    other = sign_in("desa_lain").send("/usulan/cari", {"text": nik})
    assert "Tidak ada usulan yang cocok" in said(other)


def test_many_are_acted_on_at_once_and_those_refused_are_told_with_the_reason(
    desa: Browser, loket: Loket, clock: Clock
) -> None:
    whole = propose(loket, clock, 2)
    [part] = proposals.add_many(
        loket, SERVICE, [household(9, 2, family_size=4)], actor("desa"), clock.at
    )
    sent = {"langkah": "input", "action": "bawa", "ids": [*whole, part]}
    answer = desa.send("/usulan/tindakan", sent)
    assert answer.status_code == 303
    page = said(desa.page(answer.headers["Location"]))
    assert "2 usulan</b>" in page or "2 usulan" in page
    assert "Anggota pada KK 4 orang, tercatat 2." in page
    assert [step(id_) for id_ in (*whole, part)] == ["musyawarah", "musyawarah", "input"]


def test_a_reason_left_out_does_nothing_to_any(desa: Browser, loket: Loket, clock: Clock) -> None:
    ids = propose(loket, clock, 2)
    sent = {"langkah": "input", "action": "batal", "ids": ids}
    answer = desa.send("/usulan/tindakan", sent)
    assert answer.status_code == 422
    assert 'id="e-batal.reason"' in said(answer)
    assert {step(id_) for id_ in ids} == {"input"}
    answer = desa.send("/usulan/tindakan", sent | {"batal.reason": "Pindah", "all": "1", "ids": []})
    assert answer.status_code == 303
    assert {step(id_) for id_ in ids} == {"dibatalkan"}


def test_what_an_act_came_to_is_told_to_who_began_it_alone(
    desa: Browser, supervisor: Browser, loket: Loket, clock: Clock
) -> None:
    ids = propose(loket, clock)
    answer = desa.send("/usulan/tindakan", {"langkah": "input", "action": "bawa", "ids": ids})
    url = answer.headers["Location"]
    assert desa.fragment(f"{url}/state?v=done-100").status_code == 204
    assert "Bawa ke musyawarah" in said(desa.page(url))
    assert supervisor.client.get(url).status_code == 404


def test_another_villages_proposal_is_as_unknown_as_none(
    sign_in: SignIn, loket: Loket, clock: Clock
) -> None:
    propose(loket, clock)
    other = sign_in("desa_lain")
    for url in ("/usulan/1", "/usulan/1/ubah", "/usulan/1/papers/1", "/usulan/999"):
        assert other.client.get(url).status_code == 404
    for url in ("/usulan/1/acts", "/usulan/1/papers", "/usulan/1/take-backs"):
        assert other.send(url, {"action": "bawa", "seq": 1}).status_code == 404
    assert step(1) == "input"


# --- one household ---


def test_a_supervisor_goes_from_one_to_the_next(
    supervisor: Browser, loket: Loket, clock: Clock
) -> None:
    ids = propose(loket, clock, 2)
    sent_up(loket, clock, ids)
    seq = Application.get_by_id(ids[0]).seq
    answer = supervisor.send(f"/usulan/{ids[0]}/acts", {"action": "terima", "seq": seq})
    assert answer.status_code == 303
    page = said(supervisor.page(answer.headers["Location"]))
    assert "Usulan diterima" in page
    assert f'href="/usulan/{ids[1]}"' in page
    assert "Berikutnya:" in page
    again = supervisor.send(f"/usulan/{ids[0]}/acts", {"action": "terima", "seq": seq})
    assert again.status_code == 409
    back = supervisor.send(f"/usulan/{ids[0]}/take-backs", {"seq": seq + 1})
    assert (back.status_code, step(ids[0])) == (303, "verifikasi")


def test_what_a_rule_refuses_is_said_with_its_reason(
    desa: Browser, loket: Loket, clock: Clock
) -> None:
    part = household(9, 2, family_size=4)
    [id_] = proposals.add_many(loket, SERVICE, [part], actor("desa"), clock.at)
    page = said(desa.page(f"/usulan/{id_}"))
    assert 'class="broken"' in page
    answer = desa.send(f"/usulan/{id_}/acts", {"action": "bawa", "seq": 1})
    assert answer.status_code == 422
    assert "Anggota pada KK 4 orang, tercatat 2." in said(answer)
    assert step(id_) == "input"


# --- musyawarah and its Berita Acara ---


def test_a_meeting_decides_family_by_family(desa: Browser, loket: Loket, clock: Clock) -> None:
    ids = propose(loket, clock, 3)
    done(loket, clock, ids, "bawa")
    assert f'id="decide-{ids[0]}"' in said(desa.page("/usulan/berita_acara"))
    url = f"/usulan/berita_acara/keputusan/{ids[0]}"
    seq = {"seq": 2}
    page = said(desa.send(url, seq | {"action": "layak"}, htmx=True))
    assert f'id="decide-{ids[1]}"' in page
    url = f"/usulan/berita_acara/keputusan/{ids[1]}"
    refused = desa.send(url, seq | {"action": "tidak_layak"}, htmx=True)
    assert refused.status_code == 422
    assert 'id="e-tidak_layak.reason"' in said(refused)
    why = {"action": "tidak_layak", "tidak_layak.reason": "Sudah mampu"}
    assert desa.send(url, seq | why).status_code == 303
    assert [step(id_) for id_ in ids] == ["layak_desa", "tidak_layak_desa", "musyawarah"]
    late = desa.send(url, seq | why, htmx=True)
    assert late.status_code == 409


def test_the_minutes_are_frozen_printed_signed_and_sent(
    desa: Browser, loket: Loket, clock: Clock
) -> None:
    ids = propose(loket, clock, 3)
    done(loket, clock, ids, "bawa", "layak")
    empty = desa.send("/usulan/berita_acara/lembar", {})
    assert empty.status_code == 422
    assert 'id="e-tempat"' in said(empty)
    answer = desa.send("/usulan/berita_acara/lembar", MINUTES)
    assert answer.status_code == 303
    page = said(desa.page(answer.headers["Location"]))
    assert "Menunggu tanda tangan" in page
    pdf = desa.client.get("/usulan/lembar/1.pdf")
    words = "".join(sheet.extract_text() for sheet in PdfReader(BytesIO(pdf.data)).pages)
    assert NOTICE in " ".join(words.split())
    assert household(1, 3).head["name"] in words
    nothing = desa.send("/usulan/lembar/1/signatures", {})
    assert nothing.status_code == 422
    scan = {"file": (BytesIO(scans.jpeg()), "ba.jpg")}
    answer = desa.send("/usulan/lembar/1/signatures", scan)
    assert answer.status_code == 303
    assert "Ditandatangani" in said(desa.page(answer.headers["Location"]))
    assert desa.client.get("/usulan/lembar/1/signed").mimetype == "image/jpeg"
    assert desa.send("/usulan/lembar/1/scans", {}).status_code == 422
    better = {"file": (BytesIO(scans.png()), "ba.png")}
    assert desa.send("/usulan/lembar/1/scans", better).status_code == 303
    assert len(documents.listed_bundle(loket, 1)) == 2
    assert {step(id_) for id_ in ids} == {"diunggah"}


def test_a_sheet_is_voided_only_with_a_reason(desa: Browser, loket: Loket, clock: Clock) -> None:
    ids = propose(loket, clock, 2)
    discussed(loket, clock, ids)
    assert desa.send("/usulan/lembar/1/voids", {"reason": " "}).status_code == 422
    answer = desa.send("/usulan/lembar/1/voids", {"reason": "Salah tanggal"})
    assert answer.status_code == 303
    page = said(desa.page(answer.headers["Location"]))
    assert "Batal" in page
    assert "Salah tanggal" in page
    assert {step(id_) for id_ in ids} == {"layak_desa"}


# --- pengesahan ---


def test_the_letter_waits_until_what_it_holds_is_final(
    supervisor: Browser, loket: Loket, clock: Clock
) -> None:
    ids = propose(loket, clock, 2)
    sent_up(loket, clock, ids)
    page = said(supervisor.page("/usulan/pengesahan"))
    assert "2 usulan belum final" in page
    assert "Belum dapat dibuat." in page
    refused = supervisor.send("/usulan/pengesahan/lembar", {})
    assert refused.status_code == 422
    done(loket, clock, ids, "terima", who="supervisor")
    page = said(supervisor.page("/usulan/pengesahan"))
    assert "Finalisasi semua" in page
    everything = {"langkah": "diterima", "action": "finalisasi", "all": "1"}
    assert supervisor.send("/usulan/tindakan", everything).status_code == 303
    page = said(supervisor.page("/usulan/pengesahan"))
    assert "2 keluarga" in page
    answer = supervisor.send("/usulan/pengesahan/lembar", {})
    assert answer.status_code == 303
    assert {step(id_) for id_ in ids} == {"menunggu_ttd"}


def test_a_village_has_no_pengesahan_and_no_periods(
    desa: Browser, loket: Loket, clock: Clock
) -> None:
    final(loket, clock, propose(loket, clock))
    assert desa.client.get("/usulan/pengesahan").status_code == 404
    assert desa.send("/usulan/pengesahan/lembar", {}).status_code == 404
    assert desa.client.get("/usulan/periode").status_code == 403


# --- the template ---


def filled(template: bytes, *some: Household, wrong: bool = False) -> BytesIO:
    """The template with these households typed in; the last member's NIK wrong."""
    book = openpyxl.load_workbook(BytesIO(template))
    sheet = book.worksheets[0]
    heads = {cell.value: cell.column for cell in sheet[4] if cell.value}
    names = {
        "No KK": "kk", "NIK": "nik", "Nama lengkap": "name", "Hubungan keluarga": "relation",
        "Jenis kelamin (L/P)": "sex", "Tanggal lahir": "birth_date", "Alamat": "address",
    }  # fmt: skip
    row = 5
    for one in some:
        for member in one.members:
            for heading, part in names.items():
                sheet.cell(row, heads[heading], member[part]).number_format = "@"
            if member["relation"] == HEAD:
                sheet.cell(row, heads["Program"], "PKH")
                sheet.cell(row, heads["Jumlah anggota KK"], str(one.family_size))
            row += 1
    if wrong:
        sheet.cell(row - 1, heads["NIK"], "12345")
    out = BytesIO()
    book.save(out)
    out.seek(0)
    return out


def test_a_filled_template_is_taken_and_its_faulty_rows_come_back(
    app: Flask, desa: Browser, loket: Loket, clock: Clock
) -> None:
    template = desa.client.get("/usulan/unggah/template.xlsx")
    assert template.status_code == 200
    assert "template-usulan-Bades.xlsx" in template.headers["Content-Disposition"]
    file = filled(template.data, household(1), household(2), wrong=True)
    answer = desa.send("/usulan/unggah", {"file": (file, "usulan.xlsx")})
    assert answer.status_code == 303
    app.extensions["uploads"].wait(actor("desa"), 20)
    page = said(desa.page("/usulan/unggah"))
    assert "<b>1</b>keluarga tersimpan" in page
    assert "<b>1</b>perlu diperbaiki" in page
    back = desa.client.get("/usulan/unggah/dikembalikan.xlsx")
    sheet = openpyxl.load_workbook(BytesIO(back.data)).worksheets[0]
    assert any("NIK" in str(row[-1] or "") for row in sheet.iter_rows(5, values_only=True))
    assert Application.select().count() == 1
    last = app.extensions["uploads"].last(actor("desa"))
    assert desa.fragment(f"/usulan/unggah/progress?v={last.version}").status_code == 204


def test_what_is_no_template_is_refused(desa: Browser) -> None:
    assert desa.send("/usulan/unggah", {}).status_code == 422


# --- periods ---


def test_a_supervisor_moves_a_periods_days(supervisor: Browser, loket: Loket, clock: Clock) -> None:
    propose(loket, clock)
    days = {
        "opens": "2026-11-01", "cutoff": "2026-11-20", "pull": "2026-11-21", "closes": "2026-11-30",
    }  # fmt: skip
    wrong = supervisor.send("/usulan/periode/2026-11", days | {"cutoff": "2026-10-01"})
    assert wrong.status_code == 422
    assert 'value="2026-10-01"' in said(wrong)
    assert supervisor.send("/usulan/periode/2026-11", days).status_code == 303
    assert "sisa 4 hari" in said(supervisor.page("/usulan/periode"))


def test_what_moved_by_itself_is_told_with_its_day(
    sign_in: SignIn, loket: Loket, clock: Clock
) -> None:
    ids = propose(loket, clock, 3)
    clock.tick(20 * DAY_S)
    upkeep.run(loket, clock.at)
    supervisor = sign_in("supervisor")
    assert Event.select().where(Event.action == "pindah_periode").count() == 3
    assert "3 usulan pindah sendiri ke Desember 2026" in said(supervisor.page("/usulan/periode"))
    page = said(supervisor.page(f"/usulan/{ids[0]}"))
    assert "Pindah ke periode berikutnya" in page
    assert "periode Desember 2026" in page


# --- an office without letters ---


def test_the_front_page_and_the_kiosk_say_where_to_register(
    app: Flask, clock: Clock, sign_in: SignIn
) -> None:
    page = said(Browser(app.test_client()).page("/"))
    kiosk = enrolled(app, "kiosk", clock.at)
    for shown in (page, said(kiosk.page("/kiosk"))):
        assert "desa atau kelurahan" in shown
        assert "Kartu Keluarga" in shown
        assert NOTICE in shown
    assert "Ambil nomor" not in page
    assert "Periksa surat" not in page
    assert kiosk.page("/kiosk/figures").status_code == 200
    assert enrolled(app, "display", clock.at).page("/display").status_code == 200
    assert sign_in("kadis").page("/meja").status_code == 200
