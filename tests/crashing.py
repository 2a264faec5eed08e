"""Processes that sign letters and are killed on the way: from one that has imported all it needs.

    python -m tests.crashing HOME

It reads a line of JSON, a list of jobs, forks a process for each, and answers with how they ended:
the number of letters a job signed, or minus the signal that ended it. Where a process is to die is
set up here, around the functions of the program, which knows nothing of it.
"""

import json
import os
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import models
from kiosk import certificate, desk, issuing
from kiosk import loket as counter
from kiosk.errors import LoketError
from kiosk.staff import Actor
from tests.people import PASSWORD

BASE_URL = "http://loket.test"
# Each step of the order, and what comes between two of them.
POINTS = (
    "after numbers.take",  # the number is not committed
    "after issuing._claim",  # it is
    "after certificate.render",
    "after signature.sign",
    "after certificate.read_qr",
    "half archive.write",
    "after archive.write",
    "before archive.put",
    "after archive.put",  # the file is in its place, the release is not committed
    "after desk.carry_out",
    "before spool.wake",  # all is committed
)
REAL = POINTS[2:5]


class Zygote:
    """The process that forks, as seen from a test."""

    def __init__(self, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crashing", str(home)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *jobs: dict[str, Any]) -> list[int]:
        """Do these at once; how each ended."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(jobs) + "\n")
        self._process.stdin.flush()
        ended: list[int] = json.loads(self._process.stdout.readline())
        return ended

    def close(self) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@contextmanager
def zygote(home: Path) -> Iterator[Zygote]:
    made = Zygote(home)
    try:
        yield made
    finally:
        made.close()


def job(
    ids: list[int], now: int, kill: str = "", nth: int = 1, *, real: bool = False, new: bool = False
) -> dict[str, Any]:
    """Sign these; die at the `nth` passing of a point. `new`: it starts as the server does.

    Without `real` a letter is a few bytes: what is looked at is numbers, rows and files.
    """
    return {"ids": ids, "now": now, "kill": kill, "nth": nth, "real": real, "new": new}


def main() -> None:
    home = Path(sys.argv[1])
    counter.load = cache(counter.load)
    counter.load("lebak")
    certificate.warm_up()
    for line in sys.stdin:
        gate, opener = os.pipe()
        pids = [_fork(home, one, gate, opener) for one in json.loads(line)]
        os.close(gate)
        os.close(opener)
        ended = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
        sys.stdout.write(json.dumps(ended) + "\n")
        sys.stdout.flush()


def _fork(home: Path, one: dict[str, Any], gate: int, opener: int) -> int:
    """A process that does this job as soon as all are there."""
    pid = os.fork()
    if pid:
        return pid
    try:
        os.close(opener)
        os.read(gate, 1)
        os._exit(_work(home, one))
    except BaseException:
        traceback.print_exc()
        os._exit(101)


def _work(home: Path, one: dict[str, Any]) -> int:
    database = models.connect(home / "loket15.sqlite")
    with database.connection_context():
        loket = counter.open_loket(home, "lebak", BASE_URL)
        if one["new"]:
            issuing.recover(loket)
        if not one["real"]:
            certificate.make = lambda letter, *_: f"%PDF {letter.number} {time.time_ns()}".encode()
        if one["kill"]:
            _prepare(one["kill"], one["nth"])
        return sum(_sign(loket, id_, one["now"]) for id_ in one["ids"])


def _sign(loket: counter.Loket, id_: int, now: int) -> bool:
    user = models.User.get(models.User.role == "kepala_dinas")
    head = Actor(user.id, user.name, user.full_name, user.role)
    given = {"password": [PASSWORD]}
    try:
        desk.act(loket, id_, "tanda_tangan", given, head, desk.find(id_).seq, now)
    except (LoketError, models.Busy):
        return False
    return True


def _prepare(point: str, nth: int) -> None:
    """Die at the `nth` time that this point is passed."""
    when, name = point.split()
    room, verb = name.split(".")
    module = import_module(f"kiosk.{room}")
    whole = getattr(module, verb)
    left = [nth]

    def due() -> bool:
        left[0] -= 1
        return left[0] == 0

    def run(*args: Any, **more: Any) -> Any:
        dying = due()
        if dying and when == "before":
            _die()
        if dying and when == "half":
            return _half(whole, *args)
        done = whole(*args, **more)
        if dying:
            _die()
        return done

    setattr(module, verb, run)


def _half(whole: Callable[..., Any], path: Path, pdf: bytes) -> None:
    """What lies on the disk is cut short."""
    whole(path, pdf[: len(pdf) // 2])
    _die()


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main()
