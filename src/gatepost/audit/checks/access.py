"""How people reach their mail: logging in only inside TLS, and mail programs that find the servers.

In: `Facts.services`, `Facts.more`. Standard: RFC 8314 (TLS for mail access), RFC 2595, RFC 6186 (SRV), RFC 4954 (AUTH).
Not here: guessing passwords (`audit.probe`), certificates (`certificates`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.checks.ports import place
from gatepost.audit.facts import Facts
from gatepost.audit.gathering.records import srv_target
from gatepost.finding import Severity
from gatepost.ports import DnsStatus, Service, Spoken

_OPEN_MECHANISMS = frozenset(("PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"))
_CLEAR = {"_submission": "_submissions", "_imap": "_imaps", "_pop3": "_pop3s"}


def _mechanisms(words: tuple[str, ...]) -> set[str]:
    """Mechanisms that show the password, of EHLO's AUTH, CAPABILITY's AUTH= or CAPA's SASL."""
    found: set[str] = set()
    for line in words:
        name, _, rest = line.upper().replace("AUTH=", "AUTH ", 1).partition(" ")
        if name in ("AUTH", "SASL"):
            found |= set(rest.split())
    return found & _OPEN_MECHANISMS


def _open_login(one: Service) -> list[str]:
    """What the server takes before TLS that shows a password."""
    if one.target.implicit_tls or not one.reached or not one.capabilities:
        return []
    words = {word.upper() for word in one.capabilities}
    found = sorted(_mechanisms(one.capabilities))
    if one.target.spoken is Spoken.IMAP and "LOGINDISABLED" not in words:
        found.append("the LOGIN command")
    if one.target.spoken is Spoken.POP3 and "USER" in words:
        found.append("USER and PASS")
    return found


@check(
    code="login.in-the-clear",
    area=Area.ACCESS,
    severity=Severity.DANGER,
    summary="{place} takes passwords without encryption: {mechanisms}",
    why="Everybody on the way (a wireless network, a provider) can read them, and a mail program that is set wrongly "
    "sends them.",
    remedy="Demand TLS before a login (Dovecot: `disable_plaintext_auth = yes`; Postfix: `smtpd_tls_auth_only = "
    "yes`), or "
    "close the port.",
    reference="RFC 8314 §4; practice 5",
)
def in_the_clear(facts: Facts) -> Iterator[Seen]:
    for one in facts.services or ():
        found = _open_login(one)
        if found:
            yield Seen(evidence={"place": place(one), "mechanisms": found})


@check(
    code="login.no-tls",
    area=Area.ACCESS,
    severity=Severity.DANGER,
    summary="{place} is open and does not offer TLS",
    why="What people read there crosses the network in the clear.",
    remedy="Switch STARTTLS on, or better close the port and leave 993, 995 and 465 only.",
    reference="RFC 8314 §4.1; practice 7",
)
def no_tls(facts: Facts) -> Iterator[Seen]:
    for one in facts.services or ():
        if (
            one.reached
            and not one.target.implicit_tls
            and one.target.port != 25
            and one.capabilities
            and not one.starttls
        ):
            yield Seen(evidence={"place": place(one)})


@check(
    code="login.at-25",
    area=Area.ACCESS,
    severity=Severity.NOTICE,
    summary="{place} offers a login at the port between servers",
    why="Everybody may connect there, so guessers do; people hand in mail at 465 and 587.",
    remedy="Switch AUTH off at port 25.",
    reference="RFC 6409 §3.1; practice 5",
)
def at_25(facts: Facts) -> Iterator[Seen]:
    for one in facts.services or ():
        words = (*one.capabilities, *one.secure_capabilities)
        if one.target.port == 25 and any(word.upper().startswith("AUTH") for word in words):
            yield Seen(evidence={"place": place(one)})


@check(
    code="access.only-starttls",
    area=Area.ACCESS,
    severity=Severity.NOTICE,
    summary="{host} offers {spoken} at {clear}, but not with TLS from the start at {implicit}",
    why="Who can strip STARTTLS sees passwords of mail programs that go on without it; from the start nothing can be "
    "stripped.",
    remedy="Open port {implicit} with TLS from the start, and move people's settings there.",
    reference="RFC 8314 §3; practice 7",
)
def only_starttls(facts: Facts) -> Iterator[Seen]:
    reached = {(one.target.host, one.target.port) for one in facts.services or () if one.reached}
    for clear, implicit, spoken in ((143, 993, "IMAP"), (110, 995, "POP3"), (587, 465, "submission")):
        for host in sorted({name for name, port in reached if port == clear}):
            if (host, implicit) not in reached:
                yield Seen(evidence={"host": host, "spoken": spoken, "clear": clear, "implicit": implicit})


