import csv
from datetime import date
from pathlib import Path

import pytest

from kiosk.identity import nik_warnings
from kiosk.population import DEMO_LONG_NAME, DEMO_PEOPLE, DEMO_PERSON, HEADER, write_export
from kiosk.register import Register, import_file
from kiosk.vault import Vault


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="ascii", newline="") as file:
        return list(csv.DictReader(file, delimiter="|"))


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    path = tmp_path_factory.mktemp("population") / "siks.csv"
    write_export(path, 5_000)
    return read(path)


def test_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    for name, people, seed in (("a", 300, 15), ("b", 300, 15), ("c", 300, 16), ("d", 200, 15)):
        write_export(tmp_path / name, people, seed)
    first, again, other, shorter = ((tmp_path / name).read_bytes() for name in "abcd")
    assert first == again
    assert first != other
    assert first.startswith(shorter)


def test_export_has_the_asked_number_and_the_known_header(people: list[dict[str, str]]) -> None:
    assert len(people) == 5_000
    assert tuple(people[0]) == HEADER
    assert HEADER[4] == "DESA/KELUARAHAN"  # sic: the exports spell it so


def test_demonstration_person_comes_first(people: list[dict[str, str]]) -> None:
    first = people[0]
    assert (first["NAMA"], first["NIK"]) == ("SITI AMINAH", "3602014708900001")
    assert (first["NOKK"], first["TANGGAL LAHIR"]) == ("3602111111118111", "07/08/1990")
    assert people[1]["NAMA"] == DEMO_LONG_NAME.name
    assert len(DEMO_LONG_NAME.name) == 60


def test_no_nik_comes_twice_and_the_demonstration_families_are_alone(
    people: list[dict[str, str]],
) -> None:
    assert len({person["NIK"] for person in people}) == len(people)
    assert len({person["ID DTKS"] for person in people}) == len(people)
    for demo in DEMO_PEOPLE:
        assert [person["NIK"] for person in people if person["NOKK"] == demo.kk] == [demo.nik]


def test_families_share_a_kk_a_home_and_one_head(people: list[dict[str, str]]) -> None:
    families: dict[str, list[dict[str, str]]] = {}
    for person in people:
        families.setdefault(person["NOKK"], []).append(person)
    assert 1.5 < len(people) / len(families) < 5
    for family in families.values():
        assert (
            len({(person["ALAMAT"], person["RT"], person["KECAMATAN"]) for person in family}) == 1
        )
        assert [person["HUB KELUARGA"] for person in family].count("KEPALA KELUARGA") == 1


def test_nik_agrees_with_birth_date_and_sex(people: list[dict[str, str]]) -> None:
    for person in people:
        day, month, year = map(int, person["TANGGAL LAHIR"].split("/"))
        sex = person["JENIS KELAMIN"]
        assert nik_warnings(person["NIK"], date(year, month, day), "P" if sex == "P" else "L") == []


def test_import_accepts_every_row(tmp_path: Path) -> None:
    write_export(tmp_path / "siks.csv", 2_000)
    vault = Vault.create(tmp_path / "vault.json")
    as_of = date(2026, 6, 30)
    report = import_file(
        tmp_path / "siks.csv", tmp_path / "register", vault, as_of, now=1_783_000_000
    )
    assert report.as_dict() == {
        "rows": 2_000,
        "accepted": 2_000,
        "rejected": {},
        "as_of": "2026-06-30",
    }
    register = Register(tmp_path / "register", vault)
    for demo in (DEMO_PERSON, DEMO_LONG_NAME):
        assert register.find_pair(demo.nik, demo.kk) == demo
    register.close()


def test_too_few_people_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="few"):
        write_export(tmp_path / "siks.csv", 1)
