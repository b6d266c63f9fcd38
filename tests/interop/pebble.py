"""A real Pebble, the test authority of Let's Encrypt: speaks ACME and checks HTTP-01 and DNS-01.

In: the port on which our HTTP listener is, the DNS server to ask. Out: `Pebble`: its directory, the root that signs its
certificates, the root that signed its own web server's. Not here: what is asked of it.
"""

from __future__ import annotations

import http.client
import json
import shutil
import ssl
import tempfile
import time
from pathlib import Path

from neighbour import Running, free_port, wait_for_port

from gatepost.net.authority import make_authority, write_private


class Pebble:
    """`http_port` is where it looks for HTTP-01; `eab` are the keys of accounts it knows already, and only takes."""

    def __init__(self, program: str, *, http_port: int, dns_port: int, eab: dict[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gatepost-pebble-"))
        authority = make_authority("Pebble's web server", now=time.time())
        issued = authority.issue(["127.0.0.1"], now=time.time())
        self.web_root = self.folder / "web-root.pem"
        self.web_root.write_bytes(authority.pem)
        write_private(self.folder / "key.pem", issued.key)
        write_private(self.folder / "cert.pem", issued.chain)
        self.port, self._management = free_port(), free_port()
        config = {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self._management}",
            "certificate": "cert.pem",
            "privateKey": "key.pem",
            "httpPort": http_port,
            "tlsPort": 1,
            "ocspResponderURL": "",
            "externalAccountBindingRequired": eab is not None,
            "externalAccountMACKeys": eab or {},
        }
        (self.folder / "config.json").write_text(json.dumps({"pebble": config}))
        quick = {"PEBBLE_VA_NOSLEEP": "1", "PEBBLE_WFE_NONCEREJECT": "0", "PEBBLE_AUTHZREUSE": "0"}
        command = ["env", *(f"{key}={value}" for key, value in quick.items()), program]
        command += ["-config", "config.json", "-dnsserver", f"127.0.0.1:{dns_port}"]
        self._running = Running(command, self.folder)
        wait_for_port(self.port)
        wait_for_port(self._management)

    @property
    def directory(self) -> str:
        return f"https://127.0.0.1:{self.port}/dir"

    @property
    def root(self) -> str:
        """The root that signs what it issues (PEM)."""
        context = ssl.create_default_context(cafile=str(self.web_root))
        asking = http.client.HTTPSConnection("127.0.0.1", self._management, context=context, timeout=20)
        asking.request("GET", "/roots/0")
        return asking.getresponse().read().decode()

    @property
    def settings(self) -> str:
        """Lines of the table [acme] for it."""
        return f'directory = "{self.directory}"\nca_file = "{self.web_root}"\nagree_to_terms = true\n'

    @property
    def log(self) -> str:
        return self._running.output.read_text("utf-8", "replace")

    def stop(self) -> None:
        self._running.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
