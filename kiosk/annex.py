"""The annex of a sheet: every proposed household by desa, on as many pages as it takes. Pure.

It is laid out first and drawn once, line by line: ten thousand people are some 300 pages, and a
table library takes minutes for them. Its hash is over its text, not over its drawing, so anybody
with the same lines can compute it again; see `canonical`.
"""

import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from io import BytesIO

from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas

from kiosk import words
from kiosk.certificate import FACES, FONTS, in_font

Progress = Callable[[int, int], None]

MARK = "loket15-lampiran-1"
# Names of our own: the fonts of `press` are another's to use at the same time.
PLAIN, BOLD = "Lampiran", "LampiranTebal"
SIZE, LEADING, PAD = 7.6, 9.2, 2.1
WIDTH, HEIGHT = landscape(A4)
LEFT, TOP, BOTTOM = 12 * mm, HEIGHT - 12 * mm, 17 * mm
COLUMNS = (
    ("No", 9.0), ("Nomor KK", 31.0), ("NIK", 31.0), ("Nama", 50.0), ("Hubungan", 26.0),
    ("Alamat, RT/RW", 55.0), ("Program", 27.0), ("", 44.0),
)  # fmt: skip
TOTALS = (
    ("No", 12.0), ("Kecamatan", 85.0), ("Desa/Kelurahan", 110.0), ("Keluarga", 33.0),
    ("Jiwa", 33.0),
)  # fmt: skip
GREY, PALE = 0.55, 0.93
# One at a time: a font remembers what it drew in which file.
_one_at_a_time = threading.Lock()


@dataclass(frozen=True)
class Person:
    """A member of a household as the annex lists them."""

    nik: str
    name: str
    relation: str
    address: str


@dataclass(frozen=True)
class Family:
    """A proposed household: its members, the programme, and what was decided and why."""

    number: str
    kk: str
    programme: str
    decision: str
    reason: str
    members: tuple[Person, ...]

    @property
    def remark(self) -> str:
        return ": ".join(part for part in (self.decision, self.reason) if part)


@dataclass(frozen=True)
class Village:
    """A desa or kelurahan with its households."""

    district: str
    name: str
    families: tuple[Family, ...]

    @property
    def persons(self) -> int:
        return sum(len(family.members) for family in self.families)


@dataclass(frozen=True)
class Annex:
    """The whole annex. `title` names the sheet it belongs to, `notice` stands on every page.

    `remarks` heads the last column.
    """

    title: str
    number: str
    period: str
    notice: str
    remarks: str
    villages: tuple[Village, ...]

    @property
    def families(self) -> int:
        return sum(len(village.families) for village in self.villages)

    @property
    def persons(self) -> int:
        return sum(village.persons for village in self.villages)


def canonical(annex: Annex) -> str:
    """The text that the hash is over: UTF-8, lines ended by LF, parts divided by a tab.

    First `loket15-lampiran-1`, the sheet's number and period; then a line a person in the annex's
    order: kecamatan, desa, number of the proposal, KK, NIK, name, relation, address, programme,
    decision. Each part in NFC, its white space single blanks.
    """
    lines = [_line(MARK, annex.number, annex.period)]
    for village in annex.villages:
        for family in village.families:
            lines += [
                _line(
                    village.district, village.name, family.number, family.kk, person.nik,
                    person.name, person.relation, person.address, family.programme, family.remark,
                )
                for person in family.members
            ]  # fmt: skip
    return "".join(lines)


def digest(annex: Annex) -> str:
    """SHA-256 of the canonical text, in hex."""
    return sha256(canonical(annex).encode()).hexdigest()


def _line(*parts: str) -> str:
    return "\t".join(tidy(part) for part in parts) + "\n"


def tidy(text: str) -> str:
    """NFC, white space as single blanks."""
    return " ".join(unicodedata.normalize("NFC", text).split())


# --- layout ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Row:
    """What is drawn in one go: cells of lines at the columns' places; `high` in points.

    `kind`: cells, band (a village), sum, head, total.
    """

    kind: str
    cells: tuple[tuple[str, ...], ...]
    high: float
    columns: tuple[tuple[str, float], ...] = COLUMNS
    opens: bool = False


