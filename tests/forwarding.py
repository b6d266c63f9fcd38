"""A gate that sends mail on to people elsewhere, with all that it takes: an alias, a way out, a key, a zone.

In: a folder, the lab's name server, the table of its domain. Out: `ForwardingGate`. Not here: what is asserted of it.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from gatepost.server.signing.keyfiles import write_key
from keys import key_record
from running import ZONE, RunningGate

CONFIG = """
hostname = "mx.{domain}"
postmaster = "kim@{domain}"
[domains."{domain}"]
accounts = ["kim", "lee"]
{aliases}
[server]
listen = ["127.0.0.1:{port}"]
monitor = ""
workers = 1
stop_timeout = 5.0
[store]
folder = "store"
[content]
enabled = false
[dns]
servers = ["127.0.0.1:{dns}"]
timeout = 0.4
attempts = 1
[delivery]
relay = "{relay}"
retry_min = 0.2
retry_max = 0.5
{more}
"""
KEY = generate_private_key(65537, 2048)  # of every domain that forwards, and of the sender
DOMAINS = ("fwd.example", "one.example", "two.example")
NAMES = [f"gp._domainkey.{domain}" for domain in (*DOMAINS, "sender.example")]
RECORD = key_record(KEY).decode()
LINES = [f'{name}. 300 IN TXT "{RECORD[:200]}" "{RECORD[200:]}"' for name in NAMES]
LINES += [f'{domain}. 300 IN TXT "v=spf1 ip4:127.0.0.0/8 -all"' for domain in DOMAINS]
DNS = ZONE + "\n".join(LINES) + "\n"
RECEIVER = """
. 300 IN SOA ns.test. root.test. 1 300 300 300 300
{domain}. 300 IN TXT "v=spf1 ip4:127.0.0.0/8 -all"
sender.example. 300 IN TXT "v=spf1 ip4:192.0.2.1 -all"
"""


class ForwardingGate(RunningGate):
    """`aliases` is the rest of the domain's table, `relay` the way out, `more` stands behind [delivery]."""

    def __init__(
        self, folder: Path, dns: int, domain: str, *, aliases: str, relay: str, more: str = "", port: int = 0
    ) -> None:
        self.domain, self.aliases, self.relay, self.wanted_port = domain, aliases, relay, port
        write_key(folder / "store" / "keys", domain, "gp", KEY)
        super().__init__(folder, dns, more=more)

    def configure(self, *, domain: str = "", more: str = "") -> None:
        self.port = self.wanted_port or self.port
        text = CONFIG.format(
            domain=self.domain, aliases=self.aliases, port=self.port, dns=self._dns, relay=self.relay, more=more
        )
        self.config.write_text(text)

    def mailbox(self, name: str, folder: str = "") -> list[Path]:
        place = self.folder / "store" / "mail" / self.domain / name / folder / "new"
        return sorted(place.iterdir()) if place.is_dir() else []
