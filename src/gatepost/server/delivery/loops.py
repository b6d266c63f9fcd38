"""Mail that goes in circles.

In: a parsed header section, our name, a recipient. Out: the reason why this is a loop, or an empty text.
Standard: RFC 5321 §6.3 (count the Received fields, with a large threshold). Not here: refusing at the door.
"""

from __future__ import annotations

from gatepost.message.header import Header

DELIVERED_TO = "Delivered-To"  # no RFC, but every delivery agent since qmail writes and reads it


def find_loop(header: Header, hostname: str, *, max_received: int, max_own_hops: int) -> str:
    """Why a message must not be handed on, empty when it may: too many hops at all, or through this server."""
    received = header.all("Received")
    if len(received) > max_received:
        return f"{len(received)} Received fields: this message goes in circles"
    own = sum(1 for field in received if _passed(field.value, hostname))
    if own > max_own_hops:
        return f"this message has passed {hostname} {own} times: it goes in circles"
    return ""


def was_delivered(header: Header, address: str) -> bool:
    """True when the message was in the mailbox of `address` before, or was forwarded by it (and somebody sent it
    back)."""
    wanted = address.lower().encode("utf-8", "surrogateescape")
    return any(field.value.lower() == wanted for field in header.all(DELIVERED_TO))


def came_back(header: Header, forwarder: str) -> str:
    """Why a message must not be forwarded by `forwarder` (may be empty), empty when it may: it has been before."""
    if forwarder and was_delivered(header, forwarder):
        return f"{forwarder} has forwarded this message before: it goes in circles"
    return ""


def _passed(value: bytes, hostname: str) -> bool:
    """True when a Received field says "by `hostname`" (RFC 5321 §4.4)."""
    words = value.lower().split()
    name = hostname.lower().encode("ascii", "replace")
    return any(word == b"by" and words[n + 1].rstrip(b";") == name for n, word in enumerate(words[:-1]))
