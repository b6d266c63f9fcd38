"""The client's half: commands and a message in, octets out; the server's replies in, answers out.

In: commands (`events.Command`), a message, what the server sent. Out: `events.Answered`, each with the verb it answers.
Standard: RFC 5321 §4.2, RFC 2920 §3.1 (pipelining), RFC 3207 §4 (STARTTLS), RFC 2033 §4.2 (LMTP), RFC 3030 §2 (BDAT).
Not here: sockets, time-outs, whom to send what (`server.smtp.client`).
"""

from __future__ import annotations

from collections import deque

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.wire.smtp.connection import Connection
from gatepost.wire.smtp.data import whole_message, write_data
from gatepost.wire.smtp.events import Answered, ClientEvent, Closed, Command
from gatepost.wire.smtp.replies import Reply, ReplyReader
from gatepost.wire.smtp.settings import Limits
from gatepost.wire.smtp.state import LAST_IN_GROUP, MOVES, State, Verb, next_state
from gatepost.wire.smtp.writer import write_command


class ClientConnection(Connection):
    """A session as the client sees it. It begins with the server's greeting.

    `extensions` maps upper-case EHLO keywords to their parameters ("SIZE" to "1000", "PIPELINING" to "").
    Commands may be sent ahead of their replies where PIPELINING was announced; the machine refuses what the RFC does.
    """

    __slots__ = ("_accepted", "_ended", "_pending", "_projected", "_reader", "extensions", "lmtp")

    def __init__(self, limits: Limits | None = None, *, lmtp: bool = False) -> None:
        super().__init__(limits or Limits())
        self.lmtp = lmtp
        self.extensions: dict[str, str] = {}
        self._reader = ReplyReader(self.limits)
        self._pending: deque[Verb] = deque([Verb.GREETING])
        self._projected = State.CONNECTED  # the state when all that is pending succeeds
        self._accepted = 0  # recipients accepted in this transaction
        self._ended = False

    @property
    def pending(self) -> int:
        """How many replies are still to come."""
        return len(self._pending)

    def send_command(self, command: Command) -> None:
        """Puts `command` on the line; LocalProtocolError when it is out of turn or cannot be written."""
        verb = command.verb
        if verb in (Verb.LHLO if not self.lmtp else Verb.EHLO, Verb.HELO if self.lmtp else None):
            raise LocalProtocolError("LMTP says LHLO, SMTP says EHLO or HELO (RFC 2033 4.1)")
        line = write_command(command)
        self._expect(verb)
        self._out.append(line)

    def send_message(self, raw: bytes) -> None:
        """Sends the content after 354; dots are stuffed here. In LMTP every accepted recipient gets an answer."""
        if self.state is not State.DATA or self._pending:
            raise LocalProtocolError("content goes out only after 354")
        data = write_data(raw)
        self._expect(Verb.MESSAGE)
        self._pending.extend([Verb.MESSAGE] * (self._accepted - 1 if self.lmtp else 0))
        self._out.append(data)

    def send_chunk(self, raw: bytes) -> None:
        """Sends the message as one last chunk (RFC 3030 §2), whole and as it is: nothing is stuffed. What DATA would
        not carry is not carried so either: a bare CR or LF is a LocalProtocolError."""
        if "CHUNKING" not in self.extensions or self._pending:
            raise LocalProtocolError("BDAT goes out only where CHUNKING was announced, after the replies to RCPT")
        content = whole_message(raw)
        self._expect(Verb.BDAT_LAST)
        self._out.append(b"BDAT %d LAST\r\n" % len(content))
        self._out.append(content)

    def _expect(self, verb: Verb) -> None:
        if not self._pending:
            if self.buffered:
                raise RemoteProtocolError(500, "5.5.2", "The server spoke out of turn")
            self._projected = self.state
        elif "PIPELINING" not in self.extensions or self._pending[-1] in LAST_IN_GROUP:
            raise LocalProtocolError(f"{verb} must wait for the reply to {self._pending[-1]}")
        moves = MOVES[self._projected].get(verb)
        if moves is None:
            raise LocalProtocolError(f"{verb} is out of order in {self._projected}")
        self._pending.append(verb)
        self._projected = moves.get(2) or moves.get(3) or self._projected

    def next_event(self) -> ClientEvent | None:
        """The next answer; None when more octets are needed.

        RemoteProtocolError when the server sends what is no reply, an answer to nothing, success where there can be
        none, or anything behind its 220 to STARTTLS. The connection is of no use then.
        """
        try:
            return self._next_event()
        except RemoteProtocolError:
            self._close()
            self._ended = True
            raise

    def _next_event(self) -> ClientEvent | None:
        while self.state is not State.CLOSED:
            line = self._next_line(self.limits.reply_line)
            if line is None:
                break
            reply = self._reader.feed(line)
            if reply is not None:
                return self._answered(reply)
        if self._eof and not self._ended:
            self._ended = True
            return Closed(clean=self.state is State.CLOSED or not (self.buffered or self._pending))
        return None

    def _answered(self, reply: Reply) -> Answered:
        if not self._pending:
            if reply.code != 421:  # RFC 5321 §3.8: a server that must stop says 421 to nothing in particular
                raise RemoteProtocolError(500, "5.5.2", "The server answered what was not asked")
            self._close()
            return Answered(Verb.QUIT, reply)
        verb = self._pending.popleft()
        if verb is Verb.MESSAGE and Verb.MESSAGE in self._pending and reply.code != 421:
            return Answered(verb, reply)  # LMTP: the last recipient's answer moves the state
        state = next_state(self.state, verb, reply.code)
        if state is None:
            raise RemoteProtocolError(500, "5.5.2", f"The server answered {verb.value} with {reply.code}")
        self._enter(state, verb, reply)
        return Answered(verb, reply)

    def _enter(self, state: State, verb: Verb, reply: Reply) -> None:
        self.state = state
        if state is State.TLS and (self.buffered or self._pending):
            raise RemoteProtocolError(500, "5.5.2", "The server sent something before the handshake of TLS")
        if state is State.CLOSED:
            self._close()
        elif verb is Verb.RCPT and reply.positive:
            self._accepted += 1
        elif state in (State.READY, State.MAIL):
            self._accepted = 0
        elif state is State.DATA and self.lmtp and not self._accepted:
            raise RemoteProtocolError(500, "5.5.2", "The server wants a message for nobody")
        if verb in (Verb.EHLO, Verb.LHLO, Verb.HELO) and reply.positive:
            self.extensions = _extensions(reply) if verb is not Verb.HELO else {}

    def tls_started(self) -> None:
        """The handshake is done: EHLO is due again, and nothing is announced (RFC 3207 §4.2)."""
        super().tls_started()
        self.extensions = {}


def _extensions(reply: Reply) -> dict[str, str]:
    """RFC 5321 §4.1.1.1: ehlo-line = ehlo-keyword *( SP ehlo-param ), from the second line on."""
    words = (line.strip().partition(" ") for line in reply.lines[1:])
    return {keyword.upper(): parameters.strip() for keyword, _, parameters in words if keyword}
