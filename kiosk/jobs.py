"""Work that may take longer than a request: done in a thread, told as it goes to who began it.

Only the telling is kept in memory: what was done stands in the tables, so a restart loses no work
that was said to be done.
"""

import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from kiosk.errors import Invalid, LoketError, NotFound
from kiosk.staff import Actor
from models import Busy, db

KEPT = 200
BROKEN = "Pekerjaan ini terputus karena gangguan. Yang belum selesai dapat diulangi."
BUSY = "Sistem sedang sibuk. Coba lagi sebentar."

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Job:
    """`state`: running, done, failed. `percent` how far it is, `result` what the work gave.

    A failed one says why: `reason`, and `faults` by field where it was asked wrongly. `about` is
    what its starter needs to show it again.
    """

    key: str
    actor_id: int
    about: Mapping[str, Any]
    state: str = "running"
    percent: int = 0
    result: Any = None
    reason: str = ""
    faults: Mapping[str, str] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """Changes when what is shown changes."""
        return f"{self.state}-{self.percent}"


class Jobs:
    """The jobs of one server. Threads may share it.

    `patience_s` is how long whoever starts one is kept waiting for its end: most are done by then.
    """

    def __init__(self, patience_s: float = 2.0) -> None:
        self.patience_s = patience_s
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()

    def start(
        self,
        work: Callable[[Progress], Any],
        actor: Actor,
        about: Mapping[str, Any],
        wait: float | None = None,
    ) -> Job:
        """Begin; the job after at most `wait` seconds of waiting for its end, else of patience."""
        job = Job(secrets.token_urlsafe(12), actor.id, about)
        with self._lock:
            for old in [one.key for one in self._jobs.values() if one.state != "running"][:-KEPT]:
                del self._jobs[old]
            self._jobs[job.key] = job
        thread = threading.Thread(target=self._run, args=(job.key, work))
        thread.start()
        thread.join(self.patience_s if wait is None else wait)
        return self._jobs[job.key]

    def find(self, key: str, actor: Actor) -> Job:
        """The job of this key. Raises NotFound for another's, and for one long gone."""
        job = self._jobs.get(key)
        if job is None or job.actor_id != actor.id:
            raise NotFound("Pekerjaan ini tidak ada lagi. Hasilnya terlihat pada daftar usulan.")
        return job

    def _run(self, key: str, work: Callable[[Progress], Any]) -> None:
        """In the thread. However it ends, that is told."""
        ended: dict[str, Any] = {"state": "failed", "reason": BROKEN}
        try:
            with db.connection_context():
                ended = {"state": "done", "percent": 100, "result": work(self._teller(key))}
        except Invalid as fault:
            ended = {"state": "failed", "reason": fault.message, "faults": fault.fields}
        except LoketError as error:
            ended = {"state": "failed", "reason": error.message}
        except Busy:
            ended = {"state": "failed", "reason": BUSY}
        finally:
            self._jobs[key] = replace(self._jobs[key], **ended)

    def _teller(self, key: str) -> Progress:
        def tell(done: int, total: int) -> None:
            percent = min(99, done * 100 // max(1, total))
            self._jobs[key] = replace(self._jobs[key], percent=percent)

        return tell
