"""What is said: each event of the machine, what the gatekeeper thinks of it, and the reply.

In: events of `wire.smtp`. Out: replies, handed to the machine. Standard: RFC 5321 §4.1, §4.2, §4.3; RFC 9422.
Not here: sockets, time and waiting (`protocol`); policy (`gatekeeper`).
`respond` gives an answer to an event, perhaps one to be awaited; `settle` takes the final one and tells the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gatepost.errors import RemoteProtocolError
from gatepost.names import Envelope
from gatepost.server.smtp.auth import AuthTalk
from gatepost.server.smtp.counters import Counters
from gatepost.server.smtp.gatekeeper import Answer, Gatekeeper
from gatepost.server.smtp.networks import canonical_ip
from gatepost.server.smtp.visit import Visit
from gatepost.wire.sasl.prepare import Unfit, prepare_name
from gatepost.wire.smtp.events import (
    Answerable,
    Auth,
    AuthLine,
    Bad,
    Chunk,
    Hello,
    Mail,
    Message,
    Plain,
    Rcpt,
    Xclient,
)
from gatepost.wire.smtp.replies import Reply
from gatepost.wire.smtp.server import ServerConnection
from gatepost.wire.smtp.state import State, Verb

if TYPE_CHECKING:
    from gatepost.server.smtp.settings import SmtpSettings

OK = Reply(250, "OK", enhanced="2.0.0")
SENDER_OK = Reply(250, "Sender OK", enhanced="2.1.0")
RECIPIENT_OK = Reply(250, "Recipient OK", enhanced="2.1.5")
CHUNK_OK = Reply(250, "Chunk OK", enhanced="2.0.0")
QUEUED = Reply(250, "Message accepted", enhanced="2.0.0")
GO_AHEAD = Reply(354, "End with <CR><LF>.<CR><LF>")
START_TLS = Reply(220, "Ready to start TLS", enhanced="2.0.0")
NOT_TELLING = Reply(252, "Send some mail, I will see", enhanced="2.0.0")
HELP = Reply(214, "RFC 5321", enhanced="2.0.0")
NOT_IMPLEMENTED = Reply(502, "Command not implemented", enhanced="5.5.1")
BYE = Reply(221, "Bye", enhanced="2.0.0")
LOCAL_ERROR = Reply(451, "Local error, try again later", enhanced="4.3.0")
TOO_BUSY = Reply(452, "Too much at once, try again later", enhanced="4.3.1")
TOO_MANY_RECIPIENTS = Reply(452, "Too many recipients", enhanced="4.5.3")
TOO_BIG = Reply(552, "Message is too big", enhanced="5.3.4")
TOO_MANY_ERRORS = Reply(421, "Too many errors", enhanced="4.7.0")
TOO_MANY_COMMANDS = Reply(421, "Too many commands", enhanced="4.7.0")
TOO_MANY_MESSAGES = Reply(421, "Enough messages in one connection", enhanced="4.7.0")

SMALL_CHUNK = 64  # octets: a message that comes in smaller ones costs more than it brings

_FIXED = {
    Verb.DATA: GO_AHEAD,
    Verb.RSET: OK,
    Verb.NOOP: OK,
    Verb.QUIT: BYE,
    Verb.VRFY: NOT_TELLING,  # RFC 5321 §7.3: VRFY tells nobody who exists
    Verb.EXPN: NOT_IMPLEMENTED,
    Verb.HELP: HELP,
    Verb.STARTTLS: START_TLS,
}


class Conversation:
    """One session's talk. `closing` holds why the connection must end, once it must."""

    __slots__ = (
        "_auth", "_counters", "_gatekeeper", "_idle_commands", "_offer", "_settings", "closing", "envelope", "machine",
        "visit",
    )  # fmt: skip

    def __init__(
        self, machine: ServerConnection, visit: Visit, gatekeeper: Gatekeeper, counters: Counters, offer: Offer
    ) -> None:
        self.machine = machine
        self.visit = visit
        self.envelope: Envelope | None = None
        self.closing = ""
        self._gatekeeper = gatekeeper
        self._counters = counters
        self._settings: SmtpSettings = visit.settings
        self._offer = offer
        self._auth = AuthTalk(visit, gatekeeper)
        self._idle_commands = 0

    # -- what to answer ----------------------------------------------------------------------------------------------

    def respond(self, event: Answerable) -> Answer:
        """The answer to `event`; None stands for the usual one."""
        return _RESPONSES[type(event)](self, event)

    def _on_hello(self, event: Hello) -> Answer:
        return self._gatekeeper.ehlo(self.visit, event.domain)

    def _on_mail(self, event: Mail) -> Answer:
        settings, stats = self._settings, self.visit.stats
        if stats.transactions >= settings.max_transactions:
            return TOO_MANY_MESSAGES
        if event.envelope.size is not None and event.envelope.size > settings.limits.message:
            return TOO_BIG  # RFC 1870 §6.1
        if self._counters.octets + (event.envelope.size or 0) > settings.max_octets_in_flight:
            return TOO_BUSY
        return self._gatekeeper.mail(self.visit, event.envelope)

    def _on_rcpt(self, event: Rcpt) -> Answer:
        envelope = self.envelope
        if envelope is None:
            return LOCAL_ERROR
        if len(envelope.recipients) >= self._settings.max_recipients:
            return TOO_MANY_RECIPIENTS  # RFC 5321 §4.5.3.1.10
        self.visit.improper_pipelining = self.machine.improper_pipelining
        return self._gatekeeper.recipient(self.visit, envelope, event.recipient)

    def _on_plain(self, event: Plain) -> Answer:
        return _FIXED[event.verb]

    def _on_chunk(self, event: Chunk) -> Answer:
        return CHUNK_OK

    def _on_message(self, event: Message) -> Answer:
        if self.envelope is None:
            return LOCAL_ERROR
        return self._gatekeeper.message(self.visit, self.envelope, event.raw)

    def _on_auth(self, event: Auth) -> Answer:
        refused = self._auth.refusal(event, announced="AUTH" in self.machine.extensions)
        return self._auth.begin(event) if refused is None else self._gatekeeper.misspoken(self.visit, refused)

    def _on_auth_line(self, event: AuthLine) -> Answer:
        return self._auth.go_on(event)

    def _on_xclient(self, event: Xclient) -> Answer:
        """RFC-less, but widely spoken: Postfix XCLIENT_README. A client without an address stays who it was."""
        address, login = event.attributes.get("ADDR"), event.attributes.get("LOGIN")
        try:
            account = prepare_name(login) if login else ""
        except Unfit:
            return Reply(501, "Bad XCLIENT attribute", enhanced="5.5.4")
        if address is not None:
            try:
                client_ip = canonical_ip(address[5:] if address.upper().startswith("IPV6:") else address)
            except ValueError:
                return Reply(501, "Bad XCLIENT attribute", enhanced="5.5.4")
            self.visit.speaks_for(client_ip, self.visit.peer_ip)
            self.visit.notes = None
        if "LOGIN" in event.attributes:  # from the networks that may say XCLIENT at all
            self.visit.speaks_as(account)
        return self._gatekeeper.connected(self.visit)

    def _on_bad(self, event: Bad) -> Answer:
        if event.fatal or event.verb in _PIPELINED or event.verb in _CONTENT:
            return event.reply  # what follows a refusal, or ends the session, is answered at once
        return self._gatekeeper.misspoken(self.visit, event.reply)

    # -- what it changes ---------------------------------------------------------------------------------------------

    def settle(self, event: Answerable, answer: Reply | None) -> None:
        """Gives the final answer to the machine and keeps what it changes here."""
        if isinstance(event, Hello) and (answer is None or answer.code < 300):
            self._settle_hello(event)
            return
        reply = answer if answer is not None else self._usual(event)
        stats = self.visit.stats
        stats.commands += 1
        if reply.code >= 400:
            reply = self._refused(event, reply)
        elif isinstance(event, Rcpt):
            self._add(event)
        elif isinstance(event, Mail):
            self.envelope = event.envelope
            stats.transactions += 1
        elif isinstance(event, Message):
            stats.messages += 1
        if type(event) not in _FORWARD or (type(event) is Chunk and event.size < SMALL_CHUNK):
            reply = self._count(event, reply)
        self.machine.send_reply(reply)
        if self.envelope is not None and self.machine.state not in _TRANSACTION:
            self.envelope = None

    def _usual(self, event: Answerable) -> Reply:
        return _USUAL[type(event)] if type(event) is not Xclient else self.greeting()

    def greeting(self) -> Reply:
        """220 with our name and nothing about versions."""
        return Reply(220, f"{self._offer.hostname} ESMTP")

    def _settle_hello(self, event: Hello) -> None:
        self.envelope = None
        self.visit.stats.commands += 1
        refused = self._count(event, OK)
        if refused is not OK:
            self.machine.send_reply(refused)
            return
        extended = event.verb is Verb.EHLO
        self.visit.said_hello(event.domain, extended)
        keywords = self._gatekeeper.announced(self.visit, self._possible()) if extended else ()
        self.machine.send_hello(self._offer.hostname, tuple(keywords))

    def _possible(self) -> tuple[str, ...]:
        """What we can do for this client at all."""
        settings, visit = self._settings, self.visit
        keywords = [
            "PIPELINING", f"SIZE {settings.limits.message}", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "DSN",
            "CHUNKING", f"LIMITS MAILMAX={settings.max_transactions} RCPTMAX={settings.max_recipients}",
        ]  # fmt: skip
        if visit.session.tls is not None:
            keywords.append("REQUIRETLS")  # RFC 8689 §3: only over TLS
            mechanisms = self._gatekeeper.mechanisms(visit)
            if mechanisms:
                keywords.append(f"AUTH {' '.join(mechanisms)}")  # RFC 4954 §4, and only over TLS
        elif self._offer.starttls:
            keywords.append("STARTTLS")
        if self._offer.xclient:
            keywords.append("XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT REVERSE_NAME")
        return tuple(keywords)

    def _add(self, event: Rcpt) -> None:
        envelope = self.envelope
        if envelope is not None:
            self.envelope = Envelope(
                mail_from=envelope.mail_from,
                recipients=(*envelope.recipients, event.recipient),
                body=envelope.body,
                smtputf8=envelope.smtputf8,
                size=envelope.size,
                ret=envelope.ret,
                envid=envelope.envid,
                requiretls=envelope.requiretls,
            )
            self.visit.stats.recipients += 1

    def _refused(self, event: Answerable, reply: Reply) -> Reply:
        """Refused content says nothing about how well the client speaks SMTP; refused commands do."""
        if reply.code == 421:
            self.closing = "refused"
        if type(event) is Bad and event.fatal:
            self.closing = f"protocol: {event.error.text}"
            return reply
        if type(event) is Message or event.verb is Verb.MESSAGE:
            return reply
        if type(event) is Bad and event.error.reply_code in (503, 554) and event.verb in _PIPELINED:
            return reply  # what was pipelined behind a refused MAIL is no error of its own
        stats = self.visit.stats
        stats.errors += 1
        if stats.errors > self._settings.max_errors:
            self.closing = "limit: errors"
            return TOO_MANY_ERRORS
        return reply

    def _count(self, event: Answerable, reply: Reply) -> Reply:
        """Counts what brings no message forward: anything but a transaction's own commands, and those when refused."""
        if event.verb is Verb.QUIT and reply.code < 400:
            self.closing = "quit"
        elif event.verb is not Verb.DATA:
            self._idle_commands += 1
            if self._idle_commands > self._settings.max_commands and reply.code != 421:
                self.closing = "limit: commands"
                return TOO_MANY_COMMANDS
        return reply

    def met_tls(self) -> None:
        """The handshake is done: the transaction, if any, is forgotten with the rest, and TLS no longer offered."""
        self.envelope = None
        self._offer.starttls = False

    def drop(self, reply: Reply) -> None:
        """Refuses the message under way with `reply` and keeps none of it."""
        self.machine.drop_content(RemoteProtocolError(reply.code, reply.enhanced or "4.0.0", reply.text))


