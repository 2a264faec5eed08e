"""The stack: read one by one, signed with one password, each letter on its own."""

import os
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

import models
from kiosk import archive, desk, presses, stack, staff
from kiosk.bsre import WRONG, Client
from kiosk.errors import Invalid, Stale
from kiosk.loket import Loket
from models import Application, Audit, Letter
from tests import bsre, live
from tests.conftest import PASSWORD, Clock, actor
from tests.letters import act, to_step
from tests.own_file import letter_text, office_of
from tests.pages import Browser
from tests.test_accessibility import faults
from tests.test_signing import BY_BSRE
from tests.test_wording import publish

SECRET = {"password": [PASSWORD]}
Submit = Callable[..., int]


@pytest.fixture
def pile(loket: Loket, clock: Clock, submit: Submit) -> list[int]:
    """Four letters that wait for a signature."""
    ids = [submit(loket) for _ in range(4)]
    for id_ in ids:
        to_step(loket, clock, id_, "periksa")
    return ids


def read_all(loket: Loket, clock: Clock, role: str) -> list[tuple[int, int]]:
    me = actor(role)
    sheets = stack.of(loket, me, clock.at).sheets
    for sheet in sheets:
        stack.mark_read(loket, sheet.id, sheet.seq, me, clock.at)
    return [(sheet.id, sheet.seq) for sheet in sheets]


def sign_all(loket: Loket, clock: Clock, role: str, chosen: list[tuple[int, int]]):
    sheets, told = stack.choose(loket, chosen, SECRET, actor(role), clock.at)
    heard: list[tuple[int, int]] = []
    done = stack.sign(
        loket, sheets, SECRET, actor(role), clock, lambda now, of: heard.append((now, of))
    )
    assert heard == [(n, len(sheets)) for n in range(1, len(sheets) + 1)]
    return {one.id: one for one in [*told, *done]}


def test_only_what_was_read_as_it_is_now_is_signed_and_each_on_its_own(
    loket: Loket, clock: Clock, pile: list[int]
) -> None:
    first, second, third, fourth = pile
    chosen = read_all(loket, clock, "kepala_dinas")
    assert [id_ for id_, _ in chosen] == pile
    act(loket, clock, second, "kabid_linjamsos", "tanda_tangan", password=PASSWORD)
    act(loket, clock, third, "kabid_linjamsos", "kembalikan", reason="Alamat belum lengkap")
    act(loket, clock, third, "operator", "ditemukan", seen="Tercatat")
    # What stands in its place in the archive cannot be moved: that one fails alone.
    (loket.archive / "sk_dtks" / "2026" / "000002.pdf").mkdir()
    lying = stack.of(loket, actor("kepala_dinas"), clock.at)
    assert [(sheet.id, sheet.read) for sheet in lying.sheets] == [
        (first, True),
        (third, False),
        (fourth, True),
    ]
    again = dict(chosen) | {third: desk.find(third).seq}
    told = sign_all(loket, clock, "kepala_dinas", list(again.items()))
    assert {id_: one.state for id_, one in told.items()} == {
        first: "failed",
        second: "changed",
        third: "failed",
        fourth: "signed",
    }
    assert [told[id_].reason for id_ in (first, third)] == [stack.NO_ARCHIVE, stack.UNREAD]
    assert desk.find(third).step == "periksa"
    numbers = [letter.no for letter in Letter.select().order_by(Letter.no)]
    assert numbers == [1, 2, 3]


def test_a_stack_is_not_signed_without_the_password_or_without_a_letter(
    loket: Loket, clock: Clock, pile: list[int]
) -> None:
    chosen = read_all(loket, clock, "kepala_dinas")
    for picked, given in (([], SECRET), (chosen, {"password": ["bukan ini"]})):
        with pytest.raises(Invalid):
            stack.choose(loket, picked, given, actor("kepala_dinas"), clock.at)
    assert Letter.select().count() == 0
    with pytest.raises(Stale):
        stack.mark_read(loket, pile[0], 1, actor("kepala_dinas"), clock.at)
    assert Audit.select().where(Audit.what == stack.READ).count() == len(pile)
    assert stack.of(loket, actor("kabid_linjamsos"), clock.at).read == ()
    assert stack.of(loket, actor("operator"), clock.at).sheets == ()


