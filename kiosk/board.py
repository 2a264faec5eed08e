"""Reads: my work, a case, the queue, the display, a citizen's status, the day's figures."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from peewee import JOIN, ModelSelect, fn

from kiosk import desk, spool, workflow
from kiosk.clock import light
from kiosk.errors import NotAllowed, NotFound
from kiosk.identity import WARNING_TEXTS, Sex, mask_nik, nik_warnings, normal_name
from kiosk.letter import address, person_rows
from kiosk.loket import Loket
from kiosk.profile import Action, FormField, Service, SlipText, Stage, Step, Text
from kiosk.register_row import Person
from kiosk.staff import Actor
from models import Application, Event, Letter, PrintJob, QueueEvent, Ticket, User

RECENT_CALLS = 4
MANUAL = Text(id="Diketik warga, tidak ada di basis data", en="Typed by hand, not in the register")


@dataclass(frozen=True)
class Clock:
    """A running clock: seconds left of the budget, until when the office works, its colour.

    `until` is the epoch when the office closes for a break or the day, or None while the clock
    stands still (waiting for the citizen, or the office is closed).
    """

    left: int
    budget: int
    until: int | None
    light: str
    due_at: int | None
    stopped: bool


@dataclass(frozen=True)
class Row:
    """One line of my work. `day` is the ticket's: tomorrow its label is somebody else's."""

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


@dataclass(frozen=True)
class Work:
    """What waits for a role, oldest promise first. `version` changes when a row does.

    `newest` grows when work comes in: the chime's id.
    """

    rows: tuple[Row, ...]
    version: str
    newest: int


@dataclass(frozen=True)
class Compared:
    """A line of the data table: what the citizen gave beside what the register says."""

    label: str
    given: str
    found: str
    differs: bool


Told = tuple[Text, tuple[Text | str, ...]]


@dataclass(frozen=True)
class Passed:
    """One event of the way so far. `order` names a standing disposition.

    `detail` is what the act was given, `told` the same as people read it: labels and values.
    """

    title: Text
    said: Text
    at: int
    who: str
    role: Text | None
    order: str
    detail: Mapping[str, Any]
    told: tuple[Told, ...]


@dataclass(frozen=True)
class LetterView:
    number: str
    state: str
    issued_at: int | None
    valid_until: str
    digits: str
    revoked_at: int | None
    prints: int


@dataclass(frozen=True)
class Case:
    """The whole case as a desk shows it. `seq` goes back with the act."""

    id: int
    seq: int
    label: str
    ticket_id: int
    ticket_state: str
    day: date
    number: str
    name: str
    service: Service
    purpose: Text
    priority: Text | None
    step: Step
    clock: Clock
    compared: tuple[Compared, ...]
    register_note: Text | None
    as_of: str
    programmes: str
    register_id: str
    rank: int | None
    remark: Mapping[str, Any] | None
    check: Mapping[str, Any] | None
    passed: tuple[Passed, ...]
    ahead: tuple[Step, ...]
    actions: tuple[Action, ...]
    person: Mapping[str, str]
    assignee: str
    letter: LetterView | None
    can_take_back: bool
    can_read_draft: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class StageView:
    title: Text
    state: str  # done, now or ahead


@dataclass(frozen=True)
class Status:
    """What a citizen's phone shows. `version` changes when what is shown changes."""

    label: str
    service: Text
    stages: tuple[StageView, ...]
    public: Text
    who: Text | None
    before: int
    clock: Clock
    due_at: int | None
    ticket_state: str
    window: int | None
    outcome: str | None
    printable: int
    slip: SlipText
    version: str


@dataclass(frozen=True)
class TicketView:
    label: str
    token: str
    due_at: int | None
    before: int
    created_at: int
    service: Text
    printed: str
    clock: Clock


@dataclass(frozen=True)
class Call:
    id: int
    label: str
    window: int
    at: int


@dataclass(frozen=True)
class Figures:
    """Today: median minutes from ticket to the end, people waiting, windows in use."""

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


