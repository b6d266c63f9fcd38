"""Makes a message that an account handed in fit to be signed and sent.

In: the octets, our name, the time, a word that is used once. Out: `Prepared`: what is missing added (Date, Message-ID,
for bulk mail the way off the list), what must not leave removed (Bcc, fields that claim to be ours), lines short and
in seven bits, so that no server on the way changes what was signed.
Standard: RFC 6409 §8 (what a submission server may mend), RFC 5322 §3.6, RFC 6376 §5.3.
Not here: who may write as whom (`policy`), the signatures (`server.signing.signer`), Received (`pipeline.stamp`).
Received fields stay: RFC 5321 §4.4 says so, and a loop over this port is known by them.

    prepared = prepare(raw, hostname=…, now=…, unique=spool_id, recipients=…, unsubscribe=… if is_bulk else None)
    if prepared.problem: answer 550 5.6.0 with it
    signed = signer.sign(prepared.raw, prepared.author_domain, now)
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gatepost.message.addresses import parse_addresses
from gatepost.message.dates import write_date
from gatepost.message.header import RawField
from gatepost.message.message import Message, parse_message
from gatepost.message.seven_bit import MAX_LINE, has_long_line, to_seven_bit
from gatepost.msgauth.authres import ranges_to_drop, without_ranges
from gatepost.server.submission.unsubscribe import Unsubscribe

_SECRET = ("bcc", "resent-bcc")
_NEWLINE = re.compile(rb"\r\n|\r|\n")
_FOLD = 78  # RFC 5322 §2.1.1 asks for it where a line is folded anyway


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """`author_domain` is that of the first author, as written and in lower case; empty without any. `changes` are words
    for the log. `is_seven_bit`: it may go to servers without 8BITMIME. `problem` says why the message cannot be sent,
    for the reply; empty: it can."""

    raw: bytes
    author_domain: str
    message_id: str
    changes: tuple[str, ...] = ()
    is_seven_bit: bool = True
    problem: str = ""


def prepare(
    raw: bytes,
    *,
    hostname: str,
    now: float,
    unique: str,
    recipients: Sequence[str] = (),
    unsubscribe: Unsubscribe | None = None,
    seven_bit: bool = True,
) -> Prepared:
    """The message as it will be signed. `unique` is the left half of a Message-ID that is missing: the spool's id.
    `unsubscribe` is given for bulk accounts alone. Total: any octets give a Prepared."""
    changes: list[str] = []
    if b"\n" in raw and b"\r" not in raw:  # a file as it was saved: nothing that SMTP brings
        raw = raw.replace(b"\n", b"\r\n")
    message = _with_short_fields(_without_fields(parse_message(raw), hostname, changes), changes)
    is_clean = message.raw[message.header.end :].isascii()
    if seven_bit:
        encoded = to_seven_bit(message)
        is_clean = encoded.is_clean
        if encoded.raw is not message.raw:
            changes.append("encoded")
            message = parse_message(encoded.raw)
    author = _author(message)
    added = _missing(message, hostname, now, unique, changes)
    if unsubscribe is not None:
        fields = unsubscribe.fields(message.header, author, recipients)
        if fields:
            changes.append("unsubscribe")
            added += fields
    done = parse_message(_on_top(added, message)) if added else message
    return Prepared(
        raw=done.raw,
        author_domain=author.rpartition("@")[2].lower(),
        message_id=done.header.text("message-id"),
        changes=tuple(changes),
        is_seven_bit=is_clean and done.raw[: done.header.end].isascii(),
        problem=_problem(done, is_clean=is_clean and seven_bit),
    )


def _without_fields(message: Message, hostname: str, changes: list[str]) -> Message:
    """Without what only we may write (Return-Path, Gatepost-*, results in our name) and what nobody may see."""
    ranges = ranges_to_drop(message.header, hostname)
    if ranges:
        changes.append("removed-ours")
    hidden = tuple(
        (field.offset, field.offset + len(field.raw)) for name in _SECRET for field in message.header.all(name)
    )
    if hidden:
        changes.append("removed-bcc")
    every = sorted((*ranges, *hidden))
    return parse_message(without_ranges(message.raw, every)) if every else message


def _with_short_fields(message: Message, changes: list[str]) -> Message:
    """Line ends of the header section made CRLF; fields with lines over 998 octets folded at their blanks."""
    pieces = [_folded(field) for field in message.header]
    if all(piece is field.raw for piece, field in zip(pieces, message.header, strict=True)):
        return message
    changes.append("folded")
    last = message.header.fields[-1]
    rest = message.raw[last.offset + len(last.raw) :]
    return parse_message(b"".join(pieces) + (b"\r" if rest.startswith(b"\n") else b"") + rest)


def _folded(field: RawField) -> bytes:
    """The same object where nothing has to change."""
    text = field.raw
    if text.count(b"\r\n") != max(text.count(b"\n"), text.count(b"\r")):
        text = _NEWLINE.sub(b"\r\n", text)
    if not has_long_line(text):
        return text
    folded = b"\r\n".join(_fold_line(line) if len(line) > MAX_LINE else line for line in text.split(b"\r\n"))
    return folded if folded != text else text


def _fold_line(line: bytes) -> bytes:
    """Breaks before blanks, where RFC 5322 §2.2.3 lets a line break; a line of blanks alone must not arise."""
    lines, start, end = [], 0, len(line.rstrip())
    while len(line) - start > _FOLD:
        cut = line.rfind(b" ", start + 1, start + _FOLD)
        if cut < 0 or not line[start:cut].strip():
            cut = line.find(b" ", start + _FOLD)
        if not line[start : max(cut, start)].strip() or cut >= end:
            break
        lines.append(line[start:cut])
        start = cut
    return b"\r\n".join((*lines, line[start:]))


def _author(message: Message) -> str:
    """The first address in From, empty without one."""
    field = message.header.first("from")
    addresses = parse_addresses(field.value).addresses if field is not None else ()
    return addresses[0] if addresses else ""


def _missing(message: Message, hostname: str, now: float, unique: str, changes: list[str]) -> bytes:
    """RFC 6409 §8.2 and §8.3: Date and Message-ID where there is none."""
    added = b""
    if message.header.first("date") is None:
        changes.append("added-date")
        added += f"Date: {write_date(now)}\r\n".encode("ascii")
    if message.header.first("message-id") is None:
        changes.append("added-message-id")
        added += f"Message-ID: <{unique}@{hostname}>\r\n".encode("ascii", "replace")
    return added


def _on_top(fields: bytes, message: Message) -> bytes:
    """Octets without any field are all body: an empty line keeps them from being read as fields below ours."""
    border = b"\r\n" if not message.header.fields and not message.raw.startswith(b"\r\n") else b""
    return fields + border + message.raw


def _problem(message: Message, *, is_clean: bool) -> str:
    """What nobody can mend: the next server would refuse the message, or break lines in the middle of a word."""
    header, body = message.raw[: message.header.end], b"" if is_clean else message.raw[message.header.end :]
    for name, octets in (("header", header), ("body", body)):
        if has_long_line(octets):
            return f"a line of the {name} has more than {MAX_LINE} octets and cannot be broken"
    return ""
