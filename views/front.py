"""What many ask alike is answered before Flask: the verdict of a letter, as a page and by the API.

A school's pupils show the same few letters' pages, programs ask in rows. An answer is kept for the
minute that it was made in, and given again only while the letter's row, the keys and the language
are what they were: a letter that is revoked is revoked in the next answer. Who has a session asks
Flask itself.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from kiosk import verification
from kiosk.loket import Loket

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication

MOST = 1024
# Ours are a few dozen signs long: whoever sends much more of them is not remembered by them.
LONGEST_COOKIES = 512
KEEP = "loket15.keep"
_PATH = re.compile(r"/(?:v|api/v1/verifikasi)/([0-9]{193})")

Environ = dict[str, Any]
Answered = tuple[str, list[tuple[str, str]], bytes]


class _Asked(NamedTuple):
    """What an answer depends on, beside its address."""

    cookies: str
    minute: int
    state: tuple[Any, ...]


class Front:
    """Before another WSGI application: `answer` is one. Threads may share it."""

    def __init__(
        self, app: WSGIApplication, loket: Loket, clock: Callable[[], float], session: str
    ) -> None:
        self._app, self._loket, self._clock, self._session = app, loket, clock, f"{session}="
        self._kept: OrderedDict[str, tuple[_Asked, Answered]] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        asked = self._asked(environ)
        if asked is None:
            return self._app(environ, start_response)
        path = environ["PATH_INFO"]
        kept = self._kept.get(path)
        if kept and kept[0] == asked:
            status, headers, body = kept[1]
            start_response(status, headers)
            return [body]
        return self._passed_on(environ, start_response, path, asked)

    def _asked(self, environ: Environ) -> _Asked | None:
        """What the answer depends on; None for what is not ours to answer."""
        found = _PATH.fullmatch(environ.get("PATH_INFO", ""))
        cookies = environ.get("HTTP_COOKIE", "")
        if not found or environ["REQUEST_METHOD"] != "GET" or environ.get("QUERY_STRING"):
            return None
        if self._session in cookies or len(cookies) > LONGEST_COOKIES:
            return None
        state = verification.state(self._loket, found[1])
        return _Asked(cookies, int(self._clock()) // 60, state) if state else None

    def _passed_on(
        self, environ: Environ, start: StartResponse, path: str, asked: _Asked
    ) -> Iterable[bytes]:
        told: list[Any] = []

        def listen(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            told[:] = [status, headers]
            return start(status, headers, *rest)

        answer = self._app(environ, listen)
        # Whether it depends on nothing else, the view says; a fault on the way is nobody's answer.
        whole = told and told[0].startswith("200")
        if not whole or not environ.get(KEEP) or any(name == "Set-Cookie" for name, _ in told[1]):
            return answer
        body = _whole(answer)
        with self._lock:
            self._kept[path] = (asked, (told[0], told[1], body))
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return [body]


def _whole(answer: Iterable[bytes]) -> bytes:
    """The body, with what an application has to do at its end."""
    try:
        return b"".join(answer)
    finally:
        close = getattr(answer, "close", None)
        if close:
            close()
