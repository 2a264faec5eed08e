"""Synthetic people of Kabupaten Lebak, for demonstrations, tests and measurements.

Nobody here lives: names are drawn from lists, and numbers are made up. The same arguments give
the same bytes, so a demonstration can be written down and a figure compared.
"""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from typing import Final, TypeVar

from kiosk.register_row import Person

T = TypeVar("T")

HEADER: Final = (
    *("ID DTKS", "PROVINSI", "KABUPATEN/KOTA", "KECAMATAN", "DESA/KELUARAHAN", "ALAMAT", "DUSUN"),
    *("RT", "RW", "NOKK", "NIK", "NAMA", "TANGGAL LAHIR", "TEMPAT LAHIR", "JENIS KELAMIN"),
    *("PEKERJAAN", "NAMA IBU KANDUNG", "HUB KELUARGA", "KETERANGAN PADAN", "BANSOS BPNT"),
    *("BANSOS PKH", "BANSOS BPNT-PPKM", "PBI JKN"),
)

DEMO_PERSON: Final = Person(
    nik="3602014708900001",
    kk="3602111111118111",
    name="SITI AMINAH",
    birth_place="LEBAK",
    birth_date="1990-08-07",
    sex="P",
    address="KP. CIKUMPAY",
    rt="010",
    rw="007",
    village="SUKARAJA",
    district="MALINGPING",
    register_id="3602000000000001",
    programmes=("BPNT", "PKH", "PBI-JK"),
    match="PADAN",
    relation="KEPALA KELUARGA",
)
DEMO_LONG_NAME: Final = replace(
    DEMO_PERSON,
    nik="3602011505850001",
    kk="3602111111118112",
    name="RADEN MUHAMMAD ABDURRAHMAN WICAKSANA KUSUMADININGRAT PERMANA",
    birth_date="1985-05-15",
    sex="L",
    address="KP. PASIR ANGIN",
    rt="003",
    rw="002",
    register_id="3602000000000002",
    programmes=("PBI-JK",),
)
DEMO_PEOPLE: Final = (DEMO_PERSON, DEMO_LONG_NAME)

# Code of the first registration, kecamatan, some of its desa and kelurahan.
_DISTRICTS: Final = (
    ("01", "MALINGPING", ("SUKARAJA", "MALINGPING UTARA", "CILANGKAHAN", "PAGELARAN")),
    ("03", "BAYAH", ("BAYAH BARAT", "DARMASARI", "SAWARNA", "CIDIKIT")),
    ("04", "CIPANAS", ("SIPAYUNG", "GIRIHARJA", "LUHURJAYA", "BINTANGRESMI")),
    ("06", "LEUWIDAMAR", ("LEUWIDAMAR", "CIBUNGUR", "KANEKES", "NAYAGATI")),
    ("13", "MAJA", ("MAJA", "CURUGBADAK", "PASIRKEMBANG")),
    ("14", "RANGKASBITUNG", ("MUARA CIUJUNG TIMUR", "CIJORO LEBAK", "PABUARAN", "SUKAMANAH")),
    ("18", "CIBADAK", ("KADUAGUNG TIMUR", "PASAR KEONG", "TAMBAKBAYA")),
)
_HAMLETS: Final = (
    *("KP. CIKUMPAY", "KP. PASIR ANGIN", "KP. BABAKAN", "KP. NAGRAK", "KP. CIPUTRI"),
    *("KP. SAWAH", "KP. CILEMPUNG", "KP. PASIR NANGKA", "KP. CIBEUREUM", "KP. LEBAK PICUNG"),
)
_MEN: Final = (
    *("ASEP", "DEDI", "UJANG", "SUHERMAN", "AGUS", "CECEP", "MAMAN", "JAJANG", "UDIN", "RIZKI"),
    *("ENDANG", "FAJAR", "SAEPUL", "ZAENAL", "DADANG", "YADI", "EKO", "DENI", "ROHMAN", "WAWAN"),
)
_WOMEN: Final = (
    *("SITI", "NENENG", "LILIS", "IIS", "ROHAYATI", "FATIMAH", "YUYUN", "WATI", "KOKOM", "ENENG"),
    *("DEWI", "INDAH", "LESTARI", "NURUL", "AYU", "ONAH", "MIMIN", "CUCU", "RINA", "HALIMAH"),
)
_LAST: Final = (
    *("SURYANA", "NUGRAHA", "SOPIAN", "GUNAWAN", "MULYANA", "HERMAWAN", "FIRMANSYAH", "RAMDANI"),
    *("SUPRIATNA", "KURNIAWAN", "HIDAYAT", "PERMANA", "SETIAWAN", "RAHMAT", "ISKANDAR", "WIJAYA"),
)
_WORK: Final = ("BURUH TANI", "PETANI", "PEDAGANG", "BURUH HARIAN", "TIDAK BEKERJA")
_YOUNGEST_HEAD: Final = date(2002, 1, 1)
_LAST_BIRTH: Final = date(2025, 12, 31)


