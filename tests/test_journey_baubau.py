"""Kota Baubau in a real Chromium: from the complete file, through the field, to the letter."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import Page, Route, expect

from kiosk import desk, documents
from kiosk.population import DEMO_PERSON
from models import Application, Document, Event, User
from tests import live, offices
from tests.journey import act, acted, applied, label_of, open_case, picture, reads
from tests.live import PHONE, Office
from tests.people import PASSWORD
from tests.test_journeys import decoded, heading, rasterised

WHOLE = {f"papers.{paper}": "ok" for paper in ("ktp", "kk", "sktm")}
SKTM = {
    "sktm_number": "470/112/LIPU/2026",
    "sktm_date": "2026-11-18",
    "sktm_village": "Lipu",
}
DAY_S = 86400
# All that the phone keeps of this site, as text.
STORED = """(async () => {
  const found = [{...localStorage}, {...sessionStorage}];
  for (const { name } of await indexedDB.databases()) {
    const db = await new Promise((done) => {
      indexedDB.open(name).onsuccess = (event) => done(event.target.result);
    });
    for (const store of db.objectStoreNames) {
      found.push(await new Promise((done) => {
        const all = db.transaction(store).objectStore(store).getAll();
        all.onsuccess = () => done(all.result);
      }));
    }
    db.close();
  }
  return JSON.stringify(found);
})()"""


@pytest.fixture
def office(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, chromium: PlaywrightBrowser
) -> Iterator[Office]:
    made = offices.made("baubau", tmp_path_factory.getbasetemp())
    home = offices.copied(made, tmp_path / "var")
    with live.serve(home, chromium, "baubau") as served:
        yield served
        assert served.complaints == []


def phone_of(office: Office, name: str) -> Page:
    """An officer signed in on a phone, at the list of their visits."""
    page = office.window(PHONE)
    page.goto(f"{office.url}/lapangan")
    page.fill("[name=name]", name)
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    page.wait_for_url("**/lapangan")
    return page


def to_visit(office: Office) -> Application:
    """An application whose visit was given to the first officer, by people not watched here."""
    application = applied(office, "kip")
    scan = picture(office.home, "sktm.jpg", "SKTM")
    attach(office, application, scan)
    acted(office, application, "lengkap", "loket", **WHOLE, **SKTM)
    acted(office, application, "disposisi", "kadis")
    officer = User.get(User.name == "petugas")
    acted(office, application, "tugaskan", "kasi", assignee=str(officer.id), note="Lihat atap")
    acted(office, application, "ditemukan", "petugas", seen="Tercatat")
    return application


def attach(office: Office, application: Application, scan: Path) -> None:
    whose = documents.Owner(application=application.id)
    loket = office.app.extensions["loket"]
    now = int(office.clock())
    documents.add(loket, whose, "sktm", scan.read_bytes(), "counter", f"k{application.id}", now)


def test_from_the_complete_file_through_the_field_to_the_letter(
    office: Office, tmp_path: Path
) -> None:
    front = office.signed_in("loket")
    application = walked_in(office, front)
    label = label_of(application)
    office.print_all()
    citizen = office.window(PHONE)
    citizen.goto(decoded(office.prints("ticket-*.png")[-1]))
    reads(citizen, "Menunggu berkas diperiksa di loket")

    missing = WHOLE | {"papers.sktm": "missing"}
    act(front, label, "Belum lengkap", missing | {"note": "Minta SKTM di kelurahan"})
    reads(citizen, "Lengkapi berkas Anda")
    office.clock.forward(2 * DAY_S)
    front.close()
    front = office.signed_in("loket")
    act(front, label, "Pemohon kembali")
    scan = picture(tmp_path, "sktm.jpg", "SKTM 470/112/LIPU/2026")
    act(front, label, "Berkas lengkap", WHOLE | SKTM | {"sktm": scan})
    reads(citizen, "Kam 26 Nov, 16.00")

    kadis = office.signed_in("kadis")
    act(kadis, label, "Disposisi ke Kepala Seksi", {"note": "Mohon diperiksa"})
    officer = User.get(User.name == "petugas")
    kasi = office.signed_in("kasi")
    act(kasi, label, "Tugaskan petugas", {"assignee": str(officer.id), "note": "Lihat atap rumah"})
    kasi.close()
    petugas = office.signed_in("petugas")
    act(petugas, label, "Terdaftar", {"seen": "Tercatat, periode November 2026"})
    reads(citizen, "Petugas akan mengunjungi alamat Anda")

    visit = phone_of(office, "petugas")
    visit.get_by_text(f"{label} · Siti Aminah").click()
    expect(visit.locator("main")).to_contain_text("Lihat atap rumah")
    report(visit, tmp_path)
    expect(visit.locator("#arrived")).to_contain_text(f"Laporan {label} terkirim.")
    visit.close()

    act(petugas, label, "Usulkan diterbitkan", {"result": "Sesuai data dan keadaan rumah"})
    open_case(kadis, label)
    expect(kadis.locator("img[src*='draft']")).to_be_visible()
    act(kadis, label, "Tanda tangani dan terbitkan", {"password": PASSWORD})
    assert desk.find(application.id).left_s is not None
    reads(citizen, "Surat siap")

    open_case(front, label)
    with front.expect_response("**/prints"):
        front.get_by_role("button", name="Cetak di loket").click()
    office.print_all()
    letter = office.prints("letter-*.pdf")[-1]
    said = words_of(letter)
    for words in (
        "SITI AMINAH",
        "460/1/DINSOS/XI/2026",
        "Kartu Indonesia Pintar (KIP)",
        "Baubau, ",
    ):
        assert words in said
    assert "hasil pemeriksaan lapangan" in said
    school = office.window(PHONE)
    school.goto(decoded(rasterised(letter)))
    heading(school, "Surat ini asli")
    assert DEMO_PERSON.nik not in school.content()
    act(front, label, "Surat diserahkan", {"recipient": "pemohon"})
    reads(citizen, "Surat sudah Anda terima")


def walked_in(office: Office, front: Page) -> Application:
    """The demonstration person came without a number from the kiosk: taken in at the counter."""
    front.goto(f"{office.url}/meja/baru")
    front.fill('[name="person.nik"]', DEMO_PERSON.nik)
    front.fill('[name="person.kk"]', DEMO_PERSON.kk)
    front.get_by_role("button", name="Cari di DTKS").click()
    expect(front.locator("#intake")).to_contain_text("Ditemukan")
    front.select_option("[name=purpose]", "sk_terdaftar:kip")
    front.locator("[name=channel][value=counter]").check()
    front.get_by_role("button", name="Catat permohonan").click()
    front.wait_for_url(re.compile(r"/meja/\d+"))
    found: Application = Application.select().order_by(Application.id.desc()).get()
    assert found.channel == "counter"
    return found


def words_of(letter: Path) -> str:
    read = subprocess.run(["pdftotext", letter, "-"], capture_output=True, text=True, check=True)
    return " ".join(read.stdout.split())


def report(page: Page, folder: Path) -> None:
    """Write and photograph without a signal, send, and get the signal back."""
    expect(page.locator("#report[data-live]")).to_be_attached()
    page.context.set_offline(True)
    shots = [picture(folder, f"rumah-{n}.jpg", f"Rumah {n}") for n in (1, 2)]
    page.locator("input[type=file]").set_input_files(shots)
    expect(page.locator(".shots .waiting")).to_have_count(2)
    page.fill("[name=place]", "Rumah pemohon, Jl. Betoambari 12")
    page.locator("[name=finding][value=sesuai]").check()
    page.fill("[name=report]", "Dinding papan, atap seng bocor, tiga anak sekolah")
    page.locator("#report button.primary").click()
    expect(page.locator("#line")).to_contain_text("2 foto menunggu sinyal")
    expect(page.locator("#line")).to_contain_text("Laporan menunggu sinyal")
    page.context.set_offline(False)


def test_a_report_written_without_a_signal_survives_a_reload_and_arrives_once(
    office: Office, tmp_path: Path
) -> None:
    application = to_visit(office)
    label = label_of(application)
    phone = phone_of(office, "petugas")
    phone.get_by_text(f"{label} · Siti Aminah").click()
    expect(phone.locator("#report[data-live]")).to_be_attached()
    phone.route("**/photos", lambda route: route.abort())
    phone.locator("input[type=file]").set_input_files(picture(tmp_path, "r.jpg", "Rumah"))
    phone.fill("[name=report]", "Lantai tanah")
    expect(phone.locator("#line")).to_contain_text("1 foto menunggu sinyal")
    stored = phone.evaluate(STORED)
    assert "Lantai tanah" in stored
    assert DEMO_PERSON.nik not in stored
    assert "siti" not in stored.lower()
    phone.reload()
    expect(phone.locator("[name=report]")).to_have_value("Lantai tanah")
    expect(phone.locator(".shots .waiting")).to_have_count(1)

    phone.goto(f"{office.url}/lapangan")
    expect(phone.locator("[data-waits]")).to_be_visible()
    phone.go_back()
    phone.fill("[name=place]", "Rumah")
    phone.locator("[name=finding][value=tidak_bertemu]").check()
    phone.locator("#report button.primary").click()
    expect(phone.locator("#line")).to_contain_text("Laporan menunggu sinyal")
    phone.unroute("**/photos")
    # The answer to the report is lost on the way: the phone sends it again.
    lost: list[int] = []

    def lose(route: Route) -> None:
        if not lost:
            lost.append(route.fetch().status)
            return route.abort()
        return route.continue_()

    phone.route("**/reports", lose)
    phone.evaluate("window.dispatchEvent(new Event('online'))")
    expect(phone.locator("#line")).to_contain_text("Laporan menunggu sinyal")
    phone.evaluate("window.dispatchEvent(new Event('online'))")
    expect(phone.locator("#arrived")).to_contain_text(f"Laporan {label} terkirim.")
    assert lost == [200]
    assert Event.select().where(Event.action == "laporkan").count() == 1
    assert Document.select().where(Document.kind == "foto_lapangan").count() == 1


def test_signing_out_leaves_nothing_on_the_phone(office: Office, tmp_path: Path) -> None:
    label = label_of(to_visit(office))
    phone = phone_of(office, "petugas")
    phone.get_by_text(f"{label} · Siti Aminah").click()
    expect(phone.locator("#report[data-live]")).to_be_attached()
    phone.fill("[name=report]", "Lantai tanah")
    expect(phone.locator("#line")).to_contain_text("Tersimpan di ponsel ini")
    phone.get_by_role("button", name="Keluar").click()
    phone.wait_for_url("**/masuk")
    phone.fill("[name=name]", "petugas")
    phone.fill("[name=password]", PASSWORD)
    phone.click("main button")
    phone.wait_for_url("**/meja*")
    phone.goto(f"{office.url}/lapangan")
    phone.get_by_text(f"{label} · Siti Aminah").click()
    expect(phone.locator("#report[data-live]")).to_be_attached()
    expect(phone.locator("[name=report]")).to_have_value("")


def test_who_is_not_found_is_reported_told_and_the_delay_is_seen(office: Office) -> None:
    application = applied(office, "kis")
    label = label_of(application)
    attach(office, application, picture(office.home, "sktm.jpg", "SKTM"))
    acted(office, application, "lengkap", "loket", **WHOLE, **SKTM)
    acted(office, application, "disposisi", "kadis")
    officer = User.get(User.name == "petugas")
    acted(office, application, "tugaskan", "kasi", assignee=str(officer.id))
    petugas = office.signed_in("petugas")
    act(petugas, label, "Tidak terdaftar", {"seen": "Dicari dengan NIK dan nama, tidak ada"})
    office.clock.forward(3 * DAY_S)
    kadis = office.signed_in("kadis")
    open_case(kadis, label)
    expect(kadis.locator("#case-head")).to_contain_text("lewat dari")
    act(kadis, label, "Beri tahu pemohon")
    front = office.signed_in("loket")
    act(front, label, "Cetak slip, sudah diberi tahu")
    office.print_all()
    assert len(office.prints("slip-*.png")) == 1
    assert office.prints("letter-*.pdf") == []
    citizen = office.window(PHONE)
    citizen.goto(decoded(office.prints("ticket-*.png")[-1]))
    reads(citizen, "Belum terdaftar di DTKS")
    assert "SITI" not in citizen.content()


def test_a_session_that_ended_in_the_field_loses_nothing(office: Office, tmp_path: Path) -> None:
    label = label_of(to_visit(office))
    phone = phone_of(office, "petugas")
    phone.get_by_text(f"{label} · Siti Aminah").click()
    expect(phone.locator("#report[data-live]")).to_be_attached()
    phone.fill("[name=place]", "Rumah")
    phone.locator("[name=finding][value=sesuai]").check()
    phone.fill("[name=report]", "Lantai tanah")
    office.clock.forward(DAY_S)
    phone.locator("input[type=file]").set_input_files(picture(tmp_path, "r.jpg", "Rumah"))
    phone.locator("#line a", has_text="Masuk lagi").click()
    phone.fill("[name=name]", "petugas")
    phone.fill("[name=password]", PASSWORD)
    phone.click("main button")
    expect(phone.locator("[data-sent='1']")).to_be_attached()
    phone.locator("#report button.primary").click()
    expect(phone.locator("#arrived")).to_contain_text(f"Laporan {label} terkirim.")
    kept: Event = Event.select().where(Event.action == "laporkan").get()
    assert kept.to_step == "usul"
