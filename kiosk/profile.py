"""An office's file (TOML) → frozen, checked `Profile`.

Everything that is the office's and not the program's stands in its file. All checking happens
here, at start: unknown keys, roles and targets, unreachable steps, dead ends, patterns that
cannot be filled. A fault names its path in the file and what was expected.
"""

import re
from collections.abc import Sequence
from datetime import date, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator

from kiosk.clock import Calendar, Season
from kiosk.service import LetterService, ProposalService, Service
from kiosk.tables import Id, Line, Named, Strict, Text


def _hour_and_minute(value: Any) -> Any:
    """A number would be taken for seconds since midnight, an offset for another zone's time."""
    if not re.fullmatch(r"\d\d:\d\d(:00)?", str(value)):
        raise ValueError('expected a time such as "07:30"')
    return value


Moment = Annotated[time, BeforeValidator(_hour_and_minute)]
Span = tuple[Moment, Moment]
Right = Literal["queue", "admin", "reveal", "revoke", "propose", "supervise"]

Capacity = Literal["definitive", "an", "ub", "plh", "plt"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Office(Strict):
    """Who the office is, as its letterhead and screens say it."""

    code: Id
    name: Line
    short_name: Line
    government: Line
    initial: Annotated[str, Field(min_length=1, max_length=2)]
    place: Line
    address: tuple[Line, ...]
    phone: Line
    email: Line
    website: Line
    timezone: Line

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError("expected an IANA time zone such as Asia/Jakarta") from None
        return value


class Week(Strict):
    """Opening spans a weekday; the breaks are what lies between them."""

    monday: tuple[Span, ...] = ()
    tuesday: tuple[Span, ...] = ()
    wednesday: tuple[Span, ...] = ()
    thursday: tuple[Span, ...] = ()
    friday: tuple[Span, ...] = ()
    saturday: tuple[Span, ...] = ()
    sunday: tuple[Span, ...] = ()

    @field_validator(*WEEKDAYS, mode="after")
    @classmethod
    def _in_order(cls, spans: tuple[Span, ...]) -> tuple[Span, ...]:
        edges = [edge for span in spans for edge in span]
        if edges != sorted(set(edges)):
            raise ValueError("expected spans [start, end] in order that do not overlap")
        return spans

    def by_number(self) -> dict[int, tuple[Span, ...]]:
        """0 = Monday → its spans."""
        return {number: getattr(self, name) for number, name in enumerate(WEEKDAYS)}


class HoursSeason(Strict):
    """A time of the year with hours of its own (Ramadan)."""

    name: Line
    first: date
    last: date
    week: Week


class NamedDay(Strict):
    date: date
    name: Line


class Hours(Strict):
    """Working time of the office (Perpres 21/2023) and the days it is closed."""

    week: Week
    seasons: tuple[HoursSeason, ...] = ()
    national_holidays: bool = True
    cuti_bersama: bool = True
    added: tuple[NamedDay, ...] = ()
    struck: tuple[date, ...] = ()


class RegisterInfo(Strict):
    """The register's names: DTKS (Permensos 3/2021) or DTSEN (Inpres 4/2025)."""

    name: Line
    long_name: Line
    source: Line
    legal_basis: Line
    rank_label: str = ""
    stale_after_days: Annotated[int, Field(gt=0)] = 45


class KioskRules(Strict):
    """Limits of the kiosk. With `camera` it photographs the papers whose scans are kept."""

    attempts_per_visit: Annotated[int, Field(ge=1, le=20)] = 5
    attempts_per_device: Annotated[int, Field(ge=1)] = 30
    device_window_minutes: Annotated[int, Field(ge=1)] = 10
    idle_seconds: Annotated[int, Field(ge=30)] = 90
    idle_warning_seconds: Annotated[int, Field(ge=20)] = 20
    ticket_seconds: Annotated[int, Field(ge=5)] = 25
    prints_per_letter: Annotated[int, Field(ge=0)] = 2
    camera: bool = False


class Role(Named):
    """A role. Whoever has one of `scope` village works for one desa, and sees only that."""

    may: tuple[Right, ...] = ()
    scope: Literal["office", "village"] = "office"


class Priority(Named):
    """A group served first (PermenPANRB 11/2024)."""


class Signer(Strict):
    """A mandate: who may sign letters, in which form, and from when to when.

    `capacity` (Permendagri 1/2023): definitive; `an` (a.n.) for a superior; `ub` (u.b.) one further
    down; `plh` and `plt` stand in, on an `order`, until a day. Only who signs in as `user` signs
    under it; without one, whoever has the role.
    """

    role: Id
    capacity: Capacity = "definitive"
    user: Id | None = None
    order: Line | None = None
    titles: Annotated[tuple[Line, ...], Field(min_length=1, max_length=4)]
    name: Line
    rank: Line
    nip: Line
    since: date
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


# What the titles of each capacity begin their lines with (Permendagri 1/2023), in this order.
MARKS: dict[Capacity, tuple[str, ...]] = {
    "definitive": (),
    "an": ("a.n.",),
    "ub": ("a.n.", "u.b."),
    "plh": ("Plh.",),
    "plt": ("Plt.",),
}
STANDING_IN = ("plh", "plt")
_MARK = re.compile(r"(a\.?\s?n\.|u\.?\s?b\.|plh\b\.?|plt\b\.?)\s*", re.I)


def agree(capacity: Capacity, titles: Sequence[str]) -> bool:
    """Whether the lines above the name say in which form is signed, and no other.

    A Plh. or Plt. may sign a.n. a superior as well.
    """
    found = [mark[1] for title in titles if (mark := _MARK.match(title))]
    if capacity in STANDING_IN and found[:1] == ["a.n."]:
        found = found[1:]
    return tuple(found) == MARKS[capacity]


class DocumentKind(Named):
    """A kind of scan that is kept, and for how many days after its case is closed.

    No law that we know names retention periods for these: each is the office's setting.
    """

    keep_days: Annotated[int, Field(gt=0)]


class District(Strict):
    """A kecamatan with its desa and kelurahan."""

    name: Line
    villages: Annotated[tuple[Line, ...], Field(min_length=1)]


class Channel(Strict):
    title: Text
    value: Line


class ComplaintClass(Named):
    working_days: Annotated[int, Field(gt=0)]


class Complaints(Strict):
    """Where to complain, and how fast it is answered."""

    channels: tuple[Channel, ...]
    classes: tuple[ComplaintClass, ...]


AnyService = Annotated[LetterService | ProposalService, Field(discriminator="kind")]


class Profile(Strict):
    """A whole office. `version` is the hash of the file it was read from."""

    office: Office
    hours: Hours
    register_: RegisterInfo = Field(alias="register")
    kiosk: KioskRules
    roles: tuple[Role, ...]
    priorities: tuple[Priority, ...]
    signers: Annotated[tuple[Signer, ...], Field(min_length=1)]
    services: Annotated[tuple[AnyService, ...], Field(min_length=1)]
    documents: tuple[DocumentKind, ...] = ()
    districts: tuple[District, ...] = ()
    complaints: Complaints
    maklumat: Text
    version: str = ""

    @property
    def letters(self) -> tuple[LetterService, ...]:
        """The services that give a letter, in the file's order."""
        return tuple(s for s in self.services if isinstance(s, LetterService))

    @property
    def proposals(self) -> tuple[ProposalService, ...]:
        """The services that take proposals, in the file's order."""
        return tuple(s for s in self.services if isinstance(s, ProposalService))

    @property
    def villages(self) -> tuple[str, ...]:
        """Every desa and kelurahan as "Kecamatan/Desa", in the file's order."""
        return tuple(f"{d.name}/{village}" for d in self.districts for village in d.villages)

    def service(self, service_id: str) -> Service:
        """The service of this id; KeyError when there is none."""
        for service in self.services:
            if service.id == service_id:
                return service
        raise KeyError(service_id)

    def letter_service(self, service_id: str) -> LetterService:
        """The letter service of this id; KeyError when there is none."""
        service = self.service(service_id)
        if not isinstance(service, LetterService):
            raise KeyError(service_id)
        return service

    def document(self, kind: str) -> DocumentKind | None:
        return next((d for d in self.documents if d.id == kind), None)

    def role(self, role_id: str) -> Role | None:
        return next((r for r in self.roles if r.id == role_id), None)

    def may(self, role_id: str, right: Right) -> bool:
        role = self.role(role_id)
        return role is not None and right in role.may

    def signer(self, role_id: str, day: date) -> Signer | None:
        """Who signs for this role on this day, or None without a mandate."""
        return next((s for s in self.signers if s.role == role_id and s.holds_on(day)), None)

    def calendar(self) -> Calendar:
        """The office's working time."""
        hours = self.hours
        seasons = (Season(s.first, s.last, s.week.by_number()) for s in hours.seasons)
        return Calendar(
            timezone=self.office.timezone,
            week=hours.week.by_number(),
            seasons=tuple(seasons),
            added={day.date: day.name for day in hours.added},
            struck=frozenset(hours.struck),
            national=hours.national_holidays,
            cuti_bersama=hours.cuti_bersama,
        )
