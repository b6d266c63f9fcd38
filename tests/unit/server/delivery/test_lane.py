"""Lanes: how many connections, what a full destination and a dead one lead to, what each message asks of TLS."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest
from world import RAW, FakeHop, World

from gatepost.message.header import parse_header
from gatepost.names import Envelope, Recipient
from gatepost.server.delivery.hop import Hop, HopFailed, HopRefused, HopReply, TlsWish, Undeliverable
from gatepost.server.delivery.requirements import tls_wish
from gatepost.server.delivery.routes import Route
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.store.spool import State

MakeWorld = Callable[..., World]
SMTP = "smtp:127.0.0.1:2525"


class Counting(FakeHop):
    """Counts the transactions that run at the same time."""

    running = 0
    most = 0

    async def send(self, envelope: Envelope, raw: bytes) -> Sequence[HopReply]:
        kind = type(self)
        kind.running += 1
        kind.most = max(kind.most, kind.running)
        await asyncio.sleep(0.01)
        kind.running -= 1
        return await super().send(envelope, raw)


@pytest.fixture(autouse=True)
def _fresh_count() -> None:
    Counting.running = Counting.most = 0


def test_connections_grow_with_success_up_to_the_limit(make_world: MakeWorld) -> None:
    world = make_world({"example.net": SMTP}, settings=DeliverySettings(connections_per_hop=8, connection_idle=0.05))
    world.hops[SMTP] = [Counting()]
    for _ in range(150):
        world.add("user@example.net")
    world.deliver(lambda: world.log.count("status=sent") == 150, 10)
    assert Counting.most == 8
    assert len(world.connections) <= 12


def test_a_connection_too_many_is_no_reason_to_defer(make_world: MakeWorld) -> None:
    class Full(World):
        open_now = 0

        async def connect(self, route: Route, wish: TlsWish = TlsWish.USUAL, *, demanded: bool = False) -> Hop:  # type: ignore[override]
            self.connections.append(str(route))
            if self.open_now >= 2:
                raise HopRefused(421, "too many connections")
            self.open_now += 1
            return Counting()

    world = make_world({"example.net": SMTP})
    world.__class__ = Full
    for _ in range(40):
        world.add("user@example.net")
    world.deliver(lambda: world.log.count("status=sent") == 40, 10)
    assert "deferred" not in world.log
    assert Counting.most == 2
    assert len(world.connections) < 30


def test_all_lanes_together_keep_to_the_total(make_world: MakeWorld) -> None:
    domains = {f"d{n}.example": f"smtp:127.0.0.{n}:25" for n in range(1, 21)}
    settings = DeliverySettings(connections=4, connection_idle=5.0)  # idle ones must give way
    world = make_world(domains, settings=settings)
    for route in domains.values():
        world.hops[route] = [Counting()]
    for domain in domains:
        for _ in range(3):
            world.add(f"user@{domain}")
    world.deliver(lambda: world.log.count("status=sent") == 60, 10)
    assert Counting.most <= 4


def test_dead_destinations_leave_room_for_those_that_live(make_world: MakeWorld) -> None:
    class Dead(World):
        async def connect(self, route: Route, wish: TlsWish = TlsWish.USUAL, *, demanded: bool = False) -> Hop:  # type: ignore[override]
            if route.host.startswith("127.0.1."):
                await asyncio.sleep(3600)
            return Counting()

    dead = {f"dead{n}.example": f"smtp:127.0.1.{n}:25" for n in range(1, 4)}
    live = {f"live{n}.example": f"smtp:127.0.0.{n}:25" for n in range(1, 10)}
    world = make_world(dead | live, settings=DeliverySettings(connections=8, connection_idle=0.05))
    world.__class__ = Dead
    for domain in [*dead, *live] * 5:
        world.add(f"user@{domain}")
    world.deliver(lambda: world.log.count("status=sent") == 45, 10)
    assert world.log.count("status=sent") == 45


def test_lanes_without_work_are_forgotten(make_world: MakeWorld) -> None:
    domains = {f"d{n}.example": f"smtp:127.0.0.{n}:25" for n in range(1, 30)}
    world = make_world(domains)
    for route in domains.values():
        world.hops[route] = [FakeHop()]

    async def main() -> None:
        agent = world.agent()
        stop, wake = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(agent.run(stop, wake, 1.0))
        for domain in domains:
            world.add(f"user@{domain}")
        while world.log.count("status=sent") < len(domains):
            await asyncio.sleep(0.01)
        assert len(agent._lanes) == len(domains)
        await asyncio.sleep(0.1)
        world.clock.now += 60
        world.add("user@d1.example")
        while len(agent._lanes) > 1:
            await asyncio.sleep(0.01)
        stop.set()
        await task

    asyncio.run(asyncio.wait_for(main(), 10))
    assert world.slots.taken == 0
    assert world.slots.on_trial == 0


def test_what_can_never_be_delivered_bounces_and_holds_up_nothing(make_world: MakeWorld) -> None:
    world = make_world({"example.net": SMTP})
    world.hops[SMTP] = [Undeliverable("5.1.10", "example.net takes no mail (null MX)")]
    ids = [world.add("user@example.net") for _ in range(3)]
    world.deliver(lambda: all(world.spool.get(i) is None for i in ids))
    assert world.log.count("dsn=5.1.10") == 3


def test_an_administrator_gets_a_try_even_at_a_hop_that_is_down(make_world: MakeWorld) -> None:
    world = make_world({"example.net": SMTP})
    world.hops[SMTP] = [HopFailed("4.4.1", "refused"), FakeHop()]
    first = world.add("user@example.net")
    world.deliver(lambda: "status=deferred" in world.log)
    kept = world.spool.get(first)
    assert kept is not None
    assert kept.recipients[0].state is State.QUEUED


@pytest.mark.parametrize(
    ("fields", "requiretls", "wish"),
    [
        (b"", False, TlsWish.USUAL),
        (b"TLS-Required: No\r\n", False, TlsWish.WAIVED),
        (b"tls-required:  no \r\n", False, TlsWish.WAIVED),
        (b"TLS-Required: Yes\r\n", False, TlsWish.USUAL),
        (b"TLS-Required: No\r\nTLS-Required: No\r\n", False, TlsWish.USUAL),
        (b"TLS-Required: No\r\n", True, TlsWish.REQUIRED),
        (b"", True, TlsWish.REQUIRED),
    ],
)
def test_what_a_message_says_about_tls(fields: bytes, requiretls: bool, wish: TlsWish) -> None:
    envelope = Envelope(mail_from="", recipients=(Recipient(address="b@example.net"),), requiretls=requiretls)
    assert tls_wish(envelope, parse_header(fields + RAW)) is wish


def test_a_connection_made_for_less_tls_serves_nobody_who_wants_more(make_world: MakeWorld) -> None:
    world = make_world({"example.net": SMTP}, settings=DeliverySettings(connections_per_hop=1, connection_idle=0.3))
    world.hops[SMTP] = [FakeHop()]
    for raw in (b"TLS-Required: No\r\n" + RAW, RAW, RAW, b"TLS-Required: No\r\n" + RAW):
        world.add("user@example.net", raw=raw)
    world.deliver(lambda: world.log.count("status=sent") == 4)
    assert world.wishes == [TlsWish.WAIVED, TlsWish.USUAL]
