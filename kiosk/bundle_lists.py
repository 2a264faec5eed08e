"""Sheets as they are read: what one would collect, those there are, who may see and make them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from peewee import fn

from kiosk import bundle_sheet, documents, periods, versions
from kiosk.documents import DocumentView
from kiosk.errors import Invalid, NotAllowed, NotFound
from kiosk.loket import Loket
from kiosk.proposal_lists import scope_of, service_of
from kiosk.service import Bundle, ProposalService
from kiosk.staff import Actor
from kiosk.tables import Text
from models import Application, Member, Period, Proposal, User
from models import Bundle as Sheet

VOIDABLE = ("making", "frozen")
NO_SUCH = "Lembar ini tidak ada."
NOT_YOURS = "Lembar ini bukan tugas Anda."


@dataclass(frozen=True)
class Count:
    """How many families of a village, or in a step: `id` says which."""

    id: str
    families: int


@dataclass(frozen=True)
class Candidates:
    """What a sheet would hold now. `villages`: the families it collects, by village.

    `by_step`: all open proposals of the period (and village) by step; `not_ready` of those families
    stand before a step that the sheet collects: not decided, not finalised yet.
    """

    families: int
    persons: int
    villages: tuple[Count, ...]
    by_step: tuple[Count, ...]
    not_ready: int


@dataclass(frozen=True)
class BundleView:
    """A sheet as a list shows it. `state`: making, frozen, signed, void.

    `told` is what was asked, label and value. `signed_how`: "tinta basah" or "TTE"; of the latter
    `signed_by` is the name in the certificate, `issuer` who issued it. `can_sign`,
    `can_scan_again` and `can_void` are the actor's. Hashes are hex SHA-256; times epoch seconds.
    """

    id: int
    service_id: str
    kind: str
    title: Text
    number: str
    state: str
    village: str
    period: str
    families: int
    persons: int
    frozen_at: int
    frozen_by: str
    annex_sha256: str
    pdf_sha256: str
    signed_at: int | None
    signed_how: str
    signed_by: str
    issuer: str
    reason: str
    told: tuple[tuple[Text, str], ...]
    can_sign: bool
    can_scan_again: bool
    can_void: bool


@dataclass(frozen=True)
class BundleCase:
    """A sheet with its signed scans."""

    view: BundleView
    scans: tuple[DocumentView, ...]


# --- what would be collected ----------------------------------------------------------------


def candidates(
    loket: Loket, service_id: str, bundle_id: str, village: str, period: str, actor: Actor
) -> Candidates:
    """What the sheet would hold: households that stand where it collects, of `period` ("2026-11").

    `village` is "Kecamatan/Desa", "" for a sheet over the whole office. Raises NotFound, and
    NotAllowed for another's village or role.
    """
    service, bundle = defined(loket, service_id, bundle_id, actor)
    village = village_of(loket, bundle, village, actor)
    counted = _counted(open_ones(service, periods.find(service_id, period), village))
    ready = {key: n for key, n in counted.items() if key[0] in bundle.collects}
    steps = _families_by(counted, 0)
    before = steps_before(service, bundle)
    return Candidates(
        families=sum(families for families, _ in ready.values()),
        persons=sum(persons for _, persons in ready.values()),
        villages=_families_by(ready, 1),
        by_step=steps,
        not_ready=sum(one.families for one in steps if one.id in before),
    )


def _families_by(
    counted: Mapping[tuple[str, str], tuple[int, int]], part: int
) -> tuple[Count, ...]:
    """(step, village) → (families, persons): the families by one of the two, in its order."""
    sums: dict[str, int] = {}
    for key, (families, _) in counted.items():
        sums[key[part]] = sums.get(key[part], 0) + families
    return tuple(Count(*one) for one in sorted(sums.items()))


def _counted(found: Any) -> dict[tuple[str, str], tuple[int, int]]:
    rows = (
        found.select(
            Application.step,
            Proposal.village,
            fn.COUNT(Member.id),
            fn.COUNT(Application.id.distinct()),
        )
        .join_from(Proposal, Member)
        .group_by(Application.step, Proposal.village)
    )
    return {
        (step, village): (families, persons) for step, village, persons, families in rows.tuples()
    }


def open_ones(service: ProposalService, period: Period, village: str) -> Any:
    """The service's open proposals of the period, of one village or of all."""
    query = (
        Proposal.select()
        .join(Application)
        .where(
            (Application.service == service.id)
            & Application.closed_at.is_null()
            & (Proposal.period == period)
        )
    )
    return query.where(Proposal.village == village) if village else query


