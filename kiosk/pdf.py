"""PDFs from outside: whether they are harmless and can be read, and their pages as pictures. Pure.

A PDF is kept byte for byte, for its signature may hang on them: so it may hold nothing that acts.
"""

import threading
import zipfile
from io import BytesIO
from typing import Any

import pypdfium2
from PIL import Image

from kiosk.errors import Invalid

# PDFium is not safe to call from two threads: everybody who does holds this.
ONE_AT_A_TIME = threading.RLock()
MAGIC = b"%PDF-"
# Names that make a reader do something on its own, or hand out another file.
ACTING = frozenset({
    "/JavaScript", "/JS", "/Launch", "/EmbeddedFile", "/EmbeddedFiles", "/RichMedia", "/XFA",
    "/GoToE", "/ImportData", "/SubmitForm", "/Movie", "/Sound",
})  # fmt: skip
DAMAGED = "PDF ini rusak atau terpotong. Simpan ulang sebagai PDF, atau foto kertasnya."
LOCKED = "PDF ini terkunci dengan sandi. Simpan tanpa sandi, lalu kirim lagi."
ACTS = "PDF ini berisi program atau berkas lain. Cetak ke PDF yang baru, atau foto kertasnya."
TWO_IN_ONE = "Berkas ini berisi dua macam berkas sekaligus. Foto kertasnya, lalu kirim fotonya."


def pages_of(data: bytes, most: int) -> int:
    """How many pages a PDF has, once it is known to be harmless and readable.

    Raises Invalid({"file": reason}): locked, damaged, more than `most` pages, acting content, or
    another file hidden in it.
    """
    if zipfile.is_zipfile(BytesIO(data)):
        raise Invalid({"file": TWO_IN_ONE})
    pages = _read_through(data)
    if pages > most:
        raise Invalid({"file": f"PDF ini {pages} halaman; paling banyak {most}. Kirim per bagian."})
    if _acts(data):
        raise Invalid({"file": ACTS})
    return pages


def picture(data: bytes, page: int, longest: int) -> Image.Image:
    """A page (from 1) as a picture with at most `longest` pixels a side. KeyError without it."""
    with ONE_AT_A_TIME, pypdfium2.PdfDocument(data) as document:
        if not 1 <= page <= len(document):
            raise KeyError(page)
        return _drawn(document[page - 1], longest)


def _drawn(page: Any, longest: int) -> Image.Image:
    drawn: Image.Image = page.render(scale=longest / max(*page.get_size(), 1.0)).to_pil()
    return drawn.convert("RGB")


def _read_through(data: bytes) -> int:
    """Open it as a reader would and draw its first page; the number of pages."""
    try:
        with ONE_AT_A_TIME, pypdfium2.PdfDocument(data) as document:
            if pypdfium2.raw.FPDF_GetSecurityHandlerRevision(document.raw) != -1:
                raise Invalid({"file": LOCKED})
            pages = len(document)
            _drawn(document[0], 64)
            return pages
    except (pypdfium2.PdfiumError, IndexError, MemoryError, ValueError) as error:
        raise Invalid({"file": LOCKED if "assword" in str(error) else DAMAGED}) from None


def _acts(data: bytes) -> bool:
    """Whether any object of the file, reachable or not by a page, is of the acting kinds."""
    from kiosk.pdf_names import names_in  # what it needs takes longer to import than all the rest

    try:
        return any(name in ACTING for name in names_in(data))
    except ValueError:
        raise Invalid({"file": DAMAGED}) from None
