"""Scans and photos: of a case at the desk, from the citizen's phone by the ticket's QR."""

import secrets
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from kiosk import casefile, citizen_papers, document_removal, documents
from kiosk.documents import KindView, Owner
from kiosk.errors import Invalid, NotFound, TooMany
from kiosk.service import FormField
from kiosk.staff import Actor
from views import web

blueprint = Blueprint("documents", __name__)


# ── The desk ──


@blueprint.get("/meja/<int:application_id>/documents")
@web.for_staff()
def panel(application_id: int) -> Response:
    """What the case holds, as a fragment; it follows what comes from the citizen's phone."""
    _reader(application_id)
    if web.unchanged(version(scans(application_id))):
        return make_response("", 204)
    return _panel(application_id)


@blueprint.post("/meja/<int:application_id>/documents")
@web.for_staff()
def add(application_id: int) -> Response:
    """Files of one kind; those that cannot be kept are named with their reason."""
    me = _reader(application_id)
    kind, faults = request.form.get("kind", ""), []
    for key, data in sent("file"):
        try:
            _keep(application_id, kind, key, data, me)
        except Invalid as fault:
            faults.append(fault.message)
    if web.is_htmx() or faults:
        return _answer(application_id, kind, faults)
    return make_response(redirect(_home(application_id), 303))


@blueprint.get("/meja/<int:application_id>/documents/<int:document_id>/thumbnail")
@web.for_staff()
def thumbnail(application_id: int, document_id: int) -> Response:
    _reader(application_id)
    known = documents.of_case(application_id, document_id)
    return _picture(documents.thumbnail(web.loket(), known), "image/jpeg")


@blueprint.get("/meja/<int:application_id>/documents/<int:document_id>/image")
@web.for_staff()
def image(application_id: int, document_id: int) -> Response:
    """The whole picture, or a page of a PDF as one; the audit says who opened it."""
    me = _reader(application_id)
    known = documents.of_case(application_id, document_id)
    number = request.args.get("page", 1, int)
    return _picture(*documents.page(web.loket(), known, number, me, web.now()))


@blueprint.get("/meja/<int:application_id>/documents/<int:document_id>/file")
@web.for_staff()
def file(application_id: int, document_id: int) -> Response:
    """The kept bytes, to be saved; in the audit too."""
    me = _reader(application_id)
    known = documents.of_case(application_id, document_id)
    scan = documents.read(web.loket(), known, me, web.now())
    response = _picture(scan.bytes, scan.media)
    name = f"{scan.kind}-{scan.id}.{scan.media.rsplit('/', 1)[-1]}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@blueprint.post("/meja/<int:application_id>/documents/<int:document_id>/removals")
@web.for_staff()
def remove(application_id: int, document_id: int) -> Response:
    me = _reader(application_id)
    known = documents.of_case(application_id, document_id)
    document_removal.remove(web.loket(), known, me, web.now())
    if web.is_htmx():
        return _panel(application_id)
    return make_response(redirect(_home(application_id), 303))


def attach(application_id: int, action_id: str) -> None:
    """Keep the files that came with an act's form. Raises Invalid by field; the rest is kept."""
    faults: dict[str, str] = {}
    me = web.actor()
    for field in _fields(application_id, action_id, me) if request.files else ():
        for key, data in sent(field.name) if field.kind == "files" else ():
            try:
                _keep(application_id, field.document or "", key, data, me)
            except Invalid as fault:
                faults[field.name] = fault.message
    if faults:
        raise Invalid(faults)


def _fields(application_id: int, action_id: str, me: Actor) -> tuple[FormField, ...]:
    case = casefile.read(web.loket(), application_id, me, web.now())
    return next((action.fields for action in case.actions if action.id == action_id), ())


def sent(name: str) -> Iterator[tuple[str, bytes]]:
    """(key, bytes) of each file chosen in this field; a form sent twice has the same keys."""
    key = request.form.get("key", "")[:64] or secrets.token_hex(16)
    for n, one in enumerate(request.files.getlist(name)):
        if one.filename:
            yield f"{name}:{key}:{n}", one.read()


