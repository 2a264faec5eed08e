"""The promise to the citizen: its clock, and what is left of it as people say it."""

from dataclasses import dataclass

from kiosk import versions
from kiosk.clock import WALL_UNITS, Calendar, Light, light
from kiosk.loket import Loket
from kiosk.service import Service, Time
from kiosk.tables import Text
from models import Application

MINUTES = Text(id="menit", en="minutes")
HOURS = Text(id="jam", en="hours")
DAYS = Text(id="hari", en="days")
WORKING_DAYS = Text(id="hari kerja", en="working days")
NAMES = {
    "minute": MINUTES,
    "working_hour": Text(id="jam kerja", en="working hours"),
    "clock_hour": HOURS,
    "calendar_day": DAYS,
    "working_day": WORKING_DAYS,
    "month": Text(id="bulan", en="months"),
}
HOUR_S = 3600
# A clock by the wall runs on when the office closes: until long after its promise.
FOR_GOOD_S = 366 * 86400
# The longest that a promise is told in minutes: one in minutes, and the last hour of any other.
MINUTES_S = 2 * HOUR_S


@dataclass(frozen=True)
class Clock:
    """A clock: seconds left of the budget, until when it runs unbroken, its colour.

    `until` is the epoch when the office closes for a break or the day, or None while the clock
    stands still: `stopped` (the office waits for the citizen), or the office is closed. Not
    `started`: the promise runs from the complete file; nothing is left and nothing is late.
    `figure` is what is left in `unit`, begun ones counted; negative, and one at least, when late.
    `ticking`: to be shown to the second.
    """

    left: int
    budget: int
    until: int | None
    light: Light
    due_at: int | None
    stopped: bool
    started: bool
    figure: int
    unit: Text
    ticking: bool

    @property
    def share(self) -> float:
        """How much of the budget is left, 0 to 1; 1 before the clock has started."""
        return min(1.0, max(0.0, self.left / self.budget)) if self.budget else 1.0


def clock_of(loket: Loket, application: Application, now: int) -> Clock:
    """The clock of the promise to the citizen."""
    service = versions.service_of(loket, application)
    unit, calendar = service.time.unit, loket.calendar
    due, left, ran = application.due_at, application.left_s, application.budget_s
    if due is None and left is None:
        return _not_started(service, application)
    stopped = due is None or application.closed_at is not None
    if left is None:
        left = calendar.left(application.closed_at or now, due or now, unit)
    figure, size = _figure(calendar, service.time, left, None if stopped else due, now)
    return Clock(
        left=left,
        budget=ran,
        until=None if stopped else _until(loket, service, due or now, now),
        light=light(left, ran),
        due_at=due,
        stopped=stopped,
        started=True,
        figure=figure,
        unit=size,
        ticking=size == MINUTES,
    )


def _not_started(service: Service, application: Application) -> Clock:
    """The office waits for the citizen everywhere but where the file is looked at first."""
    waits = application.step != service.start or application.closed_at is not None
    return Clock(0, 0, None, "green", None, waits, False, 0, NAMES[service.time.unit], False)


def _until(loket: Loket, service: Service, due: int, now: int) -> int | None:
    if service.time.unit in WALL_UNITS:
        return due + FOR_GOOD_S
    calendar = loket.calendar
    spans = calendar.spans(calendar.day_of(now))
    return next((end for start, end in spans if start <= now < end), None)


def _figure(
    calendar: Calendar, time: Time, left: int, due: int | None, now: int
) -> tuple[int, Text]:
    """What is left as a person says it: whole days by the calendar, on the last day hours, in the
    last hour minutes. A promise in minutes is told in minutes.
    """
    whole = abs(left)
    if whole <= HOUR_S or (time.unit == "minute" and whole <= MINUTES_S):
        return _begun(left, 60), MINUTES
    if time.unit in ("minute", "working_hour", "clock_hour"):
        return _begun(left, HOUR_S), HOURS
    days = _days(calendar, time, left, due, now)
    if days:
        return (days if left >= 0 else -days), WORKING_DAYS if _by_work(time) else DAYS
    return _begun(left, HOUR_S), HOURS


def _by_work(time: Time) -> bool:
    return time.unit == "working_day"


def _days(calendar: Calendar, time: Time, left: int, due: int | None, now: int) -> int:
    """Days after this one up to the day it is due (or was); 0 on that day itself."""
    if due is None:
        due = calendar.resume(now, left, time.unit)
    first, last = sorted((calendar.day_of(now).toordinal(), calendar.day_of(due).toordinal()))
    if not _by_work(time):
        return last - first
    day = type(calendar.day_of(now)).fromordinal
    return sum(calendar.closed_name(day(one)) is None for one in range(first + 1, last + 1))


def _begun(left: int, size: int) -> int:
    """Begun ones count; late is one at least."""
    return -(-left // size) if left >= 0 else min(-1, -(-left // size))


def said(time: Time) -> Text:
    """The promise in words: 15 menit, 7 sampai 15 hari kerja."""
    name, most = NAMES[time.unit], time.amount
    low, least = (f"{time.least} sampai ", f"{time.least} to ") if time.least else ("", "")
    english = name.en if most > 1 else _one(name)
    return Text(id=f"{low}{most} {name.id}", en=f"{least}{most} {english}")


def _one(name: Text) -> str:
    return name.en.removesuffix("s")
