"""Proposals as they are read: whose village, lists with filter and counts, one case whole."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peewee import fn

from kiosk import facts, rules, taking_back, versions, workflow
from kiosk.case_history import Passed, passed
from kiosk.casefile import given_of, purpose_of, warnings_of
from kiosk.errors import NotFound
from kiosk.household import Household
from kiosk.identity import mask_nik, normal_name
from kiosk.loket import Loket
from kiosk.promise import Clock, clock_of
from kiosk.service import Action, ProposalService, Rule, Step
from kiosk.staff import Actor
from kiosk.tables import Text
from models import Application, Member, Period, Proposal

PAGE = 50
GONE = "Usulan ini tidak ada."
_NUMBER = re.compile(r"([0-9]{4})[ -]?0*([1-9][0-9]{0,8})")
_SIXTEEN = re.compile(r"[0-9]{16}")


@dataclass(frozen=True)
class Filter:
    """What a list shows: of a period ("2026-11"), a village, a step; "" for all.

    `text`: a number, a NIK or KK number of anybody in the household, or a part of the head's name.
    """

    period: str = ""
    village: str = ""
    step: str = ""
    text: str = ""


@dataclass(frozen=True)
class ProposalRow:
    """One line of a list; `nik` and `kk` masked, `name` the head's. `seq` goes back with an act."""

    id: int
    seq: int
    number: str
    name: str
    nik: str
    kk: str
    village: str
    period: str
    route: Text
    purpose: Text
    step: Step
    members: int
    family_size: int
    clock: Clock


@dataclass(frozen=True)
class Listing:
    """A page of a list. `page` counts from 1; `counts`: step → how many, the step filter aside."""

    rows: tuple[ProposalRow, ...]
    total: int
    page: int
    pages: int
    counts: Mapping[str, int]


@dataclass(frozen=True)
class MemberView:
    """A member with what the register and Dukcapil say; `warnings` are to be looked at."""

    position: int
    person: Mapping[str, str]
    nik: str
    in_register: bool
    programmes: tuple[str, ...]
    padan: int | None
    padan_address: int | None
    padan_source: str
    padan_at: int | None
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Mark:
    """A rule of the step's acts: whether it holds now, and why not."""

    rule: Rule
    title: Text
    ok: bool
    reason: str


@dataclass(frozen=True)
class Verdict:
    """What was last decided by hand, and why; `at` in epoch seconds."""

    title: Text
    reason: str
    at: int
    by: str


@dataclass(frozen=True)
class ProposalCase:
    """A proposal whole. `seq` goes back with the act."""

    id: int
    seq: int
    number: str
    name: str
    service: ProposalService
    period: str
    route: Text
    purpose: Text
    household: Household
    members: tuple[MemberView, ...]
    rules: tuple[Mark, ...]
    verdict: Verdict | None
    step: Step
    clock: Clock
    actions: tuple[Action, ...]
    passed: tuple[Passed, ...]
    ahead: tuple[Step, ...]
    outcome: str
    can_change: bool
    can_take_back: bool


def villages(loket: Loket) -> tuple[str, ...]:
    """The office's desa and kelurahan, as "Kecamatan/Desa"."""
    return loket.profile.villages


def scope_of(loket: Loket, actor: Actor) -> str | None:
    """The one village whose proposals the actor sees; None for all of them."""
    role = loket.profile.role(actor.role)
    return None if role and role.scope == "office" else actor.village


def service_of(loket: Loket, service_id: str, actor: Actor) -> ProposalService:
    """The proposal service. Raises NotFound when there is none, or none of this role's."""
    service = next((s for s in loket.profile.proposals if s.id == service_id), None)
    if service is None or not _concerns(loket, service, actor):
        raise NotFound("Layanan usulan ini tidak ada.")
    return service


def _concerns(loket: Loket, service: ProposalService, actor: Actor) -> bool:
    may = loket.profile.may
    if may(actor.role, "propose") or may(actor.role, "supervise"):
        return True
    roles = {bundle.signer for bundle in service.bundles}
    roles |= {role for route in service.routes for role in route.roles}
    roles |= {role for bundle in service.bundles for role in bundle.roles}
    return actor.role in roles | {role for step in service.steps for role in step.roles}


