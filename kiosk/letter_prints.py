"""Prints of issued letters, at the kiosk by the ticket and at the counter; each is counted."""

from dataclasses import dataclass

from kiosk import desk, letter_status, spool, versions, workflow
from kiosk.errors import NotFound
from kiosk.loket import Loket
from kiosk.staff import Actor
from models import Letter, Ticket, transaction


def printed_at_kiosk(loket: Loket, application_id: int, now: int) -> None:
    """The letter came out at the kiosk: where the step has an act for that, it is done.

    The case leaves the front office's desk by itself; the citizen has the letter in hand.
    """
    with transaction():
        application = desk.find(application_id)
        service = versions.service_of(loket, application)
        step = service.step(application.step)
        action = next((a for a in step.actions if a.on == "kiosk_print"), None)
        if action:
            to = service.step(action.next)
            citizen = workflow.CITIZEN
            desk.enter(loket, application, service, action.id, to, None, citizen, {}, now)


@dataclass(frozen=True)
class PrintOutcome:
    """What became of a scan at the kiosk's printer; `left` more prints are allowed."""

    state: str
    left: int = 0
    job: int | None = None


def print_at_kiosk(loket: Loket, token: str, now: int) -> PrintOutcome:
    """Print the letter of this ticket at the kiosk: `printing`, `not_ready`, `limit`, `unknown`.

    Of one that was replaced the newest; `withheld` is one that is revoked or suspended. A letter
    prints at the kiosk as often as the office's file allows, each time recorded.
    """
    most = loket.profile.kiosk.prints_per_letter
    ticket = Ticket.get_or_none(Ticket.token == token)
    if ticket is None:
        return PrintOutcome("unknown")
    with transaction():
        letter = Letter.get_or_none(
            (Letter.application == ticket.application_id) & (Letter.state == "issued")
        )
        letter = letter and letter_status.newest(letter)
        if letter is None or letter.drawn_at is not None:
            return PrintOutcome("not_ready")
        if letter.revoked_at is not None or letter.suspended_at is not None:
            return PrintOutcome("withheld")
        used = spool.count("letter", letter.application_id, "kiosk")
        if used >= most:
            return PrintOutcome("limit")
        tries = spool.count("letter", letter.application_id, "kiosk", failed=True)
        key = f"letter:{letter.id}:kiosk:{tries + 1}"
        job = spool.add("letter", letter.application, "kiosk", key, now)
    spool.wake()
    return PrintOutcome("printing", most - used - 1, job)


def print_at_counter(loket: Loket, application_id: int, actor: Actor, key: str, now: int) -> int:
    """Print the issued letter at the counter; `key` makes a second click the same print.

    One to be signed by hand is printed until it has been signed. Raises NotFound, and Stale for a
    letter that was revoked, is suspended or is out of our hands.
    """
    with transaction():
        letter = Letter.get_or_none(
            (Letter.application == application_id) & (Letter.state != "void")
        )
        if letter is None or (letter.state == "numbered" and letter.drawn_at is None):
            raise NotFound("Surat ini belum terbit.")
        letter_status.require_printable(letter)
        key = f"letter:{letter.id}:counter:{key}"
        job = spool.add("letter", desk.find(application_id), "counter", key, now, actor)
    spool.wake()
    return job
