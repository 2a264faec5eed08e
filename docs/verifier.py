#!/usr/bin/env python3
"""Checks the seal of a Surat Keterangan by itself: written from seal.md, uses nothing of Loket15.

    python3 verifier.py --keys sk-keys.json [--status sk-status.jwt] [--paper] ADDRESS-OR-DIGITS
    python3 verifier.py --vectors seal-vectors.json

`--keys` may be given more than once, and may be a list of key files (sk-offices.json). `--paper`
asks for NIK and name, so that neither is left in the shell's history. The exit code is 0 for a
letter that is valid and, where asked, fits its paper; else 1.

Needs Python 3.11 and the library `cryptography`.
"""

# ruff: noqa: T201
import argparse
import base64
import hashlib
import json
import re
import sys
import time
import unicodedata
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

DIGITS = 193
LONGEST_TEXT = 4096
LONGEST_LIST = 8 * 1024 * 1024
MOST_STATUSES = 1 << 22
LAST_SECOND = 253_402_300_799
CLOSED_UP = re.compile("['`\u00b4\u02b9\u02bb\u02bc\u2018\u2019\u201b\u2032\u0300-\u036f]")
STATUS = ("sah", "dicabut", "ditangguhkan", "diganti")
MEANS = {
    "sah": "genuine and valid",
    "kedaluwarsa": "genuine, but past its last day",
    "dicabut": "genuine, but revoked by the office",
    "diganti": "genuine, but replaced by a newer letter",
    "ditangguhkan": "suspended, or not yet issued",
    "status_belum_dapat_dicek": "genuine; whether it still stands is not known here",
    "tanda_tangan_tidak_sah": "NOT genuine: no key at hand made this code",
    "tidak_cocok": "NOT this paper's code: NIK or name is another's",
}


class Refused(Exception):
    """Why a code is not believed."""


@dataclass(frozen=True)
class Core:
    """What a code says; `check` is the print-check."""

    key_id: int
    serial: int
    issued: date
    until: date
    result: int
    check: bytes
    initials: str


@dataclass(frozen=True)
class Answer:
    """`result` is a code of seal.md; `fits` is None where no paper was compared."""

    result: str
    fits: bool | None = None
    office: dict[str, Any] | None = None
    core: Core | None = None
    made_at: int | None = None
    reason: str = ""

    @property
    def outcome(self) -> str:
        """One word for both: another's paper goes before every status."""
        return "tidak_cocok" if self.fits is False else self.result


def verify(
    text: str,
    offices: list[dict[str, Any]],
    today: date,
    now: int,
    paper: tuple[str, str] | None = None,
    status_lists: dict[str, str] | None = None,
) -> Answer:
    """What to say of a text. `paper` is NIK and name; `status_lists` are JWTs by office code."""
    try:
        office, core = read(digits_in(text), offices_of(text, offices))
    except Refused as why:
        return Answer("tanda_tangan_tidak_sah", reason=str(why))
    token = (status_lists or {}).get(office.get("office", ""))
    value, made_at = status_of(token, office, core.serial, now)
    fit = print_check(core.serial, *paper) == core.check if paper else None
    return Answer(_result(core, value, made_at, today), fit, office, core, made_at)


def _result(core: Core, value: int | None, made_at: int | None, today: date) -> str:
    if value == 2 and made_at is not None and core.issued.isoformat() >= _utc_day(made_at):
        value = None  # The list may be older than the letter.
    if value:
        return STATUS[value]
    if today > core.until:
        return "kedaluwarsa"
    return "status_belum_dapat_dicek" if value is None else "sah"


# ── What was scanned or typed ──


def digits_in(text: str) -> str:
    """The code in an address with /v/…, else all digits."""
    cut = text[:LONGEST_TEXT]
    found = re.search("/v/([0-9]+)", cut)
    return found[1] if found else "".join(re.findall("[0-9]", cut))


