"""Whoever is handed a letter: is it genuine? For people and for programs."""

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

from kiosk import pdf_check, verification
from kiosk.errors import Invalid, TooMany
from kiosk.seal import DIGITS, digits_in
from kiosk.verification import Compared, Verdict
from views import web
from views.front import KEEP

blueprint = Blueprint("verify", __name__)
blueprint.add_app_template_global(web.other_language, "other")
# What a browser sends around a file: its boundaries, its name, the form's token.
AROUND = 64 * 1024


@blueprint.url_value_preprocessor
def _refuse_large_files(endpoint: str | None, _: dict[str, Any] | None) -> None:
    # Before anything reads the form: the guard against forged forms does.
    if endpoint == "verify.file":
        request.max_content_length = pdf_check.LARGEST + AROUND


@blueprint.errorhandler(413)
def too_large(_: Exception) -> Response:
    """A file that was refused by its length, unread."""
    return _asked(413, faults={"file": pdf_check.TOO_LARGE})


@blueprint.get("/v")
@web.public
def ask() -> Response:
    """Where a letter is checked whose QR does not scan: by its number, its file, its code."""
    return _asked(200)


@blueprint.get("/v/nomor")
@blueprint.get("/v/berkas")
@web.public
def again() -> Response:
    """Whoever reloads an answer, or changes its language, asks anew: nothing of it was kept."""
    return make_response(redirect(url_for("verify.ask"), 303))


@blueprint.post("/v")
@web.public
def find() -> Response:
    """To the letter of this code. By POST: people type their NIK here by mistake."""
    digits = digits_in(request.form.get("kode", "")[:2000])
    if len(digits) == DIGITS:
        return _to(digits)
    return _asked(422, found=len(digits))


@blueprint.post("/v/nomor")
@web.public
def by_number() -> Response:
    """To the letter of this number, for who knows the code printed under its QR."""
    number, code = request.form.get("nomor", "")[:100], request.form.get("tanda", "")[:40]
    try:
        return _to(verification.by_number(web.loket(), number, code, web.asker(), web.now()))
    except Invalid as fault:
        return _asked(422, faults=fault.fields, number=_no_nik(number), code=_no_nik(code))
    except TooMany as fault:
        faults = {"code": fault.message}
        return _asked(429, faults=faults, number=_no_nik(number), code=_no_nik(code))


def _no_nik(typed: str) -> str:
    """What was typed, to be corrected; a NIK, typed here by mistake, is not repeated."""
    return "" if re.search("[0-9]{16}", typed.replace(" ", "")) else typed


@blueprint.post("/v/berkas")
@web.public
def file() -> Response:
    """What a PDF or a photo of the paper is. Nothing of it is kept: the answer is this page."""
    sent = request.files.get("file")
    data = sent.read(pdf_check.LARGEST + 1) if sent else b""
    try:
        found = pdf_check.examine(web.loket(), data, web.asker(), web.now())
    except Invalid as fault:
        return _asked(422, faults=fault.fields)
    except TooMany as fault:
        return _asked(429, faults={"file": fault.message})
    return make_response(render_template("verify/file.html", found=found))


def _asked(status: int, **over: Any) -> Response:
    blank: dict[str, Any] = {
        "found": None,
        "needed": DIGITS,
        "faults": {},
        "number": "",
        "code": "",
    }
    return make_response(render_template("verify/ask.html", **(blank | over)), status)


def _to(digits: str) -> Response:
    return make_response(redirect(url_for("verify.page", digits=digits), 303))


@blueprint.get("/v/<digits>")
@web.public
def page(digits: str) -> Response:
    """The verdict. What was compared just before is told once, to the browser that asked.

    Who only looks gets no cookie: the form, whose token needs one, comes when it is opened.
    """
    told = [str(one) for one in get_flashed_messages(category_filter=[_tab(digits)])]
    compared = Compared(told[-1][0] == "1", int(told[-1][1:])) if told else None
    return _paged(digits, 200, compared, {}, form=compared is not None)


@blueprint.get("/v/<digits>/cocok")
@web.public
def paper(digits: str) -> Response:
    """The form that compares the paper; without scripts the page with the form open."""
    if not web.is_htmx():
        return _paged(digits, 200, None, {})
    blank: dict[str, Any] = {"digits": digits, "compared": None, "faults": {}}
    return make_response(render_template("verify/_paper.html", **blank))


def _paged(
    digits: str,
    status: int,
    compared: Compared | None,
    faults: dict[str, str],
    form: bool = True,
) -> Response:
    shown = {"digits": digits, "compared": compared, "faults": faults, "form": form}
    html = render_template("verify/page.html", verdict=_checked(digits), **shown)
    return make_response(html, status)


def _checked(digits: str) -> Verdict:
    """The verdict; one that hangs on its letter's row alone may be given again, see `front`."""
    found = verification.check(web.loket(), digits, web.now())
    elsewhere = (verification.BAD, verification.UNKNOWN, verification.REPLACED)
    request.environ[KEEP] = found.own and found.code not in elsewhere
    return found


@blueprint.post("/v/<digits>/matches")
@web.public
def matches(digits: str) -> Response:
    """Whether the paper's NIK and name are those that were sealed; neither is kept or repeated."""
    nik, name = request.form.get("nik", "")[:40], request.form.get("name", "")[:200]
    try:
        found = verification.compare(web.loket(), digits, nik, name, web.asker(), web.now())
    except Invalid as fault:
        return _not_compared(digits, 422, fault.fields)
    except TooMany:
        return _not_compared(digits, 429, {"tries": verification.SPENT})
    if not web.is_htmx():
        flash(f"{found.fits:d}{found.left}", _tab(digits))
    to = url_for("verify.page", digits=digits, _anchor="match")
    return web.answer("verify/_match.html", to, compared=found, faults={})


def _not_compared(digits: str, status: int, faults: dict[str, str]) -> Response:
    if not web.is_htmx():
        return _paged(digits, status, None, faults)
    shown = render_template("verify/_match.html", compared=None, faults=faults)
    return make_response(shown, status)


def _tab(digits: str) -> str:
    """Ties an answer in the session to the letter it is of: another tab's is not shown here."""
    return f"match {digits[-24:]}"


@blueprint.get("/api/v1/verifikasi/<digits>")
@web.public
def verdict(digits: str) -> Response:
    """The verdict for programs, any origin; see docs/api.md.

    Always 200 with one of the eight codes, a bad signature and a garbled code included: the
    question was answered, and a program that only looks at the status never takes a forgery for an
    outage.
    What is not known is null. 503 means that nothing could be asked.
    """
    response = jsonify(_told(_checked(digits)))
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def _told(verdict: Verdict) -> dict[str, Any]:
    replacement = verdict.replacement and web.loket().base_url + verdict.replacement
    return {
        "code": verdict.code,
        "number": verdict.number or None,
        "name": verdict.name or None,
        "nik_end": verdict.nik_end or None,
        "issued": _iso(verdict.issued),
        "valid_until": _iso(verdict.until),
        "revoked": _iso(verdict.revoked),
        "suspended": _iso(verdict.suspended),
        "replacement": replacement or None,
        "office": verdict.office or None,
        "address": verdict.address or None,
        "signed": verdict.signed or None,
        "checked_at": _moment(verdict.checked_at),
        "listed_at": _moment(verdict.listed_at),
    }


def _moment(at: int | None) -> str | None:
    return None if at is None else web.loket().calendar.local(at).isoformat()


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
