"""`SmtpClient` as a `Hop`: one open connection, its failures told in delivery's words.

In: a client that has said EHLO, over TLS where that was demanded. Out: a reply for each recipient; or HopFailed.
Standard: RFC 3463 §3.5, §3.8 (codes for what went wrong). Not here: opening one (`connect`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.names import Envelope, Tls
from gatepost.server.delivery.hop import HopFailed, HopRefused, HopReply
from gatepost.server.smtp.client import SmtpClient, TransportError
from gatepost.wire.smtp.replies import Reply

_T = TypeVar("_T")

NO_CONNECTION = "4.4.1"
_CODES = {"connect": NO_CONNECTION, "time-out": "4.4.2", "lost": "4.4.2", "tls": "4.7.5"}  # RFC 3463 §3.5, §3.8


class Connection:
    """An open hop. `broke` is told when it breaks off in the middle."""

    def __init__(
        self,
        client: SmtpClient,
        label: str,
        *,
        verified: bool,
        demanded_by: str = "",
        broke: Callable[[], None] = lambda: None,
    ) -> None:
        self._client = client
        self._verified = verified
        self._broke = broke
        self.demanded_by = demanded_by
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
            if fresh:
                self._broke()
            code = _CODES.get(error.reason, "4.4.2")
            raise HopFailed(code, f"{self.label}: {error.text}{_when(error)}", fresh=fresh) from error
        except RemoteProtocolError as error:
            self._broke()
            raise HopFailed("4.5.0", f"{self.label} broke the protocol: {error.text}") from error
        except LocalProtocolError as error:
            text = f"the message cannot be sent as it is: {error}"
            return [HopReply(reply_code=554, code="5.6.0", text=text)] * len(envelope.recipients)
        return [
            HopReply(reply_code=reply.code, code=reply.enhanced or "", text=reply.text) for reply in outcome.replies
        ]

    async def close(self) -> None:
        """QUIT without waiting long."""
        await self._client.quit()


def _when(error: TransportError) -> str:
    """Whoever looks at a message that arrived twice finds here why."""
    return " after the whole message was sent; nobody knows whether it was taken" if error.after_data else ""


def check(reply: Reply, label: str) -> None:
    """Raises HopRefused for a reply that is a refusal at the door."""
    if not reply.positive:
        raise HopRefused(reply.code, reply.text, label)


async def told(step: Awaitable[_T], label: str) -> _T:
    """A step of the opening, its failure told as HopFailed."""
    try:
        return await step
    except TransportError as error:
        raise HopFailed(_CODES.get(error.reason, NO_CONNECTION), f"{label}: {error.text}") from error
    except RemoteProtocolError as error:
        raise HopFailed("4.5.0", f"{label} broke the protocol: {error.text}") from error
