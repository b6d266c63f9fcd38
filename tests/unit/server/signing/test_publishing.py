"""Keys' records are published and taken away; what is not ours is never touched; a failure is told once."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from gatepost.net.publish import PublishSettings
from gatepost.ports import DnsStatus
from gatepost.ports.publisher import Action, Change, Outcome, Published, Standing
from gatepost.server.logs import Log
from gatepost.server.settings import GateSettings
from gatepost.server.signing.publishing import FAILED, PUBLISHED, REMOVED, KeyPublishing, publish_keys
from gatepost.store.keys import KeyState, KeyStates, Stage
from gatepost.store.settings import StoreSettings

RECORD = "v=DKIM1; k=ed25519; p=" + "A" * 43 + "="


class Zone:
    """A publisher whose zone is a dictionary."""

    def __init__(self, **texts: str) -> None:
        self.texts = {f"{name}._domainkey.example.org": (f'"{text}"',) for name, text in texts.items()}
        self.outcome = Outcome.DONE
        self.away = False

    async def read(self, name: str, rtype: str) -> Standing:
        if self.away:
            return Standing(name=name, rtype=rtype, status=DnsStatus.TEMPFAIL, reason="nobody listens there")
        records = self.texts.get(name, ())
        status = DnsStatus.OK if records else DnsStatus.NXDOMAIN
        return Standing(name=name, rtype=rtype, status=status, records=records)

    async def publish(self, changes: Sequence[Change]) -> tuple[Published, ...]:
        for one in changes if self.outcome is Outcome.DONE else ():
            assert one.expected == self.texts.get(one.name, ())
            if one.action is Action.DELETE:
                del self.texts[one.name]
            else:
                self.texts[one.name] = one.records
        return tuple(
            Published(zone="example.org", changes=(one,), outcome=self.outcome, reason="why not") for one in changes
        )


@pytest.fixture
def settings(tmp_path: Path) -> GateSettings:
    states = KeyStates.open(tmp_path)
    keys = [
        KeyState(domain="example.org", selector=stage.value, algorithm="ed25519", record=RECORD, stage=stage, since=1.0)
        for stage in Stage
    ]
    states.change(lambda _keys: keys)
    states.close()
    return GateSettings(store=StoreSettings(folder=str(tmp_path)))


def rounds(settings: GateSettings, zone: Zone) -> list[tuple[str, str]]:
    return [(event, facts["selector"]) for event, facts in asyncio.run(publish_keys(settings, zone, 2.0))]


def test_the_next_is_published_and_the_spent_taken_away(settings: GateSettings) -> None:
    zone = Zone(live=RECORD, old=RECORD, removable=RECORD)
    assert set(rounds(settings, zone)) == {(PUBLISHED, "next"), (REMOVED, "removable")}
    assert set(zone.texts) == {f"{name}._domainkey.example.org" for name in ("live", "old", "next")}
    assert rounds(settings, zone) == []


def test_what_is_not_ours_stays(settings: GateSettings) -> None:
    zone = Zone(next="v=DKIM1; p=theirs", removable="v=DKIM1; p=theirs")
    before = dict(zone.texts)
    assert rounds(settings, zone) == [(FAILED, "next")]
    assert zone.texts == before


def test_a_server_that_is_away_or_refuses_is_told(settings: GateSettings) -> None:
    zone = Zone()
    zone.away = True
    assert set(rounds(settings, zone)) == {(FAILED, "next"), (FAILED, "removable")}
    zone.away, zone.outcome = False, Outcome.REFUSED
    assert rounds(settings, zone) == [(FAILED, "next")]


def test_a_failure_is_told_once_and_never_stops_the_round(settings: GateSettings, tmp_path: Path) -> None:
    broken = PublishSettings(server="127.0.0.1:1", key_name="k", key_file=str(tmp_path / "nowhere"))
    reading, writing = os.pipe()
    gate = GateSettings(store=settings.store, publish=broken)
    publishing = KeyPublishing(gate, Log(fd=writing, stamp=False))
    asyncio.run(publishing.round(1.0))
    asyncio.run(publishing.round(2.0))
    asyncio.run(KeyPublishing(settings, Log(fd=writing, stamp=False)).round(3.0))  # nothing is set: nothing is tried
    os.close(writing)
    with os.fdopen(reading) as told:
        (line,) = told.read().splitlines()
    assert FAILED in line
    assert "publish.key_file" in line
