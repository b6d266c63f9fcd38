"""What is told of the door: a log line, a count, and a row for `gatepost lists report`.

In: a check, what it does or would do, about whom. Out: nothing to wait for.
Standard: DESIGN, "Little to the peer, everything to the log". Not here: the form of a line (`server.logs`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

from gatepost.server.door.settings import Mode
from gatepost.server.logs import Log
from gatepost.server.metrics import Metric, Metrics
from gatepost.server.smtp.visit import Visit
from gatepost.store.bans import Ban
from gatepost.store.watch import WouldHave

QUIET = 60.0  # seconds between two lines about the same trouble: a full disk must not fill the log, too


class Teller:
    """`note` takes rows for the report."""

    def __init__(self, log: Log, metrics: Metrics, note: Callable[[WouldHave], None]) -> None:
        self.log = log
        self._metrics = metrics
        self._note = note
        self._failed: dict[str, float] = {}  # what fails, and when it was told

    def caught(self, visit: Visit, check: str, mode: Mode, action: str, reason: str, subject: str = "") -> None:
        """A check caught somebody: it does `action` ("refuse", "delay", "slow", "ban"), or would. `subject` is what
        was hit, where that is not the client's address."""
        self._metrics.add(Metric.DOOR_STOPPED if mode == "on" else Metric.DOOR_WATCHED)
        client = visit.session.client_ip
        event = self._stopped if mode == "on" else self._watched
        event(
            check=check,
            action=action,
            client=client,
            ehlo=visit.session.ehlo_domain or None,
            subject=subject or None,
            reason=reason,
            session=visit.id,
        )
        self._note(
            WouldHave(
                check=f"door.{check}",
                at=time.time(),
                mode=mode,
                action=action,
                client_ip=client,
                session=visit.id,
                subject=subject or client,
                reason=reason,
            )
        )

    def _stopped(self, **facts: object) -> None:
        self.log.info("door-stopped", **facts)

    def _watched(self, **facts: object) -> None:
        self.log.info("door-watched", **facts)

    def banned(self, ban: Ban) -> None:
        """The door banned a network."""
        self._metrics.add(Metric.BANS)
        self.log.warning(
            "banned",
            network=ban.network,
            reason=ban.reason,
            seconds=(ban.until or 0) - ban.since,
            do="gatepost ban lift",
        )

    def shared(self, ip: str, peers: int) -> None:
        """Many peers come from one private address."""
        self.log.warning(
            "shared-address",
            client=ip,
            peers=peers,
            do="clients are hidden behind a bridge or proxy: let it send PROXY (smtp.proxy_networks), or publish the "
            "port without it; until then limits and bans would hit everybody",
        )

    def store_failed(self, doing: str, error: Exception) -> None:
        """Bans or the greylist cannot be read or written: mail goes on without. Told once a minute."""
        now = time.monotonic()
        if now - self._failed.get(doing, -QUIET) >= QUIET:
            self._failed[doing] = now
            self.log.error("door-store-failed", doing=doing, error=error)
