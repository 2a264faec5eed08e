"""An esign-client server (v1) that signs under a CA of the tests, and fails as such servers do."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import cache
from io import BytesIO
from typing import Any, NamedTuple

from asn1crypto import keys as asn1_keys
from asn1crypto import x509 as asn1
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko_certvalidator.registry import SimpleCertificateStore
from pypdf import PdfReader, PdfWriter

from tests import local_server

USER, PASSWORD = "dinsos", "sandi-aplikasi"
NIK, PASSPHRASE = "3602014101700001", "frasa Rahasia ñ 15"
REFERENCE = "897848f00a75488eba468f9baed7ffc5"
BEGIN, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)


class Pair(NamedTuple):
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate


class Chain(NamedTuple):
    """A PSrE: its root, its CA, and the certificate of an official."""

    root: Pair
    issuing: Pair
    official: Pair

    def pem(self) -> bytes:
        return self.root.certificate.public_bytes(Encoding.PEM)

    def der(self) -> bytes:
        return self.root.certificate.public_bytes(Encoding.DER)


def _pair(name: str, by: Pair | None, ca: bool, end: datetime) -> Pair:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    usage = {
        "digital_signature": not ca, "content_commitment": not ca, "key_cert_sign": ca,
        "crl_sign": ca, "key_encipherment": False, "data_encipherment": False,
        "key_agreement": False, "encipher_only": False, "decipher_only": False,
    }  # fmt: skip
    public = (by.key if by else key).public_key()
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGIN)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), False)
    )
    return Pair(key, made.sign(by.key if by else key, hashes.SHA256()))


@cache
def chain(name: str = "PSrE Contoh", days: int = 700) -> Chain:
    """A PSrE with this name, whose official's certificate is good for so many days."""
    root = _pair(f"{name} Akar", None, ca=True, end=END)
    issuing = _pair(f"{name} CA", root, ca=True, end=END)
    end = BEGIN + timedelta(days)
    return Chain(root, issuing, _pair("Karta Kadis", issuing, ca=False, end=end))


def signed(pdf: bytes, by: Chain, field: str = "Signature1") -> bytes:
    """The PDF as an esign-client gives it back: an invisible signature added to it."""
    private = by.official.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    known = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    known.register(asn1.Certificate.load(by.issuing.certificate.public_bytes(Encoding.DER)))
    signer = SimpleSigner(
        asn1.Certificate.load(by.official.certificate.public_bytes(Encoding.DER)),
        asn1_keys.PrivateKeyInfo.load(private),
        known,
    )
    out = BytesIO()
    facts = PdfSignatureMetadata(field_name=field, md_algorithm="sha256")
    PdfSigner(facts, signer).sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), output=out)
    return out.getvalue()


def saved_again(pdf: bytes) -> bytes:
    """The same pages in another file."""
    writer, out = PdfWriter(clone_from=PdfReader(BytesIO(pdf))), BytesIO()
    writer.write(out)
    return out.getvalue()


