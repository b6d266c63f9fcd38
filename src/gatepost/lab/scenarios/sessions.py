"""Sessions that break the rules of SMTP, by mistake or to trick the server: most are the probe's own scenarios.

In: `Stage`. Out: steps. Standard: RFC 5321 §4.1.1.4 and §2.3.8 (end of data, CR and LF), RFC 3207 §4.2 (STARTTLS),
RFC 2920 §3.1 (pipelining), RFC 1870 §6.1 (SIZE). CVE-2023-51764, -51765, -51766 (smuggling), CVE-2011-0411 (injection).
Not here: their octets (`audit.probe.scenarios`), honest mail (`honest`), mail that lies (`spoofed`).
"""

from __future__ import annotations

from gatepost.audit.probe.aim import Aim
from gatepost.audit.probe.scenarios import BY_NAME
from gatepost.audit.probe.scenarios.smuggling import ENDS, TRUE_ENDS
from gatepost.audit.probe.scenarios.tls import INJECT
from gatepost.lab import cast
from gatepost.lab.letters import compose, envelope, hand_in, open_session
from gatepost.lab.scenario import Expected, Outcome, Scenario, Script, Stage, Step
from gatepost.ports.prober import Spoken, Target

CLIENT = "mail.shop.example"
REFUSED = (Outcome.REFUSED,)
REFUSED_OR_CLOSED = (Outcome.REFUSED, Outcome.CLOSED)
QUIET = 0.4  # seconds in which a fooled server would have answered


def _probed(name: str) -> Script:
    """The probe's scenario of this name, told whom it is about."""
    scenario = BY_NAME[name]

    def script(stage: Stage) -> tuple[Step, ...]:
        opening = open_session(CLIENT) if scenario.opens else ()
        return (*opening, *_aim(stage).fill(scenario.steps))

    return script


def _aim(stage: Stage) -> Aim:
    there = stage.target
    return Aim(
        target=Target(host=there.name, address=there.host, port=there.port, spoken=Spoken.SMTP),
        now=stage.now,
        mark=stage.mark,
        recipient=there.recipient,
        domain=there.domain,
        sender="orders@shop.example",
        outside="victim@elsewhere.example",
        ehlo=CLIENT,
    )


def _unknown(stage: Stage) -> tuple[Step, ...]:
    to = f"nobody-{stage.mark}@{stage.target.domain}"
    raw = compose(stage, "Shop <orders@shop.example>", "Your order", to=to)
    return hand_in(stage, CLIENT, "orders@shop.example", raw, to=to)


def _injected(stage: Stage) -> tuple[Step, ...]:
    """RFC 3207 §4.2 and CVE-2011-0411: what comes before the handshake must not count after it."""
    return (*open_session(CLIENT), Step(send=INJECT[Spoken.SMTP], needs="STARTTLS", tls=True, quiet=QUIET))


def _plain_password(stage: Stage) -> tuple[Step, ...]:
    return (*open_session(CLIENT), Step(send=b"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"))


def _guesses(stage: Stage) -> tuple[Step, ...]:
    """Fifty guesses at recipients: the server must lose patience."""
    steps = tuple(
        Step(send=f"RCPT TO:<user{n}-{stage.mark}@{stage.target.domain}>\r\n".encode(), refusals=True)
        for n in range(50)
    )
    mail = envelope(stage, "orders@shop.example")[0]
    return (*open_session(CLIENT), mail, *steps)


def _session(name: str, title: str, script: Script, expected: Expected, why: str, source: str = cast.SHOP) -> Scenario:
    return Scenario(name=name, title=title, good=False, source=source, script=script, expected=expected, why=why)


def _smuggling(name: str, _: bytes, words: str) -> Scenario:
    return _session(
        f"smuggling-{name}",
        f"smuggling: a second mail behind {words}",
        _probed(f"smuggling-{name}"),
        Expected(outcomes=REFUSED_OR_CLOSED),
        "Only CRLF.CRLF ends a mail; a CR or LF that stands alone is refused.",
    )


