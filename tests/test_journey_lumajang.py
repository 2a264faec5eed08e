"""Lumajang's whole way in a real Chromium: from the desa's counter to the Bupati's pengesahan."""

import subprocess
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk import proposals
from kiosk.household import Household
from models import Application
from tests import live, scans
from tests.households import VILLAGE, household
from tests.proposal_office import SERVICE, actor, made
from tests.test_accessibility import faults
from tests.test_proposal_views import MINUTES, NOTICE, filled

DAY_S = 86400


@pytest.fixture
def office(tmp_path: Path, chromium: Browser) -> Iterator[live.Office]:
    with live.serve(made("lumajang", tmp_path), chromium, "lumajang") as served:
        yield served
        assert served.complaints == []


def tab(page: Page, words: str) -> None:
    page.locator(".room-tabs").get_by_role("link", name=words).click()


def to_step(page: Page, words: str) -> None:
    """The list of one step, as its tab shows it."""
    page.goto(page.url.split("/usulan")[0] + "/usulan")
    step = page.locator(".steps a", has_text=words)
    if step.get_attribute("aria-current") is None:
        step.click()
    expect(page.locator(".steps a[aria-current]")).to_contain_text(words)


def do_all(page: Page, act: str, **fields: str) -> None:
    """Tick everything on the page and do this to it."""
    page.locator("[data-all=ids]").check()
    if fields:
        page.locator("summary", has_text=act).click()
    for name, value in fields.items():
        box = page.locator(f'#bulk [name$=".{name}"]').first
        box.check() if box.get_attribute("type") == "radio" else box.fill(value)
    page.get_by_role("button", name=act).last.click()
    expect(page.get_by_role("status")).to_contain_text("usulan")


def enter(page: Page, one: Household) -> None:
    """Type a household of two into the form."""
    head = one.head
    page.locator("#f-purpose").select_option(one.purpose)
    for part in ("kk", "address", "rt", "rw"):
        page.fill(f"#f-{part}", head[part])
    page.fill("#f-family_size", str(one.family_size))
    for n, member in enumerate(one.members):
        if n:
            page.get_by_role("button", name="Tambah anggota").click()
            expect(page.locator(f"#member-{n}")).to_be_visible()
            page.locator(f'[name="members.{n}.relation"]').select_option(member["relation"])
        for part in ("name", "nik", "birth_place", "birth_date", "mother", "job"):
            page.fill(f'[name="members.{n}.{part}"]', member[part])
        page.locator(f'[name="members.{n}.sex"]').select_option(member["sex"])
    page.locator("footer").get_by_role("button", name="Simpan").click()
    expect(page.locator("h1")).to_have_text(head["name"].title())


def taken_up(page: Page, file: Path, kept: int, faulty: int) -> None:
    page.set_input_files("[name=file]", file)
    page.get_by_role("button", name="Periksa dan simpan").click()
    expect(page.locator("#upload")).to_contain_text(f"{kept}keluarga tersimpan")
    expect(page.locator("#upload")).to_contain_text(f"{faulty}perlu diperbaiki")


def uploaded(page: Page, folder: Path) -> None:
    """A template with a faulty row, which comes back, is mended and taken."""
    tab(page, "Unggah template")
    with page.expect_download() as download:
        page.get_by_role("button", name="Unduh template").click()
    template = download.value.path().read_bytes()
    some = [household(n, 3) for n in (2, 3, 4)]
    file = folder / "usulan.xlsx"
    file.write_bytes(filled(template, *some, wrong=True).read())
    taken_up(page, file, 2, 1)
    with page.expect_download() as download:
        page.get_by_role("link", name="Unduh yang perlu diperbaiki").click()
    book = openpyxl.load_workbook(BytesIO(download.value.path().read_bytes()))
    sheet = book.worksheets[0]
    rows = list(sheet.iter_rows(min_row=5))
    heads = {cell.value: cell.column - 1 for cell in sheet[4]}
    [wrong] = [row for row in rows if row[heads["NIK"]].value == "12345"]
    assert "16 angka" in wrong[heads["Kesalahan"]].value
    wrong[heads["NIK"]].value = some[2].niks[-1]
    book.save(file)
    taken_up(page, file, 1, 0)


