"""Whatever staff and citizens do in whatever order: no illegal state, no time lost or given away.

The clock is held against an office that counts its minutes one by one; applications against a
record of their own, kept beside the desk's.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import count
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from kiosk import desk, letter_prints, staff, taking_back, workflow
from kiosk.clock import WALL_UNITS, Calendar, Season, Unit
from kiosk.errors import LoketError
from kiosk.loket import Loket
from kiosk.service import Action, LetterService, Step
from kiosk.staff import Actor
from models import Application, Event, Letter, Ticket, User
from tests.conftest import PASSWORD, Clock
from tests.test_workflow import PROFILES, consistent, filled, somebody

Submit = Callable[..., int]

# --- The clock ---

WIB = ZoneInfo("Asia/Jakarta")
OPEN = {weekday: ((time(7, 30), time(12)), (time(13), time(16))) for weekday in range(4)}
OPEN[4] = ((time(7, 30), time(11, 30)), (time(13), time(16, 30)))
FASTING = {weekday: ((time(8), time(12)), (time(12, 30), time(15))) for weekday in range(4)}
FASTING[4] = ((time(8), time(11, 30)), (time(12, 30), time(15, 30)))
RAMADAN = (date(2026, 2, 18), date(2026, 3, 19))
OFFICE = Calendar("Asia/Jakarta", OPEN, seasons=(Season(*RAMADAN, FASTING),))
# As decreed for these spans: SKB 3 Menteri 2026, and New Year.
CLOSED = frozenset(
    date.fromisoformat(f"2026-{day}")
    for day in (
        *("02-16", "02-17", "03-18", "03-19", "03-20", "03-21", "03-22", "03-23", "03-24"),
        *("12-24", "12-25"),
    )
) | {date(2027, 1, 1)}
# An ordinary Thursday, the eve of Ramadan, Ramadan's end into Lebaran, Christmas, the year's end.
SEASONS = ("2026-07-09", "2026-02-13", "2026-03-16", "2026-12-23", "2026-12-30")
moments = st.builds(
    lambda day, minute: _epoch(date.fromisoformat(day), time()) + minute * 60,
    st.sampled_from(SEASONS),
    st.integers(0, 3 * 24 * 60),
)
fixed = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=[Phase.generate],  # shrinking would take minutes
)


def _epoch(day: date, moment: time) -> int:
    return int(datetime.combine(day, moment, WIB).timestamp())


@cache
def hours(day: date) -> tuple[tuple[int, int], ...]:
    """The spans of a day, by hand."""
    week = FASTING if RAMADAN[0] <= day <= RAMADAN[1] else OPEN
    spans = () if day in CLOSED else week.get(day.weekday(), ())
    return tuple((_epoch(day, start), _epoch(day, end)) for start, end in spans)


def works(minute: int) -> bool:
    """Whether the office works in the minute that begins then."""
    day = datetime.fromtimestamp(minute, WIB).date()
    return any(start <= minute < end for start, end in hours(day))


def counted(at: int, minutes: int) -> int:
    """When that many minutes of work have passed since `at`, one by one."""
    for minute in count(at, 60):
        if not minutes:
            return minute
        minutes -= works(minute)
    raise AssertionError


def closings(day: date) -> Iterator[int]:
    """Each closing from a day on."""
    for n in count():
        spans = hours(day + timedelta(n))
        if spans:
            yield spans[-1][1]


def month_later(day: date, months: int) -> date:
    """The same day of a later month, or that month's last: found by going back."""
    month = date(day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1, 1)
    fitting = (month + timedelta(n) for n in range(day.day - 1, -1, -1))
    return next(one for one in fitting if one.month == month.month)


def by_hand(at: int, amount: int, unit: Unit, day_one: Literal["same", "next"]) -> int:
    """When a promise is due, by counting."""
    day = datetime.fromtimestamp(at, WIB).date()
    first = day + timedelta(day_one == "next")
    if unit in ("minute", "working_hour"):
        return counted(at, amount * (60 if unit == "working_hour" else 1))
    if unit == "clock_hour":
        return at + amount * 3600
    if unit == "working_day":
        ahead = [end for end, _ in zip(closings(first), range(amount + 1), strict=False)]
        return [end for end in ahead if end > at][amount - 1]
    last = month_later(day, amount) if unit == "month" else first + timedelta(amount - 1)
    return next(end for end in closings(last) if end > at)


@settings(fixed, max_examples=120)
@given(
    moments,
    st.one_of(
        st.tuples(st.integers(1, 1200), st.just("minute")),
        st.tuples(st.integers(1, 20), st.just("working_hour")),
        st.tuples(st.integers(1, 96), st.just("clock_hour")),
        st.tuples(st.integers(1, 5), st.sampled_from(["working_day", "calendar_day"])),
        st.tuples(st.just(1), st.just("month")),
    ),
    st.sampled_from(["same", "next"]),
)
def test_a_promise_is_due_when_counting_minute_by_minute_says(at, promise, day_one) -> None:
    amount, unit = promise
    due = OFFICE.due(at, amount, unit, day_one)
    if unit == "month" and due > _epoch(date(2026, 3, 25), time()):  # months ahead are not listed
        assert OFFICE.spans(OFFICE.day_of(due))[-1][1] == due
        return
    assert due == by_hand(at, amount, unit, day_one)
    # A promise never ends in a closed office: in its work, or as it closes for a break or a day.
    assert unit == "clock_hour" or OFFICE.is_open(due) or OFFICE.is_open(due - 1)


