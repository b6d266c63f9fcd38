"""The gate inside the lab: its configuration, its processes, and a look behind its door.

In: a folder, the internet, ports. Out: a running `gatepost serve` of its own; `GateObserver`.
Standard: none. Not here: what a gate does (`server`), the tour (`lab.tour`). The gate is started as a person would
start it, by the command line and a gatepost.toml: what the tour shows is what one gets.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from gatepost.errors import GatepostError, InputError
from gatepost.lab import cast
from gatepost.lab.internet import Internet, selector_of
from gatepost.lab.judge import Seen
from gatepost.lab.scenario import Target
from gatepost.net.authority import write_private
from gatepost.store.accounts import Accounts, random_password
from gatepost.store.journal import Entry, Journal

NAME = "mx.gate.example"
T = TypeVar("T")
START, STOP = 30.0, 15.0  # seconds
VERDICT, DELIVERY = 10.0, 10.0  # seconds to wait for the journal's entry and for the file in the mailbox
POLL = 0.05
STARTED = b" started "  # the supervisor's log line once the ports are bound

CONFIG = """\
# The gate inside `gatepost lab`. Everything listens on loopback; nothing here is meant for the real network.
hostname = "{name}"
postmaster = "{user}"

[server]
listen = ["{host}:{port}"]
monitor = "{host}:{monitor}"
workers = 2
stop_timeout = 5.0

[domains."{domain}"]
accounts = ["alice", "bob"]

[submission]
listen_tls = ["{host}:{submissions}"]
listen_starttls = ["{host}:{submission}"]

[delivery]
relay = "none"

[door]
exempt = []
greet_delay = 0.1
[door.tarpit]
step = 0.02

[login.guessing]
delay = 0.02

[dns]
servers = ["{dns_host}:{dns_port}"]
authentic_from = ["{dns_host}:{dns_port}"]
timeout = 1.0
attempts = 2

[inspector]
trusted_sealers = ["forwarder.example"]
partner_domains = ["bank.example"]

[inspector.people]
"Erika Muster" = ["erika@{domain}"]

[lists]
use = ["links", "domains", "refuses"]

[lists.dns.links]
kind = "uri"
zone = "links.lists.example"
weight = 3.0

[lists.dns.domains]
kind = "domain"
zone = "domains.lists.example"
mode = "watch"

[lists.dns.refuses]
kind = "domain"
zone = "refuses.lists.example"

[tls]
certificate = "tls.pem"
key = "tls.key"

[store]
folder = "store"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """Where things listen."""

    smtp: int
    monitor: int
    dns: int
    submission: int
    submissions: int


class PortTaken(GatepostError):
    """Somebody was quicker to listen there than the gate."""


