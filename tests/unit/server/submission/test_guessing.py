"""Guessing: one address with many passwords, many addresses at one account, one password at many accounts; and who is
not to suffer for it."""

from __future__ import annotations

import asyncio

from gatepost.server.door.rates import HOUR, RateTable
from gatepost.server.submission.guessing import Attempt, Block, Guessing
from gatepost.server.submission.login_settings import GuessingSettings

ANN, BOB = "ann@example.net", "bob@example.net"
LIMITS = GuessingSettings(address_failures=5, network_failures=20, account_failures=10, password_accounts=3)


class Clock:
    def __init__(self) -> None:
        self.now = 100 * HOUR + 1.0

    def __call__(self) -> float:
        return self.now


class World:
    """Two workers, one clock; Ann logged in from 198.51.100.0/24 before."""

    def __init__(self, settings: GuessingSettings = LIMITS) -> None:
        table, self.clock = RateTable(2), Clock()
        self.workers = [
            Guessing(
                settings, table.column(number), is_own=lambda ip: ip.startswith("10."), came_from=self._came_from,
                clock=self.clock,
            )
            for number in range(2)
        ]  # fmt: skip

    async def _came_from(self, account: str, network: str) -> bool:
        return (account, network) == (ANN, "198.51.100.0/24")

    def blocked(self, account: str, ip: str, password: str = "right one", worker: int = 0) -> Block | None:
        return asyncio.run(self.workers[worker].blocked(Attempt(account=account, ip=ip, password=password)))

    def fail(self, account: str, ip: str, password: str, worker: int = 0, *, checked: bool = True) -> tuple[float, str]:
        return self.workers[worker].failed(Attempt(account=account, ip=ip, password=password), checked=checked)


def test_one_address_is_slowed_more_and_more_and_then_banned() -> None:
    world = World()
    outcomes = [world.fail(ANN, "192.0.2.1", f"guess {n}", n % 2) for n in range(5)]
    assert [delay for delay, _ in outcomes] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert [ban for _, ban in outcomes] == ["", "", "", "", "5 failed logins within an hour"]
    assert world.fail(BOB, "192.0.2.2", "x") == (1.0, "")  # somebody else


def test_waiting_has_a_bound_and_an_hour_forgives() -> None:
    world = World(GuessingSettings(address_failures=0, max_delay=3.0))
    for n in range(10):
        world.fail(ANN, "192.0.2.1", f"guess {n}")
    assert world.fail(ANN, "192.0.2.1", "one more") == (3.0, "")
    world.clock.now += 2 * HOUR
    assert world.fail(ANN, "192.0.2.1", "later") == (1.0, "")


def test_an_old_password_in_a_telephone_is_no_guessing() -> None:
    world = World()
    for _ in range(50):
        _, ban = world.fail(ANN, "192.0.2.1", "the one of last year")
        assert ban == ""
    assert world.blocked(ANN, "203.0.113.1") is None
    world.clock.now += 2 * HOUR
    assert world.fail(ANN, "192.0.2.1", "the one of last year") == (1.0, "")


def test_a_network_whose_addresses_take_turns() -> None:
    world = World()
    for n in range(20):
        world.fail(f"user{n}@example.net", f"192.0.2.{n + 1}", f"guess {n}", n % 2)
    block = world.blocked(BOB, "192.0.2.200", worker=1)
    assert block is not None
    assert (block.check, block.subject) == ("guessing.network", "192.0.2.0/24")
    assert world.blocked(BOB, "203.0.113.1") is None


def test_an_ipv6_client_is_its_64() -> None:
    world = World()
    bans = [world.fail(ANN, f"2001:db8:1:2::{n}", f"guess {n}").ban for n in range(5)]
    assert bans[-1] != ""


def test_an_account_guessed_at_from_everywhere_lets_its_owner_in() -> None:
    world = World()
    for n in range(10):
        world.fail(ANN, f"203.0.{n}.1", f"guess {n}", n % 2)
    for worker in range(2):
        block = world.blocked(ANN, "192.0.2.1", worker=worker)
        assert block is not None
        assert (block.check, block.subject) == ("guessing.account", ANN)
        assert world.blocked(ANN, "198.51.100.77", worker=worker) is None  # where she logged in from before
        assert world.blocked(ANN, "10.1.2.3", worker=worker) is None  # an own network
        assert world.blocked(BOB, "192.0.2.1", worker=worker) is None
    world.clock.now += 2 * HOUR
    assert world.blocked(ANN, "192.0.2.1") is None


def test_scram_that_tells_no_password_is_counted_too() -> None:
    world = World()
    for n in range(10):
        world.fail(ANN, f"203.0.{n}.1", "")
    assert world.blocked(ANN, "192.0.2.1", "") is not None
    bans = [world.fail(BOB, "192.0.2.9", "").ban for _ in range(5)]
    assert bans[-1] != ""


def test_one_password_at_many_accounts() -> None:
    world = World()
    for n in range(3):
        world.fail(f"user{n}@example.net", f"203.0.{n}.1", "Summer2026!!", n % 2)
        world.fail(f"user{n}@example.net", f"203.0.{n}.2", "Summer2026!!", n % 2)  # the same pair counts once
    block = world.blocked(BOB, "192.0.2.1", "Summer2026!!")
    assert block is not None
    assert block.check == "guessing.password"
    assert "Summer" not in repr(block)
    assert world.blocked(BOB, "192.0.2.1", "another") is None
    assert world.blocked(ANN, "198.51.100.1", "Summer2026!!") is None
    assert world.blocked(BOB, "10.0.0.1", "Summer2026!!") is None


def test_what_was_blocked_taught_nobody_anything_but_counts_against_the_address() -> None:
    world = World()
    bans = [world.fail(BOB, "192.0.2.1", f"guess {n}", checked=False).ban for n in range(5)]
    assert bans[-1] != ""
    for n in range(20):
        world.fail(ANN, f"203.0.{n}.1", f"guess {n}", checked=False)
    assert world.blocked(ANN, "192.0.2.77") is None


def test_own_networks_are_not_touched_but_guess_at_accounts() -> None:
    world = World()
    for n in range(30):
        assert world.fail(ANN, "10.0.0.1", f"guess {n}") == (0.0, "")
    assert world.blocked(ANN, "10.0.0.1") is None
    assert world.blocked(ANN, "192.0.2.1") is not None


def test_off_is_off() -> None:
    world = World(GuessingSettings(mode="off"))
    for n in range(200):
        assert world.fail(ANN, "192.0.2.1", f"guess {n}") == (0.0, "")
    assert world.blocked(ANN, "192.0.2.1") is None


def test_passwords_are_not_kept() -> None:
    world = World()
    world.fail(ANN, "192.0.2.1", "hunter2-hunter2")
    assert "hunter2" not in repr(vars(world.workers[0]))
    assert "hunter2" not in repr(Attempt(account=ANN, ip="192.0.2.1", password="hunter2"))
