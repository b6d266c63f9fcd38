"""The door as the gate asks it: lists with other signs, greylisting before the message, what is off costs nothing."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fakes import DictResolver
from gatepost.config.load import parse_settings
from gatepost.errors import ConfigError
from gatepost.msgauth.dmarc import Alignment, DmarcResult, DmarcResultWord
from gatepost.names import Envelope, Recipient, Session
from gatepost.reputation import EntryKind, LocalEntry, Verdict
from gatepost.server.door.door import Door
from gatepost.server.door.parts import describe, make_parts
from gatepost.server.door.rates import RateTable
from gatepost.server.door.replies import BLOCKED
from gatepost.server.door.settings import BanSettings, DoorSettings, GreylistSettings, TarpitSettings
from gatepost.server.door.teller import Teller
from gatepost.server.logs import Log
from gatepost.server.metrics import Metric, MetricsTable
from gatepost.server.pipeline import replies
from gatepost.server.settings import DomainSettings, GateSettings
from gatepost.server.smtp.gatekeeper import Answer
from gatepost.server.smtp.settings import SmtpSettings
from gatepost.server.smtp.visit import Stats, Visit
from gatepost.store.watch import WouldHave
from gatepost.wire.smtp.replies import Reply
from judging import auth

ANN = Recipient(address="ann@gate.example")
ENVELOPE = Envelope(mail_from="joe@sender.example", recipients=(ANN,))
LISTS = {"192.0.2.1": ("one",), "192.0.2.2": ("one", "two")}
ZONE = {"sender.example": {"TXT": "v=spf1 ip4:192.0.2.0/24 -all"}}

OWN = {
    "192.0.2.66": LocalEntry(verdict=Verdict.BLOCK, kind=EntryKind.ADDRESS, value="192.0.2.66"),
    "192.0.2.67": LocalEntry(verdict=Verdict.BLOCK, kind=EntryKind.ADDRESS, value="192.0.2.67", action="tag"),
    "192.0.2.68": LocalEntry(verdict=Verdict.ALLOW, kind=EntryKind.ADDRESS, value="192.0.2.68"),
}


class World:
    """A door with its surroundings: rows for the report in `notes`, counters in `metrics`."""

    def __init__(self, folder: Path, door: DoorSettings, resolver: DictResolver | None = None) -> None:
        self.notes: list[WouldHave] = []
        self.metrics = MetricsTable(1)
        self.resolver = resolver or DictResolver(ZONE)
        self.asked: list[str] = []
        log = Log("error", fd=os.open(os.devnull, os.O_WRONLY))
        settings = GateSettings(hostname="mx.gate.example", domains={"gate.example": DomainSettings()}, door=door)
        self.parts = make_parts(
            settings,
            rates=RateTable(1).column(0),
            resolver=self.resolver,
            folder=folder,
            teller=Teller(log, self.metrics.column(0), self.notes.append),
            ask_lists=self._ask_lists,
            own_entry=OWN.get,
        )
        self.door = Door(self.parts)

    async def _ask_lists(self, ip: str) -> tuple[str, ...]:
        self.asked.append(ip)
        return LISTS.get(ip, ())

    async def visit(self, ip: str, ehlo: str = "mail.sender.example") -> tuple[Reply | None, Reply | None, Visit]:
        """The answers to the connection and to RCPT (None: welcome)."""
        visit = Visit("1", Session(client_ip=ip), SmtpSettings())
        greeted = await answered(self.door.connected(visit))
        if greeted is not None:
            return greeted, None, visit
        self.door.ehlo(visit, ehlo)
        visit.said_hello(ehlo, True)
        asked = await answered(self.door.mail(visit, ENVELOPE)) or await answered(
            self.door.recipient(visit, ENVELOPE, ANN)
        )
        return None, asked, visit


async def answered(answer: Answer) -> Reply | None:
    return answer if answer is None or isinstance(answer, Reply) else await answer


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def test_one_list_alone_refuses_nobody_two_do_and_one_with_another_sign(tmp_path: Path) -> None:
    async def body() -> None:
        world = World(tmp_path, DoorSettings(exempt=(), lists="on", hello="watch"))
        greeted, asked, visit = await world.visit("192.0.2.1")
        assert (greeted, asked, world.door.signs(visit)) == (None, None, ())
        greeted, _, _ = await world.visit("192.0.2.2")
        assert greeted is not None
        assert (greeted.code, greeted.enhanced) == (554, "5.7.1")
        greeted, asked, visit = await world.visit("192.0.2.1", ehlo="laptop")
        assert greeted is None
        assert asked is not None
        assert asked.code == 554
        assert [sign.check for sign in world.door.signs(visit)] == ["hello", "lists"]
        assert (await world.visit("192.0.2.3", ehlo="laptop"))[1] is None
        await world.door.close()

    run(body())


def test_lists_that_are_watched_only_tell(tmp_path: Path) -> None:
    async def body() -> None:
        world = World(tmp_path, DoorSettings(exempt=(), lists="watch"))
        greeted, asked, visit = await world.visit("192.0.2.2")
        assert (greeted, asked) == (None, None)
        assert [sign.check for sign in world.door.signs(visit)] == ["lists"]
        assert [(note.check, note.mode, note.action) for note in world.notes] == [("door.lists", "watch", "refuse")]
        assert "one, two" in world.notes[0].reason
        assert world.metrics.total(Metric.DOOR_WATCHED) == 1
        await world.door.close()

    run(body())


def test_the_exempt_are_not_even_looked_up(tmp_path: Path) -> None:
    async def body() -> None:
        strict = DoorSettings(exempt=("192.0.2.0/24",), lists="on", reverse_dns="on", hello="on", greet_delay=9)
        world = World(tmp_path, strict)
        assert (await world.visit("192.0.2.2", ehlo="x"))[:2] == (None, None)
        assert not world.asked
        assert not world.resolver.asked
        await world.door.close()

    run(body())


def test_who_leaves_during_a_look_up_leaves_nothing_behind(tmp_path: Path) -> None:
    async def body() -> None:
        world = World(tmp_path, DoorSettings(exempt=(), reverse_dns="on"))
        before = asyncio.all_tasks()
        visit = Visit("1", Session(client_ip="192.0.2.1"), SmtpSettings())
        assert world.door.connected(visit) is None
        world.door.closed(visit, Stats())
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == before
        await world.door.close()

    run(body())


def test_greylisting_before_the_message_knows_who_was_proven(tmp_path: Path) -> None:
    async def body() -> None:
        grey = GreylistSettings(mode="on", at="rcpt", delay=60)
        world = World(tmp_path, DoorSettings(exempt=(), greylist=grey))
        _, asked, visit = await world.visit("192.0.2.1")
        assert asked is not None
        assert (asked.code, asked.enhanced) == (451, "4.7.1")
        proof = auth(
            dmarc=DmarcResult(
                result=DmarcResultWord.PASS, author_domain="sender.example", alignment=Alignment(spf=True, dkim=False)
            )
        )
        assert await world.door.delayed(visit, ENVELOPE, None, proof) is None  # type: ignore[arg-type]
        assert (await world.visit("192.0.2.200"))[1] is None  # known, and SPF says it is he
        assert (await world.visit("198.51.100.1"))[1] is not None  # known, but anybody can write a name
        await world.door.close()

    run(body())


def test_a_store_that_fails_delays_nobody(tmp_path: Path) -> None:
    async def body() -> None:
        grey = GreylistSettings(mode="on", at="rcpt", delay=60)
        world = World(tmp_path, DoorSettings(exempt=(), greylist=grey))
        assert world.parts.greylisting is not None
        world.parts.greylisting.close()
        assert (await world.visit("192.0.2.1"))[1] is None
        await world.parts.bans.close()

    run(body())


def test_what_is_off_is_not_there_and_costs_little(tmp_path: Path) -> None:
    off = DoorSettings(
        exempt=(),
        hello="off",
        pipelining="off",
        tarpit=TarpitSettings(mode="off"),
        bans=BanSettings(mode="off"),
    )
    world = World(tmp_path, off)
    parts = world.parts
    assert (parts.limits, parts.greylisting, parts.resolver, parts.ask_lists) == (None, None, None, None)

    async def body() -> None:
        greeted, asked, visit = await world.visit("192.0.2.2", ehlo="laptop")
        assert (greeted, asked, world.door.signs(visit)) == (None, None, ())
        refused = Reply(550, "no")
        visit.stats.errors = 50
        assert world.door.offences.refused_recipient(visit, refused) is refused
        await world.door.close()

    run(body())
    assert not world.notes


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("[relay]\ngreet_delay = 1.0\n", "is now door.greet_delay"),
        ("[door]\nhello = 'maybe'\n", "door.hello"),
        ("[door]\ngreet_delay = 301.0\n", "from 0 to 300"),
        ("[door.tarpit]\nmax_delay = -1.0\n", "door.tarpit.max_delay"),
        ("[door.bans]\nafter = 0\n", "door.bans.after"),
        ("[door]\ngreet_dealy = 1.0\n", "greet_delay"),
    ],
)
def test_options_that_will_not_do(text: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        parse_settings(text, Path("/"))


def test_the_check_before_the_start_says_which_checks_are_on_and_what_is_exempt() -> None:
    door = DoorSettings(exempt=("127.0.0.0/8", "192.0.2.0/24", "172.16.0.0/12"), hello="on")
    words = describe(GateSettings(door=door))
    assert words.startswith("on: HELO, tarpit; watch: pipelining, bans; off: early talk, reverse names")
    assert words.endswith("may hide strangers there: 172.16.0.0/12")


def test_ended_bans_do_not_hold_though_nobody_looked_again(tmp_path: Path) -> None:
    async def body() -> None:
        world = World(tmp_path, DoorSettings(exempt=(), bans=BanSettings(mode="on", after=1, duration=1)))
        _, _, visit = await world.visit("192.0.2.7")
        world.door.offences.refused_message(visit)
        for _ in range(200):
            if (await world.visit("192.0.2.7"))[0] is not None:
                break
            await asyncio.sleep(0.01)
        else:
            pytest.fail("no ban")
        ban = world.parts.bans.find("192.0.2.7")
        assert ban is not None
        assert ban.until is not None
        await asyncio.sleep(max(0.0, ban.until - time.time()) + 0.01)
        assert (await world.visit("192.0.2.7"))[0] is None
        await world.door.close()

    run(body())


def test_only_guessed_recipients_and_relaying_are_offences(tmp_path: Path) -> None:
    async def body() -> None:
        world = World(tmp_path, DoorSettings(exempt=(), bans=BanSettings(mode="watch", after=2)))
        _, _, visit = await world.visit("192.0.2.8")
        for reply in (replies.NEED_TLS, replies.NO_SMTPUTF8, replies.ASK_LATER) * 3:
            world.door.offences.refused_recipient(visit, reply)
        assert not world.notes
        for reply in (replies.UNKNOWN, replies.RELAY_DENIED):
            world.door.offences.refused_recipient(visit, reply)
        assert [(note.check, note.mode, note.action) for note in world.notes] == [("door.ban", "watch", "ban")]
        await world.door.close()

    run(body())


def test_another_connection_of_the_same_sort_is_told_again_but_one_only_once(tmp_path: Path) -> None:
    async def body() -> None:
        world = World(tmp_path, DoorSettings(exempt=(), hello="on"))
        _, asked, visit = await world.visit("192.0.2.9", ehlo="laptop")
        assert asked is not None
        again = replace(ANN, address="bob@gate.example")
        assert world.door.recipient(visit, ENVELOPE, again) is asked
        assert [note.check for note in world.notes] == ["door.hello"]
        visit.said_hello("mail.sender.example", True)  # he mends it
        assert world.door.recipient(visit, ENVELOPE, again) is None
        await world.door.close()

    run(body())


def test_own_entries_for_addresses_hold_at_the_door(tmp_path: Path) -> None:
    async def body() -> None:
        world = World(tmp_path, DoorSettings(exempt=(), hello="on"))
        greeted, asked, _ = await world.visit("192.0.2.66")
        assert greeted is None
        assert asked == BLOCKED
        assert [note.check for note in world.notes] == ["door.own-list"]
        assert (await world.visit("192.0.2.67"))[1] is None, "a block that only tags waits for the message"
        assert (await world.visit("192.0.2.3", ehlo="laptop"))[1] is not None
        assert (await world.visit("192.0.2.68", ehlo="laptop"))[1] is None, "an allowed address is spared the checks"
        await world.door.close()

    run(body())


def test_who_is_blocked_can_still_write_to_postmaster(tmp_path: Path) -> None:
    async def body() -> None:
        world = World(tmp_path, DoorSettings(exempt=()))
        _, _, visit = await world.visit("192.0.2.66")
        postmaster = Recipient(address="postmaster@gate.example")
        assert await answered(world.door.recipient(visit, ENVELOPE, postmaster)) is None
        await world.door.close()

    run(body())
