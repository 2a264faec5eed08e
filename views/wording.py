"""The admin's editor for what the office's letters say: written, looked at, published."""

import base64
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from kiosk import certificate, wording, wording_check
from kiosk.errors import Invalid, Stale, Unusable
from kiosk.wording_check import PARTS, Sample
from views import web

blueprint = Blueprint("wording", __name__, url_prefix="/admin/surat")

SCALE = 1.5
LETTERS = 2000
NAMES = {
    "title": "Judul",
    "subtitle": "Judul baris kedua",
    "opening": "Pembuka",
    "statement": "Pernyataan",
    "purpose": "Keperluan",
    "validity": "Masa berlaku",
    "freeze": "Asal data, di kaki surat",
    "closing": "Penutup",
    "copies": "Tembusan, satu baris satu penerima",
}


@blueprint.get("")
@web.for_staff("admin")
def listing() -> str:
    """Every letter of the office, with the version of its wording."""
    return render_template("wording/list.html", entries=wording.entries(web.loket()))


@blueprint.get("/<service>/<kind>")
@web.for_staff("admin")
def page(service: str, kind: str) -> str:
    found = wording.read(web.loket(), service, kind)
    return _page(found, wording_check.parts_of(found.text))


@blueprint.post("/<service>/<kind>")
@web.for_staff("admin")
def publish(service: str, kind: str) -> Response:
    note, seen = request.form.get("note", "")[:LETTERS], request.form.get("seen", 0, int)
    parts, me, now = _typed(), web.actor(), web.now()
    try:
        wording.publish(web.loket(), service, kind, parts, note, seen, me, now)
    except (Invalid, Stale) as fault:
        return _again(service, kind, parts, fault)
    return make_response(redirect(url_for("wording.page", service=service, kind=kind), 303))


@blueprint.post("/<service>/<kind>/returns")
@web.for_staff("admin")
def go_back(service: str, kind: str) -> Response:
    """An older version, or with 0 the file's own wording, becomes the newest."""
    to, seen = request.form.get("to", -1, int), request.form.get("seen", 0, int)
    try:
        wording.go_back(web.loket(), service, kind, to, seen, web.actor(), web.now())
    except (Invalid, Stale) as fault:
        found = wording.read(web.loket(), service, kind)
        return _again(service, kind, wording_check.parts_of(found.text), fault)
    return make_response(redirect(url_for("wording.page", service=service, kind=kind), 303))


@blueprint.post("/<service>/<kind>/previews")
@web.for_staff("admin")
def preview(service: str, kind: str) -> Response:
    """What is in the form as a letter, with invented data. Nothing is kept."""
    parts = _typed()
    seen = _preview(service, kind, parts)
    if web.is_htmx():
        return make_response(render_template("wording/_preview.html", **seen))
    found = wording.read(web.loket(), service, kind)
    return make_response(_page(found, parts, seen, note=request.form.get("note", "")[:LETTERS]))


def _typed() -> dict[str, Any]:
    return wording.typed({part: request.form.get(part, "")[:LETTERS] for part in PARTS})


def _sample() -> Sample:
    return "longest" if request.form.get("sample") == "longest" else "usual"


def _preview(service: str, kind: str, parts: dict[str, Any]) -> dict[str, Any]:
    """The picture as a data address, or what is wrong."""
    try:
        pdf = wording.preview(web.loket(), service, kind, parts, _sample())
    except Invalid as fault:
        return {"picture": None, "wrong": fault.fields, "names": NAMES, "sample": _sample()}
    except Unusable as fault:
        return {"picture": None, "wrong": {"page": fault.message}, "names": NAMES, "sample": ""}
    png = base64.b64encode(certificate.preview_png(pdf, SCALE)).decode()
    picture = f"data:image/png;base64,{png}"
    return {"picture": picture, "wrong": {}, "names": NAMES, "sample": _sample()}


def _again(service: str, kind: str, parts: dict[str, Any], fault: Invalid | Stale) -> Response:
    """What was typed, with what is wrong of it; the newest versions beside it."""
    faults = fault.fields if isinstance(fault, Invalid) else {"note": fault.message}
    found, note = wording.read(web.loket(), service, kind), request.form.get("note", "")[:LETTERS]
    status = 422 if isinstance(fault, Invalid) else 409
    return make_response(_page(found, parts, faults=faults, note=note), status)


def _page(
    found: wording.Edited,
    parts: dict[str, Any],
    seen: dict[str, Any] | None = None,
    *,
    faults: dict[str, str] | None = None,
    note: str = "",
) -> str:
    return render_template(
        "wording/page.html",
        edited=found,
        parts=parts,
        faults=faults or {},
        note=note,
        meanings=wording_check.offered(web.loket().profile, found.service),
        asked=wording_check.fields(found.service),
        caps={part: certificate.CAPS[part] for part in PARTS},
        plain=("closing", "copies"),
        **(seen or _preview(found.service.id, found.own.kind, parts)),
    )
