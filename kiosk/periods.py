"""Periods of proposals: made when they are needed, changed by a supervisor, left behind when over.

A proposal without its pengesahan at the period's end moves to the next period by itself (standard
of Binjai, "akan secara otomatis menjadi usulan pada periode berikutnya").
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from peewee import chunked

from kiosk import versions
from kiosk.errors import Invalid, NotAllowed, NotFound
from kiosk.loket import Loket
from kiosk.service import ProposalService
from kiosk.staff import Actor
from models import Application, Audit, Event, Period, Proposal, transaction

MOVED = "pindah_periode"
PROGRAM = "sistem"
DATES = ("opens", "cutoff", "pull", "closes")
BATCH = 500


@dataclass(frozen=True)
class PeriodView:
    """A period as its list shows it. `state`: coming, open, cut_off (until it closes), closed.

    `families` are the open proposals that stand in it.
    """

    id: int
    code: str
    opens: date
    cutoff: date
    pull: date
    closes: date
    state: str
    families: int


def current(loket: Loket, service: ProposalService, now: int) -> Period:
    """The period that takes what is proposed now, made where it is missing.

    After a month's cut-off it is the next month's.
    """
    today = loket.calendar.day_of(now)
    found = _taking(service, today) if _of_month(service, today) else None
    if found:  # the common case, and reading waits for nobody
        return found
    with transaction():
        month = _ensure(service, today.replace(day=1))
        while not (found := _taking(service, today)):
            month = _after(service, month)
    return found


def _taking(service: ProposalService, today: date) -> Period | None:
    theirs = (Period.service == service.id) & (Period.cutoff >= today.isoformat())
    found: Period | None = Period.select().where(theirs).order_by(Period.code).first()
    return found


def _of_month(service: ProposalService, day: date) -> Period | None:
    found: Period | None = Period.get_or_none(
        (Period.service == service.id) & (Period.code == f"{day:%Y-%m}")
    )
    return found


def find(service_id: str, code: str) -> Period:
    """The period of this month, "2026-11". Raises NotFound."""
    period = Period.get_or_none((Period.service == service_id) & (Period.code == code))
    if period is None:
        raise NotFound("Periode ini tidak ada.")
    return period


def listed(loket: Loket, service: ProposalService, now: int) -> tuple[PeriodView, ...]:
    """The periods there are, the newest first; the one that is taking now is among them."""
    current(loket, service, now)
    today = loket.calendar.day_of(now)
    rows = Period.select().where(Period.service == service.id).order_by(Period.code.desc())
    return tuple(_view(row, today) for row in rows)


def change(
    loket: Loket,
    service_id: str,
    code: str,
    dates: Mapping[str, str],
    actor: Actor,
    now: int,
) -> None:
    """Other days for a period: `opens`, `cutoff`, `pull`, `closes` as ISO texts.

    Raises NotAllowed without the right `supervise`, NotFound, Invalid by field: days out of order,
    a period over already, one that would run into its neighbour.
    """
    if not loket.profile.may(actor.role, "supervise"):
        raise NotAllowed("Hanya supervisor yang dapat mengubah periode.")
    days = _read(dates)
    with transaction():
        row = find(service_id, code)
        _require_open(row, days, loket.calendar.day_of(now))
        _require_apart(row, days)
        for name, day in days.items():
            setattr(row, name, day.isoformat())
        row.save()
        Audit.create(at=now, actor=actor.id, what="ubah periode", subject=f"{service_id} {code}")


def roll(loket: Loket, now: int) -> int:
    """Move what stands in a period that is over to the next one; how many moves there were.

    Only where the step says so (`carries`): what has its pengesahan stays. Its history keeps the
    move, its due date is as it was. After a long time out of use it goes through each period that
    passed. Doing it again moves nothing.
    """
    today = loket.calendar.day_of(now)
    return sum(_roll(loket, service, today, now) for service in loket.profile.proposals)


def _roll(loket: Loket, service: ProposalService, today: date, now: int) -> int:
    moved = 0
    over = (Period.service == service.id) & (Period.closes < today.isoformat())
    passed = [row.id for row in Period.select(Period.id).where(over).order_by(Period.code)]
    while passed:
        with transaction():
            period = Period.get_by_id(passed.pop(0))
            standing = _carried(loket, period)
            if not standing:
                continue
            onward = _after(service, date.fromisoformat(f"{period.code}-01"))
            moved += _move(loket, period, onward, standing, now)
        if onward.closes < today.isoformat() and onward.id not in passed:
            passed.insert(0, onward.id)
    return moved


def _carried(loket: Loket, period: Period) -> list[int]:
    """The open proposals of the period that stand in a step which carries."""
    rows = (
        Application.select()
        .join(Proposal)
        .where((Proposal.period == period) & Application.closed_at.is_null())
    )
    steps: dict[tuple[str, str], bool] = {}
    found = []
    for row in rows:
        place = (row.version, row.step)
        if place not in steps:
            steps[place] = versions.step_of(loket, row).carries
        if steps[place]:
            found.append(int(row.id))
    return found


def _move(loket: Loket, period: Period, onward: Period, ids: Iterable[int], now: int) -> int:
    detail = {"from": period.code, "to": onward.code}
    moved = 0
    for some in chunked(ids, BATCH):
        Proposal.update(period=onward).where(Proposal.application.in_(some)).execute()
        Application.update(seq=Application.seq + 1).where(Application.id.in_(some)).execute()
        rows = Application.select().where(Application.id.in_(some))
        Event.insert_many([_event(loket, row, detail, now) for row in rows]).execute()
        moved += len(some)
    return moved


def _event(
    loket: Loket, application: Application, detail: Mapping[str, str], now: int
) -> dict[str, object]:
    return {
        "application": application.id,
        "seq": application.seq,
        "at": now,
        "actor": None,
        "role": PROGRAM,
        "action": MOVED,
        "from_step": application.step,
        "to_step": application.step,
        "due_at": application.due_at,
        "left_s": application.left_s,
        "detail_ct": loket.vault.lock_json("detail", detail),
    }


def _ensure(service: ProposalService, first: date) -> Period:
    """The period of the month that begins on `first`, with the service's days for it."""
    row = _of_month(service, first)
    if row:
        return row
    code, days = f"{first:%Y-%m}", service.periods
    last = first.replace(day=monthrange(first.year, first.month)[1])
    opens = max(first.replace(day=days.opens_day), _free_from(service.id, code))
    cutoff = max(first.replace(day=days.cutoff_day), opens)
    pull = max(first.replace(day=days.pull_day), cutoff)
    made: Period = Period.create(
        service=service.id,
        code=code,
        opens=opens.isoformat(),
        cutoff=cutoff.isoformat(),
        pull=pull.isoformat(),
        closes=max(last, pull).isoformat(),
    )
    return made


