"""Submission: connect, TLS, log in, hand in, signed, durable; the gate beside Postfix with Dovecot and OpenDKIM.

In: options. Out: messages a second by sessions, new and resumed TLS, and the ratio; handshakes a second beside what
`openssl speed` says one core can sign; what another session waits while 50 log in. Both check the same argon2id hash
and discard the 10 KB they took; the gate signs with RSA-2048 and Ed25519, OpenDKIM with RSA-2048 alone. Both believe a
right password for a while (`login.remember`, Dovecot's auth_cache_size); with --each-login-pays neither does, and what
is measured is argon2id. They run in turn, never at once; the client is the same.
Run: python bench/submission.py [--rounds 3] [--seconds 3] [--sessions 1,10,50] [--messages 1,10] [--each-login-pays]
Not here: starting the peers (tests/interop).
"""

from __future__ import annotations

import argparse
import base64
import multiprocessing
import os
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "interop")]

from dovecot import Dovecot  # noqa: E402
from neighbour import Running, free_port, tool, wait_for_port, wait_until  # noqa: E402
from postfix import SERVICES, Postfix  # noqa: E402

from gatepost.store.accounts.book import Book  # noqa: E402
from handing_in import ANN, DOMAIN, PASSWORDS, PostOffice  # noqa: E402
from running import NameServer  # noqa: E402

