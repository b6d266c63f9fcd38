"""Follows redirects, to see where a shortened link leads.

In: URLs, a resolver, the limits. Out: `Followed`, never an exception. It answers the `Fetcher` port.
What makes it safe to let strangers choose the addresses: only http and https on their own ports; names are looked up
here, every address of every hop is checked, and the connection goes to the very address that was checked (no second
look-up that could answer otherwise); private, special and own addresses are never reached; no body is read; nothing is
sent but the URL itself: no cookies, no names of programs, no proxy from the environment. Only hosts that `may_ask`
allows are asked, so what a shortener leads to is told and not visited.
Standard: RFC 9110 §15.4 (redirection), §9.3.2 (HEAD); RFC 6890 (special addresses).
Not here: which links are worth it (`inspector.links`), what their targets mean (`inspector.rules`).
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx2

from gatepost.net.settings import FetchSettings
from gatepost.net.tls import client_context
from gatepost.ports import DnsStatus, Followed, Question, Resolver

Address = IPv4Address | IPv6Address

MAX_URL = 4096  # characters; no shortener makes longer ones
REMEMBERED = 1024  # URLs whose answers are kept
REDIRECTS = frozenset((301, 302, 303, 307, 308))
REFUSE_HEAD = frozenset((400, 403, 404, 405, 501))  # answers after which the same is asked with GET
# Ranges of IPv6 that stand for IPv4 addresses, which would escape the check: 6to4, Teredo, NAT64, IPv4-compatible.
_CARRIERS = tuple(
    map(IPv6Network, ("2002::/16", "2001::/32", "64:ff9b::/96", "64:ff9b:1::/48", "::/96", "::ffff:0:0/96"))
)
_HEADERS = (("User-Agent", "Mozilla/5.0"), ("Accept", "*/*"), ("Connection", "close"))


class _Refused(Exception):
    """The hop is not followed; the text says why."""


@dataclass(frozen=True, slots=True)
class _Target:
    """A hop that may be asked: the host's name for the server, the address to connect to."""

    url: httpx2.URL
    host: str
    port: int
    address: Address


