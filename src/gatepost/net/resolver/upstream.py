"""A question put to the servers in turn until one knows.

In: a question. Out: an `Answer`; TEMPFAIL when all have failed.
Standard: RFC 1035 §7.2 (several servers, retransmission), RFC 8020 (NXDOMAIN ends the search).
Not here: the cache (`net.resolver.cache`), one exchange (`net.resolver.exchange`).
"""

from __future__ import annotations

import asyncio
import os

from gatepost.net.resolver.exchange import exchange
from gatepost.net.resolver.query import RANDOM_OCTETS, write_query
from gatepost.net.resolver.reply import failure, parse_reply
from gatepost.net.resolver.servers import Server
from gatepost.net.resolver.settings import ResolverSettings
from gatepost.ports import Answer, DnsStatus, Question


class Upstream:
    """The servers, those that answered last in front."""

    def __init__(self, settings: ResolverSettings, servers: tuple[Server, ...]) -> None:
        self._settings = settings
        self._servers = list(servers)

    async def ask(self, question: Question, labels: tuple[bytes, ...], rtype: int) -> Answer:
        """The first answer that is none of failure."""
        last = failure(question, "timed out")
        try:
            async with asyncio.timeout(self._settings.deadline):
                for _ in range(self._settings.attempts):
                    for server in tuple(self._servers):
                        last = await self._ask_one(server, question, labels, rtype)
                        if last.status is not DnsStatus.TEMPFAIL:
                            return last
                        self._demote(server)
        except TimeoutError:
            return failure(question, f"no answer within {self._settings.deadline:g} s")
        return last

    async def _ask_one(self, server: Server, question: Question, labels: tuple[bytes, ...], rtype: int) -> Answer:
        query = write_query(
            labels,
            rtype,
            randomness=os.urandom(RANDOM_OCTETS),
            ask_authentic=server.trusted,
            mixed_case=server.mixed_case,
        )
        try:
            packet = await exchange(server, query, self._settings.timeout)
        except TimeoutError:
            return failure(question, "timed out")
        except OSError as error:
            return failure(question, f"{server}: {error.strerror or error}")
        return parse_reply(packet, question, rtype, trusted=server.trusted)

    def _demote(self, server: Server) -> None:
        """The others are asked first from now on."""
        if len(self._servers) > 1 and self._servers[0] is server:
            self._servers.append(self._servers.pop(0))
