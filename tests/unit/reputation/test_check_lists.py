"""Asking lists: in one go, within bounds, and only those that passed their test and go on behaving like lists."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from fakes import DictResolver
from gatepost.ports import Answer, Question
from gatepost.reputation.health import SILENCE, Condition
from gatepost.reputation.lists import Lists
from gatepost.reputation.questions import Subject, SubjectKind
from gatepost.reputation.settings import DnsListSettings, ListsSettings

NOW = 1_790_000_000.0
WELL = {
    "2.0.0.127.zen.spamhaus.org": {"A": ["127.0.0.2", "127.0.0.4", "127.0.0.10"]},
    "dbltest.com.dbl.spamhaus.org": {"A": "127.0.1.2"},
    "7.2.0.192.zen.spamhaus.org": {"A": ["127.0.0.4", "127.0.0.11"]},
    "8.2.0.192.zen.spamhaus.org": {"A": "127.0.0.10"},
    "bad.example.dbl.spamhaus.org": {"A": "127.0.1.4"},
}


def made(
    zone: dict[str, dict[str, object]] | None = None, *, use: tuple[str, ...] = ("zen", "dbl"), **more: object
) -> Lists:
    settings = ListsSettings(use=use, **more)  # type: ignore[arg-type]
    return Lists(settings, DictResolver(WELL | (zone or {})))  # type: ignore[arg-type]


def ip(value: str, where: str = "client") -> Subject:
    return Subject(kind=SubjectKind.IP, value=value, where=where)


def host(value: str, where: str = "link") -> Subject:
    return Subject(kind=SubjectKind.HOST, value=value, where=where)


def probed(lists: Lists, now: float = NOW) -> Lists:
    asyncio.run(lists.probe(now))
    return lists


def check(lists: Lists, *subjects: Subject, now: float = NOW) -> list[tuple[str, str]]:
    return [(found.one.name, found.subject.value) for found in asyncio.run(lists.check(subjects, now)).listed]


def test_what_is_listed_is_told_with_its_meaning() -> None:
    lists = probed(made())
    found = asyncio.run(lists.check([ip("192.0.2.7"), host("www.bad.example"), host("bad.example")], NOW))
    assert [(one.one.name, one.subject.value, one.weight) for one in found.listed] == [
        ("zen", "192.0.2.7", 3.0),
        ("dbl", "bad.example", 4.0),
    ]
    assert (
        found.listed[0].says
        == "an infected or misused computer (XBL); a home or office connection, no mail server (PBL)"
    )
    assert not found.trouble
    assert found.asked == 3


def test_a_home_connection_further_back_says_nothing() -> None:
    lists = probed(made())
    assert check(lists, ip("192.0.2.8")) == [("zen", "192.0.2.8")]
    assert check(lists, ip("192.0.2.8", "path")) == []
    assert check(lists, ip("192.0.2.7", "path")) == [("zen", "192.0.2.7")]


def test_a_list_is_not_believed_before_its_test() -> None:
    lists = made()
    found = asyncio.run(lists.check([ip("192.0.2.7")], NOW))
    assert not found.listed
    assert not found.trouble
    assert found.asked == 0


@pytest.mark.parametrize(
    ("zone", "word"),
    [
        ({"1.0.0.127.zen.spamhaus.org": {"A": "127.0.0.2"}}, "lists everything"),
        ({"1.0.0.127.zen.spamhaus.org": {"A": "198.51.100.1"}}, "no list does"),
        ({"2.0.0.127.zen.spamhaus.org": {"A": "127.255.255.254"}}, "public resolver"),
    ],
)
def test_a_list_that_fails_its_test_is_left_out(zone: dict[str, dict[str, object]], word: str) -> None:
    lists = probed(made(zone, use=("zen",)))
    found = asyncio.run(lists.check([ip("192.0.2.7")], NOW))
    assert not found.listed
    assert found.asked == 0
    assert word in dict(found.trouble)["zen"]
    (change,) = lists.health.changes()
    assert change[1].condition is Condition.SICK
    assert not lists.health.changes()


def test_an_empty_list_is_left_out_and_comes_back() -> None:
    resolver = DictResolver({})
    lists = Lists(ListsSettings(use=("zen",)), resolver)
    probed(lists)
    assert "shut down" in lists.health.of("zen").reason
    resolver.add("2.0.0.127.zen.spamhaus.org", {"A": "127.0.0.2"})
    resolver.add("7.2.0.192.zen.spamhaus.org", {"A": "127.0.0.2"})
    probed(lists, NOW + 30)
    assert check(lists, ip("192.0.2.7")) == []  # not due for a test yet
    probed(lists, NOW + 61)
    assert check(lists, ip("192.0.2.7")) == [("zen", "192.0.2.7")]
    assert [state.condition for _, state in lists.health.changes()] == [Condition.SICK, Condition.WELL]
    assert lists.health.due(NOW + 600) == ()
    assert len(lists.health.due(NOW + 661)) == 1


def test_a_list_that_begins_to_refuse_is_left_out_at_once() -> None:
    lists = probed(made({"9.2.0.192.zen.spamhaus.org": {"A": "127.255.255.255"}}))
    found = asyncio.run(lists.check([ip("192.0.2.7"), ip("192.0.2.9", "path")], NOW))
    assert not found.listed  # not even what it said of the other address in the same breath
    assert "too many questions" in dict(found.trouble)["zen"]
    assert check(lists, ip("192.0.2.7"), host("bad.example")) == [("dbl", "bad.example")]


def test_silence_takes_a_list_out_only_after_many_messages() -> None:
    lists = Lists(ListsSettings(use=("zen",)), DictResolver(WELL, tempfail=["9.2.0.192.zen.spamhaus.org"]))
    probed(lists)
    for _ in range(SILENCE - 1):
        assert dict(asyncio.run(lists.check([ip("192.0.2.9")], NOW)).trouble)["zen"] == "timed out"
    assert check(lists, ip("192.0.2.7"), ip("192.0.2.9")) == [("zen", "192.0.2.7")]  # an answer: it lives
    for _ in range(SILENCE):
        check(lists, ip("192.0.2.9"))
    assert not lists.health.is_well("zen")


class Slow:
    """Answers what it is asked with the deadline it was given."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, float]] = []
        self._inner = DictResolver(WELL)

    async def lookup(self, name: str, rtype: str) -> Answer:
        raise AssertionError("one by one would take as long as all together")

    async def lookup_all(self, questions: Sequence[Question], deadline: float) -> tuple[Answer, ...]:
        self.calls.append((len(questions), deadline))
        return await self._inner.lookup_all(questions, deadline)


