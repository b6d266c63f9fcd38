"""What is prepared and signed verifies, whatever came in and however the fields were folded; nothing raises."""

from __future__ import annotations

from types import MappingProxyType

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost import dkim
from gatepost.message.message import parse_message
from gatepost.message.seven_bit import to_seven_bit
from gatepost.server.signing.keyring import KeyRing, SigningKey
from gatepost.server.signing.settings import SigningSettings
from gatepost.server.signing.signer import Signer
from gatepost.server.submission.bulk_settings import BulkSettings
from gatepost.server.submission.prepare import prepare
from gatepost.server.submission.unsubscribe import Unsubscribe
from keys import key_record
from txt_zone import TxtZone

NOW = 1_795_000_000.0
RSA = generate_private_key(65537, 2048)
ED25519 = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ZONE = TxtZone({"r._domainkey.example.org": key_record(RSA), "e._domainkey.example.org": key_record(ED25519)})
SIGNER = Signer(
    SigningSettings(),
    KeyRing(
        MappingProxyType(
            {"example.org": (SigningKey("example.org", "r", RSA), SigningKey("example.org", "e", ED25519))}
        )
    ),
)
WAY = Unsubscribe(BulkSettings(unsubscribe_url="https://example.org/?{recipient}", unsubscribe_mailto="l@example.org"))

VALUE = st.lists(
    st.sampled_from([b"word", b" ", b"\t", b"\r\n ", b"\r\n\t", b"\xc3\xa4", b"x" * 1200, b",", b";", b"\xff", b":"]),
    max_size=12,
).map(b"".join)
NAMES = [b"Subject", b"To", b"Cc", b"Bcc", b"Reply-To", b"Content-Type", b"Date", b"X-Other", b"List-Unsubscribe"]
MULTIPART = b"Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n"
FIELD = st.just(MULTIPART) | st.tuples(st.sampled_from(NAMES), VALUE).map(
    lambda pair: pair[0] + b": " + pair[1] + b"\r\n"
)
LINES = [
    b"",
    b"text",
    b" . ",
    b"--b",
    b"--b--",
    b"\xc3\xa4",
    b"y" * 1500,
    b"Content-Type: text/html",
    b"Content-Transfer-Encoding: base64",
    b".",
]
BODY = st.lists(st.sampled_from(LINES), max_size=12).map(b"\r\n".join)


@given(st.lists(FIELD, max_size=6).map(b"".join), BODY)
@settings(max_examples=100, deadline=None)
def test_what_is_prepared_and_signed_verifies(fields: bytes, body: bytes) -> None:
    raw = b"From: ann@example.org\r\n" + fields + b"\r\n" + body
    done = prepare(raw, hostname="mx.example.org", now=NOW, unique="1", recipients=["b@example.net"], unsubscribe=WAY)
    signed = SIGNER.sign(done.raw, done.author_domain, NOW)
    result = dkim.verify_sync(signed.raw, resolver=ZONE, now=NOW)
    assert [one.result for one in result.signatures] == ["pass", "pass"]
    more = b"Subject: another\r\n" + signed.raw  # oversigned: nothing can be added above
    assert {one.result for one in dkim.verify_sync(more, resolver=ZONE, now=NOW).signatures} == {"fail"}
    assert parse_message(done.raw).header.first("bcc") is None


@given(st.binary(max_size=300))
def test_any_octets_are_prepared_and_signed_or_refused(raw: bytes) -> None:
    done = prepare(raw, hostname="mx.example.org", now=NOW, unique="1", unsubscribe=WAY, recipients=["b@example.net"])
    signed = SIGNER.sign(done.raw, "example.org", NOW)
    assert signed.by or signed.refusal


@given(st.lists(FIELD, max_size=4).map(b"".join), BODY)
@settings(max_examples=100)
def test_what_is_encoded_says_the_same_and_needs_nothing_more(fields: bytes, body: bytes) -> None:
    raw = b"From: ann@example.org\r\n" + fields + b"\r\n" + body
    once = to_seven_bit(parse_message(raw))
    before = [part.decoded.octets for part in parse_message(raw).tree.walk() if not part.children]
    after = [part.decoded.octets for part in parse_message(once.raw).tree.walk() if not part.children]
    assert [octets.rstrip(b"\r\n") for octets in before] == [octets.rstrip(b"\r\n") for octets in after]
    twice = to_seven_bit(parse_message(once.raw))
    assert twice.raw == once.raw
