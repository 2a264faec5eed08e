"""What the views share: who asks, in which language, at what time, and how they are answered."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cache
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any, TypeVar

from flask import Response, current_app, g, make_response, redirect, render_template, request
from flask_login import UserMixin, current_user

from kiosk import staff, words
from kiosk.errors import NotAllowed
from kiosk.loket import Loket
from kiosk.profile import Right
from kiosk.staff import Actor, EnrolledDevice
from kiosk.tables import Text

LANGUAGES = ("id", "en")
DEVICE_KINDS = ("kiosk", "display")
View = TypeVar("View", bound=Callable[..., Any])


@dataclass(frozen=True)
class Guard:
    """Who may use a route: `kind` public, staff or device; rights or device kinds narrow it."""

    kind: str
    rights: tuple[Right, ...] = ()
    devices: tuple[str, ...] = ()


def _guarded(guard: Guard) -> Callable[[View], View]:
    def mark(view: View) -> View:
        view.guard = guard  # type: ignore[attr-defined]
        return view

    return mark


def public(view: View) -> View:
    """Anybody may use this route."""
    return _guarded(Guard("public"))(view)


def for_staff(*rights: Right) -> Callable[[View], View]:
    """Signed-in staff, whose role has one of `rights` in the office's file where any is named."""
    return _guarded(Guard("staff", rights=rights))


def for_device(*kinds: str) -> Callable[[View], View]:
    """An enrolled device of one of these kinds."""
    return _guarded(Guard("device", devices=kinds))


def loket() -> Loket:
    """The running counter."""
    found: Loket = current_app.extensions["loket"]
    return found


def now() -> int:
    """The wall clock, UTC epoch seconds: asked here and in the command line, nowhere else."""
    return int(current_app.config["NOW"]())


class SignedIn(UserMixin):  # type: ignore[misc]
    """flask-login's user: its id is the session's token, so that logout really ends it."""

    def __init__(self, token: str, actor: Actor) -> None:
        self.token = token
        self.actor = actor

    def get_id(self) -> str:
        return self.token


def load_user(token: str) -> SignedIn | None:
    actor = staff.actor_of(token, now())
    return SignedIn(token, actor) if actor else None


def actor() -> Actor:
    """Who is signed in. Raises NotAllowed when nobody is."""
    if not current_user.is_authenticated:
        raise NotAllowed("Silakan masuk lagi.")
    found: Actor = current_user.actor
    return found


def device_cookie(kind: str) -> str:
    """One cookie a kind: a browser may be tried out as a kiosk and as a display."""
    return f"device_{kind}"


def device(*kinds: str) -> EnrolledDevice | None:
    """The enrolled device of one of these kinds that asks, by its cookie."""
    known: dict[str, EnrolledDevice | None] = g.setdefault("devices", {})
    for kind in kinds:
        if kind not in known:
            token = request.cookies.get(device_cookie(kind), "")
            found = staff.device_of(token, now()) if token else None
            known[kind] = found if found and found.kind == kind else None
        if known[kind]:
            return known[kind]
    return None


def asker() -> str:
    """Where a request comes from, for counting tries.

    Of IPv6 the first half: whoever has one such address has 2^64 of them.
    """
    address = request.remote_addr or ""
    try:
        found = IPv6Address(address)
    except ValueError:  # IPv4, or what a proxy calls it.
        return address
    return str(found.ipv4_mapped or IPv6Address(found.packed[:8] + bytes(8)))


def lang() -> str:
    """The language of this screen: Indonesian unless asked otherwise."""
    chosen = request.cookies.get("lang", "")
    return chosen if chosen in LANGUAGES else "id"


def large() -> bool:
    """Whether this screen is shown with large text."""
    return request.cookies.get("size") == "large"


@cache
def _english() -> dict[str, str]:
    found: dict[str, str] = {}
    for file in sorted((Path(__file__).parent / "english").glob("*.toml")):
        found |= tomllib.loads(file.read_text())
    return found


def translate(text: str, /, **parts: object) -> str:
    """The Indonesian sentence in the screen's language, with its {parts} filled in."""
    if lang() == "en":
        text = _english().get(text, text)
    return text.format(**parts) if parts else text


def other_language(text: str) -> str:
    """The sentence in the language that the screen is not in: for who reads neither."""
    return text if lang() == "en" else _english().get(text, text)


def pick(text: Text) -> str:
    """A text of the office's file in the screen's language."""
    return text[lang()]


def clock_time(at: int, seconds: bool = False) -> str:
    return words.clock_time(loket().calendar.local(at), seconds)


def moment(at: int) -> str:
    """10.15 today, else with its day: Sen 23 Nov 07.45."""
    calendar = loket().calendar
    day = calendar.day_of(at)
    if day == calendar.day_of(now()):
        return clock_time(at)
    short = words.short_date(day, lang()).rsplit(" ", 1)[0]
    return f"{words.weekday(day, lang())[:3]} {short}, {clock_time(at)}"


def long_date(day: date | int) -> str:
    if isinstance(day, int):
        day = loket().calendar.day_of(day)
    return words.long_date(day, lang())


def short_date(day: date | int) -> str:
    if isinstance(day, int):
        day = loket().calendar.day_of(day)
    return words.short_date(day, lang())


def is_htmx() -> bool:
    """Whether htmx asks, for a fragment."""
    return bool(request.htmx)  # type: ignore[attr-defined]  # htmx-flask's own request class


def answer(fragment: str, to: str, /, *, status: int = 200, **context: Any) -> Response:
    """The fragment for htmx; for a plain form a 303 to the page that shows it."""
    if is_htmx():
        return make_response(render_template(fragment, **context), status)
    return make_response(redirect(to, 303))


def unchanged(version: str) -> bool:
    """Whether the asker already has this version: answer 204 then."""
    return request.args.get("v") == version


def set_cookie(response: Response, name: str, value: str, days: int = 0) -> Response:
    """A cookie that scripts cannot read; a session's without `days`."""
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(
        name, value, max_age=days * 86400 or None, httponly=True, samesite="Lax", secure=secure
    )
    return response