def clock_of(loket: Loket, application: Application, now: int) -> Clock:
    """The clock of the promise to the citizen."""
    unit = loket.profile.service(application.service).time.unit
    calendar = loket.calendar
    if application.due_at is None or application.closed_at is not None:
        left = application.left_s
        if left is None:
            end = application.closed_at or now
            left = calendar.left(end, application.due_at or end, unit)
        colour = light(left, application.budget_s)
        return Clock(left, application.budget_s, None, colour, application.due_at, True)
    left = calendar.left(now, application.due_at, unit)
    span = next((s for s in calendar.spans(calendar.day_of(now)) if s[0] <= now < s[1]), None)
    return Clock(
        left,
        application.budget_s,
        span[1] if span else None,
        light(left, application.budget_s),
        application.due_at,
        stopped=False,
    )


def my_work(loket: Loket, actor: Actor, now: int) -> Work:
    """The open applications in steps of the actor's role, oldest promise first."""
    rows = [
        _row(loket, ticket, actor, now)
        for ticket in _open_with_tickets()
        if actor.role in _step(loket, ticket.application).roles
    ]
    rows.sort(key=lambda row: (row.clock.stopped, row.clock.due_at or 0, row.id))
    mine = [row.id for row in rows]
    newest = Event.select(fn.MAX(Event.id)).where(Event.application << mine).scalar() or 0
    return Work(tuple(rows), desk_version(), newest)


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


def _step(loket: Loket, application: Application) -> Step:
    return loket.profile.service(application.service).step(application.step)


def _row(loket: Loket, ticket: Ticket, actor: Actor, now: int) -> Row:
    application = ticket.application
    service = loket.profile.service(application.service)
    assignee = application.assignee
    return Row(
        id=application.id,
        ticket_id=ticket.id,
        day=date.fromisoformat(ticket.day),
        label=ticket.label,
        number=application.number,
        name=_given(loket, application)["name"].title(),
        service=service.title,
        purpose=_purpose(service, application),
        step=service.step(application.step).title,
        priority=_priority(loket, application),
        clock=clock_of(loket, application, now),
        assignee=assignee.full_name if assignee else "",
        mine=assignee is not None and assignee.id == actor.id,
    )


def _given(loket: Loket, application: Application) -> dict[str, str]:
    given: dict[str, str] = loket.vault.unlock_json("given", application.given_ct)
    return given


def _purpose(service: Service, application: Application) -> Text:
    purpose = service.purpose(application.purpose)
    return purpose.title if purpose else Text(id=application.purpose, en=application.purpose)


def _priority(loket: Loket, application: Application) -> Text | None:
    groups = loket.profile.priorities
    return next((group.title for group in groups if group.id == application.priority), None)


def case(loket: Loket, application_id: int, actor: Actor, now: int) -> Case:
    """A case whole. Raises NotFound when this role has never had to do with it.

    Front office and whoever acted on it may always read it: a citizen asks where it is.
    """
    application = desk.find(application_id)
    service = loket.profile.service(application.service)
    step = service.step(application.step)
    _require_reader(loket, application, step, actor)
    ticket = Ticket.get(Ticket.application == application)
    given = _given(loket, application)
    found = loket.register.find_nik(given["nik"])
    letter = Letter.get_or_none(Letter.application == application)
    mine = actor.role in step.roles
    return Case(
        id=application.id,
        seq=application.seq,
        label=ticket.label,
        ticket_id=ticket.id,
        ticket_state=ticket.state,
        day=date.fromisoformat(ticket.day),
        number=application.number,
        name=given["name"].title(),
        service=service,
        purpose=_purpose(service, application),
        priority=_priority(loket, application),
        step=step,
        clock=clock_of(loket, application, now),
        compared=_compare(given, found),
        register_note=None if application.in_snapshot else MANUAL,
        as_of=str(loket.register.as_of() or ""),
        **_of_register(found),
        remark=_unlock(loket, "remark", application.remark_ct),
        check=_check(loket, application, service),
        passed=_passed(loket, application, service),
        ahead=tuple(workflow.way(service, [application.step])),
        actions=step.actions if mine else (),
        person=given,
        assignee=application.assignee.full_name if application.assignee else "",
        letter=_letter_view(loket, letter) if letter else None,
        can_take_back=desk.can_take_back(loket, application, actor, now),
        can_read_draft=mine and any("issue" in action.does for action in step.actions),
        warnings=_warnings(given),
    )


