"""How well a household's data agree with Dukcapil's: asked of its service, or typed."""

from flask import Blueprint, Response, current_app, make_response, redirect, request, url_for

from kiosk import documents, padan
from kiosk.documents import Owner
from kiosk.errors import Invalid, NotFound, Stale, TooMany, Unusable
from views import web
from views.proposals import show

blueprint = Blueprint("padan", __name__)


@blueprint.post("/usulan/<int:application_id>/padan")
@web.for_staff("propose", "supervise")
def check(application_id: int) -> Response:
    """Ask the service about every member."""
    client, loket, me = padan.client_of(current_app.config["SETTINGS"]), web.loket(), web.actor()
    if client is None:
        raise NotFound("Layanan Dukcapil belum diatur. Isi persentase dengan bukti.")
    try:
        padan.check(loket, client, application_id, me, web.now())
    except (Stale, TooMany, Unusable) as trouble:
        return show(application_id, 409, notice=trouble.message)
    return _back(application_id)


@blueprint.post("/usulan/<int:application_id>/persentase")
@web.for_staff("propose", "supervise")
def record(application_id: int) -> Response:
    """Percentages that Dukcapil's service showed elsewhere, with the evidence."""
    loket, me, now = web.loket(), web.actor(), web.now()
    typed = request.form.to_dict()
    try:
        kept = _evidence(application_id) if padan.may(loket, application_id, me) else None
        padan.record(loket, application_id, typed, kept, me, now)
    except Invalid as fault:
        return show(application_id, 422, faults=fault.fields, typed=typed)
    return _back(application_id)


def _evidence(application_id: int) -> int | None:
    """The evidence that came with the form, else the one there is already; None without any."""
    loket, upload = web.loket(), request.files.get("file")
    if upload is None or not upload.filename:
        held = documents.listed(loket, application_id)
        return next((one.id for one in reversed(held) if one.kind == padan.EVIDENCE), None)
    key = f"padan:{application_id}:{request.form.get('key', '')[:40]}"
    data = upload.stream.read()
    owner, me, now = Owner(application_id), web.actor(), web.now()
    return documents.add(loket, owner, padan.EVIDENCE, data, "counter", key, now, me)


def _back(application_id: int) -> Response:
    here = url_for("proposals.case", application_id=application_id, _anchor="padan")
    return make_response(redirect(here, 303))