def offices_of(text: str, offices: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The offices of the text's address, else all."""
    found = re.search(r"https?://\S*?(?=/v/[0-9])", text[:LONGEST_TEXT], re.IGNORECASE)
    address = found[0].lower() if found else None
    return [one for one in offices if one.get("address", "").lower() == address] or offices


# ── The code ──


def read(digits: str, offices: list[dict[str, Any]]) -> tuple[dict[str, Any], Core]:
    """The first office that made this code, and what it says. Raises Refused."""
    payload = _bytes(digits)
    core = _core(payload)
    why = "unknown_key"
    for office in offices:
        found = _refusal(office["keys"], payload, core)
        if not found:
            return office, core
        if found != "unknown_key":
            why = found
    raise Refused(why)


def _bytes(digits: str) -> bytes:
    if len(digits) != DIGITS or not re.fullmatch("[1-9][0-9]*", digits):
        raise Refused("malformed")
    number = int(digits)
    if number >> 640 != 1:
        raise Refused("malformed")
    return number.to_bytes(81, "big")[1:]


def _core(payload: bytes) -> Core:
    initials = payload[13:16]
    known = payload[0] == 1 and payload[9] in (1, 2, 3)
    if not known or not re.fullmatch(rb"[A-Z]{0,3}\0*", initials):
        raise Refused("meaning")
    issued = date(1970, 1, 1) + timedelta(int.from_bytes(payload[5:7], "big"))
    return Core(
        key_id=payload[1],
        serial=int.from_bytes(payload[2:5], "big"),
        issued=issued,
        until=issued + timedelta(int.from_bytes(payload[7:9], "big") - 1),
        result=payload[9],
        check=payload[10:13],
        initials=initials.rstrip(b"\0").decode(),
    )


def _refusal(keys: list[dict[str, Any]], payload: bytes, core: Core) -> str:
    key = _key(keys, str(core.key_id))
    if key is None:
        return "unknown_key"
    if not _signed(key, payload[16:], b"SKDTKS1\0" + payload[:16]):
        return "signature"
    if not key["not_before"] <= core.issued.isoformat() <= key["expires"]:
        return "key_time"
    revoked = key["revoked_at"] is not None and core.issued.isoformat() >= key["revoked_at"]
    return "key_revoked" if revoked else ""


def _key(keys: list[dict[str, Any]], key_id: object) -> dict[str, Any] | None:
    fit = (key for key in keys if key["alg"] == "Ed25519" and str(key["key_id"]) == key_id)
    return next(fit, None)


def _signed(key: dict[str, Any], signature: bytes, message: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(unbase64(key["key"])).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# ── The paper ──


def print_check(serial: int, nik: str, name: str) -> bytes:
    """Three bytes of a serial, a NIK and a name, the last two as typed."""
    digits = "".join(re.findall("[0-9]", nik)).encode()
    typed = digits + b"\0" + plain_name(name).encode()
    return hashlib.sha256(b"SKDTKS1-CHECK\0" + serial.to_bytes(3, "big") + typed).digest()[:3]


def plain_name(name: str) -> str:
    """A name as a person may type it again."""
    decomposed = unicodedata.normalize("NFKD", CLOSED_UP.sub("", name)).upper()
    return " ".join(re.findall("[A-Z0-9]+", CLOSED_UP.sub("", decomposed)))


# ── The status list ──


def status_of(
    token: str | None, office: dict[str, Any], serial: int, now: int
) -> tuple[int | None, int | None]:
    """Value and the list's `iat`: value None if unknown, both None if the list is not believed."""
    try:
        claims = _claims(token or "", office)
        listed = _inflated(claims["status_list"]) if now < claims["exp"] else b""
    except (ValueError, KeyError, TypeError, RecursionError, zlib.error):
        return None, None
    known = serial >> 2 < len(listed)
    return (listed[serial >> 2] >> 2 * (serial & 3) & 3 if known else None), claims["iat"]


def _claims(token: str, office: dict[str, Any]) -> dict[str, Any]:
    head, body, signature = token[: LONGEST_LIST + 1].split(".")
    header, claims = json.loads(unbase64(head)), json.loads(unbase64(body))
    typed = header["alg"] == "EdDSA" and header["typ"] == "statuslist+jwt" and "crit" not in header
    key = _key(office["keys"], header["kid"])
    if len(token) > LONGEST_LIST or not typed or key is None or not isinstance(claims, dict):
        raise ValueError("not a list of this office")
    if not _signed(key, unbase64(signature), f"{head}.{body}".encode()):
        raise ValueError("not signed by it")
    if office.get("status_list", claims.get("sub")) != claims.get("sub"):
        raise ValueError("another list")
    if any(type(claims[at]) is not int or not 0 <= claims[at] <= LAST_SECOND
           for at in ("iat", "exp")):  # fmt: skip
        raise ValueError("no time")
    if not key["not_before"] <= _utc_day(claims["iat"]) <= key["expires"]:
        raise ValueError("not in its key's time")
    if key["revoked_at"] is not None:
        raise ValueError("its key is revoked")
    return claims


def _inflated(status_list: dict[str, Any]) -> bytes:
    if status_list["bits"] != 2:
        raise ValueError("not two bits a letter")
    unpack = zlib.decompressobj()
    listed = unpack.decompress(unbase64(status_list["lst"]), MOST_STATUSES + 1)
    if len(listed) > MOST_STATUSES or not unpack.eof or unpack.unused_data:
        raise ValueError("not one whole list")
    return listed


def _utc_day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def unbase64(text: str) -> bytes:
    """The bytes of base64url without padding. Raises ValueError."""
    if not re.fullmatch("[A-Za-z0-9_-]*", text):
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


# ── Key files, the command ──


def key_files(text: str) -> list[dict[str, Any]]:
    """The key files in this JSON: one, a list, or an object with `offices`. Raises ValueError."""
    found = json.loads(text)
    if isinstance(found, dict):
        found = found.get("offices", [found])
    if not isinstance(found, list) or not all(_is_key_file(one) for one in found):
        raise ValueError("not a key file of the format loket15-keys-1")
    return found


def _is_key_file(one: Any) -> bool:
    texts = ("office", "name", "address", "status_list")
    return (
        isinstance(one, dict)
        and one.get("format") == "loket15-keys-1"
        and all(isinstance(one.get(at), str) for at in texts)
        and isinstance(one.get("keys"), list)
        and all(_is_key(key) for key in one["keys"])
        and 0 < len(one["keys"]) == len({key["key_id"] for key in one["keys"]})
    )


def _is_key(key: Any) -> bool:
    def is_day(at: str) -> bool:
        return isinstance(key.get(at), str) and bool(re.fullmatch(r"\d{4}-\d\d-\d\d", key[at]))

    return (
        isinstance(key, dict)
        and type(key.get("key_id")) is int
        and isinstance(key.get("alg"), str)
        and isinstance(key.get("key"), str)
        and is_day("not_before")
        and is_day("expires")
        and "revoked_at" in key
        and (key["revoked_at"] is None or is_day("revoked_at"))
    )


def by_vector(vector: dict[str, Any]) -> str:
    """The answer to one of seal-vectors.json; its moment is noon UTC of its day."""
    today = date.fromisoformat(vector["today"])
    noon = int(datetime(today.year, today.month, today.day, 12, tzinfo=UTC).timestamp())
    paper = None if vector["nik"] is None else (vector["nik"], vector["name"])
    office = {"office": "", "keys": vector["keys"]}
    lists = {"": vector["status_list"]} if "status_list" in vector else {}
    return verify(vector["url"], [office], today, noon, paper, lists).outcome


def _try_vectors(path: Path) -> int:
    vectors = json.loads(path.read_text())
    wrong = [vector for vector in vectors if by_vector(vector) != vector["result"]]
    for vector in wrong:
        print(f"{vector['note']}: {by_vector(vector)} instead of {vector['result']}")
    print(f"{len(vectors) - len(wrong)} of {len(vectors)} vectors")
    return 1 if wrong else 0


def _tell(answer: Answer) -> int:
    print(f"{answer.outcome}: {MEANS[answer.outcome]}")
    if answer.office and answer.core:
        core = answer.core
        print(f"  office {answer.office['name']}, serial {core.serial}, initials {core.initials}")
        print(f"  issued {core.issued}, last day {core.until}, result {core.result}")
    if answer.made_at is not None:
        print(f"  status list of {datetime.fromtimestamp(answer.made_at, UTC):%Y-%m-%d %H:%M} UTC")
    return 0 if answer.outcome == "sah" else 1


def main() -> int:
    """The command."""
    ask = argparse.ArgumentParser(description="Check the seal of a Surat Keterangan.")
    ask.add_argument("text", nargs="?", default="", help="the address in the QR, or its digits")
    ask.add_argument("--keys", action="append", type=Path, default=[], help="a key file")
    ask.add_argument("--status", action="append", type=Path, default=[], help="a status list")
    ask.add_argument("--paper", action="store_true", help="ask for NIK and name, and compare")
    ask.add_argument("--vectors", type=Path, help="try a file of test vectors instead")
    given = ask.parse_args()
    if given.vectors:
        return _try_vectors(given.vectors)
    offices = [office for path in given.keys for office in key_files(path.read_text())]
    if not offices:
        ask.error("no key file: take /.well-known/sk-keys.json of the office")
    tokens = [path.read_text().strip() for path in given.status]
    paper = (input("NIK: "), input("Name: ")) if given.paper else None
    now = int(time.time())
    lists = {
        office["office"]: token
        for office in offices
        for token in tokens
        if status_of(token, office, 0, now)[1] is not None
    }
    return _tell(verify(given.text, offices, date.today(), now, paper, lists))  # noqa: DTZ011


if __name__ == "__main__":
    sys.exit(main())
