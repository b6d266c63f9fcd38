"""Sends yesterday's TLS reports: by mail, signed by us, or by POST.

In: what was counted, DNS, the time. Out: mail in the spool, documents at web servers; nothing twice, nothing late.
Standard: RFC 8460 §3 (where to), §4.1 (once a day, at a time by chance), §5.3 (mail), §5.4 (HTTPS), §5.5 (again for a
day, no longer).
A report that goes by mail makes a session of its own, which the next day's report would tell of, and so on for ever: a
domain where nothing but our reports went gets none. Not here: counting (`tally`), the form (`reports.tlsrpt_write`).
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gatepost.errors import InputError, StoreError
from gatepost.names import Envelope, Recipient, Session, domain_of
from gatepost.ports import DnsStatus, Question, Resolver
from gatepost.ports.pages import Page
from gatepost.ports.reported import TlsFailure, TlsPolicyReport, TlsReport
from gatepost.reports.tlsrpt_write import Carriage, compressed, write_tls_mail, write_tls_report
from gatepost.server.logs import Log
from gatepost.server.tlsrpt.rua import mail_address, parse_rua
from gatepost.server.tlsrpt.settings import TlsRptSettings
from gatepost.server.tlsrpt.tally import DAY, read_policy
from gatepost.store.spool.spooled import NewMessage
from gatepost.store.tlsrpt import OVER, Count, TlsReports, Unsent

EVERY = 300.0  # seconds between two rounds
RETRY = 3600.0  # seconds until the next try; doubles
GIVE_UP = DAY  # seconds after the first moment a report could go
AT_ONCE = 50  # reports in a round
KEEP_DAYS = 3
LOOKUP_SECONDS = 20.0
POST_SECONDS = 60.0
LOCAL = "LOCAL"  # the protocol of mail that was made here


class Post(Protocol):
    """`net.pages.PageFetcher.post`."""

    async def __call__(self, url: str, body: bytes, headers: dict[str, str], *, deadline: float) -> Page: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What sending needs. `sign` gives a message with our signatures, `add` puts messages into the spool, `next_id`
    gives their ids, `own` are our domains; `address` is where we send from, empty when nobody knows."""

    settings: TlsRptSettings
    store: TlsReports
    resolver: Resolver
    post: Post
    sign: Callable[[bytes, str, float], bytes]
    add: Callable[[Sequence[NewMessage]], None]
    next_id: Callable[[float], str]
    own: frozenset[str]
    log: Log
    rng: random.Random
    address: str = ""


async def send_reports(means: Means, clock: Callable[[], float]) -> None:
    """Runs until it is cancelled."""
    while True:
        try:
            await send_round(means, clock())
        except StoreError as error:
            means.log.error("tlsrpt-failed", doing="send", reason=error)
        await asyncio.sleep(EVERY * (1 + means.rng.random()))


