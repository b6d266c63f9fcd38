"""Sessions that break the rules of SMTP, by mistake or to trick the server.

In: `Stage`. Out: steps. Standard: RFC 5321 §4.1.1.4 and §2.3.8 (end of data, CR and LF), RFC 3207 §4.2 (STARTTLS),
RFC 2920 §3.1 (pipelining), RFC 1870 §6.1 (SIZE). CVE-2023-51764, -51765, -51766 (smuggling), CVE-2011-0411 (injection).
Not here: honest mail (`honest`), mail that lies (`spoofed`).
"""

from __future__ import annotations

from gatepost.lab import cast
from gatepost.lab.letters import GREETING, QUIT, compose, envelope, hand_in, open_session, stuffed
from gatepost.lab.scenario import Expected, Outcome, Scenario, Script, Stage, Step

REFUSED = (Outcome.REFUSED,)
REFUSED_OR_CLOSED = (Outcome.REFUSED, Outcome.CLOSED)
QUIET = 0.4  # seconds in which a fooled server would have answered
HUGE = 1 << 40


def _relay(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Shop <orders@shop.example>", "Through you", to="victim@elsewhere.example")
    return hand_in(stage, "mail.shop.example", "orders@shop.example", raw, to="victim@elsewhere.example")


def _routed_relay(stage: Stage) -> tuple[Step, ...]:
    to = f"victim%elsewhere.example@{stage.target.domain}"
    raw = compose(stage, "Shop <orders@shop.example>", "Through you", to=to)
    return hand_in(stage, "mail.shop.example", "orders@shop.example", raw, to=to)


def _unknown(stage: Stage) -> tuple[Step, ...]:
    to = f"nobody-{stage.mark}@{stage.target.domain}"
    raw = compose(stage, "Shop <orders@shop.example>", "Your order", to=to)
    return hand_in(stage, "mail.shop.example", "orders@shop.example", raw, to=to)


def _smuggle(end: bytes) -> Script:
    """A second mail hidden behind a wrong end of data."""

    def script(stage: Stage) -> tuple[Step, ...]:
        first = compose(stage, "Shop <orders@shop.example>", "Harmless")
        hidden = compose(stage, "The boss <boss@bank.example>", "Smuggled")
        commands = f"MAIL FROM:<boss@bank.example>\r\nRCPT TO:<{stage.target.recipient}>\r\nDATA\r\n".encode()
        load = stuffed(first).removesuffix(b"\r\n") + end + commands + stuffed(hidden) + b".\r\n"
        session = (*open_session("mail.shop.example"), *envelope(stage, "orders@shop.example"))
        return (*session, Step(send=b"DATA\r\n"), Step(send=load, quiet=QUIET), QUIT)

    return script


def _bare_lf(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Shop <orders@shop.example>", "From an old device").replace(b"tour.\r\n", b"tour.\n")
    return hand_in(stage, "mail.shop.example", "orders@shop.example", raw)


def _injected(stage: Stage) -> tuple[Step, ...]:
    """RFC 3207 §4.2 and CVE-2011-0411: what comes before the handshake must not count after it."""
    send = Step(send=b"STARTTLS\r\nNOOP\r\n", needs="STARTTLS", tls=True, quiet=QUIET)
    return (*open_session("mail.shop.example"), send)


def _long_command(stage: Stage) -> tuple[Step, ...]:
    return (*open_session("mail.shop.example"), Step(send=b"MAIL FROM:<" + b"a" * 20_000 + b"@shop.example>\r\n"))


def _long_text_line(stage: Stage) -> tuple[Step, ...]:
    raw = compose(stage, "Shop <orders@shop.example>", "One line", text="x" * 100_000 + "\n")
    return hand_in(stage, "mail.shop.example", "orders@shop.example", raw)


def _early(stage: Stage) -> tuple[Step, ...]:
    """RFC 5321 §4.3.1: the client waits for the greeting. Spam software does not."""
    hasty = b"EHLO host7.hoster.example\r\nMAIL FROM:<a@hoster.example>\r\n"
    return (Step(send=hasty, replies=0), GREETING)


def _pipelined_data(stage: Stage) -> tuple[Step, ...]:
    """RFC 2920 §3.1: DATA ends a group; a client that sends the mail at once has not read the replies."""
    raw = compose(stage, "Shop <orders@shop.example>", "Hasty", to=f"nobody-{stage.mark}@{stage.target.domain}")
    mail, recipient = envelope(stage, "orders@shop.example", to=f"nobody-{stage.mark}@{stage.target.domain}")
    load = mail.send + recipient.send + b"DATA\r\n" + stuffed(raw) + b".\r\n"
    return (*open_session("mail.shop.example"), Step(send=load, replies=2))


def _oversize(stage: Stage) -> tuple[Step, ...]:
    step = Step(send=f"MAIL FROM:<orders@shop.example> SIZE={HUGE}\r\n".encode(), needs="SIZE")
    return (*open_session("mail.shop.example"), step)


def _nul(stage: Stage) -> tuple[Step, ...]:
    return (*open_session("mail.shop.example"), Step(send=b"MAIL FROM:<or\x00ders@shop.example>\r\n"))


def _out_of_order(stage: Stage) -> tuple[Step, ...]:
    return (*open_session("mail.shop.example"), Step(send=b"DATA\r\n"))


def _plain_password(stage: Stage) -> tuple[Step, ...]:
    return (*open_session("mail.shop.example"), Step(send=b"AUTH PLAIN AGFsaWNlAHNlY3JldA==\r\n"))


def _web_browser(stage: Stage) -> tuple[Step, ...]:
    """A browser tricked into talking SMTP (cross-protocol request forgery)."""
    post = b"POST / HTTP/1.1\r\nHost: mx\r\nContent-Length: 60\r\n\r\nEHLO a\r\nMAIL FROM:<a@hoster.example>\r\n"
    return (GREETING, Step(send=post))


def _guesses(stage: Stage) -> tuple[Step, ...]:
    """Fifty guesses at recipients: the server must lose patience."""
    steps = tuple(
        Step(send=f"RCPT TO:<user{n}-{stage.mark}@{stage.target.domain}>\r\n".encode(), refusals=True)
        for n in range(50)
    )
    mail = envelope(stage, "orders@shop.example")[0]
    return (*open_session("mail.shop.example"), mail, *steps)


def _bad_sender(stage: Stage) -> tuple[Step, ...]:
    """CR and LF in an address would write fields of the sender's choice."""
    return (*open_session("mail.shop.example"), Step(send=b"MAIL FROM:<a\rRCPT TO:<b@c.example>\r\n"))


def _session(name: str, title: str, script: Script, expected: Expected, why: str, source: str = cast.SHOP) -> Scenario:
    return Scenario(name=name, title=title, good=False, source=source, script=script, expected=expected, why=why)


def _smuggling(name: str, end: bytes, words: str) -> Scenario:
    return _session(
        name,
        f"smuggling: a second mail behind {words}",
        _smuggle(end),
        Expected(outcomes=REFUSED_OR_CLOSED),
        "Only CRLF.CRLF ends a mail; a CR or LF that stands alone is refused.",
    )


SCENARIOS: tuple[Scenario, ...] = (
    _session(
        "relay",
        "mail for somebody else's domain",
        _relay,
        Expected(outcomes=REFUSED, reply_codes=("55",)),
        "The server takes mail for its own domains only.",
    ),
    _session(
        "relay-routed",
        "the same, hidden in the local part",
        _routed_relay,
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
    _smuggling("smuggling-lf-lf", b"\n.\n", "LF.LF"),
    _smuggling("smuggling-lf-crlf", b"\n.\r\n", "LF.CRLF"),
    _smuggling("smuggling-crlf-lf", b"\r\n.\n", "CRLF.LF"),
    _smuggling("smuggling-cr-cr", b"\r.\r", "CR.CR"),
    _smuggling("smuggling-crlf-cr", b"\r\n.\r", "CRLF.CR"),
    _session(
        "bare-lf",
        "a line that ends in LF alone",
        _bare_lf,
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
        _early,
        Expected(outcomes=REFUSED_OR_CLOSED),
        "Spam software does not wait; mail servers do.",
        cast.HOSTER,
    ),
    _session(
        "pipelined-data",
        "the mail sent along with DATA, recipient unknown",
        _pipelined_data,
        Expected(outcomes=REFUSED_OR_CLOSED),
        "Without a valid recipient the mail's lines must not be taken for commands that succeed.",
    ),
    _session(
        "long-command",
        "a command line of 20,000 octets",
        _long_command,
        Expected(outcomes=REFUSED_OR_CLOSED),
        "Lines have a limit; what is over it is refused, not kept.",
    ),
    _session(
        "long-text-line",
        "a text line of 100,000 octets",
        _long_text_line,
        Expected(outcomes=(Outcome.ACCEPTED, Outcome.REFUSED)),
        "The RFC allows 998; servers may take more or refuse, but must not break the line.",
    ),
    _session(
        "oversize",
        "a mail announced with a terabyte",
        _oversize,
        Expected(outcomes=REFUSED, reply_codes=("552",)),
        "Refused at MAIL, before a single octet is sent (RFC 1870).",
    ),
    _session(
        "nul-in-command",
        "a NUL in the sender's address",
        _nul,
        Expected(outcomes=REFUSED_OR_CLOSED),
        "Control characters have no place in an address.",
    ),
    _session(
        "cr-in-sender",
        "a CR in the sender's address",
        _bad_sender,
        Expected(outcomes=REFUSED_OR_CLOSED),
        "It would write lines of the sender's choice into logs and fields.",
    ),
    _session(
        "out-of-order",
        "DATA before MAIL",
        _out_of_order,
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
        _web_browser,
        Expected(outcomes=REFUSED_OR_CLOSED),
        "It is no SMTP; such clients are cut off or refused.",
        cast.HOSTER,
    ),
)