def decided(page: Page) -> None:
    """Three are found eligible by a key, the last is not, with a reason."""
    tab(page, "Berita Acara Musyawarah")
    for n in (1, 2, 3):
        expect(page.locator(f"#decide-{n}")).to_be_visible()
        page.wait_for_timeout(700)  # fresh acts sleep for a moment
        page.keyboard.press("l")
    expect(page.locator("#decide-4")).to_be_visible()
    page.wait_for_timeout(700)
    page.keyboard.press("t")
    page.keyboard.type("Memiliki mobil")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".undecided")).to_contain_text("Tidak ada yang menunggu keputusan")


def frozen(page: Page) -> str:
    """The sheet is made; the text of its PDF, which has been drawn as a picture too."""
    page.get_by_role("button", name="Beri nomor dan bekukan").click()
    sheet = page.locator(".sheet-made", has_text="Menunggu tanda tangan")
    expect(sheet).to_be_visible()
    url = sheet.get_by_role("link", name="Buka PDF").get_attribute("href")
    answer = page.request.get(page.url.split("/usulan")[0] + str(url))
    assert answer.headers["content-type"] == "application/pdf"
    return words(answer.body())


def words(pdf: bytes) -> str:
    """The text of a PDF, whose pages are not blank when drawn."""
    text = subprocess.run(["pdftotext", "-", "-"], input=pdf, capture_output=True, check=True)
    drawn = subprocess.run(
        ["pdftoppm", "-r", "40", "-gray", "-f", "1", "-l", "1", "-"],
        input=pdf,
        capture_output=True,
        check=True,
    )
    assert min(drawn.stdout[20:]) < 90, "a blank page"
    return " ".join(text.stdout.decode().split())


def signed(page: Page, folder: Path) -> None:
    scan = folder / "ttd.jpg"
    scan.write_bytes(scans.jpeg())
    page.set_input_files(".sign-form [name=file]", scan)
    page.locator(".sign-form").get_by_role("button", name="Unggah", exact=True).click()
    expect(page.locator(".sheet-made").first).to_contain_text("Ditandatangani")


def judge(page: Page, act: str, reason: str = "") -> None:
    """The supervisor's decision on the household that is open."""
    page.locator("footer.acts :is(a, button)", has_text=act).click()
    if reason:
        page.locator("#act textarea").fill(reason)
        page.locator("footer.acts button").click()
    expect(page.locator(".just")).to_be_visible()


def steps() -> list[str]:
    return [row.step for row in Application.select().order_by(Application.id)]


