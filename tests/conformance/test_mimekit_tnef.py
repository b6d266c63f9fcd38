"""MimeKit's TNEF files: every attachment and text comes out, octet for octet.

The suite keeps text files with LF; those of TNEF have CRLF. For embedded objects it keeps the 16 octets that name the
object's interface, which are no part of the file.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content
from gatepost.sandbox.readers.tnef import read

NAMES = [
    *("MAPI_ATTACH_DATA_OBJ", "MAPI_OBJECT", "attachments", "body", "christmas", "data-before-name", "long-filename"),
    *("missing-filenames", "multi-value-attribute", "one-file", "panic", "rtf", "triples", "two-files"),
    *("unicode-mapi-attr", "unicode-mapi-attr-name", "winmail"),
]
BROKEN = ["garbage-at-end", "multi-name-property"]  # nothing to extract; they must only be survived


def normal(octets: bytes) -> bytes:
    """Without what the suite changed."""
    return octets.replace(b"\r\n", b"\n").rstrip(b"\x00")


@pytest.mark.suite("mime/mimekit-tnef")
@pytest.mark.parametrize("name", NAMES)
def test_everything_comes_out(name: str, suites: Path) -> None:
    folder = suites / "mime" / "mimekit-tnef"
    content = Content(path="1", octets=(folder / f"{name}.tnef").read_bytes(), kind="tnef")
    found = {normal(member.octets) for member in read(content, Finds())}
    for file in (folder / name).iterdir():
        wanted = normal(file.read_bytes())
        assert wanted in found or wanted[16:] in found, file.name


@pytest.mark.suite("mime/mimekit-tnef")
@pytest.mark.parametrize("name", BROKEN)
def test_broken_ones_are_survived(name: str, suites: Path) -> None:
    octets = (suites / "mime" / "mimekit-tnef" / f"{name}.tnef").read_bytes()
    for cut in range(0, len(octets), 64):
        list(read(Content(path="1", octets=octets[:cut], kind="tnef"), Finds()))
