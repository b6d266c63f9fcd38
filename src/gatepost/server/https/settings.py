"""The options of the built-in HTTPS listener: where it listens, our MTA-STS policy, what mail programs are told.

In: gatepost.toml, tables [https], [mta_sts] and [autoconfig]. Standard: RFC 8461 §3.2 (policy).
Not here: its certificates ([tls], [acme]).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpsSettings:
    """The listener; off unless addresses are named. It answers `/.well-known/mta-sts.txt`, autoconfig and autodiscover
    under the domains' own names, and nothing else."""

    listen: tuple[str, ...] = ()
    """Addresses and ports for HTTPS, as "0.0.0.0:443" and "[::]:443"; the certificate is that of [tls]."""
    http_listen: tuple[str, ...] = ()
    """Addresses and ports for HTTP, as "0.0.0.0:80": only ACME's challenges are answered there, all else of ours is
    sent on to HTTPS."""
    timeout: float = 10.0
    """Seconds one connection may take in all, the handshake included; it has one request."""
    max_connections: int = 200
    """Connections at the same time; the next one is hung up on."""
    max_connections_per_address: int = 10
    """Connections of one address (IPv6: of its /64) at the same time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MtaStsSettings:
    """The policy that senders are shown for every domain (RFC 8461), where `https.listen` serves it."""

    mode: Literal["enforce", "testing", "none"] = "testing"
    """"testing": senders report when TLS or a name is not right, and deliver all the same; begin with it. "enforce":
    they do not deliver then. "none": senders forget the policy; say so for `max_age` before you take it away."""
    max_age: int = 1_209_600
    """Seconds for which senders keep the policy: two weeks; with "enforce" weeks or months."""
    mx: tuple[str, ...] = ()
    """The mail exchangers' names, "*.example.org" for all one label below. Empty: `hostname`. All that the MX records
    name must be here, backups too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoconfigSettings:
    """What mail programs are told, besides how to hand in mail, which is taken from `[submission]`."""

    imap: str = ""
    """Where mailboxes are read by IMAP over TLS, as "imap.example.org:993". Empty: programs are not told; most will not
    set themselves up without one."""
    pop3: str = ""
    """The same for POP3 over TLS, as "imap.example.org:995"."""
    name: str = ""
    """What programs call the provider. Empty: the domain."""
