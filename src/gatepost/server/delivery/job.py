"""A piece of delivery: one message and those of its recipients that travel the same way.

In: what the spool gave out. Out: frozen values for the lanes. Standard: RFC 3461 §5.2 (what of a recipient's DSN
parameters travels on). Not here: who carries it (`lane`), what becomes of it (`settle`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass

from gatepost.names import Envelope
from gatepost.server.delivery.result import Result, bounced, deferred
from gatepost.server.delivery.routes import Route
from gatepost.store.spool.spooled import Spooled, SpooledRecipient


@dataclass(frozen=True, slots=True)
class Job:
    """`recipients` are those of `spooled` that are due and go by `route` (None: nobody here carries them)."""

    spooled: Spooled
    recipients: tuple[SpooledRecipient, ...]
    route: Route | None

    @property
    def envelope(self) -> Envelope:
        """The envelope for these recipients only."""
        return dataclasses.replace(self.spooled.envelope, recipients=tuple(r.recipient for r in self.recipients))

    def all_deferred(self, code: str, text: str, relay: str = "") -> list[Result]:
        """A temporary failure for everybody."""
        return [deferred(r.address, code, text, relay) for r in self.recipients]

    def all_bounced(self, code: str, text: str, relay: str = "") -> list[Result]:
        """A permanent failure for everybody."""
        return [bounced(r.address, code, text, relay) for r in self.recipients]


def split_jobs(spooled: Spooled, due: tuple[SpooledRecipient, ...], routes: Mapping[str, Route | None]) -> list[Job]:
    """`due` grouped by their routes (`routes` has each address), in the order of the envelope."""
    groups: dict[Route | None, list[SpooledRecipient]] = {}
    for recipient in due:
        groups.setdefault(routes[recipient.address], []).append(recipient)
    return [Job(spooled, tuple(recipients), route) for route, recipients in groups.items()]
