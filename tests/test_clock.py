from datetime import date, datetime, time
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kiosk.clock import UNITS, WALL_UNITS, Calendar, Season, light

MORNING, AFTERNOON = (time(7, 30), time(12)), (time(13), time(16))
WEEK = dict.fromkeys(range(4), (MORNING, AFTERNOON)) | {
    4: ((time(7, 30), time(11, 30)), (time(13), time(16, 30)))
}
FASTING = dict.fromkeys(range(4), ((time(8), time(12)), (time(12, 30), time(15)))) | {
    4: ((time(8), time(11, 30)), (time(12, 30), time(15, 30)))
}
RAMADAN = Season(date(2026, 2, 18), date(2026, 3, 19), FASTING)
OFFICE = Calendar("Asia/Jakarta", WEEK, seasons=(RAMADAN,))
HOUR = 3600


def at(text: str, zone: str = "Asia/Jakarta") -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def shown(moment: int) -> str:
    return f"{OFFICE.local(moment):%Y-%m-%d %H:%M}"


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        ("2026-07-06 09:00", 15, "2026-07-06 09:15"),
        ("2026-07-06 05:00", 15, "2026-07-06 07:45"),  # before opening
        ("2026-07-06 15:45", 15, "2026-07-06 16:00"),  # closing itself, not the next morning
        ("2026-07-06 15:50", 15, "2026-07-07 07:35"),
        ("2026-07-06 16:00", 15, "2026-07-07 07:45"),  # at closing
        ("2026-07-06 20:00", 15, "2026-07-07 07:45"),  # after closing
        ("2026-07-06 11:50", 15, "2026-07-06 13:05"),  # across the break
        ("2026-07-06 12:20", 15, "2026-07-06 13:15"),  # in the break
        ("2026-07-10 11:20", 15, "2026-07-10 13:05"),  # across Friday's prayer
        ("2026-07-10 11:15", 15, "2026-07-10 11:30"),
        ("2026-07-10 16:20", 15, "2026-07-13 07:35"),  # Friday's own closing, then the weekend
        ("2026-07-11 10:00", 15, "2026-07-13 07:45"),
        ("2026-02-17 10:00", 15, "2026-02-18 08:15"),  # Imlek, then the first day of Ramadan
        ("2026-03-02 11:50", 15, "2026-03-02 12:35"),  # Ramadan's shorter break
        ("2026-03-02 14:50", 15, "2026-03-03 08:05"),  # Ramadan's earlier closing
        ("2026-03-17 14:50", 15, "2026-03-25 07:35"),  # Nyepi, Lebaran and their cuti bersama
        ("2027-03-05 16:20", 15, "2027-03-16 07:35"),  # 2027: 8 to 15 March
        ("2026-12-23 15:50", 15, "2026-12-28 07:35"),  # Christmas and its cuti bersama
        ("2026-12-31 15:50", 15, "2027-01-04 07:35"),  # over the year's end
        ("2026-01-01 00:00", 15, "2026-01-02 07:45"),  # still 2025 in UTC
    ],
)
def test_minutes_run_in_working_time_only(start: str, minutes: int, end: str) -> None:
    assert shown(OFFICE.due(at(start), minutes, "minute")) == end


@pytest.mark.parametrize(
    ("start", "amount", "unit", "day_one", "end"),
    [
        ("2026-07-06 10:00", 30, "working_hour", "next", "2026-07-10 10:00"),
        ("2026-07-10 15:00", 48, "clock_hour", "next", "2026-07-12 15:00"),
        ("2026-07-06 10:00", 1, "working_day", "next", "2026-07-07 16:00"),
        ("2026-07-06 10:00", 1, "working_day", "same", "2026-07-06 16:00"),
        ("2026-07-06 16:00", 1, "working_day", "same", "2026-07-07 16:00"),  # nothing left of it
        ("2026-07-09 10:00", 1, "working_day", "next", "2026-07-10 16:30"),  # Friday's closing
        ("2026-07-11 10:00", 1, "working_day", "next", "2026-07-13 16:00"),  # Saturday
        ("2026-07-11 10:00", 1, "working_day", "same", "2026-07-13 16:00"),
        ("2026-03-16 10:00", 5, "working_day", "next", "2026-03-30 16:00"),  # over Lebaran
        ("2026-12-30 10:00", 2, "working_day", "next", "2027-01-04 16:00"),
        ("2026-07-06 10:00", 1, "calendar_day", "next", "2026-07-07 16:00"),
        ("2026-07-06 10:00", 1, "calendar_day", "same", "2026-07-06 16:00"),
        ("2026-07-06 17:00", 1, "calendar_day", "same", "2026-07-07 16:00"),
        ("2026-07-06 10:00", 5, "calendar_day", "next", "2026-07-13 16:00"),  # ends on a Saturday
        ("2026-07-06 10:00", 1, "month", "next", "2026-08-06 16:00"),
        ("2026-01-31 10:00", 1, "month", "same", "2026-03-02 15:00"),  # clipped to a Saturday
        ("2028-01-31 10:00", 1, "month", "next", "2028-02-29 16:00"),
        ("2026-11-30 10:00", 14, "month", "next", "2028-01-31 16:00"),  # 30 January is a Sunday
    ],
)
def test_each_unit_ends_as_it_says(start, amount, unit, day_one, end) -> None:
    assert shown(OFFICE.due(at(start), amount, unit, day_one)) == end