@dataclass(slots=True)
class LabGate:
    """A gate that runs. `target` is where to talk to it."""

    folder: Path
    target: Target
    process: subprocess.Popen[bytes]

    def stop(self) -> None:
        """Lets it finish, then insists."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()

    @property
    def log(self) -> Path:
        """What it wrote."""
        return self.folder / "gate.log"


def write_gate(folder: Path, internet: Internet, ports: Ports, now: float) -> Target:
    """Writes gatepost.toml, certificate and key into `folder`; gives the target that the gate will be."""
    issued = internet.authority.issue([NAME, cast.GATE], now=now, days=30)
    write_private(folder / "tls.pem", issued.chain)
    write_private(folder / "tls.key", issued.key)
    write_private(folder / "ca.pem", internet.authority.pem)
    password = random_password()
    _write_account(folder / "store", internet, password, now)
    text = CONFIG.format(
        name=NAME,
        user=cast.USER,
        host=cast.GATE,
        port=ports.smtp,
        monitor=ports.monitor,
        domain=cast.OURS,
        dns_host=cast.DNS,
        dns_port=ports.dns,
        submission=ports.submission,
        submissions=ports.submissions,
    )
    write_private(folder / "gatepost.toml", text.encode())
    return Target(
        host=cast.GATE,
        port=ports.smtp,
        recipient=cast.USER,
        domain=cast.OURS,
        authority=str(folder / "ca.pem"),
        name=NAME,
        submission=ports.submission,
        submissions=ports.submissions,
        account=cast.USER,
        password=password,
    )


def _write_account(store: Path, internet: Internet, password: str, now: float) -> None:
    """An account that may hand in mail, and the keys that sign it; afresh, since a start may be tried again when its
    port was taken."""
    shutil.rmtree(store, ignore_errors=True)
    accounts = Accounts.open(store)
    try:
        accounts.add(cast.USER, password, now)
    finally:
        accounts.close()
    folder = store / "keys" / cast.OURS
    folder.mkdir(parents=True)
    for number, key in enumerate(internet.keys[cast.OURS]):
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        write_private(folder / f"{selector_of(number)}.key", pem)


def start_gate(folder: Path, target: Target) -> LabGate:
    """Starts the gate that `write_gate` configured and waits until it listens. Raises GatepostError with its words."""
    python = [sys.executable, "-m"]
    command = [*python, "gatepost.lab.leash", *python, "gatepost", "serve", "--config", str(folder / "gatepost.toml")]
    with (folder / "gate.log").open("wb") as log:  # Ctrl-C shall not reach it: it is stopped in order
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True)
    gate = LabGate(folder, target, process)
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        if STARTED in gate.log.read_bytes():  # a connection proves nothing: another lab may listen there
            return gate
        time.sleep(POLL)
    gate.stop()
    words = " | ".join(gate.log.read_text("utf-8", "replace").strip().splitlines()[-3:])
    kind = PortTaken if "cannot be bound" in words else GatepostError
    raise kind(f"the lab's gate did not start: {words or 'it said nothing'}")


def free_port(host: str, wanted: int) -> int:
    """`wanted` if nobody listens there, else any free port of `host`."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise InputError("lab address", host, "cannot listen there; is 127.0.0.0/8 all loopback on this system?")


class GateObserver:
    """Looks into the gate's journal and mailboxes."""

    def __init__(self, gate: LabGate) -> None:
        self._store = gate.folder / "store"
        self._journal: Journal | None = None

    async def look(self, mark: str, *, wait: bool) -> Seen:
        """What became of the mail with `mark`; with `wait`, its verdict and delivery are given some seconds."""
        entry = await _until(lambda: self._entry(mark), VERDICT if wait else 0.0)
        if entry is None:
            found = await asyncio.to_thread(self._find, mark)
            return Seen() if found is None else Seen(delivered=found.read_bytes(), folder=_folder_of(found))
        expected = entry.action in ("accept", "tag")
        path = await _until(lambda: self._find(mark), DELIVERY if wait and expected else 0.0)
        return Seen(
            action=entry.action,
            score=entry.score,
            decided_by=entry.decided_by,
            codes=tuple(finding.code for finding in entry.findings),
            delivered=path.read_bytes() if path else None,
            folder=_folder_of(path) if path else "",
        )

    def _entry(self, mark: str) -> Entry | None:
        if self._journal is None:
            self._journal = Journal.open(self._store)
        found = self._journal.search(message_id=f"<{mark}@", limit=1)
        return found[0] if found else None

    def _find(self, mark: str) -> Path | None:
        """The delivered mail with `mark` in its Message-ID."""
        needle = f"<{mark}@".encode()
        for folder, _, names in os.walk(self._store):
            if os.path.basename(folder) in ("new", "cur"):
                for name in names:
                    path = Path(folder) / name
                    if needle in path.read_bytes():
                        return path
        return None


def _folder_of(path: Path) -> str:
    """ "Junk" or "inbox"."""
    return "Junk" if ".Junk" in path.parts else "inbox"


async def _until(ask: Callable[[], T | None], seconds: float) -> T | None:
    """Asks again and again until there is an answer or the time is up."""
    end = time.monotonic() + seconds
    while (found := await asyncio.to_thread(ask)) is None and time.monotonic() < end:  # noqa: ASYNC110 - other processes
        await asyncio.sleep(POLL)
    return found
