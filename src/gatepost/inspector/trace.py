"""Where a message came from, and where the trust in its Received fields ends.

In: the connection as far as it is known, the message, the networks of trusted relays. Out: the `Session` to judge
(the first untrusted hop), and the `Path` of hops.
Standard: RFC 5321 §4.4 (each server adds its field on top; only those of our own servers can be believed).
Not here: reading one field (`message.received`), what follows (`rules.path`).
"""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

from gatepost.errors import ConfigError
from gatepost.message.dates import parse_date
from gatepost.message.header import RawField
from gatepost.message.message import Message
from gatepost.message.received import MAX_HOPS, Hop, parse_received
from gatepost.names import Session, Tls

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Addresses that no stranger can have: a hop from there is inside the receiver's own house. The documentation networks
# (RFC 5737) are not among them: the lab and the tests live there.
_INSIDE = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("::1/128", "fc00::/7", "fe80::/10"),
    )
)


class JudgedFrom(enum.StrEnum):
    """How it is known who handed the message in."""

    SESSION = "session"  # the connection (or what PROXY or XCLIENT said of it), or --ip
    RECEIVED = "received"  # the Received field of a trusted relay, or the topmost one of a saved file
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathHop:
    """One step of the way, in words for people. `number` counts from the origin, 1 first. `time` is seconds since the
    epoch, `delay` seconds since the hop before. `trusted` is whether one of our own servers says so."""

    number: int
    from_name: str
    by: str
    protocol: str
    tls: str
    address: str
    reverse_name: str
    time: float | None
    delay: float | None
    trusted: bool

    def as_json(self) -> dict[str, Any]:
        """The hop as the schema docs/schema/inspect.json has it."""
        return {
            "number": self.number,
            "from": self.from_name,
            "by": self.by,
            "with": self.protocol,
            "tls": self.tls,
            "address": self.address,
            "reverse_name": self.reverse_name,
            "time": self.time,
            "delay": self.delay,
            "trusted": self.trusted,
        }


class Path:
    """The way of a message. The hops are read only when asked for: a live message is judged by its session, and its
    Received fields, which strangers wrote, matter little.

    `judged_by` is the server that says who handed the message in, where that is not the connection itself.
    `trusted_fields` is how many Received fields, from the top, our own servers wrote.
    """

    def __init__(self, message: Message, session: Session, judged_from: JudgedFrom, trusted_fields: int = 0) -> None:
        self.session = session
        self.judged_from = judged_from
        self.trusted_fields = trusted_fields
        self.fields: list[RawField] = message.header.all("received")[:MAX_HOPS]
        self.count = len(message.header.all("received"))

    @cached_property
    def times(self) -> tuple[float | None, ...]:
        """When each Received field, oldest first, says that the message arrived."""
        return tuple(_time_of(field) for field in reversed(self.fields))

    @property
    def received_at(self) -> float | None:
        """When the last hop of ours, or of the file's owner, took the message in; None when unknown."""
        if not self.trusted_fields or not self.fields:
            return None
        return _time_of(self.fields[min(self.trusted_fields, len(self.fields)) - 1])

    @property
    def judged_by(self) -> str:
        """The server whose Received field is believed, empty when it was the connection."""
        if self.judged_from is not JudgedFrom.RECEIVED:
            return ""
        return parse_received(self.fields[self.trusted_fields - 1].value).by

    @cached_property
    def hops(self) -> tuple[PathHop, ...]:
        """Oldest first. For a live message the last hop is the connection itself, which has no field yet."""
        hops: list[PathHop] = []
        before: float | None = None
        for index, field in enumerate(reversed(self.fields)):
            trusted = len(self.fields) - index <= self.trusted_fields
            hops.append(_path_hop(parse_received(field.value), index + 1, before, trusted))
            before = hops[-1].time if hops[-1].time is not None else before
        if self.judged_from is JudgedFrom.SESSION and not self.trusted_fields:
            hops.append(_live_hop(self.session, len(hops) + 1, before))
        return tuple(hops)


