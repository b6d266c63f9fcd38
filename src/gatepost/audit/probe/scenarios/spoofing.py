"""Mails that show another sender than they have, and fields that readers read differently.

In: nothing. Out: `SCENARIOS`, `send`, `judge_stopped`. Standard: RFC 5322 §3.6 (how often a field may stand), RFC 9989
(DMARC guards one From), RFC 8601 §5 (forged verdicts), RFC 2047. Not here: spam and lures (`letters`).
"""

from __future__ import annotations

from gatepost.audit.probe.aim import Aim, Need
from gatepost.audit.probe.judging import by_outcome, describe, failed, passed, untested
from gatepost.audit.probe.marks import sign_of
from gatepost.audit.probe.scenario import Group, Judged, Played, Scenario, World
from gatepost.audit.probe.speech import goodbye, hand_in, mail, session
from gatepost.finding import Severity
from gatepost.ports.visitor import Call, Outcome, Step

BOSS = "The boss <boss@{domain}>"


async def send(world: World, aim: Aim, scenario: Scenario) -> Played:
    """Hands the mail in; where it is taken and the mailbox can be read, looks for it there."""
    steps = aim.fill((*session(aim), *scenario.steps, goodbye(aim)))
    visit = await world.visitor.visit(Call(target=aim.target, steps=steps, source=aim.source))
    taken = visit.asked and visit.outcome is Outcome.ACCEPTED
    if not taken or world.mailbox is None or aim.lacks(Need.MAILBOX):
        return Played(visits=(visit,))
    found = await world.mailbox.find([aim.mark], aim.mail_wait)
    return Played(visits=(visit,), found=found, looked=True)


