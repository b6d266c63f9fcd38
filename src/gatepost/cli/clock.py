"""Reads `--now`: the clock of a judgement.

In: seconds since the epoch, or an ISO 8601 date or date-time. Out: seconds since the epoch, UTC.
Standard: RFC 3339 §5.6 (a date alone and a missing zone, read as UTC, are also taken).
"""

from __future__ import annotations

import time
from datetime import UTC, datetime

from gatepost.errors import InputError


def read_now(text: str | None) -> float:
    """The time that `text` names; the present when None."""
    if text is None:
        return time.time()
    try:
        seconds = float(text)
        if not 0 <= seconds < 2.5e11:  # the year 9892; datetime ends at 9999, so more is a typo
            raise InputError("--now", text, "is no time since 1970; give seconds or 2026-11-24T12:00:00Z")
        return seconds
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InputError("--now", text, "is no time; give seconds since 1970 or 2026-11-24T12:00:00Z") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
