"""The desk in a browser without scripts and with htmx: work, case, acts, letter, reveal."""

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from xml.etree.ElementTree import Element

import pytest
from flask import Flask

import models
from kiosk import desk, letter_prints, queue, spool
from kiosk.loket import Loket
from kiosk.printers import EscPosPrinter, IppPrinter
from kiosk.spool import KEEP_TRYING_S, Printers
from models import Application, Audit, Event, Letter, PrintJob, QueueEvent, Ticket
from tests.conftest import PASSWORD, Clock, actor
from tests.letters import act, to_step
from tests.pages import Browser, check

As = Callable[..., Browser]
Submit = Callable[..., int]
ROOT = Path(__file__).parents[1]
DOWN = Printers(EscPosPrinter("127.0.0.1", 9), IppPrinter("ipp://127.0.0.1:9/ipp/print"))
SEEN = "Tercatat, periode November 2026"


@pytest.fixture
def office(app: Flask) -> Loket:
    """The counter that the application serves."""
    loket: Loket = app.extensions["loket"]
    return loket


def tree(browser: Browser, url: str, *, htmx: bool = False) -> Element:
    response = browser.fragment(url) if htmx else browser.page(url)
    assert response.status_code == 200
    found = check(response)
    assert found is not None
    return found


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def by_id(root: Element, id_: str) -> Element:
    return next(one for one in root.iter() if one.get("id") == id_)


def poll_of(root: Element, id_: str) -> str:
    return str(by_id(root, id_).get("hx-get"))


def do(browser: Browser, id_: int, action: str, *, htmx: bool = False, **fields: str) -> object:
    data = {"action": action, "seq": desk.find(id_).seq} | fields
    return browser.send(f"/meja/{id_}/acts", data, htmx=htmx)


