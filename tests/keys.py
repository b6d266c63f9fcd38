"""Key records for keys that a test made."""

from __future__ import annotations

from base64 import b64encode

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


def key_record(key: RSAPrivateKey | Ed25519PrivateKey, **tags: str) -> bytes:
    """The TXT record of `key`'s public half, with further tags before p=."""
    if isinstance(key, Ed25519PrivateKey):
        kind, octets = "ed25519", key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    else:
        kind, octets = "rsa", key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    more = "".join(f"{name}={value}; " for name, value in tags.items())
    return f"v=DKIM1; k={kind}; {more}p={b64encode(octets).decode()}".encode()
