"""AUTH: an exchange of SASL inside SMTP, one command and its lines.

In: the client's lines, the gatekeeper's answers. Out: replies; `visit.session.account` once somebody is logged in.
Standard: RFC 4954 §4 (exchange), §6 (replies). Not here: mechanisms (`wire.sasl`), who is let in (the gatekeeper).
Nothing that a client sends in an exchange is ever in a reply, a log line or an error.
"""

from __future__ import annotations

import secrets

from gatepost.errors import StoreError
from gatepost.server.smtp.gatekeeper import Answer, Gatekeeper, Verdict, Verifier
from gatepost.server.smtp.visit import Visit
from gatepost.wire.sasl import (
    Challenge,
    Channel,
    CheckPassword,
    Failed,
    Proven,
    Question,
    Reason,
    ServerEvent,
    ServerExchange,
    encode_line,
    server_exchange,
)
from gatepost.wire.smtp.events import Auth, AuthLine
from gatepost.wire.smtp.replies import Reply

SUCCEEDED = Reply(235, "Logged in", enhanced="2.7.0")
UNAVAILABLE = Reply(454, "Cannot check that now, try again later", enhanced="4.7.0")
BLOCKED = Reply(454, "Too many failed logins, try again later", enhanced="4.7.0")
TOO_LONG = Reply(500, "Line of the exchange is too long", enhanced="5.5.6")
CANNOT_DECODE = Reply(501, "Cannot decode the response", enhanced="5.5.2")
CANCELLED = Reply(501, "Cancelled", enhanced="5.7.0")
NOT_OFFERED = Reply(502, "AUTH is not offered", enhanced="5.5.1")
EHLO_FIRST = Reply(503, "Say EHLO first", enhanced="5.5.1")
ALREADY = Reply(503, "You are logged in already", enhanced="5.5.1")  # RFC 4954 §4
NO_SUCH_MECHANISM = Reply(504, "That mechanism is not offered", enhanced="5.5.4")
REFUSED = Reply(535, "Name or password is wrong", enhanced="5.7.8")
NEED_TLS = Reply(538, "Start TLS first; a password that was sent without it should be changed", enhanced="5.7.11")

# RFC 4954 §6; whatever would help guessing has one reply.
_REPLIES = {
    Reason.MALFORMED: CANNOT_DECODE,
    Reason.TOO_LONG: TOO_LONG,
    Reason.CANCELLED: CANCELLED,
    Reason.BLOCKED: BLOCKED,
}


class AuthTalk:
    """The exchanges of one connection, one at a time."""

    __slots__ = ("_exchange", "_gatekeeper", "_visit")

    def __init__(self, visit: Visit, gatekeeper: Gatekeeper) -> None:
        self._visit = visit
        self._gatekeeper = gatekeeper
        self._exchange: ServerExchange | None = None

    def refusal(self, event: Auth, *, announced: bool) -> Reply | None:
        """Why there can be no exchange; None when there can be one."""
        visit, offered = self._visit, self._gatekeeper.mechanisms(self._visit)
        if visit.session.tls is None:
            self._gatekeeper.exposed(visit, event.mechanism, exposed_name(event))
            return NEED_TLS if offered else NOT_OFFERED
        if not offered:
            return NOT_OFFERED
        if not announced:
            return EHLO_FIRST
        if visit.session.account:
            return ALREADY
        return None if event.mechanism in offered else NO_SUCH_MECHANISM

    def begin(self, event: Auth) -> Answer:
        """The command."""
        visit = self._visit
        channel = Channel(nonce=secrets.token_urlsafe(18), end_point=visit.end_point)
        self._exchange = server_exchange(event.mechanism, channel, self._gatekeeper.mechanisms(visit))
        if self._exchange is None:
            return NO_SUCH_MECHANISM
        return self._reply(self._exchange, self._exchange.start_line(event.initial_response))

    def go_on(self, event: AuthLine) -> Answer:
        """The answer to a 334."""
        exchange = self._exchange
        if exchange is None or exchange.over:
            return CANNOT_DECODE
        return self._reply(exchange, exchange.receive_line(event.text))

    def _reply(self, exchange: ServerExchange, event: ServerEvent) -> Answer:
        return _challenge(event) if isinstance(event, Challenge) else self._until_reply(exchange, event)

    async def _until_reply(self, exchange: ServerExchange, event: ServerEvent) -> Reply:
        """Asks the gatekeeper until there is something to say to the client."""
        visit, mechanism = self._visit, exchange.mechanism
        while not isinstance(event, Challenge | Proven | Failed):
            try:
                verdict = await self._gatekeeper.authenticate(visit, event)
            except StoreError:
                exchange.refuse(Reason.BLOCKED, "the directory does not answer")
                self._exchange = None
                return UNAVAILABLE
            event = _put(exchange, event, verdict)
        if isinstance(event, Challenge):
            return _challenge(event)
        self._exchange = None
        answer = self._gatekeeper.authenticated(visit, mechanism, event)
        reply = answer if answer is None or isinstance(answer, Reply) else await answer
        if isinstance(event, Failed):
            return reply if reply is not None else _REPLIES.get(event.reason, REFUSED)
        if reply is None or reply.positive:
            visit.logged_in(event.identity)
        return reply if reply is not None else SUCCEEDED


def _put(exchange: ServerExchange, question: Question, verdict: Verdict) -> ServerEvent:
    if isinstance(verdict, Failed):
        return exchange.refuse(verdict.reason, verdict.words)
    if isinstance(verdict, Verifier):
        return exchange.give_verifier(verdict.verifier, decoy=verdict.decoy)
    return exchange.decide(verdict)


def _challenge(event: Challenge) -> Reply:
    return Reply(334, encode_line(event.data))


def exposed_name(event: Auth) -> str:
    """Whose password stands in the command; empty when none does."""
    exchange = server_exchange(event.mechanism, Channel(nonce=""), ("PLAIN",))
    found = exchange.start_line(event.initial_response) if exchange is not None else None
    return found.authcid if isinstance(found, CheckPassword) else ""
