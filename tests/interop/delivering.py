"""The delivery half of a gate, over a real spool and real sockets, for tests that meet real receivers.

In: a folder, routes, settings, perhaps a way to connect. Out: `Gate`: put mail in, let it deliver, look at what became
of it. Not here: the receivers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from gatepost.names import Envelope, Recipient, Session
from gatepost.net.zone import ZoneResolver
from gatepost.server.delivery.connect import Connector
from gatepost.server.delivery.hop import Connect
from gatepost.server.delivery.run import OWN_SHARD, Delivery, run_delivery
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.logs import Log
from gatepost.server.metrics import MetricsTable
from gatepost.store.maildir import Mailboxes
from gatepost.store.spool import NewMessage, Spool, SpoolShard

RAW = (
    b"From: a@example.org\r\nTo: user@example.net\r\nSubject: hello\r\nMessage-ID: <1@example.org>\r\n"
    b"\r\n.dot\r\nHello.\r\n"
)
FAST = DeliverySettings(connection_idle=0.2, retry_min=1.0, retry_max=1.0)


class Gate:
    """The delivery half of a gate, over a real spool and real sockets."""

    def __init__(
        self, folder: Path, routes: dict[str, str], settings: DeliverySettings = FAST, connect: Connect | None = None
    ) -> None:
        self.spool_folder = folder / "spool"
        self.shard = SpoolShard.open(self.spool_folder, 0)
        self.own = SpoolShard.open(self.spool_folder, OWN_SHARD)
        self.spool = Spool.open(self.spool_folder, now=time.time(), exclusive=True)
        self.mailboxes = Mailboxes(folder / "mail", "mx.example.net")
        self.log_path = folder / "log"
        self._log = self.log_path.open("wb", buffering=0)
        self.parts = Delivery(
            settings=settings,
            hostname="mx.example.net",
            postmaster="",
            routes=routes,
            max_received=50,
            spool=self.spool,
            shard=self.own,
            mailboxes=self.mailboxes,
            connect=connect or Connector("mx.example.net", settings, ZoneResolver("")),
            resolve=lambda address: (address,),
            log=Log(fd=self._log.fileno()),
            metrics=MetricsTable(1).column(0),
            clock=time.time,
            monotonic=time.monotonic,
        )

    def add(self, *to: Recipient | str, raw: bytes = RAW, **facts: object) -> str:
        recipients = tuple(r if isinstance(r, Recipient) else Recipient(address=r) for r in to)
        mail_from = str(facts.pop("mail_from", "a@example.org"))
        envelope = Envelope(mail_from=mail_from, recipients=recipients, **facts)  # type: ignore[arg-type]
        now = time.time()
        message_id = self.shard.next_id(now)
        session = Session(client_ip="192.0.2.1", received_at=now)
        self.shard.add_many([NewMessage(id=message_id, envelope=envelope, session=session, body=raw, proven=True)])
        return message_id

    def deliver(self, condition: Callable[[], object], seconds: float = 20.0) -> None:
        """Runs delivery until `condition` holds."""

        async def main() -> None:
            stop, wake = asyncio.Event(), asyncio.Event()
            task = asyncio.create_task(run_delivery(self.parts, stop, wake, 5.0))
            end = time.monotonic() + seconds
            while not condition() and time.monotonic() < end and not task.done():
                await asyncio.sleep(0.05)
            stop.set()
            await task

        asyncio.run(main())

    @property
    def log(self) -> str:
        return self.log_path.read_text()

    def inbox(self, address: str) -> list[bytes]:
        return [path.read_bytes() for path in (self.mailboxes.path(address) / "new").glob("*")]

    def close(self) -> None:
        self.spool.close()
        self.shard.close()
        self.own.close()
        self._log.close()
