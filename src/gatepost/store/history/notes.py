"""What is told to the history: one message that came, or one that our own people sent.

In: addresses and message ids as they stand in messages. Out: frozen notes in one writing, and keys for message ids.
Addresses are compared without regard to case. Standard: RFC 5322 §3.6.4 (message ids).
Not here: the tables (`schema`), reading and writing (`history`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

MAX_ADDRESS = 320  # characters: 64 before the @ and 255 behind it (RFC 5321 §4.5.3.1)
MAX_RECIPIENTS = 100  # of one message that are remembered; more is a mailing to everybody
MAX_REFERENCES = 50  # message ids that are asked for; long threads name the near ones last
_KEY = 12  # octets of the hash: a million ids meet by chance once in 10^17


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A message of `author` that was taken for `recipients`, with an aligned pass."""

    author: str
    recipients: tuple[str, ...]
    message_id: str = ""
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that `sender`, one of our own people who has logged in, sent to `recipients`."""

    sender: str
    recipients: tuple[str, ...]
    message_id: str = ""
    at: float


def canonical(address: str) -> str:
    """The address as it is compared and kept; empty for what is none or too long."""
    local, at, domain = address.strip().lower().rpartition("@")
    domain = domain.rstrip(".")
    if not at or not local or not domain or len(address) > MAX_ADDRESS:
        return ""
    text = f"{local}@{domain}"
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")  # SQLite: no lone surrogates


def canonical_all(addresses: Iterable[str], most: int = MAX_RECIPIENTS) -> tuple[str, ...]:
    """Each of `addresses` once, without those that are none."""
    found = dict.fromkeys(filter(None, map(canonical, addresses)))
    return tuple(found)[:most]


def id_key(message_id: str) -> bytes:
    """The hash by which a message id is remembered; empty for none. The ids of a household's mail are nobody's
    business, and hashes are short."""
    text = message_id.strip().strip("<>").strip()
    return sha256(text.encode("utf-8", "replace")).digest()[:_KEY] if text else b""
