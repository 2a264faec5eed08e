"""A demonstration office: register, staff for every role, an enrolled kiosk and display."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from itertools import cycle
from pathlib import Path

from kiosk import population, register, staff
from kiosk.errors import Unusable
from kiosk.loket import Loket
from kiosk.profile import Profile
from kiosk.settings import Settings
from models import Device, User

PEOPLE = 100_000
PASSWORD = "loket15-contoh"  # noqa: S105  a demonstration's, printed on the screen
# Role → who has it; the second is for offices where a case is given to one of several.
STAFF: dict[str, tuple[tuple[str, str], ...]] = {
    "front_office": (("loket", "Lilis Suryani"),),
    "sekretariat": (("sekretariat", "Sari Wulandari"),),
    "kepala_dinas": (("kadis", "Karta Permana"),),
    "kabid_linjamsos": (("kabid", "Yayat Hidayat"),),
    "kepala_seksi": (("kasi", "Wa Ode Nurhayati"),),
    "operator": (("operator", "Opik Ramdani"), ("operator2", "Neneng Kurnia")),
    "petugas": (("petugas", "La Ode Hamzah"), ("petugas2", "Wa Ode Rahmi")),
    "admin": (("admin", "Ani Rahmawati"),),
}
OTHERS = ("Budi Santosa", "Rina Astuti", "Hadi Prasetyo", "Dewi Lestari", "Joko Susilo")


@dataclass(frozen=True)
class Person:
    """One of the demonstration's staff; `name` is what they sign in with."""

    name: str
    role: str
    full_name: str
    village: str = ""


def people(profile: Profile) -> tuple[Person, ...]:
    """The demonstration's staff: everyone a role needs, and a role of a village for two of them."""
    others = cycle(OTHERS)
    given_to = {
        field.role
        for service in profile.services
        for step in service.steps
        for action in step.actions
        for field in action.fields
    }
    found: list[Person] = []
    for role in profile.roles:
        if role.scope == "village":
            found += [
                Person(_sign_in(village), role.id, next(others), village)
                for village in profile.villages[:2]
            ]
            continue
        known = STAFF.get(role.id) or ((role.id, next(others)),)
        found += [Person(name, role.id, full) for name, full in known[: 1 + (role.id in given_to)]]
    return tuple(found)


def _sign_in(village: str) -> str:
    """Tempeh/Besuk → desa_besuk."""
    return f"desa_{village.split('/')[1].lower().replace(' ', '_')}"


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
    """One of each role, and two where cases are given to somebody; those who exist are kept.

    Raises Unusable in an office at work: their password is known to all the world.
    """
    wanted = people(loket.profile)
    known = {user.name for user in User.select(User.name)}
    if known and not known >= {person.name for person in wanted}:
        raise Unusable("Kantor ini sudah punya petugas: bukan tempat untuk contoh.")
    for one in wanted:
        if one.name not in known:
            staff.add_user(
                loket.profile, one.name, one.full_name, one.role, PASSWORD, now, village=one.village
            )


def add_devices(now: int) -> tuple[str, str]:
    """Enrolment codes of a fresh demonstration kiosk and display; unused ones are replaced."""
    Device.delete().where(Device.token_hash.is_null() & Device.revoked_at.is_null()).execute()
    number = Device.select().count() + 1  # always higher than that of any device kept
    return (
        staff.add_device(f"Anjungan contoh {number}", "kiosk", now),
        staff.add_device(f"Layar contoh {number}", "display", now),
    )


def welcome(settings: Settings, profile: Profile, kiosk_code: str, display_code: str) -> str:
    """Addresses and sign-ins, for the terminal."""
    base, person = settings.base_url, population.DEMO_PERSON
    sign_ins = "\n".join(
        f"    {one.name:<16} {one.role} {one.village}".rstrip() for one in people(profile)
    )
    attempt = f"NIK {person.nik}   KK {person.kk}   ({person.name})"
    try_out = f"Try at the kiosk:  {attempt}" if profile.letters else f"Propose at:  {base}/usulan"
    return f"""
  Loket15 · demonstration office (synthetic people only)

  Kiosk     open once, enrols this browser:  {base}/perangkat/{kiosk_code}
            then                             {base}/kiosk
  Display   open once in another browser:    {base}/perangkat/{display_code}
  Staff     {base}/masuk   password: {PASSWORD}
{sign_ins}

  {try_out}
  Printed tickets and letters land in {(settings.home / "prints").resolve()}
  Stop with Ctrl+C.
"""
