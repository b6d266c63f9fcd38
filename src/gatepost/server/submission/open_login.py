"""The parts of logging in, put together for one worker.

In: the settings, this worker's column of the counts, the directory, the door. Out: `Login`.
Not here: what the parts do (`login`, `guessing`, `remembered`, `pool`); which directory it is (the reception).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

from gatepost.ports import Directory
from gatepost.server.door.door import Door
from gatepost.server.door.rates import Rates
from gatepost.server.metrics import Metrics
from gatepost.server.submission.guessing import Guessing
from gatepost.server.submission.login import Login
from gatepost.server.submission.login_settings import LoginSettings
from gatepost.server.submission.remembered import Remembered


def open_login(
    settings: LoginSettings,
    *,
    folder: Path,
    guesses: Rates,
    directory: Directory,
    exists: Callable[[str], Awaitable[bool]],
    door: Door,
    metrics: Metrics,
    verifiers: bool = True,
) -> Login:
    """`guesses` counts failed logins and nothing else (`Plan.guesses`); `folder` is the store's; `verifiers` is False
    for a directory that has none, where SCRAM could only fail."""
    remembered = Remembered.open(folder, settings.guessing.remember_days, door.parts.teller.store_failed)
    guessing = Guessing(settings.guessing, guesses, is_own=door.parts.is_exempt, came_from=remembered.came_from)
    return Login(
        settings,
        directory=directory,
        exists=exists,
        guessing=guessing,
        remembered=remembered,
        door=door,
        metrics=metrics,
        verifiers=verifiers,
    )
