"""Another's server, played by a test on a free port of this machine."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol


class Played(Protocol):
    """What the handler plays: where it is found, and what lets go those that it keeps waiting."""

    url: str
    let_go: threading.Event


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """It logs nothing."""


class _Server(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """A client that hung up is no news."""


@contextmanager
def serving(handler: type[Handler], service: Played, path: str) -> Iterator[None]:
    """Serve until the block ends; the handler finds `service` as an attribute of its own."""
    server = _Server(("127.0.0.1", 0), type("Handler", (handler,), {"service": service}))
    service.url = f"http://127.0.0.1:{server.server_port}{path}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        service.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
