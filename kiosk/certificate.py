"""The letter: finished strings on one A4 page, signed, and read again before it leaves.

Nothing here knows an office or a database: a `Letter` comes in, bytes go out. `press` and
`signature` are imported where they are needed: they take longer than all the rest of the program.
"""

import base64
import unicodedata
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pypdfium2
import zxingcpp
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from PIL import Image, ImageDraw, ImageFont, ImageOps
from reportlab.pdfbase.ttfonts import TTFontFace

from kiosk.errors import Unusable
from kiosk.office_key import OfficeKey
from kiosk.pdf import ONE_AT_A_TIME
from kiosk.presses import pressed

ROOT = Path(__file__).resolve().parent.parent
FONTS = ROOT / "static" / "fonts"
FACES = ("AtkinsonHyperlegible-Regular.ttf", "AtkinsonHyperlegible-Bold.ttf")

# Points of the body's type, tried in turn until the letter is one page.
SIZES = (11.0, 10.3, 9.6, 8.8, 8.2, 7.8)

# A module is five dots of a 203-dpi printer; 4 modules of quiet zone on each side are in the width.
MODULE_DOTS = 5
MODULE_MM = MODULE_DOTS * 25.4 / 203
QUIET_MODULES = 4
WIDEST_QR_MM = 41.0
# The body's frame on the page, as sk.html places it.
FRAME_MM = (165, 257)
# A module is three pixels in the first: what decodes there does so on paper.
_READ_DPI = (120, 200)
_BAD_ADDRESS = "Surat belum terbit: alamat verifikasi kosong atau terlalu panjang."

# Field of `Letter` → how many entries, how many letters each. Longer is a fault in the data.
CAPS: dict[str, tuple[int, int]] = {
    "government": (1, 60),
    "office": (1, 60),
    "address": (3, 120),
    "title": (1, 60),
    "subtitle": (1, 100),
    "number": (1, 60),
    "opening": (1, 330),
    "rows": (10, 190),
    "statement": (1, 250),
    "findings": (6, 190),
    "purpose": (1, 160),
    "validity": (1, 120),
    "freeze": (1, 160),
    "closing": (1, 200),
    "place_date": (1, 60),
    "signer_titles": (4, 60),
    "signer_name": (1, 80),
    "signer_rank": (1, 60),
    "signer_nip": (1, 40),
    "copies": (4, 60),
    "verify_url": (1, 300),
    "verify_hint": (1, 120),
    "verify_code": (1, 9),
    "signed_note": (1, 200),
    "lang": (1, 5),
    "watermark": (1, 20),
}
LONGEST_LABEL = 40

# What only a certificate of the state's own certifier (PSrE) makes true.
_OTHERS_WORDS = ("bsre", "balai sertifikasi elektronik", "balai besar sertifikasi elektronik")

# Signs of transliteration (ayn, hamza, schwa) that the font lacks, and other ways to write one.
_LOOK_ALIKES = {
    "\u02bb": "\u2018", "\u02bc": "\u2019", "\u02be": "\u2019", "\u02bf": "\u2018", "\u0259": "e",
    "\u2010": "-", "\u2011": "-",
}  # fmt: skip

# One at a time: ReportLab keeps its fonts in globals, and PDFium is not made for threads.


class _Picture(NamedTuple):
    uri: str
    width_mm: float


@dataclass(frozen=True, kw_only=True)
class Letter:
    """A letter's words, finished and in the letter's own language; rows are (label, value).

    `verify_url` is the prefix and the seal's digits, `verify_code` the code printed under the QR.
    `signed_note` says how it was signed.
    `watermark` makes it a draft: across the page, and in place of the QR.
    """

    government: str
    office: str
    address: tuple[str, ...]
    title: str
    subtitle: str | None
    number: str
    opening: str
    rows: tuple[tuple[str, str], ...]
    statement: str
    findings: tuple[tuple[str, str], ...]
    purpose: str
    validity: str
    freeze: str
    closing: str
    place_date: str
    signer_titles: tuple[str, ...]
    signer_name: str
    signer_rank: str
    signer_nip: str
    copies: tuple[str, ...]
    verify_url: str
    verify_hint: str
    signed_note: str
    verify_code: str = ""
    lang: str = "id"
    watermark: str | None = None


@pressed
def render(letter: Letter) -> bytes:
    """The letter as a PDF of one A4 page; the same letter gives the same bytes.

    Raises `Unusable` for a text past its cap, a character that the font lacks, or what does not
    fit on the page in the smallest type.
    """
    from kiosk.press import to_pdf

    clean = _clean(letter)
    picture = _draft_picture(clean.watermark) if clean.watermark else _qr(clean.verify_url)
    with ONE_AT_A_TIME:
        for size in SIZES:
            pdf = to_pdf(_to_html(clean, picture, size))
            if page_count(pdf) == 1:
                return pdf
    raise Unusable("Surat belum terbit: isinya tidak muat satu halaman, persingkat teksnya.")


