"""File and program change while applications are open: each finishes as it began."""

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

# Not the standard library's: two SQLites in one process let go of each other's locks.
from pysqlite3 import dbapi2 as sqlite3

import models
from kiosk import (
    board,
    casefile,
    citizen,
    desk,
    document_removal,
    documents,
    store,
    verification,
    versions,
)
from kiosk.documents import Owner
from kiosk.errors import Invalid, Unusable
from kiosk.loket import Loket
from models import Application, Letter, OfficeVersion, Ticket
from tests import scans
from tests.conftest import Clock, actor
from tests.letters import act, to_step
from tests.own_file import LEBAK, changed, dtsen, letter_text, office_of
from tests.people import PASSWORD

Submit = Callable[..., int]
BEFORE_VERSIONS = (Path(__file__).parent / "before_versions.sql").read_text()

# Renames one step, leaves one out, promises less, says and numbers the letter otherwise.
SECRETARIAT = LEBAK[LEBAK.index("# ── 2. Sekretariat") : LEBAK.index("# ── 3. Kepala Dinas")]
ASSIGN = LEBAK[LEBAK.index("# ── 4. ") : LEBAK.index("# ── 5. ")]
NEW = (
    changed(
        LEBAK.replace(SECRETARIAT, "").replace('next = "sekretariat"', 'next = "disposisi"'),
        (ASSIGN, ASSIGN.replace('id = "penugasan"', 'id = "penunjukan"')),
    )
    .replace('next = "penugasan"', 'next = "penunjukan"')
    .replace("standard = [3]", "standard = [2, 3]")
    .replace("amount = 15", "amount = 10")
    .replace("validity_days = 180", "validity_days = 30")
    .replace('"Surat keterangan ini diberikan untuk', '"Dipergunakan untuk')
    .replace('number = "400.9.1/{no}/DINSOS/{tahun}"', 'number = "460/{no}/SK/{tahun}"')
)


def to_signed(loket: Loket, clock: Clock, id_: int) -> None:
    """From the operator's desk to the signed letter."""
    act(loket, clock, id_, "operator", "ditemukan", seen="Tercatat")
    act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)


def test_what_is_open_walks_its_old_steps_and_what_is_new_the_new_ones(
    loket: Loket, home: Path, clock: Clock, submit: Submit
) -> None:
    old = submit(loket)
    after = office_of(home, NEW)
    new = submit(after)
    for id_ in (old, new):
        act(after, clock, id_, "front_office", "lengkap")
    assert [Application.get_by_id(id_).step for id_ in (old, new)] == ["sekretariat", "disposisi"]
    act(after, clock, old, "sekretariat", "teruskan")
    for id_ in (old, new):
        act(after, clock, id_, "kepala_dinas", "disposisi")
    assert [Application.get_by_id(id_).step for id_ in (old, new)] == ["penugasan", "penunjukan"]
    for id_ in (old, new):
        act(after, clock, id_, "kabid_linjamsos", "tugaskan")
        to_signed(after, clock, id_)
        act(after, clock, id_, "front_office", "serahkan", recipient="pemohon")
    assert {Application.get_by_id(id_).outcome for id_ in (old, new)} == {"issued"}


def test_each_letter_has_the_wording_number_and_validity_of_its_version(
    loket: Loket, home: Path, clock: Clock, submit: Submit
) -> None:
    old = submit(loket)
    to_step(loket, clock, old, "cek")
    after = office_of(home, NEW)
    new = submit(after)
    act(after, clock, new, "front_office", "lengkap")
    act(after, clock, new, "kepala_dinas", "disposisi")
    act(after, clock, new, "kabid_linjamsos", "tugaskan")
    for id_ in (old, new):
        to_signed(after, clock, id_)
    first, second = (letter_text(after, id_) for id_ in (old, new))
    assert "Surat keterangan ini diberikan untuk keperluan KIP Kuliah." in first
    assert "400.9.1/1/DINSOS/2026" in first
    assert "Berlaku 180 hari" in first
    assert "Dipergunakan untuk keperluan KIP Kuliah." in second
    assert "460/2/SK/2026" in second
    assert "Berlaku 30 hari" in second


def test_each_runs_by_the_time_it_was_promised(
    loket: Loket, home: Path, clock: Clock, submit: Submit
) -> None:
    old = submit(loket)
    after = office_of(home, NEW)
    new = submit(after)
    assert [Application.get_by_id(id_).due_at - clock.at for id_ in (old, new)] == [900, 600]
    act(after, clock, old, "front_office", "kurang", missing="kk")
    clock.tick(3600)
    act(after, clock, old, "front_office", "dilengkapi")
    # Twenty seconds had gone of its fifteen minutes.
    assert Application.get_by_id(old).due_at == clock.at + 880


