"""What server and client machines have in common: a state, a buffer of what came in, and what is to go out.

In: octets from the peer. Out: octets for the peer, lines for the sub-classes. Standard: RFC 5321 §2.3.8 (lines).
Not here: what a line means (`server`, `client`); the table (`state`). A machine has five verbs: `receive_data`,
`next_event`, `send_reply` or `send_command`, `data_to_send`, `tls_started`. It does no input or output, so one test can
feed it whole, octet by octet or with more behind.
"""

from __future__ import annotations

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.wire.smtp.settings import Limits
from gatepost.wire.smtp.state import State


class Connection:
    """Half of a session; `ServerConnection` and `ClientConnection` are the whole."""

    __slots__ = ("_buffer", "_eof", "_out", "_position", "limits", "state")

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.state = State.CONNECTED
        self._buffer = b""
        self._position = 0  # where the unread part of the buffer starts
        self._out: list[bytes] = []
        self._eof = False

    @property
    def buffered(self) -> int:
        """Octets that came in and were not read yet."""
        return len(self._buffer) - self._position

    def receive_data(self, data: bytes) -> None:
        """Takes what the peer sent; empty octets mean that it closed its side.

        RemoteProtocolError when the handshake of TLS is due: what was sent before it must never be taken for
        something that came protected (RFC 3207 §4.2; the STARTTLS injection of CVE-2011-0411).
        """
        if self.state is State.TLS:
            self.state = State.CLOSED
            raise RemoteProtocolError(501, "5.5.2", "Nothing may come before the handshake of TLS")
        if not data:
            self._eof = True
        elif self._position == len(self._buffer):
            self._buffer = data
            self._position = 0
        else:
            self._buffer = self._buffer[self._position :] + data
            self._position = 0

    def data_to_send(self) -> bytes:
        """What is to go out now; empty when there is nothing. It is given once."""
        out = self._out
        if len(out) == 1:
            return out.pop()
        if not out:
            return b""
        data = b"".join(out)
        out.clear()
        return data

    def tls_started(self) -> None:
        """The handshake is done: both sides forget what was said before it (RFC 3207 §4.2)."""
        if self.state is not State.TLS or self.buffered:
            raise LocalProtocolError("TLS starts only after 220 to STARTTLS, with nothing in the buffer")
        self.state = State.GREETED

    def _next_line(self, limit: int) -> bytes | None:
        """The next line without its CRLF, or None when there is no whole one.

        RemoteProtocolError for a line that is too long or ends with LF alone: after either, the two sides may
        disagree on where the next one starts, so the connection cannot go on.
        """
        start = self._position
        end = self._buffer.find(b"\n", start)
        if (end if end >= 0 else len(self._buffer)) - start >= limit:
            raise RemoteProtocolError(500, "5.5.2", "Line too long")
        if end < 0:
            return None
        if end == start or self._buffer[end - 1] != 13:
            raise RemoteProtocolError(500, "5.5.2", "Lines end with CRLF")
        self._position = end + 1
        return self._buffer[start : end - 1]

    def _take(self, count: int) -> bytes:
        """Up to `count` octets from the buffer."""
        start = self._position
        if start == 0 and count >= len(self._buffer):
            data, self._buffer = self._buffer, b""
            return data
        self._position = min(start + count, len(self._buffer))
        return self._buffer[start : self._position]

    def _close(self) -> None:
        """Nothing that is still in the buffer will be read."""
        self.state = State.CLOSED
        self._buffer = b""
        self._position = 0