CLIENTS = 2  # processes that make the load
FREE = "\n".join(
    f"{what}_per_{period} = 0" for what in ("messages", "recipients", "new_recipients") for period in ("hour", "day")
)
MORE = f"""[submission.limits]
{FREE}
[delivery]
relay = "discard"
[store.history]
enabled = false
[content]
enabled = false
[smtp]
max_connections = 3000
max_transactions = 1000000
[login]
checks_waiting = 1000
"""
OPENDKIM = """\
Mode s
Socket local:{socket}
UMask 0000
KeyTable refile:{d}/keys
SigningTable refile:{d}/signing
MultipleSignatures yes
Canonicalization relaxed/relaxed
InternalHosts 0.0.0.0/0
RequireSafeKeys no
Background no
Syslog no
"""
BELIEVE = ("checks_waiting = 1000\n", "checks_waiting = 1000\nremember = 0\n")
AUTH = """
auth_cache_size = {cache}
service auth {{
  unix_listener {socket} {{
    mode = 0666
  }}
}}
auth_mechanisms = plain
passdb {{
  driver = passwd-file
  args = scheme=ARGON2ID username_format=%u {users}
}}
"""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One way to load a server: `messages` in each connection; 0 says QUIT after TLS, -1 after the login."""

    sessions: int
    messages: int
    resumed: bool
    login: bool = True


class Peers:
    """Postfix, its smtpd with TLS from the start, Dovecot's SASL and OpenDKIM, on the gate's certificate and keys."""

    def __init__(
        self,
        folder: Path,
        office: PostOffice,
        *,
        each_login_pays: bool,
        settings: Mapping[str, str] | None = None,
        services: str = "",
    ) -> None:
        """`settings` and `services` go to Postfix, over what stands here."""
        self.port = free_port()
        folder.chmod(0o755)
        book = Book.open(office.folder / "store")
        ((hashed,),) = book.read("SELECT password_hash FROM account WHERE address = ?", ANN)
        book.close()
        (folder / "users").write_text(f"{ANN}:{hashed}::::::\n")
        (folder / "users").chmod(0o644)
        socket_path = folder / "auth"
        for name in ("dovecot", "postfix", "opendkim"):
            (folder / name).mkdir()
        cache = "0" if each_login_pays else "10M"
        auth = AUTH.format(socket=socket_path, users=folder / "users", cache=cache)
        self._dovecot = Dovecot(tool.unpacked("dovecot"), folder / "dovecot", auth)
        milter = folder / "opendkim" / "socket"  # not TCP: there small writes wait 40 ms for their acknowledgement
        self._dkim = self._start_opendkim(folder / "opendkim", office, milter)
        service = (
            f"127.0.0.1:{self.port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes -o smtpd_sasl_auth_enable=yes\n"
        )
        import postfix as harness

        harness.SERVICES = SERVICES + (service + services).replace("{", "{{")  # type: ignore[attr-defined]
        self._postfix = Postfix(
            tool.unpacked("postfix"),
            folder / "postfix",
            {
                "smtpd_tls_cert_file": str(office.folder / "mx.pem"),
                "smtpd_tls_key_file": str(office.folder / "mx.key"),
                "smtpd_tls_security_level": "may",
                "smtpd_sasl_type": "dovecot",
                "smtpd_sasl_path": str(socket_path),
                "smtpd_recipient_restrictions": "permit_sasl_authenticated, reject",
                "mynetworks": "192.0.2.1/32",
                "smtpd_milters": f"unix:{milter}",
                "milter_default_action": "tempfail",
                "default_transport": "discard",
                "smtpd_client_connection_count_limit": "0",
                "default_process_limit": "200",
            }
            | dict(settings or {}),
        )
        wait_for_port(self.port)

    def _start_opendkim(self, folder: Path, office: PostOffice, milter: Path) -> Running:
        keys = ["gp-rsa"]  # OpenDKIM verifies Ed25519, but cannot sign with it: its half of the work is spared
        where = office.folder / "store" / "keys" / DOMAIN
        (folder / "keys").write_text("".join(f"{key} {DOMAIN}:{key}:{where / key}.key\n" for key in keys))
        (folder / "signing").write_text("".join(f"*@{DOMAIN} {key}\n" for key in keys))
        (folder / "opendkim.conf").write_text(OPENDKIM.format(socket=milter, d=folder))
        program = shutil.which("opendkim", path="/usr/sbin:/usr/bin")
        running = Running([str(program), "-f", "-x", str(folder / "opendkim.conf")], folder)
        assert wait_until(milter.is_socket, 10), "OpenDKIM did not start"
        return running

    def stop(self) -> None:
        """Ends all three."""
        for one in (self._postfix, self._dkim, self._dovecot):
            one.stop()


def letter(number: int) -> bytes:
    """10 KB that differ."""
    body = b"".join(b"line %d of message %d\r\n" % (line, number) for line in range(400))[:10_000]
    return b"From: %s\r\nTo: x@far.example\r\nSubject: %d\r\n\r\n%s\r\n.\r\n" % (ANN.encode(), number, body)


class Client:
    """One session after the other, as fast as the server answers."""

    def __init__(self, port: int, cell: Cell) -> None:
        self._port, self._cell = port, cell
        self._context = ssl.create_default_context()
        self._context.check_hostname, self._context.verify_mode = False, ssl.CERT_NONE
        self._session: ssl.SSLSession | None = None
        self._token = base64.b64encode(f"\0{ANN}\0{PASSWORDS[ANN]}".encode()).decode()
        self.taken: list[float] = []
        self.resumed = self.connections = 0

    def run(self, end: float) -> None:
        """Until `end`, by the monotonic clock."""
        while time.monotonic() < end:
            self.visit(end)

    def visit(self, end: float) -> None:
        """One connection."""
        begun = time.monotonic()
        with socket.create_connection(("127.0.0.1", self._port), 60) as plain:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            session = self._session if self._cell.resumed else None
            with self._context.wrap_socket(plain, session=session) as line:
                _expect(line, b"", b"220")
                self.connections += 1
                self.resumed += bool(line.session_reused)
                self._session = self._session or line.session
                if self._cell.messages:
                    _expect(line, b"EHLO laptop\r\n", b"250")
                    if self._cell.login:
                        _expect(line, f"AUTH PLAIN {self._token}\r\n".encode(), b"235")
                for _ in range(max(0, self._cell.messages)):
                    _expect(line, b"MAIL FROM:<%s>\r\n" % ANN.encode(), b"250")
                    _expect(line, b"RCPT TO:<x@far.example>\r\n", b"250")
                    _expect(line, b"DATA\r\n", b"354")
                    _expect(line, letter(len(self.taken)), b"250")
                    self.taken.append(time.monotonic() - begun)
                    begun = time.monotonic()
                    if begun > end:
                        break
                if self._cell.messages <= 0:
                    self.taken.append(time.monotonic() - begun)


def _expect(line: ssl.SSLSocket, command: bytes, code: bytes) -> None:
    if command:
        line.sendall(command)
    answer = line.recv(4096)
    while not answer.endswith(b"\r\n") or answer.rstrip(b"\r\n").rpartition(b"\n")[2][3:4] == b"-":
        more = line.recv(4096)
        if not more:
            raise ConnectionError("the server hung up")
        answer += more
    if not answer.startswith(code):
        raise ConnectionError(answer.decode("latin-1").strip())


def _load(port: int, cell: Cell, sessions: int, seconds: float, results: Any) -> None:
    """In a process of its own."""
    clients = [Client(port, cell) for _ in range(sessions)]
    for client in clients[:1]:
        client.visit(time.monotonic() + 60)  # a session to resume, and warm caches
        client.taken.clear()
        client.resumed = client.connections = 0
    end = time.monotonic() + seconds
    threads = [threading.Thread(target=client.run, args=(end,)) for client in clients]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.monotonic() - begun
    taken = [one for client in clients for one in client.taken]
    results.put((len(taken) / passed, taken, sum(c.resumed for c in clients), sum(c.connections for c in clients)))


def measure(port: int, cell: Cell, seconds: float) -> tuple[float, float, float, float]:
    """Rate, p50 and p99 in milliseconds, the share of connections that were resumed."""
    results: Any = multiprocessing.Queue()
    shares = [cell.sessions // CLIENTS + (number < cell.sessions % CLIENTS) for number in range(CLIENTS)]
    workers = [
        multiprocessing.Process(target=_load, args=(port, cell, share, seconds, results)) for share in shares if share
    ]
    for worker in workers:
        worker.start()
    found = [results.get(timeout=seconds * 20 + 120) for _ in workers]
    for worker in workers:
        worker.join()
    taken = sorted(one * 1000 for _, some, _, _ in found for one in some)
    resumed, connections = sum(one[2] for one in found), sum(one[3] for one in found)
    return (
        sum(one[0] for one in found), statistics.median(taken), taken[int(len(taken) * 0.99)],
        resumed / max(1, connections),
    )  # fmt: skip


def bystander(port: int, seconds: float) -> tuple[float, float]:
    """p50 and p99, in milliseconds, of NOOP in one session while 50 others log in."""
    logins = multiprocessing.Process(
        target=_load, args=(port, Cell(sessions=50, messages=-1, resumed=False), 50, seconds, multiprocessing.Queue())
    )
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection(("127.0.0.1", port)) as plain, context.wrap_socket(plain) as line:
        _expect(line, b"", b"220")
        logins.start()
        time.sleep(0.5)
        taken = []
        end = time.monotonic() + min(seconds, 4)
        while time.monotonic() < end and len(taken) < 90:  # smtp.max_commands
            begun = time.monotonic()
            _expect(line, b"NOOP\r\n", b"250")
            taken.append((time.monotonic() - begun) * 1000)
            time.sleep(0.03)
    logins.join()
    return statistics.median(taken), sorted(taken)[int(len(taken) * 0.99)]


def signatures_a_second() -> str:
    """What one core signs with P-256, the certificate's algorithm: no server does more full handshakes on it."""
    done = subprocess.run(
        ["openssl", "speed", "-seconds", "2", "ecdsap256"], capture_output=True, text=True, check=False
    )
    words = done.stdout.split()
    return words[-2] if len(words) > 2 else "?"


