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
_CODED = b"SKDTKS1-CODE\0"
_CORE = struct.Struct(">BB3sHHB3s3s")
_SIGNATURE_BYTES = 64
_EPOCH = date(1970, 1, 1)
_APOSTROPHES = "'`\u00b4\u02b9\u02bb\u02bc\u2018\u2019\u201b\u2032"
_CLOSED_UP = re.compile(f"[{_APOSTROPHES}\u0300-\u036f]")
_INITIALS = re.compile(rb"[A-Z]{0,3}\0{0,3}")
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ALIKE = str.maketrans("OIL", "011")
_BASE64 = re.compile("[A-Za-z0-9_-]*")


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

    @property
    def until(self) -> date:
        """The last day of its validity; the day of issue is the first."""
        return self.issued + timedelta(days=self.validity_days - 1)


def print_check(serial: int, nik: str, name: str) -> bytes:
    """Three bytes that tie a code to the NIK and the name on the paper.

    Without a key on purpose: anyone holding the paper can compare without a network. 24 bits are
    enough against a forger who has to find a match, and too few to find one person by them.
    """
    text = _CHECKED + _bytes3(serial) + nik.encode() + b"\0" + plain_name(name).encode()
    return hashlib.sha256(text).digest()[:3]


def plain_nik(nik: str) -> str:
    """A NIK as a person may type it again: its digits 0 to 9, whatever stands between."""
    return "".join(re.findall("[0-9]", nik))


def plain_name(name: str) -> str:
    """A name as a person may type it again: A-Z, 0-9 and single spaces; apostrophes close up.

    Twice, as decomposing makes some anew and would make a space of an acute accent. Of combining
    marks those of Latin letters go (U+0300 to U+036F): the same in every version of Unicode.
    """
    decomposed = unicodedata.normalize("NFKD", _CLOSED_UP.sub("", name)).upper()
    closed = _CLOSED_UP.sub("", decomposed)
    return " ".join(re.findall("[A-Z0-9]+", closed))


def fits(core: Core, nik: str, name: str) -> bool:
    """Whether NIK and name as typed off the paper are those that were sealed."""
    return print_check(core.serial, plain_nik(nik), name) == core.check


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
    published = next((key for key in keys if _is_of(key, core)), None)
    if published is None:
        raise BadSeal("Kunci tanda tangan surat ini tidak dikenal.")
    try:
        _public(published["key"]).verify(signature, _SIGNED + packed)
    except InvalidSignature:
        raise BadSeal("Tanda tangan pada kode surat tidak sah.") from None
    _require_in_force(published, core.issued)
    return core


def code(digits: str) -> str:
    """The verifier's code printed under the QR, as `7K3M-0QXB`: from a hash of the signature.

    With the letter's number it finds a letter whose QR won't scan. Raises `BadSeal`.
    """
    number = int.from_bytes(hashlib.sha256(_CODED + _payload(digits)[1]).digest()[:5])
    signs = "".join(_CROCKFORD[number >> shift & 31] for shift in range(35, -1, -5))
    return f"{signs[:4]}-{signs[4:]}"


def plain_code(typed: str) -> str:
    """A verifier's code as typed, for comparing: eight signs, O read as 0, I and L as 1."""
    return "".join(sign for sign in typed.upper().translate(_ALIKE) if sign in _CROCKFORD)


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


def digits_in(text: str) -> str:
    """The code in what somebody pasted: of an address with /v/…, else every digit in it."""
    address = re.search("/v/([0-9]+)", text)
    return address[1] if address else "".join(re.findall("[0-9]", text))


def serial_in(digits: str) -> int:
    """The serial that a code says, its signature not asked. Raises BadSeal for what is no code."""
    return int.from_bytes(_payload(digits)[0][2:5])


def _require_in_force(key: PublicKey, issued: date) -> None:
    day = issued.isoformat()
    if not key["not_before"] <= day <= key["expires"]:
        raise BadSeal("Tanggal surat di luar masa berlaku kunci tanda tangannya.")
    if key["revoked_at"] is not None and day >= key["revoked_at"]:
        raise BadSeal("Kunci tanda tangan surat ini sudah dicabut.")


def _is_of(key: PublicKey, core: Core) -> bool:
    return key["alg"] == "Ed25519" and key["key_id"] == core.key_id


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
    """The bytes of `base64`. Raises ValueError, for a sign that is not its own too."""
    if not _BASE64.fullmatch(text):
        raise ValueError("not base64url")
    return b64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
