"""message.received and message.trace: the dialects of real servers, and our own field."""

from __future__ import annotations

import pytest

from gatepost.message.header import parse_header
from gatepost.message.received import MAX_HOPS, Hop, HopTls, parse_received, parse_trace
from gatepost.message.trace import with_protocol, write_received, write_return_path
from gatepost.names import Tls

DATE = "Thu, 05 Nov 2026 12:00:00 +0000"
NOON = 1793880000
CIPHER = "TLS_AES_256_GCM_SHA384"

DIALECTS = {
    "Postfix": (
        f"from mail.example.org (rev.example.org [192.0.2.1]) (using TLSv1.3 with cipher {CIPHER} (256/256 bits) "
        "key-exchange X25519 server-signature RSA-PSS (2048 bits)) (No client certificate requested) "
        f"by mx.example.com (Postfix) with ESMTPS id ABC for <u@example.com>; {DATE} (CET)",
        Hop(
            from_name="mail.example.org",
            from_ip="192.0.2.1",
            from_rdns="rev.example.org",
            by="mx.example.com",
            with_protocol="ESMTPS",
            tls=HopTls("TLSv1.3", CIPHER),
            id="ABC",
            for_="u@example.com",
            date=NOON,
        ),
    ),
    "Postfix, no reverse name": (
        f"from x (unknown [192.0.2.1]) by mx.example.com (Postfix) with SMTP id A; {DATE}",
        Hop(from_name="x", from_ip="192.0.2.1", by="mx.example.com", with_protocol="SMTP", id="A", date=NOON),
    ),
    "Exim, name unproven": (
        f"from [192.0.2.1] (helo=ehlo.example) by mx.example with esmtps (TLS1.3) tls {CIPHER} (Exim 4.95) "
        f"(envelope-from <a@b>) id 1abc-0 for u@v.example; {DATE}",
        Hop(
            from_name="ehlo.example",
            from_ip="192.0.2.1",
            by="mx.example",
            with_protocol="esmtps",
            tls=HopTls("TLSv1.3", CIPHER),
            id="1abc-0",
            for_="u@v.example",
            date=NOON,
        ),
    ),
    "Exim, name proven": (
        f"from rev.example ([192.0.2.7]:1234 helo=ehlo.example) by mx.example with esmtpsa "
        f"(TLSv1.2:ECDHE-RSA-AES256-GCM-SHA384:256) (Exim 4.80) id 1; {DATE}",
        Hop(
            from_name="ehlo.example",
            from_ip="192.0.2.7",
            from_rdns="rev.example",
            by="mx.example",
            with_protocol="esmtpsa",
            tls=HopTls("TLSv1.2", "ECDHE-RSA-AES256-GCM-SHA384"),
            id="1",
            date=NOON,
        ),
    ),
    "Exim, an address as EHLO name is only a claim": (
        f"from [192.0.2.1] (port=25 helo=[198.51.100.6]) by mx.example with esmtp (Exim 4.95) id 1; {DATE}",
        Hop(
            from_name="[198.51.100.6]",
            from_ip="192.0.2.1",
            by="mx.example",
            with_protocol="esmtp",
            id="1",
            date=NOON,
        ),
    ),
    "Sendmail": (
        "from ehlo.example (rev.example [192.0.2.1] (may be forged)) (authenticated bits=0) by mx.example "
        f"(8.14.4/8.14.4) with ESMTP id q1 (version=TLSv1.2 cipher=ECDHE-RSA-AES128 bits=128 verify=NO) "
        f"for <u@v>; {DATE}",
        Hop(
            from_name="ehlo.example",
            from_ip="192.0.2.1",
            from_rdns="rev.example",
            by="mx.example",
            with_protocol="ESMTP",
            tls=HopTls("TLSv1.2", "ECDHE-RSA-AES128"),
            id="q1",
            for_="u@v",
            date=NOON,
        ),
    ),
    "Exchange": (
        "from AM0.prod.outlook.com (2001:db8:208:2a::13) by VI1.prod.outlook.com (2001:db8:800::1) with Microsoft SMTP "
        "Server (version=TLS1_2, cipher=TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384) id 15.20.1.1 via Frontend Transport; "
        + DATE,
        Hop(
            from_name="AM0.prod.outlook.com",
            from_ip="2001:db8:208:2a::13",
            by="VI1.prod.outlook.com",
            with_protocol="Microsoft SMTP Server",
            tls=HopTls("TLSv1.2", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
            id="15.20.1.1",
            date=NOON,
        ),
    ),
    "Gmail": (
        "from mail-sor.google.com (mail-sor.google.com. [209.85.220.41]) by mx.google.com with SMTPS id a1-b2 "
        f"for <u@v.example> (Google Transport Security); {DATE}",
        Hop(
            from_name="mail-sor.google.com",
            from_ip="209.85.220.41",
            from_rdns="mail-sor.google.com",
            by="mx.google.com",
            with_protocol="SMTPS",
            tls=HopTls(),
            id="a1-b2",
            for_="u@v.example",
            date=NOON,
        ),
    ),
    "Gmail, inside": (
        f"by 2001:db8:6402:1::1 with SMTP id ab; {DATE}",
        Hop(by="2001:db8:6402:1::1", with_protocol="SMTP", id="ab", date=NOON),
    ),
    "qmail": (
        f"from unknown (HELO ehlo.example) (ident@192.0.2.4) by 0 with SMTP; {DATE}",
        Hop(from_name="ehlo.example", from_ip="192.0.2.4", by="0", with_protocol="SMTP", date=NOON),
    ),
    "qmail, inside": (
        f"(qmail 12345 invoked from network); {DATE}",
        Hop(date=NOON, defects=("no-by",)),
    ),
    "Haraka": (
        f"from ehlo.x (rev.x [192.0.2.4])\tby me.x (Haraka/3.0) with ESMTPS id U-1\tenvelope-from <a@b>\ttls {CIPHER} "
        f"(verified=true); {DATE}",
        Hop(
            from_name="ehlo.x",
            from_ip="192.0.2.4",
            from_rdns="rev.x",
            by="me.x",
            with_protocol="ESMTPS",
            tls=HopTls("", CIPHER),
            id="U-1",
            date=NOON,
        ),
    ),
    "Yahoo": (
        "from 127.0.0.1 (EHLO mail.x.example) (192.0.2.4) by mta.yahoo.example with SMTPs "
        f"(version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256); {DATE}",
        Hop(
            from_name="mail.x.example",
            from_ip="192.0.2.4",
            by="mta.yahoo.example",
            with_protocol="SMTPs",
            tls=HopTls("TLSv1.3", "TLS_AES_128_GCM_SHA256"),
            date=NOON,
        ),
    ),
    "a reverse name that ends in HELO (found by the fuzzer)": (
        f"from x (y-helo [192.0.2.4]) by z; {DATE}",
        Hop(from_name="x", from_ip="192.0.2.4", from_rdns="y-helo", by="z", date=NOON),
    ),
    "mapped IPv4": (
        f"from x (y.example [IPv6:::ffff:192.0.2.4]) by z; {DATE}",
        Hop(from_name="x", from_ip="192.0.2.4", from_rdns="y.example", by="z", date=NOON),
    ),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_dialect(name: str) -> None:
    text, expected = DIALECTS[name]
    hop = parse_received(text)
    for field in ("from_name", "from_ip", "from_rdns", "by", "with_protocol", "tls", "id", "for_", "date", "defects"):
        assert getattr(hop, field) == getattr(expected, field), field
    assert hop.raw == text


def ours(ehlo_domain: str = "mail.example.org", **changes: object) -> bytes:
    known: dict[str, object] = {
        "ehlo_domain": ehlo_domain,
        "client_ip": "2001:db8::1",
        "reverse_name": "rev.example.org",
        "by": "mx.example.com",
        "protocol": "ESMTPS",
        "id": "abc-1",
        "date": NOON + 0.7,
        "tls": Tls(version="TLSv1.3", cipher=CIPHER, bits=256),
        "for_": "u@example.com",
    }
    return write_received(**(known | changes))  # type: ignore[arg-type]


def test_our_own_field_is_read_back() -> None:
    header = parse_header(ours() + b"\r\n")
    assert not header.defects
    (hop,) = parse_trace(header)
    assert (hop.from_name, hop.from_ip, hop.from_rdns) == ("mail.example.org", "2001:db8::1", "rev.example.org")
    assert (hop.by, hop.with_protocol, hop.id, hop.for_) == ("mx.example.com", "ESMTPS", "abc-1", "u@example.com")
    assert (hop.tls, hop.date, hop.defects) == (HopTls("TLSv1.3", CIPHER), NOON, ())
    assert max(len(line) for line in ours().split(b"\r\n")) <= 78


@pytest.mark.parametrize(
    "name", ["a\r\nX-Evil: 1", "a\nb", "a (b [198.51.100.6])", "a\0b", "x" * 4000, "", "a; b", "<>", "\ud800"]
)
def test_whatever_the_client_calls_itself_there_is_one_field_with_its_true_address(name: str) -> None:
    header = parse_header(ours(name, for_=name, reverse_name=name) + b"\r\n")
    assert (len(header), header.defects) == (1, ())
    hop = parse_trace(header)[0]
    assert hop.from_ip == "2001:db8::1"
    assert hop.by == "mx.example.com"
    assert hop.date == NOON


def test_return_path_cannot_be_injected() -> None:
    assert write_return_path("") == b"Return-Path: <>\r\n"
    assert write_return_path("a@b>\r\nX: <c") == b"Return-Path: <a@b???X:??c>\r\n"


def test_the_with_keyword() -> None:
    assert with_protocol(extended=False, tls=False, authenticated=False, smtputf8=False) == "SMTP"
    assert with_protocol(extended=True, tls=True, authenticated=True, smtputf8=False) == "ESMTPSA"
    assert with_protocol(extended=True, tls=True, authenticated=False, smtputf8=True) == "UTF8SMTPS"
    assert with_protocol(extended=True, tls=False, authenticated=False, smtputf8=False, lmtp=True) == "LMTP"


def test_a_trace_is_bounded() -> None:
    header = parse_header(b"Received: by x; y\r\n" * (MAX_HOPS + 50) + b"\r\n")
    assert len(parse_trace(header)) == MAX_HOPS


def test_hostile_fields_are_read_within_bounds() -> None:
    assert "too-long" in parse_received("from a by b " + "(" * 100_000 + f"; {DATE}").defects
    assert "too-many-pieces" in parse_received("a " * 4000 + f"; {DATE}").defects
    assert parse_received("a " * 4000 + f"; {DATE}").date == NOON
    assert parse_received(b"\xff\x00from").by == ""
