"""For machines: health for monitors, enrolment of devices, what crawlers may read."""

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.blueprints import BlueprintSetupState

from kiosk import health, staff
from kiosk.errors import NotFound
from views import web

blueprint = Blueprint("machine", __name__)
DEVICE_DAYS = 3650


@blueprint.record_once
def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["readiness"] = health.Readiness(state.app.extensions["printers"])


def checked() -> health.Health:
    """How the installation is now."""
    return health.check(web.loket(), current_app.extensions["readiness"], web.now())


@blueprint.get("/sehat")
@web.public
def healthy() -> Response:
    """200 when letters can be asked for and issued, else 503. A printer that is down is told in
    `printers` and does not make it 503: the counter goes on without it.
    """
    found = checked()
    return make_response(jsonify(found.as_dict()), 200 if found.ok else 503)


@blueprint.get("/perangkat/<code>")
@web.public
def enrolment(code: str) -> Response:
    device = staff.enrollable(code, web.now())
    if device is None and (known := web.device(*web.DEVICE_KINDS)):
        return make_response(redirect(url_for(f"{known.kind}.page"), 303))
    shown = render_template("machine/enrol.html", device=device, code=code)
    return make_response(shown, 200 if device else 404)


@blueprint.post("/perangkat/<code>")
@web.public
def enrol(code: str) -> Response:
    try:
        device, token = staff.enrol(code, web.now())
    except NotFound:
        return enrolment(code)
    response = make_response(redirect(url_for(f"{device.kind}.page"), 303))
    return web.set_cookie(response, web.device_cookie(device.kind), token, days=DEVICE_DAYS)


@blueprint.get("/robots.txt")
@web.public
def robots() -> Response:
    return Response("User-agent: *\nDisallow: /\n", mimetype="text/plain")


@blueprint.after_app_request
def renew(response: Response) -> Response:
    """Browsers keep a cookie for 400 days at most: each opening of the screen starts them anew."""
    kind, _, shown = (request.endpoint or "").partition(".")
    if shown == "page" and kind in web.DEVICE_KINDS and response.status_code == 200:
        name = web.device_cookie(kind)
        web.set_cookie(response, name, request.cookies[name], days=DEVICE_DAYS)
    return response
