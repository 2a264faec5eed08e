"""Letters signed by hand: drawn up, printed, signed and stamped, and only then issued."""

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from pypdf import PdfReader

from kiosk import (
    archive,
    casefile,
    certificate,
    citizen,
    desk,
    issuing,
    letter_prints,
    letter_status,
    spool,
    taking_back,
    verification,
)
from kiosk.errors import Invalid, NotAllowed, NotFound, Stale, Unusable
from kiosk.loket import Loket
from kiosk.printers import printer_from
from models import Document, Letter, PrintJob, Ticket, VoidNumber
from tests import by_hand
from tests.conftest import Clock, actor
from tests.letters import act

Submit = Callable[..., int]
SEEN = {"seen": "Tercatat"}
COMPLETE = {"papers.ktp": "ok", "papers.kk": "ok", "papers.formulir": "ok"}


@pytest.fixture
def hand(loket: Loket) -> Loket:
    return by_hand.office(loket, signer="kepala_dinas")


def to_print(loket: Loket, clock: Clock, id_: int, **seen: str) -> None:
    """Up to the step that draws the letter up."""
    act(loket, clock, id_, "front_office", "lengkap", **COMPLETE)
    act(loket, clock, id_, "sekretariat", "teruskan")
    act(loket, clock, id_, "kepala_dinas", "disposisi")
    act(loket, clock, id_, "kabid_linjamsos", "tugaskan")
    act(loket, clock, id_, "operator", "ditemukan", **(SEEN | seen))


def scan(id_: int, now: int) -> None:
    """The scan of the stamped sheet, as the documents' room keeps it."""
    Document.create(
        application=id_, key=f"scan-{id_}-{now}", kind="surat_bercap", media="application/pdf",
        size=1, sha256="ab" * 32, source="counter", created_at=now,
    )  # fmt: skip


def digits(loket: Loket) -> str:
    return verification.digits_of(loket, Letter.get())


def words_of(pdf: bytes) -> str:
    return " ".join(PdfReader(BytesIO(pdf)).pages[0].extract_text().split())


