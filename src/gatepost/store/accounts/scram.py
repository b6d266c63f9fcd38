"""Verifiers for SCRAM-SHA-256, kept beside the argon2id hash.

In: a prepared password. Out: salt, iterations and the two keys. Standard: RFC 5802 §3, RFC 7677 §4.
Not here: the exchange (`wire.sasl`). To somebody who steals the file a verifier is weaker than argon2id
(PBKDF2 needs no memory), hence the many iterations: the client pays for them, the server only at a new password.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field

# RFC 7677 §4 asks for 4096 at least. 100,000 take a telephone a tenth of a second, once a login.
ITERATIONS = 100_000
SALT = 16  # octets


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What is kept; see `ports.ScramVerifier`."""

    salt: bytes = field(repr=False)
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


def derive_keys(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> Keys:
    """The keys of `password` (prepared). RFC 5802 §3."""
    salt = salt or secrets.token_bytes(SALT)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    return Keys(
        salt=salt,
        iterations=iterations,
        stored_key=hashlib.sha256(client_key).digest(),
        server_key=hmac.digest(salted, b"Server Key", "sha256"),
    )
