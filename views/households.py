"""The household's form: a family entered by hand, or mended."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from kiosk import household, proposals
from kiosk.errors import Invalid, NotAllowed, Stale
from kiosk.household import Household
from kiosk.service import FormField, ProposalService
from views import web
from views.proposal_rooms import frame, options_of, sent, service_asked, village_name

blueprint = Blueprint("households", __name__)
SEXES = (("P", "Perempuan"), ("L", "Laki-laki"))
# Asked once for the family: everybody on one KK has these alike.
FAMILY = ("kk", "address", "rt", "rw")
ASKED = ("route", "purpose", "village", "family_size", *FAMILY)
LABELS = {
    "name": "Nama",
    "nik": "NIK",
    "relation": "Hubungan",
    "sex": "Jenis kelamin",
    "birth_place": "Tempat lahir",
    "birth_date": "Tanggal lahir",
    "mother": "Nama ibu kandung",
    "job": "Pekerjaan",
    "disability": "Disabilitas",
    "pregnant": "Sedang hamil",
}
NAME = re.compile(r"members\.(\d{1,2})\.([a-z_]+)")

Member = dict[str, str]


@blueprint.get("/usulan/baru")
@web.for_staff("propose", "supervise")
def new() -> str:
    service = service_asked()
    empty = dict.fromkeys(ASKED, "") | _only_choices(service)
    return _page("proposals/household.html", service, empty, [{}], {})


@blueprint.post("/usulan/baru")
@web.for_staff("propose", "supervise")
def add() -> Response:
    """Keeps the household; "add a member" and "take out" only draw the form anew."""
    service, (asked, members, extra) = service_asked(), _sent()
    if _members_change(members):
        return _form(service, asked, members, extra)
    one, me = _household(asked, members, extra), web.actor()
    try:
        made = proposals.add(web.loket(), service.id, one, me, web.now())
    except Invalid as fault:
        return _form(service, asked, members, extra, 422, faults=fault.fields)
    return _to(made)


@blueprint.get("/usulan/<int:application_id>/ubah")
@web.for_staff("propose", "supervise")
def edit(application_id: int) -> str:
    view = _mine(application_id)
    head = view.household.head
    asked = {
        "route": view.household.route,
        "purpose": view.household.purpose,
        "village": view.household.village,
        "family_size": str(view.household.family_size),
    } | {part: head[part] for part in FAMILY}
    members = [dict(member) for member in view.household.members]
    extra = {name: _texts(value) for name, value in view.household.extra.items()}
    template, seq = "proposals/household.html", view.seq
    return _page(template, view.service, asked, members, extra, id=application_id, seq=seq)


@blueprint.post("/usulan/<int:application_id>/ubah")
@web.for_staff("propose", "supervise")
def change(application_id: int) -> Response:
    view, (asked, members, extra) = _mine(application_id), _sent()
    seq = request.form.get("seq", 0, int)
    asked |= {"route": view.household.route, "village": view.household.village}
    again = {"id": application_id, "seq": seq}
    if _members_change(members):
        return _form(view.service, asked, members, extra, **again)
    one, me = _household(asked, members, extra), web.actor()
    try:
        proposals.change(web.loket(), application_id, one, me, seq, web.now())
    except Invalid as fault:
        return _form(view.service, asked, members, extra, 422, faults=fault.fields, **again)
    except Stale as late:
        return _form(view.service, asked, members, extra, 409, notice=late.message, **again)
    return _to(application_id)


def _mine(application_id: int) -> proposals.ProposalCase:
    view = proposals.read(web.loket(), application_id, web.actor(), web.now())
    if not view.can_change:
        raise NotAllowed("Usulan ini tidak dapat diubah lagi pada langkah ini.")
    return view


def _sent() -> tuple[dict[str, str], list[Member], dict[str, list[str]]]:
    """What was typed: of the family, of each member, of the extra fields."""
    asked = {name: request.form.get(name, "").strip() for name in ASKED}
    if web.actor().village:
        asked["village"] = web.actor().village
    found: dict[int, Member] = {}
    for name, value in request.form.items():
        if known := NAME.fullmatch(name):
            found.setdefault(int(known[1]), {})[known[2]] = value.strip()
    members = [found[n] for n in sorted(found)][: household.MOST_MEMBERS] or [{}]
    return asked, members, sent("extra.")


def _members_change(members: list[Member]) -> bool:
    """Whether a member was asked for or taken out; the list is changed."""
    wanted, _, which = request.form.get("do", "save").partition(".")
    if wanted == "add" and len(members) < household.MOST_MEMBERS:
        members.append({})
    if wanted == "remove" and which in map(str, range(1, len(members))):
        del members[int(which)]
    return wanted in ("add", "remove")


def _household(
    asked: Mapping[str, str], members: Sequence[Member], extra: Mapping[str, list[str]]
) -> Household:
    size = asked["family_size"]
    family = {part: asked[part] for part in FAMILY}
    return Household(
        route=asked["route"],
        purpose=asked["purpose"],
        village=asked["village"],
        family_size=int(size) if re.fullmatch("[0-9]{1,4}", size) else 0,
        members=tuple(member | family for member in members),
        extra=dict(extra),
    )


def _texts(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else [str(one) for one in value]


def _to(application_id: int) -> Response:
    here = url_for("proposals.case", application_id=application_id)
    if web.is_htmx():
        response = make_response("", 204)
        response.headers["HX-Redirect"] = here
        return response
    return make_response(redirect(here, 303))


def _form(
    service: ProposalService,
    asked: Mapping[str, str],
    members: list[Member],
    extra: Mapping[str, list[str]],
    status: int = 200,
    **more: Any,
) -> Response:
    """The form as it was typed."""
    name = "_household" if web.is_htmx() else "household"
    page = _page(f"proposals/{name}.html", service, asked, members, extra, **more)
    return make_response(page, status)


def _page(
    template: str,
    service: ProposalService,
    asked: Mapping[str, str],
    members: list[Member],
    extra: Mapping[str, list[str]],
    *,
    faults: Mapping[str, str] | None = None,
    **more: Any,
) -> str:
    wrong = _at_their_fields(faults or {}, len(members))
    fields = [_renamed(one) for one in service.extras if one.kind != "files"]
    context = {
        "given": asked,
        "members": [_flat(n, member) for n, member in enumerate(members)],
        "faults": wrong,
        "labels": _labels(wrong),
        "extra": {f"extra.{name}": texts for name, texts in extra.items()},
        "extras": fields,
        "options": options_of(service, fields),
        "papers": _papers(service),
        "id": None,
        "seq": 0,
        **_choices(service),
        **more,
    }
    return render_template(template, **frame(service, **context))


def _at_their_fields(faults: Mapping[str, str], members: int) -> dict[str, str]:
    """What is asked once for the family is said once, at its field."""
    placed: dict[str, str] = {}
    for name, said in faults.items():
        known = NAME.fullmatch(name)
        part = known[2] if known else ""
        if part in FAMILY or part in ("village", "district"):
            placed.setdefault("village" if part == "district" else part, said)
        elif name == "members":
            placed["members.0.name"] = said
        else:
            placed[name] = said
    return placed


def _labels(faults: Mapping[str, str]) -> dict[str, str]:
    """Whose and which field a fault is about, for the list above the form."""
    found = {}
    for name in faults:
        known = NAME.fullmatch(name)
        if known and known[2] in LABELS:
            n = int(known[1])
            who = web.translate("Anggota {n}", n=n + 1) if n else web.translate("Kepala keluarga")
            found[name] = f"{who}, {web.translate(LABELS[known[2]])}"
    return found


def _flat(n: int, member: Member) -> dict[str, str]:
    """A member under the names of its fields."""
    return {f"members.{n}.{part}": member.get(part, "") for part in household.MEMBER}


def _renamed(field: FormField) -> FormField:
    return field.model_copy(update={"name": f"extra.{field.name}"})


def _papers(service: ProposalService) -> str:
    kinds = (web.loket().profile.document(f.document or "") for f in service.extras)
    return ", ".join(web.pick(kind.title) for kind in kinds if kind)


def _only_choices(service: ProposalService) -> dict[str, str]:
    """What there is no choice of needs no asking."""
    routes, purposes = _routes(service), service.purposes
    chosen = {"route": routes[0][0]} if len(routes) == 1 else {}
    return chosen | ({"purpose": purposes[0].id} if len(purposes) == 1 else {})


def _routes(service: ProposalService) -> list[tuple[str, str]]:
    role = web.actor().role
    return [(one.id, web.pick(one.title)) for one in service.routes if role in one.roles]


def _choices(service: ProposalService) -> dict[str, Any]:
    """What can be chosen in the form: (value, words)."""
    villages = proposals.villages(web.loket())
    return {
        "routes": _routes(service),
        "purposes": [(one.id, web.pick(one.title)) for one in service.purposes],
        "villages": [(one, village_name(one)) for one in villages],
        "relations": [(one, one.capitalize()) for one in household.RELATIONS[1:]],
        "head": household.HEAD,
        "sexes": [(value, web.translate(words)) for value, words in SEXES],
        "disabilities": [(one, one.capitalize()) for one in household.DISABILITIES],
        "pregnancies": [(household.YES, web.translate("Ya"))],
    }
