"""One application, whole: what was given and found, its clock, the way so far and ahead."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from peewee import JOIN, fn

from kiosk import desk, facts, rules, spool, versions, words, workflow
from kiosk.errors import NotFound
from kiosk.identity import WARNING_TEXTS, Sex, mask_nik, nik_warnings, normal_name
from kiosk.letter import address, person_rows
from kiosk.loket import Loket
from kiosk.promise import Clock, clock_of
from kiosk.register_row import Person
from kiosk.service import Action, FormField, Requirement, Service, Step
from kiosk.staff import Actor
from kiosk.tables import Text
from models import Application, Document, Event, Letter, Ticket, User

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
    """The letter. `drawn`: a sheet to be signed by hand is there, or was released.

    `copies` are the scans of the sheet as it was signed: (kind, SHA-256 of the kept bytes).
    """

    number: str
    state: str
    issued_at: int | None
    valid_until: str
    digits: str
    revoked_at: int | None
    prints: int
    drawn: bool
    copies: tuple[tuple[Text, str], ...]

    @property
    def printable(self) -> bool:
        """Whether the counter may print it: by hand until it is signed, else once it is issued."""
        return self.revoked_at is None and (self.state == "issued") != self.drawn


@dataclass(frozen=True)
class Case:
    """The whole case as a desk shows it. `seq` goes back with the act.

    `refused` maps an act to why its rules would refuse it, as far as is known before it is asked.
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
    reserved: bool
    person: Mapping[str, str]
    assignee: str
    letter: LetterView | None
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
    letter = Letter.get_or_none(Letter.application == application)
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
        passed=passed(loket, application, service),
        ahead=tuple(workflow.way(service, [application.step])),
        **_acts(loket, application, service, step, actor),
        person=given,
        assignee=application.assignee.full_name if application.assignee else "",
        letter=_letter_view(loket, service, letter) if letter else None,
        can_take_back=desk.can_take_back(loket, application, actor, now),
        warnings=warnings_of(given),
    )


def _acts(
    loket: Loket, application: Application, service: Service, step: Step, actor: Actor
) -> dict[str, Any]:
    """What the actor may do now, and what they read before they do it."""
    actions = workflow.offered(step, actor.role, application.assignee_id == actor.id)
    makes = {effect for action in actions for effect in action.does} & {"issue", "draw_up"}
    return {
        "actions": actions,
        "refused": _refused(loket, application, service, actions),
        "reserved": len(actions) < len(workflow.offered(step, actor.role, assigned=True)),
        "can_read_draft": bool(makes) and application.check_ct is not None,
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


def passed(loket: Loket, application: Application, service: Service) -> tuple[Passed, ...]:
    """The way so far: the application's events, oldest first."""
    events = (
        Event.select(Event, User)
        .join(User, JOIN.LEFT_OUTER)
        .where(Event.application == application)
        .order_by(Event.seq)
    )
    return tuple(_passed_event(loket, service, event) for event in events)


SUBMITTED = Text(id="Permohonan diajukan", en="Application submitted")


TAKEN_BACK = Text(id="Langkah ditarik kembali", en="Act taken back")


CHANGED = Text(id="Data usulan diubah", en="Proposal changed")


CARRIED = Text(id="Pindah ke periode berikutnya", en="Moved to the next period")


BY_PROGRAM = {
    "diajukan": SUBMITTED,
    "ditarik": TAKEN_BACK,
    "diubah": CHANGED,
    "pindah_periode": CARRIED,
}


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
    if field.kind == "checklist" and isinstance(value, dict):
        return _papers(service, value)
    if not value or isinstance(value, dict):
        return ()
    if field.kind == "files":
        return (Text(id=f"{len(value)} berkas", en=f"{len(value)} files"),)
    if field.kind == "date":
        day = date.fromisoformat(value)
        return (Text(id=words.long_date(day), en=words.long_date(day, "en")),)
    if field.kind == "requirements":
        return tuple(one.title for one in service.requirements if one.id in value)
    if field.kind == "choice":
        return tuple(one.title for one in field.options if one.id == value)
    if field.kind == "staff":
        return tuple(user.full_name for user in User.select().where(User.id == int(value)))
    return (str(value),)


ALL_RIGHT = Text(id="semua ada dan benar", en="all there and right")
STATES = {
    "missing": Text(id="tidak ada", en="missing"),
    "wrong": Text(id="salah", en="wrong"),
}


def _papers(service: Service, value: Mapping[str, str]) -> tuple[Text | str, ...]:
    """What is not in order, paper by paper: "KK: salah, fotokopi buram"."""
    faulty = [paper for paper in service.requirements if value.get(paper.id, "ok") != "ok"]
    return tuple(_paper(paper, value) for paper in faulty) or (ALL_RIGHT,)


def _paper(paper: Requirement, value: Mapping[str, str]) -> Text:
    state, note = STATES[value[paper.id]], value.get(f"{paper.id}.note", "")
    # A note may be longer than a text of the office's file.
    return Text.model_construct(
        id=", ".join(filter(None, (f"{paper.title.id}: {state.id}", note))),
        en=", ".join(filter(None, (f"{paper.title.en}: {state.en}", note))),
    )


def _letter_view(loket: Loket, service: Service, letter: Letter) -> LetterView:
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
        drawn=letter.drawn_at is not None,
        copies=_copies(loket, service, letter) if letter.state == "issued" else (),
    )


def _copies(loket: Loket, service: Service, letter: Letter) -> tuple[tuple[Text, str], ...]:
    """The scans that the act of release asked for: what the archive holds of the signed sheet."""
    acts = [action for step in service.steps for action in step.actions]
    fields = [field for act in acts if "release" in act.does for field in act.fields]
    kinds = [field.document for field in fields if field.kind == "files"]
    scans = Document.select().where(
        (Document.application == letter.application_id)
        & (Document.kind << kinds)
        & (Document.created_at >= letter.drawn_at)
        & Document.removed_at.is_null()
    )
    profile = versions.profile_of(loket, letter.application)
    names = {kind.id: kind.title for kind in profile.documents}
    return tuple((names[scan.kind], str(scan.sha256)) for scan in scans.order_by(Document.id))
