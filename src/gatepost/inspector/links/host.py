"""The host of a URL as a browser would reach it, whatever way it is written.

In: the text between the slashes, without user-info and port. Out: `Host`: its canonical name or address, how it reads
to a person, and what was odd about it. Bounded: names longer than DNS allows are cut off as "bad".
Standard: the WHATWG URL Standard §3.5 (host parsing), RFC 3986 §3.2.2, UTS 46 (IDNA as browsers map it).
Where one label is no valid IDNA, that label alone is kept as it stands, since other programs would still send it.
Not here: the rest of the URL (`url`), whom a name belongs to (`domain`), what it looks like (`lookalike`).
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

import idna

MAX_HOST = 1024  # characters looked at: DNS names have 253, and percent-encoding triples them
MAX_NAME = 253  # RFC 1035 §2.3.4, without the final dot
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064"
    "\u2066-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0]"
)
_PLAIN = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_DOTS = str.maketrans("\u3002\uff0e\uff61", "...")  # UTS 46 §2.3: ideographic and full-width full stops
_FORBIDDEN = frozenset("\0\t\n\r #/:<>?@[\\]^|%")
_NUMBER = re.compile(r"0[xX][0-9a-fA-F]*|[0-9]+")


class HostMark(enum.StrEnum):
    """What is odd about a host."""

    ENCODED = "encoded"  # written with percent signs
    INVISIBLE = "invisible"  # holds characters that do not show
    ADDRESS = "address"  # an IP address in its usual form
    ODD_ADDRESS = "odd-address"  # an IP address as one number, in octal, in hexadecimal or with parts missing
    PUNYCODE = "punycode"  # a label that is xn-- in DNS
    BAD = "bad"  # no browser would follow it


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """`ascii` is what is looked up: lower case, "xn--" labels, an IP address in canonical form without brackets; empty
    when there is none. `shown` is the name with its letters as a person may see them."""

    ascii: str = ""
    shown: str = ""
    marks: frozenset[HostMark] = frozenset()

    @property
    def is_address(self) -> bool:
        """Whether it is an IP address."""
        return HostMark.ADDRESS in self.marks or HostMark.ODD_ADDRESS in self.marks


NO_HOST = Host()


@lru_cache(maxsize=4096)
def parse_host(text: str) -> Host:
    """The host that `text` names; never raises."""
    if not text:
        return NO_HOST
    if len(text) > MAX_HOST:
        return Host(ascii=text[:MAX_NAME].lower(), shown=text[:MAX_NAME], marks=frozenset({HostMark.BAD}))
    if text[0] == "[":
        return _literal(text)
    marks: set[HostMark] = set()
    name = text
    if "%" in name:
        marks.add(HostMark.ENCODED)
        name = percent_decode(name)
    if not name.isascii():
        if INVISIBLE.search(name):
            marks.add(HostMark.INVISIBLE)
            name = INVISIBLE.sub("", name)
        name = _mapped(name.translate(_DOTS))
    name = name.lower().rstrip(".") if name.endswith(".") else name.lower()
    address = _ipv4(name)
    if address is not None:
        marks.add(HostMark.ADDRESS if address == name else HostMark.ODD_ADDRESS)
        return Host(ascii=address, shown=address, marks=frozenset(marks))
    shown = name
    if "xn--" in name or not name.isascii():
        marks.add(HostMark.PUNYCODE)
        shown, name = _both_forms(name)
    if not _PLAIN.fullmatch(name) and (not _FORBIDDEN.isdisjoint(name) or ".." in name or not name.strip(".")):
        marks.add(HostMark.BAD)
    if len(name) > MAX_NAME:
        marks.add(HostMark.BAD)
    return Host(ascii=name, shown=shown, marks=frozenset(marks))


def percent_decode(text: str) -> str:
    """`text` with %XX undone as UTF-8, octets that are none kept as U+FFFD. Linear."""
    if "%" not in text:
        return text
    head, *rest = text.encode("utf-8", "replace").split(b"%")
    out = [head]
    for piece in rest:
        try:
            out.append(bytes((int(piece[:2], 16),)) + piece[2:] if _is_hex(piece[:2]) else b"%" + piece)
        except ValueError:
            out.append(b"%" + piece)
    return b"".join(out).decode("utf-8", "replace")


def _is_hex(octets: bytes) -> bool:
    return len(octets) == 2 and octets.isalnum()


def _mapped(name: str) -> str:
    """UTS 46 mapping: full-width and mathematical letters become plain ones. What it refuses stays."""
    try:
        return idna.uts46_remap(name, std3_rules=False, transitional=False)
    except (idna.IDNAError, UnicodeError, IndexError):
        return name.casefold()


def _both_forms(name: str) -> tuple[str, str]:
    """The name as letters and as DNS has it, label by label."""
    shown, wire = [], []
    for label in name.split("."):
        letters, octets = _label(label)
        shown.append(letters)
        wire.append(octets)
    return ".".join(shown), ".".join(wire)


@lru_cache(maxsize=1024)
def _label(label: str) -> tuple[str, str]:
    if label.startswith("xn--"):
        try:
            return label[4:63].encode("ascii").decode("punycode"), label
        except (UnicodeError, OverflowError, IndexError, ValueError):
            return label, label
    if label.isascii():
        return label, label
    try:
        return label, idna.alabel(label).decode("ascii")
    except (idna.IDNAError, UnicodeError, IndexError):
        pass
    try:  # an emoji, say: not valid in IDNA 2008, but browsers look it up
        return label, "xn--" + label[:63].encode("punycode").decode("ascii")
    except (UnicodeError, OverflowError):
        return label, label


def _literal(text: str) -> Host:
    inside = text[1:].partition("]")[0].partition("%")[0]
    try:
        address = IPv6Address(inside)
    except ValueError:
        return Host(ascii=text.lower()[:MAX_NAME], shown=text[:MAX_NAME], marks=frozenset({HostMark.BAD}))
    mapped = address.ipv4_mapped
    if mapped is not None:  # the same machine as the IPv4 address
        return Host(ascii=str(mapped), shown=str(mapped), marks=frozenset({HostMark.ODD_ADDRESS}))
    return Host(ascii=str(address), shown=str(address), marks=frozenset({HostMark.ADDRESS}))


def _ipv4(name: str) -> str | None:
    """The IPv4 address that browsers and the C library see in `name`: up to four parts, each decimal, octal or
    hexadecimal, the last one filling what is left (WHATWG URL §3.5.1). None when it is none."""
    if not name or name[-1] not in "0123456789abcdefx":
        return None
    parts = name.split(".")
    if len(parts) > 4 or not all(_NUMBER.fullmatch(part) and len(part) < 64 for part in parts):
        return None
    values = [_number(part) for part in parts]
    if any(value is None for value in values):
        return None
    numbers = [value for value in values if value is not None]
    if any(number > 255 for number in numbers[:-1]) or numbers[-1] >= 256 ** (5 - len(numbers)):
        return None
    total = numbers[-1]
    for at, number in enumerate(numbers[:-1]):
        total += number << (8 * (3 - at))
    return str(IPv4Address(total))


def _number(part: str) -> int | None:
    try:
        if part[:2] in ("0x", "0X"):
            return int(part[2:] or "0", 16)
        if len(part) > 1 and part[0] == "0":
            return int(part, 8)
        return int(part)
    except ValueError:
        return None