def test_one_call_one_deadline_bounded() -> None:
    resolver = Slow()
    lists = Lists(ListsSettings(use=("zen", "dbl", "surbl", "uribl"), deadline=1.5, max_domains=5), resolver)
    probed(lists)
    lists.health.probed(lists.asked[2], "", NOW)
    lists.health.probed(lists.asked[3], "", NOW)
    subjects = [host(f"host-{n}.example") for n in range(500)]
    asyncio.run(lists.check([ip("192.0.2.7"), *subjects, *subjects], NOW))
    assert resolver.calls == [(8, 1.5), (1 + 3 * 5, 1.5)]


def test_the_door_asks_only_for_addresses() -> None:
    lists = probed(made())
    found = asyncio.run(lists.check_client("192.0.2.7", NOW, 0.5))
    assert [one.one.name for one in found.listed] == ["zen"]
    assert found.asked == 1
    assert asyncio.run(lists.check_client("", NOW)).asked == 0
    assert asyncio.run(Lists(ListsSettings(), DictResolver({})).check_client("192.0.2.7", NOW)).asked == 0


def test_a_list_of_ones_own() -> None:
    own = {"own": DnsListSettings(kind="domain", zone="bl.example", weight=1.0)}
    zone = {"test.bl.example": {"A": "127.0.0.2"}, "evil.example.bl.example": {"A": "127.0.0.5"}}
    lists = probed(made(zone, use=("own",), dns=own))
    assert check(lists, Subject(kind=SubjectKind.DOMAIN, value="mx.evil.example", where="ehlo")) == [
        ("own", "mx.evil.example")
    ]


def test_what_is_known_early_is_asked_ahead_without_waiting() -> None:
    resolver = Slow()
    lists = Lists(ListsSettings(use=("zen", "dbl")), resolver)
    asyncio.run(lists.begin([ip("192.0.2.7")]))
    assert resolver.calls == []  # not yet tested
    probed(lists)
    asyncio.run(lists.begin([ip("192.0.2.7"), ip("")]))
    assert resolver.calls[1:] == [(1, 0.0)]
