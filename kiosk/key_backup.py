"""All keys of the office in one file under a passphrase, and back again.

The file: `LOKET15-KEYS-1\\n`, 16 bytes of salt, 12 of nonce, then AES-256-GCM over a JSON object.
Its key is scrypt (RFC 7914) of the passphrase in NFC with N = 2^17, r = 8, p = 1; what stands
before the ciphertext is authenticated with it. Whoever has file and passphrase has the office.
"""

import json
import os
import shutil
import unicodedata
from base64 import b64decode, b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from kiosk import store
from kiosk.errors import Invalid, NotFound, Stale, Unusable
from kiosk.files import fsync_folder, write_new
from kiosk.office_key import KEY_FILE, OfficeKeys
from kiosk.seal_keys import SealKeys
from kiosk.vault import Vault

MAGIC = b"LOKET15-KEYS-1\n"
SALT_BYTES, NONCE_BYTES, KEY_BYTES = 16, 12, 32
SCRYPT = {"n": 1 << 17, "r": 8, "p": 1}
SHORTEST, FEWEST_SIGNS = 12, 6
LARGEST = 1 << 20
NEEDED = ("vault.json", "seal.json", KEY_FILE)
_HEAD = len(MAGIC) + SALT_BYTES


@dataclass(frozen=True)
class Copy:
    """What a backup holds: the office's code, when it was made (epoch seconds), name → bytes."""

    office: str
    made_at: int
    files: dict[str, bytes]


@dataclass(frozen=True)
class Compared:
    """Names of files that are the same here, that differ, that only the copy or only this has."""

    same: list[str]
    differ: list[str]
    only_copy: list[str]
    only_here: list[str]

    @property
    def whole(self) -> bool:
        """Whether the copy holds exactly what is here."""
        return not (self.differ or self.only_copy or self.only_here)


def backup(home: Path, office: str, target: Path, passphrase: str, now: int) -> Copy:
    """Write every key of `home` to `target` (0600), which must not be there.

    Raises Invalid for a weak passphrase, Stale for a file that is there, NotFound without keys.
    """
    _require_strong(passphrase)
    made = Copy(office, now, _here(home))
    if not set(NEEDED) <= set(made.files):
        raise NotFound("Folder kunci tidak ada atau tidak lengkap.")
    data = _locked(made, passphrase)
    try:
        write_new(target, data)
    except FileExistsError:
        raise Stale("Berkas cadangan sudah ada dan tidak ditimpa. Pilih nama lain.") from None
    except OSError:
        raise Unusable("Berkas cadangan tidak dapat ditulis di sana.") from None
    # What cannot be read again is no backup.
    if read(target, passphrase) != made:
        raise Unusable("Berkas cadangan tidak terbaca kembali. Tulis ke tempat lain.")
    return made


def read(source: Path, passphrase: str) -> Copy:
    """What a backup holds. Raises Unusable when it is none, was changed, or for a wrong
    passphrase: the last two look the same.
    """
    try:
        data = source.read_bytes() if source.stat().st_size <= LARGEST else b""
    except OSError:
        raise Unusable("Berkas cadangan tidak dapat dibaca.") from None
    if not data.startswith(MAGIC) or len(data) <= _HEAD + NONCE_BYTES:
        raise Unusable("Ini bukan berkas cadangan kunci, atau dari versi lain.")
    head, nonce, locked = data[:_HEAD], data[_HEAD:][:NONCE_BYTES], data[_HEAD + NONCE_BYTES :]
    try:
        plain = AESGCM(_key(passphrase, head[len(MAGIC) :])).decrypt(nonce, locked, head)
        return _copy(json.loads(plain))
    except (InvalidTag, ValueError, KeyError, TypeError, AttributeError):
        raise Unusable("Kata sandi cadangan salah, atau berkasnya rusak.") from None


def _copy(kept: dict[str, Any]) -> Copy:
    files = {name: b64decode(text, validate=True) for name, text in kept["files"].items()}
    if any(not name or name.startswith(".") or "/" in name for name in files):
        raise ValueError("a name that is no file's")
    return Copy(str(kept["office"]), int(kept["made_at"]), files)


