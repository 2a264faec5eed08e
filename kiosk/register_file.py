"""A register export → the one table in it: encoding, delimiter, sheet and header are found out.

The file comes from outside: it is opened for reading only, looked at before it is unpacked, and
never held in memory whole.
"""

import codecs
import csv
import re
import warnings
import zipfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeVar

from kiosk.errors import Unusable
from kiosk.register_columns import Columns, columns_of

TEXT_BYTES_MAX: Final = 2_000_000_000
LINE_CHARS_MAX: Final = 100_000
XLSX_BYTES_MAX: Final = 200_000_000
XLSX_PARTS_MAX: Final = 2_000
XLSX_UNPACKED_MAX: Final = 1_500_000_000
XLSX_HELD_MAX: Final = 200_000_000  # of a part that is held in memory: the shared strings
XLSX_RATIO_MAX: Final = 100
XLSX_RATIO_FREE: Final = 1_000_000  # a small part may be as dense as it likes
COLUMNS_MAX: Final = 200
HEADER_ROWS_MAX: Final = 30
RECORD_LINES_MAX: Final = 20
CONTROLS_FREE: Final = 8

DELIMITERS: Final = "|;\t,"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_BOMS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\f\r"))
_XML_START = re.compile(rb"(\xef\xbb\xbf)?\s*(<\?xml[^>]*\?>\s*)?<[A-Za-z]")

NOT_A_TABLE = "Berkas ini bukan tabel: pilih ekspor SIKS-NG berbentuk CSV, TXT, atau XLSX."
DAMAGED = "Berkas rusak atau tidak lengkap: ekspor atau unduh sekali lagi."
TOO_LARGE = "Berkas menjadi terlalu besar bila dibuka: bagi menjadi beberapa berkas."

Headings = Mapping[str, Sequence[str]]
T = TypeVar("T")


@dataclass(frozen=True)
class Table:
    """The table of a file. `rows` gives (row number as the file counts, from 1; cells)."""

    columns: Columns
    rows: Iterator[tuple[int, Sequence[object]]]
    done: Callable[[], int]
    total: int  # in the unit of `done`: bytes of a text, rows of a sheet (0: not told)


@contextmanager
def open_table(path: Path, own_headings: Headings | None = None) -> Iterator[Table]:
    """Open an export. Raises Unusable, with one line for the clerk, if it holds no register."""
    head, size = _look_at(path)
    if head.startswith(b"PK"):
        with _xlsx_table(path, size, own_headings or {}) as table:
            yield table
    else:
        with _text_table(path, size, own_headings or {}) as table:
            yield table


def _look_at(path: Path) -> tuple[bytes, int]:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
            size = path.stat().st_size
    except OSError as error:
        raise Unusable("Berkas tidak ada atau tidak dapat dibaca.") from error
    if not head.strip():
        raise Unusable("Berkas kosong.")
    if head.startswith(_OLD_OFFICE):
        raise Unusable("Berkas XLS lama atau bersandi: simpan sebagai XLSX atau CSV tanpa sandi.")
    return head, size


def _the_header(found: Sequence[Columns]) -> int:
    """Which row of those at the top is the header; Unusable, and why, if none is."""
    with_nik = [place for place, columns in enumerate(found) if columns.has("nik")]
    if not with_nik:
        single = all(len(columns.headings) < 2 for columns in found)
        raise Unusable(NOT_A_TABLE if single else "Berkas ini tidak mempunyai kolom NIK.")
    best = max(with_nik, key=lambda place: found[place].score)
    if not found[best].has("kk"):
        raise Unusable("Berkas ini tidak mempunyai kolom nomor KK.")
    if not found[best].has("name"):
        raise Unusable("Berkas ini tidak mempunyai kolom nama.")
    return best


# --- text -----------------------------------------------------------------------------------


