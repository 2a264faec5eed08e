"""The admin's page of mandates: who signs for a role, in which form, from when to when."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from kiosk import mandates, signing, staff
from kiosk.errors import Invalid
from views import web

blueprint = Blueprint("mandates", __name__, url_prefix="/admin/mandat")
PARTS = (
    "role", "user", "capacity", "titles", "name", "rank", "nip", "order", "since", "until",
)  # fmt: skip
LONGEST = 400


@blueprint.get("")
@web.for_staff("admin")
def page() -> str:
    return _page()


@blueprint.post("")
@web.for_staff("admin")
def add() -> Response:
    given = _given()
    try:
        mandates.add(web.loket(), given, web.actor(), web.now())
    except Invalid as error:
        return make_response(_page(given=given, faults=error.fields), 422)
    return make_response(redirect(url_for("mandates.page"), 303))


@blueprint.post("/pratinjau")
@web.for_staff("admin")
def preview() -> Response:
    """How the block under the letter will look; nothing is kept."""
    given = _given()
    try:
        shown: dict[str, Any] = {"signer": mandates.read(web.loket(), given, web.now())}
    except Invalid as error:
        shown = {"faults": error.fields}
    status = 422 if "faults" in shown else 200
    if web.is_htmx():
        block = {"signer": None, "faults": {}} | shown
        return make_response(render_template("admin/_mandate_preview.html", **block), status)
    return make_response(_page(given=given, **shown), status)


@blueprint.post("/<int:mandate_id>/withdrawals")
@web.for_staff("admin")
def withdraw(mandate_id: int) -> Response:
    mandates.withdraw(mandate_id, web.actor(), web.now())
    return make_response(redirect(url_for("mandates.page"), 303))


def _given() -> dict[str, str]:
    return {part: request.form.get(part, "").strip()[:LONGEST] for part in PARTS}


def _page(**shown: Any) -> str:
    loket = web.loket()
    shown = {"given": dict.fromkeys(PARTS, ""), "faults": {}, "signer": None} | shown
    roles = [role for role in loket.profile.roles if role.id in mandates.roles(loket.profile)]
    return render_template(
        "admin/mandates.html",
        mandates=mandates.listed(loket, web.now()),
        roles=roles,
        people=[one for one in staff.people() if one.active],
        trouble=signing.trouble(loket),
        **shown,
    )
