"""The desk: my work, oldest promise first, and the whole case beside it."""

import secrets
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from kiosk import (
    board,
    casefile,
    desk,
    forms,
    intake,
    queue,
    spool,
    taking_back,
)
from kiosk.board import Work
from kiosk.casefile import Case
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale, TooMany, Unusable
from kiosk.service import Action
from kiosk.staff import Actor
from views import desk_forms, documents, web

blueprint = Blueprint("desk", __name__)
REVEALED_S = 30
COARSE_S = 600


@blueprint.get("/meja")
@web.for_staff()
def page() -> Response:
    """My work with its first case; `q` finds a case, `done` is the one just acted on."""
    text = request.args.get("q", "")
    found = casefile.find(web.loket(), text, web.actor(), web.now()) if text else None
    return show(found, missed=bool(text and not found), done=request.args.get("done", type=int))


@blueprint.get("/meja/<int:application_id>")
@web.for_staff()
def case(application_id: int) -> Response:
    return show(application_id, act=request.args.get("act", ""), job=followed(), **_on_letter())


@blueprint.get("/meja/<int:application_id>/desk")
@web.for_staff()
def opened(application_id: int) -> str:
    """My work and this case, as a fragment."""
    return _desk(application_id, act=request.args.get("act", ""), **_on_letter())


@blueprint.get("/meja/found")
@web.for_staff()
def found() -> str:
    """My work and the case that `q` names, as a fragment."""
    text = request.args.get("q", "")
    known = casefile.find(web.loket(), text, web.actor(), web.now()) if text else None
    return _desk(known, missed=bool(text and not known))


@blueprint.get("/meja/first")
@web.for_staff()
def first() -> str | tuple[str, int]:
    """An idle desk asks for its first case."""
    if web.unchanged(_version()):
        return "", 204
    return _desk(None, done=request.args.get("done", type=int))


@blueprint.get("/meja/rows")
@web.for_staff()
def rows() -> str | tuple[str, int]:
    """My work. `open` is the case that is shown, `seen` the newest event that was here."""
    if web.unchanged(_version()):
        return "", 204
    open_id = request.args.get("open", type=int)
    return render_template("desk/_work.html", open_id=open_id, **_work(web.actor()))


@blueprint.get("/meja/<int:application_id>/case")
@web.for_staff()
def state(application_id: int) -> str | tuple[str, int]:
    """The case, when somebody has acted on it; an open form is only then taken away."""
    try:
        wanted = request.args.get("act", "")
        context = case_context(
            application_id, web.actor(), act=wanted, job=followed(), **_on_letter()
        )
    except NotFound:
        return render_template("desk/_gone.html", done=None, v=_version())
    if web.unchanged(context["case_v"]):
        return "", 204
    return render_template("desk/_case.html", done=None, notice="", **context)


@blueprint.get("/meja/<int:application_id>/head")
@web.for_staff()
def head(application_id: int) -> str | tuple[str, int]:
    context = case_context(application_id, web.actor())
    if web.unchanged(context["head_v"]):
        return "", 204
    return render_template("desk/_head.html", **context)


@blueprint.get("/meja/<int:application_id>/done")
@web.for_staff()
def done(application_id: int) -> str | tuple[str, int]:
    """What was just done, while it can be taken back."""
    just = casefile.read(web.loket(), application_id, web.actor(), web.now())
    if just.can_take_back and web.unchanged(str(just.seq)):
        return "", 204
    return render_template("desk/_done.html", done=just, me=web.actor())


@blueprint.post("/meja/<int:application_id>/acts")
@web.for_staff()
def act(application_id: int) -> Response:
    action, seq = request.form.get("action", ""), request.form.get("seq", 0, int)
    given = desk_forms.sent(application_id, action)
    try:
        documents.attach(application_id, action)
        desk.act(web.loket(), application_id, action, given, web.actor(), seq, web.now())
    except Invalid as fault:
        entry = forms.without_secrets(request.form.to_dict(flat=False))
        return again(application_id, 422, act=action, faults=fault.fields, given=entry)
    except (Stale, TooMany) as late:
        return again(application_id, 409, notice=late.message)
    except Unusable as trouble:
        return again(application_id, 409, act=action, notice=trouble.message)
    return _onward(application_id)


