"""What a third party is told of a letter: one of eight results, nothing more than is allowed.

A letter of this office is judged by its row, one of another trusted office by the status list that
the office signed. Neither tells what the letter says of the person.
"""

import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from peewee import PeeweeException, chunked, fn

from kiosk import limits, seal, status_list, trust
from kiosk.errors import Invalid, LoketError
from kiosk.identity import last4, mask_name
from kiosk.key_file import KeyFile
from kiosk.loket import Loket
from kiosk.seal import BadSeal, Core
from models import Busy, Letter, db

VALID, EXPIRED, REVOKED = "sah", "kedaluwarsa", "dicabut"
REPLACED, BAD, UNKNOWN = "diganti", "tanda_tangan_tidak_sah", "status_belum_dapat_dicek"
NOT_ISSUED, SUSPENDED = "belum_terbit", "ditangguhkan"
CODES = (VALID, EXPIRED, REVOKED, REPLACED, SUSPENDED, NOT_ISSUED, BAD, UNKNOWN)
LISTED = {
    status_list.REVOKED: REVOKED,
    status_list.SUSPENDED: SUSPENDED,
    status_list.REPLACED: REPLACED,
}
TRIES, TRY_S = 5, 3600
# From one address; of one number from everywhere. The second is high, for a stranger who spends it
# shuts out whoever holds the paper; of its 2^40 codes it lets the right one be found in millennia.
ADDRESS_TRIES, NUMBER_TRIES = 20, 1000
NEWEST_AFTER = 100
NO_SUCH = "Nomor dan kode ini tidak cocok. Periksa keduanya: kodenya 8 tanda, di bawah kode QR."
NIK_LENGTH = "NIK terdiri atas 16 angka. Periksa ketikannya, lalu coba lagi."
SPENT = "Lima percobaan untuk surat ini sudah terpakai. Tunggu satu jam, atau tanyakan ke dinas."
NAME_MISSING = "Ketik nama lengkap seperti pada surat."


@dataclass(frozen=True)
class Verdict:
    """The answer; of a letter whose row is not ours to read only what the seal itself says.

    `signed` is how: office_key, bsre, wet_ink, or "" where it is not known. `replacement` is the
    path of the newest letter in its place. `address` is where the office's own QRs lead (no slash
    at the end); `own` is false for another office, then `page` is its own page of this letter and
    `listed_at` (UTC seconds) the age of the status list that was asked.
    """

    code: str
    checked_at: int
    number: str = ""
    name: str = ""
    nik_end: str = ""
    issued: date | None = None
    until: date | None = None
    revoked: date | None = None
    suspended: date | None = None
    office: str = ""
    address: str = ""
    signed: str = ""
    replacement: str = ""
    own: bool = True
    page: str = ""
    listed_at: int | None = None


@dataclass(frozen=True)
class Compared:
    """Whether NIK and name are those that were sealed; how many tries are `left` in this hour."""

    fits: bool
    left: int


def check(loket: Loket, digits: str, now: int) -> Verdict:
    """The seal's signature first, then the serial's row: without the key nothing is enumerated.

    A code of another trusted office is answered from its stored status list.
    """
    return check_many(loket, [digits], now)[0]


def check_many(loket: Loket, texts: Sequence[str], now: int) -> list[Verdict]:
    """`check` of each code or address, in their order, with the rows read together.

    An address of a trusted office says whose keys to ask: of a forged code without one all are.
    """
    sealed = [_sealed(loket, text) for text in texts]
    serials = {found[1].serial for found in sealed if found and found[0] is None}
    pairs = [*zip(map(seal.digits_in, texts), sealed, strict=True)]
    try:
        rows = _rows(serials)
        return [_judged(loket, digits, found, rows, now) for digits, found in pairs]
    except Busy:
        return [_judged(loket, digits, found, {}, now) for digits, found in pairs]


