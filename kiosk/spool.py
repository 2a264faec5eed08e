"""The print queue: committed first, printed after. A job reaches its printer once, never twice."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from peewee import JOIN

from kiosk import archive, letter_status, slips
from kiosk.errors import LoketError, NotFound, Unusable
from kiosk.loket import Loket
from kiosk.printers import Mime, Printer, PrinterDown, Status, printer_from
from kiosk.settings import Settings
from kiosk.slip import draw, png
from kiosk.staff import Actor
from models import Application, Busy, PrintJob, Ticket, User, db, transaction

KEEP_TRYING_S = 15 * 60
Handed = Callable[[Loket, int, int], None]
NOT_MADE = "Cetakan ini tidak dapat dibuat. Hubungi admin."
PERHAPS_PRINTED = "Terputus saat dikirim ke printer. Periksa printer sebelum mencetak ulang."
# A lane is a printer's: a dead letter printer must not hold up the tickets.
LANES = (("ticket", "slip"), ("letter",))
EVERY_KIND = tuple(kind for lane in LANES for kind in lane)
_wakes = tuple(threading.Event() for _ in LANES)
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Printers:
    """The printer of tickets and slips, and that of letters."""

    tickets: Printer
    letters: Printer

    def of(self, kind: str) -> Printer:
        return self.letters if kind == "letter" else self.tickets

    def ready(self) -> dict[str, Status]:
        """How each printer is; asked of the devices themselves."""
        return {"tickets": self.tickets.ready(), "letters": self.letters.ready()}


def printers(settings: Settings) -> Printers:
    """The printers that the settings name. Raises Unusable."""
    base: Path = settings.home
    return Printers(
        _printer("LOKET15_TICKET_PRINTER", settings.ticket_printer, base),
        _printer("LOKET15_LETTER_PRINTER", settings.letter_printer, base),
    )


def _printer(variable: str, url: str, base: Path) -> Printer:
    try:
        return printer_from(url, base)
    except (Unusable, ValueError):
        raise Unusable(
            f"{variable}: {url!r}; expected file:folder, ipp://host/… or escpos://host"
        ) from None


def add(
    kind: str, application: Application, place: str, key: str, now: int, actor: Actor | None = None
) -> int:
    """A job, inside the transaction of what it prints; the same `key` is the same job."""
    job = PrintJob.get_or_none(PrintJob.key == key) or PrintJob.create(
        key=key,
        kind=kind,
        application=application,
        place=place,
        actor=actor and actor.id,
        created_at=now,
        changed_at=now,
    )
    return int(job.id)


def count(kind: str, application_id: int, place: str, *, failed: bool = False) -> int:
    """How often this was printed at this place; a failed job counts only when asked for."""
    jobs = PrintJob.select().where(
        (PrintJob.kind == kind)
        & (PrintJob.application == application_id)
        & (PrintJob.place == place)
    )
    return int((jobs if failed else jobs.where(PrintJob.state != "failed")).count())


def prints(kind: str, application_id: int) -> list[PrintJob]:
    """Each time that this was printed or is about to be, oldest first, with who asked for it."""
    jobs = PrintJob.select(PrintJob, User).join(User, JOIN.LEFT_OUTER)
    mine = (PrintJob.kind == kind) & (PrintJob.application == application_id)
    return list(jobs.where(mine & (PrintJob.state != "failed")).order_by(PrintJob.id))


def reprint_ticket(application_id: int, now: int, actor: Actor | None = None) -> int:
    """Print the ticket once more; its number stays. A second press within 10 s is the same job."""
    ticket = Ticket.get(Ticket.application == application_id)
    place = "counter" if actor else "kiosk"
    with transaction():
        job = add(
            "ticket", ticket.application, place, f"ticket:{ticket.id}:{now // 10}", now, actor
        )
    wake()
    return job


def job_state(job_id: int, application_id: int | None = None) -> tuple[str, str]:
    """(queued | sending | printing | done | failed, reason). Raises NotFound; so for a job that is
    another application's than the one named.
    """
    job = PrintJob.get_or_none(PrintJob.id == job_id)
    if job is None or application_id not in (None, job.application_id):
        raise NotFound("Cetakan ini tidak ada.")
    return job.state, job.reason


def waiting() -> int:
    """How many jobs have not reached their printer."""
    return int(PrintJob.select().where(PrintJob.state == "queued").count())


def wake() -> None:
    """Tell the printing threads that there is work."""
    for event in _wakes:
        event.set()


def start(loket: Loket, devices: Printers, clock: Callable[[], float], handed: Handed) -> None:
    """The printing threads of the server, one a lane."""
    for kinds, event in zip(LANES, _wakes, strict=True):
        work = (loket, devices, clock, handed, kinds, event)
        threading.Thread(target=_work, args=work, daemon=True).start()


def _work(
    loket: Loket,
    devices: Printers,
    clock: Callable[[], float],
    handed: Handed,
    kinds: tuple[str, ...],
    event: threading.Event,
) -> None:
    db.connect(reuse_if_open=True)
    while True:
        event.wait(timeout=2)
        event.clear()
        try:
            work_once(loket, devices, int(clock()), handed, kinds)
        except Busy:
            continue


def work_once(
    loket: Loket,
    devices: Printers,
    now: int,
    handed: Handed | None = None,
    kinds: tuple[str, ...] = EVERY_KIND,
) -> int:
    """Send what waits and follow what prints; how many jobs moved.

    A job whose printer is gone waits and is tried again for a quarter of an hour, then fails: what
    comes out hours later belongs to nobody who is still there. `handed` is told of a letter that
    came out at the kiosk: (loket, application id, now).
    """
    moved = 0
    pending = (PrintJob.state << ("queued", "printing")) & (PrintJob.kind << kinds)
    for job in list(PrintJob.select().where(pending).order_by(PrintJob.id)):
        before = (job.state, job.reason)
        _attempt(loket, job, devices.of(job.kind), now)
        if handed and job.state == "done" and (job.kind, job.place) == ("letter", "kiosk"):
            _tell(handed, loket, job, now)
        moved += (job.state, job.reason) != before
    return moved


def _attempt(loket: Loket, job: PrintJob, printer: Printer, now: int) -> None:
    """One step of a job. Whatever goes wrong with one must not end the printing of the others."""
    try:
        if job.state == "queued":
            _send(loket, job, printer, now)
        else:
            _follow(job, printer, now)
    except Busy:
        raise
    except Exception as fault:  # A printer may answer anything; only this job pays for it.
        _log.error("print job %s failed: %s", job.id, type(fault).__name__)
        _move(job, "failed", now, NOT_MADE if job.state == "queued" else PERHAPS_PRINTED)


def _tell(handed: Handed, loket: Loket, job: PrintJob, now: int) -> None:
    """Say that the letter came out. It did, whatever becomes of the case: that is for the desk."""
    try:
        handed(loket, job.application_id, now)
    except Exception as fault:  # The case stays at the front office, which can hand it over.
        _log.error("print job %s not handed over: %s", job.id, type(fault).__name__)


def recover(now: int) -> int:
    """At start: a job that was being handed over when the power went may be on paper already.

    It is not sent again; somebody has to look. How many there were.
    """
    with transaction():
        return int(
            PrintJob.update(
                state="failed",
                reason=PERHAPS_PRINTED,
                changed_at=now,
            )
            .where(PrintJob.state == "sending")
            .execute()
        )


def _send(loket: Loket, job: PrintJob, printer: Printer, now: int) -> None:
    try:
        document, mime = _document(loket, job, now)
    except LoketError as error:
        _claim(job, "failed", now, error.message)
        return
    if not _claim(job, "sending", now):
        return
    try:
        reference = printer.submit(document, mime, f"{job.kind}-{job.id}")
    except PrinterDown as down:
        given_up = _nobody_waits(job, now) or down.unsure
        _move(job, "failed" if given_up else "queued", now, down.message)
    except LoketError as error:
        _move(job, "failed", now, error.message)
    else:
        job.reference = reference
        _move(job, "printing", now)
        _follow(job, printer, now)


def _nobody_waits(job: PrintJob, now: int) -> bool:
    """Whether to give a job up whose printer is gone.

    A letter at the kiosk at once: the citizen is sent to the counter, and a sheet with their NIK
    must not drop out later before strangers.
    """
    if (job.kind, job.place) == ("letter", "kiosk"):
        return True
    return now - job.created_at > KEEP_TRYING_S


def _claim(job: PrintJob, state: str, now: int, reason: str = "") -> bool:
    """Move a queued job on; whether it was ours to move: of two who see it queued, one."""
    queued = (PrintJob.id == job.id) & (PrintJob.state == "queued")
    with transaction():
        ours = PrintJob.update(state=state, reason=reason, changed_at=now).where(queued).execute()
    if ours:
        job.state, job.reason, job.changed_at = state, reason, now
    return bool(ours)


def _follow(job: PrintJob, printer: Printer, now: int) -> None:
    try:
        state = printer.state(job.reference)
    except PrinterDown as down:
        if now - job.changed_at > KEEP_TRYING_S:
            _move(job, "failed", now, down.message)
        return
    if state.state in ("done", "failed"):
        _move(job, state.state, now, state.reason)
    elif state.reason != job.reason:
        _move(job, "printing", now, state.reason)


def _move(job: PrintJob, state: str, now: int, reason: str = "") -> None:
    job.state, job.reason, job.changed_at = state, reason, now
    with transaction():
        job.save(only=[PrintJob.state, PrintJob.reason, PrintJob.changed_at, PrintJob.reference])


def _document(loket: Loket, job: PrintJob, now: int) -> tuple[bytes, Mime]:
    if job.kind == "letter":
        letter_status.require_still_printable(job.application_id)
        return archive.pdf_of(loket, job.application_id), "application/pdf"
    face = slips.ticket if job.kind == "ticket" else slips.not_found
    return png(draw(face(loket, job.application, now))), "image/png"
