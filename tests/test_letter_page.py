"""The letter as a page to be read aloud: the same words, its state first, and who may open it."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

import models
from kiosk import (
    archive,
    casefile,
    desk,
    letter_facts,
    letter_page,
    letter_status,
    replacing,
)
from kiosk.errors import Invalid, NotFound, TooMany
from kiosk.loket import Loket
from kiosk.population import DEMO_PERSON
from models import Application, Audit, Letter, Ticket, Wording
from tests import live
from tests.conftest import PASSWORD, Clock, actor
from tests.letters import act, to_step
from tests.own_file import letter_text
from tests.pages import Browser, parse, text
from tests.test_accessibility import faults

Submit = Callable[..., int]
AsRole = Callable[..., Browser]
NIK = DEMO_PERSON.nik
OTHER = "3602015203640003"


def token() -> str:
    return str(Ticket.get().token)


# --- what it says ---


def test_it_says_every_word_of_the_archived_letter(loket: Loket, clock: Clock, issued: int) -> None:
    page = letter_page.read(loket, issued, clock.at)
    printed = "".join(letter_text(loket, issued).split())
    said = page.text
    rows = [value for _, value in (*said.rows, *said.findings)]
    rest = (said.signer_name, said.signer_nip, said.signed_note, said.verify_code)
    for line in (said.title, said.number, said.opening, said.statement, *rows, said.closing, *rest):
        assert "".join(line.split()) in printed
    assert page.code == "sah"


def test_what_has_changed_since_does_not_change_it(loket: Loket, clock: Clock, issued: int) -> None:
    """A later mandate, wording and register: the page and the archive still say what was issued."""
    before = letter_page.read(loket, issued, clock.at).text
    Wording.create(
        service="sk_dtks", letter="sk_dtks", seq=1, published_at=clock.at,
        published_by=actor("admin").id,
        text=json.dumps({"closing": "Lain.", "copies": []}),
    )  # fmt: skip
    given = loket.vault.unlock_json("given", Application.get_by_id(issued).given_ct)
    given["name"] = "NAMA LAIN"
    Application.update(given_ct=loket.vault.lock_json("given", given)).execute()
    assert letter_page.read(loket, issued, clock.at).text == before


def test_a_letter_from_before_its_text_was_kept_is_written_again_from_its_facts(
    loket: Loket, clock: Clock, issued: int
) -> None:
    row = Letter.get()
    kept = letter_facts.text_of(loket, row)
    frozen = loket.vault.unlock_json("letter", row.facts_ct)
    for part in ("text", "ranked"):
        frozen.pop(part)
    Letter.update(facts_ct=loket.vault.lock_json("letter", frozen)).execute()
    assert letter_facts.text_of(loket, Letter.get()) == kept
    assert archive.pdf_of(loket, issued)


def test_what_became_of_it_is_said_before_all_else(
    app: Flask, as_role: AsRole, loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    head = as_role("kepala_dinas")
    to_step(loket, clock, id_, "penyerahan")
    assert "Surat ini berlaku." in first_words(head, id_)
    letter_status.suspend(loket, id_, "Menunggu klarifikasi", actor("kepala_dinas"), clock.at)
    assert "Surat ini sedang ditangguhkan." in first_words(head, id_)
    letter_status.revoke(loket, id_, "Salah orang", actor("kepala_dinas"), clock.tick(60))
    assert "Surat ini sudah dicabut." in first_words(head, id_)


def first_words(browser: Browser, id_: int) -> str:
    """What a screen reader says first of the page's main part."""
    tree = parse(browser.page(f"/meja/{id_}/surat").get_data(as_text=True), fragment=False)
    return text(next(iter(next(tree.iter("main")))))


# --- who may open it ---


def test_staff_open_it_from_the_case_and_the_audit_says_so(
    app: Flask, as_role: AsRole, loket: Loket, clock: Clock, issued: int
) -> None:
    front = as_role("front_office")
    assert f"/meja/{issued}/surat" in front.page(f"/meja/{issued}").text
    page = front.page(f"/meja/{issued}/surat")
    assert page.headers["Cache-Control"] == "no-store"
    html = page.get_data(as_text=True)
    tree = parse(html, fragment=False)
    assert next(h.tag for h in tree.iter() if h.tag in ("h1", "h2")) == "h1"
    assert next(tree.iter("article")).get("lang") == "id"
    assert {"Nama", "NIK", "Status"} <= {text(dt) for dt in tree.iter("dt")}
    assert NIK not in text(next(tree.iter("title")))
    assert Audit.select().where(Audit.what == "buka surat").count() == 1
    assert as_role("admin").client.get(f"/meja/{issued}/surat").status_code == 404


