"""The shared words: a session, an envelope and its recipients, as RFC 5321 names them.

In: nothing; these types stand on the ground floor. Out: frozen values that every room may carry.
Standard: RFC 5321 §2.3.1 (envelope), RFC 3461 (DSN parameters), RFC 6531 (SMTPUTF8), RFC 8689 (REQUIRETLS).
Not here: how they are parsed (`wire`), kept (`store`) or judged (`inspector`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Body(enum.StrEnum):
    """The BODY parameter of MAIL (RFC 6152 §3)."""

    SEVEN_BIT = "7BIT"
    EIGHT_BIT = "8BITMIME"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """What the handshake agreed: protocol version ("TLSv1.3"), cipher suite, bits, and whether the peer's
    certificate was verified."""

    version: str
    cipher: str
    bits: int
    verified: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Who hands a message in, as far as the connection tells.

    `client_ip` is the address in its canonical text form ("192.0.2.1", "2001:db8::1"), empty when unknown (a saved
    file). It is the address to judge: the proxy's or trusted relay's own address is in `relay_ip`.
    `protocol` is the WITH keyword of RFC 3848: SMTP, ESMTP, ESMTPS, ESMTPSA, UTF8SMTPS …
    """

    client_ip: str = ""
    ehlo_domain: str = ""
    protocol: str = "SMTP"
    tls: Tls | None = None
    relay_ip: str | None = None
    account: str = ""  # who logged in (or who a trusted relay says did), empty when nobody
    received_at: float = 0.0  # seconds since the epoch, UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorSign:
    """Something odd about a client, seen at the door before its message: `check` is the check's name
    ("early-talker"), `words` half a sentence about the client ("it talked before the greeting")."""

    check: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One accepted RCPT: the address (local-part@domain, no angle brackets) and its DSN wishes (RFC 3461 §4).

    `notify` holds "NEVER" or any of "SUCCESS", "FAILURE", "DELAY"; empty means the default.
    `orcpt` is "addr-type;xtext" as it came, still encoded. `via` is the address of ours (an alias) that led to this
    one, empty where none did.
    """

    address: str
    notify: tuple[str, ...] = ()
    orcpt: str | None = None
    via: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One mail transaction's envelope. `mail_from` is empty for the null reverse-path `<>`."""

    mail_from: str
    recipients: tuple[Recipient, ...]
    body: Body = Body.SEVEN_BIT
    smtputf8: bool = False
    size: int | None = None  # octets the client declared (RFC 1870), None when it did not
    ret: str | None = None  # "FULL" or "HDRS"
    envid: str | None = None  # xtext as it came
    requiretls: bool = False


def domain_of(address: str) -> str:
    """The domain of `address` in lower case, without a trailing dot; empty when it has none."""
    return address.rpartition("@")[2].lower().rstrip(".") if "@" in address else ""
