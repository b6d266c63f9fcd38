"""Records are published to a real Knot by dynamic update with TSIG: read, added, replaced, deleted, undone; and each
way in which a server says no comes out in plain words."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from knot import Knot
from neighbour import free_port, tool

from gatepost.errors import ConfigError, InputError
from gatepost.net.publish import DnsPublisher, PublishSettings
from gatepost.ports import DnsStatus
from gatepost.ports.publisher import Action, Change, Outcome, Published, Standing, undo

pytestmark = pytest.mark.neighbour("knotd")
ZONES = {
    "example.org": 'www 60 IN TXT "old"\nsub.example.org. 60 IN NS ns.elsewhere.test.\n',
    "zwei.example": "",
}


@pytest.fixture(scope="module")
def knot(report_missing) -> Iterator[Knot]:
    program = tool.found("knotd")
    if program is None:
        report_missing("the program knotd")
    server = Knot(str(program), ZONES | {"fest.example": ""}, rights="update-type: [TXT, TLSA]")
    yield server
    server.stop()


def settings(knot: Knot, **more: object) -> PublishSettings:
    usual = {"server": f"127.0.0.1:{knot.port}", "key_name": "gate-key", "key_file": str(knot.key_file)}
    return PublishSettings(**(usual | more))


def publish(knot: Knot, *changes: Change, **more: object) -> tuple[Published, ...]:
    return asyncio.run(DnsPublisher(settings(knot, **more)).publish(changes))


def read(knot: Knot, name: str, rtype: str, **more: object) -> Standing:
    return asyncio.run(DnsPublisher(settings(knot, **more)).read(name, rtype))


def put(name: str, *records: str, rtype: str = "TXT", action: Action = Action.REPLACE, **more: object) -> Change:
    return Change(action=action, name=name, rtype=rtype, records=records, ttl=30, **more)


def test_records_are_added_replaced_deleted_and_brought_back(knot: Knot) -> None:
    name = "_mta-sts.example.org"
    assert read(knot, name, "TXT").status is DnsStatus.NXDOMAIN
    first = put(name, '"v=STSv1; id=1;"')
    assert [one.outcome for one in publish(knot, first)] == [Outcome.DONE]
    assert knot.shows(name, "TXT") == ['"v=STSv1; id=1;"']
    assert publish(knot, put(name, '"more"', action=Action.ADD))[0].outcome is Outcome.DONE
    assert read(knot, name, "TXT").records == ('"more"', '"v=STSv1; id=1;"')
    before = read(knot, name, "TXT")
    assert (before.zone, before.ttl) == ("example.org", 30)
    assert publish(knot, put(name, '"more"', action=Action.DELETE))[0].outcome is Outcome.DONE
    assert knot.shows(name, "TXT") == ['"v=STSv1; id=1;"']
    deleted = put(name, action=Action.DELETE)
    assert publish(knot, deleted)[0].outcome is Outcome.DONE
    assert knot.shows(name, "TXT") == []
    assert publish(knot, undo(deleted, before))[0].outcome is Outcome.DONE
    assert read(knot, name, "TXT") == before


def test_one_zone_changes_whole_or_not_at_all_and_zones_are_found(knot: Knot) -> None:
    good, bad = put("a.zwei.example", '"1"'), put("b.zwei.example", "192.0.2.1", rtype="A")
    results = publish(knot, good, put("c.example.org", '"1"'), bad)
    assert [(one.zone, one.outcome) for one in results] == [
        ("zwei.example", Outcome.REFUSED),  # the key may not change addresses
        ("example.org", Outcome.DONE),
    ]
    assert "may not do this" in results[0].reason
    assert knot.shows("a.zwei.example", "TXT") == []
    assert knot.shows("c.example.org", "TXT") == ['"1"']


def test_what_somebody_else_published_meanwhile_is_not_lost(knot: Knot) -> None:
    name = "guarded.example.org"
    assert publish(knot, put(name, '"theirs"'))[0].outcome is Outcome.DONE
    for expected in ((), ('"old"',)):
        (result,) = publish(knot, put(name, '"ours"', expected=expected))
        assert result.outcome is Outcome.CONFLICT, expected
    assert knot.shows(name, "TXT") == ['"theirs"']
    assert publish(knot, put(name, '"ours"', expected=('"theirs"',)))[0].outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("more", "name", "says"),
    [
        ({"key_name": "other"}, "a.example.org", "BADKEY"),
        ({"algorithm": "hmac-sha512"}, "a.example.org", "BADKEY"),
        ({"zones": ("fest.example",)}, "a.example.org", "none of publish.zones"),
        ({}, "a.nowhere.test", "no such zone"),
        ({}, "x.sub.example.org", "no zone"),
    ],
)
def test_a_no_is_told_in_plain_words(knot: Knot, more: dict[str, object], name: str, says: str) -> None:
    (result,) = publish(knot, put(name, '"1"'), **more)
    assert result.outcome is Outcome.REFUSED
    assert says in result.reason
    standing = read(knot, name, "TXT", **more)
    assert standing.status is DnsStatus.TEMPFAIL
    assert standing.reason


def test_an_answer_that_nobody_signed_is_not_believed(knot: Knot) -> None:
    (result,) = publish(knot, put("a.nowhere.test", '"1"'), zones=("nowhere.test",))
    assert (result.outcome, "nobody signed" in result.reason) == (Outcome.UNKNOWN, True)


def test_a_wrong_secret_and_a_wrong_clock(knot: Knot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = tmp_path / "key"
    wrong.write_text("c2VjcmV0IHNlY3JldCBzZWNyZXQ=\n")
    wrong.chmod(0o600)
    (result,) = publish(knot, put("a.example.org", '"1"'), key_file=str(wrong))
    assert (result.outcome, "BADSIG" in result.reason) == (Outcome.REFUSED, True)
    import dns.message

    monkeypatch.setattr(dns.message.time, "time", lambda: 1.7e9)  # what the server sees is an old signature
    (result,) = publish(knot, put("a.example.org", '"1"'))
    assert (result.outcome, "BADTIME" in result.reason) == (Outcome.REFUSED, True)


def test_a_server_that_is_not_there_or_says_nothing(knot: Knot) -> None:
    (result,) = publish(knot, put("a.example.org", '"1"'), server=f"127.0.0.1:{free_port()}")
    assert (result.outcome, "nobody listens" in result.reason) == (Outcome.REFUSED, True)

    async def mute() -> Published:
        server = await asyncio.start_server(lambda reader, writer: reader.read(), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        there = settings(knot, server=f"127.0.0.1:{port}", zones=("example.org",), timeout=0.3)
        (found,) = await DnsPublisher(there).publish([put("a.example.org", '"1"')])
        server.close()
        return found

    result = asyncio.run(mute())
    assert (result.outcome, "no answer" in result.reason) == (Outcome.UNKNOWN, True)


def test_a_server_that_answers_nonsense_is_not_believed(knot: Knot) -> None:
    dice = random.Random(1)
    answers = [
        lambda question: dice.randbytes(dice.randrange(60)),
        lambda question: bytes(octet if dice.random() > 0.05 else dice.randrange(256) for octet in question),
        lambda question: question[:2] + bytes([0xA8, dice.randrange(16)]) + question[4:],
        lambda question: question[:2] + b"\x84\x00" + question[4 : dice.randrange(4, len(question))],
    ]

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        question = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        octets = dice.choice(answers)(question)
        writer.write(len(octets).to_bytes(2, "big") + octets)
        writer.close()

    async def ask() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        there = DnsPublisher(settings(knot, server=f"127.0.0.1:{port}", zones=("example.org",), timeout=5.0))
        for _ in range(60):
            (result,) = await there.publish([put("a.example.org", '"1"')])
            assert result.outcome in (Outcome.UNKNOWN, Outcome.REFUSED)
            assert (await there.read("a.example.org", "TXT")).status is DnsStatus.TEMPFAIL
        server.close()

    asyncio.run(ask())


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (put("a.example.org", "1 2", rtype="TLSA"), "is no such record"),
        (put("a..example.org", '"1"'), "is no name"),
        (put("a.example.org", '"1"', rtype="ANY"), "is no type"),
        (put("a.example.org"), "names no record"),
        (put("a.example.org", '"1"', expected=('"',)), "is no such record"),
    ],
)
def test_what_is_no_record_is_never_sent(knot: Knot, change: Change, says: str) -> None:
    with pytest.raises(InputError, match=says):
        publish(knot, change)


def test_the_key_is_for_its_owner_alone(knot: Knot, tmp_path: Path) -> None:
    for octets, mode, says in (
        (b"c2VjcmV0IHNlY3JldCBzZWNyZXQ=", 0o644, "chmod 600"),
        (b"short===", 0o600, "holds no secret"),
        (b"\xff\x00", 0o600, "holds no secret"),
    ):
        path = tmp_path / "key"
        path.write_bytes(octets)
        path.chmod(mode)
        with pytest.raises(ConfigError, match=says) as caught:
            DnsPublisher(settings(knot, key_file=str(path)))
        assert "c2Vj" not in str(caught.value)
    with pytest.raises(ConfigError, match=r"publish\.server"):
        DnsPublisher(settings(knot, server="ns.example.org"))