def find(loket: Loket, application_id: int, actor: Actor) -> tuple[Application, Proposal]:
    """A proposal that the actor may see. Raises NotFound: of another village, it does not exist."""
    proposal = (
        Proposal.select(Proposal, Application, Period)
        .join(Application)
        .switch(Proposal)
        .join(Period)
        .where(Proposal.application == application_id)
        .get_or_none()
    )
    scope = scope_of(loket, actor)
    if proposal is None or (scope is not None and proposal.village != scope):
        raise NotFound(GONE)
    application: Application = proposal.application
    if not _concerns(loket, service_at(loket, application), actor):
        raise NotFound(GONE)
    return application, proposal


def service_at(loket: Loket, application: Application) -> ProposalService:
    """The proposal's service, as its version of the office's file has it. Raises NotFound."""
    service = versions.service_of(loket, application)
    if not isinstance(service, ProposalService):
        raise NotFound(GONE)
    return service


def listing(
    loket: Loket, service_id: str, actor: Actor, filter_: Filter, page: int, now: int
) -> Listing:
    """Proposals, the newest first, fifty a page. Only those shown are unlocked, unless a name is
    looked for. Raises NotFound for a service that is not the actor's.
    """
    service = service_of(loket, service_id, actor)
    found = _found(loket, service, actor, filter_)
    counted: Any = found.select(Application.step, fn.COUNT(Application.id))
    counts: dict[str, int] = dict(counted.group_by(Application.step).tuples())
    if filter_.step:
        found = found.where(Application.step == filter_.step)
    total = counts.get(filter_.step, 0) if filter_.step else sum(counts.values())
    pages = max(1, -(-total // PAGE))
    page = min(max(1, page), pages)
    query: Any = found.select(Proposal, Application, Period).order_by(Application.id.desc())
    shown = list(query.paginate(page, PAGE))
    sizes = _sizes(shown)
    rows = tuple(_row(loket, proposal, sizes.get(proposal.id, 0), now) for proposal in shown)
    return Listing(rows, total, page, pages, counts)


def ids(loket: Loket, service_id: str, actor: Actor, filter_: Filter) -> tuple[int, ...]:
    """All proposals of a filter, oldest first: what an act on "all of these" is done to."""
    service = service_of(loket, service_id, actor)
    found = _found(loket, service, actor, filter_)
    if filter_.step:
        found = found.where(Application.step == filter_.step)
    query: Any = found.select(Application.id).order_by(Application.id)
    return tuple(number for (number,) in query.tuples())


def _found(loket: Loket, service: ProposalService, actor: Actor, filter_: Filter) -> Any:
    """The proposals of a filter but for its step, with application and period joined."""
    query = Proposal.select().join(Application).switch(Proposal).join(Period)
    query = query.where(Application.service == service.id)
    village = scope_of(loket, actor)
    if village is not None:
        query = query.where(Proposal.village == village)
    if filter_.village:
        query = query.where(Proposal.village == filter_.village)
    if filter_.period:
        query = query.where(Period.code == filter_.period)
    text = " ".join(filter_.text.split())
    return query.where(_said_by(loket, query, text)) if text else query


def _said_by(loket: Loket, query: Any, text: str) -> Any:
    digits = re.sub(r"[\s.\-]", "", text)
    if _SIXTEEN.fullmatch(digits):
        holds = Member.select(Member.proposal).where(
            Member.nik_ix == loket.vault.index("nik", digits)
        )
        return Proposal.id.in_(holds) | (Proposal.kk_ix == loket.vault.index("kk", digits))
    if number := _NUMBER.fullmatch(text):
        return Application.number == f"{number[1]}-{int(number[2]):06d}"
    return Application.id.in_(_named(loket, query, normal_name(text)))


def _named(loket: Loket, query: Any, name: str) -> list[int]:
    """Names stand under lock, so each that the filter leaves is opened: some 10 µs a household."""
    heads = query.select(Application.id, Application.given_ct).tuples()
    unlock = loket.vault.unlock_json
    return [number for number, locked in heads if name in unlock("given", locked)["name"]]


def _sizes(proposals: list[Proposal]) -> dict[int, int]:
    shown = [proposal.id for proposal in proposals]
    counted: Any = Member.select(Member.proposal, fn.COUNT(Member.id)).group_by(Member.proposal)
    return dict(counted.where(Member.proposal.in_(shown)).tuples())


def _row(loket: Loket, proposal: Proposal, members: int, now: int) -> ProposalRow:
    application = proposal.application
    service = service_at(loket, application)
    given = given_of(loket, application)
    return ProposalRow(
        id=application.id,
        seq=application.seq,
        number=application.number,
        name=given["name"].title(),
        nik=mask_nik(given["nik"]),
        kk=mask_nik(given["kk"]),
        village=proposal.village,
        period=proposal.period.code,
        route=_route(service, proposal),
        purpose=purpose_of(service, application),
        step=service.step(application.step),
        members=members,
        family_size=proposal.family_size,
        clock=clock_of(loket, application, now),
    )


def _route(service: ProposalService, proposal: Proposal) -> Text:
    route = service.route(proposal.route)
    return route.title if route else Text(id=proposal.route, en=proposal.route)


def read(loket: Loket, application_id: int, actor: Actor, now: int) -> ProposalCase:
    """A proposal whole, its numbers in full. Raises NotFound as `find`."""
    application, proposal = find(loket, application_id, actor)
    service = service_at(loket, application)
    step = service.step(application.step)
    rows = list(Member.select().where(Member.proposal == proposal).order_by(Member.position))
    gathered = facts.of(loket, application, service, {})
    return ProposalCase(
        id=application.id,
        seq=application.seq,
        number=application.number,
        name=given_of(loket, application)["name"].title(),
        service=service,
        period=proposal.period.code,
        route=_route(service, proposal),
        purpose=purpose_of(service, application),
        household=_household(loket, application, proposal, rows),
        members=tuple(
            _member(loket, row, known) for row, known in zip(rows, gathered.members, strict=True)
        ),
        rules=_marks(step, gathered),
        verdict=_verdict(loket, service, proposal),
        step=step,
        clock=clock_of(loket, application, now),
        actions=workflow.offered(step, actor.role, application.assignee_id == actor.id),
        passed=passed(loket, application, service),
        ahead=tuple(workflow.way(service, [application.step])),
        outcome=application.outcome or "",
        can_change=may_change(loket, application, service, actor),
        can_take_back=actor.role in service.step(application.step).roles
        and taking_back.can_take_back(loket, application, actor, now),
    )


def may_change(
    loket: Loket, application: Application, service: ProposalService, actor: Actor
) -> bool:
    """Whether the household's data may be mended now.

    Where a route begins, and where the clock stands still for those who may propose: it was given
    back to them.
    """
    step = service.step(application.step)
    if application.closed_at is not None or actor.role not in step.roles:
        return False
    begins = step.id in {route.start for route in service.routes}
    return begins or (step.stops_clock and loket.profile.may(actor.role, "propose"))


def _household(
    loket: Loket, application: Application, proposal: Proposal, rows: list[Member]
) -> Household:
    unlock = loket.vault.unlock_json
    return Household(
        route=proposal.route,
        purpose=application.purpose,
        village=proposal.village,
        family_size=proposal.family_size,
        members=tuple(unlock("member", row.person_ct) for row in rows),
        extra=unlock("extra", proposal.extra_ct) if proposal.extra_ct else {},
    )


def _member(loket: Loket, row: Member, known: rules.Person) -> MemberView:
    person = loket.vault.unlock_json("member", row.person_ct)
    return MemberView(
        position=row.position,
        person=person,
        nik=mask_nik(person["nik"]),
        in_register=known.in_register,
        programmes=known.programmes,
        padan=row.padan,
        padan_address=row.padan_address,
        padan_source=row.padan_source,
        padan_at=row.padan_at,
        warnings=warnings_of(person),
    )


def _marks(step: Step, gathered: rules.Facts) -> tuple[Mark, ...]:
    names = tuple(dict.fromkeys(rule for action in step.actions for rule in action.rules))
    refused = rules.refusals(names, gathered)
    return tuple(
        Mark(name, rules.TITLES[name], name not in refused, refused.get(name, "")) for name in names
    )


def _verdict(loket: Loket, service: ProposalService, proposal: Proposal) -> Verdict | None:
    if proposal.verdict_ct is None:
        return None
    told = loket.vault.unlock_json("verdict", proposal.verdict_ct)
    steps = {step.id: step for step in service.steps}
    step = steps.get(told["step"])
    action = step.action(told["action"]) if step else None
    title = action.said if action else Text(id=told["action"], en=told["action"])
    return Verdict(title, told["reason"], told["at"], told["by"])
