"""ARC at its public boundary: chains that forwarders of ours make, and what breaks them."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from gatepost.arc import ArcResult, ArcStatus, seal_message, verify_sync
from gatepost.dkim import DkimSettings
from gatepost.errors import InputError
from gatepost.message.header import parse_header
from gatepost.msgauth.arc.record import Seal, parse_seal
from gatepost.msgauth.dkim.canonical import relaxed_field, without_signature
from gatepost.msgauth.dkim.sign import finish_field
from gatepost.msgauth.dkim.signature import Canonicalization
from gatepost.msgauth.dkim.verify import is_signed_by
from keys import key_record
from txt_zone import TxtZone

NOW = 1_790_000_000.0
RSA = generate_private_key(65537, 2048)
ED25519 = Ed25519PrivateKey.generate()
RAW = (
    b"From: Ann <ann@example.com>\r\nTo: list@example.org\r\nSubject: hello\r\n"
    b"Date: Mon, 21 Sep 2026 12:00:00 +0000\r\nMessage-ID: <1@example.com>\r\n\r\nHello  there \r\n"
)
ZONE = TxtZone({f"arc._domainkey.hop{n}.example": key_record(RSA) for n in range(1, 61)})


def check(raw: bytes, zone: TxtZone = ZONE, **settings: Any) -> ArcResult:
    return verify_sync(raw, resolver=zone, now=NOW, settings=DkimSettings(**settings))


def seal(raw: bytes, hop: int, chain: ArcResult | None = None, key: Any = RSA) -> bytes:
    return seal_message(
        raw,
        chain=chain or check(raw),
        results=f"hop{hop}.example; spf=pass smtp.mailfrom=ann@example.com".encode(),
        domain=f"hop{hop}.example",
        selector="arc",
        key=key,
        now=NOW,
    )


def sealed(hops: int) -> bytes:
    raw = RAW
    for hop in range(1, hops + 1):
        raw = seal(raw, hop)
    return raw


def test_no_chain() -> None:
    assert check(RAW) == ArcResult(result=ArcStatus.NONE)
    assert check(RAW).as_json() == {"result": "none", "instance": 0, "sealer": ""}


def test_three_hops() -> None:
    result = check(sealed(3))
    assert result.as_json() == {"result": "pass", "instance": 3, "sealer": "hop3.example"}
    assert [(one.instance, one.sealer, one.cv, one.message_signature) for one in result.sets] == [
        (1, "hop1.example", "none", True),
        (2, "hop2.example", "pass", True),
        (3, "hop3.example", "pass", True),
    ]
    assert result.sets[0].results.split() == b"hop1.example; spf=pass smtp.mailfrom=ann@example.com".split()
    assert result.oldest_pass == 0


def test_ed25519_seals_too() -> None:
    zone = TxtZone({"arc._domainkey.hop1.example": key_record(ED25519)})
    assert check(seal(RAW, 1, key=ED25519), zone).result == "pass"


def test_a_list_changes_the_subject_and_seals() -> None:
    """The chain holds; the oldest message signature that still fits is the list's."""
    raw = seal(sealed(1).replace(b"Subject: hello", b"Subject: [list] hello"), 2, check(sealed(1)))
    result = check(seal(raw, 3))
    assert (result.result, result.oldest_pass) == ("pass", 2)
    assert [one.message_signature for one in result.sets] == [False, True, True]


def test_what_is_changed_after_the_last_seal_fails() -> None:
    for before, after in ((b"Hello", b"Jello"), (b"Subject: hello", b"Subject: hallo"), (b"spf=pass", b"spf=fail")):
        result = check(sealed(2).replace(before, after))
        assert (result.result, result.instance) == ("fail", 2)
        assert result.reason


def test_a_broken_chain_is_sealed_as_failed_and_then_left_alone() -> None:
    broken = sealed(2).replace(b"Hello", b"Jello")
    failed = seal(broken, 3)
    assert b"cv=fail" in failed
    assert check(failed).result == "fail"
    assert "broken" in check(failed).reason
    assert seal(failed, 4) == failed


def test_keys_that_nobody_knows_now() -> None:
    late = TxtZone(ZONE.records, ["arc._domainkey.hop1.example"])
    result = check(sealed(2), late)
    assert result.result == "temperror"
    assert seal(sealed(2), 3, result) == sealed(2)
    # What fails for good is not hidden by a late answer for another key.
    assert check(sealed(2).replace(b"Hello", b"Jello"), late).result == "fail"
    assert check(sealed(2), TxtZone({})).result == "fail"