def test_what_began_as_dtks_ends_as_dtks(
    loket: Loket, home: Path, clock: Clock, submit: Submit
) -> None:
    old = submit(loket)
    to_step(loket, clock, old, "cek")
    after = office_of(home, dtsen())
    new = submit(after)
    to_step(after, clock, new, "cek")
    to_signed(after, clock, old)
    said = letter_text(after, old)
    assert "tercatat dalam Data Terpadu Kesejahteraan Sosial (DTKS):" in said
    assert "DTSEN" not in said
    assert "Desil" not in said
    with pytest.raises(Invalid, match="Desil"):
        act(after, clock, new, "operator", "ditemukan", seen="Tercatat", rank="9")


def test_every_list_shows_old_and_new_together(
    loket: Loket, home: Path, clock: Clock, submit: Submit
) -> None:
    old = submit(loket)
    after = office_of(home, NEW)
    new = submit(after)
    assert board.display(after, clock.at).figures.waiting == 2
    act(after, clock, old, "front_office", "lengkap")
    act(after, clock, new, "front_office", "lengkap")
    secretary, head = actor("sekretariat"), actor("kepala_dinas")
    assert [row.id for row in board.my_work(after, secretary, clock.at).rows] == [old]
    assert [row.id for row in board.my_work(after, head, clock.at).rows] == [new]
    assert casefile.read(after, old, secretary, clock.at).step.id == "sekretariat"
    for id_ in (old, new):
        assert citizen.status(after, Ticket.get(Ticket.application == id_).token, clock.at).stages
    assert board.orphans(after) == []


def test_a_service_that_the_new_file_has_no_more_is_finished_for_who_asked_before(
    loket: Loket, home: Path, clock: Clock, submit: Submit
) -> None:
    old = submit(loket)
    after = office_of(home, LEBAK.replace('id = "sk_dtks"', 'id = "sk_lain"'))
    to_step(after, clock, old, "penyerahan")
    assert Application.get_by_id(old).step == "penyerahan"
    with pytest.raises(Invalid):
        submit(after)
    assert submit(after, service="sk_lain")


def test_the_program_says_which_applications_wait_for_a_role_that_is_gone(
    loket: Loket, home: Path, clock: Clock, submit: Submit
) -> None:
    old = submit(loket)
    act(loket, clock, old, "front_office", "lengkap")
    after = office_of(home, NEW.replace('id = "sekretariat"', 'id = "tata_usaha"', 1))
    number = Application.get_by_id(old).number
    assert board.orphans(after) == [f"{number} (sekretariat)"]


@pytest.mark.parametrize("text", [None, "{}", "no JSON"])
def test_a_version_that_cannot_be_read_is_said_at_the_start(
    loket: Loket, home: Path, clock: Clock, submit: Submit, text: str | None
) -> None:
    old = submit(loket)
    if text is None:
        OfficeVersion.delete().execute()
    else:
        OfficeVersion.update(text=text).execute()
    # Each office's versions are kept in memory for this folder: a new file is a new version.
    after = office_of(home, NEW + f"\n# {text}\n")
    Application.update(version=f"{text}").execute()
    OfficeVersion.update(version=f"{text}").execute()
    assert board.orphans(after) == [f"{Application.get_by_id(old).number} (berkas)"]
    with pytest.raises(Unusable, match="Berkas kantor versi"):
        versions.step_of(after, Application.get_by_id(old))


# ── A database made before versions were kept ──


def downgrade(home: Path) -> None:
    """The office's database as the program before versions made it, with the rows of now."""
    file = home / "loket15.sqlite"
    with closing(sqlite3.connect(":memory:")) as old, closing(sqlite3.connect(file)) as now:
        old.executescript(BEFORE_VERSIONS)
        for table in tables(old):
            names = [name for name, *_ in columns(old, table)]
            said, marks = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
            rows = now.execute(f'SELECT {said} FROM "{table}"').fetchall()  # noqa: S608 - our names
            old.executemany(f'INSERT INTO "{table}" ({said}) VALUES ({marks})', rows)  # noqa: S608
        old.commit()
        old.backup(now)


def tables(database: sqlite3.Connection) -> list[str]:
    found = database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [name for (name,) in found if not name.startswith("sqlite_")]


def columns(database: sqlite3.Connection, table: str) -> list[tuple[str, str, int]]:
    """Name, type, and whether it must be filled."""
    return sorted(row[1:4] for row in database.execute(f'PRAGMA table_info("{table}")'))


