"""The day's queue: take a number, call, recall, no-show, finish. Never one number twice."""

import secrets

from peewee import ModelSelect

from kiosk import numbers
from kiosk.errors import Invalid, NotFound, Stale
from kiosk.loket import Loket
from kiosk.staff import Actor
from models import Application, QueueEvent, Ticket, transaction


def take(loket: Loket, application: Application, series: str, now: int) -> Ticket:
    """The next ticket of today's series. Call it inside the transaction of the application.

    The day is the office's local day: numbers never restart at a UTC midnight.
    """
    day = loket.calendar.day_of(now).isoformat()
    ticket = Ticket.create(
        day=day,
        series=series,
        number=numbers.take(f"ticket:{series}", day),
        token=secrets.token_urlsafe(18),
        application=application,
        priority=bool(application.priority),
        created_at=now,
    )
    _note(ticket, "taken", now)
    return ticket


def seat(loket: Loket, ticket: Ticket, actor: Actor, now: int) -> None:
    """Whoever was taken in at a window sits there already: nobody is called, nothing is shown.

    Where somebody else stands at the window, or none was chosen, the ticket waits like the others.
    Inside the application's transaction.
    """
    if actor.window is not None and _standing(loket, actor.window, now) is None:
        _move(ticket, "called", actor.window)
        _note(ticket, "seated", now, actor)


def call_next(loket: Loket, actor: Actor, now: int) -> Ticket | None:
    """Call the next waiting ticket to the actor's window; None when nobody waits.

    Priority groups first, then by the time of arrival. A window has one called ticket at a time:
    a second press calls nobody else, it returns the ticket that stands there.
    """
    window = _window(actor)
    with transaction():
        standing = _standing(loket, window, now)
        if standing:
            return standing
        ticket: Ticket | None = (
            _today(loket, now)
            .where(Ticket.state == "waiting")
            .order_by(Ticket.priority.desc(), Ticket.id)
            .first()
        )
        if ticket:
            _move(ticket, "called", window)
            _note(ticket, "called", now, actor)
        return ticket


def call(loket: Loket, ticket_id: int, actor: Actor, now: int) -> Ticket:
    """Call this very ticket, such as one whose letter is ready or who came back late.

    Only one of today and of an open application: another day's number may be somebody else's now.
    """
    window = _window(actor)
    with transaction():
        standing = _standing(loket, window, now)
        if standing and standing.id != ticket_id:
            raise Stale(f"Selesaikan dahulu {standing.label} di loket Anda.")
        ticket = _get(ticket_id)
        _require_open(ticket)
        if ticket.day != loket.calendar.day_of(now).isoformat():
            raise Stale(f"{ticket.label} bukan tiket hari ini. Panggil pemohon dengan namanya.")
        if ticket.state == "called" and ticket.window != window:
            raise Stale(f"{ticket.label} sedang dilayani di loket {ticket.window}.")
        _move(ticket, "called", window)
        _note(
            ticket, "recalled" if ticket.id == (standing and standing.id) else "called", now, actor
        )
    return ticket


def recall(loket: Loket, ticket_id: int, actor: Actor, now: int) -> Ticket:
    """Call the ticket at the actor's window once more. Raises Stale when it is not there."""
    with transaction():
        ticket = _at_window(ticket_id, actor)
        _note(ticket, "recalled", now, actor)
    return ticket


def no_show(ticket_id: int, actor: Actor, now: int) -> Ticket:
    """Nobody came. The ticket can be called again; its number stays."""
    return _leave(ticket_id, actor, now, "no_show")


def finish(ticket_id: int, actor: Actor, now: int) -> Ticket:
    """The person at the window has been served."""
    return _leave(ticket_id, actor, now, "done")


def put_back(ticket_id: int, actor: Actor, now: int) -> Ticket:
    """Undo: the ticket waits again, at its old place."""
    with transaction():
        ticket = _get(ticket_id)
        if ticket.state == "waiting" or (
            ticket.state == "called" and ticket.window != actor.window
        ):
            raise Stale("Tiket ini sudah menunggu atau dilayani loket lain.")
        _require_open(ticket)
        _move(ticket, "waiting", None)
        _note(ticket, "put_back", now, actor)
    return ticket


def leave(application_id: int, now: int, actor_id: int | None) -> None:
    """The application has gone on from the counter, or has ended: nobody is called for it now.

    The window is free again without another click; the ticket can be called anew when the letter
    is ready. Inside the application's transaction.
    """
    ticket = Ticket.get_or_none(Ticket.application == application_id)
    if ticket and ticket.state != "done":
        _move(ticket, "done", ticket.window)
        QueueEvent.create(ticket=ticket, what="done", window=ticket.window, actor=actor_id, at=now)


def _leave(ticket_id: int, actor: Actor, now: int, state: str) -> Ticket:
    with transaction():
        ticket = _at_window(ticket_id, actor)
        _move(ticket, state, ticket.window)
        _note(ticket, state, now, actor)
    return ticket


def _today(loket: Loket, now: int) -> "ModelSelect[Ticket]":
    return Ticket.select().where(Ticket.day == loket.calendar.day_of(now).isoformat())


def _standing(loket: Loket, window: int, now: int) -> Ticket | None:
    here = (Ticket.state == "called") & (Ticket.window == window)
    found: Ticket | None = _today(loket, now).where(here).first()
    return found


def _at_window(ticket_id: int, actor: Actor) -> Ticket:
    ticket = _get(ticket_id)
    if ticket.state != "called" or ticket.window != _window(actor):
        raise Stale(f"{ticket.label} tidak sedang dilayani di loket Anda.")
    return ticket


def _get(ticket_id: int) -> Ticket:
    ticket = Ticket.get_or_none(Ticket.id == ticket_id)
    if ticket is None:
        raise NotFound("Tiket ini tidak ada.")
    return ticket


def _require_open(ticket: Ticket) -> None:
    if ticket.application.closed_at is not None:
        raise Stale("Permohonan ini sudah selesai.")


def _window(actor: Actor) -> int:
    if actor.window is None:
        raise Invalid({"window": "Pilih dahulu nomor loket Anda."})
    return actor.window


def _move(ticket: Ticket, state: str, window: int | None) -> None:
    ticket.state, ticket.window = state, window
    ticket.save(only=[Ticket.state, Ticket.window])


def _note(ticket: Ticket, what: str, now: int, actor: Actor | None = None) -> None:
    QueueEvent.create(
        ticket=ticket, what=what, window=ticket.window, actor=actor and actor.id, at=now
    )
