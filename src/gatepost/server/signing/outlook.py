"""What comes next in a key's life, in plain words, and whether something is wrong with it.

In: a key's state, what DNS shows now, whether its file is there, settings, the time. Out: `Outlook`.
Standard: none. Not here: the steps themselves (`rotation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from gatepost.msgauth.dkim.publish import Shown, Sight
from gatepost.msgauth.dkim.record import REVOKED
from gatepost.server.settings import GateSettings
from gatepost.store.keys import KeyState, Stage

MINUTE, HOUR, DAY = 60, 3600, 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """`due` is when the next stage begins if all stays as it is, None when that hangs on DNS or on nobody. `trouble`:
    somebody must do something."""

    key: KeyState
    sight: Sight
    words: str
    trouble: bool = False
    due: float | None = None

    def as_json(self) -> dict[str, Any]:
        """As JSON values; the schema is docs/schema/records-status.json."""
        return {
            **self.key.as_json(),
            "condition": self.sight.shown.value,
            "reason": self.sight.reason,
            "next": self.words,
            "due": self.due,
            "trouble": self.trouble,
        }


def look_ahead(key: KeyState, sight: Sight, has_file: bool, settings: GateSettings, now: float) -> Outlook:
    """The outlook of one key at `now`."""
    if not has_file and key.stage in (Stage.NEXT, Stage.LIVE):
        words = "its file is gone, so it cannot sign; bring it back, or make a next one (gatepost records rotate)"
        return Outlook(key=key, sight=sight, words=words, trouble=True)
    return _LOOKS[key.stage](key, sight, settings, now)


def _next(key: KeyState, sight: Sight, settings: GateSettings, now: float) -> Outlook:
    if sight.shown is Shown.MISSING:
        return Outlook(key=key, sight=sight, words="publish its record; it signs after that", trouble=True)
    if sight.shown is not Shown.RIGHT:
        return _wrong(key, sight, "it does not sign until its record is right")
    since = now if key.right_since is None else min(key.right_since, now)
    due = since + settings.signing.settle
    return Outlook(key=key, sight=sight, words=f"signs in {span(due - now)} if its record stays", due=due)


def _live(key: KeyState, sight: Sight, settings: GateSettings, now: float) -> Outlook:
    if sight.shown is Shown.MISSING:
        return Outlook(key=key, sight=sight, words="publish its record: receivers cannot verify it", trouble=True)
    if sight.shown is not Shown.RIGHT:
        return _wrong(key, sight, "receivers may refuse its signatures")
    return Outlook(key=key, sight=sight, words="signs")


def _old(key: KeyState, sight: Sight, settings: GateSettings, now: float) -> Outlook:
    due = min(key.since, now) + settings.signing.keep_old + settings.delivery.expire
    words = f"its record must stay {span(due - now)} more"
    lost = sight.shown in (Shown.MISSING, Shown.WRONG) and sight.reason != REVOKED
    return Outlook(key=key, sight=sight, words=f"{words}; PUT IT BACK" if lost else words, trouble=lost, due=due)


def _removable(key: KeyState, sight: Sight, settings: GateSettings, now: float) -> Outlook:
    words = "is forgotten in the next round" if sight.shown is Shown.MISSING else "take its record out of DNS"
    return Outlook(key=key, sight=sight, words=words)


_LOOKS = {Stage.NEXT: _next, Stage.LIVE: _live, Stage.OLD: _old, Stage.REMOVABLE: _removable}


def _wrong(key: KeyState, sight: Sight, words: str) -> Outlook:
    """DNS that is silent is nobody's fault yet."""
    return Outlook(key=key, sight=sight, words=words, trouble=sight.shown is Shown.WRONG)


def span(seconds: float) -> str:
    """A length of time, in the largest unit that tells it."""
    for unit, name in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        if seconds >= 2 * unit:
            return f"{round(seconds / unit)} {name}"
    return f"{max(round(seconds), 0)} seconds"
