"""Sheets over many proposals: decided one by one, frozen, signed by hand or electronically."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from kiosk import bundles, documents, proposals
from kiosk.bundles import BundleView, Candidates
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.jobs import Job
from kiosk.letter import address
from kiosk.proposals import Filter, ProposalRow
from kiosk.service import Action, Bundle, ProposalService, Step
from views import web
from views.proposal_rooms import (
    Period,
    born,
    frame,
    jobs,
    listed_periods,
    options_of,
    sent,
    service_asked,
    taking,
    village_name,
)

blueprint = Blueprint("bundles", __name__)


@dataclass(frozen=True)
class Waiting:
    """A step before the sheet: how many stand there, and what this role may do to all at once."""

    step: Step
    families: int
    link: str
    act: Action | None


@blueprint.get("/usulan/<bundle_id>")
@web.for_staff("propose", "supervise")
def page(bundle_id: str) -> Response:
    return _show(bundle_id)


@blueprint.get("/usulan/<bundle_id>/part")
@web.for_staff("propose", "supervise")
def part(bundle_id: str) -> str | tuple[str, int]:
    """The page without its frame; nothing new while a sheet is being made."""
    job = _job()
    if job and web.unchanged(job.version):
        return "", 204
    return render_template("proposals/_bundle.html", **_context(bundle_id))


@blueprint.post("/usulan/<bundle_id>/keputusan/<int:application_id>")
@web.for_staff("propose", "supervise")
def decide(bundle_id: str, application_id: int) -> Response:
    """One household decided; the next one is shown."""
    action, seq = request.form.get("action", ""), request.form.get("seq", 0, int)
    given = sent(f"{action}.")
    loket, me, now = web.loket(), web.actor(), web.now()
    try:
        proposals.act(loket, application_id, action, given, me, seq, now)
    except Invalid as fault:
        wrong = {f"{action}.{name}": said for name, said in fault.fields.items()}
        again = {"faults_act": wrong, "given_act": sent(), "asked": action}
        return _again(bundle_id, 422, opened=application_id, **again)
    except (Stale, NotAllowed) as late:
        return _again(bundle_id, 409, notice=late.message)
    return web.answer("proposals/_bundle.html", _here(bundle_id)(), **_context(bundle_id))


@blueprint.post("/usulan/<bundle_id>/lembar")
@web.for_staff("propose", "supervise")
def freeze(bundle_id: str) -> Response:
    """Number and freeze the sheet, as a job: a long annex takes longer than a request."""
    loket, me, now, given = web.loket(), web.actor(), web.now(), sent()
    service, bundle = _asked(bundle_id)
    period, village = _chosen(service).code, me.village
    job = jobs().start(
        lambda tell: bundles.freeze(
            loket, service.id, bundle.id, given, village, period, me, now, tell
        ),
        me,
        {"bundle": bundle.id},
    )
    if job.faults:
        return _again(bundle_id, 422, faults=job.faults, given=given)
    return make_response(redirect(_here(bundle_id)(pekerjaan=job.key), 303))


@blueprint.get("/usulan/lembar/<int:sheet_id>.pdf")
@web.for_staff("propose", "supervise")
def pdf(sheet_id: int) -> Response:
    """The frozen bytes; the audit says who opened them."""
    data = bundles.pdf(web.loket(), sheet_id, web.actor(), web.now())
    return _file(sheet_id, data, "application/pdf")


@blueprint.get("/usulan/lembar/<int:sheet_id>/signed")
@web.for_staff("propose", "supervise")
def signed(sheet_id: int) -> Response:
    """The copy that came back: the PDF signed electronically, else the last scan."""
    loket, me, now = web.loket(), web.actor(), web.now()
    scans = bundles.read(loket, sheet_id, me).scans
    if not scans:
        return _file(sheet_id, bundles.signed_pdf(loket, sheet_id, me, now), "application/pdf")
    scan = documents.read(loket, scans[-1].id, me, now)
    return _file(sheet_id, scan.bytes, scan.media)


def _file(sheet_id: int, data: bytes, media: str) -> Response:
    """The bytes under the sheet's number."""
    view = bundles.read(web.loket(), sheet_id, web.actor()).view
    response = make_response(data)
    response.mimetype = media
    name = re.sub(r"[^A-Za-z0-9.-]+", "-", view.number).strip("-.")
    kind = {"application/pdf": "pdf", "image/png": "png"}.get(media, "jpg")
    response.headers["Content-Disposition"] = f'inline; filename="{name}.{kind}"'
    return response


