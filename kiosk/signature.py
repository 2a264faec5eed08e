"""The office's own signature on a PDF: PAdES B-B with P-256, through pyHanko and without network.

It is an electronic signature (UU ITE art. 11), not a *certified* one: for that an official signs
through a PSrE (PP 71/2019), and a letter signed here never says otherwise.
"""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path

from asn1crypto import cms, keys  # type: ignore[import-untyped]
from asn1crypto import x509 as certificates
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign import PdfSignatureMetadata, PdfSigner, SimpleSigner
from pyhanko.sign.fields import MDPPerm, SigSeedSubFilter
from pyhanko.sign.general import SigningError
from pyhanko.sign.signers.pdf_signer import PdfSigningSession
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.registry import SimpleCertificateStore

from kiosk.errors import NotFound, Stale, Unusable

KEY_FILE = "office-key.pem"
FIELD = "TandaTangan"
CERTIFICATE_YEARS = 10
LARGEST_PDF = 5 * 1024 * 1024


@dataclass(frozen=True)
class OfficeKey:
    """The office's P-256 key and the certificate it signed for itself."""

    certificate: x509.Certificate
    private: ec.EllipticCurvePrivateKey

    @classmethod
    def create(cls, folder: Path, office_name: str, now: int) -> "OfficeKey":
        """A new key in `folder` (0700, files 0600), its certificate good from `now` (UTC seconds).

        Raises `Stale` when there is one: a key is never overwritten.
        """
        private = ec.generate_private_key(ec.SECP256R1())
        key = cls(_self_signed(private, office_name, now), private)
        pem = serialization.Encoding.PEM
        data = _private_bytes(private, pem) + key.certificate.public_bytes(pem)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write(folder / KEY_FILE, data)
        except FileExistsError:
            raise Stale("Kunci tanda tangan dinas sudah ada dan tidak ditimpa.") from None
        return key

    @classmethod
    def open(cls, folder: Path) -> "OfficeKey":
        """The key in `folder`. Raises `NotFound`, or `Unusable` if it is spoilt or open to all."""
        path = folder / KEY_FILE
        try:
            mode, pem = path.stat().st_mode, path.read_bytes()
        except FileNotFoundError:
            raise NotFound("Kunci tanda tangan dinas belum dibuat.") from None
        if mode & 0o077:
            raise Unusable("Kunci tanda tangan dinas dapat dibaca akun lain: batasi ke 0600.")
        return cls._parse(pem)

    @classmethod
    def _parse(cls, pem: bytes) -> "OfficeKey":
        try:
            private = serialization.load_pem_private_key(pem, password=None)
            parsed = x509.load_pem_x509_certificate(pem)
        except ValueError:
            raise Unusable("Kunci tanda tangan dinas rusak: pulihkan dari cadangan.") from None
        if not isinstance(private, ec.EllipticCurvePrivateKey) or (
            private.public_key() != parsed.public_key()
        ):
            raise Unusable("Kunci tanda tangan dinas tidak cocok dengan sertifikatnya.")
        return cls(parsed, private)

    def fingerprint(self) -> str:
        """SHA-256 of the certificate in hex, for a person to compare."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def _signer(self) -> SimpleSigner:
        der = serialization.Encoding.DER
        private = keys.PrivateKeyInfo.load(_private_bytes(self.private, der))
        known = SimpleCertificateStore()  # type: ignore[no-untyped-call]
        return SimpleSigner(self._asn1(), private, known)

    def _asn1(self) -> certificates.Certificate:
        return certificates.Certificate.load(
            self.certificate.public_bytes(serialization.Encoding.DER)
        )


def sign(pdf: bytes, key: OfficeKey, *, at: int, reason: str, location: str, name: str) -> bytes:
    """The PDF with an invisible PAdES B-B signature that certifies it: no change is allowed.

    `at` (UTC seconds) is the signer's own word, there is no time stamp. Raises `Unusable` for
    bytes that cannot be signed. Source: ETSI EN 319 142-1.
    """
    facts = PdfSignatureMetadata(
        field_name=FIELD,
        md_algorithm="sha256",
        subfilter=SigSeedSubFilter.PADES,
        certify=True,
        docmdp_permissions=MDPPerm.NO_CHANGES,
        reason=reason,
        location=location,
        name=name,
    )
    signed = BytesIO()
    signer = _SignerAt(facts, key._signer())
    signer.at = datetime.fromtimestamp(at, UTC)
    try:
        signer.sign_pdf(IncrementalPdfFileWriter(BytesIO(pdf)), output=signed)
    except (PdfError, SigningError):
        raise Unusable("Surat belum terbit: penandatanganan PDF gagal.") from None
    return signed.getvalue()


def check_signature(pdf: bytes, key: OfficeKey) -> bool:
    """Whether these are, to the last byte, a file that `key` signed and nobody added to.

    An appended edit leaves the signature itself good, so pyHanko's `bottom_line` is asked together
    with the coverage of the entire file.
    """
    if len(pdf) > LARGEST_PDF:
        return False
    try:
        return _checks(pdf, key)
    except Exception:  # The file is anybody's: whatever its parser trips over, it is not ours.
        return False


class _SignerAt(PdfSigner):
    """pyHanko reads the wall clock when it signs; this one is told the time."""

    at: datetime

    def init_signing_session(
        self, pdf_out: BasePdfFileWriter, existing_fields_only: bool = False
    ) -> PdfSigningSession:
        session = super().init_signing_session(pdf_out, existing_fields_only)
        session.system_time = self.at
        return session


def _checks(pdf: bytes, key: OfficeKey) -> bool:
    embedded = PdfFileReader(BytesIO(pdf)).embedded_signatures
    if len(embedded) != 1 or not _fills_its_hole(pdf, embedded[0], key):
        return False
    # A letter outlives the certificate, so it is judged by the time it says it was signed. pyHanko
    # asks no dates of a certificate that is trusted by itself: they are compared here.
    moment = embedded[0].self_reported_timestamp
    begin, end = key.certificate.not_valid_before_utc, key.certificate.not_valid_after_utc
    trust = ValidationContext(trust_roots=[key._asn1()], allow_fetching=False, moment=moment)
    status = validate_pdf_signature(embedded[0], trust)
    return bool(
        status.bottom_line
        and status.coverage is SignatureCoverageLevel.ENTIRE_FILE
        and status.signing_cert.dump() == key._asn1().dump()
        and begin <= moment <= end
    )


def _fills_its_hole(pdf: bytes, embedded: EmbeddedPdfSignature, key: OfficeKey) -> bool:
    # The hole in the byte range is signed by nobody, nor is the envelope of the signature in it.
    # Written again from its signed parts it must be the same, or a byte could differ unnoticed.
    start, length, after, _ = embedded.byte_range
    envelope = _envelope(embedded.signer_info, key._asn1())
    filling = envelope.ljust(len(embedded.pkcs7_content), b"\0")
    return bool(start == 0 and pdf[length:after] == b"<" + filling.hex().upper().encode() + b">")


def _envelope(signed: cms.SignerInfo, certificate: certificates.Certificate) -> bytes:
    sha256 = {"algorithm": "sha256"}
    issuer = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
    signer = {
        "version": "v1",
        "sid": cms.SignerIdentifier("issuer_and_serial_number", issuer),
        "digest_algorithm": sha256,
        "signed_attrs": signed["signed_attrs"],
        "signature_algorithm": {"algorithm": "sha256_ecdsa"},
        "signature": signed["signature"].native,
    }
    content = {
        "version": "v1",
        "digest_algorithms": [sha256],
        "encap_content_info": {"content_type": "data"},
        "certificates": [certificate],
        "signer_infos": [signer],
    }
    return bytes(cms.ContentInfo({"content_type": "signed_data", "content": content}).dump())


def _self_signed(private: ec.EllipticCurvePrivateKey, office: str, now: int) -> x509.Certificate:
    moment = datetime.fromtimestamp(now, UTC)
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "ID"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, office),
            x509.NameAttribute(NameOID.COMMON_NAME, office),
        ]
    )
    public = private.public_key()
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(public)
    return (
        builder.serial_number(x509.random_serial_number())
        .not_valid_before(moment)
        .not_valid_after(moment + timedelta(days=365 * CERTIFICATE_YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(private, hashes.SHA256())
    )


def _usage() -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=True,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _private_bytes(private: ec.EllipticCurvePrivateKey, encoding: serialization.Encoding) -> bytes:
    plain = serialization.NoEncryption()
    return private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)


def _write(path: Path, data: bytes) -> None:
    # Linked into place: a key is there whole or not at all, and an older one stays as it is.
    beside = path.with_name(f"{path.name}.{os.getpid()}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        path.hardlink_to(beside)
    finally:
        beside.unlink()
