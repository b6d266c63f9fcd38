"""`ZoneResolver`: DNS answers from master-file text instead of the network.

In: zone text, and which names time out, fail or are authentic. Out: the same `Answer`s as from the network.
Standard: RFC 1035 §5 (master files), RFC 4592 (wildcards), RFC 2308 (negative answers), RFC 1034 §3.6.2 (CNAME).
Not here: reading a file (the caller does), DNS packets (`net.resolver`), a server (`lab.dns`), delegation: all names
below the root are answered as if one server held them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import cast

import dns.rdtypes.nsbase

from gatepost.errors import InputError
from gatepost.net.masterfile import Labels, Rrset, labels_of, read_master_file
from gatepost.net.records import BadName, parse_name, record_of
from gatepost.ports import Answer, DnsStatus, Question, Record

MAX_CHAIN = 8  # CNAMEs followed; BIND allows 16, Unbound 11, real mail domains need 3
DEFAULT_TTL = 300  # seconds, for records without one, and for negative answers without a SOA
_RTYPE = re.compile(r"[A-Z0-9-]{1,20}")


@dataclass(frozen=True, slots=True)
class _Rrset:
    records: tuple[Record, ...]
    ttl: int
    target: Labels = ()  # of a CNAME


class ZoneResolver:
    """Answers from `zone_text` (several $ORIGINs, with or without SOA; a plain list of records will do).

    `timeouts` and `failures` name what gets no answer: "name" for every type, or "name TYPE" for one.
    `authentic` is True for all, or the names whose answers carry the authentic-data bit, with all below them.
    Raises `InputError` with the line number for text that is no zone.
    """

    def __init__(
        self,
        zone_text: str,
        *,
        timeouts: Iterable[str] = (),
        failures: Iterable[str] = (),
        authentic: Iterable[str] | bool = (),
        origin: str = ".",
    ) -> None:
        self._nodes = _parse_zone(zone_text, origin)
        self._faults = _parse_faults(failures, "SERVFAIL") | _parse_faults(timeouts, "timed out")
        names = ["."] if authentic is True else [] if authentic is False else list(authentic)
        self._authentic = frozenset(_labels_or_error("authentic", name) for name in names)

    async def lookup(self, name: str, rtype: str) -> Answer:
        """One question, as `ports.Resolver` promises."""
        return self.answer(Question(name, rtype))

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        """All at once; nothing here takes time, so the deadline is never missed."""
        return tuple(self.answer(question) for question in questions)

    def answer(self, question: Question) -> Answer:
        """The answer to `question`, without an event loop."""
        try:
            labels = parse_name(question.name)
        except BadName as error:
            return Answer(question=question, status=DnsStatus.NXDOMAIN, reason=str(error))
        rtype = question.rtype.upper()
        authentic = bool(self._authentic)
        ttl = 1 << 31
        for _ in range(MAX_CHAIN + 1):
            if (labels, "") in self._faults or (labels, rtype) in self._faults:
                reason = self._faults.get((labels, "")) or self._faults[labels, rtype]
                return Answer(question=question, status=DnsStatus.TEMPFAIL, reason=reason)
            authentic = authentic and self._is_authentic(labels)
            node = self._find(labels)
            if node is None or not (node.get(rtype) or node.get("CNAME")):
                return self._negative(question, labels, node is not None, authentic, ttl)
            rrset = node.get(rtype)
            if rrset:
                return Answer(
                    question=question,
                    status=DnsStatus.OK,
                    records=rrset.records,
                    authentic=authentic,
                    ttl=min(ttl, rrset.ttl),
                )
            ttl = min(ttl, node["CNAME"].ttl)
            labels = node["CNAME"].target
        return Answer(
            question=question, status=DnsStatus.TEMPFAIL, reason=f"more than {MAX_CHAIN} CNAME records in a chain"
        )

    def _find(self, labels: Labels) -> dict[str, _Rrset] | None:
        """The node for `labels`, real or made from a wildcard (RFC 4592 §3.3.1), None when there is none."""
        node = self._nodes.get(labels)
        if node is not None:
            return node
        for above in range(1, len(labels) + 1):
            if labels[above:] in self._nodes:  # the closest encloser; a wildcard higher up does not count
                return self._nodes.get((b"*", *labels[above:]))
        return None

    def _is_authentic(self, labels: Labels) -> bool:
        return any(labels[above:] in self._authentic for above in range(len(labels) + 1))

    def _negative(self, question: Question, labels: Labels, exists: bool, authentic: bool, ttl: int) -> Answer:
        return Answer(
            question=question,
            status=DnsStatus.NODATA if exists else DnsStatus.NXDOMAIN,
            authentic=authentic,
            ttl=min(ttl, self._negative_ttl(labels)),
            reason="the name has no record of this type" if exists else "the name does not exist",
        )

    def _negative_ttl(self, labels: Labels) -> int:
        """RFC 2308 §5: the lesser of the SOA's own TTL and its MINIMUM field."""
        for above in range(len(labels) + 1):
            soa = self._nodes.get(labels[above:], {}).get("SOA")
            if soa:
                return min(soa.ttl, int(str(soa.records[0]).rsplit(" ", 1)[1]))
        return DEFAULT_TTL


def _parse_zone(text: str, origin: str) -> dict[Labels, dict[str, _Rrset]]:
    """Every node with its record sets, the empty ones above a name included (RFC 4592 §2.2.2)."""
    nodes: dict[Labels, dict[str, _Rrset]] = {(): {}}
    for (labels, rtype), rrset in read_master_file(text, origin, default_ttl=DEFAULT_TTL).items():
        nodes.setdefault(labels, {})[rtype] = _Rrset(
            tuple(record_of(rdata) for rdata in rrset.rdatas), rrset.ttl, _target(rrset, rtype)
        )
        for above in range(1, len(labels)):
            nodes.setdefault(labels[above:], {})
    return nodes


def _target(rrset: Rrset, rtype: str) -> Labels:
    if rtype != "CNAME":
        return ()
    return labels_of(cast("dns.rdtypes.nsbase.NSBase", rrset.rdatas[0]).target)


def _parse_faults(entries: Iterable[str], reason: str) -> dict[tuple[Labels, str], str]:
    """ "name" or "name TYPE" to the reason; type "" is every type."""
    faults = {}
    for entry in entries:
        name, _, rtype = entry.strip().partition(" ")
        rtype = rtype.strip().upper()
        if rtype and not _RTYPE.fullmatch(rtype):
            raise InputError("fault", entry, 'write "name" or "name TYPE"')
        faults[_labels_or_error("fault", name), rtype] = reason
    return faults


def _labels_or_error(field: str, name: str) -> Labels:
    try:
        return parse_name(name)
    except BadName as error:
        raise InputError(field, name, str(error)) from error
