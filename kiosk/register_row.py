"""One row of a register export → a person, or the reason why not."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, Final

from kiosk.identity import kk_fault, nik_fault
from kiosk.register_columns import PROGRAMMES, Columns, canonical, tidy

_EXCEL_DAY_0 = date(1899, 12, 30)

REASONS: Final = {
    "nik_form": "NIK tidak terdiri atas 16 angka atau tidak mungkin (tanggal, nomor urut 0000).",
    "nik_number": "NIK tersimpan sebagai bilangan sehingga angka akhirnya tidak dapat dipercaya: "
    "ekspor ulang dengan kolom NIK sebagai teks.",
    "kk_form": "Nomor KK tidak terdiri atas 16 angka.",
    "kk_number": "Nomor KK tersimpan sebagai bilangan sehingga angka akhirnya tidak dapat "
    "dipercaya: ekspor ulang dengan kolom KK sebagai teks.",
    "name_missing": "Nama kosong.",
    "row_width": "Jumlah kolom pada baris ini tidak sama dengan baris judul.",
    "duplicate": "Sama persis dengan baris {other}; baris itu yang dipakai.",
    "conflict": "NIK sama dengan baris {other} tetapi isinya berbeda; keduanya tidak dipakai.",
}

_YES: Final = frozenset({"ya", "y", "iya", "yes", "true", "1", "aktif", "penerima", "v", "x", "✓"})

_NUMBER = re.compile(r"\d+([.,]\d+)?[eE]\+?\d+|\d{1,3}([.,]\d{3}){3,}|\d{10,}[.,]\d*")
_TOTAL = re.compile(
    r"(grand|sub)?(jumlah|total)(seluruhnya|keseluruhan|semua|penerima|orang|jiwa|kpm|keluarga|data|\d)*"
)
_ISO_DATE = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ].*)?")
_DAY_FIRST = re.compile(r"(\d{1,2})[-/. ]+(\d{1,2}|[a-z]+)[-/., ]+(\d{4}|\d{2})(?:[T ].*)?", re.I)
_PACKED_DATE = re.compile(r"(\d{4})(\d{2})(\d{2})")
_AID_SEPARATOR = re.compile(r"[,;+/&|]|\bdan\b", re.I)
_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "mei", "jun", "jul", "agu", "sep", "okt", "nov", "des"),
    *("jan", "peb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nop", "dec"),
    *("jan", "feb", "mar", "apr", "mei", "jun", "jul", "agt", "sep", "okt", "nov", "des"),
    *("jan", "feb", "mar", "apr", "mei", "jun", "jul", "ags"),
)


@dataclass(frozen=True)
class Person:
    """One person of the register. What the export does not say is "" or None."""

    nik: str
    kk: str
    name: str
    birth_place: str = ""
    birth_date: str = ""  # ISO
    sex: str = ""  # L or P
    address: str = ""
    rt: str = ""
    rw: str = ""
    village: str = ""
    district: str = ""
    register_id: str = ""
    rank: int | None = None  # desil, 1 to 10
    programmes: tuple[str, ...] = ()
    match: str = ""  # PADAN or TIDAK PADAN
    relation: str = ""

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**self.__dict__, "programmes": list(self.programmes)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Person":
        """The person that `as_dict` was called on."""
        return cls(**{**data, "programmes": tuple(data["programmes"])})

    def to_bytes(self) -> bytes:
        """As the snapshot keeps it: a JSON list, half the size and time of `as_dict`'s."""
        return json.dumps(list(self.__dict__.values())).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> "Person":
        """The person that `to_bytes` was called on."""
        return cls.from_dict(dict(zip(_FIELDS, json.loads(data), strict=True)))


_FIELDS: Final = tuple(field.name for field in fields(Person))


@dataclass(frozen=True)
class Fault:
    """Why a row is no person: a key of REASONS, and the heading of the column it lies in."""

    column: str
    reason: str


def read_person(
    cells: Sequence[object], texts: Sequence[str], columns: Columns, year: int
) -> Person | Fault:
    """The person of a row, or its first fault.

    `texts` are the `cells` tidied; `year` is now's, for birth years of two digits.
    """
    if not _fits(texts, columns):
        return Fault("", "row_width")
    fault = _identity_fault(cells, texts, columns)
    if fault:
        return fault
    if not any(map(str.isalpha, texts[columns.at["name"]])):
        return Fault(columns.heading("name"), "name_missing")
    born = cells[columns.at["birth_date"]] if columns.has("birth_date") else ""
    return _person([*texts, ""], columns, iso_date(born, year), year)


def _person(texts: Sequence[str], columns: Columns, born: str, year: int) -> Person:
    at = columns.at  # a column that there is not (-1) reads as empty: the last of the texts
    place, born = _birth(texts, at, born, year)
    rt, rw = _rt_rw(texts, at)
    return Person(
        nik=texts[at["nik"]],
        kk=texts[at["kk"]],
        name=texts[at["name"]],
        birth_place=place,
        birth_date=born,
        sex=_sex(texts[at["sex"]]),
        address=texts[at["address"]],
        rt=rt,
        rw=rw,
        village=texts[at["village"]],
        district=texts[at["district"]],
        register_id=texts[at["register_id"]],
        rank=_rank(texts[at["rank"]]),
        programmes=_programmes(texts, columns),
        match=_match(texts[at["match"]]),
        relation=texts[at["relation"]],
    )


