"""A letter in place of another, whose data were wrong: misspelt name, wrong address.

The person and what was checked stay as they were, so the new application begins at the step that
makes the letter, and a signer reads it as any other. The old letter counts until the new one is
out; that one's validity ends on the same day.
"""

import re
from collections.abc import Mapping

from kiosk import desk, forms, letter_status, numbers, own, queue, versions
from kiosk.errors import Invalid, NotAllowed, Stale
from kiosk.identity import normal_name
from kiosk.loket import Loket
from kiosk.service import LetterService, Step
from kiosk.staff import Actor
from models import Application, Audit, Event, Letter, transaction

CHANNEL = "counter"
KEY = re.compile(r"[0-9a-f]{32}")
OTHER_NIK = "NIK lain berarti surat untuk orang lain. Catat permohonan baru."
OTHER_KK = "Nomor KK lain perlu dicek lagi. Catat permohonan baru."
OPEN = "Penggantian surat ini sudah diajukan dan menunggu tanda tangan."
NO_WAY = "Layanan atau keperluan surat ini tidak ada lagi. Catat permohonan baru."


def replace(
    loket: Loket,
    application_id: int,
    person: Mapping[str, str],
    reason: str,
    actor: Actor,
    now: int,
    key: str = "",
) -> int:
    """Start the letter that will replace this application's: the new application's id.

    `person` has the parts of `forms.PERSON`, NIK and KK as they were or "". `key` (32 hex digits)
    is that of the form: sent twice, it is the same application. Raises NotAllowed, Invalid by
    field, NotFound, and Stale, which says what to do, where this letter cannot be replaced.
    """
    if not may(loket, actor):
        raise NotAllowed("Penggantian surat dicatat petugas loket atau penanda tangan.")
    with transaction():
        known = Application.get_or_none(Application.key == key) if KEY.fullmatch(key) else None
        if known:
            return int(known.id)
        row = letter_status.issued(application_id)
        own.require_others(row.application, actor)
        letter_status.require_replaceable(row)
        letter_status.require_in_time(loket, row, now)
        if open_for(row) is not None:
            raise Stale(OPEN)
        corrected = _corrected(loket, row.application, person, reason)
        why = {"letter": row.number, "reason": letter_status.plain_reason(reason)}
        made = _begin(loket, row, corrected, why, actor, now, key)
        Audit.create(at=now, actor=actor.id, what="ganti surat", subject=row.number)
    return made


def may(loket: Loket, actor: Actor) -> bool:
    """Whether this member of staff may have letters replaced: front office and signers."""
    return any(loket.profile.may(actor.role, right) for right in ("revoke", "queue"))


def open_for(row: Letter) -> Application | None:
    """The application on its way that will replace this letter, or None."""
    waiting = (Application.replaces == row) & Application.closed_at.is_null()
    found: Application | None = Application.get_or_none(waiting)
    if found is not None and row.replaced_by_id is not None:
        return None
    return found


def require_free(application: Application) -> None:
    """An ended application may go on: nothing else replaces its letter by now. Raises Stale."""
    old = letter_status.replaced_of(application)
    if old is None:
        return
    if old.replaced_by_id is not None:
        raise Stale(letter_status.ALREADY)
    if open_for(old) is not None:
        raise Stale(OPEN)


def _corrected(
    loket: Loket, application: Application, person: Mapping[str, str], reason: str
) -> dict[str, str]:
    """The person's data as they ought to be. Raises Invalid with all faults."""
    before: dict[str, str] = loket.vault.unlock_json("given", application.given_ct)
    given = {part: " ".join(person.get(part, "").split()) for part in forms.PERSON}
    for part in ("nik", "kk"):
        given[part] = re.sub(r"[\s.\-]", "", given[part]) or before[part]
    faults = {f"person.{part}": said for part, said in forms.person_faults(given).items()}
    if given["nik"] != before["nik"]:
        faults["person.nik"] = OTHER_NIK
    if given["kk"] != before["kk"]:
        faults["person.kk"] = OTHER_KK
    try:
        letter_status.plain_reason(reason)
    except Invalid as invalid:
        faults |= invalid.fields
    if faults:
        raise Invalid(faults)
    return given | {"name": normal_name(given["name"])}


def _begin(
    loket: Loket,
    row: Letter,
    person: Mapping[str, str],
    why: Mapping[str, str],
    actor: Actor,
    now: int,
    key: str,
) -> int:
    """The new application with its event, and its ticket, for which nobody is called."""
    service, step = _maker(loket, row.application, row.kind)
    application = _application(loket, row, service, step, person, now, key)
    Event.create(
        application=application,
        seq=application.seq,
        at=now,
        actor=actor.id,
        role=actor.role,
        action=letter_status.REPLACING,
        from_step="",
        to_step=step.id,
        due_at=application.due_at,
        detail_ct=loket.vault.lock_json("detail", dict(why)),
    )
    queue.take(loket, application, service.series, now)
    queue.leave(application.id, now, actor.id)
    return int(application.id)


CARRIED = ("service", "purpose", "priority", "nik_ix", "check_ct", "in_snapshot")


def _application(
    loket: Loket,
    row: Letter,
    service: LetterService,
    step: Step,
    person: Mapping[str, str],
    now: int,
    key: str,
) -> Application:
    """With the old one's check, promised anew."""
    year = str(loket.calendar.day_of(now).year)
    budget, due = desk.promise_at(loket, service, step, now)
    return Application.create(
        number=f"{year}-{numbers.take('application', year):06d}",
        key=key or None,
        replaces=row,
        channel=CHANNEL,
        version=versions.remember(loket, now),
        step=step.id,
        seq=1,
        given_ct=loket.vault.lock_json("given", dict(person)),
        created_at=now,
        budget_s=budget,
        due_at=due,
        **{name: getattr(row.application, name) for name in CARRIED},
    )


def _maker(loket: Loket, old: Application, kind: str) -> tuple[LetterService, Step]:
    """The present service and its step whose act makes a letter of this kind. Raises Stale."""
    try:
        service = loket.profile.letter_service(old.service)
    except KeyError:
        raise Stale(NO_WAY) from None
    makers = [
        step
        for step in service.steps
        for action in step.actions
        if {"issue", "draw_up"} & set(action.does) and _kind(service, action.letter) == kind
    ]
    if not makers or service.purpose(old.purpose) is None:
        raise Stale(NO_WAY)
    return service, makers[0]


def _kind(service: LetterService, letter: str | None) -> str:
    return service.letter_of(letter).kind
