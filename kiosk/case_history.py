"""The way so far of an application: its events, and what each act was given, as people read it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from peewee import JOIN

from kiosk import letter_status, words
from kiosk.loket import Loket
from kiosk.service import Action, FormField, Requirement, Service
from kiosk.tables import Text
from models import Application, Event, User

BY_PROGRAM = {
    "diajukan": Text(id="Permohonan diajukan", en="Application submitted"),
    letter_status.REPLACING: Text(id="Penggantian surat", en="A letter to be replaced"),
    "ditarik": Text(id="Langkah ditarik kembali", en="Act taken back"),
    "diubah": Text(id="Data usulan diubah", en="Proposal changed"),
    "pindah_periode": Text(id="Pindah ke periode berikutnya", en="Moved to the next period"),
}
OLD_LETTER = Text(id="Surat yang diganti", en="The letter to be replaced")
BECAUSE = Text(id="Karena", en="Because")
ALL_RIGHT = Text(id="semua ada dan benar", en="all there and right")
STATES = {
    "missing": Text(id="tidak ada", en="missing"),
    "wrong": Text(id="salah", en="wrong"),
}

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


def passed(loket: Loket, application: Application, service: Service) -> tuple[Passed, ...]:
    """The way so far: the application's events, oldest first."""
    events = (
        Event.select(Event, User)
        .join(User, JOIN.LEFT_OUTER)
        .where(Event.application == application)
        .order_by(Event.seq)
    )
    return tuple(_passed_event(loket, service, event) for event in events)


def detail_of(loket: Loket, event: Event) -> dict[str, Any]:
    """What the act of this event was given, by field name; {} for nothing."""
    return loket.vault.unlock_json("detail", event.detail_ct) if event.detail_ct else {}


def _passed_event(loket: Loket, service: Service, event: Event) -> Passed:
    # A step or act that the office's file no longer has still stands in the history, by its id.
    step = next((step for step in service.steps if step.id == event.from_step), None)
    action = step.action(event.action) if step else None
    unknown = Text(id=event.action, en=event.action)
    said = action.said if action else BY_PROGRAM.get(event.action, unknown)
    role = loket.profile.role(event.role)
    begun = event.action == letter_status.REPLACING
    detail = detail_of(loket, event)
    return Passed(
        title=step.title if step else said,
        said=said,
        at=event.at,
        who=event.actor.full_name if event.actor else "",
        role=role.title if role else None,
        order=event.order,
        detail=detail,
        told=_told_of_old(detail) if begun else _told(service, action, detail),
    )


def _told_of_old(detail: Mapping[str, Any]) -> tuple[Told, ...]:
    """Which letter is replaced, and why."""
    return ((OLD_LETTER, (detail["letter"],)), (BECAUSE, (detail["reason"],)))


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