@settings(fixed, max_examples=60)
@given(moments, st.integers(0, 5 * 24 * 60))
def test_what_is_worked_is_the_minutes_that_one_counts(at: int, minutes: int) -> None:
    end = at + minutes * 60
    assert OFFICE.between(at, end) == 60 * sum(works(minute) for minute in range(at, end, 60))


@settings(fixed, max_examples=60)
@given(moments, st.integers(1, 900), st.integers(1, 900), st.integers(0, 4 * 24 * 3600))
def test_what_is_left_never_falls_below_nothing_before_the_end(at, minutes, stop, wait) -> None:
    due = OFFICE.due(at, minutes, "minute")
    then = min(at + stop * 60, due)
    left = OFFICE.left(then, due, "minute")
    assert 0 <= left <= minutes * 60
    assert OFFICE.add(then + wait, left) == OFFICE.resume(then + wait, left, "minute") or not left


# --- Applications ---

# Monday, Friday at closing, Christmas and its cuti bersama, the year's end, before Ramadan and
# before Lebaran 2027. Not before the office's keys were made.
STARTS = (
    *("2026-11-23 09:00", "2026-11-27 16:20", "2026-12-23 15:50", "2026-12-31 15:58"),
    *("2027-02-05 11:25", "2027-03-05 15:10"),
)
RESTS = (0, 1, 20, 119, 120, 121, 900, 4 * 3600, 16 * 3600, 65 * 3600, 11 * 24 * 3600)
OFFICES = [
    pytest.param(name, service.id, id=f"{name}-{service.id}")
    for name, profile in PROFILES.items()
    for service in profile.letters
]


@dataclass(frozen=True)
class Deed:
    """Something somebody tries: after a rest, with a number that says which of what is possible."""

    what: Literal["on", "do", "here", "any", "stale", "back", "print"]
    which: int
    rest: int


deeds = st.lists(
    st.builds(
        Deed,
        st.sampled_from(
            ["on"] * 9 + ["do"] * 4 + ["here"] * 3 + ["any", "stale", "back", "back", "print"]
        ),
        st.integers(0, 2**16),
        st.sampled_from(RESTS),
    ),
    min_size=8,
    max_size=24,
)


class Record:
    """What should be true of an application, kept from what was done: no due date stands here."""

    def __init__(self, loket: Loket, service: LetterService, id_: int, now: int) -> None:
        self.loket, self.service, self.id = loket, service, id_
        self.at, self.steps, self.actors = now, [service.step(service.start)], [0]
        self.acts: list[Action | None] = [None]
        self.ran: list[int | None] = [None if self.step.stops_clock else 0]
        self.budget = self._promised(now) if self.ran[-1] == 0 else 0

    @property
    def step(self) -> Step:
        return self.steps[-1]

    def _promised(self, now: int) -> int:
        promise = self.service.time
        due = self.loket.calendar.due(now, promise.amount, promise.unit, promise.days_start)
        return self._elapsed(now, due)

    def _elapsed(self, start: int, end: int) -> int:
        if self.service.time.unit in WALL_UNITS:
            return end - start
        return self.loket.calendar.between(start, end)

    def moved(self, action: Action | None, to: Step, actor: int, now: int) -> None:
        """An act was done; None took back the last one."""
        ran, begun_here = self.ran[-1], self.ran[-2:-1] == [None]
        if ran is not None and not self.step.stops_clock:
            ran += self._elapsed(self.at, now)
        if action is None and begun_here and to.stops_clock:
            ran = None
        elif ran is None and not to.stops_clock and not to.ends:
            ran, self.budget = 0, self._promised(now)
        self.at = now
        self.steps.append(to)
        self.acts.append(action)
        self.actors.append(actor)
        self.ran.append(ran)

    def check(self) -> None:
        """The row and its events say what was done, and every second is accounted for."""
        row = consistent(self.id)
        events = list(Event.select().where(Event.application == self.id).order_by(Event.seq))
        assert [event.to_step for event in events] == [step.id for step in self.steps]
        assert [event.actor_id or 0 for event in events] == self.actors
        assert (row.closed_at, row.outcome) == (self.at if self.step.ends else None, self.step.ends)
        ran = self.ran[-1]
        if ran is None:
            assert (row.budget_s, row.due_at, row.left_s) == (0, None, None)
            return
        assert row.budget_s == self.budget
        left = row.left_s
        if not self.step.stops_clock:
            left = self.loket.calendar.left(self.at, row.due_at, self.service.time.unit)
        assert ran + left == self.budget

    def may_take_back(self, actor: Actor, now: int) -> bool:
        last = self.acts[-1]
        return (
            last is not None
            and not last.on
            and self.actors[-1] == actor.id
            and now - self.at <= taking_back.TAKE_BACK_S
            and not taking_back.LASTING.intersection(last.does)
        )


