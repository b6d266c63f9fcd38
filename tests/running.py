"""A gate that really runs: `gatepost serve` in processes of its own, with a name server of the lab beside it.

In: a folder, zone text, more configuration. Out: `RunningGate`: its port, its log, its command line, and how to end it.
Everything listens on loopback, on free ports. Not here: what is asserted of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import smtplib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gatepost.lab.dns import DnsFaults, LabDns

ZONE = """
. 300 IN SOA ns.test. root.test. 1 300 300 300 300
sender.example. 300 IN MX 10 mail.sender.example.
sender.example. 300 IN TXT "v=spf1 ip4:127.0.0.0/8 -all"
mail.sender.example. 300 IN A 127.0.0.1
mail.sender.example. 300 IN TXT "v=spf1 a -all"
1.0.0.127.in-addr.arpa. 300 IN PTR mail.sender.example.
_dmarc.sender.example. 300 IN TXT "v=DMARC1; p=reject"
bank.example. 300 IN MX 10 mail.bank.example.
bank.example. 300 IN TXT "v=spf1 -all"
_dmarc.bank.example. 300 IN TXT "v=DMARC1; p=reject"
shop.example. 300 IN MX 10 mail.shop.example.
shop.example. 300 IN TXT "v=spf1 -all"
_dmarc.shop.example. 300 IN TXT "v=DMARC1; p=quarantine"
mute.example. 300 IN MX 0 .
silent.example. 300 IN TXT "v=spf1 -all"
"""

CONFIG = """
hostname = "mx.gate.example"
postmaster = "ann@gate.example"
[domains."gate.example"]
accounts = ["ann", "bob"]
aliases = {{ sales = ["ann", "bob"] }}
{domain}
[server]
listen = ["127.0.0.1:{port}"]
monitor = "{monitor}"
workers = 2
stop_timeout = 5.0
[store]
folder = "store"
[dns]
servers = ["127.0.0.1:{dns}"]
timeout = 0.4
attempts = 1
{more}
"""


class NameServer:
    """The lab's name server in a thread."""

    def __init__(self, zone: str = ZONE, faults: DnsFaults | None = None) -> None:
        self._loop = asyncio.new_event_loop()
        self._server = LabDns(zone, faults)
        self.port = self._loop.run_until_complete(self._server.start("127.0.0.1"))
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class RunningGate:
    """`domain` and `more` are put into the configuration: into the domain's table, and at the end."""

    def __init__(self, folder: Path, dns: int, *, domain: str = "", more: str = "", monitor: bool = False) -> None:
        self.folder = folder
        self.port = free_port()
        self.monitor = free_port() if monitor else 0
        self.config = folder / "gatepost.toml"
        self._dns = dns
        self.configure(domain=domain, more=more)
        self.process = self.start()

    def configure(self, *, domain: str = "", more: str = "") -> None:
        monitor = f"127.0.0.1:{self.monitor}" if self.monitor else ""
        text = CONFIG.format(port=self.port, dns=self._dns, domain=domain, more=more, monitor=monitor)
        self.config.write_text(text)

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "gatepost", "serve", "--config", str(self.config)]
        with (self.folder / "log").open("ab") as log:
            before = self.log.count(" started ")
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        until(lambda: self.log.count(" started ") > before or self.process.poll() is not None, "the gate listens")
        assert self.process.poll() is None, self.log
        return self.process

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text("utf-8", "replace")

    def client(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, local_hostname="mail.sender.example", timeout=20)

    def send(self, message: bytes, *recipients: str, sender: str = "joe@sender.example") -> tuple[int, str]:
        """The reply to the whole message."""
        with self.client() as client:
            client.ehlo()
            assert client.mail(sender)[0] == 250
            for recipient in recipients or ("ann@gate.example",):
                code, text = client.rcpt(recipient)
                assert code == 250, text
            code, text = client.data(message)
            return code, text.decode()

    def mailbox(self, name: str, folder: str = "") -> list[Path]:
        place = self.folder / "store" / "mail" / "gate.example" / name / folder / "new"
        return sorted(place.iterdir()) if place.is_dir() else []

    def delivered(self, name: str, count: int = 1, folder: str = "") -> list[Path]:
        """The files in a mailbox once there are `count`."""
        until(lambda: len(self.mailbox(name, folder)) >= count, f"{count} mails for {name}")
        return self.mailbox(name, folder)

    def cli(self, *arguments: str) -> tuple[int, str]:
        """Exit code and output of `gatepost ARGUMENTS --config …`."""
        command = [sys.executable, "-m", "gatepost", *arguments, "--config", str(self.config)]
        done = subprocess.run(command, capture_output=True, timeout=60, check=False)
        return done.returncode, done.stdout.decode() + done.stderr.decode()

    def cli_json(self, *arguments: str) -> list[dict[str, Any]]:
        code, text = self.cli(*arguments, "--json")
        assert code == 0, text
        return [json.loads(line) for line in text.splitlines()]

    def children(self) -> list[int]:
        text = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in text.split()]

    def kill(self) -> None:
        """kill -9 to the supervisor and all its processes at once: they are one process group."""
        children = self.children()
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in children), "the killed processes are gone")

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()


def until(holds: Callable[[], bool], what: str, seconds: float = 30.0) -> None:
    """Waits until `holds()`; a machine under load is slow, so the limit is generous."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.02)


def mail(subject: str = "hello", author: str = "joe@sender.example", body: str = "Hello.", more: str = "") -> bytes:
    """A proper message with CRLF."""
    stamp = time.strftime("%a, %d %b %Y %H:%M:%S +0000", time.gmtime())
    text = (
        f"From: {author}\nTo: ann@gate.example\nSubject: {subject}\nDate: {stamp}\nMessage-ID: <{subject}@x.example>\n"
    )
    return f"{text}{more}\n{body}\n".replace("\n", "\r\n").encode()
