"""Issued letters revoked, suspended and lifted, replaced: who, why, once, and nothing is lost."""

import threading
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import expect

import models
from kiosk import (
    archive,
    board,
    casefile,
    certificate,
    citizen,
    desk,
    letter_prints,
    letter_status,
    replacing,
    spool,
    staff,
    status_list,
    taking_back,
    verification,
)
from kiosk.errors import Invalid, LoketError, NotAllowed, NotFound, Stale
from kiosk.letter_view import Linked
from kiosk.loket import Loket
from kiosk.printers import printer_from
from models import Application, Audit, Event, Letter, PrintJob, QueueEvent, Ticket, db
from tests import by_hand
from tests.conftest import Clock, actor
from tests.letters import act, digits_of, letter_of, to_step, token_of
from tests.live import Office
from tests.own_file import LEBAK, changed, letter_text, office_of
from tests.pages import Browser, check, text
from tests.people import PASSWORD
from tests.test_accessibility import faults
from tests.test_desk_views import by_id
from tests.test_wet_ink import scan, to_print

Submit = Callable[..., int]
AsRole = Callable[..., Browser]
DAY = 86400
RIGHT = {"address": "KP. CIKUMPAY BARAT", "name": "siti aminah"}


def corrected(loket: Loket, id_: int, **over: str) -> dict[str, str]:
    """The person's data with the address put right."""
    given = casefile.given_of(loket, desk.find(id_))
    return given | RIGHT | {"nik": "", "kk": ""} | over


def replace(loket: Loket, clock: Clock, id_: int, role: str = "front_office", **more: str) -> int:
    person, at = corrected(loket, id_), clock.tick(20)
    return replacing.replace(loket, id_, person, "Alamat salah ketik", actor(role), at, **more)


def sign(loket: Loket, clock: Clock, id_: int) -> None:
    act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)


def code(loket: Loket, clock: Clock, id_: int) -> str:
    return verification.check(loket, digits_of(loket, id_), clock.at).code


def listed(loket: Loket, clock: Clock, id_: int) -> int | None:
    return status_list.value(status_list.token(loket, clock.at), letter_of(id_).id)


# --- revoke, suspend, lift ---


def test_a_letter_is_suspended_lifted_suspended_again_and_revoked_and_all_of_it_is_kept(
    loket: Loket, clock: Clock, issued: int
) -> None:
    head, deputy = actor("kepala_dinas"), actor("kabid_linjamsos")
    seen = [(code(loket, clock, issued), listed(loket, clock, issued))]
    for change, reason, who in (
        (letter_status.suspend, "Ada laporan", head),
        (letter_status.lift, "Laporan tidak benar", deputy),
        (letter_status.suspend, "Laporan kedua", head),
        (letter_status.revoke, "Orang lain", deputy),
    ):
        change(loket, issued, f"  {reason} ", who, clock.tick(60))
        seen.append((code(loket, clock, issued), listed(loket, clock, issued)))
    assert seen == [
        ("sah", 0), ("ditangguhkan", 2), ("sah", 0), ("ditangguhkan", 2), ("dicabut", 1),
    ]  # fmt: skip
    letter = casefile.read(loket, issued, head, clock.at).letter
    assert letter is not None
    told = [(one.what, one.reason, one.who) for one in letter.changes]
    assert told == [
        ("suspended", "Ada laporan", "Karta Kadis"),
        ("lifted", "Laporan tidak benar", "Kabul Kabid"),
        ("suspended", "Laporan kedua", "Karta Kadis"),
        ("revoked", "Orang lain", "Kabul Kabid"),
    ]
    assert [one.at for one in letter.changes] == [clock.at - n for n in (180, 120, 60, 0)]
    assert letter.acts == ()
    audited = Audit.select().where(Audit.subject == letter.number).order_by(Audit.id)
    assert [row.what for row in audited] == [
        "tangguhkan surat", "akhiri penangguhan surat", "tangguhkan surat", "cabut surat",
    ]  # fmt: skip
    row = letter_of(issued)
    assert b"Laporan" not in bytes(row.suspended_ct or b"") + bytes(row.revoked_ct or b"")


