"""From a route to the addresses that are called, one after the other, each with the TLS that it must have.

In: a route, what the message says about TLS. Out: `Place`s in order; or HopFailed, Undeliverable.
Standard: RFC 5321 §5.1 (every address of every host, in order), RFC 8689 §3 and §4.2.1 (a message's own wish), RFC 6761
§6.3 (localhost). Not here: the MX list (`mx`), what domains demand (`protection`), calling (`connect`).
"""

from __future__ import annotations

import dataclasses
import ipaddress
import random
from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.ports import DnsStatus, Question, Resolver
from gatepost.server.delivery.hop import HopFailed, TlsWish, Undeliverable
from gatepost.server.delivery.mx import LOOKUP_SECONDS, Exchangers, find_exchangers, interleave
from gatepost.server.delivery.own import Own
from gatepost.server.delivery.protection import Demand, Level, MxHost, Protection
from gatepost.server.delivery.routes import Carrier, Route
from gatepost.server.delivery.settings import DeliverySettings

MAX_PLACES = 12  # addresses of all hosts together that one connection is tried at


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One address to call. `domain` is whose mail goes there; `local`: nobody can listen between."""

    domain: str
    host: MxHost
    address: str
    port: int
    demand: Demand
    local: bool = False

    @property
    def label(self) -> str:
        """For log and queue: "mail.example.org[192.0.2.1]:25"."""
        if self.address.startswith("/"):
            return self.address
        name = self.host.name if self.host.name not in (self.address, f"[{self.address}]") else ""
        return f"{name}[{self.address}]:{self.port}"


class Finder:
    """Finds places. `protection` may be None where nobody knows more than the settings do."""

    def __init__(
        self,
        settings: DeliverySettings,
        resolver: Resolver,
        own: Own,
        protection: Protection | None,
        rng: random.Random,
    ) -> None:
        self._settings = settings
        self._resolver = resolver
        self._own = own
        self._protection = protection
        self._rng = rng

    async def find(self, route: Route, wish: TlsWish) -> list[Place]:
        """At least one. Raises HopFailed, Undeliverable."""
        found, port = await self.hosts(route), route.port or self._settings.mx_port
        demands = [_wished(wish, one) for one in await self._demands(route, found.hosts)]
        places = [
            Place(domain=route.host, host=host, address=address, port=port, demand=demand, local=route.is_local)
            for host, demand in zip(found.hosts, demands, strict=True)
            if not demand.unusable
            for address in found.addresses[host.name]
        ]
        if not places:
            self._count_unusable(route.host, found.hosts, demands)
            raise _unusable(found.hosts, demands)
        return places[:MAX_PLACES]

    def _count_unusable(self, domain: str, hosts: Sequence[MxHost], demands: Sequence[Demand]) -> None:
        """No session, and that is what a domain wants to hear of (RFC 8460 §4.3.2)."""
        for host, demand in zip(hosts, demands, strict=True):
            if demand.unusable and self._protection is not None:
                kind = "dnssec-invalid" if demand.source == "dane" else "validation-failure"
                self._protection.took(domain, host, "", demand, None, f"{kind}: {demand.unusable}")

    async def hosts(self, route: Route) -> Exchangers:
        """Where the route leads: a Unix socket's path and an address as they stand, a name by DNS, MX by preference."""
        if route.carrier is Carrier.MX:
            if _is_address(route.host):
                return self._literal(route.host)
            return await find_exchangers(route.host, self._resolver, self._own, self._rng)
        host = MxHost(route.host, 0)
        if route.path:
            addresses: tuple[str, ...] = (route.path,)
        elif route.host == "localhost":  # RFC 6761 §6.3: never asked for in DNS
            addresses = ("127.0.0.1", "::1")
        elif _is_address(route.host):
            addresses = (str(ipaddress.ip_address(route.host)),)
        else:
            addresses = await self._addresses(route.host)
        return Exchangers(hosts=(host,), addresses={host.name: addresses})

    async def _addresses(self, name: str) -> tuple[str, ...]:
        answers = await self._resolver.lookup_all([Question(name, "AAAA"), Question(name, "A")], LOOKUP_SECONDS)
        found = interleave(answers)
        if not found and any(answer.status is DnsStatus.TEMPFAIL for answer in answers):
            raise HopFailed("4.4.3", f"DNS gives no answer for {name}")
        if not found:
            # Named in our own configuration: a mistake there, or in DNS, that somebody will mend.
            raise HopFailed("4.4.4", f"{name} has no address")
        return found

    def _literal(self, address: str) -> Exchangers:
        if self._own.is_address(address):
            raise Undeliverable("5.4.6", f"[{address}] is this server, which takes no mail for it")
        if self._own.is_forbidden(address):
            raise Undeliverable("5.4.4", f"there can be no mail exchanger at [{address}]")
        host = MxHost(f"[{address}]", 0)
        return Exchangers(hosts=(host,), addresses={host.name: (address,)})

    async def _demands(self, route: Route, hosts: Sequence[MxHost]) -> Sequence[Demand]:
        if route.carrier is Carrier.MX and self._protection is not None:
            return await self._protection.demands(route.host, hosts)
        level = Level(route.tls or self._settings.tls)
        if route.host in self._settings.auth and route.carrier in (Carrier.SMTP, Carrier.SMTPS):
            level = Level.VERIFIED  # a password goes only to whom it is meant for
        elif route.carrier is Carrier.SMTPS and level in (Level.NONE, Level.OPPORTUNISTIC):
            level = Level.ENFORCED
        return [Demand(level=level, names=(host.name.strip("[]"),)) for host in hosts]


def _wished(wish: TlsWish, demand: Demand) -> Demand:
    """`demand` as the message itself would have it."""
    if wish is TlsWish.REQUIRED and not (
        demand.level is Level.VERIFIED or (demand.level is Level.DANE and demand.tlsa)
    ):
        return dataclasses.replace(demand, level=Level.VERIFIED, source="REQUIRETLS", testing=False, code="5.7.10")
    if wish is TlsWish.WAIVED and demand.source != "configuration":
        # RFC 8689 §3: what the recipient's domain demands steps back; what our administrator demands does not.
        return Demand(level=demand.floor, names=demand.names, source="configuration")
    return demand


def _unusable(hosts: Sequence[MxHost], demands: Sequence[Demand]) -> HopFailed:
    words = dict.fromkeys(f"{h.name}: {d.unusable}" for h, d in zip(hosts, demands, strict=True) if d.unusable)
    code = next((demand.code for demand in demands if demand.unusable), "4.4.4")
    return HopFailed(code, "; ".join(words) or "there is no address to call")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
