"""One application, whole: what was given and found, its clock, the way so far and ahead."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any

from peewee import fn

from kiosk import (
    case_history,
    desk,
    facts,
    letter_status,
    letter_view,
    mandates,
    own,
    rules,
    signing,
    taking_back,
    versions,
    workflow,
)
from kiosk.case_history import Passed
from kiosk.errors import NotFound
from kiosk.identity import WARNING_TEXTS, Sex, mask_nik, nik_warnings, normal_name
from kiosk.letter import address, person_rows
from kiosk.letter_view import LetterView, Linked
from kiosk.loket import Loket
from kiosk.promise import Clock, clock_of
from kiosk.register_row import Person
from kiosk.service import Action, Service, Step
from kiosk.staff import Actor
from kiosk.tables import Text
from models import Application, Event, Letter, Ticket

TICKET_LABEL = re.compile(r"([A-Z])[ .-]?0*([1-9][0-9]{0,8})")
APPLICATION_NUMBER = re.compile(r"([0-9]{4})[ -]?0*([1-9][0-9]{0,8})")
# The channel of proposals: they have no ticket, and a page of their own.
PROPOSED = "usulan"
MANUAL = Text(id="Diketik warga, tidak ada di basis data", en="Typed by hand, not in the register")
OTHER_KK = Text(id="Diketik warga, nomor KK berbeda", en="Typed by hand, another KK number")


@dataclass(frozen=True)
class Compared:
    """A line of the data table: what the citizen gave beside what the register says."""

    label: str
    given: str
    found: str
    differs: bool


@dataclass(frozen=True)
class Case:
    """The whole case as a desk shows it. `seq` goes back with the act.

    `refused` maps an act to why its rules would refuse it, as far as is known before it is asked;
    `barred` to why this person cannot do it today at all; `own`: nor anything, it is their own.
    `reserved`: acts of this step are for whom the case was given to, and that is somebody else.
    """

    id: int
    seq: int
    label: str
    ticket_id: int
    ticket_state: str
    day: date
    number: str
    channel: str
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
    refused: Mapping[str, tuple[str, ...]]
    barred: Mapping[str, str]
    own: str
    reserved: bool
    person: Mapping[str, str]
    assignee: str
    letter: LetterView | None
    replaces: Linked | None
    can_take_back: bool
    can_read_draft: bool
    warnings: tuple[str, ...]


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
    ticket = _ticket(application)
    given = given_of(loket, application)
    found = loket.register.find_nik(given["nik"])
    return Case(
        id=application.id,
        seq=application.seq,
        label=ticket.label,
        ticket_id=ticket.id,
        ticket_state=ticket.state,
        day=date.fromisoformat(ticket.day),
        number=application.number,
        channel=application.channel,
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
        passed=case_history.passed(loket, application, service),
        ahead=tuple(workflow.way(service, [application.step])),
        **_acts(loket, application, service, step, actor, now),
        person=given,
        assignee=application.assignee.full_name if application.assignee else "",
        letter=_letter(loket, application, service, actor, now),
        replaces=_replaces(loket, application, actor),
        can_take_back=taking_back.can_take_back(loket, application, actor, now),
        warnings=warnings_of(given),
    )


def _acts(
    loket: Loket, application: Application, service: Service, step: Step, actor: Actor, now: int
) -> dict[str, Any]:
    """What the actor may do now, and what they read before they do it."""
    actions = workflow.offered(step, actor.role, application.assignee_id == actor.id)
    whose = own.OWN if actions and own.is_own(application, actor) else ""
    acts = () if whose else actions
    reasons = {a.id: signing.bar(loket, application, service, a, actor, now) for a in acts}
    barred = {action: reason for action, reason in reasons.items() if reason}
    without = {mandates.NOBODY, mandates.HELD} & set(barred.values())
    makes = {effect for action in acts for effect in action.does} & {"issue", "draw_up"}
    return {
        "actions": acts,
        "barred": barred,
        "own": whose,
        "refused": _refused(loket, application, service, acts),
        "reserved": len(actions) < len(workflow.offered(step, actor.role, assigned=True)),
        "can_read_draft": bool(makes) and application.check_ct is not None and not without,
    }


def _refused(
    loket: Loket, application: Application, service: Service, actions: tuple[Action, ...]
) -> dict[str, tuple[str, ...]]:
    """Why acts would be refused, from what is known now; what an act asks may still change it."""
    asked = [action for action in actions if action.rules]
    known = facts.of(loket, application, service, {}) if asked else None
    said = {a.id: tuple(rules.refusals(a.rules, known).values()) for a in asked if known}
    return {action: reasons for action, reasons in said.items() if reasons}


def _ticket(application: Application) -> Ticket:
    """The case's ticket; a proposal has none, and its own page."""
    ticket = Ticket.get_or_none(Ticket.application == application)
    if ticket is None:
        raise NotFound("Permohonan ini tidak ada.")
    return ticket


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
        query = query.join(Letter, on=Letter.application == Application.id)
        query = query.where(fn.UPPER(Letter.number) == plain)
    found = query.first()
    if found is None or found.channel == PROPOSED:
        return None
    step = versions.step_of(loket, found)
    return int(found.id) if _may_read(loket, found, step, actor) else None


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


def warnings_of(given: Mapping[str, str]) -> tuple[str, ...]:
    """A NIK that does not fit the person's other data: to be looked at, never a refusal."""
    born = date.fromisoformat(given["birth_date"]) if given["birth_date"] else None
    sex: Sex = "L" if given["sex"] == "L" else "P" if given["sex"] == "P" else ""
    return tuple(WARNING_TEXTS[warning] for warning in nik_warnings(given["nik"], born, sex))


def _letter(
    loket: Loket, application: Application, service: Service, actor: Actor, now: int
) -> LetterView | None:
    """Its letter, from the number on."""
    row = Letter.get_or_none(Letter.application == application)
    linked = partial(_linked, loket, actor)
    return letter_view.of(loket, service, row, actor, now, linked) if row else None


def _replaces(loket: Loket, application: Application, actor: Actor) -> Linked | None:
    """The letter that this application's will replace, or has replaced."""
    old = letter_status.replaced_of(application)
    if old is None:
        return None
    why = letter_status.begun(loket, application)["reason"]
    return _linked(loket, actor, old.number, old.application, why)


def _linked(
    loket: Loket, actor: Actor, number: str, application: Application, why: str = ""
) -> Linked:
    """The way to another case, for whom may read it."""
    step = versions.step_of(loket, application)
    readable = _may_read(loket, application, step, actor)
    return Linked(number, int(application.id) if readable else None, why)
