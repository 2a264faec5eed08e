"""Whose letters can be checked here: this office's own, and those of the offices it trusts.

How another office comes to be trusted: `kiosk.trust_acts`.
"""

import json
import re
from functools import lru_cache

from kiosk import status_list
from kiosk.errors import NotFound
from kiosk.key_file import FORMAT, KeyFile
from kiosk.loket import Loket
from kiosk.seal import BadSeal, Core, code
from kiosk.seal import read as read_code
from kiosk.status_list import StatusList
from models import Busy, TrustedOffice

KEYS_PATH = "/.well-known/sk-keys.json"
LIST_PATH = "/.well-known/sk-trust.jwt"
OFFICES_PATH = "/.well-known/sk-offices.json"
OFFICES_FORMAT = "loket15-offices-1"
_ADDRESS = re.compile(r"(https?://\S*?)/v/([0-9]+)", re.IGNORECASE)
_CODE = re.compile("/v/([0-9]+)")
LONGEST_TEXT = 4096


def own(loket: Loket) -> KeyFile:
    """This office's key file, as `/.well-known/sk-keys.json` publishes it."""
    office = loket.profile.office
    return KeyFile(
        format=FORMAT,
        office=office.code,
        name=office.name,
        address=loket.base_url,
        status_list=loket.base_url + status_list.PATH,
        keys=loket.seal_keys.public(),
        succession=loket.seal_keys.succession(),
    )


def offices(loket: Loket) -> list[KeyFile]:
    """The key files of every office that is believed here, this office's first. Not to be changed.

    Raises Busy when the others' cannot be asked for.
    """
    rows = TrustedOffice.select(TrustedOffice.keys).order_by(TrustedOffice.name, TrustedOffice.id)
    return [own(loket), *(_parsed(row.keys) for row in rows)]


def offline(loket: Loket, now: int) -> list[dict[str, object]]:
    """The key files of `offices`, each with `status` (its newest status list, a JWT) and
    `status_at` (epoch seconds); both null where there is none. For `/.well-known/sk-offices.json`.
    """
    try:
        made: str | None = status_list.token(loket, now)
    except BadSeal:
        made = None
    at = None if made is None else _list(made, json.dumps(own(loket))).made_at
    rows = TrustedOffice.select().order_by(TrustedOffice.name, TrustedOffice.id)
    others = [
        {**_parsed(row.keys), "status": row.status, "status_at": row.status_at} for row in rows
    ]
    return [{**own(loket), "status": made, "status_at": at}, *others]


def read(loket: Loket, text: str) -> tuple[KeyFile, Core]:
    """Whose code this is, and what it says. `text`: an address with /v/…, a path, or the digits.

    An address of an office that is believed settles whose keys are asked. Any other address, or
    none, settles nothing: then it is the office whose key's signature fits, and no other can, for
    no two offices are believed with the same key. Raises BadSeal, and Busy when nothing could be
    asked but our own keys.
    """
    address, digits = _parts(text)
    code(digits)  # What has not even the shape of a code is refused before a table is asked.
    mine = own(loket)
    others = [] if address == mine["address"].lower() else _others(address)
    named = [file for file in (mine, *others) if file["address"].lower() == address]
    wrong = BadSeal("Kode surat ini bukan dari dinas yang dikenal.")
    for file in named or (mine, *others):
        try:
            return file, read_code(digits, file["keys"])
        except BadSeal as error:
            wrong = error if file is mine or named else wrong
    raise wrong


def _parts(text: str) -> tuple[str | None, str]:
    cut = text[:LONGEST_TEXT]
    found = _ADDRESS.search(cut)
    if found:
        return found[1].lower(), found[2]
    path = _CODE.search(cut)
    return None, path[1] if path else "".join(re.findall("[0-9]", cut))


def _others(address: str | None) -> list[KeyFile]:
    every = TrustedOffice.select(TrustedOffice.keys).order_by(TrustedOffice.id)
    rows = list(every.where(TrustedOffice.address == address)) if address else []
    return [_parsed(row.keys) for row in rows or every]


def status_of(loket: Loket, office: str, serial: int) -> tuple[int | None, int | None]:
    """What the newest status list here of this trusted office (its code) says of a serial.

    0 valid, 1 revoked, 2 suspended or not issued, 3 replaced; None past the list's end, or without
    a list. And when the list was made (epoch seconds). Whether that is recent enough is for the
    asker to judge. This office's own letters are asked for in its tables, not here. Twice None when
    nothing can be asked.
    """
    try:
        row = TrustedOffice.get_or_none(TrustedOffice.code == office)
        if row is None or row.status is None:
            return None, None
        found = _list(row.status, row.keys)
    except (Busy, BadSeal):
        return None, None
    return found.value(serial), found.made_at


@lru_cache(64)
def _list(token: str, keys: str) -> StatusList:
    """Checked with the keys as they are now: one may have been revoked since it was kept."""
    return status_list.read(token, _parsed(keys)["keys"])


@lru_cache(1024)
def _parsed(text: str) -> KeyFile:
    file: KeyFile = json.loads(text)
    return file


def by_address(address: str) -> TrustedOffice:
    """The trusted office of this address or code. Raises NotFound."""
    wanted = address.rstrip("/")
    row = TrustedOffice.get_or_none(
        (TrustedOffice.address == wanted) | (TrustedOffice.code == wanted)
    )
    if row is None:
        raise NotFound("Dinas ini tidak ada dalam daftar yang dipercaya.")
    return row
