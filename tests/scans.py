"""Papers as people send them: photos on a table, scans, PDFs, and what is no such thing."""

import zipfile
from io import BytesIO
from typing import Any

import numpy as np
from PIL import Image, ImageDraw
from pypdf import PdfWriter
from pypdf.generic import DictionaryObject, NameObject, TextStringObject
from reportlab.pdfgen import canvas

TABLE = (72, 52, 40)
PAPER = (250, 249, 245)
JAKARTA = {1: "S", 2: (6.0, 12.0, 0.0), 3: "E", 4: (106.0, 49.0, 0.0)}


def page(width: int = 900, height: int = 1270) -> Image.Image:
    """A sheet with lines of writing, and a red bar along its whole top that shows its slope."""
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((60, 90, width - 60, 100), fill=(200, 20, 20))
    for n in range(30):
        draw.text((70, 140 + n * 36), f"{n + 1}. SITI AMINAH 3602114708900001", (20, 20, 20), None)
    return sheet


def photo(
    degrees: float = 0, size: tuple[int, int] = (1500, 2000), sheet: Image.Image | None = None
) -> Image.Image:
    """The sheet on a dark table, turned against the clock by so many degrees, with some noise."""
    sheet = sheet or page()
    turned = sheet.rotate(degrees, Image.Resampling.BICUBIC, expand=True)
    mask = Image.new("L", sheet.size, 255).rotate(degrees, expand=True)
    table = Image.new("RGB", size, TABLE)
    table.paste(turned, ((size[0] - turned.width) // 2, (size[1] - turned.height) // 2), mask)
    grain = np.random.default_rng(15).integers(-8, 9, (500, 500, 3))
    noise = np.tile(grain, (size[1] // 500 + 1, size[0] // 500 + 1, 1))[: size[1], : size[0]]
    return Image.fromarray((np.asarray(table) + noise).clip(0, 255).astype(np.uint8))


def slope(picture: Image.Image) -> float:
    """By how many degrees the red bar stands off level: a line laid through its pixels."""
    pixels = np.asarray(picture).astype(int)
    red = (pixels[..., 0] > 140) & (pixels[..., 1] < 90) & (pixels[..., 2] < 90)
    rows, columns = np.nonzero(red)
    assert len(rows) > 500, "no red bar"
    return float(np.degrees(np.arctan(np.polyfit(columns, rows, 1)[0])))


def jpeg(picture: Image.Image | None = None, **options: Any) -> bytes:
    return _saved(picture or page(), "JPEG", **options)


def png(picture: Image.Image | None = None) -> bytes:
    return _saved(picture or page(), "PNG")


def _saved(picture: Image.Image, kind: str, **options: Any) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def with_place(picture: Image.Image, orientation: int = 1) -> bytes:
    """As a phone writes it: where it was taken, with what, and which side is up."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Telepon Contoh"
    exif[0x8825] = JAKARTA
    return jpeg(picture, exif=exif)


def pdf(pages: int = 1) -> bytes:
    out = BytesIO()
    sheet = canvas.Canvas(out)
    for n in range(pages):
        sheet.drawString(100, 700, f"Halaman {n + 1}")
        sheet.showPage()
    sheet.save()
    return out.getvalue()


def _changed() -> PdfWriter:
    writer = PdfWriter()
    writer.append(BytesIO(pdf()))
    return writer


def _written(writer: PdfWriter) -> bytes:
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def locked_pdf(password: str, owner: str | None = None) -> bytes:
    writer = _changed()
    writer.encrypt(password, owner)
    return _written(writer)


def acting_pdf(kind: str, part: str) -> bytes:
    """A PDF that does something when it is opened: a script, a program."""
    writer = _changed()
    act = {"/S": NameObject(kind), part: TextStringObject("app.alert(1)")}
    writer.root_object[NameObject("/OpenAction")] = DictionaryObject(
        {NameObject(name): value for name, value in act.items()}
    )
    return _written(writer)


def carrying_pdf() -> bytes:
    writer = _changed()
    writer.add_attachment("surat.txt", b"isi")
    return _written(writer)


def with_zip(data: bytes) -> bytes:
    """A file that is a ZIP as well."""
    out = BytesIO(data)
    out.seek(0, 2)
    with zipfile.ZipFile(out, "a") as archive:
        archive.writestr("isi.txt", "isi")
    return out.getvalue()


def docx() -> bytes:
    return with_zip(b"")
