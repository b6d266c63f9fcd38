"""`ZoneResolver`: DNS answers from master-file text instead of the network.

In: zone text, and which names time out, fail or are authentic. Out: the same `Answer`s as from the network.
Standard: RFC 2308 (negative answers), RFC 1034 §3.6.2 (CNAME).
Not here: the names and wildcards (`net.zonetree`), reading a file (the caller does), DNS packets (`net.resolver`).
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from gatepost.net.masterfile import Labels
from gatepost.net.records import BadName, parse_name
from gatepost.net.zonetree import ZoneTree, labels_or_error, parse_faults
from gatepost.ports import Answer, DnsStatus, Question

MAX_CHAIN = 8  # CNAMEs followed; BIND allows 16, Unbound 11, real mail domains need 3


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
        # Text in an indented literal: a line that starts with a blank would have no name (RFC 1035 §5.1).
        self._tree = ZoneTree(textwrap.dedent(zone_text), origin)
        self._faults = parse_faults(failures, "SERVFAIL") | parse_faults(timeouts, "timed out")
        names = ["."] if authentic is True else [] if authentic is False else list(authentic)
        self._authentic = frozenset(labels_or_error("authentic", name) for name in names)

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
            reason = self._faults.get((labels, "")) or self._faults.get((labels, rtype))
            if reason:
                return Answer(question=question, status=DnsStatus.TEMPFAIL, reason=reason)
            authentic = authentic and self._is_authentic(labels)
            node = self._tree.find(labels)
            rrset = node.get(rtype) if node else None
            if rrset:
                return Answer(
                    question=question,
                    status=DnsStatus.OK,
                    records=rrset.records,
                    authentic=authentic,
                    ttl=min(ttl, rrset.ttl),
                )
            alias = node.get("CNAME") if node else None
            if alias is None:
                return self._negative(question, labels, node is not None, authentic, ttl)
            ttl = min(ttl, alias.ttl)
            labels = alias.target
        return Answer(
            question=question, status=DnsStatus.TEMPFAIL, reason=f"more than {MAX_CHAIN} CNAME records in a chain"
        )

    def _is_authentic(self, labels: Labels) -> bool:
        return any(labels[above:] in self._authentic for above in range(len(labels) + 1))

    def _negative(self, question: Question, labels: Labels, exists: bool, authentic: bool, ttl: int) -> Answer:
        return Answer(
            question=question,
            status=DnsStatus.NODATA if exists else DnsStatus.NXDOMAIN,
            authentic=authentic,
            ttl=min(ttl, self._tree.negative_ttl(labels)),
            reason="the name has no record of this type" if exists else "the name does not exist",
        )
