"""An office's file (TOML) → a checked `Profile`; a fault names its path and what was expected.

All checking happens here, at start: unknown keys, roles and targets, unreachable steps, dead ends,
patterns that cannot be filled.
"""

import string
import tomllib
from collections.abc import Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from kiosk.errors import Unusable
from kiosk.profile import Hours, Profile
from kiosk.service import (
    Action,
    Bundle,
    Effect,
    FieldKind,
    FormField,
    LetterService,
    LetterText,
    ProposalService,
    Service,
    Step,
)
from kiosk.tables import Named

OFFICES = Path(__file__).parent / "offices"

# An act reads these fields by name, so each kind has one name and each name one kind.
FIELD_NAMES: dict[str, str] = {"staff": "assignee", "person": "person", "password": "password"}
EFFECT_NEEDS: dict[Effect, FieldKind] = {"issue": "password", "correct_data": "person"}
NUMBER_PARTS = {"no": 1, "tahun": 2026, "bulan": 11, "bulan_romawi": "XI"}
LETTER_PARTS = (
    "jabatan", "dinas", "register", "register_panjang", "sumber", "tanggal_cek", "per_tanggal",
    "keperluan", "berlaku_hari", "berlaku_sampai", "dasar",
)  # fmt: skip
BUNDLE_PARTS = (
    "nomor", "tanggal", "hari", "desa", "kecamatan", "periode", "keluarga", "jiwa", "jumlah_desa",
    "jabatan", "register", "register_panjang", "dasar", "tempat", "ketua", "notulis", "agenda",
)  # fmt: skip

Fault = tuple[str, str]


