"""What of an office's file only shows when its tables are read together. Pure.

References to roles, steps, stages and documents; steps that nothing reaches and ways without an
end; published steps that are nobody's. Letters have `kiosk.letter_checks`; `kiosk.office_file`
reads the file; `kiosk.office_cautions` says what is no fault but will hurt.
"""

from collections.abc import Iterator
from typing import NamedTuple

from kiosk import letter_checks
from kiosk.office_faults import (
    NUMBER_PARTS,
    Fault,
    acts,
    no_such,
    pattern,
    reference,
    references,
    twice,
)
from kiosk.profile import Hours, Profile
from kiosk.service import (
    Action,
    Bundle,
    Effect,
    FieldKind,
    FormField,
    LetterService,
    ProposalService,
    Service,
    Step,
)

# An act reads these fields by name, so each kind has one name and each name one kind.
FIELD_NAMES: dict[str, str] = {
    "staff": "assignee",
    "person": "person",
    "password": "password",
    "passphrase": "passphrase",
}
EFFECT_NEEDS: dict[Effect, FieldKind] = {"correct_data": "person"}
BUNDLE_PARTS = (
    "nomor", "tanggal", "hari", "desa", "kecamatan", "periode", "keluarga", "jiwa", "jumlah_desa",
    "jabatan", "register", "register_panjang", "dasar", "tempat", "ketua", "notulis", "agenda",
)  # fmt: skip


def faults(profile: Profile) -> Iterator[Fault]:
    """All faults of a file whose tables are each well formed."""
    roles = {role.id for role in profile.roles}
    for where in ("roles", "priorities", "services", "documents"):
        yield from twice(where, getattr(profile, where))
    yield from twice("complaints.classes", profile.complaints.classes)
    yield from _hours(profile.hours)
    for n, signer in enumerate(profile.signers):
        yield from reference(f"signers[{n}].role", signer.role, "role", roles)
        yield from letter_checks.mandate(f"signers[{n}]", signer)
    if any(role.scope == "village" for role in profile.roles) and not profile.districts:
        yield Fault(
            "districts", "none, but a role works for one village", "its kecamatan and their desa"
        )
    names = _Names(roles, {document.id for document in profile.documents})
    for n, service in enumerate(profile.services):
        where = f"services[{n}]"
        if isinstance(service, LetterService):
            yield from letter_checks.of_service(where, service, profile)
        else:
            yield from _proposals(where, service, names)
        yield from _service(where, service, names)


class _Names(NamedTuple):
    """What a service may refer to outside of itself: roles and kinds of documents."""

    roles: set[str]
    documents: set[str]


# ── One service ──


def _service(where: str, service: Service, names: _Names) -> Iterator[Fault]:
    steps = {step.id for step in service.steps}
    stages = {stage.id for stage in service.stages}
    for part in ("steps", "stages", "purposes", "requirements"):
        yield from twice(f"{where}.{part}", getattr(service, part))
    yield from reference(f"{where}.start", service.start, "step", steps)
    for n, step in enumerate(service.steps):
        at = f"{where}.steps[{n}]"
        yield from reference(f"{at}.stage", step.stage, "stage", stages)
        yield from _step(at, step, steps, names)
    for n, paper in enumerate(service.requirements):
        if paper.document:
            at = f"{where}.requirements[{n}].document"
            yield from reference(at, paper.document, "kind of document", names.documents)
    yield from _moments(where, service)
    yield from _ways(where, service, steps)
    yield from _standard(where, service)


def _moments(where: str, service: Service) -> Iterator[Fault]:
    """What an act may wait for."""
    known = {"kiosk_print"}
    if isinstance(service, ProposalService):
        known = {f"{b.id}.{moment}" for b in service.bundles for moment in ("frozen", "signed")}
    for n, m, action in acts(service):
        if action.on:
            at = f"{where}.steps[{n}].actions[{m}].on"
            yield from reference(at, action.on, "moment", known)


