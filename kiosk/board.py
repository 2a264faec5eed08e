"""Lists: my work, the queue, the display, the day's figures."""

from dataclasses import dataclass
from datetime import date
from statistics import median

from peewee import JOIN, ModelSelect, fn

from kiosk import taking_back, versions, workflow
from kiosk.casefile import given_of, priority_of, purpose_of
from kiosk.errors import NotAllowed, Unusable
from kiosk.loket import Loket
from kiosk.promise import Clock, clock_of
from kiosk.staff import Actor
from kiosk.tables import Text
from models import Application, Event, Letter, QueueEvent, Ticket, User

RECENT_CALLS = 4


@dataclass(frozen=True)
class Row:
    """One line of my work. `day` is the ticket's: tomorrow its label is somebody else's.

    Not `mine_to_do`: the step is this role's, but each of its acts is for whom the case was given.
    `to_sign`: its letter waits for no more than the reader's signature.
    """

    id: int
    ticket_id: int
    day: date
    label: str
    number: str
    name: str
    service: Text
    purpose: Text
    step: Text
    priority: Text | None
    clock: Clock
    assignee: str
    mine: bool
    mine_to_do: bool
    to_sign: bool


@dataclass(frozen=True)
class Work:
    """What waits for a role, oldest promise first. `version` changes when a row does.

    `newest` grows when work comes in: the chime's id.
    """

    rows: tuple[Row, ...]
    version: str
    newest: int


@dataclass(frozen=True)
class Call:
    id: int
    label: str
    window: int
    at: int


@dataclass(frozen=True)
class Figures:
    """Today: median minutes from ticket to the end, people waiting, windows in use.

    None without a letter finished today whose promise is one in minutes.
    """

    median_minutes: int | None
    waiting: int
    windows: int
    open: bool
    next_open: int


@dataclass(frozen=True)
class Display:
    calls: tuple[Call, ...]
    figures: Figures
    version: str


@dataclass(frozen=True)
class QueueRow:
    id: int
    application_id: int
    label: str
    state: str
    window: int | None
    priority: Text | None
    service: Text
    step: Text
    since: int
    calls: int


@dataclass(frozen=True)
class QueueView:
    """The counter's queue: who stands at my window, who waits, who did not come."""

    mine: QueueRow | None
    waiting: tuple[QueueRow, ...]
    called: tuple[QueueRow, ...]
    absent: tuple[QueueRow, ...]
    version: str


def my_work(loket: Loket, actor: Actor, now: int) -> Work:
    """The open applications in steps of the actor's role, oldest promise first.

    One given to somebody else stands last: everybody of the role sees it, and for whom it is.
    """
    # Before the rows: an act between the two reads must look new to the next poll.
    version = desk_version()
    rows = [
        _row(loket, ticket, actor, now)
        for ticket in _open_with_tickets()
        if actor.role in versions.step_of(loket, ticket.application).roles
    ]
    rows.sort(key=_urgency)
    mine = [row.id for row in rows if row.mine_to_do]
    newest = Event.select(fn.MAX(Event.id)).where(Event.application << mine).scalar() or 0
    return Work(tuple(rows), version, newest)


def _urgency(row: Row) -> tuple[bool, bool, bool, int, int]:
    """Oldest promise first; then files whose promise has not begun; what waits for others last."""
    clock = row.clock
    return not row.mine_to_do, clock.stopped, not clock.started, clock.due_at or 0, row.id


def desk_version() -> str:
    """Changes with every act and every ticket; cheap enough to ask every second."""
    return f"{_last_id(Event)}-{_last_id(QueueEvent)}-{_last_id(Letter)}"


def _last_id(table: type[Event] | type[QueueEvent] | type[Letter]) -> int:
    return int(table.select(fn.MAX(table.id)).scalar() or 0)


def _open_with_tickets() -> "ModelSelect[Ticket]":
    return (
        Ticket.select(Ticket, Application, User)
        .join(Application)
        .join(User, JOIN.LEFT_OUTER, on=(Application.assignee == User.id))
        .where(Application.closed_at.is_null())
    )


def _row(loket: Loket, ticket: Ticket, actor: Actor, now: int) -> Row:
    application = ticket.application
    service = versions.service_of(loket, application)
    step, assignee = service.step(application.step), application.assignee
    mine = assignee is not None and assignee.id == actor.id
    return Row(
        id=application.id,
        ticket_id=ticket.id,
        day=date.fromisoformat(ticket.day),
        label=ticket.label,
        number=application.number,
        name=given_of(loket, application)["name"].title(),
        service=service.title,
        purpose=purpose_of(service, application),
        step=step.title,
        priority=priority_of(loket, application),
        clock=clock_of(loket, application, now),
        assignee=assignee.full_name if assignee else "",
        mine=mine,
        mine_to_do=bool(workflow.offered(step, actor.role, mine)),
        to_sign=workflow.signing(step, actor.role, mine) is not None,
    )


