"""A filled template of proposals: its rows read into households, each fault said at its cell.

Numbers of sixteen digits are text: a spreadsheet keeps fifteen digits of a number, so one that
arrives as a number is refused, never guessed.
"""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, BinaryIO

from kiosk import household, register_file
from kiosk.errors import Unusable
from kiosk.household import HEAD, MEMBER, Household
from kiosk.proposal_sheet import (
    HEADINGS,
    MOST_BYTES,
    MOST_ROWS,
    SHEET,
    UNKNOWN,
    VILLAGE_LABEL,
    Column,
    Group,
    Line,
    Sheet,
    columns_of,
)
from kiosk.register_columns import canonical
from kiosk.register_row import iso_date
from kiosk.service import ProposalService

NO_SHEET = "Ini bukan template usulan: unduh template, isi, lalu unggah sebagai XLSX."
NOT_XLSX = "Hanya berkas XLSX. Simpan sebagai Buku Kerja Excel (.xlsx), lalu unggah lagi."
TOO_MANY = "Paling banyak 20.000 baris dalam satu berkas. Bagi menjadi beberapa berkas."
EMPTY = "Belum ada anggota keluarga yang diisi pada berkas ini."
OTHER_VILLAGE = "Template ini untuk desa lain. Unduh template desa yang dipilih."
NO_VILLAGE = "Desa pada template ini tidak dikenal. Unduh template lagi."
AS_NUMBER = "Tersimpan sebagai bilangan, angka akhirnya tidak dapat dipercaya. Tulis sebagai teks."
FORMULA = "Berisi rumus. Tulis isinya saja."
ERROR_CELL = "Berisi kesalahan Excel. Tulis isinya."
NO_DATE = "Tulis tanggal seperti 31-12-1990."
OTHER_SAID = "Berbeda dengan baris lain keluarga ini."
NO_SIZE = "Tulis dengan angka, 1 sampai 30."

Progress = Callable[[int, int], None]


def read(
    service: ProposalService,
    file: BinaryIO,
    size: int,
    village: str,
    villages: Iterable[str],
    today: date,
    progress: Progress | None = None,
) -> Sheet:
    """A filled template, its rows grouped into households with their faults.

    `village` is the one asked for; "" takes the file's. What can only be known from other
    proposals is not looked at. `progress` is told (rows read, rows there seem to be). Raises
    Unusable, with one line for the operator, for what is no template.
    """
    with _opened(file, size) as sheet:
        total = sheet.max_row or 0
        sheet.reset_dimensions()  # what a sheet declares of its size is often wrong
        rows = register_file.guarded_rows(sheet.iter_rows(values_only=True))
        top = _top(service, rows)
        found = _village(top.village, village, villages)
        lines = list(_lines(rows, top, total, progress))
    if not lines:
        raise Unusable(EMPTY)
    reader = _Reader(service, found, top.columns, today)
    groups = tuple(reader.group(some) for some in _grouped(lines, top.columns))
    return Sheet(found, top.columns, groups)


@contextmanager
def _opened(file: BinaryIO, size: int) -> Iterator[Any]:
    import openpyxl

    if size > MOST_BYTES:
        raise Unusable(TOO_MANY)
    if file.read(2) != b"PK":
        raise Unusable(NOT_XLSX)
    file.seek(0)
    with warnings.catch_warnings():
        register_file.check_archive(file, size)
        warnings.simplefilter("ignore")  # openpyxl's, about looks that no one reads here
        book = register_file.guarded(
            lambda: openpyxl.load_workbook(file, read_only=True, keep_links=False)
        )
        try:
            if SHEET not in book.sheetnames:
                raise Unusable(NO_SHEET)
            yield book[SHEET]
        finally:
            book.close()


@dataclass(frozen=True)
class _Top:
    """What stands above the rows: the village, the columns, and where; the header's row number."""

    village: str
    columns: tuple[Column, ...]
    places: tuple[int, ...]
    row: int


