"""Offices whose file is Lebak's with something changed: nothing but the file is touched."""

import tomllib
from pathlib import Path

import pypdfium2

from kiosk import archive
from kiosk.loket import Loket, open_loket
from kiosk.office_file import OFFICES
from kiosk.office_keys import GUIDE

BASE_URL = "http://loket.test"
LEBAK = (OFFICES / "lebak.toml").read_text()
SERVICE = (GUIDE / "service.toml").read_text()
FIELD = "[[services.steps.actions.fields]]"
FOUND = 'id = "ditemukan"'
SHOWN = 'name = "programmes"'
KIP = 'id = "kip_kuliah"'
DTSEN_TITLES = (
    ('id = "Surat Keterangan DTKS", en = "DTKS', 'id = "Surat Keterangan DTSEN", en = "DTSEN'),
    ('id = "ID DTKS pada surat", en = "DTKS', 'id = "ID DTSEN pada surat", en = "DTSEN'),
    (
        "TERDAFTAR DALAM DATA TERPADU KESEJAHTERAAN SOSIAL (DTKS)",
        "TERDAFTAR DALAM DATA TUNGGAL SOSIAL DAN EKONOMI NASIONAL (DTSEN)",
    ),
)


def changed(text: str, *changes: tuple[str, str]) -> str:
    """The file's text with each first part, which must stand there once, replaced by the second."""
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands there {text.count(old)} times"
        text = text.replace(old, new)
    tomllib.loads(text)
    return text


def office_of(home: Path, text: str) -> Loket:
    """The office of this data folder with this file."""
    return open_loket(home, str(file_of(home, text)), BASE_URL)


def file_of(home: Path, text: str) -> Path:
    """This text as a file beside the data folder."""
    file = home.parent / "kantor.toml"
    file.write_text(text)
    return file


def dtsen() -> str:
    """Lebak's file changed over to DTSEN as docs/office-file.md says, and by nothing else."""
    rule, field = (GUIDE / "found.toml").read_text().split("\n", 1)
    register = LEBAK[LEBAK.index("[register]") : LEBAK.index("[kiosk]")]
    return changed(
        LEBAK,
        (register, (GUIDE / "register.toml").read_text() + "\n"),
        (f"{FOUND}\n", f"{FOUND}\n{rule}\n"),
        (f"{FIELD}\n{SHOWN}", f"{field}{FIELD}\n{SHOWN}"),
        (f"{KIP}\n", f"{KIP}\nmax_rank = 4\n"),
        *DTSEN_TITLES,
    )


def letter_text(loket: Loket, application_id: int) -> str:
    """The issued letter's words as a reader of the PDF gets them, in one line."""
    document = pypdfium2.PdfDocument(archive.pdf_of(loket, application_id))
    text = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return " ".join(text.split())