def test_what_is_final_stays_and_what_is_not_so_is_not_undone(
    loket: Loket, clock: Clock, submit: Submit, issued: int
) -> None:
    head = actor("kepala_dinas")
    changes = (letter_status.revoke, letter_status.suspend, letter_status.lift)
    with pytest.raises(Stale, match="tidak sedang ditangguhkan"):
        letter_status.lift(loket, issued, "Keliru", head, clock.at)
    letter_status.suspend(loket, issued, "Keliru", head, clock.at)
    with pytest.raises(Stale, match="sedang ditangguhkan"):
        letter_status.suspend(loket, issued, "Keliru", head, clock.at)
    letter_status.revoke(loket, issued, "Keliru", head, clock.at)
    other = submit(loket)
    for change in changes:
        with pytest.raises(Stale, match="sudah dicabut"):
            change(loket, issued, "Keliru", head, clock.at)
        with pytest.raises(NotFound):
            change(loket, other, "Keliru", head, clock.at)
        for nothing in ("", "  \n ", "x" * 501):
            with pytest.raises(Invalid) as invalid:
                change(loket, issued, nothing, head, clock.at)
            assert list(invalid.value.fields) == ["reason"]
        for role in ("front_office", "operator", "sekretariat", "admin"):
            with pytest.raises(NotAllowed):
                change(loket, issued, "Keliru", actor(role), clock.at)


def test_nobody_changes_the_status_of_their_own_letter_or_has_it_replaced(
    loket: Loket, clock: Clock, issued: int
) -> None:
    nik = casefile.given_of(loket, desk.find(issued))["nik"]
    for role in ("kepala_dinas", "front_office"):
        staff.set_nik(loket, actor(role).id, nik, actor("admin"), clock.at)
    head, deputy = actor("kepala_dinas"), actor("kabid_linjamsos")
    for change in (letter_status.revoke, letter_status.suspend):
        with pytest.raises(NotAllowed, match="milik Anda"):
            change(loket, issued, "Keliru", head, clock.at)
    with pytest.raises(NotAllowed, match="milik Anda"):
        replace(loket, clock, issued)
    shown = [casefile.read(loket, issued, who, clock.at).letter for who in (head, deputy)]
    assert [one and one.acts for one in shown] == [(), ("replace", "suspend", "revoke")]
    letter_status.suspend(loket, issued, "Diperiksa", deputy, clock.at)
    with pytest.raises(NotAllowed, match="milik Anda"):
        letter_status.lift(loket, issued, "Benar", head, clock.at)
    assert code(loket, clock, issued) == "ditangguhkan"


def test_a_letter_revoked_by_an_older_version_still_tells_why(
    loket: Loket, clock: Clock, issued: int
) -> None:
    locked = loket.vault.lock_json("revoked", {"reason": "Keliru"})
    Letter.update(revoked_at=clock.at, revoked_ct=locked).execute()
    told = letter_status.history(loket, letter_of(issued))
    assert told == (letter_status.Change("revoked", clock.at, "", "", "Keliru"),)


def at_once(home: Path, *works: Callable[[], object]) -> list[str]:
    """What each thread got: "done", or the words of its refusal."""
    gate = threading.Barrier(len(works))
    said: list[str] = []

    def run(work: Callable[[], object]) -> None:
        with db.obj.connection_context():
            gate.wait()
            try:
                work()
                said.append("done")
            except LoketError as refused:
                said.append(refused.message)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(said, key=lambda words: words != "done")


def test_of_signers_who_revoke_at_once_one_has_done_it(
    loket: Loket, clock: Clock, issued: int, home: Path
) -> None:
    signers = [actor("kepala_dinas"), actor("kabid_linjamsos")] * 2
    works = [
        lambda who=who: letter_status.revoke(loket, issued, f"oleh {who.name}", who, clock.at)
        for who in signers
    ]
    said = at_once(home, *works)
    assert said == ["done"] + ["Surat ini sudah dicabut."] * 3
    assert Audit.select().where(Audit.what == "cabut surat").count() == 1
    (change,) = letter_status.history(loket, letter_of(issued))
    assert change.reason == {"Karta Kadis": "oleh kadis", "Kabul Kabid": "oleh kabid"}[change.who]


