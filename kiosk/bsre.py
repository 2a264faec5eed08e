"""Client of esign-client v1, through which an official signs with BSrE's certificate.

Seen in open code and in BSrE's own guide: HTTP Basic; `POST /api/sign/pdf` as multipart with file,
nik, passphrase and tampilan; the answer is the PDF with the header `id_dokumen`, or JSON with the
PDF in base64 (`base64_signed_file`), or JSON `{error, status_code}` where the number also stands in
the text alone. docs/bsre.md has all of it. `GET /api/user/status/{nik}` is never asked: its address
holds a NIK, which every proxy on the way would log; signing says the same (2011).

Python's own http.client: it follows no redirect and logs nothing, so neither NIK nor passphrase
goes where it was not sent; what it lacks, a limit to the whole exchange, no library that we looked
at has either. Neither of the two stands in an error, and none is chained to one that might.
"""

import base64
import binascii
import json
import re
import secrets
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from kiosk.errors import Invalid, LoketError, Unusable
from kiosk.settings import Settings

PATH = "/api/sign/pdf"
CONNECT_S = 5.0
TOTAL_S = 30.0
LARGEST_ANSWER = 20 * 1024 * 1024
NOT_REGISTERED, WRONG_PASSPHRASE = 2011, 2031

SILENT = (
    "Server BSrE tidak dapat dihubungi. Surat menunggu tanda tangan. "
    "Periksa jaringan kantor, lalu coba lagi."
)
UNTRUSTED_SERVER = (
    "Sertifikat TLS server BSrE tidak dipercaya, jadi passphrase tidak dikirim. Hubungi admin."
)
LATE = (
    "Server BSrE tidak selesai menjawab dalam 30 detik. Surat menunggu tanda tangan. "
    "Coba lagi sebentar."
)
CUT = "Jawaban server BSrE terputus di tengah. Surat menunggu tanda tangan. Coba lagi."
TROUBLED = "Server BSrE sedang terganggu. Surat menunggu tanda tangan. Coba lagi nanti."
REFUSED = (
    "Server BSrE menolak akun aplikasi kantor ini. Surat menunggu tanda tangan. Hubungi admin."
)
ELSEWHERE = (
    "Server BSrE mengalihkan ke alamat lain, dan passphrase tidak dikirim ke sana. "
    "Minta admin memeriksa alamat BSrE."
)
NO_SERVICE = "Alamat BSrE bukan layanan tanda tangan. Minta admin memeriksa alamat BSrE."
NO_PDF = (
    "Server BSrE menjawab dengan sesuatu yang bukan surat bertanda tangan. "
    "Surat menunggu tanda tangan. Hubungi admin."
)
TOO_LARGE = "Jawaban server BSrE terlalu besar. Surat menunggu tanda tangan. Hubungi admin."
UNKNOWN_PERSON = (
    "NIK Anda belum terdaftar di BSrE. Surat menunggu tanda tangan. "
    "Minta admin memeriksa NIK Anda, atau urus sertifikat ke Diskominfo."
)
WRONG = "Passphrase BSrE salah. Isi lagi; ini passphrase sertifikat Anda, bukan kata sandi Loket15."

_CODE = re.compile(r"\b([12][0-9]{3})\b")


@dataclass(frozen=True)
class Answer:
    """What came back: the file, and the id that the server gave it, or ""."""

    pdf: bytes = field(repr=False)
    reference: str


class Client:
    """Speaks with the esign-client server at `url`; `roots` are the PSrE's certificates in DER."""

    def __init__(
        self,
        url: str,
        user: str,
        password: str,
        roots: tuple[bytes, ...] = (),
        connect_s: float = CONNECT_S,
        total_s: float = TOTAL_S,
    ) -> None:
        self.url, self.roots = url.rstrip("/"), roots
        self._parts = urlsplit(self.url)
        try:
            self._port = self._parts.port
        except ValueError:
            raise Unusable(f"LOKET15_BSRE_URL: {url!r}; expected a port up to 65535") from None
        self._basic = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._connect_s, self._total_s = connect_s, total_s

    def sign(self, pdf: bytes, nik: str, passphrase: str) -> Answer:
        """Have this PDF signed invisibly by the holder of this NIK.

        What comes back is not looked into here. Raises Invalid({"passphrase": …}) for a wrong one,
        Unusable for all else, and then nothing was signed that counts.
        """
        fields = {"nik": nik, "passphrase": passphrase, "tampilan": "invisible"}
        body, kind = _multipart(pdf, fields)
        with self._connected() as connection:
            status, headers, data = self._exchange(connection, body, kind)
        return _read(status, headers, data)

    @contextmanager
    def _connected(self) -> Iterator[HTTPConnection]:
        host, wait = self._parts.hostname or "", self._connect_s
        made: HTTPConnection
        if self._parts.scheme == "https":
            context = ssl.create_default_context()
            made = HTTPSConnection(host, self._port, timeout=wait, context=context)
        else:
            made = HTTPConnection(host, self._port, timeout=wait)
        try:
            try:
                made.connect()
            except ssl.SSLError:
                raise Unusable(UNTRUSTED_SERVER) from None
            except OSError:
                raise Unusable(SILENT) from None
            yield made
        finally:
            made.close()

    def _exchange(
        self, connection: HTTPConnection, body: bytes, kind: str
    ) -> tuple[int, Any, bytes]:
        """Status, headers and the whole body, all within the time."""
        late = threading.Event()
        wire = connection.sock
        wire.settimeout(self._total_s)
        timer = threading.Timer(self._total_s, _cut_off, (wire, late))
        timer.daemon = True
        timer.start()
        try:
            answered = self._ask(connection, body, kind)
        except TimeoutError:
            raise Unusable(LATE) from None
        except (OSError, HTTPException):
            raise Unusable(LATE if late.is_set() else CUT) from None
        finally:
            timer.cancel()
        if late.is_set():  # without a length, what was cut off looks like its end
            raise Unusable(LATE)
        return answered

    def _ask(self, connection: HTTPConnection, body: bytes, kind: str) -> tuple[int, Any, bytes]:
        headers = {
            "Authorization": f"Basic {self._basic}",
            "Content-Type": kind,
            "Accept": "application/pdf, application/json",
        }
        connection.request("POST", self._parts.path + PATH, body, headers)
        with connection.getresponse() as answer:
            data = answer.read(LARGEST_ANSWER + 1)
        if len(data) > LARGEST_ANSWER:
            raise Unusable(TOO_LARGE)
        promised = answer.headers.get("Content-Length", "")
        if promised.isdigit() and len(data) < int(promised):
            raise Unusable(CUT)
        return answer.status, answer.headers, data


