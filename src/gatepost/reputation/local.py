"""The house's own lists: what the administrator blocks or allows, by address, network, domain, sender or URL.

In: entries; what a message holds. Out: the entries that match, those over their time left out.
Standard: none. Looking up costs a few dictionary accesses, however many entries there are.
Not here: where entries are kept (`store.lists`), what they lead to (`inspector.rules.lists`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from urllib.parse import unquote

from gatepost.errors import InputError
from gatepost.reputation.questions import domain_name, read_address

MAX_VALUE = 1000  # characters of an entry or a URL that are compared
_IP = IPv4Address | IPv6Address


class EntryKind(enum.StrEnum):
    """What an entry names."""

    ADDRESS = "address"
    NETWORK = "network"
    DOMAIN = "domain"  # and everything below it
    SENDER = "sender"
    URL = "url"  # a host with what lies below it, or a path on it


class Verdict(enum.StrEnum):
    """Which way an entry speaks."""

    BLOCK = "block"
    ALLOW = "allow"


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalEntry:
    """`value` is canonical, as `parse_value` makes it. `action` is what a block leads to: "reject", "quarantine" or
    "tag". `expires` and `added_at` are seconds since the epoch; None is for ever."""

    verdict: Verdict
    kind: EntryKind
    value: str
    action: str = "reject"
    expires: float | None = None
    comment: str = ""
    added_at: float = 0.0
    added_by: str = ""

    def holds_at(self, now: float) -> bool:
        """Whether its time is not over."""
        return self.expires is None or now < self.expires


def parse_value(text: str) -> tuple[EntryKind, str]:
    """The kind of an entry by its form, and its canonical text: 192.0.2.1, 192.0.2.0/24, example.org (or @example.org),
    ann@example.org, https://example.org/path. Raises InputError."""
    value = text.strip()[: MAX_VALUE + 1]
    if not value or len(value) > MAX_VALUE or not value.isprintable():
        raise InputError("entry", text, "give an address, a network, a domain, a sender or a URL")
    if "://" in value:
        return EntryKind.URL, _url(value, text)
    if "/" in value:
        return EntryKind.NETWORK, _network(value, text)
    address = read_address(value)
    if address is not None:
        return EntryKind.ADDRESS, str(address)
    local, _, domain = value.rpartition("@")
    name = domain_name(domain.removeprefix("*."))
    if name is None or "." not in name:
        raise InputError("entry", text, "is no address, network, domain, sender or URL")
    return (EntryKind.SENDER, f"{local.lower()}@{name}") if local else (EntryKind.DOMAIN, name)


def _network(value: str, text: str) -> str:
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise InputError("entry", text, "is no network; write 192.0.2.0/24, and a URL with https://") from None
    if network.prefixlen == 0:
        raise InputError("entry", text, "is the whole world; name a smaller network")
    return str(network)


def _url(value: str, text: str) -> str:
    host, path = split_url(value)
    if not host:
        raise InputError("entry", text, "is no URL with a host; write https://example.org/path")
    return host + path


def split_url(url: str) -> tuple[str, str]:
    """Host and path of a URL, in the form in which they are compared: the scheme, user-info, port, query and fragment
    do not matter, nor does how the path is escaped. The host is empty for what has none."""
    before, scheme, after = url[:MAX_VALUE].partition("://")
    rest = (after if scheme else before).replace("\\", "/").partition("#")[0].partition("?")[0]
    authority, slash, path = rest.partition("/")
    host = authority.rpartition("@")[2]
    if not host.startswith("["):
        host = host.partition(":")[0]
    address = read_address(host.partition("]")[0])
    name = str(address) if address is not None else domain_name(host)
    return (name or "", unquote(slash + path).rstrip("/") or "")


class LocalLists:
    """Entries, sorted for looking up. Made anew when they change."""

    def __init__(self, entries: Iterable[LocalEntry] = ()) -> None:
        self.entries = tuple(entries)
        self._texts: dict[tuple[EntryKind, str], LocalEntry] = {}
        self._networks: dict[tuple[int, int], dict[int, LocalEntry]] = {}
        self._urls: dict[str, list[tuple[str, LocalEntry]]] = {}
        for entry in sorted(self.entries, key=lambda e: e.verdict is Verdict.BLOCK):  # a block stands over an allow
            self._add(entry)

    def _add(self, entry: LocalEntry) -> None:
        if entry.kind is EntryKind.NETWORK:
            network = ip_network(entry.value)
            shift = network.max_prefixlen - network.prefixlen
            self._networks.setdefault((network.version, shift), {})[int(network.network_address) >> shift] = entry
        elif entry.kind is EntryKind.URL:
            host, path = split_url(entry.value)
            self._urls.setdefault(host, []).append((path, entry))
        else:
            self._texts[entry.kind, entry.value] = entry

    def __bool__(self) -> bool:
        return bool(self.entries)

    def address(self, ip: str, now: float) -> LocalEntry | None:
        """The entry for an IP address: its own, else that of the smallest network."""
        address = read_address(ip) if self.entries else None
        return next(_alive(self._for_address(address), now), None) if address is not None else None

    def _for_address(self, address: _IP) -> Iterator[LocalEntry | None]:
        yield self._texts.get((EntryKind.ADDRESS, str(address)))
        for version, shift in sorted(self._networks):
            if version == address.version:
                yield self._networks[version, shift].get(int(address) >> shift)

    def domain(self, domain: str, now: float) -> LocalEntry | None:
        """The entry for a domain: its own, else the nearest above it."""
        name = domain_name(domain) if self.entries and domain else None
        return next(_alive(self._for_name(name), now), None) if name else None

    def _for_name(self, name: str) -> Iterator[LocalEntry | None]:
        while name:
            yield self._texts.get((EntryKind.DOMAIN, name))
            name = name.partition(".")[2]

    def sender(self, address: str, now: float) -> LocalEntry | None:
        """The entry for an e-mail address: its own, else that of its domain."""
        if not self.entries or not address:
            return None
        local, _, domain = address.rpartition("@")
        name = domain_name(domain)
        if name is None:
            return None
        own = self._texts.get((EntryKind.SENDER, f"{local.lower()}@{name}"))
        return next(_alive(iter((own,)), now), None) or self.domain(name, now)

    def url(self, url: str, now: float) -> LocalEntry | None:
        """The entry for a URL: of its host or one above it, the longest path first."""
        if not self._urls:
            return None
        host, path = split_url(url)
        while host:
            matching = [(p, e) for p, e in self._urls.get(host, ()) if path == p or path.startswith(p + "/") or not p]
            found = next(_alive((e for _, e in sorted(matching, key=lambda pair: -len(pair[0]))), now), None)
            if found is not None:
                return found
            host = host.partition(".")[2] if read_address(host) is None else ""
        return None


def _alive(entries: Iterator[LocalEntry | None], now: float) -> Iterator[LocalEntry]:
    return (entry for entry in entries if entry is not None and entry.holds_at(now))
