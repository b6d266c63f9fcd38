"""Fuzzes the header section and what is read from and written into its fields: dates, trace, encoded-words."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.message.dates import parse_date, write_date
from gatepost.message.fields import write_field, write_mailbox
from gatepost.message.header import parse_header
from gatepost.message.received import parse_received, parse_trace
from gatepost.message.trace import write_received, write_return_path
from gatepost.message.words import read_words

CORPUS = [
    b"From: a@b\r\nSubject: =?utf-8?q?=C3=B6?= =?iso-2022-jp?b?GyRCJCIbKEI=?=\r\n\tfolded\r\n\r\nbody",
    b"Date: Thu, 5 Nov 2026 12:00:00 +0100 (CET)\nno colon\nX : y\n\n",
    b"Received: from a.b (c.d [192.0.2.1]) (using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
    b"\tby e.f (Postfix) with ESMTPS id 1 for <g@h>; Thu, 5 Nov 2026 12:00:00 -0000\r\n\r\n",
    b"Received: from unknown (HELO x) (y@[IPv6:2001:db8::1]) by z with SMTP; 5 Nov 26 12:00 PST\r\n\r\n",
    b"Received: from r ([192.0.2.1]:25 helo=[e]) by m with esmtps (TLS1.2) tls TLS_A (Exim 4) id 1; x\r\n\r\n",
]


def target(data: bytes) -> None:
    header = parse_header(data)
    assert b"".join(field.raw for field in header) == data[: sum(len(field.raw) for field in header)]
    assert all(data[field.offset : field.offset + len(field.raw)] == field.raw for field in header)
    assert 0 <= header.end <= len(data)
    for field in header:
        read_words(field.text)
        parsed = parse_date(field.value)
        if parsed.epoch is not None:
            assert parse_date(write_date(parsed.epoch)).epoch == parsed.epoch
        parse_received(field.value)
    parse_trace(header)
    text = data.decode("utf-8", "surrogateescape")
    parse_date(text)
    received = write_received(
        ehlo_domain=text, client_ip="192.0.2.1", reverse_name=text, by="x", protocol=text, id=text, date=0.0, for_=text
    )
    for octets in (received, write_return_path(text)):
        assert len(parse_header(octets + b"\r\n")) == 1
    assert parse_received(received[len(b"Received:") :]).from_ip == "192.0.2.1"
    write_mailbox(text[:200], "a@b")
    written = write_field("Subject", text[:500])
    assert len(parse_header(written + b"\r\n")) == 1


if __name__ == "__main__":
    main(target, CORPUS)
