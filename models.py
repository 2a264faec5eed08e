"""Tables, constraints, indexes and the database handle; no verbs.

Times are UTC epoch seconds. What is personal is locked by the vault (`*_ct`) or indexed by a
keyed hash (`*_ix`). Nothing here is SQL that only SQLite knows, but for the pragmas of `connect`.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from peewee import (
    SQL,
    AutoField,
    BlobField,
    BooleanField,
    Check,
    DatabaseProxy,
    DeferredForeignKey,
    ForeignKeyField,
    IntegerField,
    Model,
    OperationalError,
    SqliteDatabase,
    TextField,
)
from playhouse import migrations
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


class OfficeVersion(Table):
    """What each office file said that an application was ever started with, as JSON."""

    version = TextField(unique=True)
    text = TextField()
    used_at = IntegerField()


class User(Table):
    """A member of staff. `name` is what they sign in with.

    `village` is "Kecamatan/Desa" for those who work for one desa, else "". The NIK is that of an
    official who signs through a PSrE, null for everybody else.
    """

    name = TextField(unique=True)
    full_name = TextField()
    role = TextField()
    village = TextField(default="")
    nik_ix = BlobField(null=True)
    nik_ct = BlobField(null=True)
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


class Mandate(Table):
    """Who signs for a role, from day to day (ISO texts, both included): what the office's file does
    not know beforehand, such as a Plh. for a week. `titles` is a JSON list. `ended_at`: withdrawn.
    """

    role = TextField()
    user = ForeignKeyField(User, on_delete="RESTRICT")
    user_id: int
    capacity = TextField(
        constraints=[Check("capacity IN ('definitive', 'an', 'ub', 'plh', 'plt')")]
    )
    titles = TextField()
    name = TextField()
    rank = TextField()
    nip = TextField()
    order = TextField(default="")
    since = TextField()
    until = TextField(null=True)
    created_at = IntegerField()
    created_by = ForeignKeyField(User, on_delete="RESTRICT")
    created_by_id: int
    ended_at = IntegerField(null=True)


class Wording(Table):
    """A letter's wording as the office published it, above that of its file; the newest counts.

    `letter` is the letter's kind, `text` the parts as JSON; "" goes back to the file's own.
    """

    service = TextField()
    letter = TextField()
    seq = IntegerField(constraints=[Check("seq >= 1")])
    text = TextField()
    note = TextField(default="")
    published_at = IntegerField()
    published_by = ForeignKeyField(User, on_delete="RESTRICT")

    class Meta:
        indexes = ((("service", "letter", "seq"), True),)


class Attempt(Table):
    """One counted try, in a bucket such as a device or a name; old ones are swept."""

    bucket = TextField()
    at = IntegerField()

    class Meta:
        indexes = ((("bucket", "at"), False),)


class Application(Table):
    """A permohonan. `step`, `seq` and `due_at` repeat the last event, for reading.

    `due_at` is null while the clock is stopped; `left_s` then holds what was left of `budget_s`.
    Both are null before the clock has started: the promise runs from the complete file. `version`
    is that of the office's file it was started with; "" stands for the present one. `key` is that
    of the counter's form: sent twice, it is one application. `replaces` is the letter in whose
    place the one of this application will come.
    """

    number = TextField(unique=True)
    key = TextField(null=True, unique=True)
    replaces = DeferredForeignKey("Letter", null=True, on_delete="RESTRICT")
    replaces_id: int | None
    version = TextField(default="")
    channel = TextField(default="kiosk")
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
    budget_s = IntegerField(default=0)
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

    One to be signed by hand is drawn up before: `drawn_at` says since when its sheet is the one.
    `void`: its application ended before; the number stays taken, so that the sequence has no hole.
    `signing` is how it is signed, `reference` the PSrE's id of a document it signed, `certificate`
    whose and by whom that one's is, `seal_key` the id of the key in its seal. `wording` is the
    published one it was written in, null for the file's. A letter that was revoked, suspended or
    replaced keeps its bytes.
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
    signing = TextField(
        default="office_key", constraints=[Check("signing IN ('office_key', 'bsre', 'wet_ink')")]
    )
    reference = TextField(default="")
    certificate = TextField(default="")
    seal_key = IntegerField(default=1)
    wording = ForeignKeyField(Wording, null=True, on_delete="RESTRICT")
    wording_id: int | None
    drawn_at = IntegerField(null=True)
    facts_ct = BlobField()
    valid_until = TextField()
    issued_at = IntegerField(null=True)
    sha256 = TextField(null=True, unique=True)
    revoked_at = IntegerField(null=True)
    revoked_ct = BlobField(null=True)
    suspended_at = IntegerField(null=True)
    suspended_ct = BlobField(null=True)
    replaced_by = ForeignKeyField("self", null=True, on_delete="RESTRICT")
    replaced_by_id: int | None

    class Meta:
        indexes = ((("kind", "year", "no"), True),)


class VoidNumber(Table):
    """A number that an unissued letter gave up for one of another kind or year; it stays taken."""

    kind = TextField()
    year = IntegerField()
    no = IntegerField(constraints=[Check("no >= 1")])
    number = TextField(unique=True)
    application = ForeignKeyField(Application, on_delete="RESTRICT")
    application_id: int
    at = IntegerField()

    class Meta:
        indexes = ((("kind", "year", "no"), True),)


# What is not plainly valid: the status list of a million letters reads no more, from its index.
NOT_PLAIN = SQL("state <> 'issued' OR revoked_at IS NOT NULL OR suspended_at IS NOT NULL")
Letter.add_index(
    Letter.index(
        Letter.state,
        Letter.revoked_at,
        Letter.suspended_at,
        Letter.replaced_by,
        where=NOT_PLAIN,
        name="letter_not_plain",
    )
)


class Document(Table):
    """A scan or photo that belongs to a case: encrypted in a file named by its id.

    `visit` holds what a kiosk photographed before its application was submitted. `sha256` is that
    of the kept bytes. `key` makes a repeated upload the same. A removed one's file is gone.
    """

    application = ForeignKeyField(Application, null=True, backref="documents", on_delete="RESTRICT")
    application_id: int | None
    visit = ForeignKeyField(Visit, null=True, on_delete="RESTRICT")
    visit_id: int | None
    bundle = DeferredForeignKey("Bundle", null=True, on_delete="RESTRICT")
    bundle_id: int | None
    key = TextField(unique=True)
    kind = TextField()
    media = TextField(
        constraints=[Check("media IN ('image/jpeg', 'image/png', 'application/pdf')")]
    )
    pages = IntegerField(default=1)
    size = IntegerField()
    sha256 = TextField()
    source = TextField(constraints=[Check("source IN ('kiosk', 'counter', 'phone', 'field')")])
    actor = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    actor_id: int | None
    created_at = IntegerField()
    removed_at = IntegerField(null=True)

    class Meta:
        indexes = ((("application", "kind"), False),)


class Period(Table):
    """A period of proposals: days as ISO texts. `code` is its month, 2026-11."""

    service = TextField()
    code = TextField()
    opens = TextField()
    cutoff = TextField()
    pull = TextField()
    closes = TextField()

    class Meta:
        indexes = ((("service", "code"), True),)


class Proposal(Table):
    """What an application is besides, when it proposes a household: village, period, programme.

    `village` is "Kecamatan/Desa". `family_size` is the number of people on its KK, as stated.
    """

    application = ForeignKeyField(Application, unique=True, on_delete="RESTRICT")
    application_id: int
    village = TextField()
    period = ForeignKeyField(Period, on_delete="RESTRICT")
    period_id: int
    route = TextField()
    kk_ix = BlobField(index=True)
    family_size = IntegerField(constraints=[Check("family_size >= 1")])
    extra_ct = BlobField(null=True)
    verdict_ct = BlobField(null=True)

    class Meta:
        indexes = ((("period", "village"), False),)


class Member(Table):
    """A person of a proposed household; position 1 is its head.

    `padan` and `padan_address` are Dukcapil's percentages; `padan_source` says who answered.
    """

    proposal = ForeignKeyField(Proposal, backref="members", on_delete="CASCADE")
    proposal_id: int
    position = IntegerField(constraints=[Check("position >= 1")])
    nik_ix = BlobField(index=True)
    person_ct = BlobField()
    padan = IntegerField(null=True)
    padan_address = IntegerField(null=True)
    padan_source = TextField(default="")
    padan_at = IntegerField(null=True)

    class Meta:
        indexes = ((("proposal", "position"), True),)


class Bundle(Table):
    """A sheet over many proposals: Berita Acara, surat pengesahan. Frozen by its hashes.

    `making`: its number is taken, its pages are on their way since `frozen_at`. `facts_ct` holds
    what was asked; `pdf_sha256` is that of the sheet as generated, `annex_sha256` that of its annex
    alone. `void`: drawn up again, its number stays taken.
    """

    service = TextField()
    kind = TextField()
    version = TextField()
    village = TextField(default="")
    period = ForeignKeyField(Period, on_delete="RESTRICT")
    period_id: int
    seq = IntegerField(default=1)
    state = TextField(constraints=[Check("state IN ('making', 'frozen', 'signed', 'void')")])
    number = TextField(unique=True)
    facts_ct = BlobField()
    annex_sha256 = TextField(default="")
    pdf_sha256 = TextField(default="")
    signed_how = TextField(default="")
    frozen_at = IntegerField()
    frozen_by = ForeignKeyField(User, on_delete="RESTRICT")
    frozen_by_id: int
    signed_at = IntegerField(null=True)


class BundleItem(Table):
    """A proposal on a sheet, in the sheet's order."""

    bundle = ForeignKeyField(Bundle, backref="items", on_delete="RESTRICT")
    bundle_id: int
    application = ForeignKeyField(Application, on_delete="RESTRICT")
    application_id: int
    position = IntegerField()

    class Meta:
        indexes = ((("bundle", "position"), True), (("bundle", "application"), True))


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


