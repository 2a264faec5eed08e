"""What is particular to Kota Baubau and Kabupaten Bangkalan, by the desk and without a browser."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

import models
from kiosk import casefile, desk, letter_prints, slips, taking_back
from kiosk.errors import Invalid
from kiosk.loket import Loket, open_loket
from kiosk.office_file import load
from kiosk.service import LetterService
from models import Application, Letter, User
from tests import offices
from tests.conftest import BASE_URL, Clock, actor
from tests.test_workflow import do, filled, way_to

Submit = Callable[..., int]
FRIDAY_1530_WIB = int(datetime(2026, 11, 27, 15, 30, tzinfo=ZoneInfo("Asia/Jakarta")).timestamp())


@pytest.fixture
def home(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, office: str) -> Path:
    return offices.copied(offices.made(office, tmp_path_factory.getbasetemp()), tmp_path / "var")


@pytest.fixture
def loket(home: Path, database: None, office: str) -> Loket:
    return open_loket(home, office, BASE_URL)


baubau = pytest.mark.parametrize("office", ["baubau"])
bangkalan = pytest.mark.parametrize("office", ["bangkalan"])


def begun(loket: Loket, submit: Submit, **over: object) -> int:
    service = loket.profile.letters[0]
    return submit(loket, service=service.id, purpose=service.purposes[0].id, **over)


def brought(loket: Loket, clock: Clock, submit: Submit, to: str) -> int:
    """An application that was brought to this step."""
    id_ = begun(loket, submit)
    for _, action in way_to(loket.profile.letters[0], to):
        do(loket, clock, id_, action)
    return id_


def does(loket: Loket, clock: Clock, id_: int, action: str) -> Application:
    step = loket.profile.letters[0].step(desk.find(id_).step)
    found = step.action(action)
    assert found is not None
    return do(loket, clock, id_, found)


def at(loket: Loket, moment: int | None) -> str:
    assert moment is not None
    return f"{loket.calendar.local(moment):%a %d %H.%M}"


# --- the standards, step by step ---

# Letters of the published steps → the steps of the file that do them.
LETTERS = {
    "baubau": {
        "1": ["berkas"], "2": ["disposisi"], "3": ["penugasan", "cek", "lapangan"],
        "4": ["cek", "lapangan", "usul", "tidak_ada", "putusan"], "5": ["terbit"],
        "6": ["penyerahan"],
    },
    "bangkalan": {
        "1": ["berkas"], "2a": ["lengkapi"], "2b": ["berkas"], "3": ["cek"],
        "3a": ["cetak", "tanda_tangan", "arsip"], "3b": ["arsip"], "3c": ["penyerahan"],
        "3d": ["cek", "informasi"],
    },
}  # fmt: skip


@pytest.mark.parametrize("office", LETTERS)
def test_every_letter_of_the_published_procedure_is_a_step_of_the_file(office: str) -> None:
    service = load(office).letters[0]
    for number, steps in LETTERS[office].items():
        for step in steps:
            assert int(number[0]) in service.step(step).standard, (number, step)
    for letter in {number for number in LETTERS[office] if len(number) > 1}:
        assert f"{letter[1]}. " in service.published.procedure[int(letter[0]) - 1]
    told = {number for step in service.steps for number in step.standard}
    assert told == set(range(1, len(service.published.procedure) + 1))


@pytest.mark.parametrize("office", LETTERS)
def test_office_hours_are_those_of_the_law_in_ramadan_too(office: str) -> None:
    """Perpres 21/2023: 37.5 hours a week, 32.5 in Ramadan."""
    calendar = load(office).calendar()

    def hours(first: int, month: int) -> float:
        days = [date(2027, month, first + n) for n in range(7)]
        return sum(end - start for day in days for start, end in calendar.spans(day)) / 3600

    assert (hours(11, 1), hours(15, 2)) == (37.5, 32.5)


# --- Baubau: one day from the complete file ---


@baubau
def test_the_day_is_promised_from_the_complete_file_in_wita(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    clock.at = FRIDAY_1530_WIB
    id_ = begun(loket, submit)
    waiting = desk.find(id_)
    assert (waiting.due_at, waiting.left_s, waiting.budget_s) == (None, None, 0)
    assert "Siap paling lambat" not in said(slips.ticket(loket, waiting, clock.at).lines)
    does(loket, clock, id_, "kurang")
    clock.tick(9 * 86400)
    assert desk.find(id_).due_at is None
    does(loket, clock, id_, "dibawa")
    done = does(loket, clock, id_, "lengkap")
    assert at(loket, clock.at) == "Sun 06 16.31"
    assert at(loket, done.due_at) == "Mon 07 16.00"
    assert done.budget_s > 0


def said(lines: tuple[slips.Line, ...]) -> str:
    return " ".join(line.text for line in lines)


@baubau
def test_a_file_sent_back_from_the_head_stops_the_clock_and_loses_no_time(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = brought(loket, clock, submit, "disposisi")
    clock.tick(3600)
    left = casefile.clock_of(loket, desk.find(id_), clock.at + 20).left
    assert does(loket, clock, id_, "kembalikan").left_s == left
    clock.tick(5 * 86400)
    again = does(loket, clock, id_, "lengkap")
    assert casefile.clock_of(loket, again, clock.at).left == left


@baubau
@pytest.mark.parametrize(
    ("faults", "given"),
    [
        ({"sktm"}, {}),
        ({"sktm_number"}, {"sktm_number": [""]}),
        ({"sktm_date"}, {"sktm_date": ["kemarin"]}),
        ({"sktm_date"}, {"sktm_date": ["2026-11-24"]}),
        ({"sktm_village"}, {"sktm_village": [" "]}),
        ({"papers"}, {"papers.kk": ["missing"]}),
        ({"papers.kk"}, {"papers.kk": ["wrong"]}),
    ],
)
def test_the_file_is_complete_with_all_of_the_sktm_alone(
    loket: Loket, clock: Clock, submit: Submit, faults: set[str], given: dict[str, list[str]]
) -> None:
    id_ = begun(loket, submit)
    action = loket.profile.letters[0].step("berkas").actions[0]
    whole = filled(loket, id_, action, clock.at)
    if not given:
        models.Document.delete().execute()
    with pytest.raises(Invalid) as refused:
        desk.act(loket, id_, action.id, whole | given, actor("front_office"), 1, clock.at)
    assert set(refused.value.fields) == faults
    assert desk.find(id_).step == "berkas"


@baubau
def test_to_be_registered_is_no_paper_that_a_counter_ticks_off(loket: Loket) -> None:
    service = loket.profile.letters[0]
    assert [one.id for one in service.requirements] == ["terdaftar", "ktp", "kk", "sktm"]
    assert [one.id for one in service.papers] == ["ktp", "kk", "sktm"]
    assert len(service.requirements) == len(service.published.requirements)


@baubau
def test_only_the_officer_who_was_named_verifies_and_the_head_of_section_can_name_another(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = brought(loket, clock, submit, "lapangan")
    other = User.get(User.name == "petugas2")
    second = desk.Actor(other.id, other.name, other.full_name, other.role)
    assert casefile.read(loket, id_, second, clock.at).actions == ()
    mine = casefile.read(loket, id_, actor("petugas"), clock.at).actions
    assert [action.id for action in mine] == ["laporkan"]
    section = casefile.read(loket, id_, actor("kepala_seksi"), clock.at).actions
    assert [action.id for action in section] == ["alihkan"]
    seq = desk.find(id_).seq
    given = {"assignee": [str(other.id)]}
    desk.act(loket, id_, "alihkan", given, actor("kepala_seksi"), seq, clock.tick(60))
    assert desk.find(id_).step == "lapangan"
    assert casefile.read(loket, id_, actor("petugas"), clock.at).actions == ()
    assert casefile.read(loket, id_, second, clock.at).actions


@baubau
def test_a_task_taken_back_is_again_whose_it_was(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = brought(loket, clock, submit, "penugasan")
    section, mine = actor("kepala_seksi"), actor("petugas")
    other = User.get(User.name == "petugas2").id
    named = [(str(mine.id), "tugaskan"), (str(other), "alihkan")]
    for (assignee, action), before in zip(named, (None, mine.id), strict=True):
        for _ in range(2):
            seq, given = desk.find(id_).seq, {"assignee": [assignee]}
            desk.act(loket, id_, action, given, section, seq, clock.tick(20))
            assert desk.find(id_).assignee_id == int(assignee)
            taking_back.take_back(loket, id_, section, seq + 1, clock.tick(20))
            assert desk.find(id_).assignee_id == before
        seq = desk.find(id_).seq
        desk.act(loket, id_, action, {"assignee": [assignee]}, section, seq, clock.tick(20))


@baubau
@pytest.mark.parametrize(
    ("acts", "outcome"),
    [
        (["tidak_rekomendasikan", "tolak", "disampaikan"], "rejected"),
        (["rekomendasikan", "tolak", "disampaikan"], "rejected"),
        (["tidak_rekomendasikan", "kembalikan", "rekomendasikan", "terbitkan"], None),
        (["kunjungi_lagi", "laporkan", "rekomendasikan", "kembalikan"], None),
    ],
)
def test_the_head_decides_on_the_recommendation(
    loket: Loket, clock: Clock, submit: Submit, acts: list[str], outcome: str | None
) -> None:
    id_ = brought(loket, clock, submit, "usul")
    for action in acts:
        does(loket, clock, id_, action)
    assert desk.find(id_).outcome == outcome
    assert Letter.select().where(Letter.state == "issued").exists() is ("terbitkan" in acts)


@baubau
def test_who_is_not_in_the_register_has_no_way_to_a_letter(loket: Loket) -> None:
    service = loket.profile.letters[0]
    reached, waiting = {"tidak_ada"}, ["tidak_ada"]
    while waiting:
        for action in service.step(waiting.pop()).actions:
            if action.next not in reached and action.next != "cek":
                reached.add(action.next)
                waiting.append(action.next)
    assert reached == {"tidak_ada", "informasi", "selesai_tidak_ada"}


# --- Bangkalan: thirty hours, ink and stamp, the desa of the KTP ---


@bangkalan
def test_thirty_hours_are_working_hours_from_the_file_on(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    clock.at = FRIDAY_1530_WIB
    done = desk.find(begun(loket, submit))
    # One hour on Friday, 7.5 a day after it.
    assert at(loket, done.due_at) == "Thu 03 15.00"
    assert done.budget_s == 30 * 3600


@bangkalan
def test_the_unit_of_the_thirty_hours_is_the_files(loket: Loket) -> None:
    start = FRIDAY_1530_WIB
    assert loket.profile.letters[0].time.unit == "working_hour"
    assert at(loket, loket.calendar.due(start, 30, "clock_hour")) == "Sat 28 21.30"


@bangkalan
def test_a_letter_counts_when_its_stamped_copy_is_archived_and_not_before(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = brought(loket, clock, submit, "arsip")
    letter = Letter.get(Letter.application == id_)
    assert (letter.state, letter.number) == ("numbered", "460/1/433.110/2026")
    with pytest.raises(Invalid) as refused:
        desk.act(loket, id_, "diarsipkan", {}, actor("operator"), desk.find(id_).seq, clock.at)
    assert set(refused.value.fields) == {"stamp", "copy"}
    does(loket, clock, id_, "diarsipkan")
    assert Letter.get(Letter.application == id_).state == "issued"
    assert desk.find(id_).step == "penyerahan"


@bangkalan
def test_no_kiosk_prints_a_letter_that_needs_ink(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = brought(loket, clock, submit, "penyerahan")
    token = models.Ticket.get(models.Ticket.application == id_).token
    assert letter_prints.print_at_kiosk(loket, token, clock.at).state != "printing"


@bangkalan
def test_the_slip_names_the_desa_of_the_ktp_also_where_it_was_typed_by_hand(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    service: LetterService = loket.profile.letters[0]
    person = loket.register.find_nik("3602014708900001")
    assert person is not None
    typed = {key: str(value) for key, value in person.as_dict().items()} | {"village": ""}
    id_ = begun(loket, submit, person=typed, in_snapshot=False)
    does(loket, clock, id_, "lengkap")
    action = service.step("cek").action("tidak_ditemukan")
    assert action is not None
    given = filled(loket, id_, action, clock.at)
    seq = desk.find(id_).seq
    with pytest.raises(Invalid) as refused:
        desk.act(loket, id_, action.id, given, actor("operator"), seq, clock.at)
    assert "Isi desa/kelurahan menurut KTP" in refused.value.fields["rules"]
    given["person.village"] = ["SOCAH"]
    desk.act(loket, id_, action.id, given, actor("operator"), seq, clock.at)
    slip = slips.not_found(loket, desk.find(id_), clock.at)
    assert "Desa/Kelurahan SOCAH" in said(slip.lines)
    assert "operator SIKS-NG desa/kelurahan sesuai alamat pada KTP" in said(slip.lines)
    assert "SITI" not in said(slip.lines)
