"""The command line on real folders: what is made once, what is said, how it fails."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import models
from kiosk import population, staff
from kiosk.loket import open_loket
from models import Device, User
from tests.conftest import STAFF
from views.cli import main

Run = Callable[..., Result]
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def at(tmp_path: Path) -> Path:
    return tmp_path / "office"


@pytest.fixture
def run(at: Path) -> Run:
    """Call `loket15` with these words on the folder `at`."""

    def call(*words: str, stdin: str = "", **environ: str) -> Result:
        env = {"LOKET15_HOME": str(at), "LOKET15_BASE_URL": "https://loket.test"} | environ
        return CliRunner().invoke(main, words, input=stdin, env=env)

    return call


@pytest.fixture
def export(tmp_path: Path) -> Path:
    file = tmp_path / "export.csv"
    population.write_export(file, people=20)
    return file


def refused(result: Result) -> str:
    """The one line of a command that could not be done."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    lines = result.stderr.splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def people(at: Path) -> list[User]:
    with models.connect(at / "loket15.sqlite").connection_context():
        return list(User.select().order_by(User.id))


def test_init_twice_keeps_keys_and_data_that_nobody_else_can_read(run: Run, at: Path) -> None:
    assert run("init").output.startswith("Dibuat: ")
    before = {file: file.read_bytes() for file in (at / "keys").iterdir()}
    run("user", "add", "ani", "--role", "admin", stdin="sandi-contoh-15\n")
    assert run("init").output.startswith("Sudah ada: ")
    assert {file: file.read_bytes() for file in (at / "keys").iterdir()} == before
    assert [user.name for user in people(at)] == ["ani"]
    assert {file.stat().st_mode & 0o077 for file in (at / "keys").iterdir()} == {0}
    assert {folder.stat().st_mode & 0o077 for folder in (at, at / "keys", at / "archive")} == {0}


@pytest.mark.parametrize("made", [[], ["office-key.pem"], ["office-key.pem", "seal.json"]])
def test_an_init_that_was_cut_off_is_finished_by_the_next(
    run: Run, at: Path, made: list[str]
) -> None:
    run("init")
    (at / "loket15.sqlite").unlink()
    kept = {}
    for file in (at / "keys").iterdir():
        if file.name in made:
            kept[file] = file.read_bytes()
        else:
            file.unlink()
    assert run("init").exit_code == 0
    assert open_loket(at, "lebak", "http://x").seal_keys.public()
    assert {file: file.read_bytes() for file in kept} == kept


def test_lost_keys_of_an_office_with_data_are_not_made_anew(run: Run, at: Path) -> None:
    run("init")
    (at / "keys" / "vault.json").unlink()
    for command in (("init",), ("serve",), ("keys", "show")):
        assert "cadangan" in refused(run(*command))
    assert not (at / "keys" / "vault.json").exists()