def test_day_one_is_the_next_working_day_unless_the_office_says_otherwise() -> None:
    monday = at("2026-07-06 10:00")
    assert OFFICE.due(monday, 1, "working_day") == OFFICE.due(monday, 1, "working_day", "next")


@pytest.mark.parametrize("unit", UNITS)
def test_a_promise_of_nothing_is_refused(unit: str) -> None:
    with pytest.raises(ValueError, match="amount"):
        OFFICE.due(at("2026-07-06 10:00"), 0, unit)


@pytest.mark.parametrize(
    ("moment", "open_", "opening"),
    [
        ("2026-07-06 07:29", False, "2026-07-06 07:30"),
        ("2026-07-06 07:30", True, "2026-07-06 07:30"),
        ("2026-07-06 11:59", True, "2026-07-06 11:59"),
        ("2026-07-06 12:00", False, "2026-07-06 13:00"),
        ("2026-07-10 12:30", False, "2026-07-10 13:00"),
        ("2026-07-10 16:30", False, "2026-07-13 07:30"),
        ("2026-12-31 16:00", False, "2027-01-04 07:30"),
    ],
)
def test_the_office_is_open_from_opening_until_closing(moment, open_, opening) -> None:
    assert OFFICE.is_open(at(moment)) is open_
    assert shown(OFFICE.next_open(at(moment))) == opening


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2026-07-06", None),
        ("2026-07-11", "Sabtu"),
        ("2026-07-12", "Minggu"),
        ("2026-08-17", "Hari Kemerdekaan Republik Indonesia"),
        ("2026-03-18", "Cuti Bersama Hari Suci Nyepi"),
        ("2026-03-21", "Hari Raya Idul Fitri"),  # a Saturday: the holiday is what people look for
        ("2026-03-24", "Cuti Bersama Hari Raya Idul Fitri"),
        ("2027-03-15", "Cuti Bersama Hari Raya Idul Fitri"),
    ],
)
def test_a_closed_day_says_why(day: str, name: str | None) -> None:
    assert OFFICE.closed_name(date.fromisoformat(day)) == name


def test_lists_of_holidays_can_be_left_out() -> None:
    national = Calendar("Asia/Jakarta", WEEK, cuti_bersama=False)
    shared = Calendar("Asia/Jakarta", WEEK, national=False)
    neither = Calendar("Asia/Jakarta", WEEK, national=False, cuti_bersama=False)
    eve, christmas = date(2026, 12, 24), date(2026, 12, 25)
    open_days = [[c.closed_name(d) is None for d in (eve, christmas)] for c in (national, shared)]
    assert open_days == [[True, False], [False, True]]
    assert neither.closed_name(christmas) is None


def test_the_office_adds_a_closed_day_and_strikes_a_holiday() -> None:
    anniversary, christmas_leave = date(2026, 12, 2), date(2026, 12, 24)
    own = Calendar(
        "Asia/Jakarta",
        WEEK,
        added={anniversary: "Hari jadi Kabupaten Lebak"},
        struck=frozenset({christmas_leave, date(2026, 8, 15)}),
    )
    assert own.closed_name(anniversary) == "Hari jadi Kabupaten Lebak"
    assert own.due(at("2026-12-01 15:50"), 15, "minute") == at("2026-12-03 07:35")
    assert own.is_open(at("2026-12-24 09:00"))
    assert own.closed_name(date(2026, 8, 15)) == "Sabtu"  # no hours on a Saturday to open with


