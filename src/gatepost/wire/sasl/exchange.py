"""An exchange as the server sees it: what every mechanism has in common.

In: the client's responses, the house's answers. Out: events (`events`). It stands in one of five places, and each
event leads to the next; whatever is out of turn is a LocalProtocolError, whatever a client sends is an event.
Standard: RFC 4422 §3; RFC 4954 §4 (base64, "=", "*", 12,288 octets), which IMAP and POP3 share.
Not here: a mechanism's own messages (the files beside this one), who is asked (`server.submission`).
"""

from __future__ import annotations

import binascii
import enum
from collections.abc import Mapping

from gatepost.errors import LocalProtocolError
from gatepost.ports import Identity, ScramVerifier
from gatepost.wire.sasl.events import (
    Challenge,
    CheckCertificate,
    CheckPassword,
    Failed,
    NeedVerifier,
    Proven,
    Reason,
    ServerEvent,
)

MAX_LINE = 12_288  # RFC 4954 §4: octets of base64 that must be taken


class Place(enum.Enum):
    """What an exchange waits for."""

    START = "start"
    RESPONSE = "response"
    DECISION = "decision"
    VERIFIER = "verifier"
    OVER = "over"


_AFTER: Mapping[type, Place] = {
    Challenge: Place.RESPONSE,
    CheckPassword: Place.DECISION,
    CheckCertificate: Place.DECISION,
    NeedVerifier: Place.VERIFIER,
    Failed: Place.OVER,
    Proven: Place.OVER,
}


class ServerExchange:
    """One client's attempt. `authcid` is the name he gave, once he gave it."""

    mechanism = ""
    __slots__ = ("_place", "authcid", "authzid")

    def __init__(self) -> None:
        self._place = Place.START
        self.authcid = ""
        self.authzid = ""

    @property
    def over(self) -> bool:
        """Whether there is nothing more to come."""
        return self._place is Place.OVER

    # -- what the client sends ---------------------------------------------------------------------------------------

    def start_line(self, text: str | None) -> ServerEvent:
        """`start` with the initial response as it stands on the line: base64, "=" for an empty one, None for none."""
        if text is None or text == "=":
            return self.start(None if text is None else b"")
        data = decode_line(text)
        return self._go(Place.START, self._unread(data)) if isinstance(data, Failed) else self.start(data)

    def receive_line(self, text: str) -> ServerEvent:
        """`receive` with the response as it stands on the line: base64; "*" ends the exchange (RFC 4954 §4)."""
        if text == "*":
            return self._go(Place.RESPONSE, self.failed(Reason.CANCELLED, "the client gave up"))
        data = decode_line(text)
        return self._go(Place.RESPONSE, self._unread(data)) if isinstance(data, Failed) else self.receive(data)

    def start(self, initial: bytes | None) -> ServerEvent:
        """The client wants to begin, with its initial response if it sent one."""
        return self._go(Place.START, self._start(initial))

    def receive(self, response: bytes) -> ServerEvent:
        """The client's response to the last challenge."""
        self._must_be_in(Place.RESPONSE)
        return self._go(Place.RESPONSE, self._receive(response))

    # -- what the house answers --------------------------------------------------------------------------------------

    def decide(self, identity: Identity | None) -> ServerEvent:
        """Whom password or certificate prove the client to be; None: nobody."""
        self._must_be_in(Place.DECISION)
        return self._go(Place.DECISION, self._prove(identity))

    def give_verifier(self, verifier: ScramVerifier, *, decoy: bool = False) -> ServerEvent:
        """What the client's proof is to be checked with; nothing ever proves a `decoy`."""
        self._must_be_in(Place.VERIFIER)
        return self._go(Place.VERIFIER, self._take_verifier(verifier, decoy))

    def refuse(self, reason: Reason, words: str) -> Failed:
        """The house ends it, whatever was to come."""
        failed = self.failed(reason, words)
        self._place = Place.OVER
        return failed

    # -- for the mechanisms ------------------------------------------------------------------------------------------

    def _start(self, initial: bytes | None) -> ServerEvent:
        raise NotImplementedError

    def _receive(self, response: bytes) -> ServerEvent:
        raise NotImplementedError

    def _take_verifier(self, verifier: ScramVerifier, decoy: bool) -> ServerEvent:
        raise NotImplementedError

    def _prove(self, identity: Identity | None) -> ServerEvent:
        """RFC 4422 §3.4.1: who he is, and whether he may act as whom he wants to. Nobody acts for others here."""
        if identity is None:
            return self.failed(Reason.WRONG, "name or what should prove it is wrong")
        if self.authzid and self.authzid not in (self.authcid, identity.account):
            return self.failed(Reason.NOT_HIMSELF, "wants to act as another account")
        return Proven(identity=identity)

    def failed(self, reason: Reason, words: str) -> Failed:
        """The end, with the name as far as it is known."""
        return Failed(reason=reason, words=words, authcid=self.authcid)

    def _unread(self, failed: Failed) -> Failed:
        return self.failed(failed.reason, failed.words)

    def _must_be_in(self, place: Place) -> None:
        if self._place is not place:
            raise LocalProtocolError(f"the exchange waits for {self._place.value}, not for {place.value}")

    def _go(self, place: Place, event: ServerEvent) -> ServerEvent:
        self._must_be_in(place)
        self._place = _AFTER[type(event)]
        return event


def decode_line(text: str) -> bytes | Failed:
    """The octets of a line of base64; strict, for there is only one right way to write them (RFC 4648 §3.5)."""
    if len(text) > MAX_LINE:
        return Failed(reason=Reason.TOO_LONG, words="a line of the exchange is too long")
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except (ValueError, UnicodeEncodeError):  # binascii.Error is a ValueError
        return Failed(reason=Reason.MALFORMED, words="a line of the exchange is no base64")
    if binascii.b2a_base64(data, newline=False) != text.encode("ascii"):
        return Failed(reason=Reason.MALFORMED, words="a line of the exchange has stray bits behind its base64")
    return data


def encode_line(data: bytes) -> str:
    """The base64 that carries `data`."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")
