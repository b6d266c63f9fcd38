"""What a field of Word does: DDE, links, files from elsewhere.

In: the instruction of a field, as docx, doc and RTF hold it. Out: traits and links. Standard: ECMA-376 Part 1 §17.16.
Not here: where the instructions stand (`ooxml`, `ole`, `rtf`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content

MAX_FIELDS = 2_000
MAX_FIELD = 4_000

_QUOTED = re.compile(r'"([^"]{1,4000})"|(\S{1,4000})')
# A quoted word in a field may be written as { QUOTE 67 58 92 … }, the characters' numbers: the way to hide a command.
_NUMBERS = re.compile(r"\bQUOTE((?:\s+\d{1,5}){4,2000})", re.IGNORECASE)


def read_fields(instructions: Iterable[str], content: Content, finds: Finds) -> None:
    """Tells what the fields do."""
    commands: list[str] = []
    for index, instruction in enumerate(instructions):
        if index >= MAX_FIELDS:
            break
        command = _read_field(instruction[:MAX_FIELD], content, finds)
        if command:
            commands.append(command)
    if commands:
        finds.trait(content.path, "office.dde", commands=commands[:10])


def _read_field(instruction: str, content: Content, finds: Finds) -> str:
    """The command of a DDE field, else empty; links are told."""
    words = instruction.split(None, 1)
    if not words:
        return ""
    name, rest = words[0].upper().lstrip("\\"), words[1] if len(words) > 1 else ""
    if name in ("DDE", "DDEAUTO"):
        return f"{name} {_NUMBERS.sub(_from_numbers, rest)}".strip()
    hidden = _NUMBERS.sub(_from_numbers, instruction)
    if hidden != instruction and re.search(r"\bDDE(AUTO)?\b", hidden, re.IGNORECASE):
        return hidden
    if name in ("HYPERLINK", "INCLUDETEXT", "INCLUDEPICTURE", "IMPORT", "LINK"):
        _tell_target(name, rest, content, finds)
    return ""


def _tell_target(name: str, rest: str, content: Content, finds: Finds) -> None:
    for quoted, bare in _QUOTED.findall(rest)[:3]:
        target = (quoted or bare).replace("\\\\", "\\")
        if is_remote(target):
            finds.link(target, source="office", item=content.path)
            if name != "HYPERLINK" and name != "INCLUDEPICTURE":
                finds.trait(content.path, "office.external-object", target=target, type=name.lower())
            return


def _from_numbers(match: re.Match[str]) -> str:
    numbers = (int(word) for word in match[1].split())
    return "".join(chr(number) for number in numbers if 0 < number < 0xD800)


def is_remote(target: str) -> bool:
    """Whether following `target` leaves this computer and its local network: a URL, or a share on a host with a dotted
    name. A share with a bare name is the company's own file server."""
    low = target.strip().lower()
    if low.startswith(("http:", "https:", "ftp:", "mhtml:http", "ms-msdt:", "search-ms:", "webdav:", "javascript:")):
        return True
    if low.startswith("file:"):
        low = low[5:].replace("/", "\\")
        low = "\\\\" + low.lstrip("\\") if low.startswith("\\\\") and not low.startswith("\\\\\\") else ""
    if not low.startswith("\\\\"):
        return False
    host = low.lstrip("\\").partition("\\")[0].partition("@")[0]
    return "." in host
