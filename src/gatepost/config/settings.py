"""The whole configuration as one frozen type, composed of the rooms' own settings.

In: nothing. Out: `Settings`. Not here: reading the file (`load`); the options' reference (`describe`).
"""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.server.settings import DomainSettings, RelaySettings, ServerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that gatepost.toml can say."""

    hostname: str = field(default_factory=socket.getfqdn)
    """The name of this server in greetings, Received and Authentication-Results (its authserv-id, RFC 8601 §2.5).
    It should have an address record, and that address should point back to it."""
    folder: str = "/var/lib/gatepost"
    """Where spool, Maildirs, accounts and journal live. Relative paths start at the configuration file."""
    postmaster: str = ""
    """The address that gets mail for postmaster of every domain and the gate's own notices."""
    domains: Mapping[str, DomainSettings] = field(default_factory=dict)
    """The domains this gate takes mail for; it relays for no other."""
    server: ServerSettings = field(default_factory=ServerSettings)
    """The processes."""
    relay: RelaySettings = field(default_factory=RelaySettings)
    """What is true of mail from everybody."""

    def anchored(self, folder: Path) -> Settings:
        """The same with relative paths made absolute from `folder`."""
        return dataclasses.replace(self, folder=str(folder / self.folder))
