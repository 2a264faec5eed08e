"""Register imports from the admin's screen: one at a time, in a thread, told as they go.

What came of the last one is kept beside the register, so that a restart does not lose it. The
uploaded file is the office's whole register in the clear: it lies in the data folder (0600) only
while it is read, and never in the general temporary folder under a name.
"""

import json
import os
import secrets
import shutil
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import IO

from kiosk import register
from kiosk.errors import Invalid, LoketError, Stale, Unusable
from kiosk.loket import Loket
from kiosk.staff import Actor
from models import Audit, transaction

CUT_OFF = "Impor terputus. Register lama tetap dipakai; ulangi impor."
DISK = "Berkas register tidak dapat dibaca atau ditulis: periksa disk. Register lama tetap dipakai."
KEPT = " Register lama tetap dipakai."


@dataclass(frozen=True)
class Import:
    """The import that runs or the last that ran. `state`: running, done, failed.

    `at` is when it began (epoch seconds), `percent` how far it is, `reason` why it failed.
    """

    state: str
    source: str
    as_of: str
    at: int
    by: str
    percent: int = 0
    rows: int = 0
    accepted: int = 0
    rejected: Mapping[str, int] = field(default_factory=dict)
    reason: str = ""

    @property
    def version(self) -> str:
        """Changes when what is shown changes."""
        return f"{self.state}-{self.at}-{self.percent}"


class Imports:
    """The imports of one data folder. Threads may share it."""

    def __init__(self, loket: Loket) -> None:
        self._loket = loket
        self._folder = loket.home / "register"
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._last = self._recover()

    @property
    def rejects(self) -> Path:
        """The CSV of the rows that the last import held out; no file when none were."""
        return self._loket.home / "rejects" / "last-import.csv"

    def last(self) -> Import | None:
        """The import that runs, else the last one."""
        return self._last

    def start(self, upload: IO[bytes], source: str, as_of: str, by: Actor, now: int) -> Import:
        """Take the upload in and import it in the background.

        `as_of` is an ISO date not after today. Raises Invalid by field, Stale while one runs.
        """
        day = _day(as_of, self._loket.calendar.day_of(now))
        if not source:
            raise Invalid({"file": "Pilih berkas ekspor."})
        with self._starting:
            if self._thread and self._thread.is_alive():
                raise Stale("Impor lain sedang berjalan: tunggu sampai selesai.")
            path = self._take_in(upload)
            self._last = Import("running", source[-80:], day.isoformat(), now, by.full_name)
            self._thread = threading.Thread(target=self._run, args=(path, self._last, day, now))
            self._thread.start()
        _note(by, f"impor register per {day.isoformat()}", now)
        return self._last

    def wait(self, seconds: float) -> Import | None:
        """The last import, after at most `seconds` of waiting for it to end."""
        if self._thread:
            self._thread.join(seconds)
        return self._last

    def go_back(self, by: Actor, now: int) -> None:
        """The previous snapshot is the register again. Raises Unusable when there is none."""
        register.restore_previous(self._folder)
        self.rejects.unlink(missing_ok=True)
        self._keep(None)
        _note(by, "kembali ke register sebelumnya", now)

    def can_go_back(self) -> bool:
        return (self._folder / register.PREVIOUS).exists()

    def _take_in(self, upload: IO[bytes]) -> Path:
        path = self._folder / f"upload-{secrets.token_hex(8)}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                shutil.copyfileobj(upload, file, 2**20)
        except OSError:
            path.unlink(missing_ok=True)
            raise Unusable("Berkas tidak dapat disimpan: periksa disk.") from None
        return path

    def _run(self, path: Path, begun: Import, day: date, now: int) -> None:
        """In the thread. However it ends, the upload is gone and the outcome is told."""
        ended = replace(begun, state="failed", reason=CUT_OFF)
        try:
            ended = self._import(path, begun, day, now)
        except LoketError as error:
            kept = KEPT if (self._folder / register.CURRENT).exists() else ""
            ended = replace(begun, state="failed", reason=error.message + kept)
        except OSError:
            ended = replace(begun, state="failed", reason=DISK)
        finally:
            path.unlink(missing_ok=True)
            self._keep(ended)

    def _import(self, path: Path, begun: Import, day: date, now: int) -> Import:
        rejects = self._empty_rejects()
        try:
            report = register.import_file(
                path, self._folder, self._loket.vault, day, now, self._progress, rejects,
                source=begun.source,
            )  # fmt: skip
            rejects.replace(self.rejects)
        finally:
            rejects.unlink(missing_ok=True)
        return replace(
            begun,
            state="done",
            percent=100,
            rows=report.rows,
            accepted=report.accepted,
            rejected=dict(report.rejected),
        )

    def _progress(self, done: int, total: int) -> None:
        if self._last:
            self._last = replace(self._last, percent=min(99, done * 100 // max(1, total)))

    def _empty_rejects(self) -> Path:
        path = self.rejects.with_suffix(".part")
        path.unlink(missing_ok=True)
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))
        return path

    @property
    def _memory(self) -> Path:
        return self._folder / "last-import.json"

    def _keep(self, ended: Import | None) -> None:
        """In memory first: a full disk does not hide the outcome."""
        self._last = ended
        text = json.dumps(asdict(ended)) if ended else "null"
        with suppress(OSError):
            aside = self._memory.with_suffix(".part")
            aside.write_text(text)
            aside.replace(self._memory)

    def _recover(self) -> Import | None:
        """What the last import left; uploads of one that was cut off are removed."""
        cut_off = list(self._folder.glob("upload-*"))
        for path in cut_off:
            path.unlink(missing_ok=True)
        try:
            kept = json.loads(self._memory.read_text())
            last = Import(**kept) if kept else None
        except (OSError, ValueError, TypeError):
            last = None
        if cut_off:
            return Import("failed", "", "", last.at if last else 0, "", reason=CUT_OFF)
        return last


def _day(text: str, today: date) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise Invalid({"as_of": "Isi tanggal data, misalnya 1 November 2026."}) from None
    if day > today:
        raise Invalid({"as_of": "Tanggal data tidak mungkin sesudah hari ini."})
    return day


def _note(by: Actor, what: str, now: int) -> None:
    with transaction():
        Audit.create(at=now, actor=by.id, what=what)
