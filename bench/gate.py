"""The gate as a contestant: a configuration of its own in a scratch folder, and the command that serves it.

In: a folder, the route of accepted mail. Out: command, port and the option that lets `load` claim a client's address.
All sender checks are on and DNS is asked at DNS_SERVER, as for every contestant. Not here: starting it (`peers`).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

HOST, PORT, DNS_SERVER = "127.0.9.1", 2700, "127.0.9.53:53"
CONFIGURATION = """\
hostname = "mx.example.net"
postmaster = "user@example.net"

[domains."example.net"]
accounts = ["user"]
route = "{route}"

[server]
listen = ["{listen}"]
workers = {workers}
monitor = ""

[smtp]
proxy_networks = ["127.0.0.0/8"]
max_connections_per_address = 3000
max_connections = 3000

[store]
folder = "data"

[dns]
servers = ["{dns}"]
"""


def configure(folder: Path, *, route: str, workers: int = 2) -> Path:
    """Writes a fresh configuration with an empty spool; returns its path."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / "gatepost.toml"
    values = {"route": route, "workers": workers, "listen": f"{HOST}:{PORT}", "dns": DNS_SERVER}
    path.write_text(CONFIGURATION.format(**values))
    return path


def command(configuration: Path) -> str:
    """The command line that serves `configuration` in the foreground."""
    return f"{Path(sys.executable).parent / 'gatepost'} serve --config {configuration}"
