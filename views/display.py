"""The lobby's screen: who is called where. Ticket numbers only."""

from typing import Any

from flask import Blueprint, Response, make_response, render_template

from kiosk import board
from views import web

blueprint = Blueprint("display", __name__)
# Older calls are not sounded: a screen that was off or reloaded stays quiet.
FRESH_S = 30
# What was called just before the office closed stands a while; then the screen says when it opens.
LINGER_S = 15 * 60


@blueprint.get("/display")
@web.for_device("display")
def page() -> str:
    return render_template("display/page.html", **_shown())


@blueprint.get("/display/rows")
@web.for_device("display")
def rows() -> Response:
    shown = _shown()
    if web.unchanged(shown["version"]):
        return make_response("", 204)
    return make_response(render_template("display/_board.html", **shown))


def _shown() -> dict[str, Any]:
    """The board with its wall clock: a minute that passes is a change too."""
    shown = board.display(web.loket(), web.now())
    since = web.now() - shown.calls[0].at if shown.calls else LINGER_S
    calls = shown.calls if shown.figures.open or since < LINGER_S else ()
    return {
        "figures": shown.figures,
        "calls": calls,
        "fresh": bool(calls) and since < FRESH_S,
        "version": f"{shown.version}-{web.now() // 60}",
    }
