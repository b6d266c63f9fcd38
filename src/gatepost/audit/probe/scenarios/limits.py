"""How much a stranger may ask for: lengths, numbers, connections, time.

In: nothing. Out: `SCENARIOS`. Standard: RFC 5321 §4.5.3 (sizes and time-outs), RFC 1870 §6 (SIZE), RFC 9051 §4.3
(literals), RFC 1939 §3 (auto-logout). They annoy the server, so most are played last.
Not here: guesses at passwords (`login`).
"""

from __future__ import annotations

from gatepost.audit.probe.aim import Aim, Need
from gatepost.audit.probe.judging import by_outcome, describe, failed, is_angry, passed, untested
from gatepost.audit.probe.scenario import Group, Judged, Played, Scenario, World
from gatepost.audit.probe.scenarios.login import ALL
from gatepost.audit.probe.speech import DATA, GREETING, MAIL, RCPT, ask, goodbye, hand_in, mail, session
from gatepost.finding import Severity
from gatepost.ports.prober import Spoken
from gatepost.ports.visitor import Call, Kind, Outcome, Step

REFUSED_OR_CLOSED = (Outcome.REFUSED, Outcome.CLOSED)
HUGE = 1 << 40
WRONG, HARVEST, EMPTY = 40, 50, 300  # commands in a row
RECIPIENTS = 1_200  # RFC 5321 §4.5.3.1.8 asks for 100; nobody's mail has more than a thousand
DRIP = 1.0  # seconds between octets of a very slow client
CROWD_TIME = 8.0  # seconds in which many connections at once must have been greeted
PATIENT = 1.0  # seconds for an answer from which a server counts as slowing us down
_NONSENSE = {Spoken.SMTP: b"XYZZY {n}\r\n", Spoken.IMAP: b"n XYZZY {n}\r\n", Spoken.POP3: b"XYZZY {n}\r\n"}
_NOTHING = {Spoken.SMTP: b"NOOP\r\n", Spoken.IMAP: b"n NOOP\r\n", Spoken.POP3: b"CAPA\r\n"}


async def _many(world: World, aim: Aim, scenario: Scenario, steps: tuple[Step, ...]) -> Played:
    call = Call(
        target=aim.target,
        steps=aim.fill((*session(aim), *steps, goodbye(aim))),
        seconds=scenario.seconds - 1,
        source=aim.source,
    )
    return Played(visits=(await world.visitor.visit(call),))


async def _wrong_commands(world: World, aim: Aim, scenario: Scenario) -> Played:
    octets = _NONSENSE[aim.target.spoken]
    steps = [Step(send=octets.replace(b"{n}", b"%d" % n), refusals=True, question=True) for n in range(WRONG)]
    return await _many(world, aim, scenario, tuple(steps))


async def _empty_commands(world: World, aim: Aim, scenario: Scenario) -> Played:
    several = aim.target.spoken is Spoken.POP3
    step = Step(send=_NOTHING[aim.target.spoken], question=True, refusals=True, several=several)
    return await _many(world, aim, scenario, (step,) * EMPTY)


async def _harvest(world: World, aim: Aim, scenario: Scenario) -> Played:
    guesses = [
        Step(send=b"RCPT TO:<user%d-{mark}@{domain}>\r\n" % n, refusals=True, question=True) for n in range(HARVEST)
    ]
    return await _many(world, aim, scenario, (MAIL, *guesses))


