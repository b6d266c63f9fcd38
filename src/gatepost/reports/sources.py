"""Who sends in a domain's name: streams of reports grouped by sender, and what each group is.

In: streams of the last weeks, the domain, reverse names where they are known, the senders the owner knows. Out:
`Source`s, the largest first. What a stream is:
- OWN: it passes, or fails although its address or signature proves the domain's own servers (a mistake of ours);
- SERVICE: proven to be somebody else by SPF or DKIM: a service that sends for us, or somebody who uses our name;
- FORWARDER: our own mail that somebody passed on: DKIM still passes and SPF cannot, or a list has changed it;
- UNKNOWN: nothing proves anything: a forger, or a server of ours that nobody thought of.
Standard: RFC 9989 §4.4 (alignment), RFC 7960 (indirect mail flows). Not here: what follows from it (`advise`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from gatepost.ports.reported import Stream

MAX_ADDRESSES = 20  # that a source lists
MAX_NAMES = 200
_INDIRECT = frozenset(("forwarded", "mailing_list", "trusted_forwarder"))  # RFC 9990, before it RFC 7489
_NOT_CHECKED = frozenset(("", "none", "pass", "temperror"))

Organization = Callable[[str], str]
"""The domain that was bought, of a name: "mail.example.co.uk" gives "example.co.uk"."""


class Kind(enum.StrEnum):
    """What a source is."""

    OWN = "own"
    SERVICE = "service"
    FORWARDER = "forwarder"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Everything that came from one sender. `name` is what it proved to be or is called by its reverse name, else its
    network. `passed` and `failed` are of DMARC; `by_dkim` and `by_spf` passed aligned by it. `known`: the owner named
    it, or part of its mail is proven to be ours. `failing` are the addresses whose mail failed, the most first,
    `header_from` the domains in From of what passed. `days` is on how many days at most, `why` what makes it that
    kind."""

    name: str
    kind: Kind
    known: bool
    passed: int
    failed: int
    by_dkim: int
    by_spf: int
    addresses: tuple[str, ...]
    failing: tuple[str, ...]
    header_from: tuple[str, ...]
    proven: tuple[str, ...]
    days: int
    reporters: int
    first: int
    last: int
    why: str


class _Group:
    """Streams of one sender, while they are added up."""

    def __init__(self, name: str, kind: Kind) -> None:
        self.name, self.kind = name, kind
        self.passed = self.failed = self.by_dkim = self.by_spf = 0
        self.addresses: dict[str, int] = {}
        self.failing: dict[str, int] = {}
        self.header_from: dict[str, None] = {}
        self.proven: dict[str, None] = {}
        self.days = self.reporters = self.last = 0
        self.first = 1 << 40
        self.why: dict[str, int] = {}

    def add(self, stream: Stream, why: str) -> None:
        self.passed += stream.count * stream.passed
        self.failed += stream.count * (not stream.passed)
        self.by_dkim += stream.count * (stream.dkim == "pass")
        self.by_spf += stream.count * (stream.spf == "pass")
        self.addresses[stream.source_ip] = self.addresses.get(stream.source_ip, 0) + stream.count
        if not stream.passed:
            self.failing[stream.source_ip] = self.failing.get(stream.source_ip, 0) + stream.count
        if stream.passed:
            self.header_from[stream.header_from] = None
        for name, result in ((stream.dkim_domain, stream.dkim_result), (stream.spf_domain, stream.spf_result)):
            if result == "pass" and name:
                self.proven[name] = None
        self.days, self.reporters = max(self.days, stream.days), max(self.reporters, stream.reporters)
        self.first, self.last = min(self.first, stream.first), max(self.last, stream.last)
        self.why[why] = self.why.get(why, 0) + stream.count

    def source(self, known: bool) -> Source:
        addresses = sorted(self.addresses, key=lambda one: -self.addresses[one])
        failing = sorted(self.failing, key=lambda one: -self.failing[one])
        return Source(
            name=self.name,
            kind=self.kind,
            known=known,
            passed=self.passed,
            failed=self.failed,
            by_dkim=self.by_dkim,
            by_spf=self.by_spf,
            addresses=tuple(addresses[:MAX_ADDRESSES]),
            failing=tuple(failing[:MAX_ADDRESSES]),
            header_from=tuple(list(self.header_from)[:MAX_NAMES]),
            proven=tuple(list(self.proven)[:MAX_ADDRESSES]),
            days=self.days,
            reporters=self.reporters,
            first=self.first,
            last=self.last,
            why=max(self.why, key=lambda one: self.why[one]),
        )


