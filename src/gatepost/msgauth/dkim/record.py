"""Reads a key record and the public key in it.

In: the octets of a TXT record. Out: `KeyRecord`, or the reason why there is none. Records that were read are kept
by their octets, so that a sender's key is decoded once and not once a message.
Standard: RFC 6376 §3.6.1 and §6.1.2, RFC 8463 §4, RFC 8301 §3.2. Not here: asking DNS (`lookup`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from gatepost.msgauth.dkim.signature import decode_base64
from gatepost.msgauth.taglist import parse_tags, without_whitespace

REVOKED = "the key has been revoked"
MAX_RECORD = 4096  # octets; an RSA key of 8192 bits takes 1,500
CACHED_KEYS = 2048  # about 3 KB each

PublicKey = RSAPublicKey | Ed25519PublicKey


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """A key as published. `hashes` is empty when all are allowed; `strict` is `t=s`, `testing` is `t=y`."""

    key_type: str
    key: PublicKey
    bits: int
    hashes: frozenset[str] = frozenset()
    testing: bool = False
    strict: bool = False


def parse_key_record(text: bytes) -> KeyRecord | str:
    """The record, or in one sentence why it gives no key. Total: any octets give one of the two."""
    if len(text) > MAX_RECORD:
        return "the key record is too long"
    return _parse(text)


@lru_cache(maxsize=CACHED_KEYS)
def _parse(text: bytes) -> KeyRecord | str:
    tags, defect = parse_tags(b" ".join(text.splitlines()))  # real records have line ends pasted into them
    if defect:
        return f"the key record cannot be read: {defect}"
    # RFC 6376 §3.6.1: v= SHOULD be there; if it is, it must come first and be DKIM1.
    if "v" in tags and (tags["v"] != b"DKIM1" or next(iter(tags)) != "v"):
        return "the key record is of another version than DKIM1"
    if "p" not in tags:
        return "the key record holds no key"
    services = _words(tags.get("s", b"*"))
    if not services & {"*", "email"}:
        return "the key is not for e-mail"
    # g= was dropped by RFC 6376 (Appendix C); a record that has it is read as if it had not.
    return _with_key(tags.get("k", b"rsa").lower(), tags["p"], _words(tags.get("h", b"")), _words(tags.get("t", b"")))


def _with_key(kind: bytes, encoded: bytes, hashes: frozenset[str], flags: frozenset[str]) -> KeyRecord | str:
    text = without_whitespace(encoded)
    if not text:
        return REVOKED  # RFC 6376 §3.6.1: an empty p=
    octets = decode_base64(text)
    if kind == b"rsa":
        key: PublicKey | None = _rsa_key(octets)
    elif kind == b"ed25519":
        key = _ed25519_key(octets)
    else:
        return "the key is of an unknown type"
    if key is None:
        return "the key cannot be read"
    return KeyRecord(
        key_type=kind.decode("ascii"),
        key=key,
        bits=key.key_size if isinstance(key, RSAPublicKey) else 256,
        hashes=hashes,
        testing="y" in flags,
        strict="s" in flags,
    )


def _words(value: bytes) -> frozenset[str]:
    """A colon-separated list; unknown words in it are passed over by whoever asks."""
    return frozenset(word for word in without_whitespace(value).lower().decode("ascii", "replace").split(":") if word)


def _rsa_key(octets: bytes) -> RSAPublicKey | None:
    """SubjectPublicKeyInfo, as everyone publishes it, or the bare RSAPublicKey (RFC 6376 §3.6.1 and its errata)."""
    try:
        key = load_der_public_key(octets)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key if isinstance(key, RSAPublicKey) else None


def _ed25519_key(octets: bytes) -> Ed25519PublicKey | None:
    """RFC 8463 §4.2: the 32 octets themselves."""
    return Ed25519PublicKey.from_public_bytes(octets) if len(octets) == 32 else None
