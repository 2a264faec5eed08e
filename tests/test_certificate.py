import random
import re
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from io import BytesIO

import pypdf
import pytest
import zxingcpp
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import Image
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader

from kiosk import certificate
from kiosk.certificate import CAPS, Letter, make, preview_png, read_qr, render
from kiosk.errors import NotFound, Stale, Unusable
from kiosk.office_key import KEY_FILE, OfficeKey
from kiosk.signature import FIELD, check_signature, sign

NOW = 1_795_228_800  # 21 November 2026, 09.40 WIB
URL = "https://dinsos.lebakkab.go.id/v/" + ("458033227033958949784730" * 9)[:193]
SITI = Letter(
    government="PEMERINTAH KABUPATEN LEBAK",
    office="DINAS SOSIAL",
    address=(
        "Jalan Siliwangi Pasir Ona, Rangkasbitung, Lebak, Banten 42312",
        "Telepon (0252) 201234 · Laman dinsos.lebakkab.go.id · Pos-el dinsos@lebakkab.go.id",
    ),
    title="SURAT KETERANGAN",
    subtitle="Terdaftar dalam Data Tunggal Sosial dan Ekonomi Nasional (DTSEN)",
    number="400.9.1/418/DINSOS/2026",
    opening="Yang bertanda tangan di bawah ini Kepala Dinas Sosial Kabupaten Lebak menerangkan "
    "dengan sebenarnya bahwa:",
    rows=(
        ("Nama", "SITI AMINAH"),
        ("NIK", "3602014107900001"),
        ("Nomor KK", "3602010101100001"),
        ("Tempat, tanggal lahir", "Lebak, 1 Juli 1990"),
        ("Jenis kelamin", "Perempuan"),
        ("Alamat", "Kampung Cikole RT 003 RW 001"),
        ("Desa/Kelurahan", "Rangkasbitung Barat"),
        ("Kecamatan", "Rangkasbitung"),
    ),
    statement="Berdasarkan hasil pemadanan data pada SIKS-NG, yang bersangkutan tercatat:",
    findings=(
        ("Status", "Terdaftar"),
        ("ID keluarga", "3602011990000418"),
        ("Peringkat kesejahteraan", "Desil 2"),
        ("Program", "PKH, Program Sembako (BPNT), PBI-JK"),
    ),
    purpose="Surat keterangan ini dipergunakan untuk persyaratan SPMB jalur afirmasi.",
    validity="Berlaku sampai dengan 19 Februari 2027.",
    freeze="Keterangan ini berdasarkan data DTSEN per tanggal 10 November 2026 dan dapat berubah "
    "sesuai pemutakhiran.",
    closing="Demikian Surat Keterangan ini dibuat dengan sebenarnya untuk dapat dipergunakan "
    "sebagaimana mestinya sesuai ketentuan yang berlaku.",
    place_date="Rangkasbitung, 21 November 2026",
    signer_titles=(
        "a.n. Kepala Dinas Sosial",
        "Kepala Bidang Perlindungan dan Jaminan Sosial,",
    ),
    signer_name="Drs. H. Endang Sutisna, M.Si.",
    signer_rank="Pembina Tingkat I (IV/b)",
    signer_nip="NIP 197104121998031004",
    copies=("Kepala Desa Rangkasbitung Barat", "Arsip"),
    verify_url=URL,
    verify_hint="Pindai kode QR atau buka dinsos.lebakkab.go.id/v untuk memeriksa keaslian surat.",
    signed_note="Ditandatangani secara elektronik dengan kunci Dinas Sosial Kabupaten Lebak.",
)
LONG_NAME = "MUHAMMAD ABDURRAHMAN WAHIDUDDIN SYAHPUTRA KUSUMANINGRAT ADIL"
UNBROKEN = "KAMPUNGCIKOLEGIRANGW"


@pytest.fixture(scope="module")
def key(tmp_path_factory):
    return OfficeKey.create(tmp_path_factory.mktemp("keys"), "Dinas Sosial Kabupaten Lebak", NOW)


@pytest.fixture(scope="module")
def plain():
    return render(SITI)


@pytest.fixture(scope="module")
def signed(key):
    return make(SITI, key, NOW)


def told(*command, pdf=b""):
    done = subprocess.run(command, input=pdf, capture_output=True, check=True)
    return done.stdout.decode()


def words_of(pdf):
    """(left, right in points, word) of each word on the page."""
    boxes = told("pdftotext", "-bbox", "-", "-", pdf=pdf)
    found = re.findall(r'xMin="([\d.]+)".*?xMax="([\d.]+)".*?>([^<]*)</word>', boxes)
    return [(float(left), float(right), word) for left, right, word in found]


