"""What anybody may open: a citizen's status, whether a letter is genuine, the lobby's screen."""

import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from flask import Flask

from kiosk import desk, letter_status, population, queue, verification
from kiosk.loket import Loket
from kiosk.seal import Core, Result, print_check, read
from models import Letter, Ticket
from tests.conftest import Clock, actor
from tests.pages import Browser
from tests.test_desk import act, to_step

Submit = Callable[..., int]
PERSON = population.DEMO_PERSON
DAY_S = 86400


@pytest.fixture
def office(app: Flask) -> Loket:
    found: Loket = app.extensions["loket"]
    return found


@pytest.fixture
def letter(office: Loket, clock: Clock, submit: Submit) -> str:
    """The digits of a letter that was issued just now."""
    return issue(office, clock, submit)


def issue(office: Loket, clock: Clock, submit: Submit) -> str:
    id_ = submit(office)
    to_step(office, clock, id_, "penyerahan")
    return digits_of(office, id_)


def digits_of(office: Loket, id_: int) -> str:
    row = Letter.get(Letter.application == id_)
    return str(office.vault.unlock_json("letter", row.facts_ct)["digits"])


def address(id_: int) -> str:
    return f"/t/{Ticket.get(Ticket.application == id_).token}"


def words(browser: Browser, url: str) -> str:
    return browser.page(url).get_data(as_text=True)


def nothing_personal(html: str) -> None:
    for part in (PERSON.nik, PERSON.kk, PERSON.name, PERSON.name.title(), PERSON.address):
        assert part.lower() not in html.lower()


# ── A citizen's status ──


def test_a_phone_shows_where_the_application_is_and_names_nobody(
    browser: Browser, office: Loket, submit: Submit
) -> None:
    first, second = submit(office), submit(office)
    html = words(browser, address(second))
    assert "A02" in html
    assert "09.15" in html
    assert ">15</text>" in html
    assert "Menunggu dipanggil ke loket" in html
    assert "Petugas loket" in html
    assert re.search(r"Sebelum Anda</dt><dd>1 nomor", html)
    assert first != second
    nothing_personal(html)


def test_a_phone_says_once_and_quietly_where_to_complain(
    browser: Browser, office: Loket, submit: Submit
) -> None:
    html = words(browser, address(submit(office)))
    first = office.profile.complaints.channels[0]
    assert f"Ada keluhan? {first.title.id}: {first.value}." in html
    assert html.count("Ada keluhan?") == html.count('href="/#pengaduan"') == 1


