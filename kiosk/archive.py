"""Where finished letters lie: written once, by kind, year and number; never changed, never lost."""

import os
from hashlib import sha256
from pathlib import Path

from kiosk.errors import NotFound, Stale
from kiosk.loket import Loket
from kiosk.vault import fsync_folder
from models import Letter


def path_of(loket: Loket, row: Letter) -> Path:
    """Where the letter's bytes lie: by kind, year and number, nothing personal."""
    return loket.archive / row.kind / str(row.year) / f"{row.no:06d}.pdf"


def write(path: Path, pdf: bytes) -> None:
    """Write the bytes so that they are there, whole, also after the power went."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(pdf)
        file.flush()
        os.fsync(file.fileno())


def put(part: Path, path: Path) -> None:
    """A part that was written whole takes its place."""
    part.replace(path)
    fsync_folder(path.parent)


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
