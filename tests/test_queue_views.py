"""The counter: next, recall, no-show, finish, undo, with a second click that harms nothing."""

from collections.abc import Callable
from xml.etree.ElementTree import Element

import pytest
from flask import Flask

from kiosk import desk, queue
from kiosk.loket import Loket
from models import QueueEvent, Ticket
from tests.conftest import Clock, actor
from tests.letters import to_step
from tests.pages import Browser, check

As = Callable[..., Browser]
Submit = Callable[..., int]


@pytest.fixture
def office(app: Flask) -> Loket:
    """The counter that the application serves."""
    loket: Loket = app.extensions["loket"]
    return loket


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def part(root: Element, **wanted: str) -> Element:
    name, value = next(iter(wanted.items()))
    return next(one for one in root.iter() if one.get(name.replace("_", "-")) == value)


def board(browser: Browser, url: str = "/loket") -> Element:
    found = check(browser.page(url))
    assert found is not None
    return found


def keys(root: Element) -> set[str]:
    return {str(one.get("data-press")) for one in root.iter() if one.get("data-press")}


def states() -> list[tuple[str, int | None]]:
    return [(ticket.state, ticket.window) for ticket in Ticket.select().order_by(Ticket.id)]


@pytest.mark.parametrize("role", ["operator", "kepala_dinas", "admin"])
def test_the_counter_is_for_those_who_serve_the_queue(as_role: As, role: str) -> None:
    browser = as_role(role)
    assert browser.page("/loket").status_code == 403
    assert browser.page("/loket/board").status_code == 403
    assert browser.send("/loket/calls").status_code == 403


def test_who_has_no_window_is_asked_for_it_first(
    office: Loket, submit: Submit, as_role: As
) -> None:
    submit(office)
    browser = as_role("front_office")
    assert "Anda duduk di loket berapa?" in words(board(browser))
    refused = browser.send("/loket/calls", htmx=True)
    assert refused.status_code == 409
    assert "Pilih dahulu nomor loket Anda." in words(check(refused))
    sat = browser.send("/loket/window", {"window": "2"}, htmx=True)
    assert "Antrean Loket 2" in words(check(sat))
    assert browser.send("/loket/window", {"window": "3"}).location == "/loket"
    assert "Antrean Loket 3" in words(board(browser))
    for wrong in ("0", "100", "x", ""):
        assert browser.send("/loket/window", {"window": wrong}).status_code == 422


def test_the_next_one_is_called_once_however_often_the_key_is_pressed(
    office: Loket, submit: Submit, as_role: As
) -> None:
    for _ in range(3):
        submit(office)
    browser = as_role("front_office", window=1)
    for htmx in (True, True, False):
        answer = browser.send("/loket/calls", htmx=htmx)
        assert answer.status_code == (200 if htmx else 303)
    assert states() == [("called", 1), ("waiting", None), ("waiting", None)]
    assert QueueEvent.select().where(QueueEvent.what == "called").count() == 1
    page = board(browser)
    assert words(_big(page)) == "A01"
    assert keys(page) == {"B", "R", "T", "S", "K"}


def _big(page: Element) -> Element:
    return next(one for one in page.iter() if "big-number" in (one.get("class") or ""))


