"""The server as it runs, a process of its own: its address, half-open clients, its end."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from kiosk.errors import Unusable
from kiosk.settings import read
from tests.bench import Client, free_port, request
from views import server

HEAD = b"POST /masuk HTTP/1.1\r\nHost: 127.0.0.1\r\n"
SLOW_HEADERS = HEAD + b"X-Slow: "
SLOW_BODY = (
    HEAD + b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 90\r\n\r\nname=a"
)
COMMAND = [sys.executable, "-c", "from app import main; main()", "serve"]
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True)
class Running:
    port: int
    process: subprocess.Popen[str]


def until_answering(port: int, process: subprocess.Popen[str]) -> None:
    while process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as first:
                first.sendall(request(port, "GET", "/sehat"))
                assert first.recv(12) == b"HTTP/1.1 200"
                return
        except ConnectionRefusedError:
            continue
    raise AssertionError(process.communicate()[0])


@pytest.fixture
def serve(template_home: Path) -> Iterator[Callable[..., Running]]:
    """Start `loket15 serve`, and see that it answers."""
    with ExitStack() as held:

        def start(**settings: str) -> Running:
            port = free_port()
            environ = os.environ | {"LOKET15_HOME": str(template_home), "LOKET15_PORT": str(port)}
            process = subprocess.Popen(
                COMMAND, cwd=ROOT, env=environ | settings, text=True,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
            held.enter_context(process)
            held.callback(process.kill)
            until_answering(port, process)
            return Running(port, process)

        yield start


def test_clients_that_never_finish_hold_up_nobody_and_the_end_is_quick_and_quiet(
    serve: Callable[..., Running],
) -> None:
    running = serve(LOKET15_THREADS="2")
    with ExitStack() as held:
        for said in (SLOW_HEADERS, SLOW_BODY) * 20:
            slow = held.enter_context(socket.create_connection(("127.0.0.1", running.port)))
            slow.sendall(said)
        client = Client(running.port, patience=10)
        held.callback(client.sock.close)
        status, head, _ = client.ask(request(running.port, "GET", "/masuk"))
        assert status == 200
        assert "server:" not in head.lower()
        running.process.send_signal(signal.SIGTERM)
        said, _ = running.process.communicate(timeout=15)
    assert (running.process.returncode, said) == (0, "")


def test_a_body_that_is_too_large_is_refused_before_it_is_sent(
    serve: Callable[..., Running],
) -> None:
    running = serve()
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as client:
        client.sendall(HEAD + b"Content-Length: 1000000000\r\n\r\nname=a")
        assert client.recv(12) == b"HTTP/1.1 413"


def test_an_address_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(Unusable, match=rf"127\.0\.0\.1:{port} .*LOKET15_PORT"):
            server.listen(read({"LOKET15_PORT": str(port)}))


def test_a_start_does_not_wait_for_the_letters_libraries() -> None:
    heavy = ("xhtml2pdf", "pyhanko", "openpyxl")
    code = f"import app, sys; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_a_data_folder_is_served_once(serve: Callable[..., Running], template_home: Path) -> None:
    serve()
    environ = os.environ | {"LOKET15_HOME": str(template_home), "LOKET15_PORT": str(free_port())}
    second = subprocess.run(
        COMMAND, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert second.returncode == 2
    assert second.stderr == "Folder data ini sedang dilayani. Hentikan dahulu yang lain.\n"
