"""Keys for personal data at rest: a blind index to look it up by, and a lock to keep it.

The key file lies outside the database and its backups: without it neither says who is in it.
"""

import base64
import hmac
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kiosk.errors import Unusable
from kiosk.files import fsync_folder, write_new

INDEX_BYTES = 16
KEY_ID_BYTES = 4
NONCE_BYTES = 12
KEY_BYTES = 32
_HEAD_BYTES = KEY_ID_BYTES + NONCE_BYTES
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


class Vault:
    """Index and lock values. Holds no state that changes, so threads may share one."""

    def __init__(self, index_key: bytes, locks: Mapping[bytes, bytes], active: bytes) -> None:
        self._index_key = index_key
        self._locks = {key_id: AESGCM(key) for key_id, key in locks.items()}
        self._active_id = active
        self._active = self._locks[active]

    @classmethod
    def create(cls, path: Path) -> "Vault":
        """Make new keys and write them to `path` (mode 0600).

        Raises Unusable where a file is there already: overwriting it would lose every record.
        """
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        active = secrets.token_hex(KEY_ID_BYTES)
        keys = {"index": _fresh_key(), "active": active, "locks": {active: _fresh_key()}}
        _write_keys(path, json.dumps(keys).encode())
        return cls.open(path)

    @classmethod
    def open(cls, path: Path) -> "Vault":
        """The vault of a key file; Unusable if it is missing, damaged, or others can read it."""
        try:
            mode = path.stat().st_mode
            text = path.read_text("ascii")
        except (OSError, UnicodeError) as error:
            raise Unusable("Berkas kunci data tidak dapat dibaca.") from error
        if mode & 0o077:
            raise Unusable("Berkas kunci data dapat dibaca orang lain: jalankan chmod 600 padanya.")
        try:
            return cls._of(json.loads(text))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unusable("Berkas kunci data rusak: pulihkan dari cadangannya.") from error

    @classmethod
    def _of(cls, keys: Mapping[str, Any]) -> "Vault":
        locks = {bytes.fromhex(name): _key(text) for name, text in keys["locks"].items()}
        return cls(_key(keys["index"]), locks, bytes.fromhex(keys["active"]))

    def index(self, label: str, value: str) -> bytes:
        """16 bytes that stand for `value` in the field `label`: equal for equal values only.

        HMAC-SHA256, cut: a plain hash of a NIK could be guessed by trying them all.
        """
        message = f"{label}\0{value}".encode()
        return hmac.digest(self._index_key, message, "sha256")[:INDEX_BYTES]

    def lock(self, label: str, data: bytes) -> bytes:
        """`data` under AES-256-GCM: key id ‖ nonce ‖ ciphertext, bound to `label`."""
        nonce = os.urandom(NONCE_BYTES)
        return self._active_id + nonce + self._active.encrypt(nonce, data, label.encode())

    def unlock(self, label: str, blob: bytes) -> bytes:
        """What `lock` was given; Unusable if the key is unknown or anything was changed."""
        key = self._locks.get(blob[:KEY_ID_BYTES])
        if key is None:
            raise Unusable("Data terkunci dengan kunci yang tidak dikenal.")
        try:
            return key.decrypt(blob[KEY_ID_BYTES:_HEAD_BYTES], blob[_HEAD_BYTES:], label.encode())
        except (InvalidTag, ValueError) as error:
            raise Unusable("Data terkunci rusak atau telah diubah.") from error

    def lock_json(self, label: str, value: Mapping[str, Any]) -> bytes:
        """A dict under lock, as UTF-8 JSON."""
        return self.lock(label, _ENCODER.encode(value).encode())

    def unlock_json(self, label: str, blob: bytes) -> dict[str, Any]:
        """The dict that `lock_json` was given; Unusable as `unlock`."""
        value: dict[str, Any] = json.loads(self.unlock(label, blob))
        return value


def _fresh_key() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _key(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError("a key of the wrong length")
    return key


def _write_keys(path: Path, data: bytes) -> None:
    """Whole or not at all: a key file cut short by a power cut would be mistaken for the keys."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    write_new(draft, data)
    try:
        os.link(draft, path)
    except FileExistsError as error:
        raise Unusable("Berkas kunci data sudah ada dan tidak boleh ditimpa.") from error
    finally:
        draft.unlink()
    fsync_folder(path.parent)
