"""gatepost.inspect_message: the whole way of a message through parsing, authentication, rules and decision."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

import gatepost
from gatepost.api import InspectionSettings
from gatepost.inspector.settings import InspectorSettings
from judging import CLEAN_HEADER, DATE, NOW

ZONE = """
example.org.                TXT "v=spf1 ip4:192.0.2.10 -all"
_dmarc.example.org.         TXT "v=DMARC1; p=reject"
mail.example.org.           A 192.0.2.10
mail.example.org.           TXT "v=spf1 a -all"
10.2.0.192.in-addr.arpa.    PTR mail.example.org.
"""
GOOD = gatepost.Session(client_ip="192.0.2.10", ehlo_domain="mail.example.org", protocol="ESMTP")
BAD = gatepost.Session(client_ip="198.51.100.66", ehlo_domain="spoof.example", protocol="ESMTP")
RAW = CLEAN_HEADER.encode() + b"\nHello.\n"


def inspect(
    raw: bytes = RAW,
    session: gatepost.Session | None = None,
    mail_from: str | None = "ann@example.org",
    **faults: object,
) -> gatepost.Inspection:
    resolver = gatepost.ZoneResolver(ZONE, **faults)  # type: ignore[arg-type]
    settings = InspectionSettings(
        inspector=InspectorSettings(trusted_relays=("203.0.113.0/24",)), own_domains=("example.net",)
    )
    return gatepost.inspect_message_sync(
        raw, session=session, mail_from=mail_from, resolver=resolver, now=NOW, settings=settings
    )


def codes(inspection: gatepost.Inspection) -> set[str]:
    return {finding.code for finding in inspection.findings}


def test_a_good_message_is_accepted_with_what_speaks_for_it() -> None:
    found = inspect(session=GOOD)
    assert found.decision.action == "accept"
    assert {"auth.dmarc.pass", "auth.spf.pass", "path.reverse-confirmed"} <= codes(found)


def test_a_spoofed_author_is_refused_by_the_domains_policy() -> None:
    found = inspect(session=BAD, mail_from="x@spoof.example")
    assert found.decision.action == "reject"
    assert found.decision.decided_by == ("auth.dmarc.fail",)


def test_a_dns_time_out_defers_and_never_passes_or_refuses() -> None:
    found = inspect(session=BAD, mail_from="x@spoof.example", timeouts=["_dmarc.example.org"])
    assert found.decision.action == "defer"
    assert "auth.dmarc.temperror" in codes(found)


def test_a_saved_message_is_judged_by_its_topmost_received_field_and_says_so() -> None:
    raw = (
        b"Return-Path: <ann@example.org>\n"
        b"Received: from mail.example.org (mail.example.org [192.0.2.10])\n"
        b"\tby mx.example.net (Postfix) with ESMTPS id 1; " + DATE.encode() + b"\n" + RAW
    )
    found = inspect(raw, mail_from=None)
    assert found.decision.action == "accept"
    assert {"auth.dmarc.pass", "path.judged-by-received"} <= codes(found)
    about = found.as_json()["message"]
    assert (about["client_ip"], about["mail_from"], about["judged_from"]) == (
        "192.0.2.10",
        "ann@example.org",
        "received",
    )


def test_behind_a_trusted_relay_the_first_stranger_is_judged() -> None:
    relay = gatepost.Session(client_ip="203.0.113.5", ehlo_domain="relay.example", protocol="ESMTP")
    received = (
        "Received: from {name} ({name} [{ip}])\n\tby relay.example (Postfix) with ESMTP id 1; " + DATE + "\n"
    ).format
    good = received(name="mail.example.org", ip="192.0.2.10").encode() + RAW
    bad = received(name="spoof.example", ip="198.51.100.66").encode() + good
    assert inspect(good, session=relay).facts.session.client_ip == "192.0.2.10"
    assert inspect(good, session=relay).decision.action == "accept"
    judged = inspect(bad, session=relay)
    assert judged.facts.session.client_ip == "198.51.100.66"
    assert judged.decision.action == "reject"


def test_a_received_field_of_a_stranger_is_not_believed() -> None:
    forged = b"Received: from mail.example.org (mail.example.org [192.0.2.10])\n\tby mx.example.net; x\n" + RAW
    assert inspect(forged, session=BAD).facts.session.client_ip == "198.51.100.66"


def test_an_address_that_is_none_is_an_input_error() -> None:
    with pytest.raises(gatepost.InputError):
        inspect(session=gatepost.Session(client_ip="999.1.1.1"))


@pytest.mark.parametrize("raw", [b"", b"\0", b"\r\n", b"\xff" * 100, b":" * 100, b"From:" * 1000, b"\r" * 50])
def test_any_octets_give_a_verdict(raw: bytes) -> None:
    assert inspect(raw, session=BAD).as_json()["decision"]["action"]


def test_importing_gatepost_imports_nothing_else() -> None:
    code = "import sys, gatepost; print([m for m in sys.modules if m.startswith('gatepost.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_line_of_an_mbox_is_no_part_of_the_message() -> None:
    found = inspect(b"From ann@example.org Mon Nov 24 16:00:00 2025\n" + RAW, session=GOOD)
    assert "header.malformed" not in codes(found)
    assert found.size == len(RAW)


def test_of_a_file_without_a_trace_nobody_knows_how_old_it_was_on_arrival() -> None:
    old = RAW.replace(b"2025", b"2015").replace(b"Mon, ", b"")
    assert "date.long-ago" not in codes(inspect(old))
    assert "date.long-ago" in codes(inspect(old, session=GOOD))


@pytest.mark.parametrize(
    "raw",
    [
        b"From: " + b"<" * 900_000,
        b"From: " + b"@" * 900_000,
        b'From: "' + b"a@b.c " * 150_000 + b'" <x@y.z>',
        b"From: " + b"=?utf-8?q?a=40b.example?= " * 35_000 + b"<x@y.z>",
        b"From: a@x.example\r\nReply-To: " + b"a@b.example, " * 70_000,
        b"Received: from a ([192.0.2.1]) by b; Mon, 24 Nov 2025 16:00:00 +0000\r\n" * 1990,
        b"Return-Path: <" + b"a" * 900_000 + b"@x.example>",
        b"DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=YQ==; b=YQ==\r\n" * 1900,
        b"Date: " + b"1 Jan " * 150_000,
    ],
    ids=lambda raw: raw[:20].decode(),
)
def test_a_hostile_header_costs_little_and_says_little(raw: bytes) -> None:
    begun = time.process_time()
    found = inspect(raw + b"\r\n\r\nx\r\n", session=BAD, mail_from=None)
    assert len(json.dumps(found.as_json())) < 100_000
    assert time.process_time() - begun < 3  # 0.2 s on a quiet machine
