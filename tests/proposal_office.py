"""The offices that take proposals, at work on Monday 16 November 2026, 09.00 WIB: a day before the
cut-off. Each with a small register and named people. Nobody lives."""

import shutil
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import pytest

import models
from kiosk import population, register, staff
from kiosk.loket import Loket, open_loket, prepare
from kiosk.office_file import load
from kiosk.staff import Actor
from kiosk.vault import Vault
from models import User
from tests import binjai, households
from tests.people import MONDAY_NINE, PASSWORD

WEEK_S = 7 * 86400
NOW = MONDAY_NINE - WEEK_S
SERVICE = "usulan"
People = dict[str, tuple[str, str, str]]
STAFF: dict[str, People] = {
    "lumajang": households.STAFF,
    "binjai": binjai.STAFF | {"admin": ("admin", "Ani Admin", "")},
}


def made(office: str, folder: Path) -> Path:
    """The data folder of this office under `folder`."""
    home = folder / office / "var"
    prepare(home, office, NOW)
    profile = load(office)
    export = home.parent / "export.csv"
    population.write_export(export, people=60)
    vault = Vault.open(home / "keys" / "vault.json")
    register.import_file(export, home / "register", vault, date(2026, 11, 1), NOW)
    add = partial(staff.add_user, profile, password=PASSWORD, now=NOW)
    with models.connect(home / "loket15.sqlite").connection_context():
        models.create()
        for name, (role, full_name, village) in STAFF[office].items():
            add(name=name, full_name=full_name, role=role, village=village)
    return home


def opened(office: str, home: Path) -> Loket:
    return open_loket(home, office, "http://loket.test")


def actor(name: str) -> Actor:
    user = User.get(User.name == name)
    return Actor(user.id, user.name, user.full_name, user.role, None, user.village)


@pytest.fixture(scope="session")
def lumajang_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder of Lumajang, made once and copied for each test."""
    return made("lumajang", tmp_path_factory.mktemp("lumajang"))


@pytest.fixture
def lumajang(lumajang_home: Path, tmp_path: Path) -> Iterator[Loket]:
    """The counter of Lumajang, with the database connected."""
    home = tmp_path / "var"
    shutil.copytree(lumajang_home, home)
    with models.connect(home / "loket15.sqlite").connection_context():
        yield opened("lumajang", home)
