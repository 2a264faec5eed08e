"""The desk: my work, oldest promise first, and the whole case beside it."""

import re
import secrets
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from kiosk import (
    archive,
    board,
    casefile,
    certificate,
    desk,
    issuing,
    letter_status,
    queue,
    spool,
    staff,
)
from kiosk.board import Work
from kiosk.casefile import Case
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.service import Action, FormField
from kiosk.staff import Actor
from kiosk.tables import Text
from views import documents, web

blueprint = Blueprint("desk", __name__)
PREVIEW_SCALE = 2.0
REVEALED_S = 30
COARSE_S = 600

CHOSEN = ("staff", "requirements", "choice")
HIDDEN = ("nik", "kk")

Given = dict[str, list[str]]
Option = tuple[str, str | Text]


@blueprint.get("/meja")
@web.for_staff()
def page() -> Response:
    """My work with its first case; `q` finds a case, `done` is the one just acted on."""
    text = request.args.get("q", "")
    found = casefile.find(web.loket(), text, web.actor(), web.now()) if text else None
    return _show(found, missed=bool(text and not found), done=request.args.get("done", type=int))


@blueprint.get("/meja/<int:application_id>")
@web.for_staff()
def case(application_id: int) -> Response:
    return _show(application_id, act=request.args.get("act", ""), job=_followed())


@blueprint.get("/meja/<int:application_id>/desk")
@web.for_staff()
def opened(application_id: int) -> str:
    """My work and this case, as a fragment."""
    return _desk(application_id, act=request.args.get("act", ""))


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
        context = _case(application_id, web.actor(), act=wanted, job=_followed())
    except NotFound:
        return render_template("desk/_gone.html", done=None, v=_version())
    if web.unchanged(context["case_v"]):
        return "", 204
    return render_template("desk/_case.html", done=None, notice="", **context)


@blueprint.get("/meja/<int:application_id>/head")
@web.for_staff()
def head(application_id: int) -> str | tuple[str, int]:
    context = _case(application_id, web.actor())
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
    given = _sent(application_id, action)
    try:
        documents.attach(application_id, action)
        desk.act(web.loket(), application_id, action, given, web.actor(), seq, web.now())
    except Invalid as fault:
        entry = request.form.to_dict(flat=False)
        return _again(application_id, 422, act=action, faults=fault.fields, given=entry)
    except Stale as stale:
        return _again(application_id, 409, notice=stale.message)
    return _onward(application_id)


@blueprint.post("/meja/<int:application_id>/take-backs")
@web.for_staff()
def take_back(application_id: int) -> Response:
    seq = request.form.get("seq", 0, int)
    casefile.read(web.loket(), application_id, web.actor(), web.now())
    try:
        desk.take_back(web.loket(), application_id, web.actor(), seq, web.now())
    except (Stale, NotAllowed) as late:
        return _again(application_id, 409, notice=late.message)
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
        return _again(application_id, 409, notice=fault.message)
    here = url_for("desk.case", application_id=application_id)
    return web.answer("desk/_head.html", here, **_case(application_id, me))


@blueprint.post("/meja/<int:application_id>/prints")
@web.for_staff()
def print_letter(application_id: int) -> Response:
    """Print the letter at the counter; the form's key makes a second click the same print."""
    me = web.actor()
    casefile.read(web.loket(), application_id, me, web.now())
    key = f"{application_id}:{request.form.get('key', '')[:40]}"
    job = desk.print_at_counter(web.loket(), application_id, me, key, web.now())
    here = url_for("desk.case", application_id=application_id, job=job)
    return web.answer("desk/_letter.html", here, **_case(application_id, me, job=job))


@blueprint.get("/meja/<int:application_id>/letter")
@web.for_staff()
def letter(application_id: int) -> str | tuple[str, int]:
    """The letter and what has become of its print."""
    context = _case(application_id, web.actor(), job=_followed())
    if web.unchanged(context["letter_v"]):
        return "", 204
    return render_template("desk/_letter.html", **context)