def test_a_season_changes_the_hours_of_its_days_only() -> None:
    office = Calendar("Asia/Jakarta", WEEK, (Season(date(2026, 7, 7), date(2026, 7, 8), FASTING),))
    days = [date(2026, 7, day) for day in range(6, 10)]
    openings = [shown(office.spans(day)[0][0])[11:] for day in days]
    assert openings == ["07:30", "08:00", "08:00", "07:30"]


@pytest.mark.parametrize(
    ("zone", "opening_utc", "midnight_utc"),
    [
        ("Asia/Jakarta", "2026-07-06 00:30", "2026-07-05 17:00"),
        ("Asia/Makassar", "2026-07-05 23:30", "2026-07-05 16:00"),
        ("Asia/Jayapura", "2026-07-05 22:30", "2026-07-05 15:00"),
    ],
)
def test_an_office_lives_in_its_own_zone(zone, opening_utc, midnight_utc) -> None:
    office = Calendar(zone, WEEK)
    assert office.spans(date(2026, 7, 6))[0][0] == at(opening_utc, "UTC")
    midnight = at(midnight_utc, "UTC")
    assert office.day_of(midnight) == date(2026, 7, 6)
    assert office.day_of(midnight - 1) == date(2026, 7, 5)
    assert office.due(at("2026-07-06 15:45", zone), 15, "minute") == at("2026-07-06 16:00", zone)
    assert office.local(midnight).hour == 0


def test_a_week_holds_37_and_a_half_hours_and_one_of_ramadan_32_and_a_half() -> None:
    assert OFFICE.between(at("2026-07-06 00:00"), at("2026-07-13 00:00")) == 37.5 * HOUR
    assert OFFICE.between(at("2026-03-02 00:00"), at("2026-03-09 00:00")) == 32.5 * HOUR


def test_nothing_is_worked_backwards_or_at_night() -> None:
    noon, morning = at("2026-07-06 12:00"), at("2026-07-06 08:00")
    assert OFFICE.between(noon, morning) == 0
    assert OFFICE.between(at("2026-07-06 16:00"), at("2026-07-07 07:30")) == 0
    assert OFFICE.add(at("2026-07-06 20:00"), 0) == at("2026-07-06 20:00")
    with pytest.raises(ValueError, match="seconds"):
        OFFICE.add(noon, -1)


def test_years_add_up() -> None:
    years = [at(f"{year}-01-01 00:00") for year in range(2025, 2029)]
    whole = OFFICE.between(years[0], years[-1])
    assert whole == sum(OFFICE.between(a, b) for a, b in pairwise(years))
    assert OFFICE.add(years[0], whole) == at("2027-12-31 16:30")


def test_waiting_for_the_citizen_over_a_weekend_costs_the_office_nothing() -> None:
    due = OFFICE.due(at("2026-07-10 16:20"), 15, "minute")
    left = OFFICE.left(at("2026-07-10 16:25"), due, "minute")
    assert left == 10 * 60
    assert shown(OFFICE.resume(at("2026-07-14 09:00"), left, "minute")) == "2026-07-14 09:10"


def test_a_late_promise_stays_as_late_as_it_was() -> None:
    due = at("2026-07-06 15:50")
    left = OFFICE.left(at("2026-07-07 07:40"), due, "minute")
    assert left == -20 * 60
    again = OFFICE.resume(at("2026-07-08 09:00"), left, "minute")
    assert OFFICE.left(at("2026-07-08 09:00"), again, "minute") == left


def test_a_promise_up_at_closing_is_late_only_in_working_time() -> None:
    closing = at("2026-07-06 16:00")
    assert OFFICE.left(at("2026-07-06 21:00"), closing, "working_day") == 0
    assert OFFICE.left(at("2026-07-07 07:30") + 1, closing, "working_day") == -1
    assert OFFICE.left(at("2026-07-06 21:00"), closing, "calendar_day") == -5 * HOUR


def test_a_promise_up_on_the_years_last_day_stays_there_when_resumed_before_opening() -> None:
    closing, early = at("2026-12-31 16:00"), at("2027-01-04 05:00")
    assert OFFICE.left(early, closing, "minute") == 0
    assert OFFICE.resume(early, 0, "minute") == closing


@pytest.mark.parametrize(
    ("left", "colour"),
    [(900, "green"), (301, "green"), (300, "amber"), (0, "amber"), (-1, "red")],
)
def test_the_light_is_amber_from_two_thirds_and_red_when_late(left: int, colour: str) -> None:
    assert light(left, 900) == colour


