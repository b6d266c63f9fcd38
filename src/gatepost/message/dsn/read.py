"""Reads delivery status notifications of other servers, as they really come.

In: a `Message`. Out: `Dsn`, or None for what is none. Total: any message gives an answer.
Standard: RFC 3464 §2 (fields), RFC 3461 §4 (xtext), RFC 6533 §3 (UTF-8 addresses), RFC 6522 (multipart/report).
Not here: reports in free text (qmail and older), which have no grammar.
"""

from __future__ import annotations

import re

from gatepost.message.addresses import parse_addresses
from gatepost.message.dates import parse_date
from gatepost.message.dsn.model import Action, Dsn, DsnRecipient
from gatepost.message.header import EmptyLines, Header, parse_header
from gatepost.message.message import Message
from gatepost.message.part import Part

MAX_RECIPIENTS = 1000  # of one report; most have one
_STATUS_TYPES = frozenset(("message/delivery-status", "message/global-delivery-status"))
_RETURNED_TYPES = frozenset(("message/rfc822", "message/global", "text/rfc822-headers", "message/global-headers"))
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_UNITEXT = re.compile(r"\\x\{([0-9A-Fa-f]{1,6})\}")
_COMMENT = re.compile(r"\([^()]*\)")


def read_dsn(message: Message) -> Dsn | None:
    """The report that `message` is, or None. A delivery-status part in another multipart counts too, as a defect."""
    if b"elivery-" not in message.raw and b"ELIVERY-" not in message.raw:
        return None  # spares the tree of nearly all mail
    tree = message.tree
    # the parts of the report itself: a report about a report holds another one inside
    parts = tree.children
    status = next((part for part in parts if part.content_type.value in _STATUS_TYPES), None)
    if status is None:
        return None
    defects: list[str] = []
    if tree.content_type.value != "multipart/report":
        defects.append("not-a-report")
    groups = _groups(status.decoded.octets, defects)
    about = groups[0] if groups else Header((), 0)
    recipients = tuple(_recipient(group) for group in groups if _names_recipient(group))
    if not recipients:
        defects.append("no-recipients")
    return Dsn(
        reporting_mta=_typed(about.text("reporting-mta"))[1],
        recipients=recipients,
        envid=decode_xtext(about.text("original-envelope-id")),
        arrival=_time(about, "arrival-date"),
        text=_text(parts, status),
        returned=_returned(parts),
        defects=tuple(defects),
    )


def _groups(octets: bytes, defects: list[str]) -> list[Header]:
    """The groups of fields between empty lines: the first about the message, the others about a recipient each."""
    lines = EmptyLines(octets)
    groups: list[Header] = []
    position = 0
    while position < len(octets):
        if len(groups) > MAX_RECIPIENTS:
            defects.append("too-many-recipients")
            break
        end = lines.after(position)
        header = parse_header(octets, position, end)
        if header.fields:
            groups.append(header)
        position = end
    return groups


def _names_recipient(group: Header) -> bool:
    return bool(group.all("final-recipient") or group.all("original-recipient") or group.all("action"))


def _recipient(group: Header) -> DsnRecipient:
    defects: list[str] = []
    kind, final = _typed(group.text("final-recipient"))
    if not final:
        defects.append("no-recipient")
    word = _COMMENT.sub("", group.text("action")).strip().lower()
    action = next((action for action in Action if action.value == word), None)
    if action is None:
        defects.append("bad-action")
    status = _STATUS.search(group.text("status"))
    if status is None:
        defects.append("bad-status")
    diagnostic_type, diagnostic = _typed(group.text("diagnostic-code"))
    original_kind, original = _typed(group.text("original-recipient"))
    return DsnRecipient(
        final_recipient=_address(kind, final),
        original_recipient=_address(original_kind, original),
        action=action,
        status=status[0] if status else "",
        remote_mta=_typed(group.text("remote-mta"))[1],
        diagnostic=diagnostic,
        diagnostic_type=diagnostic_type,
        last_attempt=_time(group, "last-attempt-date"),
        will_retry_until=_time(group, "will-retry-until"),
        defects=tuple(defects),
    )


def _typed(text: str) -> tuple[str, str]:
    """`type; value` (RFC 3464 §2.1.2); without a type the whole is the value."""
    kind, mark, value = text.partition(";")
    if not mark or " " in kind.strip():
        return "", text.strip()
    return kind.strip().lower(), value.strip()


def _address(kind: str, text: str) -> str:
    """The address as it would be in an envelope. An xtext "+" that is none stays."""
    text = text.strip()
    if kind in ("", "rfc822", "utf-8") and ("<" in text or "(" in text):
        found = parse_addresses(text).addresses
        text = found[0] if found else text.strip("<>")
    if kind == "utf-8":
        return _UNITEXT.sub(lambda match: _character(match[1]), text)
    return decode_xtext(text) if kind == "rfc822" else text


def _character(digits: str) -> str:
    number = int(digits, 16)
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else "\N{REPLACEMENT CHARACTER}"


def decode_xtext(text: str) -> str:
    """RFC 3461 §4: "+XX" is an octet. Control characters are not decoded: they have no place in an address."""
    return _XTEXT.sub(lambda match: chr(int(match[1], 16)) if "20" <= match[1] < "7F" else match[0], text)


def _time(header: Header, name: str) -> float | None:
    return parse_date(header.text(name)).epoch if header.all(name) else None


def _text(parts: list[Part], status: Part) -> str:
    """What the report says to people: the first text before the status part."""
    for part in parts:
        if part is status:
            break
        for leaf in part.walk():
            if leaf.content_type.maintype == "text" and not leaf.children:
                return leaf.text
    return ""


def _returned(parts: list[Part]) -> Part | None:
    """The message it is about. For text/rfc822-headers its octets are read as a message of their own."""
    for part in parts:
        if part.content_type.value in _RETURNED_TYPES:
            return part.children[0] if part.children else Message(part.decoded.octets).tree
    return None
