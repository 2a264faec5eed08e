"""Letters say how they were signed, in whose wording, and can be suspended and replaced."""

from typing import Any

from peewee import AutoField, BlobField, Check, ForeignKeyField, IntegerField, Model, TextField

WAYS = "signing IN ('office_key', 'bsre', 'wet_ink')"


class Wording(Model):
    """As much of it as a column that refers to it needs; the table is made after this."""

    id = AutoField()

    class Meta:
        table_name = "wording"


def up(migrator: Any, db: Any) -> None:
    """Letters that are there: by hand where a sheet was drawn up, else with the office's key."""
    wording = ForeignKeyField(Wording, field=Wording.id, null=True, on_delete="RESTRICT")
    migrator.migrate(
        migrator.add_column("user", "nik_ix", BlobField(null=True)),
        migrator.add_column("user", "nik_ct", BlobField(null=True)),
        migrator.add_column("application", "replaces_id", IntegerField(null=True)),
        migrator.add_column(
            "letter", "signing", TextField(default="office_key", constraints=[Check(WAYS)])
        ),
        migrator.add_column("letter", "reference", TextField(default="")),
        migrator.add_column("letter", "certificate", TextField(default="")),
        migrator.add_column("letter", "seal_key", IntegerField(default=1)),
        migrator.add_column("letter", "wording_id", wording),
        migrator.add_column("letter", "suspended_at", IntegerField(null=True)),
        migrator.add_column("letter", "suspended_ct", BlobField(null=True)),
    )
    db.execute_sql("UPDATE letter SET signing = 'wet_ink' WHERE drawn_at IS NOT NULL")
