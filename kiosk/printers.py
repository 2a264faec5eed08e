"""The office's printers: a folder, a network printer (IPP) and a ticket printer (ESC/POS).

A printer takes a document and says how it fares; which job is tried again, and when, is decided
by whoever keeps the jobs. Nothing here keeps a document after it has been handed on, except the
folder, whose purpose that is.
"""

import fcntl
import os
import re
import socket
import ssl
import struct
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import ClassVar, Literal, Protocol
from urllib.parse import urlsplit

from PIL import Image, UnidentifiedImageError

from kiosk import ipp
from kiosk.errors import LoketError, Unusable
from kiosk.slip import DPI, escpos

PDF: Literal["application/pdf"] = "application/pdf"
PNG: Literal["image/png"] = "image/png"
Mime = Literal["application/pdf", "image/png"]
State = Literal["queued", "printing", "done", "failed"]

A4 = "iso_a4_210x297mm"
SUFFIX: dict[Mime, str] = {PDF: ".pdf", PNG: ".png"}

CONNECT = 5.0  # seconds until a printer that does not pick up counts as gone
WAKE = 20.0  # seconds: a laser printer asleep takes a job only when it is warm
STATUS_WAIT = 0.5

GONE = "Printer tidak terhubung"
NO_PAPER = "Kertas habis"
REFUSED = "Printer menolak permintaan"
GARBLED = "Jawaban printer tidak dapat dibaca"
STRANGER = "Sertifikat printer tidak dikenal"
CUT_OFF = "Sambungan ke printer terputus"
FORGOTTEN = "Printer tidak lagi mengenal cetakan ini"
NO_FOLDER = "Folder cetak tidak dapat ditulis"
UNREADABLE = "Tiket tidak dapat dibaca sebagai gambar"

HINDRANCES = {
    "media-empty": NO_PAPER,
    "media-needed": NO_PAPER,
    "media-jam": "Kertas macet",
    "cover-open": "Tutup printer terbuka",
    "door-open": "Tutup printer terbuka",
    "input-tray-missing": "Baki kertas tidak terpasang",
    "toner-empty": "Tinta atau toner habis",
    "marker-supply-empty": "Tinta atau toner habis",
    "output-area-full": "Baki keluaran penuh",
    "output-tray-missing": "Baki keluaran tidak terpasang",
    "paused": "Printer dijeda",
    "moving-to-paused": "Printer dijeda",
    "shutdown": GONE,
    "timed-out": GONE,
}
# one empty tray of two is no hindrance, hence not media-empty
STOPS_AS_WARNING = {"media-needed", "media-jam", "cover-open", "door-open"}
REFUSALS = {
    0x040A: "Printer tidak dapat mencetak jenis berkas ini",
    0x0506: "Printer tidak menerima cetakan",
    0x0507: "Printer sedang sibuk",
}
JOB_STATES: dict[int, State] = {
    3: "queued",
    4: "queued",
    5: "printing",
    6: "printing",
    7: "failed",
    8: "failed",
    9: "done",
}
STOPPED, NOT_FOUND = 5, 0x0406


class PrinterDown(LoketError):
    """The printer did not take the document; `unsure`: paper may have come out all the same."""

    def __init__(self, reason: str, *, unsure: bool = False) -> None:
        super().__init__(reason)
        self.unsure = unsure


@dataclass(frozen=True)
class JobState:
    """How a job fares; `unsure` as in `PrinterDown`, so that nothing is printed twice blindly."""

    state: State
    reason: str = ""
    unsure: bool = False


@dataclass(frozen=True)
class Status:
    """Whether the printer would print now and, if not, why."""

    ok: bool
    reason: str = ""


class Printer(Protocol):
    """What every printer can do."""

    kind: ClassVar[str]

    def takes(self, mime: str) -> bool:
        """Whether documents of this type can be printed here."""

    def submit(self, document: bytes, mime: Mime, name: str) -> str:
        """Hand the document over and return the job's reference.

        `name` is seen on the printer and in its history: it holds nothing personal.
        Raises `PrinterDown`, and `Unusable` for a document that is not what `mime` says.
        """

    def state(self, ref: str) -> JobState:
        """How the job fares. Raises `PrinterDown` when the printer cannot be asked."""

    def ready(self) -> Status:
        """Whether the printer would print now; never raises for a printer that is gone."""


def printer_from(url: str, base: Path) -> Printer:
    """The printer that `url` names; `base` is the data folder.

    `file:prints` (a folder below `base`), `ipp://host/ipp/print`, `ipps://host/ipp/print#<sha256
    of its certificate>` or `escpos://host:9100`. Raises `Unusable` for anything else.
    """
    parts = urlsplit(url)
    if parts.scheme == "file" and _below(base, parts.path):
        return FilePrinter(base / parts.path)
    if parts.scheme in ("ipp", "ipps") and parts.hostname:
        return IppPrinter(url)
    if parts.scheme == "escpos" and parts.hostname:
        return EscPosPrinter(parts.hostname, parts.port or 9100)
    raise Unusable("Alamat printer tidak dikenal. Periksa pengaturan printer.")


