"""A file of ours that came back with an electronic signature (TTE), of whichever certifier.

Whether the certificate is one of a state's certifier (PSrE) is judged only against the roots that
the office has set. That the signature is whole, covers all of the file, and that the file is ours
with nothing changed, always is.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO

import pypdfium2
import pypdfium2.raw as pdfium
from asn1crypto import x509 as certificates
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.diff_analysis import (
    DEFAULT_DIFF_POLICY,
    CatalogModificationRule,
    DiffResult,
    FormUpdatingRule,
    GenericFieldModificationRule,
    ModificationLevel,
    SigFieldCreationRule,
    SigFieldModificationRule,
    StandardDiffPolicy,
)
from pyhanko.sign.diff_analysis.constants import (
    ACROFORM_EXEMPT_STRICT_COMPARISON,
    ROOT_EXEMPT_STRICT_COMPARISON,
)
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import SignatureCoverageLevel
from pyhanko_certvalidator import ValidationContext

from kiosk.errors import Invalid
from kiosk.pdf import MAGIC, ONE_AT_A_TIME

CHANGED = "PDF ini bukan lembar yang dibekukan: isinya berubah. Tanda tangani PDF yang diunduh."
UNSIGNED = "PDF ini belum ditandatangani. Tanda tangani dahulu, atau kirim pindaian lembarnya."
BROKEN = "Tanda tangan elektronik pada PDF ini tidak sah."
UNTRUSTED = "Sertifikat penanda tangan bukan dari PSrE yang dipercaya kantor ini."
NOT_A_SCAN = "PDF ini bukan hasil pindai dan bukan lembar yang dibekukan. Kirim pindaiannya."
# The family that our sheets are set in: no scanner's text layer is.
OUR_FONT = "atkinson"


# pyHanko's own rules for what a signature may add, and what the first one adds besides: that there
# are signatures at all (/SigFlags), and that it allows no change after it (/Perms).
_RULES = StandardDiffPolicy(
    [
        CatalogModificationRule(  # type: ignore[no-untyped-call]
            ROOT_EXEMPT_STRICT_COMPARISON | {"/Perms"}
        ),
        *DEFAULT_DIFF_POLICY.global_rules[1:],
    ],
    FormUpdatingRule(
        [
            SigFieldCreationRule(),  # type: ignore[no-untyped-call]
            SigFieldModificationRule(),
            GenericFieldModificationRule(),
        ],
        ACROFORM_EXEMPT_STRICT_COMPARISON | {"/SigFlags"},
    ),
)


# What a certificate that signs documents may be for; PSrE differ in which of the two they name.
_USES = KeyUsageConstraints(
    key_usage={"digital_signature", "non_repudiation"}, match_all_key_usages=False
)


@dataclass(frozen=True)
class Signature:
    """Who signed, as the certificate says; `at` is the signer's own word, epoch seconds or None."""

    name: str
    issuer: str
    at: int | None


def is_ours(data: bytes, frozen: bytes) -> bool:
    """Whether this is the frozen sheet itself, or begins with it."""
    return data.startswith(frozen)


def check(data: bytes, frozen: bytes) -> Signature:
    """The signature that this file adds to the frozen sheet.

    Raises Invalid({"file": reason}) when there is none, when it is not whole or does not cover the
    file, or when anything but a signature was added.
    """
    return _named(_guarded(data, frozen)[-1])


def check_one(data: bytes, frozen: bytes, roots: Sequence[bytes], now: int) -> Signature:
    """The one signature that a PSrE was asked for: `check`, and it is the only one in the file.

    With `roots` (certificates in DER) its certificate must come from one of them and hold at `now`
    (UTC seconds). Revocation is not asked: nothing is fetched. Raises Invalid as `check`.
    """
    if not is_ours(data, frozen):
        raise Invalid({"file": CHANGED})
    signatures = _guarded(data, frozen)
    if len(signatures) != 1:
        raise Invalid({"file": CHANGED})
    if roots and not _is_trusted(signatures[0], roots, now):
        raise Invalid({"file": UNTRUSTED})
    return _named(signatures[0])


