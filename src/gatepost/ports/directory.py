"""Who may log in, as the houses ask it.

In: a name and what proves it. Out: `Identity`, or a verifier to prove it with; None when it proves nothing.
Standard: RFC 5803 §2 (what a SCRAM verifier holds), RFC 4422 App. A (EXTERNAL).
Not here: who answers (`store.accounts`; other directories), the exchange (`wire.sasl`), guessing (`server.submission`).
Names come prepared (RFC 8265 §3.3, `wire.sasl.prepare`): in lower case, NFC; a name with no @ is for the directory to
complete or to refuse.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody who proved who he is. `account` is the account's one name, as it stands in the log and in the rules of
    who may send what. `credential` is what proved it, for the log: "password", "app:NAME" for an app password,
    "scram", "certificate". `scopes` is what it is good for ("submit", "imap", "pop3"); empty: everything.
    """

    account: str
    credential: str = "password"
    scopes: frozenset[str] = frozenset()

    def may(self, scope: str) -> bool:
        """Whether this proof is good for `scope`."""
        return not self.scopes or scope in self.scopes


@dataclass(frozen=True, slots=True, kw_only=True)
class ScramVerifier:
    """What SCRAM-SHA-256 checks a client's proof with; the password cannot be had from it, but can be guessed at.

    `identity` is whom a right proof makes the client. The keys are the 32 octets of RFC 5802 §3.
    """

    identity: Identity
    salt: bytes = field(repr=False)
    iterations: int
    stored_key: bytes = field(repr=False)
    server_key: bytes = field(repr=False)


class Directory(Protocol):
    """Asked by the reception, and never blocks its loop. It takes as long for names it does not know.

    A store that cannot answer raises StoreError: then nobody is refused for good (454); one that has more to do than it
    can raises StoreBusy at once.
    """

    async def check_password(self, name: str, password: str) -> Identity | None:
        """Whom `password` (RFC 8265 §4.2) proves `name` to be; None when it is wrong or there is no such name."""
        ...

    async def verifier(self, name: str) -> ScramVerifier | None:
        """The verifier of `name`, None when there is none."""
        ...

    async def by_certificate(self, fingerprint: str, subject: str) -> Identity | None:
        """Whose client certificate this is. `fingerprint` is the SHA-256 of its DER form in lower-case hex, `subject`
        its distinguished name as RFC 4514 writes it. It was verified where the settings name an authority; else only
        the fingerprint says anything."""
        ...


class BlockingDirectory(Protocol):
    """The same three for a store that blocks and is thread-safe (`store.accounts`, argon2id): `server.submission`
    carries them to a few threads, so that the store needs none of its own."""

    def check_password(self, name: str, password: str) -> Identity | None:
        """As in `Directory`."""
        ...

    def verifier(self, name: str) -> ScramVerifier | None:
        """As in `Directory`."""
        ...

    def by_certificate(self, fingerprint: str, subject: str) -> Identity | None:
        """As in `Directory`."""
        ...
