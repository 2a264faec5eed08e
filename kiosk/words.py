"""Dates, times and numbers as people read them, in Indonesian and English; cells. Pure."""

from datetime import date, datetime

MONTHS = {
    "id": (
        "Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September",
        "Oktober", "November", "Desember",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September",
        "October", "November", "December",
    ),
}  # fmt: skip
DAYS = {
    "id": ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII")


def long_date(day: date, lang: str = "id") -> str:
    """21 November 2026."""
    return f"{day.day} {MONTHS[lang][day.month - 1]} {day.year}"


def short_date(day: date, lang: str = "id") -> str:
    """21 Nov 2026."""
    return f"{day.day} {MONTHS[lang][day.month - 1][:3]} {day.year}"


def weekday(day: date, lang: str = "id") -> str:
    """Senin."""
    return DAYS[lang][day.weekday()]


def period(code: str) -> str:
    """November 2026, of the period 2026-11."""
    year, _, month = code.partition("-")
    return f"{MONTHS['id'][int(month) - 1]} {year}"


def clock_time(at: datetime, seconds: bool = False) -> str:
    """10.15, as Indonesian writes times; with seconds 10.15.02."""
    return at.strftime("%H.%M.%S" if seconds else "%H.%M")


def letter_number(pattern: str, no: int, day: date) -> str:
    """The office's number pattern filled in; `{no:03d}` and the like work."""
    return pattern.format(
        no=no, tahun=day.year, bulan=f"{day.month:02d}", bulan_romawi=ROMAN[day.month - 1]
    )


def thousands(count: int) -> str:
    """12.345, as Indonesian groups them."""
    return f"{count:,}".replace(",", ".")


def inert(text: str) -> str:
    """A cell of a CSV that a spreadsheet will not calculate."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
