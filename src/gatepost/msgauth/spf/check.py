"""check_host: may this client send for this domain?

In: the client's address, EHLO name and MAIL FROM; a resolver. Out: `SpfResult`, whatever came in.
Standard: RFC 7208 §4 (check_host), §5 (mechanisms), §6 (modifiers), §2.3 and §2.4 (identities); RFC 8616 §4 (EAI).
Not here: reading records (`record`), asking DNS (`lookup`), what names mean (`letters`), explanations (`explain`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from gatepost.msgauth.spf.explain import explain
from gatepost.msgauth.spf.letters import Letters
from gatepost.msgauth.spf.lookup import Lookups, Problem
from gatepost.msgauth.spf.macro import MacroString
from gatepost.msgauth.spf.name import is_checkable, to_ascii
from gatepost.msgauth.spf.record import ALL4, ALL6, Mechanism, MechanismKind, SpfRecord
from gatepost.msgauth.spf.result import SpfIdentity, SpfResult, SpfResultWord
from gatepost.msgauth.spf.settings import SpfSettings
from gatepost.ports import Resolver

MAX_ADDRESS = 1024  # characters; RFC 5321 §4.5.3.1.3 allows a path 256 octets
_DEFAULTS = SpfSettings()


@dataclass(slots=True)
class _Verdict:
    """What check_host says of one domain: the result, the term that matched, why, and the record that decided."""

    result: SpfResultWord
    domain: str
    mechanism: str = ""
    reason: str = ""
    record: SpfRecord | None = None


async def check_host(
    *,
    ip: str,
    ehlo: str,
    mail_from: str,
    resolver: Resolver,
    now: float | None = None,
    settings: SpfSettings = _DEFAULTS,
) -> SpfResult:
    """The result for the MAIL FROM identity; for the null sender that is postmaster at the EHLO name (§2.4).

    `ip` is text; `mail_from` is local-part@domain without angle brackets, empty for the null sender. `now`, in seconds
    since the epoch, is for the t macro of explanations. Never raises for what a client or DNS can send.
    """
    if not mail_from:
        return await _check(ip, ehlo, "postmaster", ehlo, SpfIdentity.MAIL_FROM, resolver, now, settings)
    local, _, domain = mail_from.rpartition("@")
    return await _check(ip, ehlo, local or "postmaster", domain, SpfIdentity.MAIL_FROM, resolver, now, settings)


async def check_ehlo(
    *, ip: str, ehlo: str, resolver: Resolver, now: float | None = None, settings: SpfSettings = _DEFAULTS
) -> SpfResult:
    """The result for the HELO identity (§2.3): the EHLO name as domain, postmaster as sender."""
    return await _check(ip, ehlo, "postmaster", ehlo, SpfIdentity.HELO, resolver, now, settings)


async def _check(
    ip: str,
    ehlo: str,
    local: str,
    domain: str,
    identity: SpfIdentity,
    resolver: Resolver,
    now: float | None,
    settings: SpfSettings,
) -> SpfResult:
    domain = to_ascii(domain)
    client = _parse_ip(ip)
    problem = ""
    if client is None:
        problem = "the client's address is not known"
    elif not is_checkable(domain) or len(local) > MAX_ADDRESS:  # RFC 7208 §4.3
        problem = "there is no domain that could publish a policy"
    if client is None or problem:
        return SpfResult(result=SpfResultWord.NONE, domain=domain[:253], reason=problem, identity=identity)
    check = _Check(client, ehlo, local, domain, resolver, settings)
    verdict = await check.judge(domain)
    explanation = ""
    if verdict.result is SpfResultWord.FAIL and settings.explanations:
        explanation = await _explanation(check, verdict, now)
    return SpfResult(
        result=verdict.result,
        domain=domain,
        mechanism=verdict.mechanism,
        explanation=explanation,
        lookups=check.lookups.count,
        void_lookups=check.lookups.void,
        reason=verdict.reason,
        identity=identity,
    )


def _parse_ip(text: str) -> IPv4Address | IPv6Address | None:
    return _parse_short_ip(text) if len(text) < 64 else None


@lru_cache(maxsize=4096)
def _parse_short_ip(text: str) -> IPv4Address | IPv6Address | None:
    try:
        ip = ip_address(text)
    except ValueError:
        return None
    if isinstance(ip, IPv6Address):
        if ip.scope_id:
            ip = IPv6Address(ip.packed)
        return ip.ipv4_mapped or ip  # RFC 7208 §5: "::ffff:192.0.2.1" is checked as IPv4
    return ip


async def _explanation(check: _Check, verdict: _Verdict, now: float | None) -> str:
    """RFC 7208 §6.2: of the record that failed, the redirected-to one included, never of one that was included."""
    spec = verdict.record.exp if verdict.record else None
    if spec is None:
        return ""
    target = await check.letters.target(spec, verdict.domain, counted=False)
    if not isinstance(target, str) or not target:
        return ""
    text = await check.lookups.explanation(target)
    return await explain(text, check.letters, verdict.domain, now) if text is not None else ""


class _Check:
    """One check of one client; `judge` calls itself for include and redirect."""

    __slots__ = ("client", "is_ip4", "letters", "lookups", "value")

    def __init__(
        self,
        client: IPv4Address | IPv6Address,
        ehlo: str,
        local: str,
        domain: str,
        resolver: Resolver,
        settings: SpfSettings,
    ) -> None:
        self.client = client
        self.value = int(client)
        self.is_ip4 = client.version == 4
        self.lookups = Lookups(client, resolver, settings)
        self.letters = Letters(self.lookups, local, domain, to_ascii(ehlo))

    async def judge(self, domain: str) -> _Verdict:
        """RFC 7208 §4.4 to §4.7: the first mechanism that matches decides, then redirect, then neutral."""
        record = await self.lookups.record(domain)
        if isinstance(record, Problem):
            return _Verdict(record.result, domain, "", record.reason)
        value, is_ip4 = self.value, self.is_ip4
        for term in record.mechanisms:
            kind = term.kind
            if kind is MechanismKind.IP4:
                matched: bool | Problem = is_ip4 and value & term.mask4 == term.network
            elif kind is MechanismKind.IP6:
                matched = not is_ip4 and value & term.mask6 == term.network
            elif kind is MechanismKind.ALL:
                matched = True
            else:
                matched = await self._matches(term, domain)
                if isinstance(matched, Problem):
                    return _Verdict(matched.result, domain, "", f"{term.text[:100]}: {matched.reason}", record)
            if matched:
                return _Verdict(term.result, domain, term.text, f"{domain} says {term.text[:100]}", record)
        if record.redirect is not None:
            return await self._redirect(record.redirect, domain)
        return _Verdict(SpfResultWord.NEUTRAL, domain, "", f"no term of the policy of {domain} matches", record)

    async def _redirect(self, spec: MacroString, domain: str) -> _Verdict:
        """RFC 7208 §6.1: the other domain's policy is this one's; none there is a permerror."""
        target = self.lookups.spend() or await self.letters.target(spec, domain)
        if isinstance(target, Problem):
            return _Verdict(target.result, domain, "", target.reason)
        verdict = await self.judge(target) if target else _Verdict(SpfResultWord.NONE, domain, "", "")
        if verdict.result is SpfResultWord.NONE:
            reason = f"redirect leads to {target or 'no name'}, which publishes no policy"
            return _Verdict(SpfResultWord.PERMERROR, domain, "", reason)
        return verdict

    async def _matches(self, term: Mechanism, domain: str) -> bool | Problem:
        """The mechanisms that ask DNS (RFC 7208 §5.2 to §5.7)."""
        problem = self.lookups.spend()
        if problem:
            return problem
        spec = term.target
        target = domain if spec is None else spec.name or await self.letters.target(spec, domain)
        if isinstance(target, Problem):
            return target
        if not target:  # RFC 7208 §4.8: a name that cannot be asked for matches nothing
            return Problem(SpfResultWord.PERMERROR, "no name") if term.kind is MechanismKind.INCLUDE else False
        kind = term.kind
        if kind is MechanismKind.INCLUDE:
            return await self._included(target)
        if kind is MechanismKind.A:
            return self._holds(await self.lookups.addresses(target), term)
        if kind is MechanismKind.MX:
            return self._holds(await self.lookups.exchanger_addresses(target), term)
        if kind is MechanismKind.EXISTS:
            found = await self.lookups.addresses(target, "A")  # RFC 7208 §5.7: A even for IPv6 clients
            return found if isinstance(found, Problem) else bool(found)
        names = await self.lookups.confirmed_names()
        if isinstance(names, Problem):
            return names
        return any(name == target or name.endswith("." + target) for name in names)

    async def _included(self, target: str) -> bool | Problem:
        """RFC 7208 §5.2, the table: what the included policy says is never the answer, only whether it matches."""
        verdict = await self.judge(target)
        if verdict.result is SpfResultWord.TEMPERROR:
            return Problem(SpfResultWord.TEMPERROR, verdict.reason)
        if verdict.result in (SpfResultWord.PERMERROR, SpfResultWord.NONE):
            return Problem(SpfResultWord.PERMERROR, verdict.reason)
        return verdict.result is SpfResultWord.PASS

    def _holds(self, addresses: tuple[str, ...] | Problem, term: Mechanism) -> bool | Problem:
        """Whether the client is one of `addresses`, or in its network."""
        if isinstance(addresses, Problem):
            return addresses
        if str(self.client) in addresses:  # both in canonical form
            return True
        mask, full = (term.mask4, ALL4) if self.is_ip4 else (term.mask6, ALL6)
        if mask == full:
            return False
        network, version = self.value & mask, self.client.version
        for text in addresses:
            address = _parse_ip(text)
            if address is not None and address.version == version and int(address) & mask == network:
                return True
        return False
