"""A second mail hidden in a first one, behind an end of data that is none.

In: nothing. Out: `SCENARIOS`, `ENDS`. Standard: RFC 5321 §4.1.1.4 (only CRLF.CRLF ends data), §2.3.8.
CVE-2023-51764 (Postfix), -51765 (Sendmail), -51766 (Exim); CVE-2024-27305 (aiosmtpd); the lab plays the same ones.
Not here: bare CR and LF that end nothing (`syntax`).
"""

from __future__ import annotations

from gatepost.audit.probe.aim import Aim, Need
from gatepost.audit.probe.judging import by_outcome, describe, failed, passed, untested
from gatepost.audit.probe.scenario import Group, Judged, Played, Scenario, World
from gatepost.audit.probe.speech import DATA, MAIL, QUIT, RCPT, ask, mail, session
from gatepost.finding import Severity
from gatepost.ports.visitor import Call, Outcome, Step

QUIET = 0.4  # seconds in which a fooled server would have answered
# Every end that some server took for one, with its words.
ENDS: tuple[tuple[str, bytes, str], ...] = (
    ("lf-lf", b"\n.\n", "LF.LF"),
    ("lf-crlf", b"\n.\r\n", "LF.CRLF"),
    ("crlf-lf", b"\r\n.\n", "CRLF.LF"),
    ("cr-cr", b"\r.\r", "CR.CR"),
    ("crlf-cr", b"\r\n.\r", "CRLF.CR"),
    ("cr-lf", b"\r.\n", "CR.LF"),
    ("cr-crlf", b"\r.\r\n", "CR.CRLF"),
    ("lf-cr", b"\n.\r", "LF.CR"),
    ("crlf-nul-crlf", b"\r\n\0.\r\n", "CRLF NUL.CRLF"),
    ("crlf-dot-nul", b"\r\n.\0\r\n", "CRLF.NUL CRLF"),
    ("crlf-dot-crcrlf", b"\r\n.\r\r\n", "CRLF.CR CRLF"),
    ("crcrlf-dot", b"\r\r\n.\r\n", "CR CRLF.CRLF"),
)
TRUE_ENDS = {"crcrlf-dot"}  # CRLF.CRLF with a CR before it: the end is right, the line before it is not


def load(first: bytes, end: bytes, hidden: bytes, recipient: bytes = b"{recipient}") -> bytes:
    """A mail, the wrong end, and a whole second session behind it. Its own end is the right one."""
    commands = b"MAIL FROM:<{sender}>\r\nRCPT TO:<" + recipient + b">\r\nDATA\r\n"
    return first.removesuffix(b"\r\n") + end + commands + hidden + b".\r\n"


_FIRST = mail("Harmless, from gatepost probe")
_HIDDEN = mail("Smuggled, by gatepost probe", fields=["Message-ID: <{mark}.hidden@{ehlo}>"])


def steps_of(end: bytes) -> tuple[Step, ...]:
    """The envelope, then both mails in one piece."""
    return (MAIL, RCPT, DATA, ask(Step(send=load(_FIRST, end, _HIDDEN), quiet=QUIET)))


def _smuggling(name: str, end: bytes, words: str) -> Scenario:
    return Scenario(
        name=f"smuggling-{name}",
        group=Group.SMUGGLING,
        title=f"a second mail behind {words}",
        bad=f"The server takes {words} for the end of a mail: a second mail can be smuggled in behind it.",
        why="The hidden mail comes with the good name of whoever sent the first one: it passes SPF.",
        remedy="Only CRLF.CRLF may end a mail; refuse CR and LF that stand alone (Postfix: smtpd_forbid_bare_newline = "
        "reject; Exim 4.97.1 or later; Sendmail 8.18).",
        severity=Severity.DANGER,
        reference="RFC 5321 §4.1.1.4; CVE-2023-51764, -51765, -51766",
        needs=(Need.RECIPIENT,),
        steps=steps_of(end),
        good=(Outcome.REFUSED, Outcome.CLOSED, Outcome.ACCEPTED, Outcome.DEFERRED),
        unclear=(Outcome.SILENT, Outcome.NONSENSE),
        judge=_judge_in,
    )


def _judge_in(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """One answer for all of it is right, whatever it is; more answers mean that commands were seen in the mail. For
    NUL and stray CR near a true end only a second *mail* counts: what follows a true end is a session again."""
    visit = played.visits[0]
    answers = [reply for said in visit.said if said.question for reply in said.replies]
    if visit.outcome is Outcome.FOOLED and scenario.name.removeprefix("smuggling-") in TRUE_ENDS:
        return passed("the right end behind a stray CR ended it")
    if visit.outcome is Outcome.FOOLED and len(answers) > 1 and answers[1].code.startswith("5"):
        said = f"after {answers[0].text[:60]} it read on in the mail as in commands ({answers[1].text[:60]})"
        return failed(said, Severity.WARNING)
    if visit.outcome is Outcome.ACCEPTED and visit.asked:
        return passed(f"it took all of it for one mail: {describe(visit)}")
    return by_outcome(visit, scenario)


async def _through_echo(world: World, aim: Aim, scenario: Scenario) -> Played:
    """A load for each end to the echo address; what comes back, or was hidden, is looked for in the mailbox."""
    assert world.mailbox is not None
    visits, marks = [], []
    for name, end, _ in ENDS[:7]:
        own = aim.marked(name)
        raw = load(_FIRST, end, _HIDDEN)
        steps = (MAIL, Step(send=b"RCPT TO:<{echo}>\r\n"), DATA, Step(send=raw, quiet=QUIET, question=True), QUIT)
        call = Call(target=aim.target, steps=own.fill((*session(own), *steps)), source=aim.source)
        visits.append(await world.visitor.visit(call))
        marks.append(f"{own.mark}.hidden")
    taken = [visit for visit in visits if visit.outcome is Outcome.ACCEPTED]
    found = await world.mailbox.find(marks, aim.mail_wait) if taken else {}
    return Played(visits=tuple(visits), found=found, looked=bool(taken))


def _judge_out(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    if played.found:
        ends = ", ".join(mark.split(".")[-2] for mark in played.found)
        return failed(f"the hidden mail arrived, behind {ends}", ends=ends)
    if not any(visit.asked for visit in played.visits):
        return untested(f"nothing could be sent to {aim.echo}: {describe(played.visits[0])}")
    if not played.looked:
        return passed("mail with stray CR or LF is not taken at all")
    return passed(f"no hidden mail came within {aim.mail_wait:g} s")


SCENARIOS: tuple[Scenario, ...] = (
    *(_smuggling(*end) for end in ENDS),
    Scenario(
        name="smuggling-out",
        group=Group.SMUGGLING,
        title="a second mail, hidden for the next server",
        bad="The server sends mail on with CR or LF standing alone: mail can be smuggled into the servers it sends to.",
        why="Anybody who may send through this server can then send as anybody else here, past all checks.",
        remedy="Refuse or mend CR and LF that stand alone before mail is sent on.",
        severity=Severity.DANGER,
        reference="RFC 5321 §2.3.8",
        needs=(Need.ECHO,),
        play=_through_echo,
        judge=_judge_out,
        seconds=300.0,
    ),
)
