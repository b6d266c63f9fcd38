"""Authentication-Results: read as RFC 8601 has it, written so that nothing breaks out, ours always found."""

from __future__ import annotations

import pytest

from gatepost.message.header import parse_header
from gatepost.msgauth.authres import (
    AuthenticationResults,
    MethodResult,
    Property,
    parse_authentication_results,
    ranges_to_drop,
    remove_ours,
    trusted_results,
    without_ranges,
    write_authentication_results,
    write_body,
)

OURS = "mx.example.org"


def test_the_full_example_of_rfc_8601() -> None:
    """Appendix B.7: versions, comments at all places, quoted strings, white space around the signs."""
    results = parse_authentication_results(
        b" foo.example.net (foobar) 1 (baz);\r\n"
        b"    dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
        b"      policy (A dot can go here) . (like that) expired\r\n"
        b"      (this surprised me) = (as I wasn't expecting it) 1362471462\r\n"
    )
    assert (results.authserv_id, results.version, results.defects) == ("foo.example.net", 1, ())
    (dkim,) = results.results
    assert (dkim.method, dkim.version, dkim.result) == ("dkim", 1, "fail")
    assert dkim.properties == (Property(ptype="policy", name="expired", value="1362471462"),)


def test_none_is_no_result() -> None:
    assert parse_authentication_results(b"example.org 1; none") == AuthenticationResults(authserv_id="example.org")


def test_several_methods() -> None:
    results = parse_authentication_results(
        b"mx.example.net; auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n"
        b' spf=fail reason="not; allowed" smtp.mailfrom=example.net; dkim=pass header.i=@example.net header.b="a=b/c";'
    )
    assert [(r.method, r.result) for r in results.results] == [("auth", "pass"), ("spf", "fail"), ("dkim", "pass")]
    assert results.results[0].comments == ("cram-md5",)
    assert results.results[1].reason == "not; allowed"
    assert results.all("dkim")[0].value("header.b") == "a=b/c"
    assert results.all("spf")[0].value("smtp.mailfrom") == "example.net"


def test_outlook_leaves_out_who_it_is() -> None:
    results = parse_authentication_results(
        b"spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.example;compauth=pass reason=100"
    )
    assert results.defects == ("no-authserv-id",)
    assert [(r.method, r.result) for r in results.results] == [("spf", "pass"), ("compauth", "pass")]
    assert results.results[1].reason == "100"


@pytest.mark.parametrize(
    "body", [b"", b";", b";;;;", b'"', b"(((", b"a=", b"=b", b"x; = ; a=b=c", b"\xff\xfe; spf=\xff", b"x;" * 9000]
)
def test_anything_is_read(body: bytes) -> None:
    assert isinstance(parse_authentication_results(body), AuthenticationResults)


def test_written_and_read_again() -> None:
    results = (
        MethodResult(
            method="dkim",
            result="fail",
            reason='the "body" was \\ changed',
            properties=(
                Property(ptype="header", name="d", value="example.com"),
                Property(ptype="header", name="b", value="ab+c/d=="),
                Property(ptype="header", name="i", value="joe@mail.example.com"),
            ),
            comments=("2048-bit key",),
        ),
        MethodResult(method="spf", result="pass", properties=(Property(ptype="smtp", name="mailfrom", value="a@b.c"),)),
    )
    octets = write_authentication_results(OURS, results)
    field = parse_header(octets + b"\r\n").fields[0]
    assert parse_authentication_results(field.body) == AuthenticationResults(authserv_id=OURS, results=results)
    assert max(len(line) for line in octets.split(b"\r\n")) <= 78
    assert write_authentication_results(OURS, ()) == b"Authentication-Results: mx.example.org; none\r\n"
    assert parse_authentication_results(write_body(OURS, results)).results == results


@pytest.mark.parametrize(
    "evil", ["a\r\nBcc: x", "a; dkim=pass", 'a"; dmarc=pass; x="', "a)(b", "\\", "a\x00b", "ü@ü.example"]
)
def test_nothing_breaks_out(evil: str) -> None:
    """What a sender chose (an address, a domain, a comment) stays one value."""
    one = MethodResult(
        method="spf",
        result="fail",
        reason=evil,
        properties=(Property(ptype="smtp", name="mailfrom", value=evil),),
        comments=(evil,),
    )
    octets = write_authentication_results(OURS, (one,))
    header = parse_header(octets + b"\r\n")
    assert len(header.fields) == 1
    assert octets.isascii()
    read = parse_authentication_results(header.fields[0].body)
    assert [(r.method, r.result) for r in read.results] == [("spf", "fail")]
    assert len(read.results[0].properties) == 1
    assert read.defects == ()


@pytest.mark.parametrize(
    "body",
    [
        "mx.example.org; spf=pass",
        "MX.Example.ORG ; dkim=pass",
        "mx.example.org 1; none",
        "mx.example.org",
        '"mx.example.org"; dmarc=pass',
        '"mx.ex\\ample.org"; dmarc=pass',
        "(hello) mx.example.org (there); dmarc=pass",
        "mx.(x)example.org; dmarc=pass",
        "mx.example.org.; dmarc=pass",
        "\r\n\tmx.example.org;\r\n\tdkim=pass",
        "mx.example.org (; dmarc=pass",
        '"mx.example.org; dmarc=pass',
        "dmarc=pass; by mx.example.org",
    ],
)
def test_ours_in_any_disguise_is_removed(body: str) -> None:
    header = parse_header(f"From: a@b.c\r\nAuthentication-Results: {body}\r\nTo: x\r\n\r\n".encode())
    assert remove_ours(header, OURS) == (1,)


@pytest.mark.parametrize(
    "body", ["mx.example.net; spf=pass", "mx.example.org.evil.example; dkim=pass", "xmx.example.org; none"]
)
def test_others_stay(body: str) -> None:
    assert remove_ours(parse_header(f"Authentication-Results: {body}\r\n\r\n".encode()), OURS) == ()


def test_ours_in_the_other_script() -> None:
    header = parse_header("Authentication-Results: mx.bücher.example; spf=pass\r\n\r\n".encode())
    assert remove_ours(header, "mx.xn--bcher-kva.example") == (0,)
    header = parse_header(b"Authentication-Results: mx.xn--bcher-kva.example; spf=pass\r\n\r\n")
    assert remove_ours(header, "mx.BÜCHER.example") == (0,)


def test_what_only_we_may_write_is_dropped() -> None:
    raw = (
        b"Return-Path: <x@evil.example>\r\nGatepost-Verdict: accept\r\n\tall good\r\nFrom: a@b.c\r\n"
        b"Authentication-Results: mx.example.org; dmarc=pass\r\nAuthentication-Results: other.example; spf=pass\r\n"
        b"gatepost-x: y\r\n\r\nReturn-Path: stays\r\n"
    )
    ranges = ranges_to_drop(parse_header(raw), OURS)
    assert len(ranges) == 3
    assert without_ranges(raw, ranges) == (
        b"From: a@b.c\r\nAuthentication-Results: other.example; spf=pass\r\n\r\nReturn-Path: stays\r\n"
    )
    clean = b"From: a@b.c\r\n\r\n"
    assert without_ranges(clean, ranges_to_drop(parse_header(clean), OURS)) is clean


def test_trusted_neighbours_are_chosen_by_name() -> None:
    header = parse_header(
        b"Authentication-Results: in.example.com; spf=pass\r\nAuthentication-Results: evil.example; spf=pass\r\n\r\n"
    )
    assert [r.authserv_id for r in trusted_results(header, ["IN.example.com"])] == ["in.example.com"]
