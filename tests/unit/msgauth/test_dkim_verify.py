"""DKIM verification at its public boundary: what passes, what does not, and the word and reason for each."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from gatepost.dkim import DkimResult, DkimSettings, SignatureResult, sign_message, verify_sync
from gatepost.errors import InputError
from keys import key_record
from txt_zone import TxtZone

NOW = 1_790_000_000.0
RSA = generate_private_key(65537, 2048)
ED25519 = Ed25519PrivateKey.generate()
NAME = "s1._domainkey.example.com"
RAW = (
    b"From: Ann <ann@example.com>\r\nTo: bob@example.org\r\nSubject: a  folded\r\n\tsubject\r\n"
    b"Date: Mon, 21 Sep 2026 12:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nHello  there \r\n\r\nBye\r\n\r\n\r\n"
)


def sign(raw: bytes = RAW, **options: Any) -> bytes:
    options = {"domain": "example.com", "selector": "s1", "key": RSA, "now": NOW} | options
    return sign_message(raw, **options)


def check(raw: bytes, record: bytes = b"", now: float = NOW, **settings: Any) -> DkimResult:
    zone = TxtZone({NAME: record or key_record(RSA)})
    return verify_sync(raw, resolver=zone, now=now, settings=DkimSettings(**settings))


def only(result: DkimResult) -> SignatureResult:
    (signature,) = result.signatures
    assert result.result == signature.result
    return signature


def test_no_signature() -> None:
    result = check(RAW)
    assert result.as_json() == {"result": "none", "signatures": []}


@pytest.mark.parametrize("key", [RSA, ED25519])
@pytest.mark.parametrize("form", ["simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed"])
def test_signed_by_us_verified_by_us(key: Any, form: str) -> None:
    signature = only(check(sign(key=key, canonicalization=form), key_record(key)))
    assert signature.result == "pass"
    assert (signature.domain, signature.selector, signature.identity) == ("example.com", "s1", "@example.com")
    assert signature.key_bits == (2048 if key is RSA else 256)
    assert signature.signed_fields.count("from") == 2


def test_as_json() -> None:
    assert check(sign()).as_json() == {
        "result": "pass",
        "signatures": [
            {"domain": "example.com", "selector": "s1", "algorithm": "rsa-sha256", "result": "pass", "reason": ""}
        ],
    }


def test_relaxed_survives_what_relays_change() -> None:
    signed = sign(canonicalization="relaxed/relaxed")
    changed = signed.replace(b"Subject: a  folded\r\n\tsubject", b"SUBJECT:a folded subject")
    changed = changed.replace(b"Hello  there \r\n", b"Hello there\r\n") + b"\r\n"
    assert changed != signed
    assert check(changed).result == "pass"
    assert check(sign(canonicalization="simple/simple") + b"\r\n").result == "pass"
    assert check(sign(canonicalization="simple/simple").replace(b"Hello  ", b"Hello ")).result == "fail"


def test_changed_body_and_changed_header() -> None:
    assert "body" in only(check(sign().replace(b"Bye", b"Bie"))).reason
    assert "header" in only(check(sign().replace(b"To: bob@", b"To: rob@"))).reason
    assert check(sign().replace(b"Bye", b"Bie")).result == "fail"


def test_a_saved_file_without_crlf() -> None:
    assert check(sign().replace(b"\r\n", b"\n")).result == "pass"
    head, _, body = sign().partition(b"\r\n\r\n")
    assert check(head.replace(b"\r\n", b"\n") + b"\n\n" + body).result == "pass"  # only the header was converted
    mixed = sign().replace(b"Hello  there \r\n", b"Hello  there \n")
    assert check(mixed).result == "fail"


@pytest.mark.parametrize(
    ("record", "word", "result"),
    [
        (b"v=DKIM1; p=", "revoked", "permerror"),
        (b"v=DKIM2; p=AAAA", "version", "permerror"),
        (b"p=AAAA; v=DKIM1", "version", "permerror"),
        (b"v=DKIM1; k=rsa", "no key", "permerror"),
        (b"v=DKIM1; k=dsa; p=AAAA", "type", "permerror"),
        (b"v=DKIM1; p=AAAA", "cannot be read", "permerror"),
        (b"v=DKIM1; p=%%%", "cannot be read", "permerror"),
        (b"v=DKIM1; k=ed25519; p=AAAA", "cannot be read", "permerror"),
        (b"v=spf1 -all", "version", "permerror"),
        (b"v=DKIM1; " + b"x=" + b"y" * 5000, "too long", "permerror"),
        (key_record(RSA, s="tlsrpt"), "e-mail", "permerror"),
        (key_record(RSA, h="sha1"), "hash", "permerror"),
        (key_record(ED25519), "another type", "permerror"),
        (key_record(generate_private_key(65537, 1024)), "header or the key", "fail"),
    ],
    ids=lambda value: "record" if isinstance(value, bytes) else value,  # keys are new in each process
)
def test_records_that_do_not_verify(record: bytes, word: str, result: str) -> None:
    signature = only(check(sign(), record))
    assert word in signature.reason
    assert signature.result == result


@pytest.mark.parametrize(
    "record",
    [
        key_record(RSA, s="tlsrpt:email"),
        key_record(RSA, s="*"),
        key_record(RSA, h="sha1 : sha256"),
        key_record(RSA, g="nobody"),
        key_record(RSA, n="some notes", unknown="x"),
        key_record(RSA)[len(b"v=DKIM1; ") :],
        key_record(RSA).replace(b"p=M", b"p= M\r\n I").replace(b"M\r\n II", b"M\r\n I"),
        key_record(RSA) + b" ;\n",
    ],
)
def test_records_that_verify(record: bytes) -> None:
    assert check(sign(), record).result == "pass"


def test_the_first_usable_of_several_records_counts() -> None:
    zone = TxtZone({NAME: (b"v=spf1 -all", key_record(RSA))})
    assert verify_sync(sign(), resolver=zone, now=NOW).result == "pass"


def test_testing_and_strict_flags() -> None:
    assert only(check(sign(), key_record(RSA, t="y"))).testing
    below = sign(identity="ann@mail.example.com")
    assert only(check(below)).identity == "ann@mail.example.com"
    assert only(check(below, key_record(RSA, t="y:s"))).result == "permerror"
    assert only(check(sign(identity="ann@example.com"), key_record(RSA, t="s"))).result == "pass"


def test_no_key_and_no_answer() -> None:
    assert verify_sync(sign(), resolver=TxtZone({}), now=NOW).result == "permerror"
    assert verify_sync(sign(), resolver=TxtZone({}, [NAME]), now=NOW).result == "temperror"


def test_a_time_out_is_never_hidden_by_a_failure() -> None:
    """Another try might find a pass: the message's word is temperror."""
    both = sign(sign(domain="example.net").replace(b"Bye", b"Bie"))
    zone = TxtZone({"s1._domainkey.example.net": key_record(RSA)}, [NAME])
    assert verify_sync(both, resolver=zone, now=NOW).result == "temperror"


