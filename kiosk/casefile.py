"""One application, whole: what was given and found, its clock, the way so far and ahead."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from peewee import JOIN, fn

from kiosk import desk, spool, versions, workflow
from kiosk.clock import light
from kiosk.errors import NotFound
from kiosk.identity import WARNING_TEXTS, Sex, mask_nik, nik_warnings, normal_name
from kiosk.letter import address, person_rows
from kiosk.loket import Loket
from kiosk.register_row import Person
from kiosk.service import Action, FormField, Service, Step
from kiosk.staff import Actor
from kiosk.tables import Text
from models import Application, Event, Letter, Ticket, User

MANUAL = Text(id="Diketik warga, tidak ada di basis data", en="Typed by hand, not in the register")
OTHER_KK = Text(id="Diketik warga, nomor KK berbeda", en="Typed by hand, another KK number")


@dataclass(frozen=True)
class Clock:
    """A running clock: seconds left of the budget, until when the office works, its colour.

    `until` is the epoch when the office closes for a break or the day, or None while the clock
    stands still (waiting for the citizen, or the office is closed).
    """

    left: int
    budget: int
    until: int | None
    light: str
    due_at: int | None
    stopped: bool


@dataclass(frozen=True)
class Compared:
    """A line of the data table: what the citizen gave beside what the register says."""

    label: str
    given: str
    found: str
    differs: bool


Told = tuple[Text, tuple[Text | str, ...]]


@dataclass(frozen=True)
class Passed:
    """One event of the way so far. `order` names a standing disposition.

    `detail` is what the act was given, `told` the same as people read it: labels and values.
    """

    title: Text
    said: Text
    at: int
    who: str
    role: Text | None
    order: str
    detail: Mapping[str, Any]
    told: tuple[Told, ...]


@dataclass(frozen=True)
class LetterView:
    number: str
    state: str
    issued_at: int | None
    valid_until: str
    digits: str
    revoked_at: int | None
    prints: int


@dataclass(frozen=True)
class Case:
    """The whole case as a desk shows it. `seq` goes back with the act."""

    id: int
    seq: int
    label: str
    ticket_id: int
    ticket_state: str
    day: date
    number: str
    name: str
    service: Service
    purpose: Text
    priority: Text | None
    step: Step
    clock: Clock
    compared: tuple[Compared, ...]
    register_note: Text | None
    as_of: str
    programmes: str
    register_id: str
    rank: int | None
    remark: Mapping[str, Any] | None
    check: Mapping[str, Any] | None
    passed: tuple[Passed, ...]
    ahead: tuple[Step, ...]
    actions: tuple[Action, ...]
    person: Mapping[str, str]
    assignee: str
    letter: LetterView | None
    can_take_back: bool
    can_read_draft: bool
    warnings: tuple[str, ...]


def clock_of(loket: Loket, application: Application, now: int) -> Clock:
    """The clock of the promise to the citizen."""
    unit = versions.service_of(loket, application).time.unit
    calendar = loket.calendar
    if application.due_at is None or application.closed_at is not None:
        left = application.left_s
        if left is None:
            end = application.closed_at or now
            left = calendar.left(end, application.due_at or end, unit)
        colour = light(left, application.budget_s)
        return Clock(left, application.budget_s, None, colour, application.due_at, True)
    left = calendar.left(now, application.due_at, unit)
    span = next((s for s in calendar.spans(calendar.day_of(now)) if s[0] <= now < s[1]), None)
    return Clock(
        left,
        application.budget_s,
        span[1] if span else None,
        light(left, application.budget_s),
        application.due_at,
        stopped=False,
    )


def given_of(loket: Loket, application: Application) -> dict[str, str]:
    """What the citizen gave, unlocked: the parts of `forms.PERSON`."""
    given: dict[str, str] = loket.vault.unlock_json("given", application.given_ct)
    return given


def purpose_of(service: Service, application: Application) -> Text:
    """What the letter is for; its id where the office dropped that purpose."""
    purpose = service.purpose(application.purpose)
    return purpose.title if purpose else Text(id=application.purpose, en=application.purpose)


def priority_of(loket: Loket, application: Application) -> Text | None:
    """The priority group, or None."""
    groups = loket.profile.priorities
    return next((group.title for group in groups if group.id == application.priority), None)


def read(loket: Loket, application_id: int, actor: Actor, now: int) -> Case:
    """A case whole. Raises NotFound when this role has never had to do with it.

    Front office and whoever acted on it may always read it: a citizen asks where it is.
    """
    application = desk.find(application_id)
    service = versions.service_of(loket, application)
    step = service.step(application.step)
    _require_reader(loket, application, step, actor)
    ticket = Ticket.get(Ticket.application == application)
    given = given_of(loket, application)
    found = loket.register.find_nik(given["nik"])
    letter = Letter.get_or_none(Letter.application == application)
    mine = actor.role in step.roles
    return Case(
        id=application.id,
        seq=application.seq,
        label=ticket.label,
        ticket_id=ticket.id,
        ticket_state=ticket.state,
        day=date.fromisoformat(ticket.day),
        number=application.number,
        name=given["name"].title(),
        service=service,
        purpose=purpose_of(service, application),
        priority=priority_of(loket, application),
        step=step,
        clock=clock_of(loket, application, now),
        compared=_compare(given, found),
        register_note=None if application.in_snapshot else OTHER_KK if found else MANUAL,
        as_of=str(loket.register.as_of() or ""),
        **_of_register(found),
        remark=_unlock(loket, "remark", application.remark_ct),
        check=_check(loket, application, service),
        passed=_passed(loket, application, service),
        ahead=tuple(workflow.way(service, [application.step])),
        actions=workflow.offered(step, actor.role, application.assignee_id == actor.id),
        person=given,
        assignee=application.assignee.full_name if application.assignee else "",
        letter=_letter_view(loket, letter) if letter else None,
        can_take_back=desk.can_take_back(loket, application, actor, now),
        can_read_draft=mine and any("issue" in action.does for action in step.actions),
        warnings=_warnings(given),
    )


def _of_register(found: Person | None) -> dict[str, Any]:
    """What the snapshot's row offers for the letter."""
    if found is None:
        return {"programmes": "", "register_id": "", "rank": None}
    programmes = ", ".join(found.programmes)
    return {"programmes": programmes, "register_id": found.register_id, "rank": found.rank}


