"""A case's letter: its draft, its prints, and the acts on it once it is issued: replace, suspend,
lift, revoke. Each of these has a reason, and its form is the question whether it is meant.
"""

import re
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for

from kiosk import (
    archive,
    casefile,
    certificate,
    forms,
    intake,
    issuing,
    letter_prints,
    letter_status,
    replacing,
)
from kiosk import desk as desk_work
from kiosk.errors import Invalid, NotFound, Stale
from kiosk.loket import Loket
from kiosk.staff import Actor
from views import desk, web

blueprint = Blueprint("letters", __name__)

PREVIEW_SCALE = 2.0

Change = Callable[[Loket, int, str, Actor, int], None]


@blueprint.post("/meja/<int:application_id>/prints")
@web.for_staff()
def print_one(application_id: int) -> Response:
    """Print the letter at the counter; the form's key makes a second click the same print."""
    me = web.actor()
    casefile.read(web.loket(), application_id, me, web.now())
    key = f"{application_id}:{request.form.get('key', '')[:40]}"
    job = letter_prints.print_at_counter(web.loket(), application_id, me, key, web.now())
    here = url_for("desk.case", application_id=application_id, job=job)
    return web.answer("desk/_letter.html", here, **desk.case_context(application_id, me, job=job))


@blueprint.get("/meja/<int:application_id>/letter")
@web.for_staff()
def state(application_id: int) -> str | tuple[str, int]:
    """The letter and what has become of its print."""
    context = desk.case_context(application_id, web.actor(), job=desk.followed())
    if web.unchanged(context["letter_v"]):
        return "", 204
    return render_template("desk/_letter.html", **context)


@blueprint.get("/meja/<int:application_id>/draft.png")
@web.for_staff()
def draft(application_id: int) -> Response:
    """The letter as it will look, to be read before it is signed."""
    loket, me, now = web.loket(), web.actor(), web.now()
    if not casefile.read(loket, application_id, me, now).can_read_draft:
        raise NotFound("Rancangan surat ini tidak ada.")
    pdf = issuing.draft(loket, desk_work.find(application_id), me, now)
    response = make_response(certificate.preview_png(pdf, PREVIEW_SCALE))
    response.mimetype = "image/png"
    return response


@blueprint.get("/meja/<int:application_id>/letter.pdf")
@web.for_staff()
def pdf(application_id: int) -> Response:
    """The archived bytes, named after the letter's number; the audit says who opened them."""
    loket, me, now = web.loket(), web.actor(), web.now()
    view = casefile.read(loket, application_id, me, now).letter
    response = make_response(archive.pdf_of(loket, application_id))
    desk_work.note_opened(loket, application_id, me, "buka surat", now)
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", view.number if view else "surat").strip("-.")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response.mimetype = "application/pdf"
    return response


@blueprint.post("/meja/<int:application_id>/revocations")
@web.for_staff("revoke")
def revoke(application_id: int) -> Response:
    return _changed(application_id, "revoke", letter_status.revoke)


@blueprint.post("/meja/<int:application_id>/suspensions")
@web.for_staff("revoke")
def suspend(application_id: int) -> Response:
    return _changed(application_id, "suspend", letter_status.suspend)


@blueprint.post("/meja/<int:application_id>/lifts")
@web.for_staff("revoke")
def lift(application_id: int) -> Response:
    """The suspended letter counts again."""
    return _changed(application_id, "lift", letter_status.lift)


@blueprint.post("/meja/<int:application_id>/replacements")
@web.for_staff("revoke", "queue")
def replace(application_id: int) -> Response:
    """Start the letter that will replace this one; the form's key makes a second click the same."""

    def change(loket: Loket, application_id: int, reason: str, actor: Actor, now: int) -> None:
        field, sent = intake.PERSON.name, request.form
        person = {part: sent.get(f"{field}.{part}", "") for part in forms.PERSON}
        key = sent.get("key", "")
        replacing.replace(loket, application_id, person, reason, actor, now, key)

    return _changed(application_id, "replace", change)


def _changed(application_id: int, act: str, change: Change) -> Response:
    """The letter as it is then. What was not done is said with all that was typed."""
    me, now = web.actor(), web.now()
    casefile.read(web.loket(), application_id, me, now)
    try:
        change(web.loket(), application_id, request.form.get("reason", ""), me, now)
    except Invalid as fault:
        given = request.form.to_dict(flat=False)
        return _again(application_id, letter_act=act, faults=fault.fields, given=given)
    except Stale as stale:
        if web.is_htmx():
            raise
        return desk.again(application_id, 409, notice=stale.message)
    here = url_for("desk.case", application_id=application_id)
    return web.answer("desk/_letter.html", here, **desk.case_context(application_id, me))


def _again(application_id: int, **more: Any) -> Response:
    if web.is_htmx():
        context = desk.case_context(application_id, web.actor(), **more)
        return make_response(render_template("desk/_letter.html", **context), 422)
    return desk.show(application_id, 422, **more)
