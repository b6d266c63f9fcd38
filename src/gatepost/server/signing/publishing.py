"""Publishes the records of next signing keys and takes those of spent ones away, where `[publish]` is set.

In: settings, a publisher, the states of keys. Out: what was done or failed, to be logged. Runs before each look at the
keys (`upkeep`), so that no "there is no such record" of ours is remembered by name servers between. Only records that
the roll-over itself made due are touched: whatever else stands at a name stays, and is told of.
Standard: RFC 6376 §3.6.2.2 (one record a selector), RFC 2136 §2.4 (guards). Not here: when a key is due (`rotation`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gatepost.audit.records import joined_text, quote_text
from gatepost.errors import GatepostError
from gatepost.msgauth.dkim.publish import key_name
from gatepost.ports import DnsStatus
from gatepost.ports.publisher import Action, Change, Outcome, Publisher
from gatepost.server.logs import Log
from gatepost.server.settings import GateSettings
from gatepost.store.keys import FILE, KeyState, KeyStates, Stage

PUBLISHED, REMOVED, FAILED = "signing-record-published", "signing-record-removed", "signing-publish-failed"

Told = tuple[str, dict[str, Any]]
"""The name of an event, and its facts."""


async def publish_keys(settings: GateSettings, publisher: Publisher, _now: float) -> list[Told]:
    """One round. Raises StoreError, and InputError for a record that is none."""
    folder = Path(settings.store.folder)
    if not (folder / FILE).exists():
        return []
    states = await asyncio.to_thread(KeyStates.open, folder)
    try:
        keys = await asyncio.to_thread(states.all)
    finally:
        states.close()
    told = []
    for key in keys:
        if key.stage in (Stage.NEXT, Stage.REMOVABLE):
            told += await _one(key, publisher, settings.publish.ttl)
    return told


async def _one(key: KeyState, publisher: Publisher, ttl: int) -> list[Told]:
    name = key_name(key.selector, key.domain)
    facts = {"domain": key.domain, "selector": key.selector, "algorithm": key.algorithm}
    there = await publisher.read(name, "TXT")
    if there.status is DnsStatus.TEMPFAIL:
        return [(FAILED, {**facts, "reason": there.reason})]
    ours = [record for record in there.records if joined_text(record) == key.record]
    if key.stage is Stage.NEXT:
        if ours:
            return []
        if there.records:
            return [(FAILED, {**facts, "reason": f"something else stands at {name}; take it away"})]
        change = Change(
            action=Action.REPLACE, name=name, rtype="TXT", records=(quote_text(key.record),), ttl=ttl, expected=()
        )
    elif ours:
        change = Change(action=Action.DELETE, name=name, rtype="TXT", records=tuple(ours), expected=there.records)
    else:
        return []
    (result,) = await publisher.publish([change])
    if result.outcome is Outcome.DONE:
        return [(PUBLISHED if key.stage is Stage.NEXT else REMOVED, facts)]
    return [(FAILED, {**facts, "reason": result.reason})]


class KeyPublishing:
    """Rounds of a running gate: a failure is told once, and again only after it was another one."""

    def __init__(self, settings: GateSettings, log: Log) -> None:
        self._settings = settings
        self._log = log
        self._failed: set[tuple[str, str]] = set()

    async def round(self, now: float) -> None:
        """Does what is due; nothing where `[publish]` is not set. What fails is told and not raised, so that the keys
        are looked at all the same."""
        if not self._settings.publish.server:
            return
        from gatepost.net.publish import DnsPublisher  # dnspython's updates: only where they are used

        try:
            told = await publish_keys(self._settings, DnsPublisher(self._settings.publish), now)
        except GatepostError as error:
            told = [(FAILED, {"domain": "", "selector": "", "algorithm": "", "reason": str(error)})]
        self._tell(told)

    def _tell(self, told: Sequence[Told]) -> None:
        failed = set()
        for event, facts in told:
            if event != FAILED:
                self._log.info(event, **facts)
                continue
            failed.add((facts["selector"], facts["reason"]))
            if (facts["selector"], facts["reason"]) not in self._failed:
                self._log.warning(event, **facts, do="publish or remove it by hand, or mend [publish]")
        self._failed = failed
