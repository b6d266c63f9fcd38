"""Keeping: a message goes into the spool, and the delivery process hears of it.

In: a `NewMessage`. Out: 250 once it is durable, 452 or 451 when it cannot be; and, before a message comes, whether it
is worth sending. Standard: RFC 5321 §4.2.5 (what 250 is), RFC 1870 §6.1 (SIZE).
Not here: what is kept, and for whom (`gate`, `submission.gate`); the disk (`store.spool`).
"""

from __future__ import annotations

import asyncio
import os

from gatepost.errors import StoreError, StoreFull
from gatepost.names import Envelope
from gatepost.server.fullness import Fullness
from gatepost.server.metrics import Metric
from gatepost.server.pipeline import replies
from gatepost.server.pipeline.record import Recorder
from gatepost.store.spool import Committer, NewMessage
from gatepost.wire.smtp.replies import Reply

TELL_AFTER = 0.02  # seconds until the delivery process is told of new mail; nobody notices so short a wait


class Keeper:
    """One for a process. `wake` is a pipe that tells the delivery process of new mail."""

    def __init__(self, committer: Committer, recorder: Recorder, wake: int, fullness: Fullness) -> None:
        self._committer = committer
        self._fullness = fullness
        self._recorder = recorder
        self._wake = wake
        self._telling = False

    def next_id(self, now: float) -> str:
        """An id for a new message."""
        return self._committer.next_id(now)

    def full(self) -> Reply | None:
        """421 while no message at all can be taken: for who connects."""
        reason = self._fullness.reason()
        return self._no_room(replies.FULL, reason) if reason else None

    def no_room(self, envelope: Envelope) -> Reply | None:
        """452 while this message cannot be taken, as far as its client tells its size: for MAIL (RFC 1870 §6.1)."""
        reason = self._fullness.reason(envelope.size or 1)
        if not reason and self._committer.is_pressed:
            reason = "many messages wait for the disk"
        return self._no_room(replies.SPOOL_FULL, reason) if reason else None

    def _no_room(self, reply: Reply, reason: str) -> Reply:
        self._recorder.metrics.add(Metric.SPOOL_REFUSED)
        if self._fullness.should_tell():
            self._recorder.log.error("spool-full", reason=reason, answered=reply.code)
        return reply

    async def keep(self, new: NewMessage) -> Reply:
        """The reply; a negative one means that nothing was kept."""
        try:
            await self._committer.add(new)
        except StoreFull as error:
            return self._refused(replies.SPOOL_FULL, error)
        except StoreError as error:
            return self._refused(replies.SPOOL_FAILED, error)
        self._tell_delivery()
        return replies.queued(new.id)

    def _refused(self, reply: Reply, error: StoreError) -> Reply:
        self._recorder.metrics.add(Metric.SPOOL_REFUSED)
        self._recorder.log.error("spool-refused", reason=error)
        return reply

    def _tell_delivery(self) -> None:
        """Once for all messages of the next moment: each word wakes the delivery process up. A word that is lost with
        this process costs little, since the delivery looks by itself five times a second."""
        if not self._telling:
            self._telling = True
            asyncio.get_running_loop().call_later(TELL_AFTER, self._tell_now)

    def _tell_now(self) -> None:
        self._telling = False
        try:
            os.write(self._wake, b"m")
        except OSError:
            pass  # the pipe is full: the delivery process has enough to wake up for