async def _recipients(world: World, aim: Aim, scenario: Scenario) -> Played:
    """The same mailbox again and again, in groups; a server that counts refuses at some point."""
    size = 100 if aim.has("PIPELINING") else 1
    group = Step(send=RCPT.send * size, replies=size, question=True)
    return await _many(world, aim, scenario, (MAIL, *[group] * (RECIPIENTS // size)))


def _judge_patience(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """Hanging up, sending away, refusing for now and slowing down are all good."""
    visit = played.visits[0]
    answers = [reply for said in visit.said if said.question for reply in said.replies]
    if not answers:
        return untested(describe(visit)) if not (visit.asked and is_angry(visit)) else passed(describe(visit))
    if visit.outcome in (Outcome.CLOSED, Outcome.DEFERRED) or any(reply.kind is Kind.LATER for reply in answers):
        return passed(f"after {len(answers)} of them: {describe(visit)}")
    slowest = max(reply.seconds for reply in answers)
    if slowest >= PATIENT:
        return passed(f"it slows down, to {slowest:.1f} s an answer")
    return failed(f"{len(answers)} in a row, each answered within {slowest:.2f} s")


def _judge_recipients(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    visit = played.visits[0]
    taken = sum(reply.kind is Kind.GOOD for said in visit.said if said.question for reply in said.replies)
    if not visit.asked or (not taken and visit.outcome is not Outcome.ACCEPTED):
        return untested(describe(visit))
    if visit.outcome is Outcome.ACCEPTED:
        return failed(f"it took {taken}", taken=taken)
    return passed(f"after {taken} of them: {describe(visit)}", taken=taken)


async def _crowd(world: World, aim: Aim, scenario: Scenario) -> Played:
    if aim.target.implicit_tls:
        return Played(visits=())
    call = Call(target=aim.target, steps=(GREETING,), seconds=CROWD_TIME, until_all=True, source=aim.source)
    return Played(visits=await world.visitor.visit_together([call] * aim.crowd))


def _judge_crowd(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    if aim.target.implicit_tls:
        return untested("what is said in TLS is not waited for by so many at once; test the port without TLS")
    waiting = [visit for visit in played.visits if not (visit.replies and visit.replies[0].kind is Kind.GOOD)]
    greeted = len(played.visits) - len(waiting)
    if not greeted:
        return untested(describe(waiting[0]))
    if waiting:
        return passed(f"{greeted} of {len(played.visits)} were greeted, then: {describe(waiting[0])}", greeted=greeted)
    return failed(f"all {greeted} connections at the same time were greeted", greeted=greeted)


def _judge_size(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    if not aim.has("SIZE"):
        return failed("no size is announced")
    size = aim.parameter("SIZE")
    if not size or size == "0":
        return failed("it announces that it knows no limit")
    return passed(f"mail up to {size} octets is taken")


async def _say_nothing(world: World, aim: Aim, scenario: Scenario) -> Played:
    return Played(visits=())


async def _sit_idle(world: World, aim: Aim, scenario: Scenario) -> Played:
    steps = (*session(aim), Step(replies=0, idle=aim.wait, question=True))
    call = Call(target=aim.target, steps=aim.fill(steps), seconds=aim.wait + 30, source=aim.source)
    return Played(visits=(await world.visitor.visit(call),))


async def _dripped(world: World, aim: Aim, scenario: Scenario) -> Played:
    """A command that never ends, an octet at a time: a time-out that starts anew at each octet never comes."""
    count = max(2, int(aim.wait / DRIP))
    steps = (*session(aim), Step(send=b"X" * count, drip=min(DRIP, aim.wait / 10), replies=0, question=True))
    call = Call(target=aim.target, steps=aim.fill(steps), seconds=aim.wait, source=aim.source)
    return Played(visits=(await world.visitor.visit(call),))


async def _dripped_data(world: World, aim: Aim, scenario: Scenario) -> Played:
    count = max(2, int(aim.wait / DRIP))
    text = Step(send=b"X" * count, drip=min(DRIP, aim.wait / 10), replies=0, question=True)
    steps = (*session(aim), MAIL, RCPT, DATA, text)
    call = Call(target=aim.target, steps=aim.fill(steps), seconds=aim.wait, source=aim.source)
    return Played(visits=(await world.visitor.visit(call),))


def _judge_time(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    visit = played.visits[0]
    if not visit.asked:
        return by_outcome(visit, scenario)
    if is_angry(visit) or visit.outcome in (Outcome.REFUSED, Outcome.DEFERRED):
        return passed(f"it ended after {visit.seconds:.0f} s: {describe(visit)}", seconds=round(visit.seconds, 1))
    return failed(f"it still waited after {visit.seconds:.0f} s", seconds=round(visit.seconds, 1))


def _limit(name: str, title: str, bad: str, why: str, remedy: str, **more: object) -> Scenario:
    given = {"group": Group.LIMITS, "spoken": ALL, "late": True, "judge": _judge_patience, "seconds": 120.0} | more
    return Scenario(name=f"limit-{name}", title=title, bad=bad, why=why, remedy=remedy, **given)  # type: ignore[arg-type]


_TIME = {"needs": (Need.TIME,), "judge": _judge_time, "seconds": 3700.0, "late": False}

SCENARIOS: tuple[Scenario, ...] = (
    _limit(
        "size",
        "the size of a mail, announced",
        "The server announces no limit on the size of a mail.",
        "Clients send everything before they are told that it is too big; without any limit the disk fills up.",
        "Set and announce a limit, such as 50 MB (Postfix: message_size_limit; Exim: message_size_limit).",
        spoken=(Spoken.SMTP,),
        severity=Severity.NOTICE,
        reference="RFC 1870 §3",
        play=_say_nothing,
        judge=_judge_size,
        late=False,
    ),
    _limit(
        "oversize",
        "a mail announced with a terabyte",
        "The server begins to take a mail of a terabyte.",
        "It should be refused before a single octet is sent; the disk would fill up.",
        "Compare the SIZE that a client announces with the limit.",
        spoken=(Spoken.SMTP,),
        severity=Severity.NOTICE,
        reference="RFC 1870 §6.1",
        steps=(ask(Step(send=b"MAIL FROM:<{sender}> SIZE=%d\r\n" % HUGE, needs="SIZE")),),
        judge=None,
        late=False,
        good=(Outcome.REFUSED, Outcome.CLOSED, Outcome.DEFERRED),
        unclear=(Outcome.SILENT,),
    ),
    _limit(
        "command-line",
        "a command line of 20,000 octets",
        "The server takes command lines without a limit.",
        "A stranger decides how much memory the server uses.",
        "Bring the server up to date.",
        spoken=(Spoken.SMTP,),
        reference="RFC 5321 §4.5.3.1.4",
        steps=(ask(Step(send=b"MAIL FROM:<" + b"a" * 20_000 + b"@{ehlo}>\r\n")),),
        judge=None,
        late=False,
        good=(*REFUSED_OR_CLOSED, Outcome.DEFERRED),
        unclear=(Outcome.SILENT,),
    ),
    _limit(
        "endless-line",
        "a line of a quarter of a million octets",
        "The server takes a line of a quarter of a million octets for a command.",
        "A stranger decides how much memory the server uses.",
        "Bring the server up to date.",
        steps=(ask(Step(send=b"X" * 262_144 + b"\r\n")),),
        severity=Severity.NOTICE,
        reference="RFC 5321 §4.5.3.1.4",
        judge=None,
        good=(*REFUSED_OR_CLOSED, Outcome.DEFERRED),
        unclear=(Outcome.SILENT,),
        seconds=40.0,
    ),
    _limit(
        "text-line",
        "a line of text of 100,000 octets",
        "The server breaks off at a long line of text.",
        "RFC 5321 allows 998 octets; servers may take more, or refuse the mail, but in words.",
        "Refuse it with a reply.",
        spoken=(Spoken.SMTP,),
        severity=Severity.NOTICE,
        reference="RFC 5321 §4.5.3.1.6",
        needs=(Need.RECIPIENT,),
        steps=hand_in(mail("One long line", text="x" * 100_000 + "\r\n")),
        judge=None,
        late=False,
        good=(Outcome.ACCEPTED, Outcome.REFUSED),
    ),
    _limit(
        "literal",
        "a literal of a terabyte before the login",
        "The server invites a stranger to send a terabyte.",
        "A stranger decides how much memory or disk the server uses.",
        "Bring the server up to date (Dovecot: imap_max_line_length).",
        spoken=(Spoken.IMAP,),
        severity=Severity.WARNING,
        reference="RFC 9051 §4.3",
        steps=(ask(Step(send=b"l LOGIN {%d}\r\n" % HUGE)),),
        judge=None,
        late=False,
        good=(*REFUSED_OR_CLOSED, Outcome.DEFERRED),
    ),
    _limit(
        "recipients",
        "1,200 recipients for one mail",
        "The server takes any number of recipients for one mail.",
        "One stolen password, or one forged mail, reaches everybody in the house at once.",
        "Limit them to some hundred (Postfix: smtpd_recipient_limit; Exim: recipients_max).",
        spoken=(Spoken.SMTP,),
        severity=Severity.NOTICE,
        reference="RFC 5321 §4.5.3.1.8",
        needs=(Need.RECIPIENT,),
        play=_recipients,
        judge=_judge_recipients,
    ),
    _limit(
        "connections",
        "many connections at the same time",
        "The server greets any number of connections from one address.",
        "One machine can take all the places, and nobody else's mail gets in.",
        "Limit connections by address (Postfix: smtpd_client_connection_count_limit; Exim: smtp_accept_max_per_host; "
        "Dovecot: client_limit and process_limit of the login services, or the firewall).",
        severity=Severity.NOTICE,
        reference="practice 10",
        play=_crowd,
        judge=_judge_crowd,
    ),
    _limit(
        "noops",
        "300 empty commands",
        "The server lets a client go on for ever without mail.",
        "Connections are kept busy for nothing; no honest client does that.",
        "End the session after some dozens (Postfix: smtpd_junk_command_limit).",
        severity=Severity.INFO,
        play=_empty_commands,
    ),
    _limit(
        "harvest",
        "fifty guesses at addresses",
        "The server lets strangers guess addresses as fast as they can.",
        "Lists of people to spam, or to guess passwords for, are made that way.",
        "End the session after some unknown recipients, or slow it down (Postfix: smtpd_soft_error_limit and "
        "smtpd_hard_error_limit; Exim: ratelimit in acl_smtp_rcpt).",
        spoken=(Spoken.SMTP,),
        severity=Severity.WARNING,
        reference="RFC 5321 §7.3",
        play=_harvest,
    ),
    _limit(
        "errors",
        "forty wrong commands",
        "The server goes on with a client that gets everything wrong.",
        "It is a robot that tries things; there is nothing to gain in listening.",
        "End the session after a few errors (Postfix: smtpd_hard_error_limit; Exim: smtp_max_unknown_commands).",
        severity=Severity.NOTICE,
        reference="practice 10",
        play=_wrong_commands,
    ),
    _limit(
        "idle",
        "a session in which nothing is said",
        "The server keeps sessions in which nothing is said.",
        "A few thousand of these, from one machine, and nobody else gets in.",
        "End them after five to ten minutes (Postfix: smtpd_timeout).",
        reference="RFC 5321 §4.5.3.2.7; RFC 1939 §3",
        severity=Severity.NOTICE,
        play=_sit_idle,
        **_TIME,
    ),
    _limit(
        "slow-command",
        "a command that comes octet by octet and never ends",
        "The server waits for ever for a command that comes octet by octet.",
        "A few thousand of these, from one machine, and nobody else gets in (slowloris).",
        "Limit the time of a whole command, not of an octet (Postfix: smtpd_per_request_deadline).",
        severity=Severity.NOTICE,
        reference="RFC 5321 §4.5.3.2",
        play=_dripped,
        **_TIME,
    ),
    _limit(
        "slow-data",
        "a mail that comes octet by octet",
        "The server waits for ever for a mail that comes octet by octet.",
        "A few thousand of these, from one machine, and nobody else gets in (slowloris).",
        "Demand a least rate of data (Postfix: smtpd_per_request_deadline with smtpd_min_data_rate).",
        spoken=(Spoken.SMTP,),
        severity=Severity.NOTICE,
        reference="RFC 5321 §4.5.3.2.5",
        play=_dripped_data,
        **(_TIME | {"needs": (Need.TIME, Need.RECIPIENT)}),
    ),
)
