"""The stack: letters read one after the other, signed with one password, told as it goes."""

import re
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from kiosk import casefile, desk, stack
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.jobs import Job, Jobs
from kiosk.stack import Result, Stack
from views import web
from views.desk import case_context

blueprint = Blueprint("stack", __name__)
GONE = "Pekerjaan ini tidak ada lagi. Surat yang belum ditandatangani masih ada di tumpukan."
MOVED = "Surat itu sudah ditandatangani atau diubah orang lain. Ini surat berikutnya."


@blueprint.get("/meja/tumpukan")
@web.for_staff()
def page() -> Response:
    """One letter of the stack, `surat` or the first unread; `act` opens a form to send it back."""
    asked, act = request.args.get("surat", type=int), request.args.get("act", "")
    lying = _lying()
    sheet = lying.after(0) if asked is None else None
    if asked is None and sheet is None and lying.sheets:
        return _onward(url_for("stack.summary"))
    open_id = asked if sheet is None else sheet.id
    if lying.sheets and lying.place(open_id) is None:
        nearest = lying.after(0) or lying.sheets[0]
        return _show(lying, nearest.id, notice=MOVED)
    return _show(lying, open_id, act=act)


@blueprint.post("/meja/tumpukan/<int:application_id>/dibaca")
@web.for_staff()
def read(application_id: int) -> Response:
    """The letter was read as it was shown; on to the next that is unread, else to the summary."""
    seq = request.form.get("seq", 0, int)
    casefile.read(web.loket(), application_id, web.actor(), web.now())
    place = _lying().place(application_id)
    try:
        stack.mark_read(web.loket(), application_id, seq, web.actor(), web.now())
    except Stale:
        return _past(place, MOVED)
    return _past(place)


@blueprint.post("/meja/tumpukan/<int:application_id>/kembali")
@web.for_staff()
def send_back(application_id: int) -> Response:
    """Send one back with its reason instead of signing it."""
    form, me, now = request.form, web.actor(), web.now()
    case = casefile.read(web.loket(), application_id, me, now)
    action = form.get("action", "")
    if not any(one.id == action and one.weight == "back" for one in case.actions):
        raise NotFound("Tindakan ini tidak ada pada langkah ini.")
    place, given = _lying().place(application_id), form.to_dict(flat=False)
    try:
        desk.act(web.loket(), application_id, action, given, me, form.get("seq", 0, int), now)
    except Invalid as fault:
        more: dict[str, Any] = {"act": action, "faults": fault.fields, "given": given}
        return _show(_lying(), application_id, 422, **more)
    except (Stale, NotAllowed):
        return _past(place, MOVED)
    return _past(place)


@blueprint.get("/meja/tumpukan/ringkasan")
@web.for_staff()
def summary() -> Response:
    """What was read, sent back and left out, and the one password for what was read."""
    stack.prepare(_lying())
    return make_response(_summary())


@blueprint.post("/meja/tumpukan/tanda-tangan")
@web.for_staff()
def sign() -> Response:
    """Sign the chosen ones; it goes on when the page is left."""
    loket, me, clock = web.loket(), web.actor(), current_app.config["NOW"]
    chosen = [pair for pair in map(_pair, request.form.getlist("ids")) if pair]
    given = {name: request.form.getlist(name) for name in ("password", "passphrase")}
    try:
        sheets, told = stack.choose(loket, chosen, given, me, web.now())
    except Invalid as fault:
        return make_response(_summary(faults=fault.fields, chosen={id_ for id_, _ in chosen}), 422)
    job = _jobs().start(
        lambda tell: [*told, *stack.sign(loket, sheets, given, me, clock, tell)],
        me,
        {"stack": len(sheets) + len(told)},
    )
    return _onward(url_for("stack.outcome", key=job.key))


