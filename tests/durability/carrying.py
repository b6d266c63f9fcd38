"""A delivery over SMTP that works until it is killed.

In: the spool's folder, the port of the one next hop. Out: nothing; what was delivered is what the next hop says.
Not here: the killing and the accounts (`test_delivery_kill`).
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path

from gatepost.net.resolver import DnsResolver, ResolverSettings
from gatepost.server.delivery.connect import Connector
from gatepost.server.delivery.own import Own
from gatepost.server.delivery.run import Delivery, open_own_shard, run_delivery
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.logs import Log
from gatepost.server.metrics import MetricsTable
from gatepost.store.maildir import Mailboxes
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import Spool

SPOOL = SpoolSettings(reserve=0)


async def deliver(folder: Path, port: int) -> None:
    """All that waits, to 127.0.0.1:`port`."""
    settings = DeliverySettings(relay=f"smtp:127.0.0.1:{port}", retry_min=0.2, hop_pause=0.1)
    resolver = DnsResolver(ResolverSettings(servers=("127.0.0.1:1",)))
    parts = Delivery(
        settings=settings,
        hostname="mx.gate.example",
        postmaster="",
        routes={},
        max_received=50,
        spool=Spool.open(folder, SPOOL, now=time.time(), exclusive=True),
        shard=open_own_shard(folder, SPOOL),
        mailboxes=Mailboxes(folder / "mail", "mx.gate.example"),
        connect=Connector("mx.gate.example", settings, resolver, own=Own("mx.gate.example", settings)),
        resolve=lambda address: (),
        log=Log("warning"),
        metrics=MetricsTable(1).column(0),
        clock=time.time,
        monotonic=time.monotonic,
    )
    await run_delivery(parts, asyncio.Event(), asyncio.Event())


if __name__ == "__main__":
    os.write(1, b"READY\n")
    asyncio.run(deliver(Path(sys.argv[1]), int(sys.argv[2])))
