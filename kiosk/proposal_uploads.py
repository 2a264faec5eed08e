"""Filled templates taken in: read, checked and kept in a thread, told as it goes; one a person.

The uploaded file lies in the data folder (0600, under a random name) only while it is read. What
is given back to be mended is locked, and gone after a day. What came of the last one is kept, so
that a restart does not lose it: figures only, nobody's data.
"""

import json
import os
import secrets
import shutil
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import IO

from kiosk import proposal_reader, proposal_sheet, proposals
from kiosk.errors import Invalid, LoketError, NotFound, Stale, Unusable
from kiosk.loket import Loket
from kiosk.proposal_sheet import Sheet
from kiosk.staff import Actor
from models import Audit, Busy, db, transaction

FOLDER = "uploads"
KEPT_S = 24 * 3600
LOCK = "upload.returned"
CUT_OFF = "Unggahan terputus sebelum selesai. Ulangi: yang sudah masuk tidak dicatat dua kali."
DISK = "Berkas tidak dapat dibaca atau ditulis: periksa disk, lalu ulangi."
BUSY = "Sistem sedang sibuk. Coba lagi sebentar."
# How far the bar is when reading, keeping and giving back begin, in percent.
READ, KEEP, GIVE_BACK = 1, 50, 90


@dataclass(frozen=True)
class Upload:
    """The upload that runs or the last that ran. `state`: running, done, failed.

    `at` is when it began (epoch seconds), `percent` how far it is, `reason` why it failed. Of its
    `households` so many were `taken`, so many are `faulty`; `rows` are people. `can_fetch`: a file
    with the faults waits to be fetched, for a day.
    """

    state: str
    service: str
    village: str
    at: int
    percent: int = 0
    rows: int = 0
    households: int = 0
    taken: int = 0
    faulty: int = 0
    can_fetch: bool = False
    reason: str = ""

    @property
    def version(self) -> str:
        """Changes when what is shown changes."""
        return f"{self.state}-{self.at}-{self.percent}-{self.can_fetch}"


class Uploads:
    """The uploads of one data folder. Threads may share it."""

    def __init__(self, loket: Loket) -> None:
        self._loket = loket
        self._folder = loket.home / FOLDER
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._starting = threading.Lock()
        self._threads: dict[int, threading.Thread] = {}
        self._last: dict[int, Upload] = {}
        self._recover()

    def last(self, actor: Actor) -> Upload | None:
        """The actor's upload that runs, else their last one."""
        return self._last.get(actor.id)

    def start(
        self,
        upload: IO[bytes],
        service_id: str,
        village: str,
        take_good: bool,
        actor: Actor,
        now: int,
    ) -> Upload:
        """Take a filled template in and keep its households in the background.

        `village` "" takes the file's own. `take_good`: the right households are kept and the
        faulty ones given back; else all are kept or none. Raises NotFound for a service that is
        not the actor's, Invalid by field, Stale while their last one runs.
        """
        service = proposals.service_of(self._loket, service_id, actor)
        scope = proposals.scope_of(self._loket, actor)
        village = scope if scope is not None else village
        if not any(actor.role in route.roles for route in service.routes):
            raise NotFound("Layanan usulan ini tidak ada.")
        if village and village not in proposals.villages(self._loket):
            raise Invalid({"village": "Pilih desa atau kelurahan."})
        with self._starting:
            running = self._threads.get(actor.id)
            if running and running.is_alive():
                raise Stale("Unggahan Anda yang lain sedang berjalan: tunggu sampai selesai.")
            path = self._take_in(upload)
            begun = Upload("running", service.id, village, now)
            self._keep(actor.id, begun)
            self._back(actor.id).unlink(missing_ok=True)
            work = _Work(self, self._loket, path, begun, take_good, actor)
            thread = threading.Thread(target=work.run)
            self._threads[actor.id] = thread
            thread.start()
        return begun

    def wait(self, actor: Actor, seconds: float) -> Upload | None:
        """The actor's last upload, after at most `seconds` of waiting for it to end."""
        thread = self._threads.get(actor.id)
        if thread:
            thread.join(seconds)
        return self.last(actor)

    def returned(self, actor: Actor, now: int) -> bytes:
        """The file given back with its faults, as XLSX. Raises NotFound when there is none, or
        after a day. Noted in the audit: full numbers leave the house.
        """
        sweep(self._loket, now)
        try:
            locked = self._back(actor.id).read_bytes()
        except FileNotFoundError:
            raise NotFound("Berkas ini tidak ada lagi. Unggah sekali lagi.") from None
        with transaction():
            Audit.create(at=now, actor=actor.id, what="unduh usulan yang salah")
        return self._loket.vault.unlock(LOCK, locked)

    def told(self, actor: Actor, upload: Upload) -> None:
        """How far it is: in memory only."""
        self._last[actor.id] = upload

    def ended(self, actor: Actor, upload: Upload, back: bytes | None) -> None:
        """What came of it, with the file to give back."""
        if back:
            with suppress(OSError):
                _write(self._back(actor.id), self._loket.vault.lock(LOCK, back))
                os.utime(self._back(actor.id), (upload.at, upload.at))
                upload = replace(upload, can_fetch=True)
        self._keep(actor.id, upload)

    def _take_in(self, upload: IO[bytes]) -> Path:
        path = self._folder / f"upload-{secrets.token_hex(8)}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                shutil.copyfileobj(upload, file, 2**20)
        except OSError:
            path.unlink(missing_ok=True)
            raise Unusable(DISK) from None
        return path

    def _back(self, actor_id: int) -> Path:
        return self._folder / f"returned-{actor_id}"

    def _keep(self, actor_id: int, upload: Upload) -> None:
        """In memory first: a full disk does not hide the outcome."""
        self._last[actor_id] = upload
        with suppress(OSError):
            _write(self._folder / f"last-{actor_id}.json", json.dumps(asdict(upload)).encode())

    def _recover(self) -> None:
        """What the last ones left; of one that was cut off nothing was kept."""
        for path in self._folder.glob("upload-*"):
            path.unlink(missing_ok=True)
        for path in self._folder.glob("last-*.json"):
            with suppress(OSError, ValueError, TypeError):
                actor_id = int(path.stem.removeprefix("last-"))
                upload = Upload(**json.loads(path.read_text()))
                if upload.state == "running":
                    upload = replace(upload, state="failed", reason=CUT_OFF)
                self._last[actor_id] = replace(upload, can_fetch=self._back(actor_id).exists())