def test_a_citizen_opens_it_with_their_nik_and_a_found_ticket_opens_nothing(
    app: Flask, browser: Browser, loket: Loket, clock: Clock, issued: int
) -> None:
    url = f"/t/{token()}/surat"
    assert f'href="{url}"' in browser.page(f"/t/{token()}").text
    assert "SITI" not in browser.page(url).text
    wrong = browser.send(url, {"nik": OTHER})
    assert wrong.status_code == 422
    assert "SITI" not in wrong.text
    assert OTHER not in wrong.text
    right = browser.send(url, {"nik": f"{NIK[:4]} {NIK[4:]}"})
    assert right.status_code == 200
    assert "SITI AMINAH" in right.text
    assert right.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in right.headers or NIK not in right.headers["Set-Cookie"]
    assert browser.page("/t/nobody/surat").status_code == 404


def test_the_ticket_of_a_replaced_letter_opens_the_newest_and_the_desk_the_old_one(
    app: Flask, browser: Browser, as_role: AsRole, loket: Loket, clock: Clock, issued: int
) -> None:
    ticket, given = token(), casefile.given_of(loket, desk.find(issued))
    person = given | {"address": "KP. CIKUMPAY BARAT", "nik": "", "kk": ""}
    front, head = actor("front_office"), as_role("kepala_dinas")
    new = replacing.replace(loket, issued, person, "Alamat salah ketik", front, clock.tick(20))
    waiting = head.page(f"/meja/tumpukan?surat={new}").get_data(as_text=True)
    assert "Menggantikan surat" in waiting
    assert "karena Alamat salah ketik" in waiting
    act(loket, clock, new, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    assert "Baca surat yang baru" in browser.page(f"/t/{ticket}").text
    page = browser.send(f"/t/{ticket}/surat", {"nik": NIK}).text
    assert "KP. CIKUMPAY BARAT" in page
    assert "Surat ini berlaku." in page
    assert "Surat ini sudah diganti." in first_words(as_role("kepala_dinas"), issued)
    told = browser.page(f"/v/{letter_page.read(loket, issued, clock.at).digits}").text
    assert "<dt>Diganti</dt>" in told
    assert "<dt>Dicabut</dt>" not in told
    case = as_role("front_office").page(f"/meja/{issued}").text
    assert "serahkan yang baru" in case


def test_a_nik_can_be_tried_five_times_an_hour(loket: Loket, clock: Clock, issued: int) -> None:
    for _ in range(5):
        with pytest.raises(Invalid):
            letter_page.open_with(loket, token(), OTHER, clock.at)
    with pytest.raises(TooMany):
        letter_page.open_with(loket, token(), NIK, clock.at)
    clock.tick(3601)
    for _ in range(7):
        assert letter_page.open_with(loket, token(), NIK, clock.at).text.number


def test_before_it_is_issued_there_is_nothing_to_read(
    app: Flask, browser: Browser, loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    assert browser.page(f"/t/{token()}/surat").status_code == 404
    assert browser.send(f"/t/{token()}/surat", {"nik": NIK}).status_code == 404
    assert "/surat" not in browser.page(f"/t/{token()}").text
    with pytest.raises(NotFound):
        letter_page.read(loket, id_, clock.at)


# --- in a browser ---


def in_thread(loket: Loket, clock: Clock, id_: int) -> None:
    with models.db.connection_context():
        to_step(loket, clock, id_, "penyerahan")


def test_page_and_editor_have_no_barrier(office: live.Office, clock: Clock, submit: Submit) -> None:
    loket = office.app.extensions["loket"]
    id_ = submit(loket)
    with ThreadPoolExecutor(1) as elsewhere:  # signing needs a thread without the browser's loop
        elsewhere.submit(in_thread, loket, clock, id_).result()
    phone = office.window(live.PHONE)
    phone.goto(f"{office.url}/t/{token()}")
    phone.get_by_text("Baca surat Anda").click()
    assert faults(phone) == []
    phone.fill("[name=nik]", OTHER)
    phone.get_by_role("button", name="Buka surat").click()
    phone.get_by_role("alert").wait_for()
    assert faults(phone) == []
    phone.fill("[name=nik]", NIK)
    phone.get_by_role("button", name="Buka surat").click()
    phone.get_by_role("heading", name="SURAT KETERANGAN").wait_for()
    assert faults(phone) == []
    assert phone.evaluate("document.documentElement.scrollWidth") <= live.PHONE[0]
    admin = office.signed_in("admin")
    admin.goto(f"{office.url}/admin/surat/sk_dtks/sk_dtks")
    admin.fill("#purpose", "Untuk {siapa}")
    admin.get_by_text("Keperluan: Isian {siapa} tidak dikenal").wait_for()  # as it is typed
    assert faults(admin) == []
    admin.fill("#purpose", "Untuk keperluan ")
    admin.locator("[data-insert='{keperluan}']").click()
    assert admin.input_value("#purpose") == "Untuk keperluan {keperluan}"
    admin.fill("#closing", "Demikian")
    admin.locator("[data-insert='{keperluan}']").click()
    assert admin.input_value("#closing") == "Demikian"
    admin.locator("#preview img").wait_for()
    admin.fill("#note", "Penutup dipersingkat")
    admin.get_by_role("button", name="Terbitkan").click()
    admin.get_by_text("Versi 1", exact=True).wait_for()
    admin.get_by_text("Perbedaan dengan sebelumnya").click()
    assert faults(admin) == []
