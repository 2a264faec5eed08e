"""The whole way in a real Chromium, every role: from the first touch to the verified letter."""

import re
import subprocess
from pathlib import Path

from playwright.sync_api import Page, Route, expect

from kiosk.population import DEMO_PERSON
from tests.live import PHONE, Office


def tap(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()


def heading(page: Page, words: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_contain_text(words)


KEYS = """async () => {
    await document.fonts.ready;
    const keys = [...document.querySelectorAll("[data-key]")];
    const middle = ({ x, y, width, height }) => [x + width / 2, y + height / 2];
    return Object.fromEntries(keys.map((e) => [e.dataset.key, middle(e.getBoundingClientRect())]));
}"""


def type_on_keys(page: Page, digits: str) -> None:
    """A finger on the keys of the screen, as quick as it goes: no key is looked for again."""
    page.locator("[data-key]").first.wait_for()
    keys = page.evaluate(KEYS)
    for digit in digits:
        page.touchscreen.tap(*keys[digit])


def scan(page: Page, text: str) -> None:
    """A scanner: keys in a burst, then Enter, wherever the focus is."""
    expect(page.locator("[data-keys][readonly]")).to_be_attached()
    page.keyboard.type(text, delay=3)
    page.keyboard.press("Enter")


def stumble(page: Page, text: str) -> None:
    """A scanner on a kiosk that is busy: the burst comes in two pieces."""
    expect(page.locator("[data-keys][readonly]")).to_be_attached()
    page.keyboard.type(text[:12])
    page.wait_for_timeout(150)
    page.keyboard.type(text[12:])
    page.keyboard.press("Enter")


def write(page: Page, words: str) -> None:
    """Somebody at a keyboard, once the screen takes keys."""
    expect(page.locator("[data-keys][readonly]")).to_be_attached()
    page.keyboard.type(words, delay=70)


def to_numbers(page: Page, priority: str = "Tidak, lanjut") -> None:
    """From the start screen to the NIK."""
    tap(page, "Surat Keterangan DTKS")
    tap(page, "Mulai")
    tap(page, priority)
    tap(page, "Ya, saya setuju")
    heading(page, "Ketik NIK Anda")


def give_numbers(page: Page, nik: str, kk: str) -> None:
    type_on_keys(page, nik)
    expect(page.get_by_text("16 dari 16 angka")).to_be_visible()
    tap(page, "Lanjut")
    heading(page, "Ketik nomor KK Anda")
    scan(page, kk)


def take_ticket(page: Page) -> str:
    """The demonstration person's whole visit; the ticket's number."""
    to_numbers(page)
    give_numbers(page, DEMO_PERSON.nik, DEMO_PERSON.kk)
    heading(page, "Surat ini untuk apa?")
    tap(page, "KIP Kuliah")
    heading(page, "Apakah sudah benar?")
    expect(page.locator("dl")).to_contain_text("SITI AMINAH")
    assert "terdaftar" not in page.content().lower()
    tap(page, "Ya, benar")
    heading(page, "Nomor antrean Anda")
    label = page.locator("#number").inner_text()
    tap(page, "Selesai")
    heading(page, "Selamat datang")
    return label


def decoded(picture: Path) -> str:
    """What an independent decoder (zbar) reads from a picture."""
    read = subprocess.run(
        ["zbarimg", "--quiet", "--raw", str(picture)], capture_output=True, text=True, check=True
    )
    return read.stdout.strip()


def rasterised(pdf: Path) -> Path:
    picture = pdf.with_suffix("")
    subprocess.run(["pdftoppm", "-r", "200", "-png", "-singlefile", pdf, picture], check=True)
    return picture.with_suffix(".png")


def open_case(page: Page, label: str) -> None:
    page.locator("#work .row", has_text=label).click()
    expect(page.locator(".case-head, #case").first).to_contain_text(label)


def do(page: Page, label: str, act: str, **fields: str) -> None:
    """Open the case of this number, do the act with its form, and see that it is done."""
    open_case(page, label)
    page.locator("footer.acts :is(a, button)", has_text=act).first.click()
    for name, value in fields.items():
        box = page.locator(f'form.asked [name="{name}"]')
        if box.first.get_attribute("type") in ("radio", "checkbox"):
            page.locator(f'form.asked [name="{name}"][value="{value}"]').check()
        else:
            box.first.fill(value)
    if fields:
        page.locator("footer.acts button.primary").click()
    expect(page.locator("#done")).to_contain_text(label)


def call(page: Page, label: str) -> None:
    """The front office sits at window 2 and calls the next number."""
    page.goto(page.url.split("/meja")[0] + "/loket")
    page.get_by_role("button", name="Loket 2", exact=True).click()
    tap(page, "Panggil berikutnya")
    expect(page.locator(".standing .big-number")).to_have_text(label)
    page.goto(page.url.split("/loket")[0] + "/meja")


def upstairs(office: Office, label: str) -> Page:
    """Sekretariat, kepala dinas and kabid pass the file on; the operator's desk."""
    with office.at_desk("sekre") as sekre:
        do(sekre, label, "Teruskan ke Kepala Dinas")
    with office.at_desk("kadis") as kadis:
        do(kadis, label, "Disposisi ke Linjamsos", note="Mohon diperiksa")
    operator = office.signed_in("operator")
    with office.at_desk("kabid") as kabid:
        open_case(kabid, label)
        kabid.locator("footer.acts a", has_text="Tugaskan operator").click()
        kabid.get_by_label("Opik Operator").check()
        kabid.locator("footer.acts button.primary").click()
        expect(operator.locator("#work .row", has_text=label)).to_be_visible()
    return operator


def test_from_the_first_touch_to_the_verified_letter(office: Office) -> None:
    kiosk = office.kiosk()
    lobby = office.device("display", (1920, 1080))
    lobby.goto(f"{office.url}/display")
    label = take_ticket(kiosk)
    assert label == "A01"
    office.print_all()
    status_url = decoded(office.prints("ticket-*.png")[-1])
    phone = office.window(PHONE)
    phone.goto(status_url)
    expect(phone.locator("main")).to_contain_text("Menunggu dipanggil ke loket")

    front = office.signed_in("loket")
    call(front, label)
    expect(lobby.locator("main")).to_contain_text(label)
    expect(lobby.locator("main")).to_contain_text("Loket 2")
    do(front, label, "Berkas lengkap")
    operator = upstairs(office, label)
    expect(phone.locator("main")).to_contain_text("Data sedang dicek")
    do(operator, label, "Terdaftar, buat surat", seen="Tercatat, periode November 2026")

    kadis = office.signed_in("kadis")
    open_case(kadis, label)
    draft = kadis.locator("img[src*='draft']")
    expect(draft).to_be_visible()
    assert draft.evaluate("image => image.complete && image.naturalWidth > 500")
    do(kadis, label, "Tanda tangani", password="sandi-contoh-15")
    phone.reload()  # it asks by itself too, but not so often
    expect(phone.locator("main")).to_contain_text("Surat siap")

    tap(kiosk, "Cetak surat saya")
    heading(kiosk, "Pindai tiket Anda")
    stumble(kiosk, status_url)
    expect(kiosk.locator("#job")).to_contain_text("Surat sedang dicetak")
    office.print_all()
    expect(kiosk.locator("#job")).to_contain_text("Surat sudah dicetak")

    letter = office.prints("letter-*.pdf")[-1]
    words = subprocess.run(["pdftotext", letter, "-"], capture_output=True, text=True, check=True)
    assert "SITI AMINAH" in words.stdout
    assert "400.9.1/1/DINSOS/2026" in words.stdout
    signature = subprocess.run(["pdfsig", letter], capture_output=True, text=True, check=False)
    assert "Signature is Valid" in signature.stdout
    verify_url = decoded(rasterised(letter))
    assert re.fullmatch(rf"{office.url}/v/\d+", verify_url)

    school = office.window(PHONE)
    school.goto(verify_url)
    heading(school, "Surat ini asli")
    expect(school.locator("main")).to_contain_text("S*** A*****")
    expect(school.locator("main")).to_contain_text("400.9.1/1/DINSOS/2026")
    assert DEMO_PERSON.nik not in school.content()
    assert "MALINGPING" not in school.content()
    school.get_by_text("Cocokkan dengan kertas").click()
    for name, answer in (("SITI AMINAH", "Cocok"), ("SITI AMINAN", "Tidak cocok")):
        school.fill("[name=nik]", DEMO_PERSON.nik)
        school.fill("[name=name]", name)
        school.locator("form:has([name=nik]) button").click()
        expect(school.locator("main")).to_contain_text(answer)
    assert DEMO_PERSON.nik not in school.url

    phone.reload()
    expect(phone.locator("main")).to_contain_text("Surat sudah Anda terima")
    expect(front.locator("#work .row")).to_have_count(0)


def test_a_person_not_found_is_told_where_to_register(office: Office) -> None:
    kiosk = office.kiosk()
    to_numbers(kiosk, "Lansia (60 tahun ke atas)")
    give_numbers(kiosk, "3602015203640003", "3602119999998888")
    heading(kiosk, "Pasangan ini tidak ditemukan")
    tap(kiosk, "Lanjut, saya isi sendiri")
    heading(kiosk, "Ketik nama Anda")
    write(kiosk, "ENOK ROHAENI")
    tap(kiosk, "Lanjut")
    heading(kiosk, "Ketik tanggal lahir Anda")
    type_on_keys(kiosk, "12031964")
    tap(kiosk, "Lanjut")
    heading(kiosk, "Ketik alamat Anda")
    write(kiosk, "KP. SAWAH RT 1/2 DESA BAYAH")
    tap(kiosk, "Lanjut")
    tap(kiosk, "SPMB")
    expect(kiosk.locator("dl")).to_contain_text("ENOK ROHAENI")
    tap(kiosk, "Ya, benar")
    label = kiosk.locator("#number").inner_text()
    office.print_all()
    status_url = decoded(office.prints("ticket-*.png")[-1])

    front = office.signed_in("loket")
    do(front, label, "Belum lengkap", missing="kk", note="Bawa KK asli")
    phone = office.window(PHONE)
    phone.goto(status_url)
    expect(phone.locator("main")).to_contain_text("Lengkapi berkas Anda")
    do(front, label, "Sudah dilengkapi")
    operator = upstairs(office, label)
    do(operator, label, "Tidak terdaftar", seen="Dicari dengan NIK dan nama, tidak ada")
    do(front, label, "Cetak slip, sudah diberi tahu")
    office.print_all()
    assert len(office.prints("slip-*.png")) == 1
    assert office.prints("letter-*.pdf") == []
    phone.reload()
    expect(phone.locator("main")).to_contain_text("Selesai")
    assert "ENOK" not in phone.content()


def test_five_wrong_pairs_end_the_visit(office: Office) -> None:
    kiosk = office.kiosk()
    to_numbers(kiosk)
    for n in range(1, 6):
        give_numbers(kiosk, DEMO_PERSON.nik, f"360211111111990{n}")
        if n < 5:
            heading(kiosk, "Pasangan ini tidak ditemukan")
            tap(kiosk, "Ketik ulang NIK dan KK")
            heading(kiosk, "Ketik NIK Anda")
    heading(kiosk, "Silakan ke loket")
    assert "SITI" not in kiosk.content()


def test_three_taps_give_one_ticket_and_back_shows_nothing_after_the_end(office: Office) -> None:
    kiosk = office.kiosk()
    to_numbers(kiosk)
    give_numbers(kiosk, DEMO_PERSON.nik, DEMO_PERSON.kk)
    tap(kiosk, "KIP Kuliah")
    heading(kiosk, "Apakah sudah benar?")
    kiosk.get_by_role("button", name="Ya, benar").click(click_count=3)
    heading(kiosk, "Nomor antrean Anda")
    assert kiosk.locator("#number").inner_text() == "A01"
    tap(kiosk, "Selesai")
    heading(kiosk, "Selamat datang")
    kiosk.go_back()
    kiosk.go_forward()
    assert "SITI" not in kiosk.content()
    stored = kiosk.evaluate(
        "JSON.stringify([{...sessionStorage}, {...localStorage}, location.href])"
    )
    assert DEMO_PERSON.nik not in stored
    tap(office.kiosk(), "Surat Keterangan DTKS")


def test_an_answer_that_comes_too_late_takes_no_confirmation_away(office: Office) -> None:
    """A busy server: what the screen asked before the act is answered after it."""
    label = take_ticket(office.kiosk())
    front = office.signed_in("loket")
    open_case(front, label)
    late: list[Route] = []
    front.route("**/meja/*/case*", lambda route: late.append(route))
    with front.expect_request("**/meja/*/case*"):
        pass
    complete = front.locator("footer.acts button", has_text="Berkas lengkap")
    expect(front.locator(".htmx-request").first).to_be_attached()
    expect(complete).to_have_css("opacity", "1")  # A poll under way dims nothing around it.
    complete.click()
    expect(front.locator("#done")).to_contain_text(label)
    with front.expect_response("**/meja/first*"):
        for one in late:
            one.continue_()
    expect(front.locator("#done")).to_contain_text(label)
    expect(front.locator("#case")).not_to_contain_text("Sekretariat")