class _Lines:
    """Lines of a text, for csv.reader: a record takes a few at most, and they can be put back.

    Else a quote that is never closed would swallow the people below it, unnoticed.
    """

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._waiting: deque[str] = deque()
        self.number = 0
        self.record: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if len(self.record) == RECORD_LINES_MAX:
            raise StopIteration
        line = self._waiting.popleft() if self._waiting else self._text.readline(LINE_CHARS_MAX)
        if not line:
            raise StopIteration
        if len(line) == LINE_CHARS_MAX:
            raise Unusable(NOT_A_TABLE)
        self.number += 1
        self.record.append(line)
        return line

    def put_back(self) -> None:
        """All lines of this record but its first are to be read again."""
        again = self.record[1:]
        self._waiting.extendleft(reversed(again))
        self.number -= len(again)


@contextmanager
def _text_table(path: Path, size: int, own: Headings) -> Iterator[Table]:
    if size > TEXT_BYTES_MAX:
        raise Unusable(TOO_LARGE)
    encoding = _encoding(path)
    with path.open("rb") as raw, TextIOWrapper(raw, encoding, "replace", newline="") as text:
        delimiter, columns, skip = _text_header(text, own)
        text.seek(0)
        lines = _Lines(text)
        for _ in range(skip):
            lines.record.clear()
            next(lines)
        yield Table(columns, _text_rows(lines, delimiter, columns), raw.tell, size)


def _encoding(path: Path) -> str:
    """Looked for in the whole file: the first letter beyond ASCII may stand on its last line."""
    with path.open("rb") as file:
        head = file.read(4096)
        for mark, encoding in _BOMS.items():
            if head.startswith(mark):
                return encoding
        zeros = head[1::2].count(0), head[::2].count(0)
        if max(zeros) > len(head) * 0.3:
            return "utf-16-le" if zeros[0] > zeros[1] else "utf-16-be"
    return "utf-8" if _is_utf8(path) else "cp1252"


