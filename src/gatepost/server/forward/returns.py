"""Bounces of forwarded mail at RCPT: whose they are.

In: a rewritten address. Out: the sender that it stands for; nothing for one that we never wrote, or long ago.
Standard: SRS (`msgauth.srs`). Not here: from whom such mail is taken (`pipeline.admission`).
"""

from __future__ import annotations

from collections.abc import Callable

from gatepost.errors import InputError
from gatepost.msgauth.srs import Srs

GRACE = 1  # days: an address that was taken at RCPT still counts when the message has been read


class SrsReturns:
    """Implements `recipients.Returns`. `domain` is where rewritten addresses are, beside the served ones."""

    def __init__(self, srs: Srs, domain: str, clock: Callable[[], float]) -> None:
        self._srs = srs
        self._clock = clock
        self._domain = domain

    @property
    def domain(self) -> str:
        """As in `recipients.Returns`."""
        return self._domain

    def restore(self, address: str, *, stale: bool = False) -> str | None:
        """As in `recipients.Returns`."""
        try:
            return self._srs.restore(address, self._clock(), GRACE if stale else 0)
        except InputError:
            return None
