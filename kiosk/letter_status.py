"""What becomes of a letter after it was issued: revoked, suspended and lifted again, replaced.

Its bytes stay as they are. Revoked and replaced are final. Nothing of what was done is lost: who
suspended or lifted it and why stays in the row, locked, after a lift too.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from kiosk import own
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.loket import Loket
from kiosk.staff import Actor
from models import Application, Audit, Event, Letter, User, transaction

# The event with which an application begins that replaces a letter.
REPLACING = "penggantian"
LONGEST_REASON = 500
NOT_THERE = "Surat ini belum terbit."
REVOKED, REPLACED = "Surat ini sudah dicabut.", "Surat ini sudah diganti dengan yang baru."
SUSPENDED = "Surat ini sedang ditangguhkan."
BY_HAND = "Surat ini sudah ditandatangani dan dicap: yang berlaku lembar itu saja."
NOT_SUSPENDED = "Surat ini tidak sedang ditangguhkan."


@dataclass(frozen=True)
class Change:
    """What was done to an issued letter: `what` is suspended, lifted, revoked or replaced.

    `who` and `role` are "" where they were not kept.
    """

    what: str
    at: int
    who: str
    role: str
    reason: str


def revoke(loket: Loket, application_id: int, reason: str, actor: Actor, now: int) -> None:
    """Revoke an issued letter for good, a suspended one too.

    Raises NotAllowed, Invalid, NotFound, Stale when it was revoked or replaced before.
    """

    def done(row: Letter, told: dict[str, Any]) -> None:
        row.revoked_at = now
        row.revoked_ct = loket.vault.lock_json("revoked", told)

    _change(loket, application_id, "revoked", reason, actor, now, done)


def suspend(loket: Loket, application_id: int, reason: str, actor: Actor, now: int) -> None:
    """Suspend an issued letter until it is lifted or revoked. Raises as `revoke`."""

    def done(row: Letter, told: dict[str, Any]) -> None:
        if row.suspended_at is not None:
            raise Stale(SUSPENDED)
        row.suspended_at = now
        _keep(loket, row, told)

    _change(loket, application_id, "suspended", reason, actor, now, done)


def lift(loket: Loket, application_id: int, reason: str, actor: Actor, now: int) -> None:
    """A suspended letter counts again. Raises as `revoke`."""

    def done(row: Letter, told: dict[str, Any]) -> None:
        if row.suspended_at is None:
            raise Stale(NOT_SUSPENDED)
        row.suspended_at = None
        _keep(loket, row, told)

    _change(loket, application_id, "lifted", reason, actor, now, done)


AUDITED = {
    "revoked": "cabut surat",
    "suspended": "tangguhkan surat",
    "lifted": "akhiri penangguhan surat",
}


def _change(
    loket: Loket,
    application_id: int,
    what: str,
    reason: str,
    actor: Actor,
    now: int,
    done: Callable[[Letter, dict[str, Any]], None],
) -> None:
    """One change of one letter, with its reason and its line in the audit."""
    if not loket.profile.may(actor.role, "revoke"):
        raise NotAllowed("Anda tidak berwenang mengubah status surat.")
    said = plain_reason(reason)
    with transaction():
        row = issued(application_id)
        own.require_others(row.application, actor)
        require_not_ended(row)
        done(row, {"what": what, "at": now, "by": actor.id, "role": actor.role, "reason": said})
        row.save()
        Audit.create(at=now, actor=actor.id, what=AUDITED[what], subject=row.number)


def plain_reason(reason: str) -> str:
    """The reason as it is kept. Raises Invalid for none or a long one."""
    said = " ".join(reason.split())
    if not said:
        raise Invalid({"reason": "Tulis alasannya."})
    if len(said) > LONGEST_REASON:
        raise Invalid({"reason": f"Paling banyak {LONGEST_REASON} huruf."})
    return said


def issued(application_id: int) -> Letter:
    """The issued letter of this application. Raises NotFound."""
    row: Letter | None = Letter.get_or_none(
        (Letter.application == application_id) & (Letter.state == "issued")
    )
    if row is None:
        raise NotFound(NOT_THERE)
    return row


def require_not_ended(row: Letter) -> None:
    """Neither revoked nor replaced. Raises Stale."""
    if row.replaced_by_id is not None:
        raise Stale(REPLACED)
    if row.revoked_at is not None:
        raise Stale(REVOKED)


def require_printable(row: Letter) -> None:
    """Neither revoked, replaced nor suspended, nor signed by hand on its sheet. Raises Stale."""
    require_not_ended(row)
    if row.suspended_at is not None:
        raise Stale(SUSPENDED)
    if row.state == "issued" and row.drawn_at is not None:
        raise Stale(BY_HAND)


def require_still_printable(application_id: int) -> None:
    """What waits to be printed may still be: its status may have changed since. Raises Stale."""
    row = Letter.get_or_none(Letter.application == application_id)
    if row is not None:
        require_printable(row)


def _keep(loket: Loket, row: Letter, told: dict[str, Any]) -> None:
    """Add to the list of suspensions and lifts, of which none is ever dropped."""
    changes = [*_kept(loket, row), told]
    row.suspended_ct = loket.vault.lock_json("suspended", {"changes": changes})


def _kept(loket: Loket, row: Letter) -> list[dict[str, Any]]:
    if row.suspended_ct is None:
        return []
    kept: list[dict[str, Any]] = loket.vault.unlock_json("suspended", row.suspended_ct)["changes"]
    return kept


def history(loket: Loket, row: Letter) -> tuple[Change, ...]:
    """All that was done to an issued letter, oldest first."""
    told = _kept(loket, row)
    if row.revoked_ct:
        # A letter revoked by an older version has kept the reason alone.
        ended = loket.vault.unlock_json("revoked", row.revoked_ct)
        told.append({"what": "revoked", "at": row.revoked_at} | ended)
    if row.replaced_by_id is not None and not row.revoked_ct:
        told.append({"at": row.revoked_at} | _replacing(loket, row))
    ids = {one["by"] for one in told if one.get("by")}
    names = {user.id: user.full_name for user in User.select().where(User.id << list(ids))}
    return tuple(_told(one, names) for one in told)


def _told(one: Mapping[str, Any], names: Mapping[int, str]) -> Change:
    who = names.get(one.get("by") or 0, "")
    return Change(one["what"], one["at"], who, one.get("role", ""), one["reason"])


def _replacing(loket: Loket, row: Letter) -> dict[str, Any]:
    """Who had this letter replaced and why, as the application of the new one began."""
    return {"what": "replaced"} | begun(loket, row.replaced_by.application)


def begun(loket: Loket, application: Application) -> dict[str, Any]:
    """Of an application that replaces a letter: its number, the reason, who began, as what."""
    event = Event.get_or_none((Event.application == application) & (Event.action == REPLACING))
    if event is None or event.detail_ct is None:
        return {"letter": "", "reason": "", "by": None, "role": ""}
    told: dict[str, Any] = loket.vault.unlock_json("detail", event.detail_ct)
    return told | {"by": event.actor_id, "role": event.role}


# --- the letter that another one replaces ----------------------------------------------------

INSTEAD = "Surat yang hendak diganti sudah dicabut. Catat permohonan baru."
ALREADY = "Surat yang hendak diganti sudah diganti. Ganti surat yang terbaru."
HELD = "Surat yang hendak diganti sedang ditangguhkan. Akhiri penangguhannya dahulu."
OVER = "Masa berlaku surat yang hendak diganti sudah habis. Catat permohonan baru."


def require_replaceable(row: Letter) -> None:
    """A plainly valid letter, apart from its days. Raises Stale, which says what to do instead."""
    if row.replaced_by_id is not None:
        raise Stale(ALREADY)
    if row.revoked_at is not None:
        raise Stale(INSTEAD)
    if row.suspended_at is not None:
        raise Stale(HELD)


def require_in_time(loket: Loket, row: Letter, now: int) -> None:
    """The day of `now` is one of the letter's. Raises Stale."""
    if row.valid_until < loket.calendar.day_of(now).isoformat():
        raise Stale(OVER)


