"""Our table of TLS versions and suites, and sslscan's of the same servers: OpenSSL's and Postfix's behind STARTTLS."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509 import ocsp
from neighbour import Running, free_port, tool, wait_for_port
from postfix import Postfix

from gatepost.audit.certificate import read_certificate, read_staple
from gatepost.net.authority import make_authority
from gatepost.net.probe import NetProber, read_networks
from gatepost.net.probe.suites import SUITES
from gatepost.ports import Service, Spoken, Target, TlsSeen

HOST = "mail.example.org"
NUMBER_OF = {name: number for number, name in SUITES.items()}


@pytest.fixture(scope="session")
def sslscan(report_missing: Callable[[str], None]) -> str:
    """The path of sslscan."""
    path = tool.found("sslscan")
    if path is None:
        report_missing("the program sslscan")
    return str(path)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with chain.pem, key.pem and ca.pem."""
    folder = tmp_path_factory.mktemp("certificate")
    authority = make_authority("audit", now=time.time())
    issued = authority.issue([HOST], now=time.time())
    for name, octets in (("chain.pem", issued.chain), ("key.pem", issued.key), ("ca.pem", authority.pem)):
        (folder / name).write_bytes(octets)
    return folder


@contextmanager
def s_server(folder: Path, *options: str) -> Iterator[int]:
    """OpenSSL's own server; it speaks TLS from the start and says nothing inside."""
    openssl = shutil.which("openssl")
    assert openssl is not None
    port = free_port()
    files = ("-cert", str(folder / "chain.pem"), "-key", str(folder / "key.pem"))
    running = Running([openssl, "s_server", "-accept", f"127.0.0.1:{port}", *files, "-quiet", *options], folder)
    try:
        wait_for_port(port)
        yield port
    finally:
        running.stop()


def ours(port: int, *, implicit: bool, authority: Path) -> tuple[Service, TlsSeen]:
    """What our prober finds, every suite tried."""
    target = Target(host=HOST, address="127.0.0.1", port=port, spoken=Spoken.SMTP, implicit_tls=implicit)
    allowed = read_networks(("127.0.0.0/8",))
    prober = NetProber(allowed=allowed, tls="suites", authority=str(authority), pause=0, wait=1.0 if implicit else 20.0)
    service = asyncio.run(prober.look_all([target], 100.0))[0]
    assert service.tls is not None, service.reason
    return service, service.tls


def theirs(sslscan: str, port: int, *options: str) -> tuple[set[tuple[str, int]], dict[str, bool]]:
    """sslscan's suites as (version, number), and the versions it found on or off."""
    command = [sslscan, "--xml=-", "--no-colour", "--no-heartbleed", "--no-fallback", "--no-renegotiation",
               "--no-compression", f"--sni-name={HOST}", *options, f"127.0.0.1:{port}"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    root = ElementTree.fromstring(done.stdout[done.stdout.index("<?xml") :])
    suites = {(one.attrib["sslversion"], int(one.attrib["id"], 16)) for one in root.iter("cipher")}
    versions = {
        f"{one.attrib['type'].upper()}v{one.attrib['version']}": one.attrib["enabled"] == "1"
        for one in root.iter("protocol")
    }
    return suites, versions


def same_names(tls: TlsSeen) -> tuple[set[tuple[str, int]], dict[str, bool]]:
    """Ours in sslscan's words: it calls TLSv1 TLSv1.0."""
    named = {"TLSv1": "TLSv1.0"}
    suites = {
        (named.get(seen.version, seen.version), NUMBER_OF[suite]) for seen in tls.versions for suite in seen.suites
    }
    return suites, {named.get(seen.version, seen.version): bool(seen.accepted) for seen in tls.versions}


SERVERS = [
    ("-cipher", "ALL:@SECLEVEL=0"),
    ("-cipher", "ALL:eNULL:@SECLEVEL=0", "-no_tls1_3"),
    ("-tls1_2", "-cipher", "ECDHE+AESGCM"),
    ("-tls1_3",),
    ("-tls1", "-cipher", "ALL:@SECLEVEL=0"),
]


@pytest.mark.neighbour("sslscan", "openssl")
@pytest.mark.parametrize("options", SERVERS, ids=" ".join)
def test_the_matrix_is_the_same_as_sslscans(options: tuple[str, ...], certificate: Path, sslscan: str) -> None:
    with s_server(certificate, *options) as port:
        _, tls = ours(port, implicit=True, authority=certificate / "ca.pem")
        suites, versions = theirs(sslscan, port)
    mine, my_versions = same_names(tls)
    assert mine == suites
    assert {name: on for name, on in versions.items() if name in my_versions} == {
        name: on for name, on in my_versions.items() if name in versions
    }
    assert tls.trusted
    leaf = read_certificate(tls.chain[0])
    assert leaf is not None
    assert leaf.names_host(HOST)


@pytest.mark.neighbour("postfix", "sslscan")
def test_postfix_behind_starttls(postfix: Callable[..., Postfix], certificate: Path, sslscan: str) -> None:
    """The same, where each handshake is led to by a dialogue; and what Postfix says of itself."""
    server = postfix(
        {
            "smtpd_tls_security_level": "may",
            "smtpd_tls_cert_file": str(certificate / "chain.pem"),
            "smtpd_tls_key_file": str(certificate / "key.pem"),
            "smtpd_tls_protocols": ">=TLSv1.2",
            "smtpd_client_connection_rate_limit": "0",
            "tls_medium_cipherlist": "ECDHE+AESGCM:ECDHE+CHACHA20",
        }
    )
    service, tls = ours(server.port, implicit=False, authority=certificate / "ca.pem")
    assert service.starttls
    assert "PIPELINING" in service.secure_capabilities
    assert not service.reason
    suites, _ = theirs(sslscan, server.port, "--starttls-smtp")
    assert same_names(tls)[0] == suites
    assert {seen.version for seen in tls.versions if seen.accepted} == {"TLSv1.2", "TLSv1.3"}


@pytest.mark.neighbour("openssl")
def test_an_ocsp_answer_is_seen(certificate: Path, tmp_path: Path) -> None:
    """What OpenSSL's server staples is found, and read."""

    authority = make_authority("audit", now=time.time())
    issued = authority.issue([HOST], now=time.time())
    leaf = x509.load_pem_x509_certificates(issued.chain)[0]
    now = datetime.now(UTC)
    later = now + timedelta(days=1)
    answer = (
        ocsp.OCSPResponseBuilder()
        .add_response(leaf, authority.certificate, hashes.SHA1(), ocsp.OCSPCertStatus.GOOD, now, later, None, None)
        .responder_id(ocsp.OCSPResponderEncoding.HASH, authority.certificate)
        .sign(authority.key, hashes.SHA256())
    )
    for name, octets in (
        ("chain.pem", issued.chain),
        ("key.pem", issued.key),
        ("ca.pem", authority.pem),
        ("answer", answer.public_bytes(serialization.Encoding.DER)),
    ):
        (tmp_path / name).write_bytes(octets)
    with s_server(tmp_path, "-status_file", str(tmp_path / "answer")) as port:
        _, tls = ours(port, implicit=True, authority=tmp_path / "ca.pem")
    assert tls.staple is not None
    assert read_staple(tls.staple).status == "good"
