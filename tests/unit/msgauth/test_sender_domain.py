"""msgauth.sender_domain: RFC 5321 §5.1 and RFC 7505, temporary errors kept apart."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.msgauth.sender_domain import check_sender_domain
from gatepost.net.zone import ZoneResolver

ZONE = """
mx.example. 300 IN MX 10 mail.mx.example.
null.example. 300 IN MX 0 .
host.example. 300 IN A 192.0.2.1
text.example. 300 IN TXT "nothing else"
"""


@pytest.mark.parametrize(
    ("domain", "result"),
    [
        ("mx.example", "exists"),
        ("null.example", "null-mx"),
        ("host.example", "exists"),
        ("text.example", "missing"),
        ("gone.example", "missing"),
        ("slow.example", "temperror"),
        ("", "none"),
        ("[192.0.2.1]", "none"),
    ],
)
def test_result(domain: str, result: str) -> None:
    resolver = ZoneResolver(ZONE, timeouts=("slow.example",))
    assert asyncio.run(check_sender_domain(domain, resolver)).result == result