def replaced_of(application: Application) -> Letter | None:
    """The letter in whose place the one of this application will come, or None."""
    if application.replaces_id is None:
        return None
    found: Letter = Letter.get_by_id(application.replaces_id)
    return found


def require_place(loket: Loket, application: Application, now: int) -> None:
    """Before a letter is made: the one it replaces, if any, can still be replaced. Raises Stale."""
    old = replaced_of(application)
    if old is not None:
        require_replaceable(old)
        require_in_time(loket, old, now)


def take_place(letter_id: int, now: int) -> None:
    """This letter is out: the one it replaces, if any, ends with it.

    Inside the transaction that releases it. Raises Stale where that one has ended otherwise.
    """
    old = replaced_of(Letter.get_by_id(letter_id).application)
    if old is not None:
        require_replaceable(old)
        Letter.update(replaced_by=letter_id, revoked_at=now).where(Letter.id == old.id).execute()


def days_left(application: Application, day: date) -> int | None:
    """How many days a letter of `day` is valid that replaces another: to that one's last day.

    None where it replaces none.
    """
    old = replaced_of(application)
    if old is None:
        return None
    return max(1, (date.fromisoformat(old.valid_until) - day).days + 1)


def newest(row: Letter) -> Letter:
    """The letter that counts in the end: this one, or the last of those that replaced it."""
    while row.replaced_by_id is not None:
        row = row.replaced_by
    return row
