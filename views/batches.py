"""One act on many proposals at once: begun, told as it goes, what was refused and why."""

from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.blueprints import BlueprintSetupState

from kiosk import proposals
from kiosk.errors import NotFound
from kiosk.jobs import Job, Jobs
from kiosk.proposals import Filter
from kiosk.service import Action, ProposalService
from views import web
from views.proposal_rooms import frame, jobs, sent, service_asked
from views.proposals import list_context

blueprint = Blueprint("batches", __name__)
ASKED = ("periode", "desa", "langkah")


@blueprint.record_once
def _prepare(state: BlueprintSetupState) -> None:
    state.app.extensions["jobs"] = Jobs()


@blueprint.post("/usulan/tindakan")
@web.for_staff("propose", "supervise")
def act() -> Response:
    """One act on all that are ticked, or on all of the list."""
    service, action = _asked()
    begun = _begin(service, action)
    if begun.faults:
        faults = {f"{action.id}.{name}": said for name, said in begun.faults.items()}
        shown = list_context(faults=faults, given=sent(), asked=action.id)
        return make_response(render_template("proposals/list.html", **shown), 422)
    return make_response(redirect(url_for("batches.page", key=begun.key), 303))


def _asked() -> tuple[ProposalService, Action]:
    service, step_id = service_asked(), request.form.get("langkah", "")
    step = next((one for one in service.steps if one.id == step_id), None)
    action = step.action(request.form.get("action", "")) if step else None
    if action is None:
        raise NotFound("Tindakan ini tidak ada pada langkah ini.")
    return service, action


def _begin(service: ProposalService, action: Action) -> Job:
    loket, me, now = web.loket(), web.actor(), web.now()
    step = request.form.get("langkah", "")
    given, chosen = sent(f"{action.id}."), tuple(request.form.getlist("ids", type=int))
    if request.form.get("all"):
        asked = Filter(*(request.form.get(name, "") for name in ASKED))
        chosen = proposals.ids(loket, service.id, me, asked)
    about = {"action": action, "service": service.id, "back": _back(service)}
    return jobs().start(
        lambda tell: proposals.act_all(loket, chosen, action.id, given, me, now, tell, step),
        me,
        about,
    )


def _back(service: ProposalService) -> str:
    """The list as it was, or the sheet (`ke`) that the act was for."""
    asked = {name: request.form.get(name, "") for name in ASKED}
    query: dict[str, Any] = {name: value for name, value in asked.items() if value}
    sheet = service.bundle(request.form.get("ke", ""))
    if sheet is None:
        return url_for("proposals.page", layanan=service.id, **query)
    period = asked["periode"]
    return url_for("bundles.page", bundle_id=sheet.id, layanan=service.id, periode=period)


@blueprint.get("/usulan/pekerjaan/<key>")
@web.for_staff("propose", "supervise")
def page(key: str) -> str:
    """What an act on many came to."""
    return render_template("proposals/job.html", **_context(jobs().find(key, web.actor())))


@blueprint.get("/usulan/pekerjaan/<key>/state")
@web.for_staff("propose", "supervise")
def state(key: str) -> str | tuple[str, int]:
    found = jobs().find(key, web.actor())
    if web.unchanged(found.version):
        return "", 204
    return render_template("proposals/_job.html", **_context(found))


def _context(found: Job) -> dict[str, Any]:
    """What the outcome's templates need. Raises NotFound for a job that is no act on many."""
    named = {one.id: one for one in web.loket().profile.proposals}
    service, action = named.get(found.about.get("service", "")), found.about.get("action")
    if service is None or action is None:
        raise NotFound("Pekerjaan ini tidak ada lagi. Hasilnya terlihat pada daftar usulan.")
    more = {"heading": web.pick(action.title), "said": action.said, "back": found.about["back"]}
    return frame(service, job=found, **more)
