"""The office of Binjai at work on proposals: who works there, households, how far they are."""

from dataclasses import replace
from pathlib import Path

import models
from kiosk import periods, proposals, staff
from kiosk.household import Household
from kiosk.loket import Loket, open_loket, prepare
from kiosk.office_file import load
from kiosk.staff import Actor
from models import Application, Member, User
from tests.households import household
from tests.people import MONDAY_NINE, PASSWORD

SERVICE = "usulan"
SATRIA = "Binjai Kota/Satria"
NANGKA = "Binjai Utara/Nangka"
STAFF = {
    "satria": ("operator_kelurahan", "Sinta Operator", SATRIA),
    "nangka": ("operator_kelurahan", "Nanda Operator", NANGKA),
    "loket": ("front_office", "Lilis Loket", ""),
    "supervisor": ("supervisor", "Susi Supervisor", ""),
}
MINUTES = {
    "tanggal": ["2026-11-21"],
    "tempat": ["Aula Kelurahan Satria"],
    "agenda": ["Usulan DTKS"],
    "hadir": ["Lurah, Ketua LPM, kepala lingkungan"],
    "ketua": ["Contoh Ketua"],
    "notulis": ["Contoh Notulis"],
    "kepala_desa": ["Contoh Lurah"],
}
MAYOR = {"penandatangan": ["kepala_daerah"]}


def made(folder: Path) -> Path:
    """The data folder of the office under `folder`."""
    home = folder / "var"
    prepare(home, "binjai", MONDAY_NINE)
    profile = load("binjai")
    with models.connect(home / "loket15.sqlite").connection_context():
        models.create()
        for name, (role, full_name, village) in STAFF.items():
            staff.add_user(profile, name, full_name, role, PASSWORD, MONDAY_NINE, village=village)
    return home


def opened(home: Path) -> Loket:
    return open_loket(home, "binjai", "http://loket.test")


def actor(name: str) -> Actor:
    user = User.get(User.name == name)
    return Actor(user.id, user.name, user.full_name, user.role, None, user.village)


def family(n: int, village: str = SATRIA, route: str = "pemda") -> Household:
    return replace(household(n, 2 + n % 3), village=village, route=route)


def taking(loket: Loket, now: int) -> str:
    """The code of the period that takes proposals now."""
    return periods.current(loket, loket.profile.proposals[0], now).code


def discussed(loket: Loket, ids: list[int], name: str, now: int, eligible: int) -> None:
    """Take these to the meeting: the first `eligible` are found so, the rest are not."""
    who = actor(name)
    acts = (
        (ids, "bawa", {}),
        (ids[:eligible], "layak", {}),
        (ids[eligible:], "tidak_layak", {"reason": ["Memiliki mobil"]}),
    )
    for some, action, given in acts:
        done = proposals.act_all(loket, some, action, given, who, now)
        assert (done.done, done.refused) == (len(some), ())


def agreed(loket: Loket, ids: list[int]) -> None:
    """Dukcapil agrees with all that is said of these."""
    rows = (
        Member.select(Member.id).join(models.Proposal).where(models.Proposal.application.in_(ids))
    )
    Member.update(padan=100, padan_address=90).where(Member.id.in_(rows)).execute()


def finalised(loket: Loket, now: int, numbers: range, village: str = SATRIA) -> list[int]:
    """So many households, brought by themselves, accepted and final."""
    some = [family(n, village, "mandiri") for n in numbers]
    ids = proposals.add_many(loket, SERVICE, some, actor("loket"), now)
    agreed(loket, ids)
    for action in ("terima", "finalisasi"):
        done = proposals.act_all(loket, ids, action, {}, actor("supervisor"), now)
        assert (done.done, done.refused) == (len(ids), ())
    return ids


def steps(ids: list[int]) -> list[str]:
    return [Application.get_by_id(id_).step for id_ in ids]
