"""What hundreds of tests would do again and again is done once a process, with the same outcome."""

import os
from collections.abc import Callable
from pathlib import Path
from shutil import disk_usage
from types import CodeType
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from hypothesis import settings
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from werkzeug.routing import Rule

from kiosk import loket, staff
from kiosk.office_file import file_of, load
from kiosk.profile import Profile

MEMORY = Path("/dev/shm")  # noqa: S108 - pytest makes its own folder in it
ENOUGH = 2 << 30
# The product's own: what it costs is measured against it, see tests/test_staff.py.
REAL_HASHER = staff._hasher


class Templates(BytecodeCache):
    """Each template is compiled once, not once for each test's application."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code:
            self._known[bucket.key, bucket.checksum] = bucket.code


class Route(Rule):
    """The function that builds a route's addresses is compiled once: it depends on these alone."""

    _known: dict[tuple[object, ...], Callable[..., tuple[str, str]]] = {}  # noqa: RUF012

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        defaults = tuple(sorted((self.defaults or {}).items()))
        key = (self.rule, tuple(self._trace), defaults, append_unknown)
        if key not in self._known:
            self._known[key] = super()._compile_builder(append_unknown)
        return self._known[key]


_profiles: dict[tuple[str, bytes], Profile] = {}


def load_once(name_or_path: str) -> Profile:
    """`load`, reading the same bytes once: what an office's file says is frozen."""
    path = file_of(name_or_path)
    key = (path.name, path.read_bytes() if path.is_file() else b"")
    if key not in _profiles:
        _profiles[key] = load(name_or_path)
    return _profiles[key]


def begin() -> None:
    """Called before any test of the process."""
    options: dict[str, Any] = {"bytecode_cache": Templates()}
    Flask.jinja_options = options
    Flask.url_rule_class = Route
    loket.load = load_once
    staff._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    # The same examples everywhere, and no example is wrong for being slow on a busy machine.
    settings.register_profile("suite", deadline=None, derandomize=True, database=None)
    settings.load_profile("suite")
    # A commit waits for the disk, which proves nothing here: no test cuts the power.
    if os.access(MEMORY, os.W_OK) and disk_usage(MEMORY).free > ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))
