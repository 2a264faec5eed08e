"""What is decided on proposals, one by one and many at once, and what happens to many by itself.

Each is one transaction; the way, the clock and the events are the desk's.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from peewee import chunked

from kiosk import desk, documents, facts, forms, own, rules, taking_back, workflow
from kiosk.case_history import detail_of
from kiosk.errors import Invalid, NotAllowed, NotFound
from kiosk.forms import Given
from kiosk.loket import Loket
from kiosk.proposal_lists import find, scope_of, service_at
from kiosk.service import Action, FormField, ProposalService
from kiosk.staff import Actor
from models import Application, Event, Proposal, transaction

BATCH = 500
PROGRAM = "sistem"

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What came of an act on many: how many were done; of the others their number and why not."""

    done: int
    refused: tuple[tuple[str, str], ...]


def act(
    loket: Loket,
    application_id: int,
    action_id: str,
    given: Given,
    actor: Actor,
    seq: int,
    now: int,
) -> None:
    """Do an act of a proposal's step; raises what `desk.act` raises, NotFound as `find`."""
    with transaction():
        find(loket, application_id, actor)
        done = desk.act(loket, application_id, action_id, given, actor, seq, now)
        event = Event.get((Event.application == application_id) & (Event.seq == seq + 1))
        detail = detail_of(loket, event)
        _keep_verdict(loket, [done.id], (event.from_step, action_id), detail, actor, now)


def take_back(loket: Loket, application_id: int, actor: Actor, seq: int, now: int) -> None:
    """Undo one's own last act, as `taking_back.take_back`; what was decided before stands again."""
    with transaction():
        find(loket, application_id, actor)
        application = taking_back.take_back(loket, application_id, actor, seq, now)
        told = _last_verdict(loket, application)
        locked = loket.vault.lock_json("verdict", told) if told else None
        Proposal.update(verdict_ct=locked).where(Proposal.application == application).execute()


def _last_verdict(loket: Loket, application: Application) -> dict[str, Any] | None:
    """What was decided by hand last and not taken back, as its events tell it."""
    decided: list[Event] = []
    query = Event.select().where(Event.application == application).order_by(Event.seq)
    service = service_at(loket, application)
    steps = {step.id: step for step in service.steps}
    for event in query:
        last = decided[-1] if decided else None
        if event.action == "ditarik":
            if last and (last.from_step, last.to_step) == (event.to_step, event.from_step):
                decided.pop()
        elif event.actor_id and (step := steps.get(event.from_step)):
            action = step.action(event.action)
            decided += [event] if action and not action.on else []
    return _verdict_of(loket, decided[-1]) if decided else None


def _verdict_of(loket: Loket, event: Event) -> dict[str, Any]:
    detail = detail_of(loket, event)
    by = event.actor.full_name if event.actor else ""
    return _told((event.from_step, event.action), detail, by, event.at)


def act_all(
    loket: Loket,
    application_ids: Sequence[int],
    action_id: str,
    given: Given,
    actor: Actor,
    now: int,
    progress: Progress | None = None,
    step: str = "",
) -> Outcome:
    """Do an act of many proposals, in one transaction; `step` is where they were seen to stand.

    One that a rule refuses, or that stands elsewhere by now, is told with its reason and leaves
    the others be. What was asked wrongly for all (a reason left out) raises Invalid: none is done.
    """
    done: list[int] = []
    refused: list[tuple[str, str]] = []
    with transaction():
        many = _Many(loket, action_id, given, actor, now)
        for some in chunked(dict.fromkeys(application_ids), BATCH):
            known = _load(loket, some, actor)
            gone = len(some) - len(known)
            refused += [("", "Usulan ini tidak ada.")] * gone
            there = [a for a in known.values() if step not in ("", a.step)]
            refused += [(application.number, workflow.NOT_HERE) for application in there]
            here = [a for a in known.values() if step in ("", a.step)]
            refused += many.refusals(here, done)
            if progress:
                progress(len(done) + len(refused), len(application_ids))
    return Outcome(len(done), tuple(refused))


def _load(loket: Loket, some: Iterable[int], actor: Actor) -> dict[int, Application]:
    scope = scope_of(loket, actor)
    query = Application.select().join(Proposal).where(Application.id.in_(list(some)))
    if scope is not None:
        query = query.where(Proposal.village == scope)
    known = {application.id: application for application in query}
    return {one: known[one] for one in some if one in known}


class _Many:
    """One act on many proposals: what stands alike is looked at, and written, together."""

    def __init__(self, loket: Loket, action_id: str, given: Given, actor: Actor, now: int) -> None:
        self._loket = loket
        self._action_id = action_id
        self._given = given
        self._actor = actor
        self._now = now

    def refusals(self, some: Sequence[Application], done: list[int]) -> list[tuple[str, str]]:
        """Do it to all that may; the others with why not. `done` gets the ids of the former."""
        refused: list[tuple[str, str]] = []
        for alike in _alike(some):
            try:
                action = self._action(alike[0])
            except NotAllowed as error:
                refused += [(application.number, error.message) for application in alike]
                continue
            ready, told = self._sorted(alike, action)
            refused += told
            self._carry_out(ready, action)
            done += [application.id for application in ready]
        return refused

    def _action(self, application: Application) -> Action:
        service = service_at(self._loket, application)
        action, _ = workflow.move(service, application.step, self._action_id, self._actor.role)
        single = {"password", "staff"} & {field.kind for field in action.fields}
        if action.does or single:
            raise NotAllowed("Langkah ini dikerjakan satu per satu.")
        return action

    def _sorted(
        self, alike: Sequence[Application], action: Action
    ) -> tuple[list[Application], list[tuple[str, str]]]:
        """Which may go on, and why the others may not: a rule, a scan that is missing."""
        ready, told = [], []
        service = service_at(self._loket, alike[0])
        known = facts.of_households(self._loket, alike, service) if action.rules else {}
        mine = own.among([application.id for application in alike], self._actor)
        for application in alike:
            reasons = [own.OWN] if application.id in mine else []
            reasons += _missing_files(service, application, action)
            if action.rules:
                reasons += rules.refusals(action.rules, known[application.id]).values()
            if reasons:
                told.append((application.number, " ".join(reasons)))
            else:
                ready.append(application)
        return ready, told

    def _carry_out(self, ready: Sequence[Application], action: Action) -> None:
        if not ready:
            return
        service = service_at(self._loket, ready[0])
        plain = [field for field in action.fields if field.kind != "files"]
        values = forms.read_fields(service, plain, self._given)
        place = (ready[0].step, action.id)
        _enter(self._loket, ready, service, action, self._actor, self._now, values)
        made_ids = [application.id for application in ready]
        _keep_verdict(self._loket, made_ids, place, values, self._actor, self._now)


