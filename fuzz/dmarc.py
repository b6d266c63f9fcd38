"""Fuzzes DMARC: records, and a whole evaluation whose DNS answers and author domain are the input."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.msgauth.dmarc import evaluate, parse_record
from gatepost.ports import Answer, DnsStatus, Question

CORPUS = [
    b"v=DMARC1; p=reject",
    b"v=DMARC1; p=quarantine; sp=none; np=reject; adkim=s; aspf=r; psd=y; t=y; fo=1:d:s; rua=mailto:a@b.example!10m",
    b"v=DMARC1; psd=n; pct=20; ri=86400; rf=afrf; ruf=mailto:a@b.example,https://c.example/x; new=tag",
    b"a.b.c.d.e.f.g.h.example.com",
]


class Echo:
    """A resolver whose answers are the input, at every second name."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    async def lookup(self, name: str, rtype: str) -> Answer:
        status = (DnsStatus.OK, DnsStatus.NXDOMAIN, DnsStatus.OK, DnsStatus.TEMPFAIL)[(len(name) + len(self.data)) % 4]
        records = (self.data,) if status is DnsStatus.OK and rtype == "TXT" else ()
        return Answer(question=Question(name, rtype), status=status, records=records)

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        assert len(questions) <= 8
        return tuple([await self.lookup(one.name, one.rtype) for one in questions])


def target(data: bytes) -> None:
    parse_record(data)
    text = data.decode("latin-1")
    for author in (text, "mail.example.org", text[: len(text) // 2]):
        result = asyncio.run(evaluate(author, ("bounce.example.org", "pass"), None, resolver=Echo(data)))
        assert result.disposition == "none" or result.result == "fail"
        result.as_json()


if __name__ == "__main__":
    main(target, CORPUS)