@blueprint.post("/meja/<int:application_id>/take-backs")
@web.for_staff()
def take_back(application_id: int) -> Response:
    seq = request.form.get("seq", 0, int)
    casefile.read(web.loket(), application_id, web.actor(), web.now())
    try:
        taking_back.take_back(web.loket(), application_id, web.actor(), seq, web.now())
    except (Stale, NotAllowed) as late:
        return again(application_id, 409, notice=late.message)
    here = url_for("desk.case", application_id=application_id)
    context = _context(application_id, good="Langkah ditarik kembali. Silakan kerjakan lagi.")
    return _moved(web.answer("desk/_desk.html", here, **context), here)


@blueprint.post("/meja/<int:application_id>/calls")
@web.for_staff("queue")
def call(application_id: int) -> Response:
    """Call the citizen to the window of this session."""
    me = web.actor()
    ticket_id = casefile.read(web.loket(), application_id, me, web.now()).ticket_id
    try:
        queue.call(web.loket(), ticket_id, me, web.now())
    except (Invalid, Stale) as fault:
        if web.is_htmx():
            raise
        return again(application_id, 409, notice=fault.message)
    here = url_for("desk.case", application_id=application_id)
    return web.answer("desk/_head.html", here, **case_context(application_id, me))


@blueprint.post("/meja/<int:application_id>/reveals")
@web.for_staff("reveal")
def reveal(application_id: int) -> Response:
    """The full numbers for half a minute; the audit says who looked."""
    me = web.actor()
    casefile.read(web.loket(), application_id, me, web.now())
    full = desk.reveal(web.loket(), application_id, me, web.now())
    if web.is_htmx():
        context = case_context(application_id, me, full=full)
        return make_response(render_template("desk/_numbers.html", **context))
    response = show(application_id, full=full)
    here = url_for("desk.case", application_id=application_id)
    response.headers["Refresh"] = f"{REVEALED_S}; url={here}"
    return response


@blueprint.get("/meja/<int:application_id>/numbers")
@web.for_staff()
def numbers(application_id: int) -> str:
    """The numbers, hidden again."""
    return render_template("desk/_numbers.html", **case_context(application_id, web.actor()))


@blueprint.post("/meja/keys")
@web.for_staff()
def keys() -> Response:
    """Single-key shortcuts on or off in this browser (WCAG 2.1.4)."""
    room = request.args.get("room", "")
    here = f"{room}.page" if room in ("queue", "proposals") else "desk.page"
    response = make_response(redirect(url_for(here), 303))
    wanted = "off" if request.form.get("keys") == "off" else "on"
    return web.set_cookie(response, "keys", wanted, days=365)


def _on_letter() -> dict[str, Any]:
    """The act on the issued letter that is asked for: replace, suspend, lift, revoke."""
    return {"letter_act": request.args.get("letter", "")}


def followed() -> int | None:
    """The print to follow: of the page's and its letter's the newer."""
    return max(request.args.getlist("job", type=int), default=None)


def _printed(application_id: int, job: int | None) -> tuple[str, str] | None:
    """How the print fares, with its reason; None for a print that is another's or none."""
    try:
        return spool.job_state(job, application_id) if job else None
    except NotFound:
        return None


def _version(read: str = "") -> str:
    """Changes with every act, when the office opens or closes (clocks run or stand still), and
    now and then: clocks that are shown in hours and days do not run by themselves.
    """
    now = web.now()
    return f"{read or board.desk_version()}-{web.loket().calendar.is_open(now):d}-{now // COARSE_S}"


def _may(me: Actor) -> Callable[..., bool]:
    return lambda right: web.loket().profile.may(me.role, right)


def show(application_id: int | None, status: int = 200, **more: Any) -> Response:
    """The whole page."""
    html = render_template("desk/page.html", **_context(application_id, **more))
    return make_response(html, status)


def _desk(application_id: int | None, **more: Any) -> str:
    """My work and the case, for htmx."""
    return render_template("desk/_desk.html", **_context(application_id, **more))


def again(application_id: int, status: int, **more: Any) -> Response:
    """What was not done, said beside the newest state; the next case where this one is gone."""
    render = _desk if web.is_htmx() else show
    try:
        shown = render(application_id, **more)
    except NotFound:
        shown = render(None, notice=more.get("notice", ""))
    response = make_response(shown)
    response.status_code = status
    return response


