"""What is no fault of an office's file, but will hurt one day. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

import holidays

from kiosk import standard
from kiosk.profile import Profile
from kiosk.service import LetterService, ProposalService, Service

SOON_DAYS = 60
RAMADAN_DAYS = 30
IDUL_FITRI = "Idul Fitri"


class Caution(NamedTuple):
    """Where in the file, and what to think of."""

    where: str
    said: str


def cautions(profile: Profile, today: date) -> Iterator[Caution]:
    """What the writer of this file should know on this day."""
    yield from _mandates(profile, today)
    yield from _ramadan(profile, today)
    for n, service in enumerate(profile.services):
        yield from _limits(f"services[{n}]", profile, service)
        yield from _published(f"services[{n}]", service)
    if not profile.complaints.channels:
        yield Caution("complaints.channels", "empty: citizens are not told where to complain")


def _mandates(profile: Profile, today: date) -> Iterator[Caution]:
    """Whose mandate is needed and has run out, or runs out soon."""
    for role in sorted(_signing(profile)):
        days = [s for s in profile.signers if s.role == role]
        if profile.signer(role, today) is None:
            where = f"signers[{profile.signers.index(days[0])}]" if days else "signers"
            yield Caution(where, f"nobody has a mandate for `{role}` today: it can sign nothing")
            continue
        last = today + timedelta(SOON_DAYS)
        if not profile.signer(role, last):
            ends = max(s.until for s in days if s.until and s.holds_on(today))
            where = f"signers[{profile.signers.index(days[-1])}].until"
            yield Caution(where, f"the mandate for `{role}` ends on {ends}, and nobody follows")


def _signing(profile: Profile) -> set[str]:
    """The roles that sign letters or sheets."""
    found = {
        role
        for service in profile.letters
        for step in service.steps
        for action in step.actions
        if {"issue", "draw_up"} & set(action.does)
        for role in (step.roles if "issue" in action.does else _wet(profile))
    }
    bundles = (b for service in profile.proposals for b in service.bundles)
    return found | {bundle.signer for bundle in bundles if bundle.signer}


def _wet(profile: Profile) -> tuple[str, ...]:
    """By hand signs whoever the file names: drawn up by an operator, signed by a signer."""
    return tuple(dict.fromkeys(signer.role for signer in profile.signers))


def _ramadan(profile: Profile, today: date) -> Iterator[Caution]:
    """Perpres 21/2023 shortens the hours of Ramadan; the file says when that is."""
    days = holidays.country_holidays(
        "ID", years=(today.year, today.year + 1), categories=("public",), language="id"
    )
    feasts = sorted(d for d, name in days.items() if IDUL_FITRI in name and d > today)
    if not feasts:
        return
    middle = feasts[0] - timedelta(RAMADAN_DAYS // 2)
    if not any(s.first <= middle <= s.last for s in profile.hours.seasons):
        first = feasts[0] - timedelta(RAMADAN_DAYS)
        said = f"none for the Ramadan from about {first} to {feasts[0] - timedelta(1)}"
        yield Caution("hours.seasons", f"{said}: clocks and opening hours run on as usual")


def _limits(where: str, profile: Profile, service: Service) -> Iterator[Caution]:
    """Ranks that limit nothing."""
    if not isinstance(service, LetterService):
        return
    ranked = profile.register_.rank_label
    limited = [p for p in service.purposes if p.max_rank is not None]
    for n, purpose in enumerate(service.purposes):
        if ranked and purpose.max_rank is None:
            said = f"`{purpose.id}` has none: it is given at any {ranked.lower()}"
            yield Caution(f"{where}.purposes[{n}].max_rank", said)
    held = any("rank_within_limit" in a.rules for step in service.steps for a in step.actions)
    if limited and not held:
        said = "no act has the rule `rank_within_limit`: the purposes' max_rank limits nothing"
        yield Caution(f"{where}.steps", said)
    if limited and not ranked:
        yield Caution("register.rank_label", "empty, but purposes have a max_rank")


def _published(where: str, service: Service) -> Iterator[Caution]:
    """Where the published standard and the system do not say the same."""
    if standard.time_agrees(service) is False:
        said = f"{service.published.time!r}, but {where}.time says otherwise"
        yield Caution(f"{where}.published.time", said)
    if isinstance(service, ProposalService) and not service.bundles:
        yield Caution(f"{where}.bundles", "none: proposals are confirmed by no sheet")
