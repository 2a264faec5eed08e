"""Where finished letters lie: written once, by kind, year and number; never changed, never lost."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from kiosk.errors import NotFound, Stale
from kiosk.files import fsync_folder, write_new
from kiosk.loket import Loket
from models import Letter, VoidNumber

MISSING = "Berkas surat tidak ada di arsip. Pulihkan dari cadangan."
CHANGED = "Berkas surat berubah sesudah terbit. Pulihkan dari cadangan."
UNKNOWN = "Berkas ini bukan surat yang terbit menurut basis data. Periksa asalnya."


class Fault(NamedTuple):
    """Something wrong in the archive: which letter's number or file, and what."""

    what: str
    reason: str


def path_of(loket: Loket, row: Letter | VoidNumber) -> Path:
    """Where the letter's bytes lie: by kind, year and number, nothing personal."""
    return loket.archive / row.kind / str(row.year) / f"{row.no:06d}.pdf"


def part_of(path: Path, claimed_at: int, actor_id: int) -> Path:
    """Where one try writes the letter, before it is known to count."""
    return path.with_suffix(f".{claimed_at}-{actor_id}.part")


def write(path: Path, pdf: bytes) -> None:
    """Write the bytes so that they are there, whole, also after the power went; once, for good."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    write_new(path, pdf, 0o400)


def put(part: Path, path: Path, over: bool = False) -> None:
    """A part that was written whole takes its place.

    What lies there is no letter that this database knows as issued: a try that was cut off, or one
    issued after the backup that was restored. It is kept beside, under its hash, unless `over`.
    """
    if path.exists() and not over:
        path.rename(path.with_suffix(f".{_hash(path)[:16]}.pdf"))
    part.rename(path)
    fsync_folder(path.parent)


def sweep(loket: Loket) -> None:
    """Remove what tries that were cut off have left; while nobody signs."""
    for part in loket.archive.glob("*/*/*.part"):
        part.unlink(missing_ok=True)


def check(loket: Loket) -> Iterator[Fault]:
    """Read every letter and compare it with its hash; the faults, and files that are no letter's.

    Nothing is changed.
    """
    known = _not_counting(loket)
    there = (Letter.state == "issued") | Letter.drawn_at.is_null(False)
    for row in Letter.select().where(there & (Letter.state != "void")).order_by(Letter.id):
        path = path_of(loket, row)
        known.add(path)
        if not path.exists():
            yield Fault(row.number, MISSING)
        elif _hash(path) != row.sha256:
            yield Fault(row.number, CHANGED)
    for path in sorted(loket.archive.glob("*/*/*")):
        if path not in known:
            yield Fault(str(path.relative_to(loket.archive)), UNKNOWN)


def _not_counting(loket: Loket) -> set[Path]:
    """Where sheets to be signed by hand may lie that are not, or no longer, to be signed."""
    loose = (Letter.signing == "wet_ink") & (Letter.state != "issued")
    rows = [*Letter.select().where(loose), *VoidNumber.select()]
    return {path_of(loket, row) for row in rows}


def _hash(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def pdf_of(loket: Loket, application_id: int) -> bytes:
    """The archived bytes of the issued letter, or of the sheet to be signed by hand.

    Raises NotFound, or Stale when they were changed.
    """
    row = Letter.get_or_none((Letter.application == application_id) & (Letter.state != "void"))
    if row is None or (row.state == "numbered" and row.drawn_at is None):
        raise NotFound("Surat ini belum terbit.")
    try:
        pdf = path_of(loket, row).read_bytes()
    except FileNotFoundError:
        raise NotFound("Berkas surat tidak ada di arsip. Hubungi admin.") from None
    if sha256(pdf).hexdigest() != row.sha256:
        raise Stale("Berkas surat di arsip tidak sama dengan yang terbit. Hubungi admin.")
    return pdf