def safe_name(name: str) -> str:
    """A job's name as printers and folders bear it: no path, and no number as long as a NIK."""
    plain = re.sub(r"[^A-Za-z0-9_-]+", "-", name).strip("-")
    return re.sub(r"\d{16,}", "x", plain)[:60] or "cetak"


def _below(base: Path, path: str) -> bool:
    return bool(path) and base.resolve() in (base / path).resolve().parents


@dataclass(frozen=True)
class FilePrinter:
    """A folder: every document a file of its own, readable by nobody else."""

    folder: Path
    kind: ClassVar[str] = "file"

    def takes(self, mime: str) -> bool:
        return mime in SUFFIX

    def submit(self, document: bytes, mime: Mime, name: str) -> str:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return self._write(document, safe_name(name), SUFFIX[mime])
        except OSError as error:
            raise PrinterDown(NO_FOLDER) from error

    def _write(self, document: bytes, name: str, suffix: str) -> str:
        with tempfile.NamedTemporaryFile(dir=self.folder, prefix=".", suffix=".part") as part:
            part.write(document)
            part.flush()
            os.fsync(part.fileno())
            return self._link(part.name, name, suffix)

    def _link(self, part: str, name: str, suffix: str) -> str:
        """A link is made whole or not at all, and never over a file that is there."""
        number = 1
        while True:
            target = f"{name}{'' if number == 1 else f'-{number}'}{suffix}"
            try:
                os.link(part, self.folder / target)
            except FileExistsError:
                number += 1
            else:
                return target

    def state(self, ref: str) -> JobState:
        there = (self.folder / Path(ref).name).is_file()
        return JobState("done") if there else JobState("failed", FORGOTTEN, unsure=True)

    def ready(self) -> Status:
        folder = self.folder if self.folder.exists() else self.folder.parent
        ok = folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)
        return Status(ok, "" if ok else NO_FOLDER)


@dataclass(frozen=True)
class IppPrinter:
    """A printer in the network. Its jobs are known to it by number and to us by name too."""

    url: str
    patience: float = CONNECT
    kind: ClassVar[str] = "ipp"

    def takes(self, mime: str) -> bool:
        return mime in SUFFIX

    def submit(self, document: bytes, mime: Mime, name: str) -> str:
        letter = mime == PDF
        if not letter and not self._reads(PNG):
            document, mime = _as_pdf(document), PDF
        about: list[ipp.Attribute] = [
            (ipp.NAME, "requesting-user-name", "loket15"),
            (ipp.NAME, "job-name", safe_name(name)),
            (ipp.MIME, "document-format", mime),
        ]
        media: list[ipp.Attribute] = [(ipp.KEYWORD, "media", A4)] if letter else []
        answer = self._ask(ipp.PRINT_JOB, about, media, document)
        if not answer.ok:
            raise PrinterDown(REFUSALS.get(answer.status, REFUSED))
        if not answer.first("job-id"):
            raise PrinterDown(GARBLED, unsure=True)
        return f"{answer.first('job-id')}/{safe_name(name)}"

    def state(self, ref: str) -> JobState:
        number, _, name = ref.partition("/")
        about: list[ipp.Attribute] = [
            (ipp.INTEGER, "job-id", int(number)),
            (ipp.KEYWORD, "requested-attributes", ["job-state", "job-name"]),
        ]
        answer = self._ask(ipp.GET_JOB, about)
        if answer.status == NOT_FOUND or answer.first("job-name", name) != name:
            return JobState("failed", FORGOTTEN, unsure=True)
        state = JOB_STATES.get(int(answer.first("job-state", 0)))
        if not answer.ok or state is None:
            raise PrinterDown(GARBLED)
        if state == "failed":
            return JobState(state, "Pencetakan dibatalkan di printer")
        return JobState(state, "" if state == "done" else self.ready().reason)

    def ready(self) -> Status:
        wanted = ["printer-state", "printer-state-reasons", "printer-is-accepting-jobs"]
        try:
            answer = self._ask(ipp.GET_PRINTER, [(ipp.KEYWORD, "requested-attributes", wanted)])
        except PrinterDown as down:
            return Status(False, down.message)
        reason = hindrance(answer) if answer.ok else REFUSED
        return Status(not reason, reason)

    def _reads(self, mime: str) -> bool:
        formats = "document-format-supported"
        answer = self._ask(ipp.GET_PRINTER, [(ipp.KEYWORD, "requested-attributes", formats)])
        return mime in answer.words(formats)

    def _ask(
        self,
        operation: int,
        about: list[ipp.Attribute],
        job: list[ipp.Attribute] | None = None,
        document: bytes = b"",
    ) -> ipp.Answer:
        wait = max(WAKE, self.patience) if document else self.patience
        with _telling(prints=bool(document)):
            return ipp.ask(
                self.url,
                operation,
                about,
                job=job,
                document=document,
                connect=self.patience,
                answer=wait,
            )


