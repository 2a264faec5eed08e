"""What lies in a file from anybody: whose signature, whether it still fits, which codes. Pure.

A stranger's file may be made to crash, fill, stall or take over whatever reads it. So it is read in
a process of its own with little memory and time (`python -m kiosk.pdf_look`), and before anything
written in C looks at it, that process can open no file, no socket and no program any more: keys and
letters are out of its reach. Nothing of the file is kept.
"""

import json
import resource
import sys
from collections.abc import Callable, Iterable, Iterator
from ctypes import create_string_buffer
from dataclasses import asdict, dataclass
from io import BytesIO
from typing import Literal, cast

import pypdfium2
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from PIL import Image

from kiosk import pdf, pictures
from kiosk.errors import Invalid
from kiosk.office_key import OfficeKey

MOST_PAGES = 20
PAGES_READ = 3
DPI = 200
LONGEST = 2400
MEMORY = 1024 * 1024 * 1024
SECONDS = 10
MOST_CODES = 3
LONGEST_ANSWER = 128 * 1024
PICTURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")
NO_FILE = "Pilih berkas PDF surat, atau foto kertasnya."
OTHER_KIND = "Hanya PDF, foto JPEG, atau gambar PNG yang dapat diperiksa di sini."
DAMAGED = "PDF ini rusak atau terpotong. Minta berkas aslinya kepada pemegang surat."
LOCKED = "PDF ini terkunci dengan sandi. Minta berkas tanpa sandi kepada pemegang surat."
MANY_PAGES = "PDF ini lebih dari 20 halaman. Kirim suratnya saja."
QR = zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)

# none: no signature; whole: ours, over every byte; changed: ours, but not over these bytes any
# more; foreign: a signature, not ours.
Signature = Literal["none", "whole", "changed", "foreign"]
# Our certificates, each with whether its signature is there and over every byte.
Ours = list[tuple[bytes, bool]]


@dataclass(frozen=True)
class Seen:
    """What a file holds: its signature, and what the QR codes on its first pages say.

    `signer` counts which of our certificates it is, from 0.
    """

    signature: Signature
    texts: tuple[str, ...] = ()
    signer: int | None = None


def look(
    data: bytes, certificates: Iterable[bytes], before_c: Callable[[], None] = lambda: None
) -> Seen:
    """What lies in a PDF, a JPEG or a PNG; `certificates` (DER) are those that are ours.

    `before_c` is called when Python's own part is done, which has to load what it needs. Raises
    Invalid({"file": reason}).
    """
    picture = data.startswith(PICTURES)
    if not picture and pdf.MAGIC not in data[:1024]:
        raise Invalid({"file": OTHER_KIND if data else NO_FILE})
    ours = [] if picture else [(der, _fits(data, der)) for der in certificates]
    before_c()
    if picture:
        return Seen("none", _codes_of(data))
    try:
        with pypdfium2.PdfDocument(data) as document:
            return _look(data, document, ours)
    except (pypdfium2.PdfiumError, IndexError, ValueError) as error:
        if any(_lies_in(data, der) for der, _ in ours):  # ours once, and no PDF any more
            return Seen("changed")
        raise Invalid({"file": LOCKED if "assword" in str(error) else DAMAGED}) from None


def _look(data: bytes, document: pypdfium2.PdfDocument, ours: Ours) -> Seen:
    signature, signer = _signature(data, document, ours)
    if signature != "changed":
        if pypdfium2.raw.FPDF_GetSecurityHandlerRevision(document.raw) != -1:
            raise Invalid({"file": LOCKED})
        if len(document) > MOST_PAGES:
            raise Invalid({"file": MANY_PAGES})
    return Seen(signature, _texts(_drawn(document)), signer)


