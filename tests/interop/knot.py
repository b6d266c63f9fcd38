"""A real Knot DNS, primary of zones that take dynamic updates signed with a TSIG key.

In: zones (name → master-file text), more of knot.conf. Out: `Knot` on a free port of 127.0.0.1, with the file of its
key. Not here: what is asked of it.
"""

from __future__ import annotations

import base64
import secrets
import shutil
import tempfile
from pathlib import Path

import dns.message
import dns.query
import dns.tsigkeyring
import dns.update
from neighbour import Running, free_port, wait_until

CONFIG = """
server:
  rundir: "{folder}"
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 2
  background-workers: 1
database:
  storage: "{folder}"
log:
  - target: stderr
    any: info
key:
  - id: gate-key
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: gate
    key: gate-key
    action: [update, transfer]
    {rights}
template:
  - id: default
    storage: "{folder}"
    file: "%s.zone"
    zonefile-sync: 0
    acl: gate
    {more}
zone:
{zones}
"""

HEAD = """{zone}. 5 IN SOA ns.{zone}. root.{zone}. 1 3600 600 86400 1
{zone}. 5 IN NS ns.{zone}.
ns.{zone}. 5 IN A 127.0.0.1
"""


class Knot:
    """`zones` maps a zone to its records. `rights` narrows what the key may change, `more` adds to every zone."""

    def __init__(self, program: str, zones: dict[str, str], *, rights: str = "", more: str = "") -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gatepost-knot-"))
        self.port = free_port()
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        self.key_file = self.folder / "key"
        self.key_file.write_text(f'key "gate-key" {{\n  algorithm hmac-sha256;\n  secret "{secret}";\n}};\n')
        self.key_file.chmod(0o600)
        for zone, records in zones.items():
            (self.folder / f"{zone}.zone").write_text(HEAD.format(zone=zone) + records)
        config = self.folder / "knot.conf"
        listed = "".join(f"  - domain: {zone}.\n" for zone in zones)
        config.write_text(
            CONFIG.format(folder=self.folder, port=self.port, secret=secret, zones=listed, rights=rights, more=more)
        )
        config.chmod(0o600)
        self._running = Running([program, "-c", str(config)], self.folder)
        assert wait_until(lambda: self._serves(next(iter(zones)))), self._running.output.read_text("utf-8", "replace")

    def _serves(self, zone: str) -> bool:
        question = dns.message.make_query(zone, "SOA")
        try:
            return bool(dns.query.udp(question, "127.0.0.1", port=self.port, timeout=0.3).answer)
        except Exception:
            return False

    def shows(self, name: str, rtype: str) -> list[str]:
        """What anybody is answered, sorted."""
        answer = dns.query.udp(dns.message.make_query(name, rtype), "127.0.0.1", port=self.port, timeout=5)
        return sorted(record.to_text() for rrset in answer.answer for record in rrset)

    def change(self, line: str) -> None:
        """A change made by somebody else: `add` or `delete` and a record in master-file form."""
        word, _, record = line.partition(" ")
        name, ttl, _, rtype, text = record.split(" ", 4)
        zone = ".".join(name.rstrip(".").split(".")[-2:])
        secret = self.key_file.read_text().split('"')[3]
        keyring = dns.tsigkeyring.from_text({"gate-key": ("hmac-sha256", secret)})
        message = dns.update.UpdateMessage(zone, keyring=keyring)
        if word == "add":
            message.add(name, int(ttl), rtype, text)
        else:
            message.delete(name, rtype, text)
        assert dns.query.tcp(message, "127.0.0.1", port=self.port, timeout=5).rcode() == 0

    @property
    def settings(self) -> str:
        """The table [publish] for it."""
        return f'[publish]\nserver = "127.0.0.1:{self.port}"\nkey_name = "gate-key"\nkey_file = "{self.key_file}"\n'

    @property
    def log(self) -> str:
        return self._running.output.read_text("utf-8", "replace")

    def stop(self) -> None:
        self._running.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
