"""Who lives in the lab: hosts on loopback, their domains and what these publish.

In: nothing. Out: `CAST`, `HOSTS` and the names used by the scenarios. Data only.
Standard: RFC 2606 (the names under .example belong to nobody), RFC 1122 §3.2.1.3 (127/8 stays on this machine).
Not here: zone text and keys (`lab.internet`), what they send (`lab.scenarios`).
"""

from __future__ import annotations

from dataclasses import dataclass

OURS = "gate.example"
USER = "alice@gate.example"
SELECTOR = "lab"

GATE, DNS = "127.0.9.25", "127.0.9.53"
BANK, SHOP, LETTER, FRIEND, CLUB = "127.0.10.1", "127.0.10.2", "127.0.10.3", "127.0.10.4", "127.0.10.5"
FORWARDER, NOSPF, SLOW, FREEMAIL = "127.0.10.6", "127.0.10.7", "127.0.10.8", "127.0.10.9"
DIALUP, HOSTER, LIAR = "127.0.66.6", "127.0.66.7", "127.0.66.8"
HOME, GUESSER = "127.0.10.20", "127.0.66.9"  # where people of ours write from; where somebody tries passwords


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A machine. `reverse` is its name in reverse DNS: None for its own, empty for none at all."""

    address: str
    name: str
    what: str
    reverse: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A mail domain. `spf` and `dmarc` are its records, empty for none; `keys` the kinds of DKIM key it signs with."""

    domain: str
    mx: str
    spf: str = ""
    dmarc: str = ""
    keys: tuple[str, ...] = ()


HOSTS: tuple[Host, ...] = (
    Host(address=GATE, name="mx.gate.example", what="the gate"),
    Host(address=DNS, name="ns.example", what="the name server of everybody"),
    Host(address=BANK, name="mail.bank.example", what="a bank: SPF, DKIM, and DMARC that asks for refusal"),
    Host(address=SHOP, name="mail.shop.example", what="a shop: SPF only"),
    Host(address=LETTER, name="mail.letter.example", what="a newsletter: DKIM only"),
    Host(address=FRIEND, name="mail.friend.example", what="a friend's server: SPF and DKIM, DMARC quarantine"),
    Host(address=CLUB, name="lists.club.example", what="a mailing list"),
    Host(address=FORWARDER, name="out.forwarder.example", what="a forwarder that seals with ARC"),
    Host(address=NOSPF, name="mail.nospf.example", what="a small server that publishes nothing"),
    Host(address=SLOW, name="mail.slow.example", what="a server whose domain's DNS does not answer"),
    Host(address=FREEMAIL, name="mx.freemail.example", what="a free mail provider"),
    Host(address=DIALUP, name="dialup.example", what="a home computer without reverse name", reverse=""),
    Host(address=HOSTER, name="host7.hoster.example", what="a rented server, used by spoofers"),
    Host(
        address=LIAR,
        name="host8.hoster.example",
        what="a server with a borrowed reverse name",
        reverse="mail.bank.example",
    ),
)

CAST: tuple[Party, ...] = (
    Party(
        domain=OURS,
        mx="mx.gate.example",
        spf=f"v=spf1 ip4:{GATE} -all",
        dmarc="v=DMARC1; p=reject",
        keys=("rsa", "ed25519"),
    ),
    Party(
        domain="bank.example",
        mx="mail.bank.example",
        spf=f"v=spf1 ip4:{BANK} -all",
        dmarc="v=DMARC1; p=reject",
        keys=("rsa",),
    ),
    Party(domain="shop.example", mx="mail.shop.example", spf=f"v=spf1 ip4:{SHOP} -all", dmarc="v=DMARC1; p=none"),
    Party(domain="letter.example", mx="mail.letter.example", dmarc="v=DMARC1; p=none", keys=("rsa", "ed25519")),
    Party(
        domain="friend.example",
        mx="mail.friend.example",
        spf=f"v=spf1 ip4:{FRIEND} -all",
        dmarc="v=DMARC1; p=quarantine",
        keys=("ed25519",),
    ),
    Party(
        domain="club.example",
        mx="lists.club.example",
        spf=f"v=spf1 ip4:{CLUB} -all",
        dmarc="v=DMARC1; p=none",
        keys=("ed25519",),
    ),
    Party(
        domain="forwarder.example",
        mx="out.forwarder.example",
        spf=f"v=spf1 ip4:{FORWARDER} -all",
        keys=("rsa",),
    ),
    Party(domain="nospf.example", mx="mail.nospf.example"),
    Party(domain="slow.example", mx="mail.slow.example", spf=f"v=spf1 ip4:{SLOW} -all", dmarc="v=DMARC1; p=reject"),
    Party(
        domain="freemail.example",
        mx="mx.freemail.example",
        spf=f"v=spf1 ip4:{FREEMAIL} -all",
        dmarc="v=DMARC1; p=none",
        keys=("ed25519",),
    ),
    Party(domain="nomail.example", mx="."),
    Party(domain="hoster.example", mx="host7.hoster.example"),
)

TIMEOUTS = ("slow.example", "_dmarc.slow.example", "lab._domainkey.slow.example")

# Lists in DNS (RFC 5782), each with the entry by which it is tested: one that is right, one that errs, and one that
# answers as the large ones do to those who ask through a public resolver.
LISTS = (
    "test.links.lists.example. A 127.0.0.2",
    "hoster.example.links.lists.example. A 127.0.0.2",
    "test.domains.lists.example. A 127.0.0.2",
    "club.example.domains.lists.example. A 127.0.0.2",
    "*.refuses.lists.example. A 127.255.255.254",
)
