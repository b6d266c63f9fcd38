"""Replies: written by servers, read by clients, incrementally and within limits.

In: code, enhanced status code and text; or the octets from a server. Out: octets; or `Reply` values.
Standard: RFC 5321 §4.2, RFC 2034 and RFC 3463 (enhanced status codes).
Not here: which command a reply answers (`client`), what it does to the state (`state`).
"""

from __future__ import annotations

import re

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.wire.smtp.settings import Limits

# RFC 5321 §4.2:
#   Reply-line     = *( Reply-code "-" [ textstring ] CRLF ) Reply-code [ SP textstring ] CRLF
#   Reply-code     = %x32-35 %x30-35 %x30-39
# Deviation: the second digit may be up to 9; some servers say 571 and the like, and the class is what counts.
_LINE = re.compile(rb"([2-5][0-9]{2})(?:([ -])(.*+))?+", re.DOTALL)
# RFC 2034 §4:  status-code = class "." subject "." detail, where the class is the reply's first digit
_ENHANCED = re.compile(r"([245]\.[0-9]{1,3}\.[0-9]{1,3})(?: |$)")
_NOT_TEXT = re.compile(r"[^\t -~\xa0-\U0010ffff]")

_MAX_TEXT = 490  # RFC 5321 §4.5.3.1.5: 512 octets a line with code, separator and CRLF; enhanced code 12 at most


class Reply:
    """A reply: `code`, its `enhanced` status code ("2.1.0", None where there is none) and `lines` of text.

    Immutable. `octets` is what goes on the wire; it is made once, so that a constant reply costs nothing to send.
    """

    __slots__ = ("code", "enhanced", "lines", "octets")
    code: int
    enhanced: str | None
    lines: tuple[str, ...]
    octets: bytes

    def __init__(self, code: int, *lines: str, enhanced: str | None = None) -> None:
        set_once = object.__setattr__
        set_once(self, "code", code)
        set_once(self, "enhanced", enhanced)
        set_once(self, "lines", lines or ("",))
        set_once(self, "octets", _write(code, enhanced, self.lines))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Reply is immutable: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Reply is immutable: {name}")

    @property
    def text(self) -> str:
        """All lines, joined by blanks."""
        return " ".join(self.lines)

    @property
    def positive(self) -> bool:
        """Whether it is 2xx or 3xx."""
        return self.code < 400

    @property
    def transient(self) -> bool:
        """Whether it is 4xx: the same may work later."""
        return 400 <= self.code < 500

    @property
    def permanent(self) -> bool:
        """Whether it is 5xx."""
        return self.code >= 500

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Reply):
            return NotImplemented
        return (self.code, self.enhanced, self.lines) == (other.code, other.enhanced, other.lines)

    def __hash__(self) -> int:
        return hash((self.code, self.enhanced, self.lines))

    def __str__(self) -> str:
        return " ".join(part for part in (str(self.code), self.enhanced, self.text) if part)

    def __repr__(self) -> str:
        return f"Reply({str(self)!r})"


def _write(code: int, enhanced: str | None, lines: tuple[str, ...]) -> bytes:
    if not 200 <= code <= 599:
        raise LocalProtocolError(f"{code} is no reply code")
    if enhanced is not None and (_ENHANCED.fullmatch(enhanced) is None or enhanced[0] != str(code)[0]):
        raise LocalProtocolError(f"{enhanced} is no enhanced status code for {code}")
    prefix = f"{enhanced} " if enhanced is not None else ""
    texts = [prefix + piece for line in lines for piece in _pieces(line)]
    last = len(texts) - 1
    written = [f"{code}{' ' if index == last else '-'}{text}\r\n" for index, text in enumerate(texts)]
    # Only an SMTPUTF8 session may be answered in UTF-8 (RFC 6531 §3.7.4.2); ASCII is right for all of them.
    return "".join(written).encode("ascii", "replace")


def _pieces(line: str) -> list[str]:
    """`line` in parts that fit. CR or LF in it would be a second reply; other controls play with terminals."""
    if "\r" in line or "\n" in line or "\0" in line:
        raise LocalProtocolError("a line of a reply holds CR, LF or NUL")
    if not line.isprintable():
        line = _NOT_TEXT.sub("?", line)
    return [line[start : start + _MAX_TEXT] for start in range(0, len(line), _MAX_TEXT)] or [""]


class ReplyReader:
    """Collects the lines of one reply. `feed` takes a line without its CRLF and returns the reply when it is whole."""

    __slots__ = ("_code", "_lines", "_max_lines")

    def __init__(self, limits: Limits) -> None:
        self._max_lines = limits.reply_lines
        self._code = b""
        self._lines: list[str] = []

    @property
    def partial(self) -> bool:
        """Whether lines of an unfinished reply are held."""
        return bool(self._lines)

    def feed(self, line: bytes) -> Reply | None:
        """One line; RemoteProtocolError when it is no reply line or the reply has too many."""
        found = _LINE.fullmatch(line)
        if found is None or (self._lines and found[1] != self._code):
            raise RemoteProtocolError(500, "5.5.2", "The server sent what is no reply")
        if len(self._lines) >= self._max_lines:
            raise RemoteProtocolError(500, "5.5.2", "The server sent a reply without end")
        self._code = found[1]
        self._lines.append(_NOT_TEXT.sub("\N{REPLACEMENT CHARACTER}", (found[3] or b"").decode("utf-8", "replace")))
        if found[2] == b"-":
            return None
        lines, self._lines = self._lines, []
        return _read(int(self._code), lines)


def _read(code: int, lines: list[str]) -> Reply:
    found = _ENHANCED.match(lines[-1])
    enhanced = found[1] if found is not None and found[1][0] == str(code)[0] else None
    if enhanced is not None:
        # RFC 2034 §4: the code stands on every line; a server that forgets it on some is read all the same.
        lines = [line[len(enhanced) :].removeprefix(" ") if line.startswith(enhanced) else line for line in lines]
    return Reply(code, *lines, enhanced=enhanced)
