"""Cuts an mbox into its messages, fed in chunks of any size, in bounded memory.

In: octets of the file, LF or CRLF. Out: `MboxMessage`s, unquoted. The same messages come out whatever the chunks.
Standard: RFC 4155 (application/mbox) and the mboxrd convention (">From " lines carry one ">" more).
Not here: opening files, Maildir, compressed mailboxes (the callers' work).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_MESSAGE = 64 << 20  # octets of one message that are kept
_MAX_POSTMARK = 998
_SLACK = 4 * _MAX_POSTMARK

# A postmark has a time in it: prose that begins a paragraph with "From " and was never quoted has none.
_TIME = re.compile(rb"[0-9]{1,2}:[0-9]{2}")
_QUOTED = re.compile(rb"^>(?=>*From )", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class MboxMessage:
    """`raw` is the message without its postmark, `postmark` that line without its end, `offset` where it begins in the
    file. `defects`: "cut" (longer than the limit, the rest is left out), "no-postmark" (the file begins without)."""

    raw: bytes
    postmark: bytes
    offset: int
    defects: tuple[str, ...] = ()


class MboxSplitter:
    """`feed` chunks, take what is complete; `close` gives the last message."""

    def __init__(self, max_message: int = MAX_MESSAGE) -> None:
        self._limit = max_message
        self._buffer = bytearray()
        self._scanned = 0  # no postmark begins before this place in the buffer
        self._position = 0  # where the buffer begins in the file
        self._offset = 0  # where the message began
        self._postmark: bytes | None = None  # None until the file's first line was seen
        self._kept: bytes | None = None  # the beginning of a message that is too long

    def feed(self, chunk: bytes) -> list[MboxMessage]:
        """Takes the next octets; gives the messages that are complete by now."""
        self._buffer += chunk
        return self._messages(final=False)

    def close(self) -> list[MboxMessage]:
        """The file ended: gives what is left."""
        found = self._messages(final=True)
        if self._postmark or self._buffer.strip() or self._kept:
            # the empty line that ends a message is the format's here, too
            ends = (b"\n\r\n", b"\n\n") if self._postmark else ()
            blank = next((len(end) - 1 for end in ends if self._buffer.endswith(end)), 0)
            found.append(self._message(len(self._buffer) - blank))
        return found

    def _messages(self, *, final: bool) -> list[MboxMessage]:
        found: list[MboxMessage] = []
        if self._postmark is None and not self._start(final):
            return found
        while (at := self._next(final)) >= 0:
            found.append(self._message(at - (self._buffer[at - 1 : at] == b"\r")))
            self._drop(at + 1)
            self._take_postmark()
        if len(self._buffer) > self._limit + _SLACK:
            self._kept = self._kept if self._kept is not None else bytes(self._buffer[: self._limit])
            self._drop(len(self._buffer) - _SLACK)
        return found

    def _start(self, final: bool) -> bool:
        """Looks at the file's first line; False as long as it is not there."""
        ends = b"\n" in self._buffer[:_MAX_POSTMARK]
        if not ends and len(self._buffer) < _MAX_POSTMARK and not final:
            return False
        if self._buffer.startswith(b"From ") and (ends or len(self._buffer) < _MAX_POSTMARK):
            self._take_postmark()
        else:
            self._postmark = b""
        return True

    def _take_postmark(self) -> None:
        end = self._buffer.find(b"\n") + 1 or len(self._buffer)
        self._postmark = bytes(self._buffer[:end]).rstrip(b"\r\n")
        self._offset = self._position
        self._drop(end)
        self._scanned = 0

    def _drop(self, count: int) -> None:
        """Lets the first octets of the buffer go."""
        del self._buffer[:count]
        self._position += count
        self._scanned = max(self._scanned - count, 0)

    def _next(self, final: bool) -> int:
        """Where the line end before the next postmark is; -1 if there is none yet."""
        buffer = self._buffer
        while (at := buffer.find(b"\nFrom ", max(self._scanned - 1, 0))) >= 0:
            end = buffer.find(b"\n", at + 1, at + _MAX_POSTMARK)
            if end < 0 and not final and len(buffer) < at + _MAX_POSTMARK:
                self._scanned = at
                return -1
            line_end = end if end >= 0 else min(len(buffer), at + _MAX_POSTMARK)
            if self._after_blank(at) and (end >= 0 or final) and _TIME.search(buffer, at, line_end):
                return at
            self._scanned = at + 2
        self._scanned = max(len(buffer) - len(b"\nFrom "), self._scanned)
        return -1

    def _after_blank(self, at: int) -> bool:
        """Whether the line end at `at` ends an empty line (or the buffer begins there: an empty message)."""
        before = bytes(self._buffer[max(at - 3, 0) : at])
        line = before.removesuffix(b"\r")
        return line.endswith(b"\n") or line == b""

    def _message(self, end: int) -> MboxMessage:
        """The message that ends at `end`; the empty line before the postmark is the format's, not the message's."""
        kept, self._kept = self._kept, None
        long = kept is not None or end > self._limit
        raw = kept if kept is not None else bytes(self._buffer[: min(end, self._limit)])
        postmark = self._postmark or b""
        defects = (("cut",) if long else ()) + (() if postmark else ("no-postmark",))
        return MboxMessage(_QUOTED.sub(b"", raw), postmark, self._offset, defects)
