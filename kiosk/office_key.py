"""The office's own key and certificate, for the signature on its letters; and its former ones.

A former certificate is kept, its key is not: letters that it signed are still checked with it.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kiosk.errors import NotFound, Stale, Unusable
from kiosk.files import write_new, write_over

KEY_FILE = "office-key.pem"
FORMER_FILE = "office-certificates.json"
CERTIFICATE_YEARS = 10
NOT_IN_FORCE = (
    "Sertifikat tanda tangan dinas tidak berlaku hari ini: "
    "admin menjalankan loket15 keys rotate --signing."
)


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
        key = cls.made(office_name, now)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write(folder / KEY_FILE, key._pem())
        except FileExistsError:
            raise Stale("Kunci tanda tangan dinas sudah ada dan tidak ditimpa.") from None
        return key

    @classmethod
    def made(cls, office_name: str, now: int) -> "OfficeKey":
        """A new key with its certificate, kept nowhere yet."""
        private = ec.generate_private_key(ec.SECP256R1())
        return cls(_self_signed(private, office_name, now), private)

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

    def __reduce__(self) -> tuple[object, tuple[bytes]]:
        """For a process of ours that signs for this one: handed over in a pipe, kept nowhere."""
        return OfficeKey._parse, (self._pem(),)

    def _pem(self) -> bytes:
        pem = serialization.Encoding.PEM
        return self.private_bytes(pem) + self.certificate.public_bytes(pem)

    def require_in_force(self, now: int) -> None:
        """The certificate is good at `now` (UTC seconds); else Unusable: nothing would verify."""
        begin, end = self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc
        if not begin <= datetime.fromtimestamp(now, UTC) <= end:
            raise Unusable(NOT_IN_FORCE)

    def fingerprint(self) -> str:
        """SHA-256 of the certificate in hex, for a person to compare."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def private_bytes(self, encoding: serialization.Encoding) -> bytes:
        """The private key as PKCS #8, in the clear."""
        plain = serialization.NoEncryption()
        return self.private.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain)


@dataclass(frozen=True)
class Known:
    """A certificate of the office, present or former. `revoked_at`: its key is not believed for
    what is signed from that day on.
    """

    certificate: x509.Certificate
    revoked_at: date | None = None

    def fingerprint(self) -> str:
        """SHA-256 of the certificate in hex, for a person to compare."""
        return self.certificate.fingerprint(hashes.SHA256()).hex()

    def believed(self, day: date) -> bool:
        """Whether a signature that says it was made on `day` is believed.

        Who stole the key can write any day into what they sign: a PDF under a revoked certificate
        is beyond doubt only when its hash is in the archive.
        """
        return self.revoked_at is None or day < self.revoked_at


class OfficeKeys:
    """The key that signs now and all certificates that ever were; looks for changes at each use."""

    def __init__(self, folder: Path, key: OfficeKey) -> None:
        self._folder = folder
        self._kept = (_stamp(folder / KEY_FILE), key)

    @classmethod
    def open(cls, folder: Path) -> "OfficeKeys":
        """As `OfficeKey.open`, which says what it raises."""
        keys = cls(folder, OfficeKey.open(folder))
        keys.known()
        return keys

    def current(self) -> OfficeKey:
        """The key that signs now, read again when a command has changed it."""
        stamp = _stamp(self._folder / KEY_FILE)
        if stamp != self._kept[0]:
            self._kept = (stamp, OfficeKey.open(self._folder))
        return self._kept[1]

    def known(self) -> list[Known]:
        """All certificates, oldest first; the last one's key signs."""
        former = self._former()
        current = self.current().certificate
        revoked = {one.fingerprint(): one.revoked_at for one in former}
        last = Known(current, revoked.get(Known(current).fingerprint()))
        return [one for one in former if one.certificate != current] + [last]

    def rotate(self, office_name: str, now: int) -> OfficeKey:
        """A new key signs from now on; the old one is gone, its certificate is kept."""
        with self._alone():
            return self._replace(self.known(), office_name, now)

    def revoke(self, number: int, day: date, office_name: str, now: int) -> bool:
        """Believe certificate `number` (1 is the oldest) only for what was signed before `day`; an
        earlier day wins. A new key at once when it was the one that signs: then True.

        Raises NotFound.
        """
        with self._alone():
            known = self.known()
            if not 1 <= number <= len(known):
                raise NotFound("Sertifikat tanda tangan dinas ini tidak ada.")
            old = known[number - 1]
            known[number - 1] = Known(old.certificate, min(day, old.revoked_at or day))
            signs = number == len(known)
            if signs:
                self._replace(known, office_name, now)
            else:
                self._keep_former(known[:-1])
        return signs

    def _replace(self, known: list[Known], office_name: str, now: int) -> OfficeKey:
        # The certificate is kept before its key goes: cut off between the two, it is there twice.
        self._keep_former(known)
        key = OfficeKey.made(office_name, now)
        write_over(self._folder / KEY_FILE, key._pem())
        return self.current()

    def _keep_former(self, known: list[Known]) -> None:
        kept = [
            {
                "certificate": one.certificate.public_bytes(serialization.Encoding.PEM).decode(),
                "revoked_at": one.revoked_at and one.revoked_at.isoformat(),
            }
            for one in known
        ]
        write_over(self._folder / FORMER_FILE, json.dumps(kept, indent=1).encode())

    def _former(self) -> list[Known]:
        try:
            kept = json.loads((self._folder / FORMER_FILE).read_bytes())
            return [_known(one["certificate"], one["revoked_at"]) for one in kept]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError, AttributeError):
            raise Unusable("Daftar sertifikat dinas rusak: pulihkan dari cadangan.") from None

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One writer at a time, also of several processes."""
        with (self._folder / ".writing").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _known(pem: str, revoked_at: str | None) -> Known:
    day = date.fromisoformat(revoked_at) if revoked_at else None
    return Known(x509.load_pem_x509_certificate(pem.encode()), day)


def _stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise NotFound("Kunci tanda tangan dinas belum dibuat.") from None
    return found.st_mtime_ns, found.st_ino, found.st_size


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
    beside.unlink(missing_ok=True)
    write_new(beside, data)
    try:
        path.hardlink_to(beside)
    finally:
        beside.unlink()