def test_limits() -> None:
    long = sealed(12)
    assert check(long).result == "pass"
    zone = TxtZone(ZONE.records)
    assert "keys" in check(long, zone, max_arc_keys=11).reason
    assert zone.asked == []
    many = b"ARC-Seal: i=1; a=rsa-sha256; b=x; cv=none; d=a.example; s=s\r\n" * 51 + RAW
    assert "50" in check(many).reason
    assert check(sealed(1), min_rsa_bits=4096).result == "fail"


@pytest.mark.parametrize(
    "fields",
    [
        b"ARC-Seal:\r\n",
        b"ARC-Seal: i=99; a=rsa-sha256; b=x; cv=none; d=a.example; s=s\r\n",
        b"ARC-Authentication-Results: \xff\r\n",
        b"ARC-Authentication-Results: i=1; a.example; none\r\n",
        b"ARC-Message-Signature: i=1; a=rsa-sha256; b=x; bh=x; d=a.example; s=s; h=arc-seal\r\n",
    ],
)
def test_fields_that_make_no_chain(fields: bytes) -> None:
    zone = TxtZone({})
    result = check(fields + RAW, zone)
    assert result.result == "fail"
    assert result.reason
    assert zone.asked == []


def test_results_may_begin_with_a_comment() -> None:
    """RFC 8617 §4.1.1 allows it before and within i=."""
    raw = sealed(1)
    commented = raw.replace(b"ARC-Authentication-Results: i=1;", b"ARC-Authentication-Results: (a) i = (b) 1;")
    assert "does not fit" in check(commented).reason


def test_nothing_breaks_out_of_a_set() -> None:
    results = b"hop1.example; spf=fail (x\r\n\r\nBcc: evil) smtp.mailfrom=a"
    raw = seal_message(RAW, chain=check(RAW), results=results, domain="hop1.example", selector="arc", key=RSA, now=NOW)
    assert check(raw).result == "pass"
    assert raw.endswith(b"smtp.mailfrom=a\r\n" + RAW)
    with pytest.raises(InputError):
        seal_message(RAW, chain=check(RAW), results=b"x", domain="a; b=c", selector="arc", key=RSA, now=NOW)


def test_what_fails_for_good_is_told_even_where_the_newest_key_is_late() -> None:
    late = TxtZone(ZONE.records, ["arc._domainkey.hop2.example"])
    raw = sealed(2)
    at = raw.rindex(b"spf=pass")  # what the first hop saw
    changed = raw[:at] + b"spf=fail" + raw[at + 8 :]
    assert check(raw, late).result == "temperror"
    result = check(changed, late)
    assert (result.result, "instance 1" in result.reason) == ("fail", True)


def test_a_seal_with_signed_fields_fails_though_it_fits() -> None:
    """RFC 8617 §4.1.3: h= in a seal fails the chain, however well it is signed."""
    header = parse_header(sealed(1))
    signed = [header.all(name)[0] for name in ("arc-authentication-results", "arc-message-signature")]
    tags = [("i", "1"), ("a", "rsa-sha256"), ("cv", "none"), ("d", "hop1.example"), ("s", "arc")]
    before = b"".join(relaxed_field(field, field.raw) for field in signed)
    own = b"".join(field.raw for field in signed)
    for more, result in (([], "pass"), ([("h", "from")], "fail")):
        field = finish_field("ARC-Seal", [*tags, *more], before, RSA, Canonicalization.RELAXED)
        assert check(field + own + RAW).result == result


def test_a_failed_chain_is_sealed_over_its_own_set_alone() -> None:
    """RFC 8617 §5.1.2: the sets below may be anything, so they are not signed."""
    header = parse_header(seal(sealed(2).replace(b"Hello", b"Jello"), 3))
    fields = [header.all(name)[0] for name in ("arc-authentication-results", "arc-message-signature", "arc-seal")]
    last = parse_seal(fields[2])
    assert isinstance(last, Seal)
    own = [field.raw for field in fields[:2]] + [without_signature(fields[2].raw)]
    forms = [relaxed_field(field, octets) for field, octets in zip(fields, own, strict=True)]
    assert is_signed_by(RSA.public_key(), "sha256", last.signature, b"".join(forms)[:-2])
