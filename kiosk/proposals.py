"""Proposals (usulan) of households: entered and changed, each in one transaction.

A proposal is an application with a household: its way, clock and events are the desk's.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from peewee import chunked

from kiosk import desk, forms, household, numbers, periods, versions
from kiosk.casefile import PROPOSED
from kiosk.errors import Invalid, NotAllowed, Stale
from kiosk.household import Household
from kiosk.loket import Loket
from kiosk.proposal_acts import Outcome, act, act_all, happened, take_back, unhappened
from kiosk.proposal_lists import (
    Filter,
    Listing,
    ProposalCase,
    ProposalRow,
    find,
    ids,
    listing,
    may_change,
    read,
    scope_of,
    service_at,
    service_of,
    villages,
)
from kiosk.service import ProposalService, Step
from kiosk.staff import Actor
from models import Application, Event, Member, Period, Proposal, transaction

__all__ = [
    "Filter", "Listing", "Outcome", "ProposalCase", "ProposalRow", "act", "act_all", "add",
    "add_many", "change", "check", "check_many", "happened", "ids", "listing", "read", "scope_of",
    "service_of", "take_back", "take_right", "unhappened", "villages",
]  # fmt: skip

BATCH = 500
TWICE_HERE = "NIK ini ada juga pada keluarga lain yang diajukan bersama ini."
CHANGED = "Usulan ini sudah berubah. Yang terbaru ditampilkan."
OTHER_FAMILY = "Ini keluarga lain daripada yang diusulkan. Batalkan usulan ini, lalu usulkan baru."

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class _Checked:
    """A household as it would be kept, and what is wrong with it by field."""

    household: Household
    faults: dict[str, str]
    nik_ixs: tuple[bytes, ...]


# ── Entering ──


def check(
    loket: Loket, service_id: str, one: Household, actor: Actor, now: int
) -> Mapping[str, str]:
    """What is wrong with a household, by field ("members.0.nik"); nothing is kept."""
    return check_many(loket, service_id, (one,), actor, now)[0]


def check_many(
    loket: Loket, service_id: str, many: Sequence[Household], actor: Actor, now: int
) -> list[Mapping[str, str]]:
    """The same for each of many, those that propose the same person twice among them."""
    service = service_of(loket, service_id, actor)
    return [found.faults for found in _alone(service, _looked_at(loket, service, many, actor))]


def add(loket: Loket, service_id: str, one: Household, actor: Actor, now: int) -> int:
    """A new proposal; its application's id. Raises Invalid by field ("members.0.nik"),
    NotFound for a service that is not the actor's.
    """
    try:
        return add_many(loket, service_id, (one,), actor, now)[0]
    except Invalid as invalid:
        raise Invalid(
            {name.removeprefix("households.0."): said for name, said in invalid.fields.items()}
        ) from None


def add_many(
    loket: Loket,
    service_id: str,
    many: Sequence[Household],
    actor: Actor,
    now: int,
    progress: Progress | None = None,
) -> list[int]:
    """New proposals, all or none; their applications' ids in the same order.

    `progress` is told (done, total). Raises Invalid by field ("households.3.members.0.nik").
    """
    made, found = take_right(loket, service_id, many, actor, now, whole=True, progress=progress)
    faults = {
        f"households.{n}.{name}": said
        for n, faults_of_one in enumerate(found)
        for name, said in faults_of_one.items()
    }
    if faults:
        raise Invalid(faults)
    return made


def take_right(
    loket: Loket,
    service_id: str,
    many: Sequence[Household],
    actor: Actor,
    now: int,
    *,
    whole: bool,
    besides: Collection[int] = (),
    progress: Progress | None = None,
) -> tuple[list[int], list[Mapping[str, str]]]:
    """New proposals of those households that are right: their ids, and everyone's faults.

    `whole`: all or none. `besides` are the places of those that are wrong for another reason.
    """
    service = service_of(loket, service_id, actor)
    made: list[int] = []
    looked_at = _looked_at(loket, service, many, actor)  # before: the others wait for what follows
    with transaction():
        period = periods.current(loket, service, now)
        checked = _alone(service, looked_at)
        ready = [one for n, one in enumerate(checked) if not one.faults and n not in besides]
        if whole and len(ready) < len(checked):
            ready = []
        if ready:
            write = _Writer(loket, service, period, actor, now, len(ready))
            for some in chunked(ready, BATCH):
                made += write.some(some)
                if progress:
                    progress(len(made), len(ready))
            _pass_standing(loket, service, made, now)
    return made, [one.faults for one in checked]


def _looked_at(
    loket: Loket, service: ProposalService, many: Iterable[Household], actor: Actor
) -> list[_Checked]:
    """Each household as it would be kept, with what is wrong with it by itself."""
    mine = _mine(loket, actor)
    found = []
    for given in many:
        one = given.tidied()
        faults = _asked_faults(service, one, actor, mine) | household.faults_of(one)
        extra = _extra(service, one.extra, faults)
        ixs = tuple(loket.vault.index("nik", nik) for nik in one.niks)
        found.append(_Checked(replace(one, extra=extra), faults, ixs))
    return found


def _alone(
    service: ProposalService, many: Sequence[_Checked], besides: int = 0
) -> Sequence[_Checked]:
    """The same, told too who is proposed already; `besides` is the one being changed."""
    taken = _taken({ix for one in many for ix in one.nik_ixs}, service, besides)
    met: set[bytes] = set()
    for one in many:
        for n, ix in enumerate(one.nik_ixs):
            if said := taken.get(ix) or (TWICE_HERE if ix in met else ""):
                one.faults.setdefault(f"members.{n}.nik", said)
        met |= set(one.nik_ixs)
    return many


def _mine(loket: Loket, actor: Actor) -> frozenset[str]:
    """The villages that the actor may propose for."""
    scope = scope_of(loket, actor)
    return frozenset(v for v in villages(loket) if scope in (None, v))


def _asked_faults(
    service: ProposalService, one: Household, actor: Actor, mine: frozenset[str]
) -> dict[str, str]:
    faults: dict[str, str] = {}
    route = service.route(one.route)
    if route is None or actor.role not in route.roles:
        faults["route"] = "Pilih asal usulan."
    if service.purpose(one.purpose) is None:
        faults["purpose"] = "Pilih program yang diusulkan."
    if one.village not in mine:
        faults["village"] = "Pilih desa atau kelurahan."
    return faults


def _extra(
    service: ProposalService, given: Mapping[str, Any], faults: dict[str, str]
) -> dict[str, forms.Value]:
    """The service's extra fields as a form or a sheet gives them; files are documents."""
    asked = [one for one in service.extras if one.kind != "files"]
    texts = {name: [said] if isinstance(said, str) else said for name, said in given.items()}
    try:
        read = forms.read_fields(service, asked, texts)
        return {name: value for name, value in read.items() if value}
    except Invalid as invalid:
        faults.update({f"extra.{name}": said for name, said in invalid.fields.items()})
        return {}


