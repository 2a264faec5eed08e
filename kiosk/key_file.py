"""An office's key file, as `/.well-known/sk-keys.json` publishes it: read, recognised, followed.

Pure: nothing here asks a network or a table. docs/trust.md is the same in words.
"""

import re
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import NotRequired, TypedDict

from pydantic import BaseModel, ConfigDict, ValidationError

from kiosk import jws
from kiosk.errors import Unusable
from kiosk.seal import LAST_KEY, BadSeal, PublicKey, unbase64
from kiosk.seal_keys import SUCCESSION

FORMAT = "loket15-keys-1"
SHAPE = re.compile(r"https?://[a-z0-9.\[\]:-]+(/[a-z0-9._~/-]*[a-z0-9._~-])?")
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
LONGEST_NAME = 120


class KeyFile(TypedDict):
    """`address` stands before `/v/` in the office's codes, without a slash at its end."""

    format: str
    office: str
    name: str
    address: str
    status_list: str
    keys: list[PublicKey]
    succession: NotRequired[list[str]]


class _Key(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")
    key_id: int
    alg: str
    key: str
    not_before: str
    expires: str
    revoked_at: str | None


class _File(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")
    format: str
    office: str
    name: str
    address: str
    status_list: str
    keys: list[_Key]
    succession: list[str] = []


def parse(text: str | bytes) -> KeyFile:
    """The key file in this JSON. Raises Unusable where it is none, saying what is wrong."""
    try:
        found = _File.model_validate_json(text)
    except ValidationError:
        raise Unusable("Ini bukan berkas kunci dinas (sk-keys.json).") from None
    return _checked(found)


def of(value: object) -> KeyFile:
    """The key file in a JSON value, as a signed list holds them. Raises Unusable."""
    try:
        found = _File.model_validate(value)
    except ValidationError:
        raise Unusable("Ini bukan berkas kunci dinas (sk-keys.json).") from None
    return _checked(found)


def _checked(found: _File) -> KeyFile:
    file: KeyFile = found.model_dump()  # type: ignore[assignment]
    if file["format"] != FORMAT:
        raise Unusable("Berkas kunci ini dari versi yang tidak dikenal.")
    name = file["name"]
    named = name.isprintable() and name == name.strip() and 0 < len(name) <= LONGEST_NAME
    if not CODE.fullmatch(file["office"]) or not named:
        raise Unusable("Kode atau nama dinas pada berkas kunci tidak dapat dipakai.")
    if not SHAPE.fullmatch(file["address"]) or "//" in file["address"].partition("://")[2]:
        raise Unusable("Alamat dinas pada berkas kunci tidak dapat dipakai.")
    if not file["status_list"].startswith(file["address"] + "/"):
        raise Unusable("Daftar status dinas tidak berada di alamatnya sendiri.")
    ids = [key["key_id"] for key in file["keys"]]
    if not ids or len(ids) != len(set(ids)) or not all(map(_is_sound, file["keys"])):
        raise Unusable("Kunci pada berkas kunci ini rusak atau tidak lengkap.")
    return file


def _is_sound(key: PublicKey) -> bool:
    try:
        long_enough = len(unbase64(key["key"])) == 32 and len(key["key"]) == 43
        days = [key["not_before"], key["expires"], key["revoked_at"] or key["expires"]]
        iso = all(date.fromisoformat(day).isoformat() == day for day in days)
    except ValueError:
        return False
    in_order = key["not_before"] <= key["expires"]
    known = key["alg"] == "Ed25519" and 0 <= key["key_id"] <= LAST_KEY
    return long_enough and iso and in_order and known


def fingerprint(file: KeyFile) -> str:
    """64 hex digits for two people to compare: SHA-256 of all that is believed of an office.

    It changes when a key is added or revoked; what was compared once is carried on by `followed`.
    """
    lines = [FORMAT, file["office"], file["name"], file["address"]]
    for key in sorted(file["keys"], key=lambda key: key["key_id"]):
        days = f"{key['not_before']} {key['expires']} {key['revoked_at'] or '-'}"
        lines.append(f"{key['key_id']} {key['alg']} {key['key']} {days}")
    return sha256("".join(line + "\n" for line in lines).encode()).hexdigest()


def key_fingerprint(key: PublicKey) -> str:
    """SHA-256 of a public key's 32 bytes, in hex."""
    return sha256(unbase64(key["key"])).hexdigest()


def grouped(hex_: str) -> str:
    """In fours, as people read it to one another."""
    return " ".join(hex_[at : at + 4] for at in range(0, len(hex_), 4))


def plain_fingerprint(typed: str) -> str:
    """A fingerprint as typed or pasted, for comparing. Raises Unusable when it is not whole."""
    plain = re.sub(r"[\s:]", "", typed).lower()
    if not re.fullmatch("[0-9a-f]{64}", plain):
        raise Unusable("Sidik jari terdiri atas 64 angka heksadesimal. Salin seluruhnya.")
    return plain


def followed(old: KeyFile, new: KeyFile) -> tuple[KeyFile, str]:
    """What is believed when an office that is believed as `old` publishes `new`, nobody comparing;
    and what of it is not believed, in words, or "".

    Nothing that was believed may go or change, but that a key is revoked: else Unusable. A new key
    is believed when one that was believed, and is not revoked, names it as the next; one that none
    names is left out. So is a new name.
    """
    for part in ("office", "address"):
        if old[part] != new[part]:
            raise Unusable(f"{old['name']}: {_PARTS[part]} berubah. Periksa, lalu tambahkan lagi.")
    after = {key["key_id"]: key for key in new["keys"]}
    for key in old["keys"]:
        if key["key_id"] not in after:
            raise Unusable(f"{old['name']}: kunci {key['key_id']} hilang dari berkasnya.")
        if not _only_revoked(key, after[key["key_id"]]):
            raise Unusable(f"{old['name']}: kunci {key['key_id']} berubah.")
    believed = _followed({key["key_id"] for key in old["keys"]}, new)
    kept = new.copy()
    # What a code's reader is told is the name that was compared, not one that somebody slips in.
    kept["name"] = old["name"]
    kept["keys"] = [key for key in new["keys"] if key["key_id"] in believed]
    strange = set(after) - believed
    if strange:
        return kept, _unbelieved(old["name"], min(strange))
    renamed = f"{old['name']}: namanya kini {new['name']}. Periksa, lalu tambahkan lagi."
    return kept, renamed if new["name"] != old["name"] else ""


def _unbelieved(name: str, key_id: int) -> str:
    return (
        f"{name}: kunci baru {key_id} tidak dijamin kunci yang sudah dipercaya. "
        "Bandingkan sidik jarinya dengan dinas itu, lalu tambahkan lagi."
    )


_PARTS = {"office": "kode", "address": "alamat"}


def _only_revoked(old: PublicKey, new: PublicKey) -> bool:
    if _fixed(old) != _fixed(new):
        return False
    if old["revoked_at"] is None:
        return True
    return new["revoked_at"] is not None and new["revoked_at"] <= old["revoked_at"]


def _fixed(key: Mapping[str, object]) -> dict[str, object]:
    return {part: key.get(part) for part in ("key_id", "alg", "key", "not_before", "expires")}


def _followed(known: set[int], file: KeyFile) -> set[int]:
    """The keys that are believed from `known` on, going from each to the one that it names."""
    while more := _named(known, file) - known:
        known = known | more
    return known


def _named(known: set[int], file: KeyFile) -> set[int]:
    believed = [k for k in file["keys"] if k["key_id"] in known and k["revoked_at"] is None]
    there = {key["key_id"]: _fixed(key) for key in file["keys"]}
    found = set()
    for token in file.get("succession", [])[: LAST_KEY + 1]:
        try:
            named, _ = jws.signed_by(token, believed, SUCCESSION)
        except BadSeal:
            continue
        key = named.get("key")
        if isinstance(key, dict) and there.get(key.get("key_id", -1)) == _fixed(key):
            found.add(key["key_id"])
    return found