def test_short_keys_and_old_hashes() -> None:
    short = generate_private_key(65537, 1024)
    signed = sign(key=short)
    assert check(signed, key_record(short)).result == "pass"
    signature = only(check(signed, key_record(short), min_rsa_bits=2048))
    assert (signature.result, signature.key_bits) == ("permerror", 1024)
    assert check(sign(), max_rsa_bits=1024).result == "permerror"
    assert (
        "rsa-sha1"
        in only(
            check(
                sign().replace(b"a=rsa-sha256", b"a=rsa-sha1").replace(b"bh=", b"bh=AAAAAAAAAAAAAAAAAAAAAAAAAAA=; z=")
            )
        ).reason
    )


def test_times() -> None:
    signed = sign(expire=3600)
    assert check(signed, now=NOW + 3600).result == "pass"
    late = only(check(signed, now=NOW + 3600 + 301))
    assert (late.result, late.expired) == ("permerror", True)
    assert "future" in only(check(signed, now=NOW - 301)).reason
    assert check(signed, now=NOW - 299).result == "pass"
    assert check(signed, now=NOW + 3600 + 500, clock_skew=600).result == "pass"


def test_a_second_from_above() -> None:
    """Oversigned, the signature no longer fits; signed once, it fits but does not count (RFC 6376 §8.15)."""
    forged = b"From: The boss <boss@example.com>\r\n"
    assert check(forged + sign()).result == "fail"
    signature = only(check(forged + sign(oversign=())))
    assert signature.result == "policy"
    assert signature.unsigned_fields == ("from",)


def test_other_fields_that_are_added_are_told() -> None:
    signature = only(check(b"Subject: another\r\n" + sign(oversign=())))
    assert (signature.result, signature.unsigned_fields) == ("pass", ("subject",))


def test_from_must_be_signed() -> None:
    signed = sign().replace(b"h=from:from:", b"h=")
    assert only(check(signed)).result == "permerror"
    assert "From" in only(check(signed)).reason