class Pages:
    """The annex laid out: how many pages it takes is known before anything is drawn."""

    def __init__(self, annex: Annex, progress: Progress | None = None) -> None:
        self.annex = annex
        self.sha256 = digest(annex)
        self._progress = progress
        _fonts()
        self._pages: list[list[_Row]] = []
        self._free = 0.0
        self._lay_out()

    def __len__(self) -> int:
        return len(self._pages)

    def draw(self, first: int, total: int) -> bytes:
        """The pages as a PDF, numbered from `first` on of `total`."""
        made = BytesIO()
        with _one_at_a_time:
            canvas = Canvas(made, pagesize=(WIDTH, HEIGHT), initialFontName=PLAIN, invariant=1)
            canvas.setTitle(f"Lampiran {self.annex.title} {self.annex.number}")
            for n, rows in enumerate(self._pages):
                self._draw_page(canvas, rows, first + n, total, opening=n == 0)
                canvas.showPage()
                if self._progress:
                    self._progress(n + 1, len(self._pages))
            canvas.save()
        return made.getvalue()

    # -- where each row stands

    def _lay_out(self) -> None:
        self._turn()
        if len(self.annex.villages) > 1:
            self._put_recap()
        for village in self.annex.villages:
            self._put_village(village)
        if len(self.annex.villages) > 1:
            total = f"Jumlah seluruhnya: {_people(self.annex)}"
            self._put([_Row("total", ((total,),), LEADING + 3 * PAD)])

    def _turn(self) -> None:
        """A new page; the first one has the annex's title on it."""
        taken = 16 * mm if not self._pages else 7 * mm
        self._free = TOP - BOTTOM - taken
        self._pages.append([])

    def _put(self, rows: Sequence[_Row], head: _Row | None = None) -> None:
        """Rows that stay together; on a new page under `head`."""
        high = sum(row.high for row in rows)
        if high > self._free and self._pages[-1]:
            self._turn()
            if head:
                self._place(head)
        for row in rows:
            if row.high > self._free:
                self._turn()
                if head:
                    self._place(head)
            self._place(row)

    def _place(self, row: _Row) -> None:
        self._pages[-1].append(row)
        self._free -= row.high

    def _put_recap(self) -> None:
        head = _head(TOTALS)
        self._put([_band("Rekapitulasi menurut desa/kelurahan"), head])
        for n, village in enumerate(self.annex.villages, 1):
            counts = (_number(len(village.families)), _number(village.persons))
            row = _row((str(n), village.district, village.name, *counts), TOTALS, opens=True)
            self._put([row], head)
        total = (_number(self.annex.families), _number(self.annex.persons))
        self._put([_row(("", "", "Jumlah", *total), TOTALS, kind="total")], head)
        self._put([_Row("gap", (), 4 * PAD)])

    def _put_village(self, village: Village) -> None:
        name = f"Kecamatan {village.district}, {village.name}" if village.district else village.name
        head = _head((*COLUMNS[:-1], (self.annex.remarks, COLUMNS[-1][1])))
        again = _band(f"{name} (lanjutan)")
        families = list(_families(village))
        self._put([_band(name), head, *families[0]] if families else [_band(name), head])
        for rows in families[1:]:
            self._put_family(rows, again, head)
        said = f"Jumlah {village.name}: {_people(village)}"
        self._put([_Row("sum", ((said,),), LEADING + 2 * PAD)])

    def _put_family(self, rows: Sequence[_Row], again: _Row, head: _Row) -> None:
        if sum(row.high for row in rows) > self._free:
            self._turn()
            self._place(again)
            self._place(head)
        self._put(rows, head)

    # -- drawing

    def _draw_page(
        self, canvas: Canvas, rows: Iterable[_Row], page: int, total: int, opening: bool
    ) -> None:
        y = self._draw_top(canvas, opening)
        for row in rows:
            _draw_row(canvas, row, y)
            y -= row.high
        canvas.setStrokeGray(GREY)
        canvas.setLineWidth(0.5)
        canvas.line(LEFT, BOTTOM - 2 * mm, WIDTH - LEFT, BOTTOM - 2 * mm)
        canvas.setFont(PLAIN, 7)
        canvas.drawString(LEFT, BOTTOM - 5.2 * mm, in_font(self.annex.notice))
        canvas.drawRightString(WIDTH - LEFT, BOTTOM - 5.2 * mm, f"Halaman {page} dari {total}")
        canvas.setFont(PLAIN, 6.2)
        canvas.drawString(LEFT, BOTTOM - 8.4 * mm, f"SHA-256 lampiran: {self.sha256}")
        canvas.drawRightString(WIDTH - LEFT, BOTTOM - 8.4 * mm, f"Nomor: {self.annex.number}")

    def _draw_top(self, canvas: Canvas, opening: bool) -> float:
        title = in_font(f"Lampiran {self.annex.title}")
        number = f"Nomor {self.annex.number} · periode {self.annex.period}"
        if opening:
            canvas.setFont(BOLD, 12)
            canvas.drawString(LEFT, TOP - 4 * mm, title)
            canvas.setFont(PLAIN, 9)
            canvas.drawString(LEFT, TOP - 9.5 * mm, number)
            return float(TOP - 16 * mm)
        canvas.setFont(PLAIN, 7.6)
        canvas.drawString(LEFT, TOP - 2.5 * mm, title)
        canvas.drawRightString(WIDTH - LEFT, TOP - 2.5 * mm, number)
        return float(TOP - 7 * mm)