def test_a_call_is_the_first_thing_the_phone_says(
    browser: Browser, office: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(office)
    before = browser.page(address(id_)).get_data(as_text=True)
    queue.call_next(office, actor("front_office", 3), clock.at)
    html = words(browser, address(id_))
    assert "now-call" not in before
    assert re.search(r'class="now-call">.*Loket 3', html)


def test_a_phone_is_answered_only_when_something_changed(
    browser: Browser, office: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(office)
    rows = re.search(r'hx-get="([^"]+)"', words(browser, address(id_)))
    assert rows
    url = rows[1].replace("&amp;", "&")
    assert browser.fragment(url).status_code == 204
    clock.tick(30)
    assert browser.fragment(url).status_code == 204
    clock.tick(60)
    assert ">14</text>" in browser.fragment(url).get_data(as_text=True)


def test_phones_far_back_in_the_queue_ask_less_often(
    browser: Browser, office: Loket, submit: Submit
) -> None:
    ids = [submit(office) for _ in range(23)]
    pace = [every(words(browser, address(id_))) for id_ in (ids[0], ids[5], ids[15], ids[22])]
    for found, seconds in zip(pace, (5, 15, 30, 60), strict=True):
        assert 0.8 * seconds * 1000 <= found <= 1.2 * seconds * 1000


def every(html: str) -> int:
    found = re.search(r'hx-trigger="every (\d+)ms"', html)
    assert found
    return int(found[1])


def test_outside_working_time_the_phone_says_that_the_clock_rests(
    browser: Browser, office: Loket, clock: Clock, submit: Submit
) -> None:
    clock.at += 7 * 3600 - 60
    id_ = submit(office)
    clock.tick(3600)
    html = words(browser, address(id_))
    assert "Kantor sedang tutup dan waktu berhenti. Buka lagi Sel 24 Nov, 07.30." in html
    assert ">14</text>" in html
    assert every(html) >= 48_000


def test_a_late_application_says_by_how_much_and_turns_red(
    browser: Browser, office: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(office)
    clock.tick(19 * 60)
    html = words(browser, address(id_))
    assert 'class="ring red"' in html
    assert "Lewat 4 menit dari janji 09.15." in html


def test_a_stopped_clock_tells_the_citizen_what_to_do(
    browser: Browser, office: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(office)
    seq = desk.find(id_).seq
    given = {"missing": ["kk"]}
    desk.act(office, id_, "kurang", given, actor("front_office"), seq, clock.tick(60))
    html = words(browser, address(id_))
    assert "Lengkapi berkas Anda, lalu kembali ke loket" in html
    assert "Waktu berhenti sampai Anda kembali ke loket." in html


def test_a_ready_letter_can_be_printed_at_the_kiosk_from_the_phone(
    browser: Browser, office: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "penyerahan")
    html = words(browser, address(id_))
    assert "Surat siap: cetak di anjungan atau ambil di loket" in html
    assert 'class="qr"' in html
    assert "Dapat dicetak 2 kali lagi." in html


def test_not_found_shows_where_to_register(
    browser: Browser, office: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "cek")
    act(office, clock, id_, "operator", "tidak_ditemukan", seen="NIK dan nama")
    act(office, clock, id_, "front_office", "diberitahu")
    html = words(browser, address(id_))
    assert "Data belum ditemukan" in html
    assert "kantor desa atau kelurahan" in html


def test_a_token_that_is_nobodys_gets_a_friendly_404(browser: Browser) -> None:
    answer = browser.page("/t/tidak-ada")
    assert answer.status_code == 404
    assert "Tiket tidak ditemukan" in answer.get_data(as_text=True)
    assert browser.fragment("/t/tidak-ada/rows").status_code == 404


# ── Is this letter genuine? ──


def test_a_genuine_letter_is_said_to_be_genuine_first(browser: Browser, letter: str) -> None:
    html = words(browser, f"/v/{letter}")
    assert 'data-code="sah"' in html
    assert html.index("Surat ini asli") < html.index("400.9.1/1/DINSOS/2026")
    assert "dan masih berlaku" in html


def test_the_verify_page_shows_only_what_is_allowed(
    browser: Browser, office: Loket, letter: str
) -> None:
    html = words(browser, f"/v/{letter}")
    person = office.register.find_pair(PERSON.nik, PERSON.kk)
    assert person is not None
    nothing_personal(html)
    for part in (person.village, person.district, person.birth_date, person.register_id):
        assert not part or part.lower() not in html.lower()
    assert not any(programme in html for programme in person.programmes)
    assert "S*** A*****, NIK berakhiran 0001" in html
    for allowed in ("400.9.1/1/DINSOS/2026", "23 November 2026", "21 Mei 2027", "kunci dinas"):
        assert allowed in html
    assert "Dinas Sosial Kabupaten Lebak" in html
    assert re.search(r"Status dicek 23 Nov 2026 pukul 09\.\d\d WIB", html)


def revoked(office: Loket, clock: Clock, digits: str, replacement: str = "") -> None:
    row = Letter.get_by_id(core_serial(office, digits))
    head = actor("kepala_dinas")
    letter_status.revoke(office, row.application_id, "salah data", replacement, head, clock.at)


def core_serial(office: Loket, digits: str) -> int:
    return read(digits, office.seal_keys.public()).serial


def said(browser: Browser, digits: str) -> tuple[str, str]:
    """The code of the page and that of the API."""
    found = re.search(r'data-code="(\w+)"', words(browser, f"/v/{digits}"))
    answer = browser.page(f"/api/v1/verifikasi/{digits}")
    assert found
    assert answer.status_code == 200
    return found[1], answer.get_json()["code"]


def test_an_expired_letter_is_genuine_and_no_longer_valid(
    browser: Browser, letter: str, clock: Clock
) -> None:
    clock.at += 200 * DAY_S
    assert said(browser, letter) == ("kedaluwarsa", "kedaluwarsa")
    assert "Masa berlaku habis" in words(browser, f"/v/{letter}")


def test_a_letter_is_valid_on_its_last_day(browser: Browser, letter: str, clock: Clock) -> None:
    clock.at += 179 * DAY_S
    assert said(browser, letter) == ("sah", "sah")
    clock.at += DAY_S
    assert said(browser, letter) == ("kedaluwarsa", "kedaluwarsa")


def test_a_revoked_letter_is_said_to_be_revoked_even_when_expired(
    browser: Browser, office: Loket, letter: str, clock: Clock
) -> None:
    revoked(office, clock, letter)
    assert said(browser, letter) == ("dicabut", "dicabut")
    assert "salah data" not in words(browser, f"/v/{letter}")
    clock.at += 200 * DAY_S
    assert said(browser, letter) == ("dicabut", "dicabut")


def test_a_replaced_letter_leads_to_the_new_one(
    browser: Browser, office: Loket, letter: str, clock: Clock, submit: Submit
) -> None:
    newer = issue(office, clock, submit)
    revoked(office, clock, letter, Letter.get_by_id(core_serial(office, newer)).number)
    assert said(browser, letter) == ("diganti", "diganti")
    assert f'href="/v/{newer}"' in words(browser, f"/v/{letter}")
    told = browser.page(f"/api/v1/verifikasi/{letter}").get_json()
    assert told["replacement"] == f"http://loket.test/v/{newer}"


def test_a_changed_code_has_no_valid_signature_and_tells_nothing(
    browser: Browser, letter: str
) -> None:
    changed = letter[:-1] + str((int(letter[-1]) + 1) % 10)
    for code in (changed, letter[:-1], letter + "0", "0" * 193, "1", "abc", "9" * 5000):
        assert said(browser, code) == ("tanda_tangan_tidak_sah", "tanda_tangan_tidak_sah")
        html = words(browser, f"/v/{code}")
        assert "400.9.1" not in html
        assert "S***" not in html


def test_a_valid_seal_without_its_row_is_neither_yes_nor_no(
    browser: Browser, office: Loket, clock: Clock
) -> None:
    key_id, _ = office.seal_keys.current()
    check = print_check(77, PERSON.nik, PERSON.name)
    day = date(2026, 11, 23)
    digits = office.seal_keys.seal(Core(key_id, 77, day, 90, Result.REGISTERED, check, "SA"))
    assert said(browser, digits) == ("status_belum_dapat_dicek", "status_belum_dapat_dicek")
    assert "S***" not in words(browser, f"/v/{digits}")


def test_a_letter_whose_signing_failed_is_not_called_genuine(
    browser: Browser, office: Loket, letter: str
) -> None:
    Letter.update(state="numbered").execute()
    assert said(browser, letter) == ("status_belum_dapat_dicek", "status_belum_dapat_dicek")


def test_the_codes_each_have_a_page_of_their_own() -> None:
    template = (Path(__file__).parents[1] / "templates/verify/page.html").read_text()
    assert all(f'"{code}": (' in template for code in verification.CODES)


def test_the_api_tells_programs_the_same_and_no_more(browser: Browser, letter: str) -> None:
    answer = browser.page(f"/api/v1/verifikasi/{letter}")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in answer.headers
    assert answer.get_json() == {
        "code": "sah",
        "number": "400.9.1/1/DINSOS/2026",
        "name": "S*** A*****",
        "nik_end": "0001",
        "issued": "2026-11-23",
        "valid_until": "2027-05-21",
        "revoked": None,
        "replacement": None,
        "office": "Dinas Sosial Kabupaten Lebak",
        "signed": "kunci dinas",
        "checked_at": answer.get_json()["checked_at"],
    }
    assert answer.get_json()["checked_at"].startswith("2026-11-23T09:0")
    assert answer.get_json()["checked_at"].endswith("+07:00")


def test_the_published_keys_verify_a_letter_without_us(
    browser: Browser, office: Loket, letter: str
) -> None:
    answer = browser.page("/.well-known/sk-keys.json")
    keys = answer.get_json()["keys"]
    assert read(letter, keys).serial == 1
    assert set(keys[0]) == {"key_id", "alg", "key", "not_before", "expires", "revoked_at"}
    assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def paper(**over: str) -> dict[str, str]:
    return {"nik": PERSON.nik, "name": PERSON.name} | over


def test_the_paper_is_compared_with_the_seal(browser: Browser, letter: str) -> None:
    url = f"/v/{letter}/matches"
    right = browser.send(url, paper(), htmx=True).get_data(as_text=True)
    wrong = browser.send(url, paper(name="Siti Aminah Palsu"), htmx=True).get_data(as_text=True)
    other = browser.send(url, paper(nik=PERSON.nik[:-1] + "2"), htmx=True).get_data(as_text=True)
    spaced = browser.send(
        url, paper(nik=" ".join(PERSON.nik), name=PERSON.name.lower()), htmx=True
    ).get_data(as_text=True)
    assert "Cocok." in right
    assert "Cocok." in spaced
    assert "Tidak cocok." in wrong
    assert "Tidak cocok." in other
    nothing_personal(right + wrong + other)


def test_the_comparison_works_without_javascript_and_repeats_nothing(
    browser: Browser, letter: str
) -> None:
    answer = browser.send(f"/v/{letter}/matches", paper())
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/v/{letter}#match"
    html = words(browser, f"/v/{letter}")
    assert "Cocok." in html
    nothing_personal(html)
    assert "Cocok." not in words(browser, f"/v/{letter}")


def test_a_link_cannot_make_the_page_say_that_the_paper_fits(browser: Browser, letter: str) -> None:
    assert "Cocok." not in words(browser, f"/v/{letter}?fits=fits&match=fits")


def test_an_answer_is_not_shown_with_another_letter(
    browser: Browser, office: Loket, letter: str, clock: Clock, submit: Submit
) -> None:
    other = issue(office, clock, submit)
    browser.send(f"/v/{letter}/matches", paper())
    assert "Cocok." not in words(browser, f"/v/{other}")


def test_five_comparisons_a_letter_and_address(browser: Browser, letter: str, app: Flask) -> None:
    url = f"/v/{letter}/matches"
    tried = [browser.send(url, paper(name=f"N{n}"), htmx=True).status_code for n in range(6)]
    assert tried == [200] * 5 + [429]
    assert browser.send(url, paper(), htmx=True).status_code == 429
    elsewhere = browser.send(url, paper(), htmx=True, environ_base={"REMOTE_ADDR": "10.9.8.7"})
    assert "Cocok." in elsewhere.get_data(as_text=True)
    forged = {"X-Forwarded-For": "10.1.1.1", "X-CSRFToken": browser.token()}
    assert browser.client.post(url, data=paper(), headers=forged).status_code == 429


def test_a_code_can_be_pasted_when_the_scan_fails(browser: Browser, letter: str) -> None:
    for typed in (letter, f"http://loket.test/v/{letter}", " ".join(letter), f"  {letter}\n"):
        answer = browser.send("/v", {"kode": typed})
        assert answer.headers["Location"] == f"/v/{letter}"
    short = browser.send("/v", {"kode": PERSON.nik})
    assert short.status_code == 422
    assert "Yang terbaca: 16 angka." in short.get_data(as_text=True)
    nothing_personal(short.get_data(as_text=True))
    assert browser.page("/v").status_code == 200


# ── The lobby's screen ──


def test_only_an_enrolled_display_shows_the_calls(browser: Browser, kiosk: Browser) -> None:
    assert browser.page("/display").status_code == 403
    assert kiosk.page("/display").status_code == 403


def test_the_display_shows_the_last_call_big_and_those_before_it(
    display_client: Browser, office: Loket, clock: Clock, submit: Submit
) -> None:
    for _ in range(4):
        submit(office)
    for window in (1, 2, 3):
        queue.call_next(office, actor("front_office", window), clock.tick(40))
    html = words(display_client, "/display")
    assert '<p class="label">A03</p>' in html
    assert '<p class="window">Loket 3</p>' in html
    assert re.findall(r"<b>(A\d+)</b> <span>(Loket \d)", html) == [
        ("A02", "Loket 2"),
        ("A01", "Loket 1"),
    ]
    assert "Menunggu 1 orang" in html
    nothing_personal(html)


def test_a_call_sounds_once_and_only_while_it_is_fresh(
    display_client: Browser, office: Loket, clock: Clock, submit: Submit
) -> None:
    submit(office)
    assert "data-chime" not in words(display_client, "/display")
    lo = actor("front_office", 1)
    ticket = queue.call_next(office, lo, clock.at)
    first = re.search(r'data-chime="(\d+)"', words(display_client, "/display"))
    clock.tick(29)
    assert "data-chime" in words(display_client, "/display")
    clock.tick(1)
    assert "data-chime" not in words(display_client, "/display")
    assert ticket is not None
    queue.recall(office, ticket.id, lo, clock.at)
    again = re.search(r'data-chime="(\d+)"', words(display_client, "/display"))
    assert first
    assert again
    assert int(again[1]) > int(first[1])


def test_the_display_is_answered_when_a_call_or_a_minute_came(
    display_client: Browser, office: Loket, clock: Clock, submit: Submit
) -> None:
    def poll() -> str:
        found = re.search(r'hx-get="([^"]+)"', words(display_client, "/display"))
        assert found
        return found[1]

    submit(office)
    url = poll()
    assert display_client.fragment(url).status_code == 204
    queue.call_next(office, actor("front_office", 1), clock.at)
    called = display_client.fragment(url)
    assert 'class="label">A01' in called.get_data(as_text=True)
    url = poll()
    clock.tick(61)
    assert ">09.01<" in display_client.fragment(url).get_data(as_text=True)


def test_the_display_says_when_the_office_opens_again(
    display_client: Browser, office: Loket, clock: Clock, submit: Submit
) -> None:
    submit(office)
    queue.call_next(office, actor("front_office", 1), clock.at)
    clock.at += 10 * 3600
    html = words(display_client, "/display")
    assert "Kantor sedang tutup" in html
    assert "Buka lagi Sel 24 Nov, 07.30" in html
    assert "A01" not in html


# ── Both languages ──


@pytest.mark.parametrize("url", ["/", "/v", "/v/123", "/masuk", "/keluar", "/t/x", "/perangkat/x"])
def test_each_public_page_speaks_english_too(browser: Browser, url: str) -> None:
    indonesian = words(browser, url)
    sent = browser.send(f"/bahasa?next={url}", {"lang": "en"})
    assert sent.headers["Location"] == url
    english = words(browser, url)
    assert '<html lang="en"' in english
    assert re.search("<h1>.*?</h1>", english) != re.search("<h1>.*?</h1>", indonesian) or url == "/"


def test_each_sentence_of_these_pages_has_its_english() -> None:
    root = Path(__file__).parents[1]
    known: dict[str, str] = {}
    for file in (root / "views" / "english").glob("*.toml"):
        known |= tomllib.loads(file.read_text())
    folders = ("status", "verify", "display", "staff", "admin", "machine")
    files = [root / "templates" / "page.html"]
    files += [file for name in folders for file in (root / "templates" / name).glob("*.html")]
    said = {key for file in files for key in re.findall(r'\b_\(\s*"([^"]+)"', file.read_text())}
    assert len(said) > 100
    assert said - known.keys() == set()