def compare(home: Path, copy: Copy) -> Compared:
    """The copy beside the keys of `home`."""
    here, there = _here(home), copy.files
    both = sorted(set(here) & set(there))
    return Compared(
        same=[name for name in both if here[name] == there[name]],
        differ=[name for name in both if here[name] != there[name]],
        only_copy=sorted(set(there) - set(here)),
        only_here=sorted(set(here) - set(there)),
    )


def restore(home: Path, copy: Copy, now: int, *, replace: bool = False) -> Path | None:
    """Put the copy's keys in place, all of them or none (files 0600).

    Keys here that differ stay as they are, and `Stale` is raised, unless `replace`: then the whole
    folder makes way for the copy's and is kept under the name that is returned. Raises Unusable
    while the office is being served, and for a copy whose keys cannot be used.
    """
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with store.served_once(home):
        compared = compare(home, copy)
        if compared.differ and not replace:
            names = ", ".join(compared.differ)
            raise Stale(f"Kunci di sini lain: {names}. Periksa, lalu ulangi dengan --replace.")
        if not compared.differ and not compared.only_copy:
            return None
        stay = {} if compared.differ else _here(home)
        return _swap(home, stay | copy.files, now)


def _swap(home: Path, files: dict[str, bytes], now: int) -> Path | None:
    keys, new = home / "keys", home / "keys.new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    for name, data in files.items():
        write_new(new / name, data)
    fsync_folder(new)
    _require_usable(new)
    kept = _aside(home, keys, now)
    # Cut off between the two, no key is lost: one folder is `keys.new`, the other is kept.
    new.replace(keys)
    fsync_folder(home)
    return kept


def _aside(home: Path, keys: Path, now: int) -> Path | None:
    if not keys.exists():
        return None
    if not _here(home):
        shutil.rmtree(keys)
        return None
    kept = home / f"keys.{datetime.fromtimestamp(now, UTC):%Y%m%d-%H%M%S}"
    if kept.exists():
        raise Stale("Salinan kunci lama dari detik ini sudah ada. Ulangi.")
    keys.replace(kept)
    return kept


def _require_usable(folder: Path) -> None:
    """The keys open: before anything is moved. Raises Unusable."""
    try:
        Vault.open(folder / "vault.json")
        SealKeys.open(folder / "seal.json")
        OfficeKeys.open(folder)
    except (NotFound, Unusable):
        shutil.rmtree(folder)
        raise Unusable("Kunci dalam cadangan ini tidak lengkap atau rusak.") from None


def _here(home: Path) -> dict[str, bytes]:
    """Every key file; not what begins with a dot, nor what is being written beside one."""
    folder = home / "keys"
    if not folder.is_dir():
        return {}
    files = (path for path in sorted(folder.iterdir()) if path.is_file())
    return {path.name: path.read_bytes() for path in files if _is_key(path.name)}


def _is_key(name: str) -> bool:
    return name.endswith((".json", ".pem", ".key")) and not name.startswith(".")


def _locked(copy: Copy, passphrase: str) -> bytes:
    files = {name: b64encode(data).decode() for name, data in copy.files.items()}
    plain = json.dumps({"office": copy.office, "made_at": copy.made_at, "files": files}).encode()
    salt, nonce = os.urandom(SALT_BYTES), os.urandom(NONCE_BYTES)
    head = MAGIC + salt
    return head + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, plain, head)


def _key(passphrase: str, salt: bytes) -> bytes:
    said = unicodedata.normalize("NFC", passphrase).encode()
    return Scrypt(salt=salt, length=KEY_BYTES, **SCRYPT).derive(said)


def _require_strong(passphrase: str) -> None:
    if len(passphrase) < SHORTEST or len(set(passphrase)) < FEWEST_SIGNS:
        raise Invalid(
            {"passphrase": "Kata sandi cadangan paling sedikit 12 tanda, 6 di antaranya berlainan."}
        )
