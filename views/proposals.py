"""Proposals (usulan): the list, one household whole, acts on one and on many."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
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

from kiosk import documents, padan, proposals, workflow
from kiosk.documents import Owner
from kiosk.errors import Invalid, NotAllowed, Stale
from kiosk.identity import mask_nik
from kiosk.letter import address
from kiosk.proposals import Filter, Listing, ProposalCase
from kiosk.service import Action, ProposalService
from kiosk.tables import Text
from views import web
from views.proposal_rooms import (
    born,
    frame,
    listed_periods,
    month,
    options_of,
    page_number,
    sent,
    service_asked,
    taking,
)

blueprint = Blueprint("proposals", __name__)
# What belongs to one case alone cannot be asked once for many.
OF_ONE = frozenset({"password", "person", "checklist"})


@dataclass(frozen=True)
class Tab:
    """A step with how many stand there; `mine`: this role acts there. Without a title: all."""

    id: str
    title: Text | None
    count: int
    mine: bool


@blueprint.get("/usulan")
@web.for_staff("propose", "supervise")
def page() -> str:
    """The list: of a period, a village, a step; where nothing is asked, where my work is."""
    return render_template("proposals/list.html", **list_context())


@blueprint.get("/usulan/rows")
@web.for_staff("propose", "supervise")
def rows() -> str:
    return render_template("proposals/_list.html", **list_context())


@blueprint.post("/usulan/cari")
@web.for_staff("propose", "supervise")
def find() -> Response:
    """By NIK, KK number, name or number: a POST, for no address may hold a NIK."""
    text = request.form.get("text", "").strip()[:60]
    context = list_context(text)
    found: Listing = context["listing"]
    if found.total == 1 and not web.is_htmx():
        here = url_for("proposals.case", application_id=found.rows[0].id)
        return make_response(redirect(here, 303))
    template = "proposals/_list.html" if web.is_htmx() else "proposals/list.html"
    return make_response(render_template(template, **context))


def _filter(text: str = "") -> Filter:
    """What the address asks for, or the form that acts on it."""
    period, village, step = (request.values.get(n, "")[:80] for n in ("periode", "desa", "langkah"))
    return Filter("", "", "", text) if text else Filter(period, village, step)


def list_context(text: str = "", **more: Any) -> dict[str, Any]:
    """What the list's templates need."""
    service, me, asked = service_asked(), web.actor(), _filter(text)
    read = partial(proposals.listing, web.loket(), service.id, me)
    whole = read(replace(asked, step=""), page_number(), web.now())
    steps = _tabs(service, whole)
    if not text and "langkah" not in request.values:
        asked = replace(asked, step=next((t.id for t in steps if t.mine and t.count), ""))
    shown = read(asked, page_number(), web.now()) if asked.step else whole
    acts = _acts(service, asked.step)
    found = listed_periods(service)
    one = next((p for p in found if p.code == asked.period), None) or taking(found)
    query = {"layanan": service.id, "periode": asked.period, "desa": asked.village}
    return frame(
        service,
        listing=shown,
        total=sum(whole.counts.values()),
        steps=[Tab("", None, sum(whole.counts.values()), mine=False), *steps],
        chosen=asked.step,
        filter=asked,
        query={name: value for name, value in query.items() if value},
        acts=acts,
        options=options_of(service, [field for act in acts for field in act.fields]),
        periods=found,
        period=one,
        villages=() if me.village else proposals.villages(web.loket()),
        **{"given": {}, "asked": "", **more},
    )


def _tabs(service: ProposalService, whole: Listing) -> list[Tab]:
    """The steps where anything stands, in the file's order."""
    role = web.actor().role
    tabs = (
        Tab(step.id, step.title, whole.counts.get(step.id, 0), role in step.roles)
        for step in service.steps
    )
    return [tab for tab in tabs if tab.count]


def _acts(service: ProposalService, step_id: str) -> list[Action]:
    """What this role may do to many in this step; their fields are named `<act>.<field>`."""
    step = next((one for one in service.steps if one.id == step_id), None)
    offered = workflow.offered(step, web.actor().role) if step else ()
    kinds = {act.id: {field.kind for field in act.fields} for act in offered}
    return [_many(act) for act in offered if not kinds[act.id] & OF_ONE]


def _many(act: Action) -> Action:
    fields = [
        field.model_copy(update={"name": f"{act.id}.{field.name}"})
        for field in act.fields
        if field.kind != "files"
    ]
    return act.model_copy(update={"fields": tuple(fields)})


# ── One household ──


@blueprint.get("/usulan/<int:application_id>")
@web.for_staff("propose", "supervise")
def case(application_id: int) -> Response:
    return show(application_id, act=request.args.get("act", ""), just="sudah" in request.args)


@blueprint.post("/usulan/<int:application_id>/acts")
@web.for_staff("propose", "supervise")
def act(application_id: int) -> Response:
    action, seq = request.form.get("action", ""), request.form.get("seq", 0, int)
    loket, me, now = web.loket(), web.actor(), web.now()
    from_ = proposals.read(loket, application_id, me, now).step.id
    try:
        proposals.act(loket, application_id, action, sent(), me, seq, now)
    except Invalid as fault:
        return show(application_id, 422, act=action, faults=fault.fields, given=sent())
    except (Stale, NotAllowed) as late:
        return show(application_id, 409, notice=late.message)
    here = url_for("proposals.case", application_id=application_id, sudah=1, dari=from_)
    return make_response(redirect(here, 303))


