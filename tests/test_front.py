"""What is answered before Flask: never stale, never another's, never without end."""

from collections.abc import Callable

import pytest
from flask import Flask

from kiosk import key_acts, letter_status
from kiosk.loket import Loket
from models import Letter
from tests.conftest import Clock, actor
from tests.letters import digits_of, issue, to_step
from tests.pages import Browser
from views import verify
from views.front import LONGEST_COOKIES, Front

Submit = Callable[..., int]


@pytest.fixture
def office(app: Flask) -> Loket:
    found: Loket = app.extensions["loket"]
    return found


@pytest.fixture
def issued(office: Loket, clock: Clock, submit: Submit) -> int:
    return issue(office, clock, submit)


@pytest.fixture
def digits(office: Loket, issued: int) -> str:
    return digits_of(office, issued)


def kept(app: Flask) -> dict[str, object]:
    front = app.wsgi_app.__self__  # type: ignore[attr-defined]
    assert isinstance(front, Front)
    return dict(front._kept)


def said(app: Flask, digits: str) -> str:
    """What a program that was never here is told."""
    return str(app.test_client().get(f"/api/v1/verifikasi/{digits}").get_json()["code"])


def test_what_is_done_to_a_letter_or_its_key_is_in_the_next_answer(
    app: Flask, office: Loket, clock: Clock, issued: int, digits: str
) -> None:
    head = actor("kepala_dinas")
    assert (said(app, digits), said(app, digits)) == ("sah", "sah")
    assert list(kept(app)) == [f"/api/v1/verifikasi/{digits}"]
    letter_status.suspend(office, issued, "Diperiksa", head, clock.at)
    assert said(app, digits) == "ditangguhkan"
    letter_status.lift(office, issued, "Sudah jelas", head, clock.at)
    assert said(app, digits) == "sah"
    Letter.update(sha256=None, state="numbered").execute()
    assert said(app, digits) == "status_belum_dapat_dicek"
    Letter.update(sha256="0" * 64, state="issued").execute()
    assert said(app, digits) == "sah"
    clock.tick(400 * 86400)
    assert said(app, digits) == "kedaluwarsa"
    clock.tick(-400 * 86400)
    assert said(app, digits) == "sah"
    today = office.calendar.day_of(clock.at)
    key_acts.compromise_seal(office, 1, today, "Laptop hilang", clock.at)
    assert said(app, digits) == "tanda_tangan_tidak_sah"


def test_a_replaced_letter_is_never_kept_for_its_successor_may_change(
    app: Flask, office: Loket, clock: Clock, digits: str, submit: Submit
) -> None:
    newer = submit(office)
    to_step(office, clock, newer, "penyerahan")
    assert said(app, digits) == "sah"
    successor = Letter.get(Letter.application == newer)
    Letter.update(replaced_by=successor).where(Letter.application != newer).execute()
    assert said(app, digits) == "diganti"
    answer = app.test_client().get(f"/api/v1/verifikasi/{digits}").get_json()
    assert answer["replacement"].endswith(digits_of(office, newer))
    Letter.update(state="void").where(Letter.id == successor.id).execute()
    answer = app.test_client().get(f"/api/v1/verifikasi/{digits}").get_json()
    assert (answer["code"], answer["replacement"]) == ("diganti", None)


def test_an_answer_is_given_again_only_to_who_would_get_the_same(app: Flask, digits: str) -> None:
    address = f"/v/{digits}"
    first = app.test_client().get(address)
    assert "Set-Cookie" not in first.headers
    assert list(kept(app)) == [address]
    english = app.test_client()
    english.set_cookie("lang", "en")
    assert 'lang="en"' in english.get(address).get_data(as_text=True)[:200]
    again = app.test_client().get(address)
    assert 'lang="id"' in again.get_data(as_text=True)[:200]
    assert (again.data, list(again.headers)) == (first.data, list(first.headers))
    head = app.test_client().head(address)
    assert (head.status_code, head.data) == (200, b"")
    assert app.test_client().post(address).status_code in (400, 405)


def test_what_was_compared_is_told_to_the_browser_that_asked_alone(
    app: Flask, browser: Browser, digits: str
) -> None:
    address = f"/v/{digits}"
    assert "Tidak cocok." not in app.test_client().get(address).get_data(as_text=True)
    browser.page(f"{address}/cocok")
    paper = {"nik": "3602010101900001", "name": "Orang Lain"}
    browser.send(f"{address}/matches", paper)
    for client, told in ((app.test_client(), False), (browser.client, True)):
        html = client.get(address).get_data(as_text=True)
        assert ("Tidak cocok." in html) == told
    assert "Tidak cocok." not in app.test_client().get(address).get_data(as_text=True)


@pytest.mark.parametrize(
    "path",
    ["/v/{}?x=1", "/v/{}/", "//v/{}", "/v%2F{}", "/v/{}%0A", "/v/+{}", "/V/{}", "/v/%D9%A1{}"],
)
def test_odd_addresses_are_flasks_own_and_never_a_fault(app: Flask, digits: str, path: str) -> None:
    assert said(app, digits) == "sah"
    before = kept(app)
    answer = app.test_client().get(path.format(digits))
    assert answer.status_code in (200, 308, 404)
    if answer.status_code == 308:
        assert answer.headers["Location"].startswith(("http://localhost/", "/"))
    assert {path for path in kept(app) if path not in before} <= {f"/v/{digits}"}


def test_a_fault_is_not_given_again_and_long_cookies_fill_no_memory(
    app: Flask, digits: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app.testing, app.config["PROPAGATE_EXCEPTIONS"] = False, False
    address = f"/api/v1/verifikasi/{digits}"
    with monkeypatch.context() as broken:
        broken.setattr(verify, "_told", None)
        assert app.test_client().get(address).status_code == 500
    assert kept(app) == {}
    many = app.test_client()
    many.set_cookie("x", "y" * LONGEST_COOKIES)
    assert many.get(address).status_code == 200
    assert kept(app) == {}
    assert app.test_client().get(address).status_code == 200
    assert list(kept(app)) == [address]


def test_keys_that_cannot_be_read_are_said_by_a_page_and_not_by_the_server(
    app: Flask, office: Loket, digits: str
) -> None:
    app.testing, app.config["PROPAGATE_EXCEPTIONS"] = False, False
    assert said(app, digits) == "sah"
    keys = office.home / "keys" / "seal.json"
    keys.rename(keys.with_name("seal.away"))
    answer = app.test_client().get(f"/v/{digits}")
    assert answer.status_code >= 400
    assert b"<h1" in answer.data
    assert b"Traceback" not in answer.data
    keys.with_name("seal.away").rename(keys)
    assert said(app, digits) == "sah"
