"""A proposed household: its people, and what is wrong with them. Pure.

The parts are those of the register's exports (domain.md); relations are those of a Kartu Keluarga
(Permendagri 109/2019), disabilities those of UU 8/2016 Ps 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from kiosk import forms
from kiosk.identity import kk_fault, normal_name

HEAD: Final = "KEPALA KELUARGA"
RELATIONS: Final = (
    HEAD, "SUAMI", "ISTRI", "ANAK", "MENANTU", "CUCU", "ORANG TUA", "MERTUA", "FAMILI LAIN",
    "PEMBANTU", "LAINNYA",
)  # fmt: skip
DISABILITIES: Final = ("FISIK", "INTELEKTUAL", "MENTAL", "SENSORIK", "GANDA")
YES: Final = "YA"
# Parts of a member → most characters: a person's, and what a proposal adds.
MEMBER: Final[Mapping[str, int]] = forms.PERSON | {
    "relation": 20,
    "job": 60,
    "mother": 100,
    "disability": 20,
    "pregnant": 2,
}
MOST_MEMBERS: Final = 30
# Asked of each member beside NIK, KK number and name: what the annex and the export print.
NEEDED: Final = ("sex", "birth_date")

OTHER_KK = "Nomor KK harus sama untuk semua anggota."
TWICE = "NIK ini tertulis dua kali dalam keluarga ini."
NO_HEAD = "Pilih satu orang sebagai kepala keluarga."
TWO_HEADS = "Kepala keluarga hanya satu orang."
NO_ANSWER = "Pilih Ya atau Tidak."
WOMEN_ONLY = "Hanya untuk anggota perempuan."
TOO_SMALL = "Jumlah anggota pada KK lebih kecil daripada yang ditulis."


@dataclass(frozen=True)
class Household:
    """What is proposed. `village` is "Kecamatan/Desa", `family_size` how many the KK lists.

    `members` have the parts of MEMBER, missing ones "". `extra` has the service's extra fields by
    name; its files are documents of the proposal, not here.
    """

    route: str
    purpose: str
    village: str
    family_size: int
    members: tuple[Mapping[str, str], ...]
    extra: Mapping[str, Any] = field(default_factory=dict)

    @property
    def head(self) -> Mapping[str, str]:
        """Whose household it is: the first with that relation, else the first."""
        heads = (m for m in self.members if m.get("relation", "").upper() == HEAD)
        return next(heads, self.members[0])

    @property
    def niks(self) -> tuple[str, ...]:
        return tuple(member["nik"] for member in self.members)

    def tidied(self) -> "Household":
        """The same with its head first, spaces and capitals in order, and gaps filled.

        Who has no address of their own lives where the head does; the village is the proposal's.
        """
        if not self.members:
            return self
        members = [_tidy(member) for member in self.members]
        heads = [m for m in members if m["relation"] == HEAD]
        rest = [m for m in members if m["relation"] != HEAD]
        home = (heads or members)[0]
        return Household(
            route=self.route,
            purpose=self.purpose,
            village=self.village,
            family_size=self.family_size,
            members=tuple(_at_home(member, home, self.village) for member in (*heads, *rest)),
            extra=self.extra,
        )


def faults_of(household: Household) -> dict[str, str]:
    """What is wrong with a household by field ("members.0.nik"), the database not asked."""
    if not 1 <= len(household.members) <= MOST_MEMBERS:
        return {"members": f"Isi paling sedikit satu dan paling banyak {MOST_MEMBERS} anggota."}
    faults: dict[str, str] = {}
    for n, member in enumerate(household.members):
        faults |= {f"members.{n}.{part}": said for part, said in member_faults(member).items()}
    return _together(household.members) | _size_faults(household) | faults


def member_faults(member: Mapping[str, str]) -> dict[str, str]:
    """What is wrong with one member's data, by part."""
    faults = forms.person_faults(member)
    added = [part for part in MEMBER if part not in forms.PERSON]
    long = (part for part in added if len(member[part]) > MEMBER[part])
    faults |= {part: f"Paling banyak {MEMBER[part]} huruf." for part in long}
    faults |= {part: forms.EMPTY for part in NEEDED if not member[part]}
    if member["name"] and not any(map(str.isalpha, member["name"])):
        faults["name"] = "Tulis nama seperti pada KTP."
    if member["relation"] not in RELATIONS:
        faults["relation"] = "Pilih hubungan dengan kepala keluarga."
    if member["disability"] not in ("", *DISABILITIES):
        faults["disability"] = "Pilih salah satu ragam disabilitas."
    if said := _pregnancy_fault(member):
        faults["pregnant"] = said
    return faults


def _pregnancy_fault(member: Mapping[str, str]) -> str | None:
    if member["pregnant"] not in ("", YES):
        return NO_ANSWER
    return WOMEN_ONLY if member["pregnant"] and member["sex"] == "L" else None


def _together(members: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """One KK, one head, nobody twice: said at the member with whom it goes wrong."""
    faults: dict[str, str] = {}
    seen: set[str] = set()
    heads = [n for n, member in enumerate(members) if member["relation"] == HEAD]
    kk = next((m["kk"] for m in members if not kk_fault(m["kk"])), members[0]["kk"])
    if not heads:
        faults["members.0.relation"] = NO_HEAD
    for n in heads[1:]:
        faults[f"members.{n}.relation"] = TWO_HEADS
    for n, member in enumerate(members):
        if member["nik"] and member["nik"] in seen:
            faults[f"members.{n}.nik"] = TWICE
        seen.add(member["nik"])
        if member["kk"] != kk:
            faults[f"members.{n}.kk"] = OTHER_KK
    return faults


def _size_faults(household: Household) -> dict[str, str]:
    size = household.family_size
    if not 1 <= size <= MOST_MEMBERS:
        return {"family_size": f"Isi jumlah anggota pada KK, 1 sampai {MOST_MEMBERS}."}
    return {"family_size": TOO_SMALL} if size < len(household.members) else {}


_CAPITALS: Final = frozenset(
    {"birth_place", "address", "village", "district", "relation", "job", "disability", "sex"}
)


def _tidy(member: Mapping[str, str]) -> dict[str, str]:
    tidy = {part: " ".join(str(member.get(part, "")).split()) for part in MEMBER}
    for part in _CAPITALS:
        tidy[part] = tidy[part].upper()
    for part in ("name", "mother"):
        tidy[part] = normal_name(tidy[part])
    pregnant = tidy["pregnant"].upper()
    tidy["pregnant"] = "" if pregnant == "TIDAK" else pregnant
    return tidy


def _at_home(member: Mapping[str, str], head: Mapping[str, str], village: str) -> Mapping[str, str]:
    district, _, desa = village.upper().partition("/")
    home = {part: head[part] for part in ("address", "rt", "rw")} if not member["address"] else {}
    place = {"village": member["village"] or desa, "district": member["district"] or district}
    return {**member, **home, **place}
