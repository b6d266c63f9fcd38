"""The record of a key, and what counts as being shown in DNS."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from gatepost.msgauth.dkim.publish import Shown, compare_published, read_private_key, write_key_record
from gatepost.msgauth.dkim.record import KeyRecord, parse_key_record
from gatepost.ports import Answer, DnsStatus, Question

RSA = generate_rsa(65537, 2048)
ED25519 = Ed25519PrivateKey.generate()
QUESTION = Question("s._domainkey.example.org", "TXT")


def shown(*records: bytes, wanted: str | None = None) -> tuple[Shown, str]:
    answer = Answer(question=QUESTION, status=DnsStatus.OK if records else DnsStatus.NODATA, records=records)
    sight = compare_published(answer, wanted or write_key_record(RSA))
    return sight.shown, sight.reason


def test_what_is_written_is_read_as_the_same_key() -> None:
    for key in (RSA, ED25519):
        record = parse_key_record(write_key_record(key).encode())
        assert isinstance(record, KeyRecord)
        assert record.key == key.public_key()


def test_the_right_record_however_it_is_written() -> None:
    text = write_key_record(RSA).encode()
    assert shown(text)[0] is Shown.RIGHT
    assert shown(text.replace(b"v=DKIM1; ", b"").replace(b"k=rsa; ", b""))[0] is Shown.RIGHT
    assert shown(text.replace(b"; ", b" ;  ") + b"; s=email; h=sha256; t=s;")[0] is Shown.RIGHT


@pytest.mark.parametrize(
    ("record", "word"),
    [
        (write_key_record(generate_rsa(65537, 2048)).encode(), "another key"),
        (write_key_record(ED25519).encode(), "says ed25519"),
        (write_key_record(RSA).encode()[:250], "cannot be read"),  # the second character-string was forgotten
        (write_key_record(RSA).encode() + b"; t=y", "tests"),
        (write_key_record(RSA).encode() + b"; h=sha1", "SHA-256"),
        (b"v=spf1 -all", ""),
        (b"\xff\x00", ""),
    ],
)
def test_wrong_and_partial_records(record: bytes, word: str) -> None:
    found, reason = shown(record)
    assert found is Shown.WRONG
    assert word in reason


def test_two_records_are_wrong_though_one_is_right() -> None:
    found, reason = shown(write_key_record(RSA).encode(), write_key_record(ED25519).encode())
    assert found is Shown.WRONG
    assert "leave only" in reason


def test_none_and_revoked_is_missing_and_silence_is_unknown() -> None:
    assert shown()[0] is Shown.MISSING
    assert shown(b"v=DKIM1; p=")[0] is Shown.MISSING
    silent = Answer(question=QUESTION, status=DnsStatus.TEMPFAIL, reason="timed out")
    assert compare_published(silent, write_key_record(RSA)).shown is Shown.UNKNOWN


def pem(key: object, lock: KeySerializationEncryption | None = None) -> bytes:
    octets: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, lock or NoEncryption())  # type: ignore[attr-defined]
    return octets


def test_private_keys_are_read_or_told_why_not() -> None:
    assert not isinstance(read_private_key(pem(RSA)), str)
    assert not isinstance(read_private_key(pem(ED25519)), str)
    assert "password" in str(read_private_key(pem(RSA, BestAvailableEncryption(b"secret"))))
    assert "neither" in str(read_private_key(pem(generate_private_key(SECP256R1()))))
    assert "no private key" in str(read_private_key(b"\x00\xffnonsense"))
    assert "no private key" in str(read_private_key(b""))
