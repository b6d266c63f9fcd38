"""Quarantine and queue commands, also beside a delivery that has the message in hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from gatepost.names import Envelope, Recipient, Session
from gatepost.store.settings import SpoolSettings
from gatepost.store.spool import NewMessage, Outcome, Spool, SpoolShard, State, Treatment, quarantine
from gatepost.store.spool.expiry import expire

NOW = 1_790_000_000.0
DAY = 86400.0
SETTINGS = SpoolSettings(reserve=0, inline_limit=100, quarantine_days=30)


@pytest.fixture
def shard(tmp_path: Path) -> Iterator[SpoolShard]:
    opened = SpoolShard.open(tmp_path, 0, SETTINGS)
    yield opened
    opened.close()


@pytest.fixture
def delivery(shard: SpoolShard, tmp_path: Path) -> Iterator[Spool]:
    opened = Spool.open(tmp_path, SETTINGS, now=NOW, exclusive=True)
    yield opened
    opened.close()


@pytest.fixture
def admin(shard: SpoolShard, tmp_path: Path) -> Iterator[Spool]:
    opened = Spool.open(tmp_path, SETTINGS, now=NOW)
    yield opened
    opened.close()


def add(
    shard: SpoolShard,
    *states: State,
    at: float = NOW,
    mail_from: str = "bob@example.net",
    body: bytes = b"x",
    reason: str = "",
) -> str:
    recipients = tuple(Recipient(address=f"r{n}@example.org") for n in range(len(states)))
    new = NewMessage(
        id=shard.next_id(at),
        envelope=Envelope(mail_from=mail_from, recipients=recipients),
        session=Session(received_at=at),
        body=body,
        treatments=tuple(Treatment(state=state, junk=state is State.QUARANTINED) for state in states),
        reason=reason,
    )
    shard.add_many([new])
    return new.id


def states(spool: Spool, message_id: str) -> list[str]:
    found = spool.get(message_id)
    return [str(r.state) for r in found.recipients] if found else []


def test_quarantined_mail_is_not_due_and_is_released_for_one_or_all(
    shard: SpoolShard, delivery: Spool, admin: Spool
) -> None:
    message_id = add(shard, State.QUARANTINED, State.QUARANTINED, State.QUEUED)
    (first,) = delivery.due(NOW)
    assert [r.position for r in first.pending(NOW)] == [2]
    delivery.record([Outcome(id=message_id, position=2, state=State.DELIVERED)], NOW)
    assert states(admin, message_id) == ["quarantined", "quarantined", "delivered"]
    delivery.changed()
    assert quarantine.release(admin, message_id, NOW, "R1@Example.org") == 1
    assert delivery.changed()
    (again,) = delivery.due(NOW)
    assert [(r.position, r.junk) for r in again.pending(NOW)] == [(1, False)]
    assert quarantine.release(admin, message_id, NOW) == 1
    assert quarantine.release(admin, message_id, NOW) == 0


def test_delete_takes_only_what_is_quarantined(shard: SpoolShard, admin: Spool) -> None:
    message_id = add(shard, State.QUARANTINED, State.QUEUED, body=bytes(500))
    path = admin.body_path(message_id)
    assert path is not None
    assert quarantine.delete(admin, message_id, NOW) == 1
    assert states(admin, message_id) == ["dropped", "queued"]
    assert path.exists()
    assert quarantine.drop(admin, message_id, NOW) == 1
    assert states(admin, message_id) == []
    assert not path.exists()


def test_hold_unhold_and_retry(shard: SpoolShard, delivery: Spool, admin: Spool) -> None:
    message_id = add(shard, State.QUEUED)
    assert quarantine.hold(admin, message_id, NOW) == 1
    assert delivery.due(NOW) == []
    assert quarantine.unhold(admin, message_id, NOW) == 1
    assert len(delivery.due(NOW)) == 1
    delivery.record([Outcome(id=message_id, position=0, state=State.QUEUED, next_try=NOW + 900)], NOW)
    assert delivery.due(NOW + 1) == []
    assert quarantine.retry(admin, message_id, NOW + 1) == 1
    assert len(delivery.due(NOW + 1)) == 1


def test_again_later_does_not_undo_a_hold_but_what_happened_stands(
    shard: SpoolShard, delivery: Spool, admin: Spool
) -> None:
    message_id = add(shard, State.QUEUED, State.QUEUED)
    delivery.due(NOW)
    quarantine.hold(admin, message_id, NOW)
    later = Outcome(id=message_id, position=0, state=State.QUEUED, next_try=NOW + 9, reply="451 busy")
    sent = Outcome(id=message_id, position=1, state=State.DELIVERED)
    delivery.record([later, sent], NOW)
    assert states(admin, message_id) == ["held", "delivered"]


def test_an_outcome_for_a_message_that_was_dropped_meanwhile_is_ignored(
    shard: SpoolShard, delivery: Spool, admin: Spool
) -> None:
    message_id = add(shard, State.QUEUED)
    delivery.due(NOW)
    quarantine.drop(admin, message_id, NOW)
    delivery.record([Outcome(id=message_id, position=0, state=State.QUEUED, next_try=NOW + 9)], NOW)
    assert delivery.get(message_id) is None


def test_search_by_state_sender_and_recipient(shard: SpoolShard, admin: Spool) -> None:
    one = add(shard, State.QUARANTINED, mail_from="News@Shop.example")
    two = add(shard, State.QUEUED, State.QUARANTINED)
    three = add(shard, State.HELD)
    found = quarantine.search(admin, states=(State.QUARANTINED,))
    assert [m.id for m in found] == [two, one]
    assert [m.id for m in quarantine.search(admin)] == [three, two, one]
    assert [m.id for m in quarantine.search(admin, limit=1)] == [three]
    assert [m.id for m in quarantine.search(admin, mail_from="shop.EXAMPLE")] == [one]
    assert [m.id for m in quarantine.search(admin, rcpt_to="R1@")] == [two]


def test_expiry_takes_old_quarantined_mail_only(shard: SpoolShard, delivery: Spool, admin: Spool) -> None:
    old, queued = add(shard, State.QUARANTINED), add(shard, State.QUEUED)
    mixed, given_up = add(shard, State.QUARANTINED, State.HELD), add(shard, State.QUEUED)
    young = add(shard, State.QUARANTINED, at=NOW + 2 * DAY)
    delivery.due(NOW)
    delivery.record([Outcome(id=given_up, position=0, state=State.QUARANTINED)], NOW + 5 * DAY)
    gone = expire(admin, NOW + 31 * DAY)
    assert {one.id: one.addresses for one in gone} == {old: ("r0@example.org",), mixed: ("r0@example.org",)}
    assert {one.why for one in gone} == {"held for more than 30 days"}
    assert states(admin, old) == []
    assert states(admin, mixed) == ["dropped", "held"]
    assert states(admin, young) == states(admin, given_up) == ["quarantined"]
    assert states(admin, queued) == ["queued"]


def test_too_much_held_mail_goes_oldest_first(shard: SpoolShard, tmp_path: Path) -> None:
    first, second = add(shard, State.QUARANTINED, body=bytes(50)), add(shard, State.QUARANTINED, body=bytes(150))
    third, waits = add(shard, State.QUARANTINED, body=bytes(40)), add(shard, State.QUEUED, body=bytes(5000))
    spool = Spool.open(tmp_path, replace(SETTINGS, quarantine_octets=240), now=NOW)
    assert expire(spool, NOW + 1) == []
    spool.close()
    spool = Spool.open(tmp_path, replace(SETTINGS, quarantine_octets=100), now=NOW)
    gone = expire(spool, NOW + 1)
    assert [one.id for one in gone] == [first, second]
    assert "over 100 octets" in gone[0].why
    assert [states(spool, one) for one in (first, second, third, waits)] == [[], [], ["quarantined"], ["queued"]]
    spool.close()


def test_search_by_time_and_by_what_decided(shard: SpoolShard, admin: Spool) -> None:
    reason = '{"action":"quarantine","score":9,"decided_by":["auth.dmarc.fail"]}'
    old, new = add(shard, State.QUARANTINED, reason=reason), add(shard, State.QUARANTINED, at=NOW + DAY)
    search = partial(quarantine.search, admin, states=(State.QUARANTINED,))
    assert [m.id for m in search(since=NOW + 1)] == [new]
    assert [m.id for m in search(code="auth.dmarc")] == [m.id for m in search(code="auth.dmarc.fail")] == [old]
    assert search(code="dmarc.fail") == search(code="path.") == []


@pytest.mark.parametrize("nonsense", ["", "x", "0000000000oi", "zzzzzzzzzzzz", "'; DROP TABLE message; --"])
def test_an_id_that_is_none_changes_nothing(admin: Spool, nonsense: str) -> None:
    assert quarantine.release(admin, nonsense, NOW) == 0
    assert admin.get(nonsense) is None