def _of_register(found: Person | None) -> dict[str, Any]:
    """What the snapshot's row offers for the letter."""
    if found is None:
        return {"programmes": "", "register_id": "", "rank": None}
    programmes = ", ".join(found.programmes)
    return {"programmes": programmes, "register_id": found.register_id, "rank": found.rank}


def _require_reader(loket: Loket, application: Application, step: Step, actor: Actor) -> None:
    if not _may_read(loket, application, step, actor):
        raise NotFound("Permohonan ini tidak ada.")


def _may_read(loket: Loket, application: Application, step: Step, actor: Actor) -> bool:
    may = loket.profile.may
    if actor.role in step.roles or may(actor.role, "queue"):
        return True
    issued = Letter.select().where((Letter.application == application) & (Letter.state == "issued"))
    if may(actor.role, "revoke") and issued.exists():
        return True
    acted = Event.select().where((Event.application == application) & (Event.actor == actor.id))
    return bool(acted.exists())


TICKET_LABEL = re.compile(r"([A-Z])[ .-]?0*([1-9][0-9]{0,8})")
APPLICATION_NUMBER = re.compile(r"([0-9]{4})[ -]?0*([1-9][0-9]{0,8})")


def find(loket: Loket, text: str, actor: Actor, now: int) -> int | None:
    """The application of today's ticket "A07", of its number "2026-000418" or of a letter's number.

    None when there is none, or none that the actor may read: the two look the same.
    """
    plain = " ".join(text.upper().split())
    query = Application.select()
    if label := TICKET_LABEL.fullmatch(plain):
        day = loket.calendar.day_of(now).isoformat()
        theirs = (Ticket.series == label[1]) & (Ticket.number == int(label[2]))
        query = query.join(Ticket).where((Ticket.day == day) & theirs)
    elif number := APPLICATION_NUMBER.fullmatch(plain):
        query = query.where(Application.number == f"{number[1]}-{int(number[2]):06d}")
    else:
        query = query.join(Letter).where(fn.UPPER(Letter.number) == plain)
    found = query.first()
    if found is None or not _may_read(loket, found, _step(loket, found), actor):
        return None
    return int(found.id)


def _unlock(loket: Loket, label: str, blob: bytes | None) -> dict[str, Any] | None:
    return loket.vault.unlock_json(label, blob) if blob else None


def _check(loket: Loket, application: Application, service: Service) -> dict[str, Any] | None:
    """What the operator saw, with `said`, the words of the act that recorded it."""
    check = _unlock(loket, "check", application.check_ct)
    if check is None:
        return None
    acts = [action for step in service.steps for action in step.actions]
    checks = (act for act in acts if "record_check" in act.does)
    recorded = (act.said for act in checks if act.id == check["result"])
    return check | {"said": next(recorded, None)}


def _compare(given: Mapping[str, str], found: Any) -> tuple[Compared, ...]:
    """What the citizen gave beside the register's row, numbers masked; differences marked."""
    mine = dict(person_rows(given, mask_nik(given["nik"]), mask_nik(given["kk"])))
    if found is None:
        return tuple(Compared(label, value, "", False) for label, value in mine.items())
    row = {part: getattr(found, part) for part in given}
    if not given["birth_place"]:
        row["birth_place"] = ""  # so that both are labelled, and compared, by the date alone
    theirs = dict(person_rows(row, mask_nik(found.nik), mask_nik(found.kk)))
    differs = _differences(given, row)
    labels = [*mine, *(label for label in theirs if label not in mine)]
    return tuple(
        Compared(label, mine.get(label, ""), theirs.get(label, ""), label in differs)
        for label in labels
    )