def test_a_register_is_imported_and_told_as_json(run: Run, export: Path) -> None:
    lines = export.read_text().splitlines(keepends=True)
    export.write_text("".join(lines) + lines[1])
    run("init")
    result = run("import-register", str(export), "--as-of", "2026-11-01", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == {
        "rows": len(lines),
        "accepted": len(lines) - 1,
        "rejected": {"duplicate": 1},
        "as_of": "2026-11-01",
    }


def test_the_rejects_are_written_where_they_are_wanted(
    run: Run, export: Path, tmp_path: Path
) -> None:
    lines = export.read_text().splitlines(keepends=True)
    export.write_text("".join(lines) + lines[1])
    run("init")
    wanted = tmp_path / "rejects.csv"
    result = run("import-register", str(export), "--as-of", "2026-11-01", "--rejects", str(wanted))
    assert f"{len(lines) - 1} dari {len(lines)} baris diterima" in result.output
    assert "duplicate" in wanted.read_text()
    assert population.DEMO_PERSON.nik not in wanted.read_text()


@pytest.mark.parametrize(
    ("content", "as_of"),
    [
        (b"", "2026-11-01"),
        (b"NAMA|ALAMAT\nSITI|X\n", "2026-11-01"),
        (b"\x00\x01\x02" * 99, "2026-11-01"),
        (b"PK\x03\x04 broken", "2026-11-01"),
        (None, "2026-11-01"),
        (b"NIK|NOKK|NAMA\n", "01-11-2026"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line_and_the_old_register_stays(
    run: Run, at: Path, export: Path, tmp_path: Path, content: bytes | None, as_of: str
) -> None:
    run("init")
    run("import-register", str(export), "--as-of", "2026-10-01")
    bad = tmp_path / "bad.csv"
    if content is not None:
        bad.write_bytes(content)
    refused(run("import-register", str(bad), "--as-of", as_of, "--json"))
    snapshot = open_loket(at, "lebak", "http://x").register.snapshot()
    assert snapshot is not None
    assert snapshot.as_of.isoformat() == "2026-10-01"


def test_a_user_is_added_with_the_password_from_standard_input(run: Run, at: Path) -> None:
    run("init")
    added = run(
        "user", "add", "siti", "--role", "operator", "--full-name", "Siti", stdin="rahasia 12345\n"
    )
    assert added.output == "siti (operator) dapat masuk di https://loket.test/masuk\n"
    with models.connect(at / "loket15.sqlite").connection_context():
        assert staff.sign_in("siti", "rahasia 12345", "", 1_795_399_200)
    assert "sudah dipakai" in refused(
        run("user", "add", "siti", "--role", "operator", stdin="rahasia 12345\n")
    )


@pytest.mark.parametrize(
    ("role", "password", "said"),
    [("bupati", "rahasia 12345", "role: "), ("operator", "", "password: "), ("x", "", "role: ")],
)
def test_a_user_with_a_fault_is_not_added(
    run: Run, at: Path, role: str, password: str, said: str
) -> None:
    run("init")
    assert said in refused(run("user", "add", "siti", "--role", role, stdin=password))
    assert people(at) == []


def test_a_device_is_added_and_its_address_enrols_it_once(run: Run, at: Path) -> None:
    run("init")
    said = run("device", "add", "Kios 1", "--kind", "kiosk").output
    address = said.split()[-1]
    assert address.startswith("https://loket.test/perangkat/")
    with models.connect(at / "loket15.sqlite").connection_context():
        now = Device.get().enrol_until - 60
        device, _ = staff.enrol(address.rsplit("/", 1)[1], now)
    assert (device.name, device.kind) == ("Kios 1", "kiosk")
    refused(run("device", "add", "Kios 1", "--kind", "kiosk"))


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"LOKET15_PORT": "x"}, "LOKET15_PORT"),
        ({"LOKET15_OFFICE": "atlantis"}, "atlantis.toml"),
        ({"LOKET15_TICKET_PRINTER": "lpd://x"}, "LOKET15_TICKET_PRINTER"),
    ],
)
def test_a_bad_setting_is_one_line_and_nothing_is_served(
    run: Run, environ: dict[str, str], said: str
) -> None:
    run("init")
    assert said in refused(run("serve", **environ))


def test_nothing_is_done_in_a_folder_that_was_never_made(run: Run, at: Path) -> None:
    for words in (("serve",), ("device", "add", "Kios 1", "--kind", "kiosk")):
        assert "loket15 init" in refused(run(*words))
    assert not at.exists()


def test_the_demonstration_is_made_twice_without_harm(run: Run, at: Path) -> None:
    for _ in range(2):
        result = run("demo", "--no-serve", "--people", "50")
        assert result.exit_code == 0, result.output
        assert population.DEMO_PERSON.nik in result.output
    assert len(people(at)) == 7
    assert open_loket(at, "lebak", "http://x").register.count() >= 50
    assert not list(at.rglob("demonstration.csv"))


def test_the_demonstration_does_not_move_into_an_office_at_work(run: Run, at: Path) -> None:
    run("init")
    run("user", "add", "siti", "--role", "admin", stdin="rahasia 12345\n")
    refused(run("demo", "--no-serve", "--people", "50"))
    assert [user.name for user in people(at)] == ["siti"]


def test_the_installed_command_runs(home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from app import main; main()", "user", "add", "x", "--role", "y"],
        cwd=ROOT, input="", capture_output=True, text=True, timeout=60, check=False,
        env={"LOKET15_HOME": str(home)},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert STAFF["loket"][0] in done.stderr


def test_an_archive_that_is_whole_is_told_so_and_a_stranger_in_it_is_named(
    run: Run, at: Path
) -> None:
    run("init")
    assert run("check-archive").output.startswith("Arsip utuh")
    folder = at / "archive" / "sk_dtks" / "2026"
    folder.mkdir(parents=True)
    (folder / "000001.pdf").write_bytes(b"%PDF")
    told = run("check-archive")
    assert (told.exit_code, "sk_dtks/2026/000001.pdf" in told.output) == (1, True)