def state(loket: Loket, digits: str) -> tuple[Any, ...] | None:
    """All that the verdict of a code of ours depends on, beside the day; None for no such letter.

    Cheap: the seal is not checked, one row is read by its columns. Equal states, equal verdicts.
    None too where table or keys cannot be asked: `check` says what that means.
    """
    try:
        db.connect(reuse_if_open=True)
        row = db.execute_sql(_state_sql(), (seal.serial_in(digits),)).fetchone()
        keys = loket.seal_keys.public()
    except (PeeweeException, LoketError):
        return None
    return row and (*row, *((key["key_id"], key["revoked_at"]) for key in keys))


@cache
def _state_sql() -> str:
    """As peewee writes it, but once: to write it takes longer than all the rest of an answer."""
    columns = (
        Letter.state, Letter.drawn_at, Letter.sha256, Letter.valid_until, Letter.signing,
        Letter.revoked_at, Letter.suspended_at, Letter.replaced_by,
    )  # fmt: skip
    written: str = Letter.select(*columns).where(Letter.id == 0).sql()[0]
    return written


Sealed = tuple[KeyFile | None, Core]


def _sealed(loket: Loket, text: str) -> Sealed | None:
    try:
        return _read(loket, text)
    except BadSeal:
        return None


def _rows(serials: Iterable[int]) -> dict[int, Letter]:
    return {
        row.id: row
        for some in chunked(sorted(serials), 500)
        for row in Letter.select().where(Letter.id.in_(some))
    }


def _judged(
    loket: Loket, digits: str, sealed: Sealed | None, rows: Mapping[int, Letter], now: int
) -> Verdict:
    if sealed is None:
        return Verdict(BAD, now)
    office, core = sealed
    if office is not None:
        return _of_another(loket, office, core, digits, now)
    row = rows.get(core.serial)
    if row is None:
        return _unread(loket, UNKNOWN, core, now)
    facts = loket.vault.unlock_json("letter", row.facts_ct)
    mine = facts["digits"] == digits
    if _is_loose_sheet(loket, row, mine):
        return _unread(loket, NOT_ISSUED, None, now)
    if row.state != "issued" or not mine:
        return _unread(loket, UNKNOWN, core, now)
    return _verdict(loket, row, facts, _replacement_url(loket, row), now)


def own_serial(loket: Loket, digits: str) -> int:
    """The serial of a code that this office sealed. Raises BadSeal."""
    return seal.read(digits, loket.seal_keys.public()).serial


def _read(loket: Loket, text: str) -> tuple[KeyFile | None, Core]:
    """The office that sealed a code, None for this one: for that no table is asked, so that a busy
    database does not make a forgery of a letter of ours.
    """
    digits = seal.digits_in(text)
    try:
        return None, seal.read(digits, loket.seal_keys.public())
    except BadSeal:
        if len(digits) != seal.DIGITS:
            raise
        return trust.read(loket, text)


def _unread(loket: Loket, code: str, core: Core | None, now: int) -> Verdict:
    issued = core.issued if core else None
    office = loket.profile.office.name
    return Verdict(code, now, issued=issued, office=office, address=loket.base_url)


def _is_loose_sheet(loket: Loket, row: Letter, mine: bool) -> bool:
    """A sheet to be signed by hand that is not, or no longer, the one that was issued.

    It leaves the printer before it is signed: without this it would only be called unknown.
    """
    if row.state == "issued":
        return row.drawn_at is not None and not mine
    return bool(row.signing == "wet_ink")


def _verdict(
    loket: Loket, row: Letter, facts: dict[str, Any], replacement: str, now: int
) -> Verdict:
    until = date.fromisoformat(row.valid_until)
    day_of = loket.calendar.day_of
    return Verdict(
        code=_code(row, until, day_of(now)),
        checked_at=now,
        number=row.number,
        name=mask_name(facts["person"]["name"]),
        nik_end=last4(facts["person"]["nik"]),
        issued=date.fromisoformat(facts["day"]),
        until=until,
        revoked=day_of(row.revoked_at) if row.revoked_at else None,
        suspended=day_of(row.suspended_at) if row.suspended_at else None,
        office=loket.profile.office.name,
        address=loket.base_url,
        signed=row.signing,
        replacement=replacement,
    )


def _code(row: Letter, until: date, today: date) -> str:
    if row.replaced_by_id is not None:
        return REPLACED
    if row.revoked_at is not None:
        return REVOKED
    if row.suspended_at is not None:
        return SUSPENDED
    return EXPIRED if today > until else VALID


