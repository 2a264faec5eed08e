"""The office's seal keys: made once, rotated, revoked, kept in a file that only it can read.

The file is written by commands and read by a server that runs on: it is looked at before each use,
and read again when it has changed.
"""

import fcntl
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import jws, seal
from kiosk.errors import NotFound, Stale, Unusable
from kiosk.files import write_over
from kiosk.seal import PublicKey

# A year of use, and a month in which a forgotten rotation stops no letter.
KEY_DAYS = 400
SUCCESSION = "sk-key+jwt"
NOT_IN_FORCE = "Kunci segel dinas tidak berlaku hari ini: admin menjalankan loket15 keys rotate."


@dataclass(frozen=True)
class _Kept:
    """What the file says. `succession`: for each key after the first, its forerunner's word."""

    private: Ed25519PrivateKey
    keys: list[PublicKey]
    succession: list[str]
    stamp: tuple[int, int, int] | None = None


class SealKeys:
    """The office's seal keys: one that signs, and every public key it ever had."""

    def __init__(self, path: Path, kept: _Kept) -> None:
        self._path = path
        self._kept = kept

    @classmethod
    def create(cls, path: Path, now: int) -> "SealKeys":
        """A first key, in force from the day of `now` (UTC seconds), written to `path` (0600).

        Raises `Stale` when the file is there: keys are never overwritten.
        """
        if path.exists():
            raise Stale("Kunci segel sudah ada dan tidak ditimpa.")
        private = Ed25519PrivateKey.generate()
        keys = cls(path, _Kept(private, [_published(1, private, now)], []))
        keys._save(keys._kept)
        return keys

    @classmethod
    def open(cls, path: Path) -> "SealKeys":
        """The keys in `path`. Raises `NotFound`, or `Unusable` if others could read or spoil it."""
        return cls(path, _read(path))

    def current(self) -> tuple[int, Ed25519PrivateKey]:
        """The id and the private half of the key that signs now."""
        kept = self._now()
        return kept.keys[-1]["key_id"], kept.private

    def public(self) -> list[PublicKey]:
        """All public keys, oldest first: what `/.well-known/sk-keys.json` shows."""
        return [key.copy() for key in self._keys]

    def succession(self) -> list[str]:
        """For each key made by rotation a JWT in which its forerunner says that it is the next."""
        return list(self._now().succession)

    def seal(self, core: seal.Core) -> str:
        """`write` with the current key, and read again: `BadSeal` if it would not be believed."""
        kept = self._now()
        if not in_force(kept.keys[-1], core.issued):
            raise seal.BadSeal(NOT_IN_FORCE)
        digits = seal.write(core, kept.private)
        if seal.read(digits, kept.keys) != core:
            raise seal.BadSeal("Kode segel tidak terbaca sama seperti yang ditulis.")
        return digits

    def sign_jwt(self, claims: Mapping[str, Any], typ: str) -> str:
        """A JWT of `claims`, which have `iat`, under the current key; `kid` is its id.

        Read again as others do: BadSeal if it would not be believed.
        """
        kept = self._now()
        token = jws.write(claims, typ, kept.keys[-1]["key_id"], kept.private)
        jws.read(token, kept.keys, typ)
        return token

    def rotate(self, now: int, above: int = 0) -> int:
        """A new key signs from now on; the old private half is gone, its public half stays.

        Its id, higher than `above` too. The old key's last word is a JWT that names the new one,
        unless it is revoked: then nobody should believe it.
        """
        with self._alone() as kept:
            last = kept.keys[-1]
            key_id = max(last["key_id"], above) + 1
            if key_id > seal.LAST_KEY:
                raise Unusable("Nomor kunci segel sudah habis.")
            private = Ed25519PrivateKey.generate()
            new = _published(key_id, private, now)
            said = []
            if last["revoked_at"] is None:
                claims = {"iat": now, "key": new}
                said = [jws.write(claims, SUCCESSION, last["key_id"], kept.private)]
            self._save(_Kept(private, [*kept.keys, new], [*kept.succession, *said]))
        return key_id

    def revoke(self, key_id: int, day: date) -> None:
        """Believe no code of this key that is dated `day` or later; an earlier day wins."""
        with self._alone() as kept:
            keys = [key.copy() for key in kept.keys]
            for key in keys:
                if key["key_id"] == key_id:
                    key["revoked_at"] = min(day.isoformat(), key["revoked_at"] or "9999")
                    self._save(_Kept(kept.private, keys, kept.succession))
                    return
        raise NotFound("Kunci segel tidak ditemukan.")

    @property
    def _keys(self) -> list[PublicKey]:
        return self._now().keys

    def _now(self) -> _Kept:
        """What the file says now: a command may have changed it. One look costs microseconds."""
        kept = self._kept
        if kept.stamp != _stamp(self._path):
            kept = self._kept = _read(self._path)
        return kept

    @contextmanager
    def _alone(self) -> Iterator[_Kept]:
        """One writer at a time, also of several processes."""
        with (self._path.parent / ".writing").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield self._now()

    def _save(self, kept: _Kept) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        private = seal.base64(kept.private.private_bytes_raw())
        text = {"private": private, "keys": kept.keys, "succession": kept.succession}
        write_over(self._path, json.dumps(text, indent=1).encode())
        self._kept = _read(self._path)


def in_force(key: PublicKey, day: date) -> bool:
    """Whether a code of this key dated `day` is believed."""
    text = day.isoformat()
    begun = key["not_before"] <= text <= key["expires"]
    return begun and (key["revoked_at"] is None or text < key["revoked_at"])


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise NotFound("Kunci segel belum dibuat.") from None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _read(path: Path) -> _Kept:
    stamp, text = _stamp(path), path.read_text()
    if path.stat().st_mode & 0o077:
        raise Unusable("Berkas kunci segel dapat dibaca akun lain: batasi ke 0600.")
    try:
        kept = json.loads(text)
        private = Ed25519PrivateKey.from_private_bytes(seal.unbase64(kept["private"]))
        keys: list[PublicKey] = kept["keys"]
        same = keys[-1]["key"] == seal.base64(private.public_key().public_bytes_raw())
        succession: list[str] = kept.get("succession", [])
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise Unusable("Berkas kunci segel rusak: pulihkan dari cadangan.") from None
    if not same:
        raise Unusable("Berkas kunci segel tidak cocok dengan daftar kuncinya.")
    return _Kept(private, keys, succession, stamp)


def _published(key_id: int, private: Ed25519PrivateKey, now: int) -> PublicKey:
    # A UTC date: never later than the date of an Indonesian office at the same moment.
    today = datetime.fromtimestamp(now, UTC).date()
    return PublicKey(
        key_id=key_id,
        alg="Ed25519",
        key=seal.base64(private.public_key().public_bytes_raw()),
        not_before=today.isoformat(),
        expires=(today + timedelta(days=KEY_DAYS)).isoformat(),
        revoked_at=None,
    )
