"""Whoever is handed a letter: is it genuine? For people, for programs, and the keys themselves."""

import re
from datetime import date
from typing import Any

from flask import (
    Blueprint,
    Response,
    flash,
    get_flashed_messages,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)

from kiosk import verification
from kiosk.seal import DIGITS
from kiosk.verification import Verdict
from views import web

blueprint = Blueprint("verify", __name__)


@blueprint.get("/v")
@web.public
def ask() -> str:
    """Where the code may be typed or pasted when the scan fails."""
    return render_template("verify/ask.html", found=None)


@blueprint.post("/v")
@web.public
def find() -> Response:
    """To the letter of this code. By POST: people type their NIK here by mistake."""
    digits = digits_in(request.form.get("kode", "")[:2000])
    if len(digits) == DIGITS:
        return make_response(redirect(url_for("verify.page", digits=digits), 303))
    shown = render_template("verify/ask.html", found=len(digits), needed=DIGITS)
    return make_response(shown, 422)


def digits_in(typed: str) -> str:
    """The code in what somebody pasted: an address with /v/…, or digits with anything between."""
    address = re.search(r"/v/(\d+)", typed)
    return address[1] if address else "".join(re.findall("[0-9]", typed))


@blueprint.get("/v/<digits>")
@web.public
def page(digits: str) -> str:
    verdict = verification.check(web.loket(), digits, web.now())
    told = get_flashed_messages(category_filter=[_tab(digits)])
    fits = told[-1] == "fits" if told else None
    return render_template("verify/page.html", verdict=verdict, digits=digits, fits=fits)


@blueprint.post("/v/<digits>/matches")
@web.public
def matches(digits: str) -> Response:
    """Whether the paper's NIK and name are those that were sealed; neither is kept or repeated."""
    nik, name = request.form.get("nik", "")[:40], request.form.get("name", "")[:200]
    asker = request.remote_addr or ""
    fits = verification.matches(web.loket(), digits, nik, name, asker, web.now())
    if not web.is_htmx():
        flash("fits" if fits else "differs", _tab(digits))
    to = url_for("verify.page", digits=digits, _anchor="match")
    return web.answer("verify/_match.html", to, fits=fits)


def _tab(digits: str) -> str:
    """Ties an answer in the session to the letter it is of: another tab's is not shown here."""
    return f"match {digits[-24:]}"


@blueprint.get("/api/v1/verifikasi/<digits>")
@web.public
def verdict(digits: str) -> Response:
    """The verdict for programs, any origin.

    Always 200 with one of the seven codes, a bad signature and a garbled code included: the
    question was answered, and a program that only looks at the status never takes a forgery for an
    outage.
    What is not known is null. 503 means that nothing could be asked.
    """
    found = verification.check(web.loket(), digits, web.now())
    response = jsonify(_told(found))
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _told(verdict: Verdict) -> dict[str, Any]:
    local = web.loket().calendar.local(verdict.checked_at)
    replacement = verdict.replacement and web.loket().base_url + verdict.replacement
    return {
        "code": verdict.code,
        "number": verdict.number or None,
        "name": verdict.name or None,
        "nik_end": verdict.nik_end or None,
        "issued": _iso(verdict.issued),
        "valid_until": _iso(verdict.until),
        "revoked": _iso(verdict.revoked),
        "replacement": replacement or None,
        "office": verdict.office or None,
        "signed": verdict.signed or None,
        "checked_at": local.isoformat(),
    }


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


@blueprint.get("/.well-known/sk-keys.json")
@web.public
def keys() -> Response:
    """All public seal keys that ever were, for whoever verifies by themselves."""
    office = web.loket().profile.office
    public = web.loket().seal_keys.public()
    response = jsonify({"office": office.code, "name": office.name, "keys": public})
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response
