"""Who has a mailbox here? What a server tells strangers of its people.

In: nothing. Out: `SCENARIOS`. Standard: RFC 5321 §3.5 and §7.3 (VRFY, EXPN), §4.5.1 (postmaster).
Not here: the limit on guesses (`limits`), passwords (`login`).
"""

from __future__ import annotations

from statistics import median

from gatepost.audit.probe.aim import Aim, Need
from gatepost.audit.probe.judging import by_outcome, describe, failed, passed, untested
from gatepost.audit.probe.scenario import Group, Judged, Played, Scenario, World
from gatepost.audit.probe.speech import GREETING, MAIL, QUIT, ask, session
from gatepost.finding import Severity
from gatepost.ports.visitor import Call, Kind, Outcome, Step, Visit

ROUNDS = 6
LEAK = 0.05  # seconds between medians that somebody far away can still measure
_KNOWN, _UNKNOWN = b"RCPT TO:<{recipient}>\r\n", b"RCPT TO:<nobody-%d-{mark}@{domain}>\r\n"


def _verified(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """250 and 251 tell; 252 ("cannot verify, but will try") does not, and is what RFC 5321 §3.5.3 asks for."""
    visit = played.visits[0]
    codes = [reply.code for said in visit.said if said.question for reply in said.replies]
    if codes and all(code == "252" for code in codes):
        return passed(describe(visit))
    telling = {code for code in codes if code in ("250", "251", "550", "551", "553")}
    if "250" in telling or "251" in telling:
        return failed(f"it answers {', '.join(codes)}")
    if len(set(codes)) > 1 and telling:
        return failed(f"it answers differently for people that exist: {', '.join(codes)}")
    return by_outcome(visit, scenario)


async def _answers(world: World, aim: Aim, scenario: Scenario) -> Played:
    """A recipient that exists and one that does not, several times in turn."""
    steps: list[Step] = [*session(aim), MAIL]
    for number in range(ROUNDS):
        for octets in (_KNOWN, _UNKNOWN % number if b"%d" in _UNKNOWN else _UNKNOWN):
            steps.append(Step(send=octets, refusals=True, question=True))
    call = Call(target=aim.target, steps=aim.fill((*steps, QUIT)), source=aim.source)
    return Played(visits=(await world.visitor.visit(call),))


def _pairs(visit: Visit) -> tuple[list[float], list[float], set[Kind], set[Kind]]:
    replies = [said.replies[-1] for said in visit.said if said.question and said.replies]
    known, unknown = replies[::2], replies[1::2]
    return (
        [reply.seconds for reply in known],
        [reply.seconds for reply in unknown],
        {reply.kind for reply in known},
        {reply.kind for reply in unknown},
    )


def _judge_answers(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """To refuse in the session is right, although it tells; to take everybody means bounces to innocents later."""
    visit = played.visits[0]
    _, _, known, unknown = _pairs(visit)
    if not known or Kind.GOOD not in known or not unknown:
        return untested(f"the recipient of --to was not accepted: {describe(visit)}")
    if unknown == {Kind.GOOD}:
        return failed("it takes a recipient that cannot exist")
    return passed("a recipient that cannot exist is refused in the session")


def _judge_timing(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    visit = played.visits[0]
    known_times, unknown_times, known, unknown = _pairs(visit)
    if len(unknown_times) < 3:
        return untested(f"too few answers to compare: {describe(visit)}")
    one, other = median(known_times), median(unknown_times)
    seconds = {"known": round(one, 4), "unknown": round(other, 4)}
    said = f"{one * 1000:.1f} ms for one that exists, {other * 1000:.1f} ms for one that does not"
    if known != unknown:
        return passed(f"the answers differ anyway, so their time tells nothing more ({said})", seconds=seconds)
    if abs(one - other) > LEAK and abs(one - other) > 3 * min(one, other):
        return failed(said, seconds=seconds)
    return passed(said, seconds=seconds)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(
        name="vrfy",
        group=Group.RECIPIENTS,
        title="VRFY, to learn who exists",
        bad="The server tells strangers whether a mailbox exists (VRFY).",
        why="Lists of people to spam, or to guess passwords for, are made that way, without a trace in any mailbox.",
        remedy="Answer 252 or 502 to VRFY (Postfix: disable_vrfy_command = yes; Exim: no acl_smtp_vrfy).",
        reference="RFC 5321 §7.3",
        steps=(
            Step(send=b"VRFY {recipient}\r\n", refusals=True, question=True),
            Step(send=b"VRFY {unknown}\r\n", question=True),
        ),
        judge=_verified,
    ),
    Scenario(
        name="expn",
        group=Group.RECIPIENTS,
        title="EXPN, to learn who is behind a list",
        bad="The server tells strangers who is behind an alias or a list (EXPN).",
        why="It gives away addresses that nobody published.",
        remedy="Answer 502 to EXPN (Exim: no acl_smtp_expn; OpenSMTPD and Postfix have none).",
        reference="RFC 5321 §7.3",
        steps=(ask(Step(send=b"EXPN postmaster\r\n")),),
        judge=_verified,
    ),
    Scenario(
        name="unknown-recipient",
        group=Group.RECIPIENTS,
        title="a recipient that cannot exist",
        bad="The server accepts mail for people that do not exist.",
        why="It must then bounce it to a sender that is most often forged: innocents get them (backscatter), and "
        "the server gets listed.",
        remedy="Check recipients in the session (Postfix: reject_unlisted_recipient, relay_recipient_maps, or "
        "reject_unverified_recipient in front of another server; Exim: verify = recipient).",
        reference="RFC 5321 §4.2.5; RFC 3834 §2",
        needs=(Need.RECIPIENT,),
        play=_answers,
        judge=_judge_answers,
    ),
    Scenario(
        name="rcpt-timing",
        group=Group.RECIPIENTS,
        title="the time that answers to RCPT take",
        bad="How long the answer to RCPT takes tells whether a mailbox exists, although the answer itself does not.",
        why="With a stop watch one gets the same list as with VRFY.",
        remedy="Answer after the same work for both, or refuse unknown recipients openly and limit the guesses.",
        severity=Severity.NOTICE,
        needs=(Need.RECIPIENT,),
        play=_answers,
        judge=_judge_timing,
    ),
    Scenario(
        name="postmaster",
        group=Group.RECIPIENTS,
        title="mail for the postmaster",
        bad="The server refuses mail for its postmaster.",
        why="Who sees trouble with your mail writes there; lists take domains without one as a bad sign.",
        remedy="Accept postmaster for every domain, from everybody, and read it.",
        severity=Severity.NOTICE,
        reference="RFC 5321 §4.5.1",
        needs=(Need.DOMAIN,),
        steps=(MAIL, ask(Step(send=b"RCPT TO:<postmaster@{domain}>\r\n"))),
        good=(Outcome.ACCEPTED,),
    ),
    Scenario(
        name="banner",
        group=Group.RECIPIENTS,
        title="the greeting",
        bad="The greeting tells strangers which version of which program runs here.",
        why="Who looks for servers with a known hole needs only to read it.",
        remedy="Greet with the host's name alone (Postfix: smtpd_banner = $myhostname ESMTP; Exim: smtp_banner).",
        severity=Severity.INFO,
        opens=False,
        steps=(ask(GREETING),),
        judge=lambda played, aim, scenario: _judge_banner(played.visits[0]),
    ),
)


def _judge_banner(visit: Visit) -> Judged:
    text = visit.replies[0].text if visit.replies else ""
    if not text:
        return untested(describe(visit))
    versions = [word for word in text.split() if _is_version(word)]
    return failed(f"it says {text[:120]}") if versions else passed(f"it says {text[:120]}")


def _is_version(word: str) -> bool:
    """4.96 is one; 127.0.0.1 and 10:12:13.5 are not."""
    numbers = word.strip("();,").split(".")
    return 1 < len(numbers) < 4 and all(number.isdigit() for number in numbers)