def sweep(loket: Loket, now: int) -> int:
    """Remove the files that were given back a day ago or longer; how many."""
    removed = 0
    for path in (loket.home / FOLDER).glob("returned-*"):
        with suppress(FileNotFoundError):
            if path.stat().st_mtime <= now - KEPT_S:
                path.unlink()
                removed += 1
    return removed


def _write(path: Path, data: bytes) -> None:
    aside = path.with_name(f"{path.name}.part")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    aside.replace(path)


class _Work:
    """One upload, in its thread."""

    def __init__(
        self,
        uploads: Uploads,
        loket: Loket,
        path: Path,
        begun: Upload,
        take_good: bool,
        actor: Actor,
    ) -> None:
        self._uploads = uploads
        self._loket = loket
        self._path = path
        self._now = begun
        self._take_good = take_good
        self._actor = actor

    def run(self) -> None:
        """However it ends, the upload is gone and the outcome is told."""
        ended, back = replace(self._now, state="failed", reason=CUT_OFF), None
        try:
            db.connect(reuse_if_open=True)
            back = self._take()
            ended = replace(self._now, state="done", percent=100)
        except LoketError as error:
            ended = replace(self._now, state="failed", reason=error.message)
        except Busy:
            ended = replace(self._now, state="failed", reason=BUSY)
        except OSError:
            ended = replace(self._now, state="failed", reason=DISK)
        finally:
            self._path.unlink(missing_ok=True)
            self._uploads.ended(self._actor, ended, back)
            self._loket.register.close()
            db.close()

    def _take(self) -> bytes | None:
        """Read, check and keep; the file to be given back."""
        service = proposals.service_of(self._loket, self._now.service, self._actor)
        with self._path.open("rb") as file:
            sheet = proposal_reader.read(
                service,
                file,
                self._path.stat().st_size,
                self._now.village,
                proposals.villages(self._loket),
                self._loket.calendar.day_of(self._now.at),
                self._bar(READ, KEEP),
            )
        taken = self._keep(sheet)
        faulty = [group for group in sheet.groups if not group.right]
        self._tell(
            rows=sheet.rows,
            village=sheet.village,
            households=len(sheet.groups),
            taken=taken,
            faulty=len(faulty),
            percent=GIVE_BACK,
        )
        if not faulty:
            return None
        return proposal_sheet.returned(self._loket, service, sheet, only_faulty=bool(taken))

    def _keep(self, sheet: Sheet) -> int:
        wrong = {n for n, group in enumerate(sheet.groups) if not group.right}
        made, found = proposals.take_right(
            self._loket,
            self._now.service,
            [group.household for group in sheet.groups],
            self._actor,
            self._now.at,
            whole=not self._take_good,
            besides=wrong,
            progress=self._bar(KEEP, GIVE_BACK),
        )
        for group, faults in zip(sheet.groups, found, strict=True):
            proposal_reader.tell(group, faults)
        return len(made)

    def _bar(self, start: int, end: int) -> proposal_reader.Progress:
        def step(done: int, total: int) -> None:
            self._tell(percent=start + (end - start) * min(done, total) // max(1, total))

        return step

    def _tell(self, **told: int | str) -> None:
        self._now = replace(self._now, **told)  # type: ignore[arg-type]
        self._uploads.told(self._actor, self._now)