@blueprint.post("/meja/<int:application_id>/revocations")
@web.for_staff("revoke")
def revoke(application_id: int) -> Response:
    me, form = web.actor(), request.form
    casefile.read(web.loket(), application_id, me, web.now())
    reason, replacement = form.get("reason", ""), form.get("replacement", "")
    try:
        letter_status.revoke(web.loket(), application_id, reason, replacement, me, web.now())
    except Invalid as fault:
        entry = {"reason": [reason], "replacement": [replacement]}
        return _letter_again(application_id, faults=fault.fields, given=entry)
    here = url_for("desk.case", application_id=application_id)
    return web.answer("desk/_letter.html", here, **_case(application_id, me))


@blueprint.post("/meja/<int:application_id>/reveals")
@web.for_staff("reveal")
def reveal(application_id: int) -> Response:
    """The full numbers for half a minute; the audit says who looked."""
    me = web.actor()
    casefile.read(web.loket(), application_id, me, web.now())
    full = desk.reveal(web.loket(), application_id, me, web.now())
    if web.is_htmx():
        context = _case(application_id, me, full=full)
        return make_response(render_template("desk/_numbers.html", **context))
    response = _show(application_id, full=full)
    here = url_for("desk.case", application_id=application_id)
    response.headers["Refresh"] = f"{REVEALED_S}; url={here}"
    return response


@blueprint.get("/meja/<int:application_id>/numbers")
@web.for_staff()
def numbers(application_id: int) -> str:
    """The numbers, hidden again."""
    return render_template("desk/_numbers.html", **_case(application_id, web.actor()))


@blueprint.get("/meja/<int:application_id>/draft.png")
@web.for_staff()
def draft(application_id: int) -> Response:
    """The letter as it will look, to be read before it is signed."""
    loket, me, now = web.loket(), web.actor(), web.now()
    if not casefile.read(loket, application_id, me, now).can_read_draft:
        raise NotFound("Rancangan surat ini tidak ada.")
    pdf = issuing.draft(loket, desk.find(application_id), me, now)
    response = make_response(certificate.preview_png(pdf, PREVIEW_SCALE))
    response.mimetype = "image/png"
    return response


@blueprint.get("/meja/<int:application_id>/letter.pdf")
@web.for_staff()
def pdf(application_id: int) -> Response:
    """The archived bytes, named after the letter's number; the audit says who opened them."""
    loket, me, now = web.loket(), web.actor(), web.now()
    view = casefile.read(loket, application_id, me, now).letter
    response = make_response(archive.pdf_of(loket, application_id))
    desk.note_opened(loket, application_id, me, "buka surat", now)
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", view.number if view else "surat").strip("-.")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.pdf"'
    response.mimetype = "application/pdf"
    return response


@blueprint.post("/meja/keys")
@web.for_staff()
def keys() -> Response:
    """Single-key shortcuts on or off in this browser (WCAG 2.1.4)."""
    room = request.args.get("room", "")
    here = f"{room}.page" if room in ("queue", "proposals") else "desk.page"
    response = make_response(redirect(url_for(here), 303))
    wanted = "off" if request.form.get("keys") == "off" else "on"
    return web.set_cookie(response, "keys", wanted, days=365)


def _followed() -> int | None:
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


def _show(application_id: int | None, status: int = 200, **more: Any) -> Response:
    """The whole page."""
    html = render_template("desk/page.html", **_context(application_id, **more))
    return make_response(html, status)


def _desk(application_id: int | None, **more: Any) -> str:
    """My work and the case, for htmx."""
    return render_template("desk/_desk.html", **_context(application_id, **more))


def _again(application_id: int, status: int, **more: Any) -> Response:
    """What was not done, said beside the newest state; the next case where this one is gone."""
    show = _desk if web.is_htmx() else _show
    try:
        shown = show(application_id, **more)
    except NotFound:
        shown = show(None, notice=more.get("notice", ""))
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


def _letter_again(application_id: int, **more: Any) -> Response:
    if web.is_htmx():
        context = _case(application_id, web.actor(), **more)
        return make_response(render_template("desk/_letter.html", **context), 422)
    return _show(application_id, 422, **more)


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
    shown = _case(open_id, me, **more) if open_id else {"case": None, "may": _may(me)}
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


