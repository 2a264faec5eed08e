"""The kinds of letters that docs/letters.md shows, issued from its blocks and by nothing else."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from kiosk import archive, casefile, issuing, letter_page, replacing, slips, verification
from kiosk.errors import Invalid, Unusable
from kiosk.loket import Loket
from kiosk.office_file import load
from kiosk.office_keys import GUIDE
from kiosk.seal import read
from models import Application, Letter, PrintJob, Ticket, VoidNumber
from tests.conftest import Clock, actor
from tests.letters import act, to_step
from tests.own_file import LEBAK, changed, dtsen, file_of, letter_text, office_of
from tests.people import PASSWORD

Submit = Callable[..., int]
PAGE = (Path(__file__).parent.parent / "docs" / "letters.md").read_text()
REGISTER = LEBAK[LEBAK.index("[register]") : LEBAK.index("[kiosk]")]
SIGN = {"password": PASSWORD}


def example(name: str) -> tuple[list[tuple[str, str]], str]:
    """The changes (old, new) and the block of one of the page's examples."""
    text = PAGE.split(f"<!-- example: {name} -->")[1].split("<!-- example:")[0]
    changes = re.findall(r"```diff\n-(.*)\n\+(.*)\n```", text)
    (block,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    return changes, block


def with_example(home: Path, name: str, *also: tuple[str, str]) -> Loket:
    changes, block = example(name)
    return office_of(home, f"{changed(LEBAK, *changes, *also)}\n{block}")


def facts(loket: Loket, id_: int) -> Mapping[str, object]:
    row = Letter.get(Letter.application == id_)
    return loket.vault.unlock_json("letter", row.facts_ct)  # type: ignore[no-any-return]


def result(loket: Loket, id_: int) -> str:
    """What the seal says of the person."""
    digits = str(facts(loket, id_)["digits"])
    assert verification.check(loket, digits, 0).code
    return read(digits, loket.seal_keys.public()).result.name


def test_a_letter_of_not_being_registered_says_so_everywhere(
    home: Path, database: None, clock: Clock, submit: Submit
) -> None:
    loket = with_example(home, "not found")
    id_ = submit(loket)
    to_step(loket, clock, id_, "cek")
    act(loket, clock, id_, "operator", "tidak_ditemukan", seen="Dicari NIK dan nama")
    act(loket, clock, id_, "front_office", "minta_surat")
    assert issuing.draft(loket, Application.get_by_id(id_), actor("kepala_dinas"), clock.at)
    act(loket, clock, id_, "kepala_dinas", "tanda_tangan_tidak_ada", **SIGN)
    said = letter_text(loket, id_)
    assert "TIDAK TERDAFTAR DALAM DATA TERPADU KESEJAHTERAAN SOSIAL (DTKS)" in said
    assert "Tidak tercatat dalam DTKS" in said
    assert not re.search(r"(?<!Tidak )[Tt]ercatat|Program|PKH|Desil|ID DTKS", said)
    assert Letter.get().number == "400.9.2/1/DINSOS/2026"
    assert result(loket, id_) == "NOT_REGISTERED"
    page = letter_page.read(loket, id_, clock.at)
    assert page.text.findings == (("Status", "Tidak tercatat dalam DTKS"),)
    done = act(loket, clock, id_, "front_office", "serahkan", recipient="pemohon")
    assert done.outcome == "issued"
    assert not PrintJob.select().where(PrintJob.kind == "slip").exists()


def test_each_kind_counts_for_itself_and_who_wants_none_gets_the_slip(
    home: Path, database: None, clock: Clock, submit: Submit
) -> None:
    loket = with_example(home, "not found")
    found, without = submit(loket), submit(loket)
    to_step(loket, clock, found, "penyerahan")
    to_step(loket, clock, without, "cek")
    act(loket, clock, without, "operator", "tidak_ditemukan", seen="Tidak ada")
    act(loket, clock, without, "front_office", "tanpa_surat")
    done = act(loket, clock, without, "front_office", "diberitahu")
    assert (done.outcome, result(loket, found)) == ("not_found", "REGISTERED")
    assert [row.number for row in Letter.select()] == ["400.9.1/1/DINSOS/2026"]
    assert [job.application_id for job in PrintJob.select() if job.kind == "slip"] == [without]


def test_a_recommendation_is_the_offices_word_and_not_the_registers(
    home: Path, database: None, clock: Clock, submit: Submit
) -> None:
    loket = with_example(home, "recommendation")
    id_ = submit(loket, service="rekomendasi_bpjs", purpose="aktif_kembali")
    act(loket, clock, id_, "operator", "layak", faskes="RSUD Adjidarmo")
    act(loket, clock, id_, "kepala_dinas", "setuju", **SIGN)
    said = letter_text(loket, id_)
    assert "SURAT REKOMENDASI" in said
    assert "Direkomendasikan" in said
    assert "RSUD Adjidarmo" in said
    assert not re.search(r"[Tt]ercatat|DTKS|Program|Desil", said)
    assert result(loket, id_) == "RECOMMENDED"
    refused = submit(loket, service="rekomendasi_bpjs", purpose="aktif_kembali")
    assert act(loket, clock, refused, "operator", "belum").outcome == "rejected"
    assert [job.application_id for job in PrintJob.select() if job.kind == "slip"] == [refused]
    assert slips.not_found(loket, Application.get_by_id(refused), clock.at)


def test_a_dtsen_letter_tells_the_desil_that_its_purpose_needs(
    home: Path, database: None, clock: Clock, submit: Submit
) -> None:
    loket = with_example(home, "dtsen", (REGISTER, (GUIDE / "register.toml").read_text() + "\n"))
    id_ = submit(loket, service="sk_dtsen", purpose="spmb")
    with pytest.raises(Invalid, match="paling tinggi 5"):
        act(loket, clock, id_, "operator", "ditemukan", rank="6")
    act(loket, clock, id_, "operator", "ditemukan", rank="5")
    act(loket, clock, id_, "kepala_dinas", "setuju", **SIGN)
    said = letter_text(loket, id_)
    assert "tercatat dalam DTSEN pada Desil 5:" in said
    assert dict(letter_page.read(loket, id_, clock.at).text.findings)["Desil"] == "5"
    assert archive.pdf_of(loket, id_)
    assert Ticket.get().label == "D01"


def test_a_desil_is_not_told_where_the_purpose_needs_none(
    home: Path, database: None, clock: Clock, submit: Submit
) -> None:
    loket = office_of(home, dtsen())
    for purpose, told in (("kip_kuliah", True), ("lainnya", False)):
        id_ = submit(loket, purpose=purpose)
        to_step(loket, clock, id_, "cek")
        act(loket, clock, id_, "operator", "ditemukan", seen="Tercatat", rank="3")
        act(loket, clock, id_, "kepala_dinas", "tanda_tangan", **SIGN)
        assert ("Desil" in letter_text(loket, id_)) is told
        case = casefile.read(loket, id_, actor("kepala_dinas"), clock.at)
        assert case.check is not None
        assert case.check["rank"] == "3"


def test_a_sentence_that_needs_a_rank_is_only_for_purposes_that_have_one(home: Path) -> None:
    freeze = 'freeze = "Keterangan ini berdasarkan data {register} per'
    text = changed(dtsen(), (freeze, freeze.replace("data", "data, {peringkat},")))
    with pytest.raises(Unusable) as refused:
        load(str(file_of(home, text)))
    assert "peringkat" in str(refused.value)


def test_a_letter_whose_rank_nobody_entered_is_refused_before_it_is_numbered(
    home: Path, database: None, clock: Clock, submit: Submit
) -> None:
    register = ((REGISTER, (GUIDE / "register.toml").read_text() + "\n"),)
    _, block = example("dtsen")
    lax = block.replace('rules = ["rank_within_limit"]\n', "")
    loket = office_of(home, f"{changed(LEBAK, *register)}\n{lax}")
    id_ = submit(
        loket, service="sk_dtsen", purpose="spmb", nik="3602015203640003", in_snapshot=False
    )
    act(loket, clock, id_, "operator", "ditemukan")
    with pytest.raises(Unusable, match="peringkat belum diketahui"):
        act(loket, clock, id_, "kepala_dinas", "setuju", **SIGN)
    assert not Letter.select().exists()


def test_a_number_of_one_kind_is_void_when_a_letter_of_another_is_made(
    home: Path, database: None, clock: Clock, submit: Submit
) -> None:
    loket = with_example(home, "not found")
    id_ = submit(loket)
    to_step(loket, clock, id_, "cek")
    act(loket, clock, id_, "operator", "tidak_ditemukan", seen="Tidak ada")
    act(loket, clock, id_, "front_office", "minta_surat")
    application = Application.get_by_id(id_)
    (sign, _) = loket.profile.letters[0].step("periksa_tidak_ada").actions
    made = issuing.make(loket, id_, sign, actor("kepala_dinas"), application.seq, clock.at)
    issuing.abandon(made)
    act(loket, clock, id_, "kepala_dinas", "cari_lagi")
    act(loket, clock, id_, "operator", "ditemukan", seen="Tercatat dengan NIK lama")
    act(loket, clock, id_, "kepala_dinas", "tanda_tangan", **SIGN)
    row, void = Letter.get(), VoidNumber.get()
    assert (row.kind, row.number) == ("sk_dtks", "400.9.1/1/DINSOS/2026")
    assert (void.no, void.number, void.application_id) == (1, "400.9.2/1/DINSOS/2026", id_)
    assert row.number in letter_text(loket, id_)
    assert "Tercatat dalam DTKS" in letter_text(loket, id_)
    assert result(loket, id_) == "REGISTERED"
    # What replaces it is a letter of the kind that was signed.
    person, clerk = casefile.given_of(loket, application), actor("front_office")
    new = replacing.replace(loket, id_, person, "Alamat salah", clerk, clock.at)
    assert Application.get_by_id(new).step == "periksa"
    other = submit(loket)
    to_step(loket, clock, other, "cek")
    act(loket, clock, other, "operator", "tidak_ditemukan", seen="Tidak ada")
    act(loket, clock, other, "front_office", "minta_surat")
    act(loket, clock, other, "kepala_dinas", "tanda_tangan_tidak_ada", **SIGN)
    assert Letter.get(Letter.application == other).number == "400.9.2/2/DINSOS/2026"
