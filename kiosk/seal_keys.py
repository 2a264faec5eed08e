"""The office's seal keys: made once, rotated, revoked, kept in a file that only it can read."""

import json
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk import seal
from kiosk.errors import NotFound, Stale, Unusable

# A year of use, and a month in which a forgotten rotation stops no letter.
KEY_DAYS = 400


class SealKeys:
    """The office's seal keys: one that signs, and every public key it ever had."""

    def __init__(self, path: Path, private: Ed25519PrivateKey, keys: list[seal.PublicKey]) -> None:
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
            private = Ed25519PrivateKey.from_private_bytes(seal.unbase64(kept["private"]))
            keys: list[seal.PublicKey] = kept["keys"]
            same = keys[-1]["key"] == seal.base64(private.public_key().public_bytes_raw())
        except (ValueError, KeyError, IndexError, TypeError):
            raise Unusable("Berkas kunci segel rusak: pulihkan dari cadangan.") from None
        if not same:
            raise Unusable("Berkas kunci segel tidak cocok dengan daftar kuncinya.")
        return cls(path, private, keys)

    def current(self) -> tuple[int, Ed25519PrivateKey]:
        """The id and the private half of the key that signs now."""
        return self._keys[-1]["key_id"], self._private

    def public(self) -> list[seal.PublicKey]:
        """All public keys, oldest first: what `/.well-known/sk-keys.json` shows."""
        return [key.copy() for key in self._keys]

    def seal(self, core: seal.Core) -> str:
        """`write` with the current key, and read again: `BadSeal` if it would not be believed."""
        digits = seal.write(core, self.current()[1])
        if seal.read(digits, self._keys) != core:
            raise seal.BadSeal("Kode segel tidak terbaca sama seperti yang ditulis.")
        return digits

    def rotate(self, now: int) -> None:
        """A new key signs from now on; the old private half is gone, its public half stays."""
        key_id = self._keys[-1]["key_id"] + 1
        if key_id > seal.LAST_KEY:
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
        kept = {"private": seal.base64(self._private.private_bytes_raw()), "keys": self._keys}
        beside = self._path.with_name(self._path.name + ".new")
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            json.dump(kept, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)


def _published(key_id: int, private: Ed25519PrivateKey, now: int) -> seal.PublicKey:
    # A UTC date: never later than the date of an Indonesian office at the same moment.
    today = datetime.fromtimestamp(now, UTC).date()
    return seal.PublicKey(
        key_id=key_id,
        alg="Ed25519",
        key=seal.base64(private.public_key().public_bytes_raw()),
        not_before=today.isoformat(),
        expires=(today + timedelta(days=KEY_DAYS)).isoformat(),
        revoked_at=None,
    )