def judge_stopped(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """Refused, marked, or not in the mailbox."""
    visit = played.visits[0]
    if not (visit.asked and visit.outcome is Outcome.ACCEPTED):
        judged = by_outcome(visit, scenario)
        return judged if visit.outcome is not Outcome.DEFERRED or not visit.asked else passed(describe(visit))
    if not played.looked:
        return untested(f"it was accepted ({visit.words[:60]}); {Need.MAILBOX.value}")
    found = played.found.get(aim.mark)
    if found is None:
        return passed(f"it was accepted, but did not come into the mailbox within {aim.mail_wait:g} s")
    sign = sign_of(found)
    if sign:
        return passed(f"it came marked: {sign}")
    return failed(f"it lies in {found.folder} as if nothing were wrong", folder=found.folder)


def _judge_forged(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """A forged verdict may be delivered, if the forgery is taken off."""
    found = played.found.get(aim.mark)
    if found is not None and b"gatepost-probe-forged" not in found.raw:
        return passed("the forged verdict was taken off")
    if played.looked and found is not None:
        return failed("the forged verdict stands in the delivered mail")
    return judge_stopped(played, aim, scenario)


def _judge_own_domain(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """RCPT decides already: no stranger sends as one of the house."""
    visit = played.visits[0]
    if aim.logs_in:
        return untested("whoever logged in may send as the house")
    if visit.outcome is Outcome.REFUSED:
        return passed(describe(visit))
    return judge_stopped(played, aim, scenario)


def _spoof(name: str, title: str, raw: bytes, bad: str, why: str, **more: object) -> Scenario:
    given = {
        "group": Group.SPOOFING,
        "steps": hand_in(raw),
        "needs": (Need.RECIPIENT,),
        "play": send,
        "judge": judge_stopped,
        "seconds": 240.0,
        "remedy": "Refuse or mark it: check the form of mails in the filter (rspamd's MULTIPLE_FROM and the like; "
        "Gatepost's rules header.*).",
        "reference": "RFC 5322 §3.6",
    } | more
    return Scenario(name=f"spoof-{name}", title=title, bad=bad, why=why, **given)  # type: ignore[arg-type]


_BOUNCE = mail("Undelivered", author="Mail system <mailer-daemon@{domain}>")
_DIFFER = "DMARC is checked for one of them, and the reader's program may show the other."

SCENARIOS: tuple[Scenario, ...] = (
    _spoof(
        "two-from",
        "a mail with two From fields",
        mail("Two senders", fields=["From: Probe <{author}>", f"From: {BOSS}"]),
        "A mail with two From fields comes through as if nothing were wrong.",
        _DIFFER,
    ),
    _spoof(
        "two-addresses",
        "a From field with two addresses of different domains",
        mail("Two senders", author=f"Probe <{{author}}>, {BOSS}", fields=["Sender: {author}"]),
        "A From field with addresses of two domains comes through as if nothing were wrong.",
        _DIFFER,
        severity=Severity.NOTICE,
        reference="RFC 5322 §3.6.2; RFC 9989",
    ),
    _spoof(
        "no-from",
        "a mail without From",
        mail("No sender", fields=["From:"]).replace(b"From:\r\n", b""),
        "A mail without a sender comes through as if nothing were wrong.",
        "There is nothing that DMARC could check; programs show the Sender, the Reply-To or nothing.",
        severity=Severity.NOTICE,
    ),
    _spoof(
        "name-with-address",
        "a name that is another address",
        mail("Please call", author='"boss@{domain}" <{author}>'),
        "A sender whose name is an address of yours comes through as if nothing were wrong.",
        "Telephones show only the name.",
        severity=Severity.NOTICE,
        reference="practice 1",
    ),
    _spoof(
        "nul-in-from",
        "a NUL in the From field",
        mail("A NUL", author="The boss <boss@{domain}\0@{ehlo}>"),
        "A From field with a NUL comes through as if nothing were wrong.",
        "Programs that end there see another address than those that do not.",
        reference="RFC 5322 §4",
    ),
    _spoof(
        "encoded-from",
        "an address in the name, encoded",
        mail("Encoded", author="=?utf-8?q?boss=40{domain}_=3Cboss=40{domain}=3E?= <{author}>"),
        "A sender whose encoded name pretends to be an address of yours comes through as if nothing were wrong.",
        "Programs that decode too early take the name for the address.",
        severity=Severity.NOTICE,
        reference="RFC 2047 §5; §7",
    ),
    _spoof(
        "folded-from",
        "a From field folded so that programs read it differently",
        mail("Folded", fields=["From: Probe\r\n <{author}>\r\n , The boss\r\n <boss@{domain}>", "Sender: {author}"]),
        "A From field that is folded oddly, with a second address, comes through as if nothing were wrong.",
        _DIFFER,
        severity=Severity.NOTICE,
    ),
    _spoof(
        "space-before-colon",
        "a field name with a blank before its colon",
        mail("A blank", fields=["From : The boss <boss@{domain}>", "From: Probe <{author}>"]),
        "A second From field with a blank before its colon comes through as if nothing were wrong.",
        "Some programs read it, some do not.",
        severity=Severity.NOTICE,
        reference="RFC 5322 §4.5",
    ),
    _spoof(
        "injected-field",
        "a field slipped in by a stray CR in the subject",
        mail("Injected\rFrom: The boss <boss@{domain}>"),
        "A field behind a stray CR comes through as if nothing were wrong.",
        "Programs that end lines at CR see a From field of the sender's choice.",
        reference="RFC 5322 §2.2",
    ),
    _spoof(
        "two-content-types",
        "a mail with two Content-Type fields",
        mail("Two kinds", fields=["Content-Type: text/plain", "Content-Type: text/html"], text="<b>Which?</b>\r\n"),
        "A mail with two Content-Type fields comes through as if nothing were wrong.",
        "The filter looks at one of them, the reader's program at the other.",
        severity=Severity.NOTICE,
        reference="RFC 2045 §3",
    ),
    _spoof(
        "forged-verdict",
        "a forged Authentication-Results field with the server's own name",
        mail(
            "Forged",
            fields=["Authentication-Results: {host}; dmarc=pass header.from={domain}; x=gatepost-probe-forged"],
        ),
        "A verdict that the sender forged stands in the delivered mail.",
        "Programs that trust the server's name in it show the mail as checked.",
        severity=Severity.NOTICE,
        reference="RFC 8601 §5",
        remedy="Take fields with your own authserv-id off what comes from outside.",
        judge=_judge_forged,
    ),
    _spoof(
        "own-domain",
        "a stranger who writes as somebody of the house",
        mail("Urgent", author=BOSS),
        "A stranger can send mail in the name of your own domain.",
        "It is the most convincing of all lures, and your own server could know that it is false.",
        steps=(
            Step(send=b"MAIL FROM:<boss@{domain}>\r\n", question=True),
            *hand_in(mail("Urgent", author=BOSS))[1:],
        ),
        severity=Severity.WARNING,
        reference="RFC 7208 §2.4; practice 3",
        remedy="Publish SPF and DMARC with p=reject for your domain and have the server obey them; or refuse your own "
        "domain from strangers (Postfix: check_sender_access).",
        judge=_judge_own_domain,
    ),
    _spoof(
        "own-header",
        "a stranger whose From field is of the house",
        mail("Urgent", author=BOSS),
        "A mail with your own domain in From comes in from a stranger as if nothing were wrong.",
        "It is the most convincing of all lures, and your own server could know that it is false.",
        reference="RFC 9989; practice 3",
        remedy="Publish DMARC with p=reject for your domain and have the server obey it.",
    ),
    _spoof(
        "own-header-bounce",
        "a bounce that pretends to be of the house",
        _BOUNCE,
        "A false bounce in your own name comes in from a stranger as if nothing were wrong.",
        "People open what claims to be their own mail coming back.",
        severity=Severity.NOTICE,
        reference="RFC 9989",
        steps=(
            Step(send=b"MAIL FROM:<>\r\n"),
            *hand_in(_BOUNCE)[1:],
        ),
        remedy="Publish DMARC with p=reject for your domain and have the server obey it.",
    ),
)
