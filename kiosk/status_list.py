"""The status of all letters as one signed list, for whoever verifies many or without a network.

An IETF Token Status List (draft-ietf-oauth-status-list): a JWT of type `statuslist+jwt` whose `lst`
has two bits a letter, the first letter in the lowest bits of the first byte, compressed. The index
is the serial in the seal. It names nobody. What lies beyond the list's end is not known to it.
"""

import threading
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from peewee import Case, fn

from kiosk import jws
from kiosk.loket import Loket
from kiosk.seal import LAST_SERIAL, BadSeal, PublicKey, base64, unbase64
from models import NOT_PLAIN, Letter

PATH = "/.well-known/sk-status.jwt"
TYP, MEDIA = "statuslist+jwt", "application/statuslist+jwt"
VALID, REVOKED, SUSPENDED, REPLACED = 0, 1, 2, 3
NOT_ISSUED = SUSPENDED
# Whoever keeps a list asks again after half a day; over a weekend without a network it still holds.
TTL_S, HOLDS_S = 43_200, 3 * 86_400
AGES_S = 900
A_BYTE = 4
LARGEST = LAST_SERIAL // A_BYTE + 1


@dataclass(frozen=True)
class StatusList:
    """A list that was read. `address` is where it is published; times are UTC seconds."""

    address: str
    made_at: int
    expires_at: int
    packed: bytes

    def value(self, serial: int) -> int | None:
        """0 valid, 1 revoked, 2 suspended or not issued, 3 replaced; None beyond its end."""
        if not 0 <= serial < len(self.packed) * A_BYTE:
            return None
        return self.packed[serial // A_BYTE] >> 2 * (serial % A_BYTE) & 3


@dataclass(frozen=True)
class _Found:
    """What stands in a list: the highest serial; 4 * serial + value of what is not valid."""

    key_id: int
    address: str
    highest: int
    others: str


@dataclass(frozen=True)
class _Made:
    found: _Found
    at: int
    token: str


_made: dict[Path, _Made] = {}
_one_at_a_time = threading.Lock()


def token(loket: Loket, now: int) -> str:
    """The office's list as a signed JWT, as of `now`.

    Kept in memory, made anew when a letter's status changed and before its time is old.
    """
    with _one_at_a_time:
        found, kept = _find(loket), _made.get(loket.home)
        if kept and kept.found == found and 0 <= now - kept.at < AGES_S:
            return kept.token
        _made[loket.home] = _Made(found, now, _signed(loket, _pack(found), now))
        return _made[loket.home].token


def _find(loket: Loket) -> _Found:
    """One query, of an index that holds only what is not plainly valid, and of the last row."""
    ended = (
        (Letter.replaced_by.is_null(False), REPLACED),
        (Letter.revoked_at.is_null(False), REVOKED),
    )
    known, last = Letter.id * 4 + Case(None, ended, NOT_ISSUED), Letter.alias()
    query = Letter.select(last.select(fn.MAX(last.id)), fn.GROUP_CONCAT(known)).where(NOT_PLAIN)
    row: tuple[int | None, str | None] = query.tuples().get()  # type: ignore[assignment]
    highest, others = row
    key_id, _ = loket.seal_keys.current()
    return _Found(key_id, loket.base_url, highest or 0, others or "")


def _pack(found: _Found) -> bytes:
    """Two bits for each serial up to the highest; what is no letter is not issued."""
    packed = bytearray(found.highest // A_BYTE + 1)
    for serial in (0, *range(found.highest + 1, len(packed) * A_BYTE)):
        _put(packed, serial, NOT_ISSUED)
    for other in map(int, found.others.split(",") if found.others else ()):
        _put(packed, *divmod(other, 4))
    return bytes(packed)


def _put(packed: bytearray, serial: int, value: int) -> None:
    packed[serial // A_BYTE] |= value << 2 * (serial % A_BYTE)


def _signed(loket: Loket, packed: bytes, now: int) -> str:
    claims = {
        "sub": loket.base_url + PATH,
        "iat": now,
        "exp": now + HOLDS_S,
        "ttl": TTL_S,
        "status_list": {"bits": 2, "lst": base64(zlib.compress(packed, 9))},
    }
    return loket.seal_keys.sign_jwt(claims, TYP)


def value(token: str, serial: int) -> int | None:
    """What a list says of a letter, without asking who signed it: for one that was `read`."""
    return _parsed(jws.unverified(token)).value(serial)


def read(token: str, keys: Iterable[PublicKey]) -> StatusList:
    """The list that one of `keys` signed in its time. Raises BadSeal.

    Whether it `expires_at` a time that is past is the asker's to judge.
    """
    return _parsed(jws.read(token, keys, TYP))


def _parsed(claims: Mapping[str, Any]) -> StatusList:
    try:
        listed = claims["status_list"]
        if listed["bits"] != 2:
            raise ValueError("not two bits a letter")
        packed = _inflated(unbase64(listed["lst"]))
        made_at, expires_at = claims["iat"], claims["exp"]
        if type(made_at) is not int or type(expires_at) is not int:
            raise ValueError("no time")
        return StatusList(str(claims["sub"]), made_at, expires_at, packed)
    except (KeyError, ValueError, TypeError, OverflowError, zlib.error):
        raise BadSeal("Daftar status ini tidak dapat dibaca.") from None


def _inflated(data: bytes) -> bytes:
    """No more than a list of all serials may be: another office's could swell without end."""
    opened = zlib.decompressobj()
    packed = opened.decompress(data, LARGEST + 1)
    if not opened.eof or opened.unused_data:
        raise ValueError("longer than all serials, or more than the list")
    return packed
