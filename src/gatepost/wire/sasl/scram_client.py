"""SCRAM-SHA-256 and SCRAM-SHA-256-PLUS as the client sees them.

In: the server's two messages. Out: ours; RemoteProtocolError when the server does not prove that it has the verifier.
Standard: RFC 5802 §3, §5, §6, RFC 7677. Not here: grammar (`scram_messages`), keys (`scram_keys`).
"""

from __future__ import annotations

import hmac

from gatepost.wire.sasl import scram_keys
from gatepost.wire.sasl.client import ClientExchange, server_broke
from gatepost.wire.sasl.prepare import prepare_name, prepare_password
from gatepost.wire.sasl.scram_messages import (
    TLS_SERVER_END_POINT,
    parse_server_final,
    parse_server_first,
    write_base64,
    write_client_first,
    write_header,
    write_without_proof,
)


class ScramClient(ClientExchange):
    """`nonce` is our part of it, random and new. `end_point` is the channel's `tls-server-end-point`; `plus` says that
    the server offers to bind to it. With an end point and no offer we say so, and a server that did offer refuses."""

    __slots__ = (
        "_auth_message", "_bare", "_binding", "_first", "_header", "_nonce", "_password", "_signature", "mechanism",
        "proven",
    )  # fmt: skip

    def __init__(
        self, authcid: str, password: str, nonce: str, *, end_point: bytes = b"", plus: bool = False, authzid: str = ""
    ) -> None:
        self.mechanism = "SCRAM-SHA-256-PLUS" if plus else "SCRAM-SHA-256"
        binding = f"p={TLS_SERVER_END_POINT}" if plus else "y" if end_point else "n"
        self._header = write_header(binding, authzid)
        self._binding = self._header + (end_point if plus else b"")
        self._password = prepare_password(password)
        self._nonce = nonce.encode("ascii")
        self._first, self._bare = write_client_first(self._header, prepare_name(authcid), nonce)
        self._signature = b""
        self.proven = False

    def start(self) -> bytes | None:
        """The first message."""
        return self._first

    def respond(self, challenge: bytes) -> bytes:
        """The last message with our proof; then, the server proven, nothing more."""
        if not self._signature:
            return self._first if not challenge else self._prove(challenge)
        final = parse_server_final(challenge)
        if final is None or self.proven:
            raise server_broke("The server sent what is none of SCRAM's messages")
        if not hmac.compare_digest(final.signature, self._signature):
            raise server_broke("The server does not know the password's verifier")
        self.proven = True
        return b""

    def _prove(self, challenge: bytes) -> bytes:
        first = parse_server_first(challenge)
        if first is None:
            raise server_broke("The server sent what is none of SCRAM's messages")
        if not first.nonce.startswith(self._nonce) or first.nonce == self._nonce:
            raise server_broke("The server's nonce is not behind ours")
        if not scram_keys.MIN_ITERATIONS <= first.iterations <= scram_keys.MAX_ITERATIONS:
            raise server_broke("The server asks for too few rounds, or too many")
        salted = scram_keys.salted_password(self._password, first.salt, first.iterations)
        without_proof = write_without_proof(self._binding, first.nonce)
        auth_message = b",".join((self._bare, challenge, without_proof))
        self._signature = scram_keys.signature_of(scram_keys.keys_of(salted).server_key, auth_message)
        proof = scram_keys.proof_of(scram_keys.client_key(salted), auth_message)
        return without_proof + b",p=" + write_base64(proof)

    def finish(self) -> None:
        """A server that accepts without its proof may be anybody."""
        if not self.proven:
            raise server_broke("The server did not prove that it knows the password's verifier")
