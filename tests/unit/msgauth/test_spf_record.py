"""msgauth.spf.record and .macro: reading records and macro strings."""

from __future__ import annotations

import pytest

from gatepost.msgauth.spf.macro import MacroString, expand, parse_domain_spec, parse_macro_string, shorten
from gatepost.msgauth.spf.record import MAX_RECORD, MAX_TERMS, MechanismKind, parse_record, select_records


def test_a_record_becomes_terms_in_order() -> None:
    record = parse_record(b"v=spf1 +a ~mx/24//64 ip4:192.0.2.0/24 -all redirect=_spf.example.org exp=why.%{d}")
    assert record.error == ""
    assert [(m.kind, m.result) for m in record.mechanisms] == [
        ("a", "pass"),
        ("mx", "softfail"),
        ("ip4", "pass"),
        ("all", "fail"),
    ]
    assert record.mechanisms[1].text == "~mx/24//64"
    assert bin(record.mechanisms[1].mask4).count("1") == 24
    assert bin(record.mechanisms[1].mask6).count("1") == 64
    assert record.redirect is not None
    assert record.redirect.literal == "_spf.example.org"
    assert record.exp is not None
    assert record.exp.letters == frozenset("d")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("v=spf1 all:x", "takes no argument"),
        ("v=spf1 include", "domain name is missing"),
        ("v=spf1 ip4:192.0.2.0/33", "IPv4"),
        ("v=spf1 ip4:192.0.2.0/024", "IPv4"),
        ("v=spf1 ip4:192.0.2", "IPv4"),
        ("v=spf1 ip4192.0.2.1", "no mechanism"),
        ("v=spf1 ip6:fe80::1%eth0", "IPv6"),
        ("v=spf1 ip6:2001:db8::/129", "IPv6"),
        ("v=spf1 a/33", "prefix"),
        ("v=spf1 a/24/32", "cannot follow"),
        ("v=spf1 a:example.org/", "prefix"),
        ("v=spf1 mx//129", "prefix"),
        ("v=spf1 a:localhost", "no domain name"),
        ("v=spf1 a:example.123", "no domain name"),
        ("v=spf1 exists:%{d0}.x.org", "not allowed"),
        ("v=spf1 exists:%{t}.x.org", "not allowed"),
        ("v=spf1 exists:%{d.x.org", "not allowed"),
        ("v=spf1 exists:%x.org", "starts no macro"),
        ("v=spf1 -redirect=x.org", "no mechanism"),
        ("v=spf1 redirect=a.org redirect=b.org", "twice"),
        ("v=spf1 moo=%{z}", "not allowed"),
        ("v=spf1\ta", "v=spf1"),
        ("v=spf1 a\tmx", "printable"),
        ("v=spf1 -", "no mechanism"),
    ],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    assert why in parse_record(text.encode()).error


def test_limits_on_size_and_number_of_terms() -> None:
    assert "octets" in parse_record(b"v=spf1 " + b"a " * (MAX_RECORD // 2)).error
    assert "terms" in parse_record(b"v=spf1 " + b"a " * (MAX_TERMS + 1)).error
    assert parse_record(b"v=spf1 " + b"a " * (MAX_TERMS - 1)).error == ""


def test_unknown_modifiers_are_kept_by_name_only() -> None:
    record = parse_record(b"v=spf1 Moo=%{s} -ALL")
    assert record.modifiers == ("moo",)
    assert record.mechanisms[0].kind is MechanismKind.ALL


def test_the_version_ends_at_a_space() -> None:
    assert select_records([b"v=spf1", b"V=SPF1 -all", b"v=spf10 -all", b"v=spf1-all", b"x v=spf1"]) == [
        b"v=spf1",
        b"V=SPF1 -all",
    ]


def test_a_record_is_parsed_once() -> None:
    raw = b"v=spf1 ip4:192.0.2.77 -all"
    assert parse_record(raw) is parse_record(bytes(bytearray(raw)))


# RFC 7208 §7.4
VALUES = {
    "s": "strong-bad@email.example.com",
    "o": "email.example.com",
    "d": "email.example.com",
    "l": "strong-bad",
    "i": "192.0.2.3",
    "v": "in-addr",
    "h": "mx",
    "p": "unknown",
}


@pytest.mark.parametrize(
    ("text", "expanded"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d1}", "com"),
        ("%{d2}", "example.com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{D99999999999999999999}", "email.example.com"),
        ("%{S}", "strong-bad%40email.example.com"),
        ("%%%_%-", "% %20"),
    ],
)
def test_macros_expand_as_the_rfc_shows(text: str, expanded: str) -> None:
    spec = parse_macro_string(text)
    assert isinstance(spec, MacroString)
    assert expand(spec, VALUES) == expanded


def test_a_domain_spec_may_end_in_a_macro_but_not_in_a_number() -> None:
    assert isinstance(parse_domain_spec("a.%{d}"), MacroString)
    assert isinstance(parse_domain_spec("%{d}.com"), MacroString)
    assert isinstance(parse_domain_spec("%{d}com"), str)
    assert isinstance(parse_domain_spec("example.com."), MacroString)
    assert isinstance(parse_domain_spec(""), str)
    assert isinstance(parse_domain_spec(".com"), str)


def test_long_names_lose_labels_on_the_left() -> None:
    name = ".".join(["a" * 60] * 5)
    assert shorten(name) == ".".join(["a" * 60] * 4)
    assert shorten("a" * 300) == ""
    assert shorten("x.org") == "x.org"
