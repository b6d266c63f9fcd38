"""Opens connections to next hops: one address after the other until one takes us, as securely as it must be.

In: a route. Out: an open `Hop`; or HopFailed, HopRefused, Undeliverable: of all that was tried, what says most.
Standard: RFC 5321 §5.1 (the next host where one does not answer), §3.1 (554 in the greeting; another host may think
otherwise). Not here: which addresses (`places`), TLS (`secure`), logging in (`login`), keeping connections (`lane`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import random
import time
from collections.abc import Callable, Sequence

from gatepost.ports import Resolver
from gatepost.server.delivery.connection import NO_CONNECTION, Connection, check, told
from gatepost.server.delivery.hop import Hop, HopFailed, HopRefused, TlsWish
from gatepost.server.delivery.login import log_in
from gatepost.server.delivery.own import Own
from gatepost.server.delivery.places import Finder, Place
from gatepost.server.delivery.protection import Protection
from gatepost.server.delivery.routes import Carrier, Route
from gatepost.server.delivery.secure import Security, TlsFailed
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.delivery.standing import Standing
from gatepost.server.smtp.client import SmtpClient

OPEN_SECONDS = 600.0  # for all addresses of a destination together, however slowly each of them speaks
GREETING_SECONDS = 30.0  # for a greeting where there is another address to try; the RFC's five minutes else
_Failure = HopFailed | HopRefused


class Connector:
    """Opens hops, all with the same name of ours and the same settings. `protection` knows what domains demand, `own`
    who we are, `clock` gives seconds that never go back."""

    def __init__(
        self,
        hostname: str,
        settings: DeliverySettings,
        resolver: Resolver,
        *,
        protection: Protection | None = None,
        own: Own | None = None,
        rng: random.Random | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._hostname = hostname
        self._settings = settings
        self._protection = protection
        self._security = Security(hostname, settings)
        self._standing = Standing(settings.hop_pause, clock)
        chance = rng or random.Random()  # noqa: S311 - spreads load, hides nothing
        self._finder = Finder(settings, resolver, own or Own(hostname, settings), protection, chance)

    async def __call__(self, route: Route, wish: TlsWish = TlsWish.USUAL, *, demanded: bool = False) -> Hop:
        """The first that takes us. Raises HopFailed, HopRefused, Undeliverable."""
        try:
            async with asyncio.timeout(OPEN_SECONDS):
                places = self._in_order(await self._finder.find(route, wish))
                return await self._first(route, places, demanded)
        except TimeoutError:
            raise HopFailed("4.4.2", f"{route} was not ready for mail within {OPEN_SECONDS:.0f} seconds") from None

    async def addresses(self, route: Route) -> Sequence[str]:
        """Where `route` leads, in order. Raises HopFailed, Undeliverable."""
        found = await self._finder.hosts(route)
        return [address for host in found.hosts for address in found.addresses[host.name]]

    def _in_order(self, places: list[Place]) -> list[Place]:
        """Those that broke off in the middle of late go last."""
        by_key = {(place.address, place.port): place for place in reversed(places)}
        return [by_key[key] for key in self._standing.in_order([(p.address, p.port) for p in places])]

    async def _first(self, route: Route, places: list[Place], demanded: bool) -> Hop:
        failures: list[_Failure] = []
        for index, place in enumerate(places):
            known = "" if demanded else self._standing.why_not((place.address, place.port))
            if known:
                failures.append(HopFailed(NO_CONNECTION, f"{known} (not tried again yet)"))
                continue
            try:
                return await self._call(route, place, is_last=index == len(places) - 1)
            except (HopFailed, HopRefused) as failure:
                failures.append(failure)
        raise _most_telling(failures)

    async def _call(self, route: Route, place: Place, is_last: bool) -> Hop:
        key = (place.address, place.port)
        try:
            connection = await self._open(route, place, is_last)
        except TlsFailed as failure:
            self._took(place, None, failure.failure)
            raise
        except HopRefused:
            self._standing.wavered(key)  # it is there, but others first
            raise
        except HopFailed as failure:
            self._standing.died(key, failure.text)
            raise
        self._standing.lives(key)
        return connection

    async def _open(self, route: Route, place: Place, is_last: bool) -> Hop:
        async def again() -> SmtpClient:
            return await self._greeted(route, place, is_last)

        secured = await self._security.secure(
            await again(), place.host.name.strip("[]"), place.demand, again, local=place.local
        )
        client = secured.client
        self._took(place, client, secured.failure)
        login = self._settings.auth.get(route.host) if route.carrier in (Carrier.SMTP, Carrier.SMTPS) else None
        if login is not None:
            await log_in(client, place.label, login, route)
        key = (place.address, place.port)
        return Connection(
            client,
            place.label,
            verified=secured.verified,
            demanded_by=secured.demanded_by,
            broke=lambda: self._standing.wavered(key),
        )

    async def _greeted(self, route: Route, place: Place, is_last: bool) -> SmtpClient:
        """A connection that was greeted and has said EHLO."""
        settings = self._settings.client
        if not is_last:
            settings = dataclasses.replace(
                settings,
                connect_timeout=min(settings.connect_timeout, self._settings.failover_timeout),
                greeting_timeout=min(settings.greeting_timeout, GREETING_SECONDS),
            )
        client = await told(
            SmtpClient.connect(
                place.address,
                place.port,
                lmtp=route.carrier is Carrier.LMTP,
                settings=settings,
                implicit_tls=self._security.context(place.demand) if route.carrier is Carrier.SMTPS else None,
                server_hostname=place.host.name or None,
            ),
            place.label,
        )
        try:
            check(client.greeting, place.label)
            check(await told(client.hello(self._hostname), place.label), place.label)
        except BaseException:
            client.abort()
            raise
        return client

    def _took(self, place: Place, client: SmtpClient | None, failure: str) -> None:
        if self._protection is not None and not place.local:
            tls = client.tls if client is not None else None
            self._protection.took(place.domain, place.host, place.address, place.demand, tls, failure)


def _most_telling(failures: Sequence[_Failure]) -> _Failure:
    """A host that spoke says more than one that broke off, and that more than one that never came; all are named."""

    def weight(failure: _Failure) -> int:
        if isinstance(failure, HopRefused):
            return 0
        return 2 if failure.code == NO_CONNECTION else 1

    first = min(failures, key=weight)
    others = [failure for failure in failures if failure is not first]
    words = "; ".join(dict.fromkeys(_words(failure) for failure in others))
    if not words:
        return first
    if isinstance(first, HopRefused):
        return HopRefused(first.reply_code, f"{first.text} (also: {words})", first.label)
    return HopFailed(first.code, f"{first.text}; {words}")


def _words(failure: _Failure) -> str:
    if isinstance(failure, HopRefused):
        return f"{failure.label} said {failure.reply_code} {failure.text}"
    return failure.text
