"""The print queue on real files: each job once, a printer that is down, a crash, two at a time."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from io import BytesIO
from pathlib import Path
from typing import ClassVar

import pytest
import zxingcpp
from PIL import Image

from kiosk import archive, letter_prints, spool
from kiosk.errors import NotFound, Unusable
from kiosk.loket import Loket
from kiosk.printers import JobState, Mime, PrinterDown, Status
from kiosk.settings import read
from kiosk.spool import Printers
from models import PrintJob, Ticket
from tests.conftest import Clock, actor
from tests.letters import act, to_step
from tests.test_desk import at_once

Submit = Callable[..., int]
QUARTER = 15 * 60


@pytest.fixture
def devices(home: Path) -> Printers:
    return spool.printers(read({"LOKET15_HOME": str(home)}))


@dataclass
class Device:
    """A printer of steel: it refuses with `fault`, else takes the job and says `state`."""

    fault: PrinterDown | None = None
    answer: JobState = field(default_factory=lambda: JobState("done"))
    taken: list[str] = field(default_factory=list)
    kind: ClassVar[str] = "test"

    def takes(self, mime: str) -> bool:
        return True

    def submit(self, document: bytes, mime: Mime, name: str) -> str:
        if self.fault:
            raise self.fault
        self.taken.append(name)
        return name

    def state(self, ref: str) -> JobState:
        return self.answer

    def ready(self) -> Status:
        return Status(ok=not self.fault)


def both(device: Device) -> Printers:
    return Printers(device, device)


def jobs() -> list[tuple[str, str, str]]:
    return [(job.kind, job.state, job.reason) for job in PrintJob.select().order_by(PrintJob.id)]


def test_ticket_slip_and_letter_land_in_the_folder_each_once(
    loket: Loket, clock: Clock, submit: Submit, devices: Printers
) -> None:
    found, missing = submit(loket), submit(loket)
    to_step(loket, clock, found, "penyerahan")
    to_step(loket, clock, missing, "cek")
    act(loket, clock, missing, "operator", "tidak_ditemukan", seen="Tidak ada")
    act(loket, clock, missing, "front_office", "diberitahu")
    token = Ticket.get(Ticket.application == found).token
    printing = letter_prints.print_at_kiosk(loket, token, clock.at)
    assert spool.waiting() == 4
    assert spool.work_once(loket, devices, clock.at) == 4
    assert spool.work_once(loket, devices, clock.tick(60)) == 0
    folder = loket.home / "prints"
    names = sorted(file.name for file in folder.iterdir())
    assert names == ["letter-4.pdf", "slip-3.png", "ticket-1.png", "ticket-2.png"]
    assert (folder / "letter-4.pdf").read_bytes() == archive.pdf_of(loket, found)
    assert _qr(folder / "ticket-1.png") == [loket.status_url(token)]
    assert _qr(folder / "slip-3.png") == []
    assert printing.job is not None
    assert spool.job_state(printing.job) == ("done", "")
    assert {file.stat().st_mode & 0o077 for file in folder.iterdir()} == {0}


def _qr(file: Path) -> list[str]:
    with Image.open(BytesIO(file.read_bytes())) as picture:
        return [code.text for code in zxingcpp.read_barcodes(picture.convert("L"))]


def test_a_printer_that_is_down_is_tried_again_and_prints_when_it_is_back(
    loket: Loket, clock: Clock, submit: Submit, devices: Printers
) -> None:
    submit(loket)
    folder = loket.home / "prints"
    folder.rmdir()
    folder.write_text("a file where the folder must be")
    spool.work_once(loket, devices, clock.at)
    assert jobs() == [("ticket", "queued", "Folder cetak tidak dapat ditulis")]
    assert spool.work_once(loket, devices, clock.tick(10)) == 0
    folder.unlink()
    assert spool.work_once(loket, devices, clock.tick(10)) == 1
    assert jobs() == [("ticket", "done", "")]


def test_a_job_is_given_up_after_a_quarter_of_an_hour(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    submit(loket)
    gone = both(Device(PrinterDown("Printer tidak terhubung")))
    spool.work_once(loket, gone, clock.tick(QUARTER))
    assert jobs()[0][1] == "queued"
    spool.work_once(loket, gone, clock.tick(1))
    assert jobs() == [("ticket", "failed", "Printer tidak terhubung")]
    back = Device()
    assert spool.work_once(loket, both(back), clock.tick(10)) == 0
    assert back.taken == []


def test_a_job_that_may_be_on_paper_already_fails_at_once(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    submit(loket)
    cut = both(Device(PrinterDown("Sambungan ke printer terputus", unsure=True)))
    spool.work_once(loket, cut, clock.at)
    assert jobs() == [("ticket", "failed", "Sambungan ke printer terputus")]


def test_a_job_is_followed_to_its_end_with_what_hinders_it(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    submit(loket)
    device = Device(answer=JobState("printing", "Kertas habis"))
    spool.work_once(loket, both(device), clock.at)
    assert jobs() == [("ticket", "printing", "Kertas habis")]
    device.answer = JobState("failed", "Pencetakan dibatalkan di printer")
    spool.work_once(loket, both(device), clock.tick(10))
    assert jobs() == [("ticket", "failed", "Pencetakan dibatalkan di printer")]
    assert device.taken == ["ticket-1"]


def test_a_job_cut_off_by_a_crash_is_looked_at_by_a_person_and_not_sent_again(
    loket: Loket, clock: Clock, submit: Submit, devices: Printers
) -> None:
    submit(loket)
    submit(loket)
    PrintJob.update(state="sending").where(PrintJob.id == 1).execute()
    assert spool.recover(clock.at) == 1
    spool.work_once(loket, devices, clock.at)
    assert [state for _, state, _ in jobs()] == ["failed", "done"]
    assert [file.name for file in (loket.home / "prints").iterdir()] == ["ticket-2.png"]
    assert spool.recover(clock.at) == 0


def test_a_failed_print_is_not_counted_and_the_citizen_may_try_again(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    token = Ticket.get().token
    jam = both(Device(PrinterDown("Kertas macet", unsure=True)))
    tries = []
    for _ in range(3):
        tries.append(letter_prints.print_at_kiosk(loket, token, clock.tick(60)))
        spool.work_once(loket, jam, clock.at)
    assert [(one.state, one.left) for one in tries] == [("printing", 1)] * 3
    assert len({one.job for one in tries}) == 3
    good = Device()
    left = [letter_prints.print_at_kiosk(loket, token, clock.tick(60)).left for _ in range(2)]
    assert left == [1, 0]
    assert letter_prints.print_at_kiosk(loket, token, clock.tick(60)).state == "limit"
    spool.work_once(loket, both(good), clock.at)
    assert good.taken == ["letter-5", "letter-6"]


def test_a_second_press_within_ten_seconds_is_the_same_reprint(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    first = spool.reprint_ticket(id_, clock.at)
    assert spool.reprint_ticket(id_, clock.tick(5)) == first
    assert spool.reprint_ticket(id_, clock.tick(10)) != first


def test_a_letter_that_was_changed_in_the_archive_is_not_printed(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    letter_prints.print_at_kiosk(loket, Ticket.get().token, clock.at)
    next(loket.archive.rglob("*.pdf")).write_bytes(b"%PDF-1.7 forged")
    device = Device()
    spool.work_once(loket, both(device), clock.at)
    assert device.taken == ["ticket-1"]
    assert jobs()[1][1] == "failed"


def test_one_job_that_cannot_be_drawn_does_not_stop_the_others(
    loket: Loket, clock: Clock, submit: Submit, devices: Printers
) -> None:
    submit(loket)
    endless = replace(loket, base_url="https://" + "x" * 2000)
    spool.work_once(endless, devices, clock.at)
    assert jobs()[0][1] == "failed"
    submit(loket)
    assert spool.work_once(loket, devices, clock.at) == 1


def test_several_printing_threads_send_no_job_twice(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    for _ in range(6):
        submit(loket)
    device = Device()
    assert at_once(4, lambda _: spool.work_once(loket, both(device), clock.at) and None) == []
    assert sorted(device.taken) == sorted(f"ticket-{n}" for n in range(1, 7))
    assert {state for _, state, _ in jobs()} == {"done"}


def test_a_job_that_is_none_is_not_found(loket: Loket) -> None:
    with pytest.raises(NotFound):
        spool.job_state(1)


@pytest.mark.parametrize("url", ["lpd://p", "escpos://h:99999", "file:../out", ""])
def test_a_printers_address_that_is_none_names_its_setting(home: Path, url: str) -> None:
    settings = read({"LOKET15_HOME": str(home)})
    with pytest.raises(Unusable, match="LOKET15_TICKET_PRINTER"):
        spool.printers(replace(settings, ticket_printer=url))
    with pytest.raises(Unusable, match="LOKET15_LETTER_PRINTER"):
        spool.printers(replace(settings, letter_printer=url))


def test_a_letter_for_the_kiosk_is_given_up_at_once_and_never_drops_out_later(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    letter_prints.print_at_kiosk(loket, Ticket.get().token, clock.at)
    letter_prints.print_at_counter(loket, id_, actor("front_office"), "a", clock.at)
    spool.work_once(loket, both(Device(PrinterDown("Kertas habis"))), clock.at)
    assert [(kind, state) for kind, state, _ in jobs()] == [
        ("ticket", "queued"), ("letter", "failed"), ("letter", "queued"),
    ]  # fmt: skip


def test_tickets_do_not_wait_for_the_printer_of_letters(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    letter_prints.print_at_counter(loket, id_, actor("front_office"), "a", clock.at)
    device = Device()
    for kinds in spool.LANES:
        spool.work_once(loket, both(device), clock.at, kinds=kinds)
        if kinds == spool.LANES[0]:
            assert device.taken == ["ticket-1"]
    assert device.taken == ["ticket-1", "letter-2"]


def test_a_printer_that_answers_nonsense_fails_its_job_and_not_the_thread(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    submit(loket)
    submit(loket)
    spool.work_once(loket, both(Device(TypeError("a printer's nonsense"))), clock.at)
    assert [(state, reason) for _, state, reason in jobs()] == [
        ("failed", spool.PERHAPS_PRINTED)
    ] * 2


def test_a_case_that_cannot_be_handed_over_does_not_unprint_the_letter(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    letter_prints.print_at_kiosk(loket, Ticket.get().token, clock.at)

    def refuse(*_: object) -> None:
        raise KeyError("a step that the file no longer has")

    spool.work_once(loket, both(Device()), clock.at, refuse)
    assert [state for _, state, _ in jobs()] == ["done", "done"]
