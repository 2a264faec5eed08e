"""Papers on the screens: beside the desk's form, on the citizen's phone, at the kiosk's camera."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import Page, Route, expect, sync_playwright
from werkzeug.test import TestResponse

from kiosk import documents
from kiosk.documents import Owner
from kiosk.loket import Loket
from kiosk.population import DEMO_PERSON
from models import Application, Audit, Document, Event, Ticket
from tests import live, scans
from tests.conftest import Clock
from tests.letters import to_step
from tests.pages import Browser
from tests.test_documents import SMALL, with_files
from tests.test_journeys import give_numbers, heading, tap, to_numbers

AsRole = Callable[..., Browser]
Submit = Callable[..., int]
CASE = "/meja/1"


@pytest.fixture
def loket(app: Flask) -> Loket:
    found: Loket = app.extensions["loket"]
    return found


@pytest.fixture
def case(loket: Loket, submit: Submit) -> int:
    return submit(loket)


@pytest.fixture
def clerk(as_role: AsRole, case: int) -> Browser:
    return as_role("front_office", 1)


def choose(*files: bytes, name: str = "file", **fields: object) -> dict[str, object]:
    """A form with these files chosen, whatever their names say."""
    return {**fields, name: [(BytesIO(data), "C:\\foto.exe") for data in files]}


def add(browser: Browser, *files: bytes, htmx: bool = False, **fields: object) -> TestResponse:
    given = {"kind": "ktp", "key": "k"} | fields
    return browser.send(f"{CASE}/documents", choose(*files, **given), htmx=htmx)


def kept() -> list[tuple[str, str]]:
    return [(row.kind, row.source) for row in Document.select().order_by(Document.id)]


# --- the desk ---


def test_a_clerk_adds_scans_and_sees_them_beside_the_data(clerk: Browser) -> None:
    assert add(clerk, SMALL, scans.pdf(2)).status_code == 303
    assert add(clerk, SMALL, scans.pdf(2)).status_code == 303, "sent twice, kept once"
    assert kept() == [("ktp", "counter")] * 2
    page = clerk.page(CASE).get_data(as_text=True)
    assert f'src="{CASE}/documents/1/thumbnail"' in page
    assert "2 hlm." in page
    thumbnail = clerk.page(f"{CASE}/documents/1/thumbnail")
    assert max(Image.open(BytesIO(thumbnail.data)).size) <= documents.THUMBNAIL


def test_what_cannot_be_kept_is_named_and_the_rest_is_kept(clerk: Browser) -> None:
    answer = add(clerk, b"GIF89a", SMALL, htmx=True)
    assert answer.status_code == 422
    assert "Hanya foto JPEG, PNG, atau PDF yang diterima." in answer.get_data(as_text=True)
    assert kept() == [("ktp", "counter")]
    plain = add(clerk, b"", key="other")
    assert plain.status_code == 422
    assert "Berkas ini kosong." in plain.get_data(as_text=True)


def test_the_panel_follows_what_the_phone_sends(
    clerk: Browser, loket: Loket, clock: Clock, case: int
) -> None:
    fragment = clerk.fragment(f"{CASE}/documents").get_data(as_text=True)
    seen = re.search(r"documents\?v=(\w+)", fragment)
    assert seen
    url = f"{CASE}/documents?v={seen[1]}"
    assert clerk.fragment(url).status_code == 204
    documents.add(loket, Owner(case), "kk", SMALL, "phone", "x", clock.at)
    assert "dari ponsel pemohon" in clerk.fragment(url).get_data(as_text=True)


def test_the_whole_picture_is_opened_only_with_a_note_in_the_audit(clerk: Browser) -> None:
    add(clerk, scans.pdf(2))
    before = Audit.select().count()
    page = clerk.page(f"{CASE}/documents/1/image?page=2")
    assert (page.mimetype, page.headers["Cache-Control"]) == ("image/jpeg", "no-store")
    assert clerk.page(f"{CASE}/documents/1/image?page=3").status_code == 404
    file = clerk.page(f"{CASE}/documents/1/file")
    assert file.data.startswith(b"%PDF-")
    assert file.headers["Content-Disposition"] == 'attachment; filename="ktp-1.pdf"'
    notes = [row.what for row in Audit.select().offset(before)]
    assert set(notes) == {"buka berkas ktp"}
    assert len(notes) >= 2


def test_a_scan_is_removed(clerk: Browser) -> None:
    add(clerk, SMALL)
    assert clerk.send(f"{CASE}/documents/1/removals").status_code == 303
    assert clerk.page(f"{CASE}/documents/1/image").status_code == 404
    add(clerk, SMALL, key="again")
    answer = clerk.send(f"{CASE}/documents/2/removals", htmx=True)
    assert 'id="documents"' in answer.get_data(as_text=True)
    assert documents.held(1, ()) == {}


def test_who_may_not_read_the_case_may_not_see_or_add_its_scans(
    clerk: Browser, as_role: AsRole, loket: Loket, submit: Submit, clock: Clock
) -> None:
    add(clerk, SMALL)
    operator = as_role("operator")
    for part in ("", "/1/thumbnail", "/1/image", "/1/file"):
        assert operator.page(f"{CASE}/documents{part}").status_code == 404
    assert add(operator, SMALL, key="mine").status_code == 404
    assert operator.send(f"{CASE}/documents/1/removals").status_code == 404
    assert kept() == [("ktp", "counter")]
    submit(loket)
    assert clerk.page("/meja/2/documents/1/image").status_code == 404, "another case's scan"
    to_step(loket, clock, 1, "cek")
    assert operator.page(f"{CASE}/documents/1/image").status_code == 200


def test_who_has_not_the_case_in_hand_looks_but_adds_and_removes_nothing(
    clerk: Browser, as_role: AsRole, loket: Loket, clock: Clock
) -> None:
    add(clerk, SMALL)
    to_step(loket, clock, 1, "cek")
    head, operator = as_role("kepala_dinas"), as_role("operator")
    assert head.page(f"{CASE}/documents/1/image").status_code == 200
    assert "removals" not in head.page(f"{CASE}/documents").get_data(as_text=True)
    assert add(head, SMALL, key="mine").status_code == 403
    assert head.send(f"{CASE}/documents/1/removals").status_code == 403
    assert add(operator, SMALL, key="other").status_code == 303
    assert add(clerk, SMALL, key="third").status_code == 303
    assert operator.send(f"{CASE}/documents/1/removals").status_code == 303
    assert kept() == [("ktp", "counter")] * 3


def test_a_paper_that_the_case_does_not_ask_for_yet_is_not_taken(
    clerk: Browser, app: Flask, loket: Loket
) -> None:
    more = loket.profile.documents[0].model_copy(update={"id": "surat_bercap"})
    kinds = (*loket.profile.documents, more)
    profile = loket.profile.model_copy(update={"documents": kinds})
    app.extensions["loket"] = replace(loket, profile=profile)
    assert add(clerk, SMALL, kind="surat_bercap").status_code == 403
    assert kept() == []


@pytest.fixture
def asking(app: Flask) -> Loket:
    """The office, whose counter takes a photo with "Belum lengkap"."""
    office = with_files(app.extensions["loket"])
    app.extensions["loket"] = office
    return office


def send_act(clerk: Browser, *files: bytes, **fields: object) -> TestResponse:
    given = {"action": "kurang", "seq": 1, "key": "k", "missing": "kk"} | fields
    return clerk.send(f"{CASE}/acts", choose(*files, name="proof", **given))


def test_an_acts_files_come_with_its_form(asking: Loket, clerk: Browser) -> None:
    form = clerk.page(f"{CASE}?act=kurang").get_data(as_text=True)
    assert 'enctype="multipart/form-data"' in form
    assert 'type="file"' in form
    assert send_act(clerk, SMALL).status_code == 303
    assert Application.get_by_id(1).step == "lengkapi"
    last = Event.select().order_by(Event.id.desc()).get()
    assert asking.vault.unlock_json("detail", last.detail_ct)["proof"] == ["1"]


def test_files_stay_attached_when_the_form_has_a_fault(asking: Loket, clerk: Browser) -> None:
    answer = send_act(clerk, SMALL, missing="")
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert "Tandai paling sedikit satu." in page
    assert "1 berkas terlampir" in page
    assert send_act(clerk).status_code == 303, "not asked for again"


def test_a_file_that_is_none_is_a_fault_of_its_field(asking: Loket, clerk: Browser) -> None:
    answer = send_act(clerk, b"<svg/>")
    assert answer.status_code == 422
    assert "gambar SVG tidak diterima" in answer.get_data(as_text=True)
    assert Application.get_by_id(1).step == "berkas"
    assert "Lampirkan berkasnya." in send_act(clerk).get_data(as_text=True)


def test_a_field_tells_what_it_holds_once_a_file_was_sent(asking: Loket, clerk: Browser) -> None:
    held = add(clerk, SMALL, htmx=True, field="proof").get_data(as_text=True)
    assert 'id="held-proof"' in held
    assert "1 berkas terlampir" in held


# --- the phone ---


@pytest.fixture
def berkas(case: int) -> str:
    return f"/t/{Ticket.get(Ticket.application == case).token}/berkas"


def test_a_phone_sends_photos_and_never_sees_them_again(browser: Browser, berkas: str) -> None:
    status = browser.page(berkas.removesuffix("/berkas")).get_data(as_text=True)
    assert f'href="{berkas}"' in status
    assert "Belum ada foto" in browser.page(berkas).get_data(as_text=True)
    given = {"kind": "ktp", "key": "a"}
    assert browser.send(berkas, choose(SMALL, **given)).status_code == 303
    card = browser.send(berkas, choose(SMALL, **given), htmx=True).get_data(as_text=True)
    assert "1 foto diterima" in card
    assert kept() == [("ktp", "phone")]
    page = browser.page(berkas).get_data(as_text=True)
    assert "<img" not in page
    assert "Siti" not in page
    assert "thumbnail" not in page


def test_a_phone_is_told_what_is_wrong_with_a_photo(browser: Browser, berkas: str) -> None:
    answer = browser.send(berkas, choose(b"", kind="ktp", key="a"))
    assert answer.status_code == 422
    assert "Berkas ini kosong." in answer.get_data(as_text=True)
    assert browser.send(berkas, choose(SMALL, kind="x", key="b")).status_code == 422
    assert browser.page("/t/nobody/berkas").status_code == 404


def test_a_finished_application_takes_no_more_photos(browser: Browser, berkas: str) -> None:
    Application.update(closed_at=1, outcome="cancelled").execute()
    assert "sudah selesai" in browser.page(berkas).get_data(as_text=True)
    assert browser.send(berkas, choose(SMALL, kind="ktp", key="a")).status_code == 422


# --- the kiosk ---


@pytest.fixture
def camera(app: Flask) -> Loket:
    """The office, whose kiosk has a camera."""
    return _with_camera(app)


def _with_camera(app: Flask) -> Loket:
    office: Loket = app.extensions["loket"]
    rules = office.profile.kiosk.model_copy(update={"camera": True})
    made = replace(office, profile=office.profile.model_copy(update={"kiosk": rules}))
    app.extensions["loket"] = made
    return made


def to_papers(kiosk: Browser, camera: str = "yes") -> str:
    """The demonstration person's visit up to the papers; the screen that is shown then."""
    kiosk.send("/kiosk/visits", {"choice": "sk_dtks"})
    for screen, given in (
        ("about", {}), ("priority", {}), ("consent", {}), ("nik", {"nik": DEMO_PERSON.nik}),
        ("kk", {"kk": DEMO_PERSON.kk}), ("purpose", {"purpose": "pip"}),
        ("check", {"correct": "yes", "camera": camera}),
    ):  # fmt: skip
        kiosk.send("/kiosk/answers", {"screen": screen} | given)
    return kiosk.page("/kiosk").get_data(as_text=True)


