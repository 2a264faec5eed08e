"""A real network printer: `ippeveprinter` (Debian `cups-ipp-utils`) on a port of its own.

It insists on a D-Bus although it is told to announce itself to nobody (`-r off`), so it gets a
private one (Debian `dbus-daemon`); neither Avahi nor root nor the machine's own bus is touched.
Without a print command it pretends to print for five to fifteen seconds, so it gets one that
keeps what came, and that waits while `hold()` is on.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:dir={folder}</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>
  </policy>
</busconfig>
"""
COMMAND = """#!/bin/sh
printf '%s' "$IPP_MEDIA" > '{folder}/printed/'"$IPP_JOB_ID.media"
cp "$1" '{folder}/printed/'"$IPP_JOB_ID.document"
if [ -e '{folder}/broken' ]; then exit 1; fi
if [ -s '{folder}/hold' ]; then printf 'STATE: %s\\n' "$(cat '{folder}/hold')" >&2; fi
while [ -e '{folder}/hold' ]; do sleep 0.05; done
exit 0
"""
FOLDERS = {"-d": "spool", "-c": "print", "-K": "keys"}
PATIENCE = 10.0


class IppServer:
    """The running printer: what it printed, and its moods."""

    def __init__(self, folder: Path, formats: str) -> None:
        self.folder, self.formats, self.port = folder, formats, free_port()
        for name in ("bus", "spool", "printed", "keys"):
            (folder / name).mkdir()
        (folder / "bus.conf").write_text(BUS.format(folder=folder / "bus"))
        (folder / "print").write_text(COMMAND.format(folder=folder))
        (folder / "print").chmod(0o700)
        self._running: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        return f"ipp://localhost:{self.port}/ipp/print"

    def start(self) -> None:
        config = f"--config-file={self.folder / 'bus.conf'}"
        bus = self._run(
            ["dbus-daemon", config, "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE,
        )
        assert bus.stdout
        address = bus.stdout.readline().decode().strip()
        options = f"-v -r off -n localhost -p {self.port} -k -f {self.formats}".split()
        for option, name in FOLDERS.items():
            options += [option, str(self.folder / name)]
        env = os.environ | {"DBUS_SYSTEM_BUS_ADDRESS": address, "HOME": str(self.folder)}
        with (self.folder / "printer.log").open("wb") as log:
            self._run(["ippeveprinter", *options, "Kios Uji"], stdout=log, env=env)
        until(self._listens)

    def stop(self) -> None:
        while self._running:
            process = self._running.pop()
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGTERM)
            process.wait(PATIENCE)
            if process.stdout:
                process.stdout.close()
        # The command that prints inherits the port: it may hold it a moment longer.
        until(lambda: not self._answers())

    def hold(self, reason: str = "") -> None:
        (self.folder / "hold").write_text(reason)

    def release(self) -> None:
        (self.folder / "hold").unlink(missing_ok=True)

    def breaks(self) -> None:
        (self.folder / "broken").touch()

    def mend(self) -> None:
        (self.folder / "broken").unlink(missing_ok=True)

    def printed(self, ref: str) -> bytes:
        return (self.folder / "printed" / f"{ref.partition('/')[0]}.document").read_bytes()

    def media(self, ref: str) -> str:
        return (self.folder / "printed" / f"{ref.partition('/')[0]}.media").read_text()

    def spooled(self) -> list[Path]:
        return sorted((self.folder / "spool").iterdir())

    def _run(self, command: list[str], **options: object) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            command, stderr=subprocess.DEVNULL, start_new_session=True, **options
        )
        self._running.append(process)
        return process

    def _listens(self) -> bool:
        if self._running[-1].poll() is not None:
            raise AssertionError((self.folder / "printer.log").read_text())
        return self._answers()

    def _answers(self) -> bool:
        with suppress(OSError), socket.create_connection(("localhost", self.port), 1):
            return True
        return False


def until(condition: Callable[[], bool]) -> None:
    """Look again until it is so; fails after ten seconds."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def ipp_server(folder: Path, formats: str = "application/pdf,image/png") -> Iterator[IppServer]:
    server = IppServer(folder, formats)
    try:
        server.start()
        yield server
    finally:
        server.release()
        server.stop()