def page_count(pdf):
    return len(pypdf.PdfReader(BytesIO(pdf)).pages)


def renamed(name):
    return replace(SITI, rows=(("Nama", name), *SITI.rows[1:]), signer_name=name)


def grown(value):
    """SITI with each datum of the person and each name as long as its cap."""
    return replace(
        renamed(value[:60]),
        rows=tuple((label, value[:120]) for label, _ in SITI.rows),
        findings=tuple((label, value[:120]) for label, _ in SITI.findings),
        signer_titles=(*SITI.signer_titles, "u.b. Kepala Seksi Identifikasi,"),
        copies=("Bupati Lebak sebagai laporan", "Camat Rangkasbitung", *SITI.copies),
    )


def test_the_letter_is_one_a4_page_with_its_words_as_text(signed):
    text = told("pdftotext", "-layout", "-", "-", pdf=signed)
    for words in ("SITI AMINAH", "400.9.1/418/DINSOS/2026", "3602014107900001", "NIP 19710412"):
        assert words in text
    reader = pypdf.PdfReader(BytesIO(signed))
    assert len(reader.pages) == 1
    assert [round(side) for side in reader.pages[0].mediabox[2:]] == [595, 842]
    assert reader.trailer["/Root"]["/Lang"] == "id"


def test_every_font_is_embedded(plain, tmp_path):
    file = tmp_path / "letter.pdf"
    file.write_bytes(plain)
    rows = told("pdffonts", file).splitlines()[2:]
    assert len(rows) == 2
    assert all("Atkinson" in row and row.split()[-5] == "yes" for row in rows)


def test_the_same_letter_gives_the_same_bytes(plain):
    assert render(SITI) == plain


def test_letters_rendered_at_once_do_not_mix(plain):
    letters = [SITI, renamed("BUDI"), SITI, renamed("BUDI")]
    with ThreadPoolExecutor(4) as pool:
        first, second, third, fourth = pool.map(render, letters)
    assert first == third == plain
    assert second == fourth != plain


@pytest.mark.parametrize(
    "letter",
    [renamed(LONG_NAME), renamed(UNBROKEN * 3), grown("KAMPUNG BARU " * 10), grown(UNBROKEN * 6)],
    ids=["long name", "unbroken name", "all long", "all unbroken"],
)
def test_long_texts_stay_on_the_page_and_in_their_column(letter):
    pdf = render(letter)
    words = words_of(pdf)
    assert page_count(pdf) == 1
    left, right = 25 / 25.4 * 72, (210 - 20) / 25.4 * 72
    assert all(left - 1 < start and end < right + 1 for start, end, _ in words)
    shown = "".join(word for _, _, word in words)
    assert all(value.replace(" ", "") in shown for _, value in letter.rows)
    assert read_qr(pdf) == URL


def test_a_text_past_its_cap_is_refused_by_its_field_and_not_shown():
    with pytest.raises(Unusable, match="bagian rows melebihi 10 x 190") as refusal:
        render(replace(SITI, rows=(("Alamat", "RAHASIA" * 28),)))
    assert "RAHASIA" not in refusal.value.message
    with pytest.raises(Unusable):
        render(replace(SITI, rows=SITI.rows * 2))
    with pytest.raises(Unusable):
        render(replace(SITI, rows=(("L" * 41, "x"),)))


def test_every_text_of_a_letter_has_a_cap():
    assert set(CAPS) == {field.name for field in fields(Letter)}


def test_what_does_not_fit_in_the_smallest_type_is_refused():
    full = {"rows": (("W" * 40, "W" * 120),) * 10, "findings": (("W" * 40, "W" * 120),) * 6}
    with pytest.raises(Unusable, match="satu halaman"):
        render(replace(SITI, **full))


def test_a_letter_the_font_lacks_is_spelt_plainly_or_refused():
    spelt = render(renamed("H\u0100\u1e62IM\u200b\u00a0 NUR\u02bcAINI"))
    assert "HASIM NUR\u2019AINI" in told("pdftotext", "-", "-", pdf=spelt)
    for name in ("\u738b", "SITI \U0001f600", "\u0633\u064a", "SITI \u2603"):
        with pytest.raises(Unusable, match=r"huruf U\+[0-9A-F]{4,5} tidak"):
            render(renamed(name))


