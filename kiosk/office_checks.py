"""What of an office's file only shows when its tables are read together. Pure.

References to roles, steps, stages and documents; steps that nothing reaches and ways without an
end; letters' patterns that cannot be filled; published steps that are nobody's. `kiosk.office_file`
reads the file; `kiosk.office_cautions` says what is no fault but will hurt.
"""

import re
import string
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from kiosk.certificate import CAPS
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
    Signing,
    Step,
)
from kiosk.tables import Named

# An act reads these fields by name, so each kind has one name and each name one kind.
FIELD_NAMES: dict[str, str] = {
    "staff": "assignee",
    "person": "person",
    "password": "password",
    "passphrase": "passphrase",
}
EFFECT_NEEDS: dict[Effect, FieldKind] = {"correct_data": "person"}
NUMBER_PARTS = {"no": 1, "tahun": 2026, "bulan": 11, "bulan_romawi": "XI"}
WORDING = (
    "title", "subtitle", "opening", "statement", "purpose", "validity", "freeze", "closing",
)  # fmt: skip
_TO_FILL = re.compile(r"\{[^}]*\}")
LETTER_PARTS = (
    "jabatan", "dinas", "register", "register_panjang", "sumber", "tanggal_cek", "per_tanggal",
    "keperluan", "berlaku_hari", "berlaku_sampai", "dasar",
)  # fmt: skip
BUNDLE_PARTS = (
    "nomor", "tanggal", "hari", "desa", "kecamatan", "periode", "keluarga", "jiwa", "jumlah_desa",
    "jabatan", "register", "register_panjang", "dasar", "tempat", "ketua", "notulis", "agenda",
)  # fmt: skip


class Fault(NamedTuple):
    """One fault: where in the file, what is there, what is expected, and the likely word."""

    where: str
    there: str
    expected: str
    hint: str = ""

    @property
    def said(self) -> str:
        """In one line, without its place."""
        hint = f"; did you mean {self.hint!r}?" if self.hint else ""
        return f"{self.there}; expected {self.expected}{hint}"


def near(word: str, known: Iterable[str]) -> str:
    """The known word that `word` is most likely a slip of, or ""."""
    return next(iter(get_close_matches(word, sorted(known), 1, 0.65)), "")


def faults(profile: Profile) -> Iterator[Fault]:
    """All faults of a file whose tables are each well formed."""
    roles = {role.id for role in profile.roles}
    for where in ("roles", "priorities", "services", "documents"):
        yield from _twice(where, getattr(profile, where))
    yield from _twice("complaints.classes", profile.complaints.classes)
    yield from _hours(profile.hours)
    for n, signer in enumerate(profile.signers):
        yield from _reference(f"signers[{n}].role", signer.role, "role", roles)
    if any(role.scope == "village" for role in profile.roles) and not profile.districts:
        yield Fault(
            "districts", "none, but a role works for one village", "its kecamatan and their desa"
        )
    names = _Names(roles, {document.id for document in profile.documents})
    for n, service in enumerate(profile.services):
        where = f"services[{n}]"
        if isinstance(service, LetterService):
            yield from _own(where, service, profile)
            for at, letter in _letters(where, service).items():
                yield from _letter(at, service, letter)
        else:
            yield from _proposals(where, service, names)
        yield from _service(where, service, names)


class _Names(NamedTuple):
    """What a service may refer to outside of itself: roles and kinds of documents."""

    roles: set[str]
    documents: set[str]


# ── One service ──


def _own(where: str, service: LetterService, profile: Profile) -> Iterator[Fault]:
    """What no two services may share: the ticket's letter, and the pattern of a letter's number."""
    others = [other for other in profile.letters if other is not service]
    if any(other.series == service.series for other in others):
        yield Fault(f"{where}.series", f"{service.series!r} is taken", "a letter of its own")
    taken = {letter.number: letter.kind for o in others for letter in (o.letter, *o.letters)}
    letters = _letters(where, service)
    for at, letter in letters.items():
        if taken.setdefault(letter.number, letter.kind) != letter.kind:
            yield Fault(f"{at}.number", "another kind of letter has it", "its own")
        yield from _hand(f"{at}.signer", letter, {one.role for one in profile.signers})
    ways = {letter.kind: letter.signing for letter in letters.values()}
    if len(ways) < len(letters):
        yield Fault(f"{where}.letters", "two letters of one kind", "a kind for each")
    for n, m, action in _acts(service):
        yield from _making(f"{where}.steps[{n}].actions[{m}]", action, service, ways)


def _letters(where: str, service: LetterService) -> dict[str, LetterText]:
    """Path in the file → letter."""
    more = {f"{where}.letters[{n}]": letter for n, letter in enumerate(service.letters)}
    return {f"{where}.letter": service.letter} | more


