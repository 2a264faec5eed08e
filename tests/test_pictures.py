"""What comes in is known by its content, straightened, and made anew."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

from kiosk import documents, pictures
from kiosk.errors import Invalid
from kiosk.pictures import Limits, Sheet
from tests import scans

HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"


def kept(data: bytes) -> Sheet:
    return pictures.sheet_of(data, Limits())


def opened(data: bytes) -> Image.Image:
    return Image.open(BytesIO(kept(data).data))


# --- kept ---


@pytest.mark.parametrize("make", [scans.jpeg, scans.png])
def test_a_picture_is_kept_as_a_small_jpeg(make: Callable[[], bytes]) -> None:
    sheet = kept(make())
    assert (sheet.media, sheet.pages) == ("image/jpeg", 1)
    assert sheet.data.startswith(b"\xff\xd8\xff")
    assert len(sheet.data) <= pictures.SMALL_ENOUGH


def test_a_photo_of_twelve_megapixels_is_shrunk_to_what_can_still_be_read() -> None:
    picture = opened(scans.jpeg(scans.photo(size=(3000, 4000))))
    assert max(picture.size) <= pictures.LONGEST


def test_noise_that_cannot_be_small_is_kept_all_the_same() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (1500, 1500, 3), dtype=np.uint8)
    assert opened(scans.jpeg(Image.fromarray(noise), quality=95)).size == (1500, 1500)


def test_where_a_photo_was_taken_is_gone() -> None:
    data = scans.with_place(scans.page())
    assert Image.open(BytesIO(data)).getexif().get_ifd(0x8825)
    made = kept(data).data
    assert not Image.open(BytesIO(made)).getexif()
    assert b"Exif" not in made
    assert b"Telepon" not in made


def test_a_photo_is_turned_the_way_the_phone_was_held() -> None:
    lying = scans.page().transpose(Image.Transpose.ROTATE_90)
    picture = opened(scans.with_place(lying, orientation=6))
    assert picture.height > picture.width
    assert abs(scans.slope(picture)) < 1


def test_what_is_transparent_becomes_paper() -> None:
    clear = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    ImageDraw.Draw(clear).rectangle((100, 100, 200, 200), fill=(0, 0, 0, 255))
    assert opened(scans.png(clear)).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "I;16", "CMYK"])
def test_pictures_of_every_kind_of_colour_can_be_kept(mode: str) -> None:
    plain = scans.page(300, 400)
    made = Image.new(mode, (300, 400)) if mode == "I;16" else plain.convert(mode)
    data = scans.jpeg(made) if mode == "CMYK" else scans.png(made)
    assert opened(data).mode == "RGB"


def test_a_pdf_is_kept_byte_for_byte() -> None:
    data = scans.pdf(20)
    assert kept(data) == Sheet(data, "application/pdf", 20)


# --- straightened ---


@pytest.mark.parametrize("degrees", [0, 1.5, -4, 7, -9])
def test_a_page_photographed_askew_is_cut_out_upright(degrees: float) -> None:
    picture = opened(scans.jpeg(scans.photo(degrees)))
    assert abs(scans.slope(picture)) < 0.5
    table = np.all(np.abs(np.asarray(picture).astype(int) - scans.TABLE) < 40, axis=2)
    assert table.mean() < 0.05, "most of the table should be gone"
    assert picture.height / picture.width == pytest.approx(1270 / 900, rel=0.03)


@pytest.mark.parametrize("degrees", [3, -1.3])
def test_a_scan_without_a_table_is_made_level_and_nothing_is_cut_off(degrees: float) -> None:
    turned = scans.page().rotate(degrees, Image.Resampling.BICUBIC, fillcolor=scans.PAPER)
    picture = opened(scans.jpeg(turned))
    assert abs(scans.slope(picture)) < 0.5
    assert picture.width >= turned.width
    assert picture.height >= turned.height


def seen_from_below() -> Image.Image:
    """The page as a camera sees it that is held at a slant: narrower at the far end."""
    sheet, table = scans.page(), Image.new("RGB", (1500, 2000), scans.TABLE)
    sheet = sheet.resize((1500, 2000))
    corners = [(330, 300), (1170, 300), (1350, 1800), (150, 1800)]
    rows, wanted = [], []
    for (x, y), (u, v) in zip(corners, [(0, 0), (1500, 0), (1500, 2000), (0, 2000)], strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    turn = np.linalg.solve(np.array(rows, float), np.array(wanted, float))
    bent = sheet.transform((1500, 2000), Image.Transform.PERSPECTIVE, tuple(turn))
    mask = Image.new("L", (1500, 2000), 0)
    ImageDraw.Draw(mask).polygon(corners, fill=255)
    table.paste(bent, mask=mask)
    return table


def test_a_page_photographed_at_a_slant_becomes_a_rectangle() -> None:
    picture = opened(scans.jpeg(seen_from_below()))
    pixels = np.asarray(picture).astype(int)
    middle = pixels[20:-20, 20:-20]
    assert np.all(np.abs(middle - scans.TABLE) < 40, axis=2).mean() < 0.005


def test_of_two_cards_on_a_table_none_is_cut_away() -> None:
    table = Image.new("RGB", (1600, 1200), scans.TABLE)
    ImageDraw.Draw(table).rectangle((100, 100, 1000, 660), fill=scans.PAPER)
    ImageDraw.Draw(table).rectangle((900, 760, 1500, 1120), fill=(235, 240, 250))
    assert opened(scans.jpeg(table)).size == table.size


@pytest.mark.parametrize("ground", ["white", "black", (120, 130, 120)])
def test_a_picture_of_nothing_stays_as_it_was(ground: object) -> None:
    plain = Image.new("RGB", (800, 600), ground)  # type: ignore[arg-type]
    assert opened(scans.jpeg(plain)).size == (800, 600)


def test_a_page_that_runs_off_the_picture_is_not_cut() -> None:
    half = scans.photo(4).crop((0, 600, 1100, 2000))
    picture = opened(scans.jpeg(half))
    assert picture.width >= half.width - 1
    assert picture.height >= half.height - 1


# --- refused ---

REFUSED = {
    "nothing": (b"", "kosong"),
    "HEIC": (HEIC, "HEIC"),
    "a film": (b"\x00\x00\x00\x20ftypisom" + bytes(40), "Video"),
    "a Word file": (scans.docx(), "Word"),
    "an old Word file": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "Word"),
    "an SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "a web page": (b"\xef\xbb\xbf  <!doctype html><script>1</script>", "Halaman web"),
    "a GIF": (b"GIF89a" + bytes(30), "Hanya foto"),
    "text": (b"ini bukan foto", "Hanya foto"),
    "a JPEG's mark alone": (b"\xff\xd8\xff\xe0", "rusak"),
    "a PNG's mark alone": (b"\x89PNG\r\n\x1a\n" + bytes(50), "rusak"),
    "a photo cut off": (scans.jpeg()[:4000], "rusak"),
    "a drawing cut off": (scans.png()[:2000], "rusak"),
    "a photo that is a ZIP": (scans.with_zip(scans.jpeg(scans.page(200, 300))), "dua macam"),
    "a photo that is a PDF": (
        scans.jpeg(scans.page(200, 300), comment=scans.pdf()[:60]), "dua macam"
    ),
    "a PDF that is a ZIP": (scans.with_zip(scans.pdf()), "dua macam"),
    "a PDF with a password": (scans.locked_pdf("rahasia"), "sandi"),
    "a PDF locked by its owner": (scans.locked_pdf("", "rahasia"), "sandi"),
    "a PDF with a script": (scans.acting_pdf("/JavaScript", "/JS"), "program"),
    "a PDF that starts a program": (scans.acting_pdf("/Launch", "/F"), "program"),
    "a PDF that carries a file": (scans.carrying_pdf(), "program atau berkas lain"),
    "a PDF of 21 pages": (scans.pdf(21), "21 halaman"),
    "half a PDF": (scans.pdf(3)[:900], "rusak"),
    "a PDF's mark alone": (b"%PDF-1.7\n", "rusak"),
    "more than 15 MB": (scans.jpeg(scans.page(200, 300)) + bytes(15 << 20), "15 MB"),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_scan_is_refused_and_told_why(what: str) -> None:
    data, word = REFUSED[what]
    with pytest.raises(Invalid) as refused:
        kept(data)
    assert word in refused.value.fields["file"]


@pytest.mark.parametrize("size", [(8000, 6300), (15000, 15000)])
def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_decoded(
    size: tuple[int, int],
) -> None:
    with pytest.raises(Invalid, match="50 megapiksel"):
        kept(scans.png(Image.new("1", size)))


def test_what_hides_behind_a_photo_does_not_survive() -> None:
    secret = b"<script>alert('di belakang foto')</script>"
    assert secret not in kept(scans.jpeg(comment=secret) + secret).data


def test_a_nik_cannot_be_read_from_a_thumbnail_of_its_card() -> None:
    cards = [card("7472010101900001"), card("7413168859266584")]
    small = [pictures.thumbnail(scans.jpeg(one), documents.THUMBNAIL) for one in cards]
    one, other = (np.asarray(Image.open(BytesIO(data)).convert("L"), int) for data in small)
    assert abs(one - other).max() < 70, "of 255: grey on grey"


def card(nik: str) -> Image.Image:
    """An identity card that fills its picture, as a straightened photo of one does."""
    picture = Image.new("RGB", (1712, 1080), (190, 215, 235))
    draw = ImageDraw.Draw(picture)
    draw.text((60, 150), f"NIK : {nik}", (0, 0, 0), ImageFont.load_default(70))
    return picture


def test_a_thumbnail_is_small() -> None:
    small = Image.open(BytesIO(pictures.thumbnail(scans.jpeg(), 240)))
    assert max(small.size) == 240
