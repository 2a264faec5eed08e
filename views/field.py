"""The phone of an officer outside of the office: the visits to make, their photos and reports.

The pages work without scripts as plain forms. With them, field.js keeps what was typed and
photographed while the line is bad, and sends it piece by piece.
"""

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for

from kiosk import field
from kiosk.errors import Invalid, Stale
from kiosk.field import Visit
from kiosk.forms import Given
from kiosk.service import FormField
from views import web

blueprint = Blueprint("field", __name__)

Faults = dict[str, str]


@blueprint.get("/lapangan")
@web.for_staff()
def page() -> str:
    """The visits given to whoever asks; `sent` is the ticket of the one just reported."""
    visits = field.visits(web.loket(), web.actor(), web.now())
    sent = request.args.get("sent", "")[:8]
    return render_template("field/page.html", visits=visits, me=web.actor(), sent=sent)


@blueprint.get("/lapangan/<int:application_id>")
@web.for_staff()
def visit(application_id: int) -> Response:
    return _form(application_id, {}, {}, 200)


@blueprint.post("/lapangan/<int:application_id>/photos")
@web.for_staff()
def add_photos(application_id: int) -> Response:
    """Photos of one field; the form's key makes a photo sent again the same one."""
    name, key = request.form.get("name", ""), request.form.get("key", "")
    for file in request.files.getlist("file"):
        data = file.stream.read()
        field.add_photo(web.loket(), application_id, name, data, key, web.actor(), web.now())
    here = url_for("field.visit", application_id=application_id)
    return web.answer("field/_sent.html", here, visit=_visit(application_id), name=name)


@blueprint.post("/lapangan/<int:application_id>/reports")
@web.for_staff()
def report(application_id: int) -> Response:
    """The report, with the photos of a form without scripts."""
    given, seq = request.form.to_dict(flat=False), request.form.get("seq", 0, int)
    try:
        faults = _keep_photos(application_id)
        if faults:
            raise Invalid(faults)
        field.report(web.loket(), application_id, given, web.actor(), seq, web.now())
    except Invalid as fault:
        return _form(application_id, given, fault.fields, 422)
    except Stale as stale:
        return _form(application_id, given, {"": stale.message}, 409)
    label = request.form.get("label", "")[:8]
    there = url_for("field.page", sent=label)
    return web.answer("field/_arrived.html", there, label=label)


def _keep_photos(application_id: int) -> Faults:
    """Keep what a plain form brought; what is wrong with a file, by its field."""
    faults: Faults = {}
    for name in request.files:
        for file in request.files.getlist(name):
            data = file.stream.read() if file.filename else b""
            if not data:
                continue
            try:
                field.add_photo(web.loket(), application_id, name, data, "", web.actor(), web.now())
            except Invalid as fault:
                faults |= fault.fields
    return faults


def _visit(application_id: int) -> Visit:
    return field.visit(web.loket(), application_id, web.actor(), web.now())


def _form(application_id: int, given: Given, faults: Faults, status: int) -> Response:
    """The visit's page with what was typed; for htmx what is wrong alone."""
    shown = _visit(application_id)
    context = {"visit": shown, "case": shown.case, "faults": faults, "me": web.actor()}
    if status != 200 and web.is_htmx():
        return make_response(render_template("field/_faults.html", **context), status)
    typed = dict(given) if given else _initial(shown)
    html = render_template("field/visit.html", given=typed, options=_options(shown), **context)
    return make_response(html, status)


def _initial(shown: Visit) -> dict[str, list[str]]:
    """A visit is reported on its day."""
    today = web.loket().calendar.day_of(web.now()).isoformat()
    return {one.name: [today] for one in shown.action.fields if one.kind == "date"}


def _options(shown: Visit) -> dict[str, list[Any]]:
    choices = (one for one in shown.action.fields if one.kind == "choice")
    return {one.name: _choices(one) for one in choices}


def _choices(one: FormField) -> list[Any]:
    return [(option.id, option.title) for option in one.options]
