"""What moved from a period to the next by itself, and when: for whoever supervises."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from kiosk.loket import Loket
from kiosk.periods import MOVED
from models import Application, Event


@dataclass(frozen=True)
class Move:
    """`families` moved from one period to another ("2026-11"); `at` in epoch seconds."""

    at: int
    from_: str
    to: str
    families: int


def listed(loket: Loket, service_id: str) -> tuple[Move, ...]:
    """The moves of a service's proposals, the newest first; some 10 µs for each household."""
    query: Any = Event.select(Event.at, Event.detail_ct).join(Application)
    query = query.where((Application.service == service_id) & (Event.action == MOVED))
    unlock = loket.vault.unlock_json
    counted: Counter[tuple[int, str, str]] = Counter()
    for at, locked in query.tuples():
        told = unlock("detail", locked)
        counted[(at, told["from"], told["to"])] += 1
    return tuple(Move(*key, families) for key, families in sorted(counted.items(), reverse=True))
