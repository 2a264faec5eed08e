"""What of an office's letters only shows when its tables are read together. Pure.

Which kind of letter an act makes and how that one is signed, patterns and sentences that can be
filled and fit, mandates.
"""

import re
from collections.abc import Iterator

from kiosk.certificate import CAPS
from kiosk.office_faults import NUMBER_PARTS, Fault, acts, pattern, reference
from kiosk.profile import MARKS, STANDING_IN, Profile, Signer, agree
from kiosk.service import Action, Effect, FieldKind, LetterService, LetterText, Signing
from kiosk.wording_check import FILLED, known

_TO_FILL = re.compile(r"\{[^}]*\}")


def mandate(at: str, signer: Signer) -> Iterator[Fault]:
    """In which form a signer signs stands above the name, and who stands in has an order."""
    if not agree(signer.capacity, signer.titles):
        marks = " and ".join(f"{mark!r}" for mark in MARKS[signer.capacity])
        there = f"{list(signer.titles)} of capacity `{signer.capacity}`"
        yield Fault(f"{at}.titles", there, f"lines that begin with {marks or 'the office itself'}")
    if signer.capacity in STANDING_IN and not (signer.order and signer.until):
        there = f"`{signer.capacity}` without its order and last day"
        yield Fault(f"{at}.order" if not signer.order else f"{at}.until", there, "both")
    if signer.until and signer.until < signer.since:
        yield Fault(f"{at}.until", f"{signer.until}", f"a day from {signer.since} on")
    for line in signer.titles:
        if len(line) > CAPS["signer_titles"][1]:
            most = CAPS["signer_titles"][1]
            yield Fault(f"{at}.titles", f"{len(line)} letters", f"at most {most} a line")


def of_service(where: str, service: LetterService, profile: Profile) -> Iterator[Fault]:
    """All faults of a service's letters; `where` is the service's path in the file."""
    yield from _own(where, service, profile)
    for at, letter in _letters(where, service).items():
        yield from _letter(at, service, letter)
        yield from _ranked(at, service, letter, profile.register_.rank_label)


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
    for n, m, action in acts(service):
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
        yield from reference(f"{at}.letter", kind, "kind of letter", set(ways))
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
        yield from reference(at, letter.signer, "role of a signer", signers)


def _letter(where: str, service: LetterService, letter: LetterText) -> Iterator[Fault]:
    # Without the year, January's first number would be last January's.
    yield from pattern(f"{where}.number", letter.number, tuple(NUMBER_PARTS), ("no", "tahun"))
    for part in FILLED:
        yield from pattern(f"{where}.{part}", getattr(letter, part) or "", known(service))
    for part in (*FILLED, "closing"):
        # What is filled in comes on top, but more than this never fits.
        fixed, most = _TO_FILL.sub("", getattr(letter, part) or ""), CAPS[part][1]
        if len(fixed) > most:
            yield Fault(f"{where}.{part}", f"{len(fixed)} letters", f"at most {most}")


def _ranked(where: str, service: LetterService, letter: LetterText, label: str) -> Iterator[Fault]:
    """A letter tells the rank only where its purpose needs it: no sentence may count on it else."""
    for part in FILLED:
        if "{peringkat}" not in (getattr(letter, part) or ""):
            continue
        if not label:
            yield Fault(f"{where}.{part}", "{peringkat}", "register.rank_label, or no {peringkat}")
        for purpose in service.purposes:
            if purpose.max_rank is None:
                there = f"{{peringkat}}, and `{purpose.id}` has no max_rank"
                yield Fault(f"{where}.{part}", there, "max_rank in each purpose, or no {peringkat}")