def test_the_kiosk_keeps_photos_of_papers(camera: Loket, kiosk: Browser) -> None:
    assert "Ambil foto: KTP" in " ".join(re.sub(r"<[^>]+>", "", to_papers(kiosk)).split())
    assert kiosk.send("/kiosk/photos", choose(SMALL, kind="ktp", key="a")).status_code == 303
    bad = kiosk.send("/kiosk/photos", choose(b"x", kind="kk", key="b"))
    assert bad.status_code == 422
    again = kiosk.send("/kiosk/photos", choose(SMALL, kind="kk", key="c"), htmx=True)
    assert "Semua sudah difoto." in again.get_data(as_text=True)
    kiosk.send("/kiosk/answers", {"screen": "papers"})
    assert "Nomor antrean Anda" in kiosk.page("/kiosk").get_data(as_text=True)
    assert [one.kind for one in documents.listed(camera, 1)] == ["ktp", "kk"]


def test_a_kiosk_whose_browser_has_no_camera_passes_the_papers(
    camera: Loket, kiosk: Browser
) -> None:
    assert "Nomor antrean Anda" in to_papers(kiosk, camera="no")
    assert kiosk.send("/kiosk/photos", choose(SMALL, kind="ktp", key="a")).status_code == 303
    assert kept() == []


