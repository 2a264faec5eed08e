"""An office's file (TOML) → frozen, checked `Profile`.

Everything that is the office's and not the program's stands in its file. All checking happens
here, at start: unknown keys, roles and targets, unreachable steps, dead ends, patterns that
cannot be filled. A fault names its path in the file and what was expected.
"""

import re
from datetime import date, time
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
)

from kiosk.clock import Calendar, Season

Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
Line = Annotated[str, Field(min_length=1, max_length=400)]


def _hour_and_minute(value: Any) -> Any:
    """A number would be taken for seconds since midnight, an offset for another zone's time."""
    if not re.fullmatch(r"\d\d:\d\d(:00)?", str(value)):
        raise ValueError('expected a time such as "07:30"')
    return value


Moment = Annotated[time, BeforeValidator(_hour_and_minute)]
Span = tuple[Moment, Moment]
Unit = Literal["minute", "working_hour", "clock_hour", "calendar_day", "working_day", "month"]
Right = Literal["queue", "admin", "reveal", "revoke"]
Effect = Literal["record_check", "correct_data", "issue", "slip", "hand_over"]
FieldKind = Literal["text", "textarea", "choice", "requirements", "staff", "person", "password"]

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Strict(BaseModel):
    """A table of the file: frozen, and a key that is not known is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Text(Strict):
    """What a person reads, in Indonesian and English."""

    id: Line
    en: Line

    def __getitem__(self, lang: str) -> str:
        return self.en if lang == "en" else self.id


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
    rank_label: str = ""
    stale_after_days: Annotated[int, Field(gt=0)] = 45


class KioskRules(Strict):
    """Limits of the kiosk."""

    attempts_per_visit: Annotated[int, Field(ge=1, le=20)] = 5
    attempts_per_device: Annotated[int, Field(ge=1)] = 30
    device_window_minutes: Annotated[int, Field(ge=1)] = 10
    idle_seconds: Annotated[int, Field(ge=30)] = 90
    idle_warning_seconds: Annotated[int, Field(ge=20)] = 20
    ticket_seconds: Annotated[int, Field(ge=5)] = 25
    prints_per_letter: Annotated[int, Field(ge=0)] = 2


class Named(Strict):
    """A thing of the file with an id and a title in two languages."""

    id: Id
    title: Text


class Role(Named):
    may: tuple[Right, ...] = ()


class Priority(Named):
    """A group served first (PermenPANRB 11/2024)."""


class Signer(Strict):
    """Who may sign letters, in which form, and from when to when."""

    role: Id
    titles: Annotated[tuple[Line, ...], Field(min_length=1, max_length=4)]
    name: Line
    rank: Line
    nip: Line
    since: date
    until: date | None = None

    def holds_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


class Time(Strict):
    """The time promised; `days_start` is how day 1 is counted (not confirmed: a setting)."""

    amount: Annotated[int, Field(gt=0)]
    unit: Unit
    days_start: Literal["same", "next"] = "same"


class Requirement(Named):
    note: Text | None = None


class Purpose(Named):
    """What the letter is for, and how long it is valid."""

    validity_days: Annotated[int, Field(gt=0, le=3650)]


class Stage(Named):
    """What the citizen sees of the way: several steps may be one stage."""


class FormField(Strict):
    """One field of an act. `staff` lists people of `role`; `requirements` the service's papers.

    `prefill` names what of the register's row the field starts with.
    """

    name: Id
    kind: FieldKind
    label: Text
    required: bool = True
    options: tuple[Named, ...] = ()
    role: Id | None = None
    prefill: Literal["register_id", "programmes"] | None = None
    max_length: Annotated[int, Field(gt=0, le=2000)] = 500


class Action(Named):
    """One act a step offers: where it leads, which key does it, what it asks, what it does.

    An act with `on` is nobody's key: it is done when that happens (the letter came out at the
    kiosk).
    """

    next: Id
    key: Annotated[str, Field(pattern=r"^[A-Z]$")]
    weight: Literal["primary", "plain", "back"] = "plain"
    said: Text
    fields: tuple[FormField, ...] = ()
    does: tuple[Effect, ...] = ()
    on: Literal["kiosk_print"] | None = None


class Standing(Strict):
    """A standing disposition: the step passes at once, on this order."""

    number: Line
    date: date
    by: Line
    action: Id


class Step(Named):
    """One step: whose it is, what it shows the citizen, what can be done.

    `stops_clock`: the office waits for the citizen. `ends`: the way ends here, so.
    `standard`: the numbered steps of the published standard that this one is.
    """

    stage: Id
    public: Text
    standard: tuple[int, ...] = ()
    roles: tuple[Id, ...] = ()
    stops_clock: bool = False
    ends: Literal["issued", "not_found", "cancelled"] | None = None
    standing: Standing | None = None
    actions: tuple[Action, ...] = ()

    def action(self, action_id: str) -> Action | None:
        return next((a for a in self.actions if a.id == action_id), None)


class LetterText(Strict):
    """The wording of a letter; `{…}` parts are filled in from the case."""

    kind: Id
    title: Line
    subtitle: Line | None = None
    number: Line
    opening: Line
    statement: Line
    purpose: Line
    validity: Line
    freeze: Line
    closing: Line
    copies: tuple[Line, ...] = ()


class SlipText(Strict):
    """What the slip says when the person is not in the register."""

    heading: Text
    lines: tuple[Text, ...]


class Service(Named):
    """A service: all its steps, papers, purposes and the letter it makes."""

    series: Annotated[str, Field(pattern=r"^[A-Z]$")]
    summary: Text
    about: Text
    cost: Text
    product: Text
    time: Time
    requirements: tuple[Requirement, ...]
    purposes: Annotated[tuple[Purpose, ...], Field(min_length=1)]
    stages: Annotated[tuple[Stage, ...], Field(min_length=1)]
    start: Id
    steps: Annotated[tuple[Step, ...], Field(min_length=1)]
    letter: LetterText
    slip: SlipText

    def step(self, step_id: str) -> Step:
        """The step of this id; KeyError when there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def purpose(self, purpose_id: str) -> Purpose | None:
        return next((p for p in self.purposes if p.id == purpose_id), None)


class Channel(Strict):
    title: Text
    value: Line


class ComplaintClass(Named):
    working_days: Annotated[int, Field(gt=0)]


class Complaints(Strict):
    """Where to complain, and how fast it is answered."""

    channels: tuple[Channel, ...]
    classes: tuple[ComplaintClass, ...]


class Profile(Strict):
    """A whole office. `version` is the hash of the file it was read from."""

    office: Office
    hours: Hours
    register_: RegisterInfo = Field(alias="register")
    kiosk: KioskRules
    roles: tuple[Role, ...]
    priorities: tuple[Priority, ...]
    signers: Annotated[tuple[Signer, ...], Field(min_length=1)]
    services: Annotated[tuple[Service, ...], Field(min_length=1)]
    complaints: Complaints
    version: str = ""

    def service(self, service_id: str) -> Service:
        """The service of this id; KeyError when there is none."""
        for service in self.services:
            if service.id == service_id:
                return service
        raise KeyError(service_id)

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
