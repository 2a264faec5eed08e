"""A demonstration office: register, staff for every role, an enrolled kiosk and display."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

from kiosk import population, register, staff
from kiosk.errors import Unusable
from kiosk.loket import Loket
from kiosk.settings import Settings
from models import Device, User

PEOPLE = 100_000
PASSWORD = "loket15-contoh"  # noqa: S105  a demonstration's, printed on the screen
STAFF = (
    ("loket", "front_office", "Lilis Suryani"),
    ("sekretariat", "sekretariat", "Sari Wulandari"),
    ("kadis", "kepala_dinas", "Karta Permana"),
    ("kabid", "kabid_linjamsos", "Yayat Hidayat"),
    ("operator", "operator", "Opik Ramdani"),
    ("operator2", "operator", "Neneng Kurnia"),
    ("admin", "admin", "Ani Rahmawati"),
)


def fill_register(
    loket: Loket, people: int, now: int, progress: Callable[[int, int], None]
) -> None:
    """Write the synthetic export and import it as any other."""
    export: Path = loket.home / "register" / "demonstration.csv"
    population.write_export(export, people=people)
    day = loket.calendar.day_of(now)
    try:
        register.import_file(
            export,
            loket.home / "register",
            loket.vault,
            date(day.year, day.month, 1),
            now,
            progress,
        )
    finally:
        export.unlink()


def add_staff(loket: Loket, now: int) -> None:
    """One of each role, and two operators; those who exist are kept.

    Raises Unusable in an office at work: their password is known to all the world.
    """
    known = {user.name for user in User.select(User.name)}
    if known and not known >= {name for name, role, _ in STAFF if loket.profile.role(role)}:
        raise Unusable("Kantor ini sudah punya petugas: bukan tempat untuk contoh.")
    for name, role, full_name in STAFF:
        if name not in known and loket.profile.role(role):
            staff.add_user(loket.profile, name, full_name, role, PASSWORD, now)


def add_devices(now: int) -> tuple[str, str]:
    """Enrolment codes of a fresh demonstration kiosk and display; unused ones are replaced."""
    Device.delete().where(Device.token_hash.is_null() & Device.revoked_at.is_null()).execute()
    number = Device.select().count() + 1  # always higher than that of any device kept
    return (
        staff.add_device(f"Anjungan contoh {number}", "kiosk", now),
        staff.add_device(f"Layar contoh {number}", "display", now),
    )


def welcome(settings: Settings, kiosk_code: str, display_code: str) -> str:
    """Addresses and sign-ins, for the terminal."""
    base, person = settings.base_url, population.DEMO_PERSON
    people = "\n".join(f"    {name:<12} {role}" for name, role, _ in STAFF)
    return f"""
  Loket15 · demonstration office (synthetic people only)

  Kiosk     open once, enrols this browser:  {base}/perangkat/{kiosk_code}
            then                             {base}/kiosk
  Display   open once in another browser:    {base}/perangkat/{display_code}
  Staff     {base}/masuk   password: {PASSWORD}
{people}

  Try at the kiosk:  NIK {person.nik}   KK {person.kk}   ({person.name})
  Printed tickets and letters land in {(settings.home / "prints").resolve()}
  Stop with Ctrl+C.
"""