def test_of_what_a_person_has_not_read_the_stack_tells_nothing(
    loket: Loket, clock: Clock, pile: list[int], submit: Submit
) -> None:
    (_, seq), *_ = read_all(loket, clock, "kepala_dinas")
    others = [(submit(loket), 1), (pile[0], seq + 1), (9999, 1)]
    for role in ("kepala_dinas", "operator"):
        with pytest.raises(Invalid):
            stack.choose(loket, others, SECRET, actor(role), clock.at)


def test_one_wrong_passphrase_stops_the_stack_and_nothing_is_tried_with_it_again(
    home: Path, database: None, clock: Clock, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    with bsre.serving() as service:
        client = Client(service.url, bsre.USER, bsre.PASSWORD, (bsre.chain().der(),))
        loket = replace(office_of(home, BY_BSRE), bsre=client)
        staff.set_nik(loket, actor("kepala_dinas").id, bsre.NIK, actor("admin"), clock.at)
        for _ in range(4):
            to_step(loket, clock, submit(loket), "periksa")
        chosen = read_all(loket, clock, "kepala_dinas")
        monkeypatch.setitem(SECRET, "passphrase", ["keliru"])
        told = list(sign_all(loket, clock, "kepala_dinas", chosen).values())
        assert [one.state for one in told] == ["refused", "failed", "failed", "failed"]
        assert [one.reason for one in told] == [WRONG] + [stack.NOT_TRIED] * 3
        assert [form["passphrase"] for form in service.asked] == [b"keliru"]
        assert [(row.no, row.claimed_at) for row in Letter.select()] == [(1, 0)]
        # One fails for itself, and the right passphrase signs the others.
        monkeypatch.setitem(SECRET, "passphrase", [bsre.PASSPHRASE])
        (loket.archive / "sk_dtks" / "2026" / "000001.pdf").mkdir(parents=True)
        told = list(sign_all(loket, clock, "kepala_dinas", chosen).values())
        assert [one.state for one in told] == ["failed", "signed", "signed", "signed"]
        assert {row.signing for row in Letter.select()} == {"bsre"}
        assert sorted(row.no for row in Letter.select()) == [1, 2, 3, 4]


def test_a_letter_that_was_read_in_another_wording_is_to_be_read_again(
    loket: Loket, clock: Clock, pile: list[int]
) -> None:
    (first, seq), *_ = chosen = read_all(loket, clock, "kepala_dinas")
    publish(loket, clock, closing="Demikian surat ini dibuat agar dapat digunakan.")
    clock.tick(1)
    head = actor("kepala_dinas")
    assert stack.of(loket, head, clock.at).read == ()
    stack.mark_read(loket, first, seq, head, clock.at)
    told = sign_all(loket, clock, "kepala_dinas", [*chosen, chosen[0]])
    assert [told[id_].state for id_ in pile] == ["signed", "failed", "failed", "failed"]
    assert told[pile[1]].reason == stack.UNREAD
    assert "agar dapat digunakan" in letter_text(loket, first)


def test_two_heads_with_the_same_stack_sign_each_letter_once(
    loket: Loket, clock: Clock, pile: list[int]
) -> None:
    roles = ("kepala_dinas", "kabid_linjamsos")
    read = {role: read_all(loket, clock, role) for role in roles}
    barrier, told = threading.Barrier(2), {}

    def run(role: str) -> None:
        with models.db.connection_context():
            barrier.wait()
            told[role] = sign_all(loket, clock, role, read[role])

    threads = [threading.Thread(target=run, args=(role,)) for role in roles]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for id_ in pile:
        states = sorted(told[role][id_].state for role in roles)
        assert states in (["changed", "signed"], ["signed"])
        assert archive.pdf_of(loket, id_).startswith(b"%PDF")
    assert sorted(letter.no for letter in Letter.select()) == [1, 2, 3, 4]
    assert list(archive.check(loket)) == []


def test_a_large_stack_is_made_by_several_processes_and_survives_the_death_of_one(
    loket: Loket, clock: Clock, submit: Submit, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [submit(loket) for _ in range(5)]
    for id_ in ids:
        to_step(loket, clock, id_, "periksa")
    monkeypatch.setattr(stack, "ALONE", 2)
    chosen = read_all(loket, clock, "kepala_dinas")
    stack.prepare(stack.of(loket, actor("kepala_dinas"), clock.at))
    several = presses.warm.take()
    assert several.whole()
    # Ctrl+C in a terminal reaches the server alone, which finishes what is under way with these.
    assert {os.getpgid(one.process.pid) for one in several.all}.isdisjoint({os.getpgrp()})
    presses.warm.give_back(several)
    several.all[0].process.kill()
    told = sign_all(loket, clock, "kepala_dinas", chosen)
    assert [one.state for one in told.values()] == ["signed"] * 5
    assert list(archive.check(loket)) == []
    assert all(press.process.returncode is not None for press in several.all)


# ── On the screen ──


def stand(browser: Browser) -> str:
    """Which letter of how many the stack shows, and the application it is of."""
    page = browser.page("/meja/tumpukan")
    while page.status_code == 303:
        page = browser.page(page.headers["Location"])
    return page.get_data(as_text=True)


def seq_of(id_: int) -> int:
    return int(desk.find(id_).seq)


@pytest.fixture
def waiting(app, clock: Clock, submit: Submit) -> tuple[Loket, list[int]]:
    loket = app.extensions["loket"]
    app.extensions["jobs"].patience_s = 60
    ids = [submit(loket) for _ in range(3)]
    for id_ in ids:
        to_step(loket, clock, id_, "periksa")
    return loket, ids


def test_a_head_reads_sends_one_back_skips_one_and_signs_the_rest_without_scripts(
    waiting: tuple[Loket, list[int]], as_role: Callable[[str], Browser]
) -> None:
    _, (first, second, third) = waiting
    head = as_role("kepala_dinas")
    assert "Tumpukan (3)" in head.page("/meja").get_data(as_text=True)
    assert "1 dari 3" in stand(head)
    gone = head.send(f"/meja/tumpukan/{first}/dibaca", {"seq": seq_of(first)})
    assert gone.headers["Location"].endswith(f"surat={second}")
    form = head.page(f"/meja/tumpukan?surat={second}&act=kembalikan").get_data(as_text=True)
    assert 'name="reason"' in form
    back = {"action": "kembalikan", "seq": seq_of(second)}
    assert head.send(f"/meja/tumpukan/{second}/kembali", back).status_code == 422
    head.send(f"/meja/tumpukan/{second}/kembali", back | {"reason": "Alamat belum lengkap"})
    assert desk.find(second).step == "cek"
    summary = head.page("/meja/tumpukan/ringkasan").get_data(as_text=True)
    for said in ("1 dibaca", "1 dikembalikan hari ini", "1 dilewati"):
        assert said in summary
    strange = {
        "ids": ["9" * 5000 + ":1", f"{second}:²", "1", "9" * 18 + ":1"],
        "password": PASSWORD,
    }
    assert head.send("/meja/tumpukan/tanda-tangan", strange).status_code in (303, 404, 422)
    chosen = {"ids": f"{first}:{seq_of(first)}"}
    wrong = head.send("/meja/tumpukan/tanda-tangan", chosen | {"password": "bukan ini"})
    assert wrong.status_code == 422
    assert f'value="{chosen["ids"]}" checked' in wrong.get_data(as_text=True)
    done = head.send("/meja/tumpukan/tanda-tangan", chosen | {"password": PASSWORD})
    assert done.status_code == 303
    told = head.page(done.headers["Location"]).get_data(as_text=True)
    assert "1 surat ditandatangani" in told
    assert "400.9.1/1/DINSOS/2026" in told
    assert [desk.find(id_).step for id_ in (first, third)] == ["penyerahan", "periksa"]
    other = as_role("kabid_linjamsos")
    assert other.page(done.headers["Location"]).status_code == 404
    assert "1 dari 1" in stand(other)


def test_what_failed_is_told_with_its_reason_and_can_be_tried_again(
    waiting: tuple[Loket, list[int]], as_role: Callable[[str], Browser]
) -> None:
    loket, ids = waiting
    head = as_role("kepala_dinas")
    for id_ in ids:
        head.send(f"/meja/tumpukan/{id_}/dibaca", {"seq": seq_of(id_)}, htmx=True)
    everything = {"ids": [f"{id_}:{seq_of(id_)}" for id_ in ids], "password": PASSWORD}
    # A fault of the disk: nothing can be written where letters lie.
    (loket.archive / "sk_dtks").write_text("a file where the folder must be")
    sent = head.send("/meja/tumpukan/tanda-tangan", everything)
    told = head.page(sent.headers["Location"]).get_data(as_text=True)
    assert "3 surat belum ditandatangani" in told
    assert told.count(stack.NO_ARCHIVE) == 3
    (loket.archive / "sk_dtks").unlink()
    assert "3 dibaca" in head.page("/meja/tumpukan/ringkasan").get_data(as_text=True)
    sent = head.send("/meja/tumpukan/tanda-tangan", everything)
    assert "3 surat ditandatangani" in head.page(sent.headers["Location"]).get_data(as_text=True)
    assert sorted(letter.no for letter in Letter.select()) == [1, 2, 3]
    assert head.page("/meja/tumpukan").status_code == 200
    assert "Tidak ada surat" in stand(head)


def test_fragments_of_the_stack_render_alone(
    waiting: tuple[Loket, list[int]], as_role: Callable[[str], Browser], clock: Clock
) -> None:
    loket, (first, second, _) = waiting
    head = as_role("kepala_dinas")
    assert 'id="pile"' in head.fragment(f"/meja/tumpukan?surat={first}").get_data(as_text=True)
    seq = seq_of(first)
    act(loket, clock, first, "kabid_linjamsos", "tanda_tangan", password=PASSWORD)
    late = head.send(f"/meja/tumpukan/{first}/dibaca", {"seq": seq}, htmx=True)
    assert stack.CHANGED.split(" ")[0] in late.get_data(as_text=True)
    assert f"/meja/tumpukan/{second}/dibaca" in late.get_data(as_text=True)
    assert Application.get_by_id(second).step == "periksa"


def test_a_head_goes_through_the_stack_with_keys(
    office: live.Office, clock: Clock, submit: Submit
) -> None:
    loket = office.app.extensions["loket"]
    ids = [submit(loket) for _ in range(3)]
    for id_ in ids:
        to_step(loket, clock, id_, "periksa")
    page = office.signed_in("kadis")
    page.get_by_role("link", name="Tumpukan (3)").click()
    place = page.locator(".pile-place")
    draft = page.locator(".draft img")
    draft.evaluate("image => image.decode()")
    held: list[Route] = []
    page.route(f"**/meja/{ids[1]}/draft.png*", lambda route: held.append(route))
    page.keyboard.press("l")
    expect(place).to_contain_text("2 dari 3")
    assert draft.evaluate("image => image.naturalWidth") == 0, "no letter stands under another name"
    page.unroute_all(behavior="ignoreErrors")
    for key, n in (("ArrowLeft", 2), ("l", 1), ("l", 2), ("ArrowLeft", 3)):
        expect(place).to_contain_text(f"{n} dari 3")
        page.keyboard.press(key)
    for n in (2, 3):
        expect(place).to_contain_text(f"{n} dari 3")
        page.get_by_role("button", name="Sudah saya baca").click()
    expect(place).to_contain_text("1 dari 3")
    assert faults(page) == []
    page.get_by_role("link", name="Selesai membaca: 2 surat").click()
    expect(page.locator("h1")).to_have_text("Tanda tangani tumpukan")
    assert faults(page) == []
    page.fill("[name=password]", PASSWORD)
    page.click("main .primary")
    expect(page.locator("#outcome")).to_contain_text("2 surat ditandatangani")
    assert faults(page) == []
    numbers = page.locator("#outcome .soft").all_text_contents()
    assert all(re.match(r"400\.9\.1/\d/DINSOS/2026", number) for number in numbers)
