"""What is asked of a list: the names that stand for addresses, domains, e-mail addresses and attachments.

In: a `Subject` and a list. Out: the name to look up, or None where the list does not take such a subject.
Standard: RFC 5782 §2.1 (IPv4), §2.4 (IPv6), §3 (names); the hashed forms are those of Spamhaus HBL and MSBL EBL.
Not here: who asks (`check`), what the answer means (`answers`).
"""

from __future__ import annotations

import base64
import enum
import hashlib
from dataclasses import dataclass
from functools import cache, lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING

import idna

from gatepost.reputation.dnslist import DnsList, ListKind

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

MAX_NAME = 253  # characters of a name in DNS (RFC 1035 §3.1, without the root)

# Addresses that belong to nobody in the world, or to everybody: no list knows them.
_INSIDE = tuple(
    ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8"),
    )
)


class SubjectKind(enum.StrEnum):
    """What a subject is."""

    IP = "ip"
    DOMAIN = "domain"  # a name that a sender gave himself
    HOST = "host"  # a host of a link, by name or by address
    EMAIL = "email"
    HASH = "hash"  # the SHA-256 of an attachment, in hexadecimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Something to ask about. `value` is as the message has it; `where` says in one word where it stood: "client",
    "path", "ehlo", "mail-from", "from", "link" …"""

    kind: SubjectKind
    value: str
    where: str


def question_name(one: DnsList, subject: Subject) -> str | None:
    """The name to look up in `one` for `subject`."""
    stem = _stem(one, subject)
    if not stem or len(stem) + 1 + len(one.zone) > MAX_NAME:
        return None
    return f"{stem}.{one.zone}"


def probe_name(one: DnsList, test: str) -> str | None:
    """The name to look up for one of the list's own test entries."""
    if one.kind in (ListKind.EMAIL, ListKind.HASH):
        stem: str | None = hashed_address(test, one.hashing) if one.kind is ListKind.EMAIL else test
    else:
        address = read_address(test)
        stem = reversed_address(address) if address else domain_name(test)
    return f"{stem}.{one.zone}" if stem else None


def _stem(one: DnsList, subject: Subject) -> str | None:
    kind, value = subject.kind, subject.value
    if one.kind.takes_addresses:
        return _public(value) if kind is SubjectKind.IP else None
    if one.kind is ListKind.EMAIL:
        return hashed_address(value, one.hashing) if kind is SubjectKind.EMAIL else None
    if one.kind is ListKind.HASH:
        return hashed_file(value) if kind is SubjectKind.HASH else None
    if kind is SubjectKind.HOST and one.kind is ListKind.URI and read_address(value):
        return _public(value)
    if kind is SubjectKind.HOST or (kind is SubjectKind.DOMAIN and one.kind is ListKind.DOMAIN):
        name = domain_name(value)
        return registrable(name) if name and one.registrable else name
    return None


def read_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address that `text` is, an IPv4 address written as IPv6 taken for what it is; None for anything else."""
    try:
        address = ip_address(text.strip("[]")[:45])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return address.ipv4_mapped
    return address


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether lists can know `address`."""
    return not any(address.version == network.version and address in network for network in _INSIDE)


def _public(text: str) -> str | None:
    address = read_address(text)
    return reversed_address(address) if address is not None and is_public(address) else None


def reversed_address(address: IPv4Address | IPv6Address) -> str:
    """RFC 5782 §2.1: the octets backwards; §2.4: the 32 nibbles backwards."""
    if isinstance(address, IPv4Address):
        return ".".join(str(octet) for octet in reversed(address.packed))
    return ".".join(reversed(address.packed.hex()))


@lru_cache(maxsize=4096)
def domain_name(text: str) -> str | None:
    """`text` as a name in A-labels and lower case; None for an address, and for what can be no name in DNS."""
    name = text.strip().strip(".").lower()
    if not name or len(name) > MAX_NAME or read_address(name):
        return None
    if not name.isascii():
        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except (UnicodeError, ValueError):  # idna's errors are UnicodeErrors
            return None
    labels = name.split(".")
    if any(not 0 < len(label) < 64 or not _is_label(label) for label in labels):
        return None
    return name


def _is_label(label: str) -> bool:
    return label.replace("-", "").replace("_", "").isalnum()


@lru_cache(maxsize=4096)
def registrable(name: str) -> str | None:
    """The name that was bought: one label below a public suffix; None for a public suffix itself."""
    found = _public_suffixes().privatesuffix(name)
    return str(found) if found else None


@cache
def _public_suffixes() -> PublicSuffixList:
    from publicsuffixlist import PublicSuffixList  # 35 ms that only lists of names pay

    return PublicSuffixList(accept_unknown=True)


def normal_address(text: str) -> str | None:
    """An e-mail address as hash lists want it: lower case, without the "+tag"; Gmail's dots and second name mean
    nothing. None for what is no address of a public domain."""
    local, at, domain = text.strip().lower().rpartition("@")
    name = domain_name(domain)
    local = local.partition("+")[0]
    if not at or not local or len(local) > 64 or name is None or "." not in name:
        return None
    if name in ("gmail.com", "googlemail.com"):
        local, name = local.replace(".", ""), "gmail.com"
    return f"{local}@{name}" if local else None


def hashed_address(text: str, hashing: str) -> str | None:
    """The label that stands for an e-mail address."""
    address = normal_address(text)
    return _label(hashing, address.encode("utf-8", "replace")) if address else None


def hashed_file(sha256: str) -> str | None:
    """The label that stands for an attachment."""
    try:
        digest = bytes.fromhex(sha256)
    except ValueError:
        return None
    return _base32(digest) if len(digest) == 32 else None


def _label(hashing: str, octets: bytes) -> str:
    if hashing == "sha256-base32":
        return _base32(hashlib.sha256(octets).digest())
    return hashlib.new(hashing, octets, usedforsecurity=False).hexdigest()  # the list's choice: it is no secret


def _base32(digest: bytes) -> str:
    """RFC 4648 §6 without the padding: hexadecimal would not fit into a label (RFC 1035 §2.3.4)."""
    return base64.b32encode(digest).decode("ascii").rstrip("=").lower()
