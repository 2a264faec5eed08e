"""The promise's clock: not begun before the file is complete, and told in a unit that fits."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from kiosk import board, casefile, citizen, desk, promise, slip, slips, taking_back
from kiosk.loket import Loket
from kiosk.service import Time
from models import Application, Event, Ticket
from tests import by_hand
from tests.conftest import Clock, actor
from tests.letters import act
from tests.people import MONDAY_NINE
from tests.test_wet_ink import COMPLETE

Submit = Callable[..., int]
HOUR, DAY = 3600, 86400
TUESDAY_CLOSING = MONDAY_NINE + DAY + 7 * HOUR
SHORT = COMPLETE | {"papers.kk": "missing"}


@pytest.fixture
def late_start(loket: Loket) -> Loket:
    """One working day, counted from the complete file."""
    return by_hand.office(loket)


def with_time(loket: Loket, **time: object) -> Loket:
    """Lebak with another promise."""
    service = loket.profile.services[0]
    changed = service.model_copy(update={"time": Time.model_validate(time)})
    profile = loket.profile.model_copy(update={"services": (changed,), "version": f"{time}"})
    return replace(loket, profile=profile)


def clock_of(loket: Loket, id_: int, at: int) -> promise.Clock:
    return promise.clock_of(loket, desk.find(id_), at)


def told(loket: Loket, id_: int, at: int) -> tuple[int, str]:
    clock = clock_of(loket, id_, at)
    return clock.figure, clock.unit.id


def test_before_the_file_is_complete_nothing_runs_and_nothing_is_late(
    late_start: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(late_start)
    waiting = clock_of(late_start, id_, clock.at + 30 * DAY)
    assert (waiting.started, waiting.stopped, waiting.light) == (False, False, "green")
    assert (waiting.until, waiting.due_at, waiting.share) == (None, None, 1.0)
    act(late_start, clock, id_, "front_office", "kurang", **SHORT)
    missing = clock_of(late_start, id_, clock.at)
    assert (missing.started, missing.stopped) == (False, True)
    act(late_start, clock, id_, "front_office", "dilengkapi")
    running = clock_of(late_start, id_, clock.at)
    assert (running.started, running.due_at) == (True, TUESDAY_CLOSING)
    assert (running.left, running.share) == (running.budget, 1.0)


def test_a_start_taken_back_has_not_been(late_start: Loket, clock: Clock, submit: Submit) -> None:
    id_ = submit(late_start)
    act(late_start, clock, id_, "front_office", "lengkap", **COMPLETE)
    back = taking_back.take_back(
        late_start, id_, actor("front_office"), desk.find(id_).seq, clock.tick(60)
    )
    assert (back.step, back.due_at, back.left_s, back.budget_s) == ("berkas", None, None, 0)
    last = Event.select().order_by(Event.seq.desc()).first()
    assert (last.due_at, last.left_s) == (None, None)
    clock.tick(DAY)
    act(late_start, clock, id_, "front_office", "lengkap", **COMPLETE)
    assert desk.find(id_).due_at == TUESDAY_CLOSING + DAY


def test_a_started_clock_taken_back_to_a_standing_step_keeps_its_time(
    late_start: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(late_start)
    act(late_start, clock, id_, "front_office", "lengkap", **COMPLETE)
    act(late_start, clock, id_, "sekretariat", "kembalikan", reason="KK buram")
    left = desk.find(id_).left_s
    act(late_start, clock, id_, "front_office", "lengkap", **COMPLETE)
    taking_back.take_back(late_start, id_, actor("front_office"), desk.find(id_).seq, clock.at)
    assert desk.find(id_).left_s == left
    assert left is not None


def test_work_whose_promise_runs_comes_before_files_not_begun_and_both_before_who_waits(
    late_start: Loket, clock: Clock, submit: Submit
) -> None:
    fresh, running, waiting = (submit(late_start) for _ in range(3))
    act(late_start, clock, running, "front_office", "lengkap", **COMPLETE)
    act(late_start, clock, running, "sekretariat", "kembalikan", reason="Keliru")
    Application.update(due_at=TUESDAY_CLOSING, left_s=None).where(
        Application.id == running
    ).execute()
    act(late_start, clock, waiting, "front_office", "kurang", **SHORT)
    work = board.my_work(late_start, actor("front_office"), clock.at)
    assert [row.id for row in work.rows] == [running, fresh, waiting]


def test_the_citizen_is_promised_a_time_from_the_complete_file(
    late_start: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(late_start)
    ticket = citizen.ticket(late_start, id_, clock.at)
    assert (ticket.due_at, ticket.promise.id) == (None, "1 hari kerja")
    status = citizen.status(late_start, ticket.token, clock.at)
    assert status is not None
    assert (status.promise.en, status.clock.started) == ("1 working day", False)
    paper = slips.ticket(late_start, desk.find(id_), clock.at)
    said = [line.text for line in paper.lines]
    assert said[1:4] == ["Selesai dalam", "1 hari kerja", "sejak berkas lengkap"]
    assert slip.draw(paper).width == slip.DOTS


def test_a_working_day_is_told_in_days_then_hours_then_minutes(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    office = with_time(loket, amount=3, unit="working_day", days_start="next")
    id_ = submit(office)
    due = desk.find(id_).due_at
    assert due == MONDAY_NINE + 3 * DAY + 7 * HOUR
    assert told(office, id_, clock.at) == (3, "hari kerja")
    assert told(office, id_, clock.at + 2 * DAY) == (1, "hari kerja")
    assert told(office, id_, due - 3 * HOUR) == (3, "jam")
    assert told(office, id_, due - 600) == (10, "menit")
    assert clock_of(office, id_, due + HOUR).figure == 0
    assert told(office, id_, due + DAY) == (-1, "hari kerja")
    assert clock_of(office, id_, due + DAY).light == "red"


def test_thirty_hours_by_the_wall_run_through_the_night(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    office = with_time(loket, amount=30, unit="clock_hour")
    id_ = submit(office)
    assert told(office, id_, clock.at) == (30, "jam")
    night = clock.at + 12 * HOUR
    assert told(office, id_, night) == (18, "jam")
    assert not clock_of(office, id_, night).ticking
    assert (clock_of(office, id_, night).until or 0) > night + DAY
    assert told(office, id_, clock.at + 29 * HOUR + 1800) == (30, "menit")


def test_thirty_working_hours_stand_still_at_night(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    office = with_time(loket, amount=30, unit="working_hour")
    id_ = submit(office)
    assert told(office, id_, clock.at + 12 * HOUR) == (24, "jam")
    assert clock_of(office, id_, clock.at + 12 * HOUR).until is None


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ({"amount": 15, "unit": "minute"}, ("15 menit", "15 minutes")),
        ({"amount": 1, "unit": "month"}, ("1 bulan", "1 month")),
        (
            {"amount": 15, "unit": "working_day", "least": 7},
            ("7 sampai 15 hari kerja", "7 to 15 working days"),
        ),
    ],
)
def test_a_promise_is_said_in_words(time: dict[str, object], said: tuple[str, str]) -> None:
    words = promise.said(Time.model_validate(time))
    assert (words.id, words.en) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, (15, "menit")),
        (899, (1, "menit")),
        (900, (0, "menit")),
        (901, (-1, "menit")),
        (1200, (-5, "menit")),
        (900 + 3 * HOUR, (-2, "jam")),
    ],
)
def test_fifteen_minutes_are_told_in_minutes_begun_ones_counted(
    loket: Loket, clock: Clock, submit: Submit, seconds: int, said: tuple[int, str]
) -> None:
    id_ = submit(loket)
    assert told(loket, id_, clock.at + seconds) == said


def test_the_day_figures_are_of_promises_in_minutes(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    office = with_time(loket, amount=1, unit="working_day")
    for one in (loket, office):
        Application.update(
            closed_at=clock.at + 300, outcome="not_found", step="selesai_tidak_ada"
        ).where(Application.id == submit(one)).execute()
    assert board.figures(loket, clock.at + 300).median_minutes == 5
    Ticket.update(day="2026-11-20").where(Ticket.id == 1).execute()
    assert board.figures(office, clock.at + 300).median_minutes is None


def test_a_case_told_of_its_papers_says_only_what_is_wrong(
    late_start: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(late_start)
    wrong = COMPLETE | {"papers.kk": "wrong", "papers.kk.note": "fotokopi buram"}
    act(late_start, clock, id_, "front_office", "kurang", **wrong)
    act(late_start, clock, id_, "front_office", "dilengkapi")
    act(late_start, clock, id_, "sekretariat", "kembalikan", reason="Lihat lagi")
    act(late_start, clock, id_, "front_office", "lengkap", **COMPLETE)
    passed = casefile.read(late_start, id_, actor("front_office"), clock.at).passed
    told = [event.told[0][1][0] for event in passed if event.told]
    said = [one if isinstance(one, str) else one.id for one in told]
    assert said == [
        "Kartu Keluarga (KK): salah, fotokopi buram", "Lihat lagi", "semua ada dan benar",
    ]  # fmt: skip
