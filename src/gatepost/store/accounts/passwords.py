"""Passwords as they are kept: argon2id for what people choose, one digest for what we draw at random.

In: passwords. Out: hashes, and whether one is right. Standard: RFC 9106 §4 (argon2id, second recommended choice),
RFC 8265 §4.2 (one form of a password). Not here: what is refused as too weak (`strength`), verifiers (`scram`).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from gatepost.errors import InputError
from gatepost.wire.sasl.prepare import Unfit, prepare_password

_ALPHABET = "abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # without the look-alikes 0 O o 1 l I i
_GROUPS, _GROUP = 4, 5  # 20 characters of 55: 115 bits
SALT = 16  # octets (RFC 9106 §3.1)

# RFC 9106 §4: 64 MiB, 3 passes, 4 lanes.
HASHER = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=4)


def random_password() -> str:
    """A password nobody guesses and anybody can type: four groups of five, "Kx3pT-…"."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(_GROUP)) for _ in range(_GROUPS))


def prepared(password: str) -> str:
    """`password` in the form that is hashed. Raises InputError, which does not show it."""
    try:
        return prepare_password(password)
    except Unfit as error:
        raise InputError("password", "(not shown)", str(error)) from None


def hash_password(password: str) -> str:
    """The argon2id hash of a prepared password (some 50 ms and 64 MiB, in C)."""
    return HASHER.hash(password)


def is_right(password_hash: str, password: str) -> bool:
    """Whether `password` (prepared) is the one; False for a hash that is none."""
    try:
        return HASHER.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


def bare(app_password: str) -> str:
    """An app password as it is compared: people type it with or without its dashes, or with blanks."""
    return app_password.replace("-", "").replace(" ", "")


def digest(app_password: str, salt: bytes) -> bytes:
    """What is kept of an app password. It has 115 bits of chance, which no slow hash need make up for."""
    return hashlib.sha256(salt + bare(app_password).encode()).digest()


def is_app_password(kept: bytes, salt: bytes, password: str) -> bool:
    """Whether `password` is the app password that `kept` was made of."""
    return hmac.compare_digest(kept, digest(password, salt))
