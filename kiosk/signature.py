"""The office's own signature on a PDF: PAdES B-B with P-256, through pyHanko and without network.

It is an electronic signature (UU ITE art. 11), not a *certified* one: for that an official signs
through a PSrE (PP 71/2019), and a letter signed here never says otherwise.
"""

from datetime import UTC, datetime
from io import BytesIO

from asn1crypto import cms, keys
from asn1crypto import x509 as certificates
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils import generic
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

from kiosk.errors import Unusable
from kiosk.office_key import OfficeKey

FIELD = "TandaTangan"
LARGEST_PDF = 5 * 1024 * 1024


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
    signer = _SignerAt(facts, _signer(key))
    signer.at = datetime.fromtimestamp(at, UTC)
    try:
        writer = IncrementalPdfFileWriter(BytesIO(pdf))
        signer.sign_pdf(writer, bytes_reserved=_room(key), output=signed)
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


def _room(key: OfficeKey) -> int:
    """Hex digits for the envelope: the certificate and what else is in it, some 600 bytes.

    Left to pyHanko, it signs twice to find out.
    """
    return 2 * (len(key.certificate.public_bytes(Encoding.DER)) + 1024)


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
    trust = ValidationContext(trust_roots=[_asn1(key)], allow_fetching=False, moment=moment)
    status = validate_pdf_signature(embedded[0], trust)
    return bool(
        status.bottom_line
        and status.coverage is SignatureCoverageLevel.ENTIRE_FILE
        and status.signing_cert.dump() == _asn1(key).dump()
        and begin <= moment <= end
    )


def _fills_its_hole(pdf: bytes, embedded: EmbeddedPdfSignature, key: OfficeKey) -> bool:
    # The hole in the byte range is signed by nobody, nor is the envelope of the signature in it.
    # Written again from its signed parts it must be the same, or a byte could differ unnoticed.
    start, length, after, _ = embedded.byte_range
    envelope = _envelope(embedded.signer_info, _asn1(key))
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


def _signer(key: OfficeKey) -> SimpleSigner:
    private = keys.PrivateKeyInfo.load(key.private_bytes(Encoding.DER))
    known = SimpleCertificateStore()  # type: ignore[no-untyped-call]
    return SimpleSigner(_asn1(key), private, known)


def _asn1(key: OfficeKey) -> certificates.Certificate:
    return certificates.Certificate.load(key.certificate.public_bytes(Encoding.DER))


def with_form(made: BytesIO) -> bytes:
    """The PDF with an empty form for signatures.

    Without it a signature would have to add one, and what it changed could not be judged.
    """
    writer = IncrementalPdfFileWriter(made)
    form = generic.DictionaryObject()  # type: ignore[no-untyped-call]
    form[generic.pdf_name("/Fields")] = generic.ArrayObject()
    writer.root[generic.pdf_name("/AcroForm")] = writer.add_object(form)
    writer.update_root()  # type: ignore[no-untyped-call]
    writer.write_in_place()  # type: ignore[no-untyped-call]
    return made.getvalue()