# --- replace ---


def test_a_misspelt_letter_is_replaced_when_the_new_one_is_signed_and_not_before(
    loket: Loket, clock: Clock, issued: int
) -> None:
    old = letter_of(issued)
    clock.tick(30 * DAY)
    new = replace(loket, clock, issued)
    assert (code(loket, clock, issued), listed(loket, clock, issued)) == ("sah", 0)
    application = desk.find(new)
    assert (application.step, application.channel, application.seq) == ("periksa", "counter", 1)
    assert application.number != desk.find(issued).number
    assert application.replaces_id == old.id
    head = actor("kepala_dinas")
    assert [row.id for row in board.my_work(loket, head, clock.at).rows] == [new]
    ticket = Ticket.get(Ticket.application == new)
    assert ticket.state == "done"
    assert not QueueEvent.select().where(QueueEvent.ticket == ticket, QueueEvent.what == "called")
    assert not PrintJob.select().where(PrintJob.application == new).exists()
    case = casefile.read(loket, new, head, clock.at)
    assert [action.id for action in case.actions] == ["tanda_tangan", "kembalikan"]
    assert case.can_read_draft
    assert case.replaces == Linked(old.number, issued, "Alamat salah ketik")
    (begun,) = case.passed
    assert begun.said.id == "Penggantian surat"
    assert [values for _, values in begun.told] == [(old.number,), ("Alamat salah ketik",)]
    waiting = casefile.read(loket, issued, head, clock.at).letter
    assert waiting is not None
    assert waiting.replacing == Linked(application.number, new)
    sign(loket, clock, new)
    assert (code(loket, clock, issued), code(loket, clock, new)) == ("diganti", "sah")
    assert (listed(loket, clock, issued), listed(loket, clock, new)) == (3, 0)
    verdict = verification.check(loket, digits_of(loket, issued), clock.at)
    assert verdict.replacement == f"/v/{digits_of(loket, new)}"
    replaced = casefile.read(loket, issued, head, clock.at).letter
    assert replaced is not None
    assert replaced.replaced_by == Linked(letter_of(new).number, new)
    (change,) = replaced.changes
    assert (change.what, change.who, change.reason) == (
        "replaced", "Lilis Loket", "Alamat salah ketik",
    )  # fmt: skip


def test_the_new_letter_says_the_right_data_and_ends_on_the_old_ones_last_day(
    loket: Loket, clock: Clock, issued: int
) -> None:
    pdf, last = archive.pdf_of(loket, issued), letter_of(issued).valid_until
    clock.tick(30 * DAY)
    new = replace(loket, clock, issued)
    sign(loket, clock, new)
    assert letter_of(new).valid_until == last
    said = letter_text(loket, new)
    assert "KP. CIKUMPAY BARAT" in said
    assert "Berlaku 150 hari, sampai dengan 21 Mei 2027" in said
    assert "3602 0147 0890 0001" in said
    assert archive.pdf_of(loket, issued) == pdf
    verdict = verification.check(loket, digits_of(loket, new), clock.at)
    assert verdict.until == date.fromisoformat(last)
    days = (date.fromisoformat(last) - loket.calendar.day_of(clock.at)).days
    assert code(loket, clock, new) == "sah"
    clock.tick(days * DAY)
    assert code(loket, clock, new) == "sah"
    clock.tick(DAY)
    assert code(loket, clock, new) == "kedaluwarsa"


def test_a_letter_replaced_twice_leads_to_the_newest(
    loket: Loket, clock: Clock, issued: int
) -> None:
    chain = [issued]
    for _ in range(2):
        chain.append(replace(loket, clock, chain[-1]))
        sign(loket, clock, chain[-1])
    found = [verification.check(loket, digits_of(loket, id_), clock.at) for id_ in chain]
    assert [one.code for one in found] == ["diganti", "diganti", "sah"]
    newest = f"/v/{digits_of(loket, chain[-1])}"
    assert [one.replacement for one in found] == [newest, newest, ""]
    with pytest.raises(Stale, match="Ganti surat yang terbaru"):
        replace(loket, clock, issued)