def _standard(where: str, service: Service) -> Iterator[Fault]:
    """Each numbered step of the published procedure is a step here, or said to be another's."""
    bundles = service.bundles if isinstance(service, ProposalService) else ()
    places = [(f"steps[{n}].standard", step.standard) for n, step in enumerate(service.steps)]
    places += [(f"bundles[{n}].standard", bundle.standard) for n, bundle in enumerate(bundles)]
    others = service.published.elsewhere
    places += [(f"published.elsewhere[{n}].step", (one.step,)) for n, one in enumerate(others)]
    last = len(service.published.procedure)
    for place, numbers in places:
        for number in numbers:
            if not 1 <= number <= last:
                yield Fault(f"{where}.{place}", f"{number}", f"1 to {last}, as it was published")
    covered = {number for _, numbers in places for number in numbers}
    for number in sorted(set(range(1, last + 1)) - covered):
        yield Fault(
            f"{where}.published.procedure[{number - 1}]",
            f"number {number} is left out",
            f"`standard` = [{number}] in a step, or an entry of published.elsewhere",
        )


# ── Steps, acts, fields ──


def _step(at: str, step: Step, steps: set[str], names: _Names) -> Iterator[Fault]:
    yield from references(f"{at}.roles", step.roles, "role", names.roles)
    yield from twice(f"{at}.actions", step.actions)
    if step.ends and (step.actions or step.roles):
        yield Fault(f"{at}.ends", "an ending step has no actions and no roles", "one or the other")
    if not step.ends and not (step.actions and step.roles):
        yield Fault(f"{at}.actions", "a dead end", "roles and at least one action, or `ends`")
    if step.standing and not step.action(step.standing.action):
        known = {action.id for action in step.actions}
        yield no_such(f"{at}.standing.action", step.standing.action, "action", known)
    for a, action in enumerate(step.actions):
        yield from reference(f"{at}.actions[{a}].next", action.next, "step", steps)
        yield from references(f"{at}.actions[{a}].roles", action.roles, "role", set(step.roles))
        yield from _fields(f"{at}.actions[{a}]", step, action, names)


def _fields(at: str, step: Step, action: Action, names: _Names) -> Iterator[Fault]:
    keys = [other.key for other in step.actions]
    if keys.count(action.key) > 1:
        yield Fault(f"{at}.key", f"{action.key!r} is taken in this step", "a key of its own")
    taken = [field.name for field in action.fields]
    for f, field in enumerate(action.fields):
        if field.name in taken[:f]:
            there = f"{field.name!r} stands twice"
            yield Fault(f"{at}.fields[{f}].name", there, "one of its own")
        yield from _field(f"{at}.fields[{f}]", field, names)
    kinds = {field.kind for field in action.fields}
    for effect in action.does:
        needed = EFFECT_NEEDS.get(effect)
        if needed and needed not in kinds:
            yield Fault(f"{at}.fields", f"it does `{effect}`", f"a field of kind `{needed}`")
    asks = action.does or any(field.required for field in action.fields)
    if step.standing and step.standing.action == action.id and asks:
        there = "it passes by standing disposition, but does or asks something"
        yield Fault(at, there, "an act without `does` and without required fields")


def _field(at: str, field: FormField, names: _Names) -> Iterator[Fault]:
    yield from _goes_with(f"{at}.role", field.kind, "staff", field.role, "role", names.roles)
    yield from _goes_with(
        f"{at}.document", field.kind, "files", field.document, "kind of document", names.documents
    )
    if (field.kind == "checklist") != bool(field.expects):
        there = f"{field.expects!r} of kind `{field.kind}`"
        yield Fault(f"{at}.expects", there, "`complete` or `faults` for `checklist`, only there")
    if field.past and field.kind != "date":
        yield Fault(f"{at}.past", f"true of kind `{field.kind}`", "`past` for kind `date` only")
    if (field.kind == "choice") != bool(field.options):
        there = f"{len(field.options) or 'no'} options of kind `{field.kind}`"
        yield Fault(f"{at}.options", there, "options for kind `choice`, and only there")
    yield from twice(f"{at}.options", field.options)
    kind, name = FIELD_NAMES.get(field.kind), field.name
    if name != (kind or name) or (not kind and name in FIELD_NAMES.values()):
        there = f"{name!r} of kind `{field.kind}`"
        yield Fault(f"{at}.name", there, f"{kind or 'another name'}, for acts read it by its name")


