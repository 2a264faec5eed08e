"""What the newer acts ask and say at the desk: checklists, numbers, refusals, whose it is."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from kiosk import board, casefile, desk, staff
from kiosk.loket import Loket
from kiosk.profile import Profile
from kiosk.service import Action, LetterService
from models import Application, Letter, Ticket, User
from tests import by_hand
from tests.conftest import PASSWORD, Clock, actor
from tests.letters import act, to_step
from tests.pages import Browser, check
from tests.test_wet_ink import COMPLETE, scan, to_print

As = Callable[..., Browser]
Submit = Callable[..., int]


def serve(app: Flask, profile: Profile) -> Loket:
    """Let the application serve this office's file."""
    loket: Loket = app.extensions["loket"]
    app.extensions["loket"] = replace(loket, profile=profile, calendar=profile.calendar())
    found: Loket = app.extensions["loket"]
    return found


@pytest.fixture
def hand(app: Flask) -> Loket:
    return serve(app, by_hand.profile())


def with_action(profile: Profile, step_id: str, action_id: str, **over: object) -> Profile:
    """The office's file with one act changed."""
    service = profile.services[0]
    assert isinstance(service, LetterService)

    def changed(action: Action) -> Action:
        return action.model_copy(update=over) if action.id == action_id else action

    steps = tuple(
        step.model_copy(update={"actions": tuple(changed(a) for a in step.actions)})
        if step.id == step_id
        else step
        for step in service.steps
    )
    services = (service.model_copy(update={"steps": steps}),)
    return profile.model_copy(update={"services": services, "version": f"{action_id}{over}"[:40]})


def html_of(browser: Browser, url: str) -> str:
    answer = browser.page(url)
    assert answer.status_code == 200
    return str(answer.get_data(as_text=True))


