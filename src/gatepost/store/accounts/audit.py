"""Accounts whose passwords would be guessed: the likeliest ones are tried, those made of the account's own name first.

In: accounts, how many guesses each, a deadline. Out: `Weak` for each that was found, and how far the search came. All
accounts get their first guess before any gets its second, so that a search that is cut short was even.
Standard: none. Not here: refusing weak passwords when they are set (`strength`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from gatepost.store.accounts import passwords
from gatepost.store.accounts.accounts import Accounts
from gatepost.store.accounts.strength import common_passwords, names_in

Progress = Callable[[int], None]
ENDINGS = ("", "1", "123", "1234", "12345", "!", "123!", "@123")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weak:
    """An account whose password was guessed. `kind` is "common" or "name"; `guess` is which guess it was, from 1. The
    password is not told: who needs to know it is its owner, who shall change it."""

    account: str
    kind: str
    guess: int

    def as_json(self) -> dict[str, Any]:
        """As JSON values; part of docs/schema/user-audit.json."""
        return {"account": self.account, "kind": self.kind, "guess": self.guess}


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """`guesses` is how many every account had, of `wanted`; less where time ran out."""

    accounts: int
    guesses: int
    wanted: int
    weak: tuple[Weak, ...]

    def as_json(self) -> dict[str, Any]:
        """As JSON values; the schema is docs/schema/user-audit.json."""
        return {
            "accounts": self.accounts,
            "guesses": self.guesses,
            "wanted": self.wanted,
            "complete": self.guesses >= self.wanted,
            "weak": [one.as_json() for one in self.weak],
        }


def audit(
    accounts: Accounts,
    *,
    only: str = "",
    guesses: int,
    year: int,
    is_over: Callable[[], bool],
    progress: Progress = lambda done: None,
) -> Audited:
    """Tries `guesses` passwords on each account (or on `only`), some 50 ms each, until `is_over()`."""
    sql = "SELECT address, password_hash FROM account WHERE ? = '' OR address = ? ORDER BY address"
    left = [(address, kept, candidates(address, year)) for address, kept in accounts.book.read(sql, only, only)]
    total, done, rounds = len(left), 0, 0
    weak: list[Weak] = []
    while left and rounds < guesses:
        staying = []
        for address, kept, tries in left:
            if is_over():
                return Audited(accounts=total, guesses=rounds, wanted=guesses, weak=tuple(weak))
            kind, password = next(tries, ("", ""))
            if kind and passwords.is_right(kept, password):
                weak.append(Weak(account=address, kind=kind, guess=rounds + 1))
            elif kind:
                staying.append((address, kept, tries))
            done += 1
            progress(done)
        left, rounds = staying, rounds + 1
    return Audited(accounts=total, guesses=guesses, wanted=guesses, weak=tuple(weak))


def candidates(address: str, year: int) -> Iterator[tuple[str, str]]:
    """Guesses for one account, likeliest first, each with its kind: its own names and the common ones in turn."""
    own, seen = own_guesses(address, year), set()
    common = iter(common_passwords())
    while True:
        some = [("name", guess) for guess in islice(own, 1)] + [("common", guess) for guess in islice(common, 1)]
        if not some:
            return
        for kind, guess in some:
            if guess not in seen:
                seen.add(guess)
                yield kind, guess


def own_guesses(address: str, year: int) -> Iterator[str]:
    """What is made of the address: its parts, plain and capital, with the usual endings and the last years."""
    local = address.rpartition("@")[0]
    names = sorted(names_in(address), key=lambda name: name not in local)  # his own before the domain's
    endings = (*ENDINGS, str(year), f"{year}!", str(year - 1), f"{year - 1}!")
    for ending in endings:
        for name in [*names, address]:
            yield name + ending
            yield name.capitalize() + ending