def _families(village: Village) -> Iterator[list[_Row]]:
    """Each family's rows; what was decided of it runs on beside all of them."""
    for no, family in enumerate(village.families, 1):
        rows = [
            _row(
                (
                    str(no) if not n else "", family.kk if not n else "", person.nik, person.name,
                    person.relation, person.address, family.programme if not n else "", "",
                ),
                COLUMNS,
                opens=not n,
            )
            for n, person in enumerate(family.members)
        ]  # fmt: skip
        remark = _wrap(in_font(tidy(family.remark)), COLUMNS[-1][1] * mm - 2 * PAD)
        rows[0] = replace(rows[0], cells=(*rows[0].cells[:-1], remark))
        short = len(remark) * LEADING + PAD - sum(row.high for row in rows)
        rows[-1] = replace(rows[-1], high=rows[-1].high + max(0.0, short))
        yield rows


def _row(
    texts: Sequence[str],
    columns: tuple[tuple[str, float], ...],
    opens: bool = False,
    kind: str = "cells",
) -> _Row:
    cells = tuple(
        _wrap(in_font(tidy(text)), width * mm - 2 * PAD)
        for text, (_, width) in zip(texts, columns, strict=True)
    )
    return _Row(kind, cells, max(map(len, cells)) * LEADING + PAD, columns, opens)


def _head(columns: tuple[tuple[str, float], ...]) -> _Row:
    cells = tuple((name,) for name, _ in columns)
    return _Row("head", cells, LEADING + 2 * PAD, columns)


def _band(text: str) -> _Row:
    return _Row("band", ((in_font(tidy(text)),),), LEADING + 3 * PAD)


def _wrap(text: str, width: float) -> tuple[str, ...]:
    """The text in lines no wider than `width` points; a word that is wider is cut."""
    if not text or _wide(text) <= width:
        return (text,)
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if _wide(longer) <= width:
            line = longer
            continue
        lines += [line] if line else []
        while _wide(word) > width:
            keep = next(n for n in range(len(word) - 1, 0, -1) if _wide(word[:n]) <= width)
            lines.append(word[:keep])
            word = word[keep:]
        line = word
    return (*lines, line)


def _wide(text: str) -> float:
    return float(pdfmetrics.stringWidth(text, PLAIN, SIZE))


def _draw_row(canvas: Canvas, row: _Row, y: float) -> None:
    wide = sum(width for _, width in row.columns) * mm
    if row.kind in ("head", "band"):
        canvas.setFillGray(PALE if row.kind == "head" else 0.82)
        canvas.rect(LEFT, y - row.high, wide, row.high, stroke=0, fill=1)
        canvas.setFillGray(0)
    if row.opens or row.kind in ("sum", "total"):
        canvas.setStrokeGray(GREY)
        canvas.setLineWidth(0.4 if row.opens else 0.9)
        canvas.line(LEFT, y, LEFT + wide, y)
    canvas.setFont(PLAIN if row.kind == "cells" else BOLD, SIZE)
    x, top = LEFT, y - LEADING + 0.2 * PAD - (PAD / 2 if row.kind != "cells" else 0)
    for cell, (name, width) in zip(row.cells, row.columns, strict=False):
        right = name in ("Keluarga", "Jiwa")
        for n, line in enumerate(cell):
            if right:
                canvas.drawRightString(x + width * mm - PAD, top - n * LEADING, line)
            elif line:
                canvas.drawString(x + PAD, top - n * LEADING, line)
        x += width * mm


def _people(some: Village | Annex) -> str:
    families = len(some.families) if isinstance(some, Village) else some.families
    return f"{_number(families)} keluarga, {_number(some.persons)} jiwa"


def _number(count: int) -> str:
    return words.thousands(count)


@lru_cache(maxsize=1)
def _fonts() -> None:
    for name, face in zip((PLAIN, BOLD), FACES, strict=True):
        pdfmetrics.registerFont(TTFont(name, str(FONTS / face)))
