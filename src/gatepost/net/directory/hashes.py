"""Hashes of passwords as other systems keep them.

In: a hash, a password (prepared). Out: whether it is right; the keys of a SCRAM verifier. A hash that cannot be read is
a StoreError, not a wrong password: an administrator has to see it. Plain text and unsalted hashes are not read.
Standard: RFC 2307 §5.3 ({SSHA}), RFC 5803 §2, RFC 5802 §3, RFC 9106. Not here: our own (`store.accounts`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field

from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import InvalidHashError, VerificationError

from gatepost.errors import StoreError

DECOY = PasswordHasher().hash("the hash that time is spent on for names that do not exist")
MAX_ITERATIONS = 10_000_000  # a minute of work is no hash but an attack on us
_SALTED = {"{SSHA}": ("sha1", 20), "{SSHA256}": ("sha256", 32), "{SSHA512}": ("sha512", 64)}
_KEY = r"([A-Za-z0-9+/]{43}=)"
_SALT = r"([A-Za-z0-9+/]{4,512}={0,2})"
# "SCRAM-SHA-256$4096:salt$stored:server" is PostgreSQL's and nearly RFC 5803's; "{SCRAM-SHA-256}4096,…" is Dovecot's.
_VERIFIER = re.compile(
    rf"SCRAM-SHA-256\$(\d{{1,8}}):{_SALT}\${_KEY}:{_KEY}|\{{SCRAM-SHA-256\}}(\d{{1,8}}),{_SALT},{_KEY},{_KEY}"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScramKeys:
    """What a verifier holds."""

    salt: bytes = field(repr=False)
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


def is_right(kept: str, password: str) -> bool:
    """Whether `password` is the one that `kept` was made of; some take 50 ms. StoreError for a hash we cannot read."""
    bare = kept.removeprefix("{ARGON2ID}").removeprefix("{ARGON2I}")
    if bare.startswith("$argon2"):
        return _is_argon2(bare, password)
    keys = scram_keys(kept)
    if keys is not None:
        return _is_scram(keys, password)
    scheme, brace, encoded = kept.partition("}")
    if scheme.upper() + brace in _SALTED:
        return _is_salted(scheme.upper() + brace, encoded, password)
    raise StoreError("the directory has a password hash of a kind that is not read here (see docs/accounts.md)")


def scram_keys(kept: str) -> ScramKeys | None:
    """The keys, where `kept` is a SCRAM-SHA-256 verifier."""
    found = _VERIFIER.fullmatch(kept)
    if found is None:
        return None
    iterations, salt, stored, server = [group for group in found.groups() if group is not None]
    if not 0 < int(iterations) <= MAX_ITERATIONS:
        return None
    try:
        octets = [base64.b64decode(text, validate=True) for text in (salt, stored, server)]
    except binascii.Error:
        return None
    return ScramKeys(salt=octets[0], iterations=int(iterations), stored_key=octets[1], server_key=octets[2])


def _is_argon2(kept: str, password: str) -> bool:
    try:
        extract_parameters(kept)
        return PasswordHasher().verify(kept, password)
    except InvalidHashError:
        raise StoreError("the directory has a damaged argon2 hash") from None
    except VerificationError:
        return False


def _is_scram(keys: ScramKeys, password: str) -> bool:
    """RFC 5802 §3: StoredKey := H(HMAC(SaltedPassword, "Client Key"))."""
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), keys.salt, keys.iterations)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    return hmac.compare_digest(stored, keys.stored_key)


def _is_salted(scheme: str, encoded: str, password: str) -> bool:
    """RFC 2307 §5.3: digest and then salt, in base64."""
    name, size = _SALTED[scheme]
    try:
        octets = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        octets = b""
    if len(octets) <= size:
        raise StoreError(f"the directory has a damaged {scheme} hash, or one without salt")
    made = hashlib.new(name, password.encode() + octets[size:], usedforsecurity=True).digest()
    return hmac.compare_digest(made, octets[:size])
