"""The kiosk: every screen at one address, so that neither history nor a URL tells of a person."""

from typing import Any

import qrcode
from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from kiosk import board, citizen, citizen_papers, spool, visit
from kiosk.errors import Invalid
from kiosk.staff import EnrolledDevice
from kiosk.visit import OpenVisit
from views import web
from views.documents import sent

blueprint = Blueprint("kiosk", __name__)
VISIT_COOKIE = "visit"


@blueprint.get("/kiosk")
@web.for_device("kiosk")
def page() -> Response:
    return _show(_visit(), "kiosk/page.html")


@blueprint.get("/kiosk/screen")
@web.for_device("kiosk")
def screen() -> Response:
    return _show(_visit())


@blueprint.post("/kiosk/visits")
@web.for_device("kiosk")
def begin() -> Response:
    before = _visit()
    if before:
        visit.end(before.id, web.now())
    token, new = visit.start(web.loket(), _device().id, request.form.get("choice", ""), web.now())
    return web.set_cookie(_answer(new), VISIT_COOKIE, token)


@blueprint.post("/kiosk/answers")
@web.for_device("kiosk")
def answer() -> Response:
    return _take(request.form.get("screen", ""))


@blueprint.post("/kiosk/photos")
@web.for_device("kiosk")
def photograph() -> Response:
    """A photo of a paper; its reason where it cannot be kept."""
    current = _visit()
    if current is None:
        return _end(None)
    kind = request.form.get("kind", "")
    try:
        for key, data in sent("file"):
            visit.photograph(web.loket(), current, kind, data, key, web.now())
    except Invalid as fault:
        template = "" if web.is_htmx() else "kiosk/page.html"
        return _show(current, template, 422, fault.fields)
    return _answer(current)


@blueprint.post("/kiosk/scans")
@web.for_device("kiosk")
def scan() -> Response:
    return _take(request.form.get("screen", ""))


@blueprint.post("/kiosk/back")
@web.for_device("kiosk")
def back() -> Response:
    current = _visit()
    left = request.form.get("screen", "")
    before = visit.back(web.loket(), current, left, web.now()) if current else None
    return _answer(before) if before else _end(current)


@blueprint.post("/kiosk/end")
@web.for_device("kiosk")
def end() -> Response:
    return _end(_visit())


@blueprint.post("/kiosk/presence")
@web.for_device("kiosk")
def presence() -> Response:
    """Somebody is still there, typing."""
    current = _visit()
    if current:
        visit.touch(current, web.now())
    return make_response("", 204)


@blueprint.post("/kiosk/reprints")
@web.for_device("kiosk")
def reprint() -> Response:
    current = _visit()
    return _answer(current and visit.reprint(web.loket(), current, web.now()))


@blueprint.post("/kiosk/language")
@web.for_device("kiosk")
def language() -> Response:
    chosen = request.form.get("lang", "")
    return web.set_cookie(_anew(), "lang", chosen if chosen in web.LANGUAGES else "id")


@blueprint.post("/kiosk/size")
@web.for_device("kiosk")
def size() -> Response:
    large = request.form.get("size") == "large"
    return web.set_cookie(_anew(), "size", "large" if large else "normal")


@blueprint.get("/kiosk/figures")
@web.for_device("kiosk")
def figures() -> Response:
    """Today's figures on the start screen."""
    return make_response(render_template("kiosk/_figures.html", **_start(None)))


@blueprint.get("/kiosk/job")
@web.for_device("kiosk")
def job() -> Response:
    """What has become of the letter's print."""
    current = _visit()
    if current is None or current.state.screen != "printing":
        return make_response("", 204)
    return make_response(render_template("kiosk/_job.html", **_printing(current)))


def _device() -> EnrolledDevice:
    found = web.device("kiosk")
    assert found is not None  # noqa: S101 - the guard has seen it
    return found


