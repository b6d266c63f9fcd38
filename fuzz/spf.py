"""Fuzzes SPF: records, macro strings, and a whole check whose DNS answers are the input."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.msgauth.spf import check_host, parse_record
from gatepost.msgauth.spf.macro import parse_domain_spec, parse_macro_string
from gatepost.ports import Answer, DnsStatus, Mx, Question, Record

CORPUS = [
    b"v=spf1 -all",
    b"v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 a mx/24//64 ptr include:_spf.example.org ~all",
    b"v=spf1 exists:%{ir}.%{l1r-}.%{d2}._spf.%{o} redirect=%{h} exp=why.%{d}",
    b"v=spf1 a:%{p}.%{v}.example.org/0//0 mx:example.com ?all moo=%{s}%%%_%-",
    b"%{S} is not %{R}'s %{T} %{C} %{i} %{L+}",
]


class Echo:
    """A resolver whose every answer is the input."""

    def __init__(self, data: bytes) -> None:
        text = data[:200].decode("latin-1")
        self.records: dict[str, tuple[Record, ...]] = {
            "TXT": (data,),
            "A": ("192.0.2.7",),
            "MX": (Mx(10, text), Mx(0, "."), Mx(5, "mx.example.org")),
            "PTR": (text, "host.example.org"),
        }
        self.asked = 0

    async def lookup(self, name: str, rtype: str) -> Answer:
        self.asked += 1
        assert self.asked < 500, "too many questions"
        records = self.records.get(rtype, ())
        status = DnsStatus.OK if records else DnsStatus.NODATA
        return Answer(question=Question(name, rtype), status=status, records=records)

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        return tuple([await self.lookup(one.name, one.rtype) for one in questions])


def target(data: bytes) -> None:
    record = parse_record(data)
    assert record.error or data[:6].lower() == b"v=spf1"
    text = data.decode("latin-1")
    parse_macro_string(text, explanation=True)
    parse_domain_spec(text)
    half = len(text) // 2
    result = asyncio.run(
        check_host(
            ip="2001:db8::1" if len(data) % 2 else "192.0.2.1",
            ehlo=text[:half],
            mail_from=f"{text[:60]}@example.org" if len(data) % 3 else text,
            resolver=Echo(data),
        )
    )
    assert result.explanation.isprintable()
    assert result.explanation.isascii()
    assert result.lookups <= 11


if __name__ == "__main__":
    main(target, CORPUS)
