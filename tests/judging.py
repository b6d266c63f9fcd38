"""Facts for tests of rules: a message, and authentication results made by hand.

In: header text and what should differ from a clean message. Out: `Facts`, `AuthResults`, findings by code.
Not here: real authentication (tests/unit/test_api.py runs the whole way).
"""

from __future__ import annotations

from typing import Any

from gatepost.finding import Finding
from gatepost.inspector.content import Content
from gatepost.inspector.facts import CLEAN, Facts, LineEnds, gather_facts
from gatepost.inspector.judge import Judgement, judge
from gatepost.inspector.people import People
from gatepost.inspector.rule import Rule, Seen, in_runs, run_rules
from gatepost.inspector.settings import InspectorSettings
from gatepost.inspector.trace import read_path
from gatepost.message.message import parse_message
from gatepost.msgauth.arc import ArcResult, ArcStatus
from gatepost.msgauth.authenticate import AuthResults, read_authors
from gatepost.msgauth.dkim import DkimResult, DkimStatus, SignatureResult
from gatepost.msgauth.dkim.result import summarize
from gatepost.msgauth.dmarc import Alignment, DmarcPolicy, DmarcResult, DmarcResultWord
from gatepost.msgauth.iprev import IprevResult, IprevResultWord
from gatepost.msgauth.spf import SpfIdentity, SpfResult, SpfResultWord
from gatepost.names import Session
from gatepost.ports import Acquaintance, Opened, Place, Text

NOW = 1_764_000_000.0  # Mon, 24 Nov 2025 16:00:00 +0000
DATE = "Mon, 24 Nov 2025 16:00:00 +0000"
CLEAN_HEADER = f"From: Ann <ann@example.org>\nTo: bob@example.net\nDate: {DATE}\nMessage-ID: <1@example.org>\n"
IP = "192.0.2.10"


def spf(result: str = "pass", domain: str = "example.org", **more: Any) -> SpfResult:
    return SpfResult(result=SpfResultWord(result), domain=domain, **more)


def ehlo(result: str = "pass", domain: str = "mail.example.org", **more: Any) -> SpfResult:
    return SpfResult(result=SpfResultWord(result), domain=domain, identity=SpfIdentity.HELO, **more)


def signature(result: str = "pass", domain: str = "example.org", **more: Any) -> SignatureResult:
    defaults: dict[str, Any] = {"selector": "s", "algorithm": "rsa-sha256", "key_bits": 2048}
    return SignatureResult(result=DkimStatus(result), domain=domain, **(defaults | more))


def dkim(*signatures: SignatureResult) -> DkimResult:
    return summarize(signatures)


def dmarc(result: str = "pass", policy: str = "reject", domain: str = "example.org", **more: Any) -> DmarcResult:
    failed = result == "fail"
    defaults: dict[str, Any] = {
        "organizational_domain": domain,
        "policy_domain": domain if result in ("pass", "fail") else "",
        "policy": DmarcPolicy(policy) if result in ("pass", "fail") else None,
        "disposition": DmarcPolicy(policy) if failed else DmarcPolicy.NONE,
        "alignment": Alignment(spf=result == "pass", dkim=result == "pass"),
    }
    return DmarcResult(result=DmarcResultWord(result), author_domain=domain, **(defaults | more))


def iprev(result: str = "pass", name: str = "mail.example.org", **more: Any) -> IprevResult:
    names = (name,) if name else ()
    return IprevResult(
        result=IprevResultWord(result), ip=IP, name=name if result == "pass" else "", names=names, **more
    )


def auth(**changes: Any) -> AuthResults:
    """Everything passes, but for `changes`."""
    defaults: dict[str, Any] = {
        "spf_mail_from": spf(),
        "spf_ehlo": ehlo(),
        "dkim": dkim(signature()),
        "dmarc": dmarc(),
        "arc": ArcResult(result=ArcStatus.NONE),
        "iprev": iprev(),
    }
    return AuthResults(**(defaults | changes))


def make_facts(
    header: str | bytes = CLEAN_HEADER,
    *,
    ip: str = IP,
    ehlo_domain: str = "mail.example.org",
    mail_from: str | None = "ann@example.org",
    settings: InspectorSettings | None = None,
    own_domains: tuple[str, ...] = ("example.net",),
    line_ends: LineEnds = CLEAN,
    smtputf8: bool = False,
    saved: bool = False,
    received_at: float = NOW,
    trusted: tuple[str, ...] = (),
    body: str = "",
    recipients: tuple[str, ...] = (),
    acquaintance: Acquaintance | None = None,
    content: Content | None = None,
    place: Place | None = None,
    people: People | None = None,
    **auth_changes: Any,
) -> Facts:
    """The facts of a message with `header` (LF becomes CRLF) and a short body."""
    text = header.encode() if isinstance(header, str) else header
    raw = text.replace(b"\n", b"\r\n") + b"\r\nHello.\r\n" if text.strip() else b"\r\nHello.\r\n"
    message = parse_message(raw)
    session = Session(client_ip=ip, ehlo_domain=ehlo_domain, protocol="ESMTP", received_at=received_at)
    judged, path = read_path(message, session, trusted, saved=saved)
    return gather_facts(
        message,
        session=judged,
        path=path,
        mail_from=mail_from,
        auth=auth(**({"authors": read_authors(message.header.all("from"))} | auth_changes)),
        settings=settings or InspectorSettings(),
        now=NOW,
        own_domains=own_domains,
        line_ends=line_ends,
        smtputf8=smtputf8,
        recipients=recipients,
        acquaintance=acquaintance,
        content=content if content is not None or not body else plain_content(body),
        place=place,
        people=people,
    )


def plain_content(body: str, **more: Any) -> Content:
    """What an opener finds in a message with one plain text."""
    return Content(Opened(texts=(Text(item="1", kind="plain", visible=body),), **more))


def see(rule: Rule, **options: Any) -> Finding | None:
    """What `rule` finds in a message that is clean but for `options`."""
    facts = make_facts(**options)
    seen = rule.check(facts)
    assert seen is None or rule.when is None or rule.when(facts), f"{rule.code} is held back by its `when`"
    assert seen is None or isinstance(seen, Seen), "see_all is for rules that tell recipients apart"
    return rule.finding(seen, facts.settings.weights) if seen is not None else None


def see_all(rule: Rule, facts: Facts) -> list[Finding]:
    """Everything that `rule` finds in `facts`."""
    return list(run_rules(in_runs([rule]), facts))


def judged(**options: Any) -> Judgement:
    return judge(make_facts(**options))


def codes(judgement: Judgement) -> set[str]:
    return {finding.code for finding in judgement.findings}
