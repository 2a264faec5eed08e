"""What desks, phones and the lobby read: order, lights, counts, stages, figures, who may look."""

import threading
from collections.abc import Callable, Iterator

import pytest

import models
from kiosk import board, casefile, citizen, desk, letter_prints, letter_status, queue
from kiosk.errors import NotFound
from kiosk.loket import Loket
from kiosk.staff import Actor
from models import Application, QueueEvent, Ticket
from tests.conftest import MONDAY_NINE, Clock, actor
from tests.letters import act, to_step, token_of

Submit = Callable[..., int]


def status(loket: Loket, id_: int, now: int) -> citizen.Status:
    found = citizen.status(loket, token_of(id_), now)
    assert found is not None
    return found


def test_my_work_has_the_oldest_promise_first_and_stopped_clocks_last(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    first, second, third, elsewhere = (submit(loket) for _ in range(4) if clock.tick(60))
    act(loket, clock, first, "front_office", "kurang", missing="kk")
    act(loket, clock, elsewhere, "front_office", "lengkap")
    rows = board.my_work(loket, actor("front_office"), clock.at).rows
    assert [row.id for row in rows] == [second, third, first]
    assert [row.clock.stopped for row in rows] == [False, False, True]
    assert [row.id for row in board.my_work(loket, actor("sekretariat"), clock.at).rows] == [
        elsewhere
    ]
    # Back with its papers, the first goes where its shifted promise puts it.
    act(loket, clock, first, "front_office", "dilengkapi")
    act(loket, clock, first, "sekretariat", "kembalikan", reason="Tanda tangan kurang")
    rows = board.my_work(loket, actor("front_office"), clock.at).rows
    assert [row.id for row in rows] == [first, second, third]


@pytest.mark.parametrize(
    ("seconds", "light", "left"),
    [
        (0, "green", 900),
        (599, "green", 301),
        (600, "amber", 300),
        (900, "amber", 0),
        (901, "red", -1),
    ],
)
def test_a_light_is_amber_from_two_thirds_and_red_when_late(
    loket: Loket, clock: Clock, submit: Submit, seconds: int, light: str, left: int
) -> None:
    submit(loket)
    shown = board.my_work(loket, actor("front_office"), clock.tick(seconds)).rows[0].clock
    assert (shown.light, shown.left, shown.stopped) == (light, left, False)


def test_a_clock_runs_until_the_office_closes_and_stands_at_night(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    clock.at = MONDAY_NINE + 7 * 3600 - 300  # 15.55
    submit(loket)
    shown = board.my_work(loket, actor("front_office"), clock.at).rows[0].clock
    assert shown.until == clock.at + 300
    night = board.my_work(loket, actor("front_office"), clock.tick(6 * 3600)).rows[0].clock
    assert (night.until, night.left, night.stopped) == (None, 600, False)


def test_a_clock_that_stopped_at_the_end_says_how_the_promise_was_kept(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    act(loket, clock, id_, "front_office", "serahkan", recipient="pemohon")
    kept = casefile.clock_of(loket, desk.find(id_), clock.tick(86400))
    assert (kept.left, kept.light, kept.stopped) == (900 - 120, "green", True)


def test_the_desks_version_changes_with_each_act_and_each_ticket_and_not_by_itself(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    versions = [board.desk_version()]
    id_ = submit(loket)
    versions.append(board.desk_version())
    act(loket, clock, id_, "front_office", "kurang", missing="kk")
    versions.append(board.desk_version())
    queue.call_next(loket, actor("front_office", window=1), clock.at)
    versions.append(board.desk_version())
    assert len(set(versions)) == 4
    assert board.my_work(loket, actor("front_office"), clock.tick(60)).version == versions[-1]


@pytest.mark.parametrize("read", [board.my_work, board.queue])
def test_work_that_comes_while_a_list_is_read_looks_new_to_the_next_poll(
    loket: Loket,
    clock: Clock,
    submit: Submit,
    read: Callable[[Loket, Actor, int], board.Work | board.QueueView],
) -> None:
    front = actor("front_office", window=1)
    submit(loket)
    connection = models.db.connection()
    for nth in range(12):
        statements = iter(range(1000))

        def meanwhile(_: str, nth: int = nth, statements: Iterator[int] = statements) -> None:
            if next(statements) == nth:
                other = threading.Thread(target=in_own_connection, args=(submit, loket))
                other.start()
                other.join()

        connection.set_trace_callback(meanwhile)
        shown = read(loket, front, clock.at)
        connection.set_trace_callback(None)
        later = read(loket, front, clock.at)
        assert shown == later or shown.version != later.version, f"statement {nth}"


def in_own_connection(work: Callable[..., object], *given: object) -> None:
    with models.db.connection_context():
        work(*given)


def test_a_desk_hears_of_new_work_by_a_growing_number(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    front = actor("front_office")
    assert board.my_work(loket, front, clock.at).newest == 0
    submit(loket)
    first = board.my_work(loket, front, clock.at).newest
    submit(loket)
    assert board.my_work(loket, front, clock.at).newest > first > 0
    assert board.my_work(loket, actor("operator"), clock.at).newest == 0


def test_a_phone_says_how_many_are_called_before(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    first, second, elder = submit(loket), submit(loket), submit(loket, priority="lansia")

    def before() -> list[int]:
        return [status(loket, id_, clock.at).before for id_ in (first, second, elder)]

    assert before() == [1, 2, 0]
    one = actor("front_office", window=1)
    queue.call_next(loket, one, clock.at)
    assert before() == [0, 1, 0]
    assert (status(loket, elder, clock.at).ticket_state, status(loket, elder, clock.at).window) == (
        "called", 1,
    )  # fmt: skip
    clock.tick(86400)
    assert status(loket, submit(loket), clock.at).before == 0


def test_a_phone_shows_the_stages_who_has_it_and_the_end(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    assert citizen.status(loket, "x" * 24, clock.at) is None
    seen = {}
    for step in ("berkas", "cek", "periksa", "penyerahan"):
        id_ = submit(loket)
        to_step(loket, clock, id_, step)
        shown = status(loket, id_, clock.at)
        seen[step] = [stage.state for stage in shown.stages]
        assert shown.who is not None
    assert seen == {
        "berkas": ["now", "ahead", "ahead", "ahead"],
        "cek": ["done", "now", "ahead", "ahead"],
        "periksa": ["done", "done", "now", "ahead"],
        "penyerahan": ["done", "done", "done", "now"],
    }
    act(loket, clock, id_, "front_office", "serahkan", recipient="pemohon")
    shown = status(loket, id_, clock.at)
    assert {stage.state for stage in shown.stages} == {"done"}
    assert (shown.outcome, shown.who) == ("issued", None)


def test_a_phone_says_how_often_the_letter_may_still_be_printed(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    left = [status(loket, id_, clock.at).printable]
    to_step(loket, clock, id_, "penyerahan")
    for _ in range(3):
        left.append(status(loket, id_, clock.at).printable)
        letter_prints.print_at_kiosk(loket, token_of(id_), clock.tick(60))
    assert left == [0, 2, 1, 0]


def test_a_revoked_letter_is_printed_nowhere(loket: Loket, clock: Clock, submit: Submit) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    letter_status.revoke(loket, id_, "Keliru", actor("kepala_dinas"), clock.at)
    assert status(loket, id_, clock.at).printable == 0
    assert letter_prints.print_at_kiosk(loket, token_of(id_), clock.at).state == "withheld"
    with pytest.raises(desk.Stale):
        letter_prints.print_at_counter(loket, id_, actor("front_office"), "k", clock.at)


def test_a_phones_version_changes_when_what_it_shows_changes(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    other, id_ = submit(loket), submit(loket)
    versions = [status(loket, id_, clock.at).version]
    one = actor("front_office", window=1)
    queue.call(loket, Ticket.get(Ticket.application == other).id, one, clock.at)
    versions.append(status(loket, id_, clock.at).version)
    queue.finish(Ticket.get(Ticket.application == other).id, one, clock.at)
    assert status(loket, id_, clock.at).version == versions[-1]
    queue.call_next(loket, one, clock.at)
    versions.append(status(loket, id_, clock.at).version)
    act(loket, clock, id_, "front_office", "lengkap")
    versions.append(status(loket, id_, clock.at).version)
    assert len(set(versions)) == 4


@pytest.mark.parametrize(("minutes", "median"), [([], None), ([5], 5), ([30, 4, 10], 10)])
def test_the_figures_of_today_are_of_those_who_were_answered(
    loket: Loket, clock: Clock, submit: Submit, minutes: list[int], median: int | None
) -> None:
    for outcome, took in [("cancelled", 90), *(("issued", each) for each in minutes)]:
        closed = {"outcome": outcome, "closed_at": clock.at + took * 60}
        Application.update(closed).where(Application.id == submit(loket)).execute()
    figures = board.figures(loket, clock.at)
    assert figures.median_minutes == median
    assert (figures.waiting, figures.windows, figures.open) == (1 + len(minutes), 0, True)
    queue.call_next(loket, actor("front_office", window=4), clock.at)
    assert (board.figures(loket, clock.at).waiting, board.figures(loket, clock.at).windows) == (
        len(minutes), 1,
    )  # fmt: skip
    tomorrow = board.figures(loket, clock.at + 86400)
    assert (tomorrow.median_minutes, tomorrow.waiting, tomorrow.windows) == (None, 0, 0)


def test_a_case_is_read_by_its_role_by_who_acted_and_by_the_counter(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)

    def readers() -> set[str]:
        may = set()
        for role in ("front_office", "sekretariat", "kepala_dinas", "operator", "admin"):
            try:
                casefile.read(loket, id_, actor(role), clock.at)
            except NotFound:
                assert casefile.find(loket, "A01", actor(role), clock.at) is None
            else:
                assert casefile.find(loket, "a 1", actor(role), clock.at) == id_
                may.add(role)
        return may

    assert readers() == {"front_office"}
    to_step(loket, clock, id_, "disposisi")
    assert readers() == {"front_office", "sekretariat", "kepala_dinas"}
    with pytest.raises(NotFound):
        casefile.read(loket, id_ + 1, actor("front_office"), clock.at)


@pytest.mark.parametrize(
    "text", ["", "A0", "A" + "9" * 5000, "2026-" + "9" * 30, "A²", "'; --", "400.9.1/1/DINSOS/2026"]
)
def test_what_names_no_application_finds_none(
    loket: Loket, clock: Clock, submit: Submit, text: str
) -> None:
    submit(loket)
    assert casefile.find(loket, text, actor("front_office"), clock.at) is None


def test_only_the_role_of_the_step_is_offered_its_acts(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    head = casefile.read(loket, id_, actor("kepala_dinas"), clock.at)
    counter = casefile.read(loket, id_, actor("front_office"), clock.at)
    assert ([a.id for a in head.actions], head.can_read_draft) == (
        ["tanda_tangan", "kembalikan"], True,
    )  # fmt: skip
    assert (counter.actions, counter.can_read_draft) == ((), False)


def test_the_lobby_has_one_line_a_ticket_the_newest_call_first(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    windows = [actor("front_office", window=n) for n in range(1, 8)]
    assert board.display(loket, clock.at).calls == ()
    for window in windows:
        submit(loket)
        queue.call_next(loket, window, clock.tick(1))
    shown = board.display(loket, clock.at)
    assert [call.label for call in shown.calls] == ["A07", "A06", "A05", "A04", "A03"]
    queue.recall(loket, Ticket.get(Ticket.number == 4).id, windows[3], clock.tick(1))
    again = board.display(loket, clock.at)
    assert [(call.label, call.window) for call in again.calls[:2]] == [("A04", 4), ("A07", 7)]
    assert [call.label for call in again.calls].count("A04") == 1
    assert again.version != shown.version
    assert board.display(loket, clock.tick(86400)).calls == ()


def test_the_lobby_shows_the_window_that_called_also_after_the_ticket_went_elsewhere(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    one, two = actor("front_office", window=1), actor("front_office", window=2)
    id_ = Ticket.get(Ticket.application == submit(loket)).id
    queue.call_next(loket, one, clock.at)
    queue.finish(id_, one, clock.at)
    queue.call(loket, id_, two, clock.tick(60))
    assert [(c.label, c.window) for c in board.display(loket, clock.at).calls] == [("A01", 2)]
    assert QueueEvent.select().count() == 4


def test_letters_ready_are_listed_until_they_are_handed_over(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    ready, _ = submit(loket), submit(loket)
    assert board.ready_for_pickup(loket, clock.at) == ()
    to_step(loket, clock, ready, "penyerahan")
    clock.tick(86400)
    assert [row.id for row in board.ready_for_pickup(loket, clock.at)] == [ready]
    act(loket, clock, ready, "front_office", "serahkan", recipient="keluarga")
    assert board.ready_for_pickup(loket, clock.at) == ()


def test_what_was_just_left_can_be_put_back_by_who_left_it_for_two_minutes(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    one = actor("front_office", window=1)
    stranger = Actor(one.id + 1, "", "", "front_office", 2)
    id_ = Ticket.get(Ticket.application == submit(loket)).id
    queue.call_next(loket, one, clock.at)
    queue.no_show(id_, one, clock.at)
    left = board.just_left(loket, one, clock.tick(120))
    assert left is not None
    assert left.id == id_
    assert board.just_left(loket, stranger, clock.at) is None
    assert board.just_left(loket, one, clock.tick(1)) is None
