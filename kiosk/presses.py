"""Several letters pressed at once: processes beside this one, for as long as a stack is signed.

ReportLab and PDFium do one letter at a time in a process, so that only processes use a second
core. What they are handed and give back goes through a pipe of theirs alone. They hold no
database: numbers and rows stay with who asks. Who dies takes nothing along: its letter is made
here.
"""

import atexit
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from typing import Any, ParamSpec, TypeVar

from kiosk.errors import LoketError

Asked = ParamSpec("Asked")
Made = TypeVar("Made")
MOST = 4
PATIENCE_S = 60.0
# Whoever stands at a counter comes before a stack.
NICE = 5
# As long as somebody who has read a stack may take to type a password.
KEPT_S = 300.0


class Presses:
    """So many processes, each of which makes one letter at a time. Threads may share it."""

    def __init__(self, count: int) -> None:
        self.all = [_Press() for _ in range(count)]
        self._free: SimpleQueue[_Press] = SimpleQueue()
        for press in self.all:
            self._free.put(press)

    def run(self, work: Callable[..., Made], *args: Any, **more: Any) -> Made:
        """`work` done by the next free one, as if it were done here; here where that one died."""
        press = self._free.get()
        try:
            return press.run(work, args, more)
        except (EOFError, OSError):
            press.end()
        finally:
            self._free.put(press)
        with working(None):
            return work(*args, **more)

    def whole(self) -> bool:
        """Whether none has died."""
        return all(press.process.poll() is None for press in self.all)

    def close(self) -> None:
        for press in self.all:
            press.end()


class _Press:
    def __init__(self) -> None:
        self._line, theirs = Pipe()
        code = "from kiosk.presses import serve; serve()"
        # Of a group of its own: Ctrl+C is for the server, which lets these go at its end.
        self.process = subprocess.Popen(  # noqa: S603 - this interpreter, our own code
            [sys.executable, "-c", code, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            process_group=0,
        )
        theirs.close()

    def run(self, work: Callable[..., Made], args: tuple[Any, ...], more: dict[str, Any]) -> Made:
        """Raises EOFError or OSError when the process is gone or says nothing for a minute."""
        self._line.send((work, args, more))
        if not self._line.poll(PATIENCE_S):
            raise EOFError
        made, error = self._line.recv()
        if error is not None:
            raise error
        done: Made = made
        return done

    def end(self) -> None:
        self._line.close()
        self.process.kill()
        self.process.wait()


class Warm:
    """Presses that were started before they are needed, and go when nobody needs them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: Presses | None = None
        self._going = threading.Timer(0, self.close)

    def start(self) -> None:
        """A stack will be signed soon: what its presses import takes a second."""
        self.give_back(self.take())

    def take(self) -> Presses:
        """Those that are kept, or new ones."""
        with self._lock:
            self._going.cancel()
            several, self._kept = self._kept, None
        return several or Presses(how_many())

    def give_back(self, several: Presses) -> None:
        """Keep them for a while, where none are kept."""
        with self._lock:
            keep = self._kept is None and several.whole()
            if keep:
                self._kept = several
                self._going = threading.Timer(KEPT_S, self.close)
                self._going.daemon = True
                self._going.start()
        if not keep:
            several.close()

    def close(self) -> None:
        with self._lock:
            self._going.cancel()
            several, self._kept = self._kept, None
        if several:
            several.close()


warm = Warm()
atexit.register(warm.close)
_several: ContextVar[Presses | None] = ContextVar("several", default=None)


@contextmanager
def working(presses: Presses | None) -> Iterator[None]:
    """In this thread letters are made by these."""
    before = _several.set(presses)
    try:
        yield
    finally:
        _several.reset(before)


def pressed(work: Callable[Asked, Made]) -> Callable[Asked, Made]:
    """`work` is done by the processes that this thread works with, else here."""

    @wraps(work)
    def run(*args: Asked.args, **more: Asked.kwargs) -> Made:
        several = _several.get()
        return several.run(run, *args, **more) if several else work(*args, **more)

    return run


def how_many() -> int:
    """As many as there are cores for them."""
    return min(MOST, len(os.sched_getaffinity(0)))


def serve() -> None:
    """In the process: make what is asked until the asker hangs up or dies."""
    from kiosk import certificate  # what it needs takes longer to import than all the rest

    os.nice(NICE)
    certificate.warm_up()
    line = Connection(int(sys.argv[1]))
    while True:
        try:
            work, args, more = line.recv()
            line.send(_answer(work, args, more))
        except (EOFError, OSError):
            return


def _answer(
    work: Callable[..., object], args: tuple[Any, ...], more: dict[str, Any]
) -> tuple[object, object]:
    try:
        return work(*args, **more), None
    except LoketError as error:
        return None, error
