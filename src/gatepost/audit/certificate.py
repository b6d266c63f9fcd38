"""A server's certificate, as far as mail looks at it.

In: DER. Out: `Certificate`, None for what cannot be read.
Standard: RFC 5280 (fields), RFC 9525 §6.3 (names), RFC 6960 (OCSP answers), RFC 7633 (must-staple).
Not here: whether a known authority vouches for it (the prober tells), what follows (`checks.certificates`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtensionOID, NameOID

MAX_NAMES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """`names` are those it was given for (A-labels, lower case); without a SAN extension the common name, which no
    sender looks at any more (`has_names` is False then). Times are in seconds since the epoch. `key_type` is "rsa",
    "ec", "ed25519", "dsa" … `signed_with` is the digest of its signature."""

    subject: str
    issuer: str
    names: tuple[str, ...]
    has_names: bool
    not_before: float
    not_after: float
    key_type: str
    bits: int
    signed_with: str
    self_signed: bool
    serial: str
    must_staple: bool

    def names_host(self, host: str) -> bool:
        """RFC 9525 §6.3: a wildcard stands for exactly one label, the leftmost."""
        wanted = host.lower().removesuffix(".")
        above = wanted.partition(".")[2]
        return self.has_names and any(name == wanted or (name[:2] == "*." and name[2:] == above) for name in self.names)


@lru_cache(maxsize=256)
def read_certificate(der: bytes) -> Certificate | None:
    """The certificate in `der`. Whatever a third-party parser makes of a stranger's octets is no certificate."""
    try:
        found = x509.load_der_x509_certificate(der)
        return _read(found)
    except Exception:
        return None


def _read(found: x509.Certificate) -> Certificate:
    names = _alternative_names(found)
    algorithm = found.signature_hash_algorithm
    key_type, bits = _key(found)
    return Certificate(
        subject=found.subject.rfc4514_string()[:300],
        issuer=found.issuer.rfc4514_string()[:300],
        names=names if names is not None else _common_names(found),
        has_names=names is not None,
        not_before=found.not_valid_before_utc.timestamp(),
        not_after=found.not_valid_after_utc.timestamp(),
        key_type=key_type,
        bits=bits,
        signed_with=algorithm.name if algorithm is not None else "",
        self_signed=found.subject == found.issuer,
        serial=f"{found.serial_number:x}",
        must_staple=_must_staple(found),
    )


def _alternative_names(found: x509.Certificate) -> tuple[str, ...] | None:
    try:
        extension = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
    names = [name.lower().removesuffix(".") for name in extension.get_values_for_type(x509.DNSName)]
    addresses = [str(address) for address in extension.get_values_for_type(x509.IPAddress)]
    return tuple([*names, *addresses][:MAX_NAMES])


def _common_names(found: x509.Certificate) -> tuple[str, ...]:
    return tuple(str(one.value).lower()[:253] for one in found.subject.get_attributes_for_oid(NameOID.COMMON_NAME))


def _key(found: x509.Certificate) -> tuple[str, int]:
    key = found.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        return "rsa", key.key_size
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ec", key.key_size
    if isinstance(key, dsa.DSAPublicKey):
        return "dsa", key.key_size
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519", 256
    return ("ed448", 456) if isinstance(key, ed448.Ed448PublicKey) else ("unknown", 0)


def _must_staple(found: x509.Certificate) -> bool:
    try:
        feature = found.extensions.get_extension_for_oid(ExtensionOID.TLS_FEATURE).value
    except x509.ExtensionNotFound:
        return False
    return isinstance(feature, x509.TLSFeature) and x509.TLSFeatureType.status_request in feature


@dataclass(frozen=True, slots=True)
class Staple:
    """An OCSP answer: "good", "revoked" or "unknown", and until when it holds (None: not said). `problem` is why it
    says nothing."""

    status: str = ""
    until: float | None = None
    problem: str = ""


def read_staple(der: bytes) -> Staple:
    """RFC 6960 §4.2."""
    try:
        found = ocsp.load_der_ocsp_response(der)
        if found.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return Staple(problem=f"the answer says {found.response_status.name.lower()}")
        until = found.next_update_utc
        return Staple(found.certificate_status.name.lower(), until.timestamp() if until is not None else None)
    except Exception as error:
        return Staple(problem=f"it cannot be read ({type(error).__name__})")