@blueprint.post("/usulan/<int:application_id>/take-backs")
@web.for_staff("propose", "supervise")
def take_back(application_id: int) -> Response:
    loket, me, now = web.loket(), web.actor(), web.now()
    proposals.read(loket, application_id, me, now)
    try:
        proposals.take_back(loket, application_id, me, request.form.get("seq", 0, int), now)
    except (Stale, NotAllowed) as late:
        return show(application_id, 409, notice=late.message)
    return _back(application_id)


@blueprint.post("/usulan/<int:application_id>/papers")
@web.for_staff("propose", "supervise")
def attach(application_id: int) -> Response:
    """Keep a scan of one of the papers; the form's key makes a second click the same."""
    loket, me, now = web.loket(), web.actor(), web.now()
    view = proposals.read(loket, application_id, me, now)
    upload, kind = request.files.get("paper"), request.form.get("kind", "")
    key = f"usulan:{application_id}:{request.form.get('key', '')[:40]}"
    try:
        if kind not in _papers(view)["kinds"]:
            raise Invalid({"paper": "Berkas jenis ini tidak diminta pada langkah ini."})
        data = upload.stream.read() if upload else b""
        documents.add(loket, Owner(application_id), kind, data, "counter", key, now, me)
    except Invalid as fault:
        said = {"paper" if name == "file" else name: why for name, why in fault.fields.items()}
        return show(application_id, 422, faults=said)
    return _back(application_id, "papers")


@blueprint.get("/usulan/<int:application_id>/papers/<int:document_id>")
@web.for_staff("propose", "supervise")
def paper(application_id: int, document_id: int) -> Response:
    """A scan as it is kept; the audit says who opened it."""
    loket, me, now = web.loket(), web.actor(), web.now()
    proposals.read(loket, application_id, me, now)
    scan = documents.read(loket, documents.of_case(application_id, document_id), me, now)
    response = make_response(scan.bytes)
    response.mimetype = scan.media
    return response


def _back(application_id: int, anchor: str | None = None) -> Response:
    here = url_for("proposals.case", application_id=application_id, _anchor=anchor)
    return make_response(redirect(here, 303))


def show(
    application_id: int,
    status: int = 200,
    *,
    act: str = "",
    just: bool = False,
    faults: Mapping[str, str] | None = None,
    notice: str = "",
    **more: Any,
) -> Response:
    """The household's page."""
    loket, me = web.loket(), web.actor()
    view = proposals.read(loket, application_id, me, web.now())
    action = next((one for one in view.actions if one.id == act), None)
    wrong = dict(faults or {})
    context = frame(
        view.service,
        case=view,
        household=view.household,
        kk=mask_nik(view.household.head["kk"]),
        address=address(view.household.head),
        born=born,
        extra=_extra(view),
        month=month(view.period),
        action=action if action and _asks(action) else None,
        faults=wrong,
        notice=notice or wrong.get("rules", ""),
        options=options_of(view.service, action.fields if action else ()),
        just=view.passed[-1].said if just else None,
        onward=_next(view) if just else None,
        **_papers(view),
        **_padan(view, wrong),
        **{"given": {}, **more},
    )
    return make_response(render_template("proposals/case.html", **context), status)


def _extra(view: ProposalCase) -> list[tuple[Text, Text | str]]:
    """What was said of the family besides, with its label."""
    told = []
    for field in view.service.extras:
        value = view.household.extra.get(field.name)
        chosen = next((one.title for one in field.options if one.id == value), None)
        if value:
            told.append((field.label, chosen or str(value)))
    return told


def _asks(action: Action) -> bool:
    """Whether anything is to be filled in; files are kept beside."""
    return any(field.kind != "files" for field in action.fields)


def _next(view: ProposalCase) -> dict[str, Any] | None:
    """The next household where this one came from, if that was this role's work."""
    from_ = request.args.get("dari", "")
    asked = Filter(step=from_)
    if not any(step.id == from_ and web.actor().role in step.roles for step in view.service.steps):
        return None
    found = proposals.listing(web.loket(), view.service.id, web.actor(), asked, 1, web.now())
    return {"row": found.rows[-1], "left": found.total} if found.rows else None


def _papers(view: ProposalCase) -> dict[str, Any]:
    """The papers held, and the kinds that may still be added."""
    loket = web.loket()
    kinds = {one.id: one.title for one in documents.kinds(loket, view.id) if one.wanted}
    for field in view.service.extras:
        known = loket.profile.document(field.document or "")
        if known and not view.step.ends:
            kinds[known.id] = known.title
    may_attach = any(web.actor().role in route.roles for route in view.service.routes)
    return {
        "documents": documents.listed(loket, view.id),
        "kinds": kinds if may_attach or view.actions else {},
        "upload_key": secrets.token_hex(8),
    }


def _padan(view: ProposalCase, faults: Mapping[str, str]) -> dict[str, Any]:
    """The percentages: who may ask for them, and what of them was typed wrongly."""
    wrong = {name: said for name, said in faults.items() if name.startswith(("padan.", "address."))}
    if "file" in faults:
        wrong["file"] = faults["file"]
    return {
        "can_padan": padan.may(web.loket(), view.id, web.actor()),
        "dukcapil": padan.client_of(current_app.config["SETTINGS"]) is not None,
        "padan_faults": wrong,
        "typed": {},
    }
