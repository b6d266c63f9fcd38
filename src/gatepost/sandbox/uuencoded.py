"""Files that stand uuencoded in a text, as before MIME; some mail programs still show them as attachments.

In: the octets of a text. Out: `Member`s. Standard: POSIX uuencode. Not here: the encoding itself (`message.transfer`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from gatepost.message.transfer import decode_uu
from gatepost.sandbox.reader import Member

MAX_FILES = 20
_BEGIN = re.compile(rb"^begin [0-7]{3,4} ([^\r\n]{1,255})", re.MULTILINE)


def uuencoded(text: bytes) -> Iterator[Member]:
    """The files in `text`, in order."""
    begins = list(_BEGIN.finditer(text))[:MAX_FILES]
    for index, begin in enumerate(begins):
        end = begins[index + 1].start() if index + 1 < len(begins) else len(text)
        octets = decode_uu(text[begin.start() : end]).octets
        if octets:
            yield Member(name=begin[1].decode("utf-8", "replace").strip(), octets=octets, disposition="attachment")
