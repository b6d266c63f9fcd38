"""`NetProber`: looks at ports for real, politely.

In: targets. Out: services, never an exception. Few connections at a time to one address, with a pause between them;
addresses that are not of the public Internet are not connected to unless they were allowed, since whoever writes the
zone chooses the addresses.
Standard: RFC 6890 (special addresses). Not here: what is said (`talk`), TLS (`handshake`, `matrix`).
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Literal

from gatepost.errors import InputError
from gatepost.net.fetch import is_special
from gatepost.net.probe.channel import Channel, Trouble
from gatepost.net.probe.handshake import shake_hands
from gatepost.net.probe.matrix import look_at_versions, look_for_staple
from gatepost.net.probe.talk import Talk
from gatepost.ports import Service, Spoken, Target, TlsSeen

Network = IPv4Network | IPv6Network
Place = tuple[str, int]

AT_ONCE = 200  # connections in all
TO_ONE = 2  # connections to one address
PAUSE = 0.1  # seconds between two of them
CONNECT = 10.0  # seconds
WAIT = 35.0  # seconds for one answer: careful servers let strangers wait half a minute for the greeting
REMEMBERED = 4096  # addresses whose turn is kept


def read_networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks as the settings name them. Raises InputError."""
    found = []
    for text in texts:
        try:
            found.append(ip_network(text, strict=False))
        except ValueError:
            raise InputError("audit.private", text, "is no network; give one as 10.1.0.0/16") from None
    return tuple(found)


