"""Postfix, Exim and OpenSMTPD receive from us by MX, and are made to refuse, defer, drop TLS, lie and die."""

from __future__ import annotations

import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from delivering import RAW, Gate
from exim import Exim
from opensmtpd import OpenSmtpd
from postfix import Postfix

from gatepost.net.zone import ZoneResolver
from gatepost.server.delivery.connect import Connector
from gatepost.server.delivery.own import Own
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.store.spool import State

# The first host is dead, the second is alive at the second address only.
ZONE = """
example.net. MX 5 dead.example.
example.net. MX 10 mx.example.
dead.example. A 127.0.0.9
mx.example. A 127.0.0.8
mx.example. A 127.0.0.1
"""
ACL = """\
  deny   recipients = no@example.net
         message = 5.1.1 nobody of this name
  defer  recipients = later@example.net
         message = 4.2.1 asleep
  accept
"""
RULES = "inline:{ {no@example.net=550 5.1.1 nobody of this name}, {later@example.net=450 4.2.1 asleep} }"


class Receiver(Protocol):
    """What the tests need of each."""

    port: int

    @property
    def log(self) -> str: ...
    def mail_of(self, mailbox: str) -> list[bytes]: ...
    def stop(self) -> None: ...


class QueueingExim(Exim):
    """Keeps what it took: its deliveries are children that may not read a configuration of ours once they have changed
    their user, so what counts as arrived is what its spool holds."""

    def mail_of(self, mailbox: str) -> list[bytes]:
        found = []
        for content in sorted((self.folder / "spool" / "input").glob("*-D")):
            envelope = content.with_name(content.name[:-1] + "H")
            if envelope.exists():
                body = content.read_bytes().partition(b"\n")[2]  # its first line is the file's own name
                found.append(envelope.read_bytes() + b"\n" + body)
        return found


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Nobody's: signed by itself, for another name."""
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    subprocess.run(
        [*make, "-subj", "/CN=wrong.example", "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True
    )
    for path in (cert, key, folder, *folder.parents[:2]):
        path.chmod(0o755 if path.is_dir() else 0o644)
    return cert, key


@pytest.fixture(scope="module", params=["postfix", "exim", "opensmtpd"])
def receiver(
    request: pytest.FixtureRequest,
    unpack: Callable[[str], Path],
    tmp_path_factory: pytest.TempPathFactory,
    certificate: tuple[Path, Path],
) -> Iterator[Receiver]:
    """One after the other."""
    name, (cert, key) = request.param, certificate
    unpacked, folder = unpack(name), tmp_path_factory.mktemp(name)
    for parent in (folder, *folder.parents[:2]):  # their daemons are not root; pytest's folders are 0700
        parent.chmod(0o755)
    server: Receiver
    if name == "postfix":
        server = Postfix(
            unpacked,
            folder,
            {
                "smtpd_tls_security_level": "may",
                "smtpd_tls_cert_file": str(cert),
                "smtpd_tls_key_file": str(key),
                "smtpd_recipient_restrictions": f"check_recipient_access {RULES}, permit_mynetworks, reject",
            },
        )
    elif name == "exim":
        tls = f"tls_advertise_hosts = *\ntls_certificate = {cert}\ntls_privatekey = {key}\n"
        tls += "queue_only = true\nchunking_advertise_hosts = *"
        server = QueueingExim(unpacked, folder, main=tls, acl=ACL)
    else:
        server = OpenSmtpd(unpacked, folder, cert, key)
    yield server
    server.stop()


class Between:
    """A proxy in front of a receiver. `cut` counts the connections that it still cuts in the middle of the message;
    `strip` takes STARTTLS out of what the receiver offers."""

    def __init__(self, port: int, *, cut: int = 0, strip: bool = False) -> None:
        self._to, self.cut, self._strip = port, cut, strip
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to), 10)
            threading.Thread(target=self._pass, args=(near, far, True), daemon=True).start()
            threading.Thread(target=self._pass, args=(far, near, False), daemon=True).start()

    def _pass(self, source: socket.socket, target: socket.socket, ours: bool) -> None:
        try:
            while octets := source.recv(65536):
                if ours and self.cut and b"Subject:" in octets:
                    self.cut -= 1
                    target.sendall(octets[: octets.index(b"Subject:") + 4])
                    break
                if self._strip and not ours:
                    octets = octets.replace(b"STARTTLS", b"X-NOTHING"[:8])
                target.sendall(octets)
        except OSError:
            pass
        for sock in (source, target):
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture
def gate_for(tmp_path: Path) -> Iterator[Callable[..., Gate]]:
    """A gate that sends by MX to a port."""
    made: list[Gate] = []

    def make(port: int, **more: object) -> Gate:
        usual = {"relay": "mx", "mx_port": port, "forbidden_networks": (), "connection_idle": 0.2}
        settings = DeliverySettings(**(usual | {"retry_min": 60.0} | more))  # type: ignore[arg-type]
        own = Own("mx.example.org", settings, listening={1})
        connect = Connector("mx.example.org", settings, ZoneResolver(ZONE), own=own)
        made.append(Gate(tmp_path / f"gate{len(made)}", {"example.org": "maildir"}, settings, connect))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def test_mail_arrives_by_mx_and_each_recipient_has_his_own_end(
    receiver: Receiver, gate_for: Callable[..., Gate]
) -> None:
    gate, before = gate_for(receiver.port), len(receiver.mail_of("user"))
    message_id = gate.add("user@example.net", "no@example.net", "later@example.net")
    gate.deliver(lambda: gate.inbox("a@example.org") and len(receiver.mail_of("user")) > before)
    kept = gate.spool.get(message_id)
    assert kept is not None, gate.log
    assert [r.state for r in kept.recipients] == [State.DELIVERED, State.FAILED, State.QUEUED], gate.log
    assert "asleep" in kept.recipients[2].last_reply
    assert kept.recipients[2].last_reply.startswith("4.")
    (report,) = gate.inbox("a@example.org")
    assert b"nobody of this name" in report
    arrived = receiver.mail_of("user")[before].replace(b"\r\n", b"\n")
    assert arrived.endswith(RAW.replace(b"\r\n", b"\n").split(b"\n\n", 1)[1])
    assert f"mx.example[127.0.0.1]:{receiver.port}" in gate.log


