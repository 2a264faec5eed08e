"""Named people and things: an office of Lebak at work on Monday 23 November 2026, 09.00 WIB."""

import shutil
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from datetime import date
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser as PlaywrightBrowser

import models
from app import create_app
from kiosk import desk, population, register, staff
from kiosk.desk import Draft
from kiosk.loket import Loket, open_loket, prepare
from kiosk.office_file import load
from kiosk.settings import read
from kiosk.staff import Actor
from kiosk.vault import Vault
from tests import live, quick
from tests.pages import Browser
from tests.people import MONDAY_NINE, PASSWORD, STAFF

BASE_URL = "http://loket.test"

quick.begin()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browsers first, each test for itself: they take longest. Else a file's tests together."""
    files = Counter(item.path for item in items)
    items.sort(key=lambda item: (not _in_a_browser(item), -files[item.path], item.path))
    for item in items:
        if not _in_a_browser(item):
            item.add_marker(pytest.mark.xdist_group(item.path.stem))


def _in_a_browser(item: pytest.Item) -> bool:
    return "chromium" in getattr(item, "fixturenames", ())


def pytest_runtest_setup(item: pytest.Item) -> None:
    if not _in_a_browser(item):
        live.chromium.close()


def pytest_sessionfinish() -> None:
    live.chromium.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """When a journey fails, its windows as they are then."""
    report = yield
    if report.failed and report.when == "call":
        for office in live.offices:
            office.photograph()
    return report


class Clock:
    """The wall clock of a test."""

    def __init__(self, at: int = MONDAY_NINE) -> None:
        self.at = at

    def __call__(self) -> int:
        return self.at

    def tick(self, seconds: int) -> int:
        self.at += seconds
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def template_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with keys, staff and a small register, made once and copied for each test."""
    home = tmp_path_factory.mktemp("template") / "var"
    prepare(home, "lebak", MONDAY_NINE)
    export = home.parent / "export.csv"
    population.write_export(export, people=60)
    vault = Vault.open(home / "keys" / "vault.json")
    register.import_file(export, home / "register", vault, date(2026, 11, 1), MONDAY_NINE)
    database = models.connect(home / "loket15.sqlite")
    with database.connection_context():
        models.create()
        for name, (role, full_name) in STAFF.items():
            staff.add_user(load("lebak"), name, full_name, role, PASSWORD, MONDAY_NINE)
    return home


@pytest.fixture
def home(template_home: Path, tmp_path: Path) -> Path:
    shutil.copytree(template_home, tmp_path / "var")
    return tmp_path / "var"


@pytest.fixture
def database(home: Path) -> Iterator[None]:
    handle = models.connect(home / "loket15.sqlite")
    with handle.connection_context():
        yield


@pytest.fixture
def loket(home: Path, database: None) -> Loket:
    return open_loket(home, "lebak", BASE_URL)


@pytest.fixture
def app(home: Path, clock: Clock) -> Iterator[Flask]:
    settings = read({"LOKET15_HOME": str(home), "LOKET15_BASE_URL": BASE_URL})
    made = create_app(settings, clock)
    made.testing = True
    models.db.connect(reuse_if_open=True)
    yield made
    models.db.close()


@pytest.fixture
def browser(app: Flask) -> Browser:
    """Somebody whom nobody knows."""
    return Browser(app.test_client())


def enrolled(app: Flask, kind: str, now: int) -> Browser:
    code = staff.add_device(f"{kind} 1", kind, now)
    client = app.test_client()
    client.set_cookie(f"device_{kind}", staff.enrol(code, now)[1])
    return Browser(client)


@pytest.fixture
def kiosk(app: Flask, clock: Clock) -> Browser:
    return enrolled(app, "kiosk", clock.at)


@pytest.fixture
def display_client(app: Flask, clock: Clock) -> Browser:
    return enrolled(app, "display", clock.at)


@pytest.fixture
def as_role(app: Flask, clock: Clock) -> Callable[[str], Browser]:
    """A signed-in browser: as_role("operator")."""

    def sign_in(role: str, window: int | None = None) -> Browser:
        name = next(name for name, (known, _) in STAFF.items() if known == role)
        browser = Browser(app.test_client())
        answer = browser.send("/masuk", {"name": name, "password": PASSWORD})
        assert answer.status_code == 303, answer.get_data(as_text=True)
        if window is not None:
            browser.send("/loket/window", {"window": window})
        return browser

    return sign_in


def actor(role: str, window: int | None = None) -> Actor:
    """The member of staff of this role, as the domain knows them."""
    user = models.User.get(models.User.role == role)
    return Actor(user.id, user.name, user.full_name, user.role, window)


@pytest.fixture
def submit(clock: Clock) -> Callable[..., int]:
    """Submit an application for the demonstration person; its id."""

    def act(loket: Loket, **over: object) -> int:
        person = loket.register.find_pair(population.DEMO_PERSON.nik, population.DEMO_PERSON.kk)
        assert person is not None
        parts = {key: str(value) for key, value in person.as_dict().items()}
        draft = {
            "service": "sk_dtks",
            "purpose": "kip_kuliah",
            "priority": "",
            "nik": person.nik,
            "kk": person.kk,
            "person": parts,
            "in_snapshot": True,
        }
        return desk.submit(loket, Draft(**(draft | over)), None, clock.at)  # type: ignore[arg-type]

    return act


@pytest.fixture
def chromium() -> PlaywrightBrowser:
    """A real Chromium. While it runs no other event loop may in this thread."""
    return live.chromium.open()


@pytest.fixture
def office(home: Path, chromium: PlaywrightBrowser) -> Iterator[live.Office]:
    """The office served on a real port; no window of it may have met a forbidden script."""
    with live.serve(home, chromium) as served:
        yield served
        assert served.complaints == []


@pytest.fixture
def issued(loket: Loket, clock: Clock, submit: Callable[..., int]) -> int:
    """An application whose letter was just issued; its id."""
    from tests.letters import issue  # which needs this room

    return issue(loket, clock, submit)
