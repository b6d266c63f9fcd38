"""Lines and orders that no good client sends.

In: nothing. Out: `SCENARIOS`. Standard: RFC 5321 §2.3.8 (CR and LF), §4.1.1 (order), §4.5.3.1 (lengths), RFC 2920 §3.1
(pipelining), RFC 6152 (8BITMIME), RFC 6531 (SMTPUTF8), RFC 9051 §2.2.1, RFC 1939 §3. The lab plays the same ones.
Not here: lines that end a mail (`smuggling`), how many (`limits`), fields of mails (`spoofing`).
"""

from __future__ import annotations

from gatepost.audit.probe.aim import Aim, Need
from gatepost.audit.probe.judging import by_outcome, describe, failed, passed, untested
from gatepost.audit.probe.scenario import Group, Judged, Played, Scenario
from gatepost.audit.probe.speech import DATA, GREETING, MAIL, ask, hand_in, mail
from gatepost.finding import Severity
from gatepost.ports.prober import Spoken
from gatepost.ports.visitor import Kind, Outcome, Step

REFUSED = (Outcome.REFUSED,)
REFUSED_OR_CLOSED = (Outcome.REFUSED, Outcome.CLOSED)
QUIET = 0.4  # seconds in which an answer would have come

EARLY = (Step(send=b"EHLO {ehlo}\r\nMAIL FROM:<{sender}>\r\n", replies=0), ask(GREETING))
HTTP = b"POST / HTTP/1.1\r\nHost: mx\r\nContent-Length: 60\r\n\r\nEHLO a\r\nMAIL FROM:<{sender}>\r\n"
_HASTY = mail("Hasty, from gatepost probe", fields=["To: {unknown}"])
PIPELINED = Step(
    send=b"MAIL FROM:<{sender}>\r\nRCPT TO:<{unknown}>\r\nDATA\r\n" + _HASTY + b".\r\n", replies=2, question=True
)


