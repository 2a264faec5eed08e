"""Working time of an office: opening hours, due dates, stopped clocks.

Every moment is UTC epoch seconds and handed in. Hours, seasons and days are the office's settings
(the frame is Perpres 21/2023: Monday to Friday, 37.5 hours a week, fewer in Ramadan); holidays and
cuti bersama come from the library `holidays`.
"""

import calendar
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate, islice, pairwise
from typing import Literal, get_args
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays

from kiosk import words

Week = Mapping[int, tuple[tuple[time, time], ...]]
Unit = Literal["minute", "working_hour", "clock_hour", "calendar_day", "working_day", "month"]
DayOne = Literal["same", "next"]
Light = Literal["green", "amber", "red"]

UNITS: tuple[Unit, ...] = get_args(Unit)
WALL_UNITS: frozenset[Unit] = frozenset({"clock_hour", "calendar_day", "month"})


@dataclass(frozen=True)
class Season:
    """Other hours from `first` to `last`, both included, such as those of Ramadan."""

    first: date
    last: date
    week: Week


@dataclass(frozen=True)
class _Year:
    """One local year's spans; `before[i]` is the working time of the year before span `i`."""

    starts: tuple[int, ...]
    ends: tuple[int, ...]
    before: tuple[int, ...]

    @property
    def total(self) -> int:
        return self.before[-1]


@lru_cache(maxsize=64)
def _holidays(year: int, national: bool, cuti_bersama: bool) -> Mapping[date, str]:
    wanted = (("public", national), ("government", cuti_bersama))
    categories = tuple(name for name, on in wanted if on)
    if not categories:
        return {}
    return dict(holidays.country_holidays("ID", years=year, categories=categories, language="id"))


def _check_week(week: Week) -> None:
    for weekday, spans in week.items():
        if weekday not in range(7):
            raise ValueError(f"weekday {weekday}: 0 (Monday) to 6 (Sunday) expected")
        moments = [moment for span in spans for moment in span]
        if any(a >= b for a, b in pairwise(moments)):
            raise ValueError(f"weekday {weekday}: spans in order that do not touch expected")