@contextmanager
def contestants(*, each_login_pays: bool) -> Iterator[dict[str, Callable[[], Any]]]:
    """How each is started, on the same keys, certificate and password hash."""
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("gate", "peers"):
            (folder / part).mkdir()
        server = NameServer()
        more = MORE.replace(*BELIEVE) if each_login_pays else MORE
        office = PostOffice(folder / "gate", server.port, more=more)
        office.stop()
        rounds = iter(range(1000))

        def gate() -> tuple[int, Callable[[], None]]:
            office.start()
            return office.ports["tls"], office.stop

        def postfix() -> tuple[int, Callable[[], None]]:
            place = folder / "peers" / str(next(rounds))
            place.mkdir()
            peers = Peers(place, office, each_login_pays=each_login_pays)
            return peers.port, peers.stop

        yield {"gatepost": gate, "postfix": postfix}
        server.stop()


def main() -> int:
    """Prints the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--sessions", default="1,10,50")
    parser.add_argument("--messages", default="1,10")
    parser.add_argument("--only", default="gatepost,postfix")
    parser.add_argument("--each-login-pays", action="store_true", help="nobody believes a password twice")
    options = parser.parse_args()
    if os.geteuid() != 0 or not (tool.unpacked("postfix") and tool.unpacked("dovecot")):
        print("bench: needs root and the neighbours (python tools/neighbours.py)", file=sys.stderr)
        return 1
    cells = [
        Cell(sessions=int(sessions), messages=int(messages), resumed=resumed)
        for messages in options.messages.split(",")
        for sessions in options.sessions.split(",")
        for resumed in (False, True)
    ]
    cells += [Cell(sessions=10, messages=0, resumed=resumed) for resumed in (False, True)]
    found: dict[tuple[str, Cell], list[tuple[float, float, float, float]]] = {}
    waits: dict[str, list[tuple[float, float]]] = {}
    with contestants(each_login_pays=options.each_login_pays) as starts:
        for _ in range(options.rounds):
            for name in options.only.split(","):
                port, stop = starts[name]()
                try:
                    for cell in cells:
                        found.setdefault((name, cell), []).append(measure(port, cell, options.seconds))
                    waits.setdefault(name, []).append(bystander(port, options.seconds))
                finally:
                    stop()
                wait_until(lambda port=port: _is_free(port), 10)
    report(options.only.split(","), cells, found, waits)
    return 0


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def report(names: list[str], cells: list[Cell], found: Any, waits: Any) -> None:
    """The medians of all rounds, and the median of the rounds' ratios."""
    print(f"{'cell':42} {'server':10} {'a second':>9} {'p50 ms':>8} {'p99 ms':>8} {'resumed':>8} {'ratio':>6}")
    for cell in cells:
        what = {0: "handshake"}.get(cell.messages, f"{cell.messages} a connection")
        title = f"{cell.sessions} sessions, {what}, {'resumed' if cell.resumed else 'new'} TLS"
        for name in names:
            rows = found[name, cell]
            rate, p50, p99, resumed = (statistics.median(row[column] for row in rows) for column in range(4))
            ratio = ""
            if name == names[0] and len(names) > 1:
                other = found[names[1], cell]
                ratio = f"{statistics.median(a[0] / b[0] for a, b in zip(rows, other, strict=True)):.2f}"
            print(f"{title:42} {name:10} {rate:9.1f} {p50:8.1f} {p99:8.1f} {resumed:8.0%} {ratio:>6}")
    for name in names:
        p50 = statistics.median(one[0] for one in waits[name])
        p99 = statistics.median(one[1] for one in waits[name])
        print(f"another session while 50 log in: {name:10} NOOP p50 {p50:.1f} ms, p99 {p99:.1f} ms")
    print(f"openssl speed ecdsap256, one core: {signatures_a_second()} signatures a second")


if __name__ == "__main__":
    sys.exit(main())
