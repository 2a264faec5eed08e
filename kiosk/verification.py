"""What a third party is told of a letter: one of seven results, nothing more than is allowed."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from kiosk import limits, versions
from kiosk.identity import last4, mask_name
from kiosk.loket import Loket
from kiosk.seal import BadSeal, Core, print_check, read
from models import Busy, Letter

VALID, EXPIRED, REVOKED = "sah", "kedaluwarsa", "dicabut"
REPLACED, BAD, UNKNOWN = "diganti", "tanda_tangan_tidak_sah", "status_belum_dapat_dicek"
NOT_ISSUED = "belum_terbit"
CODES = (VALID, EXPIRED, REVOKED, REPLACED, BAD, UNKNOWN, NOT_ISSUED)
OWN_KEY, BY_HAND = "kunci dinas", "tinta basah dan cap dinas"
TRIES, TRY_S = 5, 3600


@dataclass(frozen=True)
class Verdict:
    """The answer; without a row of ours only `code` and what the seal itself says are there."""

    code: str
    checked_at: int
    number: str = ""
    name: str = ""
    nik_end: str = ""
    issued: date | None = None
    until: date | None = None
    revoked: date | None = None
    office: str = ""
    signed: str = ""
    replacement: str = ""


def check(loket: Loket, digits: str, now: int) -> Verdict:
    """The seal's signature first, then the serial's row: without the key nothing is enumerated."""
    try:
        core = read(digits, loket.seal_keys.public())
    except BadSeal:
        return Verdict(BAD, now)
    try:
        row = Letter.get_or_none(Letter.id == core.serial)
        if row and _is_loose_sheet(loket, row, digits):
            return Verdict(NOT_ISSUED, now, office=loket.profile.office.name)
        row = row if row and row.state == "issued" else None
        facts = loket.vault.unlock_json("letter", row.facts_ct) if row else None
        replacement = _replacement_url(loket, row) if row else ""
    except Busy:
        row = facts = None
    if row is None or facts is None or facts["digits"] != digits:
        return Verdict(UNKNOWN, now, issued=core.issued, office=loket.profile.office.name)
    return _verdict(loket, row, facts, replacement, now)


def _is_loose_sheet(loket: Loket, row: Letter, digits: str) -> bool:
    """A sheet to be signed by hand that is not, or no longer, the one that was issued.

    It leaves the printer before it is signed: without this it would only be called unknown.
    """
    if row.state == "issued":
        facts = loket.vault.unlock_json("letter", row.facts_ct)
        return row.drawn_at is not None and facts["digits"] != digits
    return versions.letter_service_of(loket, row.application).letter.signing == "wet_ink"


def _verdict(
    loket: Loket, row: Letter, facts: dict[str, Any], replacement: str, now: int
) -> Verdict:
    until = date.fromisoformat(row.valid_until)
    return Verdict(
        code=_code(row, until, loket.calendar.day_of(now)),
        checked_at=now,
        number=row.number,
        name=mask_name(facts["person"]["name"]),
        nik_end=last4(facts["person"]["nik"]),
        issued=date.fromisoformat(facts["day"]),
        until=until,
        revoked=loket.calendar.day_of(row.revoked_at) if row.revoked_at else None,
        office=loket.profile.office.name,
        signed=BY_HAND if row.drawn_at else OWN_KEY,
        replacement=replacement,
    )


def _code(row: Letter, until: date, today: date) -> str:
    if row.replaced_by_id is not None:
        return REPLACED
    if row.revoked_at is not None:
        return REVOKED
    return EXPIRED if today > until else VALID


def _replacement_url(loket: Loket, row: Letter) -> str:
    if row.replaced_by_id is None:
        return ""
    newer = loket.vault.unlock_json("letter", row.replaced_by.facts_ct)
    return f"/v/{newer['digits']}"


def matches(loket: Loket, digits: str, nik: str, name: str, address: str, now: int) -> bool:
    """Whether NIK and name on the paper are those that were sealed.

    Raises BadSeal, and TooMany past five tries an hour for this letter from this address.
    """
    core: Core = read(digits, loket.seal_keys.public())
    limits.spend(f"cocok|{core.serial}|{address}", TRIES, TRY_S, now)
    plain = "".join(c for c in nik if c.isdigit())
    return print_check(core.serial, plain, name) == core.check
