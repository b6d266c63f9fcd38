"""DMARC: does what SPF and DKIM proved belong to the author, and what does the author's domain ask for if not?

In: the author domain, the results of SPF and DKIM, a resolver. Out: `DmarcResult`.
Standard: RFC 9989 §4.10.1 (policy discovery), §4.10.2 (alignment), §5.3 (evaluation), §10.5 (several authors).
Not here: the walk (`lookup`), whether the disposition is followed (`inspector.policy`; see §7.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from gatepost.msgauth.dmarc.author import normalized
from gatepost.msgauth.dmarc.lookup import Walk, lookup_walk
from gatepost.msgauth.dmarc.record import AlignmentMode, DmarcPolicy, DmarcRecord
from gatepost.msgauth.dmarc.result import Alignment, DmarcResult, DmarcResultWord
from gatepost.msgauth.dmarc.settings import DmarcSettings
from gatepost.msgauth.spf.result import SpfIdentity, SpfResult
from gatepost.ports import DnsStatus, Resolver

_DEFAULTS = DmarcSettings()


class Signed(Protocol):
    """One DKIM signature, as far as DMARC looks at it: d= in A-labels, and "pass", "fail", "temperror" …"""

    @property
    def domain(self) -> str: ...
    @property
    def result(self) -> str: ...


class DkimOutcome(Protocol):
    """A DKIM result: its signatures."""

    @property
    def signatures(self) -> Sequence[Signed]: ...


SpfOutcome = SpfResult | tuple[str, str] | None
"""An SPF result, or (domain, result word); None when SPF was not checked."""


class _Identifiers(NamedTuple):
    """Domains by what proved them: those that pass, and those that could have but for a temporary error."""

    spf: tuple[str, ...]
    dkim: tuple[str, ...]
    spf_unsure: tuple[str, ...]
    dkim_unsure: tuple[str, ...]


class _Discovery(NamedTuple):
    """The record that applies, where it was found, and the tag that speaks for the author domain."""

    record: DmarcRecord
    domain: str
    is_own: bool


async def evaluate(
    author_domain: str,
    spf: SpfOutcome,
    dkim: DkimOutcome | None,
    *,
    resolver: Resolver,
    settings: DmarcSettings = _DEFAULTS,
) -> DmarcResult:
    """Evaluates one author domain (any case, U-labels allowed). Never raises for what a message or DNS can hold."""
    domain = normalized(author_domain)
    if not domain:
        reason = "there is no author domain" if not author_domain else "the author domain is no DNS name"
        return DmarcResult(result=DmarcResultWord.NONE, author_domain=author_domain[:253], reason=reason)
    identifiers = _identifiers(spf, dkim, settings.max_identifiers)
    walk = await lookup_walk(domain, resolver, settings.deadline)
    return await _Evaluation(domain, walk, identifiers, resolver, settings).result()


async def evaluate_all(
    author_domains: Sequence[str],
    spf: SpfOutcome,
    dkim: DkimOutcome | None,
    *,
    resolver: Resolver,
    settings: DmarcSettings = _DEFAULTS,
) -> DmarcResult:
    """RFC 9989 §10.5: each author domain is evaluated, and of the checks that do not pass the strictest policy holds.
    Only if all pass, the message does."""
    if len(author_domains) == 1:
        return await evaluate(author_domains[0], spf, dkim, resolver=resolver, settings=settings)
    if not author_domains:
        return DmarcResult(result=DmarcResultWord.NONE, reason="there is no author domain")
    limit = settings.max_authors
    results = [await evaluate(name, spf, dkim, resolver=resolver, settings=settings) for name in author_domains[:limit]]
    worst = max(results, key=_badness)
    reason = f"{len(author_domains)} author domains; {worst.author_domain} decides: {worst.reason or worst.result}"
    if len(author_domains) > limit and worst.result is not DmarcResultWord.FAIL:
        reason = f"From names {len(author_domains)} domains, more than the {limit} that are evaluated"
        return worst._replace(result=DmarcResultWord.PERMERROR, alignment=Alignment(), reason=reason)
    return worst._replace(reason=reason)


_ORDER = {
    DmarcResultWord.PASS: 0,
    DmarcResultWord.NONE: 1,
    DmarcResultWord.FAIL: 2,
    DmarcResultWord.PERMERROR: 3,
    DmarcResultWord.TEMPERROR: 4,
}


def _badness(result: DmarcResult) -> tuple[int, int, bool]:
    """The strictest disposition first; among equals a temporary error, for a second try may show a stricter one; then
    whoever is not proven."""
    return result.disposition.rank, _ORDER[result.result], not result.aligned


def _identifiers(spf: SpfOutcome, dkim: DkimOutcome | None, limit: int) -> _Identifiers:
    """RFC 9989 §4.4: d= of the signatures that pass, and the MAIL FROM domain, never the HELO identity."""
    word, spf_domain = "", ""
    if isinstance(spf, SpfResult):
        if spf.identity is SpfIdentity.MAIL_FROM:
            word, spf_domain = spf.result, spf.domain
    elif spf is not None:
        spf_domain, word = spf
    sender = (normalized(spf_domain),) if spf_domain else ()
    passed: dict[str, None] = {}
    unsure: dict[str, None] = {}
    for one in dkim.signatures if dkim is not None else ():
        if one.result == "pass":
            passed[normalized(one.domain)] = None
        elif one.result == "temperror":
            unsure[normalized(one.domain)] = None
    return _Identifiers(
        spf=sender if word == "pass" else (),
        dkim=tuple(passed)[:limit],
        spf_unsure=sender if word == "temperror" else (),
        dkim_unsure=tuple(unsure)[:limit],
    )


class _Evaluation:
    """One author domain; `result` is the judgement."""

    __slots__ = ("domain", "identifiers", "organization", "resolver", "settings", "walk", "walks")

    def __init__(
        self, domain: str, walk: Walk, identifiers: _Identifiers, resolver: Resolver, settings: DmarcSettings
    ) -> None:
        self.domain = domain
        self.walk = walk
        self.organization = walk.organizational_domain if walk.is_certain else ""
        self.identifiers = identifiers
        self.resolver = resolver
        self.settings = settings
        self.walks: dict[str, Walk] = {}

    async def result(self) -> DmarcResult:
        """RFC 9989 §5.3.2 to §5.3.6."""
        walk = self.walk
        if not walk.is_certain and (walk.steps[0].failed or walk.record_of(self.domain) is None):
            silent = next(step.domain for step in walk.steps if step.failed)
            return self._without_policy(DmarcResultWord.TEMPERROR, f"DNS does not answer for _dmarc.{silent}")
        found = self._discover()
        if found is None:
            return self._without_policy(DmarcResultWord.NONE, "no DMARC policy is published for the author domain")
        if not self._is_usable(found.record):
            word = DmarcResultWord.PERMERROR if found.record.unusable else DmarcResultWord.NONE
            reason = f"the policy of {found.domain} cannot be used: " + (
                "; ".join(found.record.notes)[:200] or "it says no p"
            )
            return self._without_policy(word, reason)._replace(policy_domain=found.domain, record=found.record)
        return await self._judge(found)

    def _discover(self) -> _Discovery | None:
        """RFC 9989 §4.10.1: the author domain's record, else the organizational domain's, else the public suffix's."""
        own = self.walk.record_of(self.domain)
        if own is not None:
            return _Discovery(own, self.domain, True)
        record = self.walk.record_of(self.organization)
        if record is not None:
            return _Discovery(record, self.organization, False)
        suffix = self.walk.suffix
        if suffix is not None and suffix.record is not None:
            return _Discovery(suffix.record, suffix.domain, False)
        return None

    @staticmethod
    def _is_usable(record: DmarcRecord) -> bool:
        """RFC 9989 §4.10.1: with a valid p and no invalid sp or np, or else with an address for reports."""
        return (record.p is not None and not record.unusable) or bool(record.rua)

    async def _judge(self, found: _Discovery) -> DmarcResult:
        record = found.record
        alignment = Alignment(
            spf=await self._any_aligned(self.identifiers.spf, record.aspf) is True,
            dkim=await self._any_aligned(self.identifiers.dkim, record.adkim) is True,
        )
        result, reason = DmarcResultWord.PASS, ""
        if not (alignment.spf or alignment.dkim):
            result, reason = await self._fail_or_temperror(record)
        policy, tag = await self._policy(found, result)
        if policy is None:
            result, reason = DmarcResultWord.TEMPERROR, f"DNS does not say whether {self.domain} exists"
        failed = result is DmarcResultWord.FAIL and policy is not None
        disposition = policy if failed and policy is not None else DmarcPolicy.NONE
        return DmarcResult(
            result=result,
            author_domain=self.domain,
            organizational_domain=self.organization,
            policy_domain=found.domain,
            policy=policy,
            policy_tag=tag,
            disposition=disposition.one_step_milder if record.t else disposition,
            alignment=alignment,
            record=record,
            reason=reason,
            test_mode=record.t,
            walk=self.walk.names,
        )

    async def _fail_or_temperror(self, record: DmarcRecord) -> tuple[DmarcResultWord, str]:
        """RFC 9989 §5.3.6: while a DNS error hides what would decide, the message neither passes nor fails."""
        named = self.identifiers
        for domains, mode, what in (
            (named.spf, record.aspf, "the organization of the SPF domain"),
            (named.dkim, record.adkim, "the organization of the signer"),
        ):
            if await self._any_aligned(domains, mode) is None:
                return DmarcResultWord.TEMPERROR, f"DNS does not tell {what}"
        if await self._any_aligned(named.spf_unsure, record.aspf) is not False:
            return DmarcResultWord.TEMPERROR, "SPF of an aligned domain had a temporary error"
        if await self._any_aligned(named.dkim_unsure, record.adkim) is not False:
            return DmarcResultWord.TEMPERROR, "DKIM of an aligned domain had a temporary error"
        if named.spf or named.dkim:
            passing = ", ".join((*named.spf, *named.dkim))[:200]
            return DmarcResultWord.FAIL, f"SPF or DKIM pass for {passing}, which is not aligned with {self.domain}"
        return DmarcResultWord.FAIL, "neither SPF nor DKIM pass"

    async def _policy(self, found: _Discovery, result: DmarcResultWord) -> tuple[DmarcPolicy | None, str]:
        """RFC 9989 §4.10.1: p of the own record, else sp, or np if the author domain does not exist. Whether it
        exists is asked only where that changes something. None means that DNS did not say."""
        record = found.record
        if record.p is None or record.unusable:
            return DmarcPolicy.NONE, "p"  # §4.10.1: acts as if it were p=none
        if found.is_own:
            return record.p, "p"
        existing, missing = record.for_subdomains, record.for_missing_subdomains
        tag = "sp" if record.sp is not None else "p"
        if record.np is None or existing is missing or result is not DmarcResultWord.FAIL:
            return existing, tag
        answer = await self.resolver.lookup(self.domain, "A")
        if answer.status is DnsStatus.TEMPFAIL:
            return None, ""
        return (missing, "np") if answer.status is DnsStatus.NXDOMAIN else (existing, tag)

    async def _any_aligned(self, domains: tuple[str, ...], mode: AlignmentMode) -> bool | None:
        """Whether one of `domains` is aligned; None when DNS does not let it be known and none is for certain."""
        if self.domain in domains:
            return True
        unsure = False
        if mode is AlignmentMode.RELAXED:
            for domain in domains:
                aligned = await self._relaxed(domain)
                if aligned:
                    return True
                unsure = unsure or aligned is None
        return None if unsure else False

    async def _relaxed(self, domain: str) -> bool | None:
        """RFC 9989 §4.10.2: both have the same organizational domain. That of `domain` is `domain` or above it, so most
        are told apart without a walk."""
        if not self.walk.is_certain:
            return None if domain.rpartition(".")[2] == self.domain.rpartition(".")[2] else False
        organization = self.organization
        if domain == organization:
            return True
        if not domain.endswith("." + organization):
            return False
        walk = self.walks.get(domain)
        if walk is None:
            walk = self.walks[domain] = await lookup_walk(domain, self.resolver, self.settings.deadline)
        return walk.organizational_domain == organization if walk.is_certain else None

    def _without_policy(self, result: DmarcResultWord, reason: str) -> DmarcResult:
        """DMARC does not apply, or nobody knows: alignment is still worth knowing where the domains are the same."""
        return DmarcResult(
            result=result,
            author_domain=self.domain,
            organizational_domain=self.organization,
            alignment=Alignment(spf=self.domain in self.identifiers.spf, dkim=self.domain in self.identifiers.dkim),
            reason=reason,
            walk=self.walk.names,
        )
