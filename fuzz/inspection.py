"""Fuzzes the whole way of a saved message: reading a mailbox, judging, data, and the report on a terminal."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main
from rich.console import Console

from gatepost.api import inspect_message
from gatepost.cli.show import show_inspection, show_line
from gatepost.cli.sources import split_stream
from gatepost.net.zone import ZoneResolver

RESOLVER = ZoneResolver(
    'example.org. TXT "v=spf1 ip4:192.0.2.10 -all"\n_dmarc.example.org. TXT "v=DMARC1; p=reject"\n'
    "mail.example.org. A 192.0.2.10\n10.2.0.192.in-addr.arpa. PTR mail.example.org.\n"
)
MAIL = (
    b"Return-Path: <ann@example.org>\nReceived: from mail.example.org (mail.example.org [192.0.2.10])\n"
    b"\tby mx.example.net with ESMTPS id 1; Mon, 24 Nov 2025 16:00:00 +0000\n"
    b'From: "boss@bank.example" <ann@example.org>\nReply-To: x@evil.example\nDate: Mon, 24 Nov 2025 16:00:00 +0000\n'
    b"Subject: =?utf-8?q?=1B[31m?= [red]x[/]\nMessage-ID: <1@example.org>\n\nHello.\n"
)
CORPUS = [
    MAIL,
    b"From a@b Mon Nov 24 16:00:00 2025\n" + MAIL + b"\nFrom a@b Mon Nov 24 16:00:00 2025\n>From x\n" + MAIL,
    b"DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s; h=from:to; bh=YQ==; b=YQ==; l=3; x=9\r\n" + MAIL,
    b"ARC-Seal: i=1; a=rsa-sha256; cv=none; d=example.org; s=s; b=YQ==\nARC-Message-Signature: i=1; a=rsa-sha256;\n"
    b" d=example.org; s=s; h=from; bh=YQ==; b=YQ==\nARC-Authentication-Results: i=1; x; dmarc=pass\n" + MAIL,
]


def target(data: bytes) -> None:
    if not data.strip():
        return
    for saved in list(split_stream(io.BytesIO(data), "-"))[:5]:
        inspection = asyncio.run(inspect_message(saved.raw, resolver=RESOLVER))
        json.dumps(inspection.as_json())
        shown = io.StringIO()
        console = Console(file=shown, width=100, markup=False, emoji=False, highlight=False)
        show_inspection(console, inspection, saved.name)
        show_line(console, inspection, saved.name)
        assert all(c.isprintable() or c == "\n" for c in shown.getvalue())


if __name__ == "__main__":
    main(target, CORPUS)
