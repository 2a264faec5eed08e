"""The counter's intake: a new application for who has no ticket, or who wrote a letter."""

import secrets
from datetime import date
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from kiosk import intake
from kiosk.errors import Invalid
from views import web

blueprint = Blueprint("intake", __name__)

Given = dict[str, list[str]]


@blueprint.get("/meja/baru")
@web.for_staff("queue")
def page() -> Response:
    return _show({})


@blueprint.post("/meja/baru")
@web.for_staff("queue")
def submit() -> Response:
    """Look the numbers up, or take the application in: the button says which. Numbers travel in
    the body alone, so the look-up answers with the form itself.
    """
    given = request.form.to_dict(flat=False)
    try:
        if "find" in given:
            return _look_up(given)
        number = intake.submit(web.loket(), given, web.actor(), web.now())
    except Invalid as fault:
        return _show(given, 422, faults=fault.fields)
    return _to(url_for("desk.case", application_id=number))


def _look_up(given: Given) -> Response:
    found = intake.lookup(web.loket(), given, web.actor(), web.now())
    person = {f"person.{part}": [value] for part, value in found.person.items()}
    return _show(given | person, result=found.result)


def _to(here: str) -> Response:
    if not web.is_htmx():
        return make_response(redirect(here, 303))
    response = make_response("")
    response.headers["HX-Redirect"] = here
    return response


def _show(given: Given, status: int = 200, **more: Any) -> Response:
    """The form with what was typed; its key, once made, stays: sent twice it is one application."""
    loket, me = web.loket(), web.actor()
    role = loket.profile.role(me.role)
    context = {
        "given": {"key": [secrets.token_hex(16)], "channel": [intake.COUNTER]} | given,
        "faults": {},
        "result": "",
        "me": me,
        "my_role": role.title if role else None,
        "may": lambda right: loket.profile.may(me.role, right),
    }
    name = "intake/_form.html" if web.is_htmx() else "intake/page.html"
    return make_response(render_template(name, **context | more), status)


@blueprint.app_template_filter("iso_day")
def iso_day(text: str) -> str:
    """2026-11-20 as 20 November 2026."""
    return web.long_date(date.fromisoformat(text))
