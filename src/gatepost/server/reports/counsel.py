"""Advice on a domain's policy: what reports say held against what stands in DNS.

In: the store, a domain, the first day, a resolver. Out: `Counsel`: the record, the advice, the record that it leads to.
Standard: RFC 9989 §4.7 (tags), §4.10 (where the policy is found). Not here: the thresholds (`reports.advise`).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from gatepost.msgauth.dmarc.lookup import lookup_walk
from gatepost.msgauth.dmarc.record import DmarcRecord
from gatepost.ports import DnsStatus, Question, Resolver
from gatepost.reports.advice import Advice, Standing
from gatepost.reports.advise import advise
from gatepost.server.reports.picture import Picture, draw
from gatepost.store.reports import ReportStore

DEADLINE = 10.0  # seconds for the policy, and for the names of subdomains
MAX_SUBDOMAINS = 50  # with proven mail, that are looked up
_FIRST = "v=DMARC1; p=none; rua=mailto:dmarc@{domain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Counsel:
    """`record` is what stands in DNS at `found_at` ("" where nothing does), `next_record` what to publish at `at` if
    the advice is followed ("" where nothing is to change). `dns` says why DNS could not be asked."""

    domain: str
    record: str
    found_at: str
    at: str
    next_record: str
    dns: str
    advice: Advice
    picture: Picture

    def as_json(self) -> dict[str, Any]:
        """The object that `gatepost dmarc advise --json` prints."""
        return {
            "domain": self.domain,
            "record": self.record,
            "found_at": self.found_at,
            "publish_at": self.at,
            "next_record": self.next_record,
            "dns": self.dns,
            **asdict(self.advice),
        }


async def counsel(
    store: ReportStore, domain: str, since: int, resolver: Resolver, known: Collection[str] = ()
) -> Counsel:
    """Asks DNS and the store. Where DNS does not answer, the policy is taken from the latest report, and said so."""
    picture = await draw(store, domain, since, resolver, known)
    walk = await lookup_walk(domain, resolver, DEADLINE)
    step = next((one for one in walk.steps if one.record is not None), None)
    dns = (
        "" if walk.is_certain else "DNS does not answer for the DMARC record; the policy is what the latest report saw"
    )
    if walk.is_certain or step is not None:
        record = step.record if step is not None else None
        standing = standing_of(record, inherited=step is not None and step.domain != domain)
    else:
        record, standing = None, _reported(picture)
    missing = await missing_names(picture, resolver)
    advice = advise(domain, standing, picture.sources, picture.days, picture.reporters, missing_names=missing)
    return Counsel(
        domain=domain,
        record=record.text if record is not None else "",
        found_at=f"_dmarc.{step.domain}" if step is not None else "",
        at=f"_dmarc.{domain}",
        next_record="" if dns else next_record(record, domain, advice.target),
        dns=dns,
        advice=advice,
        picture=picture,
    )


def standing_of(record: DmarcRecord | None, *, inherited: bool = False) -> Standing:
    """The policy of a record; of one that stands above the domain, what it says for subdomains."""
    if record is None:
        return Standing(published=False)
    policy = record.for_subdomains if inherited else record.p
    return Standing(
        p=policy.value if policy is not None else "none",
        sp=record.sp.value if record.sp is not None else "",
        np=record.np.value if record.np is not None else "",
        t=record.t,
    )


def _reported(picture: Picture) -> Standing:
    if not picture.policies:
        return Standing()
    policy = picture.policies[-1][1]
    return Standing(p=policy.p or "none", sp=policy.sp, np=policy.np, t=policy.testing == "y")


async def missing_names(picture: Picture, resolver: Resolver) -> list[str] | None:
    """Subdomains with proven mail that DNS does not know: np would hold for them. None where it does not answer for all
    of them, or where there are too many to ask."""
    suffix = f".{picture.domain}"
    names = {name for source in picture.sources if source.passed for name in source.header_from}
    wanted = sorted(name for name in names if name.endswith(suffix))
    if len(wanted) > MAX_SUBDOMAINS:
        return None
    answers = await resolver.lookup_all([Question(name, "A") for name in wanted], DEADLINE)
    if any(one.status is DnsStatus.TEMPFAIL for one in answers):
        return None
    return [name for name, one in zip(wanted, answers, strict=True) if one.status is DnsStatus.NXDOMAIN]


def next_record(record: DmarcRecord | None, domain: str, target: dict[str, str]) -> str:
    """The record with the tags that the advice sets, all others as they stand; "" where nothing changes. t=n is the
    default, so it is left out; tags that RFC 9989 has removed go."""
    if not target:
        return ""
    if record is None:
        return _FIRST.format(domain=domain)
    tags: dict[str, str] = {}
    for part in record.text.split(";"):
        name, mark, value = part.partition("=")
        if mark and name.strip().lower() not in ("pct", "rf", "ri"):
            tags.setdefault(name.strip().lower(), value.strip())
    tags.update(target)
    if tags.get("t") == "n":
        del tags["t"]
    order = ["v", "p", "sp", "np", "t"]
    names = [name for name in order if name in tags] + [name for name in tags if name not in order]
    text = "; ".join(f"{name}={tags[name]}" for name in names)
    return "" if text == record.text.strip().rstrip(";") else text