def _visit() -> OpenVisit | None:
    token = request.cookies.get(VISIT_COOKIE, "")
    return visit.find(web.loket(), token, _device().id, web.now()) if token else None


def _take(screen: str) -> Response:
    current = _visit()
    if current is None:
        return _end(None)
    given = request.form.to_dict(flat=False)
    try:
        return _answer(visit.answer(web.loket(), current, screen, given, web.now()))
    except Invalid as fault:
        template = "" if web.is_htmx() else "kiosk/page.html"
        return _show(current, template, 422, fault.fields, given)


def _end(current: OpenVisit | None) -> Response:
    """Wipe; language and text size too. The changed cookie empties the back/forward cache."""
    if current:
        visit.end(current.id, web.now())
    response = _anew()
    for name in (VISIT_COOKIE, "lang", "size"):
        response.delete_cookie(name)
    return response


def _anew() -> Response:
    """To the screen as it is now, asked for again: new cookies count from the next request."""
    return make_response(redirect(url_for("kiosk.screen" if web.is_htmx() else "kiosk.page"), 303))


def _answer(current: OpenVisit | None) -> Response:
    return _show(current) if web.is_htmx() else _anew()


def _show(
    current: OpenVisit | None,
    template: str = "",
    status: int = 200,
    faults: dict[str, str] | None = None,
    given: dict[str, list[str]] | None = None,
) -> Response:
    name = current.state.screen if current else "start"
    extra = CONTEXT.get(name, _nothing)(current)
    html = render_template(
        template or f"kiosk/_{name}.html",
        screen=name,
        state=current and current.state,
        progress=current and visit.progress(current.state),
        service=current and current.state.service and _service(current),
        faults=faults or {},
        given=given or {},
        **extra,
    )
    return make_response(html, status)


def _service(current: OpenVisit) -> Any:
    return web.loket().profile.service(current.state.service)


def _nothing(_: Any) -> dict[str, Any]:
    return {}


def _start(_: Any) -> dict[str, Any]:
    return {"figures": board.figures(web.loket(), web.now())}


def _check(current: OpenVisit) -> dict[str, Any]:
    return {"rows": visit.own_rows(current.state)}


def _birth(current: OpenVisit) -> dict[str, Any]:
    return {"digits": visit.birth_digits(current.state)}


def _ticket(current: OpenVisit) -> dict[str, Any]:
    ticket = citizen.ticket(web.loket(), current.state.application, web.now())
    more = current.state.reprints < visit.REPRINTS
    return {"ticket": ticket, "qr": qr(web.loket().status_url(ticket.token)), "more": more}


def _status(current: OpenVisit) -> dict[str, Any]:
    return {"status": citizen.status(web.loket(), current.state.token, web.now())}


def _printing(current: OpenVisit) -> dict[str, Any]:
    job = current.state.job
    state, reason = spool.job_state(job) if job else ("", "")
    stuck = state == "failed" or (state in ("queued", "printing") and bool(reason))
    return _status(current) | {"left": current.state.left, "job": state, "stuck": stuck}


def _papers(current: OpenVisit) -> dict[str, Any]:
    loket, service = web.loket(), current.state.service
    return {"papers": citizen_papers.visit_papers(loket, service, current.id)}


CONTEXT: dict[str, Any] = {
    "papers": _papers,
    "start": _start,
    "check": _check,
    "birth": _birth,
    "ticket": _ticket,
    "status": _status,
    "printing": _printing,
}


def qr(text: str) -> dict[str, Any]:
    """A QR code as an SVG path: its dark modules, and how many there are a side with the margin."""
    # A fixed mask: choosing the best of eight is six times the work, and a screen needs it not.
    code = qrcode.QRCode(border=4, mask_pattern=2)
    code.add_data(text)
    matrix = code.get_matrix()
    cells = (
        f"M{x} {y}h1v1h-1z" for y, row in enumerate(matrix) for x, dark in enumerate(row) if dark
    )
    return {"path": "".join(cells), "side": len(matrix)}