def bounds(database: sqlite3.Connection, table: str) -> tuple[list[object], list[str]]:
    """What a table refers to, and what its rows must fulfil."""
    refers = database.execute(f'PRAGMA foreign_key_list("{table}")')
    (sql,) = database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return sorted(row[2:7] for row in refers), sorted(re.findall(r"CHECK \((.*?\)?)\)", sql))


def shape(file: Path) -> dict[str, object]:
    """Each table's columns, what they refer to and must fulfil, and each index with its columns."""
    with closing(sqlite3.connect(file)) as database:
        indexes = database.execute(
            "SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'index' AND sql NOT NULL"
        )
        listed = {name: (table, " ".join(sql.split())) for name, table, sql in indexes}
        made = {t: (columns(database, t), bounds(database, t)) for t in tables(database)}
        return made | listed


@pytest.fixture
def upgraded(loket: Loket, home: Path, clock: Clock, submit: Submit) -> int:
    """An application that waits for its operator, begun before the upgrade; its id."""
    id_ = submit(loket)
    to_step(loket, clock, id_, "cek")
    downgrade(home)
    assert "version" not in {column.name for column in models.db.get_columns("application")}
    store.create()
    return id_


def test_an_old_database_is_brought_up_and_what_was_open_runs_on(
    loket: Loket, clock: Clock, submit: Submit, upgraded: int
) -> None:
    to_signed(loket, clock, upgraded)
    act(loket, clock, upgraded, "front_office", "serahkan", recipient="pemohon")
    assert Application.get_by_id(upgraded).outcome == "issued"
    assert Letter.get().number == "400.9.1/1/DINSOS/2026"
    assert desk.find(submit(loket)).version == loket.profile.version


def test_the_first_start_after_the_upgrade_ties_what_is_open_to_the_file_of_then(
    loket: Loket, home: Path, clock: Clock, upgraded: int
) -> None:
    assert Application.get_by_id(upgraded).version == ""
    versions.adopt(loket, clock.at)
    assert Application.get_by_id(upgraded).version == loket.profile.version
    after = office_of(home, NEW)
    to_signed(after, clock, upgraded)
    assert "400.9.1/1/DINSOS/2026" in letter_text(after, upgraded)


def test_what_was_closed_before_the_upgrade_is_still_read_and_its_letter_verified(
    loket: Loket, home: Path, clock: Clock, upgraded: int
) -> None:
    to_signed(loket, clock, upgraded)
    act(loket, clock, upgraded, "front_office", "serahkan", recipient="pemohon")
    versions.adopt(loket, clock.at)
    after = office_of(home, LEBAK.replace('id = "sk_dtks"', 'id = "sk_lain"'))
    said = loket.vault.unlock_json("letter", Letter.get().facts_ct)["digits"]
    assert verification.check(after, said, clock.at).code == "sah"
    assert casefile.read(after, upgraded, actor("front_office"), clock.at).step.id == "selesai"


def test_a_letter_is_verified_though_its_version_of_the_file_cannot_be_read(
    loket: Loket, home: Path, clock: Clock, submit: Submit
) -> None:
    to_step(loket, clock, submit(loket), "penyerahan")
    said = loket.vault.unlock_json("letter", Letter.get().facts_ct)["digits"]
    Application.update(version="gone").execute()
    assert verification.check(loket, said, clock.at).code == "sah"


def test_a_scan_of_a_kind_that_the_new_file_has_no_more_is_kept_its_time(
    loket: Loket, home: Path, clock: Clock, submit: Submit
) -> None:
    old = submit(loket)
    documents.add(loket, Owner(old), "ktp", scans.jpeg(), "counter", "k", clock.at)
    act(loket, clock, old, "front_office", "kurang", missing="kk")
    act(loket, clock, old, "front_office", "batal", reason="Tidak jadi")
    ktp, *others = loket.profile.documents
    longer = ktp.model_copy(update={"id": "ktp", "keep_days": 400})
    for version, kinds in (("longer", (longer, *others)), ("gone", tuple(others))):
        said = {"documents": kinds, "version": version}
        after = replace(loket, profile=loket.profile.model_copy(update=said))
        versions.remember(after, clock.at)
    assert documents.listed(after, old)[0].title == ktp.title
    assert document_removal.sweep(after, clock.tick(399 * 86400)) == 0
    assert document_removal.sweep(after, clock.tick(2 * 86400)) == 1


def test_bringing_up_twice_changes_nothing(loket: Loket, home: Path, upgraded: int) -> None:
    before = shape(home / "loket15.sqlite")
    store.create()
    assert shape(home / "loket15.sqlite") == before


def test_a_database_brought_up_has_every_column_bound_and_index_of_a_new_one(
    template_home: Path, home: Path, upgraded: int
) -> None:
    assert shape(home / "loket15.sqlite") == shape(template_home / "loket15.sqlite")