def _judge_early(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """A server that greets as if nothing had happened is no danger; only spam gets through more easily."""
    visit = played.visits[0]
    if visit.outcome is Outcome.ACCEPTED and visit.asked:
        return failed(f"it greeted all the same: {describe(visit)}")
    return by_outcome(visit, scenario)


def _judge_pipelined(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """The recipient must have been refused; then the mail's first line must not be obeyed."""
    visit = played.visits[0]
    if visit.asked and visit.outcome is Outcome.ACCEPTED:
        return untested("the server took a recipient that cannot exist")
    return by_outcome(visit, scenario)


def _judge_lf(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    """An error, a farewell and silence are all good."""
    visit = played.visits[0]
    if not visit.asked:
        return by_outcome(visit, scenario)
    if visit.outcome is Outcome.FOOLED and visit.decisive is not None and visit.decisive.kind is Kind.GOOD:
        return failed(f"it answered {visit.decisive.text[:80]}")
    return passed("it waits for CRLF" if visit.outcome is Outcome.ACCEPTED else describe(visit))


def _judge_eight_bits(played: Played, aim: Aim, scenario: Scenario) -> Judged:
    visit = played.visits[0]
    if visit.asked and visit.outcome is Outcome.ACCEPTED:
        return passed("accepted as it is")
    if visit.asked and visit.outcome is Outcome.REFUSED:
        return passed(f"refused openly ({describe(visit)})")
    return by_outcome(visit, scenario)


def _odd(name: str, title: str, bad: str, why: str, remedy: str, *steps: Step, **more: object) -> Scenario:
    given = {"group": Group.SYNTAX, "steps": steps, "good": REFUSED_OR_CLOSED, "severity": Severity.NOTICE} | more
    return Scenario(name=name, title=title, bad=bad, why=why, remedy=remedy, **given)  # type: ignore[arg-type]


_BARE = "Servers differ in what they make of it; that difference is what smuggling needs."
_BARE_REMEDY = "Refuse CR and LF that stand alone (Postfix 3.9: smtpd_forbid_bare_newline = reject)."
_CURRENT = "Bring the server up to date; nothing of this kind is needed by any honest client."

SCENARIOS: tuple[Scenario, ...] = (
    _odd(
        "bare-lf",
        "a line of text that ends in LF alone",
        "The server takes mail in which an LF stands alone.",
        _BARE,
        _BARE_REMEDY,
        *hand_in(mail("An LF alone").replace(b"Hello,\r\n", b"Hello,\n")),
        needs=(Need.RECIPIENT,),
        reference="RFC 5321 §2.3.8",
    ),
    _odd(
        "bare-cr",
        "a CR alone in the text",
        "The server takes mail in which a CR stands alone.",
        _BARE,
        _BARE_REMEDY,
        *hand_in(mail("A CR alone").replace(b"Hello,\r\n", b"Hello,\rall,\r\n")),
        needs=(Need.RECIPIENT,),
        reference="RFC 5321 §2.3.8",
    ),
    _odd(
        "bare-lf-header",
        "an LF alone in the header section",
        "The server takes mail whose header section has an LF standing alone.",
        "Programs differ in where the header section ends: one filter sees another mail than the reader.",
        _BARE_REMEDY,
        *hand_in(mail("An LF alone").replace(b"MIME-Version: 1.0\r\n", b"MIME-Version: 1.0\n")),
        needs=(Need.RECIPIENT,),
        reference="RFC 5321 §2.3.8; RFC 5322 §2.1",
    ),
    _odd(
        "nul-in-text",
        "a NUL in the text",
        "The server takes mail with NUL octets.",
        "Programs that end a text at NUL see less of the mail than the reader does.",
        "Refuse them (Postfix: message_reject_characters = \\0).",
        *hand_in(mail("A NUL").replace(b"Hello,", b"Hel\0lo,")),
        needs=(Need.RECIPIENT,),
        reference="RFC 5322 §4",
    ),
    _odd(
        "lf-command",
        "a command that ends in LF alone",
        "The server takes commands that end in LF alone.",
        "It is a sign of a reader that is not strict; where mail is read in the same way, it can be smuggled in.",
        "Take CRLF only, at least from strangers (Postfix 3.9 does with smtpd_forbid_bare_newline = reject).",
        Step(send=b"NOOP\n", replies=0, quiet=QUIET, question=True),
        severity=Severity.INFO,
        reference="RFC 5321 §2.3.8",
        judge=_judge_lf,
    ),
    _odd(
        "nul-in-command",
        "a NUL in the sender's address",
        "The server takes an address with a NUL in it.",
        "What comes behind NUL is not seen by programs that end there.",
        _CURRENT,
        ask(Step(send=b"MAIL FROM:<or\0ders@{ehlo}>\r\n")),
        severity=Severity.WARNING,
        reference="RFC 5321 §4.1.2",
    ),
    _odd(
        "cr-in-sender",
        "a CR in the sender's address",
        "The server takes an address with a CR in it.",
        "It would write lines of the sender's choice into logs and header fields.",
        _CURRENT,
        ask(Step(send=b"MAIL FROM:<a\rRCPT TO:<b@{ehlo}>\r\n")),
        severity=Severity.WARNING,
        reference="RFC 5321 §4.1.2",
    ),
    _odd(
        "cr-in-ehlo",
        "a CR in EHLO's name",
        "The server takes a name in EHLO with a CR in it.",
        "The name is written into the Received field: the sender could write fields of his choice.",
        _CURRENT,
        GREETING,
        ask(Step(send=b"EHLO a\rX-Injected: yes\r\n")),
        opens=False,
        severity=Severity.NOTICE,
        reference="RFC 5321 §4.1.1.1",
    ),
    _odd(
        "junk-in-ehlo",
        "an EHLO whose name is no name",
        "The server takes anything for a name in EHLO.",
        "Spam software often sends what is no name; honest servers never do.",
        "Refuse it (Postfix: reject_invalid_helo_hostname).",
        GREETING,
        ask(Step(send=b"EHLO <script>&;|\r\n")),
        opens=False,
        severity=Severity.INFO,
        reference="RFC 5321 §4.1.4",
    ),
    _odd(
        "parameter-injection",
        "an unknown parameter behind the sender",
        "The server takes parameters that it does not know.",
        "It says yes to wishes that it cannot fulfil, such as encryption on the whole way.",
        _CURRENT,
        ask(Step(send=b"MAIL FROM:<{sender}> X-NOBODY-KNOWS=1\r\n")),
        reference="RFC 5321 §4.1.1.11",
    ),
    _odd(
        "early-talker",
        "talking before the greeting",
        "The server does not mind clients that talk before its greeting.",
        "Spam software does not wait; mail servers do. It is the cheapest of all spam filters.",
        "Wait some seconds before the greeting and refuse who talks (Postfix: postscreen_greet_action = enforce).",
        *EARLY,
        opens=False,
        severity=Severity.INFO,
        reference="RFC 5321 §4.3.1",
        judge=_judge_early,
    ),
    _odd(
        "pipelined-data",
        "the mail sent along with DATA, the recipient unknown",
        "Lines of a mail are taken for commands when its recipient is refused.",
        "A mail's text could then hold a session of its own.",
        "End the session of clients that pipeline wrongly (Postfix: reject_unauth_pipelining).",
        PIPELINED,
        reference="RFC 2920 §3.1",
        judge=_judge_pipelined,
    ),
    _odd(
        "out-of-order",
        "DATA before MAIL",
        "The server takes DATA without a sender.",
        "The order of commands is fixed; a server that forgets it may forget checks that hang on it.",
        _CURRENT,
        ask(DATA),
        severity=Severity.WARNING,
        reference="RFC 5321 §4.1.4",
    ),
    _odd(
        "data-without-recipient",
        "DATA without a recipient",
        "The server takes DATA without a recipient.",
        "The order of commands is fixed; a server that forgets it may forget checks that hang on it.",
        _CURRENT,
        MAIL,
        ask(DATA),
        severity=Severity.NOTICE,
        reference="RFC 5321 §3.3",
    ),
    _odd(
        "http-request",
        "a web browser's request",
        "The server goes on talking to a web browser.",
        "A page could make its readers' browsers send mail through a server that trusts their addresses.",
        "End the session at HTTP's commands (Postfix: smtpd_forbidden_commands has CONNECT, GET and POST).",
        GREETING,
        ask(Step(send=HTTP)),
        opens=False,
        severity=Severity.WARNING,
        reference="practice 9",
    ),
    _odd(
        "eight-bits",
        "octets above 127 without their being announced",
        "The server cuts off mail with octets above 127.",
        "They are everyday in what old programs send.",
        "Announce 8BITMIME, or refuse such mail openly.",
        *hand_in(mail("Eight bits").replace(b"Hello,", "Grüße,".encode("latin-1"))),
        needs=(Need.RECIPIENT,),
        reference="RFC 6152 §3",
        judge=_judge_eight_bits,
    ),
    _odd(
        "utf8-address",
        "an address in UTF-8 without SMTPUTF8",
        "The server takes an address in UTF-8 from a client that did not ask for it.",
        "The next server may not take it, and the mail bounces, or reaches somebody else.",
        "Take such addresses only with the parameter SMTPUTF8.",
        ask(Step(send="MAIL FROM:<jürgen@{ehlo}>\r\n".encode())),
        severity=Severity.INFO,
        reference="RFC 6531 §3.5",
    ),
    _odd(
        "imap-out-of-order",
        "SELECT before the login",
        "The server opens mailboxes before anybody has logged in.",
        "Everybody can read everybody's mail.",
        _CURRENT,
        ask(Step(send=b"a SELECT INBOX\r\n")),
        spoken=(Spoken.IMAP,),
        severity=Severity.DANGER,
        reference="RFC 9051 §6.3",
    ),
    _odd(
        "imap-nul",
        "a NUL in a command",
        "The server takes a command with a NUL in it.",
        "What comes behind NUL is not seen by programs that end there.",
        _CURRENT,
        ask(Step(send=b"a NOOP\0 x\r\n")),
        spoken=(Spoken.IMAP,),
        reference="RFC 9051 §9",
    ),
    _odd(
        "pop3-out-of-order",
        "LIST before the login",
        "The server shows mail before anybody has logged in.",
        "Everybody can read everybody's mail.",
        _CURRENT,
        ask(Step(send=b"LIST\r\n")),
        spoken=(Spoken.POP3,),
        severity=Severity.DANGER,
        reference="RFC 1939 §4",
    ),
)