def test_another_person_faulty_data_and_no_reason_are_refused_with_what_to_do(
    loket: Loket, clock: Clock, issued: int
) -> None:
    clerk = actor("front_office")
    other = {"nik": "3602 0101 0101 0099", "kk": "3602111111110000"}
    with pytest.raises(Invalid) as invalid:
        replacing.replace(loket, issued, corrected(loket, issued, **other), "", clerk, clock.at)
    assert invalid.value.fields == {
        "person.nik": replacing.OTHER_NIK,
        "person.kk": replacing.OTHER_KK,
        "reason": "Tulis alasannya.",
    }
    with pytest.raises(Invalid) as invalid:
        replacing.replace(loket, issued, corrected(loket, issued, name=""), "x", clerk, clock.at)
    assert list(invalid.value.fields) == ["person.name"]
    for role in ("operator", "sekretariat", "admin"):
        with pytest.raises(NotAllowed):
            replace(loket, clock, issued, role)
    spaced = corrected(loket, issued, nik="3602 0147 0890 0001")
    assert replacing.replace(loket, issued, spaced, "Nama", clerk, clock.at)


def test_a_letter_that_no_longer_counts_cannot_be_replaced_and_it_says_what_to_do_instead(
    loket: Loket, clock: Clock, submit: Submit, issued: int
) -> None:
    head = actor("kepala_dinas")
    letter_status.suspend(loket, issued, "Diperiksa", head, clock.at)
    with pytest.raises(Stale, match="Akhiri penangguhannya dahulu"):
        replace(loket, clock, issued)
    letter_status.lift(loket, issued, "Benar", head, clock.at)
    late = Clock(clock.at + 180 * DAY)
    with pytest.raises(Stale, match=r"sudah habis\. Catat permohonan baru"):
        replace(loket, late, issued)
    letter_status.revoke(loket, issued, "Keliru", head, clock.at)
    with pytest.raises(Stale, match=r"sudah dicabut\. Catat permohonan baru"):
        replace(loket, clock, issued)
    with pytest.raises(NotFound):
        replace(loket, clock, submit(loket))


def test_a_second_click_and_a_second_clerk_make_no_second_replacement(
    loket: Loket, clock: Clock, issued: int, home: Path
) -> None:
    first = replace(loket, clock, issued, key="ab" * 16)
    assert replace(loket, clock, issued, key="ab" * 16) == first
    with pytest.raises(Stale, match="sudah diajukan"):
        replace(loket, clock, issued, "kabid_linjamsos", key="cd" * 16)
    assert Application.select().where(Application.replaces == letter_of(issued)).count() == 1


def test_of_four_replacements_and_a_double_click_at_once_one_is_made(
    loket: Loket, clock: Clock, issued: int, home: Path
) -> None:
    person, who = corrected(loket, issued), actor("front_office")
    keys = ("ab" * 16, "ab" * 16, "cd" * 16, "")
    works = [
        lambda key=key: replacing.replace(loket, issued, person, "Alamat", who, clock.at, key)
        for key in keys
    ]
    assert "done" in at_once(home, *works)
    assert Application.select().where(Application.replaces == letter_of(issued)).count() == 1
    assert Event.select().where(Event.action == letter_status.REPLACING).count() == 1


def test_who_checked_the_data_of_the_old_letter_does_not_sign_the_new_one(
    loket: Loket, clock: Clock, issued: int
) -> None:
    deputy = actor("kabid_linjamsos")
    Event.update(actor=deputy.id).where(Event.action == "ditemukan").execute()
    new = replace(loket, clock, issued)
    with pytest.raises(NotAllowed, match="Anda yang mengecek"):
        act(loket, clock, new, "kabid_linjamsos", "tanda_tangan", password=PASSWORD)
    sign(loket, clock, new)


