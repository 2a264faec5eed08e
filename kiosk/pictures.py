"""Photos and scans from outside: known by their content, straightened, shrunk, made anew. Pure.

A picture is decoded and drawn again as JPEG, so that nothing of the bytes that came in survives:
no place where it was taken (EXIF), no second file behind it. A PDF stays as it is (`kiosk.pdf`).
"""

import threading
import zipfile
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from kiosk import pdf
from kiosk.errors import Invalid

MEGABYTE = 1024 * 1024
LONGEST = 2000
SMALL_ENOUGH = 500_000
MOST_PIXELS = 50_000_000
QUALITIES = (80, 72, 62, 50)
EMPTY = "Berkas ini kosong. Foto ulang, atau pilih berkas lain."
UNKNOWN = "Hanya foto JPEG, PNG, atau PDF yang diterima. Foto kertasnya, atau simpan sebagai PDF."
HEIC = "Foto HEIC belum dapat dibaca. Atur kamera ke format JPEG (Paling Kompatibel), foto ulang."
OFFICE = "Berkas Word, Excel, atau ZIP tidak diterima. Simpan sebagai PDF, atau foto kertasnya."
PAGE = "Halaman web atau gambar SVG tidak diterima. Kirim fotonya sebagai JPEG, PNG, atau PDF."
VIDEO = "Video dan foto bergerak tidak diterima. Ambil foto biasa, lalu kirim lagi."
DAMAGED = "Foto ini rusak atau terpotong. Foto ulang, lalu kirim lagi."
TOO_FINE = "Foto ini lebih dari 50 megapiksel. Kecilkan mutu kamera, lalu foto ulang."
# What is often sent by mistake: where its mark stands, the mark, and what to say.
MISTAKES = (
    (4, (b"ftypheic", b"ftypheix", b"ftyphevc", b"ftypmif1", b"ftypmsf1", b"ftypavif"), HEIC),
    (0, (b"PK\x03\x04", b"PK\x05\x06", b"\xd0\xcf\x11\xe0", b"Rar!", b"7z\xbc\xaf"), OFFICE),
    (4, (b"ftyp",), VIDEO),
)  # fmt: skip
# Decoding a picture takes up to 200 MB: not more than two at a time.
_few = threading.BoundedSemaphore(2)


@dataclass(frozen=True)
class Limits:
    """What may come in: bytes, and pages of a PDF."""

    bytes: int = 15 * MEGABYTE
    pages: int = 20


@dataclass(frozen=True)
class Sheet:
    """What is kept: the bytes, their media type, how many pages."""

    data: bytes
    media: str
    pages: int = 1


def sheet_of(data: bytes, limits: Limits) -> Sheet:
    """What is to be kept of a file that came in, whatever its name said.

    Raises Invalid({"file": reason}); each reason says what to do instead.
    """
    if not data:
        raise Invalid({"file": EMPTY})
    if len(data) > limits.bytes:
        most = limits.bytes // MEGABYTE
        raise Invalid({"file": f"Berkas ini lebih dari {most} MB. Kecilkan, atau foto ulang."})
    if data.startswith(pdf.MAGIC):
        return Sheet(data, "application/pdf", pdf.pages_of(data, limits.pages))
    if data.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        return Sheet(_redrawn(data), "image/jpeg")
    raise Invalid({"file": _mistaken(data)})


def thumbnail(data: bytes, longest: int) -> bytes:
    """A small JPEG of a kept picture."""
    with Image.open(BytesIO(data)) as image:
        image.draft("RGB", (longest, longest))
        image.thumbnail((longest, longest))
        return jpeg(image.convert("RGB"), (70,))


def jpeg(image: Image.Image, qualities: tuple[int, ...] = QUALITIES) -> bytes:
    """As JPEG, the first of `qualities` that makes it small enough, else the last."""
    for quality in qualities:
        out = BytesIO()
        image.save(out, "JPEG", quality=quality, optimize=True)
        if out.tell() <= SMALL_ENOUGH:
            break
    return out.getvalue()


def _mistaken(data: bytes) -> str:
    for at, marks, said in MISTAKES:
        if data[at:].startswith(marks):
            return said
    head = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return PAGE if head.startswith(b"<") else UNKNOWN


def _redrawn(data: bytes) -> bytes:
    if pdf.MAGIC in data[:1024] or zipfile.is_zipfile(BytesIO(data)):
        raise Invalid({"file": pdf.TWO_IN_ONE})
    # Loaded with the first picture: the library of 60 MB is nothing for the start of a command.
    from kiosk.straighten import straightened

    with _few:
        image = straightened(_decoded(data), LONGEST)
        image.thumbnail((LONGEST, LONGEST))
        return jpeg(image)


def _decoded(data: bytes) -> Image.Image:
    """The picture upright, in plain RGB, on white where it was transparent."""
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > MOST_PIXELS:
                raise Invalid({"file": TOO_FINE})
            image.draft("RGB", (LONGEST, LONGEST))
            image.load()
            return _plain(ImageOps.exif_transpose(image))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Invalid({"file": TOO_FINE}) from None
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError, IndexError):
        raise Invalid({"file": DAMAGED}) from None


def _plain(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if "A" in image.getbands() or "transparency" in image.info:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    return image.convert("RGB")
