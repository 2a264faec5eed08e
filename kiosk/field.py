"""Work outside of the office: an officer's visits, their photos and reports, sent from a phone.

On a bad line everything may be sent twice: a photo by its key, a report by what the case looked
like when it was written. Neither arrives twice.
"""

from dataclasses import dataclass
from hashlib import sha256

from kiosk import casefile, desk, documents, letter, versions, workflow
from kiosk.case_history import Told
from kiosk.casefile import Case
from kiosk.documents import Owner
from kiosk.errors import Invalid, NotFound, Stale
from kiosk.forms import Given
from kiosk.identity import mask_nik
from kiosk.loket import Loket
from kiosk.service import Action, FormField
from kiosk.staff import Actor
from models import Application, Event

NOT_YOURS = "Kunjungan ini tidak ada, sudah dilaporkan, atau bukan lagi tugas Anda."


@dataclass(frozen=True)
class Visit:
    """A visit to make: its case, the act that reports it, what is known so far.

    `asked` is what whoever gave the task wrote with it, `known` all the rest. `sent` are the photos
    that have arrived, by the name of their field.
    """

    case: Case
    action: Action
    asked: tuple[Told, ...]
    known: tuple[Told, ...]
    sent: dict[str, int]

    @property
    def address(self) -> str:
        """Street and RT/RW, as on the letter; "" where none was given."""
        return letter.address(self.case.person)

    @property
    def place(self) -> str:
        """Desa or kelurahan, and kecamatan."""
        parts = (self.case.person["village"], self.case.person["district"])
        return ", ".join(part for part in parts if part)

    @property
    def nik(self) -> str:
        """Masked: a phone is looked at over one's shoulder."""
        return mask_nik(self.case.person["nik"])

    @property
    def photo_fields(self) -> tuple[FormField, ...]:
        return tuple(field for field in self.action.fields if field.kind == "files")


def visits(loket: Loket, actor: Actor, now: int) -> tuple[Visit, ...]:
    """The visits that were given to the actor, oldest promise first."""
    mine = Application.select().where(
        Application.closed_at.is_null() & (Application.assignee == actor.id)
    )
    found = [
        _visit(casefile.read(loket, application.id, actor, now), action)
        for application in mine
        if (action := _report_of(loket, application, actor))
    ]
    return tuple(sorted(found, key=lambda one: (one.case.clock.due_at or 0, one.case.id)))


def visit(loket: Loket, application_id: int, actor: Actor, now: int) -> Visit:
    """One of them. Raises NotFound for what is not the actor's, or no visit any more."""
    action = _report_of(loket, desk.find(application_id), actor)
    if action is None:
        raise NotFound(NOT_YOURS)
    return _visit(casefile.read(loket, application_id, actor, now), action)


def _report_of(loket: Loket, application: Application, actor: Actor) -> Action | None:
    """The act by which the actor reports this visit: the first that asks for what was seen there,
    not for whom to give it to. None where it is no visit of theirs.
    """
    step = versions.step_of(loket, application)
    given = application.closed_at is None and application.assignee_id == actor.id
    acts = workflow.offered(step, actor.role, assigned=True) if given and step.field_work else ()
    kinds = ((act, {field.kind for field in act.fields}) for act in acts)
    return next((act for act, asked in kinds if asked and "staff" not in asked), None)


def _visit(case: Case, action: Action) -> Visit:
    held = documents.held(case.id, action.fields)
    given = [event for event in case.passed if "assignee" in event.detail]
    others = [event for event in case.passed if event not in given]
    return Visit(
        case,
        action,
        asked=tuple(t for event in given for t in event.told if t[1] != (case.assignee,)),
        known=tuple(told for event in others for told in event.told),
        sent={name: len(ids) for name, ids in held.items()},
    )


def add_photo(
    loket: Loket,
    application_id: int,
    name: str,
    data: bytes,
    key: str,
    actor: Actor,
    now: int,
) -> int:
    """Keep a photo of a visit for the field `name`; its id. The same `key` is the same photo.

    Without a key its bytes are: a form that is sent again adds nothing. Raises NotFound,
    Invalid({name: reason}).
    """
    asked = visit(loket, application_id, actor, now)
    field = next((one for one in asked.photo_fields if one.name == name), None)
    if field is None or field.document is None:
        raise NotFound(NOT_YOURS)
    own = key[:64] or sha256(data).hexdigest()
    whose = Owner(application=application_id)
    try:
        return documents.add(
            loket,
            whose,
            field.document,
            data,
            "field",
            f"field:{application_id}:{own}",
            now,
            actor,
        )
    except Invalid as fault:
        raise Invalid({name: " ".join(fault.fields.values())}) from None


def report(
    loket: Loket, application_id: int, given: Given, actor: Actor, seq: int, now: int
) -> None:
    """Report the visit; one that has arrived already is not told twice, and no fault.

    Raises NotFound, Invalid by field, Stale when the case is no longer as it was.
    """
    if _arrived(application_id, actor, seq):
        return
    action = visit(loket, application_id, actor, now).action
    try:
        desk.act(loket, application_id, action.id, given, actor, seq, now)
    except Stale:
        if not _arrived(application_id, actor, seq):
            raise


def _arrived(application_id: int, actor: Actor, seq: int) -> bool:
    """Whether the next thing that happened was this person's own act."""
    theirs = (Event.application == application_id) & (Event.seq == seq + 1)
    return bool(Event.select().where(theirs & (Event.actor == actor.id)).exists())