@dataclass(frozen=True)
class EscPosPrinter:
    """A ticket printer on a TCP port: it takes bytes and, if it can, tells of its paper.

    A printer has taken a ticket when it has acknowledged every byte and closed in its turn.
    """

    host: str
    port: int = 9100
    patience: float = CONNECT
    kind: ClassVar[str] = "escpos"

    def takes(self, mime: str) -> bool:
        return mime == PNG

    def submit(self, document: bytes, mime: Mime, name: str) -> str:
        if mime != PNG:
            raise Unusable(UNREADABLE)
        raster = escpos(_picture(document))
        with self._line() as line:
            if not _has_paper(line):
                raise PrinterDown(NO_PAPER)
            line.settimeout(self.patience)
            try:
                line.sendall(raster)
                _close_in_order(line)
            except OSError as error:
                raise PrinterDown(CUT_OFF, unsure=True) from error
        return safe_name(name)

    def state(self, ref: str) -> JobState:
        return JobState("done")

    def ready(self) -> Status:
        try:
            with self._line() as line:
                paper = _has_paper(line)
        except PrinterDown as down:
            return Status(False, down.message)
        return Status(paper, "" if paper else NO_PAPER)

    @contextmanager
    def _line(self) -> Iterator[socket.socket]:
        try:
            with socket.create_connection((self.host, self.port), self.patience) as line:
                yield line
        except OSError as error:
            raise PrinterDown(GONE) from error


@contextmanager
def _telling(*, prints: bool) -> Iterator[None]:
    """Turn what can go wrong on the way to a printer into a reason for a person."""
    try:
        yield
    except ipp.Garbled as error:
        raise PrinterDown(GARBLED, unsure=prints) from error
    except ipp.Refused as error:
        raise PrinterDown(REFUSED) from error
    except ipp.Unanswered as error:
        raise PrinterDown(CUT_OFF, unsure=prints) from error
    except ssl.SSLCertVerificationError as error:
        raise PrinterDown(STRANGER) from error
    except (OSError, HTTPException) as error:
        raise PrinterDown(GONE) from error


def hindrance(answer: ipp.Answer) -> str:
    """What keeps the printer that gave this answer from printing, or "" (RFC 8011, 5.4.12)."""
    stopped = answer.first("printer-state") == STOPPED
    for reason in answer.words("printer-state-reasons"):
        plain, _, severity = reason.rpartition("-")
        if severity not in ("error", "warning", "report"):
            plain, severity = reason, "error"
        grave = severity == "error" or (severity == "warning" and plain in STOPS_AS_WARNING)
        if plain in HINDRANCES and (grave or stopped):
            return HINDRANCES[plain]
    if stopped:
        return "Printer berhenti"
    accepting = answer.first("printer-is-accepting-jobs", 1)
    return "" if accepting else REFUSALS[0x0506]


def _picture(document: bytes) -> Image.Image:
    try:
        with Image.open(BytesIO(document), formats=["PNG"]) as image:
            return image.convert("1", dither=Image.Dither.NONE)
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise Unusable(UNREADABLE) from error


def _as_pdf(document: bytes) -> bytes:
    out = BytesIO()
    _picture(document).save(out, "PDF", resolution=DPI)
    return out.getvalue()


def _has_paper(line: socket.socket) -> bool:
    """Ask by DLE EOT 4; a clone that does not answer is taken to have paper."""
    line.settimeout(STATUS_WAIT)
    line.sendall(b"\x10\x04\x04")
    try:
        answer = line.recv(1)
    except TimeoutError:
        return True
    if not answer:
        raise ConnectionResetError("closed")
    known = answer[0] & 0x93 == 0x12
    return not (known and answer[0] & 0x60)


def _close_in_order(line: socket.socket) -> None:
    """End the ticket and wait for the printer to end too.

    A printer that closes in the middle may look as if it had ended: only the bytes that it left
    unacknowledged, or the error kept at the socket, tell the two apart.
    """
    line.shutdown(socket.SHUT_WR)
    if not any(not line.recv(64) for _ in range(64)):
        raise TimeoutError("a printer that talks on and on")
    unread = struct.unpack("i", fcntl.ioctl(line, termios.TIOCOUTQ, b"\0" * 4))[0]
    if unread or line.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
        raise ConnectionResetError("closed before the end")
