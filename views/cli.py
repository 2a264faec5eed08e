"""The command line `loket15`. With `web`, the only place that looks at the wall clock."""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from socket import socket
from typing import Any

import click

from kiosk import (
    archive,
    board,
    demo,
    issuing,
    office_doc,
    office_file,
    office_report,
    register,
    spool,
    staff,
    store,
    versions,
)
from kiosk.errors import Invalid, LoketError
from kiosk.loket import Loket, open_loket, prepare
from kiosk.settings import SETTINGS, Settings, read
from views import key_commands, server
from views.told import UNUSABLE, told

FAULTY = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Kiosk and front office of a Dinas Sosial: the SK in fifteen minutes."""
    click.get_current_context().obj = key_commands.Tools(_settings, _open, _now)
    # Whatever is made belongs to the office's user alone.
    os.umask(0o077)


main.add_command(key_commands.keys)
main.add_command(key_commands.trusted)


def _now() -> int:
    return int(time.time())


def _settings() -> Settings:
    return read(os.environ)


def _open() -> tuple[Settings, Loket]:
    """The settings and the counter, with the database connected until the command ends."""
    settings = _settings()
    loket = open_loket(settings.home, settings.office, settings.base_url)
    _connect(settings)
    return settings, loket


def _connect(settings: Settings) -> None:
    click.get_current_context().call_on_close(store.close)
    store.connect(settings.home)


def _init(settings: Settings) -> bool:
    new = prepare(settings.home, settings.office, _now())
    _connect(settings)
    store.create()
    return new


@main.command()
@told
def init() -> None:
    """Create the data folder: database, keys, archive. What exists is kept."""
    settings = _settings()
    new = _init(settings)
    click.echo(f"{'Dibuat' if new else 'Sudah ada'}: {settings.home.resolve()}")


@main.command()
@told
def serve() -> None:
    """Serve the office until stopped."""
    settings, loket = _open()
    _serve(settings, loket, _address(settings))


def _address(settings: Settings) -> socket:
    """Known printers and an address of our own: what must be so before anything is changed."""
    spool.printers(settings)
    address = server.listen(settings)
    click.get_current_context().call_on_close(address.close)
    return address


def _check_steps(loket: Loket) -> None:
    """An open application must stand in a step that its profile has."""
    orphans = board.orphans(loket)
    if orphans:
        click.echo(
            "Permohonan terbuka berada di langkah yang tidak ada lagi di berkas kantor: "
            + ", ".join(orphans),
            err=True,
        )
        sys.exit(UNUSABLE)


def _serve(settings: Settings, loket: Loket, address: socket) -> None:
    with store.served_once(settings.home):
        # The program may be newer than the database, and the file than what is open.
        store.create()
        _check_steps(loket)
        versions.adopt(loket, _now())
        issuing.recover(loket)
        lost = spool.recover(_now())
        if lost:
            click.echo(f"{lost} cetakan terputus; periksa printer.", err=True)
        store.close()
        server.run(settings, address)


@main.command("import-register")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as-of", "as_of", required=True, help="Date of the export, YYYY-MM-DD.")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--rejects", type=click.Path(path_type=Path), help="Where to write the rejects CSV.")
@told
def import_register(file: Path, as_of: str, as_json: bool, rejects: Path | None) -> None:
    """Replace the register by an export of SIKS-NG.

    A CSV, TXT or XLSX file.
    """
    day = _day(as_of)
    settings, loket = _open()
    rejects = (
        rejects or settings.home / "rejects" / f"{loket.calendar.local(_now()):%Y%m%d-%H%M%S}.csv"
    )
    with _bar(file, hidden=as_json) as progress:
        report = register.import_file(
            file, settings.home / "register", loket.vault, day, _now(), progress, rejects
        )
    if as_json:
        click.echo(json.dumps(report.as_dict()))
        return
    click.echo(f"{report.accepted} dari {report.rows} baris diterima, per {day.isoformat()}.")
    for reason, count in sorted(report.rejected.items()):
        click.echo(f"  {count:>7}  {reason}")
    if report.rejected:
        click.echo(f"Baris yang ditolak: {rejects}")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid({"--as-of": f"{text!r}; expected a date such as 2026-11-01"}) from None


class _Bar:
    """A progress bar on standard error, told (done, total)."""

    def __init__(self, label: str, hidden: bool) -> None:
        self.bar: Any = click.progressbar(
            length=1000, label=label, file=sys.stderr, hidden=hidden, show_eta=False
        )
        self.shown = 0

    def __enter__(self) -> Callable[[int, int], None]:
        self.bar.__enter__()
        return self.step

    def __exit__(self, *fault: Any) -> None:
        self.bar.__exit__(*fault)

    def step(self, done: int, total: int) -> None:
        now = min(1000, done * 1000 // max(1, total))
        self.bar.update(now - self.shown)
        self.shown = now


def _bar(file: Path, hidden: bool) -> _Bar:
    return _Bar(file.name, hidden)


@main.group()
def user() -> None:
    """People who work here."""


@user.command("add")
@click.argument("name")
@click.option("--role", required=True, help="A role of the office's file.")
@click.option("--full-name", default="", help="As colleagues know them.")
@click.option("--village", default="", help="Kecamatan/Desa, for a role that works for one desa.")
@told
def user_add(name: str, role: str, full_name: str, village: str) -> None:
    """Add a member of staff.

    The password is asked for, or read from standard input.
    """
    settings, loket = _open()
    if sys.stdin.isatty():
        password = click.prompt("Kata sandi", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    staff.add_user(loket.profile, name, full_name, role, password, _now(), village=village)
    click.echo(f"{name} ({role}) dapat masuk di {settings.base_url}/masuk")


@main.group()
def device() -> None:
    """Kiosks and displays."""


@device.command("add")
@click.argument("name")
@click.option("--kind", required=True, type=click.Choice(["kiosk", "display"]))
@told
def device_add(name: str, kind: str) -> None:
    """Add a device and print its enrolment address.

    The address works once, within a day.
    """
    settings, _ = _open()
    code = staff.add_device(name, kind, _now())
    click.echo(f"Buka sekali di perangkat itu: {settings.base_url}/perangkat/{code}")


@main.command("demo")
@click.option("--people", default=demo.PEOPLE, show_default=True, help="People in the register.")
@click.option("--no-serve", is_flag=True, help="Only create the data.")
@told
def run_demo(people: int, no_serve: bool) -> None:
    """Serve a demonstration office.

    It is created where there is none. Prints addresses and sign-ins.
    """
    settings = _settings()
    _init(settings)
    address = None if no_serve else _address(settings)
    loket = open_loket(settings.home, settings.office, settings.base_url)
    demo.add_staff(loket, _now())
    if loket.register.count() == 0:
        with _bar(Path(f"register ({people})"), hidden=False) as progress:
            demo.fill_register(loket, people, _now(), progress)
    kiosk_code, display_code = demo.add_devices(_now())
    click.echo(demo.welcome(settings, loket.profile, kiosk_code, display_code))
    if address:
        _serve(settings, loket, address)


@main.command("check-archive")
@told
def check_archive() -> None:
    """Compare every issued letter with its hash.

    Exit 1 on faults, each with the letter's number.
    """
    _, loket = _open()
    faults = list(archive.check(loket))
    for fault in faults:
        click.echo(f"{fault.what}: {fault.reason}")
    if not faults:
        click.echo("Arsip utuh: setiap surat sama dengan yang terbit.")
    sys.exit(FAULTY if faults else 0)


@main.group()
def office() -> None:
    """The office's file."""


@office.command("check")
@click.argument("file")
def check_office(file: str) -> None:
    """Say what is wrong with an office's file.

    FILE is a path, or a name such as lebak. Exit 1 on faults. Needs neither data folder nor
    database.
    """
    try:
        report = office_file.check(file)
    except LoketError as error:
        click.echo(error.message)
        sys.exit(FAULTY)
    today = datetime.fromtimestamp(_now(), UTC).date()
    click.echo("\n".join(office_report.lines(report, today)))
    sys.exit(0 if report.profile else FAULTY)


@office.command("docs")
def office_docs() -> None:
    """Print docs/office-file.md.

    It is made from the definitions that check the file.
    """
    click.echo(office_doc.document(), nl=False)


@main.command("settings")
def show_settings() -> None:
    """What the environment may set."""
    for setting in SETTINGS:
        click.echo(f"{setting.name:<24} {setting.default:<26} {setting.meaning}")