def _differences(given: Mapping[str, str], row: Mapping[str, str]) -> set[str]:
    pairs = {
        "Nama": (normal_name(given["name"]), normal_name(row["name"])),
        "NIK": (given["nik"], row["nik"]),
        "Nomor KK": (given["kk"], row["kk"]),
        "Tempat, tanggal lahir": (given["birth_date"], row["birth_date"]),
        "Tanggal lahir": (given["birth_date"], row["birth_date"]),
        "Alamat": (normal_name(address(given)), normal_name(address(row))),
        "Desa/Kelurahan": (normal_name(given["village"]), normal_name(row["village"])),
        "Kecamatan": (normal_name(given["district"]), normal_name(row["district"])),
    }
    return {label for label, (mine, theirs) in pairs.items() if mine != theirs}


def _warnings(given: Mapping[str, str]) -> tuple[str, ...]:
    """A NIK that does not fit the person's other data: to be looked at, never a refusal."""
    born = date.fromisoformat(given["birth_date"]) if given["birth_date"] else None
    sex: Sex = "L" if given["sex"] == "L" else "P" if given["sex"] == "P" else ""
    return tuple(WARNING_TEXTS[warning] for warning in nik_warnings(given["nik"], born, sex))


def _passed(loket: Loket, application: Application, service: Service) -> tuple[Passed, ...]:
    events = (
        Event.select(Event, User)
        .join(User, JOIN.LEFT_OUTER)
        .where(Event.application == application)
        .order_by(Event.seq)
    )
    return tuple(_passed_event(loket, service, event) for event in events)


SUBMITTED = Text(id="Permohonan diajukan", en="Application submitted")
TAKEN_BACK = Text(id="Langkah ditarik kembali", en="Act taken back")
BY_PROGRAM = {"diajukan": SUBMITTED, "ditarik": TAKEN_BACK}


def _passed_event(loket: Loket, service: Service, event: Event) -> Passed:
    # A step or act that the office's file no longer has still stands in the history, by its id.
    step = next((step for step in service.steps if step.id == event.from_step), None)
    action = step.action(event.action) if step else None
    unknown = Text(id=event.action, en=event.action)
    said = action.said if action else BY_PROGRAM.get(event.action, unknown)
    role = loket.profile.role(event.role)
    detail = _unlock(loket, "detail", event.detail_ct) or {}
    return Passed(
        title=step.title if step else said,
        said=said,
        at=event.at,
        who=event.actor.full_name if event.actor else "",
        role=role.title if role else None,
        order=event.order,
        detail=detail,
        told=_told(service, action, detail),
    )


def _told(service: Service, action: Action | None, values: Mapping[str, Any]) -> tuple[Told, ...]:
    fields = action.fields if action else ()
    told = ((field.label, _value(service, field, values.get(field.name))) for field in fields)
    return tuple((label, value) for label, value in told if value)


def _value(service: Service, field: FormField, value: Any) -> tuple[Text | str, ...]:
    """A field's value as people read it; a whole person is not repeated."""
    if not value or isinstance(value, dict):
        return ()
    if field.kind == "requirements":
        return tuple(one.title for one in service.requirements if one.id in value)
    if field.kind == "choice":
        return tuple(one.title for one in field.options if one.id == value)
    if field.kind == "staff":
        return tuple(user.full_name for user in User.select().where(User.id == int(value)))
    return (str(value),)


def _letter_view(loket: Loket, letter: Letter) -> LetterView:
    facts = loket.vault.unlock_json("letter", letter.facts_ct)
    return LetterView(
        number=letter.number,
        state=letter.state,
        issued_at=letter.issued_at,
        valid_until=letter.valid_until,
        digits=facts["digits"],
        revoked_at=letter.revoked_at,
        prints=spool.count("letter", letter.application_id, "kiosk")
        + spool.count("letter", letter.application_id, "counter"),
    )