def test_body_length() -> None:
    signed = sign(body_length=True)
    signature = only(check(signed + b"appended\r\n"))
    assert signature.result == "pass"
    assert "l=" in signature.reason
    assert signature.unsigned_body > 0
    assert only(check(signed, body_length="refuse")).result == "policy"
    at = signed.index(b" l=") + 3
    longer = signed[:at] + b"9999999" + signed[at:]
    assert only(check(longer)).result == "permerror"


def test_many_signatures() -> None:
    raw = RAW
    for number in range(12):
        raw = sign(raw, domain=f"d{number}.example")
    zone = TxtZone({f"s1._domainkey.d{n}.example": key_record(RSA) for n in range(12)})
    result = verify_sync(raw, resolver=zone, now=NOW, settings=DkimSettings(max_signatures=3))
    assert [s.verified for s in result.signatures] == [True] * 3 + [False] * 9
    assert [s.domain for s in result.passed] == ["d11.example", "d10.example", "d9.example"]
    assert len(zone.asked) == 3


def test_the_same_key_is_asked_for_once() -> None:
    zone = TxtZone({NAME: key_record(RSA)})
    assert len(verify_sync(sign(sign()), resolver=zone, now=NOW).passed) == 2
    assert zone.asked == [NAME]


def test_names_in_other_scripts() -> None:
    """RFC 8616: U-labels in d=, s= and i= are looked up as A-labels."""
    zone = TxtZone({"xn--slt-qla._domainkey.xn--bcher-kva.example": key_record(RSA)})
    signed = sign(domain="bücher.example", selector="sält", identity="ü@bücher.example")
    (signature,) = verify_sync(signed, resolver=zone, now=NOW).signatures
    assert signature.result == "pass"
    assert signature.domain == "xn--bcher-kva.example"
    assert signature.identity == "ü@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "field",
    [
        b"DKIM-Signature:\r\n",
        b"DKIM-Signature: ;\r\n",
        b"DKIM-Signature: v=1\r\n",
        b"DKIM-Signature: \xff=\xff; v=1\r\n",
        b"DKIM-Signature: v=1; v=1\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=\xff; s=s; h=from; bh=x; b=y\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; h=; bh=x; b=y\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; h=from; bh=x; b=y; t=1e9\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; h=from; bh=x; b=y; x=5; t=6\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; h=from; bh=x; b=y; l=-1\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; h=from; bh=x; b=y; i=@example.org\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; h=from; bh=x; b=y; q=http\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; c=nofws; d=example.com; s=s1; h=from; bh=x; b=y\r\n",
        b"DKIM-Signature: v=1; a=rsa-md5; d=example.com; s=s1; h=from; bh=x; b=y\r\n",
        b"DKIM-Signature: v=1; " + b"x=y; " * 5000 + b"\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s1; bh=x; b=y; h=from" + b":a" * 5000 + b"\r\n",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=" + b"a." * 300 + b"example; s=s1; bh=x; b=y; h=from\r\n",
    ],
)
def test_unusable_signatures_have_a_reason(field: bytes) -> None:
    """The traps of other verifiers: none raises, none asks DNS."""
    zone = TxtZone({})
    (signature,) = verify_sync(field + RAW, resolver=zone, now=NOW).signatures
    assert signature.result in {"neutral", "permerror"}
    assert signature.reason
    assert zone.asked == []


def test_one_bad_signature_spoils_no_good_one() -> None:
    result = check(b"DKIM-Signature: v=1; nonsense\r\n" + sign())
    assert [s.result.value for s in result.signatures] == ["neutral", "pass"]
    assert result.result == "pass"


def test_what_cannot_be_signed() -> None:
    with pytest.raises(InputError):
        sign(b"To: x\r\n\r\nno from\r\n")
    for name in ("", "a;b", "a b", "ex\r\nample.com"):
        with pytest.raises(InputError):
            sign(domain=name)
    assert max(len(line) for line in sign().split(b"\r\n\r\n")[0].split(b"\r\n")) <= 78


def test_a_signature_does_not_sign_itself_twice() -> None:
    """DKIM-Signature in h= means those that were there before, also where it is oversigned (RFC 6376 §5.4)."""
    fields = ("from", "dkim-signature")
    first = sign(fields=fields, oversign=fields)
    assert check(first).result == "pass"
    second = sign(first, fields=fields, oversign=())
    assert [s.result.value for s in check(second).signatures] == ["pass", "fail"]
    assert check(sign(sign(oversign=()), fields=fields, oversign=())).signatures[0].result == "pass"
