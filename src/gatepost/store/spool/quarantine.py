"""What an administrator does with mail in the spool: list, release, delete, hold, let go, try now; and expiry.

In: an open `Spool`, an id, perhaps one recipient's address. Out: how many recipients' copies it changed. Safe beside a
running delivery: what it has in hand is finished, and its "again later" never undoes a change made here.
Standard: none. Not here: the commands (`cli`), the delivery's own records (`queue`).
"""

from __future__ import annotations

from collections.abc import Collection

from gatepost.store.spool.ids import parse_id, shard_of
from gatepost.store.spool.queue import Spool
from gatepost.store.spool.spooled import DEMANDED, LIVE, Spooled, State

_DAY = 86400.0
_AT_ONCE = 1000  # messages that one transaction of expiry removes


def search(
    spool: Spool,
    *,
    states: Collection[State] = LIVE,
    mail_from: str | None = None,
    rcpt_to: str | None = None,
    limit: int = 1000,
) -> list[Spooled]:
    """Messages with a recipient in one of `states`, newest first; addresses match in part and in any case."""
    condition = f"state IN ({', '.join('?' * len(states))})"
    values: list[object] = [state.value for state in states]
    if rcpt_to is not None:
        condition += " AND instr(lower(address), lower(?))"
        values.append(rcpt_to)
    if mail_from is not None:
        condition += " AND message IN (SELECT id FROM message WHERE instr(lower(mail_from), lower(?)))"
        values.append(mail_from)
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


def expire(spool: Spool, now: float) -> int:
    """Deletes what has been in quarantine longer than `quarantine_days`; returns the number of messages.

    A quarantined message that the delivery gave up on counts from that moment, any other from its arrival.
    """
    before = now - spool.settings.quarantine_days * _DAY
    condition = "state = 'quarantined' AND last_try < ? AND message IN (SELECT id FROM message WHERE received_at < ?)"
    count = 0
    while old := spool.select(condition, (before, before), _AT_ONCE):
        changed = sum(_set_state(spool, spooled.id, (State.QUARANTINED,), State.DROPPED, now, None) for spooled in old)
        count += len(old)
        if not changed:
            break
    return count


def _set_state(
    spool: Spool, message_id: str, was: Collection[State], becomes: State, next_try: float, address: str | None
) -> int:
    number = parse_id(message_id)
    if number is None:
        return 0
    junk = ", junk = 0" if was == (State.QUARANTINED,) else ""  # who releases a message means it for the inbox
    sql = f"UPDATE recipient SET state = ?, next_try = ?{junk} WHERE message = ?"  # noqa: S608 - no outside word in it
    sql += f" AND state IN ({', '.join('?' * len(was))})"
    values: list[object] = [becomes.value, next_try, number, *(state.value for state in was)]
    if address is not None:
        sql += " AND lower(address) = lower(?)"
        values.append(address)
    return spool.change(shard_of(number), sql, values, {number})
