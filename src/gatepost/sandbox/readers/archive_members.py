"""What all readers of archives tell of members: names that lead out, links, locks.

In: names and outcomes. Out: traits. Standard: TRAPS, "Archives". Not here: the formats (`archive*`).
"""

from __future__ import annotations

import re

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content

_LEADS_OUT = re.compile(r"(?:^|[/\\])\.\.(?:[/\\]|$)|^[/\\]|^[A-Za-z]:")


def note_name(content: Content, finds: Finds, name: str) -> None:
    """A member whose name, taken at its word, is written outside the folder it is unpacked into."""
    if _LEADS_OUT.search(name):
        finds.trait(content.path, "archive.path-traversal", name=name)


def note_link(content: Content, finds: Finds, name: str, target: str) -> None:
    """A symbolic link among the members; unpackers have followed them out of their folder."""
    finds.trait(content.path, "archive.symlink", name=name, target=target)


def note_locked(content: Content, finds: Finds, *, opened_by: str | None, method: str) -> None:
    """An encrypted member; `opened_by` is the password that opened it, None where none of those known did."""
    finds.trait(content.path, "archive.encrypted", opened=opened_by is not None, method=method)
    if opened_by is not None:
        finds.trait(content.path, "archive.password-in-text")
    else:
        finds.trouble("encrypted", content.path, "no password in the message opens it")