def test_who_checked_is_known_by_the_steps_of_then_also_when_the_file_has_others(
    loket: Loket, home: Path, clock: Clock, issued: int
) -> None:
    deputy = actor("kabid_linjamsos")
    Event.update(actor=deputy.id).where(Event.action == "ditemukan").execute()
    later = office_of(home, LEBAK.replace('id = "ditemukan"', 'id = "tercatat"'))
    new = replace(later, clock, issued)
    with pytest.raises(NotAllowed, match="Anda yang mengecek"):
        act(later, clock, new, "kabid_linjamsos", "tanda_tangan", password=PASSWORD)


def test_an_ended_replacement_is_not_taken_back_once_another_was_begun(
    loket: Loket, clock: Clock, issued: int
) -> None:
    new = replace(loket, clock, issued)
    act(loket, clock, new, "kabid_linjamsos", "kembalikan", reason="Alamat masih salah")
    act(loket, clock, new, "operator", "berbeda", seen="Lain")
    act(loket, clock, new, "front_office", "batal", reason="Tidak jadi")
    clerk, seq = actor("front_office"), desk.find(new).seq
    other = replace(loket, clock, issued)
    with pytest.raises(Stale, match="menunggu tanda tangan"):
        taking_back.take_back(loket, new, clerk, seq, clock.at)
    assert desk.find(new).outcome == "cancelled"
    sign(loket, clock, other)
    with pytest.raises(Stale, match="sudah diganti"):
        taking_back.take_back(loket, new, clerk, seq, clock.at)


def test_withdrawing_the_replacement_leaves_the_old_letter_and_another_may_follow(
    loket: Loket, clock: Clock, issued: int
) -> None:
    new = replace(loket, clock, issued)
    act(loket, clock, new, "kabid_linjamsos", "kembalikan", reason="Alamat masih salah")
    act(loket, clock, new, "operator", "berbeda", seen="Lain")
    done = act(loket, clock, new, "front_office", "batal", reason="Tidak jadi")
    assert done.outcome == "cancelled"
    assert code(loket, clock, issued) == "sah"
    row = letter_of(issued)
    assert (row.replaced_by_id, row.revoked_at) == (None, None)
    again = replace(loket, clock, issued)
    sign(loket, clock, again)
    assert code(loket, clock, issued) == "diganti"
    assert sorted(row.no for row in Letter.select()) == [1, 2]


def test_when_the_old_letter_is_revoked_or_suspended_meanwhile_its_replacement_is_not_issued(
    loket: Loket, clock: Clock, issued: int
) -> None:
    new = replace(loket, clock, issued)
    letter_status.suspend(loket, issued, "Diperiksa", actor("kabid_linjamsos"), clock.at)
    with pytest.raises(Stale, match="sedang ditangguhkan"):
        sign(loket, clock, new)
    letter_status.lift(loket, issued, "Benar", actor("kabid_linjamsos"), clock.at)
    old = letter_of(issued)
    Letter.update(valid_until="2026-11-22").where(Letter.id == old.id).execute()
    with pytest.raises(Stale, match="sudah habis"):
        sign(loket, clock, new)
    Letter.update(valid_until=old.valid_until).where(Letter.id == old.id).execute()
    letter_status.revoke(loket, issued, "Orang lain", actor("kabid_linjamsos"), clock.at)
    with pytest.raises(Stale, match="sudah dicabut"):
        sign(loket, clock, new)
    assert desk.find(new).step == "periksa"
    assert Letter.select().where(Letter.application == new).count() == 0


def test_a_letter_revoked_while_its_replacement_is_being_signed_is_revoked_and_nothing_else(
    loket: Loket, clock: Clock, issued: int, home: Path
) -> None:
    new = replace(loket, clock, issued)
    who, at = actor("kabid_linjamsos"), clock.tick(5)
    said = at_once(
        home,
        lambda: sign(loket, clock, new),
        lambda: letter_status.revoke(loket, issued, "Orang lain", who, at),
    )
    old, newer = letter_of(issued), Letter.get_or_none(Letter.application == new)
    came_out = newer is not None and newer.state == "issued"
    assert said[0] == "done"
    assert said[1] in (letter_status.INSTEAD, letter_status.REPLACED)
    assert came_out == (old.replaced_by_id is not None) == (said[1] == letter_status.REPLACED)
    assert (old.revoked_ct is not None) is not came_out
    parts = [file.name for file in loket.archive.rglob("*.part")]
    assert parts == []