def _is_trusted(signature: EmbeddedPdfSignature, roots: Sequence[bytes], now: int) -> bool:
    trust = ValidationContext(
        trust_roots=[certificates.Certificate.load(root) for root in roots],
        allow_fetching=False,
        moment=datetime.fromtimestamp(now, UTC),
    )
    status = validate_pdf_signature(signature, trust, key_usage_settings=_USES, skip_diff=True)
    return bool(status.trusted)


def _guarded(data: bytes, frozen: bytes) -> list[EmbeddedPdfSignature]:
    if data == frozen:
        raise Invalid({"file": UNSIGNED})
    try:
        return _checked(data, frozen)
    except Invalid:
        raise
    except Exception:  # The file is anybody's: whatever its parser trips over, it is not ours.
        raise Invalid({"file": BROKEN}) from None


def _checked(data: bytes, frozen: bytes) -> list[EmbeddedPdfSignature]:
    reader = PdfFileReader(BytesIO(data))
    signatures = reader.embedded_signatures
    if not signatures:
        raise Invalid({"file": CHANGED})
    for one in signatures:
        # Whose the certificate is, is not asked here: it is taken for its own root.
        trust = ValidationContext(trust_roots=[one.signer_cert], allow_fetching=False)
        status = validate_pdf_signature(one, trust, skip_diff=True)
        if not (status.intact and status.valid):
            raise Invalid({"file": BROKEN})
    last = signatures[-1]
    last.compute_integrity_info()
    if last.coverage is not SignatureCoverageLevel.ENTIRE_FILE:
        raise Invalid({"file": CHANGED})
    _require_only_signed(reader, _revision(reader, frozen))
    return list(signatures)


def _revision(reader: PdfFileReader, frozen: bytes) -> int:
    """The revision that our bytes are: they end where it ends."""
    for revision in range(reader.xrefs.total_revisions):
        start = reader.xrefs.get_startxref_for_revision(revision)
        if start < len(frozen):
            found = revision
    return found


def _require_only_signed(reader: PdfFileReader, revision: int) -> None:
    try:
        result = _RULES.review_file(reader, revision)
    except PdfError:  # what was added cannot even be compared
        raise Invalid({"file": CHANGED}) from None
    only_signed = ModificationLevel.FORM_FILLING
    if not isinstance(result, DiffResult) or result.modification_level > only_signed:
        raise Invalid({"file": CHANGED})


def _named(signature: EmbeddedPdfSignature) -> Signature:
    certificate = signature.signer_cert
    subject, issuer = certificate.subject.native, certificate.issuer.native
    at = signature.self_reported_timestamp
    return Signature(
        name=str(subject.get("common_name", "")) or certificate.subject.human_friendly,
        issuer=str(issuer.get("common_name", "")) or certificate.issuer.human_friendly,
        at=int(at.timestamp()) if at else None,
    )


def require_scan(data: bytes) -> None:
    """A PDF that is to count as a scan must be none: no signature, and no text set in our fonts.

    Pictures pass, and what is no PDF at all: `documents` says what it is. Raises Invalid.
    """
    if not data.startswith(MAGIC):
        return
    try:
        signed = bool(PdfFileReader(BytesIO(data)).embedded_signatures)
        set_by_us = _has_our_font(data)
    except Exception:  # A damaged file: `documents` refuses it in its own words.
        return
    if signed:
        raise Invalid({"file": CHANGED})
    if set_by_us:
        raise Invalid({"file": NOT_A_SCAN})


def _has_our_font(data: bytes) -> bool:
    with ONE_AT_A_TIME, pypdfium2.PdfDocument(data) as document:
        texts = document[0].get_objects(filter=[pdfium.FPDF_PAGEOBJ_TEXT], max_depth=3)
        return any(OUR_FONT in one.get_font().get_base_name().lower() for one in texts)