def _making(
    at: str, action: Action, service: LetterService, ways: dict[str, Signing]
) -> Iterator[Fault]:
    """Which letter an act makes, and how that one is signed."""
    made, changed = {"issue", "draw_up"}, {"record_check", "correct_data"}
    kind = action.letter or service.letter.kind
    if kind not in ways:
        yield from _reference(f"{at}.letter", kind, "kind of letter", set(ways))
    elif "release" in action.does:
        if "wet_ink" not in ways.values():
            yield Fault(f"{at}.does", "`release` where no letter is signed by wet_ink", "`issue`")
    elif made & set(action.does):
        yield from _signing(at, action, ways[kind])
    elif action.letter:
        yield Fault(f"{at}.letter", "a letter of an act that makes none", "`issue` or `draw_up`")
    if made & set(action.does) and changed & set(action.does):
        yield Fault(f"{at}.does", "a letter made of what this act records", "two acts")


def _signing(at: str, action: Action, signing: Signing) -> Iterator[Fault]:
    """A letter is issued in one act by a signature, or drawn up and released by hand.

    The signer says it with their password, or with the passphrase of their certificate.
    """
    right: Effect = "draw_up" if signing == "wet_ink" else "issue"
    if right not in action.does:
        expected = "`draw_up` and later `release`" if signing == "wet_ink" else "`issue`"
        wrong = "draw_up" if right == "issue" else "issue"
        yield Fault(f"{at}.does", f"`{wrong}` of a letter signed by {signing}", expected)
    kinds = {field.kind for field in action.fields}
    wanted: FieldKind = "passphrase" if signing == "bsre" else "password"
    if right == "issue" and wanted not in kinds:
        yield Fault(f"{at}.fields", f"no field of kind `{wanted}`", f"one, to sign by {signing}")


def _hand(at: str, letter: LetterText, signers: set[str]) -> Iterator[Fault]:
    """Whose mandate stands under a letter signed by hand; another's is that of who signs."""
    if letter.signer and letter.signing != "wet_ink":
        yield Fault(at, f"{letter.signer!r} of a letter signed by {letter.signing}", "none")
    elif letter.signer and letter.signer not in signers:
        yield from _reference(at, letter.signer, "role of a signer", signers)


def _acts(service: Service) -> Iterator[tuple[int, int, Action]]:
    for n, step in enumerate(service.steps):
        for m, action in enumerate(step.actions):
            yield n, m, action


def _service(where: str, service: Service, names: _Names) -> Iterator[Fault]:
    steps = {step.id for step in service.steps}
    stages = {stage.id for stage in service.stages}
    for part in ("steps", "stages", "purposes", "requirements"):
        yield from _twice(f"{where}.{part}", getattr(service, part))
    yield from _reference(f"{where}.start", service.start, "step", steps)
    for n, step in enumerate(service.steps):
        at = f"{where}.steps[{n}]"
        yield from _reference(f"{at}.stage", step.stage, "stage", stages)
        yield from _step(at, step, steps, names)
    for n, paper in enumerate(service.requirements):
        if paper.document:
            at = f"{where}.requirements[{n}].document"
            yield from _reference(at, paper.document, "kind of document", names.documents)
    yield from _moments(where, service)
    yield from _ways(where, service, steps)
    yield from _standard(where, service)


def _moments(where: str, service: Service) -> Iterator[Fault]:
    """What an act may wait for."""
    known = {"kiosk_print"}
    if isinstance(service, ProposalService):
        known = {f"{b.id}.{moment}" for b in service.bundles for moment in ("frozen", "signed")}
    for n, m, action in _acts(service):
        if action.on:
            at = f"{where}.steps[{n}].actions[{m}].on"
            yield from _reference(at, action.on, "moment", known)


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
    yield from _references(f"{at}.roles", step.roles, "role", names.roles)
    yield from _twice(f"{at}.actions", step.actions)
    if step.ends and (step.actions or step.roles):
        yield Fault(f"{at}.ends", "an ending step has no actions and no roles", "one or the other")
    if not step.ends and not (step.actions and step.roles):
        yield Fault(f"{at}.actions", "a dead end", "roles and at least one action, or `ends`")
    if step.standing and not step.action(step.standing.action):
        known = {action.id for action in step.actions}
        yield _no(f"{at}.standing.action", step.standing.action, "action", known)
    for a, action in enumerate(step.actions):
        yield from _reference(f"{at}.actions[{a}].next", action.next, "step", steps)
        yield from _references(f"{at}.actions[{a}].roles", action.roles, "role", set(step.roles))
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
    yield from _twice(f"{at}.options", field.options)
    kind, name = FIELD_NAMES.get(field.kind), field.name
    if name != (kind or name) or (not kind and name in FIELD_NAMES.values()):
        there = f"{name!r} of kind `{field.kind}`"
        yield Fault(f"{at}.name", there, f"{kind or 'another name'}, for acts read it by its name")


