"""Passwords: in the clear, by default, empty, and how often one may guess.

In: nothing. Out: `SCENARIOS`. Standard: RFC 4954 §4 and §6, RFC 8314 §3 (TLS first), RFC 9051 §6.2.3 (LOGINDISABLED),
RFC 2595, RFC 1939 §7. Names that exist nowhere are used to ask; those that exist get two tries each, and the first sign
of a lock ends all. Not here: TLS itself (`tls`).
"""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence

from gatepost.audit.probe.aim import Aim, Need
from gatepost.audit.probe.judging import describe, failed, passed, untested
from gatepost.audit.probe.scenario import Group, Judged, Played, Scenario, World
from gatepost.audit.probe.speech import goodbye, plain_login, session
from gatepost.finding import Severity
from gatepost.ports.prober import Spoken
from gatepost.ports.visitor import Call, Kind, Outcome, Reply, Step, Visit

ALL = (Spoken.SMTP, Spoken.IMAP, Spoken.POP3)
# What devices and howtos come with; two a name at most, so that no account is locked by us.
DEFAULTS: tuple[tuple[str, str], ...] = (
    ("admin", "admin"),
    ("admin", "password"),
    ("postmaster", "postmaster"),
    ("root", "root"),
    ("test", "test"),
    ("user", "password"),
    ("info", "info"),
    ("scanner", "scanner"),
    ("guest", "guest"),
)
GUESSES = 8
SLOW = 3.0  # seconds for an answer from which on nobody needs to guess any more
SESSION = 25.0  # seconds for one session of guesses
_LOCKED = re.compile(r"(?i)lock|block|too many|suspend|disabled|banned|try again|rate limit|later")
_TLS_FIRST = re.compile(
    r"(?i)starttls|stls|\b(tls|ssl)\b|encrypt|secure|plaintext|cleartext|privacyrequired|5\.7\.1[01]"
)
_NO_LOGIN = "no login is offered here"


def attempt(aim: Aim, name: str, password: str) -> tuple[Step, ...]:
    """One try, in the way that the protocol has it; the last reply is the answer."""
    if aim.target.spoken is Spoken.SMTP:
        if _mechanisms(aim) and "PLAIN" not in _mechanisms(aim) and "LOGIN" in _mechanisms(aim):
            words = [base64.b64encode(word.encode()) + b"\r\n" for word in (name, password)]
            user, secret = (Step(send=word, refusals=True, secret=True) for word in words)
            return (Step(send=b"AUTH LOGIN\r\n", refusals=True), user, secret)
        step = plain_login(name, password)
        return (Step(send=step.send, secret=True, refusals=True),)
    if aim.target.spoken is Spoken.IMAP:
        return (Step(send=f'l LOGIN "{name}" "{password}"\r\n'.encode(), refusals=True, secret=True),)
    return (
        Step(send=f"USER {name}\r\n".encode(), refusals=True),
        Step(send=f"PASS {password}\r\n".encode(), refusals=True, secret=True),
    )


def _mechanisms(aim: Aim) -> list[str]:
    return aim.parameter("AUTH").split()


def offers_login(aim: Aim, offers: Sequence[str]) -> bool:
    """Whether `offers` invite a password as it is."""
    words = {offer.split(" ")[0]: offer for offer in offers}
    if aim.target.spoken is Spoken.SMTP:
        return bool({"PLAIN", "LOGIN"} & set(words.get("AUTH", "").split()[1:])) or "AUTH=PLAIN" in words
    if aim.target.spoken is Spoken.IMAP:
        return "LOGINDISABLED" not in words
    return "USER" in words or "PLAIN" in words.get("SASL", "").split()


async def _say_nothing(world: World, aim: Aim, scenario: Scenario) -> Played:
    """The first visit has heard what is needed."""
    return Played(visits=())