def test_from_the_desas_counter_to_the_bupatis_pengesahan(
    office: live.Office, tmp_path: Path
) -> None:
    desa = office.signed_in("desa")
    expect(desa.locator("main")).to_contain_text("Mulai dengan satu keluarga")
    tab(desa, "Tambah keluarga")
    enter(desa, household(1, 2))
    photo = {"name": "kk.jpg", "mimeType": "image/jpeg", "buffer": scans.jpeg()}
    desa.set_input_files("[name=paper]", photo)
    desa.get_by_role("button", name="Lampirkan").click()
    expect(desa.locator("#papers li")).to_have_count(1)
    uploaded(desa, tmp_path)
    to_step(desa, "Input usulan")
    do_all(desa, "Bawa ke musyawarah")
    decided(desa)
    assert steps() == ["layak_desa", "layak_desa", "layak_desa", "tidak_layak_desa"]

    for name, value in MINUTES.items():
        desa.fill(f".make-form [name={name}]", value)
    minutes = frozen(desa)
    assert NOTICE in minutes
    assert "Memiliki mobil" in minutes
    assert household(1, 2).head["name"] in minutes
    signed(desa, tmp_path)
    assert steps() == ["diunggah", "diunggah", "diunggah", "tidak_layak"]
    to_step(desa, "Unggah ke kabupaten")
    do_all(desa, "Sudah diunggah, kirim", uploaded_on="2026-11-23", statement="benar")

    supervisor = office.signed_in("supervisor")
    expect(supervisor.locator(".steps a[aria-current]")).to_contain_text("Verifikasi dan validasi")
    supervisor.locator(".list a").last.click()
    expect(supervisor.locator(".case-head")).to_contain_text("dijanjikan")
    judge(supervisor, "Terima")
    supervisor.locator(".just a").click()
    expect(supervisor.locator("h1")).to_have_text(household(2).head["name"].title())
    judge(supervisor, "Kembalikan", "Alamat tidak sama dengan KK")
    supervisor.locator(".just a").click()
    expect(supervisor.locator("h1")).to_have_text(household(3).head["name"].title())
    judge(supervisor, "Tolak", "Sudah menerima bantuan lain")
    assert steps() == ["diterima", "perbaikan", "ditolak", "tidak_layak"]

    to_step(desa, "Perbaiki usulan")
    desa.locator(".list a").click()
    expect(desa.locator("main")).to_contain_text("Alamat tidak sama dengan KK")
    desa.get_by_role("link", name="Ubah data").click()
    desa.fill("#f-address", "DUSUN BARU 12")
    desa.locator("footer").get_by_role("button", name="Simpan").click()
    expect(desa.locator(".people")).to_contain_text("DUSUN BARU 12")
    judge(desa, "Kirim ulang", "Alamat disamakan dengan KK")
    to_step(supervisor, "Verifikasi dan validasi")
    do_all(supervisor, "Terima")

    tab(supervisor, "Surat Pengesahan Bupati")
    expect(supervisor.locator(".make")).to_contain_text("Belum dapat dibuat")
    supervisor.get_by_role("button", name="Finalisasi semua").click()
    expect(supervisor.get_by_role("status")).to_contain_text("2 usulan")
    supervisor.get_by_role("link", name="Kembali").click()
    expect(supervisor.locator(".make")).to_contain_text("2 keluarga, 5 orang")
    letter = frozen(supervisor)
    assert NOTICE in letter
    assert "400.9.14/1/427.64/2026" in letter
    assert "DUSUN BARU 12" in letter
    assert VILLAGE.split("/")[1].upper() in letter.upper()
    assert household(3).head["name"] not in letter
    signed(supervisor, tmp_path)
    assert steps() == ["disahkan", "disahkan", "ditolak", "tidak_layak"]
    with supervisor.expect_download() as download:
        supervisor.get_by_role("link", name="Ekspor untuk SIKS-NG").click()
    exported = openpyxl.load_workbook(BytesIO(download.value.path().read_bytes())).worksheets[0]
    cells = {str(value) for row in exported.iter_rows(values_only=True) for value in row}
    assert set(household(1, 2).niks) <= cells
    assert household(3).niks[0] not in cells
    to_step(supervisor, "Unggah pengesahan ke SIKS-NG")
    do_all(supervisor, "Sudah diekspor dan diunggah", uploaded_on="2026-11-23")
    assert steps() == ["selesai", "selesai", "ditolak", "tidak_layak"]
    in_time = Application.get_by_id(1)
    assert (in_time.outcome, in_time.due_at > in_time.closed_at) == ("done", True)


def test_a_proposal_that_waits_too_long_is_shown_late(office: live.Office) -> None:
    loket, now = office.app.extensions["loket"], int(office.clock())
    [id_] = proposals.add_many(loket, SERVICE, [household(1)], actor("desa"), now)
    proposals.act_all(loket, [id_], "bawa", {}, actor("desa"), now)
    office.clock.forward(30 * DAY_S)
    desa = office.signed_in("desa")
    expect(desa.locator(".list .clock.red")).to_contain_text("hari kerja")
    desa.locator(".list a").click()
    expect(desa.locator(".case-head .clock.red")).to_contain_text("lewat dari")


def test_the_rooms_of_proposals_have_no_barrier(office: live.Office) -> None:
    loket, now = office.app.extensions["loket"], int(office.clock())
    ids = proposals.add_many(loket, SERVICE, [household(n) for n in (1, 2)], actor("desa"), now)
    proposals.act_all(loket, ids[:1], "bawa", {}, actor("desa"), now)
    rooms = {
        "desa": ("", "/baru", "/unggah", "/berita_acara", "/1", "/2?act=batal", "/2/ubah"),
        "supervisor": ("?langkah=", "/pengesahan", "/periode"),
    }
    for name, paths in rooms.items():
        page = office.signed_in(name)
        for path in paths:
            page.goto(f"{office.url}/usulan{path}")
            assert faults(page) == [], path
    phone = office.window(live.PHONE)
    phone.context.add_cookies(page.context.cookies())
    for path in ("/usulan", "/usulan/1"):
        phone.goto(office.url + path)
        assert faults(phone) == [], path
        wide = phone.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
