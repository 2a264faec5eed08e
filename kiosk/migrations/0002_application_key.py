"""Applications that a form brought in are known by its key: sent twice, they are one."""

from typing import Any

from peewee import TextField


def up(migrator: Any, db: Any) -> None:
    """Those that are there came without one."""
    migrator.migrate(migrator.add_column("application", "key", TextField(null=True, unique=True)))
