"""Where a session stands: one table, which does not know whether it is client or server.

In: a state, a verb and the class of its reply. Out: the next state. The reply moves the state, not the command: a
refused command leaves everything where it was, on both sides of the wire alike.
Standard: RFC 5321 §4.1.4 (order), §4.3.2 (sequencing), RFC 3207 §4.2, RFC 3030 §2, RFC 4954 §4, RFC 2920 §3.1.
Not here: what stands on a line (`grammar`, `commands`), who may do what (the gatekeeper in `server.smtp`).

    CONNECTED --220--> GREETED --EHLO 250--> READY --MAIL 250--> MAIL --RCPT 250--> RCPT --DATA 354--> DATA
                          ^                    ^  |                                  |                   |
                          +--- TLS done <-- TLS<--+ STARTTLS 220                BDAT 250--> CHUNKING     |
                                               +<------------- message answered, or RSET ----+<---------+

A state lists the verbs that are in order there. A verb that is not listed is answered 503 by a server and is our own
error in a client. A reply class that is not listed leaves the state; 421 closes from anywhere (RFC 5321 §3.8).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping


class State(enum.Enum):
    """Where the session stands."""

    CONNECTED = "connected"  # nothing said yet: the server's greeting is due
    REFUSED = "refused"  # greeted with 554: only QUIT is left (RFC 5321 §3.1)
    GREETED = "greeted"  # EHLO is due
    READY = "ready"  # no transaction
    MAIL = "mail"  # a sender, no recipient yet
    RCPT = "rcpt"  # at least one recipient
    DATA = "data"  # 354 was given: content flows
    CHUNKING = "chunking"  # at least one BDAT, not the last
    AUTH = "auth"  # 334 was given: the exchange goes on
    TLS = "tls"  # 220 was given to STARTTLS: nothing but the handshake may follow
    CLOSED = "closed"  # the last reply was given

    __hash__ = object.__hash__  # identity: Enum's own hashes the name, on every look-up of the hot path


class Verb(enum.Enum):
    """Commands, and three acts that are answered like commands: the connection, the message and the last chunk."""

    GREETING = "(greeting)"
    EHLO = "EHLO"
    HELO = "HELO"
    LHLO = "LHLO"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    MESSAGE = "(message)"
    BDAT = "BDAT"
    BDAT_LAST = "BDAT LAST"
    RSET = "RSET"
    NOOP = "NOOP"
    QUIT = "QUIT"
    VRFY = "VRFY"
    EXPN = "EXPN"
    HELP = "HELP"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    XCLIENT = "XCLIENT"

    __hash__ = object.__hash__


Moves = Mapping[int, State]  # class of the reply (2 to 5) to the next state

_STAY: Moves = {}
_HELLO: Mapping[Verb, Moves] = {
    Verb.EHLO: {2: State.READY},
    Verb.HELO: {2: State.READY},
    Verb.LHLO: {2: State.READY},
}
_ANYWHERE: Mapping[Verb, Moves] = {
    Verb.NOOP: _STAY,
    Verb.HELP: _STAY,
    Verb.VRFY: _STAY,
    Verb.EXPN: _STAY,
    Verb.QUIT: {2: State.CLOSED},
}
_RESET: Mapping[Verb, Moves] = {Verb.RSET: {2: State.READY}}
_DONE: Moves = {2: State.READY, 4: State.READY, 5: State.READY}
_CHUNK: Moves = {2: State.CHUNKING, 4: State.READY, 5: State.READY}

MOVES: Mapping[State, Mapping[Verb, Moves]] = {
    State.CONNECTED: {Verb.GREETING: {2: State.GREETED, 4: State.CLOSED, 5: State.REFUSED}},
    State.REFUSED: {Verb.QUIT: {2: State.CLOSED}},
    # XCLIENT goes back to the greeting: the proxy's client is met anew (Postfix XCLIENT_README).
    State.GREETED: {**_HELLO, **_ANYWHERE, Verb.RSET: _STAY, Verb.XCLIENT: {2: State.GREETED}},
    State.READY: {
        **_HELLO,
        **_ANYWHERE,
        **_RESET,
        Verb.MAIL: {2: State.MAIL},
        Verb.STARTTLS: {2: State.TLS},
        Verb.AUTH: {2: State.READY, 3: State.AUTH},
        Verb.XCLIENT: {2: State.GREETED},
    },
    # DATA without a recipient is refused by us (REFUSALS); a server that answers 354 all the same must be sent a lone
    # dot, so the client may get there (RFC 2920 §3.1).
    State.MAIL: {**_HELLO, **_ANYWHERE, **_RESET, Verb.RCPT: {2: State.RCPT}, Verb.DATA: {3: State.DATA}},
    State.RCPT: {
        **_HELLO,
        **_ANYWHERE,
        **_RESET,
        Verb.RCPT: {2: State.RCPT},
        Verb.DATA: {3: State.DATA},
        Verb.BDAT: _CHUNK,
        Verb.BDAT_LAST: _DONE,
    },
    State.DATA: {Verb.MESSAGE: _DONE},
    # RFC 3030 §2: DATA may not follow BDAT in one transaction; no RCPT either, the envelope is closed.
    State.CHUNKING: {**_HELLO, **_ANYWHERE, **_RESET, Verb.BDAT: _CHUNK, Verb.BDAT_LAST: _DONE},
    State.AUTH: {Verb.AUTH: {2: State.READY, 3: State.AUTH, 4: State.READY, 5: State.READY}},
    State.TLS: {},
    State.CLOSED: {},
}

# What a server answers to a verb out of order, where it can say more than "503 5.5.1 Bad sequence of commands".
REFUSALS: Mapping[tuple[State, Verb], tuple[int, str, str]] = {
    (State.GREETED, Verb.MAIL): (503, "5.5.1", "Say EHLO first"),
    (State.GREETED, Verb.STARTTLS): (503, "5.5.1", "Say EHLO first"),
    (State.READY, Verb.RCPT): (503, "5.5.1", "MAIL first"),
    (State.MAIL, Verb.MAIL): (503, "5.5.1", "One MAIL a transaction"),
    (State.RCPT, Verb.MAIL): (503, "5.5.1", "One MAIL a transaction"),
    (State.MAIL, Verb.DATA): (554, "5.5.1", "No valid recipients"),
    (State.MAIL, Verb.BDAT): (554, "5.5.1", "No valid recipients"),
    (State.MAIL, Verb.BDAT_LAST): (554, "5.5.1", "No valid recipients"),
}

# RFC 2920 §3.1, RFC 3207 §4, RFC 4954 §4: whoever sends one of these waits for its reply before he goes on.
LAST_IN_GROUP = frozenset({
    Verb.GREETING, Verb.EHLO, Verb.HELO, Verb.LHLO, Verb.DATA, Verb.VRFY, Verb.EXPN, Verb.NOOP, Verb.QUIT,
    Verb.STARTTLS, Verb.AUTH, Verb.XCLIENT,
})  # fmt: skip

_BAD_SEQUENCE = (503, "5.5.1", "Bad sequence of commands")


def next_state(state: State, verb: Verb, code: int) -> State | None:
    """The state after `verb` was answered with `code`; None when no such answer is possible there."""
    if code == 421:
        return State.CLOSED
    moves = MOVES[state].get(verb)
    if moves is None:
        # A refusal out of turn changes nothing; a success there means the two sides disagree.
        return state if code >= 400 else None
    if code < 400 and moves:
        return moves.get(code // 100)  # success of another kind than the command can have: the sides disagree
    return moves.get(code // 100, state)


def refusal(state: State, verb: Verb) -> tuple[int, str, str] | None:
    """The reply to `verb` when it is out of order in `state`, else None."""
    if (state, verb) in REFUSALS:
        return REFUSALS[state, verb]
    return None if verb in MOVES[state] else _BAD_SEQUENCE
