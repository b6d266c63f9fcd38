"""The spool at its boundary: what is added comes out as it went in, once, and leaves when it is finished."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.errors import StoreDamaged, StoreError, StoreFull
from gatepost.names import Body, Envelope, Recipient, Session, Tls
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import Committer, NewMessage, Outcome, Spool, SpoolShard, State, Treatment
from gatepost.store.spool.shard import shrink

NOW = 1_790_000_000.0
SMALL = SpoolSettings(inline_limit=1000, reserve=0)


def new_message(
    shard: SpoolShard, body: bytes = b"Subject: x\r\n\r\nhello\r\n", *to: str, **more: object
) -> NewMessage:
    recipients = tuple(Recipient(address=address) for address in to or ("anna@example.org",))
    envelope = Envelope(mail_from="bob@example.net", recipients=recipients)
    session = Session(client_ip="192.0.2.1", ehlo_domain="mx.example.net", protocol="ESMTP", received_at=NOW)
    fields = {"id": shard.next_id(NOW), "envelope": envelope, "session": session, "body": body, **more}
    return NewMessage(**fields)  # type: ignore[arg-type]


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[SpoolShard]:
    opened = SpoolShard.open(tmp_path, 0, SMALL)
    yield opened
    opened.close()


@pytest.fixture
def spool(shard: SpoolShard, tmp_path: Path) -> Iterator[Spool]:
    opened = Spool.open(tmp_path, SMALL, now=NOW, exclusive=True)
    yield opened
    opened.close()


def done(message_id: str, position: int = 0, state: State = State.DELIVERED, **more: object) -> Outcome:
    return Outcome(id=message_id, position=position, state=state, **more)  # type: ignore[arg-type]


def test_everything_comes_back_as_it_went_in(shard: SpoolShard, spool: Spool) -> None:
    envelope = Envelope(
        mail_from="",
        recipients=(
            Recipient(address="anna@example.org", notify=("SUCCESS", "FAILURE"), orcpt="rfc822;a+2Bb@example.org"),
            Recipient(address="jürgen@exämple.org"),
        ),
        body=Body.EIGHT_BIT,
        smtputf8=True,
        size=77,
        ret="HDRS",
        envid="QQ314159",
        requiretls=True,
    )
    tls = Tls(version="TLSv1.3", cipher="TLS_AES_256_GCM_SHA384", bits=256, verified=True)
    session = Session(
        client_ip="2001:db8::1", ehlo_domain="mx", protocol="ESMTPS", tls=tls, relay_ip="192.0.2.9", received_at=NOW
    )
    body = bytes(range(256)) * 3
    new = NewMessage(
        id=shard.next_id(NOW),
        envelope=envelope,
        session=session,
        body=body,
        treatments=(Treatment(junk=True), Treatment(state=State.QUARANTINED)),
        proven=True,
        reason='{"action": "tag"}',
    )
    shard.add_many([new])
    got = spool.get(new.id)
    assert got is not None
    assert (got.id, got.envelope, got.session, got.proven, got.reason) == (new.id, envelope, session, True, new.reason)
    assert (got.size, got.received_at, spool.body(new.id)) == (len(body), NOW, body)
    assert [(r.junk, r.state, r.position) for r in got.recipients] == [
        (True, State.QUEUED, 0),
        (False, State.QUARANTINED, 1),
    ]


@pytest.mark.parametrize("size", [0, 1, 999, 1000, 1001, 300_000])
def test_octets_are_exact_inside_and_beside_the_database(
    shard: SpoolShard, spool: Spool, tmp_path: Path, size: int
) -> None:
    new = new_message(shard, os.urandom(size))
    shard.add_many([new])
    assert spool.body(new.id) == new.body
    path = spool.body_path(new.id)
    assert (path is not None) == (size > 1000)
    assert spool.due(NOW)[0].id == new.id
    spool.record([done(new.id)], NOW)
    assert path is None or not path.exists()


def test_ids_grow_and_never_repeat_over_restarts_and_clocks_that_jump_back(tmp_path: Path) -> None:
    ids = []
    for now in (NOW, NOW, NOW - 1000, NOW + 1, 0.0):
        shard = SpoolShard.open(tmp_path, 3, SMALL)
        for _ in range(1500):
            ids.append(shard.next_id(now))
        shard.add_many([new := new_message(shard, id=ids[-1])])
        assert new.id == ids[-1]
        shard.close()
    assert ids == sorted(set(ids))
    assert all(len(message_id) == 12 and message_id.isalnum() for message_id in ids)


def test_ids_of_two_shards_differ(tmp_path: Path) -> None:
    shards = [SpoolShard.open(tmp_path, number, SMALL) for number in (0, 255)]
    ids = [shard.next_id(NOW) for shard in shards for _ in range(3000)]
    assert len(set(ids)) == 6000
    for shard in shards:
        shard.close()


def test_what_is_claimed_is_not_given_out_twice_until_it_is_accounted_for(shard: SpoolShard, spool: Spool) -> None:
    first, second = new_message(shard, b"1", "a@x.org", "b@x.org"), new_message(shard, b"2")
    shard.add_many([first, second])
    assert [m.id for m in spool.due(NOW, 1)] == [first.id]
    assert spool.next_due() == 0
    assert [m.id for m in spool.due(NOW)] == [second.id]
    assert spool.due(NOW) == []
    assert spool.next_due() is None
    spool.give_back([second.id])
    assert [m.id for m in spool.due(NOW)] == [second.id]
    assert spool.record([done(first.id, 0)], NOW) == []
    assert spool.due(NOW) == []  # the other recipient is still on its way
    assert spool.record([done(first.id, 1), done(second.id)], NOW) == [first.id, second.id]
    assert spool.get(first.id) is None
    assert spool.counts()[State.QUEUED] == 0


def test_a_deferred_recipient_comes_again_at_its_time(shard: SpoolShard, spool: Spool) -> None:
    new = new_message(shard, b"x", "a@x.org", "b@x.org")
    shard.add_many([new])
    spool.due(NOW)
    spool.record([done(new.id, 0), done(new.id, 1, State.QUEUED, reply="451 later", next_try=NOW + 300)], NOW)
    assert spool.due(NOW + 299) == []
    assert spool.next_due() == NOW + 300
    (again,) = spool.due(NOW + 300)
    assert [r.address for r in again.pending(NOW + 300)] == ["b@x.org"]
    assert (again.recipients[1].attempts, again.recipients[1].last_reply) == (1, "451 later")
    assert again.recipients[1].last_try == NOW
    assert spool.record([done(new.id, 1, State.FAILED, reply="550 no")], NOW + 300) == [new.id]


def test_a_clock_put_back_does_not_leave_mail_waiting(shard: SpoolShard, spool: Spool, tmp_path: Path) -> None:
    new, fresh = new_message(shard), new_message(shard)
    shard.add_many([new])
    spool.due(NOW)
    spool.record([done(new.id, state=State.QUEUED, next_try=NOW + 900)], NOW)
    year_ago = NOW - 365 * 86400
    shard.add_many([fresh])
    assert {m.id for m in spool.due(year_ago)} == {new.id, fresh.id}
    spool.record([done(new.id, state=State.QUEUED, next_try=NOW + 900)], NOW)
    spool.close()
    reopened = Spool.open(tmp_path, SMALL, now=year_ago, exclusive=True)
    assert new.id in {m.id for m in reopened.due(year_ago)}
    reopened.close()


def test_changed_tells_of_new_mail_and_only_of_that(shard: SpoolShard, spool: Spool) -> None:
    spool.changed()
    assert not spool.changed()
    shard.add_many([new_message(shard)])
    assert spool.changed()
    assert not spool.changed()
    spool.record([done(m.id) for m in spool.due(NOW)], NOW)
    assert not spool.changed()


def test_two_shards_are_one_queue_and_a_late_one_is_found(shard: SpoolShard, spool: Spool, tmp_path: Path) -> None:
    late = SpoolShard.open(tmp_path, 7, SMALL)
    shard.add_many([new_message(shard)])
    late.add_many([new_message(late)])
    spool.refresh()
    messages = spool.due(NOW)
    assert len(messages) == 2
    assert len(spool.record([done(m.id) for m in messages], NOW)) == 2
    late.close()


def test_only_one_delivery_and_one_owner(shard: SpoolShard, spool: Spool, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="another delivery process"):
        Spool.open(tmp_path, SMALL, now=NOW, exclusive=True)
    with pytest.raises(StoreError, match="in use by another process"):
        SpoolShard.open(tmp_path, 0, SMALL)
    Spool.open(tmp_path, SMALL, now=NOW).close()


def test_a_batch_is_taken_in_whole_or_not_at_all(shard: SpoolShard, spool: Spool) -> None:
    good, large = new_message(shard), new_message(shard, b"y" * 5000)
    shard.add_many([good])
    with pytest.raises(StoreError):
        shard.add_many([large, new_message(shard), good])  # `good` is there already: its number is taken
    assert [m.id for m in spool.due(NOW)] == [good.id]
    assert spool.body_path(large.id) is None


def test_text_that_is_not_unicode_is_that_messages_trouble_only(tmp_path: Path) -> None:
    async def play() -> None:
        committer = Committer(shard := SpoolShard.open(tmp_path, 0, SMALL))
        odd = new_message(shard, b"x", "\udcff@example.org")
        good = [new_message(shard) for _ in range(5)]
        results = await asyncio.gather(*(committer.add(new) for new in [odd, *good]), return_exceptions=True)
        assert isinstance(results[0], StoreError)
        assert results[1:] == [new.id for new in good]
        await committer.close()

    asyncio.run(play())


def test_less_than_the_reserve_is_full(tmp_path: Path) -> None:
    shard = SpoolShard.open(tmp_path, 0, SpoolSettings(reserve=1 << 60))
    with pytest.raises(StoreFull):
        shard.add_many([new_message(shard)])
    shard.close()


def test_damage_is_told_and_never_guessed_around(shard: SpoolShard, spool: Spool, tmp_path: Path) -> None:
    new = new_message(shard, b"z" * 5000)
    shard.add_many([new])
    path = spool.body_path(new.id)
    assert path is not None
    path.write_bytes(b"z" * 4999 + b"y")
    with pytest.raises(StoreDamaged):
        spool.body(new.id)
    path.unlink()
    with pytest.raises(StoreDamaged):
        spool.body(new.id)


def test_a_damaged_database_is_refused(tmp_path: Path) -> None:
    shard = SpoolShard.open(tmp_path, 0, SMALL)
    shard.add_many([new_message(shard, bytes(900)) for _ in range(50)])
    shard.close()
    path = tmp_path / "shard-000.db"
    octets = bytearray(path.read_bytes())
    octets[8192:12288] = b"\xff" * 4096
    path.write_bytes(octets)
    with pytest.raises(StoreDamaged, match="restore it from a backup"):
        SpoolShard.open(tmp_path, 0, SMALL)


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_one_damaged_shard_does_not_hold_up_the_mail_in_the_others(tmp_path: Path, when: str) -> None:
    sound: list[str] = []
    for number in range(2):
        shard = SpoolShard.open(tmp_path, number, SMALL)
        batch = [new_message(shard, bytes(900)) for _ in range(50)]
        shard.add_many(batch)
        shard.close()
        sound = [new.id for new in batch]
    told: list[StoreDamaged] = []
    path = tmp_path / "shard-000.db"
    if when == "before":
        path.write_bytes(b"nonsense" * 1000)
        with pytest.raises(StoreDamaged):
            Spool.open(tmp_path, SMALL, now=NOW)
    spool = Spool.open(tmp_path, SMALL, now=NOW, exclusive=True, on_damage=told.append)
    if when == "meanwhile":
        octets = path.read_bytes()
        path.write_bytes(octets[:4096] + b"\xff" * (len(octets) - 4096))
    for _ in range(3):
        spool.refresh()
        found = [spooled.id for spooled in spool.due(NOW, 100)]
        spool.give_back(found)
        assert found == sound
        spool.next_due()
        spool.changed()
        spool.counts()
    assert len(told) == 1
    assert "shard-000.db" in str(told[0])
    spool.close()


def test_a_newer_schema_is_refused_in_plain_words(tmp_path: Path) -> None:
    SpoolShard.open(tmp_path, 0, SMALL).close()
    with sqlite3.connect(tmp_path / "shard-000.db") as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(StoreError, match="newer Gatepost"):
        SpoolShard.open(tmp_path, 0, SMALL)


def test_litter_of_a_crash_is_swept_when_the_shard_is_opened(tmp_path: Path) -> None:
    shard = SpoolShard.open(tmp_path, 0, SMALL)
    kept = new_message(shard, b"k" * 5000)
    shard.add_many([kept])
    litter = shard.path.with_suffix(".bodies") / shard.next_id(NOW)
    litter.write_bytes(b"never acknowledged")
    shard.close()
    SpoolShard.open(tmp_path, 0, SMALL).close()
    assert not litter.exists()
    assert (litter.parent / kept.id).exists()


def test_a_database_that_is_mostly_empty_is_made_small(shard: SpoolShard, spool: Spool) -> None:
    kept = new_message(shard)
    shard.add_many([kept, *(new_message(shard, bytes(900)) for _ in range(500))])
    assert not shrink(shard._connection, 100_000)  # it is full
    spool.record([done(m.id) for m in spool.due(NOW, 1000) if m.id != kept.id], NOW)
    assert shrink(shard._connection, 100_000)
    assert shard.path.stat().st_size < 100_000
    assert spool.body(kept.id) == kept.body
    shard.add_many([new_message(shard)])
    assert len(spool.due(NOW)) == 1


def test_mail_is_private(shard: SpoolShard, spool: Spool, tmp_path: Path) -> None:
    shard.add_many([new_message(shard, b"k" * 5000)])
    for path in [*tmp_path.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_the_committer_commits_what_waits_together(tmp_path: Path) -> None:
    async def play() -> list[str]:
        shard = SpoolShard.open(tmp_path, 0, SMALL)
        committer = Committer(shard)
        messages = [new_message(shard, os.urandom(size)) for size in (10, 2000, 500) * 40]
        ids = await asyncio.gather(*(committer.add(m) for m in messages))
        assert ids == [m.id for m in messages]
        assert committer.waiting == 0
        await committer.close()
        with pytest.raises(StoreError):
            await committer.add(messages[0])
        return ids

    ids = asyncio.run(play())
    spool = Spool.open(tmp_path, SMALL, now=NOW)
    assert [m.id for m in spool.due(NOW, 1000)] == ids
    spool.close()


def test_every_waiter_is_told_that_the_disk_is_full(tmp_path: Path) -> None:
    async def play() -> None:
        committer = Committer(shard := SpoolShard.open(tmp_path, 0, SpoolSettings(reserve=1 << 60)))
        results = await asyncio.gather(*(committer.add(new_message(shard)) for _ in range(20)), return_exceptions=True)
        assert all(isinstance(result, StoreFull) for result in results)
        await committer.close()

    asyncio.run(play())


def test_more_than_may_wait_is_refused_and_closing_waits_for_the_rest(tmp_path: Path) -> None:
    async def play() -> None:
        settings = SpoolSettings(reserve=0, max_waiting=5, max_waiting_octets=100_000)
        committer = Committer(shard := SpoolShard.open(tmp_path, 0, settings))
        tasks = [asyncio.create_task(committer.add(new_message(shard))) for _ in range(8)]
        await asyncio.sleep(0)
        with pytest.raises(StoreFull):
            await committer.add(new_message(shard, bytes(200_000)))
        await committer.close()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(result, StoreFull) for result in results) == 3
        assert sum(isinstance(result, str) for result in results) == 5

    asyncio.run(play())


def test_a_session_that_goes_away_disturbs_nobody(tmp_path: Path) -> None:
    async def play() -> None:
        committer = Committer(shard := SpoolShard.open(tmp_path, 0, SMALL))
        tasks = [asyncio.create_task(committer.add(new_message(shard))) for _ in range(10)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert sum(isinstance(result, str) for result in results) == 9
        await committer.close()

    asyncio.run(play())
