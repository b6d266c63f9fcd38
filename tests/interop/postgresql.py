"""A real PostgreSQL on loopback, with TLS, in a private folder, not as root.

In: a folder, SQL to begin with, a certificate. Out: `Postgresql` with its port and socket; it can be stopped, and
started again.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from neighbour import Running, free_port, wait_until

BIN = Path("/usr/lib/postgresql/15/bin")
PASSWORD = "the gate's own"


def as_plain_user(command: list[str]) -> list[str]:
    """`command` as a user that is not root: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return command
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", *command]


class Postgresql:
    """`sql` is run as its administrator in the database `mail`; the role `gate` logs in with `PASSWORD`."""

    def __init__(self, folder: Path, sql: str, chain: bytes, key: bytes) -> None:
        self.folder = folder
        self.port = free_port()
        folder.chmod(0o755)
        home = folder / "home"
        home.mkdir(mode=0o700)
        (home / "server.pem").write_bytes(chain)
        (home / "server.key").write_bytes(key)
        (home / "server.key").chmod(0o600)
        if os.geteuid() == 0:
            for path in (home, *home.iterdir()):
                shutil.chown(path, "postgres", "postgres")
        self._data = home / "data"
        self._home = home
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "admin", "-E", "UTF8", "--no-sync")
        self._rules(
            "local all admin trust",
            "local all all scram-sha-256",
            "hostssl all all 127.0.0.1/32 scram-sha-256",
        )
        self.start()
        role = f"CREATE ROLE gate LOGIN PASSWORD '{PASSWORD.replace(chr(39), chr(39) * 2)}';"
        self.sql("CREATE DATABASE mail", database="postgres")
        self.sql(role + sql)

    @property
    def socket(self) -> str:
        """The folder of its socket."""
        return str(self._home)

    def start(self) -> None:
        """Starts it and waits until it answers."""
        options = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": self._home,
            "ssl": "on",
            "ssl_cert_file": self._home / "server.pem",
            "ssl_key_file": self._home / "server.key",
            "fsync": "off",
            "max_connections": 20,
        }
        settings = [f"--{name}={value}" for name, value in options.items()]
        command = as_plain_user([str(BIN / "postgres"), "-D", str(self._data), *settings])
        self._running = Running(command, self.folder)
        assert wait_until(self._answers), self._running.output.read_text("utf-8", "replace")

    def stop(self) -> None:
        self._running.process.send_signal(2)  # SIGINT: fast shutdown, without waiting for clients
        self._running.stop()

    def sql(self, text: str, database: str = "mail") -> None:
        """Runs SQL as its administrator."""
        self._run("psql", "-h", self.socket, "-p", str(self.port), "-U", "admin", "-v", "ON_ERROR_STOP=1", "-qc", text,
                  database)  # fmt: skip

    def _answers(self) -> bool:
        command = [str(BIN / "pg_isready"), "-q", "-h", self.socket, "-p", str(self.port)]
        return subprocess.run(command, check=False).returncode == 0

    def _rules(self, *lines: str) -> None:
        (self._data / "pg_hba.conf").write_text("\n".join(lines) + "\n")

    def _run(self, program: str, *arguments: str) -> None:
        command = as_plain_user([str(BIN / program), *arguments])
        done = subprocess.run(command, capture_output=True, text=True, cwd=self._home, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
