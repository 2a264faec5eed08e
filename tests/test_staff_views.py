"""Coming in: sign-in and its limits, sessions that really end, where `next` may lead."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from flask import Flask

from kiosk import limits, staff
from models import Session, User
from tests.conftest import PASSWORD, Clock, actor
from tests.pages import Browser
from views.staff import same_site

Sign = Callable[[str], Browser]
ELSEWHERE = {"REMOTE_ADDR": "10.9.8.7"}

AWAY = (
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example",
    "https:evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "evil.example",
    "/ok\r\nSet-Cookie: a=b",
    "/" + "a" * 3000,
)


def sign_in(browser: Browser, name: str, password: str = PASSWORD, **options: object) -> int:
    data = {"name": name, "password": password}
    return browser.send("/masuk", data, **options).status_code


# ── The front page ──


def test_a_stranger_sees_the_ways_in(browser: Browser) -> None:
    html = browser.page("/").get_data(as_text=True)
    assert 'href="/v"' in html
    assert 'href="/masuk"' in html
    assert "Dinas Sosial Kabupaten Lebak" in html
    assert "Senin\u2013Kamis" in html
    assert "07.30\u201312.00" in html


@pytest.mark.parametrize(
    ("lang", "said"),
    [
        ("id", ["Pengaduan", "Kotak pengaduan", "Ringan", "5 hari kerja", "Gratis"]),
        ("en", ["Complaints", "Complaint box", "Minor", "5 working days", "Free of charge"]),
    ],
)
def test_the_front_page_says_what_one_gets_and_how_to_complain(
    browser: Browser, app: Flask, lang: str, said: list[str]
) -> None:
    browser.client.set_cookie("lang", lang)
    html = browser.page("/").get_data(as_text=True)
    profile = app.extensions["loket"].profile
    services = [getattr(service.product, lang) for service in profile.services]
    channels = [channel.value for channel in profile.complaints.channels]
    assert [text for text in said + services + channels if text not in html] == []
    assert 'id="pengaduan"' in html


@pytest.mark.parametrize(
    ("url", "code", "heading"),
    [
        ("/tidak-ada", 404, "Tidak ditemukan"),
        ("/kiosk/answers", 405, "Alamat ini tidak dapat dibuka langsung"),
        ("/admin", 403, "Halaman ini tidak untuk Anda"),
    ],
)
def test_who_went_astray_is_led_to_the_front_page(
    as_role: Sign, url: str, code: int, heading: str
) -> None:
    answer = as_role("operator").page(url)
    html = answer.get_data(as_text=True)
    assert answer.status_code == code
    assert f"<h1>{heading}</h1>" in html
    assert '<a class="button" href="/">Ke halaman depan</a>' in html
    assert "Muat ulang" not in html
    lead = re.search(r'<p class="lead">(.*?)</p>', html)
    assert lead
    assert lead[1].rstrip(".") != heading


def test_the_front_page_sends_each_to_their_place(
    kiosk: Browser, display_client: Browser, as_role: Sign
) -> None:
    places = {
        kiosk: "/kiosk",
        display_client: "/display",
        as_role("operator"): "/meja",
        as_role("admin"): "/admin",
    }
    for browser, place in places.items():
        answer = browser.page("/")
        assert (answer.status_code, answer.headers["Location"]) == (303, place)


# ── Signing in ──


def test_after_signing_in_each_role_is_at_its_work(browser: Browser, app: Flask) -> None:
    for name, place in (("loket", "/meja"), ("kadis", "/meja"), ("admin", "/admin")):
        answer = Browser(app.test_client()).send("/masuk", {"name": name, "password": PASSWORD})
        assert (answer.status_code, answer.headers["Location"]) == (303, place)


def test_a_wrong_password_and_an_unknown_name_look_the_same(browser: Browser) -> None:
    pages = []
    for name in ("admin", "siapa"):
        answer = browser.send("/masuk", {"name": name, "password": "salah-salah-salah"})
        assert answer.status_code == 422
        token = 'name="csrf_token" value="[^"]+"|X-CSRFToken[^}]+'
        pages.append(re.sub(token, "", answer.text).replace(f'value="{name}"', ""))
    assert "Nama atau kata sandi tidak cocok." in pages[0]
    assert pages[0] == pages[1]
    assert "salah-salah-salah" not in pages[0]


def test_ten_wrong_passwords_in_five_minutes_and_the_owner_elsewhere_comes_in(
    browser: Browser, app: Flask, clock: Clock
) -> None:
    tried = [sign_in(browser, "kadis", f"salah-{n}") for n in range(12)]
    assert tried == [422] * 10 + [429] * 2
    assert sign_in(browser, "kadis") == 429
    assert sign_in(browser, "KADIS") == 429
    assert sign_in(Browser(app.test_client()), "kadis", environ_base=ELSEWHERE) == 303
    clock.tick(5 * 60 + 1)
    assert sign_in(browser, "kadis") == 303


def test_many_names_from_one_address_are_limited_too(browser: Browser, clock: Clock) -> None:
    most = staff.WRONG_PER_ADDRESS
    for _ in range(most - 1):
        limits.spend("masuk|127.0.0.1", most, staff.WINDOW_S, clock.at)
    assert sign_in(browser, "orang1", "salah") == 422
    assert sign_in(browser, "orang2", "salah") == 429


def test_a_disabled_person_cannot_sign_in(browser: Browser) -> None:
    User.update(active=False).where(User.name == "operator").execute()
    assert sign_in(browser, "operator") == 422


def test_signing_in_needs_the_csrf_token(browser: Browser) -> None:
    answer = browser.client.post("/masuk", data={"name": "admin", "password": PASSWORD})
    assert answer.status_code == 400
    assert browser.page("/admin").status_code == 303


# ── Where `next` may lead ──


@pytest.mark.parametrize("target", AWAY)
def test_next_never_leads_off_the_site(app: Flask, target: str) -> None:
    assert same_site(target) == ""
    browser = Browser(app.test_client())
    shown = browser.page("/masuk", query_string={"next": target}).get_data(as_text=True)
    assert "evil.example" not in shown
    answer = browser.send("/masuk", {"name": "admin", "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == "/admin"
    again = browser.page("/masuk", query_string={"next": target})
    assert again.headers["Location"] == "/admin"
    tongue = browser.send("/bahasa", {"lang": "en"}, query_string={"next": target})
    assert tongue.headers["Location"] == "/"


@pytest.mark.parametrize("target", ["/meja", "/meja/7?tab=2", "/v/123#match", "/admin/petugas"])
def test_next_leads_back_to_a_page_of_ours(app: Flask, target: str) -> None:
    browser = Browser(app.test_client())
    answer = browser.send("/masuk", {"name": "kadis", "password": PASSWORD, "next": target})
    assert answer.headers["Location"] == target


def test_a_closed_page_leads_through_sign_in_and_back(browser: Browser) -> None:
    first = browser.page("/admin/petugas")
    assert first.status_code == 303
    form = browser.page(first.headers["Location"]).get_data(as_text=True)
    found = re.search('name="next" value="([^"]+)"', form)
    assert found
    answer = browser.send("/masuk", {"name": "admin", "password": PASSWORD, "next": found[1]})
    assert urlsplit(answer.headers["Location"]).path == "/admin/petugas"
    assert browser.page(answer.headers["Location"]).status_code == 200


# ── Sessions ──


def cookie(browser: Browser) -> str:
    found = browser.client.get_cookie("loket15")
    assert found is not None
    return found.value


def test_signing_in_starts_a_cookie_of_its_own(browser: Browser) -> None:
    browser.page("/masuk")
    with browser.client.session_transaction() as session:
        session["planted"] = "by an attacker"
        token = session["csrf_token"]
    before = cookie(browser)
    assert sign_in(browser, "admin") == 303
    assert cookie(browser) != before
    with browser.client.session_transaction() as session:
        assert "planted" not in session
        assert session.get("csrf_token") != token


def test_signing_in_again_ends_the_session_that_was(browser: Browser) -> None:
    sign_in(browser, "admin")
    old = cookie(browser)
    sign_in(browser, "operator")
    browser.client.set_cookie("loket15", old)
    assert browser.page("/admin").status_code == 303
    assert Session.select().count() == 1


def test_a_copied_cookie_is_worth_nothing_after_sign_out(as_role: Sign, app: Flask) -> None:
    browser = as_role("admin")
    copied = cookie(browser)
    thief = Browser(app.test_client())
    thief.client.set_cookie("loket15", copied)
    assert thief.page("/admin").status_code == 200
    answer = browser.send("/keluar")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/masuk")
    assert Session.select().count() == 0
    assert browser.page("/admin").status_code == 303
    thief.client.set_cookie("loket15", copied)
    assert thief.page("/admin").status_code == 303


def test_opening_the_sign_out_page_signs_nobody_out(as_role: Sign) -> None:
    browser = as_role("admin")
    assert browser.page("/keluar").status_code == 200
    assert browser.client.post("/keluar").status_code == 400
    assert browser.page("/admin").status_code == 200


def test_signing_out_twice_is_no_fault(browser: Browser) -> None:
    assert browser.send("/keluar").status_code == 303


def test_disabling_or_a_new_password_ends_the_sessions(as_role: Sign, clock: Clock) -> None:
    operator, head = as_role("operator"), as_role("kepala_dinas")
    users = {user.name: user.id for user in User.select()}
    admin = as_role("admin")
    admin.send(f"/admin/petugas/{users['operator']}", {"role": "operator"})
    admin.send(f"/admin/petugas/{users['kadis']}/password", {"password": "sandi-baru-1234"})
    for browser in (operator, head):
        assert browser.page("/").status_code == 200, "the front page of a stranger"
    assert sign_in(head, "kadis", "sandi-baru-1234") == 303
    assert sign_in(operator, "operator") == 422


def test_work_keeps_a_session_and_polls_do_not(as_role: Sign, clock: Clock) -> None:
    browser = as_role("admin")
    clock.tick(staff.IDLE_S - 60)
    browser.fragment("/admin/register/progress?v=x")
    clock.tick(61)
    assert browser.page("/admin").status_code == 303
    browser = as_role("admin")
    for _ in range(3):
        clock.tick(staff.IDLE_S - 60)
        assert browser.page("/admin").status_code == 200


def test_no_session_outlives_a_working_day(as_role: Sign, clock: Clock) -> None:
    browser = as_role("admin")
    for _ in range(7):
        clock.tick(staff.ABSOLUTE_S // 7)
        assert browser.page("/admin").status_code == 200
    clock.tick(60)
    assert browser.page("/admin").status_code == 303


def test_the_session_cookie_is_out_of_the_reach_of_scripts(app: Flask) -> None:
    client = app.test_client()
    set_cookie = client.get("/masuk").headers["Set-Cookie"]
    assert "HttpOnly" in set_cookie
    assert "SameSite=Lax" in set_cookie


# ── Language ──


def test_a_language_that_we_do_not_speak_changes_nothing(browser: Browser) -> None:
    answer = browser.send("/bahasa?next=/v", {"lang": "xx"})
    assert answer.headers["Location"] == "/v"
    assert browser.client.get_cookie("lang") is None


# ── Devices ──


def test_a_device_is_enrolled_once(app: Flask, clock: Clock) -> None:
    code = staff.add_device("Anjungan 7", "kiosk", clock.at)
    first, second = Browser(app.test_client()), Browser(app.test_client())
    shown = first.page(f"/perangkat/{code}").get_data(as_text=True)
    assert "Daftarkan sebagai Anjungan 7" in shown
    assert second.page(f"/perangkat/{code}").status_code == 200, "looking uses nothing up"
    answer = first.send(f"/perangkat/{code}")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/kiosk")
    late = second.send(f"/perangkat/{code}")
    assert late.status_code == 404
    assert "Kode tidak berlaku lagi" in late.get_data(as_text=True)
    assert second.page(f"/perangkat/{code}").status_code == 404
    assert "device_kiosk" not in {c.key for c in second.client._cookies.values()}


@pytest.mark.parametrize(("kind", "place"), [("kiosk", "/kiosk"), ("display", "/display")])
def test_going_back_to_the_used_address_leads_the_device_to_its_screen(
    app: Flask, clock: Clock, kind: str, place: str
) -> None:
    code = staff.add_device("Lobi", kind, clock.at)
    browser = Browser(app.test_client())
    assert browser.send(f"/perangkat/{code}").status_code == 303
    for again in (browser.page(f"/perangkat/{code}"), browser.send(f"/perangkat/{code}")):
        assert (again.status_code, again.headers["Location"]) == (303, place)
    fresh = staff.add_device("Lobi dua", kind, clock.at)
    assert browser.page(f"/perangkat/{fresh}").status_code == 200, "a good code is still good"


def test_an_enrolled_device_is_known_for_years_by_a_cookie_that_scripts_cannot_read(
    app: Flask, clock: Clock
) -> None:
    browser = Browser(app.test_client())
    code = staff.add_device("Layar lobi", "display", clock.at)
    answer = browser.send(f"/perangkat/{code}")
    assert answer.headers["Location"] == "/display"
    made = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("device_display="))
    assert "HttpOnly" in made
    assert f"Max-Age={3650 * 86400}" in made
    opened = browser.page("/display")
    assert opened.status_code == 200
    assert any(c.startswith("device_display=") for c in opened.headers.getlist("Set-Cookie")), (
        "renewed"
    )


def test_an_enrolment_code_is_good_for_a_day(browser: Browser, clock: Clock) -> None:
    code = staff.add_device("Anjungan 8", "kiosk", clock.at)
    clock.tick(staff.ENROL_S + 1)
    assert browser.page(f"/perangkat/{code}").status_code == 404
    assert browser.send(f"/perangkat/{code}").status_code == 404


def test_a_revoked_device_is_nobodys(display_client: Browser, clock: Clock) -> None:
    assert display_client.page("/display").status_code == 200
    staff.revoke_device(staff.devices()[0].id, actor("admin"), clock.at)
    assert display_client.page("/display").status_code == 403


# ── Machines ──


def test_health_says_what_a_monitor_needs_and_no_path(browser: Browser, app: Flask) -> None:
    answer = browser.page("/sehat")
    told = answer.get_json()
    assert answer.status_code == 200
    assert set(told) == {
        "ok", "database", "register", "disk_free_mb", "printers", "print_queue", "version",
        "keys",
    }  # fmt: skip
    assert told["ok"] is True
    assert told["database"] is True
    assert told["register"]["as_of"] == "2026-11-01"
    assert told["register"]["count"] > 0
    assert told["register"]["stale"] is False
    assert told["disk_free_mb"] > 0
    assert told["printers"]["letters"] == {"ok": True, "reason": ""}
    assert told["print_queue"] == 0
    assert re.fullmatch(r"\d+\.\d+.*", told["version"])
    assert "Set-Cookie" not in answer.headers
    assert str(app.config["SETTINGS"].home) not in answer.get_data(as_text=True)


def test_an_old_register_is_stale_and_not_unhealthy(browser: Browser, clock: Clock) -> None:
    clock.at += 30 * 86400
    answer = browser.page("/sehat")
    assert answer.status_code == 200
    assert answer.get_json()["register"]["stale"] is True


def test_a_damaged_register_is_unhealthy(browser: Browser, app: Flask) -> None:
    path = app.config["SETTINGS"].home / "register" / "current.sqlite"
    path.write_bytes(b"not a register")
    answer = browser.page("/sehat")
    assert answer.status_code == 503
    assert answer.get_json()["ok"] is False


def test_printers_are_asked_at_most_every_ten_seconds(
    browser: Browser, app: Flask, clock: Clock
) -> None:
    folder = app.config["SETTINGS"].home / "prints"
    assert browser.page("/sehat").get_json()["printers"]["letters"]["ok"] is True
    folder.rename(folder.with_name("away"))
    folder.write_text("no folder any more")
    clock.tick(9)
    assert browser.page("/sehat").get_json()["printers"]["letters"]["ok"] is True
    clock.tick(1)
    answer = browser.page("/sehat")
    assert answer.get_json()["printers"]["letters"]["ok"] is False
    assert answer.status_code == 200, "the counter goes on without its printer"


def test_crawlers_are_asked_to_stay_out(browser: Browser) -> None:
    assert browser.page("/robots.txt").get_data(as_text=True) == "User-agent: *\nDisallow: /\n"
