"""Our own authority and TLS contexts: a real handshake in memory, and clear words for files that will not do."""

from __future__ import annotations

import ssl
import stat
import time
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gatepost.errors import ConfigError, InputError
from gatepost.net.authority import load_authority, make_authority, write_private
from gatepost.net.settings import TlsSettings
from gatepost.net.tls import check_certificate, client_context, describe, server_context

NOW = 1_790_000_000.0
DAY = 86400


def files(folder: Path, *, days: int = 100, now: float = NOW) -> TlsSettings:
    """A root and a leaf for mx.gate.example in `folder`."""
    authority = make_authority("Test root", now=now)
    authority.save(folder)
    issued = authority.issue(["mx.gate.example", "127.0.0.1"], now=now, days=days)
    write_private(folder / "mx.pem", issued.chain)
    write_private(folder / "mx.key", issued.key)
    return TlsSettings(certificate=str(folder / "mx.pem"), key=str(folder / "mx.key"))


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    return ours, theirs


def test_a_client_that_trusts_the_root_verifies_the_leaf(tmp_path: Path) -> None:
    now = time.time()  # OpenSSL looks at the clock itself
    server = server_context(files(tmp_path, now=now), now=now)
    client = client_context(verified=True, authority=str(tmp_path / "ca.pem"))
    ours, theirs = handshake(server, client, "mx.gate.example")
    agreed = describe(theirs)
    assert agreed is not None
    assert agreed.version == "TLSv1.3"
    assert describe(ours, verified=True).verified  # type: ignore[union-attr]
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(server, client, "mx.other.example")


def test_an_opportunistic_client_takes_any_certificate(tmp_path: Path) -> None:
    server = server_context(files(tmp_path), now=NOW)
    ours, _ = handshake(server, client_context(verified=False), "mx.other.example")
    assert describe(ours) is not None


def test_nothing_before_tls_1_2_is_spoken(tmp_path: Path) -> None:
    context = server_context(files(tmp_path), now=NOW)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    only_three = server_context(TlsSettings(**{**_fields(files(tmp_path)), "minimum": "1.3"}), now=NOW)
    assert only_three.minimum_version is ssl.TLSVersion.TLSv1_3
    assert all("GCM" in c["name"] or "POLY1305" in c["name"] for c in context.get_ciphers())


def _fields(settings: TlsSettings) -> dict[str, str]:
    return {"certificate": settings.certificate, "key": settings.key}


def test_before_the_handshake_there_is_nothing_to_describe() -> None:
    client = client_context(verified=False)
    assert describe(client.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO())) is None


def test_the_leaf_says_what_it_is_for(tmp_path: Path) -> None:
    leaf = check_certificate(files(tmp_path), now=NOW)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["mx.gate.example"]
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    leaf.verify_directly_issued_by(load_authority(tmp_path).certificate)


def test_files_are_for_their_owner_only_and_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_private(path, b"one")
    write_private(path, b"two")
    assert path.read_bytes() == b"two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError):
        write_private(tmp_path / "no" / "where", b"")


def test_the_authority_reads_back(tmp_path: Path) -> None:
    authority = make_authority("Test root", now=NOW)
    authority.save(tmp_path)
    assert load_authority(tmp_path).pem == authority.pem
    (tmp_path / "ca.key").write_bytes(_key())
    with pytest.raises(InputError, match="does not belong"):
        load_authority(tmp_path)
    (tmp_path / "ca.key").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        load_authority(tmp_path)


def test_a_certificate_needs_names_that_exist() -> None:
    authority = make_authority("Test root", now=NOW)
    for names in ([], ["müller.example"]):
        with pytest.raises(InputError):
            authority.issue(names, now=NOW)


def _key(password: bytes | None = None) -> bytes:
    encryption = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / "mx.pem").unlink(), "no such file"),
        (lambda folder: (folder / "mx.key").unlink(), "no such file"),
        (lambda folder: (folder / "mx.pem").write_text("hello"), "no PEM certificate"),
        (lambda folder: (folder / "mx.key").write_text("hello"), "no PEM private key"),
        (lambda folder: (folder / "mx.key").write_bytes(_key()), "does not belong"),
        (lambda folder: (folder / "mx.key").write_bytes(_key(b"geheim")), "passphrase"),
        (lambda folder: (folder / "mx.key").chmod(0o644), "chmod 600"),
        (lambda folder: ((folder / "mx.pem").unlink(), (folder / "mx.pem").mkdir()), "cannot be read"),
    ],
)
def test_files_that_will_not_do_are_named(tmp_path: Path, spoil: object, says: str) -> None:
    settings = files(tmp_path)
    spoil(tmp_path)  # type: ignore[operator]
    with pytest.raises(ConfigError, match=says):
        server_context(settings, now=NOW)


def test_certificates_out_of_their_time(tmp_path: Path) -> None:
    settings = files(tmp_path, days=100)
    with pytest.raises(ConfigError, match="expired on"):
        check_certificate(settings, now=NOW + 101 * DAY)
    server_context(settings, now=NOW + 101 * DAY)  # the gate serves on: mail matters more
    with pytest.raises(ConfigError, match="clock"):
        server_context(settings, now=NOW - DAY)


def test_unknown_suites_and_authorities_are_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="suites"):
        client_context(TlsSettings(ciphers="NONSENSE"), verified=False)
    with pytest.raises(ConfigError, match="PEM"):
        client_context(verified=True, authority=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigError, match="name the file"):
        server_context(TlsSettings(), now=NOW)
