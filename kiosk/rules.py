"""The conditions that an office's file may put on an act, by name. Pure.

Each takes the case's facts and returns None where it holds, or why it does not. The names are
`kiosk.service.Rule`; limits (highest desil, percentages) are the file's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kiosk.service import Padan, Rule
from kiosk.tables import Text


@dataclass(frozen=True)
class Person:
    """One member of a proposed household, as the rules see them; never with a name.

    `position` counts from 1. `programmes` is what the register says they receive. `padan` and
    `padan_address` are percentages, None while nobody has asked.
    """

    position: int
    kk: str
    is_head: bool
    in_register: bool
    programmes: tuple[str, ...] = ()
    padan: int | None = None
    padan_address: int | None = None


@dataclass(frozen=True)
class Facts:
    """What the rules of an act are asked of. `rank` is the desil, `max_rank` the purpose's limit.

    `programme` is the id of the programme proposed, as the office's file and the register have it.
    """

    rank: int | None = None
    max_rank: int | None = None
    rank_label: str = ""
    purpose: str = ""
    programme: str = ""
    village: str = ""
    members: tuple[Person, ...] = ()
    family_size: int = 0
    padan: Padan | None = None


def refusals(names: Iterable[Rule], facts: Facts) -> dict[Rule, str]:
    """Which of these rules do not hold, and why, in Indonesian; empty when all do."""
    said = {name: RULES[name](facts) for name in names}
    return {name: reason for name, reason in said.items() if reason}


def rank_within_limit(facts: Facts) -> str | None:
    """The rank is known and no higher than the purpose allows (Inpres 4/2025 ranks by desil)."""
    if facts.max_rank is None:
        return None
    label = facts.rank_label or "Peringkat"
    if facts.rank is None or facts.rank < 1:
        return f"{label} belum diketahui. Isi {label.lower()} menurut SIKS-NG."
    if facts.rank > facts.max_rank:
        return (
            f"{label} {facts.rank} di atas batas untuk {facts.purpose}: paling tinggi "
            f"{facts.max_rank}."
        )
    return None


def village_known(facts: Facts) -> str | None:
    """The desa or kelurahan of the KTP is written down (standard of Bangkalan, 3d: the slip)."""
    return None if facts.village else "Isi desa/kelurahan menurut KTP: slip menyebutnya."


def not_in_register(facts: Facts) -> str | None:
    """Nobody of the household is in the register yet (standard of Binjai, 1 and 6)."""
    found = [person for person in facts.members if person.in_register]
    return f"Sudah ada di basis data: {_who(found)}." if found else None


def not_receiving(facts: Facts) -> str | None:
    """Nobody receives the programme that is proposed (standard of Binjai, 2 and 7)."""
    wanted = _plain(facts.programme)
    found = [p for p in facts.members if wanted in {_plain(one) for one in p.programmes}]
    return f"Sudah menerima program yang diusulkan: {_who(found)}." if found else None


def population_padan(facts: Facts) -> str | None:
    """Everybody's population data agree with Dukcapil's, 100% (standard of Binjai, 3 and 8)."""
    least = facts.padan.population_percent if facts.padan else 100
    return _percent(facts.members, "padan", least, "Data kependudukan")


def address_padan(facts: Facts) -> str | None:
    """Everybody's address agrees with Dukcapil's, 80% or more (standard of Binjai, 4 and 9)."""
    least = facts.padan.address_percent if facts.padan else 80
    return _percent(facts.members, "padan_address", least, "Alamat")


def household_complete(facts: Facts) -> str | None:
    """The whole household is proposed together: one head, one KK, as many people as the KK says.

    Standard of Binjai, procedure e.
    """
    heads = sum(person.is_head for person in facts.members)
    if heads != 1:
        return f"Kepala keluarga harus satu orang, tercatat {heads}."
    if len({person.kk for person in facts.members}) != 1:
        return "Semua anggota harus satu nomor KK."
    if len(facts.members) != facts.family_size:
        return f"Anggota pada KK {facts.family_size} orang, tercatat {len(facts.members)}."
    return None


def _percent(members: Iterable[Person], part: str, least: int, what: str) -> str | None:
    asked = [(person, getattr(person, part)) for person in members]
    unknown = [person for person, percent in asked if percent is None]
    if unknown:
        return f"{what} belum dipadankan: {_who(unknown)}."
    low = [f"anggota {person.position} {percent}%" for person, percent in asked if percent < least]
    return f"{what} padan kurang dari {least}%: {', '.join(low)}." if low else None


def _who(members: Iterable[Person]) -> str:
    return ", ".join(f"anggota {person.position}" for person in members)


def _plain(programme: str) -> str:
    """PBI-JK, PBI JKN and pbi_jk are one programme."""
    kept = "".join(c for c in programme.lower() if c.isalnum())
    return "pbijk" if kept.startswith("pbijk") else kept


RULES: dict[Rule, Callable[[Facts], str | None]] = {
    "rank_within_limit": rank_within_limit,
    "village_known": village_known,
    "not_in_register": not_in_register,
    "not_receiving": not_receiving,
    "population_padan": population_padan,
    "address_padan": address_padan,
    "household_complete": household_complete,
}
TITLES: dict[Rule, Text] = {
    "rank_within_limit": Text(id="Peringkat dalam batas", en="Rank within the limit"),
    "village_known": Text(id="Desa/kelurahan diketahui", en="The village is known"),
    "not_in_register": Text(id="Belum ada di basis data", en="Not in the register yet"),
    "not_receiving": Text(
        id="Belum menerima program yang diusulkan", en="Not receiving the programme proposed"
    ),
    "population_padan": Text(id="Data kependudukan padan", en="Population data agree"),
    "address_padan": Text(id="Alamat padan", en="Address agrees"),
    "household_complete": Text(id="Satu keluarga lengkap", en="The whole household"),
}
