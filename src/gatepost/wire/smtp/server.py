"""The server's half: command lines and content in, events out; replies in, octets out.

In: what the client sent; the driver's reply to each event. Out: events (`events.ServerEvent`) and octets.
Standard: RFC 5321 §4.1, §4.3; RFC 3030 §2 (BDAT); RFC 3207 §4 (STARTTLS); RFC 2920 §3.2 (pipelining).
Not here: what to answer (the driver and its gatekeeper), time and connections (`server.smtp`).
There is no next event before the last one was answered: however much is pipelined, commands are met one at a time.
"""

from __future__ import annotations

from collections.abc import Sequence

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.wire.smtp.commands import find_verb, parse_auth_line, parse_chunk_size, parse_command
from gatepost.wire.smtp.connection import Connection
from gatepost.wire.smtp.data import DataReader, check_content
from gatepost.wire.smtp.events import Answerable, Bad, Chunk, Closed, Mail, Message, Plain, ServerEvent
from gatepost.wire.smtp.replies import Reply
from gatepost.wire.smtp.settings import Limits
from gatepost.wire.smtp.state import LAST_IN_GROUP, MOVES, REFUSALS, State, Verb, next_state, refusal

# What browsers are made to send to mail ports (cross-protocol attacks); Postfix's smtpd_forbidden_commands.
_NOT_SMTP = (b"GET ", b"POST ", b"PUT ", b"CONNECT ", b"OPTIONS ", b"HEAD ", b"HOST:", b"USER-AGENT:")
_SILENT = frozenset({State.CONNECTED, State.TLS, State.CLOSED})  # nothing is read there
_ARRIVAL = Plain(Verb.GREETING)  # what the greeting answers
# Only for whom EHLO announced them to. Not AUTH: a password that was sent too early needs an answer of its own.
_OFFERED = frozenset({Verb.STARTTLS, Verb.XCLIENT})
_AUTH_LINE = 12_290  # RFC 4954 §4: 12,288 octets of base64 must be taken