def ticket(loket: Loket, application_id: int, now: int) -> TicketView:
    """A citizen's ticket, as the kiosk shows it."""
    row = Ticket.get(Ticket.application == application_id)
    application = row.application
    return TicketView(
        label=row.label,
        token=row.token,
        due_at=application.due_at,
        before=_before(row),
        created_at=row.created_at,
        service=loket.profile.service(application.service).title,
        printed=_ticket_print(application_id),
        clock=clock_of(loket, application, now),
    )


def _ticket_print(application_id: int) -> str:
    job = (
        PrintJob.select()
        .where((PrintJob.application == application_id) & (PrintJob.kind == "ticket"))
        .order_by(PrintJob.id.desc())
        .first()
    )
    return str(job.state) if job else ""


def _before(row: Ticket) -> int:
    """How many are called before this ticket; 0 once it was called."""
    if row.state != "waiting":
        return 0
    ahead = (Ticket.day == row.day) & (Ticket.state == "waiting")
    sooner = Ticket.id < row.id
    if row.priority:
        ahead &= Ticket.priority & sooner
    else:
        ahead &= Ticket.priority | sooner
    return int(Ticket.select().where(ahead).count())


def status(loket: Loket, token: str, now: int) -> Status | None:
    """What the ticket's QR opens; None for a token that is nobody's."""
    row = Ticket.get_or_none(Ticket.token == token)
    if row is None:
        return None
    application = row.application
    service = loket.profile.service(application.service)
    step = service.step(application.step)
    who = loket.profile.role(step.roles[0]) if step.roles else None
    before = _before(row)
    return Status(
        label=row.label,
        service=service.title,
        stages=_stages(service, step),
        public=step.public,
        who=who.title if who else None,
        before=before,
        clock=clock_of(loket, application, now),
        due_at=application.due_at,
        ticket_state=row.state,
        window=row.window,
        outcome=application.outcome,
        printable=_printable(loket, application),
        slip=service.slip,
        version=f"{application.seq}-{row.state}-{row.window}-{before}",
    )


def _stages(service: Service, step: Step) -> tuple[StageView, ...]:
    ids = [stage.id for stage in service.stages]
    at = ids.index(step.stage)
    return tuple(_stage(stage, n, at, step) for n, stage in enumerate(service.stages))


def _stage(stage: Stage, n: int, at: int, step: Step) -> StageView:
    if n < at or (n == at and step.ends == "issued"):
        return StageView(stage.title, "done")
    return StageView(stage.title, "now" if n == at else "ahead")


def _printable(loket: Loket, application: Application) -> int:
    """How often the letter may still be printed at the kiosk; 0 before it is issued."""
    letter = Letter.get_or_none(
        (Letter.application == application)
        & (Letter.state == "issued")
        & Letter.revoked_at.is_null()
    )
    if letter is None:
        return 0
    used = spool.count("letter", application.id, "kiosk")
    return max(0, loket.profile.kiosk.prints_per_letter - used)


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
    took = [
        calendar.between(done.created_at, done.closed_at or now)
        for done in Application.select(Application.created_at, Application.closed_at)
        .join(Ticket, on=(Ticket.application == Application.id))
        .where((Ticket.day == day) & (Application.outcome << ("issued", "not_found")))
    ]
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


def queue(loket: Loket, actor: Actor, now: int) -> QueueView:
    """Today's queue for a counter."""
    if not loket.profile.may(actor.role, "queue"):
        raise NotAllowed("Antrean dilayani petugas loket.")
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
        version=desk_version(),
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
        priority=_priority(loket, application),
        service=loket.profile.service(application.service).title,
        step=_step(loket, application).title,
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
    if event is None or event.what not in ("done", "no_show") or now - event.at > desk.TAKE_BACK_S:
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
        step = _step(loket, ticket.application)
        if any("hand_over" in action.does for action in step.actions):
            rows.append(_row(loket, ticket, nobody, now))
    return tuple(rows)


def orphans(loket: Loket) -> list[str]:
    """Open applications in a step that the office's file no longer has."""
    found = []
    for application in Application.select().where(Application.closed_at.is_null()):
        try:
            loket.profile.service(application.service).step(application.step)
        except KeyError:
            found.append(f"{application.number} ({application.step})")
    return found
