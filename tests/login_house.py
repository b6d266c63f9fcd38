"""A gatekeeper that lets accounts log in as the gate does: real accounts, real bans, real counts, any mail.

In: a folder, settings. Out: `LoginHouse`, for `logging_in.LoginServer`. Not here: what an account may send.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from pathlib import Path

from argon2 import PasswordHasher

from fakes import DictResolver
from gatepost.names import Session
from gatepost.server.door.door import Door
from gatepost.server.door.parts import make_parts
from gatepost.server.door.rates import RateTable
from gatepost.server.door.settings import DoorSettings
from gatepost.server.door.teller import Teller
from gatepost.server.logs import Log
from gatepost.server.metrics import Metric, MetricsTable
from gatepost.server.settings import DomainSettings, GateSettings
from gatepost.server.smtp.gatekeeper import Answer, OpenDoor, Verdict
from gatepost.server.smtp.visit import Visit
from gatepost.server.submission.guessing import TABLE_WIDTH
from gatepost.server.submission.login_settings import GuessingSettings, LoginSettings
from gatepost.server.submission.open_login import open_login
from gatepost.server.submission.pool import PooledDirectory
from gatepost.store.accounts import Accounts
from gatepost.store.accounts.directory import AccountDirectory
from gatepost.store.watch import WouldHave
from gatepost.wire.sasl import Failed, Proven, Question

ANN, BOB = "ann@example.net", "bob@example.net"
PASSWORDS = {ANN: "Kx3pT-vQm7d-2hWzL-r8NcY", BOB: "wJ4sF-8nRtb-Qe6Gk-zM2Xp"}
OWN = "127.0.0.1/32"  # clients that come from other addresses of 127.0.0.0/8 are strangers
EAGER = GuessingSettings(address_failures=4, network_failures=12, account_failures=8, password_accounts=3, delay=0.01)


def make_accounts(folder: Path) -> Accounts:
    """Ann and Bob, with hashes that cost little: guessers here have no time."""
    accounts, cheap = Accounts.open(folder), PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    for address, password in PASSWORDS.items():
        accounts.add(address, password, time.time())
        with accounts.book.writing() as run:
            run.execute("UPDATE account SET password_hash = ? WHERE address = ?", (cheap.hash(password), address))
    return accounts


class LoginHouse(OpenDoor):
    """`notes` are the rows for the report, `sessions` those of MAIL; `log_text()` is the log."""

    def __init__(self, folder: Path, accounts: Accounts, login: LoginSettings | None = None) -> None:
        self.notes: list[WouldHave] = []
        self.sessions: list[Session] = []
        self.metrics = MetricsTable(1)
        self._log = folder / "log"
        log = Log("info", fd=os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND), stamp=False)
        settings = GateSettings(
            hostname="mx.example.net", domains={"example.net": DomainSettings()}, door=DoorSettings(exempt=(OWN,))
        )
        parts = make_parts(
            settings,
            rates=RateTable(1).column(0),
            resolver=DictResolver({}),
            folder=folder,
            teller=Teller(log, self.metrics.column(0), self.notes.append),
        )
        self.door = Door(parts)
        login = login or LoginSettings(guessing=EAGER)
        directory = AccountDirectory(accounts, "example.net")
        self.pool = PooledDirectory(directory, at_once=login.checks_at_once, waiting=login.checks_waiting)
        self.login = open_login(
            login,
            folder=folder,
            guesses=RateTable(1, TABLE_WIDTH).column(0),
            directory=self.pool,
            exists=self._exists,
            door=self.door,
            metrics=self.metrics.column(0),
        )
        self._directory = directory
        self._keeping_up = asyncio.get_running_loop().create_task(self.door.keep_up())

    async def _exists(self, address: str) -> bool:
        return self._directory.exists(address)

    def connected(self, visit: Visit) -> Answer:
        return self.door.connected(visit)

    def mail(self, visit: Visit, envelope: object) -> Answer:
        self.sessions.append(visit.session)
        return None

    def mechanisms(self, visit: Visit) -> Sequence[str]:
        return self.login.mechanisms(visit)

    async def authenticate(self, visit: Visit, question: Question) -> Verdict:
        return await self.login.authenticate(visit, question)

    def authenticated(self, visit: Visit, mechanism: str, outcome: Proven | Failed) -> Answer:
        return self.login.authenticated(visit, mechanism, outcome)

    def exposed(self, visit: Visit, mechanism: str, name: str) -> None:
        self.login.exposed(visit, mechanism, name)

    def log_text(self) -> str:
        return self._log.read_text("utf-8")

    def count(self, metric: Metric) -> int:
        return self.metrics.total(metric)

    async def close(self) -> None:
        self._keeping_up.cancel()
        await self.login.close()
        await self.door.close()
        self.pool.close()
