"""Kabupaten Bangkalan in a real Chromium: papers ticked, ink and stamp, the desa named."""

import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from PIL import Image, ImageDraw
from playwright.sync_api import Browser as PlaywrightBrowser
from playwright.sync_api import expect

from kiosk import desk, documents, slips
from kiosk.population import DEMO_PERSON
from models import Event, Letter
from tests import live, offices
from tests.journey import act, acted, applied, label_of, loket_of, open_case, reads
from tests.live import PHONE, Office
from tests.test_journeys import decoded, heading, rasterised

WHOLE = {"papers.ktp": "ok", "papers.kk": "ok"}
DAY_S = 86400


@pytest.fixture
def office(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, chromium: PlaywrightBrowser
) -> Iterator[Office]:
    made = offices.made("bangkalan", tmp_path_factory.getbasetemp())
    home = offices.copied(made, tmp_path / "var")
    with live.serve(home, chromium, "bangkalan") as served:
        yield served
        assert served.complaints == []


def stamped(sheet: Path, folder: Path) -> Path:
    """The printed sheet with ink and the office's stamp on it, scanned."""
    with Image.open(rasterised(sheet)) as printed:
        scan = printed.convert("RGB")
    draw = ImageDraw.Draw(scan)
    at = (scan.width * 0.52, scan.height * 0.62)
    draw.ellipse((*at, at[0] + 300, at[1] + 300), outline=(70, 40, 150), width=12)
    draw.line((at[0] + 150, at[1] + 60, at[0] + 480, at[1] + 240), fill=(20, 30, 120), width=9)
    path = folder / "bercap.jpg"
    scan.save(path, "JPEG", quality=82)
    return path


def test_from_the_papers_to_the_signed_and_stamped_letter(office: Office, tmp_path: Path) -> None:
    application = applied(office, "kip_kuliah")
    label = label_of(application)
    office.print_all()
    citizen = office.window(PHONE)
    citizen.goto(decoded(office.prints("ticket-*.png")[-1]))
    reads(citizen, "Menunggu dipanggil ke loket")

    front = office.signed_in("loket")
    wrong = {"papers.ktp": "ok", "papers.kk": "wrong", "papers.kk.note": "Fotokopi buram"}
    act(front, label, "Belum lengkap", wrong)
    reads(citizen, "Lengkapi berkas Anda")
    left = desk.find(application.id).left_s
    office.clock.forward(3600)
    act(front, label, "Sudah lengkap dan benar", WHOLE)
    resumed = desk.find(application.id)
    assert left is not None
    assert resumed.due_at == loket_of(office).calendar.add(last_act_at(), left)

    operator = office.signed_in("operator")
    act(operator, label, "Ada dalam DTKS", {"seen": "Tercatat, periode November 2026"})
    act(operator, label, "Buat surat")
    open_case(operator, label)
    with operator.expect_response("**/prints"):
        operator.get_by_role("button", name="Cetak di loket").click()
    office.print_all()
    sheet = office.prints("letter-*.pdf")[-1]
    read = subprocess.run(["pdftotext", sheet, "-"], capture_output=True, text=True, check=True)
    for words in ("SITI AMINAH", "460/1/433.110/2026", "Drs. Contoh Pejabat Empat"):
        assert words in read.stdout
    verify_url = decoded(rasterised(sheet))
    school = office.window(PHONE)
    school.goto(verify_url)
    heading(school, "Lembar ini belum diterbitkan")

    act(office.signed_in("kadis"), label, "Sudah ditandatangani")
    scan = stamped(sheet, tmp_path)
    act(operator, label, "Dicap dan diarsipkan", {"stamp": "dicap", "copy": scan})
    letter = Letter.get(Letter.application == application)
    assert letter.state == "issued"
    reads(citizen, "Surat siap: ambil di loket")
    open_case(front, label)
    expect(front.locator("#letter .copy code")).to_have_text(kept_hash(office, application.id))
    act(front, label, "Surat diserahkan", {"recipient": "pemohon"})
    reads(citizen, "Surat sudah Anda terima")

    school.goto(verify_url)
    heading(school, "Surat ini asli")
    expect(school.locator("main")).to_contain_text("460/1/433.110/2026")
    assert DEMO_PERSON.nik not in school.content()
    done = desk.find(application.id)
    assert done.outcome == "issued"
    assert (done.closed_at or 0) < (done.due_at or 0)


def last_act_at() -> int:
    """When the last act was done."""
    return int(Event.select().order_by(Event.id.desc()).get().at)


def kept_hash(office: Office, application_id: int) -> str:
    """The SHA-256 of the archive's copy, from its bytes."""
    loket = loket_of(office)
    kept = documents.listed(loket, application_id)[-1]
    scan = documents.read(loket, kept.id, None, int(office.clock()))
    return sha256(scan.bytes).hexdigest()


def test_who_is_not_found_gets_a_slip_that_names_the_desa_of_the_ktp(office: Office) -> None:
    """Typed by hand at the kiosk: the operator reads the desa from the KTP."""
    application = applied(
        office,
        "bansos",
        name="ENOK ROHAENI",
        nik="3526015203640003",
        kk="3526119999998888",
        village="",
        district="",
    )
    label = label_of(application)
    acted(office, application, "lengkap", "loket", **WHOLE)
    office.clock.forward(7 * DAY_S)
    operator = office.signed_in("operator")
    open_case(operator, label)
    expect(operator.locator("#case-head")).to_contain_text("lewat dari")
    operator.locator("footer.acts a", has_text="Tidak ada dalam DTKS").click()
    expect(operator.locator("form.asked")).to_contain_text("Isi desa/kelurahan menurut KTP")
    operator.locator("[name=seen]").fill("Dicari dengan NIK dan nama, tidak ada")
    operator.locator("[name='person.village']").fill("SOCAH")
    operator.locator("[name='person.district']").fill("SOCAH")
    operator.locator("footer.acts button.primary").click()
    expect(operator.locator("#done")).to_contain_text(label)
    front = office.signed_in("loket")
    act(front, label, "Cetak slip, sudah diberi tahu")
    office.print_all()
    assert len(office.prints("slip-*.png")) == 1
    assert office.prints("letter-*.pdf") == []
    slip = slips.not_found(loket_of(office), desk.find(application.id), int(office.clock()))
    said = " ".join(line.text for line in slip.lines)
    assert "Desa/Kelurahan SOCAH" in said
    assert "operator SIKS-NG desa/kelurahan sesuai alamat pada KTP" in said
    assert "ENOK" not in said
    citizen = office.window(PHONE)
    citizen.goto(decoded(office.prints("ticket-*.png")[-1]))
    reads(citizen, "Data belum ada dalam DTKS")
