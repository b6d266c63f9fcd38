"""Finds the reports in a file or a message: plain, in zip or gzip, attached, in a forwarded mail.

In: octets of unknown kind, from a stranger. Out: `Document`s, unpacked, and `Refused` for what is none, each with the
reason. What a thing is goes by its octets, never by what it calls itself: real reporters mislabel. Everything is
bounded: what is unpacked in all, how many things of one file are looked at, how deep they lie in each other.
Standard: RFC 9990 (gzip, mail), RFC 8460 §3, §5.3; RFC 1952 (gzip), APPNOTE 6.3 (zip).
Not here: what they say (`gatepost.reports`). Why zlib runs in this process: docs/decisions/0009.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from gatepost.message.message import Message, parse_message
from gatepost.message.part import Part
from gatepost.sandbox.limits import MEGABYTE, Limits
from gatepost.sandbox.readers.zip_directory import Entry, overlapping, read_entries
from gatepost.sandbox.unpack import Bomb, Budget, Unpacking

LIMITS = Limits(member=32 * MEGABYTE, total=128 * MEGABYTE)  # the largest reporters' files unpack to 10 MB
MAX_DEPTH = 3  # archive in an archive: one reporter sends gzip in gzip, and a forwarded mail adds none
MAX_MEMBERS = 200  # of one archive
MAX_PARTS = 500  # of one message
_STORED, _DEFLATED = 0, 8
_XML = re.compile(rb"<(?:[\w.-]{1,40}:)?feedback[\s>]", re.IGNORECASE)
_TLS = re.compile(rb'"(?:policies|organization-name)"')
_LOOKED_AT = 1 << 16  # octets in which a sign of a report must stand
_ZIP, _GZIP = (b"PK\x03\x04", b"PK\x05\x06"), b"\x1f\x8b"  # a zip with members, and an empty one
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report's own octets. `kind` is "aggregate" (XML), "tls" (JSON) or "message" (perhaps a failure report)."""

    name: str
    kind: str
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Something that is no report, or must not be read: `code` is stable, `reason` plain words."""

    name: str
    code: str
    reason: str


Found = Document | Refused


def find_documents(name: str, octets: bytes) -> Iterator[Found]:
    """Every report in `octets`; at least one answer. Total: any octets give documents or refusals."""
    budget = Budget(LIMITS, len(octets))
    kind = kind_of(octets)
    if kind:
        yield from _unpacked(name, octets, kind, budget, 0)
    elif not octets.strip():
        yield Refused(name=name, code="empty", reason="it is empty")
    else:
        yield from _in_message(name, parse_message(octets), budget)


def kind_of(octets: bytes) -> str:
    """ "zip", "gzip", "aggregate", "tls", or "" for what may be a message."""
    if octets.startswith(_ZIP):
        return "zip"
    if octets.startswith(_GZIP):
        return "gzip"
    start = octets[:_LOOKED_AT].lstrip(b"".join(_MARKS) + b" \t\r\n\0")
    if start.startswith(b"<"):
        return "aggregate"
    return "tls" if start.startswith((b"{", b"[")) else ""


def _unpacked(name: str, octets: bytes, kind: str, budget: Budget, depth: int) -> Iterator[Found]:
    """What a thing of that kind holds."""
    if kind not in ("zip", "gzip"):
        yield Document(name=name, kind=kind, octets=octets)
        return
    if depth >= MAX_DEPTH:
        yield Refused(
            name=name, code="too-deep", reason=f"archives are packed in each other more than {MAX_DEPTH} deep"
        )
        return
    try:
        members = _zip_members(name, octets, budget) if kind == "zip" else _gzip_member(name, octets, budget)
        for member in members:
            if isinstance(member, Refused):
                yield member
                continue
            inner = kind_of(member.octets)
            if inner:
                yield from _unpacked(member.name, member.octets, inner, budget, depth + 1)
            elif member.octets.strip():
                yield Document(name=member.name, kind="message", octets=member.octets)
            else:
                yield Refused(name=member.name, code="empty", reason="it is empty")
    except Bomb as bomb:
        yield Refused(name=name, code="bomb", reason=f"{bomb}; not unpacked further")
    except (zlib.error, ValueError, EOFError) as error:
        yield Refused(name=name, code="damaged", reason=f"the {kind} archive is damaged: {error}")


def _gzip_member(name: str, octets: bytes, budget: Budget) -> Iterator[Found]:
    """The file inside; what stands behind its first stream is left out."""
    chunks = Unpacking(zlib.decompressobj(31), octets)
    yield Document(name=name, kind="", octets=budget.gather(chunks, len(octets)))


def _zip_members(name: str, octets: bytes, budget: Budget) -> Iterator[Found]:
    entries = [entry for entry in read_entries(octets) if entry.listed and not entry.is_folder]
    if overlapping(entries):
        yield Refused(name=name, code="bomb", reason="members of the zip archive overlap; not unpacked")
        return
    if not entries:
        yield Refused(name=name, code="empty", reason="the zip archive holds nothing")
    for entry in entries[:MAX_MEMBERS]:
        yield _zip_member(f"{name}/{entry.name}", octets, entry, budget)
    if len(entries) > MAX_MEMBERS:
        yield Refused(name=name, code="limit", reason=f"the zip archive holds more than {MAX_MEMBERS} files")


def _zip_member(name: str, octets: bytes, entry: Entry, budget: Budget) -> Found:
    if entry.encrypted:
        return Refused(name=name, code="encrypted", reason="it is encrypted, which reports never are")
    packed = octets[entry.start : entry.start + entry.packed]
    if entry.method == _STORED:
        return Document(name=name, kind="", octets=budget.gather((packed,), len(packed)))
    if entry.method != _DEFLATED:
        return Refused(name=name, code="damaged", reason=f"it is packed in a way (method {entry.method}) nobody needs")
    chunks = Unpacking(zlib.decompressobj(-zlib.MAX_WBITS), packed)
    try:
        return Document(name=name, kind="", octets=budget.gather(chunks, len(packed)))
    except (zlib.error, EOFError) as error:  # the other members may be whole
        return Refused(name=name, code="damaged", reason=f"it cannot be unpacked: {error}")


def _in_message(name: str, message: Message, budget: Budget) -> Iterator[Found]:
    """The reports that a message carries, else the message itself, which may be a failure report."""
    parts = [part for part in islice(message.tree.walk(), MAX_PARTS) if not part.children]
    if any(part.content_type.value == "message/feedback-report" for part in message.tree.walk()):
        yield Document(name=name, kind="message", octets=message.raw)
        return
    carried = False
    for part in parts:
        if part.body_end - part.body_start > LIMITS.member * 2:
            yield Refused(name=name, code="limit", reason="an attachment is larger than any report")
            continue
        octets = part.decoded.octets
        kind = _carried(part, octets)
        if kind:
            carried = True
            yield from _unpacked(f"{name}:{part.filename or kind}"[:300], octets, kind, budget, 0)
    if not carried:
        yield Document(name=name, kind="message", octets=message.raw)


def _carried(part: Part, octets: bytes) -> str:
    """What kind of report a part is; "" for what people write and read."""
    kind = kind_of(octets)
    start = octets[:_LOOKED_AT]
    if kind == "aggregate":
        is_report = _XML.search(start.replace(b"\0", b"")) or part.filename.lower().endswith(".xml")
        return kind if is_report else ""
    if kind == "tls":
        return kind if _TLS.search(start) or "tlsrpt" in part.content_type.value else ""
    return kind
