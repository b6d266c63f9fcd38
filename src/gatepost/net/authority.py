"""A certificate authority of our own: one root, leaves for servers.

In: names and the time. Out: certificates and keys as PEM, and files that only their owner reads.
Standard: RFC 5280 §4.2 (extensions), RFC 9525 §4.1 (names live in the SAN), RFC 5480 (P-256 keys).
Not here: TLS itself (`net.tls`), certificates of a public authority (ACME). For `gatepost init` and the lab.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gatepost.errors import InputError

ROOT_DAYS = 3650
LEAF_DAYS = 199  # public authorities may give 200 at most since March 2026; nobody is surprised by our 199
_BACKDATED = timedelta(hours=1)  # a peer's clock may be slow
_ROOT_CERTIFICATE, _ROOT_KEY = "ca.pem", "ca.key"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issued:
    """A leaf: `chain` is its certificate and the root's, `key` its private key, both PEM."""

    chain: bytes
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The root: its certificate and private key."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @property
    def pem(self) -> bytes:
        """The root's certificate, for those who shall trust it."""
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def issue(self, names: Sequence[str], *, now: float, days: int = LEAF_DAYS) -> Issued:
        """A server certificate for `names` (A-labels or addresses, the first is the common name)."""
        if not names:
            raise InputError("names", "", "a certificate needs at least one name")
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(names[0]), self.certificate.subject, key.public_key(), now, days)
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        certificate = (
            builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
            .add_extension(_key_usage(leaf=True), critical=True)
            .add_extension(usage, critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        return Issued(chain=certificate.public_bytes(serialization.Encoding.PEM) + self.pem, key=_key_pem(key))

    def save(self, folder: Path) -> None:
        """Writes ca.pem and ca.key into `folder`, readable by their owner only."""
        write_private(folder / _ROOT_KEY, _key_pem(self.key))
        write_private(folder / _ROOT_CERTIFICATE, self.pem)


def make_authority(name: str, *, now: float, days: int = ROOT_DAYS) -> Authority:
    """A new root called `name`."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    certificate = (
        _builder(subject, subject, key.public_key(), now, days)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(leaf=False), critical=True)
        .sign(key, hashes.SHA256())
    )
    return Authority(certificate=certificate, key=key)


def load_authority(folder: Path) -> Authority:
    """The root that `save` wrote into `folder`."""
    try:
        certificate = x509.load_pem_x509_certificate((folder / _ROOT_CERTIFICATE).read_bytes())
        key = serialization.load_pem_private_key((folder / _ROOT_KEY).read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise InputError("certificate authority", folder, f"ca.pem and ca.key cannot be read: {error}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise InputError("certificate authority", folder, "ca.key does not belong to ca.pem")
    return Authority(certificate=certificate, key=key)


def write_private(path: Path, data: bytes) -> None:
    """Writes `data` whole or not at all, mode 0600, durable on return (file and folder are synced)."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise InputError("file", path, f"cannot be written: {error.strerror}") from error
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: float, days: int
) -> x509.CertificateBuilder:
    start = datetime.fromtimestamp(now, UTC).replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start - _BACKDATED)
        .not_valid_after(start + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, leaf: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=leaf,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=not leaf,
        crl_sign=not leaf,
        encipher_only=False,
        decipher_only=False,
    )


def _name(text: str) -> x509.Name:
    """At most 64 characters (RFC 5280, ub-common-name); the SAN is what counts."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:64])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        pass
    try:
        return x509.DNSName(name)
    except ValueError as error:
        raise InputError("names", name, "write internationalised names as A-labels (xn--…)") from error


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
