"""A citizen's phone: where the application is, live. Nothing personal: whoever has it may look."""

import secrets
from typing import Any

from flask import Blueprint, Response, make_response, render_template

from kiosk import citizen
from kiosk.citizen import Status
from kiosk.errors import NotFound
from views import web
from views.kiosk import qr

blueprint = Blueprint("status", __name__)

# (at most so many before me, seconds between two looks)
PACE = ((2, 5), (6, 15), (20, 30))
SLOWEST = 60


@blueprint.get("/t/<token>")
@web.public
def page(token: str) -> Response:
    status = citizen.status(web.loket(), token, web.now())
    if status is None:
        return make_response(render_template("status/unknown.html"), 404)
    return make_response(render_template("status/page.html", **_shown(token, status)))


@blueprint.get("/t/<token>/rows")
@web.public
def rows(token: str) -> Response:
    status = citizen.status(web.loket(), token, web.now())
    if status is None:
        raise NotFound("Tiket ini tidak kami kenal.")
    shown = _shown(token, status)
    if web.unchanged(shown["version"]):
        return make_response("", 204)
    return make_response(render_template("status/_status.html", **shown))


def _shown(token: str, status: Status) -> dict[str, Any]:
    clock = status.clock
    return {
        "token": token,
        "status": status,
        "resting": clock.started and not clock.stopped and clock.until is None,
        "version": f"{status.version}-{clock.figure}{clock.unit.id}-{clock.until}",
        "every_ms": every_ms(status),
        "qr": qr(web.loket().status_url(token)) if status.printable else None,
        "next_open": web.loket().calendar.next_open(web.now()),
    }


def every_ms(status: Status) -> int:
    """How long a phone waits before it asks again: by its place in the queue, a fifth either way.

    The jitter keeps phones that were all started by one event from asking all at once.
    """
    seconds = _pace(status) * 1000
    return seconds * 4 // 5 + secrets.randbelow(seconds * 2 // 5 + 1)


def _pace(status: Status) -> int:
    clock = status.clock
    if status.outcome or (clock.started and not clock.stopped and clock.until is None):
        return SLOWEST
    if status.ticket_state in ("done", "no_show"):
        return PACE[1][1]
    return next((seconds for most, seconds in PACE if status.before <= most), SLOWEST)