def test_my_work_stands_oldest_promise_first_with_its_clock(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    first = submit(office, priority="lansia")
    clock.tick(11 * 60)
    second = submit(office)
    page = tree(as_role("front_office"), "/meja")
    rows = [li for li in page.iter("li") if (li.get("id") or "").startswith("row-")]
    assert [li.get("id") for li in rows] == [f"row-{first}", f"row-{second}"]
    clocks = [next(c for c in li.iter() if "clock" in (c.get("class") or "")) for li in rows]
    assert [(words(c), c.get("class")) for c in clocks] == [
        ("04.00", "clock amber"),
        ("15.00", "clock green"),
    ]
    assert clocks[0].get("data-left") == "240"
    assert "Siti Aminah Lansia" in words(rows[0])


def test_a_late_promise_is_red_with_its_figure(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    submit(office)
    clock.tick(16 * 60 + 20)
    html = as_role("front_office").page("/meja").get_data(as_text=True)
    assert 'class="clock red"' in html
    assert "\N{MINUS SIGN}01.20" in html
    assert 'aria-label="Lewat 1 mnt"' in html


def test_an_idle_desk_says_so_and_shows_work_when_it_comes(
    office: Loket, submit: Submit, as_role: As
) -> None:
    browser = as_role("front_office")
    page = tree(browser, "/meja")
    assert "Tidak ada yang menunggu Anda." in words(page)
    url = poll_of(page, "case")
    assert browser.fragment(url).status_code == 204
    submit(office)
    html = browser.fragment(url).get_data(as_text=True)
    assert "A01 · Siti Aminah" in html
    assert 'id="desk"' in html


def test_the_list_is_asked_again_only_when_something_happened(
    office: Loket, submit: Submit, as_role: As
) -> None:
    submit(office)
    browser = as_role("front_office")
    url = poll_of(tree(browser, "/meja"), "work")
    assert browser.fragment(url).status_code == 204
    submit(office)
    fresh = tree(browser, url, htmx=True)
    work = by_id(fresh, "work")
    assert "Pekerjaan baru masuk." in words(work)
    assert int(work.get("data-chime") or 0) == Event.select().count()
    assert browser.fragment(str(work.get("hx-get"))).status_code == 204


def test_the_clocks_are_drawn_again_when_the_office_closes_and_opens(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    clock.tick(2 * 3600 + 55 * 60)
    submit(office)
    browser = as_role("front_office")
    url = poll_of(tree(browser, "/meja"), "work")
    clock.tick(6 * 60)
    fresh = browser.fragment(url)
    assert fresh.status_code == 200
    assert "data-until" not in fresh.get_data(as_text=True)


@pytest.mark.parametrize("role", ["sekretariat", "operator", "kepala_dinas", "admin"])
def test_another_roles_case_is_nowhere_to_be_found(
    office: Loket, submit: Submit, as_role: As, role: str
) -> None:
    id_ = submit(office)
    browser = as_role(role)
    for path in ("", "/desk", "/case", "/head", "/letter", "/numbers", "/draft.png", "/letter.pdf"):
        expected = 200 if path == "/case" else 404
        answer = browser.page(f"/meja/{id_}{path}")
        assert answer.status_code == expected, path
        assert "Aminah" not in answer.get_data(as_text=True)
    for path in ("/acts", "/prints", "/take-backs"):
        assert browser.send(f"/meja/{id_}{path}", {"seq": 1, "action": "lengkap"}).status_code in (
            404,
            409,
        )
    assert Event.select().count() == 1
    assert PrintJob.select().where(PrintJob.kind == "letter").count() == 0


def test_each_act_of_each_step_is_drawn_from_the_office_file(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    service = office.profile.services[0]
    id_ = submit(office)
    staff = {role.id: as_role(role.id) for role in office.profile.roles}
    for step in service.steps:
        if not step.actions:
            continue
        models.Application.update(step=step.id).where(Application.id == id_).execute()
        page = tree(staff[step.roles[0]], f"/meja/{id_}")
        acts = next(one for one in page.iter("footer"))
        drawn = {one.get("data-press"): words(one) for one in acts.iter() if one.get("data-press")}
        pressed = {one.key: f"{one.title.id}{one.key}" for one in step.actions if not one.on}
        assert pressed.items() <= drawn.items(), step.id
        assert not {one.key for one in step.actions if one.on} & drawn.keys(), step.id


def test_each_field_of_each_act_is_drawn_from_the_office_file(
    office: Loket, submit: Submit, as_role: As
) -> None:
    service = office.profile.services[0]
    id_ = submit(office)
    staff = {role.id: as_role(role.id) for role in office.profile.roles}
    asked = [(s, a) for s in service.steps for a in s.actions if a.fields]
    assert len(asked) > 8
    for step, action in asked:
        models.Application.update(step=step.id).where(Application.id == id_).execute()
        page = tree(staff[step.roles[0]], f"/meja/{id_}?act={action.id}")
        form = next(f for f in page.iter("form") if f.get("id") == f"act-{id_}-1-{action.id}")
        names = {one.get("name") for one in form.iter()}
        for field in action.fields:
            parts = {f"{field.name}.nik"} if field.kind == "person" else {field.name}
            assert parts <= names, (step.id, action.id, field.name)
            assert field.label.id in words(form)
        owned = [b for b in page.iter("button") if b.get("form") == form.get("id")]
        assert len(owned) == 1


def test_an_act_moves_the_case_and_the_next_one_is_shown_with_the_way_back(
    office: Loket, submit: Submit, as_role: As
) -> None:
    first, _ = submit(office), submit(office)
    browser = as_role("front_office")
    answer = do(browser, first, "lengkap", htmx=True)
    shown = check(answer)
    assert (answer.status_code, shown.get("id") or shown[0].get("id")) == (200, "desk")
    assert desk.find(first).step == "sekretariat"
    assert "A01 · Berkas lengkap" in words(by_id(shown, "done"))
    assert words(by_id(shown, "case-title")).startswith("A02")
    assert answer.headers["HX-Replace-Url"] == f"/meja?done={first}"


def test_without_scripts_an_act_leads_to_the_page_with_the_way_back(
    office: Loket, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    browser = as_role("front_office")
    answer = do(browser, id_, "lengkap")
    assert (answer.status_code, answer.location) == (303, f"/meja?done={id_}")
    page = tree(browser, answer.location)
    assert "Tarik kembali" in words(by_id(page, "done"))
    back = browser.send(f"/meja/{id_}/take-backs", {"seq": desk.find(id_).seq})
    assert (back.status_code, back.location) == (303, f"/meja/{id_}")
    assert desk.find(id_).step == "berkas"


def test_the_way_back_closes_after_two_minutes(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    browser = as_role("front_office")
    url = poll_of(check(do(browser, id_, "lengkap", htmx=True)), "done")
    assert browser.fragment(url).status_code == 204
    clock.tick(121)
    assert "Tarik kembali" not in browser.fragment(url).get_data(as_text=True)
    late = browser.send(f"/meja/{id_}/take-backs", {"seq": desk.find(id_).seq}, htmx=True)
    assert late.status_code == 409
    assert "tidak dapat ditarik kembali" in late.get_data(as_text=True)
    assert desk.find(id_).step == "sekretariat"


@pytest.mark.parametrize("htmx", [True, False])
def test_a_second_press_changes_nothing_and_says_so(
    office: Loket, submit: Submit, as_role: As, htmx: bool
) -> None:
    id_ = submit(office)
    browser = as_role("front_office")
    data = {"action": "lengkap", "seq": 1}
    assert browser.send(f"/meja/{id_}/acts", data, htmx=htmx).status_code in (200, 303)
    again = browser.send(f"/meja/{id_}/acts", data, htmx=htmx)
    assert again.status_code == 409
    assert "sudah berubah" in again.get_data(as_text=True)
    assert Event.select().where(Event.action == "lengkap").count() == 1


@pytest.mark.parametrize("htmx", [True, False])
def test_a_fault_stands_at_its_field_and_keeps_what_was_typed(
    office: Loket, clock: Clock, submit: Submit, as_role: As, htmx: bool
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "cek")
    answer = do(
        as_role("operator"), id_, "ditemukan", htmx=htmx, register_id="ID-77", programmes="PKH"
    )
    assert answer.status_code == 422
    page = check(answer)
    area = by_id(page, "f-seen")
    assert area.get("aria-invalid") == "true"
    assert words(by_id(page, "e-seen")) == "Isi bagian ini."
    assert by_id(page, "f-register_id").get("value") == "ID-77"
    alert = next(one for one in page.iter() if one.get("class") == "faults")
    assert alert.get("data-focus") is not None
    assert [a.get("href") for a in alert.iter("a")] == ["#f-seen"]
    assert desk.find(id_).step == "cek"


def test_a_form_starts_with_what_the_register_says(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "cek")
    page = tree(as_role("operator"), f"/meja/{id_}?act=ditemukan")
    assert by_id(page, "f-register_id").get("value") == "3602000000000001"
    assert by_id(page, "f-programmes").get("value") == "BPNT, PKH, PBI-JK"
    assert by_id(page, "f-seen").get("data-focus") is not None


def test_what_is_missing_is_ticked_and_told_in_the_way(
    office: Loket, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    browser = as_role("front_office")
    data = {"action": "kurang", "seq": 1, "missing": ["kk", "ktp"], "note": "Bawa yang asli"}
    assert browser.send(f"/meja/{id_}/acts", data).status_code == 303
    page = words(tree(browser, f"/meja/{id_}"))
    assert "Yang belum ada atau belum benar: KTP, Kartu Keluarga (KK)" in page
    assert "Catatan untuk pemohon: Bawa yang asli" in page
    assert "waktu berhenti, menunggu pemohon" in page


def test_corrected_data_keep_the_hidden_numbers_when_left_empty(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "cek")
    act(office, clock, id_, "operator", "berbeda", seen="Alamat lain")
    browser = as_role("front_office")
    html = browser.page(f"/meja/{id_}?act=diperbaiki").get_data(as_text=True)
    assert "3602014708900001" not in html
    assert "360201••••••0001" in html
    wrong = do(browser, id_, "diperbaiki", **{"person.nik": "12", "person.name": "SITI AMINAH"})
    assert by_id(check(wrong), "f-person.nik").get("value") == "12"
    fields = {"person.name": "SITI AMINAH", "person.address": "KP. BARU", "person.sex": "P"}
    assert do(browser, id_, "diperbaiki", **fields).status_code == 303
    given = office.vault.unlock_json("given", desk.find(id_).given_ct)
    assert (given["nik"], given["address"]) == ("3602014708900001", "KP. BARU")


def test_differences_and_the_citizens_remark_are_marked(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    person = office.register.find_nik("3602014708900001")
    parts = {key: str(value) for key, value in person.as_dict().items()}
    remark = {"rows": ["address"], "note": "RT saya 001"}
    id_ = submit(office, person=parts | {"rt": "001"}, remark=remark)
    page = tree(as_role("front_office"), f"/meja/{id_}")
    marked = [one for one in page.iter() if one.get("class") == "differs"]
    assert [words(one) for one in marked] == ["berbeda KP. CIKUMPAY RT 010 / RW 007"]
    assert "Kata pemohon, ada yang salah: alamat “RT saya 001”" in words(page)
    assert "DTKS, per 1 Nov 2026" in words(page)


def test_the_way_names_who_did_what_and_what_lies_ahead(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "penugasan")
    page = tree(as_role("kabid_linjamsos"), f"/meja/{id_}")
    steps = [li for li in page.iter("li") if (li.get("class") or "") in ("done", "now", "")]
    told = " | ".join(words(li) for li in steps)
    assert "Berkas lengkap 09.00 Lilis Loket, Petugas loket" in told
    assert "Penugasan operator sekarang Kepala Bidang Linjamsos" in told
    assert "Periksa dan tanda tangani Kepala Dinas / Kepala Bidang Linjamsos" in told


def test_a_signer_reads_the_letter_before_signing_it(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "periksa")
    browser = as_role("kepala_dinas")
    page = tree(browser, f"/meja/{id_}")
    picture = next(page.iter("img"))
    draft = browser.page(str(picture.get("src")))
    assert draft.mimetype == "image/png"
    assert draft.data.startswith(b"\x89PNG")
    assert Letter.select().count() == 0


def test_signing_asks_for_the_password_and_a_wrong_one_issues_nothing(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "periksa")
    browser = as_role("kabid_linjamsos")
    wrong = do(browser, id_, "tanda_tangan", htmx=True, password="keliru-sama-sekali")
    assert wrong.status_code == 422
    html = wrong.get_data(as_text=True)
    assert "Surat belum ditandatangani." in html
    assert "keliru" not in html
    assert Letter.select().count() == 0
    assert do(browser, id_, "tanda_tangan", htmx=True, password=PASSWORD).status_code == 200
    assert Letter.get().state == "issued"


def test_a_signature_that_fails_says_that_the_letter_is_not_issued(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "periksa")
    browser = as_role("kepala_dinas")
    clock.tick(-400 * 86400 * 2)  # before the mandate began
    browser = as_role("kepala_dinas")
    answer = do(browser, id_, "tanda_tangan", htmx=True, password=PASSWORD)
    assert answer.status_code == 403
    assert answer.headers["HX-Retarget"] == "#notice"
    assert desk.find(id_).step == "periksa"
    assert Letter.select().where(Letter.state == "issued").count() == 0


def test_the_archived_letter_opens_under_its_number(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "penyerahan")
    browser = as_role("front_office")
    answer = browser.page(f"/meja/{id_}/letter.pdf")
    assert answer.data.startswith(b"%PDF")
    disposition = answer.headers["Content-Disposition"]
    assert disposition == 'inline; filename="400.9.1-1-DINSOS-2026.pdf"'
    opened = Audit.select().where(Audit.what == "buka surat")
    assert [(one.actor_id, one.subject) for one in opened] == [
        (actor("front_office").id, desk.find(id_).number)
    ]


def test_a_letter_that_is_not_there_or_anothers_is_not_noted_as_opened(
    office: Loket, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    for role in ("front_office", "operator"):
        assert as_role(role).page(f"/meja/{id_}/letter.pdf").status_code == 404
    assert Audit.select().where(Audit.what == "buka surat").count() == 0


def test_one_press_prints_once_and_the_print_is_followed(
    office: Loket, app: Flask, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "penyerahan")
    browser = as_role("front_office")
    page = tree(browser, f"/meja/{id_}")
    key = next(one for one in page.iter("input") if one.get("name") == "key").get("value")
    for _ in range(2):
        answer = browser.send(f"/meja/{id_}/prints", {"key": key}, htmx=True)
    assert "Sedang dicetak." in answer.get_data(as_text=True)
    assert PrintJob.select().where(PrintJob.kind == "letter").count() == 1
    url = poll_of(check(answer), "letter")
    assert browser.fragment(url).status_code == 204
    spool.work_once(office, app.extensions["printers"], clock.at)
    done = browser.fragment(url).get_data(as_text=True)
    assert "Surat sudah tercetak." in done
    assert "every 2s" not in done
    plain = browser.send(f"/meja/{id_}/prints", {"key": "other"})
    assert (plain.status_code, plain.location.split("?")[0]) == (303, f"/meja/{id_}")
    assert browser.page(plain.location).status_code == 200


def test_the_fate_of_a_print_whose_printer_is_down_stays_told(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "penyerahan")
    browser = as_role("front_office")
    before = poll_of(tree(browser, f"/meja/{id_}"), "case")
    printed = browser.send(f"/meja/{id_}/prints", {"key": "one"}, htmx=True)
    letter = poll_of(check(printed), "letter")
    assert browser.fragment(before).status_code == 204, "a print alone draws no case again"
    spool.work_once(office, DOWN, clock.at)
    waiting = words(tree(browser, letter, htmx=True))
    assert "Menunggu printer. Printer tidak terhubung" in waiting
    clock.tick(KEEP_TRYING_S + 1)
    spool.work_once(office, DOWN, clock.at)
    followed = poll_of(tree(browser, letter, htmx=True), "letter")
    assert followed == "None", "what failed is not asked for again"
    assert "Surat tidak tercetak. Printer tidak terhubung" in words(tree(browser, letter))


def test_a_case_drawn_again_still_follows_its_print(
    office: Loket, app: Flask, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "penyerahan")
    browser = as_role("front_office")
    plain = browser.send(f"/meja/{id_}/prints", {"key": "one"})
    page = tree(browser, plain.location)
    case = poll_of(page, "case")
    assert browser.fragment(case).status_code == 204
    spool.work_once(office, DOWN, clock.at)
    assert browser.fragment(case).status_code == 204, "its letter follows by itself"
    job = by_id(page, "print-job").get("value")
    assert by_id(page, "case").get("hx-include") == "#print-job"
    desk.act(
        office, id_, "serahkan", {"recipient": ["pemohon"]}, actor("front_office"),
        desk.find(id_).seq, clock.at,
    )  # fmt: skip
    for url in (case, f"/meja/{id_}/case?v=old&job={job}", f"/meja/{id_}/case?job=&job={job}"):
        fresh = tree(browser, url, htmx=True)
        assert "Menunggu printer." in words(by_id(fresh, "letter"))
        assert f"job={job}" in poll_of(fresh, "letter")


def test_the_newest_print_is_followed_and_anothers_is_none(
    office: Loket, app: Flask, clock: Clock, submit: Submit, as_role: As
) -> None:
    first, second = submit(office), submit(office)
    for id_ in (first, second):
        to_step(office, clock, id_, "penyerahan")
    me = actor("front_office")
    jobs = [letter_prints.print_at_counter(office, first, me, key, clock.at) for key in ("a", "b")]
    anothers = letter_prints.print_at_counter(office, second, me, "a", clock.at)
    browser = as_role("front_office")
    url = f"/meja/{first}/case?job={jobs[0]}&job={jobs[1]}"
    assert by_id(tree(browser, url), "print-job").get("value") == str(jobs[1])
    for nobodys in (anothers, 999):
        page = tree(browser, f"/meja/{first}?job={nobodys}")
        assert "Sedang dicetak." not in words(page)
        assert by_id(page, "print-job").get("value") == ""


@pytest.mark.parametrize("htmx", [True, False])
def test_full_numbers_are_shown_for_half_a_minute_and_noted(
    office: Loket, clock: Clock, submit: Submit, as_role: As, htmx: bool
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "cek")
    browser = as_role("operator")
    assert "3602 0147 0890 0001" not in browser.page(f"/meja/{id_}").get_data(as_text=True)
    answer = browser.send(f"/meja/{id_}/reveals", htmx=htmx)
    html = answer.get_data(as_text=True)
    assert "3602 0147 0890 0001" in html
    assert "delay:30s" in html
    if not htmx:
        assert answer.headers["Refresh"] == f"30; url=/meja/{id_}"
    looked = Audit.select().where(Audit.what == "buka nik")
    assert [(one.actor_id, one.subject) for one in looked] == [
        (actor("operator").id, desk.find(id_).number)
    ]
    hidden = browser.fragment(f"/meja/{id_}/numbers").get_data(as_text=True)
    assert "3602 0147" not in hidden


def test_who_may_not_look_cannot(office: Loket, submit: Submit, as_role: As) -> None:
    id_ = submit(office)
    browser = as_role("front_office")
    assert "Tampilkan NIK" not in browser.page(f"/meja/{id_}").get_data(as_text=True)
    assert browser.send(f"/meja/{id_}/reveals").status_code == 403
    assert Audit.select().where(Audit.what == "buka nik").count() == 0


def test_a_case_is_drawn_again_when_somebody_else_acts(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "periksa")
    browser = as_role("kabid_linjamsos")
    page = tree(browser, f"/meja/{id_}?act=tanda_tangan")
    url, head = poll_of(page, "case"), poll_of(page, "case-head")
    assert browser.fragment(url).status_code == 204
    assert browser.fragment(head).status_code == 204
    clock.tick(61)
    assert browser.fragment(url).status_code == 204, "an open form stays while time passes"
    assert browser.fragment(head).status_code == 200
    act(office, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    fresh = browser.fragment(url).get_data(as_text=True)
    assert "Langkah ini bukan tugas Anda" in fresh


def test_a_case_that_a_colleague_took_says_so(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "sekretariat")
    browser = as_role("sekretariat")
    url = poll_of(tree(browser, f"/meja/{id_}"), "case")
    models.User.create(
        name="dua", full_name="Dua", role="sekretariat", password="x", created_at=clock.at
    )
    colleague = models.User.get(models.User.name == "dua")
    other = type(actor("sekretariat"))(colleague.id, "dua", "Dua", "sekretariat", None)
    desk.act(office, id_, "teruskan", {}, other, 2, clock.at)
    assert "tidak menunggu Anda lagi" in browser.fragment(url).get_data(as_text=True)


def test_the_citizen_is_called_from_the_case(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "penyerahan")
    browser = as_role("front_office", window=2)
    assert "Panggil ke loket 2" in browser.page(f"/meja/{id_}").get_data(as_text=True)
    called = browser.send(f"/meja/{id_}/calls", htmx=True)
    assert "Panggil lagi" in called.get_data(as_text=True)
    assert (Ticket.get().state, Ticket.get().window) == ("called", 2)
    assert browser.send(f"/meja/{id_}/calls").location == f"/meja/{id_}"
    assert QueueEvent.select().where(QueueEvent.what == "recalled").count() <= 1


def test_calling_another_while_somebody_stands_at_the_window_says_so(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    first, second = submit(office), submit(office)
    for id_ in (first, second):
        to_step(office, clock, id_, "penyerahan")
    ticket = Ticket.get(Ticket.application == first)
    queue.call(office, ticket.id, actor("front_office", 2), clock.at)
    browser = as_role("front_office", window=2)
    plain = browser.send(f"/meja/{second}/calls")
    assert plain.status_code == 409
    assert "Selesaikan dahulu A01" in plain.get_data(as_text=True)
    assert browser.send(f"/meja/{second}/calls", htmx=True).status_code == 409


@pytest.mark.parametrize("text", ["A01", "a1", " a 01 ", "2026-000001", "2026000001"])
def test_a_citizen_who_asks_is_found_by_ticket_or_number(
    office: Loket, clock: Clock, submit: Submit, as_role: As, text: str
) -> None:
    id_ = submit(office)
    submit(office)
    to_step(office, clock, id_, "cek")
    browser = as_role("front_office")
    for url in ("/meja", "/meja/found"):
        page = check(browser.page(url, query_string={"q": text}))
        assert words(by_id(page, "case-title")).startswith("A01")


def test_a_letter_is_found_by_its_number_by_those_who_may_revoke(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "penyerahan")
    act(office, clock, id_, "front_office", "serahkan", recipient="pemohon")
    browser = as_role("kepala_dinas")
    page = check(browser.page("/meja", query_string={"q": "400.9.1/1/dinsos/2026"}))
    assert words(by_id(page, "case-title")).startswith("A01")
    assert "Cabut" in words(by_id(page, "letter"))


def test_a_number_that_is_nobodys_says_so(office: Loket, submit: Submit, as_role: As) -> None:
    submit(office)
    browser = as_role("front_office")
    for text in ("A99", "2026-000999", "%", "' OR 1=1"):
        page = check(browser.page("/meja", query_string={"q": text}))
        assert "Nomor itu tidak ditemukan" in words(page)


def test_yesterdays_ticket_is_not_todays(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    submit(office)
    clock.tick(86400)
    browser = as_role("front_office")
    assert "tidak ditemukan" in browser.page("/meja?q=A01").get_data(as_text=True)
    assert "23 Nov" in words(by_id(tree(browser, "/meja"), "work"))


def test_the_rail_leads_each_role_only_where_it_may_go(as_role: As) -> None:
    links = {
        role: [a.get("href") for a in next(tree(as_role(role), "/meja").iter("nav")).iter("a")]
        for role in ("front_office", "operator", "admin")
    }
    assert links["front_office"] == ["/meja", "/meja/baru", "/loket"]
    assert links["operator"] == ["/meja"]
    assert links["admin"] == ["/meja", "/admin"]


def test_single_keys_can_be_turned_off(as_role: As) -> None:
    browser = as_role("front_office")
    assert browser.send("/meja/keys?room=queue", {"keys": "off"}).location == "/loket"
    for url in ("/meja", "/loket"):
        assert 'class="desk no-keys"' in browser.page(url).get_data(as_text=True)
    assert browser.send("/meja/keys", {"keys": "on"}).location == "/meja"
    assert "no-keys" not in browser.page("/meja").get_data(as_text=True)


def test_the_keyboard_meets_rail_then_work_then_case_then_acts(
    office: Loket, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    page = tree(as_role("front_office", window=1), f"/meja/{id_}")
    order = [
        one.get("class") or one.get("id")
        for one in page.iter()
        if one.get("id") in ("work", "case") or one.tag in ("nav", "footer")
    ]
    assert order == ["rail", "work", "case", "acts"]
    focusable = [one for one in page.iter() if one.get("tabindex") not in (None, "-1", "0")]
    assert focusable == []


def test_every_sentence_of_desk_and_counter_has_its_english(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    english: dict[str, str] = {}
    for file in (ROOT / "views" / "english").glob("*.toml"):
        english |= tomllib.loads(file.read_text())
    said = re.compile(r"""\b_\(\s*(["'])(.+?)\1""")
    pages = [p for d in ("desk", "queue") for p in (ROOT / "templates" / d).glob("*.html")]
    missing = {m[2] for p in pages for m in said.finditer(p.read_text())} - set(english)
    assert missing == set()


def test_a_desk_in_english_speaks_english(
    office: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(office)
    to_step(office, clock, id_, "cek")
    browser = as_role("operator")
    browser.send("/bahasa", {"lang": "en"})
    page = words(tree(browser, f"/meja/{id_}?act=ditemukan"))
    for text in ("My work", "promised for", "What SIKS-NG shows", "The way", "Cancel"):
        assert text in page
    for text in ("Pekerjaan", "dijanjikan", "Perjalanan", "Batal"):
        assert text not in page
