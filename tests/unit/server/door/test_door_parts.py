"""The parts of the door, each alone: HELO, networks, rates over workers, tarpit, bans, shared addresses, codes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from fakes import DictResolver
from gatepost.errors import InputError
from gatepost.message.message import parse_message
from gatepost.server.door.bans import BanBook, LiveBans
from gatepost.server.door.hello import wrong_hello
from gatepost.server.door.limits import Limits
from gatepost.server.door.lookups import look_up
from gatepost.server.door.networks import home_of
from gatepost.server.door.onetime import cannot_wait
from gatepost.server.door.rates import HOUR, MINUTE, RateTable
from gatepost.server.door.settings import BanSettings, RateSettings, TarpitSettings
from gatepost.server.door.shared import SharedAddresses
from gatepost.server.door.tarpit import Tarpit
from gatepost.store.bans import PARDON, Ban, Bans, parse_network
from gatepost.wire.smtp.replies import Reply

OURS = frozenset({"mx.gate.example", "gate.example"})
NOW = 1_790_000_000.0


@pytest.mark.parametrize(
    ("ehlo", "word"),
    [
        ("mail.sender.example", None),
        ("mail.gate.example", None),  # another host of our domain, elsewhere
        ("mx.gate.example", "ours"),
        ("GATE.example.", "ours"),
        ("localhost", "not-a-name"),
        ("192.0.2.1", "not-a-name"),
        ("[192.0.2.1]", None),
        ("[192.0.2.2]", "literal-differs"),
        ("[nonsense", "literal-differs"),
        ("[IPv6:2001:db8::1]", "literal-differs"),
    ],
)
def test_hello(ehlo: str, word: str | None) -> None:
    wrong = wrong_hello(ehlo, "192.0.2.1", OURS)
    assert (wrong.word if wrong is not None else None) == word
    assert len(wrong_hello("x" * 5000, "192.0.2.1", OURS).words) < 200  # type: ignore[union-attr]


def test_an_ipv6_client_is_its_64_and_its_site_a_48() -> None:
    assert home_of("2001:db8:1:2:3::4")[:2] == ("2001:db8:1:2::/64", "2001:db8:1::/48")
    assert home_of("192.0.2.77") == ("192.0.2.77/32", "192.0.2.0/24", False)
    assert home_of("172.17.0.1").private
    assert home_of("fd00::1").private


def test_rates_are_sums_over_workers_and_slide() -> None:
    table = RateTable(4)
    one, two = table.column(0), table.column(3)
    for _ in range(3):
        one.add(MINUTE, "k", "a", 1000.0)
        two.add(MINUTE, "k", "a", 1010.0)
    assert one.count(MINUTE, "k", "a", 1015.0) == two.count(MINUTE, "k", "a", 1015.0) == 6
    assert one.count(MINUTE, "k", "b", 1015.0) == 0
    assert one.count(MINUTE, "other", "a", 1015.0) == 0
    assert one.count(HOUR, "k", "a", 1015.0) == 0
    halfway = one.count(MINUTE, "k", "a", 1050.0)  # windows begin at 960, 1020, 1080 …
    assert 2.9 < halfway < 3.1
    two.add(MINUTE, "k", "a", 1050.0)
    assert 3.9 < one.count(MINUTE, "k", "a", 1050.0) < 4.1
    assert one.count(MINUTE, "k", "a", 1200.0) == 0
    with pytest.raises(IndexError):
        table.column(4)


def test_a_rate_is_never_too_low_however_many_there_are() -> None:
    rates = RateTable(1).column(0)
    for number in range(3000):
        rates.add(HOUR, "k", f"n{number}", 5000.0)
    counts = [rates.count(HOUR, "k", f"n{number}", 5000.0) for number in range(3000)]
    assert min(counts) >= 1
    assert sum(counts) < 1.3 * 3000


def test_limits_hold_over_two_workers_and_what_is_refused_does_not_count() -> None:
    table, clock = RateTable(2), [1000.0]
    settings = RateSettings(mode="on", connections=4, network_connections=6, sender_domain_messages=1)
    one, two = (Limits(settings, table.column(index), lambda: clock[0]) for index in (0, 1))
    assert [limits.connection("192.0.2.1") for limits in (one, two, one, two)] == [None] * 4
    over = two.connection("192.0.2.1")
    assert over is not None
    assert (over.check, over.subject) == ("rate.connections", "192.0.2.1/32")
    assert one.connection("192.0.2.2") is None
    assert one.connection("192.0.2.3") is None
    assert one.connection("192.0.2.4") is not None  # the network's limit: the refused fifth did not count
    assert one.message("192.0.2.1", "a.example") is None
    assert two.message("192.0.2.9", "a.example") is not None
    assert two.message("192.0.2.9", "") is None
    assert two.message("192.0.2.9", "") is None
    clock[0] += 121
    assert two.connection("192.0.2.1") is None


def test_the_tarpit_grows_and_is_bounded() -> None:
    tarpit = Tarpit(TarpitSettings(after=3, step=0.5, max_delay=2.0, max_held=1))
    assert [tarpit.delay(errors) for errors in (1, 3, 4, 5, 50)] == [0, 0, 0.5, 1.0, 2.0]

    async def both() -> None:
        reply = Reply(550, "no")
        held = asyncio.create_task(tarpit.hold(reply, 0.01))
        await asyncio.sleep(0)
        assert tarpit.full
        assert await held is reply
        held = asyncio.create_task(tarpit.hold(reply, 60))
        await asyncio.sleep(0)
        held.cancel()
        await asyncio.wait([held])
        assert not tarpit.full

    asyncio.run(both())


def test_a_ban_is_found_by_any_prefix_and_ends() -> None:
    book = BanBook(
        [
            Ban(network="192.0.2.0/24", reason="net", since=NOW, until=NOW + 10),
            Ban(network="198.51.100.7/32", reason="one", since=NOW),
            Ban(network="2001:db8::/64", reason="six", since=NOW),
        ]
    )
    found = {ip: book.find(ip, NOW) for ip in ("192.0.2.200", "198.51.100.7", "198.51.100.8", "2001:db8::9", "::2")}
    assert [ban.reason if ban else "" for ban in found.values()] == ["net", "one", "", "six", ""]
    assert book.find("192.0.2.200", NOW + 10) is None
    assert book.find("198.51.100.7", NOW + 1e9) is not None


def test_bans_are_kept_and_an_administrators_word_stands(tmp_path: Path) -> None:
    bans = Bans.open(tmp_path)
    mine = Ban(network="192.0.2.1/32", reason="mine", since=NOW, by_hand=True)
    assert bans.add(mine)
    assert not bans.add(Ban(network="192.0.2.1/32", reason="door", since=NOW, until=NOW + 60))
    door = Ban(network="192.0.2.2/32", reason="door \udc80" + "x" * 500, since=NOW, until=NOW + 60)
    assert bans.add(door)
    assert {ban.network for ban in bans.in_force(NOW)} == {"192.0.2.1/32", "192.0.2.2/32"}
    assert [ban.network for ban in bans.in_force(NOW + 61)] == ["192.0.2.1/32"]
    other = Bans.open(tmp_path)
    before = bans.changed()
    assert other.lift("192.0.2.2/32", NOW) == 1
    assert bans.changed() != before
    assert not bans.add(Ban(network="192.0.2.2/32", reason="again", since=NOW + 1, until=NOW + 60))  # lifted: pardoned
    assert bans.add(
        Ban(network="192.0.2.2/32", reason="again", since=NOW + PARDON + 1, until=NOW + PARDON + 60), max_bans=1
    )
    assert other.lift("192.0.2.2/32", NOW) == 1
    assert other.lift("192.0.2.2/32", NOW) == 0
    assert other.lift_all(NOW) == 1
    bans.close()
    other.close()


def test_the_doors_own_bans_are_bounded_and_those_by_hand_stay(tmp_path: Path) -> None:
    bans = Bans.open(tmp_path)
    bans.add(Ban(network="192.0.2.0/32", reason="mine", since=NOW, until=NOW + 1, by_hand=True))
    for number in range(1, 6):
        ban = Ban(network=f"192.0.2.{number}/32", reason="door", since=NOW, until=NOW + number * 10)
        bans.add(ban, max_bans=2)
    assert sorted(ban.network for ban in bans.in_force(NOW)) == ["192.0.2.0/32", "192.0.2.4/32", "192.0.2.5/32"]
    bans.close()


@pytest.mark.parametrize(
    ("text", "network"),
    [("192.0.2.1", "192.0.2.1/32"), ("192.0.2.9/24", "192.0.2.0/24"), ("2001:db8::5", "2001:db8::/64")],
)
def test_networks_as_people_write_them(text: str, network: str) -> None:
    assert str(parse_network("NETWORK", text)) == network


@pytest.mark.parametrize("text", ["", "mail.example", "192.0.2.0/33", "0.0.0.0/0", "10.0.0.0/7", "2000::/3"])
def test_networks_that_are_none_or_too_wide(text: str) -> None:
    with pytest.raises(InputError):
        parse_network("NETWORK", text)


def test_offences_earn_a_ban_once_unless_good_mail_comes_too(tmp_path: Path) -> None:
    rates, trouble = RateTable(2), []
    settings = BanSettings(mode="on", after=3, duration=60)
    live = [
        LiveBans(Bans.open(tmp_path), settings, rates.column(n), lambda doing, error: trouble.append(doing))
        for n in (0, 1)
    ]
    assert [live[n].offended("192.0.2.1", "x") for n in (0, 1)] == [None, None]
    ban = live[0].offended("192.0.2.1", "talked before the greeting")
    assert ban is not None
    assert (ban.network, round((ban.until or 0) - ban.since)) == ("192.0.2.1/32", 60)
    assert "3 offences" in ban.reason
    assert live[0].offended("192.0.2.1", "x") is None
    for _ in range(5):
        live[1].accepted("192.0.2.2")
    live[1].spare("192.0.2.3")
    for ip in ("192.0.2.2", "192.0.2.3"):
        assert [live[0].offended(ip, "x") for _ in range(5)] == [None] * 5

    async def enforce() -> None:
        told: list[Ban] = []
        live[0].put_in_force(ban, told.append)
        await live[0].close()
        assert told == [ban]
        assert live[0].find("192.0.2.1") is not None
        live[1].refresh()
        assert live[1].find("192.0.2.1") is not None
        await live[1].close()

    asyncio.run(enforce())
    assert not trouble


def test_bans_that_cannot_be_read_any_more_hold_on(tmp_path: Path) -> None:
    trouble: list[str] = []
    store = Bans.open(tmp_path)
    store.add(Ban(network="192.0.2.1/32", reason="x", since=NOW * 2, by_hand=True))
    live = LiveBans(store, BanSettings(), RateTable(1).column(0), lambda doing, error: trouble.append(doing))
    store.close()
    for _ in range(3):
        live.refresh()
    assert trouble == ["reading bans"]  # told once
    assert live.find("192.0.2.1") is not None


def test_a_shared_address_is_told_once_and_memory_is_bounded() -> None:
    shared = SharedAddresses(3)
    assert [shared.met("172.17.0.1", name, 0.0) for name in ("a", "b", "A", "c", "d")] == [
        False, False, False, True, False,
    ]  # fmt: skip
    assert not shared.met("172.17.0.1", "e", 4000.0)
    for number in range(300):
        shared.met(f"10.0.{number // 250}.{number % 250}", "x", 5000.0)
    assert len(shared._names) <= 64


@pytest.mark.parametrize(
    ("subject", "body", "waited_for"),
    [
        ("Your verification code is 123456", "", True),
        ("=?utf-8?q?Dein_Best=C3=A4tigungscode?=", "", True),
        ("Votre code de vérification", "", True),
        ("Tu código de verificación", "", True),
        ("Anmeldung", "Ihr Einmalpasswort lautet 4711.", True),
        ("Hello", "Use this magic link to sign in.", True),
        ("Dress code for Friday", "Code of conduct attached.", False),
        ("Invoice", "Please find the invoice.", False),
    ],
)
def test_mail_that_cannot_wait(subject: str, body: str, waited_for: bool) -> None:
    message = parse_message(f"Subject: {subject}\r\n\r\n{body}\r\n".encode())
    assert cannot_wait(message) is waited_for


def test_a_code_in_base64_is_read_too() -> None:
    raw = (
        b"Subject: Hi\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nWW91ciBzZWN1cml0eSBjb2RlOiAxMjM0\r\n--b--\r\n"
    )
    assert cannot_wait(parse_message(raw))


REVERSE = {
    "1.2.0.192.in-addr.arpa": {"PTR": "good.example"},
    "good.example": {"A": "192.0.2.1"},
    "2.2.0.192.in-addr.arpa": {"PTR": "liar.example"},
    "liar.example": {"A": "192.0.2.99"},
}


@pytest.mark.parametrize(
    ("ip", "words"), [("192.0.2.1", ""), ("192.0.2.2", "liar.example"), ("192.0.2.3", "no name"), ("192.0.2.4", "")]
)
def test_reverse_names(ip: str, words: str) -> None:
    resolver = DictResolver(REVERSE, tempfail=["4.2.0.192.in-addr.arpa"])  # no answer is no trouble
    found = asyncio.run(look_up(ip, resolver, None, 1.0))
    assert words in found.reverse
    assert bool(words) is bool(found.reverse)


def test_lists_that_hang_speak_against_nobody() -> None:
    async def hangs(ip: str) -> tuple[str, ...]:
        await asyncio.sleep(60)
        return ("list",)

    async def answers(ip: str) -> tuple[str, ...]:
        return ("one", "two")

    assert asyncio.run(look_up("192.0.2.1", None, hangs, 0.05)).listed == ()
    assert asyncio.run(look_up("192.0.2.1", None, answers, 1.0)).listed == ("one", "two")
