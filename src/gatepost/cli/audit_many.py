"""Many audits at a time, in the order of the input, with memory that does not grow.

In: names (lines of a file), what each audit needs. Out: audits as JSON values, one after the other. A line that is no
domain becomes an audit with one finding that says so; the others go on.
Not here: the command (`audit`), one audit (`api_audit`).
"""

from __future__ import annotations

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from gatepost.api_audit import audit_domain, read_domain
from gatepost.audit.facts import HeldKey
from gatepost.audit.settings import AuditSettings
from gatepost.errors import InputError
from gatepost.ports import Pages, Prober, Resolver
from gatepost.reputation.settings import ListsSettings

if TYPE_CHECKING:
    from gatepost.config import Settings
    from gatepost.reputation import Lists

AT_ONCE = 16  # domains audited at a time: most of an audit is waiting
MAX_LINE = 1024  # characters of a line of the file


@dataclass(slots=True, kw_only=True)
class Auditor:
    """What every audit shares: ports, settings, the time. Opened for the time of the run. `ports` says whether mail
    servers are connected to, `web` whether pages are fetched."""

    resolver: Resolver
    settings: AuditSettings
    ports: bool
    web: bool
    lists: ListsSettings
    gate: Settings | None = None
    now: float | None = None
    shared_by: int = 1  # processes that have an auditor like this one: they share what one address may be asked
    _prober: Prober | None = None
    _pages: Pages | None = None
    _asked: Lists | None = None

    async def __aenter__(self) -> Self:
        from gatepost.reputation import Lists

        if self.lists.use:
            self._asked = Lists(self.lists, self.resolver)
        if not (self.ports or self.web):
            return self
        from gatepost.net.pages import PageFetcher
        from gatepost.net.probe import TO_ONE, NetProber, read_networks

        allowed = read_networks(self.settings.private)
        if self.ports:
            chosen = self.settings
            self._prober = NetProber(
                allowed=allowed,
                tls=chosen.tls,
                name=self._name(),
                pause=chosen.pause * self.shared_by,
                to_one=max(1, TO_ONE // self.shared_by),
            )
        if self.web:
            self._pages = PageFetcher(self.resolver, allowed=allowed, own=True)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is held open between audits."""

    def _name(self) -> str:
        return self.gate.hostname if self.gate is not None else ""

    async def audit(self, line: str) -> dict[str, Any]:
        """One audit as JSON values. Never raises for what stands in the line."""
        try:
            name = read_domain(line)
        except InputError as error:
            return unusable(line, error)
        answer = await audit_domain(
            name,
            resolver=self.resolver,
            prober=self._prober,
            pages=self._pages,
            lists=self._asked,
            held=held_keys(self.gate, name),
            now=self.now,
            settings=self.settings,
        )
        return answer.as_json()


async def audit_all(auditor: Auditor, names: Iterable[str], at_once: int) -> AsyncIterator[dict[str, Any]]:
    """All of `names`, at most `at_once` under way or waiting to be told."""
    waiting: deque[asyncio.Task[dict[str, Any]]] = deque()
    try:
        for name in names:
            waiting.append(asyncio.create_task(auditor.audit(name)))
            if len(waiting) >= at_once:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()
    finally:
        for task in waiting:
            task.cancel()


def unusable(line: str, error: InputError) -> dict[str, Any]:
    """The audit of what is no domain."""
    finding = {
        "code": "domain.unusable",
        "severity": "danger",
        "weight": 40.0,
        "group": "servers",
        "summary": f"{line[:80]!r} {error.remedy}",
        "evidence": {"line": line[:200]},
        "remedy": "Correct the line in the file.",
        "reference": "RFC 1035 §2.3.1",
    }
    grade = {"letter": "-", "points": 0.0, "taken": {}, "note": "nothing could be looked at"}
    facts = dict.fromkeys(("hosts", "spf", "dkim", "dmarc", "mta_sts", "services"))
    return {
        "domain": line[:200],
        "shown": line[:200],
        "audited_at": 0.0,
        "seconds": 0.0,
        "grade": grade,
        "areas": {},
        "findings": [finding],
        "facts": {**facts, "records": {}, "unfinished": {}},
    }


def held_keys(gate: Settings | None, domain: str) -> tuple[HeldKey, ...]:
    """The records of the keys that the gate of the configuration signs with for `domain`. Keys that cannot be read are
    left out: `gatepost records status` tells of them."""
    if gate is None:
        return ()
    from gatepost.errors import GatepostError
    from gatepost.msgauth.dkim.publish import write_key_record
    from gatepost.server.signing.keyfiles import find_keys, load_key

    found = []
    for file in find_keys(gate):
        if file.domain != domain:
            continue
        try:
            found.append(HeldKey(selector=file.selector, record=write_key_record(load_key(file))))
        except GatepostError:
            continue
    return tuple(found)


def read_lines(source: str) -> Iterator[str]:
    """The domains in a file, or in standard input; empty lines and those that begin with # are passed over."""
    if source == "-":
        yield from _wanted(sys.stdin)
        return
    try:
        with Path(source).open(encoding="utf-8", errors="replace") as file:
            yield from _wanted(file)
    except OSError as error:
        raise InputError("--from", source, f"cannot be read: {error.strerror}") from None


def _wanted(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        text = line.strip()[:MAX_LINE]
        if text and not text.startswith("#"):
            yield text


def count_lines(source: str) -> int | None:
    """How many domains a file names; None for what can be read only once."""
    if source == "-" or not Path(source).is_file():
        return None
    return sum(1 for _ in read_lines(source))