def _replacement_url(loket: Loket, row: Letter) -> str:
    """The path of the newest letter in this one's place: one that was replaced again is not it."""
    newest = row
    for _ in range(NEWEST_AFTER):
        if newest.replaced_by_id is None or newest.replaced_by.state != "issued":
            break
        newest = newest.replaced_by
    if newest.id == row.id:
        return ""
    return f"/v/{digits_of(loket, newest)}"


def _of_another(loket: Loket, office: KeyFile, core: Core, digits: str, now: int) -> Verdict:
    """Another office's letter, by the status list that it signed and that was fetched before."""
    value, listed_at = trust.status_of(loket, office["office"], core.serial)
    return Verdict(
        code=_listed_code(core, value, listed_at, loket.calendar.day_of(now), now),
        checked_at=now,
        issued=core.issued,
        until=core.until,
        office=office["name"],
        address=office["address"],
        own=False,
        page=f"{office['address']}/v/{digits}",
        listed_at=listed_at,
    )


def _listed_code(
    core: Core, value: int | None, listed_at: int | None, today: date, now: int
) -> str:
    if listed_at is None or now - listed_at >= status_list.HOLDS_S:
        value = None
    elif value == status_list.NOT_ISSUED:
        # A list of that day may be older than the letter, which was not yet issued then.
        made = datetime.fromtimestamp(listed_at, UTC).date()
        value = None if core.issued >= made else value
    if value in LISTED:
        return LISTED[value]
    if today > core.until:
        return EXPIRED
    return UNKNOWN if value is None else VALID


def compare(loket: Loket, digits: str, nik: str, name: str, address: str, now: int) -> Compared:
    """Whether NIK and name on the paper are those that were sealed.

    Raises BadSeal, Invalid for what cannot be a NIK or a name (it costs no try), and TooMany past
    five tries an hour for this letter from this address.
    """
    office, core = _read(loket, digits)
    faults: dict[str, str] = {}
    if len(seal.plain_nik(nik)) != 16:
        faults["nik"] = NIK_LENGTH
    if not seal.plain_name(name):
        faults["name"] = NAME_MISSING
    if faults:
        raise Invalid(faults)
    whose = office["office"] if office else ""
    used = limits.spend(f"cocok|{whose}|{core.serial}|{address}", TRIES, TRY_S, now)
    return Compared(seal.fits(core, nik, name), TRIES - used)


def by_number(loket: Loket, number: str, code: str, address: str, now: int) -> str:
    """The digits of the letter with this number, for who holds the paper and its printed code.

    Spaces and case do not matter, nor look-alikes in the code. Raises Invalid, the same for a
    number that is none and a code that is not its own, and TooMany past some tries an hour for
    this address or this number.
    """
    plain = "".join(number.split()).upper()
    limits.spend(f"nomor|dari|{address}", ADDRESS_TRIES, TRY_S, now)
    digits = _numbered(loket, plain)
    if digits:  # What is no letter's number may be a NIK, of which not even a hash is kept.
        limits.spend(f"nomor|{seal.serial_in(digits)}", NUMBER_TRIES, TRY_S, now)
    printed = seal.plain_code(seal.code(digits)) if digits else "-" * 8
    if not hmac.compare_digest(printed.encode(), seal.plain_code(code).encode()):
        raise Invalid({"code": NO_SUCH})
    return digits


def digits_of(loket: Loket, row: Letter) -> str:
    """The code of a letter that was numbered."""
    return str(loket.vault.unlock_json("letter", row.facts_ct)["digits"])


def _numbered(loket: Loket, plain: str) -> str:
    """The code of the letter or drawn-up sheet with this number, or ""."""
    # The number alone, first: its index answers, and the rows, which are large, stay unread.
    numbered = fn.UPPER(fn.REPLACE(Letter.number, " ", "")) == plain
    id_ = Letter.select(Letter.id).where(numbered).scalar()
    there = (Letter.id == id_) & (Letter.state != "void") & Letter.sha256.is_null(False)
    row = Letter.get_or_none(there)
    return digits_of(loket, row) if row else ""
