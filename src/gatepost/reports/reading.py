"""How all readers of reports treat a stranger's values: cut, cleaned, checked, and each defect noted once.

In: texts and numbers as they stand. Out: what can be used, and codes of defects. `BadReport` is what cannot be used.
Standard: none. Not here: the formats (`dmarc_aggregate`, `failure`, `tlsrpt`).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from ipaddress import IPv6Address, ip_address

from gatepost.errors import GatepostError

MAX_TEXT = 300  # characters of one value that are kept; a domain has 253, an address 320
MAX_COUNT = 10**12  # messages of one row: more than the whole world sends in a week
LAST = 4102444800  # 2100-01-01: a later time is a mistake, and would stretch every chart
_NUMBER = re.compile(r"[0-9]{1,15}", re.ASCII)
_DOMAIN = re.compile(r"(?!.*\.\.)[\w](?:[\w.-]{0,251}[\w])?", re.UNICODE)


class BadReport(GatepostError):
    """What cannot be used as a report. `code` is short and stable ("doctype", "too-deep"), the text says it plainly."""

    def __init__(self, code: str, reason: str) -> None:
        self.code = code
        super().__init__(reason)


class Defects:
    """Codes of what was wrong, each once, in the order in which they were met."""

    def __init__(self) -> None:
        self._found: dict[str, None] = {}

    def note(self, code: str) -> None:
        """Adds a code."""
        self._found[code] = None

    def codes(self) -> tuple[str, ...]:
        """All of them."""
        return tuple(self._found)


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """`text` on one line, without control characters, cut at `limit`."""
    words = " ".join(text[: 4 * limit].split())
    return "".join(c for c in words if c.isprintable())[:limit]


def word(text: str, defects: Defects) -> str:
    """A word of a standard's list, in lower case; reporters write "Pass"."""
    cleaned = clean(text, 40)
    if cleaned != cleaned.lower():
        defects.note("upper-case-word")
    return cleaned.lower()


def domain(text: str, defects: Defects) -> str:
    """A domain in lower case without the last dot; what is none stays as it is, and is noted."""
    cleaned = clean(text).lower().rstrip(".")
    if cleaned and not _DOMAIN.fullmatch(cleaned):
        defects.note("bad-domain")
    return cleaned


def address(text: str, defects: Defects) -> str:
    """An IP address in its shortest form, an IPv4 address mapped into IPv6 as IPv4; "" for what is none."""
    cleaned = clean(text, 60)
    try:
        found = ip_address(cleaned)
    except ValueError:
        defects.note("no-address" if not cleaned else "bad-address")
        return ""
    if isinstance(found, IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        if found.scope_id is not None:
            defects.note("bad-address")
            return ""
    return str(found)


def number(text: str) -> int | None:
    """A count; None for what is none or beyond all reason."""
    cleaned = text.strip()
    if not _NUMBER.fullmatch(cleaned):
        return None
    value = int(cleaned)
    return value if value <= MAX_COUNT else None


def moment(text: str, defects: Defects) -> int | None:
    """A time: seconds since the epoch, or, against RFC 9990, milliseconds or ISO 8601 (RFC 3339 in RFC 8460)."""
    cleaned = text.strip()[:40]
    if _NUMBER.fullmatch(cleaned):
        value = int(cleaned)
        if value > LAST:
            value //= 1000
            defects.note("milliseconds")
        return value if 0 < value <= LAST else None
    return iso(cleaned)


def iso(text: str) -> int | None:
    """A date-time of RFC 3339 (a missing zone is UTC); None for what is none."""
    try:
        found = datetime.fromisoformat(text.strip()[:40])
        value = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return int(value) if 0 < value <= LAST else None
