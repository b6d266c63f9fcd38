"""What is done about a result: what the spool is told, and whether somebody is written to.

In: a recipient's `Result`, the message, the time. Out: `Settled`: the spool's outcome and perhaps a report.
Standard: RFC 3461 §5 and §6 (who is told), RFC 5321 §4.5.4.1 (giving up), §6.1 (never to the null reverse-path).
Not here: the report's text (`notices`); writing it down (`agent`).
"""

from __future__ import annotations

import enum
import random
from dataclasses import dataclass

from gatepost.server.delivery.result import Result, Status
from gatepost.server.delivery.schedule import is_expired, is_late, next_attempt
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.store.spool.spooled import Outcome, Spooled, SpooledRecipient, State


class Tell(enum.StrEnum):
    """Whom to tell of what; the values of RFC 3464 §2.3.3 where there is one."""

    FAILED = "failed"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    RELAYED = "relayed"
    POSTMASTER = "postmaster"  # the sender may not be told: it is kept, and the administrator decides


@dataclass(frozen=True, slots=True)
class Settled:
    """One recipient's end of an attempt. `tell` is None when nobody needs to be."""

    recipient: SpooledRecipient
    result: Result
    outcome: Outcome
    tell: Tell | None


def settle(
    spooled: Spooled,
    recipient: SpooledRecipient,
    result: Result,
    *,
    now: float,
    settings: DeliverySettings,
    rng: random.Random,
    can_report: bool,
) -> Settled:
    """Decides. `can_report` says that there is a way to send a report to this sender."""
    if result.status is Status.DEFERRED and is_expired(spooled.received_at, now, settings):
        # RFC 3463 §3.5: 4.4.7 is "delivery time expired", also for a failure that is now final
        result = _expired(result, now - spooled.received_at)
        return _failed(spooled, recipient, result, can_report)
    if result.status is Status.DEFERRED:
        again = next_attempt(spooled.received_at, now, settings, rng)
        outcome = _outcome(spooled, recipient, State.QUEUED, result, again)
        return Settled(recipient, result, outcome, _delay(spooled, recipient, now, settings, can_report))
    if result.status is Status.BOUNCED:
        return _failed(spooled, recipient, result, can_report)
    outcome = _outcome(spooled, recipient, State.DELIVERED, result)
    return Settled(recipient, result, outcome, _success(spooled, recipient, result, can_report))


def was_made_here(spooled: Spooled) -> bool:
    """True for our own reports: no client handed them in."""
    return not spooled.session.client_ip


def _failed(spooled: Spooled, recipient: SpooledRecipient, result: Result, can_report: bool) -> Settled:
    """Final failure: the sender is told if he is proven and did not forbid it; else the mail is kept."""
    notify = recipient.recipient.notify
    if not spooled.envelope.mail_from:
        # A report that cannot be delivered ends here (RFC 5321 §6.1); a stranger's is kept, ours is only logged.
        state = State.FAILED if was_made_here(spooled) else State.QUARANTINED
        return Settled(recipient, result, _outcome(spooled, recipient, state, result), None)
    if not spooled.proven or not can_report:
        outcome = _outcome(spooled, recipient, State.QUARANTINED, result)
        return Settled(recipient, result, outcome, Tell.POSTMASTER)
    wanted = "FAILURE" in notify if notify else True  # RFC 3461 §4.1: without NOTIFY, failures are told
    outcome = _outcome(spooled, recipient, State.FAILED, result)
    return Settled(recipient, result, outcome, Tell.FAILED if wanted else None)


def _delay(
    spooled: Spooled, recipient: SpooledRecipient, now: float, settings: DeliverySettings, can_report: bool
) -> Tell | None:
    """Told once: at the first try past the limit, which the time of the try before shows."""
    first = not is_late(spooled.received_at, recipient.last_try or spooled.received_at, settings)
    if not (first and is_late(spooled.received_at, now, settings)):
        return None
    return Tell.DELAYED if "DELAY" in recipient.recipient.notify and _may_tell(spooled, can_report) else None


def _success(spooled: Spooled, recipient: SpooledRecipient, result: Result, can_report: bool) -> Tell | None:
    if "SUCCESS" not in recipient.recipient.notify or not _may_tell(spooled, can_report):
        return None
    if result.final:
        return Tell.DELIVERED
    return None if result.notifies else Tell.RELAYED  # RFC 3461 §5.2.2 (b): the next hop will not tell


def _may_tell(spooled: Spooled, can_report: bool) -> bool:
    return bool(spooled.envelope.mail_from) and spooled.proven and can_report


def _expired(result: Result, age: float) -> Result:
    text = f"given up after {age / 3600:.0f} hours; last: {result.text}"
    return Result(
        recipient=result.recipient,
        status=Status.BOUNCED,
        code="4.4.7",
        text=text,
        relay=result.relay,
        reply_code=result.reply_code,
    )


def _outcome(
    spooled: Spooled, recipient: SpooledRecipient, state: State, result: Result, next_try: float = 0.0
) -> Outcome:
    return Outcome(
        id=spooled.id,
        position=recipient.position,
        state=state,
        reply=f"{result.code} {result.text}",
        next_try=next_try,
        relay=result.relay,
        route=recipient.route,
    )
