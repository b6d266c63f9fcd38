"""The record that publishes a signing key, and whether DNS shows it.

In: a key; the answer to the question for its record. Out: the record's text; `Shown`, with the reason in plain words.
Standard: RFC 6376 §3.6.1 (the record), §3.6.2.2 (one at a selector), RFC 8463 §4 (Ed25519), RFC 8301 §3.2 (key sizes).
Not here: making keys and their roll-over (`server.signing`), who asks (`ports.Resolver`).
"""

from __future__ import annotations

import base64
import enum
from dataclasses import dataclass

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from gatepost.msgauth.dkim.record import REVOKED, KeyRecord, parse_key_record
from gatepost.msgauth.dkim.sign import PrivateKey
from gatepost.ports import Answer, DnsStatus

MIN_RSA_BITS = 1024  # RFC 8301 §3.2: signers MUST NOT use less, and SHOULD use 2048


class Shown(enum.StrEnum):
    """What DNS says of a key's record."""

    RIGHT = "right"
    MISSING = "missing"
    WRONG = "wrong"
    UNKNOWN = "unknown"  # DNS did not answer: nobody knows (never "missing")


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen, and in plain words why it is not right."""

    shown: Shown
    reason: str = ""


def key_name(selector: str, domain: str) -> str:
    """Where the record stands (RFC 6376 §3.6.2.1)."""
    return f"{selector}._domainkey.{domain}"


def write_key_record(key: PrivateKey) -> str:
    """The record of the key's public half (RFC 6376 §3.6.1; RFC 8463 §4: the bare 32 octets for Ed25519)."""
    public = key.public_key()
    if isinstance(public, Ed25519PublicKey):
        return f"v=DKIM1; k=ed25519; p={_base64(public.public_bytes_raw())}"
    return f"v=DKIM1; k=rsa; p={_base64(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo))}"


def read_private_key(pem: bytes) -> PrivateKey | str:
    """The key in PEM text without a password, or in one sentence why there is none that can sign."""
    try:
        key = load_pem_private_key(pem, password=None)
    except TypeError:
        return "is locked with a password; write it without one"
    except (ValueError, UnsupportedAlgorithm):
        return "holds no private key in PEM form"
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        return "is neither RSA nor Ed25519, and DKIM knows no others"
    if key.key_size < MIN_RSA_BITS:
        return f"has {key.key_size} bits; receivers refuse less than {MIN_RSA_BITS}, and 2048 are right"
    return key


def compare_published(answer: Answer, wanted: str) -> Sight:
    """Whether `answer`, to the TXT question at the key's name, shows the record `wanted` and no other."""
    if answer.status is DnsStatus.TEMPFAIL:
        return Sight(Shown.UNKNOWN, answer.reason or "DNS did not answer")
    if not answer.records:
        return Sight(Shown.MISSING, "there is no record")
    # RFC 6376 §3.6.2.2: with several the result is undefined, so that one of them is right does not help.
    if len(answer.records) > 1:
        return Sight(Shown.WRONG, f"{len(answer.records)} records stand at the name; leave only the right one")
    found, expected = parse_key_record(answer.texts[0]), parse_key_record(wanted.encode("ascii"))
    if isinstance(found, str):
        return Sight(Shown.MISSING if found == REVOKED else Shown.WRONG, found)
    if not isinstance(expected, KeyRecord):
        raise ValueError(f"a record of ours cannot be read: {expected}")
    return _compare(found, expected)


def _compare(found: KeyRecord, expected: KeyRecord) -> Sight:
    """Flags that limit a key count: what a receiver refuses is not right."""
    if found.key_type != expected.key_type:
        return Sight(Shown.WRONG, f"the record says {found.key_type}, the key is {expected.key_type}")
    if _octets(found.key) != _octets(expected.key):
        return Sight(Shown.WRONG, "the record holds another key")
    if found.hashes and "sha256" not in found.hashes:
        return Sight(Shown.WRONG, "the record does not allow SHA-256 (h=)")
    if found.testing:
        return Sight(Shown.WRONG, "the record says that the domain only tests (t=y); take that out")
    return Sight(Shown.RIGHT)


def _octets(key: RSAPublicKey | Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode("ascii")
