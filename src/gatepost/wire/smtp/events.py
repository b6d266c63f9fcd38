"""What a machine tells its driver, and what a client tells its machine: commands, messages, answers.

In: made by `commands` from a line, or by a client's driver. Out: frozen values; each command knows its verb.
Standard: RFC 5321 §4.1.1 and the extensions' own. Not here: how they are read and written (`commands`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gatepost.errors import RemoteProtocolError
from gatepost.names import Envelope, Recipient
from gatepost.wire.smtp.replies import Reply
from gatepost.wire.smtp.state import Verb


@dataclass(frozen=True, slots=True)
class Hello:
    """EHLO, HELO or LHLO. `domain` is what the client calls itself, any printable text; `grammar.is_domain` and
    `grammar.is_address_literal` say whether it has the right form."""

    verb: Verb
    domain: str


@dataclass(frozen=True, slots=True)
class Mail:
    """MAIL: an envelope that has no recipients yet."""

    envelope: Envelope
    verb: Verb = field(default=Verb.MAIL, init=False, repr=False)


@dataclass(frozen=True, slots=True)
class Rcpt:
    """RCPT."""

    recipient: Recipient
    verb: Verb = field(default=Verb.RCPT, init=False, repr=False)


@dataclass(frozen=True, slots=True)
class Plain:
    """DATA, RSET, NOOP, QUIT, VRFY, EXPN, HELP or STARTTLS, with its argument where it may have one."""

    verb: Verb
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Auth:
    """AUTH (RFC 4954 §4): the mechanism and the initial response as it came, still base64. It comes whether or not AUTH
    was announced: a password that was sent too early needs an answer of its own."""

    mechanism: str
    initial_response: str | None = field(default=None, repr=False)
    verb: Verb = field(default=Verb.AUTH, init=False, repr=False)


@dataclass(frozen=True, slots=True)
class AuthLine:
    """The client's answer to a 334, still base64; "*" cancels."""

    text: str = field(repr=False)
    verb: Verb = field(default=Verb.AUTH, init=False, repr=False)


@dataclass(frozen=True, slots=True)
class Xclient:
    """XCLIENT: upper-case attribute names with decoded values; None stands for [UNAVAILABLE] or [TEMPUNAVAIL]."""

    attributes: dict[str, str | None]
    verb: Verb = field(default=Verb.XCLIENT, init=False, repr=False)


@dataclass(frozen=True, slots=True)
class Chunk:
    """A BDAT chunk of `size` octets that is not the last has come in whole (RFC 3030 §2)."""

    size: int
    verb: Verb = field(default=Verb.BDAT, init=False, repr=False)


@dataclass(frozen=True, slots=True)
class Message:
    """A message has come in whole: `raw` has CRLF line ends, dots unstuffed, and ends with CRLF."""

    raw: bytes = field(repr=False)
    verb: Verb


@dataclass(frozen=True, slots=True)
class Bad:
    """Something that cannot be done: `reply` is what to answer. If `fatal`, the connection must close after it.

    `verb` is None when the line is no command we know. A bad message has Verb.MESSAGE or a BDAT.
    """

    error: RemoteProtocolError
    verb: Verb | None = None
    fatal: bool = False

    @property
    def reply(self) -> Reply:
        """The reply the error asks for."""
        return Reply(self.error.reply_code, self.error.text, enhanced=self.error.enhanced_status_code)


@dataclass(frozen=True, slots=True)
class Closed:
    """The peer closed its side. `clean` when nothing was under way: no partial line, no transaction."""

    clean: bool


@dataclass(frozen=True, slots=True)
class Answered:
    """Client: `reply` answers `verb`. In LMTP a message has one answer per recipient, in the order of RCPT."""

    verb: Verb
    reply: Reply


Command = Hello | Mail | Rcpt | Plain | Auth | AuthLine | Xclient
Answerable = Command | Chunk | Message | Bad
ServerEvent = Answerable | Closed
ClientEvent = Answered | Closed
