"""What an administrator does with mail in the spool: list, release, delete, hold, let go, try now.

In: an open `Spool`, an id, perhaps one recipient's address. Out: how many recipients' copies it changed. Safe beside a
running delivery: what it has in hand is finished, and its "again later" never undoes a change made here.
Standard: none. Not here: the commands (`cli`), the delivery's own records (`queue`), what goes by itself (`expiry`).
"""

from __future__ import annotations

from collections.abc import Collection

from gatepost.store.spool.ids import parse_id, shard_of
from gatepost.store.spool.queue import Spool
from gatepost.store.spool.spooled import DEMANDED, LIVE, Spooled, State


def search(
    spool: Spool,
    *,
    states: Collection[State] = LIVE,
    mail_from: str | None = None,
    rcpt_to: str | None = None,
    since: float | None = None,
    code: str | None = None,
    limit: int = 1000,
) -> list[Spooled]:
    """Messages with a recipient in one of `states`, newest first; addresses match in part and in any case, `code` is
    how a code begins that stands in the message's reason."""
    condition = f"state IN ({', '.join('?' * len(states))})"
    values: list[object] = [state.value for state in states]
    if rcpt_to is not None:
        condition += " AND instr(lower(address), lower(?))"
        values.append(rcpt_to)
    if mail_from is not None:
        condition += " AND message IN (SELECT id FROM message WHERE instr(lower(mail_from), lower(?)))"
        values.append(mail_from)
    if since is not None:
        condition += " AND message IN (SELECT id FROM message WHERE received_at >= ?)"
        values.append(since)
    if code is not None:
        condition += " AND message IN (SELECT id FROM message WHERE instr(reason, ?))"
        values.append(f'"{code}')  # codes stand in the JSON as strings; no other string there has a dot
    return spool.select(condition, values, limit)


def release(spool: Spool, message_id: str, now: float, address: str | None = None) -> int:
    """Lets quarantined copies go to the inbox."""
    return _set_state(spool, message_id, (State.QUARANTINED,), State.QUEUED, now, address)


def delete(spool: Spool, message_id: str, now: float, address: str | None = None) -> int:
    """Deletes quarantined copies for good."""
    return _set_state(spool, message_id, (State.QUARANTINED,), State.DROPPED, now, address)


def hold(spool: Spool, message_id: str, now: float, address: str | None = None) -> int:
    """Keeps queued copies back until `unhold`."""
    return _set_state(spool, message_id, (State.QUEUED,), State.HELD, now, address)


def unhold(spool: Spool, message_id: str, now: float, address: str | None = None) -> int:
    """Puts held copies back into the queue, due at once."""
    return _set_state(spool, message_id, (State.HELD,), State.QUEUED, now, address)


def retry(spool: Spool, message_id: str, now: float, address: str | None = None) -> int:
    """Makes queued copies due at once, also where the delivery spares a next hop that was down."""
    return _set_state(spool, message_id, (State.QUEUED,), State.QUEUED, DEMANDED, address)


def drop(spool: Spool, message_id: str, now: float, address: str | None = None) -> int:
    """Deletes queued and held copies for good; nobody is told."""
    return _set_state(spool, message_id, (State.QUEUED, State.HELD), State.DROPPED, now, address)


def hold_account(spool: Spool, account: str) -> int:
    """Keeps back all queued copies of what `account` handed in."""
    return _set_account_state(spool, account, State.QUEUED, State.HELD, 0.0)


def unhold_account(spool: Spool, account: str, now: float) -> int:
    """Puts all held copies of what `account` handed in back into the queue, due at once."""
    return _set_account_state(spool, account, State.HELD, State.QUEUED, now)


def _set_account_state(spool: Spool, account: str, was: State, becomes: State, next_try: float) -> int:
    sql = (
        "UPDATE recipient SET state = ?, next_try = ? WHERE state = ?"
        " AND message IN (SELECT id FROM message WHERE account = ? AND account <> '')"
    )
    values = (becomes.value, next_try, was.value, account)
    return sum(spool.change(shard, sql, values, ()) for shard in spool.numbers)


def _set_state(
    spool: Spool, message_id: str, was: Collection[State], becomes: State, next_try: float, address: str | None
) -> int:
    number = parse_id(message_id)
    if number is None:
        return 0
    junk = ", junk = 0" if was == (State.QUARANTINED,) else ""  # who releases a message means it for the inbox
    # What was to be returned, and is let go again, is not to be returned any more.
    sql = f"UPDATE recipient SET state = ?, next_try = ?, bounce = ''{junk} WHERE message = ?"  # noqa: S608 - constants
    sql += f" AND state IN ({', '.join('?' * len(was))})"
    values: list[object] = [becomes.value, next_try, number, *(state.value for state in was)]
    if address is not None:
        sql += " AND lower(address) = lower(?)"
        values.append(address)
    return spool.change(shard_of(number), sql, values, {number})
