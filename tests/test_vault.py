import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kiosk.errors import Unusable
from kiosk.vault import INDEX_BYTES, Vault


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "vault.json"


@pytest.fixture
def vault(path: Path) -> Vault:
    return Vault.create(path)


def test_key_file_is_for_its_owner_alone(vault: Vault, path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_create_refuses_to_overwrite_keys(vault: Vault, path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(Unusable):
        Vault.create(path)
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_keys_survive_a_restart(vault: Vault, path: Path) -> None:
    again = Vault.open(path)
    assert again.index("nik", "3602014708900001") == vault.index("nik", "3602014708900001")
    assert again.unlock("row", vault.lock("row", b"isi")) == b"isi"


def test_open_refuses_a_key_file_that_others_can_read(vault: Vault, path: Path) -> None:
    path.chmod(0o640)
    with pytest.raises(Unusable, match="chmod 600"):
        Vault.open(path)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", "not json", '{"index": "AA==", "active": "00", "locks": {}}']
)
def test_damaged_key_file_is_told_in_one_line(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(Unusable, match="rusak"):
        Vault.open(path)


def test_missing_key_file_is_told(path: Path) -> None:
    with pytest.raises(Unusable):
        Vault.open(path)


def test_index_depends_on_field_value_and_keys(vault: Vault, tmp_path: Path) -> None:
    index = vault.index("nik", "3602014708900001")
    assert len(index) == INDEX_BYTES
    assert index == vault.index("nik", "3602014708900001")
    other = Vault.create(tmp_path / "other.json")
    assert index not in {
        vault.index("kk", "3602014708900001"),
        vault.index("nik", "3602014708900002"),
        other.index("nik", "3602014708900001"),
    }


def test_locking_the_same_twice_looks_different_and_shows_nothing(vault: Vault) -> None:
    first, second = (vault.lock("name", b"SITI AMINAH") for _ in range(2))
    assert first != second
    assert b"SITI" not in first


def test_every_changed_byte_is_noticed(vault: Vault) -> None:
    blob = vault.lock("name", b"SITI AMINAH")
    for place in range(len(blob)):
        changed = bytearray(blob)
        changed[place] ^= 1
        with pytest.raises(Unusable):
            vault.unlock("name", bytes(changed))


@pytest.mark.parametrize("keep", [0, 3, 4, 15, 16, 20])
def test_blob_cut_short_is_refused(vault: Vault, keep: int) -> None:
    with pytest.raises(Unusable):
        vault.unlock("name", vault.lock("name", b"SITI AMINAH")[:keep])


def test_value_moved_to_another_field_is_refused(vault: Vault) -> None:
    with pytest.raises(Unusable):
        vault.unlock("address", vault.lock("name", b"SITI AMINAH"))


def test_value_of_other_keys_is_refused(vault: Vault, tmp_path: Path) -> None:
    other = Vault.create(tmp_path / "other.json")
    with pytest.raises(Unusable):
        other.unlock("name", vault.lock("name", b"SITI AMINAH"))


def test_former_key_still_unlocks(vault: Vault, path: Path, tmp_path: Path) -> None:
    blob = vault.lock("name", b"SITI AMINAH")
    Vault.create(tmp_path / "other.json")
    former, newer = json.loads(path.read_text()), json.loads((tmp_path / "other.json").read_text())
    keys = {**newer, "locks": {**newer["locks"], **former["locks"]}}
    path.write_text(json.dumps(keys))
    turned = Vault.open(path)
    assert turned.unlock("name", blob) == b"SITI AMINAH"
    assert turned.lock("name", b"x")[:4].hex() == newer["active"]


def test_dict_comes_back_as_it_was(vault: Vault) -> None:
    person = {"name": "JOSÉ MARÍA", "rank": None, "programmes": ["PKH"]}
    assert vault.unlock_json("person", vault.lock_json("person", person)) == person


def test_threads_may_share_a_vault(vault: Vault) -> None:
    def round_trip(number: int) -> bool:
        data = str(number).encode() * 50
        return vault.unlock("n", vault.lock("n", data)) == data

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(round_trip, range(2_000)))
