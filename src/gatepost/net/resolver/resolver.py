"""`DnsResolver`: asks the network, once, and remembers.

In: names and types. Out: `Answer`s, never an exception. Loop-bound on first use; the cache outlives the loop.
Standard: RFC 1034 §5 (a stub with a cache), RFC 8767 (stale answers, a setting).
Not here: the exchange (`upstream`, `exchange`), the cache's rules (`cache`), a message's budget (`budget`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence

import dns.exception
import dns.rdatatype

from gatepost.net.records import BadName, parse_name
from gatepost.net.resolver.cache import AnswerCache, Key
from gatepost.net.resolver.reply import failure
from gatepost.net.resolver.servers import read_servers
from gatepost.net.resolver.settings import ResolverSettings
from gatepost.net.resolver.upstream import Upstream
from gatepost.ports import Answer, DnsStatus, Question


class DnsResolver:
    """Implements `ports.Resolver` over UDP and TCP. `clock` gives monotonic seconds."""

    def __init__(
        self, settings: ResolverSettings | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._settings = settings or ResolverSettings()
        self._servers = read_servers(self._settings)
        self._cache = AnswerCache(self._settings)
        self._clock = clock
        self._upstream = Upstream(self._settings, self._servers)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._flights: dict[Key, asyncio.Task[Answer]] = {}
        self._slots = asyncio.Semaphore(self._settings.in_flight)

    async def lookup(self, name: str, rtype: str) -> Answer:
        """One question, as `ports.Resolver` promises."""
        hit = self._cache.get((name, rtype), self._clock())
        if hit is not None:
            return hit
        found = self._find(name, rtype)
        return found if isinstance(found, Answer) else await asyncio.shield(found)

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        """All at once; what is not back in time goes on in the background and fills the cache."""
        now, get = self._clock(), self._cache.get
        found = [get((one.name, one.rtype), now) or self._find(one.name, one.rtype) for one in questions]
        waiting = {entry for entry in found if not isinstance(entry, Answer)}
        if waiting:
            await asyncio.wait(waiting, timeout=max(deadline, 0.0))
        late = f"no answer within {deadline:g} s"
        return tuple(
            entry if isinstance(entry, Answer) else entry.result() if entry.done() else failure(question, late)
            for question, entry in zip(questions, found, strict=True)
        )

    def close(self) -> None:
        """Gives up what is still asked; to be called in the loop's thread, before the loop ends."""
        for task in self._flights.values():
            task.cancel()
        self._flights.clear()

    def _find(self, name: str, rtype: str) -> Answer | asyncio.Task[Answer]:
        """A cached answer, or the one task that asks this question."""
        try:
            labels = parse_name(name)
            code = dns.rdatatype.from_text(rtype)
        except BadName as error:
            return Answer(question=Question(name, rtype), status=DnsStatus.NXDOMAIN, reason=str(error))
        except (dns.exception.DNSException, ValueError):
            return failure(Question(name, rtype), "no such record type")
        question = Question(b".".join(labels).decode("utf-8", "surrogateescape"), rtype.upper())
        key = (question.name, question.rtype)
        hit = self._cache.get(key, self._clock())
        if hit is not None:
            return hit
        self._bind()
        task = self._flights.get(key)
        if task is None:
            task = asyncio.ensure_future(self._ask(key, question, labels, int(code)))
            self._flights[key] = task
        return task

    async def _ask(self, key: Key, question: Question, labels: tuple[bytes, ...], code: int) -> Answer:
        try:
            async with self._slots:
                answer = await self._upstream.ask(question, labels, code)
            now = self._clock()
            if answer.status is DnsStatus.TEMPFAIL:
                stale = self._cache.get_stale(key, now)
                if stale is not None:
                    return stale
            return self._cache.put(key, answer, now)
        except asyncio.CancelledError:  # `close`, or the loop ends: those who wait get an answer all the same
            return failure(question, "the resolver was closed")
        finally:
            if self._flights.get(key) is asyncio.current_task():
                del self._flights[key]

    def _bind(self) -> None:
        """Tasks and the semaphore belong to one loop; a new loop (another `asyncio.run`) starts without them."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            self._loop = loop
            self._flights = {}
            self._slots = asyncio.Semaphore(self._settings.in_flight)
