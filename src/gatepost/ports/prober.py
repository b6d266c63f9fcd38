"""A look at mail servers' ports, as pure rooms ask for it.

In: `Target`s. Out: for each a `Service`: what was said and shown there. Nobody logs in, no mail is handed over.
Standard: RFC 5321, RFC 9051 and RFC 1939 for the greetings, RFC 3207 and RFC 2595 for STARTTLS.
Not here: who looks (`net.probe`), what follows (`audit`); hostile sessions (`audit.probe`).
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Spoken(enum.StrEnum):
    """What is spoken at a port."""

    SMTP = "smtp"
    IMAP = "imap"
    POP3 = "pop3"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One port of one address. `host` is the name that its certificate should have. `recipients` are addresses that are
    tried with RCPT after a null sender, each in turn, before the transaction is reset; only where SMTP is spoken."""

    host: str
    address: str
    port: int
    spoken: Spoken
    implicit_tls: bool = False
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionSeen:
    """Whether a version of TLS is accepted; None when nobody knows (`reason`). `suites` are those that were seen to be
    accepted, by their IANA names, in the server's order of preference where it has one."""

    version: str
    accepted: bool | None
    suites: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsSeen:
    """What a handshake showed. `failure` says why there was none; then `version` and `cipher` are empty.

    `chain` is in DER, the server's own first. `trusted` says whether the chain leads to a known authority, whatever
    name the certificate has; `distrust` why not. `staple` is the OCSP answer that came with it, None for none;
    `staple_asked` whether it could have been seen (a server that speaks only TLS 1.3 hides it from us)."""

    version: str = ""
    cipher: str = ""
    chain: tuple[bytes, ...] = ()
    trusted: bool = False
    distrust: str = ""
    failure: str = ""
    staple: bytes | None = None
    staple_asked: bool = False
    versions: tuple[VersionSeen, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a server said to one recipient."""

    recipient: str
    code: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What was found at a target. `reason` says why it was not reached, or why the look ended early. `certain` is False
    where it may be our own fault that nothing was seen: no route from here, no time, an address that is not asked.
    `capabilities` are the words of EHLO, CAPABILITY or CAPA before TLS, `secure_capabilities` those inside it."""

    target: Target
    reached: bool = False
    certain: bool = True
    reason: str = ""
    banner: str = ""
    hello: str = ""
    capabilities: tuple[str, ...] = ()
    starttls: bool = False
    tls: TlsSeen | None = None
    secure_capabilities: tuple[str, ...] = ()
    answered: tuple[Answered, ...] = ()


class Prober(Protocol):
    """Looks at ports, politely: few connections at a time to one address."""

    async def look_all(self, targets: Sequence[Target], deadline: float) -> tuple[Service, ...]:
        """All at once, answers in the same order, within `deadline` seconds: what was not reached by then is said to
        be so, what was seen until then is kept. Never raises."""
        ...
