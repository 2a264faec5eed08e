"""Three kinds of printers, each a real one: a folder, an IPP printer, a TCP port."""

import hashlib
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pypdf
import pytest
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st

from kiosk import ipp
from kiosk.errors import LoketError, Unusable
from kiosk.printers import (
    PDF,
    PNG,
    EscPosPrinter,
    FilePrinter,
    IppPrinter,
    JobState,
    Printer,
    PrinterDown,
    Status,
    hindrance,
    printer_from,
    safe_name,
)
from kiosk.slip import Line, Slip, draw, png
from tests.escpos_port import ASKS_PAPER, NEAR_END, NO_PAPER, EscPosPort, decode
from tests.ippserver import IppServer, free_port, ipp_server, until

URL = "https://loket15.example.go.id/t/7Kd93hQwZx2m"
NIK = "3602041505800001"
SLIP = draw(
    Slip(
        "Dinas Sosial Kabupaten Lebak",
        "Nomor antrean Anda",
        "A07",
        (Line("Siap paling lambat"), Line("pukul 10.15", "large", bold=True)),
        URL,
        ("Pindai untuk melihat giliran",),
    )
)
TICKET = png(SLIP)


def letter() -> bytes:
    writer, out = pypdf.PdfWriter(), BytesIO()
    writer.add_blank_page(595, 842)
    writer.write(out)
    return out.getvalue()


def finished(printer: Printer, ref: str) -> JobState:
    until(lambda: printer.state(ref).state in ("done", "failed"))
    return printer.state(ref)


# --- which printer ---


def test_an_address_names_its_kind_of_printer(tmp_path: Path) -> None:
    assert printer_from("file:prints", tmp_path) == FilePrinter(tmp_path / "prints")
    assert printer_from("ipp://p:8632/ipp/print", tmp_path).kind == "ipp"
    assert printer_from("ipps://p/ipp/print", tmp_path).kind == "ipp"
    assert printer_from("escpos://p", tmp_path) == EscPosPrinter("p", 9100)


@pytest.mark.parametrize(
    "url", ["", "file:", "file:../out", "file:/etc", "file:.", "ipp:", "escpos:p", "lpd://p"]
)
def test_any_other_address_is_refused_at_the_start(url: str, tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="Alamat printer"):
        printer_from(url, tmp_path)


def test_a_ticket_printer_takes_pictures_and_the_others_letters_too(tmp_path: Path) -> None:
    for url in ("file:prints", "ipp://p/ipp/print"):
        printer = printer_from(url, tmp_path)
        assert printer.takes(PDF)
        assert printer.takes(PNG)
        assert not printer.takes("text/plain")
    assert EscPosPrinter("p").takes(PNG)
    assert not EscPosPrinter("p").takes(PDF)


