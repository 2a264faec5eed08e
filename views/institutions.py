"""Schools and hospitals that verify many letters at once: their page, their API, their keys."""

from io import BytesIO
from typing import IO, Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from kiosk import institutions
from kiosk.errors import Invalid, LoketError, NotAllowed, TooMany
from views import web

blueprint = Blueprint("institutions", __name__)
# 10,000 codes with their addresses are some 2.3 MB.
LARGEST = 8 * 1024 * 1024


# ── The institution ──


@blueprint.get("/v/kelompok")
@web.public
def page() -> str:
    """Where an institution sends a file of codes."""
    return _page({})


@blueprint.post("/v/kelompok")
@web.public
def verify() -> Response:
    """The results as a CSV to download; a fault beside its field."""
    upload = request.files.get("file")
    stream = upload.stream if upload else BytesIO()
    try:
        return _csv(_verified(request.form.get("key", "")[:200], stream))
    except Invalid as fault:
        return make_response(_page(fault.fields), 422)
    except NotAllowed as fault:
        return make_response(_page({"key": fault.message}), 403)
    except TooMany as fault:
        return make_response(_page({"file": fault.message}), 429)


def _page(faults: dict[str, str]) -> str:
    most = institutions.MOST_CODES
    return render_template(
        "institutions/page.html", faults=faults, most=f"{most:,}".replace(",", ".")
    )


@blueprint.post("/api/v1/verifikasi")
@web.public
def api() -> Response:
    """A CSV in, a CSV out, for programs: `Authorization: Bearer <key>`, body text/csv.

    No browser sends such a key by itself, so no other site can: it needs no CSRF token.
    """
    scheme, _, key = request.headers.get("Authorization", "").partition(" ")
    try:
        _require_no_form()
        return _csv(_verified(key[:200] if scheme.lower() == "bearer" else "", request.stream))
    except LoketError as fault:
        code = next((code for kind, code in _STATUS if isinstance(fault, kind)), 400)
        response = make_response({"error": fault.message}, code)
        if code == 401:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response


def _require_no_form() -> None:
    """A form's own lines would be answered as codes. Raises Invalid."""
    if request.mimetype == "multipart/form-data":
        raise Invalid({"file": "Kirim isi berkasnya langsung, bukan sebagai formulir."})


_STATUS = ((NotAllowed, 401), (TooMany, 429), (Invalid, 422))


def _verified(key: str, stream: IO[bytes]) -> str:
    """The key first: who has none does not make us read."""
    now = web.now()
    institution = institutions.of_key(key, web.asker(), now)
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Invalid({"file": "Berkas ini terlalu besar. Bagi menjadi beberapa berkas."})
    return institutions.verify(web.loket(), institution, data, now)


def _csv(text: str) -> Response:
    """With a byte order mark, by which spreadsheets know UTF-8."""
    response = Response("\ufeff" + text, mimetype="text/csv")
    name = f"hasil-verifikasi-{web.loket().calendar.day_of(web.now())}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


# ── The admin ──


@blueprint.get("/admin/lembaga")
@web.for_staff("admin")
def listing() -> str:
    return _listing()


@blueprint.post("/admin/lembaga")
@web.for_staff("admin")
def add() -> Response:
    """The key is in this answer alone: it is kept nowhere."""
    name = request.form.get("name", "")[:200]
    try:
        key = institutions.add(name, web.actor(), web.now())
    except Invalid as fault:
        return make_response(_listing(given=name, faults=fault.fields), 422)
    return make_response(_listing(new={"name": name.strip(), "key": key}), 201)


@blueprint.post("/admin/lembaga/<int:institution_id>/keys")
@web.for_staff("admin")
def renew(institution_id: int) -> Response:
    name, key = institutions.renew(institution_id, web.actor(), web.now())
    return make_response(_listing(new={"name": name, "key": key}), 201)


@blueprint.post("/admin/lembaga/<int:institution_id>/revocations")
@web.for_staff("admin")
def revoke(institution_id: int) -> Response:
    institutions.revoke(institution_id, web.actor(), web.now())
    return make_response(redirect(url_for("institutions.listing"), 303))


def _listing(**shown: Any) -> str:
    shown = {"given": "", "faults": {}, "new": None} | shown
    found = institutions.listed()
    return render_template("institutions/listing.html", institutions=found, **shown)