SCENARIOS: tuple[Scenario, ...] = (
    _session(
        "relay",
        "mail for somebody else's domain",
        _probed("relay-plain"),
        Expected(outcomes=REFUSED, reply_codes=("55",)),
        "The server takes mail for its own domains only.",
    ),
    _session(
        "relay-routed",
        "the same, hidden in the local part",
        _probed("relay-percent"),
        Expected(outcomes=REFUSED, reply_codes=("55",)),
        "user%other@ours is a relay attempt in an old spelling.",
    ),
    _session(
        "unknown-recipient",
        "a recipient that does not exist",
        _unknown,
        Expected(outcomes=REFUSED, reply_codes=("55",)),
        "Refused in the session, so that no bounce goes to a stranger.",
    ),
    _session(
        "address-harvest",
        "fifty guesses at addresses",
        _guesses,
        Expected(outcomes=(Outcome.DEFERRED, Outcome.CLOSED)),
        "After some wrong recipients the server ends the session.",
    ),
    *(_smuggling(*end) for end in ENDS if end[0] not in TRUE_ENDS and b"\0" not in end[1]),
    _session(
        "bare-lf",
        "a line that ends in LF alone",
        _probed("bare-lf"),
        Expected(outcomes=REFUSED, reply_codes=("5",)),
        "Servers differ in what they make of it; that difference is what smuggling needs.",
    ),
    _session(
        "starttls-injection",
        "a command slipped in behind STARTTLS",
        _injected,
        Expected(outcomes=(Outcome.ACCEPTED, Outcome.REFUSED, Outcome.CLOSED)),
        "What came in the clear must not count as said inside TLS.",
    ),
    _session(
        "early-talker",
        "talking before the greeting",
        _probed("early-talker"),
        Expected(outcomes=REFUSED_OR_CLOSED),
        "Spam software does not wait; mail servers do.",
        cast.HOSTER,
    ),
    _session(
        "pipelined-data",
        "the mail sent along with DATA, recipient unknown",
        _probed("pipelined-data"),
        Expected(outcomes=REFUSED_OR_CLOSED),
        "Without a valid recipient the mail's lines must not be taken for commands that succeed.",
    ),
    _session(
        "long-command",
        "a command line of 20,000 octets",
        _probed("limit-command-line"),
        Expected(outcomes=REFUSED_OR_CLOSED),
        "Lines have a limit; what is over it is refused, not kept.",
    ),
    _session(
        "long-text-line",
        "a text line of 100,000 octets",
        _probed("limit-text-line"),
        Expected(outcomes=(Outcome.ACCEPTED, Outcome.REFUSED)),
        "The RFC allows 998; servers may take more or refuse, but must not break the line.",
    ),
    _session(
        "oversize",
        "a mail announced with a terabyte",
        _probed("limit-oversize"),
        Expected(outcomes=REFUSED, reply_codes=("552",)),
        "Refused at MAIL, before a single octet is sent (RFC 1870).",
    ),
    _session(
        "nul-in-command",
        "a NUL in the sender's address",
        _probed("nul-in-command"),
        Expected(outcomes=REFUSED_OR_CLOSED),
        "Control characters have no place in an address.",
    ),
    _session(
        "cr-in-sender",
        "a CR in the sender's address",
        _probed("cr-in-sender"),
        Expected(outcomes=REFUSED_OR_CLOSED),
        "It would write lines of the sender's choice into logs and fields.",
    ),
    _session(
        "out-of-order",
        "DATA before MAIL",
        _probed("out-of-order"),
        Expected(outcomes=REFUSED, reply_codes=("503",)),
        "The order of commands is fixed.",
    ),
    _session(
        "password-in-the-clear",
        "a password without TLS",
        _plain_password,
        Expected(outcomes=REFUSED_OR_CLOSED),
        "Passwords are never taken in the clear.",
    ),
    _session(
        "http-request",
        "a web browser's request",
        _probed("http-request"),
        Expected(outcomes=REFUSED_OR_CLOSED),
        "It is no SMTP; such clients are cut off or refused.",
        cast.HOSTER,
    ),
)
