"""TLSA records of mail servers: reading them, and whether a certificate is the one they name.

In: a record in master-file form; certificates in DER. Out: `Tlsa`; yes or no.
Standard: RFC 6698 §2.1 (fields), RFC 7671 §5 (what they mean), RFC 7672 §3.1 (usages 0 and 1 are not for SMTP).
Not here: whether the answer was DNSSEC-authentic and what follows (`server.delivery`, `audit.checks.dane`).
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

_LENGTHS = {1: 32, 2: 64}
MAX_DATA = 16384  # octets of a whole certificate


@dataclass(frozen=True, slots=True)
class Tlsa:
    """Usage 0 to 3, selector 0 (certificate) or 1 (its public key), matching type 0 (whole), 1 (SHA-256), 2 (SHA-512),
    octets."""

    usage: int
    selector: int
    matching_type: int
    data: bytes

    @property
    def is_usable(self) -> bool:
        """RFC 7672 §3.1.3: for SMTP only DANE-TA (2) and DANE-EE (3) count, with selector and type that are known."""
        fits = self.matching_type not in _LENGTHS or len(self.data) == _LENGTHS[self.matching_type]
        return self.usage in (2, 3) and self.selector in (0, 1) and self.matching_type in (0, 1, 2) and fits

    def __str__(self) -> str:
        return f"{self.usage} {self.selector} {self.matching_type} {self.data.hex()}"


def parse_tlsa(text: str) -> Tlsa | None:
    """A record such as "3 1 1 0123…"; None for what is none."""
    words = text.split()
    if len(words) < 4 or not all(word.isdecimal() and len(word) < 4 for word in words[:3]):
        return None
    try:
        data = binascii.unhexlify("".join(words[3:]))
    except (binascii.Error, ValueError):
        return None
    usage, selector, matching_type = map(int, words[:3])
    return Tlsa(usage, selector, matching_type, data) if len(data) <= MAX_DATA else None


def tlsa_data(certificate: bytes, selector: int, matching_type: int) -> bytes | None:
    """What a record with these fields holds for `certificate`; None where it cannot be read."""
    try:
        chosen = certificate if selector == 0 else public_key_info(certificate)
    except ValueError:
        return None
    if matching_type == 0:
        return chosen
    return (hashlib.sha256 if matching_type == 1 else hashlib.sha512)(chosen).digest()


def public_key_info(certificate: bytes) -> bytes:
    """The SubjectPublicKeyInfo of a certificate in DER. Raises ValueError."""
    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except Exception as error:  # a third-party parser on a stranger's octets
        raise ValueError("the certificate cannot be read") from error
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def matches_certificate(record: Tlsa, certificate: bytes) -> bool:
    """Whether `record` names `certificate`."""
    data = tlsa_data(certificate, record.selector, record.matching_type) if record.is_usable else None
    return data is not None and hmac.compare_digest(data, record.data)
