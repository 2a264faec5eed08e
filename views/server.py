"""The web server: waitress, in this process. Why, with figures: docs/decisions/server.md."""

import logging
import resource
import signal
import socket
import sys
from pkgutil import resolve_name
from types import FrameType
from typing import NoReturn

from waitress.server import create_server

from kiosk.errors import Unusable
from kiosk.settings import Settings

APPLICATION = "app:from_environment"
BACKLOG = 1024
# Connections, idle and half-open ones too: one that says nothing for so long is closed. A thread
# is given to a request when all of it is there, so that these hold up nobody.
CONNECTIONS = 1000
SILENCE_S = 20
LARGEST_REQUEST = 64 * 1024 * 1024


def listen(settings: Settings) -> socket.socket:
    """Take the server's address. Raises Unusable when it is another's, or is not to be had."""
    host, port = settings.host, settings.port
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        why = str(error.strerror).partition(" (")[0]
        said = f"{host}:{port} tidak dapat dipakai ({why})"
        raise Unusable(f"{said}. Hentikan yang lain, atau ubah LOKET15_PORT.") from None


def run(settings: Settings, address: socket.socket, application: str = APPLICATION) -> None:
    """Serve until SIGTERM or Ctrl+C; requests under way get their answer, for five seconds."""
    _allow_open_files()
    logging.getLogger("waitress").setLevel(logging.ERROR)
    server = create_server(
        resolve_name(application)(),
        sockets=[address],
        threads=settings.threads,
        backlog=BACKLOG,
        connection_limit=CONNECTIONS,
        channel_timeout=SILENCE_S,
        cleanup_interval=5,
        asyncore_use_poll=True,
        max_request_body_size=LARGEST_REQUEST,
        # create_app trusts as many proxies as LOKET15_PROXIES says.
        clear_untrusted_proxy_headers=False,
        ident=None,
    )
    signal.signal(signal.SIGTERM, _stop)
    server.run()


def _stop(_number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(0)


def _allow_open_files() -> None:
    """As many as the system lets this process have: Debian starts it with 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < 4 * CONNECTIONS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(4 * CONNECTIONS, hard), hard))
