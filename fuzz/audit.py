"""Fuzzes what an audit reads of strangers: MTA-STS policies, TLSA records, handshakes, certificates, OCSP answers."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.audit.certificate import read_certificate, read_staple
from gatepost.audit.compare import compare
from gatepost.audit.gathering.records import srv_target
from gatepost.msgauth.sts import StsPolicy, matches_pattern, parse_sts_policy, parse_sts_record
from gatepost.msgauth.tlsa import matches_certificate, parse_tlsa
from gatepost.net.authority import make_authority
from gatepost.net.probe.hello import MAX_ANSWER, Alert, Need, NoTls, ServerHello, read_answer

ISSUED = make_authority("fuzz", now=1.7e9)
HELLO = bytes.fromhex("160303002e0200002a0303") + bytes(32) + bytes.fromhex("00c02f0000") + bytes(2)
CORPUS = [
    b"version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n",
    b"v=STSv1; id=20160831085700Z;",
    b"3 1 1 " + b"0123456789abcdef" * 4,
    b"0 1 993 mx.example.org.",
    HELLO,
    b"\x15\x03\x01\x00\x02\x02\x28",
    ISSUED.pem,
    b'{"findings": [{"code": "a.b", "severity": "info", "evidence": {"host": "x"}}], "areas": {"spf": {}}}',
]


def target(data: bytes) -> None:
    policy = parse_sts_policy(data)
    if isinstance(policy, StsPolicy):
        assert all(matches_pattern(one, one.replace("*", "x", 1)) for one in policy.mx)
    parse_sts_record([data])
    text = data.decode("utf-8", "replace")
    record = parse_tlsa(text)
    if record is not None:
        assert parse_tlsa(str(record)) == record
        matches_certificate(record, data)
    assert srv_target(text)[1] >= 0
    handshake(data)
    read_certificate(data)
    read_staple(data)
    any_json(data)


def handshake(data: bytes) -> None:
    """Whatever a server sends is a hello, an alert, a beginning or no TLS."""
    for whole in (False, True):
        try:
            answer = read_answer(data, whole=whole)
        except NoTls:
            continue
        assert isinstance(answer, (ServerHello, Alert, Need))
        assert answer is not Need.MORE or len(data) < MAX_ANSWER


def any_json(data: bytes) -> None:
    """An older audit may hold anything."""
    import json

    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return
    if isinstance(found, dict):
        compare(found, {"domain": "x", "findings": [], "areas": {}, "facts": {}}).as_json()
        compare({}, {**found, "domain": "x"}).as_json()


if __name__ == "__main__":
    main(target, CORPUS)
