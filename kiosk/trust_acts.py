"""How another office comes to be trusted, or a coordinating office's list of them; and ends to be.

What is asked for by hand. What goes on by itself afterwards: `kiosk.trust_refresh`.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from kiosk import fetch, jws, key_file, trust
from kiosk.errors import NotAllowed, NotFound, Stale, Unusable
from kiosk.files import write_over
from kiosk.key_file import KeyFile
from kiosk.loket import Loket
from kiosk.seal import BadSeal
from models import Audit, TrustedList, TrustedOffice, transaction

LIST_TYPE = "sk-trust+jwt"
LIST_FILE = "sk-trust.jwt"
# How far another office's clock may be ahead of ours.
AHEAD_S = 300


@dataclass(frozen=True)
class Offer:
    """What was fetched or read, not believed yet. `offices` is None for a single office's keys;
    else `file` is that of the coordinating office, `made_at` (epoch seconds) when it signed.
    """

    file: KeyFile
    fingerprint: str
    offices: list[KeyFile] | None = None
    made_at: int = 0


@dataclass(frozen=True)
class Listed:
    """A trusted office or list as a person sees it; times are epoch seconds, days ISO dates.

    `via` names the list that an office came with, `offices` counts those of a list.
    """

    kind: str
    name: str
    code: str
    address: str
    fingerprint: str
    keys: int
    via: str
    offices: int
    status_at: int | None
    refreshed_at: int


def offered(source: str) -> Offer:
    """The key file or signed list at this address, or in this file. Raises Unusable."""
    if "://" in source:
        bare = urlsplit(source).path in ("", "/")
        text = fetch.text_of(source.rstrip("/") + trust.KEYS_PATH if bare else source)
    else:
        text = _file_text(Path(source))
    signed = text.startswith("eyJ")
    offer = read_list(text.strip()) if signed else _of_office(key_file.parse(text))
    require_reachable(source, offer.file)
    return offer


def require_reachable(source: str, file: KeyFile) -> None:
    """What comes from elsewhere does not name an address on this machine, which would be asked
    every hour. Raises Unusable.
    """
    if "://" in source and not fetch.is_local(source) and fetch.is_local(file["address"]):
        raise Unusable(f"{file['name']}: alamatnya hanya ada di komputer lain.")


def _file_text(path: Path) -> str:
    try:
        if path.stat().st_size > fetch.LARGEST:
            raise Unusable("Berkas ini terlalu besar untuk berkas kunci.")
        return path.read_text("utf-8")
    except (OSError, UnicodeError):
        raise Unusable("Berkas kunci tidak dapat dibaca.") from None


def _of_office(file: KeyFile) -> Offer:
    return Offer(file, key_file.fingerprint(file))


def read_list(token: str, believed: KeyFile | None = None) -> Offer:
    """A coordinating office's list, signed with one of the keys that it names as its own.

    With `believed`, its keys as they were, only with one that follows from them. Raises BadSeal,
    Unusable.
    """
    claims = jws.unverified(token)
    coordinator = key_file.of(claims.get("coordinator"))
    if believed is not None:
        coordinator, _ = key_file.followed(believed, coordinator)
    claims = jws.read(token, coordinator["keys"], LIST_TYPE)
    offices = claims.get("offices")
    if not isinstance(offices, list):
        raise BadSeal("Daftar dinas ini tidak terbaca.")
    found = [key_file.of(one) for one in offices]
    return Offer(coordinator, key_file.fingerprint(coordinator), found, claims["iat"])


def add(loket: Loket, offer: Offer, fingerprint: str, now: int) -> list[str]:
    """Believe what was offered, its fingerprint having been compared; of a list, what of it was
    not taken over, in words.

    An office that is there already is replaced: so it is believed again after its key was stolen.
    Raises Unusable when the fingerprint is another, or it can only be a mistake; Stale for a list
    older than the one that is known.
    """
    if key_file.plain_fingerprint(fingerprint) != offer.fingerprint:
        raise Unusable("Sidik jari tidak sama: jangan percaya berkas ini. Hubungi dinasnya.")
    with transaction():
        Audit.create(at=now, what="percayai dinas", subject=offer.file["address"])
        if offer.offices is not None:
            return keep_list(loket, offer, now)
        require_apart(loket, offer.file)
        put(offer.file, None, now)
    return []


def put(file: KeyFile, via: TrustedList | None, now: int) -> None:
    """Keep the office with these keys. Inside a transaction."""
    known = TrustedOffice.get_or_none(TrustedOffice.address == file["address"])
    row = known or TrustedOffice(address=file["address"], added_at=now)
    row.code, row.name, row.via = file["office"], file["name"], via
    row.keys, row.fingerprint = json.dumps(file), key_file.fingerprint(file)
    row.refreshed_at = now
    row.save()


def require_apart(loket: Loket, file: KeyFile) -> None:
    """This office is none of those that are believed: neither by its code nor by a key.

    With a key of another's it could say that the other's letters are its own. Raises Unusable.
    """
    keys = {key["key"] for key in file["keys"]}
    for other in trust.offices(loket):
        if other["address"] == file["address"] and other["address"] != loket.base_url:
            continue
        same = other["address"] == file["address"] or other["office"] == file["office"]
        if same or keys & {key["key"] for key in other["keys"]}:
            raise Unusable(f"{file['name']}: kode, alamat, atau kuncinya milik {other['name']}.")


def keep_list(loket: Loket, offer: Offer, now: int) -> list[str]:
    """Believe what the list names, and of what came with it before nothing else. Inside a
    transaction. What was not taken over, in words. Raises Stale for an older list.
    """
    address = offer.file["address"]
    if offer.made_at > now + AHEAD_S:
        raise Stale("Daftar ini bertanggal di masa depan; tidak dipakai.")
    row = TrustedList.get_or_none(TrustedList.address == address)
    if row is not None and offer.made_at < row.issued_at:
        raise Stale("Daftar ini lebih lama daripada yang sudah dikenal; tidak dipakai.")
    row = row or TrustedList(address=address, added_at=now)
    row.name, row.key = offer.file["name"], json.dumps(offer.file)
    row.fingerprint, row.issued_at, row.refreshed_at = offer.fingerprint, offer.made_at, now
    row.save()
    named = {file["address"]: file for file in (*(offer.offices or ()), offer.file)}
    gone = (TrustedOffice.via == row) & TrustedOffice.address.not_in(list(named))
    TrustedOffice.delete().where(gone).execute()
    return [fault for fault in (_take(loket, row, file, now) for file in named.values()) if fault]


def _take(loket: Loket, row: TrustedList, file: KeyFile, now: int) -> str:
    """Take over one office that a list names; what hinders it, or ""."""
    if file["address"] == loket.base_url:
        return ""
    if fetch.is_local(file["address"]) and not fetch.is_local(row.address):
        return f"{file['name']}: alamatnya hanya ada di komputer lain."
    known = TrustedOffice.get_or_none(TrustedOffice.address == file["address"])
    if known is not None and (known.via_id != row.id or _is_ahead(known, file)):
        return ""
    try:
        require_apart(loket, file)
    except Unusable as error:
        return error.message
    put(file, row, now)
    return ""


def _is_ahead(known: TrustedOffice, file: KeyFile) -> bool:
    """Whether what is known follows from what the list says: the office has rotated since."""
    try:
        _, fault = key_file.followed(file, json.loads(known.keys))
    except Unusable:
        return False
    return not fault


def remove(address: str, now: int) -> str:
    """Believe this office or list (its address, or an office's code) no longer; its name.

    With a list go the offices that came with it. Raises NotFound, NotAllowed for such an office.
    """
    with transaction():
        listed = TrustedList.get_or_none(TrustedList.address == address.rstrip("/"))
        row: TrustedList | TrustedOffice = listed or trust.by_address(address)
        if isinstance(row, TrustedOffice) and row.via is not None:
            raise NotAllowed(f"Dinas ini dipercaya lewat daftar {row.via.name}: hapus daftarnya.")
        row.delete_instance()
        Audit.create(at=now, what="hapus kepercayaan", subject=row.address)
    return str(row.name)


def listed() -> list[Listed]:
    """Everything that is believed besides this office itself: lists first, then offices by name."""
    lists = list(TrustedList.select().order_by(TrustedList.name))
    names = {row.id: row.name for row in lists}
    offices = list(TrustedOffice.select().order_by(TrustedOffice.name, TrustedOffice.id))
    return [*(_a_list(row, offices) for row in lists), *(_an_office(row, names) for row in offices)]


def _a_list(row: TrustedList, offices: Iterable[TrustedOffice]) -> Listed:
    file: KeyFile = json.loads(row.key)
    return Listed(
        kind="list",
        name=row.name,
        code=file["office"],
        address=row.address,
        fingerprint=row.fingerprint,
        keys=len(file["keys"]),
        via="",
        offices=sum(office.via_id == row.id for office in offices),
        status_at=row.issued_at,
        refreshed_at=row.refreshed_at,
    )


def _an_office(row: TrustedOffice, names: dict[int, str]) -> Listed:
    return Listed(
        kind="office",
        name=row.name,
        code=row.code,
        address=row.address,
        fingerprint=row.fingerprint,
        keys=len(json.loads(row.keys)["keys"]),
        via=names.get(row.via_id or 0, ""),
        offices=0,
        status_at=row.status_at,
        refreshed_at=row.refreshed_at,
    )


def publish(loket: Loket, now: int) -> int:
    """Sign the list of the offices that this one trusts itself, for others to believe; how many.

    Not those that came with another's list: who answers for them is that other.
    """
    rows = TrustedOffice.select().where(TrustedOffice.via.is_null()).order_by(TrustedOffice.code)
    offices = [json.loads(row.keys) for row in rows]
    claims = {
        "iss": loket.base_url,
        "iat": now,
        "coordinator": trust.own(loket),
        "offices": offices,
    }
    token = loket.seal_keys.sign_jwt(claims, LIST_TYPE)
    write_over(loket.home / LIST_FILE, token.encode(), 0o644)
    with transaction():
        Audit.create(at=now, what="terbitkan daftar dinas", subject=str(len(offices)))
    return len(offices)


def published(loket: Loket) -> str:
    """The list that this office signed last. Raises NotFound when it coordinates nobody."""
    try:
        return (loket.home / LIST_FILE).read_text()
    except FileNotFoundError:
        raise NotFound("Dinas ini tidak menerbitkan daftar dinas.") from None
