"""The gate as a contestant: a configuration of its own in a scratch folder, and the command that serves it.

In: a folder, the route of accepted mail. Out: command, port and the option that lets `load` claim a client's address.
All sender checks are on and DNS is asked at DNS_SERVER, as for every contestant. No peer looks inside messages or
remembers senders, so the gate does not either here (`inspection` measures what that takes).
Not here: starting it (`peers`).
"""

from __future__ import annotations

import shutil
import subprocess
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
max_connections_per_address = 3000
max_connections = 3000
proxy_networks = [{proxies}]

[store]
folder = "data"

[store.history]
enabled = false

[content]
enabled = false

[dns]
servers = ["{dns}"]
"""
TLS = """
[tls]
certificate = "cert.pem"
key = "key.pem"
"""


def configure(folder: Path, *, route: str, workers: int = 2, tls: bool = False) -> Path:
    """Writes a fresh configuration with an empty spool; returns its path. With `tls` clients come without PROXY."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    path = folder / "gatepost.toml"
    listen, proxies = f"{HOST}:{PORT}", "" if tls else '"127.0.0.0/8"'
    values = {"route": route, "workers": workers, "listen": listen, "dns": DNS_SERVER, "proxies": proxies}
    path.write_text(CONFIGURATION.format(**values) + (TLS if tls else ""))
    if tls:
        _make_certificate(folder)
    return path


def _make_certificate(folder: Path) -> None:
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", folder / "key.pem"]
    command = ["openssl", "req", "-x509", *new_key, "-out", folder / "cert.pem", "-days", "30", "-subj", "/CN=mx"]
    subprocess.run(command, check=True, capture_output=True)
    (folder / "key.pem").chmod(0o600)


def command(configuration: Path) -> str:
    """The command line that serves `configuration` in the foreground."""
    return f"{Path(sys.executable).parent / 'gatepost'} serve --config {configuration}"
