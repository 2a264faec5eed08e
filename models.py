"""Tables, constraints, indexes and the database handle; no verbs.

Times are UTC epoch seconds. What is personal is locked by the vault (`*_ct`) or indexed by a
keyed hash (`*_ix`). Nothing here is SQL that only SQLite knows, but for the pragmas of `connect`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peewee import (
    AutoField,
    BlobField,
    BooleanField,
    Check,
    DatabaseProxy,
    ForeignKeyField,
    IntegerField,
    Model,
    OperationalError,
    SqliteDatabase,
    TextField,
)
from pysqlite3 import dbapi2 as sqlite

# SQLite before 3.51.3 can corrupt a WAL database when a checkpoint resets it under a writer.
SAFE_WAL = (3, 51, 3)

db = DatabaseProxy()
# The database is locked from outside, the disk is full: nothing was written, try again.
Busy = OperationalError
_write_lock = threading.RLock()


def connect(path: Path) -> SqliteDatabase:
    """Bind the tables to the SQLite file at `path`. FULL: what was acknowledged survives power."""
    wal = sqlite.sqlite_version_info >= SAFE_WAL
    database = SqliteDatabase(
        str(path),
        lock_type="IMMEDIATE",
        autoconnect=False,
        timeout=20,
        pragmas={
            "foreign_keys": 1,
            "journal_mode": "wal" if wal else "truncate",
            "synchronous": "full",
        },
    )
    db.initialize(database)
    return database


@contextmanager
def transaction() -> Iterator[None]:
    """One IMMEDIATE transaction; writers of this process wait in line instead of in SQLite."""
    with _write_lock, db.atomic():
        yield


class Table(Model):
    id = AutoField()

    class Meta:
        database = db
        legacy_table_names = False


class Counter(Table):
    """Gap-free numbers: one row a kind and period, incremented where the document is made."""

    kind = TextField()
    period = TextField()
    value = IntegerField(default=0, constraints=[Check("value >= 0")])

    class Meta:
        indexes = ((("kind", "period"), True),)


class User(Table):
    """A member of staff. `name` is what they sign in with."""

    name = TextField(unique=True)
    full_name = TextField()
    role = TextField()
    password = TextField()
    active = BooleanField(default=True)
    created_at = IntegerField()


class Session(Table):
    """A signed-in browser; the cookie holds the token whose SHA-256 is `token_hash`."""

    token_hash = TextField(unique=True)
    user = ForeignKeyField(User, backref="sessions", on_delete="CASCADE")
    user_id: int
    window = IntegerField(null=True)
    created_at = IntegerField()
    seen_at = IntegerField()


class Device(Table):
    """A kiosk or display: enrolled once with a code, known from then on by its cookie."""

    name = TextField(unique=True)
    kind = TextField(constraints=[Check("kind IN ('kiosk', 'display')")])
    enrol_hash = TextField(null=True)
    enrol_until = IntegerField(null=True)
    token_hash = TextField(null=True, unique=True)
    enrolled_at = IntegerField(null=True)
    seen_at = IntegerField(null=True)
    revoked_at = IntegerField(null=True)


class Visit(Table):
    """One citizen at one kiosk. The row is wiped when the visit ends; the number stays."""

    device = ForeignKeyField(Device, on_delete="RESTRICT")
    device_id: int
    token_hash = TextField(unique=True, null=True)
    state_ct = BlobField(null=True)
    attempts = IntegerField(default=0)
    seq = IntegerField(default=0)
    started_at = IntegerField()
    seen_at = IntegerField()
    ended_at = IntegerField(null=True)


class Attempt(Table):
    """One counted try, in a bucket such as a device or a name; old ones are swept."""

    bucket = TextField()
    at = IntegerField()

    class Meta:
        indexes = ((("bucket", "at"), False),)


class Application(Table):
    """A permohonan. `step`, `seq` and `due_at` repeat the last event, for reading.

    `due_at` is null while the clock is stopped; `left_s` then holds what was left of `budget_s`.
    """

    number = TextField(unique=True)
    service = TextField()
    purpose = TextField()
    priority = TextField(default="")
    visit = ForeignKeyField(Visit, null=True, unique=True, on_delete="RESTRICT")
    visit_id: int | None
    step = TextField()
    seq = IntegerField(constraints=[Check("seq >= 1")])
    assignee = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    assignee_id: int | None
    nik_ix = BlobField(index=True)
    given_ct = BlobField()
    check_ct = BlobField(null=True)
    in_snapshot = BooleanField()
    remark_ct = BlobField(null=True)
    created_at = IntegerField()
    budget_s = IntegerField()
    due_at = IntegerField(null=True)
    left_s = IntegerField(null=True)
    closed_at = IntegerField(null=True)
    outcome = TextField(null=True)

    class Meta:
        indexes = ((("closed_at", "step"), False),)


class Event(Table):
    """What happened to an application: append-only, and the truth that its row repeats."""

    application = ForeignKeyField(Application, backref="events", on_delete="RESTRICT")
    application_id: int
    seq = IntegerField(constraints=[Check("seq >= 1")])
    at = IntegerField()
    actor = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    actor_id: int | None
    role = TextField()
    action = TextField()
    from_step = TextField()
    to_step = TextField()
    due_at = IntegerField(null=True)
    left_s = IntegerField(null=True)
    order = TextField(default="")
    detail_ct = BlobField(null=True)

    class Meta:
        indexes = ((("application", "seq"), True),)


class Ticket(Table):
    """A number of the day's queue. `token` opens the status page and prints the letter."""

    day = TextField()
    series = TextField()
    number = IntegerField(constraints=[Check("number >= 1")])
    token = TextField(unique=True)
    application = ForeignKeyField(Application, unique=True, on_delete="RESTRICT")
    application_id: int
    priority = BooleanField(default=False)
    state = TextField(
        default="waiting",
        constraints=[Check("state IN ('waiting', 'called', 'no_show', 'done')")],
    )
    window = IntegerField(null=True)
    created_at = IntegerField()

    class Meta:
        indexes = (
            (("day", "series", "number"), True),
            (("day", "state"), False),
        )

    @property
    def label(self) -> str:
        """As people read it: A07."""
        return f"{self.series}{self.number:02d}"


