"""Fuzzes Authentication-Results: anything is read, whatever is written reads as one result, and what claims to be ours
is always found.

    python fuzz/authres.py --seconds 60
"""

from __future__ import annotations

from harness import main

from gatepost.message.header import parse_header
from gatepost.msgauth.authres import (
    MethodResult,
    Property,
    parse_authentication_results,
    remove_ours,
    write_authentication_results,
)

OURS = "mx.example.org"


def target(data: bytes) -> None:
    parse_authentication_results(data)
    text = data.decode("utf-8", "replace")
    one = MethodResult(
        method="spf",
        result="fail",
        reason=text,
        properties=(Property(ptype="smtp", name="mailfrom", value=text or "x"),),
        comments=(text,),
    )
    for utf8 in (False, True):
        header = parse_header(write_authentication_results(OURS, (one,), utf8=utf8) + b"\r\n")
        assert len(header.fields) == 1
        read = parse_authentication_results(header.fields[0].body)
        assert [(r.method, r.result, len(r.properties)) for r in read.results] == [("spf", "fail", 1)], read
        assert read.defects == ()
    header = parse_header(b"Authentication-Results: " + data + b"\r\n\r\n")
    parsed = parse_authentication_results(header.fields[0].body) if header.fields else None
    if parsed is not None and parsed.authserv_id.lower() == OURS:
        assert 0 in remove_ours(header, OURS)


CORPUS = [
    b'mx.example.org; spf=pass smtp.mailfrom=a@b.example; dkim=fail reason="no; good" (2048-bit key) header.b=ab/c=',
    b"(c) mx.example.org (d) 1; dkim (a) / 1 = (b) fail policy . x (z) = 1; none",
    b"spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=a.example;compauth=pass reason=100",
    b'"mx.ex\\ample.org"; dmarc=pass(p=REJECT) header.from=a.example;',
    "mx.bücher.example; iprev=pass policy.iprev=2001:db8::1".encode(),
]

if __name__ == "__main__":
    main(target, CORPUS)
