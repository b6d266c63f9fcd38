"""Verifiers for SCRAM-SHA-256, kept beside the argon2id hash.

In: a prepared password. Out: salt, iterations and the two keys. Standard: RFC 5802 §3, RFC 7677 §4.
Not here: how the keys are made, the exchange (`wire.sasl`). To somebody who steals the file a verifier is weaker than
argon2id (PBKDF2 needs no memory), hence the many iterations: the client pays for them, the server only at a new
password.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from gatepost.wire.sasl.scram_keys import ITERATIONS, SALT_SIZE, keys_of, salted_password

__all__ = ["ITERATIONS", "Keys", "derive_keys"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """What is kept; see `ports.ScramVerifier`."""

    salt: bytes = field(repr=False)
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


def derive_keys(password: str, *, salt: bytes | None = None, iterations: int = ITERATIONS) -> Keys:
    """The keys of `password` (prepared), with a fresh salt unless one is given."""
    salt = salt or secrets.token_bytes(SALT_SIZE)
    keys = keys_of(salted_password(password, salt, iterations))
    return Keys(salt=salt, iterations=iterations, stored_key=keys.stored_key, server_key=keys.server_key)