def _require_reader(loket: Loket, application: Application, step: Step, actor: Actor) -> None:
    if not _may_read(loket, application, step, actor):
        raise NotFound("Permohonan ini tidak ada.")


def _may_read(loket: Loket, application: Application, step: Step, actor: Actor) -> bool:
    may = loket.profile.may
    if actor.role in step.roles or may(actor.role, "queue"):
        return True
    issued = Letter.select().where((Letter.application == application) & (Letter.state == "issued"))
    if may(actor.role, "revoke") and issued.exists():
        return True
    acted = Event.select().where((Event.application == application) & (Event.actor == actor.id))
    return bool(acted.exists())


TICKET_LABEL = re.compile(r"([A-Z])[ .-]?0*([1-9][0-9]{0,8})")


APPLICATION_NUMBER = re.compile(r"([0-9]{4})[ -]?0*([1-9][0-9]{0,8})")


def find(loket: Loket, text: str, actor: Actor, now: int) -> int | None:
    """The application of today's ticket "A07", of its number "2026-000418" or of a letter's number.

    None when there is none, or none that the actor may read: the two look the same.
    """
    plain = " ".join(text.upper().split())
    query = Application.select()
    if label := TICKET_LABEL.fullmatch(plain):
        day = loket.calendar.day_of(now).isoformat()
        theirs = (Ticket.series == label[1]) & (Ticket.number == int(label[2]))
        query = query.join(Ticket).where((Ticket.day == day) & theirs)
    elif number := APPLICATION_NUMBER.fullmatch(plain):
        query = query.where(Application.number == f"{number[1]}-{int(number[2]):06d}")
    else:
        query = query.join(Letter).where(fn.UPPER(Letter.number) == plain)
    found = query.first()
    if found is None or not _may_read(loket, found, versions.step_of(loket, found), actor):
        return None
    return int(found.id)


def _unlock(loket: Loket, label: str, blob: bytes | None) -> dict[str, Any] | None:
    return loket.vault.unlock_json(label, blob) if blob else None


def _check(loket: Loket, application: Application, service: Service) -> dict[str, Any] | None:
    """What the operator saw, with `said`, the words of the act that recorded it."""
    check = _unlock(loket, "check", application.check_ct)
    if check is None:
        return None
    acts = [action for step in service.steps for action in step.actions]
    checks = (act for act in acts if "record_check" in act.does)
    recorded = (act.said for act in checks if act.id == check["result"])
    return check | {"said": next(recorded, None)}


