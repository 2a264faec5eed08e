"""Taking back: undo one's own last act while nothing has left the house by it."""

from kiosk import desk, issuing, letter_status, replacing, versions
from kiosk.case_history import detail_of
from kiosk.errors import NotAllowed
from kiosk.loket import Loket
from kiosk.staff import Actor
from models import Application, Event, User, transaction

TAKE_BACK_S = 120
LASTING = frozenset({"issue", "release", "slip", "hand_over"})


def can_take_back(loket: Loket, application: Application, actor: Actor, now: int) -> bool:
    """Whether the last act is the actor's own, fresh, and nothing has left the house by it."""
    last = _last(application)
    if last is None or last.actor_id != actor.id or now - last.at > TAKE_BACK_S:
        return False
    step = versions.service_of(loket, application).step(last.from_step)
    action = step.action(last.action)
    return action is not None and not action.on and not LASTING & set(action.does)


def take_back(loket: Loket, application_id: int, actor: Actor, seq: int, now: int) -> Application:
    """Undo one's own last act within two minutes, if nobody acted since.

    The file goes back to the step it came from; both events stay in its history. Raises Stale or
    NotAllowed.
    """
    with transaction():
        application = desk.find(application_id)
        desk.require_seq(application, seq)
        issuing.require_free(application_id, now)
        last = _last(application)
        if last is None or not can_take_back(loket, application, actor, now):
            raise NotAllowed("Langkah ini tidak dapat ditarik kembali lagi.")
        service = versions.service_of(loket, application)
        to = service.step(last.from_step)
        if application.closed_at is not None:
            replacing.require_free(application)
            issuing.revive(application.id)
        application.closed_at = application.outcome = None
        if to.stops_clock and not _had_started(application):
            application.due_at, application.left_s, application.budget_s = None, None, 0
        application.assignee = _assignee_before(loket, application)
        if before := detail_of(loket, last).get(desk.BEFORE):
            desk.give(loket, application, before)
        desk.enter(loket, application, service, "ditarik", to, actor.id, actor.role, {}, now)
    return application


def _assignee_before(loket: Loket, application: Application) -> User | None:
    """Whom the case was given to before its last act; one taken back gave it to nobody."""
    given: list[int | None] = [None]
    events = Event.select().where(Event.application == application.id).order_by(Event.seq)
    for event in events:
        if event.action == "ditarik":
            given.pop()
            continue
        detail = detail_of(loket, event)
        given.append(int(detail["assignee"]) if detail.get("assignee") else given[-1])
    found: User | None = User.get_or_none(User.id == given[-2])
    return found


def _had_started(application: Application) -> bool:
    """Whether the clock had started before the last act: then it ran, or stood with time left."""
    before: Event = Event.get(
        (Event.application == application.id) & (Event.seq == application.seq - 1)
    )
    return before.due_at is not None or before.left_s is not None


def _last(application: Application) -> Event | None:
    """The last act; a step that passed by a standing disposition after it cannot be unsaid."""
    event: Event | None = (
        Event.select()
        .where((Event.application == application.id) & (Event.seq == application.seq))
        .first()
    )
    begun = ("ditarik", "diajukan", letter_status.REPLACING)
    return event if event and event.action not in begun else None
