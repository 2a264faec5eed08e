"""A ticket printer on a real TCP port, as good or as bad as the test wants it.

It collects what it is sent; `Paper` turns those bytes back into the picture on the paper.
"""

import socket
import struct
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from PIL import Image

PAPER, NEAR_END, NO_PAPER = 0x12, 0x1E, 0x72
ASKS_PAPER = b"\x10\x04\x04"


@dataclass(frozen=True)
class Paper:
    """What lies in the tray: the picture, the rows of each raster command, whether it was cut."""

    image: Image.Image
    bands: tuple[int, ...]
    cut: bool


def decode(sent: bytes) -> Paper:
    """Read ESC/POS strictly: a byte that is no known command is an error."""
    bands: list[Image.Image] = []
    cut, at = False, 0
    while at < len(sent):
        if sent.startswith(b"\x1dv0\x00", at):
            across, rows = struct.unpack_from("<HH", sent, at + 4)
            at += 8
            bands.append(_band(across, rows, sent[at : at + across * rows]))
            at += across * rows
        elif sent.startswith(b"\x1dVB", at):
            cut, at = True, at + 4
        else:
            at += _length(sent[at : at + 3])
    return Paper(_joined(bands), tuple(band.height for band in bands), cut)


def _length(command: bytes) -> int:
    lengths = {ASKS_PAPER: 3, b"\x1b@": 2, b"\x1bd": 3}
    return next(size for start, size in lengths.items() if command.startswith(start))


def _band(across: int, rows: int, raster: bytes) -> Image.Image:
    return Image.frombytes("1", (across * 8, rows), bytes(255 - byte for byte in raster))


def _joined(bands: list[Image.Image]) -> Image.Image:
    sheet = Image.new("1", (max(b.width for b in bands), sum(b.height for b in bands)), 1)
    y = 0
    for band in bands:
        sheet.paste(band, (0, y))
        y += band.height
    return sheet


class EscPosPort:
    """Listens on a free port. `status`: its answer about paper, None for silence.

    `leaves_after`: closes when it has read so many bytes; `slams`: with a reset;
    `deaf`: takes the connection and never reads; `hangs_up`: says so at once, as if at the end;
    `chatty`: talks without end.
    """

    def __init__(
        self,
        status: int | None = PAPER,
        leaves_after: int | None = None,
        *,
        slams: bool = False,
        deaf: bool = False,
        hangs_up: bool = False,
        chatty: bool = False,
    ) -> None:
        self.status, self.leaves_after, self.slams = status, leaves_after, slams
        self.deaf, self.hangs_up, self.chatty = deaf, hangs_up, chatty
        self.tickets: list[bytes] = []
        self._over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        if deaf:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over.set()
        socket.create_connection(("127.0.0.1", self.port)).close()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            line, _ = self._listener.accept()
            with line:
                if self._over.is_set():
                    return
                if self.deaf:
                    self._ignore(line)
                else:
                    self.tickets.append(self._read(line))

    def _ignore(self, line: socket.socket) -> None:
        if self.hangs_up:
            line.sendall(bytes([PAPER]))
            line.shutdown(socket.SHUT_WR)
        self._over.wait()

    def _read(self, line: socket.socket) -> bytes:
        got = b""
        while chunk := line.recv(4096 if self.leaves_after is None else 512):
            if not got and self.status is not None and chunk.startswith(ASKS_PAPER):
                line.sendall(bytes([self.status]) * (100_000 if self.chatty else 1))
            got += chunk
            if self.leaves_after is not None and len(got) >= self.leaves_after:
                if self.slams:
                    line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                break
        return got