@pytest.mark.parametrize(
    "wrong",
    [
        {"week": {}},
        {"week": {0: ()}},
        {"week": {7: (MORNING,)}},
        {"week": {0: ((time(9), time(9)),)}},
        {"week": {0: (AFTERNOON, MORNING)}},
        {"week": {0: ((time(8), time(12)), (time(12), time(15)))}},
        {"seasons": (Season(date(2026, 3, 2), date(2026, 3, 1), FASTING),)},
        {"seasons": (Season(date(2026, 3, 1), date(2026, 3, 2), {0: ((time(9), time(8)),)}),)},
        {"timezone": "Asia/Rangkasbitung"},
        {"added": {date(2026, 1, 2): "Libur"}, "struck": frozenset({date(2026, 1, 2)})},
    ],
)
def test_hours_that_make_no_sense_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"expected|after|known|both"):
        Calendar(**({"timezone": "Asia/Jakarta", "week": WEEK} | wrong))


moments = st.integers(at("2025-12-01 00:00"), at("2027-04-30 00:00"))
working_seconds = st.integers(0, 400 * HOUR)
amounts = st.integers(1, 40)
units = st.sampled_from(UNITS)
first_days = st.sampled_from(["same", "next"])
quick = settings(max_examples=200, deadline=None, derandomize=True, database=None)


@quick
@given(moments, working_seconds)
def test_what_is_added_lies_between(start: int, seconds: int) -> None:
    assert OFFICE.between(start, OFFICE.add(start, seconds)) == seconds


@quick
@given(moments, st.integers(0, 30 * 24 * HOUR))
def test_working_time_is_the_overlap_with_the_spans(start: int, length: int) -> None:
    end = start + length
    first, days = OFFICE.day_of(start), length // (24 * HOUR) + 2
    spans = [s for n in range(days) for s in OFFICE.spans(date.fromordinal(first.toordinal() + n))]
    overlap = sum(max(0, min(end, close) - max(start, opening)) for opening, close in spans)
    assert OFFICE.between(start, end) == overlap


@quick
@given(moments, st.integers(1, 40 * HOUR), st.integers(1, 40 * HOUR))
def test_adding_in_two_parts_is_adding_at_once(start: int, one: int, two: int) -> None:
    assert OFFICE.add(OFFICE.add(start, one), two) == OFFICE.add(start, one + two)


@quick
@given(moments, moments, amounts, units, first_days)
def test_who_comes_later_is_never_promised_earlier(a, b, amount, unit, day_one) -> None:
    early, late = sorted((a, b))
    assert OFFICE.due(early, amount, unit, day_one) <= OFFICE.due(late, amount, unit, day_one)


@quick
@given(moments, amounts, units, first_days)
def test_a_promise_lies_ahead_and_a_longer_one_not_nearer(start, amount, unit, day_one) -> None:
    due = OFFICE.due(start, amount, unit, day_one)
    assert start < due <= OFFICE.due(start, amount + 1, unit, day_one)


@quick
@given(moments, moments, amounts, units, first_days)
def test_stopping_and_resuming_at_once_changes_nothing(start, stop, amount, unit, day_one) -> None:
    due = OFFICE.due(start, amount, unit, day_one)
    assert OFFICE.resume(stop, OFFICE.left(stop, due, unit), unit) == due


@quick
@given(moments, amounts, units, st.lists(st.integers(0, 5 * 24 * HOUR), max_size=12))
def test_no_row_of_stops_loses_or_gains_time(start, amount, unit, waits) -> None:
    due = OFFICE.due(start, amount, unit)
    promised, clock, run = OFFICE.left(start, due, unit), start, 0
    for running, waiting in zip(waits[::2], waits[1::2], strict=False):
        stopped = clock + running
        run += running if unit in WALL_UNITS else OFFICE.between(clock, stopped)
        left = OFFICE.left(stopped, due, unit)
        clock = stopped + waiting
        due = OFFICE.resume(clock, left, unit)
        assert OFFICE.left(clock, due, unit) == left == promised - run


@quick
@given(moments)
def test_the_next_opening_is_open_and_nothing_is_worked_until_then(moment: int) -> None:
    opening = OFFICE.next_open(moment)
    assert OFFICE.is_open(opening)
    assert OFFICE.between(moment, opening) == 0
    assert (
        OFFICE.is_open(moment) == (opening == moment) == (OFFICE.between(moment, moment + 1) == 1)
    )