def written_over(pdf: bytes) -> bytes:
    """A black bar over its page, added as an incremental update."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    bar = generic.StreamObject(stream_data=b"q 100 400 200 20 re f Q")
    writer.add_stream_to_page(0, writer.add_object(bar))
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


class Service:
    """What it was asked, and how it answers: with the signed file, or `fails` in one of the ways of
    ANSWERS, of FILES, or of `_Handler`.
    """

    def __init__(self) -> None:
        self.url = ""
        self.fails = ""
        self.asked: list[dict[str, bytes]] = []
        self.elsewhere = 0
        self.chain = chain()
        self.reference = REFERENCE
        self.let_go = threading.Event()
        self.meanwhile: Callable[[], None] | None = None


def _error(number: int, words: str) -> tuple[int, str, bytes]:
    return 400, "application/json", json.dumps({"error": words, "status_code": number}).encode()


# Ways to answer without a signed file: status, type, body.
ANSWERS: dict[str, tuple[int, str, bytes]] = {
    "not registered": _error(2011, "User tidak terdaftar"),
    "number in the text": _error(400, "Proses signing gagal : User tidak terdaftar 2011"),
    "wrong passphrase in the text": _error(400, "Proses gagal : Passphrase anda salah 2031"),
    "another number": _error(2021, f"Sertifikat milik {NIK} telah kedaluwarsa"),
    "error with 200": (200, *_error(2031, "Passphrase anda salah")[1:]),
    "troubled": (500, "text/html", b"<h1>Internal Server Error</h1>"),
    "troubled in json": (503, "application/json", b'{"error": "timeout", "status_code": 503}'),
    "html with 200": (200, "text/html", b"<!doctype html><title>Masuk</title><form></form>"),
    "done, no file": (200, "application/json", b'{"message": "Proses berhasil"}'),
    "bad base64": (200, "application/json", b'{"base64_signed_file": "%%%"}'),
    "not found": (404, "text/html", b"nothing here"),
    "empty": (200, "application/pdf", b""),
}  # fmt: skip

# Ways to give back another file than the one asked for.
FILES: dict[str, Callable[[bytes, Chain], bytes]] = {
    "unsigned": lambda pdf, _: pdf,
    "truncated": lambda pdf, by: signed(pdf, by)[:-600],
    "broken off with words": lambda pdf, by: signed(pdf, by)[:-600] + b"\nHTTP/1.1 500 Error\n",
    "saved again": lambda pdf, by: signed(saved_again(pdf), by),
    "signed twice": lambda pdf, by: signed(signed(pdf, by), by, "Signature2"),
    "written over before": lambda pdf, by: signed(written_over(pdf), by),
    "written over after": lambda pdf, by: written_over(signed(pdf, by)),
    "bytes after": lambda pdf, by: signed(pdf, by) + b"\n%appended\n",
    "a flipped byte": lambda pdf, by: _flipped(signed(pdf, by), len(pdf) + 60),
    "another authority": lambda pdf, _: signed(pdf, chain("PSrE Lain")),
    "expired certificate": lambda pdf, _: signed(pdf, chain("PSrE Contoh", 30)),
}


def _flipped(pdf: bytes, at: int) -> bytes:
    return pdf[:at] + bytes([pdf[at] ^ 1]) + pdf[at + 1 :]


class _Handler(local_server.Handler):
    service: Service

    def do_POST(self) -> None:
        service = self.service
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/elsewhere":
            service.elsewhere += 1
        basic = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if self.headers["Authorization"] != f"Basic {basic}":
            self._send(401, "text/html", b"Unauthorized")
            return
        form = self._form(data)
        service.asked.append(form)
        if service.meanwhile:
            service.meanwhile()
        if self.path != "/esign/api/sign/pdf":
            self._send(404, "text/html", b"")
        elif not self._fail(form):
            self._answer(form)

    def _form(self, data: bytes) -> dict[str, bytes]:
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts: Any = message_from_bytes(head + data).get_payload()
        found = {}
        for part in parts:
            name = part.get_param("name", header="content-disposition")
            found[str(name)] = part.get_payload(decode=True)
        return found

    def _fail(self, form: dict[str, bytes]) -> bool:
        service = self.service
        if service.fails in ANSWERS:
            self._send(*ANSWERS[service.fails])
        elif service.fails == "redirect":
            self.send_response(307)
            self.send_header("Location", service.url.replace("/esign", "/elsewhere"))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif service.fails == "silence":
            service.let_go.wait(10)
        elif service.fails == "drip":
            self._drip()
        elif service.fails == "cut":
            self._send(200, "application/pdf", form["file"], promised=10**6)
        elif service.fails == "too large":
            self._send(200, "application/pdf", b"%PDF-" + b"0" * (21 * 1024 * 1024))
        else:
            return False
        return True

    def _drip(self) -> None:
        """A byte now and then, for ever: no single wait is long."""
        self.send_response(200)
        self.end_headers()
        while not self.service.let_go.wait(0.02):
            self.wfile.write(b"%")

    def _answer(self, form: dict[str, bytes]) -> None:
        service = self.service
        if form["nik"].decode() != NIK:
            self._send(*ANSWERS["not registered"])
            return
        if form["passphrase"].decode() != PASSPHRASE:
            self._send(*_error(2031, "Passphrase anda salah"))
            return
        make = FILES.get(service.fails, signed)
        pdf = make(form["file"], service.chain)
        if service.fails == "base64":
            told = {"base64_signed_file": base64.b64encode(pdf).decode()}
            told["id_dokumen"] = service.reference
            self._send(200, "application/json", json.dumps(told).encode())
        else:
            self._send(200, "application/pdf", pdf, id_dokumen=service.reference)

    def _send(
        self, status: int, kind: str, data: bytes, id_dokumen: str = "", promised: int = 0
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(promised or len(data)))
        if id_dokumen:
            self.send_header("id_dokumen", id_dokumen)
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving() -> Iterator[Service]:
    """The server on a free port of this machine."""
    service = Service()
    with local_server.serving(_Handler, service, "/esign"):
        yield service
