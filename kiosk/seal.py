"""The seal of a letter: what its QR holds, and how a code is read again.

A code is the decimal of `0x01 + core + signature`: 16 bytes of core and 64 of Ed25519 over
`b"SKDTKS1\\0" + core`. Always 193 digits, so a QR keeps it in its numeric mode. It names
nobody: no NIK, no name, no desil.
"""

import base64 as b64
import hashlib
import re
import struct
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum
from typing import TypedDict

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.errors import Invalid, LoketError

VERSION = 1
DIGITS = 193
LAST_SERIAL = 0xFFFFFF
LAST_KEY = 0xFF

_SIGNED = b"SKDTKS1\0"
_CHECKED = b"SKDTKS1-CHECK\0"
_CORE = struct.Struct(">BB3sHHB3s3s")
_SIGNATURE_BYTES = 64
_EPOCH = date(1970, 1, 1)
_APOSTROPHES = "'`\u2018\u2019\u02bb\u02bc"
_INITIALS = re.compile(rb"[A-Z]{0,3}\0{0,3}")


class Result(IntEnum):
    """What the letter says of the person."""

    REGISTERED = 1
    NOT_REGISTERED = 2
    RECOMMENDED = 3


class BadSeal(LoketError):
    """A code that this office, or an office it trusts, did not make."""


class PublicKey(TypedDict):
    """A key as `/.well-known/sk-keys.json` publishes it: days are ISO dates, both ends included.

    `revoked_at` is the first day on which the key is not believed any more.
    """

    key_id: int
    alg: str
    key: str
    not_before: str
    expires: str
    revoked_at: str | None


@dataclass(frozen=True)
class Core:
    """What a code says. `issued` is the office's own date, `check` is from `print_check`."""

    key_id: int
    serial: int
    issued: date
    validity_days: int
    result: Result
    check: bytes
    initials: str


def print_check(serial: int, nik: str, name: str) -> bytes:
    """Three bytes that tie a code to the NIK and the name on the paper.

    Without a key on purpose: anyone holding the paper can compare without a network. 24 bits are
    enough against a forger who has to find a match, and too few to find one person by them.
    """
    text = _CHECKED + _bytes3(serial) + nik.encode() + b"\0" + plain_name(name).encode()
    return hashlib.sha256(text).digest()[:3]


def plain_name(name: str) -> str:
    """A name as a person may type it again: A-Z, 0-9 and single spaces; apostrophes close up."""
    decomposed = unicodedata.normalize("NFKD", name).upper()
    closed = "".join(
        c for c in decomposed if not unicodedata.combining(c) and c not in _APOSTROPHES
    )
    return " ".join(re.findall("[A-Z0-9]+", closed))


def initials(name: str) -> str:
    """The first letters of the first three words of a name, for `Core.initials`."""
    words = (word for word in plain_name(name).split() if word[0].isalpha())
    return "".join(word[0] for word in words)[:3]


def write(core: Core, key: Ed25519PrivateKey) -> str:
    """The 193 digits of a signed code. Raises `Invalid` for a core that does not fit its bytes."""
    packed = _pack(core)
    payload = packed + key.sign(_SIGNED + packed)
    return str(int.from_bytes(b"\x01" + payload))


def read(digits: str, keys: Iterable[PublicKey]) -> Core:
    """The core of a code that one of `keys` (as `SealKeys.public`) signed, else `BadSeal`."""
    packed, signature = _payload(digits)
    core = _unpack(packed)
    published = next((key for key in keys if key["key_id"] == core.key_id), None)
    if published is None:
        raise BadSeal("Kunci tanda tangan surat ini tidak dikenal.")
    try:
        _public(published["key"]).verify(signature, _SIGNED + packed)
    except InvalidSignature:
        raise BadSeal("Tanda tangan pada kode surat tidak sah.") from None
    _require_in_force(published, core.issued)
    return core


def _pack(core: Core) -> bytes:
    letters = core.initials.encode("ascii", "replace").ljust(3, b"\0")
    if not _INITIALS.fullmatch(letters) or len(letters) != 3 or len(core.check) != 3:
        raise Invalid({"seal": "Inisial atau kode cetak untuk segel tidak sesuai."})
    try:
        days = (core.issued - _EPOCH).days
        numbers = (_bytes3(core.serial), days, core.validity_days, core.result)
        return _CORE.pack(VERSION, core.key_id, *numbers, core.check, letters)
    except struct.error:
        raise Invalid({"seal": "Nomor atau tanggal surat di luar jangkauan segel."}) from None


def _unpack(packed: bytes) -> Core:
    version, key_id, serial, days, validity, result, check, letters = _CORE.unpack(packed)
    known = version == VERSION and result in tuple(Result)
    if not known or not _INITIALS.fullmatch(letters):
        raise BadSeal("Kode surat dibuat dengan versi yang tidak dikenal.")
    issued = _EPOCH + timedelta(days=days)
    serial_number = int.from_bytes(serial)
    text = letters.rstrip(b"\0").decode()
    return Core(key_id, serial_number, issued, validity, Result(result), check, text)


def _payload(digits: str) -> tuple[bytes, bytes]:
    # The length is capped before int(): its time grows with the square of the digits.
    if len(digits) != DIGITS or not (digits.isascii() and digits.isdigit()) or digits[0] == "0":
        raise BadSeal("Kode surat tidak lengkap atau salah ketik.")
    size = 1 + _CORE.size + _SIGNATURE_BYTES
    number = int(digits)
    if number.bit_length() > 8 * size or number >> (8 * (size - 1)) != 1:
        raise BadSeal("Kode surat tidak lengkap atau salah ketik.")
    payload = number.to_bytes(size)[1:]
    return payload[: _CORE.size], payload[_CORE.size :]


def _require_in_force(key: PublicKey, issued: date) -> None:
    day = issued.isoformat()
    if not key["not_before"] <= day <= key["expires"]:
        raise BadSeal("Tanggal surat di luar masa berlaku kunci tanda tangannya.")
    if key["revoked_at"] is not None and day >= key["revoked_at"]:
        raise BadSeal("Kunci tanda tangan surat ini sudah dicabut.")


def _public(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(unbase64(text))
    except ValueError:
        raise BadSeal("Kunci tanda tangan surat ini tidak dapat dibaca.") from None


def _bytes3(number: int) -> bytes:
    if not 0 <= number <= LAST_SERIAL:
        raise Invalid({"seal": "Nomor seri surat di luar jangkauan segel."})
    return number.to_bytes(3)


def base64(data: bytes) -> str:
    """URL-safe and without padding, as JOSE writes it (RFC 7515)."""
    return b64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unbase64(text: str) -> bytes:
    """The bytes of `base64`. Raises ValueError."""
    return b64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