def _alike(some: Iterable[Application]) -> list[list[Application]]:
    """Those of one version of the office's file and one step together."""
    groups: dict[tuple[str, str, str], list[Application]] = {}
    for application in some:
        place = (application.service, application.version, application.step)
        groups.setdefault(place, []).append(application)
    return list(groups.values())


def _missing_files(
    service: ProposalService, application: Application, action: Action
) -> Iterable[str]:
    asked = _files(action)
    if not asked:
        return ()
    try:
        forms.read_fields(service, asked, documents.held(application.id, asked))
    except Invalid as invalid:
        return invalid.fields.values()
    return ()


def _files(action: Action) -> list[FormField]:
    return [field for field in action.fields if field.kind == "files"]


def _keep_verdict(
    loket: Loket,
    application_ids: Sequence[int],
    place: tuple[str, str],
    values: Mapping[str, Any],
    actor: Actor,
    now: int,
) -> None:
    """What was decided by hand last, with its reason: the annex of a sheet says it."""
    told = _told(place, values, actor.full_name, now)
    Proposal.update(verdict_ct=loket.vault.lock_json("verdict", told)).where(
        Proposal.application.in_(application_ids)
    ).execute()


def _told(place: tuple[str, str], values: Mapping[str, Any], by: str, at: int) -> dict[str, Any]:
    step, action = place
    reason = str(values.get("reason", ""))
    return {"step": step, "action": action, "reason": reason, "at": at, "by": by}


# ── What happens to many at once: a sheet was frozen, signed, drawn up again ──


def happened(
    loket: Loket, application_ids: Iterable[int], moment: str, now: int, actor: Actor | None
) -> int:
    """Move each proposal whose step has an act for this moment ("pengesahan.signed"); how many.

    Inside a transaction: whoever calls has asked whether it may be.
    """
    moved = 0
    for some in _applications(application_ids):
        for alike in _alike(some):
            service = service_at(loket, alike[0])
            step = service.step(alike[0].step)
            action = next((one for one in step.actions if one.on == moment), None)
            if action:
                _enter(loket, alike, service, action, actor, now)
                moved += len(alike)
    return moved


def unhappened(
    loket: Loket, application_ids: Iterable[int], moment: str, now: int, actor: Actor | None
) -> int:
    """Take back a moment: who has not gone on since stands again where it came from; how many.

    Inside a transaction.
    """
    moved = 0
    for some in _applications(application_ids):
        for alike in _alike(some):
            service = service_at(loket, alike[0])
            moved += _go_back(loket, alike, service, moment, now, actor)
    return moved


def _go_back(
    loket: Loket,
    alike: Sequence[Application],
    service: ProposalService,
    moment: str,
    now: int,
    actor: Actor | None,
) -> int:
    came_by = _last_moves(alike)
    moved = 0
    for step in service.steps:
        by = {(step.id, action.id) for action in step.actions if action.on == moment}
        back = [a for a in alike if came_by.get(a.id) in by]
        if back:
            actor_id, role = (actor.id, actor.role) if actor else (None, PROGRAM)
            desk.enter_many(loket, back, service, "ditarik", step, actor_id, role, {}, now)
            moved += len(back)
    return moved


def _last_moves(applications: Iterable[Application]) -> dict[int, tuple[str, str]]:
    """How each came to its step: (from where, by which act); a move to another period is none."""
    asked = [application.id for application in applications]
    moves: Any = (
        Event.select(Event.application, Event.from_step, Event.action)
        .where(Event.application.in_(asked) & (Event.from_step != Event.to_step))
        .order_by(Event.seq)
    )
    return {application: (step, action) for application, step, action in moves.tuples()}


def _applications(application_ids: Iterable[int]) -> Iterator[list[Application]]:
    for some in chunked(application_ids, BATCH):
        known = list(Application.select().where(Application.id.in_(some)))
        if len(known) != len(set(some)):
            raise NotFound("Usulan ini tidak ada.")
        yield known


def _enter(
    loket: Loket,
    alike: Sequence[Application],
    service: ProposalService,
    action: Action,
    actor: Actor | None,
    now: int,
    values: Mapping[str, forms.Value] | None = None,
) -> None:
    actor_id, role = (actor.id, actor.role) if actor else (None, PROGRAM)
    to = service.step(action.next)
    desk.enter_many(loket, alike, service, action.id, to, actor_id, role, values or {}, now)
    if to.standing:
        for application in alike:
            desk.pass_standing(loket, application, service, now)
