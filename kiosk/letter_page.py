"""An issued letter as a page that can be read aloud: its words as they were issued, its state."""

import hmac
from dataclasses import dataclass
from datetime import date

from kiosk import letter_facts, letter_status, limits, verification
from kiosk.certificate import Letter as Text
from kiosk.errors import Invalid, NotFound
from kiosk.loket import Loket
from models import Letter, Ticket

TRIES, TRY_S = 5, 3600
ANOTHER = "NIK ini bukan NIK pada surat. Periksa angkanya, lalu coba lagi."


@dataclass(frozen=True)
class LetterPage:
    """The letter's finished text, and what has become of it: a code of `verification`.

    `by_hand`: what counts is the stamped sheet, else the signed PDF and its print.
    """

    text: Text
    code: str
    until: date
    revoked: date | None
    digits: str
    by_hand: bool


def read(loket: Loket, application_id: int, now: int) -> LetterPage:
    """The issued letter of this application. Raises NotFound before it is issued."""
    row = _issued(application_id)
    if row is None:
        raise NotFound("Surat ini belum terbit.")
    digits = verification.digits_of(loket, row)
    return LetterPage(
        text=letter_facts.text_of(loket, row),
        code=verification.check(loket, digits, now).code,
        until=date.fromisoformat(row.valid_until),
        revoked=loket.calendar.day_of(row.revoked_at) if row.revoked_at else None,
        digits=digits,
        by_hand=row.signing == "wet_ink" or row.drawn_at is not None,
    )


def _issued(application_id: int) -> Letter | None:
    mine = (Letter.application == application_id) & (Letter.state == "issued")
    found: Letter | None = Letter.get_or_none(mine)
    return found


def can_read(token: str) -> bool:
    """Whether the letter of this ticket is issued, so that its holder may read it.

    Of one that was replaced, the newest in its place is read.
    """
    return _of_ticket(token) is not None


def _of_ticket(token: str) -> Letter | None:
    ticket = Ticket.get_or_none(Ticket.token == token)
    row = _issued(ticket.application_id) if ticket else None
    return letter_status.newest(row) if row else None


def open_with(loket: Loket, token: str, nik: str, now: int) -> LetterPage:
    """The letter of this ticket, for who knows its NIK: a ticket that was found opens nothing.

    Raises NotFound, TooMany past five tries an hour, Invalid for another NIK.
    """
    row = _of_ticket(token)
    if row is None:
        raise NotFound("Surat ini belum terbit.")
    limits.spend(f"surat|{token}", TRIES, TRY_S, now)
    own = loket.vault.unlock_json("letter", row.facts_ct)["person"]["nik"]
    plain = "".join(sign for sign in nik if sign in "0123456789")
    if not hmac.compare_digest(plain.encode(), own.encode()):
        raise Invalid({"nik": ANOTHER})
    limits.forget(f"surat|{token}")
    return read(loket, row.application_id, now)
