"""The committer's two ways: inserted on the loop and sealed by the thread, or all of it in the thread."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import pytest

from gatepost.errors import StoreFull
from gatepost.names import Envelope, Recipient, Session
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import Committer, NewMessage, Spool, SpoolShard
from gatepost.store.spool import committer as committers
from gatepost.store.spool.rows import Prepared

NOW = 1_800_000_000.0


def new(message_id: str, body: bytes = b"Subject: x\r\n\r\nhello\r\n") -> NewMessage:
    envelope = Envelope(mail_from="a@example.org", recipients=(Recipient(address="b@example.net"),))
    return NewMessage(id=message_id, envelope=envelope, session=Session(received_at=NOW), body=body)


async def add_all(committer: Committer, bodies: list[bytes]) -> list[str]:
    return await asyncio.gather(*(committer.add(new(committer.next_id(NOW), body)) for body in bodies))


def kept(folder: Path) -> list[str]:
    spool = Spool.open(folder, now=NOW)
    try:
        return sorted(spooled.id for spooled in spool.due(NOW, 1000))
    finally:
        spool.close()


def test_small_and_large_messages_are_all_there_and_whole(tmp_path: Path) -> None:
    bodies = [b"x" * size for size in (10, 1000, 300_000, 10, 200_000, 900_000, 200_000, 200_000, 200_000, 200_000, 5)]

    async def main() -> list[str]:
        committer = Committer(SpoolShard.open(tmp_path, 0))
        ids = await add_all(committer, bodies)
        await committer.close()
        return ids

    ids = asyncio.run(main())
    assert kept(tmp_path) == sorted(ids)
    spool = Spool.open(tmp_path, now=NOW)
    assert [len(spool.body(message_id)) for message_id in ids] == [len(body) for body in bodies]
    spool.close()


def test_a_shard_that_another_process_is_writing_to_is_waited_for_without_stopping_the_loop(tmp_path: Path) -> None:
    async def main() -> list[str]:
        committer = Committer(SpoolShard.open(tmp_path, 0))
        other = sqlite3.connect(tmp_path / "shard-000.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        adding = asyncio.create_task(add_all(committer, [b"a", b"b", b"c"]))
        turns = 0
        for _ in range(20):
            await asyncio.sleep(0.005)
            turns += 1
        assert turns == 20
        assert not adding.done()
        other.execute("COMMIT")
        other.close()
        ids = await asyncio.wait_for(adding, 10)
        await committer.close()
        return ids

    assert sorted(asyncio.run(main())) == kept(tmp_path)


def test_a_group_that_does_not_fit_leaves_nothing_and_the_next_one_goes_in(tmp_path: Path) -> None:
    async def main() -> str:
        shard = SpoolShard.open(tmp_path, 0)
        committer = Committer(shard)
        pages = shard._connection.execute("PRAGMA page_count").fetchone()[0]
        shard._connection.execute(f"PRAGMA max_page_count={pages + 5}")
        with pytest.raises(StoreFull):
            await committer.add(new(committer.next_id(NOW), b"x" * 100_000))
        shard._connection.execute("PRAGMA max_page_count=100000")
        message_id = await committer.add(new(committer.next_id(NOW)))
        await committer.close()
        return message_id

    message_id = asyncio.run(main())
    assert kept(tmp_path) == [message_id]


def test_a_disk_without_room_is_told_to_all_that_wait(tmp_path: Path) -> None:
    async def main() -> list[object]:
        committer = Committer(SpoolShard.open(tmp_path, 0, SpoolSettings(reserve=1 << 60)))
        found = await asyncio.gather(
            *(committer.add(new(committer.next_id(NOW))) for _ in range(5)), return_exceptions=True
        )
        await committer.close()
        return list(found)

    assert all(isinstance(error, StoreFull) for error in asyncio.run(main()))
    assert kept(tmp_path) == []


def counted(shard: SpoolShard, commits: list[int]) -> SpoolShard:
    """`shard`, noting the size of each group."""
    stage = shard.stage

    def noting(batch: Sequence[Prepared]) -> bool:
        commits.append(len(batch))
        return stage(batch)

    shard.stage = noting  # type: ignore[method-assign]
    return shard


def test_a_lone_session_waits_for_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(committers, "_LINGER", 60.0)

    async def main() -> None:
        committer = Committer(SpoolShard.open(tmp_path, 0))
        for _ in range(30):
            await asyncio.wait_for(committer.add(new(committer.next_id(NOW))), 20)
        await committer.close()

    asyncio.run(main())
    assert len(kept(tmp_path)) == 30


def test_sessions_in_company_share_commits_although_they_do_not_come_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(committers, "_LINGER", 0.5)
    commits: list[int] = []

    async def main() -> None:
        committer = Committer(counted(SpoolShard.open(tmp_path, 0), commits))
        await add_all(committer, [b"x"] * 20)
        commits.clear()
        adding = []
        for _ in range(10):
            adding.append(asyncio.create_task(committer.add(new(committer.next_id(NOW)))))
            await asyncio.sleep(0.01)
        await asyncio.gather(*adding)
        await committer.close()

    asyncio.run(main())
    assert len(commits) < 5
    assert sum(commits) == 10
