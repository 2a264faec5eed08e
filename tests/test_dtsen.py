"""From DTKS to DTSEN by editing the office's file alone, as docs/office-file.md says."""

import difflib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from kiosk import verification
from kiosk.errors import Invalid
from kiosk.loket import Loket
from kiosk.office_file import check
from kiosk.office_report import lines
from models import Application, Letter
from tests.conftest import Clock
from tests.letters import act, to_step
from tests.own_file import LEBAK, dtsen, file_of, letter_text, office_of
from tests.people import PASSWORD

Submit = Callable[..., int]


@pytest.fixture
def office(home: Path, database: None) -> Loket:
    return office_of(home, dtsen())


def found(loket: Loket, clock: Clock, id_: int, rank: str) -> None:
    act(loket, clock, id_, "operator", "ditemukan", seen="Tercatat di DTSEN", rank=rank)


def test_the_change_is_a_few_lines_of_the_file() -> None:
    diff = difflib.unified_diff(LEBAK.splitlines(), dtsen().splitlines(), n=0, lineterm="")
    added = [line for line in diff if line.startswith("+") and not line.startswith("+++")]
    assert len(added) < 20


def test_a_desil_within_the_limit_gives_an_sk_dtsen(
    office: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "cek")
    found(office, clock, id_, "4")
    act(office, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    said = letter_text(office, id_)
    assert "TERDAFTAR DALAM DATA TUNGGAL SOSIAL DAN EKONOMI NASIONAL (DTSEN)" in said
    assert "tercatat dalam Data Tunggal Sosial dan Ekonomi Nasional (DTSEN):" in said
    assert "Tercatat dalam DTSEN" in said
    assert "Desil 4" in " ".join(said.replace(":", " ").split())
    assert "berdasarkan data DTSEN per tanggal" in said
    assert "DTKS" not in said
    row = Letter.get(Letter.application == id_)
    digits = office.vault.unlock_json("letter", row.facts_ct)["digits"]
    assert verification.check(office, digits, clock.at).code == verification.VALID


@pytest.mark.parametrize("rank", ["5", "10"])
def test_a_desil_above_the_limit_is_refused_with_the_reason(
    office: Loket, clock: Clock, submit: Submit, rank: str
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "cek")
    with pytest.raises(Invalid) as fault:
        found(office, clock, id_, rank)
    assert fault.value.fields == {
        "rules": f"Desil {rank} di atas batas untuk KIP Kuliah: paling tinggi 4."
    }
    assert Application.get_by_id(id_).step == "cek"
    assert not Letter.select().exists()


@pytest.mark.parametrize("rank", ["", "0"])
def test_a_desil_that_is_not_known_is_asked_for(
    office: Loket, clock: Clock, submit: Submit, rank: str
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "cek")
    with pytest.raises(Invalid) as fault:
        found(office, clock, id_, rank)
    assert fault.value.fields == {"rules": "Desil belum diketahui. Isi desil menurut SIKS-NG."}
    found(office, clock, id_, "1")
    assert Application.get_by_id(id_).step == "periksa"


def test_a_purpose_without_a_limit_is_given_at_any_desil(
    office: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(office, purpose="lainnya")
    to_step(office, clock, id_, "cek")
    found(office, clock, id_, "9")
    assert Application.get_by_id(id_).step == "periksa"


def test_the_check_minds_the_purposes_that_still_have_no_limit(home: Path) -> None:
    report = check(str(file_of(home, dtsen())))
    assert report.profile is not None
    minded = [line for line in lines(report, date(2026, 11, 23)) if "max_rank" in line]
    assert len(minded) == 5
    assert "Mind: services[0].purposes[0].max_rank: `spmb` has none" in minded[0]
