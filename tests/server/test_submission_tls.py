"""TLS where people hand in mail: sessions resumed by any worker, names, certificates that change, clients' own."""

from __future__ import annotations

import os
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes

from handing_in import ANN, PostOffice, hand_over, letter
from running import NameServer, until

NAMES = """
[tls.names."mail.other.example"]
certificate = "other.pem"
key = "other.key"
[tls.names."*.many.example"]
certificate = "many.pem"
key = "many.key"
"""


class TlsOffice(PostOffice):
    def __init__(self, folder: Path, dns: int) -> None:
        self._ready = False
        super().__init__(folder, dns, names=NAMES, submission='client_ca = "ca.pem"')

    def issue(self, file: str, *names: str) -> tuple[Path, Path]:
        if not self._ready:
            self._ready = True
            self.issue("other", "mail.other.example")
            self.issue("many", "a.many.example")
        return super().issue(file, *names)


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, name_server: NameServer) -> Iterator[PostOffice]:
    office = TlsOffice(tmp_path_factory.mktemp("office"), name_server.port)
    yield office
    office.stop()


def _connected(office: PostOffice, context: ssl.SSLContext, session: ssl.SSLSession | None) -> ssl.SSLSocket:
    sock = socket.create_connection(("127.0.0.1", office.ports["tls"]), 30)
    wrapped = context.wrap_socket(sock, server_hostname="mx.gate.example", session=session)
    assert wrapped.recv(1000).startswith(b"220 ")  # with TLS 1.3 the ticket comes behind the handshake
    return wrapped


def _served_by(office: PostOffice, port: int) -> int:
    """The process that has the connection from `port`."""
    wanted = f":{port:04X} 01"
    rows = Path("/proc/net/tcp").read_text().splitlines()
    inodes = {row.split()[9] for row in rows if re.search(rf"0100007F:{office.ports['tls']:04X} 0100007F{wanted}", row)}
    for pid in office.children():
        for entry in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{entry}")
            except OSError:
                continue
            if target.removeprefix("socket:[").removesuffix("]") in inodes:
                return pid
    raise AssertionError("nobody serves the connection")


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_session_is_resumed_by_any_worker(office: PostOffice, version: ssl.TLSVersion) -> None:
    context = office.context()
    context.minimum_version = context.maximum_version = version
    first = _connected(office, context, None)
    session, workers, resumed = first.session, set(), []
    assert first.session_reused is False
    held = [first]  # busy workers leave the next connection to the others
    for _ in range(60):
        held.append(_connected(office, context, session))
        resumed.append(held[-1].session_reused)
        workers.add(_served_by(office, held[-1].getsockname()[1]))
        if len(workers) == 2:
            break
        if len(held) > 12:
            held.pop(0).close()
    for one in held:
        one.close()
    assert all(resumed)
    assert len(workers) == 2


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_old_versions_are_not_spoken(office: PostOffice) -> None:
    context = office.context()
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.raises(ssl.SSLError):
        _connected(office, context, None)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("mx.gate.example", "mx.gate.example"),
        ("MAIL.other.example", "mail.other.example"),
        ("x.many.example", "a.many.example"),
        ("stranger.example", "mx.gate.example"),
    ],
)
def test_clients_see_the_certificate_of_the_name_they_ask_for(office: PostOffice, name: str, shown: str) -> None:
    context = ssl.create_default_context(cafile=str(office.ca))
    context.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", office.ports["tls"]), 30) as sock,
        context.wrap_socket(sock, server_hostname=name) as wrapped,
    ):
        leaf = x509.load_der_x509_certificate(wrapped.getpeercert(binary_form=True) or b"")
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert shown in names.get_values_for_type(x509.DNSName)


def test_a_client_certificate_logs_in(office: PostOffice) -> None:
    certificate, key = office.issue("laptop", "laptop.example")
    leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
    print_ = leaf.fingerprint(hashes.SHA256()).hex()
    code, text = office.cli("user", "certificate", "add", ANN, "--fingerprint", print_)
    assert code == 0, text
    context = office.context((certificate, key))
    with smtplib.SMTP_SSL("127.0.0.1", office.ports["tls"], "laptop", context=context, timeout=30) as client:
        client.ehlo()
        assert "EXTERNAL" in client.esmtp_features["auth"]
        assert client.docmd("AUTH", "EXTERNAL =")[0] == 235
        assert hand_over(client, letter())[0] == 250
    with office.people("tls") as client:
        assert "EXTERNAL" not in client.esmtp_features.get("auth", "")


def test_a_renewed_certificate_is_taken_up_and_sessions_live_on(office: PostOffice) -> None:
    def serial() -> int:
        shown = ssl.get_server_certificate(("127.0.0.1", office.ports["tls"]))
        return x509.load_pem_x509_certificate(shown.encode()).serial_number

    old = serial()
    with office.logged_in() as client:
        office.issue("mx", "mx.gate.example", "127.0.0.1")
        until(lambda: "certificate-renewed" in office.log, "the new certificate is taken up")
        until(lambda: serial() != old, "the new certificate is shown")
        assert hand_over(client, letter())[0] == 250
    until(lambda: "certificate-refused" not in office.log.rpartition("certificate-renewed")[2], "all is well")
    assert office.hand_in(letter())[0] == 250


def test_half_a_certificate_changes_nothing(office: PostOffice) -> None:
    good = (office.folder / "mx.pem").read_bytes()
    (office.folder / "mx.pem").write_bytes(good[:300])
    until(lambda: "certificate-refused" in office.log, "the broken file is told of")
    assert office.hand_in(letter())[0] == 250
    (office.folder / "mx.pem").write_bytes(good)