def _keep(application_id: int, kind: str, key: str, data: bytes, me: Actor) -> int:
    documents.require_hand(web.loket(), application_id, kind, me)
    owner, key = Owner(application=application_id), f"{application_id}:{kind}:{key}"
    return documents.add(web.loket(), owner, kind, data, "counter", key, web.now(), me)


def _reader(application_id: int) -> Actor:
    """Who asks, when they may read this case. Raises NotFound."""
    me = web.actor()
    casefile.read(web.loket(), application_id, me, web.now())
    return me


def _home(application_id: int) -> str:
    return url_for("desk.case", application_id=application_id)


def _panel(application_id: int, faults: list[str] | None = None) -> Response:
    faults = faults or []
    html = render_template("desk/_documents.html", case_id=application_id, upload_faults=faults)
    return make_response(html, 422 if faults else 200)


def _answer(application_id: int, kind: str, faults: list[str]) -> Response:
    """The panel, or the field of an act's form that asked; a page of its own without scripts."""
    if not web.is_htmx():
        shown = {"faults": faults, "back": _home(application_id)}
        return make_response(render_template("documents/refused.html", **shown), 422)
    name = request.form.get("field", "")
    if not name:
        return _panel(application_id, faults)
    shown = {"kind": kind, "name": name, "upload_faults": faults}
    html = render_template("documents/_held.html", case_id=application_id, **shown)
    return make_response(html, 422 if faults else 200)


def _picture(data: bytes, media: str) -> Response:
    response = make_response(data)
    response.mimetype = media
    return response


@blueprint.app_template_global()
def scans(application_id: int) -> tuple[KindView, ...]:
    """The papers of a case, for its panel and the fields of its forms."""
    return documents.kinds(web.loket(), application_id, web.actor())


@blueprint.app_template_global("scans_version")
def version(kinds: tuple[KindView, ...]) -> str:
    """Changes with what the panel shows."""
    held = ([one.id, one.wanted, *(d.id for d in one.held)] for one in kinds)
    return sha256(repr(list(held)).encode()).hexdigest()[:12]


@blueprint.app_template_global("upload_key")
def upload_key() -> str:
    """A new key for a form of files: sent twice, it is kept once."""
    return secrets.token_hex(16)


# ── The citizen's phone ──


@blueprint.get("/t/<token>/berkas")
@web.public
def phone(token: str) -> Response:
    """One card a paper; never the pictures themselves, for the phone may be somebody else's."""
    return _phone(token)


@blueprint.post("/t/<token>/berkas")
@web.public
def photograph(token: str) -> Response:
    kind, faults = request.form.get("kind", ""), {}
    try:
        for key, data in sent("file"):
            citizen_papers.add_from_phone(web.loket(), token, kind, data, key, web.now())
    except (Invalid, TooMany) as fault:
        faults = {kind: fault.message}
    if web.is_htmx():
        return _paper(token, kind, faults)
    here = url_for("documents.phone", token=token)
    return _phone(token, faults) if faults else make_response(redirect(here, 303))


def _phone(token: str, faults: dict[str, str] | None = None) -> Response:
    label, papers = citizen_papers.phone_papers(web.loket(), token)
    shown: dict[str, Any] = {"token": token, "label": label, "papers": papers}
    html = render_template("documents/phone.html", faults=faults or {}, **shown)
    return make_response(html, 422 if faults else 200)


def _paper(token: str, kind: str, faults: dict[str, str]) -> Response:
    _, papers = citizen_papers.phone_papers(web.loket(), token)
    paper = next((one for one in papers if one.id == kind), None)
    if paper is None:
        raise NotFound("Berkas ini tidak diperlukan lagi. Muat ulang halaman ini.")
    html = render_template("documents/_paper.html", token=token, paper=paper, faults=faults)
    return make_response(html, 422 if faults else 200)


@blueprint.app_template_global("takes_photos")
def takes_photos(token: str) -> bool:
    """Whether photos of papers can be sent for this ticket."""
    return bool(citizen_papers.phone_papers(web.loket(), token)[1])
