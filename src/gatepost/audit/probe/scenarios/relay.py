"""Relay for strangers, in all the spellings that ever worked.

In: nothing. Out: `SCENARIOS`. RCPT's answer decides; no mail is sent, unless the user gave an address for it.
Standard: RFC 5321 §3.6.1 (relay), §3.6.2 and §C (source routes), §4.1.1.3, RFC 1123 §5.2.16 (local part of another).
Not here: who logs in first (`login`).
"""

from __future__ import annotations

import re

from gatepost.audit.probe.aim import Aim
from gatepost.audit.probe.judging import by_outcome, describe, failed, untested
from gatepost.audit.probe.scenario import Group, Judged, Played, Scenario, Status, World
from gatepost.audit.probe.speech import DATA, QUIT, content, mail, session
from gatepost.finding import Severity
from gatepost.ports.visitor import Call, Outcome, Step

# What a server says that refuses because of the domain's DNS: that is no proof that it does not relay.
_NO_SUCH_DOMAIN = re.compile(r"(?i)domain[^.]{0,30}(not found|does not exist|unknown)|5\.1\.2|null ?mx|unrouteable")
_CONTROL = Step(send=b"RCPT TO:<{unknown}>\r\n", question=True)


def _steps(sender: str, recipient: str) -> tuple[Step, ...]:
    return (
        Step(send=f"MAIL FROM:{sender}\r\n".encode()),
        Step(send=f"RCPT TO:{recipient}\r\n".encode(), question=True),
    )


async def _play(world: World, aim: Aim, scenario: Scenario) -> Played:
    """The question, and a mail behind it where the user gave an address for that."""
    more: tuple[Step, ...] = (QUIT,)
    if aim.sends_outside:
        more = (DATA, content(mail("Relayed by gatepost probe", fields=["To: {outside}"])), QUIT)
    steps = aim.fill((*session(aim), *scenario.steps, *more))
    visit = await world.visitor.visit(Call(target=aim.target, steps=steps, source=aim.source))
    return Played(visits=(visit,))


async def _play_local(world: World, aim: Aim, scenario: Scenario) -> Played:
    """For spellings that could be meant as a strange local part of the server's own: where one is taken, whether any
    local part is."""
    played = await _play(world, aim, scenario)
    if not (played.visits[0].asked and played.visits[0].outcome is Outcome.ACCEPTED):
        return played
    control = aim.fill((*session(aim), scenario.steps[0], _CONTROL, QUIT))
    other = await world.visitor.visit(Call(target=aim.target, steps=control, source=aim.source))
    return Played(visits=(*played.visits, other))


def _judge(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    visit = played.visits[0]
    accepted = any(said.question and said.replies and said.replies[-1].code[:1] == "2" for said in visit.said)
    if accepted and visit.outcome is not Outcome.ACCEPTED:  # the mail itself was refused
        return failed(f"the recipient was accepted, the mail then {describe(visit)}", Severity.WARNING)
    judged = by_outcome(visit, scenario)
    if judged.status is Status.PASSED and not aim.outside and _NO_SUCH_DOMAIN.search(visit.words):
        return untested(f"refused because of the outside domain's DNS; give --outside ADDRESS ({visit.words[:80]})")
    if judged.status is not Status.FAILED:
        return judged
    if len(played.visits) > 1 and played.visits[1].outcome is Outcome.ACCEPTED:
        return untested("the server takes every local part, so nobody knows whether it would pass this one on")
    return judged


def _relay(name: str, spelling: str, recipient: str, *, sender: str = "<{sender}>", local: bool = False) -> Scenario:
    return Scenario(
        name=f"relay-{name}",
        group=Group.RELAY,
        title=f"relay for a stranger, {spelling}",
        bad=f"The server passes on mail for strangers to other people's domains ({spelling}): it is an open relay.",
        why="Spam is sent through open relays within hours of their being found, and their address is then on every "
        "list.",
        remedy="Take mail only for your own domains, and for others only from those who logged in or from listed "
        "addresses (Postfix: smtpd_relay_restrictions; Exim: acl_check_rcpt with +local_domains; Gatepost: it does).",
        severity=Severity.DANGER,
        reference="RFC 5321 §3.6.1",
        steps=_steps(sender, recipient),
        closed=("530",),  # nothing goes without a login
        play=_play_local if local else _play,
        judge=_judge,
    )


def _local(name: str, spelling: str, recipient: str) -> Scenario:
    return _relay(name, spelling, recipient, local=True)


SCENARIOS: tuple[Scenario, ...] = (
    _relay("plain", "written plainly", "<{outside}>"),
    _relay("null-sender", "from nobody", "<{outside}>", sender="<>"),
    _relay("own-sender", "as if from the server's own domain", "<{outside}>", sender="<postmaster@{domain}>"),
    _relay("host-sender", "as if from the server itself", "<{outside}>", sender="<root@{host}>"),
    _relay("literal-sender", "as if from the server's address", "<{outside}>", sender="<root@{literal}>"),
    _relay("bare-sender", "as if from a local user without a domain", "<{outside}>", sender="<root>"),
    _local("percent", "by the percent hack", "<{outside_local}%{outside_domain}@{domain}>"),
    _local("percent-literal", "by the percent hack at the address", "<{outside_local}%{outside_domain}@{literal}>"),
    _local("percent-bare", "by the percent hack without a domain", "<{outside_local}%{outside_domain}>"),
    _local("two-at", "with two at signs", "<{outside_local}@{outside_domain}@{domain}>"),
    _local("two-at-literal", "with two at signs and the address", "<{outside_local}@{outside_domain}@{literal}>"),
    _local("quoted", "hidden in quotes", '<"{outside_local}@{outside_domain}">'),
    _local("quoted-domain", "in quotes before the server's domain", '<"{outside_local}@{outside_domain}"@{domain}>'),
    _local("quoted-percent", "by the percent hack in quotes", '<"{outside_local}%{outside_domain}"@{domain}>'),
    _local("quoted-bang", "by a bang path in quotes", '<"{outside_domain}!{outside_local}"@{domain}>'),
    _relay("route", "by a source route through the server's domain", "<@{domain}:{outside_local}@{outside_domain}>"),
    _relay("route-literal", "by a source route through its address", "<@{literal}:{outside_local}@{outside_domain}>"),
    _relay("route-host", "by a source route through its name", "<@{host}:{outside_local}@{outside_domain}>"),
    _local("bang", "by a bang path", "<{outside_domain}!{outside_local}>"),
    _local("bang-domain", "by a bang path at the server's domain", "<{outside_domain}!{outside_local}@{domain}>"),
    _local("bang-literal", "by a bang path at its address", "<{outside_domain}!{outside_local}@{literal}>"),
    _relay("no-brackets", "without angle brackets", "{outside}"),
    _relay("trailing-dot", "with a dot behind the domain", "<{outside}.>"),
    _relay("comment", "with a comment", "<{outside_local}@{outside_domain}(@{domain})>"),
)