def test_a_letter_is_drawn_up_then_signed_by_hand_and_only_then_issued(
    hand: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    act(hand, clock, id_, "operator", "cetak")
    row = Letter.get()
    assert (row.state, row.number, row.issued_at) == ("numbered", "400.9.1/1/DINSOS/2026", None)
    assert row.drawn_at == clock.at
    assert verification.check(hand, digits(hand), clock.at).code == "belum_terbit"
    scan(id_, clock.at)
    done = act(hand, clock, id_, "operator", "dicap", sudah="ya")
    assert done.step == "penyerahan"
    verdict = verification.check(hand, digits(hand), clock.at)
    assert (verdict.code, verdict.signed) == ("sah", "wet_ink")
    letter = casefile.read(hand, id_, actor("operator"), clock.at).letter
    assert letter is not None
    assert [(kind.id, hash_) for kind, hash_ in letter.copies] == [("Surat bercap", "ab" * 32)]


def test_the_sheet_says_how_it_is_signed_and_carries_no_electronic_signature(
    hand: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    act(hand, clock, id_, "operator", "cetak")
    pdf = archive.pdf_of(hand, id_)
    said = words_of(pdf)
    assert "Ditandatangani dengan tinta basah dan dibubuhi cap dinas." in said
    assert "elektronik" not in said
    assert "Dra. Contoh Pejabat Satu" in said
    assert b"/ByteRange" not in pdf
    assert certificate.read_qr(pdf) == hand.verify_url(digits(hand))


def test_without_a_named_signer_the_first_mandate_that_holds_stands_under_it(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    office = by_hand.office(loket)
    first, second = office.profile.signers
    ended = first.model_copy(update={"until": first.since})
    signers = office.profile.model_copy(update={"signers": (ended, second)})
    later = replace(office, profile=signers)
    id_ = submit(later)
    to_print(later, clock, id_)
    act(later, clock, id_, "operator", "cetak")
    assert "Contoh Pejabat Dua" in words_of(archive.pdf_of(later, id_))
    nobody = replace(office, profile=signers.model_copy(update={"signers": (ended,)}))
    other = submit(nobody)
    to_print(nobody, clock, other)
    with pytest.raises(NotAllowed):
        act(nobody, clock, other, "operator", "cetak")
    assert desk.find(other).step == "cetak"


def test_the_counter_prints_the_sheet_until_it_is_signed_and_the_kiosk_never(
    hand: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(hand)
    clerk, token = actor("front_office"), Ticket.get().token
    to_print(hand, clock, id_)
    with pytest.raises(NotFound):
        letter_prints.print_at_counter(hand, id_, clerk, "1", clock.at)
    act(hand, clock, id_, "operator", "cetak")
    assert letter_prints.print_at_counter(hand, id_, clerk, "1", clock.at)
    assert letter_prints.print_at_kiosk(hand, token, clock.at).state == "not_ready"
    scan(id_, clock.at)
    act(hand, clock, id_, "operator", "dicap", sudah="ya")
    with pytest.raises(Stale):
        letter_prints.print_at_counter(hand, id_, clerk, "2", clock.at)
    assert letter_prints.print_at_kiosk(hand, token, clock.at).state == "not_ready"
    status = citizen.status(hand, token, clock.at)
    assert status is not None
    assert status.printable == 0


def test_a_sheet_that_waits_for_the_printer_is_not_printed_once_it_was_signed(
    hand: Loket, clock: Clock, submit: Submit, home: Path
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    act(hand, clock, id_, "operator", "cetak")
    PrintJob.delete().execute()
    job = letter_prints.print_at_counter(hand, id_, actor("front_office"), "1", clock.at)
    scan(id_, clock.at)
    act(hand, clock, id_, "operator", "dicap", sudah="ya")
    folder = printer_from("file:prints", home)
    spool.work_once(hand, spool.Printers(folder, folder), clock.at)
    assert spool.job_state(job) == ("failed", letter_status.BY_HAND)
    assert not list((home / "prints").glob("letter-*"))


def test_drawn_up_again_it_keeps_its_number_and_the_old_sheet_is_not_the_issued_one(
    hand: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    act(hand, clock, id_, "operator", "cetak")
    old, before = digits(hand), Letter.get()
    act(hand, clock, id_, "kepala_dinas", "kembalikan", reason="Desil keliru")
    act(hand, clock, id_, "operator", "ditemukan", **SEEN, rank="3")
    assert Letter.get().drawn_at is None
    with pytest.raises(NotFound):
        archive.pdf_of(hand, id_)
    assert list(archive.check(hand)) == []
    clock.tick(86400)
    act(hand, clock, id_, "operator", "cetak")
    after = Letter.get()
    assert (after.number, after.id) == (before.number, before.id)
    assert after.sha256 != before.sha256
    scan(id_, clock.at)
    act(hand, clock, id_, "operator", "dicap", sudah="ya")
    assert verification.check(hand, old, clock.at).code == "belum_terbit"
    assert verification.check(hand, digits(hand), clock.at).code == "sah"


def test_the_copy_of_an_old_sheet_is_not_the_archives_copy_of_the_new_one(
    hand: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    act(hand, clock, id_, "operator", "cetak")
    scan(id_, clock.at)
    act(hand, clock, id_, "kepala_dinas", "kembalikan", reason="Desil keliru")
    act(hand, clock, id_, "operator", "ditemukan", **SEEN, rank="3")
    act(hand, clock, id_, "operator", "cetak")
    with pytest.raises(Invalid, match="lembar yang lama"):
        act(hand, clock, id_, "operator", "dicap", sudah="ya")
    assert Letter.get().state == "numbered"
    scan(id_, clock.at)
    act(hand, clock, id_, "operator", "dicap", sudah="ya")
    letter = casefile.read(hand, id_, actor("operator"), clock.at).letter
    assert letter is not None
    assert len(letter.copies) == 1


def test_an_application_that_ends_without_its_signature_voids_the_number(
    hand: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    act(hand, clock, id_, "operator", "cetak")
    act(hand, clock, id_, "operator", "batal", reason="Tidak jadi")
    assert Letter.get().state == "void"
    with pytest.raises(NotFound):
        archive.pdf_of(hand, id_)
    assert list(archive.check(hand)) == []
    assert verification.check(hand, digits(hand), clock.at).code == "belum_terbit"
    taking_back.take_back(hand, id_, actor("operator"), desk.find(id_).seq, clock.at)
    assert Letter.get().state == "numbered"
    scan(id_, clock.at)
    assert act(hand, clock, id_, "operator", "dicap", sudah="ya").step == "penyerahan"


def test_a_sheet_that_was_not_signed_in_its_year_is_drawn_up_under_a_number_of_the_new_one(
    hand: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    act(hand, clock, id_, "operator", "cetak")
    old = digits(hand)
    act(hand, clock, id_, "kepala_dinas", "kembalikan", reason="Desil keliru")
    clock.tick(60 * 86400)
    act(hand, clock, id_, "operator", "ditemukan", **SEEN, rank="3")
    act(hand, clock, id_, "operator", "cetak")
    assert (Letter.get().number, VoidNumber.get().no) == ("400.9.1/1/DINSOS/2027", 1)
    assert list(archive.check(hand)) == []
    assert verification.check(hand, old, clock.at).code == "belum_terbit"


def test_data_that_changed_after_the_print_cannot_be_released(
    hand: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    act(hand, clock, id_, "operator", "cetak")
    issuing.spoil(id_)
    scan(id_, clock.at)
    with pytest.raises(Stale):
        act(hand, clock, id_, "operator", "dicap", sudah="ya")
    assert (desk.find(id_).step, Letter.get().state) == ("tanda_tangan", "numbered")


def test_a_release_is_refused_without_the_scan_and_cannot_be_taken_back(
    hand: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    act(hand, clock, id_, "operator", "cetak")
    with pytest.raises(Exception, match="Lampirkan"):
        act(hand, clock, id_, "operator", "dicap", sudah="ya")
    scan(id_, clock.at)
    act(hand, clock, id_, "operator", "dicap", sudah="ya")
    with pytest.raises(NotAllowed):
        taking_back.take_back(hand, id_, actor("operator"), desk.find(id_).seq, clock.at)


def test_a_drawing_up_that_failed_keeps_its_number_for_the_next_try(
    hand: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(hand)
    to_print(hand, clock, id_)
    blocked = hand.archive / "sk_dtks"
    blocked.write_text("a file where the folder must be")
    with pytest.raises(OSError, match="sk_dtks"):
        act(hand, clock, id_, "operator", "cetak")
    assert (desk.find(id_).step, Letter.get().drawn_at) == ("cetak", None)
    blocked.unlink()
    act(hand, clock, id_, "operator", "cetak")
    assert (Letter.get().no, desk.find(id_).step) == (1, "tanda_tangan")


def test_the_rank_that_the_operator_read_stands_on_the_letter_under_the_registers_word(
    hand: Loket, clock: Clock, submit: Submit
) -> None:
    ranked = hand.profile.register_.model_copy(update={"rank_label": "Desil", "name": "DTSEN"})
    (service,) = hand.profile.letters
    purposes = tuple(one.model_copy(update={"max_rank": 5}) for one in service.purposes)
    needed = (service.model_copy(update={"purposes": purposes}),)
    changed = hand.profile.model_copy(update={"register_": ranked, "services": needed})
    office = replace(hand, profile=changed)
    id_ = submit(office)
    to_print(office, clock, id_, rank="4")
    act(office, clock, id_, "operator", "cetak")
    assert "Desil : 4" in words_of(archive.pdf_of(office, id_))


@pytest.mark.parametrize(
    ("letter", "said"),
    [
        ({"signer": "sekretariat"}, r"letter\.signer"),
        ({"signing": "office_key"}, r"`draw_up`"),
        ({"signing": "office_key", "signer": "kepala_dinas"}, r"letter\.signer"),
    ],
)
def test_an_office_file_that_signs_in_two_ways_is_refused(
    letter: dict[str, str], said: str
) -> None:
    with pytest.raises(Unusable, match=said):
        by_hand.profile(**letter)
