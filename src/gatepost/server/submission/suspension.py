"""Stopping an account that behaves as if it were stolen, and letting it go on.

In: an account and why. Out: it may neither log in nor send, its mail that has not left is held, the postmaster has a
mail, the log a line. `resume_account` undoes all of it. Standard: none.
Not here: what is too much (`limits`), what is bad (`content`); who may log in (`store.accounts`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gatepost.errors import StoreError
from gatepost.names import Body, Envelope, Recipient, Session
from gatepost.server.logs import Log
from gatepost.server.metrics import Metric, Metrics
from gatepost.server.notice import write_notice
from gatepost.server.pipeline.keeping import Keeper
from gatepost.server.settings import GateSettings
from gatepost.store.accounts.rights import Rights
from gatepost.store.sent import Over, SentCounts
from gatepost.store.spool import NewMessage, Spool
from gatepost.store.spool.quarantine import hold_account, unhold_account

_UNITS = {"messages": "messages", "recipients": "recipients", "new_recipients": "first-time recipients",
          "bad_messages": "messages refused or held for what was inside"}  # fmt: skip


def words_of(over: Over) -> str:
    """ "over 300 first-time recipients per day"."""
    what, _, period = over.limit.rpartition("_per_")
    if what == "bad_messages":
        return f"{over.count} {_UNITS[what]} within a {period}"
    return f"over {over.most} {_UNITS[what]} per {period}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspensions:
    """One worker's. `resolve` gives the final addresses of one of ours."""

    settings: GateSettings
    rights: Rights
    keeper: Keeper
    resolve: Callable[[str], Sequence[str]]
    log: Log
    metrics: Metrics

    async def suspend(self, account: str, over: Over, client_ip: str, now: float) -> None:
        """Suspends; nothing happens where it is suspended already. Raises StoreError when that cannot be written."""
        reason = words_of(over)
        if not await asyncio.to_thread(self.rights.suspend, account, reason, now):
            return
        self.metrics.add(Metric.ACCOUNTS_SUSPENDED)
        held = 0
        try:
            held = await asyncio.to_thread(hold_mail, self.settings, account, now)
        except StoreError as error:
            self.log.error("spool-failed", doing="hold", error=error)
        self.log.warning(
            "account-suspended", account=account, reason=reason, client=client_ip, held=held,
            do=f"gatepost user resume {account}",
        )  # fmt: skip
        await self._tell(account, reason, client_ip, held, now)

    async def _tell(self, account: str, reason: str, client_ip: str, held: int, now: float) -> None:
        to = self.settings.postmaster
        if not to:
            return
        message_id = self.keeper.next_id(now)
        lines = [
            f"The account {account} was suspended: {reason}.",
            "",
            f"  last client  [{client_ip}]",
            f"  mail held    {held} copies that had not left, and the message that went over the limit",
            "",
            "If its password was stolen: set another, look through what is held, delete what its owner did not write.",
            "If its owner wrote that much: resume it, and give the account a limit of its own.",
            "",
            f"Look at it:     gatepost user show {account}",
            f"Look at mail:   gatepost queue list --from {account}",
            f"New password:   gatepost user passwd {account}",
            f"Let it go on:   gatepost user resume {account}",
        ]
        octets = write_notice(
            hostname=self.settings.hostname,
            to=to,
            subject=f"Account suspended: {account}",
            lines=lines,
            message_id=message_id,
            now=now,
        )
        await self.keeper.keep(
            NewMessage(
                id=message_id,
                envelope=Envelope(
                    mail_from="",
                    recipients=tuple(Recipient(address=one, notify=("NEVER",)) for one in self.resolve(to) or (to,)),
                    body=Body.SEVEN_BIT if octets.isascii() else Body.EIGHT_BIT,
                    smtputf8=not to.isascii(),
                ),
                session=Session(protocol="LOCAL", received_at=now),
                body=octets,
                reason='{"notice": "suspended"}',
            )
        )


def hold_mail(settings: GateSettings, account: str, now: float) -> int:
    """Holds the mail of `account` that has not left; how many copies. Raises StoreError."""
    if not (Path(settings.store.folder) / "spool").is_dir():
        return 0
    spool = _open_spool(settings, now)
    try:
        return hold_account(spool, account)
    finally:
        spool.close()


def resume_account(settings: GateSettings, rights: Rights, account: str, now: float) -> tuple[bool, int]:
    """Lifts the suspension, frees what is held of the account's mail and begins its counts anew: whether it was
    suspended, and how many copies go on. Raises StoreError."""
    folder = Path(settings.store.folder)
    counts = SentCounts.open(folder)
    try:
        counts.forget(account)
    finally:
        counts.close()
    was = rights.resume(account)
    if not (folder / "spool").is_dir():
        return was, 0
    spool = _open_spool(settings, now)
    try:
        return was, unhold_account(spool, account, now)
    finally:
        spool.close()


def _open_spool(settings: GateSettings, now: float) -> Spool:
    return Spool.open(Path(settings.store.folder) / "spool", settings.store.spool, now=now)