def _compare(given: Mapping[str, str], found: Any) -> tuple[Compared, ...]:
    """What the citizen gave beside the register's row, numbers masked; differences marked."""
    mine = dict(person_rows(given, mask_nik(given["nik"]), mask_nik(given["kk"])))
    if found is None:
        return tuple(Compared(label, value, "", False) for label, value in mine.items())
    row = {part: getattr(found, part) for part in given}
    if not given["birth_place"]:
        row["birth_place"] = ""  # so that both are labelled, and compared, by the date alone
    theirs = dict(person_rows(row, mask_nik(found.nik), mask_nik(found.kk)))
    differs = _differences(given, row)
    labels = [*mine, *(label for label in theirs if label not in mine)]
    return tuple(
        Compared(label, mine.get(label, ""), theirs.get(label, ""), label in differs)
        for label in labels
    )


def _differences(given: Mapping[str, str], row: Mapping[str, str]) -> set[str]:
    pairs = {
        "Nama": (normal_name(given["name"]), normal_name(row["name"])),
        "NIK": (given["nik"], row["nik"]),
        "Nomor KK": (given["kk"], row["kk"]),
        "Tempat, tanggal lahir": (given["birth_date"], row["birth_date"]),
        "Tanggal lahir": (given["birth_date"], row["birth_date"]),
        "Alamat": (normal_name(address(given)), normal_name(address(row))),
        "Desa/Kelurahan": (normal_name(given["village"]), normal_name(row["village"])),
        "Kecamatan": (normal_name(given["district"]), normal_name(row["district"])),
    }
    return {label for label, (mine, theirs) in pairs.items() if mine != theirs}


def _warnings(given: Mapping[str, str]) -> tuple[str, ...]:
    """A NIK that does not fit the person's other data: to be looked at, never a refusal."""
    born = date.fromisoformat(given["birth_date"]) if given["birth_date"] else None
    sex: Sex = "L" if given["sex"] == "L" else "P" if given["sex"] == "P" else ""
    return tuple(WARNING_TEXTS[warning] for warning in nik_warnings(given["nik"], born, sex))


def _passed(loket: Loket, application: Application, service: Service) -> tuple[Passed, ...]:
    events = (
        Event.select(Event, User)
        .join(User, JOIN.LEFT_OUTER)
        .where(Event.application == application)
        .order_by(Event.seq)
    )
    return tuple(_passed_event(loket, service, event) for event in events)


SUBMITTED = Text(id="Permohonan diajukan", en="Application submitted")


TAKEN_BACK = Text(id="Langkah ditarik kembali", en="Act taken back")


BY_PROGRAM = {"diajukan": SUBMITTED, "ditarik": TAKEN_BACK}


def _passed_event(loket: Loket, service: Service, event: Event) -> Passed:
    # A step or act that the office's file no longer has still stands in the history, by its id.
    step = next((step for step in service.steps if step.id == event.from_step), None)
    action = step.action(event.action) if step else None
    unknown = Text(id=event.action, en=event.action)
    said = action.said if action else BY_PROGRAM.get(event.action, unknown)
    role = loket.profile.role(event.role)
    detail = _unlock(loket, "detail", event.detail_ct) or {}
    return Passed(
        title=step.title if step else said,
        said=said,
        at=event.at,
        who=event.actor.full_name if event.actor else "",
        role=role.title if role else None,
        order=event.order,
        detail=detail,
        told=_told(service, action, detail),
    )


def _told(service: Service, action: Action | None, values: Mapping[str, Any]) -> tuple[Told, ...]:
    fields = action.fields if action else ()
    told = ((field.label, _value(service, field, values.get(field.name))) for field in fields)
    return tuple((label, value) for label, value in told if value)


def _value(service: Service, field: FormField, value: Any) -> tuple[Text | str, ...]:
    """A field's value as people read it; a whole person is not repeated."""
    if not value or isinstance(value, dict):
        return ()
    if field.kind == "requirements":
        return tuple(one.title for one in service.requirements if one.id in value)
    if field.kind == "choice":
        return tuple(one.title for one in field.options if one.id == value)
    if field.kind == "staff":
        return tuple(user.full_name for user in User.select().where(User.id == int(value)))
    return (str(value),)


def _letter_view(loket: Loket, letter: Letter) -> LetterView:
    facts = loket.vault.unlock_json("letter", letter.facts_ct)
    return LetterView(
        number=letter.number,
        state=letter.state,
        issued_at=letter.issued_at,
        valid_until=letter.valid_until,
        digits=facts["digits"],
        revoked_at=letter.revoked_at,
        prints=spool.count("letter", letter.application_id, "kiosk")
        + spool.count("letter", letter.application_id, "counter"),
    )
