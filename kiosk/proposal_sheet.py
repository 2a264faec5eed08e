"""The template of proposals as a spreadsheet: made for download, given back with its faults.

One row a member, a household by its KK number. What is wrong stands in the file that is given
back, in a column of its own beside coloured cells. It is read in `proposal_reader`.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from io import BytesIO
from typing import Any, Final

from kiosk.household import DISABILITIES, RELATIONS, YES, Household
from kiosk.loket import Loket
from kiosk.service import FormField, ProposalService

MOST_ROWS: Final = 20_000
MOST_BYTES: Final = 30_000_000
HEADER_ROW: Final = 4
SHEET, GUIDE, LISTS = "Usulan", "Petunjuk", "Daftar"
VILLAGE_LABEL = "Desa/Kelurahan:"
FAULTS = "Kesalahan"

# Part of a member → its heading.
HEADINGS: Final[Mapping[str, str]] = {
    "kk": "No KK",
    "nik": "NIK",
    "name": "Nama lengkap",
    "relation": "Hubungan keluarga",
    "sex": "Jenis kelamin (L/P)",
    "birth_place": "Tempat lahir",
    "birth_date": "Tanggal lahir",
    "address": "Alamat",
    "rt": "RT",
    "rw": "RW",
    "job": "Pekerjaan",
    "mother": "Nama ibu kandung",
    "disability": "Disabilitas",
    "pregnant": "Hamil",
}
SIZE, PURPOSE, ROUTE = "Jumlah anggota KK", "Program", "Asal usulan"
# These may be left out of a file; without the others it cannot be read.
OPTIONAL: Final = frozenset({"job", "mother", "disability", "pregnant", "rt", "rw", "birth_place"})

UNKNOWN = "Tidak dikenal. Pilih dari daftar."
WITH_OTHERS = "Baris lain keluarga ini belum benar."


@dataclass(frozen=True)
class Column:
    """A column of the template: what it holds ("member.nik", "purpose", "extra.alasan")."""

    name: str
    heading: str
    width: int
    needed: bool = True
    choices: tuple[str, ...] = ()
    digits: bool = False


@dataclass
class Line:
    """A row as it stood in the file, and its faults by column name."""

    number: int
    cells: tuple[object, ...]
    faults: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Group:
    """The rows of one household, its head first, and what they say of it."""

    lines: tuple[Line, ...]
    household: Household

    @property
    def right(self) -> bool:
        return not any(line.faults for line in self.lines)


@dataclass(frozen=True)
class Sheet:
    """A file that was read: `columns` as it had them, `groups` in its order."""

    village: str
    columns: tuple[Column, ...]
    groups: tuple[Group, ...]

    @property
    def rows(self) -> int:
        return sum(len(group.lines) for group in self.groups)


# ── The columns ──


def columns_of(service: ProposalService) -> tuple[Column, ...]:
    """The template's columns for a service, in their order."""
    routes = tuple(route.title.id for route in service.routes)
    found = [
        Column("purpose", PURPOSE, 18, choices=tuple(p.title.id for p in service.purposes)),
        Column("size", SIZE, 10),
        *(_member_column(part) for part in HEADINGS),
        *(_extra_column(one) for one in service.extras if one.kind != "files"),
    ]
    if len(routes) > 1:
        found.insert(0, Column("route", ROUTE, 20, choices=routes))
    return tuple(found)


_WIDTHS: Final = {"kk": 20, "nik": 20, "name": 30, "relation": 20, "address": 34, "mother": 26}
_DIGITS: Final = frozenset({"kk", "nik", "birth_date", "rt", "rw"})
_CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "relation": RELATIONS,
    "sex": ("L", "P"),
    "disability": DISABILITIES,
    "pregnant": (YES, "TIDAK"),
}


def _member_column(part: str) -> Column:
    needed = part not in OPTIONAL
    choices = _CHOICES.get(part, ())
    width, digits = _WIDTHS.get(part, 14), part in _DIGITS
    return Column(f"member.{part}", HEADINGS[part], width, needed, choices, digits)


def _extra_column(one: FormField) -> Column:
    choices = tuple(option.title.id for option in one.options)
    return Column(f"extra.{one.name}", one.label.id, 24, one.required, choices)


