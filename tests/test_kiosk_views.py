"""The kiosk's screens, as a browser gets them."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from kiosk import spool
from kiosk.loket import Loket, open_loket
from kiosk.population import DEMO_PERSON
from kiosk.printers import NO_PAPER, EscPosPrinter, IppPrinter
from kiosk.spool import Printers
from models import Application, Attempt, PrintJob, Ticket, Visit
from tests.conftest import BASE_URL, Clock
from tests.letters import to_step
from tests.pages import Browser, check, text

ROOT = Path(__file__).parent.parent
UNKNOWN = "3602014708900099"
OTHER_KK = "3602111111119999"
START = "Selamat datang."


def html(response: TestResponse) -> str:
    return response.get_data(as_text=True)


def heading(response: TestResponse) -> str:
    tree = check(response)
    assert tree is not None
    return text(next(tree.iter("h1")))


def answer(kiosk: Browser, screen: str, **given: object) -> TestResponse:
    return kiosk.send("/kiosk/answers", {"screen": screen, **given}, htmx=True)


def begin(kiosk: Browser, choice: str = "sk_dtks") -> TestResponse:
    return kiosk.send("/kiosk/visits", {"choice": choice}, htmx=True)


def agree(kiosk: Browser) -> None:
    begin(kiosk)
    answer(kiosk, "about")
    answer(kiosk, "priority", priority="")
    answer(kiosk, "consent")


def type_pair(kiosk: Browser, nik: str = DEMO_PERSON.nik, kk: str = DEMO_PERSON.kk) -> TestResponse:
    answer(kiosk, "nik", nik=nik)
    return answer(kiosk, "kk", kk=kk)


def to_check(kiosk: Browser) -> TestResponse:
    agree(kiosk)
    type_pair(kiosk)
    return answer(kiosk, "purpose", purpose="kip_kuliah")


def without_token(page: str) -> str:
    """CSRF tokens differ from answer to answer: in the forms, and in what htmx sends along."""
    return re.sub(r'(name="csrf_token" value=|X-CSRFToken": )"[^"]+"', r'\1""', page)


def test_the_whole_way_screen_by_screen(kiosk: Browser) -> None:
    assert heading(kiosk.page("/kiosk")).startswith(START)
    assert heading(begin(kiosk)) == "Surat Keterangan DTKS"
    assert heading(answer(kiosk, "about")) == "Apakah Anda termasuk salah satu ini?"
    assert (
        heading(answer(kiosk, "priority", priority="hamil")) == "Bolehkah kami memakai data Anda?"
    )
    assert heading(answer(kiosk, "consent")) == "Ketik NIK Anda"
    assert heading(answer(kiosk, "nik", nik=DEMO_PERSON.nik)) == "Ketik nomor KK Anda"
    assert heading(answer(kiosk, "kk", kk=DEMO_PERSON.kk)) == "Surat ini untuk apa?"
    assert heading(answer(kiosk, "purpose", purpose="pip")) == "Apakah sudah benar?"
    ticket = answer(kiosk, "check", correct="yes")
    assert heading(ticket) == "Nomor antrean Anda"
    assert "A01" in html(ticket)
    assert "09.15" in html(ticket)
    assert heading(kiosk.send("/kiosk/reprints", htmx=True)) == "Nomor antrean Anda"
    kiosk.send("/kiosk/end", htmx=True)
    assert heading(kiosk.page("/kiosk")).startswith(START)


def test_a_page_and_its_fragment_show_the_same_screen(kiosk: Browser) -> None:
    to_check(kiosk)
    whole, part = html(kiosk.page("/kiosk")), html(kiosk.fragment("/kiosk/screen"))
    assert without_token(part).strip() in without_token(whole)


def test_every_step_works_without_scripts(kiosk: Browser) -> None:
    for url, given in (
        ("/kiosk/visits", {"choice": "sk_dtks"}),
        ("/kiosk/answers", {"screen": "about"}),
        ("/kiosk/answers", {"screen": "priority", "priority": ""}),
        ("/kiosk/answers", {"screen": "consent"}),
    ):
        response = kiosk.send(url, given)
        assert (response.status_code, response.location) == (303, "/kiosk")
    fault = kiosk.send("/kiosk/answers", {"screen": "nik", "nik": "123"})
    assert fault.status_code == 422
    assert 'value="123"' in html(fault)
    assert heading(kiosk.page("/kiosk")) == "Ketik NIK Anda"


def test_a_fault_of_form_keeps_the_entry_and_points_to_the_field(kiosk: Browser) -> None:
    agree(kiosk)
    response = answer(kiosk, "nik", nik="3602019908900001")
    assert response.status_code == 422
    assert 'href="#nik"' in html(response)
    assert 'value="3602019908900001"' in html(response)
    assert 'aria-invalid="true"' in html(response)


def test_a_wrong_pair_and_an_unknown_person_get_the_same_bytes(kiosk: Browser) -> None:
    agree(kiosk)
    wrong = type_pair(kiosk, kk=OTHER_KK)
    agree(kiosk)
    unknown = type_pair(kiosk, nik=UNKNOWN, kk=OTHER_KK)
    assert heading(wrong) == "Pasangan ini tidak ditemukan"
    assert without_token(html(wrong)) == without_token(html(unknown))
    assert wrong.status_code == unknown.status_code


def test_five_wrong_tries_end_the_visit_at_the_counter(kiosk: Browser) -> None:
    agree(kiosk)
    for _ in range(4):
        type_pair(kiosk, kk=OTHER_KK)
        answer(kiosk, "notfound", choice="again")
    last = type_pair(kiosk, kk=OTHER_KK)
    assert heading(last) == "Silakan ke loket"
    assert "data-close" in html(last)
    assert heading(type_pair(kiosk)) == "Silakan ke loket"
    assert Application.select().count() == 0


def test_a_person_sees_their_own_data_and_no_more_than_will_be_printed(kiosk: Browser) -> None:
    shown = html(to_check(kiosk))
    for part in ("SITI AMINAH", "3602 01•• •••• 0001", "7 Agustus 1990", "MALINGPING"):
        assert part in shown
    for secret in (DEMO_PERSON.nik, DEMO_PERSON.kk, "PKH", "BPNT", "desil", "erdaftar", "ercatat"):
        assert secret not in shown


def test_no_number_of_the_person_is_in_a_url_a_cookie_or_another_screen(kiosk: Browser) -> None:
    agree(kiosk)
    said = [answer(kiosk, "nik", nik=DEMO_PERSON.nik)]
    said.append(answer(kiosk, "kk", kk=DEMO_PERSON.kk))
    said.append(answer(kiosk, "purpose", purpose="pip"))
    said.append(answer(kiosk, "check", correct="yes"))
    said.append(kiosk.page("/kiosk"))
    for response in said:
        everything = html(response) + str(response.headers)
        assert DEMO_PERSON.nik not in everything
        assert DEMO_PERSON.kk not in everything
    for name in ("visit", "loket15", "device_kiosk"):
        cookie = kiosk.client.get_cookie(name)
        assert cookie is not None
        assert DEMO_PERSON.nik not in cookie.value


def test_three_taps_on_yes_give_one_ticket(kiosk: Browser) -> None:
    to_check(kiosk)
    shown = [heading(answer(kiosk, "check", correct="yes")) for _ in range(3)]
    assert shown == ["Nomor antrean Anda"] * 3
    assert Application.select().count() == Ticket.select().count() == 1


def test_ending_wipes_the_visit_and_every_cookie_of_the_person(kiosk: Browser) -> None:
    kiosk.send("/kiosk/language", {"lang": "en"})
    kiosk.send("/kiosk/size", {"size": "large"})
    to_check(kiosk)
    response = kiosk.send("/kiosk/end", htmx=True)
    assert (response.status_code, response.location) == (303, "/kiosk/screen")
    assert [kiosk.client.get_cookie(name) for name in ("visit", "lang", "size")] == [None] * 3
    row = Visit.get()
    assert (row.state_ct, row.token_hash) == (None, None)
    assert heading(kiosk.page("/kiosk")).startswith(START)
    assert heading(
        kiosk.send("/kiosk/answers", {"screen": "check"}, follow_redirects=True)
    ).startswith(START)
    assert Application.select().count() == 0


def test_a_copied_cookie_opens_nothing_after_the_end(kiosk: Browser) -> None:
    to_check(kiosk)
    kept = kiosk.client.get_cookie("visit")
    assert kept is not None
    kiosk.send("/kiosk/end")
    kiosk.client.set_cookie("visit", kept.value)
    assert "SITI AMINAH" not in html(kiosk.page("/kiosk"))


def test_the_visit_cookie_cannot_be_read_by_scripts(kiosk: Browser) -> None:
    cookies = begin(kiosk).headers.getlist("Set-Cookie")
    visit = next(cookie for cookie in cookies if cookie.startswith("visit="))
    assert "HttpOnly" in visit
    assert "SameSite=Lax" in visit


def test_a_new_service_ends_the_visit_before(kiosk: Browser) -> None:
    to_check(kiosk)
    begin(kiosk)
    assert [row.state_ct is None for row in Visit.select().order_by(Visit.id)] == [True, False]


def test_back_leads_one_screen_back_and_from_the_first_to_the_start(kiosk: Browser) -> None:
    begin(kiosk)
    answer(kiosk, "about")
    assert heading(kiosk.send("/kiosk/back", {"screen": "priority"}, htmx=True)) == (
        "Surat Keterangan DTKS"
    )
    assert kiosk.send("/kiosk/back", {"screen": "about"}, htmx=True).status_code == 303
    assert heading(kiosk.fragment("/kiosk/screen")).startswith(START)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_device_that_is_not_enrolled_gets_nothing_looked_up(
    app: Flask, browser: Browser, method: str
) -> None:
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/kiosk") and method in (rule.methods or ()):
            send = browser.page if method == "GET" else browser.send
            response = send(rule.rule)
            assert response.status_code == 403, rule
            assert heading(response) == "Perangkat ini belum terdaftar"
    assert Visit.select().count() == Attempt.select().count() == 0


def test_a_display_is_no_kiosk(display_client: Browser) -> None:
    assert display_client.page("/kiosk").status_code == 403


def test_language_and_size_can_be_changed_on_every_screen(kiosk: Browser) -> None:
    to_check(kiosk)
    kiosk.send("/kiosk/language", {"lang": "en"}, htmx=True)
    kiosk.send("/kiosk/size", {"size": "large"}, htmx=True)
    page = kiosk.page("/kiosk")
    assert heading(page) == "Is this right?"
    assert '<html lang="en" class="large">' in html(page)
    kiosk.send("/kiosk/language", {"lang": "xx"})
    assert heading(kiosk.page("/kiosk")) == "Apakah sudah benar?"


def test_a_closed_office_says_when_it_opens_and_still_gives_a_number(
    kiosk: Browser, clock: Clock
) -> None:
    clock.tick(9 * 3600)
    page = html(kiosk.page("/kiosk"))
    assert "Kantor sedang tutup. Buka lagi Sel 24 Nov, 07.30." in page
    to_check(kiosk)
    ticket = answer(kiosk, "check", correct="yes")
    assert "Sel 24 Nov, 07.45" in html(ticket)


def test_figures_render_alone_and_show_who_waits(kiosk: Browser) -> None:
    assert "Belum ada yang menunggu" in html(kiosk.fragment("/kiosk/figures"))
    to_check(kiosk)
    answer(kiosk, "check", correct="yes")
    assert "1 orang menunggu" in html(kiosk.fragment("/kiosk/figures"))


def test_presence_keeps_the_visit(kiosk: Browser, clock: Clock) -> None:
    to_check(kiosk)
    for _ in range(4):
        clock.tick(100)
        assert kiosk.send("/kiosk/presence", htmx=True).status_code == 204
    assert heading(kiosk.page("/kiosk")) == "Apakah sudah benar?"
    clock.tick(180)
    assert heading(kiosk.page("/kiosk")).startswith(START)


def scan(kiosk: Browser, choice: str, code: str) -> TestResponse:
    begin(kiosk, choice)
    return kiosk.send("/kiosk/scans", {"screen": f"scan_{choice}", "code": code}, htmx=True)


def test_a_ticket_can_be_scanned_for_status_and_print(kiosk: Browser) -> None:
    to_check(kiosk)
    answer(kiosk, "check", correct="yes")
    address = f"{BASE_URL}/t/{Ticket.get().token}"
    shown = scan(kiosk, "status", address)
    assert heading(shown) == "Permohonan Anda"
    assert "Menunggu dipanggil ke loket" in html(shown)
    assert "SITI" not in html(shown)
    assert "belum siap" in html(scan(kiosk, "print", address))
    assert kiosk.fragment("/kiosk/job").status_code == 200
    unknown = scan(kiosk, "print", "https://jahat.example/t/xyz")
    assert unknown.status_code == 422
    assert "tidak kami kenali" in html(unknown)


def test_a_signed_letter_prints_at_the_kiosk_as_often_as_allowed(
    kiosk: Browser, loket: Loket, clock: Clock, submit: Callable[..., int]
) -> None:
    application = submit(loket)
    to_step(loket, clock, application, "penyerahan")
    address = f"{BASE_URL}/t/{Ticket.get().token}"
    assert "Cetak surat" in html(scan(kiosk, "status", address))
    printing = answer(kiosk, "status")
    assert "Surat sedang dicetak." in html(printing)
    assert "masih dapat dicetak 1 kali" in html(printing)
    assert "SITI" not in html(printing)
    answer(kiosk, "status")
    jobs = PrintJob.select().where(PrintJob.kind == "letter")
    assert jobs.count() == 1
    PrintJob.update(state="failed").where(PrintJob.kind == "letter").execute()
    assert "Silakan ambil surat Anda di loket." in html(kiosk.fragment("/kiosk/job"))
    PrintJob.update(state="done").where(PrintJob.kind == "letter").execute()
    done = html(kiosk.fragment("/kiosk/job"))
    assert "Ambil di bawah layar" in done
    assert "hx-get" not in done
    scan(kiosk, "print", address)
    assert "sebanyak yang boleh" in html(scan(kiosk, "print", address))
    assert jobs.count() == 2


def test_a_letter_printer_that_is_down_sends_the_citizen_to_the_counter(
    kiosk: Browser, loket: Loket, clock: Clock, submit: Callable[..., int]
) -> None:
    to_step(loket, clock, submit(loket), "penyerahan")
    scan(kiosk, "print", f"{BASE_URL}/t/{Ticket.get().token}")
    down = Printers(EscPosPrinter("127.0.0.1", 9), IppPrinter("ipp://127.0.0.1:9/ipp/print"))
    spool.work_once(loket, down, clock.at)
    sent_away(html(kiosk.fragment("/kiosk/job")))


@pytest.mark.parametrize("state", ["queued", "printing", "failed"])
def test_a_letter_that_something_hinders_is_not_waited_for(
    kiosk: Browser, loket: Loket, clock: Clock, submit: Callable[..., int], state: str
) -> None:
    to_step(loket, clock, submit(loket), "penyerahan")
    scan(kiosk, "print", f"{BASE_URL}/t/{Ticket.get().token}")
    letters = PrintJob.kind == "letter"
    PrintJob.update(state=state, reason=NO_PAPER).where(letters).execute()
    sent_away(html(kiosk.fragment("/kiosk/job")))
    PrintJob.update(state="done", reason="").where(letters).execute()
    assert "Surat sudah dicetak." in html(kiosk.fragment("/kiosk/job"))


def sent_away(page: str) -> None:
    assert "Pencetak sedang tidak dapat dipakai." in page
    assert "Silakan ambil surat Anda di loket." in page
    for promise in ("Surat sedang dicetak.", "Mohon tunggu", "masih dapat dicetak"):
        assert promise not in page


def test_the_purpose_is_shown_as_it_will_be_printed_with_its_english_beside(
    kiosk: Browser,
) -> None:
    assert "<small>" not in html(to_check(kiosk))
    kiosk.send("/kiosk/language", {"lang": "en"}, htmx=True)
    kiosk.send("/kiosk/back", {"screen": "check"}, htmx=True)
    page = html(answer(kiosk, "purpose", purpose="bansos"))
    assert '<span lang="id">Bantuan sosial</span> <small>Social assistance</small>' in page


def test_the_consent_promises_only_what_the_office_does(kiosk: Browser) -> None:
    begin(kiosk)
    answer(kiosk, "about")
    page = html(answer(kiosk, "priority", priority=""))
    assert "Minta melihat atau memperbaiki data di loket." in page
    assert "menghapus" not in page


def test_the_qr_on_the_screen_is_the_status_address(kiosk: Browser, home: Path) -> None:
    from PIL import Image
    from zxingcpp import read_barcode

    to_check(kiosk)
    page = html(answer(kiosk, "check", correct="yes"))
    side = int(re.search(r'class="qr" viewBox="0 0 (\d+)', page)[1])  # type: ignore[index]
    picture = Image.new("L", (side, side), 255)
    for x, y in re.findall(r"M(\d+) (\d+)h1v1h-1z", page):
        picture.putpixel((int(x), int(y)), 0)
    read = read_barcode(picture.resize((side * 6, side * 6), Image.Resampling.NEAREST))
    assert read is not None
    assert read.text == open_loket(home, "lebak", BASE_URL).status_url(Ticket.get().token)


def test_every_sentence_of_the_kiosk_has_its_english() -> None:
    known: dict[str, str] = {}
    for file in (ROOT / "views" / "english").glob("*.toml"):
        known |= tomllib.loads(file.read_text())
    pages = [*(ROOT / "templates" / "kiosk").glob("*.html"), *(ROOT / "templates").glob("*.html")]
    said = {
        m for page in pages for m in re.findall(r"\b_\(\s*[\"'](.+?)[\"'][,)]", page.read_text())
    }
    headings = (ROOT / "templates" / "kiosk" / "headings.html").read_text()
    said |= set(re.findall(r'": "(.+?)",', headings))
    faults = re.findall(r'Invalid\(\{"\w+": "(.+?)"\}\)', (ROOT / "kiosk" / "visit.py").read_text())
    assert len(said) > 90
    assert sorted((said | set(faults)) - set(known)) == []