def _cut_off(wire: socket.socket, late: threading.Event) -> None:
    """However slowly it drips: past the time nothing more is read."""
    late.set()
    try:
        # Of the socket itself: TLS would take its own end apart under the reader.
        socket.socket.shutdown(wire, socket.SHUT_RDWR)
    except OSError:
        return


def client_of(settings: Settings) -> Client | None:
    """The client that the settings name, or None without one. Raises Unusable for bad roots."""
    if not settings.bsre_url:
        return None
    roots = roots_of(Path(settings.bsre_roots)) if settings.bsre_roots else ()
    return Client(settings.bsre_url, settings.bsre_user, settings.bsre_password, roots)


def roots_of(path: Path) -> tuple[bytes, ...]:
    """The certificates of a PEM file, in DER. Raises Unusable, saying which setting is wrong."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        raise Unusable(
            f"LOKET15_BSRE_ROOTS: {str(path)!r}; expected a PEM file of certificates"
        ) from None
    return tuple(one.public_bytes(Encoding.DER) for one in found)


def _multipart(pdf: bytes, fields: dict[str, str]) -> tuple[bytes, str]:
    """The form as bytes, and its type. The file's name says nothing of anybody."""
    edge = secrets.token_hex(16)
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="file"; filename="surat.pdf"\r\n'
    parts += [f"{head}Content-Type: application/pdf\r\n\r\n".encode(), pdf]
    parts += [f"\r\n--{edge}--\r\n".encode()]
    return b"".join(parts), f"multipart/form-data; boundary={edge}"


def _read(status: int, headers: Any, data: bytes) -> Answer:
    """The file in this answer; JSON is looked into first, for errors come with any status."""
    told = _json(data)
    if told is not None and "error" in told:
        _refuse(status, told)
    if not 200 <= status < 300:
        raise _by_status(status)
    pdf, reference = data, str(headers.get("id_dokumen") or "")
    if told is not None:
        pdf = _decoded(told.get("base64_signed_file"))
        reference = reference or str(told.get("id_dokumen") or "")
    if not pdf.startswith(b"%PDF-"):
        raise Unusable(NO_PDF)
    return Answer(pdf, reference if re.fullmatch(r"[\w.-]{1,80}", reference, re.A) else "")


def _json(data: bytes) -> dict[str, Any] | None:
    if data.lstrip()[:1] != b"{":
        return None
    try:
        told = json.loads(data)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _decoded(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (TypeError, ValueError, binascii.Error):
        raise Unusable(NO_PDF) from None


def _refuse(status: int, told: dict[str, Any]) -> NoReturn:
    """Some versions put HTTP's status in `status_code`, and the number at the end of the text."""
    said = f"{told.get('status_code')} {told.get('error')}"
    codes = [int(code) for code in _CODE.findall(said)]
    if WRONG_PASSPHRASE in codes:
        raise Invalid({"passphrase": WRONG})
    if NOT_REGISTERED in codes:
        raise Unusable(UNKNOWN_PERSON)
    if codes and status < 500:
        # Its words are another's and may name the person: only the number is told.
        raise Unusable(
            f"BSrE menolak penandatanganan (kode {codes[-1]}). Surat menunggu tanda tangan. "
            "Sampaikan kode ini kepada admin."
        )
    raise _by_status(status)


def _by_status(status: int) -> LoketError:
    if 300 <= status < 400:
        return Unusable(ELSEWHERE)
    if status in (401, 403):
        return Unusable(REFUSED)
    if status in (404, 405):
        return Unusable(NO_SERVICE)
    return Unusable(TROUBLED if status >= 500 else NO_PDF)
