"""The counter's queue: next, call, recall, no-show, finish, put back."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_login import current_user

from kiosk import board, queue, staff
from kiosk.errors import Invalid, Stale
from kiosk.staff import Actor
from views import web

blueprint = Blueprint("queue", __name__)


@blueprint.get("/loket")
@web.for_staff("queue")
def page() -> str:
    return render_template("queue/page.html", **_board(web.actor()))


@blueprint.get("/loket/board")
@web.for_staff("queue")
def rows() -> str | tuple[str, int]:
    context = _board(web.actor())
    if web.unchanged(context["v"]):
        return "", 204
    return render_template("queue/_board.html", **context)


@blueprint.post("/loket/window")
@web.for_staff("queue")
def sit() -> Response:
    """Sit at a window: from now on this session calls people there."""
    window = request.form.get("window", 0, int)
    try:
        staff.sit_at(current_user.get_id(), window)
    except Invalid as fault:
        return _refused(422, fault.message)
    me = replace(web.actor(), window=window)
    return web.answer("queue/_board.html", url_for("queue.page"), **_board(me))


@blueprint.post("/loket/calls")
@web.for_staff("queue")
def call_next() -> Response:
    """Call the next one; who stands at the window already is called by no second press."""
    return _answer(lambda me: queue.call_next(web.loket(), me, web.now()))


@blueprint.post("/loket/tickets/<int:ticket_id>/calls")
@web.for_staff("queue")
def call(ticket_id: int) -> Response:
    return _answer(lambda me: queue.call(web.loket(), ticket_id, me, web.now()))


@blueprint.post("/loket/tickets/<int:ticket_id>/recalls")
@web.for_staff("queue")
def recall(ticket_id: int) -> Response:
    return _answer(lambda me: queue.recall(web.loket(), ticket_id, me, web.now()))


@blueprint.post("/loket/tickets/<int:ticket_id>/absences")
@web.for_staff("queue")
def no_show(ticket_id: int) -> Response:
    return _answer(lambda me: queue.no_show(ticket_id, me, web.now()))


@blueprint.post("/loket/tickets/<int:ticket_id>/finishes")
@web.for_staff("queue")
def finish(ticket_id: int) -> Response:
    return _answer(lambda me: queue.finish(ticket_id, me, web.now()))


@blueprint.post("/loket/tickets/<int:ticket_id>/returns")
@web.for_staff("queue")
def put_back(ticket_id: int) -> Response:
    return _answer(lambda me: queue.put_back(ticket_id, me, web.now()))


def _answer(verb: Callable[[Actor], object]) -> Response:
    me = web.actor()
    try:
        verb(me)
    except (Invalid, Stale) as fault:
        return _refused(409, fault.message)
    return web.answer("queue/_board.html", url_for("queue.page"), **_board(me))


def _refused(status: int, notice: str) -> Response:
    """What was not done, said above the newest state."""
    htmx = web.is_htmx()
    template = "queue/_board.html" if htmx else "queue/page.html"
    return make_response(render_template(template, **_board(web.actor(), notice)), status)


def _board(me: Actor, notice: str = "") -> dict[str, Any]:
    loket, now = web.loket(), web.now()
    view, left = board.queue(loket, me, now), board.just_left(loket, me, now)
    profile, role = loket.profile, loket.profile.role(me.role)
    return {
        "view": view,
        "left": left,
        "ready": board.ready_for_pickup(loket, now),
        "today": loket.calendar.day_of(now),
        "me": me,
        "my_role": role.title if role else None,
        "may": lambda right: profile.may(me.role, right),
        "notice": notice,
        "v": f"{view.version}-{now // 60}-{me.window}-{left and left.id}",
    }
