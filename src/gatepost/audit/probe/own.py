"""Scenarios of one's own, from TOML.

In: text. Out: `Scenario`s; InputError that names the place. The form is in docs/probe.md:

    [[scenario]]
    name = "old-printer"
    title = "a mail from the old printer"
    bad = "The printer's mail is refused."
    good = ["accepted"]
    [[scenario.step]]
    send = "MAIL FROM:<printer@{domain}>\\r\\n"
    question = true

Standard: TOML 1.0. Not here: reading files (`cli`), playing.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from typing import Any

from gatepost.audit.probe.aim import Need, unknown_words
from gatepost.audit.probe.scenario import Group, Scenario
from gatepost.errors import InputError
from gatepost.finding import Severity
from gatepost.ports.prober import Spoken
from gatepost.ports.visitor import Outcome, Step

MAX_SCENARIOS, MAX_STEPS, MAX_REPLIES = 200, 2000, 2000
_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_TEXTS = ("title", "bad", "why", "remedy", "reference")
_KEYS = {"name", "spoken", "severity", "good", "needs", "opens", "secure", "late", "seconds", "step", *_TEXTS}
_STEP = {
    "send": str, "replies": int, "needs": str, "tls": bool, "quiet": float, "refusals": bool, "question": bool,
    "several": bool, "drip": float, "idle": float, "secret": bool,
}  # fmt: skip


def read_scenarios(text: str, file: str) -> tuple[Scenario, ...]:
    """All in `text`; `file` is named in errors."""
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, a table in a table in a table …
        raise InputError("--scenario", file, f"is no TOML: {error}") from None
    entries = document.get("scenario")
    if not isinstance(entries, list) or not entries or set(document) != {"scenario"}:
        raise InputError("--scenario", file, "must hold [[scenario]] tables and nothing else")
    if len(entries) > MAX_SCENARIOS:
        raise InputError("--scenario", file, f"holds more than {MAX_SCENARIOS} scenarios")
    return tuple(_Reader(file, number, entry).read() for number, entry in enumerate(entries, 1))


class _Reader:
    """One table."""

    def __init__(self, file: str, number: int, entry: Any) -> None:
        self._where = f"{file}, scenario {number}"
        if not isinstance(entry, dict):
            raise InputError("--scenario", self._where, "is no table; begin it with [[scenario]]")
        self._entry: Mapping[str, Any] = entry

    def _bad(self, key: str, remedy: str) -> InputError:
        return InputError(f"{self._where}, {key}", self._entry.get(key, ""), remedy)

    def read(self) -> Scenario:
        """The scenario."""
        for key in self._entry:
            if key not in _KEYS:
                raise self._bad(key, f"is not known; there are {', '.join(sorted(_KEYS))}")
        name = self._text("name", "")
        if _NAME.fullmatch(name) is None:
            raise self._bad("name", "must be lower-case letters, digits and single hyphens")
        title = self._text("title", name)
        return Scenario(
            name=f"own-{name.removeprefix('own-')}",
            group=Group.OWN,
            title=title,
            bad=self._text("bad", f"The server did not do what was expected: {title}."),
            why=self._text("why", ""),
            remedy=self._text("remedy", ""),
            reference=self._text("reference", ""),
            severity=Severity(self._one_of("severity", [severity.value for severity in Severity], "warning")),
            spoken=tuple(Spoken(word) for word in self._some_of("spoken", [one.value for one in Spoken], ["smtp"])),
            good=tuple(Outcome(word) for word in self._some_of("good", [one.value for one in Outcome], ["refused"])),
            unclear=(),
            needs=tuple(Need[word.upper()] for word in self._some_of("needs", [one.name.lower() for one in Need], [])),
            opens=self._flag("opens", default=True),
            secure=self._flag("secure", default=False) if "secure" in self._entry else None,
            late=self._flag("late", default=False),
            seconds=self._number("seconds", 60.0, 3600.0),
            steps=self._steps(),
        )

    def _text(self, key: str, default: str) -> str:
        value = self._entry.get(key, default)
        if not isinstance(value, str) or not value.isprintable() or len(value) > 1000:
            raise self._bad(key, "must be one line of text")
        return value

    def _one_of(self, key: str, known: list[str], default: str) -> str:
        value = self._entry.get(key, default)
        if value not in known:
            raise self._bad(key, f"must be one of {', '.join(known)}")
        return str(value)

    def _some_of(self, key: str, known: list[str], default: list[str]) -> list[str]:
        values = self._entry.get(key, default)
        if not isinstance(values, list) or any(value not in known for value in values):
            raise self._bad(key, f"must be a list of {', '.join(known)}")
        return values

    def _flag(self, key: str, *, default: bool) -> bool:
        value = self._entry.get(key, default)
        if not isinstance(value, bool):
            raise self._bad(key, "must be true or false")
        return value

    def _number(self, key: str, default: float, most: float) -> float:
        value = self._entry.get(key, default)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= most:
            raise self._bad(key, f"must be a number up to {most:g}")
        return float(value)

    def _steps(self) -> tuple[Step, ...]:
        steps = self._entry.get("step")
        if not isinstance(steps, list) or not 0 < len(steps) <= MAX_STEPS:
            raise self._bad("step", f"must be [[scenario.step]] tables, 1 to {MAX_STEPS}")
        return tuple(self._step(number, step) for number, step in enumerate(steps, 1))

    def _step(self, number: int, entry: Any) -> Step:
        where = f"{self._where}, step {number}"
        values: dict[str, Any] = {}
        for key, value in entry.items() if isinstance(entry, dict) else [("step", entry)]:
            wanted = _STEP.get(key)
            if wanted is None:
                raise InputError(where, key, f"is not known; there are {', '.join(_STEP)}")
            good = isinstance(value, (int, float) if wanted is float else wanted)
            if not good or (isinstance(value, bool) and wanted is not bool):
                raise InputError(f"{where}, {key}", value, f"must be a {wanted.__name__}")
            if wanted in (int, float) and not 0 <= value <= MAX_REPLIES:
                raise InputError(f"{where}, {key}", value, f"must be between 0 and {MAX_REPLIES}")
            values[key] = value
        send = str(values.pop("send", "")).encode()
        strange = unknown_words(send)
        if strange:
            raise InputError(f"{where}, send", strange[0], "stands for nothing; docs/probe.md has the words in braces")
        return Step(send=send, **values)