# ── Writing ──


def template(loket: Loket, service: ProposalService, village: str) -> bytes:
    """An empty template for one village, "Kecamatan/Desa", as XLSX."""
    return _workbook(loket, service, village, columns_of(service), ())


def returned(
    loket: Loket, service: ProposalService, sheet: Sheet, only_faulty: bool = True
) -> bytes:
    """The file given back: the rows as they were, with their faults; as XLSX.

    `only_faulty`: the right households are left out, for they were taken.
    """
    groups = [group for group in sheet.groups if not (only_faulty and group.right)]
    lines = [line for group in groups for line in _told(group)]
    return _workbook(loket, service, sheet.village, sheet.columns, lines)


def _told(group: Group) -> Iterator[Line]:
    """Each row of a faulty household says that there is something to mend."""
    for line in group.lines:
        silent = not line.faults and not group.right
        yield Line(line.number, line.cells, {"": WITH_OTHERS}) if silent else line


def _workbook(
    loket: Loket,
    service: ProposalService,
    village: str,
    columns: Sequence[Column],
    lines: Sequence[Line],
) -> bytes:
    import openpyxl  # here: it takes longer than the rest of the import

    book = openpyxl.Workbook(write_only=True)
    _Page(book.create_sheet(SHEET), columns, bool(lines)).write(
        f"Template {service.title.id} · {loket.profile.office.short_name}", village, lines
    )
    _guide(book.create_sheet(GUIDE), loket, service)
    _lists(book.create_sheet(LISTS), columns)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


class _Page:
    """The sheet that is filled in."""

    def __init__(self, sheet: Any, columns: Sequence[Column], with_faults: bool) -> None:
        from openpyxl.styles import Alignment, Font, PatternFill

        self._sheet = sheet
        self._columns = columns
        self._with_faults = with_faults
        self._bold = Font(bold=True)
        self._white = Font(bold=True, color="FFFFFF")
        self._head = PatternFill("solid", fgColor="1F4E5F")
        self._wrong = PatternFill("solid", fgColor="F8C9C4")
        self._wrap = Alignment(wrap_text=True, vertical="center")

    def write(self, title: str, village: str, lines: Sequence[Line]) -> None:
        self._shape(max(MOST_ROWS, len(lines)) + HEADER_ROW)
        self._sheet.append([self._cell(title, self._bold)])
        self._sheet.append([self._cell(VILLAGE_LABEL, self._bold), self._cell(village)])
        self._sheet.append([self._cell(f"Satu baris satu orang. Baca lembar {GUIDE}.")])
        self._sheet.append([self._heading(text) for text in self._headings()])
        for line in lines:
            self._sheet.append(self._line(line))

    def _headings(self) -> list[str]:
        return [c.heading for c in self._columns] + ([FAULTS] if self._with_faults else [])

    def _shape(self, last: int) -> None:
        """Widths, text columns, the frozen header, drop-downs."""
        from openpyxl.utils import get_column_letter
        from openpyxl.worksheet.dimensions import ColumnDimension

        self._sheet.freeze_panes = f"A{HEADER_ROW + 1}"
        for n, column in enumerate(self._columns, 1):
            letter = get_column_letter(n)
            dimension = ColumnDimension(self._sheet, index=letter, width=column.width)
            dimension.number_format = "@"
            self._sheet.column_dimensions[letter] = dimension
            if column.choices:
                self._sheet.data_validations.append(_choice(column, n, letter, last))
        if self._with_faults:
            letter = get_column_letter(len(self._columns) + 1)
            self._sheet.column_dimensions[letter].width = 70

    def _line(self, line: Line) -> list[Any]:
        cells = [
            self._value(line.cells[n], column, column.name in line.faults)
            for n, column in enumerate(self._columns)
        ]
        if self._with_faults:
            cells.append(self._cell("; ".join(_sentences(self._columns, line))))
        return cells

    def _value(self, value: object, column: Column, wrong: bool) -> Any:
        if isinstance(value, datetime | date):
            value = f"{value:%d-%m-%Y}"
        text = "" if value is None else str(value)
        if not wrong and _plainly_text(text, column):
            return text or None  # ten thousand rows of made cells take seconds
        cell = self._cell(text)
        if wrong:
            cell.fill = self._wrong
        return cell

    def _heading(self, text: str) -> Any:
        cell = self._cell(text, self._white)
        cell.fill, cell.alignment = self._head, self._wrap
        return cell

    def _cell(self, text: str, font: Any = None) -> Any:
        return text_cell(self._sheet, text, font)


