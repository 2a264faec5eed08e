"""The register's snapshot: a file of its own, built aside and put in place whole.

Who is asked for by NIK and KK together, in one index: a wrong KK and an absent NIK take the
same time and look the same. Rows are locked by the vault; the file says only how many they are.
"""

import csv
import fcntl
import hashlib
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pysqlite3 as sqlite3

from kiosk.errors import Unusable
from kiosk.files import fsync_folder
from kiosk.register_columns import tidied
from kiosk.register_file import Headings, Table, open_table
from kiosk.register_row import REASONS, Person, content, no_person, read_person
from kiosk.vault import Vault
from kiosk.words import inert

__all__ = ["Person", "Register", "Report", "Snapshot", "import_file", "restore_previous"]

CURRENT: Final = "current.sqlite"
PREVIOUS: Final = "previous.sqlite"
_BUILDING: Final = "building.sqlite"
_BATCH: Final = 500
_SCHEMA: Final = "1"

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE person (
    row INTEGER PRIMARY KEY, digest BLOB NOT NULL, nik_ix BLOB NOT NULL, pair_ix BLOB NOT NULL,
    row_ct BLOB NOT NULL
);
CREATE TEMP TABLE reject (
    row INTEGER PRIMARY KEY, heading TEXT NOT NULL, reason TEXT NOT NULL, other INTEGER NOT NULL
);
"""
# A repeat that says the same is held out alone; one that differs takes all rows of its NIK along.
_HOLD_OUT_REPEATS = """
CREATE TEMP TABLE again AS
SELECT nik_ix, min(row) AS first, max(row) AS last, count(DISTINCT digest) > 1 AS differs
FROM person
WHERE nik_ix IN (SELECT nik_ix FROM person GROUP BY nik_ix HAVING count(*) > 1)
GROUP BY nik_ix;
INSERT INTO reject
SELECT row, :heading, iif(differs, 'conflict', 'duplicate'), iif(row = first, last, first)
FROM person JOIN again USING (nik_ix) WHERE differs OR row <> first;
DELETE FROM person WHERE row IN (SELECT row FROM reject);
"""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Report:
    """What an import did: rows met, people taken in, reason → rows held out."""

    rows: int
    accepted: int
    rejected: Mapping[str, int]
    as_of: date

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "rows": self.rows,
            "accepted": self.accepted,
            "rejected": dict(self.rejected),
            "as_of": self.as_of.isoformat(),
        }


@dataclass(frozen=True)
class Snapshot:
    """What is known of a snapshot. `imported_at`: UTC epoch seconds."""

    as_of: date
    rows: int
    accepted: int
    imported_at: int
    source: str


class Register:
    """Reads the snapshot in `folder`; a new one is seen at the next question.

    Threads may share it: each keeps a connection of its own.
    """

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._path = folder / CURRENT
        self._vault = vault
        self._mine = threading.local()

    def snapshot(self) -> Snapshot | None:
        """What is known of the snapshot; None before the first import."""
        self._connection()
        snapshot: Snapshot | None = self._mine.snapshot
        return snapshot

    def as_of(self) -> date | None:
        """The day whose data it holds."""
        snapshot = self.snapshot()
        return snapshot.as_of if snapshot else None

    def count(self) -> int:
        """How many people it holds."""
        snapshot = self.snapshot()
        return snapshot.accepted if snapshot else 0

    def find_pair(self, nik: str, kk: str) -> Person | None:
        """The person of this NIK on this KK. Unusable if the file is damaged or of other keys."""
        return self._find("pair_ix", _pair_index(self._vault, nik, kk))

    def find_nik(self, nik: str) -> Person | None:
        """The person of this NIK: for staff, never for the kiosk. Unusable as `find_pair`."""
        return self._find("nik_ix", self._vault.index("register.nik", nik))

    def close(self) -> None:
        """Close this thread's connection."""
        connection = getattr(self._mine, "connection", None)
        if connection:
            connection.close()
        self._mine.connection = self._mine.snapshot = self._mine.mark = None

    def _find(self, column: str, index: bytes) -> Person | None:
        connection = self._connection()
        if connection is None:
            return None
        sql = f"SELECT nik_ix, row_ct FROM person WHERE {column} = ?"  # noqa: S608 - our own name
        with _damage_told():
            row = connection.execute(sql, (index,)).fetchone()
        return row and Person.from_bytes(self._vault.unlock(_row_label(row[0]), row[1]))

    def _connection(self) -> Any:
        mark = _mark(self._path)
        if mark is None or mark != getattr(self._mine, "mark", None):
            self.close()
            if mark:
                with _damage_told():
                    self._open(mark)
        return self._mine.connection

    def _open(self, mark: tuple[int, int]) -> None:
        connection = _open_snapshot(self._path)
        try:
            self._mine.snapshot = _check_snapshot(connection, self._vault)
        except BaseException:
            connection.close()
            raise
        self._mine.connection, self._mine.mark = connection, mark


