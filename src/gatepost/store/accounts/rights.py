"""What accounts may do: whom they may write as, how much, whether in bulk, whether at all.

In: an account's address. Out: `Standing`, and answers to "may it write as …?". Rows are kept by address and need no
account here, since they hold for accounts of another directory too. Standard: RFC 5233 (sub-addresses).
Not here: counting what was sent (`server.submission`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from gatepost.errors import InputError
from gatepost.store.accounts.book import Book
from gatepost.store.accounts.model import LIMITS, Standing, Suspension
from gatepost.store.accounts.names import prepare_sender

MAX_REASON = 200  # characters
MAX_LIMIT = 100_000_000
MAX_SENDERS = 1000  # delegations of one account


class Rights:
    """Thread-safe. Raises StoreError; InputError for what cannot be."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def standing(self, account: str) -> Standing:
        """What `account` may do; one that nothing is said of may do what everybody may."""
        state = self._book.read("SELECT suspended_at, suspended_for, is_bulk FROM standing WHERE address = ?", account)
        limits = self._book.read("SELECT name, most FROM account_limit WHERE address = ? ORDER BY name", account)
        senders = self._book.read("SELECT sender FROM delegation WHERE address = ? ORDER BY sender", account)
        since, reason, is_bulk = state[0] if state else (None, "", 0)
        return Standing(
            account=account,
            suspension=Suspension(since, reason) if since is not None else None,
            is_bulk=bool(is_bulk),
            limits=MappingProxyType(dict(limits)),
            senders=tuple(sender for (sender,) in senders),
        )

    def all(self) -> Mapping[str, Standing]:
        """The standing of every account of which something is said."""
        sql = (
            "SELECT address FROM standing UNION SELECT address FROM account_limit UNION SELECT address FROM delegation"
        )
        return {address: self.standing(address) for (address,) in self._book.read(sql)}

    def suspension(self, account: str) -> Suspension | None:
        """Since when and why `account` is suspended; None when it is not."""
        sql = "SELECT suspended_at, suspended_for FROM standing WHERE address = ? AND suspended_at IS NOT NULL"
        rows = self._book.read(sql, account)
        return Suspension(*rows[0]) if rows else None

    def suspend(self, account: str, reason: str, now: float) -> bool:
        """Suspends an account; False when it was already, and then the first reason stays."""
        reason = " ".join(reason.split())[:MAX_REASON].encode("utf-8", "replace").decode("utf-8")
        sql = (
            "INSERT INTO standing (address, suspended_at, suspended_for) VALUES (?, ?, ?) ON CONFLICT (address)"
            " DO UPDATE SET suspended_at = excluded.suspended_at, suspended_for = excluded.suspended_for"
            " WHERE suspended_at IS NULL"
        )
        return self._book.write((sql, (account, now, reason))) > 0

    def resume(self, account: str) -> bool:
        """Lifts the suspension; False when there was none."""
        sql = (
            "UPDATE standing SET suspended_at = NULL, suspended_for = '' WHERE address = ? AND suspended_at IS NOT NULL"
        )
        return self._book.write((sql, (account,))) > 0

    def set_bulk(self, account: str, is_bulk: bool) -> None:
        """Marks an account as one that sends to lists of people (RFC 8058), or takes the mark away."""
        sql = "INSERT INTO standing (address, is_bulk) VALUES (?, ?) ON CONFLICT (address) DO UPDATE SET is_bulk = ?"
        self._book.write((sql, (account, is_bulk, is_bulk)))

    def set_limit(self, account: str, name: str, most: int | None) -> None:
        """An account's own limit: 0 is none at all, None goes back to the gate's setting. Raises InputError."""
        if name not in LIMITS:
            raise InputError("limit", name, f"known are {', '.join(LIMITS)}")
        if most is None:
            self._book.write(("DELETE FROM account_limit WHERE address = ? AND name = ?", (account, name)))
            return
        if not 0 <= most <= MAX_LIMIT:
            raise InputError(name, most, f"give a number from 0 (no limit) to {MAX_LIMIT}")
        self._book.write(("INSERT OR REPLACE INTO account_limit VALUES (?, ?, ?)", (account, name, most)))

    def delegate(self, account: str, sender: str, now: float) -> bool:
        """Lets `account` write as `sender`: an address, or "@example.org" for a whole domain. False when it could
        already. Raises InputError."""
        sender = prepare_sender(sender)
        with self._book.writing() as run:
            count = run.execute("SELECT count(*) FROM delegation WHERE address = ?", (account,)).fetchone()[0]
            if count >= MAX_SENDERS:
                raise InputError("sender", sender, f"{account} has {count} already; delegate the domain instead")
            row = (account, sender, now)
            return run.execute("INSERT INTO delegation VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row).rowcount > 0

    def undelegate(self, account: str, sender: str) -> bool:
        """Takes it away again; False when there was nothing to take."""
        sql = "DELETE FROM delegation WHERE address = ? AND sender = ?"
        return self._book.write((sql, (account, prepare_sender(sender)))) > 0

    def may_send_as(self, account: str, address: str, separator: str = "+") -> bool:
        """Whether `account` may write as `address`: its own, a sub-address of its own, or one delegated to it. Both
        addresses are in the form of `prepare_address`. Aliases are `server.recipients`' to know."""
        base = without_sub_address(address, separator)
        if account in (address, base):
            return True
        sql = "SELECT 1 FROM delegation WHERE address = ? AND sender IN (?, ?, ?)"
        return bool(self._book.read(sql, account, address, base, "@" + address.rpartition("@")[2]))


def without_sub_address(address: str, separator: str) -> str:
    """`address` with what stands behind the separator taken out of its local part."""
    local, _, domain = address.rpartition("@")
    base = local.partition(separator)[0] if separator else local
    return f"{base or local}@{domain}"