def _taken(ixs: set[bytes], service: ProposalService, besides: int) -> dict[bytes, str]:
    """Whose NIK stands in another open proposal: said where, never whose.

    Of whatever period: one without its pengesahan moves to the next period by itself.
    """
    theirs = (Application.service == service.id) & (Application.id != besides)
    open_ones = theirs & Application.closed_at.is_null()
    found: dict[bytes, str] = {}
    for some in chunked(ixs, BATCH):
        query: Any = (
            Member.select(Member.nik_ix, Application.number, Proposal.village)
            .join(Proposal)
            .join(Application)
            .where(Member.nik_ix.in_(some) & open_ones)
        )
        for ix, number, village in query.tuples():
            found[bytes(ix)] = f"NIK ini sudah ada pada usulan {number}, {village}."
    return found


class _Writer:
    """New proposals of one service, by one person, at one moment: written some at a time."""

    def __init__(
        self,
        loket: Loket,
        service: ProposalService,
        period: Period,
        actor: Actor,
        now: int,
        many: int,
    ) -> None:
        self._loket = loket
        self._service = service
        self._period = period
        self._actor = actor
        self._now = now
        self._year = str(loket.calendar.day_of(now).year)
        self._numbers = iter(numbers.take_many("application", self._year, many))
        self._version = versions.remember(loket, now)
        self._promises = {
            step.id: desk.promise_at(loket, service, step, now) for step in self._starts()
        }

    def some(self, ready: Iterable[_Checked]) -> list[int]:
        """The ids of the applications, in the order of `ready`."""
        some = list(ready)
        rows = [self._application(one) for one in some]
        made: Any = (
            Application.insert_many(rows).returning(Application.id, Application.number).tuples()
        )
        by_number = {number: made_id for made_id, number in made.execute()}
        made_ids = [by_number[row["number"]] for row in rows]
        Event.insert_many(
            [self._event(made_id, row) for made_id, row in zip(made_ids, rows, strict=True)]
        ).execute()
        self._households(made_ids, some)
        return made_ids

    def _households(self, made_ids: Sequence[int], some: Sequence[_Checked]) -> None:
        rows = [
            self._proposal(made_id, one.household)
            for made_id, one in zip(made_ids, some, strict=True)
        ]
        made: Any = Proposal.insert_many(rows).returning(Proposal.id, Proposal.application).tuples()
        proposals = {application: made_id for made_id, application in made.execute()}
        Member.insert_many(
            [
                row
                for made_id, one in zip(made_ids, some, strict=True)
                for row in _member_rows(self._loket, proposals[made_id], one)
            ]
        ).execute()

    def _starts(self) -> list[Step]:
        return [self._service.step(route.start) for route in self._service.routes]

    def _application(self, one: _Checked) -> dict[str, Any]:
        route = self._service.route(one.household.route)
        step = route.start if route else self._service.start
        budget, due = self._promises[step]
        return {
            "number": f"{self._year}-{next(self._numbers):06d}",
            "version": self._version,
            "channel": PROPOSED,
            "service": self._service.id,
            "step": step,
            "seq": 1,
            "created_at": self._now,
            "budget_s": budget,
            "due_at": due,
        } | _head_columns(self._loket, one)

    def _event(self, made_id: int, row: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "application": made_id,
            "seq": 1,
            "at": self._now,
            "actor": self._actor.id,
            "role": self._actor.role,
            "action": "diajukan",
            "from_step": "",
            "to_step": row["step"],
            "due_at": row["due_at"],
        }

    def _proposal(self, made_id: int, one: Household) -> dict[str, Any]:
        return {
            "application": made_id,
            "village": one.village,
            "period": self._period.id,
            "route": one.route,
        } | _household_columns(self._loket, one)


