"""What may be set about audits.

In: the `[audit]` table of the configuration. Out: `AuditSettings`.
Standard: none. Not here: `[watch]` (`server.auditing.settings`), what is checked (`checks`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSettings:
    """How deep an audit looks, and how long it may take."""

    deadline: float = 90.0
    """Seconds one domain's audit may take, whatever its servers do; what is found by then is told."""
    dns_wait: float = 15.0
    """Seconds one round of questions to DNS may take."""
    depth: Literal["full", "quick"] = "full"
    """ "quick" asks only for the records that say who may send and how: MX and addresses, SPF, DMARC, MTA-STS, TLS-RPT,
    BIMI, DNSSEC, and of ports tries only 25; no reverse names, TLSA, CAA, SRV, selectors, look-alikes. For very many
    domains."""
    selectors: tuple[str, ...] = ()
    """DKIM selectors to look up in every audited domain, besides those that are common and those of our own keys."""
    common_selectors: bool = True
    """Look up the selectors that mail software and large providers use."""
    lookalikes: int = 60
    """Names that look like the domain's (a letter swapped, another ending) to look up, a question each; 0: none."""
    ports: bool = True
    """Connect to the ports of the domain's own mail servers. False: only DNS and HTTPS are asked."""
    recipients: bool = True
    """Ask each mail exchanger whether it takes mail for postmaster and for somebody who cannot exist (RCPT, then RSET:
    no mail is sent)."""
    tls: Literal["off", "versions", "suites"] = "versions"
    """How much of a server's TLS is tried: only the usual handshake; also every version, with its weakest suites; or
    every suite one by one (some 40 connections a port)."""
    pause: float = 0.1
    """Seconds between two connections to the same address; at most two are open at a time."""
    expiry_days: int = 14
    """Days before a certificate's end from which its coming expiry is a warning."""
    private: tuple[str, ...] = ()
    """Private networks whose addresses may be connected to, as "10.1.0.0/16": for servers inside your house. Without it
    a domain that points at private addresses makes nobody here connect to them."""
