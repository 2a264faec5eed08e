"""What anybody may open: a citizen's status, whether a letter is genuine, the lobby's screen."""

import re
import tomllib
from collections.abc import Callable
from datetime import date
from io import BytesIO
from pathlib import Path
from typing import get_args

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from kiosk import (
    archive,
    desk,
    letter_status,
    pdf_check,
    population,
    queue,
    trust,
    trust_acts,
    verification,
)  # fmt: skip
from kiosk.loket import Loket, open_loket, prepare
from kiosk.seal import Core, Result, code, print_check, read
from models import Letter, Ticket, transaction
from tests.conftest import Clock, actor
from tests.letters import act, digits_of, issue, to_step
from tests.pages import Browser, check
from tests.test_pdf_check import edited, picture
from views import web

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
    return digits_of(office, issue(office, clock, submit))


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


def revoked(office: Loket, clock: Clock, digits: str) -> None:
    row = Letter.get_by_id(core_serial(office, digits))
    head = actor("kepala_dinas")
    letter_status.revoke(office, row.application_id, "salah data", head, clock.at)


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
    newer = digits_of(office, issue(office, clock, submit))
    Letter.update(replaced_by=core_serial(office, newer), revoked_at=clock.at).where(
        Letter.id == core_serial(office, letter)
    ).execute()
    assert said(browser, letter) == ("diganti", "diganti")
    assert f'href="/v/{newer}"' in words(browser, f"/v/{letter}")
    told = browser.page(f"/api/v1/verifikasi/{letter}").get_json()
    assert told["replacement"] == f"http://loket.test/v/{newer}"


def test_a_changed_code_has_no_valid_signature_and_tells_nothing(
    browser: Browser, letter: str
) -> None:
    changed = letter[:-1] + str((int(letter[-1]) + 1) % 10)
    for other in (changed, letter[:-1], letter + "0", "0" * 193, "1", "abc", "9" * 5000):
        assert said(browser, other) == ("tanda_tangan_tidak_sah", "tanda_tangan_tidak_sah")
        html = words(browser, f"/v/{other}")
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


def test_each_code_has_words_a_colour_and_a_silhouette_that_no_other_has(app: Flask) -> None:
    table = app.jinja_env.get_template("verify/_verdict.html").module.table  # type: ignore[attr-defined]
    assert set(table) == set(verification.CODES)
    for part in ("headline", "sub", "act", "todo", "means", "mark"):
        # Three of them are not to be accepted, and say so in the same words.
        most = 6 if part == "act" else 8
        assert len({words[part] for words in table.values()}) == most, part
    style = (Path(__file__).parents[1] / "static" / "verify.css").read_text()
    colours = [
        re.search(rf"\.is-{one}[^{{]*{{ --ground: (#\w+)", style)
        for one in set(verification.CODES) - {verification.UNKNOWN}
    ]
    found = {match[1] for match in colours if match} | {"#44524d"}
    assert len(found) == 8


def test_each_word_of_a_result_or_a_file_has_its_english(app: Flask) -> None:
    page = (Path(__file__).parents[1] / "views" / "english").glob("*.toml")
    known = {key for file in page for key in tomllib.loads(file.read_text())}
    for name in ("verify/_verdict.html", "verify/_files.html"):
        table = app.jinja_env.get_template(name).module.table  # type: ignore[attr-defined]
        said = {text for words in table.values() for part, text in words.items() if part != "mark"}
        assert said - known - {""} == set()


def test_no_word_of_a_result_or_a_file_says_what_the_letter_says_of_the_person(
    app: Flask,
) -> None:
    for name in ("verify/_verdict.html", "verify/_files.html"):
        table = app.jinja_env.get_template(name).module.table  # type: ignore[attr-defined]
        told = " ".join(text for words in table.values() for text in words.values()).lower()
        for word in ("terdaftar", "dtks", "dtsen", "miskin", "desil", "tidak mampu", "bantuan"):
            assert word not in told


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
        "suspended": None,
        "address": "http://loket.test",
        "signed": "office_key",
        "checked_at": answer.get_json()["checked_at"],
        "listed_at": None,
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
    other = digits_of(office, issue(office, clock, submit))
    browser.send(f"/v/{letter}/matches", paper())
    assert "Cocok." not in words(browser, f"/v/{other}")