def test_a_replacement_of_a_letter_signed_by_hand_takes_its_place_once_it_is_stamped(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    hand = by_hand.office(loket, signer="kepala_dinas")
    old = submit(hand)
    to_print(hand, clock, old)
    act(hand, clock, old, "operator", "cetak")
    scan(old, clock.at)
    act(hand, clock, old, "operator", "dicap", sudah="ya")
    new = replace(hand, clock, old)
    assert desk.find(new).step == "cetak"
    act(hand, clock, new, "operator", "cetak")
    assert (code(hand, clock, old), code(hand, clock, new)) == ("sah", "belum_terbit")
    scan(new, clock.at)
    act(hand, clock, new, "operator", "dicap", sudah="ya")
    assert (code(hand, clock, old), code(hand, clock, new)) == ("diganti", "sah")
    assert letter_of(new).valid_until == letter_of(old).valid_until


def test_a_replacement_walks_the_present_file_and_says_when_there_is_no_way_left(
    loket: Loket, home: Path, clock: Clock, issued: int
) -> None:
    later = office_of(home, changed(LEBAK, ('number = "400.9.1/{no}', 'number = "460/{no}')))
    new = replace(later, clock, issued)
    sign(later, clock, new)
    assert letter_of(new).number == "460/2/DINSOS/2026"
    gone = office_of(home, LEBAK.replace('"kip_kuliah"', '"kip_kuliah_baru"'))
    with pytest.raises(Stale, match="tidak ada lagi"):
        replace(gone, clock, new)


# --- validity ---


def test_each_purpose_has_its_own_last_day(loket: Loket, clock: Clock, submit: Submit) -> None:
    service, found = loket.profile.letters[0], {}
    chosen = ("kip_kuliah", "lainnya")
    for purpose in chosen:
        id_ = submit(loket, purpose=purpose)
        to_step(loket, clock, id_, "penyerahan")
        found[purpose] = letter_of(id_)
    day = loket.calendar.day_of(clock.at)
    for purpose, row in found.items():
        known = service.purpose(purpose)
        assert known is not None
        assert row.valid_until == str(day + timedelta(days=known.validity_days - 1))
    ends = [service.purpose(purpose).validity_days for purpose in chosen]  # type: ignore[union-attr]
    assert ends == [180, 90]
    clock.tick(90 * DAY)
    codes = [code(loket, clock, row.application_id) for row in found.values()]
    assert codes == ["sah", "kedaluwarsa"]


# --- printing, and what the citizen is told ---


def status(loket: Loket, clock: Clock, id_: int) -> citizen.Status:
    found = citizen.status(loket, token_of(id_), clock.at)
    assert found is not None
    return found


def test_a_suspended_letter_is_printed_nowhere_until_it_is_lifted(
    loket: Loket, clock: Clock, issued: int
) -> None:
    head, clerk = actor("kepala_dinas"), actor("front_office")
    letter_status.suspend(loket, issued, "Diperiksa", head, clock.at)
    assert letter_prints.print_at_kiosk(loket, token_of(issued), clock.at).state == "withheld"
    with pytest.raises(Stale, match="ditangguhkan"):
        letter_prints.print_at_counter(loket, issued, clerk, "k", clock.at)
    shown = status(loket, clock, issued)
    assert (shown.letter, shown.printable) == ("suspended", 0)
    view = casefile.read(loket, issued, clerk, clock.at).letter
    assert view is not None
    assert not view.printable
    letter_status.lift(loket, issued, "Benar", head, clock.at)
    assert (status(loket, clock, issued).letter, status(loket, clock, issued).printable) == ("", 2)
    assert letter_prints.print_at_kiosk(loket, token_of(issued), clock.at).state == "printing"


def test_what_waits_for_the_printer_is_not_printed_once_the_letter_is_suspended(
    loket: Loket, clock: Clock, issued: int, home: Path
) -> None:
    PrintJob.delete().execute()
    job = letter_prints.print_at_counter(loket, issued, actor("front_office"), "k", clock.at)
    letter_status.suspend(loket, issued, "Diperiksa", actor("kepala_dinas"), clock.at)
    folder = printer_from("file:prints", home)
    spool.work_once(loket, spool.Printers(folder, folder), clock.at)
    assert spool.job_state(job) == ("failed", "Surat ini sedang ditangguhkan.")
    assert not list((home / "prints").glob("*.pdf"))


def test_with_the_old_ticket_the_newest_letter_comes_out_of_the_kiosk(
    loket: Loket, clock: Clock, issued: int, home: Path
) -> None:
    new = replace(loket, clock, issued)
    sign(loket, clock, new)
    shown = status(loket, clock, issued)
    assert (shown.letter, shown.printable) == ("replaced", 2)
    done = letter_prints.print_at_kiosk(loket, token_of(issued), clock.at)
    assert done.state == "printing"
    folder = printer_from("file:prints", home)
    printers = spool.Printers(folder, folder)
    while spool.work_once(loket, printers, clock.at, letter_prints.printed_at_kiosk):
        pass
    assert desk.find(new).step == "selesai"
    (file,) = (home / "prints").glob("letter-*.pdf")
    assert certificate.read_qr(file.read_bytes()) == loket.verify_url(digits_of(loket, new))


# --- at the desk ---


@pytest.fixture
def served(app: Flask, clock: Clock, submit: Submit) -> int:
    id_ = submit(app.extensions["loket"])
    to_step(app.extensions["loket"], clock, id_, "penyerahan")
    return id_


ACTS = {
    "revoke": ("revocations", "dicabut"),
    "suspend": ("suspensions", "ditangguhkan"),
}


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("htmx", [True, False])
def test_the_form_says_what_it_means_asks_why_and_loses_nothing(
    as_role: AsRole, served: int, act: str, htmx: bool
) -> None:
    noun, done = ACTS[act]
    browser = as_role("kepala_dinas")
    form = check(browser.page(f"/meja/{served}?letter={act}"))
    assert f"/meja/{served}/{noun}" in [one.get("action") for one in form.iter("form")]  # type: ignore[union-attr]
    assert "Pemeriksa surat langsung melihat" in text(by_id(form, "letter"))
    long = browser.send(f"/meja/{served}/{noun}", {"reason": "x" * 501}, htmx=htmx)
    assert long.status_code == 422
    assert text(by_id(check(long), "f-reason")) == "x" * 501
    assert "Paling banyak" in text(by_id(check(long), "e-reason"))
    answer = browser.send(f"/meja/{served}/{noun}", {"reason": "Salah orang"}, htmx=htmx)
    assert answer.status_code == (200 if htmx else 303)
    card = text(by_id(check(browser.page(f"/meja/{served}")), "letter"))
    assert done in card
    assert "Salah orang" in card
    assert "Karta Kadis, Kepala Dinas" in card
    assert "Cetak di loket" not in card
    again = browser.send(f"/meja/{served}/{noun}", {"reason": "Sekali lagi"}, htmx=htmx)
    assert again.status_code == 409


def test_a_letter_is_replaced_from_its_case_with_what_was_wrong_put_right(
    app: Flask, as_role: AsRole, served: int, clock: Clock
) -> None:
    loket: Loket = app.extensions["loket"]
    clerk = as_role("front_office", 1)
    page = clerk.page(f"/meja/{served}")
    assert "letter=replace" in page.get_data(as_text=True)
    assert "letter=revoke" not in page.get_data(as_text=True)
    form = clerk.page(f"/meja/{served}?letter=replace")
    tree = check(form)
    assert "3602014708900001" not in form.get_data(as_text=True)
    sent = {
        field.get("name"): field.get("value") or ""
        for field in by_id(tree, "letter").iter("input")
        if field.get("name")
    } | {"person.sex": "P"}
    assert sent["person.address"]
    wrong: Mapping[str, str] = sent | {"person.nik": "3602010101010099", "person.address": "KP. B"}
    refused = clerk.send(f"/meja/{served}/replacements", dict(wrong))
    assert refused.status_code == 422
    back = check(refused)
    assert "NIK lain berarti surat untuk orang lain." in text(by_id(back, "letter"))
    assert by_id(back, "f-person.address").get("value") == "KP. B"
    good = sent | {"person.address": "KP. BARU", "reason": "Alamat salah"}
    for _ in range(2):
        assert clerk.send(f"/meja/{served}/replacements", good).status_code == 303
    (new,) = Application.select().where(Application.replaces == letter_of(served))
    assert casefile.given_of(loket, new)["address"] == "KP. BARU"
    card = text(by_id(check(clerk.page(f"/meja/{served}")), "letter"))
    assert f"permohonan {new.number}" in card
    assert "tetap berlaku" in card
    signer = as_role("kepala_dinas").page(f"/meja/{new.id}").get_data(as_text=True)
    assert "Menggantikan surat" in signer
    assert "karena Alamat salah" in signer
    assert as_role("operator").send(f"/meja/{served}/replacements").status_code == 403


def test_the_citizens_phone_tells_what_became_of_the_letter_without_its_reason(
    app: Flask, browser: Browser, served: int, clock: Clock
) -> None:
    loket: Loket = app.extensions["loket"]
    head, url = actor("kepala_dinas"), f"/t/{token_of(served)}"
    letter_status.suspend(loket, served, "Laporan tetangga", head, clock.at)
    said = [browser.page(url).get_data(as_text=True)]
    letter_status.revoke(loket, served, "Laporan tetangga", head, clock.at)
    said.append(browser.page(url).get_data(as_text=True))
    assert not any("Baca surat" in html for html in said)
    assert "kami periksa lagi" in said[0]
    assert "tidak berlaku lagi" in said[1]
    for html in said:
        assert "hubungi loket" in html
        assert "Laporan" not in html
        assert "Surat siap" not in html
    assert models.Letter.select().count() == 1


def elsewhere(work: Callable[[], object]) -> None:
    """Sign in a thread of its own: the browser's event loop has this one."""

    def run() -> None:
        with db.obj.connection_context():
            work()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def test_in_a_browser_a_form_on_the_letter_stays_while_the_case_is_watched(
    office: Office, submit: Submit
) -> None:
    loket: Loket = office.app.extensions["loket"]
    id_, clock = submit(loket), Clock(int(office.clock()))
    elsewhere(lambda: to_step(loket, clock, id_, "penyerahan"))
    page = office.signed_in("kadis")
    page.goto(f"{office.url}/meja/{id_}")
    page.click("#letter >> text=Tangguhkan")
    page.click(".letter-act button[type=submit]")
    expect(page.locator("#e-reason")).to_have_text("Tulis alasannya.")
    page.fill("#f-reason", "Ada laporan")
    with page.expect_response("**/case?*") as watched:
        pass
    assert watched.value.status == 204
    assert page.input_value("#f-reason") == "Ada laporan"
    assert faults(page) == []
    page.click(".letter-act button[type=submit]")
    expect(page.locator(".letter-changes")).to_contain_text("Ada laporan")
    page.click("#letter >> text=Akhiri penangguhan")
    page.fill("#f-reason", "Tidak benar")
    page.click(".letter-act button[type=submit]")
    expect(page.locator("#letter .badge")).to_contain_text("terbit")
    page.click("#letter >> text=Ganti, data salah")
    expect(page.locator("[name='person.name']")).to_be_focused()
    page.fill("[name='person.address']", "KP. BARU")
    page.fill("#f-reason", "Alamat salah")
    page.click(".letter-act button[type=submit]")
    expect(page.locator("#letter .notice")).to_contain_text("menunggu tanda tangan")
    assert letter_of(id_).suspended_at is None
    assert Application.select().where(Application.replaces == letter_of(id_)).count() == 1