def write_export(path: Path, people: int = 100_000, seed: int = 15) -> None:
    """Write a SIKS-NG export, `|`-separated, of so many people; the DEMO_PEOPLE come first.

    Every row can be imported and no NIK comes twice. ValueError for fewer people than those.
    """
    if people < len(DEMO_PEOPLE):
        raise ValueError("too few people")
    with path.open("w", encoding="ascii", newline="") as file:
        file.write(_line(HEADER))
        for person in DEMO_PEOPLE:
            file.write(_demo_line(person))
        file.writelines(islice(_Families(seed).lines(), people - len(DEMO_PEOPLE)))


@dataclass(frozen=True)
class _Home:
    kk: str
    code: str
    district: str
    village: str
    address: str
    rt: str
    rw: str
    aid: tuple[str, str, str]


class _Families:
    """An endless row of families, the same for the same seed.

    Only Random.random is used: its sequence is promised to stay from one Python to the next.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed).random  # noqa: S311 - nothing secret is drawn
        self._serials = Counter(person.nik[:12] for person in DEMO_PEOPLE)
        self._count = len(DEMO_PEOPLE)

    def lines(self) -> Iterator[str]:
        number = 0
        while True:
            number += 1
            yield from self._family(number)

    def _family(self, number: int) -> Iterator[str]:
        home = self._home(number)
        born = self._day(date(1945, 1, 1), _YOUNGEST_HEAD)
        single = self._random() < 0.2
        head_sex = "P" if single and self._random() < 0.6 else "L"
        yield self._member(home, born, head_sex, "KEPALA KELUARGA", self._first(_WOMEN))
        if single:
            return
        wife = self._first(_WOMEN)
        wife_born = min(born + timedelta(days=self._below(3_000)), _YOUNGEST_HEAD)
        mother = self._first(_WOMEN)
        yield self._member(home, wife_born, "P", "ISTRI", mother, wife)
        youngest = wife_born + timedelta(days=45 * 365)
        for _ in range(self._below(4)):
            child = self._day(wife_born + timedelta(days=19 * 365), min(youngest, _LAST_BIRTH))
            yield self._member(home, child, self._pick("LP"), "ANAK", wife)

    def _home(self, number: int) -> _Home:
        code, district, villages = self._pick(_DISTRICTS)
        return _Home(
            kk=f"3602{code}{1 + self._below(28):02}{1 + self._below(12):02}{number:06}",
            code=code,
            district=district,
            village=self._pick(villages),
            address=self._pick(_HAMLETS),
            rt=f"{1 + self._below(12):03}",
            rw=f"{1 + self._below(8):03}",
            aid=(self._yes(0.45), self._yes(0.35), self._yes(0.7)),
        )

    def _member(
        self, home: _Home, born: date, sex: str, relation: str, mother: str, first: str = ""
    ) -> str:
        first = first or self._first(_WOMEN if sex == "P" else _MEN)
        bpnt, pkh, pbi = home.aid
        self._count += 1
        return _line(
            (
                *(f"3602{self._count:012}", "BANTEN", "LEBAK", home.district, home.village),
                *(home.address, "", home.rt, home.rw, home.kk, self._nik(home.code, born, sex)),
                *(f"{first} {self._pick(_LAST)}", f"{born:%d/%m/%Y}", "LEBAK", sex),
                *(self._work(born, relation), mother, relation),
                *("PADAN" if self._random() < 0.85 else "TIDAK PADAN", bpnt, pkh, "TIDAK", pbi),
            )
        )

    def _nik(self, code: str, born: date, sex: str) -> str:
        day = born.day + (40 if sex == "P" else 0)
        start = f"3602{code}{day:02}{born:%m%y}"
        self._serials[start] += 1
        return f"{start}{self._serials[start]:04}"

    def _work(self, born: date, relation: str) -> str:
        if relation == "ANAK" and born.year > 2005:
            return "PELAJAR" if born.year < 2020 else "TIDAK BEKERJA"
        return "IRT" if relation == "ISTRI" else self._pick(_WORK)

    def _below(self, end: int) -> int:
        return int(self._random() * end)

    def _pick(self, choices: Sequence[T]) -> T:
        return choices[self._below(len(choices))]

    def _first(self, names: Sequence[str]) -> str:
        return self._pick(names)

    def _yes(self, share: float) -> str:
        return "YA" if self._random() < share else "TIDAK"

    def _day(self, first: date, last: date) -> date:
        return first + timedelta(days=self._below((last - first).days + 1))


def _demo_line(person: Person) -> str:
    day = date.fromisoformat(person.birth_date)
    aid = ["YA" if name in person.programmes else "TIDAK" for name in ("BPNT", "PKH")]
    return _line(
        (
            *(person.register_id, "BANTEN", "LEBAK", person.district, person.village),
            *(person.address, "", person.rt, person.rw, person.kk, person.nik, person.name),
            *(f"{day:%d/%m/%Y}", person.birth_place, person.sex, "PEDAGANG", "HALIMAH"),
            *(person.relation, person.match, *aid, "TIDAK"),
            "YA" if "PBI-JK" in person.programmes else "TIDAK",
        )
    )


def _line(cells: Sequence[str]) -> str:
    return '"' + '"|"'.join(cells) + '"\n'
