"""The office's own key and certificate, for the signature on its letters."""

import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.errors import NotFound, Stale, Unusable

KEY_FILE = "office-key.pem"
CERTIFICATE_YEARS = 10


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
        data = key.private_bytes(pem) + key.certificate.public_bytes(pem)
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

    def private_bytes(self, encoding: serialization.Encoding) -> bytes:
        """The private key as PKCS #8, in the clear."""
        plain = serialization.NoEncryption()
        return self.private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)


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