# --- in a real browser ---


@pytest.fixture(scope="module")
def seeing() -> Iterator[PlaywrightBrowser]:
    """A Chromium with a camera that shows a moving picture."""
    flags = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=live.CHROMIUM, args=[*live.FLAGS, *flags]
        )
        yield browser
        browser.close()


@pytest.fixture
def office(home: Path, seeing: PlaywrightBrowser) -> Iterator[live.Office]:
    with live.serve(home, seeing) as served:
        _with_camera(served.app)
        yield served
        assert served.complaints == []


def submitted(office: live.Office, submit: Submit) -> str:
    """An application; its ticket's token."""
    id_ = submit(office.app.extensions["loket"])
    return str(Ticket.get(Ticket.application == id_).token)


def test_a_citizen_photographs_their_papers_at_the_kiosk(office: live.Office) -> None:
    kiosk = office.kiosk()
    to_numbers(kiosk)
    give_numbers(kiosk, DEMO_PERSON.nik, DEMO_PERSON.kk)
    tap(kiosk, "KIP Kuliah")
    heading(kiosk, "Apakah sudah benar?")
    tap(kiosk, "Ya, benar")
    heading(kiosk, "Foto kertas Anda")
    expect(kiosk.locator("video")).not_to_have_js_property("videoWidth", 0)
    tap(kiosk, "Ambil foto")
    tap(kiosk, "Ulangi")
    tap(kiosk, "Ambil foto")
    tap(kiosk, "Pakai")
    expect(kiosk.locator(".paper-list .done")).to_contain_text("KTP")
    tap(kiosk, "Lewati")
    heading(kiosk, "Nomor antrean Anda")
    assert kept() == [("ktp", "kiosk")]
    assert Document.get().application_id == 1


