"""An office's file (TOML) → frozen, checked `Profile`.

Everything that is the office's and not the program's stands in its file. All checking happens
here, at start: unknown keys, roles and targets, unreachable steps, dead ends, patterns that
cannot be filled. A fault names its path in the file and what was expected.
"""

import re
import string
import tomllib
from collections.abc import Iterator
from datetime import date, time
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
)

from kiosk.clock import Calendar, Season
from kiosk.errors import Unusable

OFFICES = Path(__file__).parent / "offices"

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
# An act reads these fields by name, so each kind has one name and each name one kind.
FIELD_NAMES: dict[str, str] = {"staff": "assignee", "person": "person", "password": "password"}
EFFECT_NEEDS: dict[Effect, FieldKind] = {"issue": "password", "correct_data": "person"}
NUMBER_PARTS = {"no": 1, "tahun": 2026, "bulan": 11, "bulan_romawi": "XI"}
LETTER_PARTS = (
    "jabatan", "dinas", "register", "register_panjang", "sumber", "tanggal_cek", "per_tanggal",
    "keperluan", "berlaku_hari", "berlaku_sampai",
)  # fmt: skip


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
    """One act a step offers: where it leads, which key does it, what it asks, what it does."""

    next: Id
    key: Annotated[str, Field(pattern=r"^[A-Z]$")]
    weight: Literal["primary", "plain", "back"] = "plain"
    said: Text
    fields: tuple[FormField, ...] = ()
    does: tuple[Effect, ...] = ()


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


Fault = tuple[str, str]


def load(name_or_path: str) -> Profile:
    """Read an office's file: a name of `kiosk/offices/` or a path. Raises Unusable with all faults.

    The message has one line a fault: `file: path: what is there, what was expected`.
    """
    path = Path(name_or_path)
    if path.suffix != ".toml":
        path = OFFICES / f"{name_or_path}.toml"
    try:
        raw = path.read_bytes()
        data = tomllib.loads(raw.decode())
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in OFFICES.glob("*.toml")))
        raise Unusable(f"{path.name}: no such office file; expected one of {known}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{path.name}: not a TOML file: {error}") from None
    return parse(data, path.name, sha256(raw).hexdigest()[:16])


def parse(data: dict[str, Any], name: str, version: str) -> Profile:
    """Check a file's tables and freeze them. Raises Unusable with all faults."""
    try:
        profile = Profile.model_validate({**data, "version": version})
    except ValidationError as error:
        faults = [(_path(e["loc"]), _said(e)) for e in error.errors()]
    else:
        faults = list(_meaning(profile))
        if not faults:
            return profile
    raise Unusable("\n".join(f"{name}: {where}: {what}" for where, what in faults))


def _path(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".")


def _said(error: Any) -> str:
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        return "unknown key; expected one that docs/office-file.md names"
    if error["type"] == "missing":
        return "missing; expected a value"
    return f"{error['input']!r}: {message}"


def _meaning(profile: Profile) -> Iterator[Fault]:
    """Faults that only show when the tables are read together."""
    roles = {role.id for role in profile.roles}
    for where in ("roles", "priorities", "services"):
        yield from _twice(where, getattr(profile, where))
    yield from _twice("complaints.classes", profile.complaints.classes)
    yield from _hours(profile.hours)
    for n, signer in enumerate(profile.signers):
        if signer.role not in roles:
            yield f"signers[{n}].role", _expected(signer.role, "role", roles)
    series = [service.series for service in profile.services]
    letters = {(service.letter.number, service.letter.kind) for service in profile.services}
    patterns = [number for number, _ in letters]
    for n, service in enumerate(profile.services):
        where = f"services[{n}]"
        if series.count(service.series) > 1:
            yield f"{where}.series", f"{service.series!r} is taken; expected a letter of its own"
        if patterns.count(service.letter.number) > 1:
            yield f"{where}.letter.number", "another kind of letter has it; expected its own"
        yield from _service(where, service, roles)


def _hours(hours: Hours) -> Iterator[Fault]:
    """What the calendar would refuse, said with its path."""
    if not any(hours.week.by_number().values()):
        yield "hours.week", "no opening hours; expected a span on at least one weekday"
    for n, season in enumerate(hours.seasons):
        if season.first > season.last:
            yield f"hours.seasons[{n}].last", f"{season.last}; expected {season.first} or later"
    added = {day.date for day in hours.added}
    for n, day in enumerate(hours.struck):
        if day in added:
            yield f"hours.struck[{n}]", f"{day} is added too; expected one or the other"


def _service(where: str, service: Service, roles: set[str]) -> Iterator[Fault]:
    steps = {step.id for step in service.steps}
    stages = {stage.id for stage in service.stages}
    for part in ("steps", "stages", "purposes", "requirements"):
        yield from _twice(f"{where}.{part}", getattr(service, part))
    if service.start not in steps:
        yield f"{where}.start", _expected(service.start, "step", steps)
    for n, step in enumerate(service.steps):
        at = f"{where}.steps[{n}]"
        if step.stage not in stages:
            yield f"{at}.stage", _expected(step.stage, "stage", stages)
        yield from _step(at, step, steps, roles)
    yield from _ways(where, service, steps)
    yield from _letter(f"{where}.letter", service.letter)