def _goes_with(
    at: str, kind: str, owner: str, value: str | None, what: str, known: set[str]
) -> Iterator[Fault]:
    """A key that one kind of field has and no other: `role` of `staff`, `document` of `files`."""
    if kind == owner:
        yield from reference(at, value or "", what, known)
    elif value:
        yield Fault(at, f"{value!r} of kind `{kind}`", f"it with kind `{owner}` only")


# ── Proposals ──


def _proposals(where: str, service: ProposalService, names: _Names) -> Iterator[Fault]:
    steps = {step.id for step in service.steps}
    yield from twice(f"{where}.routes", service.routes)
    yield from twice(f"{where}.bundles", service.bundles)
    for n, route in enumerate(service.routes):
        yield from reference(f"{where}.routes[{n}].start", route.start, "step", steps)
        yield from references(f"{where}.routes[{n}].roles", route.roles, "role", names.roles)
    for n, field in enumerate(service.extras):
        yield from _field(f"{where}.extras[{n}]", field, names)
    for n, bundle in enumerate(service.bundles):
        yield from _bundle(f"{where}.bundles[{n}]", service, bundle, names)


def _bundle(at: str, service: ProposalService, bundle: Bundle, names: _Names) -> Iterator[Fault]:
    steps = {step.id for step in service.steps}
    yield from references(f"{at}.roles", bundle.roles, "role", names.roles)
    yield from references(f"{at}.collects", bundle.collects, "step", steps)
    yield from reference(f"{at}.scan", bundle.scan, "kind of document", names.documents)
    if bundle.signer:
        yield from reference(f"{at}.signer", bundle.signer, "role", names.roles)
    yield from pattern(f"{at}.number", bundle.number, tuple(NUMBER_PARTS), ("no", "tahun"))
    for n, line in enumerate(bundle.wording):
        yield from pattern(f"{at}.wording[{n}]", line, BUNDLE_PARTS)
    for n, field in enumerate(bundle.fields):
        yield from _field(f"{at}.fields[{n}]", field, names)
    if any(o.number == bundle.number for o in service.bundles if o is not bundle):
        yield Fault(f"{at}.number", "another bundle has it", "its own")
    if bundle.template == "pengesahan" and not bundle.signer:
        yield Fault(f"{at}.signer", "missing", "the role whose mandate stands under it")
    for step in service.steps:
        frozen = f"{bundle.id}.frozen"
        if step.id in bundle.collects and not any(a.on == frozen for a in step.actions):
            expected = f"an act there with `on` = {frozen}"
            yield Fault(f"{at}.collects", f"nothing happens to what waits in {step.id!r}", expected)


# ── Parts of all of them ──


def _hours(hours: Hours) -> Iterator[Fault]:
    """What the calendar would refuse, said with its path."""
    if not any(hours.week.by_number().values()):
        yield Fault("hours.week", "no opening hours", "a span on at least one weekday")
    for n, season in enumerate(hours.seasons):
        if season.first > season.last:
            yield Fault(f"hours.seasons[{n}].last", f"{season.last}", f"{season.first} or later")
    added = {day.date for day in hours.added}
    for n, day in enumerate(hours.struck):
        if day in added:
            yield Fault(f"hours.struck[{n}]", f"{day} is added too", "one or the other")


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
        at = f"{where}.steps[{n}].id"
        if step.id not in reached:
            there = f"{step.id!r} is never reached from {service.start!r}"
            yield Fault(at, there, f"an action whose `next` is {step.id!r}")
        elif step.id not in ending:
            there = f"{step.id!r} never reaches an end"
            yield Fault(at, there, "an action that leads on to a step with `ends`")


def _closure(start: set[str], onward: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = list(start)
    while waiting:
        step = waiting.pop()
        if step not in seen:
            seen.add(step)
            waiting.extend(onward[step])
    return seen
