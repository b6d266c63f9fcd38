"""Accounts for every message that was promised: it is in the spool or in a mailbox, whole, and not there twice.

In: the store's folder after a crash, and the promises. Out: `Account`.
For use after any crash, whoever made the promises. Standard: RFC 5321 §4.2.5. Not here: how the crash was made.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gatepost.errors import StoreError
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import Spool, SpoolShard, State

_MAILDIR_NAME = re.compile(r"\d+\.M\d+I(?P<id>[0-9a-z]{12})R(?P<position>\d+)\.[^,]+,S=(?P<size>\d+)")


@dataclass(frozen=True, slots=True)
class Promise:
    """What was said with a 250: `sha256` (hex) of the octets, empty where it is not known; how many `recipients`, 0
    where that is not known: then one copy anywhere will do."""

    sha256: str = ""
    recipients: int = 0


@dataclass(slots=True)
class Account:
    """What became of the promises."""

    in_spool: set[tuple[str, int]] = field(default_factory=set)
    """Copies that wait: spool id and the recipient's position."""
    in_mailbox: set[tuple[str, int]] = field(default_factory=set)
    lost: set[str] = field(default_factory=set)
    """Ids of which a copy is nowhere."""
    damaged: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Nothing lost, damaged or delivered twice."""
        return not (self.lost or self.damaged or self.twice)

    def __str__(self) -> str:
        return (
            f"{len(self.in_spool)} in the spool, {len(self.in_mailbox)} in mailboxes,"
            f" lost {sorted(self.lost)[:5]}, damaged {self.damaged[:5]}, twice {self.twice[:5]}"
        )


def take_account(
    spool_folder: Path,
    mail_folder: Path,
    promises: Mapping[str, Promise],
    *,
    now: float,
    original: Callable[[bytes], bytes] = lambda octets: octets,
    settings: SpoolSettings | None = None,
) -> Account:
    """Opens the store as a restarted server would, and looks for every promise.

    `promises` maps a spool id to what was promised; `original` takes from a mailbox's file what delivery has put on
    top. Rows without their octets are damage, promised or not.
    """
    account = Account()
    for path in sorted(spool_folder.glob("shard-*.db")):
        SpoolShard.open(spool_folder, int(path.stem[-3:]), settings).close()
    spool = Spool.open(spool_folder, settings, now=now, exclusive=True)
    for spooled in spool.select("1", (), 1_000_000):
        try:
            octets = spool.body(spooled.id)
        except StoreError as error:
            account.damaged.append(str(error))
            continue
        _check(account, spooled.id, octets, promises)
        waiting = spooled.in_state(State.QUEUED, State.QUARANTINED, State.HELD)
        account.in_spool |= {(spooled.id, recipient.position) for recipient in waiting}
    spool.close()
    _look_into_mailboxes(account, mail_folder, promises, original)
    copies = account.in_spool | account.in_mailbox
    known = {message_id for message_id, _ in copies}
    for message_id, promise in promises.items():
        if message_id not in known or any((message_id, n) not in copies for n in range(promise.recipients)):
            account.lost.add(message_id)
    return account


def _look_into_mailboxes(
    account: Account, folder: Path, promises: Mapping[str, Promise], original: Callable[[bytes], bytes]
) -> None:
    for path in [*folder.rglob("new/*"), *folder.rglob("cur/*")]:
        found = _MAILDIR_NAME.match(path.name)
        if not found:
            continue
        octets = path.read_bytes()
        if len(octets) != int(found["size"]):
            account.damaged.append(f"{path.name} has {len(octets)} octets")
            continue
        key = (found["id"], int(found["position"]))
        if key in account.in_mailbox:
            account.twice.append(path.name)
        account.in_mailbox.add(key)
        _check(account, found["id"], original(octets), promises)


def _check(account: Account, message_id: str, octets: bytes, promises: Mapping[str, Promise]) -> None:
    promise = promises.get(message_id)
    if promise and promise.sha256 and hashlib.sha256(octets).hexdigest() != promise.sha256:
        account.damaged.append(f"{message_id} has other octets")


def read_promises(printed: bytes) -> dict[str, Promise]:
    """The promises a workload printed: a line "ACCEPTED id sha256 recipients" each; an unfinished last line is none."""
    promises = {}
    for line in printed.decode("ascii").split("\n")[:-1]:
        word, _, rest = line.partition(" ")
        if word == "ACCEPTED":
            message_id, sha256, recipients = rest.split()
            promises[message_id] = Promise(sha256, int(recipients))
    return promises
