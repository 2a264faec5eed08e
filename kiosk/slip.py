"""Pure: what a thermal printer prints, as a picture and as the bytes that print it.

A picture prints any text the same on any make; fonts built into cheap clones do not.
"""

from dataclasses import dataclass
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path
from typing import Literal

import qrcode
from PIL import Image, ImageDraw, ImageFont

Size = Literal["small", "normal", "large"]

DOTS = 576  # 72 mm at 203 dpi, the printed width of an 80 mm roll
DPI = 203
MARGIN = 8
WHITE = 255
POINTS: dict[Size, int] = {"small": 29, "normal": 36, "large": 84}
PARAGRAPH = 8
BIGGEST = 300
QR_SIDE = 300
QR_LEAST_MODULE = 4
QUIET = 4  # modules of white around a QR (ISO/IEC 18004)
BAND = 255  # rows of one GS v 0: clones hold no more than this
FONTS = Path(__file__).resolve().parent.parent / "static" / "fonts"


@dataclass(frozen=True)
class Line:
    """One paragraph, centred and wrapped at words."""

    text: str
    size: Size = "normal"
    bold: bool = False


@dataclass(frozen=True)
class Slip:
    """A slip of paper: `big` is the one thing to be read from an arm's length.

    With a `qr_url` the first line of `foot` is the caption of its code.
    """

    office: str
    heading: str
    big: str
    lines: tuple[Line, ...]
    qr_url: str | None
    foot: tuple[str, ...]


def draw(slip: Slip) -> Image.Image:
    """The slip as a picture, `DOTS` wide and as high as it must be, one bit a dot (0 is black).

    Raises ValueError when `qr_url` is too long for a QR with modules of `QR_LEAST_MODULE` dots.
    """
    parts = [
        _text(slip.office, "normal", bold=True),
        _rule(),
        _text(slip.heading, "normal"),
        _number(slip.big),
        *(_text(line.text, line.size, bold=line.bold) for line in slip.lines),
    ]
    foot = [_text(text, "small") for text in slip.foot]
    if slip.qr_url:
        parts += [_qr(slip.qr_url), *foot[:1]]
        foot = foot[1:]
    if foot:
        parts += [_rule(), *foot]
    return _stack(parts)


def png(image: Image.Image) -> bytes:
    """The picture as a PNG that says its own size on paper (203 dpi)."""
    out = BytesIO()
    image.save(out, "PNG", dpi=(DPI, DPI))
    return out.getvalue()


def escpos(image: Image.Image) -> bytes:
    """The picture as ESC/POS: reset, raster (`GS v 0`) in bands, feed to the knife and cut.

    Takes a one-bit picture. Raises ValueError for one wider than `DOTS`.
    """
    if image.width > DOTS:
        raise ValueError(f"{image.width} dots are wider than the paper")
    tops = range(0, image.height, BAND)
    bands = (image.crop((0, y, image.width, min(y + BAND, image.height))) for y in tops)
    return b"\x1b@" + b"".join(map(_band, bands)) + b"\x1bd\x02" + b"\x1dVB\x00"


def _band(image: Image.Image) -> bytes:
    across = (image.width + 7) // 8
    size = across.to_bytes(2, "little") + image.height.to_bytes(2, "little")
    return b"\x1dv0\x00" + size + image.tobytes("raw", "1;I")  # the printer's 1 is black


def _stack(parts: list[Image.Image]) -> Image.Image:
    sheet = _gap(sum(part.height for part in parts))
    y = 0
    for part in parts:
        sheet.paste(part, ((DOTS - part.width) // 2, y))
        y += part.height
    return sheet


def _gap(height: int) -> Image.Image:
    return Image.new("1", (DOTS, height), WHITE)


def _rule() -> Image.Image:
    strip = _gap(22)
    ImageDraw.Draw(strip).rectangle((MARGIN, 9, DOTS - MARGIN - 1, 11), fill=0)
    return strip


def _text(text: str, size: Size, *, bold: bool = False) -> Image.Image:
    font = _font(bold, POINTS[size])
    rows = _balanced(text, font)
    step = round(POINTS[size] * 1.22)
    strip = _gap(step * len(rows) + PARAGRAPH)
    pen = ImageDraw.Draw(strip)
    for at, row in enumerate(rows):
        pen.text((DOTS / 2, at * step + step * 0.8), row, fill=0, font=font, anchor="ms")
    return strip


def _number(text: str) -> Image.Image:
    sizes = range(BIGGEST, POINTS["large"], -10)
    fonts = (_font(True, points) for points in sizes)
    font = next((font for font in fonts if _fits(text, font)), None)
    if font is None:
        return _text(text, "large", bold=True)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    strip = _gap(bottom - top + 40)
    ImageDraw.Draw(strip).text(((DOTS - right - left) / 2, 18 - top), text, fill=0, font=font)
    return strip


def _fits(text: str, font: ImageFont.FreeTypeFont) -> bool:
    return _length(text, font) <= DOTS - 2 * MARGIN


@lru_cache(maxsize=4096)
def _length(text: str, font: ImageFont.FreeTypeFont) -> float:
    """Measured once: balancing asks for the same words again and again."""
    return font.getlength(text)


def _qr(url: str) -> Image.Image:
    code = qrcode.QRCode(
        error_correction=qrcode.constants.ERROR_CORRECT_M, border=QUIET, box_size=1
    )
    code.add_data(url)
    code.make(fit=True)
    modules = code.modules_count + 2 * QUIET
    dots = max(QR_LEAST_MODULE, QR_SIDE // modules)
    if modules * dots > DOTS:
        raise ValueError("the address is too long for a code on this paper")
    small = Image.new("1", (modules, modules), WHITE)
    small.putdata([0 if dark else WHITE for row in code.get_matrix() for dark in row])
    return small.resize((modules * dots, modules * dots), Image.Resampling.NEAREST)


def _balanced(text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    widest = DOTS - 2 * MARGIN
    rows = _wrapped(text, font, widest)
    for width in range(widest // len(rows), widest, 12):
        narrower = _wrapped(text, font, width)
        if len(narrower) == len(rows) and all(_fits(row, font) for row in narrower):
            return narrower
    return rows


def _wrapped(text: str, font: ImageFont.FreeTypeFont, width: int) -> list[str]:
    rows: list[str] = [""]
    for word in _pieces(text, font):
        longer = f"{rows[-1]} {word}".strip()
        if rows[-1] and _length(longer, font) > width:
            rows.append(word)
        else:
            rows[-1] = longer
    return rows


def _pieces(text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """The words, one that is wider than the paper cut into as many as it takes."""
    return [piece for word in text.split() for piece in _cut(word, font)]


def _cut(word: str, font: ImageFont.FreeTypeFont) -> list[str]:
    fits = len(word)
    while fits > 1 and not _fits(word[:fits], font):
        fits -= 1
    return [word] if fits >= len(word) else [word[:fits], *_cut(word[fits:], font)]


@cache
def _font(bold: bool, points: int) -> ImageFont.FreeTypeFont:
    name = f"AtkinsonHyperlegible-{'Bold' if bold else 'Regular'}.ttf"
    return ImageFont.truetype(FONTS / name, points, layout_engine=ImageFont.Layout.BASIC)