def _signature(
    data: bytes, document: pypdfium2.PdfDocument, ours: Ours
) -> tuple[Signature, int | None]:
    signed = list(_signatures(document))
    for n, (der, fits) in enumerate(ours):
        if _lies_in(data, der) or any(half in one for one in signed for half in _halves(der)):
            return "whole" if len(signed) == 1 and fits else "changed", n
    return "foreign" if signed else "none", None


def _signatures(document: pypdfium2.PdfDocument) -> Iterator[bytes]:
    """The envelope of each signature that a reader would show."""
    raw = pypdfium2.raw
    for n in range(raw.FPDF_GetSignatureCount(document.raw)):
        found = raw.FPDF_GetSignatureObject(document.raw, n)
        size = raw.FPDFSignatureObj_GetContents(found, None, 0)
        room = create_string_buffer(size)
        raw.FPDFSignatureObj_GetContents(found, room, size)
        yield room.raw


def _lies_in(data: bytes, der: bytes) -> bool:
    """Whether the certificate stands in the file as text, be its signature reachable or not."""
    text = data.upper()
    return any(half.hex().upper().encode() in text for half in _halves(der))


def _halves(der: bytes) -> tuple[bytes, bytes]:
    # One changed byte leaves one half as it was.
    return der[: len(der) // 2], der[len(der) // 2 :]


def _fits(data: bytes, der: bytes) -> bool:
    if not _lies_in(data, der):
        return False
    from kiosk.signature import check_signature  # it takes longer to import than all the rest

    certificate = x509.load_der_x509_certificate(der)
    return check_signature(data, cast(OfficeKey, _Public(certificate)))


@dataclass(frozen=True)
class _Public:
    certificate: x509.Certificate


def _drawn(document: pypdfium2.PdfDocument) -> Iterator[Image.Image]:
    for n in range(min(len(document), PAGES_READ)):
        page = document[n]
        longest = max(*page.get_size(), 1.0)
        yield page.render(scale=min(DPI / 72, LONGEST / longest)).to_pil()


def _codes_of(data: bytes) -> tuple[str, ...]:
    """The codes on a photo of the paper: small first, which is quick and forgives noise."""
    try:
        with Image.open(BytesIO(data), formats=("JPEG", "PNG")) as image:
            if image.width * image.height > pictures.MOST_PIXELS:
                raise Invalid({"file": pictures.TOO_FINE})
            image.draft("L", (LONGEST, LONGEST))
            whole = image.convert("L")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Invalid({"file": pictures.TOO_FINE}) from None
    except (OSError, ValueError, SyntaxError):
        raise Invalid({"file": pictures.DAMAGED}) from None
    small = whole.copy()
    small.thumbnail((LONGEST, LONGEST))
    return _texts([small]) or _texts([whole])


def _texts(images: Iterable[Image.Image]) -> tuple[str, ...]:
    found = [
        code.text
        for image in images
        for code in zxingcpp.read_barcodes(image.convert("L"), formats=QR)
    ]
    return tuple(dict.fromkeys(found))[:MOST_CODES]


def shut() -> None:
    """From now on this process opens nothing: what it needs is loaded."""
    Image.preinit()
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))


def main() -> None:
    """Read {certificates} as a line of JSON, then the file; write what was seen, or the fault.

    What is written goes into a file: so it has a bound too.
    """
    for what, most in (
        (resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, SECONDS),
        (resource.RLIMIT_FSIZE, LONGEST_ANSWER), (resource.RLIMIT_CORE, 0),
    ):  # fmt: skip
        resource.setrlimit(what, (most, most))
    given = json.loads(sys.stdin.buffer.readline())
    certificates = [bytes.fromhex(one) for one in given["certificates"]]
    try:
        said = asdict(look(sys.stdin.buffer.read(), certificates, shut))
    except Invalid as fault:
        said = {"fault": fault.message}
    sys.stdout.write(json.dumps(said))


def der_of(certificate: x509.Certificate) -> bytes:
    """The certificate as `look` takes it."""
    return certificate.public_bytes(Encoding.DER)


if __name__ == "__main__":
    main()
