"""Data folders of the other offices, each with a small register and the demonstration's staff."""

import shutil
from datetime import date
from pathlib import Path

import models
from kiosk import demo, population, register, staff
from kiosk.loket import prepare
from kiosk.office_file import load
from kiosk.vault import Vault
from tests.people import MONDAY_NINE, PASSWORD


def made(office: str, folder: Path) -> Path:
    """The data folder of this office under `folder`, made there once."""
    home = folder / office / "var"
    if home.exists():
        return home
    prepare(home.parent / "new", office, MONDAY_NINE)
    new = home.parent / "new"
    export = home.parent / "export.csv"
    population.write_export(export, people=60)
    vault = Vault.open(new / "keys" / "vault.json")
    register.import_file(export, new / "register", vault, date(2026, 11, 1), MONDAY_NINE)
    profile = load(office)
    with models.connect(new / "loket15.sqlite").connection_context():
        models.create()
        for one in demo.people(profile):
            staff.add_user(
                profile,
                one.name,
                one.full_name,
                one.role,
                PASSWORD,
                MONDAY_NINE,
                village=one.village,
            )
    new.rename(home)
    return home


def copied(home: Path, to: Path) -> Path:
    """A copy of a data folder, to be changed."""
    shutil.copytree(home, to)
    return to