def import_file(
    path: Path,
    folder: Path,
    vault: Vault,
    as_of: date,
    now: int,
    progress: Progress | None = None,
    rejects: Path | None = None,
    *,
    source: str = "",
    own_headings: Headings | None = None,
) -> Report:
    """Make an export the register's snapshot; the former one is kept as the previous.

    `now` is in epoch seconds; `progress` is told (done, total) in bytes or rows; `rejects` gets
    a CSV of the rows held out, nothing personal in it. `source`: the file's name, if not
    `path`'s. Raises Unusable, with one line for the clerk, and the register stays as it was.
    """
    if as_of > datetime.fromtimestamp(now, UTC).date() + timedelta(days=1):
        raise Unusable("Tanggal data belum tiba. Tulis tanggal berkas itu diambil dari SIKS-NG.")
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    building = folder / _BUILDING
    with _alone(folder), open_table(path, own_headings) as table:
        try:
            building.unlink(missing_ok=True)
            os.close(os.open(building, os.O_CREAT | os.O_EXCL, 0o600))
            with _damage_told(), closing(sqlite3.connect(building)) as db:
                build = _Build(db, vault, table, now)
                report = build.run(as_of, progress, source or path.name)
                if rejects:
                    _write_rejects(db, rejects)
            _check_built(building, vault, report)
            _put_in_place(building, folder)
        finally:
            building.unlink(missing_ok=True)
    return report


def restore_previous(folder: Path) -> None:
    """Go back to the previous snapshot; the present one becomes the previous.

    Raises Unusable if there is none.
    """
    previous, aside = folder / PREVIOUS, folder / _BUILDING
    if not previous.exists():
        raise Unusable("Tidak ada register sebelumnya untuk dipulihkan.")
    with _alone(folder), _damage_told():
        with closing(_open_snapshot(previous)) as connection:
            _read_meta(connection)
        aside.unlink(missing_ok=True)
        os.link(previous, aside)
        _put_in_place(aside, folder)


# --- building -------------------------------------------------------------------------------


class _Build:
    """One import: rows are read, sorted into good and bad, and written a batch at a time."""

    def __init__(self, db: Any, vault: Vault, table: Table, now: int) -> None:
        self._db = db
        self._vault = vault
        self._table = table
        self._now = now
        self._digest_key = os.urandom(32)  # for this import only: no one else can compare rows
        self._year = datetime.fromtimestamp(now, UTC).year

    def run(self, as_of: date, progress: Progress | None, source: str) -> Report:
        # A crash leaves a file that is thrown away: no journal, one fsync at the end.
        self._db.executescript("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;" + _TABLES)
        rows = iter(self._table.rows)
        while batch := list(islice(rows, _BATCH)):
            self._write(batch)
            if progress:
                done = self._table.done()
                progress(done, max(done, self._table.total))
        report = self._finish(as_of)
        self._write_meta(report, source)
        self._db.commit()
        return report

    def _write(self, batch: Sequence[tuple[int, Sequence[object]]]) -> None:
        people, faults = [], []
        columns = self._table.columns
        for number, cells in batch:
            texts = tidied(cells)
            found = read_person(cells, texts, columns, self._year)
            if isinstance(found, Person):
                digest = self._digest(content(texts, columns))
                people.append((number, digest, *self._sealed(found)))
            elif not no_person(texts, columns):
                faults.append((number, found.column, found.reason))
        self._db.executemany("INSERT INTO person VALUES (?, ?, ?, ?, ?)", people)
        self._db.executemany("INSERT INTO reject VALUES (?, ?, ?, 0)", faults)

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), key=self._digest_key, digest_size=16).digest()

    def _sealed(self, person: Person) -> tuple[bytes, bytes, bytes]:
        index = self._vault.index("register.nik", person.nik)
        locked = self._vault.lock(_row_label(index), person.to_bytes())
        return index, _pair_index(self._vault, person.nik, person.kk), locked

    def _finish(self, as_of: date) -> Report:
        self._db.execute("CREATE INDEX person_nik ON person (nik_ix)")
        heading = self._table.columns.heading("nik")
        for statement in filter(str.strip, _HOLD_OUT_REPEATS.split(";")):
            self._db.execute(statement, {"heading": heading} if ":heading" in statement else {})
        self._db.execute("CREATE UNIQUE INDEX person_pair ON person (pair_ix)")
        (accepted,) = self._db.execute("SELECT count(*) FROM person").fetchone()
        if not accepted:
            raise Unusable("Tidak ada satu baris pun yang benar: periksa kolom NIK, KK, dan nama.")
        counts = Counter(
            dict(self._db.execute("SELECT reason, count(*) FROM reject GROUP BY reason"))
        )
        rejected = {reason: counts[reason] for reason in REASONS if counts[reason]}
        return Report(accepted + counts.total(), accepted, rejected, as_of)

    def _write_meta(self, report: Report, source: str) -> None:
        meta = {
            "schema": _SCHEMA,
            "keys": _key_mark(self._vault),
            "as_of": report.as_of.isoformat(),
            "rows": str(report.rows),
            "accepted": str(report.accepted),
            "imported_at": str(self._now),
            "source": source,
        }
        self._db.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())


