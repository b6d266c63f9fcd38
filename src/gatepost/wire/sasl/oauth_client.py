"""OAUTHBEARER and XOAUTH2 as the client sees them: an access token in place of a password. Only ever inside TLS.

In: a name and a token. Out: one message; where the server refuses, it says why in JSON before it fails.
Standard: RFC 7628 §3 (OAUTHBEARER); XOAUTH2 has none (Google's and Microsoft's documentation of IMAP and SMTP).
Not here: where the token comes from; the server's side, which this product does not offer.
"""

from __future__ import annotations

from collections.abc import Collection

from gatepost.errors import InputError
from gatepost.wire.sasl.client import ClientExchange, server_broke

_KVSEP = "\x01"
# RFC 6750 §2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_TOKEN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=")


class OAuthClient(ClientExchange):
    """One message; then perhaps one challenge with the reason of a failure, which is acknowledged."""

    __slots__ = ("_acknowledge", "_failed", "_message", "failure", "mechanism")

    def __init__(self, mechanism: str, message: str, acknowledge: bytes) -> None:
        self.mechanism = mechanism
        self.failure = ""
        self._message = message.encode("utf-8")
        self._acknowledge = acknowledge
        self._failed = False

    def start(self) -> bytes | None:
        """All there is."""
        return self._message

    def respond(self, challenge: bytes) -> bytes:
        """An empty challenge asks for what did not fit the command's line; another tells why it is going to fail."""
        if not challenge and not self._failed:
            return self._message
        if self._failed:
            raise server_broke("The server goes on after it told why it fails")
        self._failed = True
        self.failure = challenge[:300].decode("utf-8", "replace")
        return self._acknowledge

    def finish(self) -> None:
        """The server accepts."""
        if self._failed:
            raise server_broke("The server accepts after it told why it fails")


def token_exchange(offered: Collection[str], user: str, token: str, host: str, port: int) -> ClientExchange | None:
    """The machine for the best of the mechanisms `offered` that a token can do; None when there is none."""
    if not user or not set(token) <= _TOKEN or not token or any(c < " " or c in ",=\x7f" for c in user):
        raise InputError("token", "(not shown)", "name or token hold what OAuth does not allow there")
    if "OAUTHBEARER" in offered:
        # RFC 7628 §3.1: gs2-header kvsep *kvpair kvsep
        pairs = (f"n,a={user},", f"host={host}", f"port={port}", f"auth=Bearer {token}", "", "")
        return OAuthClient("OAUTHBEARER", _KVSEP.join(pairs), b"\x01")
    if "XOAUTH2" in offered:
        return OAuthClient("XOAUTH2", _KVSEP.join((f"user={user}", f"auth=Bearer {token}", "", "")), b"")
    return None
