"""The database of a data folder: connect this thread to it, make its tables, let it go."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import models
from kiosk.errors import Unusable

FILE = "loket15.sqlite"


def bind(home: Path) -> None:
    """Say where the tables are; each thread connects for itself."""
    models.connect(home / FILE)


def connect(home: Path) -> None:
    """Bind, and connect this thread."""
    bind(home)
    models.db.connect(reuse_if_open=True)


def create() -> None:
    """Make the tables that are missing."""
    models.create()


def close() -> None:
    """Close this thread's connection; it may have none."""
    models.db.close()


@contextmanager
def served_once(home: Path) -> Iterator[None]:
    """One server a data folder, for a second one would print everything too; a crash frees it.

    Raises Unusable when another serves it.
    """
    with (home / ".serving").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Unusable("Folder data ini sedang dilayani. Hentikan dahulu yang lain.") from None
        yield