def test_five_comparisons_a_letter_and_address(browser: Browser, letter: str, app: Flask) -> None:
    url = f"/v/{letter}/matches"
    tried = [browser.send(url, paper(name=f"N{n}"), htmx=True) for n in range(6)]
    assert [answer.status_code for answer in tried] == [200] * 5 + [429]
    assert "Sisa percobaan untuk surat ini: 4 kali" in tried[0].get_data(as_text=True)
    assert "Ini percobaan yang terakhir." in tried[4].get_data(as_text=True)
    plain = browser.send(url, paper())
    assert plain.status_code == 429
    assert "Lima percobaan untuk surat ini sudah terpakai" in plain.get_data(as_text=True)
    elsewhere = browser.send(url, paper(), htmx=True, environ_base={"REMOTE_ADDR": "10.9.8.7"})
    assert "Cocok." in elsewhere.get_data(as_text=True)
    forged = {"X-Forwarded-For": "10.1.1.1", "X-CSRFToken": browser.token()}
    assert browser.client.post(url, data=paper(), headers=forged).status_code == 429
    many = [{"REMOTE_ADDR": f"2001:db8:1:2::{n:x}"} for n in range(6)]
    tried = [browser.send(url, paper(name="N"), htmx=True, environ_base=one) for one in many]
    assert [answer.status_code for answer in tried] == [200] * 5 + [429]
    other = {"REMOTE_ADDR": "2001:db8:1:3::1"}
    assert browser.send(url, paper(), htmx=True, environ_base=other).status_code == 200


def test_a_slip_in_the_nik_is_said_and_costs_no_try(browser: Browser, letter: str) -> None:
    for htmx in (True, False):
        slip = browser.send(f"/v/{letter}/matches", paper(nik=PERSON.nik[:-1]), htmx=htmx)
        assert slip.status_code == 422
        assert "NIK terdiri atas 16 angka." in slip.get_data(as_text=True)
        nothing_personal(slip.get_data(as_text=True))
    wrong = browser.send(f"/v/{letter}/matches", paper(name="N"), htmx=True)
    assert "Sisa percobaan untuk surat ini: 4 kali" in wrong.get_data(as_text=True)


def test_a_nik_typed_into_any_public_form_comes_back_nowhere(
    app: Flask, browser: Browser, letter: str, office: Loket, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    token = Ticket.select().order_by(Ticket.id.desc()).get().token
    typed = ("kode", "nomor", "tanda", "nik", "name", "key", "file", "reason", "captcha", "lang")
    forms = ["/v", "/v/nomor", "/v/berkas", "/v/kelompok", f"/v/{letter}/matches", "/bahasa"]
    for url in (*forms, f"/t/{token}/surat"):
        for htmx in (False, True):
            sent = dict.fromkeys(typed, PERSON.nik) | {"name": PERSON.name}
            answer = browser.send(url, sent, htmx=htmx)
            if url == f"/t/{token}/surat" and answer.status_code == 200:
                continue  # The letter itself, to who knows its NIK.
            assert answer.status_code < 500
            nothing_personal(f"{answer.headers}{answer.get_data(as_text=True)}")
            session = browser.client.get_cookie(app.config["SESSION_COOKIE_NAME"])
            assert session is None or PERSON.nik not in session.decoded_value
    assert PERSON.nik not in caplog.text
    assert PERSON.name not in caplog.text


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("", ""),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::"), ("fe80::1%eth0", "fe80::"),
        ("10.0.0.1:4711", "10.0.0.1:4711"), ("unknown", "unknown"),
    ],
)  # fmt: skip
def test_tries_are_counted_by_address_and_by_half_of_a_long_one(
    app: Flask, address: str, counted: str
) -> None:
    with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert web.asker() == counted


def test_who_only_looks_at_a_letter_is_given_no_cookie(app: Flask, letter: str) -> None:
    looked = (f"/v/{letter}", f"/api/v1/verifikasi/{letter}", "/v/luring", "/sw.js", "/v/x",
              "/.well-known/sk-keys.json", "/.well-known/sk-offices.json")  # fmt: skip
    for url in looked:
        assert "Set-Cookie" not in app.test_client().get(url).headers, url


def test_a_code_can_be_pasted_when_the_scan_fails(browser: Browser, letter: str) -> None:
    for typed in (letter, f"http://loket.test/v/{letter}", " ".join(letter), f"  {letter}\n"):
        answer = browser.send("/v", {"kode": typed})
        assert answer.headers["Location"] == f"/v/{letter}"
    short = browser.send("/v", {"kode": PERSON.nik})
    assert short.status_code == 422
    assert "Yang terbaca: 16 angka." in short.get_data(as_text=True)
    nothing_personal(short.get_data(as_text=True))
    assert browser.page("/v").status_code == 200


def test_a_letter_is_found_by_its_number_and_the_code_under_its_qr(
    browser: Browser, letter: str
) -> None:
    typed = {"nomor": "400.9.1/1/dinsos/2026", "tanda": code(letter).lower()}
    assert browser.send("/v/nomor", typed).headers["Location"] == f"/v/{letter}"
    wrong = browser.send("/v/nomor", typed | {"tanda": "AAAA-AAAA"})
    assert wrong.status_code == 422
    html = wrong.get_data(as_text=True)
    assert 'value="400.9.1/1/dinsos/2026"' in html
    assert "Nomor dan kode ini tidak cocok." in html
    for _ in range(verification.ADDRESS_TRIES):
        refused = browser.send("/v/nomor", typed | {"tanda": "AAAA-AAAA"})
    assert refused.status_code == 429
    assert "Terlalu banyak percobaan" in refused.get_data(as_text=True)


