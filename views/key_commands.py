"""The commands `loket15 keys` and `loket15 trust`; registered by `views.cli`."""

import csv
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import click

from kiosk import key_acts, key_backup, key_file, trust, trust_acts, trust_refresh
from kiosk.errors import Invalid, Unusable
from kiosk.loket import Loket
from kiosk.settings import Settings
from kiosk.trust_acts import Listed, Offer
from views.told import told

DIFFERENT = 1
NOBODY = "Belum ada dinas lain yang dipercaya."
STATES = {
    "signs": "dipakai", "soon": "dipakai, segera berakhir", "ended": "BERAKHIR",
    "former": "lama", "revoked": "DICABUT",
}  # fmt: skip


@dataclass(frozen=True)
class Tools:
    """What the command line hands down: settings, the counter with its database, the time."""

    settings: Callable[[], Settings]
    open: Callable[[], tuple[Settings, Loket]]
    now: Callable[[], int]


def _tools() -> Tools:
    found: Tools = click.get_current_context().find_object(Tools)  # type: ignore[assignment]
    return found


def _open() -> tuple[Loket, int]:
    return _tools().open()[1], _tools().now()


@click.group()
def keys() -> None:
    """The office's own keys: seal and signature."""


@keys.command("show")
@told
def show() -> None:
    """List the keys: days, fingerprints, letters, newest copy."""
    loket, now = _open()
    found = key_acts.overview(loket, now)
    click.echo("Kunci segel (QR)")
    for row in found.seal:
        click.echo(_line(row))
    click.echo("Sertifikat tanda tangan (PDF)")
    for row in found.signing:
        click.echo(_line(row))
    click.echo(f"Sidik jari dinas ini\n  {_own_fingerprint(loket)}")
    for row in found.ending:
        click.echo(f"Kunci {row.number} berakhir {row.ends.isoformat()}: ganti.", err=True)
    for number in found.missing:
        click.echo(f"Kunci segel {number} tidak ada: pulihkan cadangan yang terbaru.", err=True)
    if found.copy_is_old:
        click.echo("Belum ada cadangan kunci yang terbaru: loket15 keys backup FILE", err=True)


def _line(row: key_acts.KeyRow) -> str:
    until = f", dicabut sejak {row.revoked_at.isoformat()}" if row.revoked_at else ""
    days = f"{row.begins.isoformat()} s.d. {row.ends.isoformat()}{until}"
    letters = "" if row.letters is None else f", {row.letters} surat"
    grouped = key_file.grouped(row.fingerprint)
    return f"  {row.number}  {STATES[row.state]}, {days}{letters}\n     {grouped}"


def _own_fingerprint(loket: Loket) -> str:
    return key_file.grouped(key_file.fingerprint(trust.own(loket)))


@keys.command("rotate")
@click.option("--signing", is_flag=True, help="The key that signs PDFs, instead of the seal's.")
@told
def rotate(signing: bool) -> None:
    """Once a year: let a new key sign from now on.

    What the old one signed stays valid. A server that is running takes it at once.
    """
    loket, now = _open()
    number = (key_acts.rotate_signing if signing else key_acts.rotate_seal)(loket, now)
    what = "Sertifikat tanda tangan" if signing else "Kunci segel"
    click.echo(f"{what} {number} dipakai mulai sekarang.")
    click.echo("Buat cadangannya: loket15 keys backup FILE")
    _remind_list(loket)


def _remind_list(loket: Loket) -> None:
    if (loket.home / trust_acts.LIST_FILE).exists():
        click.echo("Terbitkan lagi daftar dinas: loket15 trust publish")


@keys.command("compromise")
@click.argument("number", type=int, metavar="ID")
@click.option("--from", "since", required=True, help="First day not to be believed, YYYY-MM-DD.")
@click.option("--reason", required=True, help="Kept in the audit.")
@click.option("--signing", is_flag=True, help="A certificate for PDFs, instead of a seal key.")
@told
def compromise(number: int, since: str, reason: str, signing: bool) -> None:
    """Believe a key no more: somebody else may have it.

    Nothing that it dated on that day or later counts. Prints, as CSV, the numbers of the
    letters that have to be issued again.
    """
    loket, now = _open()
    act = key_acts.compromise_signing if signing else key_acts.compromise_seal
    done = act(loket, number, _day(since), reason, now)
    click.echo(f"Kunci {number} dicabut sejak {since}.", err=True)
    if done.new_key is not None:
        click.echo(f"Kunci {done.new_key} dipakai mulai sekarang.", err=True)
    if not signing:
        click.echo(f"{len(done.numbers)} surat harus diterbitkan lagi.", err=True)
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerows([["nomor"], *([number] for number in done.numbers)])
        click.echo("Beri tahu dinas yang mempercayai dinas ini; sidik jarinya kini:", err=True)
        click.echo(f"  {_own_fingerprint(loket)}", err=True)
        _remind_list(loket)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Invalid({"--from": f"{text!r}; expected a date such as 2026-11-01"}) from None


@keys.command("backup")
@click.argument("file", type=click.Path(path_type=Path))
@told
def backup(file: Path) -> None:
    """Write every key into one new file.

    Its passphrase is asked for, or read from the first line of standard input.
    """
    loket, now = _open()
    code = loket.profile.office.code
    made = key_backup.backup(loket.home, code, file, _passphrase(twice=True), now)
    key_acts.note_backup(now)
    click.echo(f"Dibuat: {file} ({len(made.files)} berkas). Simpan terpisah dari kata sandinya.")