@pytest.mark.parametrize(
    "text",
    [
        "<img src=http://127.0.0.1:9/x.png>",
        "<img src='file:///etc/passwd'>",
        "<pdf:nextpage/>",
        "</td></table><script>alert(1)</script>",
        "{{ letter.number }}{% for %}",
        "&lt;b&gt; ]]> <!-- \"'",
        "<style>@page{size:a5}</style>",
    ],
)
def test_markup_in_a_field_is_only_text(text):
    pdf = render(renamed(text))
    assert page_count(pdf) == 1
    assert text.replace(" ", "") in "".join(told("pdftotext", "-", "-", pdf=pdf).split())
    assert len(pypdf.PdfReader(BytesIO(pdf)).pages[0].images) == 1


def test_qr_is_big_enough_and_away_from_edge_and_stamp(plain):
    page = Image.open(BytesIO(preview_png(plain, 300 / 72)))
    spots = zxingcpp.read_barcodes(page)[0].position
    corners = (spots.top_left, spots.top_right, spots.bottom_left, spots.bottom_right)
    across = [corner.x / 300 * 25.4 for corner in corners]
    down = [corner.y / 300 * 25.4 for corner in corners]
    quiet = 4 * certificate.MODULE_MM
    assert certificate.MODULE_MM >= 0.5
    assert 35 <= max(across) - min(across) + 2 * quiet <= 41
    assert min(across) - quiet >= 15
    assert max(down) + quiet <= 297 - 15
    assert max(across) + quiet < 85  # The stamp covers the left of the signer's block, at 104 mm.


def test_qr_of_a_poor_print_is_still_read(plain, tmp_path):
    poor = Image.open(BytesIO(preview_png(plain, 203 / 72))).convert("L").rotate(7, fillcolor=255)
    poor.save(tmp_path / "poor.jpg", quality=40)
    assert told("zbarimg", "--raw", "-q", tmp_path / "poor.jpg").strip() == URL


def test_an_address_too_long_for_a_printable_qr_is_refused():
    with pytest.raises(Unusable, match="alamat verifikasi"):
        render(replace(SITI, verify_url="https://" + "a" * 60 + URL))
    with pytest.raises(Unusable, match="alamat verifikasi"):
        render(replace(SITI, verify_url=""))


def test_a_draft_is_a_draft_at_sight_and_hides_no_word(plain):
    draft = render(replace(SITI, watermark="RANCANGAN"))
    assert page_count(draft) == 1
    with pytest.raises(Unusable, match="tidak terbaca"):
        read_qr(draft)
    text = told("pdftotext", "-", "-", pdf=draft)
    assert "Belum ditandatangani" in text
    of_letter = {word for _, _, word in words_of(plain)} - {"Pindai", "memeriksa", "keaslian."}
    assert of_letter <= {word for _, _, word in words_of(draft)}
    dark = [
        Image.open(BytesIO(preview_png(pdf, 1))).convert("L").crop((70, 60, 540, 520)).histogram()
        for pdf in (plain, draft)
    ]
    # Paler than ink everywhere, yet on a good part of the page; the ink itself is all there.
    assert sum(dark[1][:100]) >= sum(dark[0][:100])
    assert sum(dark[1][220:240]) > sum(dark[0][220:240]) + 10_000


def test_a_draft_is_not_signed(key):
    with pytest.raises(Unusable, match="rancangan"):
        make(replace(SITI, watermark="RANCANGAN"), key, NOW)


def test_the_offices_key_never_speaks_as_bsre(key):
    claim = "menggunakan sertifikat elektronik yang diterbitkan oleh Balai Sertifikasi Elektronik"
    for note in (claim, "Ditandatangani (BSrE)."):
        with pytest.raises(Unusable, match="BSrE"):
            make(replace(SITI, signed_note=note), key, NOW)


def test_poppler_finds_the_signature_valid(signed, tmp_path):
    file = tmp_path / "signed.pdf"
    file.write_bytes(signed)
    report = told("pdfsig", "-nocert", "-no-ocsp", file)
    assert "Signature is Valid." in report
    assert "ETSI.CAdES.detached" in report
    assert "Total document signed" in report
    assert "SHA-256" in report


def test_the_signature_certifies_and_names_office_place_time(signed):
    (embedded,) = PdfFileReader(BytesIO(signed)).embedded_signatures
    facts = embedded.sig_object
    assert embedded.docmdp_level.name == "NO_CHANGES"
    assert embedded.field_name == FIELD
    assert facts["/Name"] == "DINAS SOSIAL"
    assert facts["/Location"] == "Rangkasbitung"
    assert facts["/Reason"] == "SURAT KETERANGAN 400.9.1/418/DINSOS/2026"
    assert int(embedded.self_reported_timestamp.timestamp()) == NOW