class QueueEvent(Table):
    """What happened to a ticket: append-only. `called` and `recalled` reach the display."""

    ticket = ForeignKeyField(Ticket, backref="events", on_delete="RESTRICT")
    ticket_id: int
    what = TextField()
    window = IntegerField(null=True)
    actor = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    actor_id: int | None
    at = IntegerField()


class Letter(Table):
    """An SK; its id is the serial in the seal. `numbered` until it is signed and archived.

    `void`: its application ended before; the number stays taken, so that the sequence has no hole.
    """

    application = ForeignKeyField(Application, unique=True, on_delete="RESTRICT")
    application_id: int
    kind = TextField()
    year = IntegerField()
    no = IntegerField(constraints=[Check("no >= 1")])
    number = TextField(unique=True)
    state = TextField(constraints=[Check("state IN ('numbered', 'issued', 'void')")])
    claimed_at = IntegerField()
    signer = ForeignKeyField(User, on_delete="RESTRICT")
    signer_id: int
    facts_ct = BlobField()
    valid_until = TextField()
    issued_at = IntegerField(null=True)
    sha256 = TextField(null=True, unique=True)
    revoked_at = IntegerField(null=True)
    revoked_ct = BlobField(null=True)
    replaced_by = ForeignKeyField("self", null=True, on_delete="RESTRICT")
    replaced_by_id: int | None

    class Meta:
        indexes = ((("kind", "year", "no"), True),)


class PrintJob(Table):
    """One thing to print, once: committed first, printed after. `key` makes a repeat the same."""

    key = TextField(unique=True)
    kind = TextField(constraints=[Check("kind IN ('ticket', 'slip', 'letter')")])
    application = ForeignKeyField(Application, on_delete="RESTRICT")
    application_id: int
    place = TextField(constraints=[Check("place IN ('kiosk', 'counter')")])
    actor = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    actor_id: int | None
    state = TextField(
        default="queued",
        constraints=[Check("state IN ('queued', 'sending', 'printing', 'done', 'failed')")],
    )
    reference = TextField(default="")
    reason = TextField(default="")
    created_at = IntegerField()
    changed_at = IntegerField()

    class Meta:
        indexes = ((("state", "id"), False),)


class Audit(Table):
    """Who saw or changed what outside of an application's own events; append-only."""

    at = IntegerField()
    actor = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    actor_id: int | None
    what = TextField()
    subject = TextField(default="")


TABLES = (
    Counter, User, Session, Device, Visit, Attempt, Application, Event, Ticket, QueueEvent, Letter,
    PrintJob, Audit,
)  # fmt: skip


def create() -> None:
    """Make the tables that are missing."""
    db.create_tables(TABLES)
