"""The life of a signing key: next → live → old → removable → gone, whatever DNS and the clock do."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gatepost.msgauth.dkim.publish import Shown, Sight
from gatepost.server.signing.rotation import Happened, Waits, step
from gatepost.store.keys import KeyState, Stage

NOW = 1_795_000_000.0
HOUR, DAY = 3600.0, 86_400.0
WAITS = Waits(settle=HOUR, keep_old=12 * DAY)
RIGHT, MISSING, SILENT = (
    Sight(Shown.RIGHT),
    Sight(Shown.MISSING, "there is no record"),
    Sight(Shown.UNKNOWN, "timed out"),
)
WRONG = Sight(Shown.WRONG, "the record holds another key")


def key(selector: str, stage: Stage, algorithm: str = "rsa", since: float = NOW) -> KeyState:
    return KeyState(
        domain="example.org", selector=selector, algorithm=algorithm, record="v=DKIM1; p=", stage=stage, since=since
    )


class Life:
    """Keys that go through rounds; `told` is what happened, in order."""

    def __init__(self, *keys: KeyState) -> None:
        self.keys = list(keys)
        self.told: list[tuple[Happened, str]] = []

    def round(self, now: float, sights: Mapping[str, Sight]) -> list[Happened]:
        self.keys, news = step(self.keys, sights, now, WAITS)
        self.told += [(one.what, one.key.selector) for one in news]
        return [one.what for one in news]

    @property
    def stages(self) -> dict[str, str]:
        return {key.selector: key.stage.value for key in self.keys}


def test_a_whole_life() -> None:
    life = Life(key("old", Stage.LIVE), key("new", Stage.NEXT))
    seen = {"old": RIGHT, "new": MISSING}
    assert life.round(NOW, seen) == []
    assert life.stages == {"old": "live", "new": "next"}
    seen["new"] = RIGHT
    assert life.round(NOW + 600, seen) == [Happened.SEEN]
    assert life.round(NOW + 600 + HOUR - 1, seen) == []
    assert life.round(NOW + 600 + HOUR, seen) == [Happened.RETIRED, Happened.USED]
    assert life.stages == {"old": "old", "new": "live"}
    changed = NOW + 600 + HOUR
    assert life.round(changed + 12 * DAY - 1, seen) == []
    assert life.round(changed + 12 * DAY, seen) == [Happened.REMOVABLE]
    assert life.round(changed + 30 * DAY, seen) == []
    seen["old"] = MISSING
    assert life.round(changed + 31 * DAY, seen) == [Happened.GONE]
    assert life.stages == {"new": "live"}


@pytest.mark.parametrize("sight", [MISSING, WRONG, SILENT], ids=lambda sight: sight.shown.value)
def test_a_next_key_never_signs_without_its_record(sight: Sight) -> None:
    life = Life(key("old", Stage.LIVE), key("new", Stage.NEXT))
    for hours in range(100):
        life.round(NOW + hours * HOUR, {"old": RIGHT, "new": sight})
    assert life.stages == {"old": "live", "new": "next"}
    assert [what for what, _ in life.told] == ([Happened.WRONG] if sight is WRONG else [])


def test_a_record_that_vanishes_begins_the_wait_again() -> None:
    life = Life(key("old", Stage.LIVE), key("new", Stage.NEXT))
    life.round(NOW, {"old": RIGHT, "new": RIGHT})
    assert life.round(NOW + HOUR / 2, {"old": RIGHT, "new": MISSING}) == [Happened.LOST]
    life.round(NOW + HOUR, {"old": RIGHT, "new": RIGHT})
    assert life.stages["new"] == "next"
    life.round(NOW + 2 * HOUR, {"old": RIGHT, "new": RIGHT})
    assert life.stages["new"] == "live"


def test_silence_of_dns_changes_nothing_and_is_not_the_moment_to_change_keys() -> None:
    life = Life(key("old", Stage.LIVE), key("new", Stage.NEXT))
    life.round(NOW, {"old": RIGHT, "new": RIGHT})
    assert life.round(NOW + 2 * HOUR, {"old": SILENT, "new": SILENT}) == []
    assert life.stages["new"] == "next"
    life.round(NOW + 3 * HOUR, {"old": RIGHT, "new": RIGHT})
    assert life.stages["new"] == "live"


def test_silence_never_ends_a_key() -> None:
    life = Life(key("old", Stage.REMOVABLE))
    life.round(NOW + DAY, {"old": SILENT})
    life.round(NOW + DAY, {})
    assert life.stages == {"old": "removable"}


def test_a_clock_that_goes_back_ends_no_wait_early() -> None:
    life = Life(key("old", Stage.LIVE), key("new", Stage.NEXT))
    life.round(NOW, {"old": RIGHT, "new": RIGHT})
    back = NOW - 100 * DAY
    life.round(back, {"old": RIGHT, "new": RIGHT})
    assert life.stages["new"] == "next"
    life.round(back + HOUR, {"old": RIGHT, "new": RIGHT})
    assert life.stages == {"old": "old", "new": "live"}
    life.round(back - 50 * DAY, {"old": RIGHT, "new": RIGHT})
    life.round(back - 50 * DAY + 12 * DAY - 1, {"old": RIGHT, "new": RIGHT})
    assert life.stages["old"] == "old"
    life.round(back - 50 * DAY + 12 * DAY, {"old": RIGHT, "new": RIGHT})
    assert life.stages["old"] == "removable"


def test_each_algorithm_goes_its_own_way() -> None:
    life = Life(
        *(key("r1", Stage.LIVE), key("e1", Stage.LIVE, "ed25519")),
        *(key("r2", Stage.NEXT), key("e2", Stage.NEXT, "ed25519")),
    )
    seen = {"r1": RIGHT, "e1": RIGHT, "r2": RIGHT, "e2": MISSING}
    life.round(NOW, seen)
    life.round(NOW + HOUR, seen)
    assert life.stages == {"r1": "old", "e1": "live", "r2": "live", "e2": "next"}


def test_the_first_keys_of_a_domain_wait_for_their_record_only() -> None:
    life = Life(key("r", Stage.NEXT), key("e", Stage.NEXT, "ed25519"))
    life.round(NOW, {"r": MISSING, "e": MISSING})
    assert set(life.stages.values()) == {"next"}
    life.round(NOW + 60, {"r": RIGHT, "e": RIGHT})
    assert set(life.stages.values()) == {"live"}


def test_records_of_keys_in_use_are_watched_and_told_of_once() -> None:
    life = Life(key("a", Stage.LIVE), key("b", Stage.OLD))
    assert life.round(NOW, {"a": RIGHT, "b": RIGHT}) == []
    assert life.round(NOW + 600, {"a": WRONG, "b": MISSING}) == [Happened.WRONG, Happened.LOST]
    assert life.round(NOW + 1200, {"a": WRONG, "b": MISSING}) == []
    assert life.round(NOW + 1800, {"a": RIGHT, "b": RIGHT}) == [Happened.FOUND, Happened.FOUND]
    assert life.stages == {"a": "live", "b": "old"}