def no_person(texts: Sequence[str], columns: Columns) -> bool:
    """Whether a faulty row was never meant as a person: empty, a total, the header again, 1 2 3."""
    filled = [text for place, text in enumerate(texts) if text and place not in columns.counters]
    if not filled or any(_TOTAL.fullmatch(canonical(text)) for text in (*texts[:1], filled[0])):
        return True
    if tuple(texts) == columns.headings[: len(texts)]:
        return True
    return all(text.strip("() ") == str(at) for at, text in enumerate(texts, 1) if text)


def content(texts: Sequence[str], columns: Columns) -> str:
    """All that a row says, running numbers aside: equal for an identical repeat."""
    if columns.counters:
        texts = [text for place, text in enumerate(texts) if place not in columns.counters]
    return "\x1f".join(texts)


def _fits(texts: Sequence[str], columns: Columns) -> bool:
    if len(texts) < columns.narrowest:
        return False
    return len(texts) <= len(columns.headings) or not any(texts[len(columns.headings) :])


def _identity_fault(
    cells: Sequence[object], texts: Sequence[str], columns: Columns
) -> Fault | None:
    for field, fault_of in (("nik", nik_fault), ("kk", kk_fault)):
        place = columns.at[field]
        wrong = fault_of(texts[place])
        if not isinstance(cells[place], str) or wrong:
            number = _is_number(cells[place], texts[place])
            return Fault(columns.headings[place], f"{field}_{'number' if number else 'form'}")
    return None


def _is_number(cell: object, text: str) -> bool:
    """A spreadsheet keeps 15 digits of a number: the 16th is lost, so it is never guessed."""
    if isinstance(cell, int | float):
        return True
    return bool(_NUMBER.fullmatch(text.replace(" ", "")))


def _birth(texts: Sequence[str], at: Mapping[str, int], born: str, year: int) -> tuple[str, str]:
    place = texts[at["birth_place"]]
    if at["birth"] >= 0 and not (place and born):
        first, _, rest = texts[at["birth"]].partition(",")
        return place or first.strip(), born or iso_date(rest, year)
    return place, born


def _rt_rw(texts: Sequence[str], at: Mapping[str, int]) -> tuple[str, str]:
    if at["rt_rw"] >= 0 and at["rt"] < 0:
        rt, _, rw = texts[at["rt_rw"]].partition("/")
        return rt.strip(), rw.strip()
    return texts[at["rt"]], texts[at["rw"]]


def iso_date(cell: object, year: int) -> str:
    """A date of a file as ISO text, "" where it is none or could be two. `year` is now's.

    Day before month. A year of two digits counts only where 20YY is yet to come.
    """
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    if isinstance(cell, int | float):
        serial = 1 < cell < 80_000  # a spreadsheet's day number
        return (_EXCEL_DAY_0 + timedelta(days=int(cell))).isoformat() if serial else ""
    return _iso_text(tidy(cell), year)


@lru_cache(maxsize=1 << 16)
def _iso_text(text: str, year: int) -> str:
    if found := _DAY_FIRST.fullmatch(text):
        day, month, years = found.groups()
    elif found := _ISO_DATE.fullmatch(text) or _PACKED_DATE.fullmatch(text):
        years, month, day = found.groups()
    else:
        return ""
    try:
        return date(_year(years, year), _month(month), int(day)).isoformat()
    except ValueError:
        return ""


def _year(text: str, now: int) -> int:
    if len(text) == 4:
        return int(text)
    if 2000 + int(text) <= now:
        raise ValueError("either century")
    return 1900 + int(text)


def _month(text: str) -> int:
    return int(text) if text.isdigit() else _MONTHS.index(text[:3].lower()) % 12 + 1


def _sex(text: str) -> str:
    if text in ("L", "P"):
        return text
    word = canonical(text).lstrip("0123456789")
    if word in ("l", "lk", "pria") or word.startswith("laki"):
        return "L"
    return "P" if word in ("p", "pr", "wanita") or word.startswith("perempuan") else ""


def _rank(text: str) -> int | None:
    digits = canonical(text).removeprefix("desil") if text else ""
    if digits.isascii() and digits.isdigit() and 1 <= int(digits) <= 10:
        return int(digits)
    return None


def _match(text: str) -> str:
    words = text.upper()
    if words in ("", "PADAN", "TIDAK PADAN"):
        return words
    if any(no in words for no in ("TIDAK", "BELUM", "NON", "TDK")) or words == "0":
        return "TIDAK PADAN"
    return "PADAN" if "PADAN" in words or words in ("YA", "Y", "1", "VALID") else ""


def _programmes(texts: Sequence[str], columns: Columns) -> tuple[str, ...]:
    names = [name for place, name in columns.aid_flags if texts[place].lower() in _YES]
    listed = texts[columns.at["aid"]]
    if listed and listed.lower() not in ("ya", "tidak"):
        words = filter(None, map(str.strip, _AID_SEPARATOR.split(listed)))
        names += [PROGRAMMES.get(canonical(word), word.upper()) for word in words]
    return tuple(dict.fromkeys(names))
