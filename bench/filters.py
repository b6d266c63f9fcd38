"""SpamAssassin and rspamd, as detection and speed are compared with: private, offline, on loopback.

In: a folder. Out: contestants that answer each message with a score; or `FilterMissing`, which says why. Installed once
by apt, where it may, and never started by it; nothing below /etc is changed. Both run as Debian ships them, but without
network tests, without statistics of their own (neither was ever trained) and without remembering anything.
Not here: what is asked of them (`detection`, `inspection`).
"""

from __future__ import annotations

import http.client
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

import neighbours  # tools/: installs without starting anything

PACKAGES = {"/usr/sbin/spamd": "spamd", "/usr/bin/spamassassin": "spamassassin", "/usr/bin/rspamd": "rspamd"}
HOST = "127.0.0.1"
SPAMD_PORT, RSPAMD_PORT = 17830, 17333
_ADD_HEADER = 6.0  # rspamd's action from which a message counts as spam, as it is shipped
_BY_CLOCK = ("DATE_IN_PAST", "DATE_IN_FUTURE")  # the mail is old, which is no merit and no fault
DNS_PORT = 17853
READY = 90.0  # seconds a filter may take to start: it compiles its rules
PATIENCE = 120.0  # seconds for one message
_SPAM_LINE = re.compile(rb"Spam: (True|False|Yes|No) ; (-?[\d.]+) / (-?[\d.]+)")
# rspamd's modules that ask others, or remember; what is left judges the message itself.
# (hfilter weighs host names that DNS does not know, and here it knows none.)
_RSPAMD_OFF = (
    "rbl", "surbl", "fuzzy_check", "greylist", "ratelimit", "history_redis", "neural", "reputation", "replies",
    "url_redirector", "p0f", "clustering", "bayes_expiry", "asn", "dmarc", "spf", "dkim", "arc", "mx_check",
    "hfilter",
)  # fmt: skip


class FilterMissing(Exception):
    """The filter cannot run here; the text says why."""


@dataclass(frozen=True, slots=True)
class Score:
    """What a filter makes of a message: its score, and whether that is its own word for spam."""

    points: float
    spam: bool


def install() -> None:
    """Brings both filters, once."""
    missing = sorted({package for path, package in PACKAGES.items() if not Path(path).exists()})
    if not missing:
        return
    if os.geteuid() != 0 or not neighbours.found("apt-get"):
        raise FilterMissing(f"{', '.join(missing)} not installed, and installing needs root and apt")
    try:
        neighbours.obtain(missing, [])
    except subprocess.CalledProcessError as error:
        raise FilterMissing((error.stderr or str(error)).strip().splitlines()[-1]) from None


class NoNames(threading.Thread):
    """A name server that answers every question at once: there is no such name."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.link.bind((HOST, DNS_PORT))
        self.link.settimeout(0.2)
        self.ended = threading.Event()

    def end(self) -> None:
        """Returns when the port is free again."""
        self.ended.set()
        self.join()
        self.link.close()

    def run(self) -> None:
        while not self.ended.is_set():
            try:
                question, asker = self.link.recvfrom(4096)
                end = question.index(b"\0", 12) + 5  # the name, its type and class; what follows (EDNS) is left out
                # RFC 1035 4.1.1: an answer, recursion available, name error; one question, nothing else
                head = question[:2] + b"\x81\x83\x00\x01" + bytes(6)
                self.link.sendto(head + question[12:end], asker)
            except (ValueError, TimeoutError):
                continue


class Filter:
    """A running filter; ended by its own process id when the block ends."""

    name = ""
    version = ""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / self.name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for path in (folder, self.folder):
            path.chmod(0o755)  # filters run as their own users
        self.process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """What starts it in the foreground."""
        raise NotImplementedError

    def check(self, raw: bytes) -> Score:
        """Asks it about one message."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        install()
        self.names = NoNames()
        self.names.start()
        log = (self.folder / "log").open("wb")
        self.process = subprocess.Popen(self.command(), stdout=log, stderr=log, start_new_session=True)
        end = time.monotonic() + READY
        while time.monotonic() < end:
            if self.process.poll() is not None:
                break
            try:
                self.check(b"From: a@example.org\r\nTo: b@example.net\r\nSubject: hello\r\n\r\nhello\r\n")
                return self
            except (OSError, ValueError, http.client.HTTPException):
                time.sleep(0.3)
        self.__exit__(None, None, None)
        raise FilterMissing(f"{self.name} did not start: {(self.folder / 'log').read_text(errors='replace')[-300:]}")

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.names.end()
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)  # a session of its own: its children and nobody else
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


