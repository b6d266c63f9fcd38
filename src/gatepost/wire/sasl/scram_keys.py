"""The keys of SCRAM-SHA-256: made of a password, kept as a verifier, checked in constant time.

In: prepared passwords (`prepare`), salt, rounds. Out: keys, proofs, decoys.
Standard: RFC 5802 §2.2, §3 (Hi is PBKDF2), RFC 7677 §3 (SHA-256). Not here: messages (`scram_messages`).
"""

from __future__ import annotations

import hashlib
import hmac
from typing import NamedTuple

from gatepost.ports import Identity, ScramVerifier

MIN_ITERATIONS = 4096  # RFC 7677 §4
# A verifier that is stolen is guessed at, and this is all that slows it; the client pays it, once a login. OWASP asks
# for 600,000 (2023), which an old telephone feels; Dovecot and PostgreSQL have 4096.
ITERATIONS = 100_000
MAX_ITERATIONS = 10_000_000  # a client does not work for ever because a server says so
KEY_SIZE = 32
SALT_SIZE = 16


class Keys(NamedTuple):
    """What a server keeps (RFC 5802 §3)."""

    stored_key: bytes
    server_key: bytes


def salted_password(password: str, salt: bytes, iterations: int) -> bytes:
    """Hi(password, salt, iterations)."""
    return hashlib.pbkdf2_hmac("sha256", password.encode("utf-8"), salt, iterations)


def client_key(salted: bytes) -> bytes:
    """ClientKey, which only who knows the password has."""
    return _hmac(salted, b"Client Key")


def keys_of(salted: bytes) -> Keys:
    """StoredKey and ServerKey."""
    return Keys(hashlib.sha256(client_key(salted)).digest(), _hmac(salted, b"Server Key"))


def make_verifier(identity: Identity, password: str, salt: bytes, iterations: int = ITERATIONS) -> ScramVerifier:
    """What is kept for `password`, which is prepared. It takes some 40 ms: not for the loop."""
    keys = keys_of(salted_password(password, salt, iterations))
    return ScramVerifier(
        identity=identity, salt=salt, iterations=iterations, stored_key=keys.stored_key, server_key=keys.server_key
    )


def proof_of(key: bytes, auth_message: bytes) -> bytes:
    """ClientProof := ClientKey XOR HMAC(StoredKey, AuthMessage)."""
    return _xor(key, _hmac(hashlib.sha256(key).digest(), auth_message))


def is_proof(proof: bytes, stored_key: bytes, auth_message: bytes) -> bool:
    """Whether `proof` was made by who has the password."""
    if len(proof) != KEY_SIZE:
        return False
    key = _xor(proof, _hmac(stored_key, auth_message))
    return hmac.compare_digest(hashlib.sha256(key).digest(), stored_key)


def signature_of(server_key: bytes, auth_message: bytes) -> bytes:
    """ServerSignature, by which the server proves that it has the verifier."""
    return _hmac(server_key, auth_message)


def decoy(secret: bytes, name: str, iterations: int = ITERATIONS) -> ScramVerifier:
    """For a name that nobody has: always the same salt for the same name, as if somebody had it. Nobody knows
    `secret`, 32 random octets that outlive a restart; so nobody can tell, and nothing ever proves it."""
    octets = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), key=secret[:64], digest_size=64).digest()
    return ScramVerifier(
        identity=Identity(account=""),
        salt=octets[:SALT_SIZE],
        iterations=iterations,
        stored_key=octets[SALT_SIZE : SALT_SIZE + KEY_SIZE],
        server_key=octets[-KEY_SIZE:],
    )


def _hmac(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, "sha256")


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")
