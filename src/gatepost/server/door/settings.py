"""The options of the door: `[door]` and the tables below it.

In: nothing. Out: `DoorSettings`. Standard: RFC 6647 (greylisting). Not here: limits on one connection (`smtp`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Mode = Literal["off", "watch", "on"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TarpitSettings:
    """Slower answers to who makes mistakes: wrong commands, recipients that do not exist."""

    mode: Mode = "on"
    """"watch" only tells who would have been slowed down."""
    after: int = 5
    """Refused commands of one connection that are answered at once; `smtp.max_errors` ends it."""
    step: float = 1.0
    """Seconds that the first slow answer waits; each further one waits as much longer."""
    max_delay: float = 10.0
    """Seconds that an answer waits at most."""
    max_held: int = 100
    """Connections that may wait at the same time, in one worker; others are answered at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GreylistSettings:
    """Mail of strangers is asked to come again later (RFC 6647): spam programs mostly do not."""

    mode: Mode = "off"
    """"watch" only tells which messages would have been delayed."""
    at: Literal["data", "rcpt"] = "data"
    """When it is decided. "data": once the message is there, so that senders who are proven (an aligned pass) and
    one-time codes are never delayed. "rcpt": before the message, which costs less and delays the first mail of senders
    who are not known yet, codes among it."""
    delay: float = 300.0
    """Seconds after which the same sender may come again."""
    retry_window: float = 172_800.0
    """Seconds within which he must have come again; later he is a stranger anew."""
    keep: float = 3_110_400.0
    """Seconds that a sender who came again is known, counted from his last mail; 36 days hold a monthly letter."""
    max_rows: int = 500_000
    """Senders that are remembered; above them the oldest go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RateSettings:
    """How much may come in a time, counted over all worker processes together. 0 means no limit."""

    mode: Mode = "off"
    """"watch" only tells what would have been refused."""
    connections: int = 60
    """Connections a minute from one IPv4 address or one IPv6 /64 network."""
    network_connections: int = 300
    """Connections a minute from one IPv4 /24 or IPv6 /48 network."""
    messages: int = 1000
    """Messages an hour from one IPv4 address or one IPv6 /64 network."""
    network_messages: int = 5000
    """Messages an hour from one IPv4 /24 or IPv6 /48 network."""
    sender_domain_messages: int = 0
    """Messages an hour in the name of one envelope sender's domain. The name is not proven yet: whoever sends much in
    somebody's name uses up the limit for him."""
    recipient_messages: int = 1000
    """Messages an hour to one recipient."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BanSettings:
    """Addresses that are sent away for a time. Those that `gatepost ban add` names always are; this is about those
    that the door would ban by itself."""

    mode: Mode = "watch"
    """"watch" only tells who would have been banned."""
    after: int = 50
    """Offences within an hour from one IPv4 address or one IPv6 /64 network: refused recipients, talking too early,
    refused messages, connections that ended by too many errors. An address that had as many messages accepted as it
    has offences is not banned: large senders make mistakes, too."""
    duration: float = 3600.0
    """Seconds that a ban by the door lasts."""
    max_bans: int = 20_000
    """Bans by the door at one time; above them those that end first go first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorSettings:
    """What stops a client before its message is read. Each check is "off", "watch" (it refuses nobody and tells what
    it would have done: in `gatepost lists report`, in the log and in the message's findings) or "on"."""

    exempt: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    """Networks that no check is about and that are never banned: this machine, own networks, own relays.
    `inspector.trusted_relays` and `smtp.xclient_networks` are exempt, too."""
    exempt_recipients: tuple[str, ...] = ()
    """Addresses, or whole domains of ours, whose mail no check refuses. Postmaster's is never refused for what the
    client looks like (RFC 5321 §4.5.1)."""
    greet_delay: float = 0.0
    """Seconds to wait before the greeting. Who talks before it is no mail server (RFC 5321 §3.1).
    0: greet at once and judge nobody by it."""
    early_talker: Mode = "on"
    """Clients that talk before the greeting: 554. It needs `greet_delay`."""
    pipelining: Mode = "watch"
    """Clients that send commands without waiting where they must, before PIPELINING was announced (RFC 2920 §3.1):
    550 to RCPT."""
    hello: Mode = "watch"
    """Clients whose HELO or EHLO is wrong: neither a full host name nor an address literal, our own name, or the
    literal of another address: 550 to RCPT."""
    reverse_dns: Mode = "off"
    """Clients without a reverse name that leads back to them: 450 to RCPT. Large senders are known to have none; the
    rules `path.no-reverse-dns` and `path.reverse-unconfirmed` weigh it without refusing anybody."""
    lists: Mode = "off"
    """Clients that are on block lists, looked up before the greeting. Two lists must agree, or one list and another
    sign at the door: 554 in place of the greeting, or to RCPT."""
    lookup_timeout: float = 5.0
    """Seconds that look-ups of reverse names and lists may take. What has no answer by then speaks against nobody."""
    shared_peers: int = 20
    """Different EHLO names within an hour from one private address that make a warning: a container's bridge or a
    proxy hides who the clients are. Such an address is not banned by the door."""
    tarpit: TarpitSettings = field(default_factory=TarpitSettings)
    """Slower answers to who makes mistakes."""
    greylist: GreylistSettings = field(default_factory=GreylistSettings)
    """Mail of strangers is asked to come again later."""
    rates: RateSettings = field(default_factory=RateSettings)
    """How much may come in a time."""
    bans: BanSettings = field(default_factory=BanSettings)
    """Addresses that are sent away for a time."""
