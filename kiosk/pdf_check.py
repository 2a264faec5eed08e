"""A file that somebody was sent: is it, to the last byte, a letter that this office issued?

Its SHA-256 is looked for in the archive first; only that makes a file a letter. Of any other it is
told whether our signature was on it and what its QR says. Nothing of it is kept or logged.
"""

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Literal

from kiosk import archive, limits, verification
from kiosk.errors import Invalid, TooMany
from kiosk.loket import Loket
from kiosk.pdf_look import NO_FILE, SECONDS, Seen, der_of
from kiosk.seal import DIGITS, BadSeal
from kiosk.verification import Verdict
from models import Letter

LARGEST = 5 * 1024 * 1024
TRIES, TRY_S = 20, 3600
WAIT_S = 10
ROOT = Path(__file__).resolve().parent.parent
TOO_LARGE = "Berkas ini lebih dari 5 MB. Kirim suratnya saja, atau foto yang lebih kecil."
TOO_HARD = "Berkas ini terlalu berat untuk diperiksa. Foto kertasnya, lalu kirim fotonya."
CROWDED = "Banyak berkas sedang diperiksa. Coba lagi sebentar."

# exact: the archived bytes. sheet: the archived bytes of a letter that only its signed paper is.
# changed: signed by us, or begun as ours, and changed afterwards. unarchived: signed by us and
# whole, but no letter of the archive. revoked: the same, with a key that is not believed any more,
# for who stole it can write any day into what they sign. copy: not signed by us, with a letter's
# code on it. nothing: neither.
Outcome = Literal["exact", "sheet", "changed", "unarchived", "revoked", "copy", "nothing"]

# Reading a file takes up to `pdf_look.MEMORY`: not more than two at a time. As many may wait; who
# comes then is sent away at once, for each that waits holds one of the server's few threads.
_few = threading.BoundedSemaphore(2)
_room = threading.BoundedSemaphore(4)


@dataclass(frozen=True)
class Examined:
    """What a file is; the letter's own verdict where the file is one, else the codes on it."""

    outcome: Outcome
    verdict: Verdict | None = None
    codes: tuple[str, ...] = ()


def examine(loket: Loket, data: bytes, address: str, now: int) -> Examined:
    """What this file is; `address` is where it comes from.

    Raises Invalid({"file": reason}), and TooMany past twenty files an hour from one address.
    """
    if not data:
        raise Invalid({"file": NO_FILE})
    if len(data) > LARGEST:
        raise Invalid({"file": TOO_LARGE})
    limits.spend(f"berkas|{address}", TRIES, TRY_S, now)
    known = Letter.get_or_none(
        (Letter.sha256 == sha256(data).hexdigest()) & (Letter.state != "void")
    )
    if known is not None:
        return _known(loket, known, now)
    seen = _read(loket, data)
    codes = tuple(dict.fromkeys(code for code in map(_code_in, seen.texts) if code))
    return _judged(loket, data, seen, codes)


def _known(loket: Loket, row: Letter, now: int) -> Examined:
    digits = verification.digits_of(loket, row)
    verdict = verification.check(loket, digits, now)
    by_hand = row.signing == "wet_ink" or row.state != "issued"
    return Examined("sheet" if by_hand else "exact", verdict, (digits,))


def _judged(loket: Loket, data: bytes, seen: Seen, codes: tuple[str, ...]) -> Examined:
    if seen.signature == "whole" and seen.signer is not None:
        stolen = loket.office_keys.known()[seen.signer].revoked_at is not None
        return Examined("revoked") if stolen else Examined("unarchived", codes=codes)
    ours = [row for row in (_letter_of(loket, code) for code in codes) if row]
    resigned = seen.signature == "foreign" and ours
    if seen.signature == "changed" or resigned or any(_grew(loket, one, data) for one in ours):
        return Examined("changed")
    return Examined("copy" if codes else "nothing", codes=codes)


def _letter_of(loket: Loket, digits: str) -> Letter | None:
    """The letter of ours that this code is of; of each there is one file, the archived one."""
    try:
        serial = verification.own_serial(loket, digits)
    except BadSeal:
        return None
    found: Letter | None = Letter.get_or_none((Letter.id == serial) & Letter.sha256.is_null(False))
    return found


def _grew(loket: Loket, row: Letter, data: bytes) -> bool:
    """Whether the file begins with the archived one: an edit that was appended leaves it whole."""
    try:
        size = archive.path_of(loket, row).stat().st_size
    except FileNotFoundError:
        return False
    return len(data) > size and sha256(data[:size]).hexdigest() == row.sha256


def _code_in(text: str) -> str:
    found = re.search(rf"(?:^|/v/)([0-9]{{{DIGITS}}})$", text)
    return found[1] if found else ""


def _read(loket: Loket, data: bytes) -> Seen:
    with _entered(_room, 0), _entered(_few, WAIT_S):
        said = _ask(loket, data)
    if "fault" in said:
        raise Invalid({"file": said["fault"]})
    return Seen(said["signature"], tuple(said["texts"]), said["signer"])


@contextmanager
def _entered(place: threading.BoundedSemaphore, wait_s: float) -> Iterator[None]:
    if not place.acquire(timeout=wait_s):
        raise TooMany(CROWDED)
    try:
        yield
    finally:
        place.release()


def _ask(loket: Loket, data: bytes) -> dict[str, Any]:
    """The answer of the process that reads it, or that it did not get to the end."""
    ours = [der_of(one.certificate).hex() for one in loket.office_keys.known()]
    head = json.dumps({"certificates": ours}).encode() + b"\n"
    try:
        with TemporaryFile() as answer:
            subprocess.run(
                [sys.executable, "-m", "kiosk.pdf_look"],
                input=head + data,
                stdout=answer,
                stderr=subprocess.DEVNULL,
                cwd=ROOT,
                env={},
                timeout=SECONDS + 5,
                check=True,
            )
            answer.seek(0)
            found: dict[str, Any] = json.loads(answer.read())
        return found
    except (subprocess.SubprocessError, ValueError):
        raise Invalid({"file": TOO_HARD}) from None
