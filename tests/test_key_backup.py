"""All keys in one file and back: nothing lost, nothing overwritten, nothing readable without."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import models
from app import create_app
from kiosk import archive, key_acts, key_backup, store
from kiosk.errors import Invalid, NotFound, Stale, Unusable
from kiosk.key_backup import MAGIC, Copy
from kiosk.loket import Loket, open_loket
from kiosk.settings import read
from kiosk.signature import check_signature
from kiosk.verification import check
from tests.conftest import BASE_URL, Clock
from tests.letters import digits_of, to_step
from tests.people import MONDAY_NINE as NOW
from views.cli import main

Submit = Callable[..., int]
PHRASE = "kuda besi di atas awan"


REAL = key_backup.SCRYPT.copy()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The passphrase's hash is slow on purpose, a second each time: here a thousandth of it."""
    monkeypatch.setitem(key_backup.SCRYPT, "n", 1 << 10)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.name[0] != "."}


def test_a_letter_verifies_and_opens_after_its_keys_were_lost_and_restored(
    loket: Loket, home: Path, tmp_path: Path, clock: Clock, submit: Submit
) -> None:
    assert REAL == {"n": 1 << 17, "r": 8, "p": 1}
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    digits, pdf = digits_of(loket, id_), archive.pdf_of(loket, id_)
    certificate = loket.office_key
    key_acts.rotate_seal(loket, clock.at)
    key_acts.rotate_signing(loket, clock.at)
    keys, file = contents(home / "keys"), tmp_path / "kunci.bin"
    made = key_backup.backup(home, "lebak", file, PHRASE, clock.at)
    assert made.files == keys
    assert {"vault.json", "seal.json", "office-key.pem", "office-certificates.json"} <= set(keys)
    assert file.stat().st_mode & 0o777 == 0o600
    assert not any(data[:40] in file.read_bytes() for data in keys.values())
    shutil.rmtree(home / "keys")
    with pytest.raises(Unusable):
        open_loket(home, "lebak", BASE_URL)
    copy = key_backup.read(file, PHRASE)
    assert key_backup.restore(home, copy, clock.at) is None
    assert contents(home / "keys") == keys
    assert {path.stat().st_mode & 0o777 for path in (home / "keys").iterdir()} == {0o600}
    assert (home / "keys").stat().st_mode & 0o777 == 0o700
    again = open_loket(home, "lebak", BASE_URL)
    verdict = check(again, digits, clock.at)
    assert (verdict.code, verdict.name[:1]) == ("sah", "S")
    assert archive.pdf_of(again, id_) == pdf
    assert again.office_keys.known()[0].certificate == certificate.certificate
    assert check_signature(pdf, certificate)
    assert again.seal_keys.current()[0] == 2


def test_a_copy_needs_a_good_passphrase_and_never_overwrites(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "kunci.bin"
    for weak in ("", "pendek", "aaaaaaaaaaaaaaaa", "ababababababab"):
        with pytest.raises(Invalid):
            key_backup.backup(home, "lebak", file, weak, NOW)
    with pytest.raises(NotFound):
        key_backup.backup(tmp_path / "nowhere", "lebak", file, PHRASE, NOW)
    assert not file.exists()
    file.write_text("mine")
    with pytest.raises(Stale):
        key_backup.backup(home, "lebak", file, PHRASE, NOW)
    assert file.read_text() == "mine"
    with pytest.raises(Unusable):
        key_backup.backup(home, "lebak", tmp_path / "none" / "x", PHRASE, NOW)


def test_a_copy_that_was_changed_or_asked_with_another_phrase_opens_nothing(
    home: Path, tmp_path: Path
) -> None:
    file, spoilt = tmp_path / "kunci.bin", tmp_path / "spoilt.bin"
    key_backup.backup(home, "lebak", file, PHRASE, NOW)
    data = file.read_bytes()
    with pytest.raises(Unusable):
        key_backup.read(file, PHRASE + " ")
    changed = [
        b"", MAGIC, b"LOKET15-KEYS-2\n" + data[len(MAGIC) :], data[:-1], data + b"\0",
        *(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :] for at in (len(MAGIC), 35, 60, -1)),
    ]  # fmt: skip
    changed[-1] = data[:-1] + bytes([data[-1] ^ 1])
    for one in changed:
        spoilt.write_bytes(one)
        with pytest.raises(Unusable):
            key_backup.read(spoilt, PHRASE)
    with pytest.raises(Unusable):
        key_backup.read(tmp_path / "none.bin", PHRASE)
    # Accents typed on another system, in another form, are the same phrase.
    accents = tmp_path / "accents.bin"
    key_backup.backup(home, "lebak", accents, "sandi r\u00e9sum\u00e9 panjang", NOW)
    assert key_backup.read(accents, "sandi re\u0301sume\u0301 panjang").office == "lebak"