def read_path(
    message: Message, session: Session, trusted_relays: tuple[str, ...] = (), *, saved: bool = False
) -> tuple[Session, Path]:
    """The session to judge and the path. `session` is the connection; without an address (`saved`: a file that was
    read from disk) the topmost Received field is taken for that of the server which kept the message."""
    networks = parse_networks(trusted_relays)
    client = session.client_ip
    if client and not _within(client, networks):
        return session, Path(message, session, JudgedFrom.SESSION)
    if not client and not saved:
        return session, Path(message, session, JudgedFrom.UNKNOWN)
    return _judge_by_received(message, session, networks if client else (*networks, *_INSIDE))


def judge_from(session: Session, message: Message, trusted_relays: tuple[str, ...] = ()) -> Session:
    """The first hop that is not a trusted relay: the session's own client, or, where that is such a relay, the client
    that the relay's Received field names. TRAPS, "The relay judged as the sender"."""
    return read_path(message, session, trusted_relays)[0]


def _judge_by_received(message: Message, session: Session, inside: tuple[Network, ...]) -> tuple[Session, Path]:
    """Goes down the Received fields as long as each was written by a server of ours: the topmost was, and the next
    one was when the client that this one names is ours too."""
    for index, field in enumerate(message.header.all("received")[:MAX_HOPS]):
        hop = parse_received(field.value)
        if not hop.from_ip and not session.client_ip:
            continue  # a delivery inside the house (LMTP, a pipe) names no address
        if not hop.from_ip:
            break  # behind a trusted relay every field must say it, else nothing below can be believed
        if _within(hop.from_ip, inside):
            continue
        judged = replace(
            session,
            client_ip=hop.from_ip,
            ehlo_domain=hop.from_name,
            protocol=hop.with_protocol.split(" ", 1)[0] or session.protocol,
            tls=Tls(version=hop.tls.version, cipher=hop.tls.cipher, bits=0) if hop.tls else None,
            relay_ip=session.client_ip or None,
        )
        return judged, Path(message, judged, JudgedFrom.RECEIVED, index + 1)
    if session.client_ip:  # a trusted relay that tells nothing: it is all that is known
        return session, Path(message, session, JudgedFrom.SESSION)
    return session, Path(message, session, JudgedFrom.UNKNOWN)


@lru_cache(maxsize=16)
def parse_networks(texts: tuple[str, ...]) -> tuple[Network, ...]:
    """Addresses and networks in CIDR. Raises ConfigError for what is neither."""
    networks: list[Network] = []
    for text in texts:
        try:
            networks.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            why = "is no address and no network; write 192.0.2.0/24"
            raise ConfigError("inspector.trusted_relays", text, why) from None
    return tuple(networks)


def _within(ip: str, networks: Iterable[Network]) -> bool:
    if not networks:
        return False
    try:
        address = ipaddress.ip_address(ip)
    except ValueError:
        return False
    return any(address.version == network.version and address in network for network in networks)


def _time_of(field: RawField) -> float | None:
    """The date stands behind the last semicolon (RFC 5321 §4.4)."""
    _, semicolon, text = field.value.rpartition(b";")
    return parse_date(text).epoch if semicolon else None


def _path_hop(hop: Hop, number: int, before: float | None, trusted: bool) -> PathHop:
    tls = "" if hop.tls is None else " ".join(filter(None, (hop.tls.version, hop.tls.cipher))) or "yes"
    return PathHop(
        number=number,
        from_name=hop.from_name,
        by=hop.by,
        protocol=hop.with_protocol,
        tls=tls,
        address=hop.from_ip,
        reverse_name=hop.from_rdns,
        time=hop.date,
        delay=hop.date - before if hop.date is not None and before is not None else None,
        trusted=trusted,
    )


def _live_hop(session: Session, number: int, before: float | None) -> PathHop:
    time = session.received_at or None
    return PathHop(
        number=number,
        from_name=session.ehlo_domain,
        by="",
        protocol=session.protocol,
        tls=f"{session.tls.version} {session.tls.cipher}".strip() if session.tls else "",
        address=session.client_ip,
        reverse_name="",
        time=time,
        delay=time - before if time is not None and before is not None else None,
        trusted=True,
    )
