"""LOGIN: name and password asked for one after the other. For old clients; only ever inside TLS.

In: two responses. Out: `CheckPassword`. Standard: none (draft-murchison-sasl-login-00, which says: use PLAIN).
Not here: preparation and question, which are PLAIN's.
"""

from __future__ import annotations

from gatepost.errors import InputError
from gatepost.wire.sasl.client import ClientExchange, server_broke
from gatepost.wire.sasl.events import Challenge, Reason, ServerEvent
from gatepost.wire.sasl.plain import PlainServer
from gatepost.wire.sasl.prepare import MAX_NAME, MAX_PASSWORD

_ASK_NAME = Challenge(b"Username:")  # clients compare these; the words are those that all servers use
_ASK_PASSWORD = Challenge(b"Password:")


class LoginServer(PlainServer):
    """Two challenges; many clients answer the first before it is asked, with the command."""

    mechanism = "LOGIN"
    __slots__ = ("_name",)

    def __init__(self) -> None:
        super().__init__()
        self._name: str | None = None

    def _start(self, initial: bytes | None) -> ServerEvent:
        return _ASK_NAME if initial is None else self._receive(initial)

    def _receive(self, response: bytes) -> ServerEvent:
        if len(response) > max(MAX_NAME, MAX_PASSWORD):
            return self.failed(Reason.TOO_LONG, "longer than any name or password")
        try:
            text = response.decode("utf-8")
        except UnicodeDecodeError:
            return self.failed(Reason.MALFORMED, "a response is not UTF-8")
        if self._name is None:
            self._name = text
            return _ASK_PASSWORD
        return self.ask_password(self._name, "", text)


class LoginClient(ClientExchange):
    """Answers in the order in which it is asked, whatever the words."""

    mechanism = "LOGIN"
    __slots__ = ("_answers",)

    def __init__(self, authcid: str, password: str) -> None:
        if not authcid or not password:
            raise InputError("authcid", "(not shown)", "name and password must not be empty")
        self._answers = [password.encode("utf-8", "replace"), authcid.encode("utf-8", "replace")]

    def start(self) -> bytes | None:
        """The server asks first."""
        return None

    def respond(self, challenge: bytes) -> bytes:
        """Name, then password."""
        if not self._answers:
            raise server_broke("LOGIN has two challenges")
        return self._answers.pop()
