"""An exchange as the client sees it.

In: the server's challenges. Out: responses; RemoteProtocolError where the server sends what it may not.
Standard: RFC 4422 §3. Not here: each mechanism's client (in its own file), base64 (the protocol's profile).
"""

from __future__ import annotations

from gatepost.errors import RemoteProtocolError


class ClientExchange:
    """`start`, then `respond` to each challenge, then `finish` once the server says that it is content."""

    mechanism = ""
    __slots__ = ()

    def start(self) -> bytes | None:
        """The initial response; None where the server speaks first."""
        raise NotImplementedError

    def respond(self, challenge: bytes) -> bytes:
        """The response to `challenge`."""
        raise NotImplementedError

    def finish(self) -> None:
        """The server accepts. RemoteProtocolError when it should have proven itself before and did not."""


def server_broke(words: str) -> RemoteProtocolError:
    """The server does not keep to the mechanism."""
    return RemoteProtocolError(535, "5.7.8", words)