@keys.command("restore")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--replace", is_flag=True, help="Let keys that differ make way; they are kept.")
@told
def restore(file: Path, replace: bool) -> None:
    """Put the keys of a backup in place. The server must not be running."""
    home, now = _tools().settings().home, _tools().now()
    copy = key_backup.read(file, _passphrase())
    kept = key_backup.restore(home, copy, now, replace=replace)
    click.echo(f"Kunci {copy.office} per {_moment(copy.made_at)} dipulihkan ke {home / 'keys'}.")
    if kept:
        click.echo(f"Kunci sebelumnya disimpan di {kept}.")


@keys.command("check")
@click.argument("file", type=click.Path(path_type=Path))
@told
def check(file: Path) -> None:
    """Open a backup and compare it with the keys here. Exit 1 when it is not the same."""
    copy = key_backup.read(file, _passphrase())
    found = key_backup.compare(_tools().settings().home, copy)
    click.echo(f"Cadangan {copy.office} per {_moment(copy.made_at)}, {len(copy.files)} berkas.")
    for what, names in (
        ("sama", found.same), ("berbeda", found.differ),
        ("hanya di cadangan", found.only_copy), ("hanya di sini", found.only_here),
    ):  # fmt: skip
        if names:
            click.echo(f"  {what}: {', '.join(names)}")
    sys.exit(0 if found.whole else DIFFERENT)


def _passphrase(twice: bool = False) -> str:
    if sys.stdin.isatty():
        said: str = click.prompt("Kata sandi cadangan", hide_input=True, confirmation_prompt=twice)
        return said
    return sys.stdin.readline().rstrip("\r\n")


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


@click.group("trust")
def trusted() -> None:
    """Other offices whose letters can be checked here."""


@trusted.command("add")
@click.argument("source", metavar="URL|FILE")
@click.option("--fingerprint", default="", help="As that office read it to you: 64 hex digits.")
@click.option("--yes", is_flag=True, help="Do not ask; only together with --fingerprint.")
@told
def add(source: str, fingerprint: str, yes: bool) -> None:
    """Trust an office after comparing its fingerprint.

    Or a coordinating office's signed list. URL is its address or that of the list; FILE its
    sk-keys.json.
    """
    if yes and not fingerprint:
        raise Unusable("--yes hanya bersama --fingerprint: sidik jari harus dibandingkan.")
    loket, now = _open()
    offer = trust_acts.offered(source)
    _introduce(offer)
    if not fingerprint:
        _ask()
    faults = trust_acts.add(loket, offer, fingerprint or offer.fingerprint, now)
    click.echo(f"Dipercaya: {offer.file['name']}")
    for fault in faults:
        click.echo(f"  {fault}", err=True)
    for fault in trust_refresh.statuses(offer.file["address"], now):
        click.echo(f"  {fault}", err=True)
    _remind_list(loket)


def _introduce(offer: Offer) -> None:
    file = offer.file
    click.echo(f"{file['name']} ({file['office']})\n{file['address']}")
    click.echo(f"{len(file['keys'])} kunci")
    if offer.offices is not None:
        names = ", ".join(office["name"] for office in offer.offices) or "-"
        click.echo(f"Daftar {len(offer.offices)} dinas per {_moment(offer.made_at)}: {names}")
    click.echo(f"Sidik jari\n  {key_file.grouped(offer.fingerprint)}")


def _ask() -> None:
    if not sys.stdin.isatty():
        raise Unusable("Bandingkan sidik jarinya dengan dinas itu, lalu beri --fingerprint.")
    click.confirm("Sama dengan yang dibacakan dinas itu lewat telepon atau surat?", abort=True)


@trusted.command("list")
@told
def list_() -> None:
    """Who is trusted, how fresh, and by whose word."""
    _open()
    found = trust_acts.listed()
    for one in found:
        click.echo(_listed(one))
    if not found:
        click.echo(NOBODY)


def _listed(one: Listed) -> str:
    at = "belum ada" if one.status_at is None else _moment(one.status_at)
    if one.kind == "list":
        said = f"daftar {one.offices} dinas per {at}"
    else:
        said = f"{one.keys} kunci, status {at}" + (f", lewat {one.via}" if one.via else "")
    grouped = key_file.grouped(one.fingerprint)
    return f"{one.name} ({one.code}) {one.address}\n  {said}\n  {grouped}"


@trusted.command("refresh")
@told
def refresh() -> None:
    """Ask every list and office for what is new.

    Exit 1 when something was refused or missing.
    """
    loket, now = _open()
    done = trust_refresh.refresh(loket, now)
    for one in done:
        click.echo(f"{one.name}: {'; '.join(one.faults) or 'baik'}")
    if not done:
        click.echo(NOBODY)
    sys.exit(DIFFERENT if any(one.faults for one in done) else 0)


@trusted.command("remove")
@click.argument("address", metavar="ADDRESS|CODE")
@told
def remove(address: str) -> None:
    """Trust an office or a list no longer.

    What came with a list goes with it.
    """
    loket, now = _open()
    click.echo(f"Tidak dipercaya lagi: {trust_acts.remove(address, now)}")
    _remind_list(loket)


@trusted.command("publish")
@told
def publish() -> None:
    """Sign the list of the offices that are trusted here.

    Of those that this office compared itself, for others to trust through it.
    """
    loket, now = _open()
    number = trust_acts.publish(loket, now)
    click.echo(f"Daftar {number} dinas terbit di {loket.base_url}{trust.LIST_PATH}")
    click.echo(f"Sidik jari dinas ini\n  {_own_fingerprint(loket)}")
