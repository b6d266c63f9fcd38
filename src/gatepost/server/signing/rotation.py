"""The roll-over of signing keys as a state machine: next → live → old → removable → gone.

In: the states of one domain's keys, what DNS showed of each, the time. Out: their states now, and what happened.
A next key signs only after DNS has shown its record without a break; the key before it then stops signing, and its
record stays until its mail is gone. A clock that goes back starts a wait again and never ends one early.
Standard: RFC 6376 §3.1 (selectors), RFC 5863 §3 (how keys are changed). Not here: asking DNS and telling (`upkeep`).
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gatepost.msgauth.dkim.publish import Shown, Sight
from gatepost.store.keys import KeyState, Stage

UNASKED = Sight(Shown.UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """Seconds: how long a next key's record must have been right; how long an old key's record must stay."""

    settle: float
    keep_old: float


class Happened(enum.StrEnum):
    """What is told of a key."""

    SEEN = "seen"  # the record of a next key is right for the first time
    LOST = "lost"  # a record that must be there is not, or no longer
    WRONG = "wrong"  # a record is there, and is not the right one
    FOUND = "found"  # a record that was lost or wrong is right again
    USED = "used"  # the key signs from now on
    RETIRED = "retired"  # the key signs no more
    REMOVABLE = "removable"  # its record may go
    GONE = "gone"  # the record is gone, and the key forgotten


@dataclass(frozen=True, slots=True)
class News:
    """One thing that happened to one key."""

    what: Happened
    key: KeyState


def step(
    keys: Sequence[KeyState], sights: Mapping[str, Sight], now: float, waits: Waits
) -> tuple[list[KeyState], list[News]]:
    """One round over the keys of one domain; `sights` are by selector."""
    news: list[News] = []
    looked = [_look(key, sights.get(key.selector, UNASKED), now, news) for key in keys]
    looked = _promote(looked, sights, now, waits, news)
    left = [_age(key, sights.get(key.selector, UNASKED), now, waits, news) for key in looked]
    return [key for key in left if key is not None], news


def _look(key: KeyState, sight: Sight, now: float, news: list[News]) -> KeyState:
    """What DNS says is kept; silence changes nothing but the time of the look."""
    since = min(key.since, now)  # the clock went back: the wait begins again
    right_since = None if key.right_since is None else min(key.right_since, now)
    if sight.shown is Shown.UNKNOWN:
        return replace(key, since=since, right_since=right_since, checked_at=now)
    if sight.shown is not Shown.RIGHT:
        right_since = None
    elif right_since is None:
        right_since = now
    seen = replace(
        key,
        since=since,
        condition=sight.shown.value,
        reason=sight.reason,
        right_since=right_since,
        checked_at=now,
    )
    if (key.condition, key.reason) != (seen.condition, seen.reason):
        happened = _worth_telling(key, sight)
        if happened is not None:
            news.append(News(happened, seen))
    return seen


def _worth_telling(before: KeyState, sight: Sight) -> Happened | None:
    """A next key's record is not there at first, and a removable one's is to go: neither is news."""
    if sight.shown is Shown.WRONG:
        return Happened.WRONG
    if sight.shown is Shown.RIGHT:
        if before.stage is Stage.NEXT:
            return Happened.SEEN
        return Happened.FOUND if before.condition in (Shown.MISSING, Shown.WRONG) else None
    if before.stage is Stage.REMOVABLE or (before.stage is Stage.NEXT and before.condition != Shown.RIGHT):
        return None
    return Happened.LOST


def _promote(
    keys: Sequence[KeyState], sights: Mapping[str, Sight], now: float, waits: Waits, news: list[News]
) -> list[KeyState]:
    """A next key whose record has been right long enough, and is right now, takes the place of the live ones of its
    algorithm. Where no key signs yet there is nothing to wait for but the record itself."""
    done = list(keys)
    settle = waits.settle if any(key.stage is Stage.LIVE for key in keys) else 0.0
    for key in keys:
        sight = sights.get(key.selector, UNASKED)
        if key.stage is not Stage.NEXT or key.right_since is None or sight.shown is not Shown.RIGHT:
            continue
        if now - key.right_since < settle:
            continue
        for place, other in enumerate(done):
            if other.selector == key.selector:
                done[place] = replace(other, stage=Stage.LIVE, since=now)
                news.append(News(Happened.USED, done[place]))
            elif other.stage is Stage.LIVE and other.algorithm == key.algorithm:
                done[place] = replace(other, stage=Stage.OLD, since=now)
                news.append(News(Happened.RETIRED, done[place]))
    return done


def _age(key: KeyState, sight: Sight, now: float, waits: Waits, news: list[News]) -> KeyState | None:
    """Old keys become removable with time, and are forgotten once their record is gone."""
    if key.stage is Stage.OLD and now - key.since >= waits.keep_old:
        key = replace(key, stage=Stage.REMOVABLE, since=now)
        news.append(News(Happened.REMOVABLE, key))
    elif key.stage is Stage.REMOVABLE and sight.shown is Shown.MISSING:
        news.append(News(Happened.GONE, key))
        return None
    return key