def _case(
    application_id: int,
    me: Actor,
    *,
    act: str = "",
    faults: dict[str, str] | None = None,
    given: Given | None = None,
    job: int | None = None,
    full: dict[str, str] | None = None,
) -> dict[str, Any]:
    """What the case's templates need; each of its fragments renders with this alone."""
    view = casefile.read(web.loket(), application_id, me, web.now())
    action = next((one for one in view.actions if one.id == act), None)
    printed = _printed(application_id, job)
    return {
        "case": view,
        "action": action,
        "faults": faults or {},
        "given": given or _initial(view, action),
        "options": _options(view, action),
        "me": me,
        "may": _may(me),
        "today": web.loket().calendar.day_of(web.now()),
        "as_of": date.fromisoformat(view.as_of) if view.as_of else None,
        "job": job if printed else None,
        "printed": printed,
        "full": full,
        "print_key": secrets.token_hex(8),
        "revealed_s": REVEALED_S,
        **_versions(view, action, printed),
    }


def _versions(view: Case, action: Action | None, printed: tuple[str, str] | None) -> dict[str, str]:
    """What each part of the case that watches for change was drawn from."""
    running, held = view.clock.until is not None, view.letter
    revoked = held.revoked_at if held else None
    letter_v = f"{held.prints}-{revoked}-{held.state}-{'-'.join(printed or ())}" if held else ""
    case_v = f"{view.seq}" if action else f"{view.seq}-{view.can_take_back:d}-{revoked}"
    rest = f"{view.clock.figure}{view.clock.unit.id}"
    head_v = f"{view.seq}-{rest}-{view.clock.light}-{running:d}-{view.ticket_state}"
    return {"case_v": case_v, "head_v": head_v, "letter_v": letter_v}


def _options(view: Case, action: Action | None) -> dict[str, list[Option]]:
    """What can be chosen, by the field's name."""
    fields = action.fields if action else ()
    return {one.name: _choices(view, one) for one in fields if one.kind in CHOSEN}


def _choices(view: Case, field: FormField) -> list[Option]:
    if field.kind == "staff":
        anybody: list[Option] = [] if field.required else [("", "Siapa saja yang bertugas")]
        people = staff.people(field.role or "")
        return anybody + [(str(one.id), one.full_name) for one in people]
    named = view.service.papers if field.kind == "requirements" else field.options
    return [(one.id, one.title) for one in named]


def _initial(view: Case, action: Action | None) -> Given:
    """What a form starts with. NIK and KK stay hidden: left empty, they stay as they are."""
    start: Given = {}
    for one in action.fields if action else ():
        if one.prefill:
            known = getattr(view, one.prefill)
            start[one.name] = ["" if known is None else str(known)]
        elif one.kind == "checklist":
            start |= _ticked_before(view, one.name)
        elif one.kind == "person":
            shown = {part: value for part, value in view.person.items() if part not in HIDDEN}
            start |= {f"{one.name}.{part}": [value] for part, value in shown.items()}
    return start


def _ticked_before(view: Case, name: str) -> Given:
    """A checklist starts with what was ticked the last time: only what changed is ticked anew."""
    found = (event.detail[name] for event in reversed(view.passed) if name in event.detail)
    last: dict[str, str] = next(found, {})
    return {f"{name}.{part}": [value] for part, value in last.items()}


def _sent(application_id: int, action_id: str) -> Given:
    """The fields as sent; hidden numbers that were left empty are those already known."""
    view = casefile.read(web.loket(), application_id, web.actor(), web.now())
    given = request.form.to_dict(flat=False)
    action = next((one for one in view.actions if one.id == action_id), None)
    for one in action.fields if action else ():
        for part in HIDDEN if one.kind == "person" else ():
            if not "".join(given.get(f"{one.name}.{part}", ())).strip():
                given[f"{one.name}.{part}"] = [view.person[part]]
    return given
