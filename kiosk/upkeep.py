"""What happens by itself, without anybody's act: looked at once a minute."""

import logging
import threading
from collections.abc import Callable, Iterable

from kiosk import (
    bundles,
    document_removal,
    periods,
    proposal_uploads,
    trust_refresh,
    visit,
)
from kiosk.loket import Loket
from models import db

EVERY_S = 60
JOBS: tuple[Callable[[Loket, int], object], ...] = (
    visit.sweep, document_removal.sweep, bundles.expire, periods.roll, proposal_uploads.sweep,
    trust_refresh.start_due,
)  # fmt: skip
_log = logging.getLogger(__name__)


def run(loket: Loket, now: int) -> None:
    """Do all that is due at `now`; doing it twice changes nothing more."""
    for job in JOBS:
        job(loket, now)


def start(loket: Loket, clock: Callable[[], float]) -> threading.Thread:
    """A daemon thread that runs every minute; a fault is logged, and the next one tries again."""
    thread = threading.Thread(target=_forever, args=(loket, clock), daemon=True, name="upkeep")
    thread.start()
    return thread


def _forever(loket: Loket, clock: Callable[[], float]) -> None:
    wait = threading.Event()
    while not wait.wait(EVERY_S):
        run_apart(loket, int(clock()), JOBS)


def run_apart(loket: Loket, now: int, jobs: Iterable[Callable[[Loket, int], object]]) -> None:
    """Each job by itself: one that fails is logged and holds up neither the others nor the next
    minute.
    """
    for job in jobs:
        try:
            with db.connection_context():
                job(loket, now)
        except Exception:  # Photos and proposals wait for the next minute, not for a restart.
            _log.exception("upkeep failed; it is tried again in a minute")
