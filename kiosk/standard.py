"""The published service standard beside what the system does, component by component. Pure.

The six published components are those of PermenPANRB 15/2014: requirements; system, mechanism and
procedure; time; cost; product; complaints.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from kiosk.profile import Profile
from kiosk.rules import TITLES
from kiosk.service import (
    Action,
    Bundle,
    Effect,
    Elsewhere,
    FieldKind,
    ProposalService,
    Requirement,
    Service,
    Step,
)
from kiosk.tables import Text

_PROMISE = re.compile(
    r"(\d+)(?:\s*\(\w+\))?(?:\s*(?:-|\u2013|sampai|s\.?d\.?)\s*(\d+))?(?:\s*\(\w+\))?"
    r"\s*(menit|jam|hari kerja|hari|bulan)",
    re.IGNORECASE,
)
# "1 hari" says neither calendar nor working day, "30 jam" neither clock nor working hours: the
# office's file decides, and both agree with what was published.
_UNITS: dict[str, frozenset[str]] = {
    "menit": frozenset({"minute"}),
    "jam": frozenset({"working_hour", "clock_hour"}),
    "hari kerja": frozenset({"working_day"}),
    "hari": frozenset({"working_day", "calendar_day"}),
    "bulan": frozenset({"month"}),
}
_FREE = re.compile(r"tidak dipungut|tanpa biaya|gratis|Rp\.? ?0\b", re.IGNORECASE)
_PAPERS: frozenset[FieldKind] = frozenset({"requirements", "checklist", "files"})

Clock = Literal["runs", "stops", "ended"]


@dataclass(frozen=True)
class Act:
    """One act of a step: what it asks and makes, where it leads; `by_itself` is nobody's key."""

    title: Text
    asks: tuple[Text, ...]
    does: tuple[Effect, ...]
    rules: tuple[Text, ...]
    leads_to: Text
    by_itself: bool


@dataclass(frozen=True)
class Stop:
    """A step as the standard's reader sees it: whose it is, the clock, what is asked and made."""

    id: str
    title: Text
    roles: tuple[Text, ...]
    clock: Clock
    field_work: bool
    order: str
    acts: tuple[Act, ...]


@dataclass(frozen=True)
class Sheet:
    """A sheet over many proposals: who draws it up, what is asked for it."""

    id: str
    title: Text
    roles: tuple[Text, ...]
    per: str
    asks: tuple[Text, ...]


@dataclass(frozen=True)
class Numbered:
    """A numbered step of the published procedure and all that carries it out."""

    number: int
    text: str
    stops: tuple[Stop, ...]
    sheets: tuple[Sheet, ...]
    elsewhere: tuple[Elsewhere, ...]


@dataclass(frozen=True)
class Paper:
    """A requirement of the file: `looked_through` in these steps, its scan kept for `keep_days`.

    `attached`: its scan is asked for where the proposal is entered.
    """

    requirement: Requirement
    looked_through: tuple[Text, ...]
    attached: bool
    keep_days: int | None


@dataclass(frozen=True)
class Standard:
    """A service's published standard beside the system. `beyond`: steps that nobody published.

    `time_agrees` is None where the published time cannot be read as a number and a unit.
    """

    service: Service
    papers: tuple[Paper, ...]
    procedure: tuple[Numbered, ...]
    beyond: tuple[Stop, ...]
    time_agrees: bool | None
    cost_agrees: bool
    requirements_agree: bool
    complaints_agree: bool

    def first_number(self, step_id: str) -> int:
        """The first number of the procedure that this step carries out."""
        return min(self.service.step(step_id).standard)


def read(profile: Profile, service: Service) -> Standard:
    """A service of this file, published and as it runs."""
    published = service.published
    papers = tuple(_paper(profile, service, one) for one in service.requirements)
    return Standard(
        service=service,
        papers=papers,
        procedure=tuple(
            _numbered(profile, service, number, text)
            for number, text in enumerate(published.procedure, 1)
        ),
        beyond=tuple(_stop(profile, service, s) for s in service.steps if not s.standard),
        time_agrees=time_agrees(service),
        cost_agrees=bool(_FREE.search(published.cost)) == bool(_FREE.search(service.cost.id)),
        requirements_agree=not published.requirements or any(_seen(paper) for paper in papers),
        complaints_agree=not published.complaints or bool(profile.complaints.channels),
    )


def time_agrees(service: Service) -> bool | None:
    """Whether the published time says what the time table promises; None when it cannot be read."""
    found = _PROMISE.search(service.published.time)
    if found is None:
        return None
    first, second, unit = int(found[1]), found[2], found[3].lower()
    least, amount = (first, int(second)) if second else (None, first)
    time = service.time
    return (time.least, time.amount) == (least, amount) and time.unit in _UNITS[unit]


def _seen(paper: Paper) -> bool:
    return bool(paper.looked_through) or paper.attached or not paper.requirement.paper


def _paper(profile: Profile, service: Service, requirement: Requirement) -> Paper:
    kind = profile.document(requirement.document) if requirement.document else None
    steps = tuple(step.title for step in service.steps if _looks_through(step, requirement))
    extras = service.extras if isinstance(service, ProposalService) else ()
    attached = kind is not None and any(field.document == kind.id for field in extras)
    return Paper(requirement, steps, attached, kind.keep_days if kind else None)


def _looks_through(step: Step, requirement: Requirement) -> bool:
    """Whether an act here ticks this paper, or asks for its scan."""
    return any(
        field.kind in _PAPERS
        and (field.kind != "files" or field.document == requirement.document)
        and requirement.paper
        for action in step.actions
        for field in action.fields
    )


def _numbered(profile: Profile, service: Service, number: int, text: str) -> Numbered:
    bundles = service.bundles if isinstance(service, ProposalService) else ()
    return Numbered(
        number=number,
        text=text,
        stops=tuple(_stop(profile, service, s) for s in service.steps if number in s.standard),
        sheets=tuple(_sheet(profile, b) for b in bundles if number in b.standard),
        elsewhere=tuple(one for one in service.published.elsewhere if one.step == number),
    )


def _stop(profile: Profile, service: Service, step: Step) -> Stop:
    order = step.standing
    return Stop(
        id=step.id,
        title=step.title,
        roles=tuple(_titles(profile, step.roles)),
        clock="ended" if step.ends else "stops" if step.stops_clock else "runs",
        field_work=step.field_work,
        order=f"{order.by} No. {order.number}" if order else "",
        acts=tuple(_act(service, action) for action in step.actions),
    )


def _act(service: Service, action: Action) -> Act:
    return Act(
        title=action.title,
        asks=tuple(field.label for field in action.fields),
        does=action.does,
        rules=tuple(TITLES[rule] for rule in action.rules),
        leads_to=service.step(action.next).title,
        by_itself=action.on is not None,
    )


def _sheet(profile: Profile, bundle: Bundle) -> Sheet:
    return Sheet(
        id=bundle.id,
        title=bundle.title,
        roles=tuple(_titles(profile, bundle.roles)),
        per=bundle.per,
        asks=tuple(field.label for field in bundle.fields),
    )


def _titles(profile: Profile, roles: tuple[str, ...]) -> Iterator[Text]:
    return (role.title for role in profile.roles if role.id in roles)
