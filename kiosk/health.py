"""How the installation is: for monitors at `/sehat` and for the admin's first screen."""

import shutil
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from kiosk import key_acts, spool
from kiosk.errors import LoketError, Unusable
from kiosk.loket import Loket
from kiosk.printers import Status
from models import Busy, Counter

READINESS_S = 10
LEAST_DISK_MB = 100
NOT_ASKED = Status(ok=False, reason="Belum diperiksa")


@dataclass(frozen=True)
class RegisterHealth:
    """The register's day and size; `stale` past the days of the office's file, or without one."""

    as_of: date | None
    count: int
    stale: bool


@dataclass(frozen=True)
class KeyHealth:
    """The last day on which the office's keys sign, None if they cannot be read; `soon` within a
    month of it, or past it.
    """

    end: date | None
    soon: bool
    ended: bool


@dataclass(frozen=True)
class Health:
    """`ok`: letters can be asked for and issued. A printer out of paper does not make it false."""

    ok: bool
    database: bool
    register: RegisterHealth
    keys: KeyHealth
    disk_free_mb: int
    printers: Mapping[str, Status]
    print_queue: int
    version: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON; days are ISO dates."""
        told = asdict(self)
        told["register"]["as_of"] = self.register.as_of and self.register.as_of.isoformat()
        told["keys"]["end"] = self.keys.end and self.keys.end.isoformat()
        return told


class Readiness:
    """The printers' readiness, asked of the devices at most every ten seconds, by one at a time.

    Whoever comes while another asks gets the last answer: a printer that hangs holds up one
    request, however many ask.
    """

    def __init__(self, printers: spool.Printers) -> None:
        self._printers = printers
        self._asking = threading.Lock()
        self._known: Mapping[str, Status] = {"tickets": NOT_ASKED, "letters": NOT_ASKED}
        self._at: int | None = None

    def __call__(self, now: int) -> Mapping[str, Status]:
        """Printer → status, at most `READINESS_S` old at `now` (epoch seconds)."""
        fresh = self._at is not None and abs(now - self._at) < READINESS_S
        if not fresh and self._asking.acquire(blocking=False):
            try:
                self._known, self._at = self._printers.ready(), now
            finally:
                self._asking.release()
        return self._known


def check(loket: Loket, readiness: Readiness, now: int) -> Health:
    """All of it. Never raises for a part that is broken: it says so."""
    database, queued = _database()
    register, readable = _register(loket, now)
    keys = _keys(loket, now)
    free = shutil.disk_usage(loket.home).free // 2**20
    return Health(
        ok=database and readable and free >= LEAST_DISK_MB and not keys.ended,
        database=database,
        register=register,
        keys=keys,
        disk_free_mb=free,
        printers=readiness(now),
        print_queue=queued,
        version=app_version(),
    )


def app_version() -> str:
    """The version of this program."""
    try:
        return version("loket15")
    except PackageNotFoundError:
        return "0"


def _database() -> tuple[bool, int]:
    try:
        Counter.select().exists()
        return True, spool.waiting()
    except Busy:
        return False, 0


def _keys(loket: Loket, now: int) -> KeyHealth:
    try:
        end = key_acts.ends_on(loket)
    except LoketError:
        return KeyHealth(None, soon=True, ended=True)
    left = (end - loket.calendar.day_of(now)).days
    return KeyHealth(end, soon=left < key_acts.SOON_DAYS, ended=left < 0)


def _register(loket: Loket, now: int) -> tuple[RegisterHealth, bool]:
    try:
        snapshot = loket.register.snapshot()
    except Unusable:
        return RegisterHealth(None, 0, stale=True), False
    if snapshot is None:
        return RegisterHealth(None, 0, stale=True), True
    age = (loket.calendar.day_of(now) - snapshot.as_of).days
    stale = age > loket.profile.register_.stale_after_days
    return RegisterHealth(snapshot.as_of, snapshot.accepted, stale), True
