"""The one fake of DNS that every test uses.

In: a dict of names to types to records; names (or name and type) that do not answer. Out: a `ports.Resolver`.
Standard: RFC 1035, RFC 2308 (an empty non-terminal exists). Not here: zone text (`gatepost.net.zone`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address

from gatepost.ports import Answer, DnsStatus, Mx, Question, Record

Zone = Mapping[str, Mapping[str, Sequence[str | bytes | Mx] | str | bytes | Mx]]


class DictResolver:
    """Answers from `zone`, e.g. `{"example.org": {"TXT": [b"v=spf1 -all"], "MX": [Mx(10, "mx.example.org")]}}`.

    CNAMEs are followed. `tempfail` holds names, or (name, type) pairs, that time out. `asked` lists what was asked.
    """

    def __init__(
        self,
        zone: Zone | None = None,
        *,
        tempfail: Iterable[str | tuple[str, str]] = (),
        authentic: Iterable[str] = (),
    ) -> None:
        self.zone: dict[str, dict[str, tuple[Record, ...]]] = {}
        self.asked: list[tuple[str, str]] = []
        self._tempfail: set[str | tuple[str, str]] = {
            name.lower() if isinstance(name, str) else (name[0].lower(), name[1]) for name in tempfail
        }
        self._authentic = {name.lower() for name in authentic}
        self._above: set[str] = set()
        for name, types in (zone or {}).items():
            self.add(name, types)

    def add(self, name: str, types: Mapping[str, Sequence[Record] | Record]) -> None:
        """Adds records; text for TXT is encoded, addresses become canonical."""
        node = self.zone.setdefault(name.lower(), {})
        for rtype, records in types.items():
            several = (records,) if isinstance(records, str | bytes | Mx) else tuple(records)
            if rtype == "TXT":
                several = tuple(r.encode() if isinstance(r, str) else r for r in several)
            elif rtype in ("A", "AAAA"):
                several = tuple(str(ip_address(str(r))) for r in several)
            node[rtype] = node.get(rtype, ()) + several
        labels = name.lower().split(".")
        self._above.update(".".join(labels[at:]) for at in range(1, len(labels)))

    def fail(self, name: str, *, unless: Iterable[str] = ()) -> None:
        """From now on `name` times out, but for the types in `unless`."""
        spared = set(unless)
        types = {"A", "AAAA", "MX", "TXT", "SPF", "PTR", "CNAME", "NS"} - spared
        self._tempfail.update((name.lower(), rtype) for rtype in types)

    async def lookup(self, name: str, rtype: str) -> Answer:
        self.asked.append((name.lower(), rtype))
        return self._answer(Question(name, rtype), name.lower(), 0)

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        return tuple([await self.lookup(question.name, question.rtype) for question in questions])

    def _answer(self, question: Question, name: str, hops: int) -> Answer:
        if name in self._tempfail or (name, question.rtype) in self._tempfail or hops > 8:
            return Answer(question=question, status=DnsStatus.TEMPFAIL, reason="timed out")
        if any(not 0 < len(label) < 64 for label in name.split(".")):
            return Answer(question=question, status=DnsStatus.NXDOMAIN, reason="no such name can exist")
        node = self.zone.get(name)
        if node is None:
            status = DnsStatus.NODATA if name in self._above else DnsStatus.NXDOMAIN
            return Answer(question=question, status=status, reason="no such name")
        records = node.get(question.rtype, ())
        if records:
            authentic = name in self._authentic
            return Answer(question=question, status=DnsStatus.OK, records=records, authentic=authentic, ttl=300)
        if "CNAME" in node and question.rtype != "CNAME":
            return self._answer(question, str(node["CNAME"][0]).lower().rstrip("."), hops + 1)
        return Answer(question=question, status=DnsStatus.NODATA, reason="no such record")
