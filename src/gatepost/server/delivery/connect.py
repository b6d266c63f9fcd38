"""Opens connections to next hops: name to address, greeting, EHLO, TLS as demanded.

In: a route, a resolver, settings. Out: an open `Hop`; or HopFailed, HopRefused. Standard: RFC 5321 §3.1 (554 in the
greeting). Not here: the client (`server.smtp.client`); TLS (`secure`); keeping connections (`lane`).
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.names import Envelope, Tls
from gatepost.ports import DnsStatus, Question, Resolver
from gatepost.server.delivery.hop import Hop, HopFailed, HopRefused, HopReply
from gatepost.server.delivery.protection import Demand, Level
from gatepost.server.delivery.routes import Carrier, Route
from gatepost.server.delivery.secure import Security
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.smtp.client import SmtpClient, TransportError
from gatepost.wire.smtp.replies import Reply

_T = TypeVar("_T")

LOOKUP_SECONDS = 20.0
MAX_ADDRESSES = 5  # of a host that are tried, one after the other

NO_CONNECTION = "4.4.1"
_CODES = {"connect": NO_CONNECTION, "time-out": "4.4.2", "lost": "4.4.2", "tls": "4.7.5"}  # RFC 3463 §3.5, §3.8


class Connector:
    """Opens hops, all with the same name of ours and the same settings."""

    def __init__(self, hostname: str, settings: DeliverySettings, resolver: Resolver) -> None:
        self._hostname = hostname
        self._settings = settings
        self._resolver = resolver
        self._security = Security(hostname, settings)

    async def __call__(self, route: Route) -> Hop:
        """Tries the host's addresses in turn. Raises HopFailed or HopRefused: what the first of them said that took the
        connection, else why the last did not."""
        error: HopFailed | HopRefused | None = None
        for address in await self.addresses(route):
            try:
                return await self._open(route, address)
            except (HopFailed, HopRefused) as refusal:
                if error is None or (isinstance(error, HopFailed) and error.code == NO_CONNECTION):
                    error = refusal
        raise error or HopFailed("4.4.4", f"{route.host} has no address")

    async def addresses(self, route: Route) -> Sequence[str]:
        """A Unix socket's path, an address as it stands, a name's addresses by DNS."""
        if route.path:
            return [route.path]
        if route.host == "localhost":  # RFC 6761 §6.3: never asked for in DNS
            return ["127.0.0.1", "::1"]
        try:
            return [str(ipaddress.ip_address(route.host))]
        except ValueError:
            pass
        questions = [Question(route.host, "AAAA"), Question(route.host, "A")]
        answers = await self._resolver.lookup_all(questions, LOOKUP_SECONDS)
        found = [name for answer in answers if answer.status is DnsStatus.OK for name in answer.names]
        if not found and any(answer.status is DnsStatus.TEMPFAIL for answer in answers):
            raise HopFailed("4.4.3", f"DNS gives no answer for {route.host}")
        return found[:MAX_ADDRESSES]

    async def _open(self, route: Route, address: str) -> Hop:
        demand = Demand(level=Level(self._settings.tls), names=(route.host,))

        async def again() -> SmtpClient:
            return await self._greeted(route, address)

        secured = await self._security.secure(await again(), route.host, demand, again, local=route.is_local)
        client = secured.client
        label = client.label if route.path or route.host == address else f"{route.host}{client.label}"
        return Connection(client, label, verified=secured.verified)

    async def _greeted(self, route: Route, address: str) -> SmtpClient:
        """A connection that was greeted and has said EHLO."""
        client_settings, lmtp = self._settings.client, route.carrier is Carrier.LMTP
        client = await _told(SmtpClient.connect(address, route.port, lmtp=lmtp, settings=client_settings))
        try:
            _check(client.greeting)
            _check(await _told(client.hello(self._hostname)))
        except BaseException:
            client.abort()
            raise
        return client


class Connection:
    """`SmtpClient` as a `Hop`."""

    def __init__(self, client: SmtpClient, label: str, *, verified: bool) -> None:
        self._client = client
        self._verified = verified
        self.label = label

    @property
    def keywords(self) -> Mapping[str, str]:
        """What the hop announced last."""
        return self._client.extensions

    @property
    def tls(self) -> Tls | None:
        """What TLS was agreed; verified where that was demanded, since the connection is not used otherwise."""
        tls = self._client.tls
        return dataclasses.replace(tls, verified=self._verified) if tls is not None else None

    async def send(self, envelope: Envelope, raw: bytes) -> Sequence[HopReply]:
        """One transaction. Raises HopFailed."""
        served = self._client.transactions > 0
        if not self._client.usable:
            raise HopFailed("4.4.2", f"{self.label} has closed the connection", fresh=not served)
        try:
            outcome = await self._client.send(envelope, raw)
        except TransportError as error:
            # A hop may close an idle connection just as we speak; what was sent after that is nobody's.
            fresh = not served or error.after_data or error.reason != "lost"
            raise HopFailed(_CODES.get(error.reason, "4.4.2"), str(error), fresh=fresh) from error
        except RemoteProtocolError as error:
            raise HopFailed("4.5.0", f"{self.label} broke the protocol: {error.text}") from error
        except LocalProtocolError as error:
            text = f"the message cannot be sent as it is: {error}"
            return [HopReply(reply_code=554, code="5.6.0", text=text)] * len(envelope.recipients)
        return [_hop_reply(reply) for reply in outcome.replies]

    async def close(self) -> None:
        """QUIT without waiting long."""
        await self._client.quit()


def _hop_reply(reply: Reply) -> HopReply:
    return HopReply(reply_code=reply.code, code=reply.enhanced or "", text=reply.text)


def _check(reply: Reply) -> None:
    if not reply.positive:
        raise HopRefused(reply.code, reply.text)


async def _told(step: Awaitable[_T]) -> _T:
    """A step of the opening, its failure told as HopFailed."""
    try:
        return await step
    except TransportError as error:
        raise HopFailed(_CODES.get(error.reason, "4.4.1"), str(error)) from error
    except RemoteProtocolError as error:
        raise HopFailed("4.5.0", f"broke the protocol: {error.text}") from error