def _write_rejects(db: Any, path: Path) -> None:
    rows = db.execute("SELECT row, heading, reason, other FROM reject ORDER BY row")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("baris", "kolom", "alasan", "penjelasan"))
        for row, heading, reason, other in rows:
            writer.writerow((row, inert(heading), reason, REASONS[reason].format(other=other)))


def _check_built(path: Path, vault: Vault, report: Report) -> None:
    """Read it as it will be read, before it takes the other's place."""
    with _damage_told(), closing(_open_snapshot(path)) as db:
        whole = db.execute("PRAGMA quick_check").fetchone()[0] == "ok"
        snapshot = _check_snapshot(db, vault)
        for index, locked in db.execute("SELECT nik_ix, row_ct FROM person LIMIT 3"):
            Person.from_bytes(vault.unlock(_row_label(index), locked))
    if not whole or snapshot.accepted != report.accepted:
        raise Unusable("Register baru tidak utuh dan tidak dipakai: ulangi impor.")


def _put_in_place(built: Path, folder: Path) -> None:
    """There is a current snapshot at every moment, also if the power fails here."""
    current, kept = folder / CURRENT, folder / f"{PREVIOUS}.new"
    with built.open("rb") as file:
        os.fsync(file.fileno())
    if current.exists():
        kept.unlink(missing_ok=True)
        os.link(current, kept)
        os.replace(kept, folder / PREVIOUS)
    os.replace(built, current)
    fsync_folder(folder)


# --- shared ---------------------------------------------------------------------------------


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One import at a time, across processes; a crash frees it."""
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Unusable("Impor lain sedang berjalan: tunggu sampai selesai.") from error
        yield


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        raise Unusable("Berkas register tidak dapat dibaca atau ditulis: periksa disk.") from error


def _open_snapshot(path: Path) -> Any:
    """Immutable: a snapshot is replaced, never changed, so no locks are taken on it."""
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)


def _check_snapshot(connection: Any, vault: Vault) -> Snapshot:
    """What a snapshot says of itself; Unusable if the vault's keys are not the ones it was
    built with: everyone would be "not found".
    """
    meta = _read_meta(connection)
    if meta["keys"] != _key_mark(vault):
        raise Unusable("Register dikunci dengan kunci lain: pulihkan berkas kunci atau impor lagi.")
    return Snapshot(
        as_of=date.fromisoformat(meta["as_of"]),
        rows=int(meta["rows"]),
        accepted=int(meta["accepted"]),
        imported_at=int(meta["imported_at"]),
        source=meta["source"],
    )


def _read_meta(connection: Any) -> dict[str, str]:
    meta = dict(connection.execute("SELECT name, value FROM meta"))
    if meta.get("schema") != _SCHEMA:
        raise Unusable("Register ini dari versi program yang lain: impor lagi ekspornya.")
    return meta


def _mark(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except FileNotFoundError:
        return None
    return stat.st_ino, stat.st_mtime_ns


def _pair_index(vault: Vault, nik: str, kk: str) -> bytes:
    return vault.index("register.pair", f"{nik}|{kk}")


def _key_mark(vault: Vault) -> str:
    return vault.index("register.keys", "").hex()


def _row_label(nik_index: bytes) -> str:
    """Binds a locked row to its place: two rows cannot be exchanged unnoticed."""
    return f"register.row {nik_index.hex()}"