def _top(service: ProposalService, rows: Iterator[Sequence[object]]) -> _Top:
    village = ""
    for number, cells in enumerate(rows, 1):
        texts = [canonical(_plain(cell)) for cell in cells]
        if texts[:1] == [canonical(VILLAGE_LABEL)] and len(cells) > 1:
            village = _plain(cells[1])
        if canonical(HEADINGS["nik"]) in texts:
            columns, places = _found_columns(service, texts)
            return _Top(village, columns, places, number)
        if number > 20:
            break
    raise Unusable(NO_SHEET)


def _found_columns(
    service: ProposalService, texts: Sequence[str]
) -> tuple[tuple[Column, ...], tuple[int, ...]]:
    known = {canonical(column.heading): column for column in columns_of(service)}
    missing = [c.heading for text, c in known.items() if c.needed and text not in texts]
    if missing:
        raise Unusable(f"Kolom tidak ada: {', '.join(missing)}. Jangan mengubah judul kolom.")
    twice = [c.heading for text, c in known.items() if texts.count(text) > 1]
    if twice:
        raise Unusable(f"Kolom tertulis dua kali: {', '.join(twice)}.")
    found = {text: column for text, column in known.items() if text in texts}
    return tuple(found.values()), tuple(texts.index(text) for text in found)


def _village(told: str, asked: str, villages: Iterable[str]) -> str:
    if asked and told and told != asked:
        raise Unusable(OTHER_VILLAGE)
    found = asked or told
    if found not in villages:
        raise Unusable(NO_VILLAGE)
    return found


def _lines(
    rows: Iterator[Sequence[object]], top: _Top, total: int, progress: Progress | None
) -> Iterator[Line]:
    count = 0
    for number, cells in enumerate(rows, top.row + 1):
        line = tuple(cells[place] if place < len(cells) else None for place in top.places)
        if any(cell is not None and cell != "" for cell in line):
            count += 1
            if count > MOST_ROWS:
                raise Unusable(TOO_MANY)
            yield Line(number, line)
        if progress and number % 500 == 0:
            progress(number, max(number, total))


def _grouped(lines: Sequence[Line], columns: Sequence[Column]) -> Iterator[list[Line]]:
    """Rows of one KK together. A row whose KK cannot be read belongs to the row above it, or, if
    it is a head's, to the one below: its household is not whole without it.
    """
    kk, relation = (_place(columns, f"member.{part}") for part in ("kk", "relation"))
    groups: dict[str, list[Line]] = {}
    waiting: list[Line] = []
    last = ""
    for line in lines:
        key = _sixteen(line.cells[kk])
        is_head = _plain(line.cells[relation]).upper() == HEAD
        if not key and (is_head or not last):
            waiting.append(line)
            last = ""
            continue
        key = key or last
        groups.setdefault(key, []).extend([*waiting, line])
        waiting.clear()
        last = key
    yield from groups.values()
    if waiting:
        yield waiting


def _place(columns: Sequence[Column], name: str) -> int:
    return next(n for n, column in enumerate(columns) if column.name == name)


_SIZE = re.compile("[0-9]{1,2}")
_SPACERS = re.compile(r"[\s.\-']+")
_NUMBER = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+")


def _sixteen(cell: object) -> str:
    """The digits of a number written as text; "" where it is none to rely on."""
    digits = _SPACERS.sub("", cell) if isinstance(cell, str) else ""
    return digits if re.fullmatch("[0-9]{16}", digits) else ""


def _plain(cell: object) -> str:
    return " ".join(str(cell).split()) if cell is not None else ""