class Offer:
    """What this server is called, and what it can offer this peer beside the usual."""

    __slots__ = ("hostname", "starttls", "xclient")

    def __init__(self, hostname: str, *, starttls: bool, xclient: bool) -> None:
        self.hostname = hostname
        self.starttls = starttls
        self.xclient = xclient


_FORWARD = frozenset({Mail, Rcpt, Message, Chunk})
_PIPELINED = frozenset({Verb.RCPT, Verb.DATA, Verb.BDAT, Verb.BDAT_LAST})
_CONTENT = frozenset({Verb.MESSAGE, Verb.BDAT_LAST})
_TRANSACTION = frozenset({State.MAIL, State.RCPT, State.DATA, State.CHUNKING})
_USUAL: dict[type, Reply] = {Mail: SENDER_OK, Rcpt: RECIPIENT_OK, Message: QUEUED, Chunk: CHUNK_OK}
_RESPONSES: dict[type, Callable[[Conversation, Any], Answer]] = {
    Hello: Conversation._on_hello,
    Mail: Conversation._on_mail,
    Rcpt: Conversation._on_rcpt,
    Plain: Conversation._on_plain,
    Auth: Conversation._on_auth,
    AuthLine: Conversation._on_auth_line,
    Xclient: Conversation._on_xclient,
    Chunk: Conversation._on_chunk,
    Message: Conversation._on_message,
    Bad: Conversation._on_bad,
}
