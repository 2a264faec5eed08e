"""A service that the code has never seen: one TOML block of docs/office-file.md, and no Python."""

import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask

import models
from app import create_app
from kiosk import board, citizen, verification
from kiosk.errors import Invalid
from kiosk.loket import Loket
from kiosk.settings import read
from models import Application, Letter, Ticket
from tests.conftest import BASE_URL, Clock, actor, enrolled
from tests.letters import act
from tests.own_file import LEBAK, SERVICE, file_of, letter_text, office_of
from tests.pages import Browser
from tests.people import PASSWORD, STAFF

Submit = Callable[..., int]
WITH_SIXTH = f"{LEBAK}\n{SERVICE}"
COMPLETE = {"papers.ktp": "ok", "papers.rujukan": "ok"}
ELIGIBLE = {
    "rumah_sakit": "RSUD Adjidarmo",
    "wawancara": "2026-11-20",
    "tanggungan": "4",
    "keadaan": "rentan",
}


@pytest.fixture
def sixth(home: Path, database: None) -> Loket:
    return office_of(home, WITH_SIXTH)


@pytest.fixture
def sixth_app(home: Path, clock: Clock) -> Iterator[Flask]:
    environ = {"LOKET15_OFFICE": str(file_of(home, WITH_SIXTH)), "LOKET15_HOME": str(home)}
    made = create_app(read(environ | {"LOKET15_BASE_URL": BASE_URL}), clock)
    made.testing = True
    models.db.connect(reuse_if_open=True)
    yield made
    models.db.close()


def ask(loket: Loket, submit: Submit) -> int:
    return submit(loket, service="rekomendasi_rs", purpose="rawat_inap")


def walk(loket: Loket, clock: Clock, id_: int) -> None:
    """All of its steps, up to the letter in the citizen's hand."""
    act(loket, clock, id_, "front_office", "lengkap", **COMPLETE)
    act(loket, clock, id_, "operator", "layak", **ELIGIBLE)
    act(loket, clock, id_, "kepala_dinas", "setuju", password=PASSWORD)
    act(loket, clock, id_, "front_office", "diserahkan")


def test_the_block_alone_makes_the_service(sixth: Loket) -> None:
    assert list(tomllib.loads(SERVICE)) == ["services"]
    assert [service.id for service in sixth.profile.services] == ["sk_dtks", "rekomendasi_rs"]


def test_it_is_walked_to_its_letter_with_a_number_of_its_own(
    sixth: Loket, clock: Clock, submit: Submit
) -> None:
    other = submit(sixth)
    ids = [ask(sixth, submit), ask(sixth, submit)]
    labels = [Ticket.get(Ticket.application == id_).label for id_ in (other, *ids)]
    assert labels == ["A01", "B01", "B02"]
    for id_ in ids:
        walk(sixth, clock, id_)
    numbers = [Letter.get(Letter.application == id_).number for id_ in ids]
    assert numbers == ["001/REKOM/DINSOS/XI/2026", "002/REKOM/DINSOS/XI/2026"]
    done = Application.get_by_id(ids[0])
    assert (done.step, done.outcome) == ("selesai", "issued")


def test_its_letter_says_what_its_own_fields_were_told(
    sixth: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = ask(sixth, submit)
    walk(sixth, clock, id_)
    said = letter_text(sixth, id_)
    assert "SURAT REKOMENDASI" in said
    assert "Menurut wawancara tanggal 20 November 2026, keluarga ini rentan dengan 4" in said
    assert "untuk Rawat inap di RSUD Adjidarmo." in said
    assert "Berlaku 30 hari, sampai dengan 22 Desember 2026." in said
    letter = Letter.get(Letter.application == id_)
    digits = sixth.vault.unlock_json("letter", letter.facts_ct)["digits"]
    assert verification.check(sixth, digits, clock.at).code == verification.VALID


def test_its_promise_is_two_working_days_from_the_complete_file(
    sixth: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = ask(sixth, submit)
    assert Application.get_by_id(id_).due_at is None
    clock.tick(3600)
    act(sixth, clock, id_, "front_office", "lengkap", **COMPLETE)
    due = Application.get_by_id(id_).due_at
    assert sixth.calendar.local(due).date().isoformat() == "2026-11-24"
    assert board.my_work(sixth, actor("operator"), clock.at).rows[0].id == id_


def test_what_it_asks_is_asked(sixth: Loket, clock: Clock, submit: Submit) -> None:
    id_ = ask(sixth, submit)
    with pytest.raises(Invalid) as fault:
        act(sixth, clock, id_, "front_office", "lengkap", **COMPLETE | {"papers.ktp": "missing"})
    assert "papers" in fault.value.fields
    act(sixth, clock, id_, "front_office", "lengkap", **COMPLETE)
    for wrong in ({"wawancara": "20-11-2026"}, {"tanggungan": "empat"}, {"keadaan": "kaya"}):
        with pytest.raises(Invalid) as fault:
            act(sixth, clock, id_, "operator", "layak", **ELIGIBLE | wrong)
        assert set(fault.value.fields) == set(wrong)


def test_who_is_not_eligible_gets_no_letter(sixth: Loket, clock: Clock, submit: Submit) -> None:
    id_ = ask(sixth, submit)
    act(sixth, clock, id_, "front_office", "lengkap", **COMPLETE)
    act(sixth, clock, id_, "operator", "tidak_layak", reason="Data belum ada")
    assert Application.get_by_id(id_).outcome == "rejected"
    assert not Letter.select().exists()
    token = Ticket.get(Ticket.application == id_).token
    assert citizen.status(sixth, token, clock.at).outcome == "rejected"


def test_the_kiosk_lists_it_and_takes_its_applications(sixth_app: Flask, clock: Clock) -> None:
    kiosk = enrolled(sixth_app, "kiosk", clock.at)
    start = kiosk.page("/kiosk").get_data(as_text=True)
    assert "Surat Rekomendasi Rumah Sakit" in start
    assert "2 hari kerja" in start
    kiosk.send("/kiosk/visits", {"choice": "rekomendasi_rs"})
    about = kiosk.page("/kiosk").get_data(as_text=True)
    assert "Surat rujukan" in about
    assert "Paling lama 2 hari kerja" in about


def test_its_pages_at_the_desk_and_its_published_standard(
    sixth_app: Flask, clock: Clock, submit: Submit
) -> None:
    loket: Loket = sixth_app.extensions["loket"]
    id_ = ask(loket, submit)
    act(loket, clock, id_, "front_office", "lengkap", **COMPLETE)
    name = next(name for name, (role, _) in STAFF.items() if role == "operator")
    operator = Browser(sixth_app.test_client())
    operator.send("/masuk", {"name": name, "password": PASSWORD})
    page = operator.page(f"/meja/{id_}?act=layak").get_data(as_text=True)
    for part in ("Rumah sakit", "Tanggal wawancara", "Jumlah tanggungan", "kurang mampu"):
        assert part in page
    standard = Browser(sixth_app.test_client()).page("/standar").get_data(as_text=True)
    assert "2 hari kerja sejak berkas lengkap" in standard