class NetProber:
    """`allowed` are networks that are reached although they are private. `instead` puts another place for an address
    and port, `authority` a PEM file for the system's authorities: for trials. `name` is said in EHLO."""

    def __init__(
        self,
        *,
        allowed: Collection[Network] = (),
        tls: Literal["off", "versions", "suites"] = "versions",
        name: str = "",
        authority: str | None = None,
        instead: Mapping[Place, Place] | None = None,
        pause: float = PAUSE,
        wait: float = WAIT,
        to_one: int = TO_ONE,
    ) -> None:
        self._allowed = tuple(allowed)
        self._tls = tls
        self._name = name
        self._authority = authority
        self._instead = dict(instead or {})
        self._wait = wait
        self._turns = _Turns(to_one, pause)

    async def look_all(self, targets: Sequence[Target], deadline: float) -> tuple[Service, ...]:
        """As `ports.Prober` promises."""
        found = [Service(target=target) for target in targets]
        tasks = [asyncio.create_task(self._look(found, at)) for at in range(len(targets))]
        if tasks:
            await asyncio.wait(tasks, timeout=max(deadline, 0.0))
        late = f"not finished within {deadline:g} s"
        for at, task in enumerate(tasks):
            if not task.done():
                task.cancel()
                found[at] = replace(found[at], reason=late, certain=found[at].reached)
        if tasks:
            await asyncio.wait(tasks, timeout=2.0)
        return tuple(found)

    async def _look(self, found: list[Service], at: int) -> None:
        """Fills `found[at]`, step by step, so that what is known is there when the time is over."""
        target = found[at].target
        refusal = self._refusal(target.address)
        if refusal:
            found[at] = replace(found[at], reason=refusal, certain=False)
            return
        for step in (self._visit, self._look_closely):
            try:
                await step(found, at)
            except Trouble as trouble:
                found[at] = replace(found[at], reason=found[at].reason or str(trouble), certain=trouble.certain)
            except Exception as error:  # nothing that a server sends may end the audit of all others
                found[at] = replace(found[at], reason=f"a mistake of ours: {type(error).__name__}", certain=False)

    def _refusal(self, address: str) -> str:
        try:
            ip = ip_address(address)
        except ValueError:
            return "no address"
        if any(ip in network for network in self._allowed):
            return ""
        return "a private or special address; --private NETWORK allows it" if is_special(ip) else ""

    async def _visit(self, found: list[Service], at: int) -> None:
        """One dialogue, TLS in it; a second one where the chain leads nowhere, to see what is shown all the same."""
        distrust = ""
        for checked in (True, False):
            tls = await self._dialogue(found, at, checked=checked, distrust=distrust)
            if tls is None or not tls.distrust or not checked:
                return
            distrust = tls.distrust

    async def _dialogue(self, found: list[Service], at: int, *, checked: bool, distrust: str) -> TlsSeen | None:
        target = found[at].target
        async with self._turns.of(target.address):
            channel = await self._open(target)
            try:
                found[at] = replace(found[at], reached=True)
                return await self._spoken(found, at, channel, checked=checked, distrust=distrust)
            finally:
                await channel.close()

    async def _spoken(
        self, found: list[Service], at: int, channel: Channel, *, checked: bool, distrust: str
    ) -> TlsSeen | None:
        target = found[at].target
        talk = Talk(channel, target.spoken, self._name)
        tls = None
        if target.implicit_tls:
            tls = await self._shake(channel, target, checked=checked, distrust=distrust)
            found[at] = replace(found[at], tls=tls)
            if tls.failure or (checked and tls.distrust):
                return tls
        await talk.greet()
        found[at] = replace(found[at], banner=talk.banner, hello=talk.hello)
        await talk.ask_capabilities()
        if target.implicit_tls:
            found[at] = replace(found[at], hello=talk.hello, secure_capabilities=talk.capabilities)
        else:
            offered = talk.offers_tls
            found[at] = replace(found[at], hello=talk.hello, capabilities=talk.capabilities, starttls=offered)
            if offered:
                await talk.ask_tls()
                tls = await self._shake(channel, target, checked=checked, distrust=distrust)
                found[at] = replace(found[at], tls=tls)
                if tls.failure or (checked and tls.distrust):
                    return tls
                await talk.ask_capabilities()
                found[at] = replace(found[at], secure_capabilities=talk.capabilities)
        if target.recipients and target.spoken is Spoken.SMTP:
            found[at] = replace(found[at], answered=await talk.try_recipients(target.recipients))
        await talk.leave()
        return tls

    async def _shake(self, channel: Channel, target: Target, *, checked: bool, distrust: str) -> TlsSeen:
        seen = await shake_hands(channel, target.host, checked=checked, authority=self._authority)
        return seen if checked else replace(seen, distrust=distrust)

    async def _look_closely(self, found: list[Service], at: int) -> None:
        """Versions, suites and the OCSP answer, where a handshake succeeded."""
        target, tls = found[at].target, found[at].tls
        if tls is None or tls.failure or self._tls == "off":
            return

        async def ready() -> Channel:
            return await self._ready(target)

        staple, asked = await look_for_staple(ready, target.host)
        tls = replace(tls, staple=staple, staple_asked=asked)
        found[at] = replace(found[at], tls=tls)
        versions = await look_at_versions(ready, target.host, every_suite=self._tls == "suites")
        found[at] = replace(found[at], tls=replace(tls, versions=versions))

    async def _ready(self, target: Target) -> Channel:
        """A new connection, led to where a handshake may begin. The turn ends when it is there: handshakes by hand are
        short, and one follows the other."""
        async with self._turns.of(target.address):
            channel = await self._open(target)
            if target.implicit_tls:
                return channel
            try:
                talk = Talk(channel, target.spoken, self._name)
                await talk.greet()
                if target.spoken is Spoken.SMTP:
                    await talk.ask_capabilities()
                await talk.ask_tls()
            except BaseException:
                await channel.close()
                raise
            return channel

    async def _open(self, target: Target) -> Channel:
        place = self._instead.get((target.address, target.port), (target.address, target.port))
        return await Channel.open(*place, connect=CONNECT, wait=self._wait)


class _Turns:
    """Who may connect to an address now: so many at a time, and not in too quick a row."""

    def __init__(self, to_one: int, pause: float) -> None:
        self._to_one = to_one
        self._pause = pause
        self._all = asyncio.Semaphore(AT_ONCE)
        self._places: OrderedDict[str, _Turn] = OrderedDict()

    def of(self, address: str) -> _Turn:
        """The turn of `address`; to be waited for with `async with`."""
        turn = self._places.get(address)
        if turn is None:
            turn = self._places[address] = _Turn(self._to_one, self._pause, self._all)
            while len(self._places) > REMEMBERED:
                self._places.popitem(last=False)
        return turn


class _Turn:
    def __init__(self, to_one: int, pause: float, everybody: asyncio.Semaphore) -> None:
        self._slots = asyncio.Semaphore(to_one)
        self._pause = pause
        self._all = everybody
        self._next = 0.0

    async def __aenter__(self) -> None:
        await self._slots.acquire()
        try:
            now = time.monotonic()
            begin = max(now, self._next)
            self._next = begin + self._pause
            if begin > now:
                await asyncio.sleep(begin - now)
            await self._all.acquire()
        except BaseException:
            self._slots.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        self._all.release()
        self._slots.release()
