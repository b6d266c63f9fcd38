"""What could not be opened to the end: each rule sees its own trouble and no other, and what it leads to."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from gatepost import ZoneResolver, inspect_message
from gatepost.api import InspectionSettings
from gatepost.errors import ConfigError
from gatepost.inspector.rules import trouble as rules
from gatepost.inspector.settings import InspectorSettings
from gatepost.ports import Item, Opened, Trouble

RAW = (
    b"From: ann@example.org\r\nTo: bob@example.net\r\nSubject: hello\r\n"
    b"Date: Tue, 24 Nov 2026 08:00:00 +0000\r\n\r\nhi\r\n"
)
CODES = {
    "content.bomb": ("bomb",),
    "content.crash": ("crash",),
    "content.timeout": ("time",),
    "content.too-much": ("limit", "memory", "output"),
    "content.damaged": ("damaged",),
    "content.unopened": ("unavailable",),
}


class Stuck:
    """An opener that tells of trouble."""

    def __init__(self, *codes: str) -> None:
        self.codes = codes

    def begin(self, raw: bytes) -> Awaitable[Opened]:
        item = Item(path="2", name="a.zip", kind="zip", size=1, sha256="")
        trouble = tuple(Trouble(code=code, item="2", reason="why") for code in self.codes)
        done: asyncio.Future[Opened] = asyncio.get_running_loop().create_future()
        done.set_result(Opened(items=(item,), trouble=trouble))
        return done


def inspect(*codes: str, **settings: Any) -> Any:
    """The inspection of a message with this trouble."""
    chosen = InspectionSettings(inspector=InspectorSettings(**settings))
    return asyncio.run(
        inspect_message(RAW, resolver=ZoneResolver(""), opener=Stuck(*codes), now=1.8e9, settings=chosen)
    )


def seen(*codes: str) -> set[str]:
    """The codes of the rules of this file that see something."""
    return {finding.code for finding in inspect(*codes).findings} & set(CODES)


@pytest.mark.parametrize("code", CODES)
def test_each_sees_its_own_trouble_only(code: str) -> None:
    for trouble in CODES[code]:
        assert seen(trouble) == {code}


def test_no_trouble_is_no_finding_and_locks_have_their_own() -> None:
    assert seen() == set()
    assert seen("encrypted") == set()


def test_the_summary_names_the_file() -> None:
    finding = next(f for f in inspect("damaged", "damaged").findings if f.code == "content.damaged")
    assert finding.summary == "a.zip is damaged or not quite what it says: why."
    assert finding.evidence["count"] == 2


def test_a_bomb_is_held_back_and_what_is_large_is_not() -> None:
    assert inspect("bomb").decision.action.value == "quarantine"
    for code in ("limit", "damaged", "unavailable"):
        assert inspect(code).decision.action.value == "accept"


def test_time_outs_may_be_deferred() -> None:
    assert inspect("time", defer_codes=("content.timeout",)).decision.action.value == "defer"
    assert inspect("crash", defer_codes=("content.timeout",)).decision.action.value != "defer"
    with pytest.raises(ConfigError, match=r"content\.timeout"):
        InspectorSettings(defer_codes=("content.time-out",))


def test_every_rule_is_listed() -> None:
    mine = {rules.bomb, rules.crash, rules.timeout, rules.too_much, rules.damaged, rules.unopened}
    assert {rule.code for rule in mine} == set(CODES)
