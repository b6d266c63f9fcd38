"""A real rspamd on loopback, as the receiver that verifies DKIM signatures.

In: a folder, the port of a private name server. Out: `Rspamd`, which answers with the symbols of a message.
Configuration: https://docs.rspamd.com/configuration/ ; nothing but its DKIM module runs, which starts in a second.
"""

from __future__ import annotations

import http.client
import json
import os
import pwd
from pathlib import Path
from typing import Any

from neighbour import Running, free_port, wait_for_port

CONFIGURATION = """\
options {{
    filters = "dkim";
    pidfile = "{folder}/run/rspamd.pid";
    cache_file = "{folder}/run/symbols.cache";
    local_addrs = ["127.0.1.1/32"];
    disable_hyperscan = true;
    dns {{ nameserver = ["127.0.0.1:{dns}:1"]; timeout = 2s; }}
}}
logging {{ type = "console"; level = "warning"; }}
worker "normal" {{ bind_socket = "127.0.0.1:{port}"; count = 1; }}
dkim {{ dkim_cache_size = 10; }}
{more}
"""


class Rspamd:
    """Started at construction. `more` goes into the configuration."""

    def __init__(self, folder: Path, dns_port: int, more: str = "") -> None:
        self.port = free_port()
        user = pwd.getpwnam("_rspamd")
        (folder / "run").mkdir()
        os.chown(folder / "run", user.pw_uid, user.pw_gid)
        config = folder / "rspamd.conf"
        config.write_text(CONFIGURATION.format(folder=folder, dns=dns_port, port=self.port, more=more))
        options = [f"--var={key}={folder / 'run'}" for key in ("DBDIR", "RUNDIR", "LOGDIR")]
        command = ["/usr/bin/rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", str(config), *options]
        self._running = Running(command, folder)
        wait_for_port(self.port, 60.0)

    def symbols(self, raw: bytes) -> dict[str, Any]:
        """What it found in a message that came from a stranger's address."""
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            link.request("POST", "/checkv2", body=raw, headers={"IP": "192.0.2.1", "From": "ann@example.org"})
            answer = json.loads(link.getresponse().read())
        finally:
            link.close()
        found: dict[str, Any] = answer["symbols"]
        return found

    def stop(self) -> None:
        """Ends it."""
        self._running.stop()
