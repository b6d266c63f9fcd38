"""Invariants of DKIM, ARC and Authentication-Results: the quick forms equal the plain ones, what is signed verifies,
what is written reads the same, and any octets give a verdict."""

from __future__ import annotations

import re

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost import arc, dkim
from gatepost.message.header import RawField, parse_header
from gatepost.msgauth.arc.record import parse_message_signature, parse_results_instance, parse_seal
from gatepost.msgauth.authres import (
    AuthenticationResults,
    MethodResult,
    Property,
    parse_authentication_results,
    remove_ours,
    write_authentication_results,
)
from gatepost.msgauth.dkim.canonical import relaxed_body, relaxed_field, simple_body
from gatepost.msgauth.dkim.record import parse_key_record
from gatepost.msgauth.dkim.signature import parse_signature
from gatepost.msgauth.taglist import parse_tags
from keys import key_record
from txt_zone import TxtZone

NOW = 1_790_000_000.0
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
ZONE = TxtZone({"s._domainkey.example.com": key_record(KEY)})

# Small alphabets, so that the rare neighbours (CR beside LF, space at a line's end) are frequent.
BODY = st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"\r", b"\n", b"a", b".", b"\x0b", b"\xff"])).map(b"".join)
PIECES = rb"a= b= bh= d= h= s= v=1 i=1 cv=none t= x= l= p= k=rsa ; = : / (c) rsa-sha256 example.com from AAAA DKIM1 9"
TAGGED = st.lists(st.sampled_from([*PIECES.split(), b" ", b"\r\n\t", b"\xff", b"9" * 20])).map(b"".join)
FORMS = ("simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed")


def plain_simple(body: bytes) -> bytes:
    return re.sub(rb"(\r\n)*\Z", b"", body) + b"\r\n"


def plain_relaxed(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).removesuffix(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


@given(BODY)
def test_bodies_are_as_the_rfc_says(body: bytes) -> None:
    assert b"".join(simple_body(body, 0)) == plain_simple(body)
    assert b"".join(relaxed_body(body, 0)) == plain_relaxed(body)


@given(st.sampled_from([b" ", b"\t", b"x"]), st.integers(0, 300), st.integers(0, 300))
def test_runs_of_any_length_become_one_space(octet: bytes, first: int, second: int) -> None:
    body = b"a" + octet * first + b"b" + b" " * second + b"c\r\n"
    assert b"".join(relaxed_body(body, 0)) == plain_relaxed(body)


@given(BODY.filter(lambda text: b"\n" not in text.replace(b"\r\n", b"")))
def test_fields_are_as_the_rfc_says(value: bytes) -> None:
    folded = value.replace(b"\r\n", b"\r\n ") + b"\r\n"
    raw = b"Name \t:" + folded
    unfolded = folded[:-2].replace(b"\r\n", b"")
    expected = b"name:" + re.sub(rb"[ \t]+", b" ", unfolded).strip(b" ") + b"\r\n"
    assert relaxed_field(RawField("Name", "name", raw, 0), raw) == expected


@given(BODY, BODY, st.sampled_from(FORMS))
@settings(max_examples=60)
def test_what_is_signed_verifies(subject: bytes, body: bytes, form: str) -> None:
    head = b"From: a@example.com\r\nSubject: " + re.sub(rb"[\r\n]+", b"\r\n ", subject) + b"x\r\n\r\n"
    signed = dkim.sign_message(head + body, domain="example.com", selector="s", key=KEY, now=NOW, canonicalization=form)
    assert dkim.verify_sync(signed, resolver=ZONE, now=NOW).result == "pass"
    assert dkim.verify_sync(signed + b"more", resolver=ZONE, now=NOW).result == "fail"
    assert dkim.verify_sync(signed.replace(b"a@ex", b"b@ex", 1), resolver=ZONE, now=NOW).result == "fail"


@given(TAGGED, BODY)
def test_any_octets_give_a_verdict(tags: bytes, body: bytes) -> None:
    for name in (b"DKIM-Signature", b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results"):
        raw = name + b":" + tags + b"\r\nFrom: a@example.com\r\n\r\n" + body
        assert dkim.verify_sync(raw, resolver=ZONE, now=NOW).result != "pass"
        assert arc.verify_sync(raw, resolver=ZONE, now=NOW).result != "pass"


@given(st.one_of(TAGGED, st.binary(max_size=200)))
def test_parsers_take_any_octets(octets: bytes) -> None:
    field = RawField("X", "x", b"X:" + octets, 0)
    for parse in (parse_signature, parse_seal, parse_message_signature, parse_results_instance):
        parse(field)
    parse_key_record(octets)
    tags, _ = parse_tags(octets)
    assert all(value == value.strip(b" \t") for value in tags.values())


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40).filter(
    lambda text: text == " ".join(text.split()) or not text.isspace()
)
WORD = st.from_regex(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", fullmatch=True)
PROPERTY = st.builds(lambda p, n, v: Property(ptype=p, name=n, value=v), WORD, WORD, TEXT)
COMMENT = st.text(st.sampled_from("abc 1.,;=\"'@"), min_size=1)
METHOD = st.builds(
    lambda m, r, why, props, comments: MethodResult(
        method=m, result=r, reason=why, properties=tuple(props), comments=tuple(comments)
    ),
    WORD,
    WORD.filter(lambda word: word != "none"),
    st.one_of(st.just(""), TEXT),
    st.lists(PROPERTY, max_size=3),
    st.lists(COMMENT, max_size=2),
)


@given(st.lists(METHOD, max_size=4))
def test_what_is_written_reads_the_same(results: list[MethodResult]) -> None:
    field = parse_header(write_authentication_results("mx.example.org", results) + b"\r\n").fields[0]
    assert parse_authentication_results(field.body) == AuthenticationResults(
        authserv_id="mx.example.org", results=tuple(results)
    )


@given(st.text(max_size=80), st.booleans())
def test_nothing_breaks_out_of_a_field(text: str, utf8: bool) -> None:
    one = MethodResult(
        method="spf", result="fail", reason=text, properties=(Property(ptype="smtp", name="helo", value=text or "x"),)
    )
    header = parse_header(write_authentication_results("mx.example.org", [one], utf8=utf8) + b"\r\n")
    (read,) = parse_authentication_results(header.fields[0].body).results
    assert len(header.fields) == 1
    assert (read.method, read.result, len(read.properties)) == ("spf", "fail", 1)


@given(st.text(st.sampled_from('mx.exampleorgMX "\\();=1\r\n\t'), max_size=60))
def test_what_reads_as_ours_is_found(text: str) -> None:
    """If our own reader says that a field is ours, it is removed."""
    header = parse_header(f"Authentication-Results: {text}\r\n\r\n".encode())
    for index, field in enumerate(header.fields):
        if field.key == "authentication-results":
            results = parse_authentication_results(field.body)
            if results.authserv_id.lower() == "mx.example.org":
                assert index in remove_ours(header, "mx.example.org")
