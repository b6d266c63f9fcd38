"""The options of publishing: which server takes our changes to DNS, and with which key.

In: gatepost.toml, table [publish]. Out: `PublishSettings`. Standard: RFC 2136, RFC 8945 (TSIG).
Not here: sending them (`publisher`), what is published and when (`server`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishSettings:
    """Changes to the domain's zones by dynamic update. Off unless a server is named; nothing is changed but what a
    command was told to change, a challenge of ACME, and the TLSA records of a roll-over."""

    server: str = ""
    """The primary name server of the zones, as "192.0.2.53", "192.0.2.53:53" or "[2001:db8::53]:53"; an address, so
    that nobody's DNS decides where our changes go. Empty: nothing is published."""
    key_name: str = ""
    """The name of the TSIG key, as the name server knows it."""
    key_file: str = ""
    """File with its secret, for the gate's user alone (mode 0600): as `tsig-keygen` and `keymgr -t` write it, or the
    base64 text alone."""
    algorithm: Literal["hmac-sha256", "hmac-sha384", "hmac-sha512"] = "hmac-sha256"
    """How changes are signed with the key; it must be the one that the name server has for it."""
    zones: tuple[str, ...] = ()
    """The zones that may be changed. Empty: the server is asked which of its zones a name is in."""
    ttl: int = 3600
    """Seconds that records of ours may be cached."""
    timeout: float = 10.0
    """Seconds one question or change may take."""
