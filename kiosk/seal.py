"""The seal of a letter: what its QR holds, the keys that sign it, how a code is read again.

A code is the decimal of `0x01 + core + signature`: 16 bytes of core and 64 of Ed25519 over
`b"SKDTKS1\\0" + core`. Always 193 digits, so a QR keeps it in its numeric mode. It names
nobody: no NIK, no name, no desil.
"""

import base64
import hashlib
import json
import os
import re
import struct
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import IntEnum
from pathlib import Path
from typing import TypedDict

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.errors import Invalid, LoketError, NotFound, Stale, Unusable

VERSION = 1
DIGITS = 193
LAST_SERIAL = 0xFFFFFF
LAST_KEY = 0xFF
# A year of use, and a month in which a forgotten rotation stops no letter.
KEY_DAYS = 400

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


class SealKeys:
    """The office's seal keys: one that signs, and every public key it ever had."""

    def __init__(self, path: Path, private: Ed25519PrivateKey, keys: list[PublicKey]) -> None:
        self._path = path
        self._private = private
        self._keys = keys

    @classmethod
    def create(cls, path: Path, now: int) -> "SealKeys":
        """A first key, in force from the day of `now` (UTC seconds), written to `path` (0600).

        Raises `Stale` when the file is there: keys are never overwritten.
        """
        if path.exists():
            raise Stale("Kunci segel sudah ada dan tidak ditimpa.")
        private = Ed25519PrivateKey.generate()
        keys = cls(path, private, [_published(1, private, now)])
        keys._save()
        return keys

    @classmethod
    def open(cls, path: Path) -> "SealKeys":
        """The keys in `path`. Raises `NotFound`, or `Unusable` if others could read or spoil it."""
        try:
            mode, text = path.stat().st_mode, path.read_text()
        except FileNotFoundError:
            raise NotFound("Kunci segel belum dibuat.") from None
        if mode & 0o077:
            raise Unusable("Berkas kunci segel dapat dibaca akun lain: batasi ke 0600.")
        return cls._parse(path, text)

    @classmethod
    def _parse(cls, path: Path, text: str) -> "SealKeys":
        try:
            kept = json.loads(text)
            private = Ed25519PrivateKey.from_private_bytes(_unbase64(kept["private"]))
            keys: list[PublicKey] = kept["keys"]
            same = keys[-1]["key"] == _base64(private.public_key().public_bytes_raw())
        except (ValueError, KeyError, IndexError, TypeError):
            raise Unusable("Berkas kunci segel rusak: pulihkan dari cadangan.") from None
        if not same:
            raise Unusable("Berkas kunci segel tidak cocok dengan daftar kuncinya.")
        return cls(path, private, keys)

    def current(self) -> tuple[int, Ed25519PrivateKey]:
        """The id and the private half of the key that signs now."""
        return self._keys[-1]["key_id"], self._private

    def public(self) -> list[PublicKey]:
        """All public keys, oldest first: what `/.well-known/sk-keys.json` shows."""
        return [key.copy() for key in self._keys]

    def seal(self, core: Core) -> str:
        """`write` with the current key, and read again: `BadSeal` if it would not be believed."""
        digits = write(core, self.current()[1])
        if read(digits, self._keys) != core:
            raise BadSeal("Kode segel tidak terbaca sama seperti yang ditulis.")
        return digits

    def rotate(self, now: int) -> None:
        """A new key signs from now on; the old private half is gone, its public half stays."""
        key_id = self._keys[-1]["key_id"] + 1
        if key_id > LAST_KEY:
            raise Unusable("Nomor kunci segel sudah habis.")
        self._private = Ed25519PrivateKey.generate()
        self._keys = [*self._keys, _published(key_id, self._private, now)]
        self._save()

    def revoke(self, key_id: int, day: date) -> None:
        """Believe no code of this key that is dated `day` or later; an earlier day wins."""
        for key in self._keys:
            if key["key_id"] == key_id:
                key["revoked_at"] = min(day.isoformat(), key["revoked_at"] or "9999")
                self._save()
                return
        raise NotFound("Kunci segel tidak ditemukan.")

    def _save(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = {"private": _base64(self._private.private_bytes_raw()), "keys": self._keys}
        beside = self._path.with_name(self._path.name + ".new")
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(kept, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)


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


def _published(key_id: int, private: Ed25519PrivateKey, now: int) -> PublicKey:
    # A UTC date: never later than the date of an Indonesian office at the same moment.
    today = datetime.fromtimestamp(now, UTC).date()
    return PublicKey(
        key_id=key_id,
        alg="Ed25519",
        key=_base64(private.public_key().public_bytes_raw()),
        not_before=today.isoformat(),
        expires=(today + timedelta(days=KEY_DAYS)).isoformat(),
        revoked_at=None,
    )


def _public(text: str) -> Ed25519PublicKey:
    try:
        return Ed25519PublicKey.from_public_bytes(_unbase64(text))
    except ValueError:
        raise BadSeal("Kunci tanda tangan surat ini tidak dapat dibaca.") from None


def _bytes3(number: int) -> bytes:
    if not 0 <= number <= LAST_SERIAL:
        raise Invalid({"seal": "Nomor seri surat di luar jangkauan segel."})
    return number.to_bytes(3)


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
