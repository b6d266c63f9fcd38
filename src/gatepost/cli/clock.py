"""Reads and writes times: `--now`, the clock of a judgement; `--since` and its like, as people write them.

In: seconds since the epoch, an ISO 8601 date or date-time, or how long ago. Out: seconds since the epoch, UTC.
Standard: RFC 3339 §5.6 (a date alone and a missing zone, read as UTC, are also taken).
"""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime

from gatepost.errors import InputError

AGO = re.compile(r"(\d{1,6})([smhd])")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


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


def read_moment(option: str, text: str | None) -> float | None:
    """A time as people write it, in seconds since the epoch."""
    if text is None:
        return None
    ago = AGO.fullmatch(text)
    if ago is not None:
        return time.time() - int(ago[1]) * UNITS[ago[2]]
    try:
        return float(text) if text.replace(".", "", 1).isdecimal() else _from_iso(text)
    except ValueError:
        raise InputError(option, text, "is no time; write 2h, 7d or 2026-11-24T12:00Z") from None


def _from_iso(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def clock(seconds: float) -> str:
    """The time in UTC, as log lines have it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S") if seconds > 0 else ""


def span(seconds: float) -> str:
    """A stretch of time in its two largest units: "40s", "12m", "3h05m", "2d04h"."""
    left = max(0, int(seconds))
    if left < 60:
        return f"{left}s"
    if left < 3600:
        return f"{left // 60}m"
    if left < 86400:
        return f"{left // 3600}h{left % 3600 // 60:02}m"
    return f"{left // 86400}d{left % 86400 // 3600:02}h"
