"""The day's queue: priority first, one called a window, nobody at two windows, the office's day."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from kiosk import board, desk, queue
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale
from kiosk.loket import Loket
from kiosk.staff import Actor
from models import QueueEvent, Ticket
from tests.conftest import MONDAY_NINE, Clock, actor
from tests.letters import act

Submit = Callable[..., int]
DAY = 86400


@pytest.fixture
def one(loket: Loket) -> Actor:
    """The clerk at window 1."""
    return actor("front_office", window=1)


@pytest.fixture
def two(loket: Loket) -> Actor:
    """The clerk at window 2."""
    return actor("front_office", window=2)


def ticket_of(id_: int) -> Ticket:
    return Ticket.get(Ticket.application == id_)


def labels(loket: Loket, who: Actor, now: int) -> list[str]:
    """Whom the window calls until nobody waits."""
    called = []
    while ticket := queue.call_next(loket, who, now):
        called.append(ticket.label)
        queue.finish(ticket.id, who, now)
    return called


def test_priority_groups_come_first_then_who_came_first(
    loket: Loket, clock: Clock, submit: Submit, one: Actor
) -> None:
    for group in ("", "", "lansia", "", "hamil"):
        submit(loket, priority=group)
    waiting = [row.label for row in board.queue(loket, one, clock.at).waiting]
    assert waiting == ["A03", "A05", "A01", "A02", "A04"]
    assert labels(loket, one, clock.at) == waiting


def test_a_window_has_one_called_ticket_however_often_next_is_pressed(
    loket: Loket, clock: Clock, submit: Submit, one: Actor, two: Actor
) -> None:
    first, second = submit(loket), submit(loket)
    pressed = {queue.call_next(loket, one, clock.tick(1)).id for _ in range(3)}  # type: ignore[union-attr]
    assert pressed == {ticket_of(first).id}
    assert queue.call_next(loket, two, clock.at).id == ticket_of(second).id  # type: ignore[union-attr]
    with pytest.raises(Stale):
        queue.call(loket, ticket_of(second).id, one, clock.at)
    assert QueueEvent.select().where(QueueEvent.what == "called").count() == 2


def test_another_windows_ticket_is_refused(
    loket: Loket, clock: Clock, submit: Submit, one: Actor, two: Actor
) -> None:
    id_ = ticket_of(submit(loket)).id
    queue.call(loket, id_, one, clock.at)
    for verb in (queue.finish, queue.no_show, queue.put_back):
        with pytest.raises(Stale):
            verb(id_, two, clock.at)
    for again in (queue.recall, queue.call):
        with pytest.raises(Stale):
            again(loket, id_, two, clock.at)
    assert (ticket_of(1).state, ticket_of(1).window) == ("called", 1)


def test_a_call_of_the_ticket_that_stands_there_is_a_recall(
    loket: Loket, clock: Clock, submit: Submit, one: Actor
) -> None:
    id_ = ticket_of(submit(loket)).id
    queue.call_next(loket, one, clock.at)
    queue.recall(loket, id_, one, clock.tick(5))
    queue.call(loket, id_, one, clock.tick(5))
    assert [e.what for e in QueueEvent.select().order_by(QueueEvent.id)] == [
        "taken", "called", "recalled", "recalled",
    ]  # fmt: skip
    assert board.queue(loket, one, clock.at).mine.calls == 3  # type: ignore[union-attr]


def test_who_did_not_come_can_be_called_again_with_the_same_number(
    loket: Loket, clock: Clock, submit: Submit, one: Actor, two: Actor
) -> None:
    id_ = ticket_of(submit(loket)).id
    queue.call_next(loket, one, clock.at)
    queue.no_show(id_, one, clock.at)
    assert queue.call_next(loket, one, clock.at) is None
    assert [row.label for row in board.queue(loket, one, clock.at).absent] == ["A01"]
    assert queue.call(loket, id_, two, clock.tick(60)).label == "A01"


@pytest.mark.parametrize("verb", [queue.finish, queue.no_show])
def test_finishing_twice_is_said_and_undone_at_the_old_place(
    loket: Loket, clock: Clock, submit: Submit, one: Actor, verb: Callable[..., Ticket]
) -> None:
    submit(loket)
    submit(loket)
    id_ = queue.call_next(loket, one, clock.at).id  # type: ignore[union-attr]
    verb(id_, one, clock.at)
    with pytest.raises(Stale):
        verb(id_, one, clock.at)
    queue.put_back(id_, one, clock.at)
    with pytest.raises(Stale):
        queue.put_back(id_, one, clock.at)
    assert labels(loket, one, clock.at) == ["A01", "A02"]


def test_numbers_start_again_at_the_offices_midnight_and_not_at_utcs(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    local = {
        "2026-11-23T16:59:59": ("2026-11-23", "A01"),  # 23.59.59 WIB
        "2026-11-23T17:00:00": ("2026-11-24", "A01"),  # midnight WIB
        "2026-11-23T23:30:00": ("2026-11-24", "A02"),  # 06.30 WIB
        "2026-11-24T00:30:00": ("2026-11-24", "A03"),  # 07.30 WIB, past a UTC midnight
    }
    for moment, (day, label) in local.items():
        clock.at = int(datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp())
        ticket = ticket_of(submit(loket))
        assert (ticket.day, ticket.label) == (day, label), moment


def test_a_ticket_of_another_day_is_not_called_by_its_number(
    loket: Loket, clock: Clock, submit: Submit, one: Actor
) -> None:
    old = ticket_of(submit(loket))
    queue.call_next(loket, one, clock.at)
    clock.tick(DAY)
    today = ticket_of(submit(loket))
    assert old.label == today.label
    with pytest.raises(Stale):
        queue.call(loket, old.id, one, clock.at)
    assert queue.call_next(loket, one, clock.at).id == today.id  # type: ignore[union-attr]


def test_an_application_that_has_ended_is_called_no_more(
    loket: Loket, clock: Clock, submit: Submit, one: Actor
) -> None:
    id_ = submit(loket)
    act(loket, clock, id_, "front_office", "kurang", missing="kk")
    act(loket, clock, id_, "front_office", "batal", reason="Pulang")
    ticket = ticket_of(id_)
    assert ticket.state == "done"
    with pytest.raises(Stale):
        queue.call(loket, ticket.id, one, clock.at)
    with pytest.raises(Stale):
        queue.put_back(ticket.id, one, clock.at)
    assert queue.call_next(loket, one, clock.at) is None


def test_a_served_ticket_is_called_again_while_its_application_is_open(
    loket: Loket, clock: Clock, submit: Submit, one: Actor
) -> None:
    id_ = ticket_of(submit(loket)).id
    queue.call_next(loket, one, clock.at)
    queue.finish(id_, one, clock.at)
    assert queue.call(loket, id_, one, clock.at).state == "called"


def test_without_a_window_nobody_is_called_and_without_the_right_nobody_looks(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    with pytest.raises(Invalid):
        queue.call_next(loket, actor("front_office"), clock.at)
    with pytest.raises(NotFound):
        queue.call(loket, ticket_of(id_).id + 1, actor("front_office", window=1), clock.at)
    with pytest.raises(NotAllowed):
        board.queue(loket, actor("operator"), clock.at)


def test_a_queue_event_says_who_did_it_where_and_when(
    loket: Loket, clock: Clock, submit: Submit, one: Actor
) -> None:
    submit(loket)
    queue.call_next(loket, one, clock.tick(7))
    event = QueueEvent.select().order_by(QueueEvent.id.desc()).first()
    assert (event.what, event.window, event.actor_id, event.at) == (
        "called", 1, one.id, MONDAY_NINE + 7,
    )  # fmt: skip
    assert desk.find(1).seq == 1
