"""A fault of an office's file, and what the checks of all its parts share. Pure."""

import string
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import NamedTuple

from kiosk.service import Action, Service
from kiosk.tables import Named

NUMBER_PARTS = {"no": 1, "tahun": 2026, "bulan": 11, "bulan_romawi": "XI"}


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


def acts(service: Service) -> Iterator[tuple[int, int, Action]]:
    """Each act of a service with its place: step, action."""
    for n, step in enumerate(service.steps):
        for m, action in enumerate(step.actions):
            yield n, m, action


def pattern(
    where: str, text: str, known: tuple[str, ...], needs: tuple[str, ...] = ()
) -> Iterator[Fault]:
    """A text with `known` names in braces, those of `needs` among them."""
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
        unknown = sorted(names - set(known))
        if not unknown:
            text.format(**{name: NUMBER_PARTS.get(name, "") for name in known})
    except ValueError as error:
        yield Fault(where, f"{text!r}: {error}", "parts in whole braces such as {no}")
        return
    for name in unknown:
        yield Fault(where, f"unknown part {{{name}}}", ", ".join(known), near(name, known))
    for name in needs:
        if name not in names:
            yield Fault(where, f"{text!r} has no {{{name}}}", "one")


def twice(where: str, things: tuple[Named, ...]) -> Iterator[Fault]:
    """Two of one id."""
    ids = [thing.id for thing in things]
    for n, thing in enumerate(ids):
        if thing in ids[:n]:
            yield Fault(f"{where}[{n}].id", f"{thing!r} stands twice", "an id of its own")


def references(where: str, found: Iterable[str], what: str, known: set[str]) -> Iterator[Fault]:
    """`reference` for each of a list."""
    for n, name in enumerate(found):
        yield from reference(f"{where}[{n}]", name, what, known)


def reference(where: str, found: str, what: str, known: set[str]) -> Iterator[Fault]:
    """A name that is none of the file's; `what` it should be the name of."""
    if found not in known:
        yield no_such(where, found, what, known)


def no_such(where: str, found: str, what: str, known: set[str]) -> Fault:
    """The fault of a name that is none of `known`."""
    there = f"{found!r} is no {what} of this file"
    return Fault(where, there, f"one of {', '.join(sorted(known))}", near(found, known))