@given(st.text())
def test_a_name_is_never_a_path_nor_holds_a_nik(text: str) -> None:
    name = safe_name(f"{text}{NIK}{text}")
    assert name
    assert NIK not in name
    assert set(name) <= set("-_ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    assert len(name) <= 60


# --- folder ---


def test_a_folder_keeps_what_it_is_given_for_its_owner_only(tmp_path: Path) -> None:
    printer = printer_from("file:prints", tmp_path)
    assert printer.ready() == Status(True)
    ref = printer.submit(letter(), PDF, "surat-12")
    assert printer.state(ref) == JobState("done")
    file = tmp_path / "prints" / "surat-12.pdf"
    assert file.read_bytes() == letter()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_second_document_of_the_same_name_does_not_touch_the_first(tmp_path: Path) -> None:
    printer = FilePrinter(tmp_path)
    documents = [b"one", b"two", b"three"]
    refs = [printer.submit(document, PNG, "A07") for document in documents]
    assert refs == ["A07.png", "A07-2.png", "A07-3.png"]
    assert [(tmp_path / ref).read_bytes() for ref in refs] == documents


def test_many_at_once_lose_nothing_and_leave_no_halves(tmp_path: Path) -> None:
    printer, start = FilePrinter(tmp_path), threading.Barrier(8)

    def print_one(number: int) -> None:
        start.wait()
        printer.submit(bytes([number]) * 9000, PNG, "A07")

    threads = [threading.Thread(target=print_one, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sorted(file.read_bytes() for file in tmp_path.iterdir())
    assert found == [bytes([n]) * 9000 for n in range(8)]


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/x", "..", "a/../../b", "\0", ""])
def test_no_name_leads_out_of_the_folder(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "prints"
    ref = FilePrinter(folder).submit(b"x", PNG, name)
    assert [file.name for file in folder.iterdir()] == [ref]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_folder_that_cannot_be_is_a_printer_that_is_down(tmp_path: Path) -> None:
    (tmp_path / "prints").write_text("a file is in the way")
    printer = FilePrinter(tmp_path / "prints")
    assert not printer.ready().ok
    with pytest.raises(PrinterDown, match="Folder cetak") as down:
        printer.submit(b"x", PNG, "A07")
    assert not down.value.unsure


def test_a_document_that_left_the_folder_is_not_called_done(tmp_path: Path) -> None:
    state = FilePrinter(tmp_path).state("A07.png")
    assert (state.state, state.unsure) == ("failed", True)


# --- IPP ---


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[IppServer]:
    with ipp_server(tmp_path_factory.mktemp("ipp")) as running:
        yield running


@pytest.fixture
def network(server: IppServer) -> Iterator[IppPrinter]:
    server.release()
    server.mend()
    printer = IppPrinter(server.url)
    yield printer
    server.release()
    server.mend()
    until(lambda: printer._ask(ipp.GET_PRINTER, []).first("printer-state") == 3)


def test_a_letter_is_printed_on_a4_byte_for_byte(server: IppServer, network: IppPrinter) -> None:
    assert network.ready() == Status(True)
    ref = network.submit(letter(), PDF, "surat-12")
    assert finished(network, ref) == JobState("done")
    assert server.printed(ref) == letter()
    assert server.media(ref) == "iso_a4_210x297mm"
    assert letter() in [file.read_bytes() for file in server.spooled()]


def test_a_ticket_goes_as_it_is_to_a_printer_that_reads_pictures(
    server: IppServer, network: IppPrinter
) -> None:
    ref = network.submit(TICKET, PNG, "tiket-A07")
    assert finished(network, ref).state == "done"
    assert server.printed(ref) == TICKET
    assert server.media(ref) == ""


def test_a_ticket_becomes_a_pdf_of_its_own_size_for_one_that_does_not(tmp_path: Path) -> None:
    with ipp_server(tmp_path, "application/pdf") as server:
        printer = IppPrinter(server.url)
        ref = printer.submit(TICKET, PNG, "tiket-A07")
        assert finished(printer, ref).state == "done"
        (page,) = pypdf.PdfReader(BytesIO(server.printed(ref))).pages
        assert round(float(page.mediabox.width) / 72 * 25.4) == 72
        (picture,) = page.images
        (code,) = zxingcpp.read_barcodes(picture.image.convert("L"))
        assert code.text == URL


def test_what_is_not_a_picture_is_not_sent_as_one(tmp_path: Path) -> None:
    with ipp_server(tmp_path, "application/pdf") as server:
        with pytest.raises(Unusable, match="gambar"):
            IppPrinter(server.url).submit(letter(), PNG, "tiket")
        assert server.spooled() == []


def test_a_job_is_printing_until_the_printer_says_done(
    server: IppServer, network: IppPrinter
) -> None:
    server.hold()
    ref = network.submit(letter(), PDF, "surat-13")
    until(lambda: network.state(ref).state == "printing")
    server.release()
    assert finished(network, ref) == JobState("done")


def test_a_job_that_waits_tells_what_for(server: IppServer, network: IppPrinter) -> None:
    server.hold("cover-open")
    ref = network.submit(letter(), PDF, "surat-14")
    until(lambda: network.state(ref) == JobState("printing", "Tutup printer terbuka"))
    assert network.ready() == Status(False, "Tutup printer terbuka")


def test_a_busy_printer_turns_a_second_letter_away_for_certain(
    server: IppServer, network: IppPrinter
) -> None:
    server.hold()
    ref = network.submit(letter(), PDF, "surat-15")
    until(lambda: network.state(ref).state == "printing")
    with pytest.raises(PrinterDown, match="sibuk") as down:
        network.submit(letter(), PDF, "surat-16")
    assert not down.value.unsure


def test_a_job_that_the_printer_gives_up_has_failed(server: IppServer, network: IppPrinter) -> None:
    server.breaks()
    ref = network.submit(letter(), PDF, "surat-17")
    state = finished(network, ref)
    assert (state.state, state.unsure) == ("failed", False)
    assert state.reason


def test_a_number_that_now_belongs_to_another_job_is_not_taken_for_ours(
    network: IppPrinter,
) -> None:
    ref = network.submit(letter(), PDF, "surat-18")
    finished(network, ref)
    for other in (ref.replace("surat-18", "surat-19"), "99999/surat-18"):
        assert network.state(other) == JobState(
            "failed", "Printer tidak lagi mengenal cetakan ini", unsure=True
        )


def test_neither_nik_nor_path_reaches_the_printer_as_a_name(network: IppPrinter) -> None:
    ref = network.submit(letter(), PDF, f"../surat {NIK}")
    finished(network, ref)
    number = int(ref.partition("/")[0])
    answer = ipp.ask(network.url, ipp.GET_JOB, [(ipp.INTEGER, "job-id", number)])
    assert NIK not in str(answer.attributes)
    assert answer.first("job-name") == "surat-x"


def test_a_printer_that_is_switched_off_is_down_and_prints_after_it_returns(
    tmp_path: Path,
) -> None:
    with ipp_server(tmp_path) as server:
        printer = IppPrinter(server.url)
        ref = printer.submit(letter(), PDF, "surat-20")
        server.stop()
        assert printer.ready() == Status(False, "Printer tidak terhubung")
        with pytest.raises(PrinterDown, match="tidak terhubung"):
            printer.state(ref)
        with pytest.raises(PrinterDown, match="tidak terhubung") as down:
            printer.submit(letter(), PDF, "surat-21")
        assert not down.value.unsure
        server.start()
        again = printer.submit(letter(), PDF, "surat-21")
        assert finished(printer, again).state == "done"
        assert server.printed(again) == letter()


def test_only_the_configured_certificate_is_trusted(server: IppServer, network: IppPrinter) -> None:
    certificate = ssl.get_server_certificate(("localhost", server.port))
    fingerprint = hashlib.sha256(ssl.PEM_cert_to_DER_cert(certificate)).hexdigest()
    secure = server.url.replace("ipp:", "ipps:")
    assert IppPrinter(f"{secure}#{fingerprint}").ready() == Status(True)
    written = ":".join(fingerprint[at : at + 2] for at in range(0, 64, 2)).upper()
    printer = IppPrinter(f"{secure}#{written}")
    assert finished(printer, printer.submit(letter(), PDF, "surat-22")).state == "done"
    for url in (secure, f"{secure}#{'0' * 64}"):
        assert IppPrinter(url).ready() == Status(False, "Sertifikat printer tidak dikenal")
        with pytest.raises(PrinterDown, match="Sertifikat"):
            IppPrinter(url).submit(letter(), PDF, "surat-23")


def answering(reply: bytes) -> tuple[str, threading.Thread]:
    """A printer that reads one request and says `reply`, whatever that is."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with closing(listener), listener.accept()[0] as line:
            line.settimeout(1)
            while not line.recv(65536).endswith((b"%%EOF\n", b"\3")):
                continue
            line.sendall(reply)

    thread = threading.Thread(target=serve)
    thread.start()
    return f"ipp://127.0.0.1:{listener.getsockname()[1]}/ipp/print", thread


@pytest.mark.parametrize(
    ("reply", "reason", "unsure"),
    [
        (b"", "terputus", True),
        (b"SSH-2.0-x\r\n\r\n", "terputus", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\nshort", "tidak dapat dibaca", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "tidak dapat dibaca", True),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "menolak", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\1\1\5\7\0\0\0\1\3", "sibuk", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\1\1\0\0\0\0\0\1\3", "dibaca", True),
    ],
)
def test_a_strange_answer_says_whether_paper_may_have_come_out(
    reply: bytes, reason: str, unsure: bool
) -> None:
    url, thread = answering(reply)
    with pytest.raises(PrinterDown, match=reason) as down:
        IppPrinter(url).submit(letter(), PDF, "surat-24")
    thread.join()
    assert down.value.unsure is unsure


def test_a_job_of_which_nothing_can_be_read_is_not_called_anything() -> None:
    url, thread = answering(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n\1\1\0\0\0\0\0\1\3")
    with pytest.raises(PrinterDown, match="tidak dapat dibaca"):
        IppPrinter(url).state("7/surat-24")
    thread.join()


def test_an_answer_with_an_empty_group_is_read_all_the_same() -> None:
    job = b"\x02\x21\x00\x06job-id\x00\x04\x00\x00\x00\x07"
    answer = ipp.decode(b"\1\1\0\0\0\0\0\1" + b"\x01\x05" + job + b"\3")
    assert answer.ok
    assert answer.first("job-id") == 7


@given(st.binary(max_size=200))
def test_any_bytes_are_an_answer_or_garbled(content: bytes) -> None:
    try:
        ipp.decode(content)
    except ipp.Garbled:
        return


@pytest.mark.parametrize(
    ("state", "reasons", "expected"),
    [
        (3, ["none"], ""),
        (4, ["media-empty-error"], "Kertas habis"),
        (3, ["media-empty"], "Kertas habis"),
        (3, ["media-empty-warning"], ""),
        (5, ["media-empty-warning"], "Kertas habis"),
        (4, ["media-needed-warning"], "Kertas habis"),
        (3, ["toner-low-warning", "media-low-report"], ""),
        (3, ["toner-low-warning", "marker-supply-empty-error"], "Tinta atau toner habis"),
        (5, ["spool-area-full"], "Printer berhenti"),
    ],
)
def test_a_printer_is_ready_unless_something_stops_it(
    state: int, reasons: list[str], expected: str
) -> None:
    told: ipp.Answered = {"printer-state": [state], "printer-state-reasons": [*reasons]}
    assert hindrance(ipp.Answer(0, told)) == expected


def test_a_printer_that_accepts_no_jobs_is_not_ready() -> None:
    told: ipp.Answered = {"printer-state": [3], "printer-is-accepting-jobs": [0]}
    assert hindrance(ipp.Answer(0, told)) == "Printer tidak menerima cetakan"


# --- ESC/POS ---


def ticket_printer(port: EscPosPort) -> EscPosPrinter:
    return EscPosPrinter("127.0.0.1", port.port, patience=1.0)


@pytest.mark.parametrize("status", [0x12, NEAR_END, None, 0xFF])
def test_the_ticket_on_the_paper_is_the_ticket_drawn(status: int | None) -> None:
    with EscPosPort(status) as port:
        printer = ticket_printer(port)
        ref = printer.submit(TICKET, PNG, "tiket-A07")
        assert printer.state(ref) == JobState("done")
    (sent,) = port.tickets
    paper = decode(sent)
    assert paper.image.tobytes() == SLIP.tobytes()
    assert paper.cut
    (code,) = zxingcpp.read_barcodes(paper.image.convert("L"))
    assert code.text == URL


def test_out_of_paper_is_told_before_anything_is_sent() -> None:
    with EscPosPort(NO_PAPER) as port:
        assert ticket_printer(port).ready() == Status(False, "Kertas habis")
        with pytest.raises(PrinterDown, match="Kertas habis") as down:
            ticket_printer(port).submit(TICKET, PNG, "tiket-A07")
    assert not down.value.unsure
    assert port.tickets == [ASKS_PAPER] * 2


def test_asking_whether_it_is_ready_prints_nothing() -> None:
    with EscPosPort() as port:
        assert ticket_printer(port).ready() == Status(True)
    assert port.tickets == [ASKS_PAPER]


def test_a_ticket_printer_that_is_off_is_down_at_once() -> None:
    printer = EscPosPrinter("127.0.0.1", free_port())
    assert printer.ready() == Status(False, "Printer tidak terhubung")
    with pytest.raises(PrinterDown, match="tidak terhubung") as down:
        printer.submit(TICKET, PNG, "tiket-A07")
    assert not down.value.unsure


@pytest.mark.parametrize("hangs_up", [False, True])
def test_a_ticket_printer_that_takes_nothing_in_is_given_up(hangs_up: bool) -> None:
    began = time.monotonic()
    silent = EscPosPort(deaf=True, hangs_up=hangs_up)
    with silent as port, pytest.raises(PrinterDown, match="terputus") as down:
        ticket_printer(port).submit(TICKET, PNG, "tiket-A07")
    assert down.value.unsure
    assert time.monotonic() - began < 4


@pytest.mark.parametrize("slams", [False, True])
@pytest.mark.parametrize("after", [3, 600, 20_000])
def test_a_ticket_broken_off_in_the_middle_is_never_called_printed(after: int, slams: bool) -> None:
    with EscPosPort(leaves_after=after, slams=slams) as port:
        for _ in range(20):
            with pytest.raises(PrinterDown) as down:
                ticket_printer(port).submit(TICKET, PNG, "tiket-A07")
            assert down.value.unsure


def test_a_printer_that_talks_without_end_is_given_up() -> None:
    with EscPosPort(chatty=True) as port, pytest.raises(PrinterDown, match="terputus") as down:
        ticket_printer(port).submit(TICKET, PNG, "tiket-A07")
    assert down.value.unsure


def test_a_printer_that_leaves_when_asked_for_paper_has_printed_nothing() -> None:
    leaving = EscPosPort(status=None, leaves_after=len(ASKS_PAPER))
    with leaving as port, pytest.raises(PrinterDown, match="tidak terhubung") as down:
        ticket_printer(port).submit(TICKET, PNG, "tiket-A07")
    assert not down.value.unsure


def test_a_ticket_printer_is_not_sent_what_it_cannot_print() -> None:
    printer = EscPosPrinter("127.0.0.1", free_port())
    for document in (letter(), b"", TICKET[: len(TICKET) // 2]):
        with pytest.raises(Unusable, match="gambar"):
            printer.submit(document, PNG, "tiket")
    with pytest.raises(Unusable, match="gambar"):
        printer.submit(letter(), PDF, "surat")


def test_a_printer_that_is_down_is_a_message_for_a_person() -> None:
    assert issubclass(PrinterDown, LoketError)
    assert PrinterDown("Kertas habis").message == "Kertas habis"