class ServerConnection(Connection):
    """A session as the server sees it. It begins with the greeting: `send_reply` before any event.

    `extensions` are the keywords this client was announced; parameters of others are refused with 555.
    `improper_pipelining` says that the client did not wait where it must; `early_talker`, not even for the greeting.
    """

    __slots__ = (
        "_chunk", "_chunks", "_pending", "_reader", "_refused", "_smtputf8", "early_talker", "extensions",
        "improper_pipelining",
    )  # fmt: skip

    def __init__(self, limits: Limits | None = None) -> None:
        super().__init__(limits or Limits())
        self.extensions: frozenset[str] = frozenset()
        self.early_talker = False
        self.improper_pipelining = False
        self._pending: ServerEvent | None = _ARRIVAL
        self._smtputf8 = False
        self._reader: DataReader | None = None
        self._chunk: tuple[int, int, bool] | None = None  # of a BDAT: octets to come, octets in all, whether the last
        self._chunks = bytearray()
        self._refused: RemoteProtocolError | None = None  # why the chunks of this transaction are thrown away

    @property
    def held(self) -> int:
        """Octets of content in memory."""
        return self._reader.held if self._reader is not None else len(self._chunks)

    @property
    def receiving(self) -> bool:
        """Whether content is due rather than a command."""
        return self._reader is not None or self._chunk is not None

    @property
    def content_octets(self) -> int:
        """Octets of content that came in for the message under way, kept or not."""
        return self._reader.size if self._reader is not None else len(self._chunks)

    def drop_content(self, error: RemoteProtocolError) -> None:
        """Refuses the message under way, whatever it holds, and keeps none of it."""
        if self._reader is not None:
            self._reader.drop(error)
        else:
            self._refuse_chunks(error)

    def next_event(self) -> ServerEvent | None:
        """The next event; None when more octets are needed or the last event was not answered yet."""
        if self._pending is not None or self.state in _SILENT:
            return None
        if self._position == len(self._buffer) and not self._eof:
            return None
        try:
            if self._reader is not None:
                event = self._read_message(self._reader)
            elif self._chunk is not None:
                event = self._read_chunk(*self._chunk)
            else:
                event = self._read_command()
        except RemoteProtocolError as error:
            event = Bad(error, fatal=True)
        if event is None and self._eof:
            event = Closed(clean=not self.buffered and self.state in (State.GREETED, State.READY, State.REFUSED))
        self._pending = event
        return event

    def _read_command(self) -> ServerEvent | None:
        in_auth, limit = self.state is State.AUTH, self.limits.command_line
        line = self._next_line(max(limit, _AUTH_LINE) if in_auth else limit)
        if line is None:
            return None
        if in_auth:
            return self._parse_auth(line)
        verb = find_verb(line)
        if verb is None or verb is Verb.LHLO:  # LMTP is not served on SMTP's ports (RFC 2033 §5)
            return _unknown(line)
        if verb is Verb.BDAT:
            return self._start_chunk(line)
        if verb in _OFFERED and verb.value not in self.extensions:
            return Bad(RemoteProtocolError(502, "5.5.1", f"{verb.value} is not offered"), verb)
        state = self.state
        if verb not in MOVES[state] or (state, verb) in REFUSALS:
            return Bad(RemoteProtocolError(*(refusal(state, verb) or (503, "5.5.1", "Out of order"))), verb)
        try:
            command = parse_command(verb, line, self.extensions, self._smtputf8)
        except RemoteProtocolError as error:
            return Bad(error, verb)
        if verb is Verb.STARTTLS and self.buffered:
            raise RemoteProtocolError(501, "5.5.2", "Nothing may come before the handshake of TLS")
        return command

    def _parse_auth(self, line: bytes) -> ServerEvent:
        try:
            return parse_auth_line(line)
        except RemoteProtocolError as error:
            return Bad(error, Verb.AUTH)

    def _read_message(self, reader: DataReader) -> ServerEvent | None:
        if not self.buffered:
            return None
        data = self._take(len(self._buffer))
        end = reader.feed(data)
        if reader.exhausted:
            raise RemoteProtocolError(552, "5.3.4", "Message is far too big")
        if end is None:
            return None
        if end < len(data):
            self._buffer, self._position = data, end
        self._reader = None
        try:
            return Message(reader.finish(), Verb.MESSAGE)
        except RemoteProtocolError as error:
            return Bad(error, Verb.MESSAGE)

    def _start_chunk(self, line: bytes) -> ServerEvent | None:
        """RFC 3030 §2: the octets follow at once, wanted or not; so they are read before anything is answered."""
        try:
            size, last = parse_chunk_size(line)
        except RemoteProtocolError as error:
            return Bad(error, Verb.BDAT, fatal=True)  # nobody knows where its octets end
        if "CHUNKING" not in self.extensions:
            return Bad(RemoteProtocolError(502, "5.5.1", "BDAT is not offered"), Verb.BDAT, fatal=True)
        refused = refusal(self.state, Verb.BDAT_LAST if last else Verb.BDAT)
        if refused is not None:
            self._refuse_chunks(RemoteProtocolError(*refused))
        elif self.held + size > self.limits.message:
            self._refuse_chunks(RemoteProtocolError(552, "5.3.4", "Message is too big"))
        if self._refused is not None and size > self.limits.discard:
            return Bad(self._refused, Verb.BDAT, fatal=True)
        return self._read_chunk(size, size, last)

    def _refuse_chunks(self, error: RemoteProtocolError) -> None:
        self._refused = self._refused or error
        self._chunks = bytearray()

    def _read_chunk(self, left: int, size: int, last: bool) -> ServerEvent | None:
        data = self._take(left)
        if self._refused is None:
            self._chunks += data
        left -= len(data)
        self._chunk = (left, size, last) if left else None
        if left:
            return None
        verb = Verb.BDAT_LAST if last else Verb.BDAT
        if self._refused is not None:
            error, self._refused = self._refused, None
            return Bad(error, verb)
        if not last:
            return Chunk(size)
        octets, self._chunks = bytes(self._chunks), bytearray()
        return _chunked_message(octets, self.limits)

    def send_reply(self, reply: Reply) -> None:
        """Answers the last event (or, first of all, the connection).

        RemoteProtocolError when 220 to STARTTLS cannot be given because the client did not wait for it.
        """
        pending = self._pending
        if pending is None or isinstance(pending, Closed):
            raise LocalProtocolError("there is nothing to answer")
        verb = pending.verb
        if self._position < len(self._buffer):
            self._judge_pipelining(verb)
        if verb is None or isinstance(pending, Bad):
            self._answer_bad(pending, reply)
            return
        state = next_state(self.state, verb, reply.code)
        if state is None:
            raise LocalProtocolError(f"{reply.code} is no answer to {verb} in {self.state}")
        if state is State.TLS and self.buffered:
            self._close()
            raise RemoteProtocolError(501, "5.5.2", "Nothing may come before the handshake of TLS")
        self._pending = None
        self._out.append(reply.octets)
        if state is not self.state:
            self._enter(state, pending)

    def _enter(self, state: State, pending: Answerable) -> None:
        """What a new state needs beside its name."""
        self.state = state
        if state is State.MAIL and isinstance(pending, Mail):
            self._smtputf8 = pending.envelope.smtputf8
        elif state is State.DATA:
            self._reader = DataReader(self.limits)
        elif state is State.CLOSED:
            self._close()
        elif state in (State.READY, State.GREETED):
            self._chunks, self._refused, self._smtputf8 = bytearray(), None, False

    def _answer_bad(self, pending: Answerable, reply: Reply) -> None:
        if reply.code < 400:
            raise LocalProtocolError("what cannot be done is not answered with success")
        self._pending = None
        self._out.append(reply.octets)
        if reply.code == 421 or (isinstance(pending, Bad) and pending.fatal):
            self._close()
        elif pending.verb is not None:
            state = next_state(self.state, pending.verb, reply.code)
            if state is not None and state is not self.state:
                self._enter(state, pending)

    def send_hello(self, domain: str, keywords: Sequence[str]) -> None:
        """Answers EHLO with `keywords` ("SIZE 1000", "PIPELINING" …), HELO without; from here on they are announced."""
        hello = self._pending
        verb = getattr(hello, "verb", None)
        if verb is Verb.HELO:
            keywords = ()
        elif verb is not Verb.EHLO:
            raise LocalProtocolError("only EHLO and HELO are answered with a hello")
        self.send_reply(Reply(250, domain, *keywords))
        self.extensions = frozenset(keyword.partition(" ")[0] for keyword in keywords)
        self._smtputf8, self._chunks, self._refused = False, bytearray(), None

    def close(self, reply: Reply | None = None) -> None:
        """The server ends the session now, whatever is under way; `reply` is its last word (421 in most cases)."""
        if self.state is State.CLOSED:
            return
        if reply is not None and self.state is not State.TLS:
            self._out.append(reply.octets)
        self._pending = self._reader = self._chunk = None
        self._chunks = bytearray()
        self._close()

    def tls_started(self) -> None:
        """The handshake is done: EHLO is due again, and nothing is announced (RFC 3207 §4.2)."""
        super().tls_started()
        self.extensions = frozenset()

    def _judge_pipelining(self, verb: Verb | None) -> None:
        """RFC 2920 §3.1: some commands end a group, and without the extension there are no groups."""
        if verb is Verb.GREETING:
            self.early_talker = self.improper_pipelining = True
        elif verb in LAST_IN_GROUP or "PIPELINING" not in self.extensions:
            self.improper_pipelining = True


def _unknown(line: bytes) -> Bad:
    fatal = line.upper().startswith(_NOT_SMTP)
    return Bad(RemoteProtocolError(500, "5.5.1", "Command not recognised"), fatal=fatal)


def _chunked_message(octets: bytes, limits: Limits) -> ServerEvent:
    """A message that came by BDAT obeys DATA's rules, since it may go on by DATA; so it also ends with CRLF, which
    DKIM adds by itself (RFC 6376 §3.4.3)."""
    if octets and not octets.endswith(b"\n"):
        octets += b"\r\n"
    try:
        return Message(check_content(octets, limits), Verb.BDAT_LAST)
    except RemoteProtocolError as error:
        return Bad(error, Verb.BDAT_LAST)
