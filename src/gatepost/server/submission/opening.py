"""Submission in one worker: opened, listening, retired, closed.

In: the plan, what the reception has opened already. Out: `Submission`. Standard: none.
Not here: what is said on the ports (`gate`); the parts themselves (the files beside this one).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from gatepost.inspector.examine import Ports
from gatepost.server.delivery.routes import Routes
from gatepost.server.directory import GateDirectory
from gatepost.server.door.door import Door
from gatepost.server.entrances import Kind
from gatepost.server.pipeline.admission import Admission
from gatepost.server.pipeline.keeping import Keeper
from gatepost.server.pipeline.memory import Memory
from gatepost.server.pipeline.record import Recorder
from gatepost.server.plan import Plan
from gatepost.server.signing.fresh import keep_fresh, read_anew
from gatepost.server.signing.signer import Signer
from gatepost.server.smtp.listener import Listener
from gatepost.server.submission.content import Inspection
from gatepost.server.submission.gate import SubmissionGate
from gatepost.server.submission.limits import Quotas
from gatepost.server.submission.login import Login
from gatepost.server.submission.open_login import open_login
from gatepost.server.submission.parts import SubmissionParts
from gatepost.server.submission.policy import Senders
from gatepost.server.submission.record import SubmissionRecorder
from gatepost.server.submission.suspension import Suspensions
from gatepost.server.submission.unsubscribe import Unsubscribe
from gatepost.store.history import SenderHistory
from gatepost.store.journal import JournalWriter
from gatepost.store.sent import SentCounts

KINDS = (Kind.SUBMISSION_TLS, Kind.SUBMISSION_STARTTLS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What submission shares with the reception of everybody's mail."""

    directory: GateDirectory
    admission: Admission
    keeper: Keeper
    recorder: Recorder
    journal: JournalWriter
    memory: Memory | None
    door: Door
    ports: Callable[[], Ports]


class Submission:
    """The ports where people hand in mail, as one worker serves them."""

    def __init__(self, plan: Plan, column: int, shared: Shared) -> None:
        self._plan = plan
        self._log = shared.recorder.log
        self._signer = Signer(plan.settings.signing, plan.ring)
        self._login = _open_login(plan, column, shared)
        self._history = _open_history(plan)
        self._quotas = Quotas(
            plan.settings.submission.limits,
            counts=SentCounts.open(Path(plan.settings.store.folder)),
            rights=shared.directory.accounts.rights,
            history=self._history,
            is_ours=lambda address: plan.recipients.resolve(address).domain != "",
        )
        gate = SubmissionGate(self._parts(plan, column, shared))
        self._listeners = {kind: _listener(plan, column, gate, kind) for kind in KINDS}
        self._fresh: asyncio.Task[None] | None = None

    def _parts(self, plan: Plan, column: int, shared: Shared) -> SubmissionParts:
        settings, recipients = plan.settings, plan.recipients
        senders = Senders(settings, recipients, shared.directory)
        suspensions = Suspensions(
            settings=settings,
            rights=shared.directory.accounts.rights,
            keeper=shared.keeper,
            resolve=lambda address: recipients.resolve(address).addresses,
            log=self._log,
            metrics=plan.metrics.column(column),
        )
        return SubmissionParts(
            settings=settings,
            login=self._login,
            senders=senders,
            admission=shared.admission,
            routes=Routes(
                {name: one.route for name, one in settings.domains.items()},
                settings.way_out,
                settings.delivery.destinations,
            ),
            inspection=Inspection(settings, shared.ports, recipients.domains),
            quotas=self._quotas,
            suspensions=suspensions,
            signer=self._signer,
            unsubscribe=Unsubscribe(settings.bulk),
            keeper=shared.keeper,
            recorder=SubmissionRecorder(shared.recorder, shared.journal, shared.memory),
            door=shared.door,
        )

    async def start(self) -> None:
        """Begins to take connections."""
        await read_anew(self._signer, self._plan.settings, self._log)
        self._fresh = asyncio.create_task(keep_fresh(self._signer, self._plan.settings, self._log))
        for kind, listener in self._listeners.items():
            await listener.start([sock.dup() for sock in self._plan.entrances.of(kind)])

    async def retire(self, stop: asyncio.Event, seconds: float) -> None:
        """Takes no more connections; returns when the last one has ended by itself, `stop` is set, or time is up."""
        await asyncio.gather(*(listener.retire(stop, seconds) for listener in self._listeners.values()))

    async def stop(self, seconds: float) -> None:
        """Lets transactions finish within `seconds`."""
        await asyncio.gather(*(listener.stop(seconds) for listener in self._listeners.values()))

    async def close(self) -> None:
        """Closes the files; the reception closes what it shares."""
        if self._fresh is not None:
            self._fresh.cancel()
        await self._login.close()
        self._quotas.close()
        if self._history is not None:
            self._history.close()


def _listener(plan: Plan, column: int, gate: SubmissionGate, kind: Kind) -> Listener:
    """Nobody tells us here whom he speaks for, but for a proxy: who hands in mail logs in himself."""
    smtp = plan.settings.smtp
    return Listener(
        hostname=plan.settings.hostname,
        gatekeeper=gate,
        settings=replace(smtp, implicit_tls=kind is Kind.SUBMISSION_TLS, xclient_networks=()),
        tls=plan.submission_tls,
        counters=plan.counters.column(column),
    )


def _open_login(plan: Plan, column: int, shared: Shared) -> Login:
    settings = plan.settings
    return open_login(
        settings.login,
        folder=Path(settings.store.folder),
        guesses=plan.guesses.column(column),
        directory=shared.directory,
        exists=shared.directory.exists,
        door=shared.door,
        metrics=plan.metrics.column(column),
        verifiers=settings.directory.kind != "ldap",
    )


def _open_history(plan: Plan) -> SenderHistory | None:
    store = plan.settings.store
    return SenderHistory(Path(store.folder), store.history) if store.history.enabled else None
