"""The verify page without a network: the service worker, the shell that it keeps, and its parts."""

import json
from functools import cache
from hashlib import sha256
from pathlib import Path

from flask import Blueprint, Response, abort, make_response, render_template, send_from_directory

from kiosk import trust
from views import web

blueprint = Blueprint("offline", __name__)

ROOT = Path(__file__).resolve().parent.parent
STATIC = ROOT / "static"
# All that the shell needs, below static/; /v/luring/<part> gives it, so that the shell and its
# parts are always of one release, whatever the page of the next release loads from /static/.
PARTS = (
    "app.css", "page.css", "verify.css", "icon.svg",
    "fonts/atkinson-hyperlegible-400.woff2", "fonts/atkinson-hyperlegible-700.woff2",
    "verify/offline.js", "verify/paper.js", "verify/luring.css", "verify/scan.js", "verify/seal.js",
    "verify/noble-ed25519-3.2.0.js", "verify/qr-0.7.0/decode.js", "verify/qr-0.7.0/index.js",
)  # fmt: skip
SOURCES = (
    "templates/verify/offline.html", "templates/verify/_scan.html",
    "templates/verify/_verdict.html", "views/english/luring.toml", "static/verify/sw.js",
)  # fmt: skip


@blueprint.get("/sw.js")
@web.public
def worker() -> Response:
    """The service worker with what it keeps. At the root, for it may serve nothing above itself."""
    release = {
        "version": _version(),
        "shell": "/v/luring",
        "parts": [f"/v/luring/{part}" for part in PARTS],
        "offices": trust.OFFICES_PATH,
    }
    script = (STATIC / "verify" / "sw.js").read_text()
    response = make_response(f"const RELEASE = {json.dumps(release)};\n{script}")
    response.mimetype = "text/javascript"
    response.headers["Cache-Control"] = "no-cache"
    return response


@blueprint.get("/v/luring")
@web.public
def shell() -> str:
    """The page that answers by itself. The same for everybody: no session, no token, no name."""
    return render_template("verify/offline.html", version=_version())


@blueprint.get("/v/luring/<path:part>")
@web.public
def part(part: str) -> Response:
    if part not in PARTS:
        abort(404)
    response = send_from_directory(STATIC, part)
    response.headers["Cache-Control"] = "no-cache"
    return response


def _version() -> str:
    """Of all that the worker keeps: another release, or another office's name, replaces it."""
    office = web.loket().profile.office
    told = f"{_files()} {web.loket().base_url} {office.name} {office.short_name} {office.phone}"
    return sha256(told.encode()).hexdigest()[:16]


@cache
def _files() -> str:
    found = sha256()
    for file in (*(STATIC / part for part in PARTS), *(ROOT / source for source in SOURCES)):
        found.update(sha256(file.read_bytes()).digest())
    return found.hexdigest()