def group_sources(
    streams: Iterable[Stream],
    domain: str,
    *,
    organization: Organization,
    names: Mapping[str, str] | None = None,
    known: Collection[str] = (),
) -> list[Source]:
    """The senders. `names` are confirmed reverse names by address; `known` are domains, networks and addresses that
    the owner calls his."""
    streams = list(streams)
    sorter = _Sorter(streams, organization(domain), organization, names or {}, known)
    groups: dict[tuple[str, Kind], _Group] = {}
    for stream in streams:
        kind, why = sorter.kind(stream)
        name = sorter.name(stream, kind)
        groups.setdefault((name, kind), _Group(name, kind)).add(stream, why)
    signing = {group.name for group in groups.values() if group.kind is Kind.SERVICE and group.by_dkim}
    found = [group.source(_is_known(group, signing) or sorter.is_known(group)) for group in groups.values()]
    return sorted(found, key=lambda source: (-source.failed - source.passed, source.name))


def _is_known(group: _Group, signing: Collection[str]) -> bool:
    """Whether its mail itself shows that it is ours. Of a stranger's network or a forwarder's, nothing follows."""
    return group.kind is Kind.OWN or (group.kind is Kind.SERVICE and group.name in signing)


class _Sorter:
    """Tells what a stream is, by what all of them show of the domain's own servers."""

    def __init__(
        self,
        streams: Iterable[Stream],
        ours: str,
        organization: Organization,
        names: Mapping[str, str],
        known: Collection[str],
    ) -> None:
        self._ours = ours
        self._organization = organization
        self._names = names
        self._known_names = {one.lower() for one in known}
        self._known_networks = [ip_network(one, strict=False) for one in known if _is_network(one)]
        self._own_networks = {network_of(stream.source_ip) for stream in streams if stream.spf == "pass"}

    def kind(self, stream: Stream) -> tuple[Kind, str]:
        """What it is, and why in plain words."""
        return self._of_passed(stream) if stream.passed else self._of_failed(stream)

    def _of_passed(self, stream: Stream) -> tuple[Kind, str]:
        if stream.spf == "pass":
            return Kind.OWN, "SPF names it" if stream.dkim != "pass" else "SPF names it, and it signs"
        if network_of(stream.source_ip) in self._own_networks:
            return Kind.OWN, "it signs, and SPF names its neighbours"
        if self._elsewhere(stream.spf_domain) and stream.spf_result == "pass":
            return Kind.SERVICE, "it signs for you, with an envelope of its own"
        return Kind.FORWARDER, "your signature passes and SPF does not: passed on unchanged"

    def _of_failed(self, stream: Stream) -> tuple[Kind, str]:
        if stream.reason in _INDIRECT:
            return Kind.FORWARDER, f"the reporter says: {stream.reason}"
        if network_of(stream.source_ip) in self._own_networks or self._is_known_address(stream.source_ip):
            return Kind.OWN, "it comes from your own servers, neither signed nor named by SPF for this envelope"
        for name, result, how in (
            (stream.spf_domain, stream.spf_result, "SPF"),
            (stream.dkim_domain, stream.dkim_result, "DKIM"),
        ):
            if result == "pass" and self._organization(name) == self._ours:
                return Kind.OWN, f"{how} passes for {name}, which strict alignment does not count"
        if self._organization(stream.dkim_domain) == self._ours and stream.dkim_result not in _NOT_CHECKED:
            return Kind.FORWARDER, "your signature is on it and no longer fits: changed on its way, as lists do"
        for name, result in ((stream.spf_domain, stream.spf_result), (stream.dkim_domain, stream.dkim_result)):
            if result == "pass" and name:
                return Kind.SERVICE, f"proven to be {name}, which is not you"
        return Kind.UNKNOWN, "nothing proves who it is"

    def _elsewhere(self, name: str) -> bool:
        return bool(name) and self._organization(name) != self._ours

    def name(self, stream: Stream, kind: Kind) -> str:
        """What people know the sender by."""
        reverse = self._names.get(stream.source_ip, "")
        if reverse:
            return self._organization(reverse)
        if kind is Kind.SERVICE:
            for name, result in ((stream.spf_domain, stream.spf_result), (stream.dkim_domain, stream.dkim_result)):
                if result == "pass" and self._elsewhere(name):
                    return self._organization(name)
        return network_of(stream.source_ip)

    def is_known(self, group: _Group) -> bool:
        """Whether the owner named it."""
        names = {group.name, *group.proven, *(self._organization(name) for name in group.proven)}
        return bool(names & self._known_names) or any(self._is_known_address(one) for one in group.addresses)

    def _is_known_address(self, text: str) -> bool:
        if not self._known_networks or not text:
            return False
        address = ip_address(text)
        return any(address in network for network in self._known_networks)


def network_of(address: str) -> str:
    """The network somebody usually rents: 256 IPv4 addresses, /48 of IPv6."""
    if not address:
        return "(no address)"
    return str(ip_network(f"{address}/{48 if ':' in address else 24}", strict=False))


def _is_network(text: str) -> bool:
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return True