def _is_utf8(path: Path) -> bool:
    """Whether the whole file is UTF-8; Unusable if it is no text at all."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    controls, right = 0, True
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            if b"\0" in block:
                raise Unusable(DAMAGED)
            controls += len(block) - len(block.translate(None, _CONTROLS))
            right = right and _decodes(decoder, block)
        if controls > max(CONTROLS_FREE, file.tell() // 1000):
            raise Unusable(NOT_A_TABLE)
    return right and _decodes(decoder, b"", final=True)


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _text_header(text: TextIOWrapper, own: Headings) -> tuple[str, Columns, int]:
    """Delimiter, header, and how many lines lie before the first row under it."""
    head = [line for line in (text.readline(LINE_CHARS_MAX) for _ in range(60)) if line]
    if any(len(line) == LINE_CHARS_MAX for line in head):
        raise Unusable(NOT_A_TABLE)
    found = [
        (delimiter, columns_of(cells, own), line)
        for delimiter in DELIMITERS
        for cells, line in _head_records(head, delimiter)
    ]
    return found[_the_header([columns for _, columns, _ in found])]


def _head_records(head: Sequence[str], delimiter: str) -> Iterator[tuple[list[str], int]]:
    reader = csv.reader(head, delimiter=delimiter)
    for _ in range(HEADER_ROWS_MAX):
        try:
            cells = next(reader, None)
        except csv.Error:
            continue
        if cells is None:
            return
        yield cells[:COLUMNS_MAX], reader.line_num


def _text_rows(
    lines: _Lines, delimiter: str, columns: Columns
) -> Iterator[tuple[int, Sequence[object]]]:
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        lines.record.clear()
        number = lines.number + 1
        cells = _next_record(reader)
        if cells is None and not lines.record:
            return
        if cells is None or (len(lines.record) > 1 and len(cells) != len(columns.headings)):
            cells = lines.record[:1]  # a quote left open: too narrow, so held out by itself
            lines.put_back()
        yield number, cells


def _next_record(reader: Iterator[list[str]]) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error:
        return None


# --- XLSX -----------------------------------------------------------------------------------


@contextmanager
def _xlsx_table(path: Path, size: int, own: Headings) -> Iterator[Table]:
    import openpyxl  # here: it takes longer than the rest of the import, and most files are CSV

    # Handed over open: openpyxl would judge a name by its ending, and an upload has none.
    with path.open("rb") as file, warnings.catch_warnings():
        check_archive(file, size)
        warnings.simplefilter("ignore")  # openpyxl's, about looks that no one reads here
        book = guarded(
            lambda: openpyxl.load_workbook(
                file, read_only=True, data_only=True, keep_links=False, rich_text=False
            )
        )
        try:
            yield guarded(lambda: _sheet_table(book, own))
        finally:
            book.close()


def check_archive(file: BinaryIO, size: int) -> None:
    """Refuse a spreadsheet that would unpack into too much, or that brings its own entities.

    By declared sizes: zipfile reads no more of a part than it declares. Raises Unusable.
    """
    if size > XLSX_BYTES_MAX:
        raise Unusable(TOO_LARGE)
    archive = guarded(lambda: zipfile.ZipFile(file))
    with archive:
        parts = archive.infolist()
        if "xl/workbook.xml" not in archive.namelist():
            raise Unusable(NOT_A_TABLE)
        if len(parts) > XLSX_PARTS_MAX or sum(p.file_size for p in parts) > XLSX_UNPACKED_MAX:
            raise Unusable(TOO_LARGE)
        for part in parts:
            _check_part(archive, part)


def _check_part(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> None:
    dense = part.file_size > XLSX_RATIO_MAX * max(1, part.compress_size)
    if dense and part.file_size > XLSX_RATIO_FREE:
        raise Unusable(TOO_LARGE)
    streamed = part.filename.startswith("xl/worksheets/")
    if not streamed and part.file_size > XLSX_HELD_MAX:
        raise Unusable(TOO_LARGE)
    if part.filename.endswith((".xml", ".rels")):
        with guarded(lambda: archive.open(part)) as file:
            start = guarded(lambda: file.read(1024))
        if not _XML_START.match(start):  # a DOCTYPE would have to stand before the root
            raise Unusable(DAMAGED)


def _sheet_table(book: Any, own: Headings) -> Table:
    declared = {sheet.title: sheet.max_row or 0 for sheet in book.worksheets}
    found = [
        (sheet, number, columns_of(_filled(cells), own))
        for sheet in book.worksheets
        for number, cells in enumerate(_top_rows(sheet), 1)
    ]
    sheet, number, columns = found[_the_header([columns for _, _, columns in found])]
    rows = sheet.iter_rows(min_row=number + 1, max_col=len(columns.headings), values_only=True)
    counted = _Counted(guarded_rows(rows), number)
    return Table(columns, counted, lambda: counted.number, declared[sheet.title])


class _Counted:
    """Rows with their numbers; the last one read is kept for the progress."""

    def __init__(self, rows: Iterator[Sequence[object]], number: int) -> None:
        self._rows = rows
        self.number = number

    def __iter__(self) -> "_Counted":
        return self

    def __next__(self) -> tuple[int, Sequence[object]]:
        cells = next(self._rows)
        self.number += 1
        return self.number, cells


def _top_rows(sheet: Any) -> Iterator[Sequence[object]]:
    sheet.reset_dimensions()  # what a sheet declares of its size is often wrong
    rows = sheet.iter_rows(max_row=HEADER_ROWS_MAX, max_col=COLUMNS_MAX, values_only=True)
    yield from rows


def _filled(cells: Sequence[object]) -> Sequence[object]:
    width = max((place + 1 for place, cell in enumerate(cells) if cell is not None), default=0)
    return cells[:width]


def guarded(act: Callable[[], T]) -> T:
    """What `act` gives; Unusable if the file turns out to be damaged."""
    try:
        return act()
    except Unusable:
        raise
    except Exception as error:  # zipfile, expat and openpyxl raise any class on a damaged file
        raise Unusable(DAMAGED) from error


def guarded_rows(rows: Iterator[Sequence[object]]) -> Iterator[Sequence[object]]:
    """The same for each row as it is read."""
    while (cells := guarded(lambda: next(rows, None))) is not None:
        yield cells
