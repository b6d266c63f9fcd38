"""What next hops can do and whom they know, asked over their own protocol.

In: routes. Out: whether a route honours an extension; whether it knows a recipient (for `server.callforward`).
Only what every next hop of a domain honours may be promised to a sender (RFC 6531 §3.1, RFC 8689 §4.2).
Not here: delivering (`server.delivery`).
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence

from gatepost.errors import GatepostError
from gatepost.names import domain_of
from gatepost.server.callforward import Known, Verdict
from gatepost.server.delivery.routes import Carrier, Route, parse_route
from gatepost.server.smtp.client import SmtpClient
from gatepost.server.smtp.settings import ClientSettings
from gatepost.server.spelling import ascii_domain
from gatepost.wire.smtp.replies import Reply

REFRESH = 600.0  # seconds between two looks at what a next hop offers; software is upgraded in working hours
PATIENCE = ClientSettings(connect_timeout=5.0, greeting_timeout=10.0, command_timeout=10.0, tls_timeout=10.0)

MAX_ADDRESSES = 3  # of a next hop that are tried: somebody waits at RCPT

ASKED = (Carrier.LMTP, Carrier.SMTP, Carrier.SMTPS)

Addresses = Callable[[Route], Awaitable[Sequence[str]]]


class NextHops:
    """Knows the next hops of all routes. `addresses` finds where a route leads; `context` is for STARTTLS."""

    def __init__(self, hostname: str, routes: Iterable[str], addresses: Addresses, context: ssl.SSLContext) -> None:
        self._hostname = hostname
        self._routes = {text: parse_route(text) for text in routes}
        self._keywords: dict[str, frozenset[str]] = {}
        self._addresses = addresses
        self._context = context

    def can(self, route: str, keyword: str) -> bool:
        """Whether `route` honours the extension `keyword`. A mailbox here honours all; an unknown hop none."""
        parsed = self._routes.get(route)
        # RFC 6531 §3.4, RFC 8689 §4.2: which of the world's mail exchangers can, each message finds out for itself.
        if parsed is None or parsed.carrier in (Carrier.MAILDIR, Carrier.DISCARD, Carrier.MX):
            return True
        return keyword in self._keywords.get(route, frozenset())

    def any_can(self, keyword: str) -> bool:
        """Whether announcing `keyword` makes sense at all."""
        return any(self.can(route, keyword) for route in self._routes)

    async def watch(self) -> None:
        """Learns what each next hop offers, and looks again from time to time; runs until it is cancelled."""
        remote = [text for text, route in self._routes.items() if route.carrier in ASKED]
        while remote:
            for text in remote:
                self._keywords[text] = await self._offered(self._routes[text])
            await asyncio.sleep(REFRESH)

    async def ask(self, route: str, address: str) -> Verdict:
        """Whether the next hop takes mail for `address`: MAIL FROM:<>, RCPT TO, and never DATA."""
        try:
            client = await self._connect(self._routes[route].towards(ascii_domain(domain_of(address))))
        except (OSError, GatepostError, TimeoutError) as error:
            return Verdict(Known.UNSURE, f"{route} cannot be asked: {error}", reached=False)
        try:
            reply = await client.ask_recipient("", address)
        except (OSError, GatepostError, TimeoutError) as error:
            return Verdict(Known.UNSURE, f"{route} did not answer: {error}", reached=False)
        finally:
            await client.quit()
        return Verdict(_known(reply), str(reply))

    async def _offered(self, route: Route) -> frozenset[str]:
        try:
            client = await self._connect(route)
        except (OSError, GatepostError, TimeoutError):
            return frozenset()
        offered = frozenset(client.extensions)
        await client.quit()
        return offered

    async def _connect(self, route: Route) -> SmtpClient:
        failure = GatepostError(f"{route.host} has no address")
        for address in list(await self._addresses(route))[:MAX_ADDRESSES]:
            try:
                return await self._greeted(route, address)
            except (OSError, GatepostError, TimeoutError) as error:
                failure = GatepostError(str(error) or type(error).__name__)
        raise failure

    async def _greeted(self, route: Route, address: str) -> SmtpClient:
        client = await SmtpClient.connect(
            address,
            route.port or 25,
            lmtp=route.carrier is Carrier.LMTP,
            settings=PATIENCE,
            implicit_tls=self._context if route.carrier is Carrier.SMTPS else None,
            server_hostname=route.host or None,
        )
        try:
            await client.hello(self._hostname)
            if "STARTTLS" in client.extensions and client.tls is None:
                await client.start_tls(self._context, route.host)
                await client.hello(self._hostname)
        except BaseException:
            await client.quit()
            raise
        return client


def _known(reply: Reply) -> Known:
    """A refusal for good is "no" where it is about the mailbox (RFC 3463 §3.2: x.1.x); others may be about us."""
    if reply.positive:
        return Known.YES
    if reply.permanent and (reply.enhanced is None or reply.enhanced.startswith("5.1.") or reply.code == 550):
        return Known.NO
    return Known.UNSURE
