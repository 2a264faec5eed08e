"""No WCAG 2.2 A or AA violation on the screens that people use, found by axe in a real Chromium."""

from pathlib import Path

import pytest
from playwright.sync_api import Page

from kiosk.population import DEMO_PERSON
from tests.live import DESK, PHONE, Office
from tests.test_journeys import (
    do,
    give_numbers,
    heading,
    open_case,
    take_ticket,
    tap,
    to_numbers,
)

AXE = (Path(__file__).parent / "vendor" / "axe-core" / "axe.min.js").read_text()
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}


def faults(page: Page) -> list[str]:
    """What axe finds: rule and place. Run by the browser's debugger, which no CSP stops."""
    page.evaluate(AXE)
    found = page.evaluate("rules => axe.run(document, rules)", RULES)
    return [
        f"{fault['id']}: {node['target']}"
        for fault in found["violations"]
        for node in fault["nodes"]
    ]


@pytest.mark.parametrize(("language", "large"), [("ID", False), ("EN", True)])
def test_the_kiosk_serves_people_who_see_badly(office: Office, language: str, large: bool) -> None:
    kiosk = office.kiosk()
    if language == "EN":
        tap(kiosk, "EN")
        heading(kiosk, "Welcome")
    if large:
        tap(kiosk, "A+")
        kiosk.wait_for_selector("html.large")
    assert faults(kiosk) == []
    kiosk.locator(".pick").first.click()
    for screen in ("about", "priority", "consent", "nik"):
        kiosk.wait_for_selector(f".at-{screen}")
        assert faults(kiosk) == [], screen
        if screen != "nik":
            kiosk.locator(".button.primary.on").click()


TWENTY_MM = 72  # CSS pixels on a full-HD screen of 24 inches
TOO_SMALL = """least => [...document.querySelectorAll("#screen button, #screen a")]
    .filter(e => e.checkVisibility() && !e.matches(".visually-hidden"))
    .map(e => [e.innerText, e.getBoundingClientRect()])
    .filter(([, box]) => box.height && Math.min(box.width, box.height) < least)
    .map(([text, box]) => `${text}: ${box.width} x ${box.height}`)"""


def test_whatever_is_touched_at_the_kiosk_is_twenty_millimetres(office: Office) -> None:
    kiosk = office.kiosk()
    small = {"start": kiosk.evaluate(TOO_SMALL, TWENTY_MM)}
    to_numbers(kiosk)
    small["nik"] = kiosk.evaluate(TOO_SMALL, TWENTY_MM)
    give_numbers(kiosk, "3602015203640003", "3602119999998888")
    heading(kiosk, "Pasangan ini tidak ditemukan")
    small["notfound"] = kiosk.evaluate(TOO_SMALL, TWENTY_MM)
    tap(kiosk, "Lanjut, saya isi sendiri")
    heading(kiosk, "Ketik nama Anda")
    small["name"] = kiosk.evaluate(TOO_SMALL, TWENTY_MM)
    assert {screen: found for screen, found in small.items() if found} == {}


def test_own_data_and_ticket_have_no_barrier(office: Office) -> None:
    kiosk = office.kiosk()
    to_numbers(kiosk)
    give_numbers(kiosk, DEMO_PERSON.nik, DEMO_PERSON.kk)
    for act, screen in (("KIP Kuliah", "Apakah sudah benar?"), ("Ya, benar", "Nomor antrean")):
        assert faults(kiosk) == []
        tap(kiosk, act)
        heading(kiosk, screen)
    assert faults(kiosk) == []


def test_desk_queue_phone_and_verify_page_have_no_barrier(office: Office) -> None:
    label = take_ticket(office.kiosk())
    front = office.signed_in("loket")
    open_case(front, label)
    assert faults(front) == []
    do(front, label, "Belum lengkap", missing="kk")
    assert faults(front) == []
    front.goto(f"{office.url}/loket")
    assert faults(front) == []
    stranger = office.window(PHONE)
    for path in ("/masuk", "/v", "/v/1", "/v/kelompok", "/standar", "/"):
        stranger.goto(office.url + path)
        assert faults(stranger) == [], path
    admin = office.window(DESK)
    admin.goto(f"{office.url}/masuk")
    admin.fill("[name=name]", "admin")
    admin.fill("[name=password]", "sandi-contoh-15")
    admin.click("main button")
    admin.wait_for_url("**/admin*")
    assert faults(admin) == []
    own = ("mandat", "petugas/3", "standar", "kunci", "lembaga", "surat")
    for path in [f"/admin/{page}" for page in own]:
        admin.goto(office.url + path)
        assert faults(admin) == [], path
