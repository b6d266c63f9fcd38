"""Dates of header fields, as the standard and as real mail writes them, to seconds since the epoch.

In: the text of a Date field or of what follows the last ";" of Received. Out: `ParsedDate`.
Standard: RFC 5322 §3.3 (date-time) and §4.3 (obsolete years and zones). Reads no clock and no time-zone data base.
Not here: whether a date is plausible (`inspector`).
"""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass
from functools import lru_cache

_MAX_TEXT = 200  # the longest date in the corpora has 88 characters
_EPOCH_DAY = datetime.date(1970, 1, 1).toordinal()
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH_NUMBERS = {name: index for index, name in enumerate(_MONTHS, 1)}
# RFC 5322 §4.3: the North American zones have a meaning; military letters and all else are to be read as "-0000".
# The further names are common in mail of the last decades and not ambiguous there.
_ZONES = {
    "ut": 0,
    "utc": 0,
    "gmt": 0,
    "z": 0,
    "wet": 0,
    "west": 60,
    "est": -300,
    "edt": -240,
    "cst": -360,
    "cdt": -300,
    "mst": -420,
    "mdt": -360,
    "pst": -480,
    "pdt": -420,
    "cet": 60,
    "cest": 120,
    "met": 60,
    "mest": 120,
    "eet": 120,
    "eest": 180,
    "msk": 180,
    "jst": 540,
    "kst": 540,
}
_STANDARD_ZONES = frozenset({"ut", "gmt", "est", "edt", "cst", "cdt", "mst", "mdt", "pst", "pdt"})
_WORD = re.compile(r"[A-Za-z]+|[0-9]+(?:[:.][0-9]+)*|[+-][0-9]+(?::[0-9]{2})?|[+-]")


@dataclass(frozen=True, slots=True)
class ParsedDate:
    """`epoch` in seconds, None when the text is no date. `zone` is the offset from UTC in minutes, None when the
    zone is "-0000" or says nothing. `defects`: "no-date", "impossible-date", "wrong-day-name", "no-zone",
    "unknown-zone", "obsolete-year", "obsolete-zone", "no-seconds", "leap-second", "order", "too-long"."""

    epoch: int | None
    zone: int | None = None
    defects: tuple[str, ...] = ()


# What nearly every date looks like (RFC 5322 §3.3), with one comment at most.
_USUAL = re.compile(
    r"\s*(?:([A-Za-z]{3}), {0,2})?([0-9]{1,2}) ([A-Za-z]{3}) ([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) "
    r"([+-])([0-9]{2})([0-5][0-9])(?: \([^()]*\))?\s*"
)


class _Parts:
    __slots__ = ("clock", "day", "day_name", "month", "numbers", "ordered", "zone")

    def __init__(self) -> None:
        self.day_name = -1
        self.day = -1
        self.month = -1
        self.numbers: list[str] = []
        self.clock = ""
        self.zone = ""
        self.ordered = True


def parse_date(value: str | bytes) -> ParsedDate:
    """Reads a date-time. Total and bounded: any text gives a ParsedDate."""
    text = value if isinstance(value, str) else value.decode("latin-1")
    usual = _USUAL.fullmatch(text) if len(text) <= _MAX_TEXT else None
    return (_usual(*usual.groups()) if usual else None) or _any(text)


def _usual(
    day_name: str | None,
    day: str,
    month: str,
    year: str,
    hour: str,
    minute: str,
    second: str,
    sign: str,
    zone_hours: str,
    zone_minutes: str,
) -> ParsedDate | None:
    """The date of `_USUAL`'s groups, if there is nothing to remark but a wrong day name."""
    days = _days(day, month, year)
    if days is None or hour > "23" or minute > "59" or second > "59":
        return None
    if day_name and day_name.lower() not in _DAYS:
        return None
    offset = int(zone_hours) * 60 + int(zone_minutes)
    offset = -offset if sign == "-" else offset
    epoch = days * 86400 + int(hour) * 3600 + (int(minute) - offset) * 60 + int(second)
    defects = ("wrong-day-name",) if day_name and _DAYS[(days + 3) % 7] != day_name.lower() else ()
    return ParsedDate(epoch, None if sign == "-" and not offset else offset, defects)


@lru_cache(maxsize=256)
def _days(day: str, month: str, year: str) -> int | None:
    """Days since the epoch, None for a day that is none. Most mail is of today."""
    number = _MONTH_NUMBERS.get(month.lower())
    if number is None:
        return None
    try:
        return datetime.date(int(year), number, int(day)).toordinal() - _EPOCH_DAY
    except ValueError:
        return None