def test_priority_groups_wait_at_the_front_with_their_label(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    submit(office)
    submit(office, priority="disabilitas")
    clock.tick(12 * 60)
    browser = as_role("front_office", window=1)
    waiting = part(board(browser), aria_labelledby="waiting-title")
    lines = [" ".join(words(one) for one in li) for li in waiting.iter("li")]
    assert lines == ["A02 Penyandang disabilitas 12 mnt", "A01  12 mnt"]
    browser.send("/loket/calls")
    assert words(_big(board(browser))) == "A02"


def test_recall_counts_and_reaches_the_display(office: Loket, submit: Submit, as_role: As) -> None:
    submit(office)
    browser = as_role("front_office", window=1)
    browser.send("/loket/calls")
    id_ = Ticket.get().id
    answer = browser.send(f"/loket/tickets/{id_}/recalls", htmx=True)
    assert "dipanggil 2 kali" in words(check(answer))
    whats = [event.what for event in QueueEvent.select().order_by(QueueEvent.id)]
    assert whats == ["taken", "called", "recalled"]


def test_who_did_not_come_can_be_called_again(office: Loket, submit: Submit, as_role: As) -> None:
    submit(office)
    browser = as_role("front_office", window=1)
    browser.send("/loket/calls")
    id_ = Ticket.get().id
    page = check(browser.send(f"/loket/tickets/{id_}/absences", htmx=True))
    absent = part(page, aria_labelledby="absent-title")
    assert "A01" in words(absent)
    assert "Panggil lagi" in words(absent)
    assert browser.send(f"/loket/tickets/{id_}/calls").status_code == 303
    assert states() == [("called", 1)]


@pytest.mark.parametrize("verb", ["finishes", "absences"])
def test_a_misclick_is_undone(office: Loket, submit: Submit, as_role: As, verb: str) -> None:
    submit(office)
    browser = as_role("front_office", window=1)
    browser.send("/loket/calls")
    id_ = Ticket.get().id
    page = check(browser.send(f"/loket/tickets/{id_}/{verb}", htmx=True))
    assert "U" in keys(page)
    assert "N" in keys(page)
    browser.send(f"/loket/tickets/{id_}/returns", htmx=True)
    assert states() == [("waiting", None)]
    again = browser.send(f"/loket/tickets/{id_}/returns", htmx=True)
    assert again.status_code == 409
    assert states() == [("waiting", None)]


def test_the_undo_goes_away_after_two_minutes(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    submit(office)
    browser = as_role("front_office", window=1)
    browser.send("/loket/calls")
    browser.send(f"/loket/tickets/{Ticket.get().id}/finishes")
    page = board(browser)
    assert "U" in keys(page)
    clock.tick(121)
    fresh = check(browser.fragment(str(part(page, id="queue").get("hx-get"))))
    assert "U" not in keys(fresh)


@pytest.mark.parametrize("verb", ["recalls", "absences", "finishes"])
@pytest.mark.parametrize("htmx", [True, False])
def test_a_second_click_is_refused_in_words_and_changes_nothing(
    office: Loket, submit: Submit, as_role: As, verb: str, htmx: bool
) -> None:
    submit(office)
    browser = as_role("front_office", window=1)
    browser.send("/loket/calls")
    id_ = Ticket.get().id
    browser.send(f"/loket/tickets/{id_}/finishes")
    before = QueueEvent.select().count()
    again = browser.send(f"/loket/tickets/{id_}/{verb}", htmx=htmx)
    assert again.status_code == 409
    assert "A01 tidak sedang dilayani di loket Anda." in again.get_data(as_text=True)
    assert QueueEvent.select().count() == before


def test_a_ticket_at_another_window_is_not_taken_from_it(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    submit(office)
    queue.call_next(office, actor("front_office", 3), clock.at)
    browser = as_role("front_office", window=1)
    page = board(browser)
    assert "Sedang dilayani di loket lain" in words(page)
    assert "A01 Loket 3" in words(page)
    for verb in ("calls", "recalls", "finishes", "absences", "returns"):
        assert browser.send(f"/loket/tickets/{Ticket.get().id}/{verb}").status_code == 409
    assert states() == [("called", 3)]


def test_a_ticket_that_does_not_exist_is_not_found(as_role: As) -> None:
    browser = as_role("front_office", window=1)
    for verb in ("calls", "recalls", "finishes", "absences", "returns"):
        assert browser.send(f"/loket/tickets/99/{verb}").status_code == 404


def test_letters_that_are_ready_are_called_from_the_counter(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "penyerahan")
    browser = as_role("front_office", window=4)
    ready = part(board(browser), aria_labelledby="ready-title")
    form = next(ready.iter("form"))
    assert browser.send(str(form.get("action"))).status_code == 303
    assert states() == [("called", 4)]
    page = board(browser)
    assert f"/meja/{id_}" in {a.get("href") for a in page.iter("a")}


def test_the_board_is_drawn_again_only_when_something_happened(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    submit(office)
    browser = as_role("front_office", window=1)
    url = str(part(board(browser), id="queue").get("hx-get"))
    assert browser.fragment(url).status_code == 204
    submit(office)
    fresh = browser.fragment(url)
    assert fresh.status_code == 200
    url = str(part(check(fresh), id="queue").get("hx-get"))
    assert browser.fragment(url).status_code == 204
    clock.tick(60)
    assert browser.fragment(url).status_code == 200, "how long they wait has grown"


def test_an_empty_counter_says_so_and_sounds_for_the_first_who_comes(
    office: Loket, submit: Submit, as_role: As
) -> None:
    browser = as_role("front_office", window=1)
    page = board(browser)
    assert "Tidak ada yang menunggu." in words(page)
    assert part(page, id="queue").get("data-chime") == "0"
    submit(office)
    assert part(board(browser), id="queue").get("data-chime") == str(Ticket.get().id)


def test_what_an_act_at_the_desk_finished_is_not_undone_at_the_counter(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    browser = as_role("front_office", window=1)
    browser.send("/loket/calls")
    clock.tick(60)
    desk.act(office, id_, "lengkap", {}, actor("front_office"), 1, clock.at)
    assert "U" not in keys(board(browser))


def test_who_was_served_cannot_be_put_back_once_the_application_has_ended(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    browser = as_role("front_office", window=1)
    browser.send("/loket/calls")
    me = actor("front_office")
    desk.act(office, id_, "kurang", {"missing": ["kk"]}, me, 1, clock.at)
    desk.act(office, id_, "batal", {"reason": ["Pulang"]}, me, 2, clock.at)
    assert "U" not in keys(board(browser))
    assert browser.send(f"/loket/tickets/{Ticket.get().id}/returns").status_code == 409
    assert states() == [("done", 1)]
