"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS: each side proves that it knows the password, and neither tells it.

In: the client's two messages, a verifier. Out: `NeedVerifier`, our two messages, the end.
Standard: RFC 5802 §3, §5, §6 (channel binding and its downgrade), RFC 7677, RFC 5929 §4 (tls-server-end-point).
Not here: grammar (`scram_messages`), keys (`scram_keys`), the client (`scram_client`).
Our last message is a challenge with an empty response (RFC 4422 §4, RFC 4954 §4): only then it is over.
"""

from __future__ import annotations

import hmac
import re

from gatepost.errors import LocalProtocolError
from gatepost.ports import ScramVerifier
from gatepost.wire.sasl import scram_keys
from gatepost.wire.sasl.events import Challenge, NeedVerifier, Reason, ServerEvent
from gatepost.wire.sasl.exchange import ServerExchange
from gatepost.wire.sasl.prepare import Unfit, prepare_name
from gatepost.wire.sasl.scram_messages import (
    TLS_SERVER_END_POINT,
    ClientFirst,
    parse_client_final,
    parse_client_first,
    write_base64,
    write_server_first,
)

_OUR_NONCE = re.compile(r"[!-+\--~]{18,100}")


class ScramServer(ServerExchange):
    """`nonce` is our part of it: 18 random characters or more, new for each exchange. `end_point` is the channel's
    `tls-server-end-point`, empty where there is none: then "-PLUS" is not offered."""

    mechanism = "SCRAM-SHA-256"
    plus = False
    __slots__ = ("_auth_message", "_decoy", "_end_point", "_first", "_nonce", "_signed", "_verifier")

    def __init__(self, nonce: str, end_point: bytes = b"") -> None:
        super().__init__()
        if _OUR_NONCE.fullmatch(nonce) is None or (self.plus and not end_point):
            raise LocalProtocolError("SCRAM needs a fresh nonce, and -PLUS a channel to be bound to")
        self._nonce = nonce.encode("ascii")
        self._end_point = end_point
        self._first: ClientFirst | None = None
        self._verifier: ScramVerifier | None = None
        self._decoy = False
        self._auth_message = b""
        self._signed = False

    def _start(self, initial: bytes | None) -> ServerEvent:
        return Challenge() if initial is None else self._receive(initial)

    def _receive(self, response: bytes) -> ServerEvent:
        if self._first is None:
            return self._meet(response)
        if not self._signed:
            return self._check(response, self._first)
        if response:
            return self.failed(Reason.MALFORMED, "the last response is not empty")
        assert self._verifier is not None
        return self._prove(self._verifier.identity)

    def _meet(self, response: bytes) -> ServerEvent:
        first = parse_client_first(response)
        if first is None:
            return self.failed(Reason.MALFORMED, "the first message is none of SCRAM's")
        try:
            self.authcid = prepare_name(first.name)
            self.authzid = prepare_name(first.authzid) if first.authzid else ""
        except Unfit as error:
            return self.failed(Reason.UNFIT, str(error))
        wrong = self._wrong_channel(first.binding)
        if wrong:
            return self.failed(Reason.CHANNEL, wrong)
        self._first = first
        return NeedVerifier(authcid=self.authcid, authzid=self.authzid)

    def _wrong_channel(self, binding: str) -> str:
        """RFC 5802 §6: what is wrong with what the client says about channel binding; empty when nothing is."""
        if self.plus:
            return "" if binding == f"p={TLS_SERVER_END_POINT}" else "it does not bind the channel as we offer it"
        if binding == "y" and self._end_point:  # it can, we can, and it was not told: somebody took the offer away
            return "it was not told that we bind channels; somebody may sit between"
        return "" if binding in ("n", "y") else "it binds the channel without -PLUS"

    def _take_verifier(self, verifier: ScramVerifier, decoy: bool) -> ServerEvent:
        first = self._first
        assert first is not None
        self._verifier, self._decoy = verifier, decoy
        self._nonce = first.nonce + self._nonce
        message = write_server_first(self._nonce, verifier.salt, verifier.iterations)
        self._auth_message = first.bare + b"," + message
        return Challenge(message)

    def _check(self, response: bytes, first: ClientFirst) -> ServerEvent:
        final, verifier = parse_client_final(response), self._verifier
        if final is None or verifier is None:
            return self.failed(Reason.MALFORMED, "the last message is none of SCRAM's")
        if not hmac.compare_digest(final.nonce, self._nonce):
            return self.failed(Reason.MALFORMED, "the nonce is not the one of this exchange")
        expected = first.header + (self._end_point if self.plus else b"")
        if not hmac.compare_digest(final.binding, expected):
            return self.failed(Reason.CHANNEL, "it is bound to another channel; somebody may sit between")
        auth_message = self._auth_message + b"," + final.without_proof
        right = scram_keys.is_proof(final.proof, verifier.stored_key, auth_message)
        if not right or self._decoy:
            return self._prove(None)
        self._signed = True
        return Challenge(b"v=" + write_base64(scram_keys.signature_of(verifier.server_key, auth_message)))


class ScramPlusServer(ScramServer):
    """Bound to the channel: whoever sits between has another certificate, and fails."""

    mechanism = "SCRAM-SHA-256-PLUS"
    plus = True
    __slots__ = ()