def _goes_with(
    at: str, kind: str, owner: str, value: str | None, what: str, known: set[str]
) -> Iterator[Fault]:
    """A key that one kind of field has and no other: `role` of `staff`, `document` of `files`."""
    if kind == owner:
        yield from _reference(at, value or "", what, known)
    elif value:
        yield Fault(at, f"{value!r} of kind `{kind}`", f"it with kind `{owner}` only")


# ── Proposals ──


def _proposals(where: str, service: ProposalService, names: _Names) -> Iterator[Fault]:
    steps = {step.id for step in service.steps}
    yield from _twice(f"{where}.routes", service.routes)
    yield from _twice(f"{where}.bundles", service.bundles)
    for n, route in enumerate(service.routes):
        yield from _reference(f"{where}.routes[{n}].start", route.start, "step", steps)
        yield from _references(f"{where}.routes[{n}].roles", route.roles, "role", names.roles)
    for n, field in enumerate(service.extras):
        yield from _field(f"{where}.extras[{n}]", field, names)
    for n, bundle in enumerate(service.bundles):
        yield from _bundle(f"{where}.bundles[{n}]", service, bundle, names)


def _bundle(at: str, service: ProposalService, bundle: Bundle, names: _Names) -> Iterator[Fault]:
    steps = {step.id for step in service.steps}
    yield from _references(f"{at}.roles", bundle.roles, "role", names.roles)
    yield from _references(f"{at}.collects", bundle.collects, "step", steps)
    yield from _reference(f"{at}.scan", bundle.scan, "kind of document", names.documents)
    if bundle.signer:
        yield from _reference(f"{at}.signer", bundle.signer, "role", names.roles)
    yield from _pattern(f"{at}.number", bundle.number, tuple(NUMBER_PARTS), ("no", "tahun"))
    for n, line in enumerate(bundle.wording):
        yield from _pattern(f"{at}.wording[{n}]", line, BUNDLE_PARTS)
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


def _letter(where: str, service: LetterService, letter: LetterText) -> Iterator[Fault]:
    parts = (*LETTER_PARTS, *dict.fromkeys(field.name for field in service.checked))
    # Without the year, January's first number would be last January's.
    yield from _pattern(f"{where}.number", letter.number, tuple(NUMBER_PARTS), ("no", "tahun"))
    for part in WORDING[:-1]:
        yield from _pattern(f"{where}.{part}", getattr(letter, part) or "", parts)
    for part in WORDING:
        # What is filled in comes on top, but more than this never fits.
        fixed, most = _TO_FILL.sub("", getattr(letter, part) or ""), CAPS[part][1]
        if len(fixed) > most:
            yield Fault(f"{where}.{part}", f"{len(fixed)} letters", f"at most {most}")


def _pattern(
    where: str, pattern: str, known: tuple[str, ...], needs: tuple[str, ...] = ()
) -> Iterator[Fault]:
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(pattern) if name is not None}
        unknown = sorted(names - set(known))
        if not unknown:
            pattern.format(**{name: NUMBER_PARTS.get(name, "") for name in known})
    except ValueError as error:
        yield Fault(where, f"{pattern!r}: {error}", "parts in whole braces such as {no}")
        return
    for name in unknown:
        yield Fault(where, f"unknown part {{{name}}}", ", ".join(known), near(name, known))
    for name in needs:
        if name not in names:
            yield Fault(where, f"{pattern!r} has no {{{name}}}", "one")


def _twice(where: str, things: tuple[Named, ...]) -> Iterator[Fault]:
    ids = [thing.id for thing in things]
    for n, thing in enumerate(ids):
        if thing in ids[:n]:
            yield Fault(f"{where}[{n}].id", f"{thing!r} stands twice", "an id of its own")


def _references(where: str, found: Iterable[str], what: str, known: set[str]) -> Iterator[Fault]:
    for n, name in enumerate(found):
        yield from _reference(f"{where}[{n}]", name, what, known)


def _reference(where: str, found: str, what: str, known: set[str]) -> Iterator[Fault]:
    if found not in known:
        yield _no(where, found, what, known)


def _no(where: str, found: str, what: str, known: set[str]) -> Fault:
    there = f"{found!r} is no {what} of this file"
    return Fault(where, there, f"one of {', '.join(sorted(known))}", near(found, known))