@dataclass(frozen=True)
class Calendar:
    """When an office works.

    `week` maps a weekday (0 = Monday) to its spans with the breaks left out; a weekday without
    spans is closed. The first of `seasons` that holds a day replaces the week. `added` are further
    closed days with their reason, `struck` holidays on which the office is open all the same.
    `national` and `cuti_bersama` say which published lists close the office.

    Raises ValueError for an unknown time zone, for spans out of order, and for a week without any.
    """

    timezone: str
    week: Week
    seasons: tuple[Season, ...] = ()
    added: Mapping[date, str] = field(default_factory=dict)
    struck: frozenset[date] = frozenset()
    national: bool = True
    cuti_bersama: bool = True
    _years: dict[int, _Year] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for week in (self.week, *(season.week for season in self.seasons)):
            _check_week(week)
        try:
            ZoneInfo(self.timezone)
        except ZoneInfoNotFoundError as error:
            raise ValueError(f"timezone: {self.timezone} is not known") from error
        if not any(self.week.values()):
            raise ValueError("week: at least one span expected")
        if any(season.first > season.last for season in self.seasons):
            raise ValueError("seasons: the first day is after the last")
        if self.struck.intersection(self.added):
            raise ValueError("a day is both added and struck")

    @cached_property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    def local(self, at: int) -> datetime:
        """The office's own clock at `at`, aware."""
        return datetime.fromtimestamp(at, self._zone)

    def day_of(self, at: int) -> date:
        """The office's day at `at`: it changes at local midnight (UTC's is 07.00 in Jakarta)."""
        return self.local(at).date()

    def closed_name(self, day: date) -> str | None:
        """Why the office is closed all of `day`, in Indonesian, or None when it works.

        The reason is the added day's or the holiday's name, else the weekday's. Holidays of years
        not yet decreed are the library's estimates and say so ("perkiraan").
        """
        if day in self.added:
            return self.added[day]
        if day not in self.struck:
            name = _holidays(day.year, self.national, self.cuti_bersama).get(day)
            if name:
                return name
        return None if self._hours(day) else words.weekday(day)

    def spans(self, day: date) -> tuple[tuple[int, int], ...]:
        """The working time of a local day as (start, end), end not included; () when closed."""
        if self.closed_name(day):
            return ()
        return tuple(
            (self._epoch(day, start), self._epoch(day, end)) for start, end in self._hours(day)
        )

    def is_open(self, at: int) -> bool:
        """Whether `at` is working time; the closing moment and the break are not."""
        return self.next_open(at) == at

    def next_open(self, at: int) -> int:
        """The first working moment from `at` on: `at` itself when the office is open."""
        year = self.day_of(at).year
        spans = self._year(year)
        index = bisect_right(spans.ends, at)
        while index == len(spans.starts):
            year, index = year + 1, 0
            spans = self._year(year)
        return max(at, spans.starts[index])

    def between(self, a: int, b: int) -> int:
        """Working seconds from `a` to `b`; 0 when `b` is not after `a`."""
        return max(0, self._signed(a, b))

    def add(self, at: int, seconds: int) -> int:
        """The moment when `seconds` (0 or more) of working time have passed since `at`.

        The end of a span counts as that moment and not as the next opening: 15 minutes from 15.45
        with closing at 16.00 is 16.00.
        """
        if seconds < 0:
            raise ValueError("seconds: 0 or more expected")
        return self._moment(at, seconds) if seconds else at

    def due(self, at: int, amount: int, unit: Unit, day_one: DayOne = "next") -> int:
        """By when a promise of `amount` (1 or more) of `unit`, given at `at`, must be kept.

        - `minute`, `working_hour`: that much working time later (`add`).
        - `clock_hour`: that many hours later by the wall clock, night and holiday alike ("2 x 24
          jam").
        - `working_day`: the closing of the n-th working day. `day_one` says which is the first:
          with "next" the first working day after the local day of `at`; with "same" the day of
          `at` itself, while any of its working time is left, else the next working day.
        - `calendar_day`: the closing of the n-th day, counted by the calendar from the next day or
          the same.
        - `month`: the closing of the same day of the n-th month on, or of that month's last day
          when it is shorter (31 January → 28 February). `day_one` plays no part.

        A calendar day or month that ends on a closed day, or before `at`, ends at the closing of
        the next working day: the citizen could fetch nothing earlier. No standard says whether day
        1 is the next working day: `day_one` is a setting of the office and unconfirmed. Always
        after `at`.
        """
        if amount < 1:
            raise ValueError("amount: 1 or more expected")
        day, skipped = self.day_of(at), 1 if day_one == "next" else 0
        match unit:
            case "minute":
                return self.add(at, amount * 60)
            case "working_hour":
                return self.add(at, amount * 3600)
            case "clock_hour":
                return at + amount * 3600
            case "working_day":
                return self._closing(at, day + timedelta(skipped), amount)
            case "calendar_day":
                return self._closing(at, day + timedelta(amount - 1 + skipped))
            case "month":
                return self._closing(at, _months_on(day, amount))

    def left(self, at: int, due: int, unit: Unit) -> int:
        """What is left at `at` of a promise due at `due`, in seconds; negative when it is late.

        Working seconds for working units, wall seconds for `WALL_UNITS`. A promise that ended at
        closing is not late before the office opens again. On entering a step this is its budget
        for `light`.
        """
        return due - at if unit in WALL_UNITS else self._signed(at, due)

    def resume(self, at: int, left: int, unit: Unit) -> int:
        """The new due moment of a clock that stood still with `left` and runs again at `at`.

        The inverse of `left`: however often a clock stops, exactly its stopped time is added. So a
        calendar promise may come due while the office is closed: moving it would give time away.
        """
        return at + left if unit in WALL_UNITS else self._moment(at, left)

    def _hours(self, day: date) -> tuple[tuple[time, time], ...]:
        inside = (season.week for season in self.seasons if season.first <= day <= season.last)
        return next(inside, self.week).get(day.weekday(), ())

    def _epoch(self, day: date, moment: time) -> int:
        return int(datetime.combine(day, moment, self._zone).timestamp())

    def _year(self, number: int) -> _Year:
        known = self._years.get(number)
        if known is None:
            first, length = date(number, 1, 1), 365 + calendar.isleap(number)
            spans = [span for n in range(length) for span in self.spans(first + timedelta(n))]
            before = accumulate((end - start for start, end in spans), initial=0)
            known = _Year(tuple(s for s, _ in spans), tuple(e for _, e in spans), tuple(before))
            self._years[number] = known
        return known

    def _worked(self, at: int) -> tuple[int, int]:
        """The local year of `at` and the working seconds of that year up to `at`."""
        number = self.day_of(at).year
        year = self._year(number)
        index = bisect_right(year.starts, at) - 1
        if index < 0:
            return number, 0
        return number, year.before[index] + min(at, year.ends[index]) - year.starts[index]

    def _signed(self, a: int, b: int) -> int:
        (year_a, worked_a), (year_b, worked_b) = self._worked(a), self._worked(b)
        whole = sum(self._year(n).total for n in range(min(year_a, year_b), max(year_a, year_b)))
        return worked_b - worked_a + (whole if year_a <= year_b else -whole)

    def _moment(self, at: int, seconds: int) -> int:
        """The earliest moment with `seconds` of working time (either sign) between `at` and it.

        Earliest, because closing and the next opening are the same point of working time: were it
        not always the same one of the two, stopping and resuming would move a due date overnight.
        """
        number, position = self._worked(at)
        position += seconds
        while position > self._year(number).total:
            position -= self._year(number).total
            number += 1
        while position <= 0:
            number -= 1
            position += self._year(number).total
        year = self._year(number)
        index = bisect_left(year.before, position) - 1
        return year.starts[index] + position - year.before[index]

    def _closing(self, at: int, first: date, nth: int = 1) -> int:
        """The closing of the `nth` working day from `first` on that closes after `at`."""
        later = (closing for closing in self._closings(first) if closing > at)
        return next(islice(later, nth - 1, None))

    def _closings(self, day: date) -> Iterator[int]:
        while True:
            spans = self.spans(day)
            if spans:
                yield spans[-1][1]
            day += timedelta(1)


def light(left: int, budget: int) -> Light:
    """The colour of a running clock with `left` seconds of its `budget`.

    Amber from two thirds of the budget used, red when late; nothing left is not late yet.
    """
    if left < 0:
        return "red"
    return "amber" if left * 3 <= budget else "green"


def _months_on(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    year = day.year + years
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
