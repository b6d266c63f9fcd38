"""What the ports of the mail exchangers say: reached, alike, polite to postmaster, careful with words.

In: `Facts.services`. Standard: RFC 5321 §4.5.1 (postmaster), §4.3.1 (greetings). Not here: TLS (`tls`), certificates
(`certificates`), logging in (`access`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatepost.audit.check import Area, Seen, check
from gatepost.audit.facts import Facts
from gatepost.audit.gathering.services import NOBODY
from gatepost.finding import Severity
from gatepost.ports import Service

# A program's name followed by its version: "Postfix 3.7.11", "Exim 4.96", "Dovecot (Debian)" tells the release.
_VERSION = re.compile(
    r"\b(Postfix|Exim|Sendmail|Dovecot|Cyrus|Courier|Microsoft ESMTP MAIL Service|hMailServer|qmail|Zimbra|MDaemon|"
    r"OpenSMTPD|Haraka|MailEnable|Kerio|IceWarp|Axigen|Exchange)\b[^0-9\r\n]{0,30}([0-9]+\.[0-9][\w.\-]*|\([A-Z]\w+\))",
    re.IGNORECASE,
)


def exchangers(facts: Facts) -> list[Service]:
    """What was found at port 25 of the mail exchangers."""
    names = {host.name for host in facts.hosts or ()}
    return [one for one in facts.services or () if one.target.port == 25 and one.target.host in names]


def place(one: Service) -> str:
    """A service as people say it: host and port, the address where the host has several."""
    return f"{one.target.host}:{one.target.port} ({one.target.address})"


@check(
    code="mx.unreachable",
    area=Area.SERVERS,
    severity=Severity.WARNING,
    summary="{place} cannot be reached: {reason}",
    why="Senders that try this host first wait and go on to the next; if it is the only one, mail waits and bounces.",
    remedy="Start the server, open port 25 in the firewall in front of it, or remove the MX record that names it.",
    reference="RFC 5321 §5.1; practice 10",
)
def unreachable(facts: Facts) -> Iterator[Seen]:
    found = [one for one in exchangers(facts) if one.certain]
    nobody = bool(found) and not any(one.reached for one in exchangers(facts))
    for one in found:
        if not one.reached:
            grave = Severity.DANGER if nobody else Severity.WARNING
            yield Seen(evidence={"place": place(one), "reason": one.reason}, severity=grave)


@check(
    code="mx.not-tried",
    area=Area.SERVERS,
    severity=Severity.INFO,
    summary="{place} could not be tried from here: {reason}",
    why="Nothing is known of this host; it may be well.",
    remedy="Run the audit from a machine that can reach it.",
    reference="RFC 5321 §5.1",
)
def not_tried(facts: Facts) -> Iterator[Seen]:
    for one in exchangers(facts):
        if not one.reached and not one.certain:
            yield Seen(evidence={"place": place(one), "reason": one.reason})


@check(
    code="mx.refuses-us",
    area=Area.SERVERS,
    severity=Severity.INFO,
    summary="{place} did not talk to us to the end: {reason}",
    why="A server may turn strangers away (an address on a block list, a limit); what is behind that was not seen.",
    remedy="If real senders are turned away too, look into the server's log for this moment.",
    reference="RFC 5321 §3.1",
)
def refuses_us(facts: Facts) -> Iterator[Seen]:
    for one in exchangers(facts):
        if one.reached and one.reason:
            yield Seen(evidence={"place": place(one), "reason": one.reason, "banner": one.banner[:200]})


@check(
    code="mx.disagree",
    area=Area.SERVERS,
    severity=Severity.NOTICE,
    summary="The mail exchangers differ in {subject}: {differences}",
    why="Attackers pick the weakest host, often the back-up; and what one host takes another must not refuse.",
    remedy="Give all mail exchangers the same settings, certificates and list of recipients.",
    reference="RFC 5321 §5.1; practice 10",
)
def disagree(facts: Facts) -> Iterator[Seen]:
    found = [one for one in exchangers(facts) if one.reached and not one.reason]
    if len({one.target.host for one in found}) < 2:
        return
    for subject, by_place in _compared(found).items():
        if len(set(by_place.values())) > 1:
            shown = [f"{where}: {value}" for where, value in sorted(by_place.items())]
            grave = Severity.WARNING if subject in ("STARTTLS", "answers to a recipient") else Severity.NOTICE
            yield Seen(evidence={"subject": subject, "differences": shown[:10]}, severity=grave)


def _compared(found: list[Service]) -> dict[str, dict[str, str]]:
    """By subject, what each place says."""
    words: dict[str, dict[str, str]] = {"EHLO": {}, "STARTTLS": {}, "TLS versions": {}, "answers to a recipient": {}}
    for one in found:
        where = place(one)
        said = one.secure_capabilities or one.capabilities
        offered = sorted({word.split()[0] for word in said if word} - {"SIZE", "STARTTLS"})
        words["EHLO"][where] = " ".join(offered)
        words["STARTTLS"][where] = "offered" if one.starttls else "not offered"
        if one.tls is not None and one.tls.versions:
            accepted = [version.version for version in one.tls.versions if version.accepted]
            words["TLS versions"][where] = " ".join(accepted) or "none"
        if one.answered:
            words["answers to a recipient"][where] = " ".join(f"{answer.code // 100}xx" for answer in one.answered)
    return words


@check(
    code="mx.postmaster",
    area=Area.SERVERS,
    severity=Severity.WARNING,
    summary="{place} refuses mail to {recipient}: {text}",
    why="Whoever has trouble with your mail writes there; a server must take it.",
    remedy="Create postmaster as an alias of somebody who reads it.",
    reference="RFC 5321 §4.5.1",
)
def postmaster(facts: Facts) -> Iterator[Seen]:
    for one in exchangers(facts):
        for answer in one.answered:
            if answer.recipient.startswith("postmaster@") and 500 <= answer.code < 600:
                evidence = {
                    "place": place(one),
                    "recipient": answer.recipient,
                    "text": f"{answer.code} {answer.text}"[:200],
                }
                yield Seen(evidence=evidence)


@check(
    code="mx.takes-anybody",
    area=Area.SERVERS,
    severity=Severity.NOTICE,
    summary="{place} takes mail for somebody who cannot exist ({recipient})",
    why="Such mail is bounced later, to a sender that is forged as a rule: the server becomes a source of backscatter, "
    "and lists name it. A domain with a catch-all gets all the spam there is.",
    remedy='Have the server check recipients at RCPT (our gate does: `recipients = "list"` or "call-forward").',
    reference="RFC 5321 §6.2; practice 9",
)
def takes_anybody(facts: Facts) -> Iterator[Seen]:
    for one in exchangers(facts):
        for answer in one.answered:
            if answer.recipient.startswith(NOBODY) and 200 <= answer.code < 300:
                yield Seen(evidence={"place": place(one), "recipient": answer.recipient})


@check(
    code="port.banner",
    area=Area.SERVERS,
    severity=Severity.INFO,
    summary="{place} tells its software and version: {software}",
    why="Who looks for servers with a known hole finds this one by a search.",
    remedy="Shorten the greeting (Postfix: `smtpd_banner = $myhostname ESMTP`; Dovecot: `login_greeting`; Exim: "
    "`smtp_banner`).",
    reference="RFC 5321 §4.3.1, §7.6",
)
def banner(facts: Facts) -> Iterator[Seen]:
    for one in facts.services or ():
        found = _VERSION.search(one.banner)
        if found is not None:
            yield Seen(evidence={"place": place(one), "software": found[0], "banner": one.banner[:200]})


@check(
    code="ports.open",
    area=Area.SERVERS,
    severity=Severity.PASS,
    summary="{host} answers at {ports}",
    why="Says what can be reached from outside.",
    reference="practice 5",
)
def open_ports(facts: Facts) -> Iterator[Seen]:
    by_host: dict[str, list[int]] = {}
    for one in facts.services or ():
        if one.reached:
            by_host.setdefault(one.target.host, []).append(one.target.port)
    for host, ports in by_host.items():
        yield Seen(evidence={"host": host, "ports": sorted(set(ports))})


CHECKS = (unreachable, not_tried, refuses_us, disagree, postmaster, takes_anybody, banner, open_ports)