def _free_from(service_id: str, code: str) -> date:
    """The day after the period before this one closes: it may have been prolonged."""
    before = _neighbour(service_id, code, before=True)
    return date.fromisoformat(before.closes) + timedelta(days=1) if before else date.min


def _after(service: ProposalService, month: Period | date) -> Period:
    first = month if isinstance(month, date) else date.fromisoformat(f"{month.code}-01")
    return _ensure(service, (first + timedelta(days=32)).replace(day=1))


def _neighbour(service_id: str, code: str, before: bool) -> Period | None:
    query = Period.select().where(Period.service == service_id)
    if before:
        found: Period | None = query.where(Period.code < code).order_by(Period.code.desc()).first()
    else:
        found = query.where(Period.code > code).order_by(Period.code).first()
    return found


def _read(dates: Mapping[str, str]) -> dict[str, date]:
    days: dict[str, date] = {}
    faults: dict[str, str] = {}
    for name in DATES:
        try:
            days[name] = date.fromisoformat(dates.get(name, ""))
        except ValueError:
            faults[name] = "Tulis tanggal sebagai tahun-bulan-tanggal."
    if faults:
        raise Invalid(faults)
    if days["cutoff"] < days["opens"]:
        faults["cutoff"] = "Batas usulan tidak boleh sebelum periode dibuka."
    if days["pull"] < days["cutoff"]:
        faults["pull"] = "Penarikan data tidak boleh sebelum batas usulan."
    if days["closes"] < days["pull"]:
        faults["closes"] = "Akhir periode tidak boleh sebelum penarikan data."
    if faults:
        raise Invalid(faults)
    return days


def _require_open(row: Period, days: Mapping[str, date], today: date) -> None:
    if row.closes < today.isoformat():
        raise Invalid({"closes": "Periode ini sudah berakhir."})
    if days["closes"] < today:
        raise Invalid({"closes": "Akhir periode tidak boleh sebelum hari ini."})


def _require_apart(row: Period, days: Mapping[str, date]) -> None:
    before = _neighbour(row.service, row.code, before=True)
    after = _neighbour(row.service, row.code, before=False)
    if before and days["opens"].isoformat() <= before.closes:
        raise Invalid({"opens": "Periode sebelumnya belum berakhir pada tanggal ini."})
    if after and days["closes"].isoformat() >= after.opens:
        raise Invalid({"closes": "Periode berikutnya sudah dibuka pada tanggal ini."})


def _view(row: Period, today: date) -> PeriodView:
    opens, cutoff, pull, closes = (date.fromisoformat(getattr(row, name)) for name in DATES)
    state = "open"
    if closes < today:
        state = "closed"
    elif cutoff < today:
        state = "cut_off"
    elif today < opens:
        state = "coming"
    standing = (Proposal.period == row) & Application.closed_at.is_null()
    families = Proposal.select().join(Application).where(standing).count()
    return PeriodView(row.id, row.code, opens, cutoff, pull, closes, state, families)
