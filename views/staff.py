"""Coming in: the front page, signing in and out, the language of a screen; what keeps a session."""

from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Response,
    make_response,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user, login_user, logout_user

from kiosk import staff
from kiosk.errors import LoketError, TooMany
from kiosk.profile import Profile
from kiosk.words import DAYS
from views import web

blueprint = Blueprint("staff", __name__)


@blueprint.get("/")
@web.public
def home() -> Response:
    """The front page, or the place of whoever asks."""
    device = web.device(*web.DEVICE_KINDS)
    if device:
        return make_response(redirect(url_for(f"{device.kind}.page"), 303))
    if current_user.is_authenticated:
        return make_response(redirect(place_of(web.actor().role), 303))
    return make_response(render_template("staff/home.html", hours=hours(web.loket().profile)))


@blueprint.get("/masuk")
@web.public
def sign_in() -> Response:
    after = same_site(request.args.get("next", ""))
    if current_user.is_authenticated:
        return make_response(redirect(after or place_of(web.actor().role), 303))
    return make_response(render_template("staff/sign_in.html", after=after, name="", fault=""))


@blueprint.post("/masuk")
@web.public
def enter() -> Response:
    name, after = request.form.get("name", "").strip()[:80], same_site(request.form.get("next", ""))
    password, address = request.form.get("password", "")[:200], web.asker()
    try:
        token = staff.sign_in(name, password, address, web.now())
    except LoketError as error:
        shown = {"after": after, "name": name, "fault": error.message}
        status = 429 if isinstance(error, TooMany) else 422
        return make_response(render_template("staff/sign_in.html", **shown), status)
    _begin(token)
    return make_response(redirect(after or place_of(web.actor().role), 303))


def _begin(token: str) -> None:
    """A cookie of its own for the new session: nothing of what was there before is kept."""
    if current_user.is_authenticated:
        staff.sign_out(current_user.token)
    session.clear()
    login_user(web.load_user(token))


@blueprint.get("/keluar")
@web.public
def leave() -> str:
    """Asks; only the POST signs out."""
    return render_template("staff/sign_out.html")


@blueprint.post("/keluar")
@web.public
def sign_out() -> Response:
    if current_user.is_authenticated:
        staff.sign_out(current_user.token)
    logout_user()
    session.clear()
    response = make_response(redirect(url_for("staff.sign_in"), 303))
    # What a phone kept of the field while the line was bad goes with whoever wrote it.
    response.headers["Clear-Site-Data"] = '"storage"'
    return response


@blueprint.post("/bahasa")
@web.public
def language() -> Response:
    """The language of this browser's pages; back to the page in `next`.

    Without a token, so that who only reads a page gets no cookie: all that another site could do
    is to turn the asker's screen to English.
    """
    chosen = request.form.get("lang", "")
    response = make_response(redirect(same_site(request.args.get("next", "")) or "/", 303))
    if chosen in web.LANGUAGES:
        web.set_cookie(response, "lang", chosen, days=365)
    return response


@blueprint.after_app_request
def keep_alive(response: Response) -> Response:
    """What a person does keeps the session; a poll (it says which version it has) does not."""
    polled = "v" in request.args or request.endpoint in (None, "static")
    if not polled and response.status_code < 500 and current_user.is_authenticated:
        staff.keep_alive(current_user.token, web.now())
    return response


def same_site(target: str) -> str:
    """`target` when it is a path of this site, else "".

    Browsers read `\\` as `/` and leave out tabs and line ends, so `/\\host` and `/<tab>/host` would
    lead away as `//host` does.
    """
    plain = target.isprintable() and "\\" not in target and len(target) <= 2000
    if not plain or not target.startswith("/") or target.startswith("//"):
        return ""
    parts = urlsplit(target)
    return "" if parts.scheme or parts.netloc else target.removesuffix("?")


def place_of(role: str) -> str:
    """Where this role works: the desk, else the proposals, else the admin pages for one that has
    no step of its own.
    """
    profile = web.loket().profile
    letters = any(role in step.roles for service in profile.letters for step in service.steps)
    proposes = profile.may(role, "propose") or profile.may(role, "supervise")
    if profile.proposals and proposes and not letters:
        return url_for("proposals.page")
    works = any(role in step.roles for service in profile.services for step in service.steps)
    only_admin = profile.may(role, "admin") and not works
    return url_for("admin.page") if only_admin else "/meja"


def hours(profile: Profile) -> list[tuple[str, list[str]]]:
    """The opening hours that hold today: days that are alike in one row, (days, spans)."""
    today = web.loket().calendar.day_of(web.now())
    seasons = (s.week for s in profile.hours.seasons if s.first <= today <= s.last)
    week = next(seasons, profile.hours.week).by_number()
    rows: list[tuple[list[int], list[str]]] = []
    for day, spans in week.items():
        said = [f"{start:%H.%M}\u2013{end:%H.%M}" for start, end in spans]
        if rows and rows[-1][1] == said:
            rows[-1][0].append(day)
        else:
            rows.append(([day], said))
    return [(_days(days), said) for days, said in rows if said]


def _days(days: list[int]) -> str:
    names = DAYS[web.lang()]
    return names[days[0]] if len(days) == 1 else f"{names[days[0]]}\u2013{names[days[-1]]}"