def _pair(text: str) -> tuple[int, int] | None:
    """An application and the state that was read: "41:7"."""
    found = re.fullmatch("([0-9]{1,18}):([0-9]{1,18})", text)
    return (int(found[1]), int(found[2])) if found else None


@blueprint.get("/meja/tumpukan/pekerjaan/<key>")
@web.for_staff()
def outcome(key: str) -> str:
    """What became of a stack, while it is being signed and after."""
    return render_template("stack/outcome.html", **_told(_found(key)))


@blueprint.get("/meja/tumpukan/pekerjaan/<key>/state")
@web.for_staff()
def state(key: str) -> str | tuple[str, int]:
    job = _found(key)
    if web.unchanged(job.version):
        return "", 204
    return render_template("stack/_outcome.html", **_told(job))


def _jobs() -> Jobs:
    found: Jobs = current_app.extensions["jobs"]
    return found


def _found(key: str) -> Job:
    try:
        job = _jobs().find(key, web.actor())
    except NotFound:
        raise NotFound(GONE) from None
    if "stack" not in job.about:
        raise NotFound(GONE)
    return job


def _lying() -> Stack:
    return stack.of(web.loket(), web.actor(), web.now())


def _past(place: int | None, notice: str = "") -> Response:
    """On from this place: the next that is unread, or the summary when there is none."""
    lying = _lying()
    sheet = lying.after(min(place or 0, len(lying.sheets)))
    if sheet is None:
        return _onward(url_for("stack.summary" if lying.sheets else "stack.page"))
    if web.is_htmx():
        return _show(lying, sheet.id, notice=notice)
    return make_response(redirect(url_for("stack.page", surat=sheet.id), 303))


def _onward(to: str) -> Response:
    """To another page, also for htmx."""
    if not web.is_htmx():
        return make_response(redirect(to, 303))
    response = make_response("", 204)
    response.headers["HX-Redirect"] = to
    return response


def _show(
    lying: Stack,
    open_id: int | None,
    status: int = 200,
    *,
    act: str = "",
    notice: str = "",
    faults: dict[str, str] | None = None,
    given: dict[str, list[str]] | None = None,
) -> Response:
    """The letter that is open, or that nothing is there; its part alone for htmx."""
    place = lying.place(open_id)
    context = _frame(stack=lying, notice=notice, place=place)
    if place is None:
        return make_response(render_template("stack/empty.html", **context), status)
    sheet = lying.sheets[place]
    context |= case_context(sheet.id, web.actor(), act=act, faults=faults, given=given)
    name = "stack/_sheet.html" if web.is_htmx() else "stack/page.html"
    response = make_response(render_template(name, sheet=sheet, **context), status)
    if web.is_htmx():
        response.headers["HX-Replace-Url"] = url_for("stack.page", surat=sheet.id)
    return response


def _summary(faults: dict[str, str] | None = None, chosen: set[int] | None = None) -> str:
    lying = _lying()
    ticked = {sheet.id for sheet in lying.read} if chosen is None else chosen
    asks = frozenset[str]().union(*(sheet.asks for sheet in lying.read))
    more = {"asks": asks, "ticked": ticked, "faults": faults or {}}
    return render_template("stack/summary.html", **_frame(stack=lying, **more))


def _told(job: Job) -> dict[str, Any]:
    """The outcome by what it asks of its reader: to look at, to do again, to know."""
    results: list[Result] = job.result or []
    again = [one for one in results if one.state in ("failed", "refused")]
    return _frame(
        job=job,
        many=job.about["stack"],
        signed=[one for one in results if one.state == "signed"],
        again=again,
        changed=[one for one in results if one.state == "changed"],
    )


def _frame(**more: Any) -> dict[str, Any]:
    """What the frame of every page of the stack needs, and `more`."""
    me, profile = web.actor(), web.loket().profile
    role = profile.role(me.role)
    return {
        "me": me,
        "my_role": role.title if role else None,
        "may": lambda right: profile.may(me.role, right),
        **more,
    }
