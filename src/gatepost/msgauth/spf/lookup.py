"""What SPF asks of DNS, and what it costs: the only part of the check that waits.

In: names. Out: records, addresses, confirmed reverse names, or a `Problem`; counts of look-ups.
Standard: RFC 7208 §4.4 and §4.5 (the record), §4.6.4 (limits), §5.5 (confirming reverse names).
Not here: what the answers mean (`check`); CNAMEs, time-outs and caching (the resolver).
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from gatepost.msgauth.reverse import reverse_name
from gatepost.msgauth.spf.record import SpfRecord, parse_record, select_records
from gatepost.msgauth.spf.result import SpfResultWord
from gatepost.msgauth.spf.settings import SpfSettings
from gatepost.ports import Answer, DnsStatus, Question, Resolver


@dataclass(frozen=True, slots=True)
class Problem:
    """Why the check ends here: none, temperror or permerror, with the reason."""

    result: SpfResultWord
    reason: str


class Lookups:
    """The look-ups of one check, within their limits. `count` and `void` are terms that asked, and asked in vain."""

    __slots__ = ("_confirmed", "address_type", "count", "ip", "resolver", "settings", "void")

    def __init__(self, ip: IPv4Address | IPv6Address, resolver: Resolver, settings: SpfSettings) -> None:
        self.ip = ip
        self.address_type = "A" if ip.version == 4 else "AAAA"
        self.resolver = resolver
        self.settings = settings
        self.count = 0
        self.void = 0
        self._confirmed: list[str] | None = None

    def spend(self) -> Problem | None:
        """One more term that asks DNS."""
        self.count += 1
        if self.count > self.settings.max_lookups:
            limit = self.settings.max_lookups
            return Problem(SpfResultWord.PERMERROR, f"the policy needs more than {limit} DNS look-ups")
        return None

    def _waste(self) -> Problem | None:
        self.void += 1
        if self.void > self.settings.max_void_lookups:
            limit = self.settings.max_void_lookups
            return Problem(SpfResultWord.PERMERROR, f"more than {limit} DNS look-ups of the policy found nothing")
        return None

    async def record(self, domain: str) -> SpfRecord | Problem:
        """The policy of `domain`. A record that cannot be read is a permerror (RFC 7208 §4.6)."""
        answer = await self.resolver.lookup(domain, "TXT")
        if answer.status is DnsStatus.TEMPFAIL:
            return Problem(SpfResultWord.TEMPERROR, f"DNS does not answer for {domain}: {answer.reason or 'no answer'}")
        records = select_records(answer.texts)
        if not records:
            return Problem(SpfResultWord.NONE, f"{domain} publishes no SPF record")
        if len(records) > 1:  # RFC 7208 §4.5
            return Problem(SpfResultWord.PERMERROR, f"{domain} publishes {len(records)} SPF records")
        record = parse_record(records[0])
        if record.error:
            return Problem(SpfResultWord.PERMERROR, f"the SPF record of {domain} cannot be used: {record.error}")
        return record

    async def addresses(self, name: str, rtype: str = "") -> tuple[str, ...] | Problem:
        """The addresses of `name` in the client's family (or of `rtype`), for the terms a and exists."""
        answer = await self.resolver.lookup(name, rtype or self.address_type)
        if answer.status is DnsStatus.OK and answer.records:
            return answer.names
        if answer.status is DnsStatus.TEMPFAIL:
            return Problem(SpfResultWord.TEMPERROR, f"DNS does not answer for {name}: {answer.reason or 'no answer'}")
        return self._waste() or ()

    async def exchanger_addresses(self, name: str) -> tuple[str, ...] | Problem:
        """The addresses of the mail exchangers of `name`, in order of preference (RFC 7208 §5.4).

        One term is void at most once (§4.6.4 limits the terms that find nothing): exchangers without an address in
        the client's family are ordinary, and would else make three IPv4 exchangers a permerror for IPv6 clients.
        """
        answer = await self.resolver.lookup(name, "MX")
        if answer.status is DnsStatus.TEMPFAIL:
            return Problem(SpfResultWord.TEMPERROR, f"DNS does not answer for {name}: {answer.reason or 'no answer'}")
        if answer.status is not DnsStatus.OK or not answer.records:
            return self._waste() or ()
        if len(answer.records) > self.settings.max_mx_names:  # RFC 7208 §4.6.4
            limit = self.settings.max_mx_names
            return Problem(SpfResultWord.PERMERROR, f"{name} names more than {limit} mail exchangers")
        hosts = [mx.exchange for mx in sorted(answer.exchanges, key=lambda mx: mx.preference) if mx.exchange != "."]
        addresses: list[str] = []
        for found in await self._lookup_all(hosts):
            if found.status is DnsStatus.TEMPFAIL:
                return Problem(SpfResultWord.TEMPERROR, f"DNS does not answer for {found.question.name}")
            addresses += found.names
        return tuple(addresses) if addresses else self._waste() or ()

    @property
    def knows_names(self) -> bool:
        """Whether reverse DNS was asked before."""
        return self._confirmed is not None

    async def confirmed_names(self) -> list[str] | Problem:
        """The client's reverse names that resolve back to it (RFC 7208 §5.5). DNS errors confirm nothing. A Problem
        is a limit that was passed."""
        if self._confirmed is None:
            answer = await self.resolver.lookup(reverse_name(self.ip), "PTR")
            names = list(answer.names[: self.settings.max_ptr_names])
            client = str(self.ip)
            found = await self._lookup_all(names)
            self._confirmed = [name for name, one in zip(names, found, strict=True) if client in one.names]
            if answer.status in (DnsStatus.NXDOMAIN, DnsStatus.NODATA) and (problem := self._waste()):
                return problem
        return self._confirmed

    async def explanation(self, name: str) -> bytes | None:
        """RFC 7208 §6.2: one TXT record exactly; anything else is as if there were no exp. It counts for no limit."""
        answer = await self.resolver.lookup(name, "TXT")
        return answer.texts[0] if answer.status is DnsStatus.OK and len(answer.records) == 1 else None

    async def _lookup_all(self, names: list[str]) -> tuple[Answer, ...]:
        if len(names) == 1:
            return (await self.resolver.lookup(names[0], self.address_type),)
        questions = [Question(name, self.address_type) for name in names]
        return await self.resolver.lookup_all(questions, self.settings.deadline) if questions else ()