def test_a_certificate_of_somebody_else_and_a_stripped_starttls(
    receiver: Receiver, gate_for: Callable[..., Gate]
) -> None:
    strict = gate_for(receiver.port, tls="verified")
    strict.add("user@example.net")
    strict.deliver(lambda: "status=deferred" in strict.log)
    assert "dsn=4.7.5" in strict.log
    between = Between(receiver.port, strip=True)
    try:
        for tls, words in (("enforced", "dsn=4.7.4"), ("opportunistic", "status=sent")):
            gate = gate_for(between.port, tls=tls)
            gate.add("user@example.net")
            gate.deliver(lambda gate=gate: "status=" in gate.log)
            assert words in gate.log
    finally:
        between.stop()


def died(receiver: Receiver) -> list[bytes]:
    return [mail for mail in receiver.mail_of("user") if b"<died@" in mail]


def test_a_receiver_that_dies_in_the_middle_gets_the_message_once(
    receiver: Receiver, gate_for: Callable[..., Gate]
) -> None:
    between = Between(receiver.port, cut=2)
    try:
        gate = gate_for(between.port, tls="none", retry_min=0.2, retry_max=0.2, hop_pause=0.1)
        raw = RAW.replace(b"<1@", b"<died@")
        message_id = gate.add("user@example.net", raw=raw)
        gate.deliver(lambda: gate.spool.get(message_id) is None)
        gate.deliver(lambda: died(receiver), 10)
        assert between.cut == 0
        assert gate.log.count("status=deferred") == 2, gate.log
        assert gate.log.count("status=sent") == 1, gate.log
        assert len(died(receiver)) == 1, receiver.log
    finally:
        between.stop()