async def send_round(means: Means, now: float) -> None:
    """One round: gives days that are over their times, sends what is due, forgets what is old."""
    today = int(now // DAY)
    await asyncio.to_thread(means.store.forget, today - KEEP_DAYS)
    for day, domain in await asyncio.to_thread(means.store.unscheduled, today):
        moment = (day + 1) * DAY + means.rng.random() * means.settings.spread
        await asyncio.to_thread(means.store.schedule, day, {domain: moment})
    for unsent in await asyncio.to_thread(means.store.due, now, AT_ONCE):
        await _send(means, unsent, now)


async def _send(means: Means, unsent: Unsent, now: float) -> None:
    """One domain's report to all who want it."""
    store, end = means.store, (unsent.day + 1) * DAY + means.settings.spread + GIVE_UP
    counted = await asyncio.to_thread(store.read, unsent.day, unsent.domain)
    mails = await asyncio.to_thread(store.mails, unsent.day, unsent.domain)
    if unsent.domain in means.own or sum(number for _, number in counted) <= mails:
        await asyncio.to_thread(store.note, unsent, OVER)
        return
    question = Question(f"_smtp._tls.{unsent.domain}", "TXT")
    answer = (await means.resolver.lookup_all((question,), LOOKUP_SECONDS))[0]
    wanted = parse_rua(answer.texts) if answer.status is DnsStatus.OK else ()
    left = answer.status is DnsStatus.TEMPFAIL
    report = make_report(unsent, counted, means)
    for rua in (one for one in wanted if one not in unsent.done):
        # Written down first: a report that is lost is missed by nobody, one that comes twice is counted twice.
        unsent = dataclasses.replace(unsent, done=(*unsent.done, rua))
        await asyncio.to_thread(store.note, unsent, now + RETRY)
        failure = await _hand_over(means, report, unsent, rua, now)
        means.log.info("tlsrpt-sent", domain=unsent.domain, to=rua, failure=failure or None)
        if failure and rua.lower().startswith("https:"):
            unsent = dataclasses.replace(unsent, done=unsent.done[:-1])
            left = True
    unsent = dataclasses.replace(unsent, tries=unsent.tries + 1)
    again = now + RETRY * 2 ** (unsent.tries - 1) * (1 + means.rng.random() / 4)
    if left and again >= end:
        means.log.warning("tlsrpt-given-up", domain=unsent.domain, tries=unsent.tries)
    await asyncio.to_thread(store.note, unsent, again if left and again < end else OVER)


async def _hand_over(means: Means, report: TlsReport, unsent: Unsent, rua: str, now: float) -> str:
    """Empty when somebody has it, else why not."""
    if rua.lower().startswith("https:"):
        body = compressed(write_tls_report(report))
        page = await means.post(rua, body, {"Content-Type": "application/tlsrpt+gzip"}, deadline=POST_SECONDS)
        return "" if 200 <= page.status < 300 and not page.reason else page.reason or f"answered {page.status}"
    address, sender = mail_address(rua), means.settings.sender
    message_id = means.next_id(now)
    carriage = Carriage(
        submitter=domain_of(sender),
        sender=sender,
        to=address,
        domain=unsent.domain,
        message_id=f"{message_id}@{domain_of(sender)}",
    )
    try:
        raw = means.sign(write_tls_mail(report, carriage, now), domain_of(sender), now)
        new = NewMessage(
            id=message_id,
            envelope=Envelope(mail_from=sender, recipients=(Recipient(address=address, notify=("NEVER",)),)),
            session=Session(protocol=LOCAL, received_at=now),
            body=raw,
            reason=json.dumps({"notice": "tlsrpt", "about": unsent.domain}),
        )
        await asyncio.to_thread(means.store.mailed, int(now // DAY), domain_of(address))
        await asyncio.to_thread(means.add, [new])
    except (InputError, StoreError) as error:
        return str(error)
    return ""


def make_report(unsent: Unsent, counted: Sequence[tuple[Count, int]], means: Means) -> TlsReport:
    """What was counted, by policy."""
    by_policy: dict[str, list[tuple[Count, int]]] = {}
    for count, number in counted:
        by_policy.setdefault(count.policy, []).append((count, number))
    settings, begin = means.settings, unsent.day * DAY
    return TlsReport(
        org_name=settings.organization or domain_of(settings.sender),
        contact=settings.contact or settings.sender,
        report_id=f"{begin}.{unsent.domain}@{domain_of(settings.sender)}",
        begin=begin,
        end=begin + DAY - 1,
        policies=tuple(_of_policy(unsent.domain, text, rows, means.address) for text, rows in by_policy.items()),
    )


def _of_policy(domain: str, text: str, rows: Sequence[tuple[Count, int]], address: str) -> TlsPolicyReport:
    policy = read_policy(text)
    failed = [(count, number) for count, number in rows if count.result]
    return TlsPolicyReport(
        policy_type=policy.kind,
        domain=domain,
        successes=sum(number for count, number in rows if not count.result),
        failures=sum(number for _, number in failed),
        policy_string=policy.text,
        mx_hosts=policy.mx,
        details=tuple(
            TlsFailure(
                result_type=count.result,
                count=number,
                sending_ip=address,
                receiving_ip=count.address,
                receiving_mx=count.host,
                reason_code=count.reason,
            )
            for count, number in failed
        ),
    )