@pressed
def make(letter: Letter, key: OfficeKey, at: int) -> bytes:
    """The finished letter: rendered, signed with the office's key at `at` (UTC seconds), read back.

    Raises `Unusable`, and then there is no letter.
    """
    from kiosk.signature import check_signature, sign

    _require_final(letter)
    key.require_in_force(at)
    signed = sign(
        render(letter),
        key,
        at=at,
        reason=f"{letter.title} {letter.number}",
        location=letter.place_date.split(",")[0],
        name=letter.office,
    )
    require_readable(signed, letter)
    if not check_signature(signed, key):
        raise Unusable("Surat belum terbit: tanda tangan elektronik pada surat tidak sah.")
    return signed


@pressed
def unsigned(letter: Letter) -> bytes:
    """The finished letter to be printed, signed by hand and stamped: rendered, its QR read back.

    Without an electronic signature: only the sheet is signed. Raises `Unusable`.
    """
    _require_final(letter)
    pdf = render(letter)
    require_readable(pdf, letter)
    return pdf


@pressed
def for_psre(letter: Letter) -> bytes:
    """The finished letter as it goes to a PSrE: rendered, its QR read, with room for a signature.

    Raises `Unusable`, also for a letter that does not say that BSrE's certificate signs it.
    """
    from kiosk.signature import with_form

    _require_final(letter, psre=True)
    pdf = with_form(BytesIO(render(letter)))
    require_readable(pdf, letter)
    return pdf


def _require_final(letter: Letter, psre: bool = False) -> None:
    if letter.watermark is not None:
        raise Unusable("Surat belum terbit: rancangan tidak dapat ditandatangani.")
    says_psre = any(words in letter.signed_note.lower() for words in _OTHERS_WORDS)
    if says_psre and not psre:
        raise Unusable("Surat belum terbit: kunci dinas bukan sertifikat BSrE.")
    if psre and not says_psre:
        raise Unusable("Surat belum terbit: suratnya tidak menyebut sertifikat BSrE.")


@pressed
def require_readable(pdf: bytes, letter: Letter) -> None:
    """The QR on the finished PDF says what the letter's must. Raises `Unusable`."""
    if read_qr(pdf) != letter.verify_url:
        raise Unusable("Surat belum terbit: kode QR pada surat tidak terbaca sesuai isinya.")


def warm_up() -> None:
    """Import what the first letter needs, so that nobody waits for it."""
    for name in ("kiosk.press", "kiosk.signature"):
        import_module(name)


def from_template(template: str, **parts: Any) -> bytes:
    """Another of the letters' templates filled in, as a PDF of as many pages as it takes.

    Raises `Unusable` for a text that cannot be printed.
    """
    from kiosk.press import to_pdf

    text = _environment().get_template(template).render(faces=FACES, **parts)
    with ONE_AT_A_TIME:
        return to_pdf(in_font(unicodedata.normalize("NFC", text)))


def page_count(pdf: bytes) -> int:
    """How many pages a PDF of ours has."""
    with ONE_AT_A_TIME, pypdfium2.PdfDocument(pdf) as document:
        return len(document)


def joined(*pdfs: bytes) -> bytes:
    """The pages of these PDFs in one, with an empty form so that it can be signed."""
    from kiosk.signature import with_form

    made = BytesIO()
    with ONE_AT_A_TIME, pypdfium2.PdfDocument.new() as whole:
        for pdf in pdfs:
            with pypdfium2.PdfDocument(pdf) as part:
                whole.import_pages(part)
        whole.save(made)
    return with_form(made)


def in_font(text: str) -> str:
    """The text in letters that our fonts have. Raises `Unusable` for one that has no like."""
    if text.isascii():
        return text
    return "".join(letter if letter.isspace() else _in_font(letter) for letter in text)


def preview_png(pdf: bytes, scale: float) -> bytes:
    """The first page as a PNG, `scale` pixels to a point: for reading before signing."""
    png = BytesIO()
    _picture(pdf, scale).save(png, "PNG")
    return png.getvalue()


def read_qr(pdf: bytes) -> str:
    """What the QR on the first page says, from its picture. Raises `Unusable` unless it is one."""
    for dpi in _READ_DPI:
        found = _codes(_picture(pdf, dpi / 72, grey=True))
        if len(found) == 1:
            return str(found[0].text)
    raise Unusable("Surat belum terbit: kode QR pada surat tidak terbaca.")


