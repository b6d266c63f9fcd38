"""Whole replies of SMTP, IMAP and POP3 out of a stream of octets.

In: octets. Out: `Reply`s; `NoReply` for what is none. Standard: RFC 5321 §4.2, RFC 9051 §7, RFC 1939 §3.
What ends with LF alone is read, too: the tests are about the server's ears, not its mouth.
Not here: whether a reply is right. SMTP's are read by the reader that our own client uses (`wire.smtp.replies`).
"""

from __future__ import annotations

from gatepost.errors import RemoteProtocolError
from gatepost.ports.prober import Spoken
from gatepost.ports.visitor import Reply
from gatepost.wire.smtp.replies import ReplyReader
from gatepost.wire.smtp.settings import Limits

MAX_LINE = 16_384  # octets; servers' longest lines are a few hundred
MAX_LINES = 1_000
_LIMITS = Limits(reply_line=MAX_LINE, reply_lines=MAX_LINES)


class NoReply(Exception):
    """What came is no reply."""


class Replies:
    """`feed` takes octets, `next` gives a reply once it is whole."""

    def __init__(self, spoken: Spoken) -> None:
        self._spoken = spoken
        self.buffer = b""
        self._smtp = ReplyReader(_LIMITS)
        self._lines: list[str] = []
        self._greeted = False
        self._multi: str = ""  # the first line of a reply of POP3 that goes on

    def feed(self, octets: bytes) -> None:
        """What came."""
        self.buffer += octets

    def next(self, *, several: bool = False) -> Reply | None:
        """The next reply, None when it is not whole. `several`: see `Step`."""
        while True:
            line, found, rest = self.buffer.partition(b"\n")
            if len(line) > MAX_LINE:
                raise NoReply("a line without end")
            if not found:
                return None
            self.buffer = rest
            reply = self._take(line.removesuffix(b"\r"), several)
            if reply is not None:
                return reply

    def _take(self, line: bytes, several: bool) -> Reply | None:
        if len(self._lines) >= MAX_LINES:
            raise NoReply("a reply without end")
        if self._spoken is Spoken.SMTP:
            return self._smtp_line(line)
        text = line.decode("utf-8", "replace")
        return self._imap_line(text) if self._spoken is Spoken.IMAP else self._pop_line(text, several)

    def _smtp_line(self, line: bytes) -> Reply | None:
        try:
            reply = self._smtp.feed(line)
        except RemoteProtocolError as error:
            raise NoReply(f"{error.text}: {line[:60]!r}") from None
        if reply is None:
            return None
        prefix = f"{reply.enhanced} " if reply.enhanced else ""
        return Reply(str(reply.code), tuple(prefix + text for text in reply.lines))

    def _imap_line(self, text: str) -> Reply | None:
        """RFC 9051 §2.2.2: untagged lines belong to the tagged one that follows; the greeting is untagged."""
        first, _, rest = text.partition(" ")
        word, _, more = rest.partition(" ")
        if first == "*":
            if word.upper() == "BYE" or (not self._greeted and word.upper() in ("OK", "PREAUTH")):
                self._greeted = True
                return Reply(word.upper(), (more,))
            self._lines.append(rest)
            return None
        if first == "+":
            return Reply("+", (rest,))
        if word.upper() not in ("OK", "NO", "BAD"):
            raise NoReply(f"no reply of IMAP: {text[:60]!r}")
        lines, self._lines = (more, *self._lines), []
        return Reply(word.upper(), lines)

    def _pop_line(self, text: str, several: bool) -> Reply | None:
        if self._multi:
            if text != ".":
                self._lines.append(text.removeprefix("."))
                return None
            lines, self._lines = (self._multi[3:].strip(), *self._lines), []
            self._multi = ""
            return Reply("+OK", lines)
        if several and text.startswith("+OK"):
            self._multi = text
            return None
        if text == "+" or text.startswith("+ "):  # RFC 5034 §4: AUTH goes on
            return Reply("+", (text[2:],))
        code = text.partition(" ")[0]
        if code not in ("+OK", "-ERR"):
            raise NoReply(f"no reply of POP3: {text[:60]!r}")
        return Reply(code, (text[len(code) + 1 :],))


def keywords(reply: Reply, spoken: Spoken) -> tuple[str, ...]:
    """What a reply to EHLO, CAPABILITY or CAPA announces, in upper case, with parameters."""
    if spoken is Spoken.IMAP:
        listed = [line for line in reply.lines if line.upper().startswith("CAPABILITY ")]
        return tuple(word.upper() for line in listed for word in line.split()[1:])
    return tuple(line.strip().upper() for line in reply.lines[1:] if line.strip())
