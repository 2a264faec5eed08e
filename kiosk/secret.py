"""Secrets that are files: made once, readable by the office's user alone."""

import os
import secrets
from pathlib import Path


def key(path: Path) -> bytes:
    """The 32 bytes at `path`, made when missing (0600)."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(handle, "wb") as file:
        made = secrets.token_bytes(32)
        file.write(made)
        file.flush()
        os.fsync(file.fileno())
    return made
