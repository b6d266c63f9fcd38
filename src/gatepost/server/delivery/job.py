"""A piece of delivery: one message and those of its recipients that travel the same way.

In: what the spool gave out. Out: frozen values for the lanes. Standard: RFC 3461 §5.2 (what of a recipient's DSN
parameters travels on; §5.2.7.3: a list's messages are its owner's).
Not here: who carries it (`lane`), what becomes of it (`settle`).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from gatepost.names import Envelope
from gatepost.server.delivery.result import Result, bounced, deferred
from gatepost.server.delivery.routes import Route
from gatepost.store.spool.spooled import Spooled, SpooledRecipient


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnPath:
    """Under whose name a copy travels. `mail_from` is what the next hop hears instead of the envelope's sender (None:
    just him); whom reports of ours go to stays the same. `owner` keeps the list that the copy came by: he takes the
    sender's place altogether. `forwarded_by` is the address of ours that sends it on to somebody elsewhere."""

    mail_from: str | None = None
    owner: str = ""
    forwarded_by: str = ""


AS_IT_CAME = ReturnPath()


@dataclass(frozen=True, slots=True)
class Job:
    """`recipients` are those of `spooled` that are due and go by `route` (None: nobody here carries them)."""

    spooled: Spooled
    recipients: tuple[SpooledRecipient, ...]
    route: Route | None
    path: ReturnPath = AS_IT_CAME

    @property
    def envelope(self) -> Envelope:
        """The envelope for these recipients only, as the next hop hears it."""
        recipients = tuple(r.recipient for r in self.recipients)
        envelope = dataclasses.replace(self.spooled.envelope, recipients=recipients)
        return envelope if self.path.mail_from is None else dataclasses.replace(envelope, mail_from=self.path.mail_from)

    @property
    def is_demanded(self) -> bool:
        """Whether an administrator wants a try now, whatever is remembered of the next hop."""
        return any(recipient.is_demanded for recipient in self.recipients)

    def all_deferred(self, code: str, text: str, relay: str = "") -> list[Result]:
        """A temporary failure for everybody."""
        return [deferred(r.address, code, text, relay) for r in self.recipients]

    def all_bounced(self, code: str, text: str, relay: str = "") -> list[Result]:
        """A permanent failure for everybody."""
        return [bounced(r.address, code, text, relay) for r in self.recipients]


class Forwarding(Protocol):
    """Who knows how forwarded mail leaves (`server.forward.forwarding`)."""

    def path(self, spooled: Spooled, recipient: SpooledRecipient) -> ReturnPath:
        """Under whose name the copy of `recipient` travels."""
        ...

    def dress(self, job: Job, raw: bytes) -> bytes:
        """The octets of `job` as they leave; for jobs that are forwarded only."""
        ...


PathOf = Callable[[Spooled, SpooledRecipient], ReturnPath]


def as_it_came(spooled: Spooled, recipient: SpooledRecipient) -> ReturnPath:
    """Where nothing is forwarded."""
    return AS_IT_CAME


def split_jobs(
    spooled: Spooled,
    due: tuple[SpooledRecipient, ...],
    routes: Mapping[str, Route | None],
    path: PathOf = as_it_came,
) -> list[Job]:
    """`due` grouped by their routes (`routes` has each address) and return paths, in the order of the envelope."""
    groups: dict[tuple[Route | None, ReturnPath], list[SpooledRecipient]] = {}
    for recipient in due:
        groups.setdefault((routes[recipient.address], path(spooled, recipient)), []).append(recipient)
    return [_job(spooled, tuple(recipients), route, path) for (route, path), recipients in groups.items()]


def _job(spooled: Spooled, due: tuple[SpooledRecipient, ...], route: Route | None, path: ReturnPath) -> Job:
    """RFC 3461 §5.2.7.3: what a list sends on is a message of its owner's; what the sender asked to be told of ends at
    the list. The owner is one of ours, so that he may be told of failures whoever wrote."""
    if not path.owner:
        return Job(spooled, due, route, path)
    envelope = dataclasses.replace(spooled.envelope, mail_from=path.owner, ret=None, envid=None)
    plain = tuple(
        dataclasses.replace(one, recipient=dataclasses.replace(one.recipient, notify=(), orcpt=None)) for one in due
    )
    return Job(dataclasses.replace(spooled, envelope=envelope, proven=True), plain, route, path)
