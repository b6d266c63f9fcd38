"""Certificates for tests: leaves by an authority or by one below it, expired ones among them; in DER and PEM."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = 86_400


class Made:
    """A certificate with its key. `days` counts from `now`; a negative one has expired."""

    def __init__(
        self, names: Sequence[str], now: float, *, by: Made | None = None, authority: bool = False, days: int = 90
    ) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        end = datetime.fromtimestamp(now, UTC).replace(microsecond=0) + timedelta(days=days)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(by.certificate.subject if by else subject)
            .public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - timedelta(days=120))
            .not_valid_after(end)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), False)
        self.certificate = builder.sign(by.key if by else self.key, hashes.SHA256())
        self.above: tuple[Made, ...] = (by, *by.above) if by else ()

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def chain(self) -> tuple[bytes, ...]:
        """In DER, this one first."""
        return (self.der, *(one.der for one in self.above))

    def write(self, folder: Path, name: str, *, chain: bool = True) -> tuple[str, str]:
        """The files of the chain and of the key."""
        above = b"".join(one.pem for one in self.above) if chain else b""
        (folder / f"{name}.pem").write_bytes(self.pem + above)
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (folder / f"{name}.key").write_bytes(key)
        (folder / f"{name}.key").chmod(0o600)
        return str(folder / f"{name}.pem"), str(folder / f"{name}.key")
