"""A mailbox that is looked into, as the probe asks for it.

In: the words of Message-IDs. Out: for each the mail that has it, and where it lies.
Standard: RFC 9051, RFC 1939. Not here: who looks (`net.mailbox`), what it means (`audit.probe`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A mail in the mailbox: the folder it lies in ("INBOX"), and its octets (cut at the limit)."""

    folder: str
    raw: bytes


class Mailbox(Protocol):
    """Looks for mails."""

    async def find(self, marks: Sequence[str], seconds: float) -> dict[str, Found]:
        """The mails whose Message-ID has one of `marks` in it, until all are there or `seconds` have passed. Raises
        InputError when the mailbox cannot be looked into."""
        ...
