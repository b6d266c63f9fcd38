"""MTA-STS records and policies (RFC 8461), and TLSA records against certificates (RFC 6698)."""

from __future__ import annotations

import hashlib

import pytest

from gatepost.msgauth.sts import StsMode, StsPolicy, StsRecord, matches_pattern, parse_sts_policy, parse_sts_record
from gatepost.msgauth.tlsa import Tlsa, matches_certificate, parse_tlsa
from gatepost.net.authority import make_authority

GOOD = b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n"


def test_a_policy_as_the_rfc_shows_it() -> None:
    """RFC 8461 §3.2, with CRLF, with LF, and with a key that nobody knows."""
    for body in (GOOD, GOOD.replace(b"\r\n", b"\n"), GOOD + b"later: thing\n"):
        policy = parse_sts_policy(body)
        assert isinstance(policy, StsPolicy)
        assert (policy.mode, policy.max_age) == (StsMode.ENFORCE, 604800)
        assert policy.names("mail.example.com")
        assert policy.names("a.example.net")
        assert not policy.names("a.b.example.net")
        assert not policy.names("example.net")


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"", "version"),
        (b"<html>404</html>", "colon"),
        (GOOD.replace(b"enforce", b"on"), "mode"),
        (GOOD.replace(b"604800", b"a week"), "max_age"),
        (b"version: STSv1\nmode: enforce\nmax_age: 1\n", "names no mail exchanger"),
        (GOOD.replace(b"mail.example.com", b"*.*.example.com"), "mx"),
        (b"\xff\xfe" + GOOD, "no text"),
        (GOOD + b"x: " + b"y" * 70_000, "longer"),
    ],
)
def test_a_policy_that_cannot_be_used_says_why(body: bytes, word: str) -> None:
    policy = parse_sts_policy(body)
    assert isinstance(policy, str)
    assert word in policy


def test_records() -> None:
    """RFC 8461 §3.1: other records at the name do not count, two are as none."""
    assert parse_sts_record([b"v=STSv1; id=20160831085700Z;"]) == StsRecord("20160831085700Z")
    assert parse_sts_record([b"v=spf1 -all"]) is None
    assert isinstance(parse_sts_record([b"v=STSv1; id=1", b"v=STSv1; id=2"]), str)
    assert isinstance(parse_sts_record([b"v=STSv1; id=no-hyphens"]), str)


def test_a_wildcard_is_one_label() -> None:
    assert matches_pattern("*.example.com", "MX1.example.com.")
    assert not matches_pattern("*.example.com", "x.mx1.example.com")


def test_tlsa_against_a_certificate() -> None:
    """All selectors and matching types; the next key does not match, and usages 0 and 1 do not count."""
    import ssl

    pem = make_authority("test", now=1.7e9).issue(["mail.example.com"], now=1.7e9).chain
    der = ssl.PEM_cert_to_DER_cert(pem.decode().split("-----END CERTIFICATE-----")[0] + "-----END CERTIFICATE-----\n")
    whole = parse_tlsa(f"3 0 1 {hashlib.sha256(der).hexdigest()}")
    assert whole is not None
    assert matches_certificate(whole, der)
    assert matches_certificate(Tlsa(2, 0, 0, der), der)
    assert matches_certificate(Tlsa(3, 0, 2, hashlib.sha512(der).digest()), der)
    assert not matches_certificate(Tlsa(1, 0, 1, hashlib.sha256(der).digest()), der)
    assert not matches_certificate(Tlsa(3, 1, 1, bytes(32)), der)
    assert not matches_certificate(Tlsa(3, 0, 1, bytes(31)), der)
    assert not matches_certificate(whole, b"no certificate")


@pytest.mark.parametrize("text", ["", "3 1", "3 1 1 zz", "a 1 1 00", "3 1 1 0", "9999 1 1 00"])
def test_no_tlsa(text: str) -> None:
    assert parse_tlsa(text) is None