def text_cell(sheet: Any, text: str, font: Any = None) -> Any:
    """A cell that is text whatever it says: no number to be rounded, no formula."""
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

    cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", text))
    cell.data_type, cell.number_format = "s", "@"
    if font:
        cell.font = font
    return cell


def _plainly_text(text: str, column: Column) -> bool:
    """Nothing that a spreadsheet could take for a number or a formula, now or when it is mended.

    An empty cell is text already: its column is.
    """
    return not text or (not column.digits and text[0].isalpha() and text.isprintable())


def _sentences(columns: Sequence[Column], line: Line) -> Iterator[str]:
    headings = {column.name: column.heading for column in columns}
    for name, said in line.faults.items():
        heading = headings.get(name)
        yield f"{heading}: {said}" if heading else said


def _choice(column: Column, n: int, letter: str, last: int) -> Any:
    """A drop-down whose list stands on its own sheet: within a cell it may not be long."""
    from openpyxl.utils import get_column_letter
    from openpyxl.worksheet.datavalidation import DataValidation

    listed = get_column_letter(n)
    found = DataValidation(
        type="list",
        formula1=f"{LISTS}!${listed}$2:${listed}${len(column.choices) + 1}",
        allow_blank=True,
        showErrorMessage=True,
        errorTitle=column.heading,
        error=UNKNOWN,
    )
    found.add(f"{letter}{HEADER_ROW + 1}:{letter}{last}")
    return found


def _lists(sheet: Any, columns: Sequence[Column]) -> None:
    """Each column's choices under its heading, in the column of the same letter."""
    sheet.append([text_cell(sheet, c.heading if c.choices else "") for c in columns])
    for n in range(max(len(column.choices) for column in columns)):
        row = [column.choices[n] if n < len(column.choices) else "" for column in columns]
        sheet.append([text_cell(sheet, text) if text else None for text in row])


def _guide(sheet: Any, loket: Loket, service: ProposalService) -> None:
    from openpyxl.styles import Alignment, Font

    sheet.column_dimensions["A"].width = 110
    programmes = ", ".join(purpose.title.id for purpose in service.purposes)
    lines = (
        service.notice.id,
        "Satu baris satu orang. Tulis seluruh anggota keluarga pada KK, kepala keluarga dahulu.",
        "Anggota satu keluarga ditandai dengan nomor KK yang sama.",
        f"Program dan jumlah anggota KK cukup pada baris kepala keluarga. Program: {programmes}.",
        "NIK dan nomor KK 16 angka, sebagai teks. Sel sudah diatur sebagai teks: jangan diubah.",
        "Bila menempel dari tabel lain, pakai Tempel Khusus > Nilai/Teks.",
        "Tanggal lahir ditulis 31-12-1990 (tanggal-bulan-tahun).",
        f"Hubungan keluarga: {', '.join(RELATIONS)}.",
        f"Disabilitas dikosongkan bila tidak ada; selain itu: {', '.join(DISABILITIES)}.",
        "Alamat anggota yang dikosongkan sama dengan alamat kepala keluarga.",
        "Jangan mengubah judul kolom, jangan memakai rumus, paling banyak 20.000 baris.",
        f"Desa pada baris kedua lembar {SHEET} tidak boleh diubah: satu berkas untuk satu desa.",
    )
    sheet.append([text_cell(sheet, f"Petunjuk pengisian · {service.title.id}", Font(bold=True))])
    for n, line in enumerate(lines, 1):
        cell = text_cell(sheet, f"{n}. {line}")
        cell.alignment = Alignment(wrap_text=True)
        sheet.append([cell])
    sheet.append([text_cell(sheet, loket.profile.office.name)])