def _codes(page: Image.Image) -> list[Any]:
    found: list[Any] = zxingcpp.read_barcodes(
        page,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
        try_rotate=False,
        try_downscale=False,
        try_invert=False,
    )
    return found


def _clean(letter: Letter) -> Letter:
    values = {field.name: getattr(letter, field.name) for field in fields(letter)}
    for name, value in values.items():
        _require_short(name, value)
    return replace(letter, **{name: _legible(value) for name, value in values.items()})


def _require_short(field: str, value: Any) -> None:
    entries, letters = CAPS[field]
    texts = value if isinstance(value, tuple) else (value or "",)
    pairs = [text if isinstance(text, tuple) else ("", text) for text in texts]
    long = any(len(label) > LONGEST_LABEL or len(text) > letters for label, text in pairs)
    if len(texts) > entries or long:
        raise Unusable(f"Surat belum terbit: bagian {field} melebihi {entries} x {letters} huruf.")


def _legible(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(_legible(part) for part in value)
    if value is None:
        return None
    text = " ".join(unicodedata.normalize("NFC", value).split())
    return "".join(_in_font(letter) for letter in text)


def _in_font(letter: str) -> str:
    # A character without a glyph would print as an empty box, and xhtml2pdf would call it fine.
    if letter in _LOOK_ALIKES or unicodedata.category(letter) in ("Cf", "Mn"):
        return _LOOK_ALIKES.get(letter, "")
    if ord(letter) in _glyphs():
        return letter
    bare = [part for part in unicodedata.normalize("NFKD", letter) if part.isprintable()]
    bare = [part for part in bare if not unicodedata.combining(part)]
    if not bare or bare == [letter] or any(ord(part) not in _glyphs() for part in bare):
        raise Unusable(f"Surat belum terbit: huruf U+{ord(letter):04X} tidak dapat dicetak.")
    return "".join(bare)


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    faces = (TTFontFace(str(FONTS / face)) for face in FACES)
    return frozenset.intersection(*(frozenset(face.charToGlyph) for face in faces))


@lru_cache(maxsize=1)
def _environment() -> Environment:
    folder = ROOT / "templates" / "letters"
    return Environment(loader=FileSystemLoader(folder), undefined=StrictUndefined, autoescape=True)


def _to_html(letter: Letter, picture: _Picture, size: float) -> str:
    template = _environment().get_template("sk.html")
    return template.render(letter=letter, picture=picture, size=size, faces=FACES)


def _qr(url: str) -> _Picture:
    """Its code at level Q, a pixel for each dot: the digits as digits, so that it stays small."""
    try:
        code = zxingcpp.create_barcode(url, zxingcpp.BarcodeFormat.QRCode, ec_level="Q")
    except ValueError:  # empty, or more than the largest code holds
        raise Unusable(_BAD_ADDRESS) from None
    modules = Image.fromarray(np.asarray(code.to_image(scale=1, add_quiet_zones=False)))
    width = (modules.width + 2 * QUIET_MODULES) * MODULE_MM
    if width > WIDEST_QR_MM:
        raise Unusable(_BAD_ADDRESS)
    # Grey, not black and white: ReportLab knows no bits and would make colours of them.
    framed = ImageOps.expand(modules.convert("L"), QUIET_MODULES, 255)
    png = BytesIO()
    side = MODULE_DOTS * framed.width
    framed.resize((side, side), Image.Resampling.NEAREST).save(png, "PNG")
    return _Picture(_data_uri(png), round(width, 2))


@lru_cache(maxsize=4)
def _draft_picture(words: str) -> _Picture:
    """The words across the body's frame, pale enough to read the letter on top of them."""
    width, height = (round(side * 6) for side in FRAME_MM)
    square = Image.new("L", (height, height), 255)
    font = ImageFont.truetype(str(FONTS / FACES[1]), 1850 / max(len(words), 8))
    ImageDraw.Draw(square).text((height / 2, height / 2), words, 228, font, anchor="mm")
    turned = square.rotate(54, Image.Resampling.BICUBIC, fillcolor=255)
    left = (height - width) // 2
    png = BytesIO()
    turned.crop((left, 0, left + width, height)).save(png, "PNG")
    return _Picture(_data_uri(png), FRAME_MM[0])


def _data_uri(png: BytesIO) -> str:
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()


def _picture(pdf: bytes, scale: float, grey: bool = False) -> Image.Image:
    with ONE_AT_A_TIME, pypdfium2.PdfDocument(pdf) as document:
        picture: Image.Image = document[0].render(scale=scale, grayscale=grey).to_pil()
        return picture