def test_keys_that_differ_stay_unless_they_may_make_way_and_then_they_are_kept(
    home: Path, tmp_path: Path, loket: Loket
) -> None:
    file = tmp_path / "kunci.bin"
    key_backup.backup(home, "lebak", file, PHRASE, NOW)
    copy = key_backup.read(file, PHRASE)
    assert key_backup.compare(home, copy).whole
    key_acts.rotate_seal(loket, NOW)
    key_acts.rotate_signing(loket, NOW)
    now_there = contents(home / "keys")
    found = key_backup.compare(home, copy)
    assert found.differ == ["office-key.pem", "seal.json"]
    assert found.only_here == ["office-certificates.json"]
    with pytest.raises(Stale, match=r"seal\.json"):
        key_backup.restore(home, copy, NOW)
    assert contents(home / "keys") == now_there
    kept = key_backup.restore(home, copy, NOW, replace=True)
    assert kept is not None
    assert contents(kept) == now_there
    assert contents(home / "keys") == copy.files
    for name in ("seal.json", "vault.json"):
        (home / "keys" / name).unlink()
    assert key_backup.restore(home, copy, NOW + 1) is not None
    assert contents(home / "keys") == copy.files


def test_a_restore_is_whole_or_not_at_all(home: Path) -> None:
    before = contents(home / "keys")
    for files in (
        {"seal.json": b"{}"},
        before | {"seal.json": b"{}"},
        before | {"vault.json": b"{}"},
        before | {"office-key.pem": b"x"},
    ):
        with pytest.raises(Unusable):
            key_backup.restore(home, Copy("lebak", NOW, files), NOW, replace=True)
        assert contents(home / "keys") == before
        assert not (home / "keys.new").exists()
    with store.served_once(home), pytest.raises(Unusable):
        key_backup.restore(home, Copy("lebak", NOW, before), NOW)


def test_a_name_that_leads_out_of_the_folder_is_refused(home: Path, tmp_path: Path) -> None:
    for name in ("../x.key", "/etc/x.key", ".x.key", ""):
        evil = Copy("lebak", NOW, contents(home / "keys") | {name: b"x"})
        file = tmp_path / "evil.bin"
        file.write_bytes(key_backup._locked(evil, PHRASE))
        with pytest.raises(Unusable):
            key_backup.read(file, PHRASE)


def test_the_commands_back_up_check_rotate_and_restore(tmp_path: Path) -> None:
    at, file = tmp_path / "var", tmp_path / "kunci.bin"

    def run(*words: str, stdin: str = PHRASE + "\n") -> Result:
        env = {"LOKET15_HOME": str(at), "LOKET15_BASE_URL": "https://sk.test"}
        return CliRunner().invoke(main, words, input=stdin, env=env)

    assert run("init").exit_code == 0
    assert "Belum ada cadangan" in run("keys", "show").stderr
    assert run("keys", "backup", str(file), stdin="pendek\n").exit_code == 2
    done = run("keys", "backup", str(file))
    assert done.exit_code == 0, done.output
    assert PHRASE not in done.output
    assert run("keys", "show").stderr == ""
    assert run("keys", "check", str(file)).exit_code == 0
    create_app(read({"LOKET15_HOME": str(at), "LOKET15_BASE_URL": "https://sk.test"}))
    assert run("keys", "check", str(file)).exit_code == 0  # what serving needs was in it
    assert run("keys", "check", str(file), stdin="salah sekali ini\n").exit_code == 2
    assert run("keys", "rotate").exit_code == 0
    assert run("keys", "rotate", "--signing").exit_code == 0
    shown = run("keys", "show")
    assert "2  dipakai" in shown.stdout
    assert "Belum ada cadangan" in shown.stderr
    assert run("keys", "check", str(file)).exit_code == 1
    stolen = run("keys", "compromise", "2", "--from", "2026-01-01", "--reason", "Dicuri")
    assert stolen.exit_code == 0, stolen.output
    assert stolen.stdout == "nomor\n"
    assert "0 surat" in stolen.stderr
    signing = ("keys", "compromise", "1", "--signing", "--from", "2026-01-01", "--reason", "x")
    assert run(*signing).exit_code == 0
    assert run("keys", "compromise", "9", "--from", "kemarin", "--reason", "x").exit_code == 2
    assert "DICABUT" in run("keys", "show").stdout
    assert run("keys", "restore", str(file)).exit_code == 2
    assert run("keys", "restore", str(file), "--replace").exit_code == 0
    assert run("keys", "check", str(file)).exit_code == 0
    kept = [path for path in at.iterdir() if path.name.startswith("keys.2")]
    assert len(kept) == 1
    models.db.close()
