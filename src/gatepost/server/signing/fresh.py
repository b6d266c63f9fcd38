"""Keeps the keys of a running process as the store says: a roll-over is seen within seconds, without a restart.

In: the signer, settings, the log. Out: a task that runs until it is cancelled. Keys that cannot be read leave those in
use as they are. Standard: none. Not here: who changes the states (`upkeep`, `gatepost records rotate`).
"""

from __future__ import annotations

import asyncio
from pathlib import Path

from gatepost.errors import GatepostError
from gatepost.server.logs import Log
from gatepost.server.settings import GateSettings
from gatepost.server.signing.keyring import load_ring
from gatepost.server.signing.signer import Signer
from gatepost.store.keys import FILE, KeyStates

LOOK = 5.0  # seconds between two looks: one number is read


async def read_anew(signer: Signer, settings: GateSettings, log: Log) -> None:
    """Once, before a process takes mail: the supervisor that it was forked from may have its keys from long ago."""
    try:
        signer.ring = await asyncio.to_thread(load_ring, settings, signer.ring)
    except (GatepostError, OSError) as error:
        log.error("signing-keys-failed", doing="reading keys anew", error=error)


async def keep_fresh(signer: Signer, settings: GateSettings, log: Log, every: float = LOOK) -> None:
    """Reads the keys anew whenever their states have changed."""
    folder, states, seen, failing = Path(settings.store.folder), None, -1, False
    try:
        while True:
            try:
                if states is None and (folder / FILE).exists():
                    states = await asyncio.to_thread(KeyStates.open, folder)
                number = states.changed() if states is not None else -1
                if number != seen:
                    signer.ring = await asyncio.to_thread(load_ring, settings, signer.ring)
                    seen = number
                failing = False
            except (GatepostError, OSError) as error:
                if not failing:
                    log.error("signing-keys-failed", doing="reading keys anew", error=error)
                failing = True
            await asyncio.sleep(every)
    finally:
        if states is not None:
            states.close()
