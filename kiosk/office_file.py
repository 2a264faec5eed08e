"""An office's file (TOML) → a checked `Profile`; a fault names its path and what was expected.

All checking happens here, at start: unknown keys, roles and targets, unreachable steps, dead ends,
patterns that cannot be filled.
"""

import string
import tomllib
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kiosk.errors import Unusable
from kiosk.profile import (
    Action,
    Effect,
    FieldKind,
    FormField,
    Hours,
    LetterText,
    Named,
    Profile,
    Service,
    Step,
)

OFFICES = Path(__file__).parent / "offices"

# An act reads these fields by name, so each kind has one name and each name one kind.
FIELD_NAMES: dict[str, str] = {"staff": "assignee", "person": "person", "password": "password"}
EFFECT_NEEDS: dict[Effect, FieldKind] = {"issue": "password", "correct_data": "person"}
NUMBER_PARTS = {"no": 1, "tahun": 2026, "bulan": 11, "bulan_romawi": "XI"}
LETTER_PARTS = (
    "jabatan", "dinas", "register", "register_panjang", "sumber", "tanggal_cek", "per_tanggal",
    "keperluan", "berlaku_hari", "berlaku_sampai",
)  # fmt: skip

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
        return "unknown key; expected one that this table of kiosk/profile.py names"
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
