"""The mechanisms by name: which there are, which is chosen, and the machine of each.

In: names. Out: machines. Standard: RFC 4422 §3.1 (names, best first). Not here: which a server offers whom
(`server.submission`). CRAM-MD5 and DIGEST-MD5 are not there: both need passwords in the clear (RFC 6331).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from gatepost.wire.sasl.client import ClientExchange
from gatepost.wire.sasl.exchange import ServerExchange
from gatepost.wire.sasl.external import ExternalServer
from gatepost.wire.sasl.login import LoginClient, LoginServer
from gatepost.wire.sasl.plain import PlainClient, PlainServer
from gatepost.wire.sasl.scram_client import ScramClient
from gatepost.wire.sasl.scram_server import ScramPlusServer, ScramServer

# RFC 5802 §6: with channel binding first, so that a client takes the best it can.
MECHANISMS = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "EXTERNAL", "PLAIN", "LOGIN")
SCRAM = frozenset({"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """What a server's machine needs of its surroundings: fresh randomness, and what the channel can be bound to."""

    nonce: str = field(repr=False)
    end_point: bytes = b""


def server_exchange(mechanism: str, channel: Channel, offered: Collection[str]) -> ServerExchange | None:
    """The machine for `mechanism`, None when it is not among those `offered`."""
    if mechanism not in offered:
        return None
    match mechanism:
        case "PLAIN":
            return PlainServer()
        case "LOGIN":
            return LoginServer()
        case "EXTERNAL":
            return ExternalServer()
        case "SCRAM-SHA-256-PLUS":
            return ScramPlusServer(channel.nonce, channel.end_point)
        case "SCRAM-SHA-256":
            # "y" is only a lie where -PLUS was on offer
            return ScramServer(channel.nonce, channel.end_point if "SCRAM-SHA-256-PLUS" in offered else b"")
    return None


def client_exchange(offered: Collection[str], authcid: str, password: str, channel: Channel) -> ClientExchange | None:
    """The machine for the best of the mechanisms `offered` that name and password can do; None when there is none."""
    if "SCRAM-SHA-256-PLUS" in offered and channel.end_point:
        return ScramClient(authcid, password, channel.nonce, end_point=channel.end_point, plus=True)
    if "SCRAM-SHA-256" in offered:
        return ScramClient(authcid, password, channel.nonce, end_point=channel.end_point)
    if "PLAIN" in offered:
        return PlainClient(authcid, password)
    return LoginClient(authcid, password) if "LOGIN" in offered else None
