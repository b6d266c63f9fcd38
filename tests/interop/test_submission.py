"""Real mail programs hand in mail on all three ports; it arrives at a real Postfix, and OpenDKIM verifies it there."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from neighbour import wait_until
from postfix import Postfix

from gatepost.msgauth.dkim.publish import read_private_key, write_key_record
from handing_in import ANN, DOMAIN, PASSWORDS, PostOffice, letter
from running import NameServer

THERE = "user@example.net"
SECRET = PASSWORDS[ANN]

MSMTP = """
account default
host 127.0.0.1
port {port}
tls on
tls_starttls {starttls}
tls_trust_file {ca}
auth on
user {account}
password {secret}
from {account}
"""
MUTT = """
set smtp_url="{scheme}://{user}@127.0.0.1:{port}/"
set smtp_pass="{secret}"
set smtp_authenticators="plain"
set ssl_starttls=yes
set ssl_force_tls=yes
set ssl_ca_certificates_file="{ca}"
set from="{account}"
set use_from=yes
set use_envelope_from=yes
set copy=no
"""


@pytest.fixture
def there(postfix: Callable[..., Postfix]) -> Postfix:
    """Where mail for other domains goes."""
    return postfix()


@pytest.fixture
def office(tmp_path: Path, there: Postfix) -> Iterator[PostOffice]:
    server = NameServer()
    office = PostOffice(tmp_path, server.port, more=f'[delivery]\nrelay = "smtp:127.0.0.1:{there.port}"\n')
    yield office
    office.stop()
    server.stop()


@pytest.fixture
def programs(report_missing: Callable[[str], None]) -> Callable[[str], str]:
    """The path of a program."""

    def find(name: str) -> str:
        from neighbour import tool

        path = tool.found(name)
        if path is None:
            report_missing(f"the program {name}")
        return str(path)

    return find


def run(office: PostOffice, *command: str, text: bytes = b"") -> None:
    environment = {"HOME": str(office.folder), "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]}
    done = subprocess.run(command, input=text, env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, (command[0], done.stdout, done.stderr)


def by_swaks(office: PostOffice, port: str, program: str) -> None:
    tls = "--tls-on-connect" if port == "tls" else "--tls"
    where = ["--server", "127.0.0.1", "--port", str(office.ports[port]), tls, "--auth", "PLAIN"]
    run(
        office, program, *where, "-au", ANN, "-ap", SECRET, "--from", ANN, "--to", THERE, "--h-Subject", f"swaks {port}"
    )


def by_curl(office: PostOffice, port: str, program: str) -> None:
    (office.folder / "letter").write_bytes(letter(subject=f"curl {port}"))
    scheme = "smtps" if port == "tls" else "smtp"
    where = [f"{scheme}://127.0.0.1:{office.ports[port]}/laptop", "--ssl-reqd", "--cacert", str(office.ca)]
    who = ["--user", f"{ANN}:{SECRET}", "--mail-from", ANN, "--mail-rcpt", THERE, "--upload-file"]
    run(office, program, "--silent", "--show-error", *where, *who, str(office.folder / "letter"))


def by_smtplib(office: PostOffice, port: str, program: str) -> None:
    with office.logged_in(port=port) as client:
        assert client.sendmail(ANN, [THERE], letter(subject=f"python {port}")) == {}


def by_msmtp(office: PostOffice, port: str, program: str) -> None:
    starttls = "off" if port == "tls" else "on"
    config = office.folder / "msmtprc"
    text = MSMTP.format(port=office.ports[port], starttls=starttls, ca=office.ca, account=ANN, secret=SECRET)
    config.write_text(text)
    config.chmod(0o600)
    run(office, program, "-C", str(config), THERE, text=letter(subject=f"msmtp {port}").replace(b"\r\n", b"\n"))


def by_mutt(office: PostOffice, port: str, program: str) -> None:
    config = office.folder / "muttrc"
    scheme = "smtps" if port == "tls" else "smtp"
    user = ANN.replace("@", "%40")
    place = {"port": office.ports[port], "ca": office.ca}
    config.write_text(MUTT.format(scheme=scheme, user=user, secret=SECRET, account=ANN, **place))
    run(office, program, "-n", "-F", str(config), "-s", f"mutt {port}", THERE, text=b"Good day.\n")


CLIENTS = {"swaks": by_swaks, "curl": by_curl, "python": by_smtplib, "msmtp": by_msmtp, "mutt": by_mutt}


def test_every_client_on_every_port_arrives_signed(
    office: PostOffice, there: Postfix, programs: Callable[[str], str], opendkim_program: str
) -> None:
    for name, hand_in in CLIENTS.items():
        program = programs(name) if name != "python" else ""
        for port in office.ports:
            hand_in(office, port, program)
    wanted = len(CLIENTS) * len(office.ports)
    assert wait_until(lambda: len(there.mail_of("user")) == wanted, 40), there.log
    arrived = there.mail_of("user")
    for name in CLIENTS:
        for port in office.ports:
            assert sum(f"\nSubject: {name} {port}\n".encode() in raw for raw in arrived) == 1, (name, port)
    for raw in arrived:
        found = opendkim(opendkim_program, office.folder, records_of(office), raw)
        assert found.count("dkim=pass") == 2, found


def records_of(office: PostOffice) -> str:
    """The public keys of the office, as OpenDKIM reads them from a file."""
    records = []
    for algorithm in ("rsa", "ed25519"):
        key = read_private_key((office.folder / "store/keys" / DOMAIN / f"gp-{algorithm}.key").read_bytes())
        records.append(f"gp-{algorithm}._domainkey.{DOMAIN} {write_key_record(key)}\n")
    return "".join(records)


def opendkim(program: str, folder: Path, records: str, raw: bytes) -> str:
    """What OpenDKIM says of a message as it lies in a mailbox."""
    (folder / "keys").write_text(records)
    (folder / "mail").write_bytes(raw.replace(b"\n", b"\r\n"))
    config = folder / "opendkim.conf"
    config.write_text(f"Mode v\nTestPublicKeys {folder}/keys\nBackground no\nSyslog no\nAlwaysAddARHeader yes\n")
    command = [program, "-x", str(config), "-t", str(folder / "mail"), "-vv"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    return " ".join((done.stdout + done.stderr).split())


def test_what_cannot_be_delivered_comes_back_to_its_author_signed_like_all_that_we_write(
    office: PostOffice, there: Postfix, opendkim_program: str
) -> None:
    assert office.hand_in(letter(), "nobody@example.net")[0] == 250
    report = office.delivered("ann")[0].read_bytes()
    assert b"Content-Type: multipart/report" in report
    assert b"Final-Recipient: rfc822; nobody@example.net" in report
    assert there.port
    found = opendkim(opendkim_program, office.folder, records_of(office), _without_delivery_fields(report))
    assert found.count("dkim=pass") == 2, found


def _without_delivery_fields(raw: bytes) -> bytes:
    """A file of a Maildir as it was before its delivery: OpenDKIM wants CRLF, which the caller puts back."""
    return raw.replace(b"\r\n", b"\n")
