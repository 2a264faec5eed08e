"""Schools and hospitals that verify many letters at once: known by a key, their codes in a CSV.

A key is shown once and kept as its SHA-256. It opens nothing that a single code does not open: it
only lets its holder ask for many, and tells the office who asks for how many.
"""

import csv
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from io import StringIO
from itertools import islice
from typing import Final

from kiosk import limits, verification
from kiosk.errors import Invalid, NotAllowed, NotFound, TooMany
from kiosk.loket import Loket
from kiosk.seal import DIGITS, digits_in
from kiosk.staff import Actor
from kiosk.verification import Verdict
from kiosk.words import inert
from models import Audit, Institution, transaction

MOST_CODES = 10_000
CODES_A_DAY = 100_000
DAY_S = 24 * 3600
WRONG_KEYS, WRONG_S = 10, 600
LONGEST_NAME = 80
HEADINGS: Final = (
    "baris", "kode", "hasil", "nomor", "nama", "nik_akhir", "terbit", "berlaku_sampai", "dinas",
    "pengganti", "catatan",
)  # fmt: skip
# Columns that a file of many may have its codes in; without one, it is the first.
CODE_COLUMNS = ("kode", "code", "url", "alamat", "qr")
LONGEST_LINE = 20_000
NO_CSV = "Berkas ini bukan CSV yang dapat dibaca."
# No sign of a code or an address, and some spreadsheets would begin another cell at it.
_PARTING = re.compile(r"[\s;,|\"']+")


@dataclass(frozen=True)
class InstitutionView:
    """An institution as the admin sees it; `codes` is how many it has asked for so far."""

    id: int
    name: str
    created_at: int
    used_at: int | None
    codes: int
    revoked_at: int | None


def add(name: str, actor: Actor, now: int) -> str:
    """A new institution; its key, which is told this once. Raises Invalid."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        raise Invalid({"name": f"Tulis nama lembaga, paling banyak {LONGEST_NAME} huruf."})
    key = f"loket15-{secrets.token_urlsafe(24)}"
    with transaction():
        if Institution.select().where(Institution.name == name).exists():
            raise Invalid({"name": "Lembaga ini sudah ada. Buat kunci baru untuknya di daftar."})
        Institution.create(name=name, key_hash=_hash(key), created_at=now, created_by=actor.id)
        Audit.create(at=now, actor=actor.id, what="tambah lembaga", subject=name)
    return key


def renew(institution_id: int, actor: Actor, now: int) -> tuple[str, str]:
    """Another key for the institution, told this once, and its name; the old one is void.

    Raises NotFound.
    """
    key = f"loket15-{secrets.token_urlsafe(24)}"
    with transaction():
        row = _row(institution_id)
        Institution.update(key_hash=_hash(key), revoked_at=None).where(
            Institution.id == institution_id
        ).execute()
        Audit.create(at=now, actor=actor.id, what="kunci lembaga baru", subject=row.name)
    return str(row.name), key


def revoke(institution_id: int, actor: Actor, now: int) -> None:
    """Its key opens nothing any more. Raises NotFound."""
    with transaction():
        row = _row(institution_id)
        Institution.update(revoked_at=now).where(
            (Institution.id == institution_id) & Institution.revoked_at.is_null()
        ).execute()
        Audit.create(at=now, actor=actor.id, what="cabut lembaga", subject=row.name)


def listed() -> tuple[InstitutionView, ...]:
    """All institutions, by name."""
    return tuple(
        InstitutionView(row.id, row.name, row.created_at, row.used_at, row.codes, row.revoked_at)
        for row in Institution.select().order_by(Institution.name)
    )


def _row(institution_id: int) -> Institution:
    row = Institution.get_or_none(Institution.id == institution_id)
    if row is None:
        raise NotFound("Lembaga ini tidak ada.")
    found: Institution = row
    return found


def of_key(key: str, address: str, now: int) -> int:
    """The id of the institution with this key.

    Raises NotAllowed, and TooMany past ten wrong keys in ten minutes from this address.
    """
    known = (Institution.key_hash == _hash(key.strip())) & Institution.revoked_at.is_null()
    row = Institution.get_or_none(known)
    if row is None:
        limits.spend(f"kunci lembaga|{address}", WRONG_KEYS, WRONG_S, now)
        raise NotAllowed("Kunci lembaga ini tidak dikenal atau sudah dicabut.")
    return int(row.id)


def _hash(key: str) -> str:
    """A key has 192 bits of its own, so a plain hash cannot be guessed."""
    return sha256(key.encode()).hexdigest()


# ── Many codes ──


def verify(loket: Loket, institution_id: int, data: bytes, now: int) -> str:
    """A CSV of codes → a CSV of results in the same order, a line each; see `HEADINGS`.

    Counted for the institution. Raises Invalid for a file that cannot be read or is too long, and
    TooMany past its codes of a day.
    """
    codes = _codes(data)
    _count(institution_id, len(codes), now)
    verdicts = verification.check_many(loket, codes, now)
    table = StringIO()
    writer = csv.writer(table, lineterminator="\r\n")
    writer.writerow(HEADINGS)
    for line, (code, verdict) in enumerate(zip(codes, verdicts, strict=True), 1):
        row = _row_of(loket, line, code, verdict)
        writer.writerow([inert(cell) for cell in row])
    return table.getvalue()


def _count(institution_id: int, many: int, now: int) -> None:
    """Add them to the day's and to all."""
    with transaction():
        row = _row(institution_id)
        fresh = now - row.day_at >= DAY_S
        today = many if fresh else row.day_codes + many
        if today > CODES_A_DAY:
            raise TooMany("Batas kode untuk hari ini tercapai. Lanjutkan besok.")
        Institution.update(
            used_at=now,
            codes=Institution.codes + many,
            day_at=now if fresh else row.day_at,
            day_codes=today,
        ).where(Institution.id == institution_id).execute()


