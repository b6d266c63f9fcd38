"""The options of TLS reports that are sent.

In: gatepost.toml, table [tlsrpt]. Out: `TlsRptSettings`. Standard: RFC 8460. Not here: reports that come in.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsRptSettings:
    """Daily reports to domains that ask for them (a TXT record at _smtp._tls) on how TLS to their servers went. They
    tell how often mail goes there and from which address, which is why nothing is sent unless you say so."""

    send: bool = False
    """Count sessions and send reports."""
    sender: str = ""
    """The address that reports come from, in a domain of this gate, which signs them."""
    contact: str = ""
    """Where the receiver of a report may ask, as it stands in the report. Empty: the same as `sender`."""
    organization: str = ""
    """The name of your organisation in reports. Empty: the domain of `sender`."""
    spread: float = 14_400.0
    """Seconds after midnight (UTC) over which the reports of a day are spread by chance, so that not all the world
    reports at once (RFC 8460 §4.1 suggests four hours)."""
