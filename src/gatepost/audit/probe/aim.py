"""What is probed, and what may be used for it.

In: what the user named. Out: `Aim`, and the words that stand for its parts in scenarios ("{recipient}").
Standard: RFC 2606 (names that belong to nobody), RFC 5321 §4.1.3 (address literals). Not here: the scenarios.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass, replace
from email.utils import formatdate
from ipaddress import ip_address

from gatepost.ports.prober import Spoken, Target
from gatepost.ports.visitor import Step

NOBODYS = "elsewhere.example"
_PLACE = re.compile(rb"\{([a-z_]+)\}")


class Need(enum.StrEnum):
    """What a scenario needs that not every probe has; the value says how to give it."""

    RECIPIENT = "give --to ADDRESS, a mailbox there that mail may be sent to"
    DOMAIN = "give --domain NAME (or --to ADDRESS), a domain that the server takes mail for"
    MAILBOX = "give --imap or --pop3 HOST with --user and --password-file, to look into the mailbox of --to"
    ECHO = "give --echo ADDRESS, whose mail comes back into the mailbox of --to"
    ACCOUNT = "give --user NAME, whose easiest passwords may be tried"
    STARTTLS = "the server does not announce STARTTLS"
    NO_TLS = "everything is inside TLS here"
    TLS = "the server does not speak TLS here"
    TIME = "it takes minutes: give --slow"


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A port of a server, and what the user allows. `address` is given where mail may be sent to it; `echo` mails back
    what it gets. `account` and `password` open the mailbox; with `logs_in` mail is handed in after AUTH. `offers` and
    `greeting` are what the server said at the first visit. `wait` is how long an idle connection is watched,
    `mail_wait` how long mail may take to arrive."""

    target: Target
    now: float
    mark: str
    recipient: str = ""
    domain: str = ""
    sender: str = ""
    outside: str = ""
    sends_outside: bool = False
    echo: str = ""
    account: str = ""
    password: str = ""
    logs_in: bool = False
    reads_mail: bool = False
    slow: bool = False
    ehlo: str = "probe.example"
    authority: str | None = None
    greeting: str = ""
    offers: tuple[str, ...] = ()
    secure_offers: tuple[str, ...] = ()
    wait: float = 660.0
    mail_wait: float = 60.0
    crowd: int = 80
    source: str = ""

    @property
    def starttls(self) -> bool:
        """Whether TLS can be begun here."""
        return not self.target.implicit_tls and self.has("STARTTLS", "STLS")

    def has(self, *keywords: str) -> bool:
        """Whether one of `keywords` is announced, before TLS or in it."""
        return any(offer.split(" ")[0] in keywords for offer in (*self.offers, *self.secure_offers))

    def parameter(self, keyword: str) -> str:
        """What stands behind a keyword of EHLO."""
        found = [offer for offer in (*self.secure_offers, *self.offers) if offer.split(" ")[0] == keyword]
        return found[0].partition(" ")[2].strip() if found else ""

    def lacks(self, need: Need) -> bool:
        """Whether it does not have what a scenario needs."""
        has = {
            Need.RECIPIENT: self.recipient,
            Need.DOMAIN: self.domain,
            Need.MAILBOX: self.reads_mail and self.recipient,
            Need.ECHO: self.echo and self.recipient and self.reads_mail,
            Need.ACCOUNT: self.account,
            Need.STARTTLS: self.starttls,
            Need.NO_TLS: not self.target.implicit_tls,
            Need.TLS: self.target.implicit_tls or self.starttls,
            Need.TIME: self.slow,
        }
        return not has[need]

    def marked(self, name: str) -> Aim:
        """The same with a mark of one scenario's own."""
        return replace(self, mark=f"{self.mark}.{name}")

    def words(self) -> dict[str, str]:
        """What `{word}` stands for in the octets of a step."""
        domain = self.domain or _own_name(self.target)
        outside = self.outside or f"victim@{NOBODYS}"
        recipient = self.recipient or (f"postmaster@{domain}")
        return {
            "address": self.target.address,
            "literal": _literal(self.target.address),
            "host": self.target.host,
            "ehlo": self.ehlo,
            "domain": domain,
            "recipient": recipient,
            "sender": self.sender,
            "author": self.sender or f"probe@{self.ehlo}",
            "outside": outside,
            "outside_local": outside.rpartition("@")[0],
            "outside_domain": outside.rpartition("@")[2],
            "unknown": f"nobody-{self.mark.replace('.', '-')}@{domain}",
            "echo": self.echo,
            "account": self.account,
            "mark": self.mark,
            "date": formatdate(self.now),
        }

    def fill(self, steps: tuple[Step, ...]) -> tuple[Step, ...]:
        """`steps` with their words put in."""
        return fill(steps, self.words())


def fill(steps: tuple[Step, ...], words: dict[str, str]) -> tuple[Step, ...]:
    """`steps` with `{word}` replaced wherever it is known."""

    def put(found: re.Match[bytes]) -> bytes:
        word = words.get(found[1].decode())
        return found[0] if word is None else word.encode()

    return tuple(replace(step, send=_PLACE.sub(put, step.send)) if b"{" in step.send else step for step in steps)


def unknown_words(octets: bytes) -> list[str]:
    """Words in braces that stand for nothing, for scenarios that people write."""
    target = Target(host="h.example", address="192.0.2.1", port=25, spoken=Spoken.SMTP)
    known = Aim(target=target, now=0, mark="m").words()
    return [found.decode() for found in _PLACE.findall(octets) if found.decode() not in known]


def _literal(address: str) -> str:
    """RFC 5321 §4.1.3."""
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"


def _own_name(target: Target) -> str:
    """The host's name, or its literal where it has none."""
    try:
        ip_address(target.host)
    except ValueError:
        return target.host or _literal(target.address)
    return _literal(target.address)