def _row_of(loket: Loket, line: int, code: str, verdict: Verdict) -> Sequence[str]:
    newer = verdict.replacement
    return (
        str(line),
        _PARTING.sub(" ", code).strip(),
        verdict.code,
        verdict.number,
        verdict.name,
        verdict.nik_end,
        verdict.issued.isoformat() if verdict.issued else "",
        verdict.until.isoformat() if verdict.until else "",
        verdict.office,
        loket.base_url + newer if newer.startswith("/") else newer,
        _remark(digits_in(code)),
    )


def _remark(digits: str) -> str:
    """Why a code cannot be one, where that is plain: a spreadsheet spoils a bare number."""
    if len(digits) == DIGITS:
        return ""
    return f"Kode tidak utuh: {len(digits)} angka, seharusnya {DIGITS}. Simpan sebagai teks."


def _codes(data: bytes) -> list[str]:
    """The codes of a CSV: of the column with a known heading, else of the first. Raises Invalid."""
    filled = (row for row in _rows(_text(data)) if any(cell.strip() for cell in row))
    rows = list(islice(filled, MOST_CODES + 2))  # with its heading one too many
    column = 0
    if rows:
        heading = [cell.strip().lower() for cell in rows[0]]
        column = next((heading.index(name) for name in CODE_COLUMNS if name in heading), 0)
        if column or heading[0] in CODE_COLUMNS or not re.search("[0-9]", heading[0]):
            rows = rows[1:]
    codes = [row[column].strip()[:2000] if len(row) > column else "" for row in rows]
    if not codes:
        raise Invalid({"file": "Berkas ini tidak berisi kode. Satu kode atau alamat tiap baris."})
    if len(codes) > MOST_CODES:
        raise Invalid({"file": f"Paling banyak {MOST_CODES} kode sekali kirim. Bagi berkasnya."})
    return codes


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Excel of an Indonesian Windows. All that matters is ASCII.
        return data.decode("cp1252", "replace")


def _rows(text: str) -> Iterator[list[str]]:
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t|", key=first.count)
    try:
        yield from csv.reader(_lines(text.replace("\0", "")), delimiter=delimiter)
    except csv.Error:
        raise Invalid({"file": NO_CSV}) from None


def _lines(text: str) -> Iterator[str]:
    """Line by line, none longer than any list of ours: eight million commas are as many cells."""
    for line in StringIO(text):
        if len(line) > LONGEST_LINE:
            raise Invalid({"file": NO_CSV})
        yield line
