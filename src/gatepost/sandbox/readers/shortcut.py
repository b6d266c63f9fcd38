"""Reads shortcuts: where they lead and what they start.

In: `Content` of kind lnk, url or desktop, and XML that may be a library or a saved search of Windows. Out: a trait
`shortcut.target`, links of source "shortcut".
Standard: MS-SHLLINK; the Desktop Entry Specification 1.5. Not here: what targets are made of (`inspector.links`).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers.script import decoded

MAX_TEXT = 4_000
MAX_LIBRARY = 200_000
_LINE = re.compile(r"^\s*(URL|BASEURL|IconFile|Exec|WorkingDirectory|TryExec)\s*=\s*(.{1,4000})$", re.I | re.M)
_LIBRARY = re.compile(r"<(libraryDescription|searchConnectorDescription|persistedQuery)\b", re.I)
_URL = re.compile(r"(?:https?|ftp|file)://[^\s\"'<>]{3,2000}|\\\\[\w.@-]{1,253}\\[^\s\"'<>]{1,500}", re.I)

# MS-SHLLINK §2.1.1: what follows the header, and in which letters
_ID_LIST, _LINK_INFO, _UNICODE = 0x01, 0x02, 0x80
_STRINGS = (("name", 0x04), ("relative path", 0x08), ("folder", 0x10), ("arguments", 0x20), ("icon", 0x40))


def read(content: Content, finds: Finds) -> Iterable[Member]:
    """Tells the target."""
    if content.kind == "lnk":
        _lnk(content, finds)
    elif content.kind == "xml":
        _library(content, finds)
    else:
        _lines(content, finds)
    return ()


def _lines(content: Content, finds: Finds) -> None:
    """Internet shortcuts and desktop entries are lines of `name=value`."""
    text = decoded(content)
    found: dict[str, str] = {}
    for match in list(_LINE.finditer(text))[:100]:
        found.setdefault(match[1].lower(), match[2].strip())
    target = found.get("url") or found.get("exec") or found.get("tryexec") or ""
    finds.trait(content.path, "shortcut.target", target=target, arguments="", icon=found.get("iconfile", ""))
    for name in ("url", "baseurl", "workingdirectory", "iconfile"):
        _tell(found.get(name, ""), content, finds)
    for match in list(_URL.finditer(found.get("exec", "")))[:20]:
        finds.link(match[0], source="shortcut", item=content.path)


def _library(content: Content, finds: Finds) -> None:
    text = decoded(content)
    if not _LIBRARY.search(text[:4_000]):
        return
    places = list(dict.fromkeys(match[0] for match in _URL.finditer(text[:MAX_LIBRARY])))[:100]
    remote = [place for place in places if "//schemas.microsoft.com/" not in place]
    finds.trait(content.path, "shortcut.target", target=(remote or [""])[0], arguments="", icon="", library=True)
    for place in remote:
        _tell(place, content, finds)


def _tell(target: str, content: Content, finds: Finds) -> None:
    if target and (_URL.match(target) or re.match(r"[a-z][a-z0-9+.-]{1,20}:(?!\\)", target, re.I)):
        finds.link(target, source="shortcut", item=content.path)


def _lnk(content: Content, finds: Finds) -> None:
    octets = content.octets
    flags = struct.unpack_from("<I", octets, 20)[0]
    at = struct.unpack_from("<I", octets, 0)[0]
    target = ""
    if flags & _ID_LIST:
        size = struct.unpack_from("<H", octets, at)[0]
        target = _longest_word(octets[at + 2 : at + 2 + size])
        at += 2 + size
    if flags & _LINK_INFO:
        size = struct.unpack_from("<I", octets, at)[0]
        target = _local_path(octets[at : at + size]) or target
        at += max(size, 4)
    said: dict[str, str] = {}
    for name, flag in _STRINGS:
        if not flags & flag or at + 2 > len(octets):
            continue
        length = struct.unpack_from("<H", octets, at)[0]
        wide = bool(flags & _UNICODE)
        raw = octets[at + 2 : at + 2 + length * (2 if wide else 1)]
        said[name] = raw.decode("utf-16-le" if wide else "cp1252", "replace")[:MAX_TEXT]
        at += 2 + length * (2 if wide else 1)
    target = target or said.get("relative path", "")
    arguments = said.get("arguments", "").strip()  # padded with blanks so that the dialogue shows nothing
    finds.trait(content.path, "shortcut.target", target=target, arguments=arguments, icon=said.get("icon", ""))
    for match in list(_URL.finditer(f"{target} {arguments} {said.get('icon', '')}"))[:50]:
        finds.link(match[0], source="shortcut", item=content.path)


def _local_path(info: bytes) -> str:
    """The path in a LinkInfo (MS-SHLLINK §2.3), local or of a share."""
    _header, flags, _, base, network, suffix = struct.unpack_from("<IIIIII", info, 4)
    if flags & 1 and base:
        return _zero_ended(info, base) + _zero_ended(info, suffix)
    if flags & 2 and network:
        name = struct.unpack_from("<I", info, network + 8)[0]
        return f"{_zero_ended(info, network + name)}\\{_zero_ended(info, suffix)}"
    return ""


def _zero_ended(octets: bytes, at: int) -> str:
    return octets[at : at + MAX_TEXT].partition(b"\x00")[0].decode("cp1252", "replace")


def _longest_word(items: bytes) -> str:
    """The likeliest name in a list of shell items, whose form differs with every kind of folder."""
    words = re.findall(rb"(?:[\x20-\x7e]\x00){4,260}", items)
    texts = [word.decode("utf-16-le") for word in words] + [
        word.decode("ascii") for word in re.findall(rb"[\x20-\x7e]{5,260}", items)
    ]
    programs = [text for text in texts if re.search(r"\.(?:exe|dll|cmd|bat|vbs|js|hta|ps1)$", text, re.I)]
    return str((programs or sorted(texts, key=len, reverse=True) or [""])[0])
