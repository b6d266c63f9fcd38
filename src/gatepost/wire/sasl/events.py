"""What a server's exchange tells its house: something for the client, a question, or the end.

In: made by the mechanisms. Out: frozen values; what is secret in them is not in their `repr`.
Standard: RFC 4422 §3 (challenges, outcome). Not here: how a question is answered (`server.submission`).
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from gatepost.ports import Identity


@dataclass(frozen=True, slots=True)
class Challenge:
    """Octets for the client, who answers with a response."""

    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPassword:
    """A question: is this the password of `authcid`? Answered by `ServerExchange.decide`.

    Both are prepared (`prepare`). `authzid` is whom the client wants to act as; empty: himself.
    """

    authcid: str
    authzid: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckCertificate:
    """A question: whose certificate did the client show in the handshake of TLS? Answered by `decide`."""

    authzid: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NeedVerifier:
    """A question: what is `authcid`'s proof checked with? Answered by `ServerExchange.give_verifier`, for a name that
    nobody has with a decoy (`scram_keys.decoy`), so that it looks like one that somebody has."""

    authcid: str
    authzid: str


class Reason(enum.Enum):
    """Why an exchange failed. Only the first three are told apart to the client; the rest would help guessing."""

    MALFORMED = "malformed"  # no base64, or not what the mechanism sends
    TOO_LONG = "too long"
    CANCELLED = "cancelled"
    WRONG = "wrong"  # name, password, proof or certificate
    UNFIT = "unfit"  # a name or password that nobody here can have (RFC 8265)
    NOT_HIMSELF = "not himself"  # right, but he may not act as whom he wants to
    CHANNEL = "channel"  # not bound to this channel, or somebody talked him out of binding (RFC 5802 §6)
    BLOCKED = "blocked"  # too much guessing: nothing was checked
    NOT_FOR_THIS = "not for this"  # right, but not good for what this server does


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The end: nobody is logged in. `authcid` is the name that was tried, as far as one was told; `words` say for the
    log what was wrong, without anything secret."""

    reason: Reason
    words: str
    authcid: str = ""

    @property
    def guessed(self) -> bool:
        """Whether somebody tried a name with something that does not prove it."""
        return self.reason in (Reason.WRONG, Reason.UNFIT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """The end: the client is `identity`."""

    identity: Identity


Question = CheckPassword | CheckCertificate | NeedVerifier
ServerEvent = Challenge | Question | Failed | Proven