def display(loket: Loket, now: int) -> Display:
    """The lobby's screen: the last call and those before it, one a ticket."""
    day = loket.calendar.day_of(now).isoformat()
    latest = (
        QueueEvent.select(fn.MAX(QueueEvent.id))
        .join(Ticket)
        .where((Ticket.day == day) & (QueueEvent.what << ("called", "recalled")))
        .group_by(QueueEvent.ticket)
    )
    events = (
        QueueEvent.select(QueueEvent, Ticket)
        .join(Ticket)
        .where(QueueEvent.id << latest)
        .order_by(QueueEvent.id.desc())
        .limit(RECENT_CALLS + 1)
    )
    calls = tuple(Call(e.id, e.ticket.label, e.window or 0, e.at) for e in events)
    numbers = figures(loket, now)
    first = calls[0].id if calls else 0
    version = f"{day}-{first}-{numbers.waiting}-{numbers.median_minutes}-{numbers.open}"
    return Display(calls, numbers, version)


def figures(loket: Loket, now: int) -> Figures:
    """Today's figures, for the start screen and the display."""
    calendar = loket.calendar
    day = calendar.day_of(now).isoformat()
    tickets = Ticket.select().where(Ticket.day == day)
    took = _took(loket, day, now)
    windows = (
        tickets.select(Ticket.window)
        .where((Ticket.state == "called") & Ticket.window.is_null(False))
        .distinct()
        .count()
    )
    return Figures(
        median_minutes=max(1, round(median(took) / 60)) if took else None,
        waiting=int(tickets.where(Ticket.state == "waiting").count()),
        windows=int(windows),
        open=calendar.is_open(now),
        next_open=calendar.next_open(now),
    )


def _took(loket: Loket, day: str, now: int) -> list[int]:
    """What the office took, in seconds: the time that it waited for the citizen is not in it."""
    done = (
        Application.select()
        .join(Ticket, on=(Ticket.application == Application.id))
        .where((Ticket.day == day) & (Application.outcome << ("issued", "not_found")))
    )
    in_minutes = [one for one in done if versions.service_of(loket, one).time.unit == "minute"]
    clocks = [clock_of(loket, one, now) for one in in_minutes]
    return [clock.budget - clock.left for clock in clocks if clock.started]


def queue(loket: Loket, actor: Actor, now: int) -> QueueView:
    """Today's queue for a counter."""
    if not loket.profile.may(actor.role, "queue"):
        raise NotAllowed("Antrean dilayani petugas loket.")
    version = desk_version()
    day = loket.calendar.day_of(now).isoformat()
    tickets = (
        Ticket.select(Ticket, Application)
        .join(Application)
        .where((Ticket.day == day) & (Ticket.state != "done"))
        .order_by(Ticket.priority.desc(), Ticket.id)
    )
    rows = [_queue_row(loket, ticket) for ticket in tickets]
    called = tuple(row for row in rows if row.state == "called")
    return QueueView(
        mine=next((row for row in called if row.window == actor.window), None),
        waiting=tuple(row for row in rows if row.state == "waiting"),
        called=called,
        absent=tuple(row for row in rows if row.state == "no_show"),
        version=version,
    )


def _queue_row(loket: Loket, ticket: Ticket) -> QueueRow:
    application = ticket.application
    calls = (
        QueueEvent.select()
        .where((QueueEvent.ticket == ticket) & (QueueEvent.what << ("called", "recalled")))
        .count()
    )
    return QueueRow(
        id=ticket.id,
        application_id=application.id,
        label=ticket.label,
        state=ticket.state,
        window=ticket.window,
        priority=priority_of(loket, application),
        service=versions.service_of(loket, application).title,
        step=versions.step_of(loket, application).title,
        since=ticket.created_at,
        calls=int(calls),
    )


def just_left(loket: Loket, actor: Actor, now: int) -> QueueRow | None:
    """The ticket that the actor finished or found absent within two minutes, to be put back.

    One that an act at the desk finished is taken back there.
    """
    day = loket.calendar.day_of(now).isoformat()
    event = (
        QueueEvent.select(QueueEvent, Ticket, Application)
        .join(Ticket)
        .join(Application)
        .where((Ticket.day == day) & (QueueEvent.actor == actor.id))
        .order_by(QueueEvent.id.desc())
        .first()
    )
    if (
        event is None
        or event.what not in ("done", "no_show")
        or now - event.at > taking_back.TAKE_BACK_S
    ):
        return None
    application = event.ticket.application
    by_an_act = Event.select().where(
        (Event.application == application) & (Event.actor == actor.id) & (Event.at == event.at)
    )
    if application.closed_at is not None or by_an_act.exists():
        return None
    return _queue_row(loket, event.ticket)


def ready_for_pickup(loket: Loket, now: int) -> tuple[Row, ...]:
    """Letters that are signed and not handed over yet."""
    rows = []
    nobody = Actor(0, "", "", "", None)
    for ticket in _open_with_tickets():
        step = versions.step_of(loket, ticket.application)
        if any("hand_over" in action.does for action in step.actions):
            rows.append(_row(loket, ticket, nobody, now))
    return tuple(rows)


def orphans(loket: Loket) -> list[str]:
    """Open applications that nobody could finish: their version of the file cannot be read, or
    their step is no longer anybody's, for today's file has none of its roles.
    """
    found = []
    for application in Application.select().where(Application.closed_at.is_null()):
        try:
            roles = versions.step_of(loket, application).roles
        except (KeyError, Unusable):
            roles = ()
        if not any(loket.profile.role(role) for role in roles):
            found.append(f"{application.number} ({application.step})")
    return found
