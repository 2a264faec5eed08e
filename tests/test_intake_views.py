"""The counter takes somebody in without a ticket: looked up or typed, in person or by letter."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from kiosk import board, population
from kiosk.loket import Loket
from models import Application, Audit, Event, PrintJob, QueueEvent, Ticket
from tests.conftest import Clock, actor
from tests.letters import act
from tests.pages import Browser, check, parse

As = Callable[..., Browser]
PERSON = population.DEMO_PERSON
NUMBERS = {"person.nik": PERSON.nik, "person.kk": PERSON.kk}
TYPED = {
    "person.nik": "3602 0152 0364 0003", "person.kk": "3602.1111.1111.0001",
    "person.name": "juariah", "person.address": "KP. BARU", "person.sex": "P",
}  # fmt: skip
ASKED = {"channel": "counter", "purpose": "sk_dtks:pip", "priority": ""}
LETTER = {"channel": "letter", "letter_number": "12/KS/2026", "letter_date": "2026-11-20"}
URL = "/meja/baru"


@pytest.fixture
def office(app: Flask) -> Loket:
    loket: Loket = app.extensions["loket"]
    return loket


def key_of(browser: Browser) -> str:
    html = browser.page(URL).get_data(as_text=True)
    return str(re.findall(r'name="key" value="([0-9a-f]{32})"', html)[0])


def take_in(browser: Browser, given: dict[str, Any], *, htmx: bool = False) -> Any:
    return browser.send(URL, {"key": key_of(browser)} | ASKED | given, htmx=htmx)


def value_of(html: str, name: str) -> str:
    tree = parse(html, fragment=False)
    return next(e.get("value") or "" for e in tree.iter("input") if e.get("name") == name)


def test_who_is_in_the_register_is_found_by_both_numbers_and_never_by_an_address(
    office: Loket, as_role: As
) -> None:
    browser = as_role("front_office", 2)
    answer = take_in(browser, NUMBERS | {"find": "1"})
    assert answer.status_code == 200
    html = answer.get_data(as_text=True)
    assert value_of(html, "person.name") == PERSON.name
    assert value_of(html, "person.village") == PERSON.village
    assert "Ditemukan." in html
    assert Application.select().count() == 0
    note = Audit.select().where(Audit.what == "cari data").get()
    assert PERSON.nik not in note.subject


@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ({"person.kk": "3602111111110000"}, "NIK ada dengan nomor KK lain."),
        ({"person.nik": "3602015203640003"}, "Tidak ada di salinan basis data ini."),
    ],
)
def test_who_is_not_found_by_both_is_typed_and_nothing_of_another_is_shown(
    office: Loket, as_role: As, numbers: dict[str, str], said: str
) -> None:
    answer = take_in(as_role("front_office"), NUMBERS | numbers | {"find": "1"})
    html = answer.get_data(as_text=True)
    assert said in html
    assert PERSON.name not in html
    assert PERSON.village not in html


def test_numbers_that_cannot_be_are_said_at_their_field(office: Loket, as_role: As) -> None:
    answer = take_in(as_role("front_office"), {"person.nik": "12", "person.kk": "", "find": "1"})
    assert answer.status_code == 422
    html = answer.get_data(as_text=True)
    assert 'id="e-person.nik"' in html
    assert 'id="e-person.kk"' in html
    assert value_of(html, "person.nik") == "12"


@pytest.mark.parametrize("htmx", [True, False])
def test_who_came_in_person_sits_at_the_window_with_a_ticket_and_an_open_case(
    office: Loket, as_role: As, clock: Clock, htmx: bool
) -> None:
    answer = take_in(as_role("front_office", 2), TYPED, htmx=htmx)
    to = answer.headers["HX-Redirect"] if htmx else answer.location
    application = Application.get()
    assert to == f"/meja/{application.id}"
    assert (application.channel, application.in_snapshot) == ("counter", False)
    given = office.vault.unlock_json("given", application.given_ct)
    assert (given["name"], given["nik"]) == ("JUARIAH", "3602015203640003")
    ticket = Ticket.get()
    assert (ticket.label, ticket.state, ticket.window) == ("A01", "called", 2)
    job = PrintJob.get()
    assert (job.kind, job.place, job.actor.full_name) == ("ticket", "counter", "Lilis Loket")
    assert Event.get().actor.full_name == "Lilis Loket"
    view = board.queue(office, actor("front_office", 2), clock.at)
    assert view.mine is not None
    assert view.mine.label == "A01"
    assert board.display(office, clock.at).calls == ()


def test_at_a_window_that_is_taken_the_new_one_waits(office: Loket, as_role: As) -> None:
    browser = as_role("front_office", 2)
    take_in(browser, TYPED)
    take_in(browser, NUMBERS | {"person.name": "SITI AMINAH"})
    assert [t.state for t in Ticket.select().order_by(Ticket.id)] == ["called", "waiting"]


def test_a_letter_waits_for_no_call_gets_no_paper_and_its_number_is_kept_locked(
    office: Loket, as_role: As, clock: Clock
) -> None:
    browser = as_role("front_office", 2)
    answer = take_in(browser, TYPED | LETTER)
    application = Application.get()
    assert (application.channel, Ticket.get().state) == ("letter", "done")
    assert PrintJob.select().count() == 0
    assert "12/KS/2026" not in str(application.remark_ct)
    html = browser.page(answer.location).get_data(as_text=True)
    assert "Surat permohonan nomor 12/KS/2026, 20 November 2026" in html
    assert "Kata pemohon" not in html
    assert "Panggil" not in html
    assert act(office, clock, application.id, "front_office", "lengkap").step == "sekretariat"
    assert QueueEvent.select().where(QueueEvent.what << ("called", "recalled")).count() == 0


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"person.name": ""}, {"person.name"}),
        ({"purpose": ""}, {"purpose"}),
        ({"purpose": "sk_dtks:mobil"}, {"purpose"}),
        ({"priority": "raja"}, {"priority"}),
        ({"channel": "merpati"}, {"channel"}),
        (LETTER | {"letter_number": ""}, {"letter_number"}),
        (LETTER | {"letter_date": "2026-11-24"}, {"letter_date"}),
        (LETTER | {"letter_date": "kemarin"}, {"letter_date"}),
        ({"key": "x"}, {"key"}),
    ],
)
@pytest.mark.parametrize("htmx", [True, False])
def test_what_cannot_be_taken_in_is_said_and_nothing_typed_is_lost(
    office: Loket, as_role: As, given: dict[str, str], fields: set[str], htmx: bool
) -> None:
    answer = take_in(as_role("front_office"), TYPED | given, htmx=htmx)
    assert answer.status_code == 422
    tree = check(answer)
    assert tree is not None
    alert = next(one for one in tree.iter() if one.get("class") == "faults")
    assert {str(a.get("href"))[3:] for a in alert.iter("a")} == fields
    html = answer.get_data(as_text=True)
    assert 'value="KP. BARU"' in html
    assert Application.select().count() == 0


def test_a_second_press_is_the_same_application(office: Loket, as_role: As) -> None:
    browser = as_role("front_office", 1)
    sent = {"key": key_of(browser)} | ASKED | TYPED
    first, second = browser.send(URL, sent), browser.send(URL, sent)
    assert first.location == second.location
    assert (Application.select().count(), Ticket.select().count()) == (1, 1)
    assert PrintJob.select().count() == 1


def test_only_the_counter_takes_in(office: Loket, as_role: As) -> None:
    for role in ("operator", "kepala_dinas", "admin"):
        browser = as_role(role)
        assert browser.page(URL).status_code == 403
        assert browser.send(URL, ASKED | TYPED).status_code == 403
    assert "/meja/baru" in as_role("front_office").page("/meja").get_data(as_text=True)
