"""Transport put together: what stands in the way of reports or kept policies never stands in the way of mail."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from fakes import DictResolver
from gatepost.server.delivery.protection import Level, MxHost
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.server.logs import Log
from gatepost.server.settings import DomainSettings, GateSettings
from gatepost.server.signing.keyring import KeyRing
from gatepost.server.signing.signer import Signer
from gatepost.server.tlsrpt import sending
from gatepost.server.tlsrpt.settings import TlsRptSettings
from gatepost.server.transport import REPORT_SHARD, Transport, describe_transport, ended
from gatepost.store.settings import StoreSettings
from gatepost.store.spool import Spool

DAY = 86_400
NOW = 20_000.0 * DAY + 1000
WANTS = {
    "_smtp._tls.example.net": {"TXT": b"v=TLSRPTv1; rua=mailto:tls@example.net"},
    "mx.example.net": {"A": "192.0.2.1"},
}
HOST = MxHost("mx.example.net", 10)


class House:
    def __init__(self, folder: Path, *, signer: object = None) -> None:
        self.folder = folder
        self.now = NOW
        self.settings = GateSettings(
            hostname="gate.example.org",
            domains={"example.org": DomainSettings()},
            store=StoreSettings(folder=str(folder)),
            tlsrpt=TlsRptSettings(send=True, sender="tls@example.org", spread=0.0),
        )
        self._log = os.open(folder / "log", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        self.signer = signer or Signer(self.settings.signing, KeyRing({}))

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text()

    def two_days(self, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
        """A session today, two rounds tomorrow; the mail that is in the spool then."""

        async def main() -> None:
            transport = Transport(
                self.settings,
                DictResolver(WANTS),
                self.signer,
                Log(fd=self._log),
                clock=lambda: self.now,  # type: ignore[arg-type]
            )
            (demand,) = await transport.demands.demands("example.net", [HOST])
            assert demand.level is Level.OPPORTUNISTIC
            transport.demands.took("example.net", HOST, "192.0.2.1", demand, None, "")
            tasks = [asyncio.create_task(one) for one in transport.tasks()]
            await asyncio.sleep(0)
            await ended(tasks)
            self.now += DAY
            monkeypatch.setattr(sending, "EVERY", 0.01)
            tasks = [asyncio.create_task(one) for one in transport.tasks()]
            for _ in range(500):
                if not tasks or "tlsrpt-sent" in self.log:
                    break
                await asyncio.sleep(0.02)
            await ended(tasks)
            transport.close()

        asyncio.run(main())
        spool = Spool.open(self.folder / "spool", now=self.now)
        try:
            return [spool.body(one.id) for one in spool.due(self.now + 10, 10)]
        finally:
            spool.close()


class FakeSigner:
    def sign(self, raw: bytes, domain: str, now: float) -> object:
        return type("Signed", (), {"raw": b"DKIM-Signature: x\r\n" + raw, "by": ("k@" + domain,)})()


def test_a_report_ends_in_the_spool_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (raw,) = House(tmp_path, signer=FakeSigner()).two_days(monkeypatch)
    assert raw.startswith(b"DKIM-Signature: x\r\nFrom: <tls@example.org>\r\nTo: <tls@example.net>\r\n")
    assert list((tmp_path / "spool").glob(f"*{REPORT_SHARD}*"))


def test_without_a_key_nothing_is_sent_and_the_log_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    house = House(tmp_path)
    assert house.two_days(monkeypatch) == []
    assert "no key that signs" in house.log


@pytest.mark.parametrize("name", ["sts.db", "tlsrpt.db"])
def test_damage_stops_no_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    (tmp_path / name).write_bytes(b"nonsense" * 1000)
    house = House(tmp_path)
    house.two_days(monkeypatch)
    assert f"{name.removesuffix('.db')}-failed" in house.log


def test_a_folder_in_the_way_stops_no_mail(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sts.db").mkdir()
    house = House(tmp_path)
    house.two_days(monkeypatch)
    assert "sts-failed" in house.log


def test_what_is_obeyed_is_told(tmp_path: Path) -> None:
    house = House(tmp_path)
    assert "DANE WITHOUT EFFECT" in describe_transport(house.settings)
    off = GateSettings(hostname="x.example", delivery=DeliverySettings(dane=False, mta_sts=False))
    assert describe_transport(off) == "DANE off; MTA-STS off; no TLS reports are sent"