def steps_before(service: ProposalService, bundle: Bundle) -> set[str]:
    """The steps from which a collected one is still ahead."""
    found = set(bundle.collects)
    while True:
        more = {
            step.id
            for step in service.steps
            if step.id not in found
            and any(a.next in found and a.weight != "back" for a in step.actions)
        }
        if not more:
            return found - set(bundle.collects)
        found |= more


# --- those there are ------------------------------------------------------------------------


def listed(loket: Loket, service_id: str, actor: Actor, period: str = "") -> tuple[BundleView, ...]:
    """The service's sheets that the actor may see, the newest first. Raises NotFound."""
    service_of(loket, service_id, actor)
    query = Sheet.select(Sheet, Period, User).join(Period).switch(Sheet).join(User)
    query = query.where(Sheet.service == service_id)
    scope = scope_of(loket, actor)
    if scope is not None:
        query = query.where(Sheet.village == scope)
    if period:
        query = query.where(Period.code == period)
    return tuple(_view(loket, row, actor) for row in query.order_by(Sheet.id.desc()))


def read(loket: Loket, bundle_id: int, actor: Actor) -> BundleCase:
    """A sheet with its scans. Raises NotFound for another's."""
    row = find(loket, bundle_id, actor)
    return BundleCase(_view(loket, row, actor), documents.listed_bundle(loket, row.id))


def _view(loket: Loket, row: Sheet, actor: Actor) -> BundleView:
    bundle, facts = defined_at(loket, row), facts_of(loket, row)
    mine = bundle is not None and actor.role in bundle.roles
    tte_facts = facts.get("tte", {})
    return BundleView(
        id=row.id,
        service_id=row.service,
        kind=row.kind,
        title=bundle.title if bundle else Text(id=row.kind, en=row.kind),
        number=row.number,
        state=row.state,
        village=row.village,
        period=row.period.code,
        families=facts.get("families", 0),
        persons=facts.get("persons", 0),
        frozen_at=row.frozen_at,
        frozen_by=row.frozen_by.full_name,
        annex_sha256=row.annex_sha256,
        pdf_sha256=row.pdf_sha256,
        signed_at=row.signed_at,
        signed_how=row.signed_how,
        signed_by=tte_facts.get("name", ""),
        issuer=tte_facts.get("issuer", ""),
        reason=facts.get("reason", ""),
        told=_told(bundle, facts["values"]),
        can_sign=mine and row.state == "frozen",
        can_scan_again=mine and row.state == "signed" and not tte_facts,
        can_void=mine and row.state in VOIDABLE,
    )


def _told(bundle: Bundle | None, values: Mapping[str, Any]) -> tuple[tuple[Text, str], ...]:
    fields = bundle.fields if bundle else ()
    told = ((field.label, bundle_sheet.shown(field, values.get(field.name))) for field in fields)
    return tuple((label, value) for label, value in told if value)


def find(loket: Loket, bundle_id: int, actor: Actor) -> Sheet:
    """The sheet's row. Raises NotFound for another village's as for none."""
    row = Sheet.get_or_none(Sheet.id == bundle_id)
    scope = scope_of(loket, actor)
    if row is None or (scope is not None and row.village != scope):
        raise NotFound(NO_SUCH)
    service_of(loket, row.service, actor)
    return row


def defined_at(loket: Loket, row: Sheet) -> Bundle | None:
    """What the office's file said of this sheet when it was drawn up."""
    service = versions.profile_of(loket, row).service(row.service)
    return service.bundle(row.kind) if isinstance(service, ProposalService) else None


def facts_of(loket: Loket, row: Sheet) -> dict[str, Any]:
    """What was asked for the sheet, what it holds, and how it was signed or why it is void."""
    return loket.vault.unlock_json("bundle", row.facts_ct)


# --- who may --------------------------------------------------------------------------------


def defined(
    loket: Loket, service_id: str, bundle_id: str, actor: Actor
) -> tuple[ProposalService, Bundle]:
    """The sheet as today's file has it. Raises NotFound, NotAllowed for another role's."""
    service = service_of(loket, service_id, actor)
    bundle = service.bundle(bundle_id)
    if bundle is None:
        raise NotFound(NO_SUCH)
    if actor.role not in bundle.roles:
        raise NotAllowed(NOT_YOURS)
    return service, bundle


def village_of(loket: Loket, bundle: Bundle, village: str, actor: Actor) -> str:
    """The village that the sheet is of; "" for one over the whole office."""
    scope = scope_of(loket, actor)
    if bundle.per == "office":
        if scope is not None:
            raise NotAllowed(NOT_YOURS)
        return ""
    if scope is not None and village not in ("", scope):
        raise NotAllowed("Desa ini bukan wilayah Anda.")
    village = scope or village
    if village not in loket.profile.villages:
        raise Invalid({"village": "Pilih desa atau kelurahan."})
    return village