def _step(at: str, step: Step, steps: set[str], roles: set[str]) -> Iterator[Fault]:
    for r, role in enumerate(step.roles):
        if role not in roles:
            yield f"{at}.roles[{r}]", _expected(role, "role", roles)
    yield from _twice(f"{at}.actions", step.actions)
    if step.ends and (step.actions or step.roles):
        yield f"{at}.ends", "an ending step has no actions and no roles; expected one or the other"
    if not step.ends and not (step.actions and step.roles):
        yield f"{at}.actions", "a dead end; expected roles and at least one action, or `ends`"
    if step.standing and not step.action(step.standing.action):
        yield (
            f"{at}.standing.action",
            _expected(step.standing.action, "action", {a.id for a in step.actions}),
        )
    for a, action in enumerate(step.actions):
        if action.next not in steps:
            yield f"{at}.actions[{a}].next", _expected(action.next, "step", steps)
        yield from _fields(f"{at}.actions[{a}]", step, action, roles)


def _fields(at: str, step: Step, action: Action, roles: set[str]) -> Iterator[Fault]:
    keys = [other.key for other in step.actions]
    if keys.count(action.key) > 1:
        yield f"{at}.key", f"{action.key!r} is taken in this step; expected a key of its own"
    names = [field.name for field in action.fields]
    for f, field in enumerate(action.fields):
        if field.name in names[:f]:
            yield f"{at}.fields[{f}].name", f"{field.name!r} stands twice; expected one of its own"
        yield from _field(f"{at}.fields[{f}]", field, roles)
    kinds = {field.kind for field in action.fields}
    for effect in action.does:
        needed = EFFECT_NEEDS.get(effect)
        if needed and needed not in kinds:
            yield f"{at}.fields", f"it does `{effect}`; expected a field of kind `{needed}`"
    asks = action.does or any(field.required for field in action.fields)
    if step.standing and step.standing.action == action.id and asks:
        yield f"{at}", "cannot pass by standing disposition: it does or asks something"


def _field(at: str, field: FormField, roles: set[str]) -> Iterator[Fault]:
    if (field.kind == "staff") != (field.role in roles):
        yield f"{at}.role", _expected(field.role or "", "role", roles)
    if (field.kind == "choice") != bool(field.options):
        yield f"{at}.options", "expected options for kind `choice`, and only there"
    yield from _twice(f"{at}.options", field.options)
    kind, name = FIELD_NAMES.get(field.kind), field.name
    if name != (kind or name) or (not kind and name in FIELD_NAMES.values()):
        yield f"{at}.name", f"{name!r} of kind `{field.kind}`; expected {kind or 'another name'}"


def _ways(where: str, service: Service, steps: set[str]) -> Iterator[Fault]:
    """Each step is reached from the start, and each can still reach an end."""
    onward = {step.id: {a.next for a in step.actions} & steps for step in service.steps}
    reached = _closure({service.start} & steps, onward)
    back: dict[str, set[str]] = {step: set() for step in steps}
    for source, targets in onward.items():
        for target in targets:
            back[target].add(source)
    ending = _closure({step.id for step in service.steps if step.ends}, back)
    for n, step in enumerate(service.steps):
        if step.id not in reached:
            yield f"{where}.steps[{n}].id", f"{step.id!r} is never reached from {service.start!r}"
        elif step.id not in ending:
            yield f"{where}.steps[{n}].id", f"{step.id!r} never reaches an end"


def _closure(start: set[str], onward: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        step = waiting.pop()
        if step not in seen:
            seen.add(step)
            waiting.extend(onward[step])
    return seen


def _letter(where: str, letter: LetterText) -> Iterator[Fault]:
    # Without the year, January's first number would be last January's.
    yield from _pattern(f"{where}.number", letter.number, tuple(NUMBER_PARTS), ("no", "tahun"))
    for part in ("title", "subtitle", "opening", "statement", "purpose", "validity", "freeze"):
        yield from _pattern(f"{where}.{part}", getattr(letter, part) or "", LETTER_PARTS)


def _pattern(
    where: str, pattern: str, known: tuple[str, ...], needs: tuple[str, ...] = ()
) -> Iterator[Fault]:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}
        unknown = sorted(names - set(known))
        if not unknown:
            pattern.format(**{name: NUMBER_PARTS.get(name, "") for name in known})
    except ValueError as error:
        yield where, f"{pattern!r}: {error}"
        return
    for name in unknown:
        yield where, f"unknown part {{{name}}}; expected {', '.join(known)}"
    for name in needs:
        if name not in names:
            yield where, f"{pattern!r} has no {{{name}}}; expected one"


def _twice(where: str, things: tuple[Named, ...]) -> Iterator[Fault]:
    ids = [thing.id for thing in things]
    for n, thing in enumerate(ids):
        if thing in ids[:n]:
            yield f"{where}[{n}].id", f"{thing!r} stands twice; expected an id of its own"


def _expected(found: str, what: str, known: set[str]) -> str:
    return f"{found!r} is no {what} of this file; expected one of {', '.join(sorted(known))}"