def test_a_signed_letter_is_known_and_reads_as_its_url(signed, key):
    assert check_signature(signed, key)
    assert read_qr(signed) == URL


def test_no_flipped_bit_passes(signed, key):
    dice = random.Random(15)  # noqa: S311
    hole = signed.index(b"/Contents <")
    places = [dice.randrange(len(signed)) for _ in range(60)]
    places += [hole + dice.randrange(11, 3000) for _ in range(40)]
    places += [0, 5, len(signed) - 1]
    for place in places:
        spoilt = bytearray(signed)
        spoilt[place] ^= 1 << dice.randrange(8)
        assert not check_signature(bytes(spoilt), key)


def test_an_incremental_edit_is_refused(signed, key):
    for edit in (lambda pdf: pdf.root, lambda pdf: pdf.root["/Pages"]["/Kids"][0]):
        writer = IncrementalPdfFileWriter(BytesIO(signed))
        writer.update_container(edit(writer))
        edited = BytesIO()
        writer.write(edited)
        assert edited.getvalue().startswith(signed)
        assert not check_signature(edited.getvalue(), key)


@pytest.mark.parametrize("added", [b"\n", b"%%EOF\n", b"\0"])
def test_an_added_byte_is_refused(signed, key, added):
    assert not check_signature(signed + added, key)
    assert not check_signature(added + signed, key)


def test_unsigned_resaved_or_foreign_files_are_refused(signed, plain, key, tmp_path):
    resaved = BytesIO()
    pypdf.PdfWriter(clone_from=BytesIO(signed)).write(resaved)
    other = OfficeKey.create(tmp_path, "Dinas Sosial Kabupaten Lebak", NOW)
    facts = {"at": NOW, "reason": "x", "location": "x", "name": "x"}
    forged, twice = sign(plain, other, **facts), signed + signed
    for pdf in (plain, resaved.getvalue(), forged, twice, b"", b"%PDF-1.7\n", b"\0" * 6_000_000):
        assert not check_signature(pdf, key)
    assert check_signature(forged, other)


@pytest.mark.parametrize("change", [lambda pdf: b"", lambda pdf: b"%PDF-1.4\n", lambda pdf: None])
def test_what_cannot_be_signed_is_unusable(signed, key, change):
    pdf = change(signed)
    with pytest.raises(Unusable, match="penandatanganan"):
        sign(signed if pdf is None else pdf, key, at=NOW, reason="x", location="x", name="x")


def test_a_signature_dated_outside_its_certificate_is_refused(plain, key):
    facts = {"reason": "x", "location": "x", "name": "x"}
    assert check_signature(sign(plain, key, at=NOW + 9 * 365 * 86400, **facts), key)
    assert not check_signature(sign(plain, key, at=NOW - 2 * 86400, **facts), key)
    assert not check_signature(sign(plain, key, at=NOW + 11 * 365 * 86400, **facts), key)


def test_the_office_key_is_kept_for_the_office_alone(tmp_path):
    folder = tmp_path / "keys"
    made = OfficeKey.create(folder, "Dinas Sosial Kabupaten Lebak", NOW)
    assert [file.name for file in folder.iterdir()] == [KEY_FILE]
    assert stat.S_IMODE((folder / KEY_FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    opened = OfficeKey.open(folder)
    assert opened.fingerprint() == made.fingerprint()
    assert len(made.fingerprint()) == 64
    with pytest.raises(Stale):
        OfficeKey.create(folder, "Dinas Sosial", NOW)
    assert OfficeKey.open(folder).fingerprint() == made.fingerprint()
    (folder / KEY_FILE).chmod(0o644)
    with pytest.raises(Unusable):
        OfficeKey.open(folder)


def test_a_missing_or_spoilt_office_key_says_so(tmp_path, key):
    with pytest.raises(NotFound):
        OfficeKey.open(tmp_path)
    own = OfficeKey.create(tmp_path / "own", "Dinas Sosial", NOW)
    pem = (tmp_path / "own" / KEY_FILE).read_text()
    foreign = key.certificate.public_bytes(Encoding.PEM).decode()
    mixed = pem[: pem.index("-----BEGIN CERTIFICATE")] + foreign
    for text in ("", "x", mixed):
        (tmp_path / "own" / KEY_FILE).write_text(text)
        with pytest.raises(Unusable):
            OfficeKey.open(tmp_path / "own")
    assert own.fingerprint() != key.fingerprint()
