"""A file that somebody sends in: only the archived bytes are the letter, every other says so."""

import errno
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image
from pyhanko.pdf_utils.generic import NumberObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pypdf import PdfWriter

from kiosk import (
    archive,
    certificate,
    letter_status,
    pdf_check,
    pdf_look,
    pictures,
    signature,
    verification,
)  # fmt: skip
from kiosk.errors import Invalid, TooMany
from kiosk.loket import Loket
from kiosk.office_key import OfficeKey
from kiosk.pdf_check import examine
from models import Letter
from tests.conftest import Clock, actor
from tests.letters import digits_of

Submit = Callable[..., int]
FROM = "10.0.0.1"


@pytest.fixture
def pdf(loket: Loket, issued: int) -> bytes:
    return archive.pdf_of(loket, issued)


# ── How a letter is tampered with ──


def flipped(pdf: bytes, at: int) -> bytes:
    return pdf[:at] + bytes([pdf[at] ^ 0x20]) + pdf[at + 1 :]


def saved_again(pdf: bytes) -> bytes:
    made = BytesIO()
    PdfWriter(clone_from=BytesIO(pdf)).write(made)
    return made.getvalue()


def edited(pdf: bytes) -> bytes:
    """An incremental edit: the signed bytes stay, an appended part shows another page."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Rotate"] = NumberObject(180)
    writer.update_container(page)
    made = BytesIO()
    writer.write(made)
    return made.getvalue()


def with_a_page_more(pdf: bytes) -> bytes:
    writer = PdfWriter(BytesIO(pdf), incremental=True)
    writer.add_blank_page(595, 842)
    made = BytesIO()
    writer.write(made)
    return made.getvalue()


def with_a_page_more_anew(pdf: bytes) -> bytes:
    writer = PdfWriter(clone_from=BytesIO(pdf))
    writer.add_blank_page(595, 842)
    made = BytesIO()
    writer.write(made)
    return made.getvalue()


def signed_again(pdf: bytes, folder: Path, now: int) -> bytes:
    """The forger's own certificate, with the office's name on it."""
    key = OfficeKey.create(folder, "Dinas Sosial Kabupaten Lebak", now)
    return signature.sign(
        pdf, key, at=now, reason="SK", location="Rangkasbitung", name="Dinas Sosial"
    )


def picture(pdf: bytes, kind: str = "PNG") -> bytes:
    made = BytesIO()
    with pypdfium2.PdfDocument(pdf) as document:
        document[0].render(scale=150 / 72).to_pil().save(made, kind)
    return made.getvalue()


def scan(pdf: bytes) -> bytes:
    """The printed paper, scanned: a PDF of a picture."""
    made = BytesIO()
    Image.open(BytesIO(picture(pdf))).save(made, "PDF", resolution=150)
    return made.getvalue()


def pdfsig(pdf: bytes, folder: Path) -> str:
    file = folder / "surat.pdf"
    file.write_bytes(pdf)
    tool = shutil.which("pdfsig")
    assert tool
    return subprocess.run([tool, "-nocert", str(file)], capture_output=True, text=True).stdout


def outcome(loket: Loket, data: bytes, clock: Clock) -> str:
    return examine(loket, data, FROM, clock.at).outcome


def seen(loket: Loket, data: bytes) -> str:
    """What the process that reads it would say of its signature."""
    ours = [pdf_look.der_of(one.certificate) for one in loket.office_keys.known()]
    return pdf_look.look(data, ours).signature


# ── What a file is ──


def test_only_the_archived_bytes_are_the_letter_with_its_status_of_today(
    loket: Loket, clock: Clock, issued: int, pdf: bytes
) -> None:
    found = examine(loket, pdf, FROM, clock.at)
    assert (found.outcome, found.codes) == ("exact", (digits_of(loket, issued),))
    assert found.verdict == verification.check(loket, digits_of(loket, issued), clock.at)
    letter_status.revoke(loket, issued, "Keliru", actor("kepala_dinas"), clock.at)
    found = examine(loket, pdf, FROM, clock.at)
    assert found.verdict is not None
    assert (found.outcome, found.verdict.code) == ("exact", "dicabut")


TAMPERED: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a flipped byte": (lambda pdf: flipped(pdf, len(pdf) // 4), "Digest Mismatch"),
    "saved again": (saved_again, "Not total document signed"),
    "an incremental edit": (edited, "Not total document signed"),
    "an appended page": (with_a_page_more, "Not total document signed"),
    "an appended page, saved anew": (with_a_page_more_anew, "Not total document signed"),
}


def test_a_letter_that_was_tampered_with_is_caught_and_pdfsig_agrees(
    loket: Loket, clock: Clock, pdf: bytes, tmp_path: Path
) -> None:
    genuine = pdfsig(pdf, tmp_path)
    assert "Total document signed" in genuine
    assert "Signature is Valid" in genuine
    assert seen(loket, pdf) == "whole"
    for what, (tamper, said) in TAMPERED.items():
        data = tamper(pdf)
        assert seen(loket, data) == "changed", what
        assert said in pdfsig(data, tmp_path), what
    for tamper in (edited, saved_again):
        found = examine(loket, tamper(pdf), FROM, clock.at)
        assert (found.outcome, found.verdict, found.codes) == ("changed", None, ())


def test_a_byte_flipped_anywhere_never_leaves_a_letter_that_is_believed(
    loket: Loket, pdf: bytes
) -> None:
    chance = random.Random(15)  # noqa: S311 - the same bytes each time
    for _ in range(25):
        assert seen(loket, flipped(pdf, chance.randrange(len(pdf)))) == "changed"


def test_a_signed_file_that_is_in_no_archive_is_said_to_be_that(
    loket: Loket, clock: Clock, issued: int, pdf: bytes
) -> None:
    Letter.update(sha256="0" * 64).where(Letter.application == issued).execute()
    assert outcome(loket, pdf, clock) == "unarchived"
    office = loket.profile.office.name
    loket.office_keys.rotate(office, clock.at)
    assert outcome(loket, pdf, clock) == "unarchived"
    day = loket.calendar.day_of(clock.at + 86400)
    loket.office_keys.revoke(1, day, office, clock.at)
    assert outcome(loket, pdf, clock) == "revoked"
    assert outcome(loket, edited(pdf), clock) == "changed"


def test_a_copy_proves_nothing_and_leads_to_its_code(
    loket: Loket, clock: Clock, issued: int, pdf: bytes
) -> None:
    digits = digits_of(loket, issued)
    for data in (scan(pdf), picture(pdf), picture(pdf, "JPEG")):
        found = examine(loket, data, FROM, clock.at)
        assert (found.outcome, found.verdict, found.codes) == ("copy", None, (digits,))


def test_a_forgers_own_signature_does_not_make_a_letter(
    loket: Loket, clock: Clock, pdf: bytes, tmp_path: Path
) -> None:
    forged = signed_again(certificate.joined(scan(pdf)), tmp_path / "forger", clock.at)
    assert "Signature is Valid" in pdfsig(forged, tmp_path)
    assert outcome(loket, forged, clock) == "changed"


def test_a_letter_signed_through_bsre_is_known_by_its_hash_and_caught_when_it_grew(
    loket: Loket, clock: Clock, issued: int, pdf: bytes, tmp_path: Path
) -> None:
    theirs = signed_again(certificate.joined(scan(pdf)), tmp_path / "bsre", clock.at)
    hash_ = sha256(theirs).hexdigest()
    Letter.update(signing="bsre", sha256=hash_).where(Letter.application == issued).execute()
    archive.path_of(loket, Letter.get()).write_bytes(theirs)
    found = examine(loket, theirs, FROM, clock.at)
    assert found.verdict is not None
    assert (found.outcome, found.verdict.code, found.verdict.signed) == ("exact", "sah", "bsre")
    assert outcome(loket, edited(theirs), clock) == "changed"
    assert outcome(loket, flipped(theirs, len(theirs) - 700), clock) == "changed"


def test_the_sheet_of_a_letter_signed_by_hand_is_not_the_letter(
    loket: Loket, clock: Clock, issued: int, pdf: bytes
) -> None:
    Letter.update(signing="wet_ink", drawn_at=clock.at).execute()
    found = examine(loket, pdf, FROM, clock.at)
    assert (found.outcome, found.codes) == ("sheet", (digits_of(loket, issued),))
    sheet = scan(pdf)
    Letter.update(sha256=sha256(sheet).hexdigest()).execute()
    archive.path_of(loket, Letter.get()).write_bytes(sheet)
    assert outcome(loket, sheet, clock) == "sheet"
    assert outcome(loket, sheet + b"\n% more", clock) == "changed"


# ── What is no letter, and what would harm ──


def encrypted(pdf: bytes) -> bytes:
    writer = PdfWriter(clone_from=BytesIO(scan(pdf)))
    writer.encrypt("rahasia")
    made = BytesIO()
    writer.write(made)
    return made.getvalue()


def of_many_pages() -> bytes:
    writer = PdfWriter()
    for _ in range(21):
        writer.add_blank_page(595, 842)
    made = BytesIO()
    writer.write(made)
    return made.getvalue()


def too_fine() -> bytes:
    made = BytesIO()
    Image.new("1", (8000, 8000)).save(made, "PNG")
    return made.getvalue()


def test_what_cannot_be_read_is_refused_with_what_to_do(loket: Loket, pdf: bytes) -> None:
    refused = {
        b"": pdf_look.NO_FILE,
        b"PK\x03\x04 a Word file": pdf_look.OTHER_KIND,
        b"%PDF-1.4\nnothing more": pdf_look.DAMAGED,
        b"\xff\xd8\xff\xe0 no picture": pictures.DAMAGED,
        encrypted(pdf): pdf_look.LOCKED,
        of_many_pages(): pdf_look.MANY_PAGES,
        too_fine(): pictures.TOO_FINE,
    }
    for data, said in refused.items():
        with pytest.raises(Invalid) as refusal:
            seen(loket, data)
        assert refusal.value.fields == {"file": said}
    blank = BytesIO()
    Image.new("RGB", (400, 400), "white").save(blank, "PNG")
    assert pdf_look.look(blank.getvalue(), []) == pdf_look.Seen("none")


def bomb() -> bytes:
    """Four kilobytes that draw 50⁹ lines: forms within forms."""
    draw, size = b"/F Do " * 50, b"/Type/XObject/Subtype/Form/BBox[0 0 595 842]"
    inner = [b"%s/Resources<</XObject<</F %d 0 R>>>>" % (size, n) for n in range(6, 14)]
    streams = [(b"", draw), *((one, draw) for one in inner), (size, b"0 0 m 500 500 l S")]
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Contents 4 0 R/Resources 14 0 R>>",
        *(b"<<%s/Length %d>>stream\n%s\nendstream" % (d, len(s), s) for d, s in streams),
        b"<</XObject<</F 5 0 R>>>>",
    ]
    body = b"".join(b"%d 0 obj\n%s\nendobj\n" % pair for pair in enumerate(objects, 1))
    return b"%PDF-1.7\n" + body + b"trailer <</Size 15/Root 1 0 R>>\n%%EOF"


def test_a_bomb_is_refused_by_the_process_that_reads_it_and_harms_no_other(
    loket: Loket, clock: Clock
) -> None:
    with pytest.raises(Invalid) as refusal:
        examine(loket, bomb(), FROM, clock.at)
    assert refusal.value.fields == {"file": pdf_check.TOO_HARD}


def test_the_process_that_reads_it_can_open_nothing_any_more() -> None:
    tries = "open('/dev/null')", "socket.socket()", "subprocess.run(['true'])"
    code = "import socket, subprocess; from kiosk import pdf_look; pdf_look.shut()\n"
    for one in tries:
        code += f"try: {one}; print('opened')\nexcept OSError as error: print(error.errno)\n"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=pdf_check.ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.split() == [str(errno.EMFILE)] * len(tries)


def test_who_comes_when_all_places_are_taken_is_sent_away_at_once(
    loket: Loket, clock: Clock, pdf: bytes
) -> None:
    with ExitStack() as others:
        for _ in range(4):
            others.enter_context(pdf_check._entered(pdf_check._room, 0))
        for _ in range(2):
            others.enter_context(pdf_check._entered(pdf_check._few, 0))
        with pytest.raises(TooMany):
            examine(loket, scan(pdf), FROM, clock.at)
    assert outcome(loket, scan(pdf), clock) == "copy"


def test_a_file_too_large_and_the_21st_of_an_hour_are_refused_unread(
    loket: Loket, clock: Clock, pdf: bytes
) -> None:
    with pytest.raises(Invalid) as refusal:
        examine(loket, b"%PDF-" + b"0" * pdf_check.LARGEST, FROM, clock.at)
    assert refusal.value.fields == {"file": pdf_check.TOO_LARGE}
    for _ in range(pdf_check.TRIES):
        assert outcome(loket, pdf, clock) == "exact"
    with pytest.raises(TooMany):
        examine(loket, pdf, FROM, clock.at)
    assert examine(loket, pdf, "10.0.0.2", clock.at).outcome == "exact"