def _any(text: str) -> ParsedDate:
    """Any date, word by word."""
    defects: list[str] = []
    if len(text) > _MAX_TEXT:
        text = text[:_MAX_TEXT]
        defects.append("too-long")
    parts = _collect(_without_comments(text))
    if parts.month < 0 or len(parts.numbers) < 2 or not parts.clock:
        return ParsedDate(None, None, (*defects, "no-date"))
    if not parts.ordered:
        defects.append("order")
    day, year = _day_and_year(parts.numbers, defects)
    offset, known = _zone(parts.zone, defects)
    seconds = _clock(parts.clock, defects)
    try:
        date = datetime.date(year, parts.month + 1, day)
    except (ValueError, OverflowError):
        return ParsedDate(None, None, (*defects, "impossible-date"))
    if seconds < 0:
        return ParsedDate(None, None, (*defects, "impossible-date"))
    if parts.day_name >= 0 and date.weekday() != parts.day_name:
        defects.append("wrong-day-name")
    epoch = (date.toordinal() - _EPOCH_DAY) * 86400 + seconds - offset * 60
    return ParsedDate(epoch, offset if known else None, tuple(defects))


def _without_comments(text: str) -> str:
    """`text` without (nested) comments; what follows an unclosed one goes with it."""
    if "(" not in text:
        return text
    out: list[str] = []
    depth = 0
    for character in text:
        if character == "(":
            depth += 1
        elif character == ")":
            depth = max(0, depth - 1)
        elif not depth:
            out.append(character)
    return "".join(out)


def _collect(text: str) -> _Parts:
    """Sorts the words of a date by what they look like: names by their first three letters, the time by its colons,
    the zone by standing behind the time."""
    parts = _Parts()
    for word in _WORD.findall(text):
        lower = word.lower()
        if word[0].isalpha():
            if parts.month < 0 and lower[:3] in _MONTHS:
                parts.month = _MONTHS.index(lower[:3])
                parts.ordered = len(parts.numbers) == 1
            elif parts.day_name < 0 and lower[:3] in _DAYS and not parts.numbers:
                parts.day_name = _DAYS.index(lower[:3])
            elif parts.clock and (not parts.zone or parts.zone in "+-"):
                parts.zone = lower
        elif word[0] in "+-" and len(word) > 1 and parts.clock:
            parts.zone = parts.zone if parts.zone[:1] in ("+", "-") else word
        elif ":" in word and not parts.clock:
            parts.clock = word
        elif word.isdigit() or word[1:].isdigit():
            parts.numbers.append(word.lstrip("+-"))  # "1-Jan-2024": the hyphen is no sign
    return parts


def _day_and_year(numbers: list[str], defects: list[str]) -> tuple[int, int]:
    """RFC 5322 §4.3: 00 to 49 is 20xx, 50 to 99 is 19xx, three digits count from 1900."""
    day_text, year_text = numbers[0][:9], numbers[1][:9]
    if len(day_text) == 4 and len(year_text) < 3:  # year first, as ISO 8601 has it
        day_text, year_text = year_text, day_text
        defects.append("order")
    year = int(year_text)
    if len(year_text) < 4:
        defects.append("obsolete-year")
        year += 1900 if len(year_text) == 3 or year >= 50 else 2000
    return int(day_text), year


def _clock(text: str, defects: list[str]) -> int:
    """Seconds since midnight, -1 when there is no such time of day."""
    pieces = text.split(".")[0].split(":")
    numbers = [int(piece[:4]) for piece in pieces[:3]]
    if len(numbers) == 2:
        defects.append("no-seconds")
        numbers.append(0)
    hour, minute, second = numbers
    if hour > 23 or minute > 59 or second > 60:
        return -1
    if second == 60:
        defects.append("leap-second")
        second = 59
    return hour * 3600 + minute * 60 + second


def _zone(text: str, defects: list[str]) -> tuple[int, bool]:
    """The offset in minutes, and whether the text says where that is."""
    if not text or text in "+-":
        defects.append("no-zone")
        return 0, False
    if text[0] in "+-":
        digits = text[1:].replace(":", "")
        if len(digits) != 4 or int(digits[2:]) > 59:
            defects.append("unknown-zone")
            return 0, False
        minutes = int(digits[:2]) * 60 + int(digits[2:])
        return (-minutes if text[0] == "-" else minutes), text != "-0000"
    if text in _ZONES:
        if text in _STANDARD_ZONES:
            defects.append("obsolete-zone")
        else:
            defects.append("unknown-zone")
        return _ZONES[text], True
    defects.append("obsolete-zone" if len(text) == 1 else "unknown-zone")
    return 0, False


def write_date(epoch: float, zone: int = 0) -> str:
    """date-time (RFC 5322 §3.3) of `epoch`, at `zone` minutes from UTC. Times outside years 1 to 9999 are clamped."""
    seconds = min(max(int(epoch), -62_135_510_400), 253_402_214_400) + zone * 60
    days, rest = divmod(seconds, 86400)
    hours, minutes = divmod(abs(zone), 60)
    clock = f"{rest // 3600:02d}:{rest % 3600 // 60:02d}:{rest % 60:02d}"
    return f"{_write_day(days)} {clock} {'-' if zone < 0 else '+'}{hours:02d}{minutes:02d}"


@lru_cache(maxsize=16)
def _write_day(days: int) -> str:
    date = datetime.date.fromordinal(days + _EPOCH_DAY)
    return f"{_DAYS[date.weekday()].title()}, {date.day} {_MONTHS[date.month - 1].title()} {date.year:04d}"
