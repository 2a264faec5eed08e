"""Periods of proposals: made when needed, changed by a supervisor, left behind by themselves."""

import shutil
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

import models
from kiosk import periods, proposals, upkeep
from kiosk.errors import Invalid, NotAllowed, NotFound
from kiosk.loket import Loket
from models import Application, Audit, Event, Period, Proposal
from tests.binjai import SERVICE, actor, family, finalised, made, opened, steps, taking
from tests.people import MONDAY_NINE

DAY_S = 86400
NOW = MONDAY_NINE  # 23 November 2026, after the cut-off of the 17th
EARLY = NOW - 10 * DAY_S


@pytest.fixture(scope="session")
def binjai_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("binjai"))


@pytest.fixture
def loket(binjai_home: Path, tmp_path: Path) -> Iterator[Loket]:
    home = tmp_path / "var"
    shutil.copytree(binjai_home, home)
    with models.connect(home / "loket15.sqlite").connection_context():
        yield opened(home)


def proposed(loket: Loket, now: int, n: int = 1) -> int:
    return proposals.add(loket, SERVICE, family(n), actor("satria"), now)


def period_of(id_: int) -> str:
    return str(Proposal.get(Proposal.application == id_).period.code)


def days(**over: str) -> dict[str, str]:
    return {
        "opens": "2026-11-01", "cutoff": "2026-11-17", "pull": "2026-11-18", "closes": "2026-11-30",
    } | over  # fmt: skip


def change(loket: Loket, now: int = EARLY, code: str = "2026-11", **over: str) -> None:
    periods.change(loket, SERVICE, code, days(**over), actor("supervisor"), now)


def moves(id_: int) -> list[Event]:
    query = Event.select().where((Event.application == id_) & (Event.action == periods.MOVED))
    return list(query.order_by(Event.seq))


@pytest.mark.parametrize(
    ("day", "code"),
    [
        (date(2026, 11, 1), "2026-11"),
        (date(2026, 11, 17), "2026-11"),
        (date(2026, 11, 18), "2026-12"),
        (date(2026, 12, 18), "2027-01"),
    ],
)
def test_the_cut_off_decides_which_period_a_proposal_is_of(
    loket: Loket, day: date, code: str
) -> None:
    at = NOW + (day - date(2026, 11, 23)).days * DAY_S
    assert taking(loket, at) == code
    assert taking(loket, at) == code
    assert period_of(proposed(loket, at)) == code


def test_a_period_is_made_with_the_files_days_and_the_months_last(loket: Loket) -> None:
    assert taking(loket, EARLY) == "2026-11"
    row = Period.get()
    assert {name: getattr(row, name) for name in periods.DATES} == days()


def test_reading_the_periods_does_not_wait_for_who_writes(loket: Loket) -> None:
    service = loket.profile.proposals[0]
    periods.current(loket, service, NOW)
    seen = threading.Event()

    def look() -> None:
        with models.db.connection_context():
            periods.listed(loket, service, NOW)
        seen.set()

    looking = threading.Thread(target=look)
    with models.transaction():
        looking.start()
        assert seen.wait(10)
    looking.join()


def test_the_list_says_how_each_period_stands(loket: Loket) -> None:
    proposed(loket, EARLY)
    proposed(loket, NOW, 2)
    service = loket.profile.proposals[0]
    listed = periods.listed(loket, service, NOW)
    assert [(one.code, one.state, one.families) for one in listed] == [
        ("2026-12", "coming", 1),
        ("2026-11", "cut_off", 1),
    ]
    later = periods.listed(loket, service, NOW + 10 * DAY_S)
    assert [one.state for one in later] == ["open", "closed"]


def test_a_cut_off_put_later_keeps_the_period_taking_and_pushes_the_next(loket: Loket) -> None:
    taking(loket, EARLY)
    change(loket, cutoff="2026-12-02", pull="2026-12-03", closes="2026-12-05")
    assert taking(loket, NOW) == "2026-11"
    assert taking(loket, NOW + 11 * DAY_S) == "2026-12"
    assert Period.get(Period.code == "2026-12").opens == "2026-12-06"
    assert Audit.select().where(Audit.what == "ubah periode").count() == 1


