"""PLAIN: name and password in one message. Only ever inside TLS.

In: "authzid NUL authcid NUL password". Out: `CheckPassword`. Standard: RFC 4616 §2.
Not here: whether the line is protected (the driver), whether the password is right (the house).
"""

from __future__ import annotations

from gatepost.errors import InputError
from gatepost.wire.sasl.client import ClientExchange, server_broke
from gatepost.wire.sasl.events import Challenge, CheckPassword, Reason, ServerEvent
from gatepost.wire.sasl.exchange import ServerExchange
from gatepost.wire.sasl.prepare import MAX_NAME, MAX_PASSWORD, Unfit, prepare_name, prepare_password

# RFC 4616 §2:
#   message   = [authzid] UTF8NUL authcid UTF8NUL passwd
#   authcid   = 1*SAFE ; MUST accept up to 255 octets
#   authzid   = 1*SAFE ; MUST accept up to 255 octets
#   passwd    = 1*SAFE ; MUST accept up to 255 octets
_MOST = 2 * MAX_NAME + MAX_PASSWORD + 2


class PlainServer(ServerExchange):
    """One message, one question."""

    mechanism = "PLAIN"
    __slots__ = ()

    def _start(self, initial: bytes | None) -> ServerEvent:
        return Challenge() if initial is None else self._receive(initial)

    def _receive(self, response: bytes) -> ServerEvent:
        if len(response) > _MOST:
            return self.failed(Reason.TOO_LONG, "the message is longer than any name and password")
        parts = response.split(b"\0")
        if len(parts) != 3:
            return self.failed(Reason.MALFORMED, "the message is not name NUL name NUL password")
        try:
            authzid, authcid, password = (part.decode("utf-8") for part in parts)
        except UnicodeDecodeError:
            return self.failed(Reason.MALFORMED, "the message is not UTF-8")
        return self.ask_password(authcid, authzid, password)

    def ask_password(self, authcid: str, authzid: str, password: str) -> ServerEvent:
        """The question, once names and password are in their one form."""
        try:
            self.authcid = prepare_name(authcid)
            self.authzid = prepare_name(authzid) if authzid else ""
            prepared = prepare_password(password)
        except Unfit as error:
            return self.failed(Reason.UNFIT, str(error))
        return CheckPassword(authcid=self.authcid, authzid=self.authzid, password=prepared)


class PlainClient(ClientExchange):
    """Raises InputError for a name or password that cannot be sent."""

    mechanism = "PLAIN"
    __slots__ = ("_message",)

    def __init__(self, authcid: str, password: str, authzid: str = "") -> None:
        for field, value in (("authzid", authzid), ("authcid", authcid), ("password", password)):
            if "\0" in value or (not value and field != "authzid"):
                raise InputError(field, "(not shown)", "must not be empty or hold NUL")
        self._message = "\0".join((authzid, authcid, password)).encode("utf-8", "replace")

    def start(self) -> bytes | None:
        """All there is."""
        return self._message

    def respond(self, challenge: bytes) -> bytes:
        """An empty challenge asks for what did not fit the command's line."""
        if challenge:
            raise server_broke("PLAIN has no challenge")
        return self._message