class SpamAssassin(Filter):
    """spamd with local tests only (`-L`)."""

    name = "SpamAssassin"

    def command(self) -> list[str]:
        self.version = subprocess.run(["spamassassin", "-V"], capture_output=True, text=True).stdout.split()[2]
        site = self.folder / "site"
        shutil.copytree("/etc/spamassassin", site, dirs_exist_ok=True)
        own = "use_bayes 0\nuse_txrep 0\nuse_auto_whitelist 0\nskip_rbl_checks 1\ndns_available no\nreport_safe 0\n"
        (site / "zz-bench.cf").write_text(own)
        user = pwd.getpwnam("nobody")
        home = self.folder / "home"
        home.mkdir()
        os.chown(home, user.pw_uid, user.pw_gid)
        return ["/usr/sbin/spamd", "-L", "-x", "--max-children=2", "--min-children=2", f"--siteconfigpath={site}",
                f"--listen={HOST}:{SPAMD_PORT}", "--allowed-ips=127.0.0.1", "--username=nobody",
                f"--helper-home-dir={home}", "--syslog=stderr"]  # fmt: skip

    def check(self, raw: bytes) -> Score:
        with socket.create_connection((HOST, SPAMD_PORT), PATIENCE) as link:
            link.sendall(b"CHECK SPAMC/1.5\r\nContent-length: %d\r\n\r\n" % len(raw) + raw)
            link.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: link.recv(65536), b""))
        found = _SPAM_LINE.search(answer)
        if found is None:
            raise ValueError(f"spamd said {answer[:100]!r}")
        return Score(float(found[2]), found[1] in (b"True", b"Yes"))


class Rspamd(Filter):
    """rspamd's scanner, without lists, fuzzy hashes, statistics and sender checks."""

    name = "rspamd"

    def command(self) -> list[str]:
        self.version = subprocess.run(["rspamd", "--version"], capture_output=True, text=True).stdout.split()[-1]
        etc = self.folder / "etc"
        shutil.copytree("/etc/rspamd", etc)
        over = etc / "override.d"
        over.mkdir(exist_ok=True)
        (over / "options.inc").write_text(
            f'dns {{ nameserver = ["{HOST}:{DNS_PORT}:1"]; timeout = 1s; retransmits = 1; }}\n'
            'local_addrs = ["127.0.1.1/32"];\n'
        )
        (over / "worker-normal.inc").write_text(f'bind_socket = "{HOST}:{RSPAMD_PORT}";\ncount = 2;\n')
        (over / "worker-controller.inc").write_text(f'bind_socket = "{HOST}:{RSPAMD_PORT + 1}";\n')
        (over / "worker-proxy.inc").write_text("enabled = false;\n")
        (over / "worker-fuzzy.inc").write_text("enabled = false;\n")
        (over / "classifier-bayes.conf").write_text("enabled = false;\n")
        for name in _RSPAMD_OFF:
            (over / f"{name}.conf").write_text("enabled = false;\n")
        user = pwd.getpwnam("_rspamd")
        for name in ("db", "run", "logs"):
            (self.folder / name).mkdir()
            os.chown(self.folder / name, user.pw_uid, user.pw_gid)
        places = {"CONFDIR": etc, "LOCAL_CONFDIR": etc, "DBDIR": "db", "RUNDIR": "run", "LOGDIR": "logs"}
        options = [f"--var={key}={self.folder / value}" for key, value in places.items()]
        return ["/usr/bin/rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c", str(etc / "rspamd.conf"), *options]

    def check(self, raw: bytes) -> Score:
        link = http.client.HTTPConnection(HOST, RSPAMD_PORT, timeout=PATIENCE)
        try:
            link.request("POST", "/checkv2", body=raw)
            answer = json.loads(link.getresponse().read())
        finally:
            link.close()
        if "score" not in answer:
            raise ValueError(str(answer)[:200])
        points = float(answer["score"]) - sum(answer["symbols"].get(name, {}).get("score", 0.0) for name in _BY_CLOCK)
        return Score(round(points, 2), points >= _ADD_HEADER)