def test_a_phone_on_a_bad_line_sends_a_photo_once(
    office: live.Office, submit: Submit, tmp_path: Path
) -> None:
    token = submitted(office, submit)
    picture = tmp_path / "ktp.jpg"
    picture.write_bytes(scans.jpeg(scans.photo(size=(2400, 3200)), quality=97))
    phone = office.window(live.PHONE)
    phone.goto(f"{office.url}/t/{token}/berkas")
    sizes: list[int] = []

    def lose_the_answer(route: Route) -> None:
        sizes.append(len(route.request.post_data_buffer or b""))
        if len(sizes) == 1:
            route.fetch()
            return route.abort()
        return route.continue_()

    phone.route(
        "**/berkas", lambda r: lose_the_answer(r) if r.request.method == "POST" else r.continue_()
    )
    phone.set_input_files("#shoot-ktp", picture)
    expect(phone.locator("#paper-ktp")).to_contain_text("1 foto diterima", timeout=60_000)
    assert len(sizes) == 2
    assert sizes[0] < picture.stat().st_size / 2, "shrunk before it was sent"
    assert kept() == [("ktp", "phone")]


def open_viewer(desk: Page) -> None:
    desk.locator("#documents a[data-view]").first.click()
    expect(desk.locator("#viewer img")).to_be_visible()


def test_a_clerk_reads_a_scan_beside_the_form(
    office: live.Office, submit: Submit, tmp_path: Path
) -> None:
    submitted(office, submit)
    sheet = tmp_path / "kk.pdf"
    sheet.write_bytes(scans.pdf(2))
    word = tmp_path / "surat.docx"
    word.write_bytes(scans.docx())
    desk = office.signed_in("loket")
    desk.goto(f"{office.url}/meja/1")
    desk.set_input_files("#add-kk", [word, sheet])
    expect(desk.locator("#documents .scan")).to_have_count(1)
    expect(desk.locator("#documents .fault")).to_contain_text("Word")
    desk.keyboard.press("b")
    note = desk.locator("form.asked textarea")
    note.fill("KK buram")
    open_viewer(desk)
    desk.get_by_role("button", name="Halaman berikutnya").click()
    expect(desk.locator("[data-viewer-page]")).to_have_text("2 / 2")
    expect(note).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk.locator("#viewer")).to_be_hidden()
    assert note.input_value() == "KK buram", "Escape closes the scan, not the form"
    assert kept() == [("kk", "counter")]