@check(
    code="access.srv",
    area=Area.ACCESS,
    severity=Severity.PASS,
    summary="Mail programs find {services} by themselves (SRV)",
    why="Nobody has to type a server's name, or mistypes it.",
    remedy="Publish for each service that you offer: `_submissions._tcp.{domain}. IN SRV 0 1 465 {host}.`, "
    "`_imaps._tcp.{domain}. IN SRV 0 1 993 {host}.`",
    reference="RFC 6186, RFC 8314 §5.1",
)
def srv(facts: Facts) -> Seen | None:
    more = facts.more
    if more is None:
        return None
    found = [name for name, answer in more.srv.items() if answer.status is DnsStatus.OK]
    if found:
        return Seen(evidence={"services": [name.strip("_") for name in found], "domain": facts.domain})
    people = [one for one in facts.services or () if one.reached and one.target.port not in (25, 2525)]
    if not people:
        return None
    evidence = {"domain": facts.domain, "host": people[0].target.host}
    summary = "Mail programs cannot find the servers by themselves: there are no SRV records"
    return Seen(evidence=evidence, severity=Severity.INFO, summary=summary)


@check(
    code="access.srv-broken",
    area=Area.ACCESS,
    severity=Severity.WARNING,
    summary="The SRV record {name} leads to {target}, which does not answer: {reason}",
    why="Mail programs that look there set up an account that does not work.",
    remedy="Name a server that is there, or remove the record.",
    reference="RFC 6186 §4",
)
def srv_broken(facts: Facts) -> Iterator[Seen]:
    found = {(one.target.host, one.target.port): one for one in facts.services or ()}
    for name, answer in (facts.more.srv if facts.more is not None else {}).items():
        for record in answer.records[:4]:
            host, port = srv_target(record)
            service = found.get((host, port))
            if service is not None and not service.reached and service.certain:
                target = f"{host}:{port}"
                full = f"{name}._tcp.{facts.domain}"
                yield Seen(evidence={"name": full, "target": target, "reason": service.reason})


@check(
    code="access.srv-clear",
    area=Area.ACCESS,
    severity=Severity.NOTICE,
    summary="SRV records lead mail programs to {clear} and not to {secure}",
    why="They then begin without TLS, although they could begin with it.",
    remedy="Publish {secure} as well, with the better priority.",
    reference="RFC 8314 §5.1",
)
def srv_clear(facts: Facts) -> Iterator[Seen]:
    records = facts.more.srv if facts.more is not None else {}
    for clear, secure in _CLEAR.items():
        offered = clear in records and any(srv_target(record)[0] for record in records[clear].records)
        if offered and records[secure].status is not DnsStatus.OK:
            yield Seen(evidence={"clear": f"{clear}._tcp", "secure": f"{secure}._tcp"})


@check(
    code="access.autoconfig",
    area=Area.ACCESS,
    severity=Severity.INFO,
    summary="Mail programs find their settings at {url}",
    why="A page that names servers without TLS sets up every account that way.",
    remedy="Mend {url}: status 200, XML, and only servers with SSL or STARTTLS.",
    reference="RFC 6186; practice 7",
)
def autoconfig(facts: Facts) -> Seen | None:
    page = facts.more.autoconfig_page if facts.more is not None else None
    if page is None:
        return None
    if not page.is_there:
        reason = page.reason or f"status {page.status}"
        summary = "The host of autoconfig exists, but its page cannot be fetched: {reason}"
        return Seen(evidence={"url": page.url, "reason": reason}, severity=Severity.NOTICE, summary=summary)
    if b"<socketType>plain</socketType>" in page.body:
        summary = "{url} sets up mail programs without TLS (socketType plain)"
        return Seen(evidence={"url": page.url}, severity=Severity.DANGER, summary=summary)
    return Seen(evidence={"url": page.url}, severity=Severity.PASS)


CHECKS = (in_the_clear, no_tls, at_25, only_starttls, srv, srv_broken, srv_clear, autoconfig)