def words(html: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", html).split())


def send(browser: Browser, id_: int, action: str, **fields: str) -> TestResponse:
    return browser.send(f"/meja/{id_}/acts", {"action": action, "seq": desk.find(id_).seq} | fields)


def test_papers_are_ticked_one_by_one_and_a_fault_keeps_the_ticks(
    hand: Loket, submit: Submit, as_role: As
) -> None:
    id_ = submit(hand)
    browser = as_role("front_office")
    html = html_of(browser, f"/meja/{id_}?act=lengkap")
    for paper in ("ktp", "kk", "formulir"):
        assert html.count(f'name="papers.{paper}" value=') == 3
        assert f'name="papers.{paper}.note"' in html
    wrong = send(browser, id_, "lengkap", **COMPLETE | {"papers.kk": "wrong"})
    page = check(wrong)
    assert page is not None
    alert = next(one for one in page.iter() if one.get("class") == "faults")
    assert [a.get("href") for a in alert.iter("a")] == ["#f-papers.kk"]
    kept = [e for e in page.iter("input") if e.get("checked") is not None]
    assert [(e.get("name"), e.get("value")) for e in kept] == [
        ("papers.ktp", "ok"), ("papers.kk", "wrong"), ("papers.formulir", "ok"),
    ]  # fmt: skip


def test_the_wrong_button_for_the_papers_is_said_and_the_next_list_starts_from_the_last(
    hand: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(hand)
    browser = as_role("front_office")
    refused = send(browser, id_, "kurang", **COMPLETE)
    assert refused.status_code == 422
    assert "Semua lengkap dan benar" in refused.get_data(as_text=True)
    short = COMPLETE | {"papers.kk": "wrong", "papers.kk.note": "fotokopi buram"}
    assert send(browser, id_, "kurang", **short).status_code == 303
    told = words(html_of(browser, f"/meja/{id_}"))
    assert "Papers: Kartu Keluarga (KK): salah, fotokopi buram" in told
    assert "menunggu pemohon, waktu mulai saat berkas lengkap" in told
    act(hand, clock, id_, "front_office", "dilengkapi")
    act(hand, clock, id_, "sekretariat", "kembalikan", reason="Cek lagi")
    html = html_of(browser, f"/meja/{id_}?act=lengkap")
    assert 'value="fotokopi buram"' in html
    assert html.count(" checked") == 3


def test_a_file_not_begun_is_neither_late_nor_counted_at_desk_phone_or_counter(
    hand: Loket, clock: Clock, submit: Submit, as_role: As, browser: Browser
) -> None:
    id_ = submit(hand)
    clock.tick(3 * 86400)
    html = html_of(as_role("front_office"), f"/meja/{id_}")
    assert '<span class="clock unbegun">belum mulai</span>' in html
    assert "waktu mulai saat berkas lengkap" in html
    assert 'class="clock red"' not in html
    phone = words(html_of(browser, f"/t/{Ticket.get().token}"))
    assert "Selesai dalam 1 hari kerja sejak berkas lengkap. Waktunya belum mulai." in phone
    assert "Waktu berhenti" not in phone


def test_a_promise_in_days_is_told_in_days_and_never_to_the_second(
    hand: Loket, clock: Clock, submit: Submit, as_role: As, browser: Browser
) -> None:
    id_ = submit(hand)
    act(hand, clock, id_, "front_office", "lengkap", **COMPLETE)
    html = html_of(as_role("sekretariat"), "/meja")
    assert "data-left" not in html
    assert "sisa 1 hari kerja" in words(html)
    assert 'aria-label="Sisa 1 hari kerja"' in html
    clock.tick(86400 + 3 * 3600)
    assert "sisa 3 jam" in words(html_of(as_role("sekretariat"), "/meja"))
    assert "Siap paling lambat 16.00" in words(html_of(browser, f"/t/{Ticket.get().token}"))


def test_why_an_act_would_be_refused_stands_beside_it_and_on_its_form(
    app: Flask, clock: Clock, submit: Submit, as_role: As
) -> None:
    base = by_hand.profile()
    service = base.services[0]
    purposes = tuple(p.model_copy(update={"max_rank": 4}) for p in service.purposes)
    ranked = base.model_copy(
        update={
            "services": (service.model_copy(update={"purposes": purposes}),),
            "register_": base.register_.model_copy(update={"rank_label": "Desil"}),
        }
    )
    office = serve(app, with_action(ranked, "cek", "ditemukan", rules=("rank_within_limit",)))
    id_ = submit(office)
    to_check = (
        ("front_office", "lengkap", COMPLETE), ("sekretariat", "teruskan", {}),
        ("kepala_dinas", "disposisi", {}), ("kabid_linjamsos", "tugaskan", {}),
    )  # fmt: skip
    for role, action, fields in to_check:
        act(office, clock, id_, role, action, **fields)
    browser = as_role("operator")
    unknown = "Desil belum diketahui. Isi desil menurut SIKS-NG."
    html = html_of(browser, f"/meja/{id_}")
    assert unknown in html
    assert "aria-describedby=refused-ditemukan" in html
    form = html_of(browser, f"/meja/{id_}?act=ditemukan")
    assert unknown in form
    assert 'inputmode="numeric"' in form
    high = send(browser, id_, "ditemukan", seen="Ada", rank="7")
    assert high.status_code == 422
    answer = high.get_data(as_text=True)
    assert "Desil 7 di atas batas untuk KIP Kuliah: paling tinggi 4." in answer
    assert "#f-rules" not in answer
    assert send(browser, id_, "ditemukan", seen="Ada", rank="4").status_code == 303


def test_work_given_to_one_is_seen_by_all_of_the_role_and_done_by_that_one(
    app: Flask, clock: Clock, submit: Submit, as_role: As
) -> None:
    profile = app.extensions["loket"].profile
    office = serve(app, with_action(profile, "cek", "ditemukan", assigned=True))
    office = serve(app, with_action(office.profile, "cek", "tidak_ditemukan", assigned=True))
    office = serve(app, with_action(office.profile, "cek", "berbeda", assigned=True))
    office = serve(app, with_action(office.profile, "cek", "kembalikan", assigned=True))
    staff.add_user(office.profile, "oki", "Oki Operator", "operator", PASSWORD, clock.at)
    first, second = submit(office), submit(office)
    to_step(office, clock, first, "penugasan")
    to_step(office, clock, second, "cek")
    oki = User.get(User.name == "oki")
    act(office, clock, first, "kabid_linjamsos", "tugaskan", assignee=str(oki.id))
    work = board.my_work(office, actor("operator"), clock.at)
    assert [(row.id, row.mine_to_do, row.assignee) for row in work.rows] == [
        (first, False, "Oki Operator"), (second, False, ""),
    ]  # fmt: skip
    assert work.newest == 0
    browser = as_role("operator")
    html = html_of(browser, f"/meja/{first}")
    assert "Tugas ini untuk Oki Operator. Anda dapat melihatnya." in html
    assert "untuk Oki Operator" in html
    assert send(browser, first, "ditemukan", seen="Ada").status_code == 403
    html = html_of(browser, f"/meja/{second}")
    assert "Tugas ini belum diberikan kepada siapa pun." in html
    mine = staff.Actor(oki.id, "oki", oki.full_name, "operator")
    case = casefile.read(office, first, mine, clock.at)
    assert (len(case.actions), case.reserved) == (4, False)


def test_a_letter_by_hand_is_read_printed_and_released_at_the_desk(
    hand: Loket, clock: Clock, submit: Submit, as_role: As
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    browser = as_role("operator")
    assert "Surat yang akan ditandatangani" in html_of(browser, f"/meja/{id_}")
    assert browser.page(f"/meja/{id_}/draft.png").mimetype == "image/png"
    act(hand, clock, id_, "operator", "cetak")
    html = html_of(browser, f"/meja/{id_}")
    assert "belum terbit" in html
    assert "Cetak, mintakan tanda tangan dan cap" in html
    assert "Cetak di loket" in html
    assert browser.page(f"/meja/{id_}/letter.pdf").mimetype == "application/pdf"
    printed = browser.send(f"/meja/{id_}/prints", {"key": "a"})
    assert printed.status_code == 303
    scan(id_, clock.at)
    act(hand, clock, id_, "operator", "dicap", sudah="ya")
    html = html_of(browser, f"/meja/{id_}")
    assert "ab" * 32 in html
    assert "Cetak di loket" not in html
    assert Application.get().step == "penyerahan"
    assert Letter.get().state == "issued"


def test_a_loose_sheet_is_told_to_whoever_checks_it(
    hand: Loket, clock: Clock, submit: Submit, browser: Browser
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    act(hand, clock, id_, "operator", "cetak")
    digits = hand.vault.unlock_json("letter", Letter.get().facts_ct)["digits"]
    html = words(html_of(browser, f"/v/{digits}"))
    assert "Lembar ini belum diterbitkan" in html
    assert "400.9.1" not in html
    scan(id_, clock.at)
    act(hand, clock, id_, "operator", "dicap", sudah="ya")
    html = words(html_of(browser, f"/v/{digits}"))
    assert "Surat ini asli" in html
    assert "tinta basah dan cap dinas" in html
    assert "elektronik" not in html
