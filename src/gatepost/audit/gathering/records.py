"""MTA-STS with its policy, TLS-RPT, BIMI, and what mail programs look for.

In: a domain, a resolver, pages. Out: `StsFacts`, `MoreRecords`.
Standard: RFC 8461 §3, RFC 8460 §3 (`_smtp._tls`), RFC 6186 and RFC 8314 §5.1 (SRV), the BIMI draft (`default._bimi`).
Not here: what they should be (`checks`).
"""

from __future__ import annotations

from gatepost.audit.facts import MoreRecords, StsFacts
from gatepost.msgauth.sts import MAX_POLICY, select_sts_records
from gatepost.ports import DnsStatus, Pages, Question, Resolver

SERVICES = ("_submissions", "_submission", "_imaps", "_imap", "_pop3s", "_pop3", "_autodiscover")
MAX_AUTOCONFIG = 64 << 10  # octets


async def gather_quick(domain: str, resolver: Resolver, wait: float) -> tuple[StsFacts, MoreRecords]:
    """The records of MTA-STS, TLS-RPT and BIMI, and nothing else."""
    names = (f"_mta-sts.{domain}", f"_smtp._tls.{domain}", f"default._bimi.{domain}")
    sts, tls_rpt, bimi = await resolver.lookup_all([Question(name, "TXT") for name in names], wait)
    return StsFacts(record=sts), MoreRecords(tls_rpt=tls_rpt, bimi=bimi)


async def gather_sts(domain: str, resolver: Resolver, pages: Pages | None, wait: float) -> StsFacts:
    """The record; the policy too where there is a record, or where the policy's host exists without one."""
    record, host = await resolver.lookup_all(
        [Question(f"_mta-sts.{domain}", "TXT"), Question(f"mta-sts.{domain}", "A")], wait
    )
    announced = record.status is DnsStatus.OK and bool(select_sts_records(record.texts))
    if pages is None or not (announced or host.status is DnsStatus.OK):
        return StsFacts(record=record)
    url = f"https://mta-sts.{domain}/.well-known/mta-sts.txt"
    return StsFacts(record=record, page=await pages.fetch(url, deadline=wait, max_octets=MAX_POLICY))


async def gather_more(domain: str, resolver: Resolver, pages: Pages | None, wait: float) -> MoreRecords:
    """The other records, all at once; the page of autoconfig where its host exists."""
    srv = [f"{service}._tcp.{domain}" for service in SERVICES]
    tls_rpt, bimi, autoconfig, autodiscover, *services = await resolver.lookup_all(
        [
            Question(f"_smtp._tls.{domain}", "TXT"),
            Question(f"default._bimi.{domain}", "TXT"),
            Question(f"autoconfig.{domain}", "A"),
            Question(f"autodiscover.{domain}", "A"),
            *(Question(name, "SRV") for name in srv),
        ],
        wait,
    )
    page = None
    if pages is not None and autoconfig.status is DnsStatus.OK:
        url = f"https://autoconfig.{domain}/mail/config-v1.1.xml"
        page = await pages.fetch(url, deadline=wait, max_octets=MAX_AUTOCONFIG)
    return MoreRecords(
        tls_rpt=tls_rpt,
        bimi=bimi,
        srv=dict(zip(SERVICES, services, strict=True)),
        autoconfig=autoconfig,
        autodiscover=autodiscover,
        autoconfig_page=page,
    )


def srv_target(record: object) -> tuple[str, int]:
    """Host and port of an SRV record in master-file form; ("", 0) for one that says there is no such service, or that
    cannot be read (RFC 2782)."""
    words = str(record).split()
    if len(words) != 4 or not words[2].isdecimal():
        return "", 0
    return words[3].lower().removesuffix("."), int(words[2])
