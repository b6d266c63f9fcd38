"""EXTERNAL: the certificate that the client showed in the handshake of TLS says who he is.

In: the name he wants to act as, perhaps empty. Out: `CheckCertificate`. Standard: RFC 4422 App. A.
Not here: the certificate (the driver has it), whose it is (the house).
"""

from __future__ import annotations

from gatepost.wire.sasl.client import ClientExchange, server_broke
from gatepost.wire.sasl.events import Challenge, CheckCertificate, Reason, ServerEvent
from gatepost.wire.sasl.exchange import ServerExchange
from gatepost.wire.sasl.prepare import MAX_NAME, Unfit, prepare_name

# RFC 4422 App. A.1: extern-initial-resp = [authz-id-string]; UTF-8 without NUL


class ExternalServer(ServerExchange):
    """One message, one question."""

    mechanism = "EXTERNAL"
    __slots__ = ()

    def _start(self, initial: bytes | None) -> ServerEvent:
        return Challenge() if initial is None else self._receive(initial)

    def _receive(self, response: bytes) -> ServerEvent:
        if len(response) > MAX_NAME:
            return self.failed(Reason.TOO_LONG, "longer than any name")
        try:
            self.authzid = prepare_name(response.decode("utf-8")) if response else ""
        except UnicodeDecodeError:
            return self.failed(Reason.MALFORMED, "the name is not UTF-8")
        except Unfit as error:
            return self.failed(Reason.UNFIT, str(error))
        return CheckCertificate(authzid=self.authzid)


class ExternalClient(ClientExchange):
    """`authzid` empty: whoever the certificate says."""

    mechanism = "EXTERNAL"
    __slots__ = ("_authzid",)

    def __init__(self, authzid: str = "") -> None:
        self._authzid = authzid.replace("\0", "").encode("utf-8", "replace")

    def start(self) -> bytes | None:
        """All there is."""
        return self._authzid

    def respond(self, challenge: bytes) -> bytes:
        """An empty challenge asks for it."""
        if challenge:
            raise server_broke("EXTERNAL has no challenge")
        return self._authzid
