"""Prints of issued letters at the kiosk: how often, and what comes of them."""

from collections.abc import Callable

from kiosk import board, desk, letter_prints, spool
from kiosk.loket import Loket
from kiosk.printers import printer_from
from models import Event, PrintJob, Ticket
from tests.conftest import Clock
from tests.letters import to_step

Submit = Callable[..., int]


def test_a_letter_prints_at_the_kiosk_as_often_as_the_office_allows(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    token = Ticket.get().token
    assert letter_prints.print_at_kiosk(loket, token, clock.at).state == "not_ready"
    to_step(loket, clock, id_, "penyerahan")
    states = [letter_prints.print_at_kiosk(loket, token, clock.tick(60)).state for _ in range(3)]
    assert states == ["printing", "printing", "limit"]
    assert letter_prints.print_at_kiosk(loket, "x" * 24, clock.at).state == "unknown"
    assert PrintJob.select().where(PrintJob.kind == "letter").count() == 2


def test_a_letter_that_came_out_at_the_kiosk_is_handed_over(
    loket: Loket, clock: Clock, submit: Submit
) -> None:
    id_ = submit(loket)
    to_step(loket, clock, id_, "penyerahan")
    letter_prints.print_at_kiosk(loket, Ticket.get().token, clock.at)
    files = printer_from("file:prints", loket.home)
    spool.work_once(loket, spool.Printers(files, files), clock.at, letter_prints.printed_at_kiosk)
    done = desk.find(id_)
    assert (done.step, done.outcome) == ("selesai", "issued")
    assert board.ready_for_pickup(loket, clock.at) == ()
    again = letter_prints.print_at_kiosk(loket, Ticket.get().token, clock.tick(5))
    assert again.state == "printing"
    spool.work_once(loket, spool.Printers(files, files), clock.at, letter_prints.printed_at_kiosk)
    assert Event.select().where(Event.action == "dicetak_sendiri").count() == 1
