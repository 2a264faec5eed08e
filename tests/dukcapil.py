"""A service that speaks docs/dukcapil.md over HTTP, and fails in the ways such services fail."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests import local_server

KEY = "kunci-contoh"
Body = dict[str, Any]


class Service:
    """What it was asked, and how it answers: `percents` by NIK, else 100 and 90; or it fails.

    `fails`: a status, or a name of FAILURES. `meanwhile` is done while it is asked.
    """

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Body] = []
        self.percents: dict[str, tuple[int, int]] = {}
        self.fails: int | str = 0
        self.meanwhile: Callable[[], None] | None = None
        self.let_go = threading.Event()

    def answer(self, people: list[Body]) -> Body:
        found = [(one["ref"], *self.percents.get(one["nik"], (100, 90))) for one in people]
        return {"results": [{"ref": r, "population": p, "address": a} for r, p, a in found]}


def _first_changed(**parts: Any) -> Callable[[Body], Any]:
    def change(body: Body) -> Body:
        body["results"][0] |= parts
        return body

    return change


# How an answer with status 200 can be no answer.
FAILURES: dict[str, Callable[[Body], Any]] = {
    "html": lambda _: "<html><body>Selamat datang</body></html>",
    "not json": lambda _: "{",
    "a list": lambda body: body["results"],
    "no results": lambda _: {"hasil": []},
    "results of null": lambda _: {"results": None},
    "one missing": lambda body: {"results": body["results"][1:]},
    "one double": lambda body: {"results": body["results"] + body["results"][:1]},
    "another ref": _first_changed(ref="99"),
    "101 percent": _first_changed(population=101),
    "below nothing": _first_changed(address=-1),
    "a text": _first_changed(population="100"),
    "a fraction": _first_changed(population=99.5),
    "yes": _first_changed(population=True),
    "null": _first_changed(address=None),
    "deep": lambda _: "[" * 100_000,
    "huge": lambda body: body | {"more": "x" * 2_000_000},
}


class _Handler(local_server.Handler):
    service: Service

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        service = self.service
        if self.path != "/v1/padan" or self.headers["Authorization"] != f"Bearer {KEY}":
            self._send(401, "{}")
            return
        service.asked.append(body)
        if service.meanwhile:
            service.meanwhile()
        if service.fails == "silence":
            service.let_go.wait(10)
            return
        if service.fails == "elsewhere":
            self._send(307, "{}", location=service.url + "/padan")
            return
        if isinstance(service.fails, int) and service.fails:
            self._send(service.fails, "gangguan", "text/html")
            return
        made: Any = service.answer(body["people"])
        if service.fails:
            made = FAILURES[str(service.fails)](made)
        kind = "text/html" if service.fails == "html" else "application/json"
        self._send(200, made if isinstance(made, str) else json.dumps(made), kind)

    def _send(
        self, status: int, text: str, kind: str = "application/json", location: str = ""
    ) -> None:
        data = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving() -> Iterator[Service]:
    """The service on a free port of this machine."""
    service = Service()
    with local_server.serving(_Handler, service, "/v1"):
        yield service