class Institution(Table):
    """A school or hospital that verifies many letters at once, known by the hash of its key.

    `codes` is how many it asked for in all, `day_codes` since `day_at`.
    """

    name = TextField(unique=True)
    key_hash = TextField(unique=True)
    created_at = IntegerField()
    created_by = ForeignKeyField(User, on_delete="RESTRICT")
    created_by_id: int
    used_at = IntegerField(null=True)
    codes = IntegerField(default=0)
    day_at = IntegerField(default=0)
    day_codes = IntegerField(default=0)
    revoked_at = IntegerField(null=True)


class TrustedList(Table):
    """A coordinating office whose signed list is believed; `key` is its key file (JSON)."""

    address = TextField(unique=True)
    name = TextField()
    key = TextField()
    fingerprint = TextField()
    issued_at = IntegerField()
    added_at = IntegerField()
    refreshed_at = IntegerField()


class TrustedOffice(Table):
    """Another office whose letters can be checked here.

    `keys` is its published key file (JSON), `status` its newest status list (a JWT) of `status_at`.
    `via`: it is believed because that list names it.
    """

    address = TextField(unique=True)
    code = TextField()
    name = TextField()
    keys = TextField()
    fingerprint = TextField()
    via = ForeignKeyField(TrustedList, null=True, on_delete="CASCADE")
    via_id: int | None
    status = TextField(null=True)
    status_at = IntegerField(null=True)
    added_at = IntegerField()
    refreshed_at = IntegerField()


class Audit(Table):
    """Who saw or changed what outside of an application's own events; append-only."""

    at = IntegerField()
    actor = ForeignKeyField(User, null=True, on_delete="RESTRICT")
    actor_id: int | None
    what = TextField()
    subject = TextField(default="")

    class Meta:
        indexes = ((("what", "subject"), False),)


TABLES = (
    Counter, OfficeVersion, User, Mandate, Wording, Session, Device, Visit, Attempt, Application,
    Event, Ticket, QueueEvent, Letter, VoidNumber, Period, Proposal, Member, Bundle, BundleItem,
    Document, PrintJob, Institution, TrustedList, TrustedOffice, Audit,
)  # fmt: skip
MIGRATIONS = Path(__file__).parent / "kiosk" / "migrations"


def create() -> None:
    """Make the tables that are missing; those of an older version are brought up to this one."""
    runner = migrations.Runner(db.obj, str(MIGRATIONS))
    if "application" in db.get_tables():
        runner.up()
    else:
        runner.fake()
    db.create_tables(TABLES)
