"""What is known of other offices is kept fresh: their keys, their status lists, their lists."""

import json
import logging
import threading
from dataclasses import dataclass

from kiosk import fetch, key_file, limits, status_list, trust, trust_acts
from kiosk.errors import LoketError, TooMany, Unusable
from kiosk.key_file import KeyFile
from kiosk.loket import Loket
from kiosk.seal import BadSeal
from models import TrustedList, TrustedOffice, db, transaction

EVERY_S = 3600
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Refreshed:
    """How it went with one office or list: what was refused or could not be had, in words."""

    name: str
    faults: tuple[str, ...]


def start_due(loket: Loket, now: int) -> None:
    """Refresh in a thread of its own, at most once an hour: whoever is slow holds up nobody."""
    if not TrustedOffice.select().exists() and not TrustedList.select().exists():
        return
    try:
        limits.spend("trust refresh", 1, EVERY_S, now)
    except TooMany:
        return
    threading.Thread(target=_apart, args=(loket, now), daemon=True, name="trust").start()


def _apart(loket: Loket, now: int) -> None:
    try:
        with db.connection_context():
            for done in refresh(loket, now):
                for fault in done.faults:
                    _log.warning("trust: %s: %s", done.name, fault)
    except Exception:  # The next hour tries again.
        _log.exception("trust: the refresh failed")


def refresh(loket: Loket, now: int) -> list[Refreshed]:
    """Ask every list and every office for what is new at `now`; each by itself.

    A fault of one leaves what is known of it as it was.
    """
    # Read to the end first: no query stays open while a network is waited for.
    rows = list(TrustedList.select().order_by(TrustedList.id))
    lists = [_list(loket, row, now) for row in rows]
    offices = list(TrustedOffice.select().order_by(TrustedOffice.id))
    return [*lists, *(_office(loket, row, now) for row in offices)]


def statuses(address: str, now: int) -> list[str]:
    """Fetch the status list of the office of this address and of those that came with its list:
    just added, they have none. What was refused or could not be had, in words.
    """
    via = TrustedList.select(TrustedList.id).where(TrustedList.address == address)
    mine = (TrustedOffice.address == address) | TrustedOffice.via.in_(via)
    faults = [(row.name, status(row, now)) for row in list(TrustedOffice.select().where(mine))]
    return [f"{name}: {fault}" for name, fault in faults if fault]


def _list(loket: Loket, row: TrustedList, now: int) -> Refreshed:
    try:
        text = fetch.text_of(row.address + trust.LIST_PATH).strip()
        offer = trust_acts.read_list(text, json.loads(row.key))
        with transaction():
            if not TrustedList.select().where(TrustedList.id == row.id).exists():
                return Refreshed(row.name, ())
            return Refreshed(row.name, tuple(trust_acts.keep_list(loket, offer, now)))
    except LoketError as error:
        return Refreshed(row.name, (error.message,))


def _office(loket: Loket, row: TrustedOffice, now: int) -> Refreshed:
    return Refreshed(row.name, tuple(f for f in (_keys(loket, row, now), status(row, now)) if f))


def _keys(loket: Loket, row: TrustedOffice, now: int) -> str:
    """The office's keys as it publishes them now; what of them is refused, or ""."""
    known: KeyFile = json.loads(row.keys)
    try:
        newest = key_file.parse(fetch.text_of(row.address + trust.KEYS_PATH))
        file, fault = key_file.followed(known, newest)
        trust_acts.require_apart(loket, file)
    except LoketError as error:
        return error.message
    row.keys, row.fingerprint, row.refreshed_at = json.dumps(file), key_file.fingerprint(file), now
    with transaction():
        row.save(only=["keys", "fingerprint", "refreshed_at"])
    return fault


def status(row: TrustedOffice, now: int) -> str:
    """Keep the office's newest status list; why it is refused, or ""."""
    file: KeyFile = json.loads(row.keys)
    try:
        token = fetch.text_of(file["status_list"]).strip()
        found = status_list.read(token, file["keys"])
        _require_newer(found, file, row, now)
    except (Unusable, BadSeal) as error:
        return error.message
    row.status, row.status_at = token, found.made_at
    with transaction():
        row.save(only=["status", "status_at"])
    return ""


def _require_newer(
    found: status_list.StatusList, file: KeyFile, row: TrustedOffice, now: int
) -> None:
    if found.address != file["status_list"]:
        raise BadSeal("Daftar status ini milik alamat lain.")
    if found.made_at > now + trust_acts.AHEAD_S:
        raise BadSeal("Daftar status ini bertanggal di masa depan.")
    if row.status_at is not None and found.made_at < row.status_at:
        raise BadSeal("Daftar status ini lebih lama daripada yang sudah dikenal.")
