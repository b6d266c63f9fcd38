"""What the process of certificates needs is imported before root is dropped: a Python below /root is out of reach."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
import gatepost.server.processes
from gatepost.server.preload import preload
preload(acme=True)
before = set(sys.modules)
import acme.client, acme.crypto_util, acme.errors, acme.messages, josepy.jwa, josepy.jwk, requests.exceptions, netrc
from gatepost.ports.publisher import Action, Change
from gatepost.net.publish.update import write_update
import dns.name, dns.tsig
key = dns.tsig.Key("a.", b"secret", "hmac-sha256.")
for rtype, text in (("TLSA", "3 1 1 " + "00" * 32), ("TXT", "a")):
    change = Change(action=Action.ADD, name="b.example", rtype=rtype, records=(text,))
    write_update(dns.name.root, (change,), key).to_wire()
print(sorted(set(sys.modules) - before))
"""


def test_nothing_is_imported_late() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == "[]"
