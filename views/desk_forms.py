"""The desk's forms: what can be chosen, what a form starts with, and what was sent."""

from flask import request

from kiosk import casefile, intake, staff
from kiosk.casefile import Case
from kiosk.service import Action, FormField
from kiosk.tables import Text
from views import web

CHOSEN = ("staff", "requirements", "choice")
HIDDEN = ("nik", "kk")
Given = dict[str, list[str]]
Option = tuple[str, str | Text]


def options(view: Case, action: Action | None) -> dict[str, list[Option]]:
    """What can be chosen, by the field's name."""
    fields = action.fields if action else ()
    return {one.name: _choices(view, one) for one in fields if one.kind in CHOSEN}


def _choices(view: Case, field: FormField) -> list[Option]:
    if field.kind == "staff":
        anybody: list[Option] = [] if field.required else [("", "Siapa saja yang bertugas")]
        people = staff.people(field.role or "")
        return anybody + [(str(one.id), one.full_name) for one in people]
    named = view.service.papers if field.kind == "requirements" else field.options
    return [(one.id, one.title) for one in named]


def initial(view: Case, action: Action | None) -> Given:
    """What a form starts with. NIK and KK stay hidden: left empty, they stay as they are."""
    start: Given = {}
    for one in action.fields if action else ():
        if one.prefill:
            known = getattr(view, one.prefill)
            start[one.name] = ["" if known is None else str(known)]
        elif one.kind == "checklist":
            start |= _ticked_before(view, one.name)
        elif one.kind == "person":
            start |= _person(view, one.name)
    return start


def corrected(view: Case) -> Given:
    """A letter's replacement starts with the person's data as they are; NIK and KK hidden."""
    return _person(view, intake.PERSON.name)


def _person(view: Case, name: str) -> Given:
    shown = {part: value for part, value in view.person.items() if part not in HIDDEN}
    return {f"{name}.{part}": [value] for part, value in shown.items()}


def _ticked_before(view: Case, name: str) -> Given:
    """A checklist starts with what was ticked the last time: only what changed is ticked anew."""
    found = (event.detail[name] for event in reversed(view.passed) if name in event.detail)
    last: dict[str, str] = next(found, {})
    return {f"{name}.{part}": [value] for part, value in last.items()}


def sent(application_id: int, action_id: str) -> Given:
    """The fields as sent; hidden numbers that were left empty are those already known."""
    view = casefile.read(web.loket(), application_id, web.actor(), web.now())
    given = request.form.to_dict(flat=False)
    action = next((one for one in view.actions if one.id == action_id), None)
    for one in action.fields if action else ():
        for part in HIDDEN if one.kind == "person" else ():
            if not "".join(given.get(f"{one.name}.{part}", ())).strip():
                given[f"{one.name}.{part}"] = [view.person[part]]
    return given
