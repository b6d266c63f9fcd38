"""A disk that is full, cannot be written to or fails: a clear error, nothing half visible, nothing lost.

A small tmpfs stands for the full disk where we may mount one (root), RLIMIT_FSIZE for those who may not.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from accounting import Promise, take_account

from gatepost.errors import StoreError, StoreFull
from gatepost.names import Envelope, Recipient, Session
from gatepost.store.database import free_space
from gatepost.store.maildir import Drop, Mailboxes
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import Committer, NewMessage, Outcome, Spool, SpoolShard, State

NOW = 1_790_000_000.0
SETTINGS = SpoolSettings(inline_limit=20_000, reserve=0, checkpoint_pages=12)
Mount = Callable[[str], Path]


def new_message(shard: SpoolShard | Committer, size: int) -> NewMessage:
    return NewMessage(
        id=shard.next_id(NOW),
        envelope=Envelope(mail_from="bob@example.net", recipients=(Recipient(address="anna@example.org"),)),
        session=Session(received_at=NOW),
        body=os.urandom(size),
    )


@pytest.fixture
def mount(tmp_path: Path, report_missing: Callable[[str], None]) -> Iterator[Mount]:
    """Mounts a tmpfs with these options; unmounts it in the end."""
    mounted: list[Path] = []

    def mount_one(options: str) -> Path:
        place = tmp_path / f"disk{len(mounted)}"
        place.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "none", str(place)], capture_output=True, check=False
        )
        if done.returncode != 0:
            report_missing("the right to mount a small disk")
        mounted.append(place)
        return place

    yield mount_one
    for place in mounted:
        subprocess.run(["umount", "-l", str(place)], check=True)


def promise(new: NewMessage) -> Promise:
    return Promise(hashlib.sha256(new.body).hexdigest(), 1)


@pytest.mark.parametrize("size", [500, 15_000, 60_000])
def test_a_full_disk_is_told_and_what_was_accepted_stays(mount: Mount, size: int) -> None:
    disk = mount("size=2m")
    (disk / "ballast").write_bytes(bytes(400_000))
    shard = SpoolShard.open(disk / "spool", 0, SETTINGS)
    promises, refused = {}, None
    for _ in range(10_000):
        batch = [new_message(shard, size) for _ in range(3)]
        try:
            shard.add_many(batch)
        except StoreFull:
            refused = batch
            break
        promises |= {new.id: promise(new) for new in batch}
    assert refused is not None
    spool = Spool.open(disk / "spool", SETTINGS, now=NOW)
    assert [spool.get(new.id) for new in refused] == [None] * 3
    assert [spool.body_path(new.id) for new in refused] == [None] * 3
    (disk / "ballast").unlink()  # there is room again: the same shard goes on
    again = new_message(shard, size)
    shard.add_many([again])
    spool.close()
    shard.close()
    promises[again.id] = promise(again)
    assert take_account(disk / "spool", disk / "mail", promises, now=NOW, settings=SETTINGS).is_clean


def test_every_session_that_waits_is_told_when_the_disk_is_full(mount: Mount) -> None:
    disk = mount("size=1500k")

    async def play() -> dict[str, Promise]:
        committer = Committer(SpoolShard.open(disk / "spool", 0, SETTINGS))
        messages = [new_message(committer, 10_000) for _ in range(400)]
        results = await asyncio.gather(*(committer.add(new) for new in messages), return_exceptions=True)
        await committer.close()
        assert {type(result) for result in results} == {str, StoreFull}
        return {new.id: promise(new) for new, result in zip(messages, results, strict=True) if result == new.id}

    promises = asyncio.run(play())
    account = take_account(disk / "spool", disk / "mail", promises, now=NOW, settings=SETTINGS)
    assert account.is_clean
    assert {message_id for message_id, _ in account.in_spool} == set(promises)


def test_a_full_disk_lets_mail_out(mount: Mount, tmp_path: Path) -> None:
    """Delivery to another disk frees the spool, though freeing needs to write, too."""
    disk = mount("size=2m")
    shard = SpoolShard.open(disk / "spool", 0, replace(SETTINGS, reserve=500_000))
    promises: dict[str, Promise] = {}
    while free_space(disk) >= 500_000:
        shard.add_many([new := new_message(shard, 15_000)])
        promises[new.id] = promise(new)
    with pytest.raises(StoreFull):
        shard.add_many([new_message(shard, 15_000)])
    spool, mailboxes = Spool.open(disk / "spool", SETTINGS, now=NOW), Mailboxes(tmp_path / "mail", "mx")
    for spooled in spool.due(NOW, 1000):
        drop = Drop(id=spooled.id, position=0, address="anna@example.org", octets=spool.body(spooled.id))
        assert mailboxes.deliver([drop]) == [None]
        spool.record([Outcome(id=spooled.id, position=0, state=State.DELIVERED)], NOW)
    shard.add_many([new_message(shard, 15_000)])
    spool.close()
    shard.close()
    assert take_account(disk / "spool", tmp_path / "mail", promises, now=NOW, settings=SETTINGS).is_clean


def test_a_full_mailbox_disk_is_that_messages_trouble_only(mount: Mount, tmp_path: Path) -> None:
    disk = mount("size=300k")
    mailboxes = Mailboxes(disk / "mail", "mx")
    shard = SpoolShard.open(tmp_path / "spool", 0, SETTINGS)
    drops = [
        Drop(id=shard.next_id(NOW), position=0, address="anna@example.org", octets=os.urandom(size))
        for size in (10_000, 900_000, 10_000)
    ]
    first, second, third = mailboxes.deliver(drops)
    assert (first, third) == (None, None)
    assert isinstance(second, StoreFull)
    inbox = mailboxes.path("anna@example.org")
    assert len(list((inbox / "new").iterdir())) == 2
    assert list((inbox / "tmp").iterdir()) == []
    shard.close()


def test_a_read_only_disk_is_told_in_plain_words(mount: Mount) -> None:
    disk = mount("size=1m")
    SpoolShard.open(disk / "spool", 0, SETTINGS).close()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(StoreError, match="Read-only"):
        SpoolShard.open(disk / "spool", 0, SETTINGS)
    with pytest.raises(StoreError, match="Read-only"):
        SpoolShard.open(disk / "other", 0, SETTINGS)
    (answer,) = Mailboxes(disk / "mail", "mx").deliver(
        [Drop(id="1hcqmr800000", position=0, address="a@b", octets=b"x")]
    )
    assert isinstance(answer, StoreError)


def test_a_file_where_the_folder_should_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(b"")
    with pytest.raises(StoreError, match="spool"):
        SpoolShard.open(tmp_path / "spool", 0, SETTINGS)


LIMITED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_disk_trouble import SETTINGS, StoreFull, SpoolShard, StoreError, new_message
shard = SpoolShard.open(Path(sys.argv[1]), 0, SETTINGS)
shard.add_many([new := new_message(shard, 15_000)])
print(new.id)
resource.setrlimit(resource.RLIMIT_FSIZE, (120_000, 120_000))
for size in (15_000, 150_000):
    try:
        for _ in range(50):
            shard.add_many([new := new_message(shard, size)])
            print(new.id)
    except StoreFull:
        print("full")
    except StoreError as error:
        print("error")
"""


def test_a_limit_on_file_sizes_loses_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path), str(Path(__file__).parent)],
        capture_output=True,
        text=True,
        check=True,
    )
    *accepted, first, second = done.stdout.split()
    assert first in ("full", "error")  # SQLite says "I/O error" of a write that a limit refused
    assert second == "full"
    promises = dict.fromkeys(accepted, Promise())
    assert len(promises) > 1
    assert take_account(tmp_path, tmp_path / "mail", promises, now=NOW, settings=SETTINGS).is_clean


def test_a_spool_locked_for_too_long_is_told_and_works_again(tmp_path: Path) -> None:
    settings = SpoolSettings(reserve=0, busy_seconds=0.05)
    shard = SpoolShard.open(tmp_path, 0, settings)
    spool = Spool.open(tmp_path, settings, now=NOW)
    spool._shards[0].execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        shard.add_many([new_message(shard, 100)])
    spool._shards[0].execute("ROLLBACK")
    shard.add_many([new_message(shard, 100)])
    assert len(spool.due(NOW)) == 1
    spool.close()
    shard.close()