class RedirectFetcher:
    """`may_ask` tells whether a URL's host may be asked at all. `also_allowed` are addresses with ports that are
    reached although they would be refused: for tests that run a server on loopback, and for nothing else."""

    def __init__(
        self,
        resolver: Resolver,
        settings: FetchSettings | None = None,
        *,
        may_ask: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
        also_allowed: frozenset[tuple[str, int]] = frozenset(),
        authority: str | None = None,
    ) -> None:
        self._resolver = resolver
        self._settings = settings or FetchSettings()
        self._may_ask = may_ask
        self._clock = clock
        self._also_allowed = also_allowed
        self._authority = authority
        self._slots = asyncio.Semaphore(self._settings.in_flight)
        self._transport: httpx2.AsyncHTTPTransport | None = None
        self._known: OrderedDict[str, tuple[float, Followed]] = OrderedDict()

    async def follow_all(self, urls: Sequence[str], deadline: float) -> tuple[Followed, ...]:
        """Each URL as far as it leads, within `deadline` seconds together."""
        ways = [[url] for url in urls]
        tasks = [asyncio.create_task(self._follow(way)) for way in ways]
        if tasks:
            await asyncio.wait(tasks, timeout=max(deadline, 0.0))
        answers = []
        for task, way in zip(tasks, ways, strict=True):
            if not task.done():
                task.cancel()
                answers.append(Followed(hops=tuple(way), reason=f"no answer within {deadline:g} s"))
            else:
                answers.append(Followed(hops=tuple(way), reason=task.result()))
        return tuple(answers)

    async def close(self) -> None:
        """Gives up connections."""
        if self._transport is not None:
            await self._transport.aclose()

    async def _follow(self, way: list[str]) -> str:
        """Adds to `way` where it leads; why it ended early, empty when it did not."""
        kept = self._known.get(way[0])
        if kept is not None and kept[0] > self._clock():
            way[:] = kept[1].hops
            return kept[1].reason
        async with self._slots:
            try:
                reason = await self._walk(way)
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError, UnicodeError) as error:
                reason = f"no answer: {type(error).__name__}"
            except _Refused as refusal:
                reason = str(refusal)
        self._known[way[0]] = (self._clock() + self._settings.keep, Followed(hops=tuple(way), reason=reason))
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)
        return reason

    async def _walk(self, way: list[str]) -> str:
        while self._may_ask(way[-1]):
            if len(way) > self._settings.max_hops:
                return f"more than {self._settings.max_hops} redirects"
            location = await self._ask(await self._target(way[-1]))
            if location is None:
                return ""
            if location in way:
                return "the redirects run in a circle"
            way.append(location)
        return ""

    async def _target(self, text: str) -> _Target:
        """What `text` names, once all its addresses were found harmless. Raises _Refused."""
        if len(text) > MAX_URL:
            raise _Refused("the address is too long")
        url = httpx2.URL(text.strip())
        host = url.raw_host.decode("ascii")
        if url.scheme not in ("http", "https") or not host:
            raise _Refused("neither http nor https")
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await self._addresses(host.strip("[]"))
        for address in addresses:
            self._check(address, port)
        return _Target(url=url, host=host.strip("[]"), port=port, address=addresses[0])

    async def _addresses(self, host: str) -> list[Address]:
        try:
            return [ip_address(host)]
        except ValueError:
            pass
        questions = (Question(host, "A"), Question(host, "AAAA"))
        answers = await self._resolver.lookup_all(questions, self._settings.timeout)
        found = [ip_address(name) for answer in answers if answer.status is DnsStatus.OK for name in answer.names]
        if not found:
            raise _Refused("its host has no address")
        return found

    def _check(self, address: Address, port: int) -> None:
        """Raises _Refused for what must not be reached from here."""
        if (str(address), port) in self._also_allowed:
            return
        if port not in (80, 443):
            raise _Refused(f"port {port}")
        reason = why_unreachable(address)
        if reason:
            raise _Refused(reason)

    async def _ask(self, target: _Target) -> str | None:
        """Where the server says it is; None where it says something else. The body is never read."""
        for method in ("HEAD", "GET"):
            response = await self._send(method, target)
            await response.aclose()
            if response.status_code in REDIRECTS and "location" in response.headers:
                location = response.headers["location"][:MAX_URL]
                return str(target.url.join(location).copy_with(fragment=None))
            if method == "GET" or response.status_code not in REFUSE_HEAD:
                return None
        return None

    async def _send(self, method: str, target: _Target) -> httpx2.Response:
        wait = self._settings.timeout
        place = target.url.copy_with(host=str(target.address), port=target.port, username=None, password=None)
        named = f"[{target.host}]" if ":" in target.host else target.host
        standard = target.port == (443 if target.url.scheme == "https" else 80)
        request = httpx2.Request(
            method,
            place,
            headers=[("Host", named if standard else f"{named}:{target.port}"), *_HEADERS],
            extensions={
                "sni_hostname": target.host,
                "timeout": {"connect": wait, "read": wait, "write": wait, "pool": wait},
            },
        )
        return await self._opened().handle_async_request(request)

    def _opened(self) -> httpx2.AsyncHTTPTransport:
        if self._transport is None:
            self._transport = httpx2.AsyncHTTPTransport(
                verify=client_context(verified=True, authority=self._authority),
                trust_env=False,
                http2=False,
                limits=httpx2.Limits(max_connections=self._settings.in_flight, max_keepalive_connections=0),
            )
        return self._transport


def why_unreachable(address: Address) -> str:
    """Why nobody outside may lead us to `address`; empty for one of the public Internet."""
    if is_special(address):
        return "a private or special address"
    return "an address of this machine" if is_own_address(address) else ""


def is_special(address: Address) -> bool:
    """Whether `address` is none of the public Internet, or hides one in it."""
    carrier = isinstance(address, IPv6Address) and any(address in network for network in _CARRIERS)
    return not address.is_global or address.is_multicast or address.is_reserved or carrier


def is_own_address(address: Address) -> bool:
    """Whether this machine has `address`: the kernel lets a socket be bound to none but its own."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(address), 0))
        except OSError:
            return False
    return True