def _onward(application_id: int) -> Response:
    """After an act: the next case, and the way back for two minutes."""
    here = url_for("desk.page", done=application_id)
    return _moved(web.answer("desk/_desk.html", here, **_context(None, done=application_id)), here)


def _moved(response: Response, here: str) -> Response:
    """A reload shows what is on the screen now."""
    if web.is_htmx():
        response.headers["HX-Replace-Url"] = here
    return response


def _context(
    application_id: int | None,
    *,
    done: int | None = None,
    notice: str = "",
    good: str = "",
    missed: bool = False,
    **more: Any,
) -> dict[str, Any]:
    """All that the desk shows: my work, and the case asked for or else the next one."""
    me = web.actor()
    work = _work(me)
    open_id = application_id or (None if missed else _next(work["work"]))
    just = casefile.read(web.loket(), done, me, web.now()) if done else None
    shown = case_context(open_id, me, **more) if open_id else {"case": None, "may": _may(me)}
    said = {"notice": notice, "good": good, "missed": missed, "done": just}
    return work | shown | said | {"open_id": open_id}


def _work(me: Actor) -> dict[str, Any]:
    loket, now = web.loket(), web.now()
    role = loket.profile.role(me.role)
    work = board.my_work(loket, me, now)
    return {
        "work": work,
        "today": loket.calendar.day_of(now),
        "me": me,
        "my_role": role.title if role else None,
        "may": _may(me),
        "seen": request.args.get("seen", type=int),
        "q": request.args.get("q", "")[:80],
        "v": _version(work.version),
    }


def _next(work: Work) -> int | None:
    """The oldest promise that waits for me and for nobody else, citizens included."""
    mine = [row for row in work.rows if row.mine_to_do and (row.mine or not row.assignee)]
    ready = [row for row in mine if not row.clock.stopped]
    row = next(iter([*ready, *work.rows]), None)
    return row.id if row else None


def case_context(
    application_id: int,
    me: Actor,
    *,
    act: str = "",
    faults: dict[str, str] | None = None,
    given: desk_forms.Given | None = None,
    job: int | None = None,
    full: dict[str, str] | None = None,
    letter_act: str = "",
) -> dict[str, Any]:
    """What the case's templates need; each of its fragments renders with this alone."""
    view = casefile.read(web.loket(), application_id, me, web.now())
    offered = (one for one in view.actions if one.id not in view.barred)
    action = next((one for one in offered if one.id == act), None)
    printed = _printed(application_id, job)
    may_letter = view.letter.acts if view.letter and action is None else ()
    letter_act = letter_act if letter_act in may_letter else ""
    return {
        "case": view,
        "action": action,
        "faults": faults or {},
        "given": given
        or (desk_forms.corrected(view) if letter_act else desk_forms.initial(view, action)),
        "letter_act": letter_act,
        "person_field": intake.PERSON,
        "options": desk_forms.options(view, action),
        "me": me,
        "may": _may(me),
        "today": web.loket().calendar.day_of(web.now()),
        "as_of": date.fromisoformat(view.as_of) if view.as_of else None,
        "job": job if printed else None,
        "printed": printed,
        "full": full,
        "print_key": secrets.token_hex(8),
        "form_key": secrets.token_hex(16),
        "revealed_s": REVEALED_S,
        **_versions(view, action or letter_act, printed),
    }


def _versions(
    view: Case, form: Action | str | None, printed: tuple[str, str] | None
) -> dict[str, str]:
    """What each part of the case that watches for change was drawn from; an open `form` stays."""
    running, held = view.clock.until is not None, view.letter
    status = held.version if held else ""
    letter_v = f"{held.prints}-{status}-{'-'.join(printed or ())}" if held else ""
    case_v = f"{view.seq}-{status}" + ("" if form else f"-{view.can_take_back:d}")
    rest = f"{view.clock.figure}{view.clock.unit.id}"
    head_v = f"{view.seq}-{rest}-{view.clock.light}-{running:d}-{view.ticket_state}"
    return {"case_v": case_v, "head_v": head_v, "letter_v": letter_v}
