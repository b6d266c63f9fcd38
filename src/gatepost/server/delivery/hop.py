"""What delivery asks of a connection to a next hop, as protocols; and the ways in which a hop fails.

In: an envelope and octets. Out: a reply for each recipient, in order. Standard: RFC 5321 §4.3.2, RFC 2033 §4.2 (LMTP
answers once a recipient after the data). Not here: the client (`server.smtp.client`), how one is opened (`connect`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from gatepost.errors import GatepostError
from gatepost.names import Envelope, Tls
from gatepost.server.delivery.routes import Route


@dataclass(frozen=True, slots=True, kw_only=True)
class HopReply:
    """The reply that decides about one recipient: RCPT's when it refused, else the one to the data."""

    reply_code: int
    text: str
    code: str = ""


class HopFailed(GatepostError):
    """The hop could not be reached, broke off, took too long or broke the protocol: try later.

    `fresh` is False when a connection that had served before ended before it took anything of this message:
    then the message may be tried at once on a new one.
    """

    def __init__(self, code: str, text: str, *, fresh: bool = True) -> None:
        self.code = code
        self.text = text
        self.fresh = fresh
        super().__init__(f"{code} {text}")


class Undeliverable(GatepostError):
    """There is no next hop for this destination and there will be none: no such domain, no mail taken, ourselves."""

    def __init__(self, code: str, text: str) -> None:
        self.code = code
        self.text = text
        super().__init__(f"{code} {text}")


class HopRefused(GatepostError):
    """The hop answered at the door (greeting, EHLO, STARTTLS) that it will not talk to us: a 4yz or 5yz reply. `label`
    says which it was."""

    def __init__(self, reply_code: int, text: str, label: str = "") -> None:
        self.reply_code = reply_code
        self.text = text
        self.label = label
        super().__init__(f"{reply_code} {text}")


class Hop(Protocol):
    """An open connection that has said EHLO or LHLO, over TLS where that was agreed."""

    @property
    def keywords(self) -> Mapping[str, str]:
        """The extensions that the hop announced last: keyword in upper case to its parameters."""
        ...

    @property
    def tls(self) -> Tls | None:
        """What TLS was agreed."""
        ...

    @property
    def demanded_by(self) -> str:
        """Who demanded that TLS ("dane", "mta-sts", "configuration"); empty where nobody did."""
        ...

    @property
    def label(self) -> str:
        """The hop for the log: "mail.example.org[192.0.2.1]:25"."""
        ...

    async def send(self, envelope: Envelope, raw: bytes) -> Sequence[HopReply]:
        """One transaction; a reply for each recipient in the envelope's order. Raises HopFailed."""
        ...

    async def close(self) -> None:
        """QUIT without waiting long. Never raises."""
        ...


class TlsWish(enum.Enum):
    """What a message itself says about TLS."""

    USUAL = "usual"
    REQUIRED = "required"  # REQUIRETLS: verified, whatever the destination demands (RFC 8689 §4.2.1)
    WAIVED = "waived"  # "TLS-Required: No": what DANE and MTA-STS demand does not stop it (RFC 8689 §3)


class Connect(Protocol):
    """Opens a connection to a route. `demanded`: an administrator wants a try now, whatever is remembered of the hop.
    Raises HopFailed, HopRefused or Undeliverable."""

    async def __call__(self, route: Route, wish: TlsWish = TlsWish.USUAL, *, demanded: bool = False) -> Hop: ...
