"""A real server on a real port, and real Chromium windows for the people of a journey."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    PlaywrightContextManager,
    expect,
    sync_playwright,
)
from waitress.server import BaseWSGIServer, create_server

import models
from app import create_app
from kiosk import letter_prints, spool, staff
from kiosk.settings import read
from tests.people import MONDAY_NINE, PASSWORD

CHROMIUM = "/usr/bin/chromium"
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--password-store=basic",
)  # fmt: skip
PATIENCE_MS = 60_000  # of a machine that does much else; who is in time waits for nothing
KIOSK, DESK, PHONE = (1080, 1920), (1366, 768), (390, 844)


class Chromium:
    """The process's one browser, started for the first test that needs it."""

    def __init__(self) -> None:
        self._playwright: PlaywrightContextManager | None = None
        self._browser: Browser | None = None

    def open(self) -> Browser:
        if self._browser is None:
            self._playwright = sync_playwright()
            launch = self._playwright.start().chromium.launch
            self._browser = launch(executable_path=CHROMIUM, args=list(FLAGS))
            expect.set_options(timeout=PATIENCE_MS)
        return self._browser

    def close(self) -> None:
        """End it, so that what follows may run an event loop of its own."""
        if self._playwright and self._browser:
            self._browser.close()
            self._playwright.__exit__()
        self._playwright = self._browser = None


chromium = Chromium()


class RunningClock:
    """A clock that runs from Monday 09.00 WIB on, and can be put forward."""

    def __init__(self) -> None:
        self.base = MONDAY_NINE - time.monotonic()

    def __call__(self) -> float:
        return self.base + time.monotonic()

    def forward(self, seconds: float) -> None:
        self.base += seconds


@dataclass
class Office:
    """A served office and who is in it."""

    app: Flask
    url: str
    home: Path
    clock: RunningClock
    browser: Browser
    contexts: list[BrowserContext] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def window(self, size: tuple[int, int], **cookies: str) -> Page:
        """A new person's browser window, refusing every address that is not this office's."""
        context = self.browser.new_context(
            viewport={"width": size[0], "height": size[1]}, has_touch=size != DESK, locale="id-ID"
        )
        context.set_default_timeout(PATIENCE_MS)
        for name, value in cookies.items():
            context.add_cookies([{"name": name, "value": value, "url": self.url}])
        self.contexts.append(context)
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def kiosk(self) -> Page:
        """An enrolled kiosk, at its start screen."""
        page = self.device("kiosk", KIOSK)
        page.goto(f"{self.url}/kiosk")
        return page

    def device(self, kind: str, size: tuple[int, int]) -> Page:
        now = int(self.clock())
        code = staff.add_device(f"{kind} {len(self.contexts) + 1}", kind, now)
        return self.window(size, **{f"device_{kind}": staff.enrol(code, now)[1]})

    def signed_in(self, name: str) -> Page:
        """A member of staff at their desk."""
        page = self.window(DESK)
        page.goto(f"{self.url}/masuk")
        page.fill("[name=name]", name)
        page.fill("[name=password]", PASSWORD)
        page.click("main button")
        page.wait_for_url(lambda url: "/masuk" not in url)
        return page

    def photograph(self) -> None:
        """Every open window as it is now: what one wants to see when a journey fails."""
        folder = self.home.parent / "windows"
        folder.mkdir(exist_ok=True)
        for n, context in enumerate(self.contexts):
            for page in context.pages:
                page.screenshot(path=folder / f"{n:02d}.png")

    @contextmanager
    def at_desk(self, name: str) -> Iterator[Page]:
        """A member of staff who does one thing and goes: a window left open goes on asking."""
        page = self.signed_in(name)
        yield page
        self.leave(page)

    def leave(self, page: Page) -> None:
        """Close this person's window."""
        self.contexts.remove(page.context)
        page.context.close()

    def print_all(self) -> None:
        """Let the printing thread's work be done now."""
        loket, printers = self.app.extensions["loket"], self.app.extensions["printers"]
        spool.work_once(loket, printers, int(self.clock()), letter_prints.printed_at_kiosk)

    def prints(self, pattern: str) -> list[Path]:
        return sorted((self.home / "prints").glob(pattern), key=lambda p: p.stat().st_mtime_ns)


def _stop(server: BaseWSGIServer) -> None:
    """Close what still listens or is open: the server's loop ends when nothing is left."""

    def close() -> None:
        for channel in list(server.active_channels.values()):
            channel.handle_close()
        server.close()

    server.trigger.pull_trigger(close)


offices: list[Office] = []


@contextmanager
def serve(home: Path, browser: Browser, name: str = "lebak") -> Iterator[Office]:
    """The office of this data folder on a free port; `name` is that of its file."""
    clock = RunningClock()
    server = create_server(lambda *_: [], host="127.0.0.1", port=0, threads=8, ident=None)
    url = f"http://127.0.0.1:{server.effective_port}"
    settings = {"LOKET15_HOME": str(home), "LOKET15_OFFICE": name, "LOKET15_BASE_URL": url}
    app = create_app(read(settings), clock)
    server.application = app
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    models.db.connect(reuse_if_open=True)
    office = Office(app, url, home, clock, browser)
    offices.append(office)
    try:
        yield office
    finally:
        offices.remove(office)
        for context in office.contexts:
            context.close()
        _stop(server)
        thread.join()
        server.task_dispatcher.shutdown()
        models.db.close()
