"""`gatepost probe` meets real servers: each known unsafe setting is found, the safe ones are not accused."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dovecot import PASSWORD, Dovecot
from neighbour import free_port
from postfix import Postfix
from probed import POSTFIX_SAFE, SETTINGS, Probed

from bad_server import BadServer, forwarding
from gatepost.lab import cast
from gatepost.lab.run import running_lab
from probing import Answer, probe

Start = Callable[[str], Probed]

# Those that need seconds of waiting on purpose, or show nothing more than the bad server of the unit tests does.
SKIP = ("spoofing", "mail", "limit-text-line", "rcpt-timing")
# Exim begins GnuTLS anew for each connection, Dovecot makes guesses wait, OpenSMTPD leaves connections over its limit
# without a word.
SLOW = {
    "Exim, safe": ("--skip", "syntax", "--skip", "limit-connections"),
    "Dovecot, safe": ("--skip", "login-guessing", "--skip", "login-default", "--skip", "login-empty"),
    "OpenSMTPD, safe": ("--skip", "limit-connections"),
}
UNSAFE = {
    "Postfix, unsafe": {
        *("relay-plain", "relay-null-sender", "relay-route", "vrfy", "tls-1-0", "tls-1-1"),
        *("smuggling-lf-lf", "smuggling-lf-crlf", "limit-size", "limit-recipients", "limit-connections"),
        *("limit-harvest", "limit-errors", "limit-noops"),
    },
    "Exim, unsafe": {
        *("relay-plain", "unknown-recipient", "login-plaintext-offered", "login-plaintext-taken", "login-default"),
        *("login-guessing", "starttls-stripping", "tls-1-0", "tls-1-1", "limit-size", "limit-recipients", "banner"),
        *("limit-harvest", "limit-errors"),
    },
    "OpenSMTPD, unsafe": {"relay-plain", "relay-null-sender", "limit-harvest", "limit-errors"},
    "Dovecot, unsafe": {
        *("login-plaintext-offered", "login-plaintext-taken", "login-default", "login-empty"),
        *("login-guessing", "tls-1-0", "tls-1-1"),
    },
}
# What is found even there is true: OpenSMTPD knows no limit on wrong recipients.
SAFE = {"Postfix, safe": set(), "Exim, safe": set(), "OpenSMTPD, safe": {"limit-harvest"}, "Dovecot, safe": set()}


@pytest.fixture(scope="module")
def certificate(openssl: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that signs itself and is good for longer than the probe asks."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    command = [openssl, "req", "-x509", *new_key, "-keyout", str(key), "-out", str(cert), "-days", "60", *names]
    subprocess.run(command, check=True, capture_output=True)
    key.chmod(0o600)
    return cert, key


@pytest.fixture
def start(unpack: Callable[[str], Path], certificate: tuple[Path, Path]) -> Iterator[Start]:
    started: list[tuple[Probed, Path]] = []

    def begin(name: str) -> Probed:
        neighbour, starting = SETTINGS[name]
        folder = Path(tempfile.mkdtemp(prefix="gatepost-probed-"))
        folder.chmod(0o755)
        started.append((starting(unpack(neighbour), folder, certificate), folder))
        return started[-1][0]

    yield begin
    for probed, folder in started:
        probed.server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def skipping() -> list[str]:
    """The arguments that leave out what takes seconds."""
    return [word for name in SKIP for word in ("--skip", name)]


def ask(where: tuple[str, ...], certificate: tuple[Path, Path], *more: str) -> Answer:
    return probe(*where, "--name", "localhost", "--ca-file", str(certificate[0]), *skipping(), *more)


@pytest.mark.parametrize("name", UNSAFE)
def test_unsafe_settings_are_found(name: str, start: Start, certificate: tuple[Path, Path]) -> None:
    only = [word for one in sorted(UNSAFE[name]) for word in ("--only", one)]
    for where in start(name).where:
        found = ask(where, certificate, *only)
        assert found.code == 1
        assert found.accused("info") == UNSAFE[name]


@pytest.mark.parametrize("name", SAFE)
def test_safe_ones_are_not_accused(name: str, start: Start, certificate: tuple[Path, Path]) -> None:
    for where in start(name).where:
        found = ask(where, certificate, *SLOW.get(name, ()))
        assert found.accused() == SAFE[name]
        assert found.probed[0]["count"]["passed"] > 10


def test_mail_is_fetched_back(
    postfix: Callable[..., Postfix], dovecot: Callable[..., Dovecot], tmp_path: Path, certificate: tuple[Path, Path]
) -> None:
    """A server without any filter delivers all of it; the probe sees that by itself."""
    mailboxes = dovecot()
    server = postfix(POSTFIX_SAFE | {"virtual_transport": f"lmtp:inet:127.0.0.1:{mailboxes.lmtp_port}"})
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    account = (
        "--user",
        "user@example.net",
        "--password-file",
        str(password),
        "--imap",
        f"127.0.0.1:{mailboxes.imap_port}",
    )
    names = ("mail-gtube", "mail-eicar", "mail-wanted-plain", "mail-wanted-umlauts", "spoof-two-from", "mail-program")
    only = [word for name in names for word in ("--only", name)]
    found = probe(f"smtp://127.0.0.1:{server.port}", "--to", "user@example.net", *account, *only, "--mail-wait", "20")
    assert found.code == 1
    assert found.accused() == {"mail-gtube", "mail-eicar", "spoof-two-from", "mail-program"}
    assert found.status("mail-wanted-plain") == "passed"
    assert "INBOX" in found.result("mail-wanted-umlauts")["said"]


def test_smuggling_through_a_server_is_seen_behind_it(
    postfix: Callable[..., Postfix], dovecot: Callable[..., Dovecot], tmp_path: Path
) -> None:
    """The first server takes LF.LF for text and sends it on as it is; the second one takes it for an end."""
    pop3 = free_port()
    listening = f"service pop3-login {{\n  inet_listener pop3 {{\n    port = {pop3}\n  }}\n}}\n"
    mailboxes = dovecot("protocols = lmtp imap pop3\n" + listening)
    last = postfix(
        {"smtpd_forbid_bare_newline": "no", "virtual_transport": f"lmtp:inet:127.0.0.1:{mailboxes.lmtp_port}"}
    )
    first = BadServer(forwarding(last.port))
    password = tmp_path / "password"
    password.write_text(PASSWORD + "\n")
    account = ("--user", "user@example.net", "--password-file", str(password), "--pop3", f"127.0.0.1:{pop3}")
    where = (f"smtp://127.0.0.1:{first.port}", "--to", "user@example.net", "--echo", "other@example.net")
    try:
        found = probe(*where, *account, "--only", "smuggling-out", "--mail-wait", "4")
    finally:
        first.stop()
    assert found.accused() == {"smuggling-out"}
    assert "lf-lf" in found.result("smuggling-out")["said"]


async def _own_gate(folder: Path) -> Answer:
    """The lab's gate, visited by the friend."""
    async with running_lab(folder) as lab:
        target = lab.gate.target
        where = (f"smtp://{target.host}:{target.port}", "--to", target.recipient, "--name", target.name)
        friend = ("--source", cast.FRIEND, "--ehlo", "mail.friend.example", "--from", "ann@friend.example")
        patience = [word for name in ("harvest", "errors", "noops") for word in ("--skip", f"limit-{name}")]
        more = ("--ca-file", str(target.authority), *skipping(), *patience)
        return await asyncio.to_thread(probe, *where, *friend, *more)


def test_our_own_gate_is_not_accused(tmp_path: Path) -> None:
    found = asyncio.run(_own_gate(tmp_path))
    assert found.accused() == set()
    assert found.probed[0]["grade"]["letter"] == "A"
    assert found.probed[0]["count"]["passed"] > 70