@blueprint.post("/usulan/lembar/<int:sheet_id>/signatures")
@web.for_staff("propose", "supervise")
def sign(sheet_id: int) -> Response:
    loket, me, now = web.loket(), web.actor(), web.now()
    view, upload = bundles.read(loket, sheet_id, me).view, request.files.get("file")
    try:
        bundles.sign(loket, sheet_id, upload.stream.read() if upload else b"", me, now)
    except (Invalid, Stale) as fault:
        return _again(view.kind, 422, of=view, wrong=sheet_id, fault=fault.message)
    return make_response(redirect(_of(view, jadi=sheet_id), 303))


@blueprint.post("/usulan/lembar/<int:sheet_id>/scans")
@web.for_staff("propose", "supervise")
def scan_again(sheet_id: int) -> Response:
    """A better scan of the signed paper, where the first was the wrong one."""
    loket, me, now = web.loket(), web.actor(), web.now()
    view, upload = bundles.read(loket, sheet_id, me).view, request.files.get("file")
    try:
        bundles.scan_again(loket, sheet_id, upload.stream.read() if upload else b"", me, now)
    except (Invalid, Stale) as fault:
        return _again(view.kind, 422, of=view, wrong=sheet_id, fault=fault.message)
    return make_response(redirect(_of(view, jadi=sheet_id), 303))


@blueprint.post("/usulan/lembar/<int:sheet_id>/voids")
@web.for_staff("propose", "supervise")
def void(sheet_id: int) -> Response:
    loket, me = web.loket(), web.actor()
    view, reason = bundles.read(loket, sheet_id, me).view, request.form.get("reason", "")
    try:
        bundles.void(loket, sheet_id, reason, me, web.now())
    except (Invalid, Stale) as fault:
        return _again(view.kind, 422, of=view, void_wrong=sheet_id, fault=fault.message)
    return make_response(redirect(_of(view), 303))


def _of(view: BundleView, **more: Any) -> str:
    """The page that this sheet stands on."""
    values: dict[str, Any] = {"layanan": view.service_id, "periode": view.period}
    return url_for("bundles.page", bundle_id=view.kind, **values, **more)


def _show(bundle_id: str, status: int = 200, **more: Any) -> Response:
    html = render_template("proposals/bundle.html", **_context(bundle_id, **more))
    return make_response(html, status)


def _again(bundle_id: str, status: int, **more: Any) -> Response:
    """What was not done, said beside what is there now."""
    if not web.is_htmx():
        return _show(bundle_id, status, **more)
    html = render_template("proposals/_bundle.html", **_context(bundle_id, **more))
    return make_response(html, status)


def _asked(bundle_id: str, service_id: str = "") -> tuple[ProposalService, Bundle]:
    """The service and its sheet. Raises NotFound, also for another role's."""
    named = {one.id: one for one in web.loket().profile.proposals}
    service = named.get(service_id) or service_asked()
    bundle = service.bundle(bundle_id)
    if bundle is None or web.actor().role not in bundle.roles:
        raise NotFound("Lembar ini tidak ada.")
    return service, bundle


def _chosen(service: ProposalService, code: str = "") -> Period:
    """The period asked for; else the oldest where anything still stands, else the one taking."""
    found = listed_periods(service)
    code = code or request.values.get("periode", "")
    held = [p for p in found if p.families and p.state != "closed"]
    oldest = min(held, key=lambda p: p.code, default=None)
    asked = next((p for p in found if p.code == code), None)
    return asked or oldest or taking(found) or found[0]


def _here(bundle_id: str, **fixed: str) -> Callable[..., str]:
    """The page's address; with the period that was chosen."""
    asked = {name: request.values.get(name, "") for name in ("layanan", "periode")} | fixed
    values: dict[str, Any] = {name: value for name, value in asked.items() if value}
    return partial(url_for, "bundles.page", bundle_id=bundle_id, **values)


def _job() -> Job | None:
    """The sheet that is being made, or was just made."""
    key = request.args.get("pekerjaan", "")
    try:
        return jobs().find(key, web.actor()) if key else None
    except NotFound:
        return None


