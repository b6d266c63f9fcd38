"""A running gate that people hand in mail to: accounts, keys, certificates, three ports.

In: a folder, the lab's name server, more configuration. Out: `PostOffice`: its ports, clients that are logged in.
Not here: what is asserted of it.
"""

from __future__ import annotations

import smtplib
import ssl
import time
from pathlib import Path

from gatepost.net.authority import make_authority, write_private
from gatepost.server.signing.keyfiles import make_key, write_key
from gatepost.store.accounts import Accounts
from running import RunningGate, free_port, until

DOMAIN = "gate.example"
PASSWORDS = {
    f"ann@{DOMAIN}": "Kx3pT-vQm7d-2hWzL-r8NcY",
    f"bob@{DOMAIN}": "wJ4sF-8nRtb-Qe6Gk-zM2Xp",
}
ANN, BOB = PASSWORDS

CONFIG = """
[tls]
certificate = "mx.pem"
key = "mx.key"
{names}
[submission]
listen_tls = ["127.0.0.1:{tls}"]
listen_starttls = ["127.0.0.1:{starttls}", "127.0.0.1:{other}"]
{submission}
{more}
"""


class PostOffice(RunningGate):
    """`submission` goes into the table of that name, `more` behind it, `names` into [tls]."""

    def __init__(
        self, folder: Path, dns: int, *, submission: str = "", more: str = "", names: str = "", domain: str = ""
    ) -> None:
        self.ports = {"tls": free_port(), "starttls": free_port(), "other": free_port()}
        self.authority = make_authority("test", now=time.time())
        self.authority.save(folder)
        self.folder, self.ca = folder, folder / "ca.pem"
        self.issue("mx", "mx.gate.example", "127.0.0.1")
        accounts = Accounts.open(folder / "store")
        for address, password in PASSWORDS.items():
            accounts.add(address, password, time.time())
        accounts.close()
        for algorithm in ("rsa", "ed25519"):
            write_key(folder / "store" / "keys", DOMAIN, f"gp-{algorithm}", make_key(algorithm))
        super().__init__(folder, dns, more=self.tables(submission, more, names), domain=domain)

    def tables(self, submission: str = "", more: str = "", names: str = "") -> str:
        return CONFIG.format(submission=submission, more=more, names=names, **self.ports)

    def issue(self, file: str, *names: str) -> tuple[Path, Path]:
        """A certificate in `file`.pem, and its key."""
        issued = self.authority.issue(names, now=time.time())
        certificate, key = self.folder / f"{file}.pem", self.folder / f"{file}.key"
        key.unlink(missing_ok=True)
        write_private(key, issued.key)
        certificate.write_bytes(issued.chain)
        return certificate, key

    def context(self, certificate: tuple[Path, Path] | None = None) -> ssl.SSLContext:
        """Trusts our authority; shows `certificate`."""
        context = ssl.create_default_context(cafile=str(self.ca))
        if certificate is not None:
            context.load_cert_chain(*map(str, certificate))
        return context

    def people(self, port: str = "starttls", source: str = "127.0.0.1", *, tls: bool = True) -> smtplib.SMTP:
        """A client that has said EHLO (over TLS), and not logged in."""
        if port == "tls":
            return smtplib.SMTP_SSL(
                "127.0.0.1", self.ports[port], "laptop", context=self.context(), source_address=(source, 0), timeout=30
            )
        client = smtplib.SMTP("127.0.0.1", self.ports[port], "laptop", source_address=(source, 0), timeout=30)
        client.ehlo()
        if tls:
            client.starttls(context=self.context())
            client.ehlo()
        return client

    def logged_in(self, account: str = ANN, port: str = "starttls") -> smtplib.SMTP:
        client = self.people(port)
        client.login(account, PASSWORDS[account])
        return client

    def hand_in(
        self, raw: bytes, *recipients: str, sender: str | None = None, account: str = ANN, port: str = "starttls"
    ) -> tuple[int, str]:
        """The first reply that refuses, else the one to the message."""
        with self.logged_in(account, port) as client:
            return hand_over(client, raw, *recipients, sender=account if sender is None else sender)

    def logged(self, words: str) -> str:
        """The last line of the log that has `words`, once there is one."""
        until(lambda: words in self.log, f"{words!r} in the log")
        return [line for line in self.log.splitlines() if words in line][-1]


def hand_over(client: smtplib.SMTP, raw: bytes, *recipients: str, sender: str = ANN) -> tuple[int, str]:
    """One transaction of a client that is logged in."""
    client.rset()
    code, text = client.mail(sender)
    for recipient in recipients or (BOB,):
        if code == 250:
            code, text = client.rcpt(recipient)
    if code == 250:
        code, text = client.data(raw)
    return code, text.decode()


def letter(author: str = ANN, subject: str = "hello", body: str = "Good day.", more: str = "") -> bytes:
    """A message without Date and Message-ID, as some programs hand it in."""
    text = f"From: {author}\nTo: {BOB}\nSubject: {subject}\n{more}\n{body}\n"
    return text.replace("\n", "\r\n").encode()
