"""The writer of applications, on a real SQLite file: the nine steps, the clock, the races."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import models
from kiosk import (
    archive,
    casefile,
    certificate,
    desk,
    issuing,
    queue,
    verification,
)
from kiosk.errors import Invalid, LoketError, NotAllowed, NotFound, Stale
from kiosk.loket import Loket
from kiosk.service import Action
from models import Event, Letter, PrintJob, Ticket
from tests.conftest import PASSWORD, Clock, actor
from tests.letters import act, digits_of, to_step

SIGN = {"password": [PASSWORD]}
Submit = Callable[..., int]


def test_the_nine_steps_end_with_a_letter_handed_over(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    done = act(loket, clock, id_, "front_office", "serahkan", recipient="pemohon")
    assert (done.step, done.outcome) == ("selesai", "issued")
    assert Letter.get().number == "400.9.1/1/DINSOS/2026"
    assert Ticket.get().state == "done"
    verdict = verification.check(loket, digits_of(loket, id_), clock.at)
    assert verdict.code == "sah"
    assert (verdict.name, verdict.nik_end) == ("S*** A*****", "0001")


def test_the_archived_letter_is_the_one_that_was_hashed(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    pdf = archive.pdf_of(loket, id_)
    assert certificate.read_qr(pdf) == loket.verify_url(digits_of(loket, id_))
    file = archive.path_of(loket, Letter.get())
    assert file.stat().st_mode & 0o777 == 0o400
    file.chmod(0o600)
    file.write_bytes(pdf + b" ")
    with pytest.raises(Stale):
        archive.pdf_of(loket, id_)


def test_an_application_not_found_ends_with_a_slip_and_no_letter(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "cek")
    act(loket, clock, id_, "operator", "tidak_ditemukan", seen="Dicari NIK dan nama, tidak ada")
    done = act(loket, clock, id_, "front_office", "diberitahu")
    assert done.outcome == "not_found"
    assert Letter.select().count() == 0
    assert [job.kind for job in PrintJob.select().order_by(PrintJob.id)] == ["ticket", "slip"]


def test_the_clock_stands_still_while_the_citizen_completes_the_file(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    promised = desk.find(id_).due_at
    clock.tick(100)
    stopped = act(loket, clock, id_, "front_office", "kurang", missing="kk")
    assert (stopped.due_at, stopped.left_s) == (None, 900 - 120)
    clock.tick(40 * 60)
    resumed = act(loket, clock, id_, "front_office", "dilengkapi")
    assert resumed.due_at == promised + 40 * 60 + 20
    assert resumed.left_s is None


def test_data_that_differs_is_corrected_with_the_citizen_and_checked_again(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "cek")
    assert act(loket, clock, id_, "operator", "berbeda", seen="Alamat lain").step == "perbaikan"
    person = casefile.read(loket, id_, actor("front_office"), clock.at).person
    fields = {f"person.{part}": value for part, value in person.items()}
    fields["person.address"] = "KP. BARU"
    assert act(loket, clock, id_, "front_office", "diperbaiki", **fields).step == "cek"
    case = casefile.read(loket, id_, actor("operator"), clock.at)
    assert [row.label for row in case.compared if row.differs] == ["Alamat"]


def test_corrected_data_must_be_printable(loket: Loket, clock: Clock, submit: Submit) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "cek")
    act(loket, clock, id_, "operator", "berbeda", seen="Nama lain")
    person = casefile.read(loket, id_, actor("front_office"), clock.at).person
    fields = {f"person.{part}": value for part, value in person.items()}
    fields |= {"person.nik": "123", "person.name": ""}
    with pytest.raises(Invalid) as fault:
        act(loket, clock, id_, "front_office", "diperbaiki", **fields)
    assert set(fault.value.fields) == {"person.nik", "person.name"}
    assert desk.find(id_).step == "perbaikan"


def test_another_role_may_not_act(loket: Loket, clock: Clock, submit: Submit) -> None:
    id_ = submit(loket)
    for role in ("sekretariat", "kepala_dinas", "kabid_linjamsos", "operator", "admin"):
        with pytest.raises(NotAllowed):
            act(loket, clock, id_, role, "lengkap")
    assert Event.select().count() == 1


def test_a_head_cannot_sign_before_the_operator_has_checked(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "disposisi")
    with pytest.raises(NotAllowed):
        act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    assert Letter.select().count() == 0


def test_a_second_click_is_told_that_it_is_done_already(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    seq = desk.find(id_).seq
    desk.act(loket, id_, "lengkap", {}, actor("front_office"), seq, clock.at)
    with pytest.raises(Stale):
        desk.act(loket, id_, "lengkap", {}, actor("front_office"), seq, clock.at)
    assert desk.find(id_).step == "sekretariat"


def test_a_wrong_password_signs_nothing(loket: Loket, clock: Clock, submit: Submit) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    with pytest.raises(Invalid):
        act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password="bukan ini")
    assert desk.find(id_).step == "periksa"
    assert Letter.select().count() == 0


def test_the_kabid_signs_on_behalf_of_the_head(loket: Loket, clock: Clock, submit: Submit) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    signed = act(loket, clock, id_, "kabid_linjamsos", "tanda_tangan", password=PASSWORD)
    assert signed.step == "penyerahan"


def test_a_letter_sent_back_goes_to_the_operator_with_its_reason(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    with pytest.raises(Invalid):
        act(loket, clock, id_, "kepala_dinas", "kembalikan")
    act(loket, clock, id_, "kepala_dinas", "kembalikan", reason="Alamat belum lengkap")
    case = casefile.read(loket, id_, actor("operator"), clock.at)
    assert case.step.id == "cek"
    assert case.passed[-1].detail == {"reason": "Alamat belum lengkap"}


def test_the_row_repeats_its_last_event(loket: Loket, clock: Clock, submit: Submit) -> None:
    id_ = submit(loket)
    act(loket, clock, id_, "front_office", "kurang", missing="ktp")
    to_step_from_completion = ("dilengkapi",)
    for action in to_step_from_completion:
        act(loket, clock, id_, "front_office", action)
    application = desk.find(id_)
    last = Event.select().order_by(Event.seq.desc()).first()
    assert (application.step, application.seq, application.due_at, application.left_s) == (
        last.to_step, last.seq, last.due_at, last.left_s,
    )  # fmt: skip


def test_a_visit_gives_one_application_however_often_it_is_sent(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    device = models.Device.create(name="Kios", kind="kiosk")
    visit = models.Visit.create(device=device, started_at=clock.at, seen_at=clock.at)
    draft = desk.Draft(
        "sk_dtks", "pip", "", "3602014708900001", "3602111111118111", {"name": "SITI"}, True
    )
    ids = {desk.submit(loket, draft, visit.id, clock.at) for _ in range(3)}
    assert len(ids) == 1
    assert Ticket.select().count() == 1


def test_a_failed_signing_issues_nothing_and_keeps_its_number_for_the_next_try(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    blocked = loket.archive / "sk_dtks"
    blocked.write_text("a file where the folder must be")
    with pytest.raises(OSError, match="sk_dtks"):
        act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    assert desk.find(id_).step == "periksa"
    assert Letter.get().state == "numbered"
    with pytest.raises(NotFound):
        archive.pdf_of(loket, id_)
    blocked.unlink()
    act(loket, clock, id_, "kabid_linjamsos", "tanda_tangan", password=PASSWORD)
    assert (Letter.get().state, Letter.get().no) == ("issued", 1)
    second = submit(loket)
    to_step(loket, clock, second, "penyerahan")
    assert [letter.no for letter in Letter.select().order_by(Letter.id)] == [1, 2]


def test_a_letter_expires_after_its_last_day(loket: Loket, clock: Clock, submit: Submit) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    last = clock.at + 179 * 86400
    assert verification.check(loket, digits_of(loket, id_), last).code == "sah"
    assert verification.check(loket, digits_of(loket, id_), last + 86400).code == "kedaluwarsa"


def test_the_paper_is_matched_by_nik_and_name_five_times_at_most(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    digits = digits_of(loket, id_)

    def match(nik: str, name: str) -> bool:
        return verification.compare(loket, digits, nik, name, "10.0.0.1", clock.at).fits

    assert match("3602 0147 0890 0001", "siti  aminah")
    assert not match("3602014708900001", "SITI AMINAN")
    assert not match("3602014708900002", "SITI AMINAH")
    for _ in range(2):
        match("3602014708900001", "SITI AMINAH")
    with pytest.raises(LoketError):
        match("3602014708900001", "SITI AMINAH")


def sign(loket: Loket) -> Action:
    found = loket.profile.service("sk_dtks").step("periksa").action("tanda_tangan")
    assert found is not None
    return found


def test_a_signer_slower_than_the_claim_does_not_replace_the_letter_of_the_next(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    seq = desk.find(id_).seq
    slow = issuing.make(loket, id_, sign(loket), actor("kepala_dinas"), seq, clock.at)
    clock.tick(issuing.CLAIM_S)
    act(loket, clock, id_, "kabid_linjamsos", "tanda_tangan", password=PASSWORD)
    issued = archive.pdf_of(loket, id_)
    with pytest.raises(Stale), models.transaction():
        issuing.release(slow, clock.at)
    assert archive.pdf_of(loket, id_) == issued
    assert [file.suffix for file in loket.archive.rglob("*.*")] == [".pdf"]


def test_nobody_acts_on_a_letter_while_it_is_being_signed(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    head, seq = actor("kepala_dinas"), desk.find(id_).seq
    issuing.make(loket, id_, sign(loket), head, seq, clock.at)
    with pytest.raises(Stale):
        act(loket, clock, id_, "kabid_linjamsos", "kembalikan", reason="Terlambat")


def test_a_file_that_goes_on_from_the_counter_frees_the_window(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    front = actor("front_office", window=2)
    assert queue.call_next(loket, front, clock.at) is not None
    act(loket, clock, id_, "front_office", "lengkap")
    assert Ticket.get().state == "done"
    assert queue.call_next(loket, front, clock.at) is None


def at_once(count: int, work: Callable[[int], None]) -> list[Exception]:
    """Run `work` in so many threads that start together; what they raised."""
    barrier, faults = threading.Barrier(count), []

    def run(n: int) -> None:
        models.db.connect(reuse_if_open=True)
        try:
            barrier.wait()
            work(n)
        except LoketError as fault:
            faults.append(fault)
        finally:
            models.db.close()

    threads = [threading.Thread(target=run, args=(n,)) for n in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return faults


def test_sixteen_clients_taking_tickets_at_once_get_no_number_twice_and_no_gap(
    loket: Loket, submit: Submit
) -> None:
    def take(_: int) -> None:
        for _ in range(5):
            submit(loket)

    assert at_once(16, take) == []
    assert sorted(ticket.number for ticket in Ticket.select()) == list(range(1, 81))
    assert Event.select().count() == 80


def test_thirty_two_signing_the_same_letter_at_once_make_one_certificate(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    seq, signers = desk.find(id_).seq, (actor("kepala_dinas"), actor("kabid_linjamsos"))

    def sign(n: int) -> None:
        desk.act(loket, id_, "tanda_tangan", SIGN, signers[n % 2], seq, clock.at)

    faults = at_once(32, sign)
    assert len(faults) == 31
    assert Letter.select().count() == 1
    assert desk.find(id_).step == "penyerahan"
    assert Event.select().where(Event.action == "tanda_tangan").count() == 1
    assert len(list(loket.archive.rglob("*.pdf"))) == 1


def test_nothing_personal_is_readable_in_the_database_or_the_file_names(
    loket: Loket, clock: Clock, submit: Submit, home: Path
) -> None:
    to_step(loket, clock, submit(loket), "penyerahan")
    models.db.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    for file in [home / "loket15.sqlite", home / "register" / "current.sqlite"]:
        content = file.read_bytes()
        for secret in (b"3602014708900001", b"3602111111118111", b"AMINAH", b"CIKUMPAY"):
            assert secret not in content, f"{secret!r} in {file.name}"
    assert not [p for p in home.rglob("*") if "3602014708900001" in p.name]


def test_a_number_taken_for_a_letter_that_never_came_is_void_and_not_given_again(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "periksa")
    (loket.archive / "sk_dtks").write_text("a file where the folder must be")
    with pytest.raises(OSError, match="sk_dtks"):
        act(loket, clock, id_, "kepala_dinas", "tanda_tangan", password=PASSWORD)
    (loket.archive / "sk_dtks").unlink()
    act(loket, clock, id_, "kepala_dinas", "kembalikan", reason="Cek lagi")
    act(loket, clock, id_, "operator", "tidak_ditemukan", seen="Tidak ada")
    act(loket, clock, id_, "front_office", "diberitahu")
    assert (Letter.get().no, Letter.get().state) == (1, "void")
    second = submit(loket)
    to_step(loket, clock, second, "penyerahan")
    assert Letter.get(Letter.application == second).no == 2


def test_what_the_citizen_said_is_wrong_is_mended_where_they_stand(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    person = casefile.read(loket, id_, actor("front_office"), clock.at).person
    fields = {f"person.{part}": value for part, value in person.items()}
    fields["person.address"] = "KP. CIPUTRI"
    mended = act(loket, clock, id_, "front_office", "perbaiki", **fields)
    assert mended.step == "berkas"
    case = casefile.read(loket, id_, actor("front_office"), clock.at)
    assert case.person["address"] == "KP. CIPUTRI"


def test_a_letter_is_not_said_to_rest_on_a_snapshot_that_does_not_hold_the_person(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    known, typed = submit(loket), submit(loket, nik="3602015203640003", in_snapshot=False)
    for id_ in (known, typed):
        to_step(loket, clock, id_, "periksa")
    as_of = [
        (casefile.read(loket, id_, actor("kepala_dinas"), clock.at).check or {})["as_of"]
        for id_ in (known, typed)
    ]
    assert as_of == ["2026-11-01", ""]


def test_two_windows_calling_at_once_never_call_the_same_ticket(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    for _ in range(8):
        submit(loket)
    called: list[str] = []

    def call(n: int) -> None:
        ticket = queue.call_next(loket, actor("front_office", window=n + 1), clock.at)
        assert ticket is not None
        called.append(ticket.label)

    assert at_once(8, call) == []
    assert sorted(called) == [f"A{n:02d}" for n in range(1, 9)]