def _context(
    bundle_id: str, *, of: BundleView | None = None, opened: int | None = None, **more: Any
) -> dict[str, Any]:
    """What the sheet's templates need."""
    loket, me = web.loket(), web.actor()
    service, bundle = _asked(bundle_id, of.service_id if of else "")
    period, job = _chosen(service, of.period if of else ""), _job()
    ready = bundles.candidates(loket, service.id, bundle.id, me.village, period.code, me)
    values: dict[str, Any] = {"bundle_id": bundle.id, "layanan": service.id, "periode": period.code}
    sheets = bundles.listed(loket, service.id, me, period.code)
    context = {
        "bundle": bundle,
        "period": period,
        "periods": listed_periods(service),
        "ready": ready,
        "collecting": ", ".join(web.pick(service.step(s).title) for s in bundle.collects),
        "waiting": _waiting(service, bundle, ready, period),
        "made": [one for one in sheets if one.kind == bundle.id],
        "job": job,
        "here": partial(url_for, "bundles.page", **values),
        "fragment": partial(url_for, "bundles.part", **values),
        "options": options_of(service, bundle.fields),
        "just": request.args.get("jadi", type=int),
        "given": {},
        "wrong": None,
        "void_wrong": None,
        "fault": "",
        "village_name": village_name,
        **_decision(service, bundle, period, opened),
        **more,
    }
    if job and job.state == "failed":
        context["notice"] = job.reason
    return frame(service, **context)


def _waiting(
    service: ProposalService, bundle: Bundle, ready: Candidates, period: Period
) -> list[Waiting]:
    """The steps before the sheet, in the file's order."""
    counts = {one.id: one.families for one in ready.by_step}
    before = bundles.steps_before(service, bundle)
    return [
        Waiting(step, counts[step.id], _step_link(service, step, period), _shortcut(bundle, step))
        for step in service.steps
        if step.id in before and counts.get(step.id)
    ]


def _step_link(service: ProposalService, step: Step, period: Period) -> str:
    values: dict[str, Any] = {
        "layanan": service.id,
        "periode": period.code,
        "langkah": step.id,
    }
    return url_for("proposals.page", **values)


def _shortcut(bundle: Bundle, step: Step) -> Action | None:
    """The act that brings all of a step onto the sheet, where it asks nothing of each."""
    acts = _onto(bundle, step)
    return acts[0] if len(acts) == 1 and not acts[0].fields else None


def _onto(bundle: Bundle, step: Step) -> list[Action]:
    """The acts of this role that lead from the step onto the sheet."""
    role = web.actor().role
    mine = role in step.roles and step.id not in bundle.collects
    acts = [a for a in step.actions if not a.on and (not a.roles or role in a.roles)]
    return [a for a in acts if a.next in bundle.collects] if mine else []


def _decision(
    service: ProposalService, bundle: Bundle, period: Period, opened: int | None
) -> dict[str, Any]:
    """The households to be decided on one by one, and the one that is open."""
    step = next((s for s in service.steps if len(_onto(bundle, s)) > 1), None)
    rows = _undecided(service, period, step) if step else []
    wanted = opened or request.args.get("buka", 0, int)
    row = next((one for one in rows if one.id == wanted), rows[0] if rows else None)
    view = proposals.read(web.loket(), row.id, web.actor(), web.now()) if row else None
    acts = [_renamed(act) for act in view.actions] if view else []
    return {
        "undecided": rows,
        "open": view,
        "decisions": acts,
        "options_act": options_of(service, [f for act in acts for f in act.fields]),
        "faults_act": {},
        "given_act": {},
        "asked": "",
        "address": address(view.household.head) if view else "",
        "born": born,
    }


def _undecided(service: ProposalService, period: Period, step: Step) -> list[ProposalRow]:
    """The oldest first."""
    asked, me = Filter(period.code, "", step.id), web.actor()
    read = partial(proposals.listing, web.loket(), service.id, me, asked)
    last = read(1, web.now())
    return list(reversed(read(last.pages, web.now()).rows if last.pages > 1 else last.rows))


def _renamed(act: Action) -> Action:
    """Two acts of one screen may ask a field of the same name."""
    fields = [f.model_copy(update={"name": f"{act.id}.{f.name}"}) for f in act.fields]
    return act.model_copy(update={"fields": tuple(fields)})
