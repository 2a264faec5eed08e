"""The database of a data folder: connect this thread to it, make its tables, let it go."""

from pathlib import Path

import models

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