def everybody(loket: Loket, now: int) -> list[Actor]:
    """One of each role; of one that cases are given to, another besides."""
    people = [somebody(loket, role.id, now) for role in loket.profile.roles]
    steps = [step for service in loket.profile.letters for step in service.steps]
    given_to = {f.role for step in steps for action in step.actions for f in action.fields}
    for role in sorted(given_to - {None}):
        name = f"lain.{role}"
        if User.get_or_none(User.name == name) is None:
            staff.add_user(loket.profile, name, "", role, PASSWORD, now)
        people.append(Actor(User.get(User.name == name).id, name, "", role))
    return people


def everything(id_: int) -> list[dict[str, Any]]:
    """All rows of an application that an act could change."""
    mine: list[dict[str, Any]] = list(Application.select().where(Application.id == id_).dicts())
    for table in (Event, Letter, Ticket):
        mine.extend(table.select().where(table.application == id_).order_by(table.id).dicts())
    return mine


def refused(attempt: Callable[[], object], id_: int) -> bool:
    """Whether this is refused; then nothing has changed."""
    before = everything(id_)
    try:
        attempt()
    except LoketError:
        assert everything(id_) == before
        return True
    return False


def try_act(record: Record, deed: Deed, clock: Clock, seq: int) -> None:
    """An act by somebody: any of the office's; with "here" one of this step's by those whose
    step it is, with "do" one that may be done, with "on" the first of those, which leads on.
    """
    loket, service, id_ = record.loket, record.service, record.id
    mine = desk.find(id_).assignee_id
    people = everybody(loket, clock.at)
    known = [action for step in service.steps for action in step.actions]
    choices = [(who, action) for who in people for action in known]
    here = [(w, action) for w, action in choices if action in record.step.actions]
    if deed.what == "here":
        choices = [(w, action) for w, action in here if w.role in record.step.roles] or choices
    able = [
        (who, action)
        for who in people
        for action in workflow.offered(record.step, who.role, True)
        if not action.assigned or who.id == mine
    ]
    if deed.what in ("on", "do") and able:
        choices = able[:1] if deed.what == "on" else able
    who, action = choices[deed.which % len(choices)]
    legal = (who, action) in able
    given = filled(loket, id_, action, clock.at) if action in record.step.actions else {}
    now = clock.at
    done = not refused(lambda: desk.act(loket, id_, action.id, given, who, seq, now), id_)
    right = seq == len(record.steps)
    assert legal or not done
    assert right or not done
    if done:
        record.moved(action, service.step(action.next), who.id, now)
    else:
        # What is asked besides may be missing: a sheet to release, or a condition of the file.
        assert not legal or not right or action.rules or "release" in action.does


def try_back(record: Record, deed: Deed, clock: Clock, seq: int) -> None:
    last = next((a for a in reversed(record.actors) if a), 0)
    people = everybody(record.loket, clock.at)
    people += [who for who in people if who.id == last] * len(people)
    who, now = people[deed.which % len(people)], clock.at
    may = record.may_take_back(who, now) and seq == len(record.steps)
    back = lambda: taking_back.take_back(record.loket, record.id, who, seq, now)  # noqa: E731
    assert refused(back, record.id) is not may
    if may:
        record.moved(None, record.steps[-2], who.id, now)


def try_print(record: Record, clock: Clock) -> None:
    """The letter came out at the kiosk: a step with an act for that is left."""
    before = everything(record.id)
    action = next((a for a in record.step.actions if a.on == "kiosk_print"), None)
    letter_prints.printed_at_kiosk(record.loket, record.id, clock.at)
    if action is None:
        assert everything(record.id) == before
    else:
        record.moved(action, record.service.step(action.next), 0, clock.at)


@settings(fixed, max_examples=10)
@given(st.sampled_from(STARTS), deeds)
@pytest.mark.parametrize(("office", "service_id"), OFFICES)
def test_no_row_of_deeds_makes_an_illegal_state_or_loses_time(
    loket: Loket, clock: Clock, submit: Submit, office: str, service_id: str,
    start: str, deeds: list[Deed],
) -> None:  # fmt: skip
    profile = PROFILES[office]
    loket = replace(loket, profile=profile, calendar=profile.calendar())
    service = profile.letter_service(service_id)
    clock.at = int(datetime.fromisoformat(start).replace(tzinfo=WIB).timestamp())
    id_ = submit(loket, service=service_id, purpose=service.purposes[0].id)
    record = Record(loket, service, id_, clock.at)
    record.check()
    for deed in deeds:
        clock.tick(deed.rest)
        seq = len(record.steps) - (deed.what == "stale")
        if deed.what == "back":
            try_back(record, deed, clock, seq)
        elif deed.what == "print":
            try_print(record, clock)
        else:
            try_act(record, deed, clock, seq)
        record.check()
