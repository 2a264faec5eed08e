"""NIK, KK and names: their form, and how much of them may be shown.

NIK: PPKKCC (place of first registration; it survives moves) + DDMMYY (day + 40 for women) +
a serial of four digits (PP 37/2007 Ps 37). A KK number has 16 digits; no more is confirmed.
"""

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from typing import Literal

Sex = Literal["L", "P", ""]
NikWarning = Literal["birth_date", "sex"]

MASK = "•"
DIGITS = 16
WOMAN_DAY = 40

FAULT_TEXTS = {
    "digits": "Isi dengan 16 angka.",
    "day": "Angka tanggal lahir di dalam NIK tidak mungkin.",
    "date": "Tanggal lahir di dalam NIK tidak ada di kalender.",
    "serial": "Nomor urut di akhir NIK tidak boleh 0000.",
}
WARNING_TEXTS: dict[NikWarning, str] = {
    "birth_date": "Tanggal lahir tidak sama dengan yang ada di dalam NIK.",
    "sex": "Jenis kelamin tidak sama dengan yang ada di dalam NIK.",
}

_SPACERS = re.compile(r"[\s.\-]+")
_APOSTROPHES = str.maketrans("’‘`´", "''''")  # noqa: RUF001 - what people type for one


def nik_fault(text: str) -> str | None:
    """What is wrong with the form of a NIK: a key of FAULT_TEXTS, or None."""
    if not _sixteen(text):
        return "digits"
    day = int(text[6:8])
    if day > WOMAN_DAY:
        day -= WOMAN_DAY
    if not 1 <= day <= 31:
        return "day"
    try:
        # 20YY has every date that 19YY has, and 29 February 2000 besides.
        date(2000 + int(text[10:12]), int(text[8:10]), day)
    except ValueError:
        return "date"
    return "serial" if text[12:] == "0000" else None


def kk_fault(text: str) -> str | None:
    """What is wrong with the form of a KK number: a key of FAULT_TEXTS, or None."""
    return None if _sixteen(text) else "digits"


def check_nik(text: str) -> str:
    """The 16 digits of a NIK as typed (spaces, dots and hyphens fall away).

    Raises ValueError with an Indonesian sentence that does not repeat the number.
    """
    return _checked(text, nik_fault)


def check_kk(text: str) -> str:
    """The 16 digits of a KK number as typed; ValueError as `check_nik`."""
    return _checked(text, kk_fault)


def nik_warnings(nik: str, birth_date: date | None, sex: Sex) -> list[NikWarning]:
    """Where a well-formed NIK does not agree with a person's other data.

    Never a reason to refuse: a NIK keeps the mistakes of its first registration. What is not
    known (None, "") is not compared.
    """
    day = int(nik[6:8])
    woman = day > WOMAN_DAY
    warnings: list[NikWarning] = []
    if birth_date and f"{birth_date:%d%m%y}" != f"{day - WOMAN_DAY * woman:02}{nik[8:12]}":
        warnings.append("birth_date")
    if sex and woman != (sex == "P"):
        warnings.append("sex")
    return warnings


def mask_nik(number: str) -> str:
    """A NIK or KK number for lists: "360201••••••0001". Anything else is masked whole."""
    if not _sixteen(number):
        return MASK * len(number)
    return f"{number[:6]}{MASK * 6}{number[12:]}"


def group_nik(number: str) -> str:
    """In fours, to be read aloud or compared: "3602 0147 0890 0001"."""
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))


def last4(number: str) -> str:
    """The last four digits."""
    return number[-4:]


def mask_name(name: str) -> str:
    """The first letter of each word: "SITI AMINAH" → "S*** A*****"."""
    return " ".join(word[0] + "*" * max(1, len(word) - 1) for word in name.split())


def initials(name: str) -> str:
    """Up to three ASCII capitals: "Élia Nur Sa'adah Putri" → "ENS"."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().upper()
    letters = (re.search("[A-Z]", word) for word in plain.split())
    return "".join(found[0] for found in letters if found)[:3]


def normal_name(name: str) -> str:
    """A name for comparing: capitals, single spaces, one kind of apostrophe."""
    plain = unicodedata.normalize("NFKC", name.translate(_APOSTROPHES))
    return " ".join(plain.upper().split())


def _sixteen(text: str) -> bool:
    return len(text) == DIGITS and text.isascii() and text.isdigit()


def _checked(text: str, fault_of: Callable[[str], str | None]) -> str:
    digits = _SPACERS.sub("", text)
    fault = fault_of(digits)
    if fault:
        raise ValueError(FAULT_TEXTS[fault])
    return digits