def send_file(browser: Browser, data: bytes) -> TestResponse:
    return browser.send("/v/berkas", {"file": (BytesIO(data), "surat.pdf")})


def test_a_pdf_that_is_sent_in_is_the_letter_or_says_what_it_is(
    browser: Browser, office: Loket, letter: str, clock: Clock
) -> None:
    pdf = archive.pdf_of(office, Letter.get().application_id)
    html = send_file(browser, pdf).get_data(as_text=True)
    assert 'data-code="sah"' in html
    assert 'data-file="exact"' in html
    assert "400.9.1/1/DINSOS/2026" in html
    nothing_personal(html)
    changed = send_file(browser, edited(pdf)).get_data(as_text=True)
    assert 'data-file="changed"' in changed
    assert "Berkas ini diubah setelah ditandatangani" in changed
    assert "Surat ini asli" not in changed
    assert letter not in changed
    copy = send_file(browser, picture(pdf)).get_data(as_text=True)
    assert 'data-file="copy"' in copy
    assert "Berkas ini tidak membuktikan apa pun" in copy
    assert f'href="/v/{letter}"' in copy
    assert "Surat ini asli" not in copy
    Letter.update(suspended_at=clock.at).execute()
    assert 'data-code="ditangguhkan"' in send_file(browser, pdf).get_data(as_text=True)


def test_each_kind_of_file_has_words_and_a_silhouette_of_its_own(app: Flask) -> None:
    table = app.jinja_env.get_template("verify/_files.html").module.table  # type: ignore[attr-defined]
    assert set(table) == set(get_args(pdf_check.Outcome))
    for part in ("headline", "todo", "mark"):
        texts = [words[part] for words in table.values() if words[part]]
        assert len(set(texts)) == len(texts), part


def test_what_cannot_be_checked_is_refused_with_what_to_do(browser: Browser) -> None:
    word = send_file(browser, b"PK\x03\x04")
    assert word.status_code == 422
    assert "Hanya PDF, foto JPEG, atau gambar PNG" in word.get_data(as_text=True)
    none = browser.send("/v/berkas")
    assert none.status_code == 422
    assert "Pilih berkas PDF surat" in none.get_data(as_text=True)
    for _ in range(20):
        many = send_file(browser, b"PK\x03\x04")
    assert many.status_code == 429


def test_a_file_past_five_megabytes_is_refused_before_it_is_read(browser: Browser) -> None:
    class Endless(BytesIO):
        def read(self, *_: object) -> bytes:
            raise AssertionError("the body was read")

    answer = browser.client.post(
        "/v/berkas",
        input_stream=Endless(),
        content_type="multipart/form-data; boundary=x",
        environ_overrides={"CONTENT_LENGTH": str(6 * 1024 * 1024)},
    )
    assert answer.status_code == 413
    check(answer)
    assert "Berkas ini lebih dari 5 MB." in answer.get_data(as_text=True)


def test_who_reloads_the_answer_to_a_file_asks_anew(browser: Browser) -> None:
    for url in ("/v/berkas", "/v/nomor"):
        assert browser.page(url).headers["Location"] == "/v"


def test_a_letter_of_another_office_is_not_taken_for_ours(
    browser: Browser, office: Loket, clock: Clock, tmp_path: Path
) -> None:
    prepare(tmp_path / "other", "baubau", clock.at - DAY_S)
    other = open_loket(tmp_path / "other", "baubau", "https://dinsos.baubau.test")
    with transaction():
        trust_acts.put(trust.own(other), None, clock.at)
    key_id, _ = other.seal_keys.current()
    core = Core(key_id, 5, date(2026, 11, 23), 90, Result.REGISTERED, b"abc", "SA")
    digits = other.seal_keys.seal(core)
    html = words(browser, f"/v/{digits}")
    assert '<p class="verdict-office">Dinas Sosial Kota Baubau</p>' in html
    assert "Ini surat Dinas Sosial Kota Baubau, bukan surat Dinas Sosial Kabupaten Lebak." in html
    assert f'href="https://dinsos.baubau.test/v/{digits}"' in html
    told = browser.page(f"/api/v1/verifikasi/{digits}").get_json()
    assert (told["code"], told["office"], told["address"]) == (
        "status_belum_dapat_dicek", "Dinas Sosial Kota Baubau", "https://dinsos.baubau.test",
    )  # fmt: skip


def test_the_api_is_documented_as_it_answers(browser: Browser, letter: str) -> None:
    page = (Path(__file__).parents[1] / "docs" / "api.md").read_text()
    told = browser.page(f"/api/v1/verifikasi/{letter}").get_json()
    for field in told:
        assert f"`{field}`" in page
    for said in (*verification.CODES, "office_key", "bsre", "wet_ink"):
        assert f"`{said}`" in page


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
    headings = [re.search("<h1.*?</h1>", html) for html in (english, indonesian)]
    assert (headings[0] and headings[0][0]) != (headings[1] and headings[1][0]) or url == "/"


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
