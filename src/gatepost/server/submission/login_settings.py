"""The options of logging in: `[login]` and the table below it.

In: nothing. Out: `LoginSettings`. Standard: RFC 4954, RFC 4422. Not here: accounts (`gatepost user`), ports and
what an account may send (`settings`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from gatepost.server.door.settings import Mode

Mechanism = Literal["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "EXTERNAL", "PLAIN", "LOGIN"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessingSettings:
    """What is done about guessed passwords. A right password counts for nothing here, and the same wrong one of the
    same client only once: a telephone with an old password guesses at nobody. Own networks (`door.exempt`) are never
    slowed, blocked or banned. 0 switches a limit off."""

    mode: Mode = "on"
    """"watch" only tells what would have been blocked or banned."""
    address_failures: int = 20
    """Failed logins within an hour from one IPv4 address or one IPv6 /64 network, before it is banned
    (`gatepost ban list`)."""
    network_failures: int = 100
    """Failed logins within an hour from one IPv4 /24 or IPv6 /48 network; above it nobody logs in from there (454)."""
    account_failures: int = 30
    """Failed logins within an hour at one account, from wherever; above it only those log in who come from a network
    that it logged in from before."""
    password_accounts: int = 5
    """Accounts at which the same wrong password was tried within an hour; above it nobody logs in with it but from a
    network that the account logged in from before."""
    delay: float = 1.0
    """Seconds that the answer to a failed login waits; it grows by as much with each further one within the hour."""
    max_delay: float = 15.0
    """Seconds that an answer waits at most."""
    max_held: int = 200
    """Answers that may wait at the same time, in one worker; above it they come at once."""
    ban_seconds: float = 3600.0
    """Seconds that an address is banned."""
    remember_days: int = 180
    """Days that the networks are remembered from which accounts logged in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginSettings:
    """How clients prove who they are. AUTH is offered inside TLS only, whatever is written here."""

    mechanisms: tuple[Mechanism, ...] = ("SCRAM-SHA-256-PLUS", "SCRAM-SHA-256", "EXTERNAL", "PLAIN", "LOGIN")
    """What is offered, best first. LOGIN is for old clients and as good as PLAIN. The SCRAM ones need a verifier beside
    the password, which accounts get when their password is set; EXTERNAL is for clients that show a certificate."""
    checks_at_once: int = 2
    """Passwords that one worker checks at the same time, each with 64 MiB of memory and a thread of its own."""
    checks_waiting: int = 50
    """Passwords that wait for their check in one worker; above it the answer is 454."""
    remember: float = 300.0
    """Seconds after which a right password is checked by argon2id again; until then its digest under a key of the
    process will do, kept in memory only. A changed password, a suspended account count at once. 0: each login pays."""
    guessing: GuessingSettings = field(default_factory=GuessingSettings)
    """What is done about guessed passwords."""
