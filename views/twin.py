"""The letter as a page for screen readers: for staff from the case, for citizens by their NIK."""

from flask import Blueprint, Response, make_response, render_template, request

from kiosk import casefile, desk, letter_page
from kiosk.errors import Invalid, NotFound
from views import web

blueprint = Blueprint("twin", __name__)


@blueprint.get("/meja/<int:application_id>/surat")
@web.for_staff()
def case(application_id: int) -> str:
    """The issued letter, in words; the audit says who opened it."""
    loket, me, now = web.loket(), web.actor(), web.now()
    casefile.read(loket, application_id, me, now)
    found = letter_page.read(loket, application_id, now)
    desk.note_opened(loket, application_id, me, "buka surat", now)
    return render_template("twin/page.html", page=found, letter=found.text)


@blueprint.get("/t/<token>/surat")
@web.public
def ask(token: str) -> str:
    """Asks for the NIK: whoever has found the ticket does not read the letter."""
    _require(token)
    return render_template("twin/ask.html", token=token, faults={})


@blueprint.post("/t/<token>/surat")
@web.public
def open_letter(token: str) -> Response:
    """The letter at once and nowhere kept: it has no address of its own."""
    _require(token)
    nik = request.form.get("nik", "")[:40]
    try:
        found = letter_page.open_with(web.loket(), token, nik, web.now())
    except Invalid as fault:
        shown = render_template("twin/ask.html", token=token, faults=fault.fields)
        return make_response(shown, 422)
    return make_response(render_template("twin/page.html", page=found, letter=found.text))


@blueprint.app_template_global("reads_letter")
def reads_letter(token: str) -> bool:
    """Whether the letter of this ticket is there to be read."""
    return letter_page.can_read(token)


def _require(token: str) -> None:
    if not letter_page.can_read(token):
        raise NotFound("Surat ini belum terbit.")
