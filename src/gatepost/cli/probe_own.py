"""Which scenarios are played: the built-in ones, those of a file, less what is skipped.

In: names and groups, files. Out: `Scenario`s. Not here: the form of the file (`audit.probe.own`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gatepost.audit.probe.own import read_scenarios
from gatepost.audit.probe.scenario import Group, Scenario
from gatepost.audit.probe.scenarios import SCENARIOS
from gatepost.errors import InputError

MAX_FILE = 1 << 20


def choose(only: Sequence[str], skip: Sequence[str], files: Sequence[str]) -> tuple[Scenario, ...]:
    """Those of `only` (all without it), less those of `skip`."""
    scenarios = (*SCENARIOS, *(scenario for file in files for scenario in read_scenarios(_read(file), file)))
    names = [scenario.name for scenario in scenarios]
    for name in names:
        if names.count(name) > 1:
            raise InputError("--scenario", name, "there are two of this name; rename yours")
    for option, asked in (("--only", only), ("--skip", skip)):
        for name in asked:
            if name not in names and name not in {group.value for group in Group}:
                raise InputError(option, name, "is no scenario and no group; gatepost probe --list shows them")
    chosen = [one for one in scenarios if not only or one.name in only or one.group.value in only]
    chosen = [one for one in chosen if one.name not in skip and one.group.value not in skip]
    if not chosen:
        raise InputError("--skip", ", ".join(skip), "leaves nothing to do")
    return tuple(chosen)


def _read(path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            octets = file.read(MAX_FILE + 1)
        if len(octets) > MAX_FILE:
            raise InputError("--scenario", path, f"is over {MAX_FILE >> 20} MB")
        return octets.decode("utf-8")
    except OSError as error:
        raise InputError("--scenario", path, f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError("--scenario", path, f"is no text (octet {error.start})") from None
