"""What the spool takes in and gives out: a new message, a spooled one, what became of a recipient.

In: envelope, session and octets from the reception. Out: frozen values for the delivery and the command line.
Standard: RFC 5321 §4.5.4 (what a queue keeps), RFC 3461 (what a DSN will need).
Not here: how they are stored (`rows`, `schema`), when they are tried again (`server.delivery`).
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from gatepost.names import Envelope, Recipient, Session


class State(enum.StrEnum):
    """Where a recipient's copy stands. A message leaves the spool when each is delivered, failed or dropped."""

    QUEUED = "queued"
    QUARANTINED = "quarantined"
    HELD = "held"  # by the administrator
    DELIVERED = "delivered"
    FAILED = "failed"
    DROPPED = "dropped"  # by the administrator, or by expiry

    @property
    def is_final(self) -> bool:
        """Nothing more will be done for this recipient."""
        return self in _FINAL


DEMANDED = -1.0  # next_try of a copy that the administrator wants tried now, whatever the delivery knows of its hop
_FINAL = frozenset({State.DELIVERED, State.FAILED, State.DROPPED})
LIVE = tuple(state for state in State if not state.is_final)


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """How one recipient's copy begins: `state` is queued, quarantined or held; `junk` sends it to the Junk folder."""

    state: State = State.QUEUED
    junk: bool = False


PLAIN = Treatment()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """A message to be accepted. `id` comes from `next_id` (it is already in the Received field).

    `body` is the whole message, header section included, octet by octet as it shall be delivered. `treatments` runs
    parallel to `envelope.recipients`; empty means all plain. `proven` says that SPF or DMARC proved the sender, so
    that a DSN may be sent. `reason` is JSON: the decision and the codes that decided it.
    """

    id: str
    envelope: Envelope
    session: Session
    body: bytes
    treatments: tuple[Treatment, ...] = ()
    proven: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpooledRecipient:
    """One recipient's copy. `position` is its place in the envelope; times are seconds since the epoch.

    `last_reply` is what the next hop said last, or our own reason, `last_relay` which one that was; `attempts` counts
    the deliveries tried. `route` is where the administrator sends this copy instead of where the configuration says;
    `bounce` is why he returns it to its sender. Both are empty for most.
    """

    position: int
    recipient: Recipient
    state: State
    junk: bool
    attempts: int
    next_try: float
    last_try: float
    last_reply: str
    route: str = ""
    bounce: str = ""
    last_relay: str = ""

    @property
    def is_demanded(self) -> bool:
        """Whether the administrator asked for a try now."""
        return self.next_try == DEMANDED

    @property
    def address(self) -> str:
        """The address as in RCPT TO."""
        return self.recipient.address


@dataclass(frozen=True, slots=True, kw_only=True)
class Spooled:
    """A message in the spool without its octets (`Spool.body` reads them).

    `envelope.recipients` and `recipients` run in parallel, finished ones included.
    """

    id: str
    envelope: Envelope
    session: Session
    received_at: float
    size: int
    proven: bool
    reason: str
    recipients: tuple[SpooledRecipient, ...]

    def pending(self, now: float) -> tuple[SpooledRecipient, ...]:
        """The recipients to be tried at `now`."""
        return tuple(r for r in self.recipients if r.state is State.QUEUED and r.next_try <= now)

    def in_state(self, *states: State) -> Iterator[SpooledRecipient]:
        """The recipients that stand in one of `states`."""
        return (r for r in self.recipients if r.state in states)

    @property
    def state(self) -> State:
        """The message's state as a whole: queued if anybody still waits, else quarantined, else held."""
        states = {r.state for r in self.recipients}
        return next((s for s in State if s in states), State.DROPPED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one attempt for one recipient.

    `state` delivered or failed ends it; queued asks for another try at `next_try`; quarantined keeps it back (what
    failed for a sender who is not proven). `tried` is False when no attempt was made (a lookup failed, say, before).
    `relay` is where it was tried; `route` the copy's own route at that time: if the administrator has changed it since,
    the copy stays due at once.
    """

    id: str
    position: int
    state: State
    reply: str = ""
    next_try: float = 0.0
    tried: bool = True
    relay: str = ""
    route: str = ""