@pytest.mark.parametrize(
    ("over", "field"),
    [
        ({"opens": "2026-11-18"}, "cutoff"),
        ({"pull": "2026-11-16"}, "pull"),
        ({"closes": "2026-11-17"}, "closes"),
        ({"closes": "2026-13-01"}, "closes"),
        ({"opens": ""}, "opens"),
        ({"closes": "2026-12-01"}, "closes"),
        ({"opens": "2026-10-31"}, "opens"),
    ],
)
def test_days_out_of_order_or_in_a_neighbours_period_are_refused(
    loket: Loket, over: dict[str, str], field: str
) -> None:
    for at in (EARLY - 30 * DAY_S, EARLY, NOW):
        taking(loket, at)
    with pytest.raises(Invalid) as caught:
        change(loket, **over)
    assert list(caught.value.fields) == [field]


def test_a_period_that_is_over_is_changed_no_more(loket: Loket) -> None:
    taking(loket, EARLY)
    with pytest.raises(Invalid):
        change(loket, NOW + 10 * DAY_S)
    with pytest.raises(Invalid):
        change(loket, NOW, cutoff="2026-11-20", pull="2026-11-21", closes="2026-11-22")


def test_only_a_supervisor_changes_a_period(loket: Loket) -> None:
    taking(loket, EARLY)
    with pytest.raises(NotAllowed):
        periods.change(loket, SERVICE, "2026-11", days(), actor("satria"), EARLY)
    with pytest.raises(NotFound):
        change(loket, code="2031-01")


def test_a_proposal_without_pengesahan_moves_to_the_next_period_by_itself(loket: Loket) -> None:
    id_ = proposed(loket, EARLY)
    before = Application.get_by_id(id_)
    assert periods.roll(loket, NOW) == 0  # cut off, but not over
    upkeep.run(loket, NOW + 8 * DAY_S)  # 1 December
    after = Application.get_by_id(id_)
    assert period_of(id_) == "2026-12"
    (event,) = moves(id_)
    assert loket.vault.unlock_json("detail", event.detail_ct) == {
        "from": "2026-11",
        "to": "2026-12",
    }
    assert (event.seq, event.actor_id, event.from_step, event.to_step) == (
        after.seq, None, "input", "input",
    )  # fmt: skip
    assert (after.due_at, after.left_s, after.step) == (before.due_at, before.left_s, before.step)
    assert periods.roll(loket, NOW + 8 * DAY_S) == 0
    assert len(moves(id_)) == 1


def test_after_months_out_of_use_each_period_that_passed_stands_in_the_history(
    loket: Loket,
) -> None:
    id_ = proposed(loket, EARLY)
    assert periods.roll(loket, NOW + 100 * DAY_S) == 4  # 3 March 2027
    assert period_of(id_) == "2027-03"
    told = [loket.vault.unlock_json("detail", event.detail_ct)["to"] for event in moves(id_)]
    assert told == ["2026-12", "2027-01", "2027-02", "2027-03"]
    assert [event.seq for event in moves(id_)] == [2, 3, 4, 5]
    assert Application.get_by_id(id_).seq == 5


def test_what_has_its_pengesahan_or_is_closed_stays_in_its_period(loket: Loket) -> None:
    ids = finalised(loket, EARLY, range(1, 4))
    Application.update(step="disahkan").where(Application.id == ids[0]).execute()
    Application.update(step="selesai", closed_at=EARLY).where(Application.id == ids[1]).execute()
    assert periods.roll(loket, NOW + 8 * DAY_S) == 1
    assert [period_of(id_) for id_ in ids] == ["2026-11", "2026-11", "2026-12"]
    assert steps(ids) == ["disahkan", "selesai", "final"]


def test_many_proposals_move_at_once(loket: Loket) -> None:
    some = [family(n) for n in range(1, 701)]
    ids = proposals.add_many(loket, SERVICE, some, actor("satria"), EARLY)
    assert periods.roll(loket, NOW + 8 * DAY_S) == len(ids)
    assert Proposal.select().join(Period).where(Period.code == "2026-12").count() == len(ids)
    agreeing = (
        Event.select()
        .join(Application)
        .where((Event.action == periods.MOVED) & (Event.seq == Application.seq))
    )
    assert agreeing.count() == len(ids)
