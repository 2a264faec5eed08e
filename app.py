"""create_app: configuration, database, blueprints, guards, error pages."""

import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from flask import (
    Flask,
    Response,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_login import LoginManager, current_user
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from htmx_flask import Htmx
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

import models
from kiosk import bsre, certificate, errors, letter_prints, secret, spool, upkeep
from kiosk.loket import COOKIE_FILE, open_loket
from kiosk.settings import Settings, read
from views import (
    admin,
    batches,
    bundles,
    desk,
    display,
    documents,
    field,
    households,
    institutions,
    intake,
    kiosk,
    letters,
    machine,
    mandates,
    offline,
    padan,
    periods,
    proposals,
    queue,
    sheets,
    stack,
    staff,
    standard,
    status,
    status_list,
    trust,
    twin,
    verify,
    web,
    wording,
)
from views.cli import main as main
from views.front import Front

CSP = (
    "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'self'"
)
STATUS: tuple[tuple[type[errors.LoketError], int], ...] = (
    (errors.Invalid, 422),
    (errors.NotAllowed, 403),
    (errors.NotFound, 404),
    (errors.Stale, 409),
    (errors.TooMany, 429),
    (errors.Unusable, 422),
)
BLUEPRINTS = (
    kiosk, status, desk, intake, documents, field, queue, display, verify, standard, staff, admin,
    machine, proposals, batches, households, sheets, bundles, periods, padan,
    institutions, letters, status_list,
    trust, wording, twin, mandates, offline, stack,
)  # fmt: skip


def create_app(settings: Settings, clock: Callable[[], float] = time.time) -> Flask:
    """The application over the data folder of `settings`; `clock` gives UTC epoch seconds."""
    app = Flask(__name__)
    app.config |= _config(settings, clock)
    app.extensions["loket"] = open_loket(
        settings.home, settings.office, settings.base_url, bsre.client_of(settings)
    )
    app.extensions["printers"] = spool.printers(settings)
    models.connect(settings.home / "loket15.sqlite")
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    Htmx(app)
    csrf = CSRFProtect(app)
    for view in (institutions.api, staff.language):
        csrf.exempt(view)
    login = LoginManager(app)
    login.user_loader(web.load_user)
    front = Front(app.wsgi_app, app.extensions["loket"], clock, app.config["SESSION_COOKIE_NAME"])
    app.wsgi_app = front.answer  # type: ignore[method-assign]
    if settings.proxies:
        hops = settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, hops, hops, hops)  # type: ignore[method-assign]
    for module in BLUEPRINTS:
        app.register_blueprint(module.blueprint)
    _hooks(app)
    _words(app)
    return app


def from_environment() -> Flask:
    """The application as the server runs it: with the printing and upkeep threads, the letter's
    libraries on their way.
    """
    app = create_app(read(os.environ))
    spool.start(
        app.extensions["loket"],
        app.extensions["printers"],
        time.time,
        letter_prints.printed_at_kiosk,
    )
    upkeep.start(app.extensions["loket"], time.time)
    threading.Thread(target=certificate.warm_up, daemon=True).start()
    return app


def _config(settings: Settings, clock: Callable[[], float]) -> Mapping[str, Any]:
    return {
        "SETTINGS": settings,
        "NOW": clock,
        "SECRET_KEY": secret.key(settings.home / "keys" / COOKIE_FILE),
        "SESSION_COOKIE_NAME": "__Host-loket15" if settings.secure else "loket15",
        "SESSION_COOKIE_SECURE": settings.secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "MAX_CONTENT_LENGTH": 64 * 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 256 * 1024,
        "WTF_CSRF_TIME_LIMIT": None,
    }


def _hooks(app: Flask) -> None:
    app.before_request(_enter)
    app.after_request(_headers)
    app.register_error_handler(errors.LoketError, _said)
    app.register_error_handler(CSRFError, _stale_form)
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(models.Busy, _busy)
    app.register_error_handler(OverflowError, _no_such_number)


def _enter() -> Response | None:
    models.db.connect(reuse_if_open=True)
    if request.endpoint in (None, "static"):
        return None
    view = current_app.view_functions[request.endpoint]
    return _admit(getattr(view, "guard", None))


def _headers(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = CSP
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    response.headers["Permissions-Policy"] = "camera=(self), microphone=()"
    if request.endpoint != "static":
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def _said(error: errors.LoketError) -> Response:
    code = next((code for kind, code in STATUS if isinstance(error, kind)), 400)
    return _error(code, error.message)


def _stale_form(_: CSRFError) -> Response:
    return _error(400, "Halaman ini sudah terlalu lama terbuka. Muat ulang, lalu coba lagi.")


def _refused(error: HTTPException) -> Response:
    code = error.code or 500
    return _error(code, HTTP_WORDS.get(code, HTTP_WORDS[500 if code >= 500 else 400]))


def _busy(_: Exception) -> Response:
    response = _error(503, "Sistem sedang sibuk. Coba lagi sebentar.")
    response.headers["Retry-After"] = "2"
    return response


def _no_such_number(_: OverflowError) -> Response:
    """A number in an address that is larger than any the database can hold."""
    return _error(404, HTTP_WORDS[404])


HTTP_WORDS = {
    400: "Permintaan tidak dapat dibaca. Kembali, lalu coba lagi.",
    403: "Anda tidak berwenang membuka halaman ini.",
    404: "Halaman ini tidak ada.",
    405: "Permintaan tidak dapat dibaca. Kembali, lalu coba lagi.",
    413: "Berkas terlalu besar.",
    500: "Ada gangguan pada sistem. Data Anda aman. Coba lagi.",
}


def _admit(guard: web.Guard | None) -> Response | None:
    """Refuse who may not pass; a route that no guard names is closed."""
    if guard is None:
        abort(403)
    if guard.kind == "device" and web.device(*guard.devices) is None:
        return make_response(render_template("device_unknown.html"), 403)
    if guard.kind == "staff":
        if not current_user.is_authenticated:
            return _to_sign_in()
        role, may = web.actor().role, web.loket().profile.may
        if guard.rights and not any(may(role, right) for right in guard.rights):
            abort(403)
    return None


def _to_sign_in() -> Response:
    if web.is_htmx():
        response = make_response("", 401)
        response.headers["HX-Redirect"] = url_for("staff.sign_in")
        return response
    after = request.full_path if request.method == "GET" else ""
    return make_response(redirect(url_for("staff.sign_in", next=after or None), 303))


def _error(code: int, message: str) -> Response:
    """The error in words: a notice for htmx, JSON for programs, else a page."""
    message = web.translate(message)
    if request.path.startswith(("/api/", "/sehat")):
        return make_response({"error": message}, code)
    if web.is_htmx():
        response = make_response(render_template("_notice.html", message=message), code)
        response.headers["HX-Retarget"] = "#notice"
        response.headers["HX-Reswap"] = "outerHTML"
        return response
    return make_response(render_template("error.html", code=code, message=message), code)


def _words(app: Flask) -> None:
    """What every template may call."""
    app.jinja_env.globals.update(
        _=web.translate, lang=web.lang, loket=web.loket, now=web.now, large=web.large
    )
    app.jinja_env.filters.update(
        t=web.pick,
        jam=web.clock_time,
        moment=web.moment,
        tanggal=web.long_date,
        tgl=web.short_date,
    )
