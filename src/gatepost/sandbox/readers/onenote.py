"""Reads OneNote sections: the files in them.

In: `Content` of kind onenote. Out: a trait `onenote.embedded`, the files as members.
Standard: MS-ONESTORE §2.6.13 (FileDataStoreObject). Not here: the pages' text, which no attack has needed so far.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member

MAX_FILES = 100
_HEADER = bytes.fromhex("e716e3bd65261145a4c48d4d0b7a9eac")
_BEFORE_DATA = 36  # the identifier, the length, four octets unused and eight reserved


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Gives each file; their names stand elsewhere in the notebook and are the sender's choice."""
    octets = content.octets
    count = 0
    at = octets.find(_HEADER)
    while at >= 0 and count < MAX_FILES and at + _BEFORE_DATA <= len(octets):
        length = struct.unpack_from("<Q", octets, at + 16)[0]
        start = at + _BEFORE_DATA
        if 0 < length <= len(octets) - start:
            count += 1
            yield Member(name=f"file {count}", octets=octets[start : start + length])
        at = octets.find(_HEADER, start)
    if count:
        finds.trait(content.path, "onenote.embedded", count=count)