def _head_columns(loket: Loket, one: _Checked) -> dict[str, Any]:
    """What the application's row repeats of its household."""
    head = one.household.head
    return {
        "purpose": one.household.purpose,
        "nik_ix": one.nik_ixs[0],
        "given_ct": loket.vault.lock_json("given", {part: head[part] for part in forms.PERSON}),
        "in_snapshot": loket.register.find_pair(head["nik"], head["kk"]) is not None,
    }


def _household_columns(loket: Loket, one: Household) -> dict[str, Any]:
    """What the proposal's row keeps of its household."""
    return {
        "kk_ix": loket.vault.index("kk", one.head["kk"]),
        "family_size": one.family_size,
        "extra_ct": loket.vault.lock_json("extra", one.extra) if one.extra else None,
    }


def _member_rows(loket: Loket, proposal_id: int, one: _Checked) -> list[dict[str, Any]]:
    """The members' rows, the head first."""
    return [
        {
            "proposal": proposal_id,
            "position": n,
            "nik_ix": ix,
            "person_ct": loket.vault.lock_json("member", person),
        }
        for n, (person, ix) in enumerate(zip(one.household.members, one.nik_ixs, strict=True), 1)
    ]


def _pass_standing(loket: Loket, service: ProposalService, made: Iterable[int], now: int) -> None:
    standing = {step.id for step in service.steps if step.standing}
    if not standing & {route.start for route in service.routes}:
        return
    for made_id in made:
        desk.pass_standing(loket, desk.find(made_id), service, now)


# ── Changing ──


def change(
    loket: Loket, application_id: int, one: Household, actor: Actor, seq: int, now: int
) -> None:
    """Other data for a proposal that begins, or was given back; its village and route stay.

    Its family stays too, by the KK number or somebody's NIK: what a meeting agreed on is not put
    in another's place. What Dukcapil said of a member stays while the member's data do. Raises
    Invalid by field, NotFound, NotAllowed in another step, Stale when somebody was first.
    """
    with transaction():
        application, proposal = find(loket, application_id, actor)
        service = service_at(loket, application)
        if application.seq != seq:
            raise Stale(CHANGED)
        if not may_change(loket, application, service, actor):
            raise NotAllowed("Usulan ini tidak dapat diubah lagi pada langkah ini.")
        asked = Household(
            proposal.route, one.purpose, proposal.village, one.family_size, one.members, one.extra
        )
        (ready,) = _alone(service, _looked_at(loket, service, (asked,), actor), application.id)
        if not _same_family(proposal, ready, loket):
            ready.faults.setdefault("members.0.kk", OTHER_FAMILY)
        if ready.faults:
            raise Invalid(ready.faults)
        _replace(loket, application, proposal, ready)
        step = service.step(application.step)
        desk.enter(loket, application, service, "diubah", step, actor.id, actor.role, {}, now)


def _same_family(proposal: Proposal, ready: _Checked, loket: Loket) -> bool:
    if not ready.household.members:
        return True  # said already
    if bytes(proposal.kk_ix) == loket.vault.index("kk", ready.household.head["kk"]):
        return True
    known = (Member.proposal == proposal) & Member.nik_ix.in_(ready.nik_ixs)
    return bool(Member.select().where(known).exists())


def _replace(loket: Loket, application: Application, proposal: Proposal, ready: _Checked) -> None:
    for name, value in _head_columns(loket, ready).items():
        setattr(application, name, value)
    Proposal.update(_household_columns(loket, ready.household)).where(
        Proposal.id == proposal.id
    ).execute()
    told = {
        _content(loket.vault.unlock_json("member", row.person_ct)): row
        for row in Member.select().where(Member.proposal == proposal)
    }
    Member.delete().where(Member.proposal == proposal).execute()
    rows = _member_rows(loket, proposal.id, ready)
    for row, person in zip(rows, ready.household.members, strict=True):
        row |= _padan(told.get(_content(person)))
    Member.insert_many(rows).execute()


def _content(person: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(person[part] for part in forms.PERSON)


def _padan(row: Member | None) -> dict[str, Any]:
    names = ("padan", "padan_address", "padan_source", "padan_at")
    empty = {"padan": None, "padan_address": None, "padan_source": "", "padan_at": None}
    return {name: getattr(row, name) for name in names} if row else empty
