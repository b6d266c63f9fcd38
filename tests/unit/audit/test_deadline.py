"""An audit ends within its deadline whatever the world does, with what was found by then."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost import ZoneResolver
from gatepost.api_audit import audit_domain
from gatepost.audit.settings import AuditSettings
from gatepost.ports import Answer, DnsStatus, Mx, Question, Service, Target

ZONE = """
example.org. IN MX 10 mx.example.org.
example.org. IN TXT "v=spf1 mx -all"
mx.example.org. IN A 9.9.9.1
"""


class Asleep:
    """A prober that never comes back."""

    async def look_all(self, targets: Sequence[Target], deadline: float) -> tuple[Service, ...]:
        await asyncio.sleep(3600)
        return ()


class Broken:
    """A prober with a mistake in it."""

    async def look_all(self, targets: Sequence[Target], deadline: float) -> tuple[Service, ...]:
        raise RuntimeError("boom")


def test_what_hangs_is_cut_off_and_the_rest_is_kept() -> None:
    begun = time.monotonic()
    answer = asyncio.run(
        audit_domain("example.org", resolver=ZoneResolver(ZONE), prober=Asleep(), settings=AuditSettings(deadline=0.3))
    )
    assert time.monotonic() - begun < 30
    assert set(answer.facts.unfinished) == {"services"}
    codes = {one.code for one in answer.findings}
    assert {"look.unfinished", "spf.lookups", "mx.exchangers"} <= codes


def test_what_breaks_is_told_and_the_rest_is_kept() -> None:
    answer = asyncio.run(audit_domain("example.org", resolver=ZoneResolver(ZONE), prober=Broken()))
    assert "boom" in answer.facts.unfinished["services"]
    assert answer.facts.spf is not None


class Rubbish:
    """A resolver that answers anything to anything, drawn from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    async def lookup(self, name: str, rtype: str) -> Answer:
        return self.answer(Question(name, rtype))

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        return tuple(map(self.answer, questions))

    def answer(self, question: Question) -> Answer:
        status = self.random.choice([DnsStatus.OK] * 5 + list(DnsStatus))
        count = self.random.choice((1, 1, 2, 5, 30)) if status is DnsStatus.OK else 0
        records = tuple(self.record(question) for _ in range(count))
        return Answer(question=question, status=status, records=records, authentic=self.random.random() < 0.3)

    def record(self, question: Question) -> str | bytes | Mx:
        name = self.random.choice([question.name, "a.example", "b.example", ".", "x" * 63 + ".example", "_.example"])
        if question.rtype == "MX":
            return Mx(self.random.randrange(65536), name)
        if question.rtype == "A":
            return self.random.choice(["192.0.2.1", "9.9.9.9", "127.0.0.2"])
        if question.rtype == "AAAA":
            return self.random.choice(["2001:db8::1", "::1", "2620:fe::9"])
        if question.rtype == "TXT":
            return self.text()
        return self.random.choice(["", "1 2", "0 1 25 mx.example.", "3 1 1 00", "257 3 5 AAAA", 'x "', name])

    def text(self) -> bytes:
        pieces = [
            b"v=spf1 ", b"v=DMARC1;", b"v=STSv1; id=1", b"v=BIMI1; l=x; a=y", b"v=TLSRPTv1;rua=", b"v=DKIM1; p=",
            b"\xff\x00", b" include:a.example", b" redirect=b.example", b" mx a ptr exists:%{i}.x",
            b" ip4:0.0.0.0/0 +all", b"{evidence}", b"p=none; rua=mailto:x@a.example!10m", b"sp=", b"t=y;" * 30,
            b"%", b" include:%{d}", b"rua=mailto:%40@b.example",
        ]  # fmt: skip
        return b"".join(self.random.choice(pieces) for _ in range(self.random.randrange(1, 6)))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32))
def test_any_answers_give_an_audit(seed: int) -> None:
    """Garbage records are findings, never an exception, and nothing runs away."""
    answer = asyncio.run(audit_domain("example.org", resolver=Rubbish(seed), settings=AuditSettings(lookalikes=5)))
    troubles = [reason for reason in answer.facts.unfinished.values() if "trouble" in reason]
    assert not troubles
    assert answer.findings
    answer.as_json()


def test_many_policies_below_a_domain_are_bounded() -> None:
    """A tree that branches ten times at every level is cut off."""

    class Endless(Rubbish):
        asked = 0

        def answer(self, question: Question) -> Answer:
            Endless.asked += 1
            names = " ".join(f"include:{n}.{question.name[-80:]}" for n in range(10))
            found = (f"v=spf1 {names} -all".encode(),) if question.rtype == "TXT" else ()
            return Answer(question=question, status=DnsStatus.OK if found else DnsStatus.NODATA, records=found)

    answer = asyncio.run(audit_domain("example.org", resolver=Endless(0)))
    assert Endless.asked < 5000
    assert any(one.code == "spf.lookups" and one.severity.value == "danger" for one in answer.findings)


@pytest.mark.parametrize("records", [["9.9.9.1"] * 200, [f"9.9.{n}.1" for n in range(200)]])
def test_a_host_with_many_addresses(records: list[str]) -> None:
    zone = ZONE + "".join(f"mx.example.org. IN A {one}\n" for one in records)
    answer = asyncio.run(audit_domain("example.org", resolver=ZoneResolver(zone)))
    assert answer.facts.hosts is not None
    assert len(answer.facts.hosts[0].reverse) <= 16