def load(name_or_path: str) -> Profile:
    """Read an office's file: a name of `kiosk/offices/` or a path. Raises Unusable with all faults.

    The message has one line a fault: `file: path: what is there, what was expected`.
    """
    path = file_of(name_or_path)
    try:
        raw = path.read_bytes()
        data = tomllib.loads(raw.decode())
    except FileNotFoundError:
        known = ", ".join(sorted(p.stem for p in OFFICES.glob("*.toml")))
        raise Unusable(f"{path.name}: no such office file; expected one of {known}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"{path.name}: not a TOML file: {error}") from None
    return parse(data, path.name, sha256(raw).hexdigest()[:16])


def file_of(name_or_path: str) -> Path:
    """The file of a name of `kiosk/offices/`, or the path itself."""
    path = Path(name_or_path)
    return path if path.suffix == ".toml" else OFFICES / f"{name_or_path}.toml"


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
    """services[0].steps[1].id; the kind of a service, which the checker puts in, left out."""
    if location[0] == "services" and location[2:3] in (("letter",), ("proposal",)):
        location = location[:2] + location[3:]
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
    yield from _twice("documents", profile.documents)
    yield from _hours(profile.hours)
    for n, signer in enumerate(profile.signers):
        if signer.role not in roles:
            yield f"signers[{n}].role", _expected(signer.role, "role", roles)
    if any(role.scope == "village" for role in profile.roles) and not profile.districts:
        yield "districts", "none, but a role works for one village; expected its kecamatan and desa"
    names = _Names(roles, {document.id for document in profile.documents})
    for n, service in enumerate(profile.services):
        where = f"services[{n}]"
        if isinstance(service, LetterService):
            yield from _own(where, service, profile)
            yield from _letter(f"{where}.letter", service.letter)
        else:
            yield from _proposals(where, service, names)
        yield from _service(where, service, names)


class _Names(NamedTuple):
    """What a service may refer to outside of itself: roles and kinds of documents."""

    roles: set[str]
    documents: set[str]


def _own(where: str, service: LetterService, profile: Profile) -> Iterator[Fault]:
    """What no two services may share: the ticket's letter, and the pattern of a letter's number."""
    others = [other for other in profile.letters if other is not service]
    if any(other.series == service.series for other in others):
        yield f"{where}.series", f"{service.series!r} is taken; expected a letter of its own"
    letter = service.letter
    if any(o.letter.number == letter.number and o.letter.kind != letter.kind for o in others):
        yield f"{where}.letter.number", "another kind of letter has it; expected its own"
    for n, m, action in _acts(service):
        yield from _signing(f"{where}.steps[{n}].actions[{m}]", action, letter.signing)


def _signing(at: str, action: Action, signing: str) -> Iterator[Fault]:
    """A letter is issued in one act with the office's key, or drawn up and released by hand."""
    wrong = {"draw_up", "release"} if signing == "office_key" else {"issue"}
    for effect in sorted(wrong & set(action.does)):
        expected = "`issue`" if signing == "office_key" else "`draw_up` and later `release`"
        yield f"{at}.does", f"`{effect}` of a letter signed by {signing}; expected {expected}"


def _acts(service: Service) -> Iterator[tuple[int, int, Action]]:
    for n, step in enumerate(service.steps):
        for m, action in enumerate(step.actions):
            yield n, m, action


def _proposals(where: str, service: ProposalService, names: _Names) -> Iterator[Fault]:
    steps = {step.id for step in service.steps}
    yield from _twice(f"{where}.routes", service.routes)
    yield from _twice(f"{where}.bundles", service.bundles)
    for n, route in enumerate(service.routes):
        if route.start not in steps:
            yield f"{where}.routes[{n}].start", _expected(route.start, "step", steps)
        yield from _known(f"{where}.routes[{n}].roles", route.roles, "role", names.roles)
    for n, field in enumerate(service.extras):
        yield from _field(f"{where}.extras[{n}]", field, names)
    for n, bundle in enumerate(service.bundles):
        yield from _bundle(f"{where}.bundles[{n}]", service, bundle, names)


def _bundle(at: str, service: ProposalService, bundle: Bundle, names: _Names) -> Iterator[Fault]:
    steps = {step.id for step in service.steps}
    yield from _known(f"{at}.roles", bundle.roles, "role", names.roles)
    yield from _known(f"{at}.collects", bundle.collects, "step", steps)
    yield from _known(f"{at}.scan", (bundle.scan,), "document", names.documents)
    if bundle.signer:
        yield from _known(f"{at}.signer", (bundle.signer,), "role", names.roles)
    yield from _pattern(f"{at}.number", bundle.number, tuple(NUMBER_PARTS), ("no", "tahun"))
    for n, line in enumerate(bundle.wording):
        yield from _pattern(f"{at}.wording[{n}]", line, BUNDLE_PARTS)
    for n, field in enumerate(bundle.fields):
        yield from _field(f"{at}.fields[{n}]", field, names)
    moments = {f"{bundle.id}.frozen", f"{bundle.id}.signed"}
    for step in service.steps:
        if step.id in bundle.collects and not any(a.on in moments for a in step.actions):
            yield f"{at}.collects", f"{step.id!r} has no act with `on` = one of {sorted(moments)}"


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


def _service(where: str, service: Service, names: _Names) -> Iterator[Fault]:
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
        yield from _step(at, step, steps, names)
    scans = tuple(paper.document for paper in service.requirements if paper.document)
    yield from _known(f"{where}.requirements", scans, "document", names.documents)
    yield from _moments(where, service)
    yield from _ways(where, service, steps)
    yield from _standard(where, service)


def _moments(where: str, service: Service) -> Iterator[Fault]:
    """What an act may wait for."""
    known = {"kiosk_print"}
    if isinstance(service, ProposalService):
        known = {f"{b.id}.{moment}" for b in service.bundles for moment in ("frozen", "signed")}
    for n, m, action in _acts(service):
        if action.on and action.on not in known:
            yield f"{where}.steps[{n}].actions[{m}].on", _expected(action.on, "moment", known)


def _standard(where: str, service: Service) -> Iterator[Fault]:
    """Each numbered step of the published procedure is a step here, or said to be another's."""
    bundles = service.bundles if isinstance(service, ProposalService) else ()
    places = [(f"steps[{n}]", step.standard) for n, step in enumerate(service.steps)]
    places += [(f"bundles[{n}]", bundle.standard) for n, bundle in enumerate(bundles)]
    others = service.published.elsewhere
    places += [(f"published.elsewhere[{n}]", (one.step,)) for n, one in enumerate(others)]
    last = len(service.published.procedure)
    for place, numbers in places:
        for number in numbers:
            if not 1 <= number <= last:
                yield f"{where}.{place}.standard", f"{number}; expected 1 to {last}"
    covered = {number for _, numbers in places for number in numbers}
    for number in sorted(set(range(1, last + 1)) - covered):
        yield (
            f"{where}.published.procedure[{number - 1}]",
            f"left out; expected `standard` = [{number}] in a step, or published.elsewhere",
        )


def _known(where: str, found: Iterable[str], what: str, known: set[str]) -> Iterator[Fault]:
    for n, name in enumerate(found):
        if name not in known:
            yield f"{where}[{n}]", _expected(name, what, known)


def _step(at: str, step: Step, steps: set[str], names: _Names) -> Iterator[Fault]:
    yield from _known(f"{at}.roles", step.roles, "role", names.roles)
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
        yield from _known(f"{at}.actions[{a}].roles", action.roles, "role", set(step.roles))
        yield from _fields(f"{at}.actions[{a}]", step, action, names)


def _fields(at: str, step: Step, action: Action, names: _Names) -> Iterator[Fault]:
    keys = [other.key for other in step.actions]
    if keys.count(action.key) > 1:
        yield f"{at}.key", f"{action.key!r} is taken in this step; expected a key of its own"
    taken = [field.name for field in action.fields]
    for f, field in enumerate(action.fields):
        if field.name in taken[:f]:
            yield f"{at}.fields[{f}].name", f"{field.name!r} stands twice; expected one of its own"
        yield from _field(f"{at}.fields[{f}]", field, names)
    kinds = {field.kind for field in action.fields}
    for effect in action.does:
        needed = EFFECT_NEEDS.get(effect)
        if needed and needed not in kinds:
            yield f"{at}.fields", f"it does `{effect}`; expected a field of kind `{needed}`"
    asks = action.does or any(field.required for field in action.fields)
    if step.standing and step.standing.action == action.id and asks:
        yield f"{at}", "cannot pass by standing disposition: it does or asks something"


def _field(at: str, field: FormField, names: _Names) -> Iterator[Fault]:
    if (field.kind == "staff") != (field.role in names.roles):
        yield f"{at}.role", _expected(field.role or "", "role", names.roles)
    if (field.kind == "files") != (field.document in names.documents):
        yield f"{at}.document", _expected(field.document or "", "document", names.documents)
    if (field.kind == "checklist") != bool(field.expects):
        yield f"{at}.expects", "expected `complete` or `faults` for kind `checklist`, only there"
    if (field.kind == "choice") != bool(field.options):
        yield f"{at}.options", "expected options for kind `choice`, and only there"
    yield from _twice(f"{at}.options", field.options)
    kind, name = FIELD_NAMES.get(field.kind), field.name
    if name != (kind or name) or (not kind and name in FIELD_NAMES.values()):
        yield f"{at}.name", f"{name!r} of kind `{field.kind}`; expected {kind or 'another name'}"


def _ways(where: str, service: Service, steps: set[str]) -> Iterator[Fault]:
    """Each step is reached from the start, and each can still reach an end."""
    onward = {step.id: {a.next for a in step.actions} & steps for step in service.steps}
    routes = service.routes if isinstance(service, ProposalService) else ()
    reached = _closure({service.start, *(route.start for route in routes)} & steps, onward)
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
