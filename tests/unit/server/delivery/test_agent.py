"""The delivery as a whole over a real spool: what is due leaves, what cannot stays, what hangs stops nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from world import FULL, RAW, START, FakeHop, FakeMailboxes, FakeReports, World

from gatepost.errors import InputError
from gatepost.names import Envelope
from gatepost.server.delivery.hop import HopFailed, HopRefused, HopReply
from gatepost.server.delivery.notices import Notices
from gatepost.server.delivery.settings import DAY, HOUR, DeliverySettings
from gatepost.server.delivery.settle import Tell
from gatepost.store.spool import NewMessage, State

MakeWorld = Callable[..., World]
LMTP = "lmtp:127.0.0.1:2424"
SMTP = "smtp:127.0.0.1:2525"


def replies(*answers: tuple[int, str]) -> Callable[[Envelope], Sequence[HopReply]]:
    return lambda envelope: [HopReply(reply_code=code, text=text) for code, text in answers[: len(envelope.recipients)]]


def test_mail_for_a_maildir_arrives_with_return_path_and_leaves_the_spool(make_world: MakeWorld) -> None:
    world = make_world({"example.net": "maildir"})
    message_id = world.add("user@example.net")
    world.deliver(lambda: world.spool.get(message_id) is None)
    (drop,) = world.mailboxes.drops
    assert drop.octets == b"Return-Path: <a@example.org>\r\nDelivered-To: user@example.net\r\n" + RAW
    assert "status=sent" in world.log
    assert f"id={message_id}" in world.log


def test_the_null_reverse_path_is_written_as_such(make_world: MakeWorld) -> None:
    world = make_world({"example.net": "maildir"})
    message_id = world.add("user@example.net", mail_from="")
    world.deliver(lambda: world.spool.get(message_id) is None)
    assert world.mailboxes.drops[0].octets.startswith(b"Return-Path: <>\r\n")


def test_one_message_goes_several_ways_at_once(make_world: MakeWorld) -> None:
    world = make_world({"a.example": "maildir", "b.example": LMTP, "c.example": "discard"})
    hop = FakeHop()
    world.hops[LMTP] = [hop]
    message_id = world.add("u@a.example", "v@b.example", "w@c.example", "x@b.example")
    world.deliver(lambda: world.spool.get(message_id) is None)
    assert [drop.address for drop in world.mailboxes.drops] == ["u@a.example"]
    ((envelope, raw),) = hop.sent
    assert [r.address for r in envelope.recipients] == ["v@b.example", "x@b.example"]
    assert raw == RAW


def test_the_journal_is_told_of_each_attempt(make_world: MakeWorld) -> None:
    world = make_world({"example.net": LMTP})
    world.hops[LMTP] = [FakeHop(replies((250, "2.0.0 ok"), (550, "5.1.1 nobody")))]
    message_id = world.add("ok@example.net", "no@example.net")
    world.deliver(lambda: len(world.notes) == 2)
    assert [(n.id, n.rcpt_to, n.status, n.code, n.relay) for n in world.notes] == [
        (message_id, "ok@example.net", "sent", "2.0.0", FakeHop.label),
        (message_id, "no@example.net", "bounced", "5.1.1", FakeHop.label),
    ]


def test_each_recipient_has_its_own_end(make_world: MakeWorld) -> None:
    world = make_world({"example.net": LMTP})
    world.hops[LMTP] = [FakeHop(replies((250, "2.0.0 ok"), (450, "4.2.2 full"), (550, "5.1.1 nobody")))]
    message_id = world.add("ok@example.net", "later@example.net", "no@example.net")
    world.deliver(lambda: len(world.log.splitlines()) == 3)
    kept = world.spool.get(message_id)
    assert kept is not None
    assert [r.state for r in kept.recipients] == [State.DELIVERED, State.QUEUED, State.FAILED]
    assert kept.recipients[1].last_reply == "4.2.2 450 4.2.2 full"
    assert kept.recipients[1].next_try == START + 60
    assert [(entry.recipient.address, entry.tell) for entry in world.reports.told] == [("no@example.net", Tell.FAILED)]


def test_deferred_mail_is_tried_again_when_its_time_has_come(make_world: MakeWorld) -> None:
    world = make_world({"example.net": "maildir"})
    world.mailboxes.broken = {"user@example.net"}
    message_id = world.add("user@example.net")
    world.deliver(lambda: "status=deferred" in world.log)
    world.mailboxes.broken = set()
    world.clock.now += 59
    world.deliver(lambda: True)
    assert world.spool.get(message_id) is not None
    world.clock.now += 2
    world.deliver(lambda: world.spool.get(message_id) is None)
    assert len(world.mailboxes.drops) == 1


def test_what_cannot_be_delivered_for_days_is_given_up(make_world: MakeWorld) -> None:
    world = make_world({"example.net": "maildir"})
    world.mailboxes.broken = {"user@example.net"}
    message_id = world.add("user@example.net")
    world.clock.now += 5 * DAY
    world.deliver(lambda: world.spool.get(message_id) is None)
    (entry,) = world.reports.told
    assert (entry.tell, entry.result.code) == (Tell.FAILED, "4.4.7")
    assert "status=bounced" in world.log


def test_a_sender_who_is_not_proven_is_not_told_and_the_mail_is_kept(make_world: MakeWorld) -> None:
    world = make_world({"example.net": SMTP})
    world.hops[SMTP] = [FakeHop(replies((550, "5.1.1 nobody")))]
    message_id = world.add("user@example.net", proven=False)
    world.deliver(lambda: "status=bounced" in world.log)
    kept = world.spool.get(message_id)
    assert kept is not None
    assert kept.recipients[0].state is State.QUARANTINED
    assert [entry.tell for entry in world.reports.told] == [Tell.POSTMASTER]


def test_a_report_that_fails_is_never_reported(make_world: MakeWorld) -> None:
    world = make_world({"example.net": SMTP})
    world.hops[SMTP] = [FakeHop(replies((550, "5.1.1 nobody")))]
    message_id = world.add("user@example.net", mail_from="")
    world.deliver(lambda: "status=bounced" in world.log)
    assert world.reports.told == []
    kept = world.spool.get(message_id)
    assert kept is not None
    assert kept.recipients[0].state is State.QUARANTINED


@pytest.mark.parametrize(
    ("notify", "code", "tell"),
    [
        ((), 550, Tell.FAILED),
        (("NEVER",), 550, None),
        (("SUCCESS",), 550, None),
        (("FAILURE", "DELAY"), 550, Tell.FAILED),
        ((), 250, None),
        (("SUCCESS",), 250, Tell.DELIVERED),
    ],
)
def test_who_is_told_is_the_senders_wish(
    make_world: MakeWorld, notify: tuple[str, ...], code: int, tell: Tell | None
) -> None:
    world = make_world({"example.net": LMTP})
    world.hops[LMTP] = [FakeHop(replies((code, f"{code // 100}.0.0 said")))]
    message_id = world.add("user@example.net", notify=notify)
    world.deliver(lambda: world.spool.get(message_id) is None)
    assert [entry.tell for entry in world.reports.told] == ([tell] if tell else [])


def test_a_hop_that_knows_dsn_tells_by_itself_and_one_that_does_not_is_spoken_for(make_world: MakeWorld) -> None:
    for keywords, tells in ((FULL, []), ({}, [Tell.RELAYED])):
        world = make_world({"example.net": SMTP})
        hop = FakeHop(keywords=dict(keywords))
        world.hops[SMTP] = [hop]
        message_id = world.add("user@example.net", notify=("SUCCESS",), envid="abc", ret="HDRS")
        world.deliver(lambda w=world, m=message_id: w.spool.get(m) is None)
        assert [entry.tell for entry in world.reports.told] == tells
        (envelope, _), *_ = hop.sent
        assert envelope.recipients[0].notify == (("SUCCESS",) if keywords else ())
        assert envelope.envid == ("abc" if keywords else None)


def test_a_delay_is_told_once_and_only_if_asked_for(make_world: MakeWorld) -> None:
    for notify, count in ((("DELAY",), 1), ((), 0)):
        world = make_world({"example.net": "maildir"})
        world.mailboxes.broken = {"user@example.net"}
        world.add("user@example.net", notify=notify)
        for hours in (0, 3, 2, 2, 2):
            world.clock.now += hours * HOUR
            before = world.log.count("deferred")
            world.deliver(lambda w=world, b=before: w.log.count("deferred") > b)
        assert [entry.tell for entry in world.reports.told] == [Tell.DELAYED] * count


def test_a_hop_that_hangs_stops_nobody_else(make_world: MakeWorld) -> None:
    class Hanging(FakeHop):
        async def send(self, envelope: Envelope, raw: bytes) -> Sequence[HopReply]:
            await asyncio.sleep(3600)
            raise AssertionError

    world = make_world({"slow.example": SMTP, "fast.example": LMTP, "box.example": "maildir"})
    world.hops[SMTP] = [Hanging()]
    world.hops[LMTP] = [FakeHop()]
    stuck = [world.add("user@slow.example") for _ in range(30)]
    quick = [world.add("user@fast.example"), world.add("user@box.example")]
    world.deliver(lambda: all(world.spool.get(i) is None for i in quick))
    assert all(world.spool.get(i) is not None for i in stuck)


def test_mail_beyond_what_may_wait_for_a_hop_stays_on_disk(make_world: MakeWorld) -> None:
    class Hanging(FakeHop):
        async def send(self, envelope: Envelope, raw: bytes) -> Sequence[HopReply]:
            await asyncio.sleep(3600)
            raise AssertionError

    settings = DeliverySettings(waiting_per_hop=5, connections_per_hop=2, jitter=0.0)
    world = make_world({"slow.example": SMTP}, settings=settings)
    world.hops[SMTP] = [Hanging()]
    ids = [world.add("user@slow.example") for _ in range(20)]

    def postponed() -> int:
        found = [world.spool.get(i) for i in ids]
        return sum(1 for s in found if s is not None and s.recipients[0].next_try > START)

    world.deliver(lambda: postponed() >= 13)
    assert all(s is not None and s.recipients[0].attempts == 0 for s in map(world.spool.get, ids))


def test_a_dead_hop_is_not_called_for_every_message_and_less_often_the_longer_it_is_dead(make_world: MakeWorld) -> None:
    settings = DeliverySettings(connections_per_hop=1, jitter=0.0, hop_pause=30.0)
    world = make_world({"example.net": SMTP}, settings=settings)
    world.hops[SMTP] = [HopFailed("4.4.1", "connection refused")]
    calls = []

    async def main() -> None:
        stop, wake = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(world.agent().run(stop, wake, 1.0))
        for later in (0, 29, 2, 31, 30):  # pauses of 30 and 60 seconds
            world.clock.now += later
            before = world.log.count("status=deferred")
            for _ in range(5):
                world.add("user@example.net")
            while world.log.count("status=deferred") < before + 5:
                await asyncio.sleep(0.01)
            calls.append(len(world.connections))
        stop.set()
        await task

    asyncio.run(asyncio.wait_for(main(), 20))
    assert calls == [1, 1, 2, 2, 3]
    assert "connection refused" in world.log


def test_what_was_not_begun_is_given_back_when_told_to_stop(make_world: MakeWorld) -> None:
    class Slow(FakeHop):
        async def send(self, envelope: Envelope, raw: bytes) -> Sequence[HopReply]:
            await asyncio.sleep(0.3)
            return await super().send(envelope, raw)

    settings = DeliverySettings(connections_per_hop=1, jitter=0.0)
    world = make_world({"example.net": SMTP}, settings=settings)
    hop = Slow()
    world.hops[SMTP] = [hop]
    ids = [world.add("user@example.net") for _ in range(5)]
    world.deliver(lambda: bool(world.connections))
    assert len(hop.sent) == 1  # what was under way is finished, the rest is not begun
    assert [i for i in ids if world.spool.get(i) is not None] == ids[1:]
    assert [spooled.id for spooled in world.spool.due(world.clock.now)] == ids[1:]


def test_junk_goes_to_the_junk_folder(make_world: MakeWorld) -> None:
    world = make_world({"example.net": "maildir"})
    world.add("user@example.net", junk=True)
    world.add("user@example.net")
    world.deliver(lambda: len(world.mailboxes.drops) == 2)
    assert sorted(drop.junk for drop in world.mailboxes.drops) == [False, True]


def test_without_a_way_to_the_sender_the_mail_is_kept(make_world: MakeWorld) -> None:
    world = make_world({"example.net": SMTP})
    world.reports.can = False
    world.hops[SMTP] = [FakeHop(replies((550, "5.1.1 nobody")))]
    message_id = world.add("user@example.net")
    world.deliver(lambda: "status=bounced" in world.log)
    kept = world.spool.get(message_id)
    assert kept is not None
    assert kept.recipients[0].state is State.QUARANTINED


def test_a_report_goes_through_the_spool_like_any_mail(make_world: MakeWorld) -> None:
    world = make_world({"example.net": SMTP, "example.org": "maildir"})
    world.hops[SMTP] = [FakeHop(replies((550, "5.1.1 nobody")))]
    world.reports = Notices(
        hostname="mx.example.net",
        postmaster="",
        settings=world.settings,
        resolve=lambda address: (address,),
        next_id=world.shard.next_id,
    )
    world.add("user@example.net")
    world.deliver(lambda: bool(world.mailboxes.drops))
    (drop,) = world.mailboxes.drops
    assert drop.address == "a@example.org"
    assert b"Status: 5.1.1" in drop.octets


def test_a_report_that_cannot_be_written_stops_nothing(make_world: MakeWorld) -> None:
    class Unwritable(FakeReports):
        def compose(self, *arguments: object) -> list[NewMessage]:
            raise InputError("To", "x", "no such field")

    world = make_world({"example.net": SMTP})
    world.reports = Unwritable()
    world.hops[SMTP] = [FakeHop(replies((550, "5.1.1 nobody")))]
    message_id = world.add("user@example.net")
    world.deliver(lambda: world.spool.get(message_id) is None)
    assert "report-not-written" in world.log


def test_what_a_host_says_at_its_door_fails_no_message_for_good(make_world: MakeWorld) -> None:
    world = make_world({"example.net": SMTP})
    world.hops[SMTP] = [HopRefused(554, "go away")]
    message_id = world.add("user@example.net")
    world.deliver(lambda: "status=deferred" in world.log)
    assert world.spool.get(message_id) is not None


def test_a_connection_serves_several_messages_and_is_renewed_after_its_share(make_world: MakeWorld) -> None:
    settings = DeliverySettings(connections_per_hop=1, messages_per_connection=4, jitter=0.0, connection_idle=0.05)
    world = make_world({"example.net": SMTP}, settings=settings)
    world.hops[SMTP] = [FakeHop(), FakeHop(), FakeHop()]
    for _ in range(10):
        world.add("user@example.net")
    world.deliver(lambda: world.log.count("status=sent") == 10)
    assert len(world.connections) == 3


def test_a_connection_that_ended_while_idle_is_replaced_at_once(make_world: MakeWorld) -> None:
    def gone(envelope: Envelope) -> Sequence[HopReply]:
        raise HopFailed("4.4.2", "closed", fresh=False)

    world = make_world({"example.net": SMTP})
    world.hops[SMTP] = [FakeHop(gone), FakeHop()]
    message_id = world.add("user@example.net")
    world.deliver(lambda: world.spool.get(message_id) is None)
    assert len(world.connections) == 2
    assert "deferred" not in world.log


def test_mail_in_circles_is_given_up(make_world: MakeWorld) -> None:
    for route in ("maildir", SMTP):
        world = make_world({"example.net": route})
        world.hops[SMTP] = [FakeHop()]
        world.add("user@example.net", raw=b"X-Loop: yes\r\n" + RAW)
        world.deliver(lambda w=world: "status=bounced" in w.log)
        assert "dsn=5.4.6" in world.log


def test_mail_that_was_in_the_mailbox_before_is_given_up_for_that_one_only(make_world: MakeWorld) -> None:
    world = make_world({"example.net": "maildir"})
    world.add("user@example.net", "other@example.net", raw=b"Delivered-To: user@example.net\r\n" + RAW)
    world.deliver(lambda: world.log.count("status=") == 2)
    assert [drop.address for drop in world.mailboxes.drops] == ["other@example.net"]
    assert "dsn=5.4.6" in world.log


def test_mail_for_a_domain_without_a_route_waits(make_world: MakeWorld) -> None:
    world = make_world({"example.net": "maildir"})
    message_id = world.add("user@example.com")
    world.deliver(lambda: "dsn=4.4.4" in world.log)
    assert world.spool.get(message_id) is not None


def test_a_mistake_in_a_lane_defers_the_message_and_does_not_end_the_agent(make_world: MakeWorld) -> None:
    class Broken(FakeMailboxes):
        def deliver(self, drops: object) -> Sequence[None]:
            raise RuntimeError("bug")

    world = make_world({"example.net": "maildir", "hop.example": SMTP})
    world.mailboxes = Broken()

    def bug(envelope: Envelope) -> Sequence[HopReply]:
        raise KeyError("bug")

    world.hops[SMTP] = [FakeHop(bug)]
    world.add("user@example.net")
    world.add("user@hop.example")
    world.deliver(lambda: world.log.count("status=deferred") == 2)
