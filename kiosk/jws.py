"""Signed statements that are not codes of letters: JWTs under a seal key (RFC 7515, RFC 8037).

A few lines in place of a library: one algorithm, one way to write it, nothing to choose from.

One key signs two kinds of thing, and neither can be taken for the other. A code's signature is
over `b"SKDTKS1\\0"` and 16 bytes; that of a JWT is over `base64url "." base64url`, which has no
NUL byte and begins with `ey`. Kinds of JWT are told apart by `typ`, which the reader demands.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from kiosk.seal import BadSeal, PublicKey, base64, unbase64

ALGORITHM = "EdDSA"


def write(claims: Mapping[str, Any], typ: str, key_id: int, key: Ed25519PrivateKey) -> str:
    """A compact JWT; its `kid` is the seal key's id in decimal."""
    head = {"alg": ALGORITHM, "typ": typ, "kid": str(key_id)}
    signed = f"{_json(head)}.{_json(claims)}"
    return f"{signed}.{base64(key.sign(signed.encode()))}"


def read(token: str, keys: Iterable[PublicKey], typ: str) -> dict[str, Any]:
    """The claims of a JWT of this `typ` that one of `keys` signed in its time; else BadSeal.

    `iat` is demanded. A revoked key is not believed at all: who stole it can date as they like,
    and the office signs anew with its next one. What `exp` says is the asker's to judge.
    """
    claims, key_id = signed_by(token, keys, typ)
    key = next(key for key in keys if key["key_id"] == key_id)
    day = datetime.fromtimestamp(_time(claims), UTC).date().isoformat()
    if key["revoked_at"] is not None or not key["not_before"] <= day <= key["expires"]:
        raise BadSeal("Kunci yang menandatangani dokumen ini tidak berlaku.")
    return claims


def signed_by(token: str, keys: Iterable[PublicKey], typ: str) -> tuple[dict[str, Any], int]:
    """The claims and the id of the key that signed them, whatever the key's dates. Or BadSeal."""
    signed, _, signature = token.rpartition(".")
    head, claims = _parts(signed)
    key = next((key for key in keys if str(key["key_id"]) == head.get("kid")), None)
    known = head.get("alg") == ALGORITHM and head.get("typ") == typ and "crit" not in head
    if key is None or key["alg"] != "Ed25519" or not known:
        raise BadSeal("Dokumen bertanda tangan ini tidak dikenal.")
    try:
        public = Ed25519PublicKey.from_public_bytes(unbase64(key["key"]))
        public.verify(unbase64(signature), signed.encode())
    except (InvalidSignature, ValueError):
        raise BadSeal("Tanda tangan dokumen ini tidak sah.") from None
    return claims, key["key_id"]


def unverified(token: str) -> dict[str, Any]:
    """The claims as they are: only to find out whose keys to try. Raises BadSeal."""
    return _parts(token.rpartition(".")[0])[1]


def _parts(signed: str) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        head, claims = (json.loads(unbase64(part)) for part in signed.split("."))
    except (ValueError, RecursionError):
        raise BadSeal("Dokumen bertanda tangan ini tidak terbaca.") from None
    if not isinstance(head, dict) or not isinstance(claims, dict):
        raise BadSeal("Dokumen bertanda tangan ini tidak terbaca.")
    return head, claims


def _time(claims: Mapping[str, Any]) -> int:
    at = claims.get("iat")
    if type(at) is not int or not 0 <= at < 1 << 37:
        raise BadSeal("Dokumen bertanda tangan ini tidak menyebut waktunya.")
    return at


def _json(value: Mapping[str, Any]) -> str:
    return base64(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode())
