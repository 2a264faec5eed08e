"""Applications know the version of the office's file they run on, and how they came in."""

from typing import Any

from peewee import IntegerField, TextField


def up(migrator: Any, db: Any) -> None:
    """Those that are there run on the file of now: which one they began with was not kept."""
    migrator.migrate(
        migrator.add_column("application", "version", TextField(default="")),
        migrator.add_column("application", "channel", TextField(default="kiosk")),
        migrator.add_column("user", "village", TextField(default="")),
        migrator.add_column("letter", "drawn_at", IntegerField(null=True)),
    )