class _Reader:
    """Rows of one household → the household, with the faults said at its rows."""

    def __init__(
        self, service: ProposalService, village: str, columns: tuple[Column, ...], today: date
    ) -> None:
        self._service = service
        self._village = village
        self._columns = columns
        self._year = today.year
        self._ids = {
            "purpose": {canonical(p.title.id): p.id for p in service.purposes},
            "route": {canonical(r.title.id): r.id for r in service.routes},
        }
        for one in service.extras:
            if one.options:
                ids = {canonical(option.title.id): option.id for option in one.options}
                self._ids[f"extra.{one.name}"] = ids

    def group(self, lines: Sequence[Line]) -> Group:
        rows = [self._texts(line) for line in lines]
        lines = _head_first(lines, rows)
        rows = _head_first(rows, rows)
        members = tuple({part: row.get(f"member.{part}", "") for part in MEMBER} for row in rows)
        shared = self._shared(lines, rows)
        size = shared.get("size", "")
        if not (_SIZE.fullmatch(size) and 1 <= int(size) <= household.MOST_MEMBERS):
            lines[0].faults.setdefault("size", NO_SIZE)
            size = str(len(members))
        made = Household(
            route=shared.get("route") or self._service.routes[0].id,
            purpose=shared.get("purpose", ""),
            village=self._village,
            family_size=int(size),
            members=members,
            extra={
                name.removeprefix("extra."): text
                for name, text in shared.items()
                if name.startswith("extra.")
            },
        ).tidied()
        return Group(tuple(lines), made)

    def _texts(self, line: Line) -> dict[str, str]:
        texts = {}
        for column, cell in zip(self._columns, line.cells, strict=True):
            text, fault = self._read(column.name, cell)
            texts[column.name] = text
            if fault:
                line.faults[column.name] = fault
        return texts

    def _read(self, name: str, cell: object) -> tuple[str, str]:
        """A cell's text, and what is wrong with it; the household's own checks come after."""
        if cell is None:
            return "", ""
        if not isinstance(cell, str | int | float | datetime | date):
            return "", FORMULA
        if isinstance(cell, str) and cell[:1] in ("=", "#"):
            return "", FORMULA if cell[0] == "=" else ERROR_CELL
        if name in ("member.nik", "member.kk"):
            return _number(cell)
        if name == "member.birth_date":
            return self._date(cell)
        if name in ("member.rt", "member.rw", "size") and isinstance(cell, int | float):
            return f"{cell:g}", ""
        text = _plain(cell)
        if text and name in self._ids:
            found = self._ids[name].get(canonical(text), "")
            return found, "" if found else UNKNOWN
        return text, ""

    def _date(self, cell: object) -> tuple[str, str]:
        if isinstance(cell, bool | int | float):
            return "", NO_DATE
        found = iso_date(cell, self._year)
        wrong = _plain(cell) and not found
        return found, NO_DATE if wrong else ""

    def _shared(self, lines: Sequence[Line], rows: Sequence[dict[str, str]]) -> dict[str, str]:
        """What is said once a household: on its first row, or on each of them alike."""
        shared: dict[str, str] = {}
        for line, row in zip(lines, rows, strict=True):
            for name, text in row.items():
                if name.startswith("member.") or not text:
                    continue
                if shared.setdefault(name, text) != text:
                    line.faults.setdefault(name, OTHER_SAID)
        return shared


def _number(cell: object) -> tuple[str, str]:
    if not isinstance(cell, str):
        return "", AS_NUMBER
    digits = _SPACERS.sub("", cell)
    return digits, AS_NUMBER if _NUMBER.fullmatch(cell.strip()) else ""


def _head_first(things: Sequence[Any], rows: Sequence[Mapping[str, str]]) -> list[Any]:
    """In the order in which a household has its members."""
    heads = [row["member.relation"].upper() == HEAD for row in rows]
    pairs = list(zip(things, heads, strict=True))
    return [t for t, head in pairs if head] + [t for t, head in pairs if not head]


def tell(group: Group, faults: Mapping[str, str]) -> None:
    """Say the faults of a household ("members.0.nik") at its rows; those of a cell come first."""
    for name, said in faults.items():
        part, _, rest = name.partition(".")
        line, column = group.lines[0], {"family_size": "size", "members": ""}.get(name, name)
        if part == "members" and rest:
            place, _, of_member = rest.partition(".")
            line, column = group.lines[int(place)], f"member.{of_member}"
        line.faults.setdefault(column, said)
