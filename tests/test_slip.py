"""The ticket on paper: legible, complete, and the same after the way through the printer."""

import shutil
import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops

from kiosk.slip import BAND, DOTS, DPI, QUIET, Line, Slip, draw, escpos, png
from tests.escpos_port import decode

URL = "https://loket15.example.go.id/t/7Kd93hQwZx2m"
MM = DPI / 25.4


@pytest.fixture
def ticket() -> Slip:
    return Slip(
        office="Dinas Sosial Kabupaten Lebak",
        heading="Nomor antrean Anda",
        big="A07",
        lines=(
            Line("Surat Keterangan DTKS", bold=True),
            Line("Siap paling lambat"),
            Line("pukul 10.15", "large", bold=True),
            Line("Sabtu, 21 November 2026", "small"),
        ),
        qr_url=URL,
        foot=("Pindai untuk melihat giliran", "Semua layanan gratis"),
    )


def ink(image: Image.Image) -> tuple[int, int, int, int]:
    box = ImageChops.invert(image.convert("L")).getbbox()
    assert box
    return box


def black_runs(image: Image.Image) -> list[int]:
    """The heights of the blocks of rows that hold ink, from the top."""
    rows = image.convert("L").resize((1, image.height), Image.Resampling.BOX).tobytes()
    runs, run = [], 0
    for row in [*rows, 255]:
        if row < 255:
            run += 1
        elif run:
            runs.append(run)
            run = 0
    return runs


def test_a_ticket_is_one_bit_as_wide_as_the_paper_and_no_longer_than_14_cm(ticket: Slip) -> None:
    image = draw(ticket)
    assert (image.mode, image.width) == ("1", DOTS)
    assert image.height < 140 * MM
    left, top, right, bottom = ink(image)
    assert left >= 4
    assert right <= DOTS - 4
    assert top < 16
    assert image.height - bottom < 24


def test_the_number_is_two_centimetres_high_and_by_far_the_largest(ticket: Slip) -> None:
    plain = replace(ticket, qr_url=None, lines=ticket.lines)
    tallest, second, *_ = sorted(black_runs(draw(plain)), reverse=True)
    assert tallest >= 20 * MM
    assert tallest >= 2 * second


def test_the_promised_time_is_the_largest_after_the_number_and_7_mm_high(ticket: Slip) -> None:
    with_time = sorted(black_runs(draw(replace(ticket, qr_url=None))), reverse=True)
    without = replace(ticket, qr_url=None, lines=(ticket.lines[0], ticket.lines[3]))
    assert with_time[1] >= 7 * MM
    assert sorted(black_runs(draw(without)), reverse=True)[1] < with_time[1] / 1.5


@pytest.mark.parametrize("big", ["A07", "B1207", "PENGADUAN-120", "W" * 40])
def test_a_number_of_any_length_stays_on_the_paper_whole(ticket: Slip, big: str) -> None:
    left, _, right, _ = ink(draw(replace(ticket, big=big, qr_url=None)))
    assert left >= 4
    assert right <= DOTS - 4


def test_the_code_leads_to_the_address_and_has_modules_of_at_least_four_dots(ticket: Slip) -> None:
    for url in (URL, URL + "x" * 300):
        image = draw(replace(ticket, qr_url=url))
        (found,) = zxingcpp.read_barcodes(image.convert("L"))
        assert found.text == url
        assert found.ec_level == "M"
        corner = found.position
        side = corner.top_right.x - corner.top_left.x + 1
        dots = side / (17 + 4 * int(found.extra["Version"]))
        assert dots >= 4
        quiet = image.crop((0, corner.top_left.y, corner.top_left.x, corner.bottom_left.y))
        assert quiet.width >= QUIET * dots
        assert quiet.getextrema() == (255, 255)


def test_another_reader_of_codes_reads_the_same_address(ticket: Slip, tmp_path: Path) -> None:
    zbar = shutil.which("zbarimg")
    assert zbar, "Debian: zbar-tools"
    (tmp_path / "ticket.png").write_bytes(png(draw(ticket)))
    command = [zbar, "--quiet", "--raw", "--nodbus", tmp_path / "ticket.png"]
    found = subprocess.run(command, capture_output=True, check=True)
    assert found.stdout.decode().strip() == URL


def test_an_address_too_long_for_the_paper_is_refused(ticket: Slip) -> None:
    with pytest.raises(ValueError, match="too long"):
        draw(replace(ticket, qr_url=URL + "x" * 2000))


def test_a_slip_without_a_code_keeps_all_of_its_foot(ticket: Slip) -> None:
    long = draw(replace(ticket, qr_url=None))
    short = draw(replace(ticket, qr_url=None, foot=ticket.foot[1:]))
    assert long.height > short.height


@settings(max_examples=40, deadline=None)
@given(
    office=st.text(max_size=120),
    big=st.text(max_size=8),
    lines=st.lists(
        st.builds(Line, st.text(max_size=90), st.sampled_from(["small", "normal", "large"])),
        max_size=4,
    ),
)
def test_whatever_is_written_comes_back_from_the_printer_dot_for_dot(
    office: str, big: str, lines: list[Line]
) -> None:
    image = draw(Slip(office, "Nomor antrean Anda", big, tuple(lines), None, ()))
    paper = decode(escpos(image))
    assert paper.image.size == image.size
    assert paper.image.tobytes() == image.tobytes()


def test_the_raster_goes_in_bands_that_cheap_printers_hold_and_ends_with_a_cut(
    ticket: Slip,
) -> None:
    image = draw(ticket)
    paper = decode(escpos(image))
    assert paper.cut
    assert max(paper.bands) <= BAND
    assert sum(paper.bands) == image.height


def test_a_dot_is_a_set_bit_and_the_rest_of_its_byte_stays_white() -> None:
    image = Image.new("1", (13, 3), 1)
    image.putpixel((12, 2), 0)
    assert escpos(image) == (
        b"\x1b@" + b"\x1dv0\x00\x02\x00\x03\x00" + bytes(5) + b"\x08" + b"\x1bd\x02\x1dVB\x00"
    )


def test_a_picture_wider_than_the_paper_is_refused() -> None:
    with pytest.raises(ValueError, match="wider"):
        escpos(Image.new("1", (DOTS + 1, 8), 1))


def test_the_png_keeps_every_dot_and_says_its_size_on_paper(ticket: Slip) -> None:
    image = draw(ticket)
    with Image.open(BytesIO(png(image))) as read:
        assert read.tobytes() == image.tobytes()
        assert round(read.width / read.info["dpi"][0] * 25.4) == 72
