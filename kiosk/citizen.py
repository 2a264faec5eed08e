"""What a citizen sees of their application: the ticket, and the status on their phone."""

from dataclasses import dataclass

from peewee import Expression

from kiosk import letter_status, spool, versions
from kiosk.loket import Loket
from kiosk.promise import Clock, clock_of, said
from kiosk.service import Service, SlipText, Stage, Step
from kiosk.tables import Text
from models import Application, Letter, PrintJob, Ticket


@dataclass(frozen=True)
class StageView:
    title: Text
    state: str  # done, now or ahead


@dataclass(frozen=True)
class Status:
    """What a citizen's phone shows. `version` changes when what is shown changes.

    `promise` is the service's time in words; it counts from the complete file while the clock has
    not started. `letter` is what became of the letter since: suspended, revoked, replaced, or "".
    """

    label: str
    service: Text
    stages: tuple[StageView, ...]
    public: Text
    who: Text | None
    before: int
    clock: Clock
    due_at: int | None
    promise: Text
    ticket_state: str
    window: int | None
    outcome: str | None
    printable: int
    letter: str
    slip: SlipText
    version: str


@dataclass(frozen=True)
class TicketView:
    """A ticket. `promise` counts from the complete file while the clock has not started."""

    label: str
    token: str
    due_at: int | None
    promise: Text
    before: int
    created_at: int
    service: Text
    printed: str
    clock: Clock


def ticket(loket: Loket, application_id: int, now: int) -> TicketView:
    """A citizen's ticket, as the kiosk shows it."""
    row = Ticket.get(Ticket.application == application_id)
    application = row.application
    service = versions.service_of(loket, application)
    return TicketView(
        label=row.label,
        token=row.token,
        due_at=application.due_at,
        promise=said(service.time),
        before=_before(row),
        created_at=row.created_at,
        service=service.title,
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
    found = Ticket.select(Ticket, Application).join(Application).where(Ticket.token == token)
    row = found.get_or_none()
    if row is None:
        return None
    application = row.application
    service = versions.letter_service_of(loket, application)
    step = service.step(application.step)
    who = loket.profile.role(step.roles[0]) if step.roles else None
    before, letter = _before(row), Letter.get_or_none(_issued_for(application))
    printable, became = _printable(loket, letter), _became(letter)
    return Status(
        label=row.label,
        service=service.title,
        stages=_stages(service, step),
        public=step.public,
        who=who.title if who else None,
        before=before,
        clock=clock_of(loket, application, now),
        due_at=application.due_at,
        promise=said(service.time),
        ticket_state=row.state,
        window=row.window,
        outcome=application.outcome,
        printable=printable,
        letter=became,
        slip=service.slip,
        version=f"{application.seq}-{row.state}-{row.window}-{before}-{printable}{became}",
    )


def _stages(service: Service, step: Step) -> tuple[StageView, ...]:
    ids = [stage.id for stage in service.stages]
    at = ids.index(step.stage)
    return tuple(_stage(stage, n, at, step) for n, stage in enumerate(service.stages))


def _stage(stage: Stage, n: int, at: int, step: Step) -> StageView:
    if n < at or (n == at and step.ends == "issued"):
        return StageView(stage.title, "done")
    return StageView(stage.title, "now" if n == at else "ahead")


def _issued_for(application: Application) -> Expression:
    return (Letter.application == application) & (Letter.state == "issued")


def _printable(loket: Loket, letter: Letter | None) -> int:
    """How often the letter, or the one in its place, may still be printed at the kiosk.

    0 before it is issued, and never for a letter signed by hand: only the stamped sheet counts.
    """
    row = letter and letter_status.newest(letter)
    if row is None or row.drawn_at or row.revoked_at or row.suspended_at:
        return 0
    used = spool.count("letter", row.application_id, "kiosk")
    return max(0, loket.profile.kiosk.prints_per_letter - used)


def _became(letter: Letter | None) -> str:
    """What has become of an issued letter: that of the newest in its place before replaced."""
    row = letter and letter_status.newest(letter)
    if letter is None or row is None:
        return ""
    if row.revoked_at is not None:
        return "revoked"
    if row.suspended_at is not None:
        return "suspended"
    return "replaced" if letter.id != row.id else ""
