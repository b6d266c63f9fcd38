"""What may be said about lists: which are asked, what their answers mean, how long they may take.

In: the `[lists]` table of the configuration. Out: `ListsSettings`.
Standard: RFC 5782 (DNS lists). Not here: lists known by name (`known`), own entries (`gatepost lists add`, `local`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from gatepost.errors import ConfigError

ListMode = Literal["off", "watch", "on"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeSettings:
    """What one answer of a list means; a table `[lists.dns."NAME".codes."127.0.0.2"]`."""

    meaning: str = ""
    """What is said of the listed, in words: "a botnet"."""
    weight: float = 0.0
    """What it adds to the score; negative for a list of good senders. All lists together stay below `tag_at`."""
    client_only: bool = False
    """Count it only for the address that hands the message in, not for one further back on its path: lists of home
    connections name every honest writer's own address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsListSettings:
    """One list in DNS; for a list that is known by name, only what is to differ."""

    kind: Literal["", "ip", "domain", "uri", "email", "hash", "allow"] = ""
    """What is asked: "ip" (addresses that send), "domain" (names of senders and hosts of links), "uri" (hosts of
    links), "email" (addresses), "hash" (attachments), "allow" (good addresses that send)."""
    zone: str = ""
    """The list's zone, as in "bl.example.org"; {key} in it stands for `key`."""
    key: str = ""
    """The query key that the list's operator gave you; never shown."""
    mode: Literal["", "off", "watch", "on"] = ""
    """With "on" its answers count, with "watch" they are only recorded for `gatepost lists report`. Empty: as
    `lists.mode`."""
    codes: Mapping[str, CodeSettings] = field(default_factory=dict)
    """What each answer means. The name is an address, with * or a range for an octet ("127.0.0.4-7"), or with `bitmask`
    the number of a bit. Empty: every answer in 127.0.0.0/8 is a listing of `weight`."""
    weight: float = 2.0
    """The weight of an answer where `codes` says nothing."""
    bitmask: bool = False
    """Whether the bits of the last octet say each what is listed, as with SURBL and URIBL."""
    refused: tuple[str, ...] = ()
    """Answers that mean "you may not ask", besides 127.255.255.x and what is outside 127.0.0.0/8."""
    names: Literal["", "registrable", "host"] = ""
    """Which name is asked of a domain or URI list: the one that was bought (example.co.uk) or the whole host name.
    Empty: the former."""
    hashing: Literal["", "sha1", "md5", "sha256-base32"] = ""
    """How an email list wants addresses hashed: in hexadecimal, or as Spamhaus HBL in base 32 (empty: so). Hash lists
    are always asked for the SHA-256 in base 32."""
    test_listed: str = ""
    """What the list must list, to be asked before it is believed. Empty: 127.0.0.2 or "test" (RFC 5782 §5); email and
    hash lists have no such entry."""
    test_unlisted: str = ""
    """What the list must not list. Empty: 127.0.0.1 or "invalid"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListsSettings:
    """Lists of addresses, domains and more. None is asked unless `use` names it."""

    use: tuple[str, ...] = ()
    """The lists to ask, by name: known ones ("zen", "dbl", "hbl-email", "hbl-file", "surbl", "uribl", "dnswl",
    "spamcop", "psbl", "ebl") or your own, described below. Read their terms: most are free for small sites only, and
    refuse those who ask through a large public resolver."""
    mode: Literal["off", "watch", "on"] = "on"
    """The mode of lists that do not say their own: "watch" records what they would have added and adds nothing."""
    spamhaus_key: str = ""
    """The query key of Spamhaus' Data Query Service: zen and dbl are then asked there, and hbl-email and hbl-file can
    be asked at all. Never shown."""
    deadline: float = 3.0
    """Seconds that all look-ups of one message may take together; what has no answer by then counts as not known."""
    max_domains: int = 20
    """Names of senders and hosts of links of one message that are asked at most."""
    max_addresses: int = 10
    """E-mail addresses of one message that are asked at most."""
    max_hashes: int = 10
    """Attachments of one message that are asked at most."""
    ask_path: bool = False
    """Whether the first public address of a message's path is asked too, not only the one that handed it in."""
    probe_every: float = 600.0
    """Seconds between two tests of each list; one that fails is left out until it passes."""
    watch_own: bool = True
    """Whether the addresses and domains of this gate are looked up every hour on the lists in use, and listings told
    of in the log."""
    own_addresses: tuple[str, ...] = ()
    """Addresses that your mail leaves from, to be watched. Empty: those of `hostname` in DNS."""
    dns: Mapping[str, DnsListSettings] = field(default_factory=dict)
    """Lists of your own, or changes to known ones, by name."""

    def __post_init__(self) -> None:
        """Raises ConfigError for a list that cannot be asked: a typo must not silently leave one out."""
        if self.use or self.dns:
            from gatepost.reputation.known import resolve_lists  # it knows the settings, so not at the top

            resolve_lists(self)
        if self.own_addresses:
            check_addresses(self.own_addresses)


def check_addresses(texts: tuple[str, ...]) -> None:
    """Raises ConfigError for what is no IP address."""
    from ipaddress import ip_address

    for text in texts:
        try:
            ip_address(text)
        except ValueError:
            raise ConfigError("lists.own_addresses", text, "is no address; write 192.0.2.1") from None
