"""The periods of proposals: their days, and what moved by itself."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from kiosk import period_moves, periods
from kiosk.errors import Invalid
from views import web
from views.proposal_rooms import frame, listed_periods, month, service_asked

blueprint = Blueprint("periods", __name__)
DAYS = ("opens", "cutoff", "pull", "closes")


@blueprint.get("/usulan/periode")
@web.for_staff("supervise")
def page() -> Response:
    return _show(good="Tanggal periode tersimpan." if "sudah" in request.args else "")


@blueprint.post("/usulan/periode/<code>")
@web.for_staff("supervise")
def change(code: str) -> Response:
    service, given = service_asked(), {name: request.form.get(name, "") for name in DAYS}
    try:
        periods.change(web.loket(), service.id, code, given, web.actor(), web.now())
    except Invalid as fault:
        return _show(422, faults=fault.fields, wrong=code, given=given)
    return make_response(redirect(url_for("periods.page", layanan=service.id, sudah=1), 303))


def _show(status: int = 200, **more: object) -> Response:
    service = service_asked()
    found = listed_periods(service)
    context = {"wrong": "", "given": {}, "month": month, "periods": found} | more
    moves = period_moves.listed(web.loket(), service.id)
    html = render_template("proposals/periods.html", **frame(service, moves=moves, **context))
    return make_response(html, status)
