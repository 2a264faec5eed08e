"""What the office's admin does with its keys: look at them, change them, mark one as stolen."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time

from peewee import fn

from kiosk import key_file
from kiosk.errors import Invalid, NotFound
from kiosk.loket import Loket
from kiosk.office_key import Known
from kiosk.seal import PublicKey
from models import Audit, Letter, transaction

SOON_DAYS = 30
BACKED_UP, CHANGED = "cadangkan kunci", ("ganti kunci", "cabut kunci")


@dataclass(frozen=True)
class KeyRow:
    """A seal key, or a certificate, as a person sees it; both days belong to its time.

    `state`: signs, former, revoked; of the one that signs also soon (it ends within a month) and
    ended. `letters` counts the issued ones it sealed, None for a certificate.
    """

    number: int
    fingerprint: str
    begins: date
    ends: date
    revoked_at: date | None
    state: str
    letters: int | None = None


@dataclass(frozen=True)
class Keys:
    """All of them, oldest first. `backed_up_at` (epoch seconds) is the last copy's, None without
    one; `copy_is_old` when there is none, or keys have changed since. `missing`: numbers of seal
    keys that issued letters need and that are not here, as after restoring an old copy.
    """

    seal: list[KeyRow]
    signing: list[KeyRow]
    backed_up_at: int | None
    copy_is_old: bool
    missing: list[int]

    @property
    def ending(self) -> list[KeyRow]:
        """Those in use that end within a month, or have ended."""
        return [row for row in (*self.seal, *self.signing) if row.state in ("soon", "ended")]


@dataclass(frozen=True)
class Compromised:
    """What marking a key did: the new key's number if one was made, and the numbers of the issued
    letters that are not believed any more, in their order.
    """

    new_key: int | None
    numbers: list[str]


def overview(loket: Loket, now: int) -> Keys:
    """Every key that this office has or had, as of `now`."""
    today = loket.calendar.day_of(now)
    public, known = loket.seal_keys.public(), loket.office_keys.known()
    sealed = _sealed()
    seals = [
        _row(key["key_id"], key_file.key_fingerprint(key), _days_of(key), key is public[-1], today)
        for key in public
    ]
    copied, changed = _last(BACKED_UP), _last(*CHANGED)
    return Keys(
        seal=[_with_letters(row, sealed.get(row.number, 0)) for row in seals],
        signing=[_certificate(loket, n, known, today) for n in range(1, len(known) + 1)],
        missing=sorted(set(sealed) - {row.number for row in seals}),
        backed_up_at=copied.at if copied else None,
        copy_is_old=copied is None or (changed is not None and changed.id > copied.id),
    )


def _days_of(key: PublicKey) -> tuple[date, date, date | None]:
    revoked = key["revoked_at"]
    begins, ends = date.fromisoformat(key["not_before"]), date.fromisoformat(key["expires"])
    return begins, ends, date.fromisoformat(revoked) if revoked else None


def _certificate(loket: Loket, number: int, known: list[Known], today: date) -> KeyRow:
    one = known[number - 1]
    days = (
        loket.calendar.day_of(int(one.certificate.not_valid_before_utc.timestamp())),
        loket.calendar.day_of(int(one.certificate.not_valid_after_utc.timestamp())),
        one.revoked_at,
    )
    return _row(number, one.fingerprint(), days, number == len(known), today)


def _row(
    number: int,
    fingerprint: str,
    days: tuple[date, date, date | None],
    signs: bool,
    today: date,
) -> KeyRow:
    begins, ends, revoked = days
    state = "revoked" if revoked else _state(ends, today) if signs else "former"
    return KeyRow(number, fingerprint, begins, ends, revoked, state)


def _state(ends: date, today: date) -> str:
    left = (ends - today).days
    return "ended" if left < 0 else "soon" if left < SOON_DAYS else "signs"


def _with_letters(row: KeyRow, letters: int) -> KeyRow:
    return KeyRow(**{**row.__dict__, "letters": letters})


def _sealed() -> dict[int, int]:
    """Key id → how many issued letters it sealed."""
    count = fn.COUNT(Letter.id)
    query = Letter.select(Letter.seal_key, count).where(Letter.state == "issued")
    rows: list[tuple[int, int]] = list(query.group_by(Letter.seal_key).tuples())  # type: ignore[arg-type]
    return dict(rows)


def _last(*what: str) -> Audit | None:
    newest: Audit | None = (
        Audit.select().where(Audit.what.in_(what)).order_by(Audit.id.desc()).first()
    )
    return newest


def ends_on(loket: Loket) -> date:
    """The last day on which both keys in use sign."""
    _, seal_ends, _ = _days_of(loket.seal_keys.public()[-1])
    certificate = loket.office_key.certificate
    return min(seal_ends, loket.calendar.day_of(int(certificate.not_valid_after_utc.timestamp())))


def rotate_seal(loket: Loket, now: int) -> int:
    """A new seal key; its id. The old private half is gone. Unusable when all ids are used up.

    Its id is also above those of letters whose key is not known any more: a key file restored from
    an old copy must not give the same id to another key.
    """
    highest = Letter.select(fn.MAX(Letter.seal_key)).scalar() or 0
    key_id = loket.seal_keys.rotate(now, above=highest)
    _note("ganti kunci", f"segel {key_id}", now)
    return key_id


def rotate_signing(loket: Loket, now: int) -> int:
    """A new key and certificate for the signature on PDFs; its number. The old key is gone."""
    loket.office_keys.rotate(loket.profile.office.name, now)
    number = len(loket.office_keys.known())
    _note("ganti kunci", f"tanda tangan {number}", now)
    return number


def compromise_seal(loket: Loket, key_id: int, day: date, reason: str, now: int) -> Compromised:
    """Believe no code of this key that is dated `day` or later; a new key at once if it signed.

    Sheets under it that wait for a signature by hand must be drawn up again. Raises NotFound,
    Invalid without a reason or for a day to come.
    """
    _require_sense(loket, day, reason, now)
    if all(key["key_id"] != key_id for key in loket.seal_keys.public()):
        raise NotFound("Kunci segel tidak ditemukan.")
    signed = loket.seal_keys.current()[0] == key_id
    # Revoked first: a key that is known as stolen must not name its successor.
    loket.seal_keys.revoke(key_id, day)
    _note("cabut kunci", f"segel {key_id} sejak {day.isoformat()}: {reason.strip()}", now)
    new = rotate_seal(loket, now) if signed else None
    _spoil_sheets(loket, key_id, day)
    return Compromised(new, _dated(loket, key_id, day))


def compromise_signing(loket: Loket, number: int, day: date, reason: str, now: int) -> Compromised:
    """Believe no PDF of this certificate that says it was signed on `day` or later, but those in
    the archive; a new key at once if it signed. Letters keep their seal: none is to be made again.

    Raises as `compromise_seal`.
    """
    _require_sense(loket, day, reason, now)
    signed = loket.office_keys.revoke(number, day, loket.profile.office.name, now)
    said = f"tanda tangan {number} sejak {day.isoformat()}: {reason.strip()}"
    _note("cabut kunci", said, now)
    return Compromised(len(loket.office_keys.known()) if signed else None, [])


def note_backup(now: int) -> None:
    """All keys were copied: the pages no longer ask for it."""
    _note(BACKED_UP, "", now)


def _require_sense(loket: Loket, day: date, reason: str, now: int) -> None:
    if not reason.strip():
        raise Invalid({"reason": "Tulis alasannya: ia dicatat dan dibaca kelak."})
    if day > loket.calendar.day_of(now):
        raise Invalid({"from": "Tanggal ini belum tiba."})


def _spoil_sheets(loket: Loket, key_id: int, day: date) -> None:
    waiting = (Letter.state == "numbered") & Letter.drawn_at.is_null(False)
    with transaction():
        for row in Letter.select().where(waiting & (Letter.seal_key == key_id)):
            if _day_of(loket, row) >= day:
                Letter.update(drawn_at=None).where(Letter.id == row.id).execute()


def _dated(loket: Loket, key_id: int, day: date) -> list[str]:
    # A letter's day is never after that of its issue, so its index narrows what is unlocked.
    begin = int(datetime.combine(day, time(), UTC).timestamp()) - 86400
    issued = (Letter.state == "issued") & (Letter.seal_key == key_id)
    rows = Letter.select().where(issued & (Letter.issued_at >= begin)).order_by(Letter.id)
    return [row.number for row in rows if _day_of(loket, row) >= day]


def _day_of(loket: Loket, row: Letter) -> date:
    facts = loket.vault.unlock_json("letter", row.facts_ct)
    return date.fromisoformat(facts["day"])


def _note(what: str, subject: str, now: int) -> None:
    with transaction():
        Audit.create(at=now, what=what, subject=subject)