def _judge_offered(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    if offers_login(aim, aim.offers):
        return failed("it invites a password before TLS: " + ", ".join(aim.offers)[:200])
    return passed("no password is asked for before TLS")


async def _try_in_the_clear(world: World, aim: Aim, scenario: Scenario) -> Played:
    steps = (*session(aim, secure=False), *attempt(aim, f"nobody-{aim.mark.replace('.', '-')}", "not-a-password"))
    call = Call(target=aim.target, steps=aim.fill((*steps, goodbye(aim))), source=aim.source)
    return Played(visits=(await world.visitor.visit(call),))


def _judge_in_the_clear(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """Tried and found wrong is what it must not be: it must not even be looked at."""
    visit = played.visits[0]
    reply = _answer(visit)
    if reply is None:
        return passed("it hung up") if visit.outcome is Outcome.CLOSED and visit.reached else untested(describe(visit))
    looked_at = {
        Spoken.SMTP: reply.code in ("535", "235", "334", "454"),
        Spoken.IMAP: reply.code in ("NO", "OK"),
        Spoken.POP3: reply.code in ("-ERR", "+OK"),
    }[aim.target.spoken]
    if looked_at and not _TLS_FIRST.search(reply.text):
        return failed(f"it tried the password: {reply.text[:120]}")
    return passed(f"it did not look at it: {reply.text[:120]}")


def _answer(visit: Visit) -> Reply | None:
    """The answer to the password; None where it did not come to that."""
    answered = [said.replies[-1] for said in visit.said if said.secret and said.replies]
    return answered[-1] if answered else None


async def _try_pairs(world: World, aim: Aim, pairs: Sequence[tuple[str, str]]) -> Played:
    """One connection a try; the first success or sign of a lock ends it."""
    visits: list[Visit] = []
    hit, sign = "", ""
    for name, password in pairs:
        steps = (*session(aim, secure=aim.starttls), *attempt(aim, name, password), goodbye(aim))
        visit = await world.visitor.visit(Call(target=aim.target, steps=aim.fill(steps), source=aim.source))
        visits.append(visit)
        reply = _answer(visit)
        if reply is None or not reply.text:
            sign = describe(visit)
        elif reply.kind is Kind.GOOD and reply.code not in ("334", "+"):
            hit = f"{name} with {_hint(password, name)}"
        elif reply.kind is not Kind.NO or _LOCKED.search(reply.text):
            sign = reply.text
        elif reply.seconds >= SLOW:
            sign = f"it takes {reply.seconds:.0f} s to answer"
        if hit or sign:
            break
    return Played(visits=tuple(visits), notes={"hit": hit, "sign": sign, "tries": len(visits)})


def _hint(password: str, name: str) -> str:
    """Which one it was, without writing it into a report where it is the account's own."""
    if not password:
        return "an empty password"
    return "its own name as password" if password == name else f"the password {password!r}"


async def _try_defaults(world: World, aim: Aim, scenario: Scenario) -> Played:
    return await _try_pairs(world, aim, DEFAULTS)


async def _try_empty(world: World, aim: Aim, scenario: Scenario) -> Played:
    return await _try_pairs(world, aim, [(f"nobody-{aim.mark.replace('.', '-')}", ""), ("", "")])


async def _try_account(world: World, aim: Aim, scenario: Scenario) -> Played:
    local = aim.account.partition("@")[0]
    return await _try_pairs(world, aim, [(aim.account, ""), (aim.account, local)])


def _is_closed(reply: Reply) -> bool:
    """Whether no login is possible at all, which is not the same as a wrong password."""
    return reply.code in ("500", "502", "503", "504", "530", "538", "BAD") and not _LOCKED.search(reply.text)


def _judge_pairs(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    notes = played.notes
    if notes["hit"]:
        return failed(f"it let in {notes['hit']}")
    reply = _answer(played.visits[-1])
    if reply is not None and _is_closed(reply):
        return untested(f"{_NO_LOGIN}: {reply.text[:100]}")
    if reply is None and notes["tries"] == 1:
        return untested(notes["sign"])
    if notes["sign"]:
        return passed(f"{notes['tries']} tries, then stopped at a sign of a lock: {notes['sign'][:100]}")
    return passed(f"none of {notes['tries']} tries was let in")


async def _guess(world: World, aim: Aim, scenario: Scenario) -> Played:
    """Wrong passwords for an account that exists nowhere, in one session after the other."""
    visits: list[Visit] = []
    name = f"nobody-{aim.mark.replace('.', '-')}"
    for session_number in range(2):
        tries = [step for n in range(GUESSES) for step in attempt(aim, name, f"wrong-{session_number}-{n}")]
        steps = (*session(aim, secure=aim.starttls), *tries, goodbye(aim))
        call = Call(target=aim.target, steps=aim.fill(steps), source=aim.source, seconds=SESSION)
        visits.append(await world.visitor.visit(call))
        if any(reply.seconds >= 1.0 for reply in visits[-1].replies):
            break
    return Played(visits=tuple(visits))


def _judge_guess(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """Cutting off, asking to come later and slowing down are all good answers."""
    refusals = [said.replies[-1] for visit in played.visits for said in visit.said if said.secret and said.replies]
    ended = [visit for visit in played.visits if visit.outcome in (Outcome.CLOSED, Outcome.DEFERRED, Outcome.SILENT)]
    if not refusals:
        return untested(f"{_NO_LOGIN}: {describe(played.visits[0])}" if not ended else describe(ended[0]))
    if _LOCKED.search(refusals[0].text):
        return passed(f"after the tries before it was locked at once: {refusals[0].text[:100]}")
    if _is_closed(refusals[0]):
        return untested(f"{_NO_LOGIN}: {refusals[0].text[:100]}")
    if ended:
        return passed(f"after {len(refusals)} guesses: {describe(ended[0])}")
    slowest = max(reply.seconds for reply in refusals)
    if slowest >= 1.0:
        return passed(f"guesses are slowed down, to {slowest:.1f} s")
    return failed(f"{len(refusals)} wrong passwords in a row, each answered within {slowest:.2f} s")


_TLS_REMEDY = (
    "Offer logins inside TLS only (Postfix: smtpd_tls_auth_only = yes; Exim: auth_advertise_hosts = ${if "
    "def:tls_cipher{*}}; Dovecot: disable_plaintext_auth = yes, ssl = required)."
)


def _login(name: str, title: str, bad: str, why: str, remedy: str, **more: object) -> Scenario:
    given = {"spoken": ALL, "severity": Severity.DANGER, "group": Group.LOGIN} | more
    return Scenario(name=f"login-{name}", title=title, bad=bad, why=why, remedy=remedy, **given)  # type: ignore[arg-type]


SCENARIOS: tuple[Scenario, ...] = (
    _login(
        "plaintext-offered",
        "passwords before TLS, offered",
        "The server invites programs to send passwords in the clear.",
        "Whoever is on the way (a café's network, a hacked router) reads the password; and whoever strips STARTTLS off "
        "the answer gets it even from programs that would have used TLS.",
        _TLS_REMEDY,
        reference="RFC 8314 §3.3; RFC 4954 §4",
        needs=(Need.NO_TLS,),
        play=_say_nothing,
        judge=_judge_offered,
    ),
    _login(
        "plaintext-taken",
        "a password before TLS, sent all the same",
        "The server looks at passwords that come in the clear.",
        "A program that is set up wrongly works, so nobody notices that its password is readable on the way.",
        _TLS_REMEDY,
        reference="RFC 4954 §6; RFC 8314 §4.1",
        needs=(Need.NO_TLS,),
        play=_try_in_the_clear,
        judge=_judge_in_the_clear,
    ),
    _login(
        "default",
        "default accounts and passwords",
        "An account with a default password is open to everybody.",
        "These are tried by robots within minutes; the account then sends spam in your name.",
        "Give the account a password of its own, or remove it.",
        reference="practice 4",
        play=_try_defaults,
        judge=_judge_pairs,
        late=True,
        seconds=120.0,
    ),
    _login(
        "empty",
        "empty passwords and names",
        "The server lets people in without a password.",
        "Everybody can send mail as, or read the mail of, anybody.",
        "Find the rule that accepts an empty password (an LDAP bind with none succeeds as anonymous, for instance).",
        reference="RFC 4513 §6.3.1",
        play=_try_empty,
        judge=_judge_pairs,
        late=True,
    ),
    _login(
        "account",
        "the easiest passwords for the named account",
        "The account's password is empty, or its own name.",
        "It is the first thing that is tried.",
        "Change the password.",
        needs=(Need.ACCOUNT,),
        play=_try_account,
        judge=_judge_pairs,
        late=True,
    ),
    _login(
        "guessing",
        "many wrong passwords",
        "The server lets strangers guess passwords as fast as they can.",
        "At this speed a common password is found in hours.",
        "Slow wrong passwords down, end the session after a few, and block addresses that go on (fail2ban; Dovecot: "
        "auth_failure_delay and auth-penalty; Gatepost: [login]).",
        severity=Severity.WARNING,
        reference="practice 4",
        play=_guess,
        judge=_judge_guess,
        late=True,
        seconds=120.0,
    ),
)
