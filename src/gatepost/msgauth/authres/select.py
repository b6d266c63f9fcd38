"""Whose results a field claims to be: those that claim to be ours go on the way in, those of trusted neighbours stay.

In: a header and our authserv-id. Out: indexes of fields, or ranges of octets to leave out.
Standard: RFC 8601 §5 (removing), §7.1 (forged fields); RFC 8616 §5 (U-labels).
Not here: whom to trust (the configuration says).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gatepost.message.header import Header, RawField
from gatepost.msgauth.authres.record import parse_authentication_results
from gatepost.msgauth.authres.result import AuthenticationResults
from gatepost.msgauth.dkim.domains import to_ascii

FIELD = "authentication-results"
OURS_BY_NAME = ("return-path",)
OURS_BY_PREFIX = ("gatepost-",)

_COMMENT = re.compile(r"\([^()]*\)")
_NOISE = re.compile(r'[\s"\\()]+')


def remove_ours(header: Header, authserv_id: str) -> tuple[int, ...]:
    """The indexes of all Authentication-Results that claim to be `authserv_id`'s, in whatever disguise."""
    if not header.all(FIELD):
        return ()
    return tuple(i for i, field in enumerate(header.fields) if field.key == FIELD and claims(field, authserv_id))


def claims(field: RawField, authserv_id: str) -> bool:
    """True when a reader could take the field for `authserv_id`'s: the id is equal in any case, script or quoting, or
    the field cannot be read properly and mentions it (RFC 8601 §5 lets us remove too many rather than too few)."""
    ours = same_form(authserv_id)
    text = field.text
    head = text.partition(";")[0]
    if same_form(head) == ours or same_form(_COMMENT.sub("", head)) == ours:
        return True
    results = parse_authentication_results(text)
    if same_form(results.authserv_id) == ours:
        return True
    return bool(results.defects) and (ours in same_form(text) or authserv_id.lower() in text.lower())


def same_form(authserv_id: str) -> str:
    """An authserv-id for comparison: A-labels, lower case, without quotes, white space, a version or a last dot."""
    words = authserv_id.split()
    if len(words) == 2 and words[1].isdigit():
        authserv_id = words[0]
    # "/" is in no token (RFC 2045 §5.1), so that a strict reader takes "mx.example/1" for "mx.example"
    plain = _NOISE.sub("", authserv_id).partition("/")[0].rstrip(".")
    return to_ascii(plain.encode("utf-8", "replace")) or plain.lower()


def ranges_to_drop(
    header: Header,
    authserv_id: str,
    names: Iterable[str] = OURS_BY_NAME,
    prefixes: Iterable[str] = OURS_BY_PREFIX,
) -> tuple[tuple[int, int], ...]:
    """Ranges of octets (start, end) of the message that hold fields which only we may write: our results,
    Return-Path, Gatepost-*. Neighbouring ranges are joined."""
    wanted, starts = frozenset(names), tuple(prefixes)
    ranges: list[tuple[int, int]] = []
    for field in header.fields:
        drop = field.key in wanted or field.key.startswith(starts)
        if drop or (field.key == FIELD and claims(field, authserv_id)):
            start, end = field.offset, field.offset + len(field.raw)
            if ranges and ranges[-1][1] == start:
                ranges[-1] = (ranges[-1][0], end)
            else:
                ranges.append((start, end))
    return tuple(ranges)


def without_ranges(raw: bytes, ranges: Sequence[tuple[int, int]]) -> bytes:
    """`raw` without those ranges; the same object when there are none."""
    if not ranges:
        return raw
    parts, position = [], 0
    for start, end in ranges:
        parts.append(raw[position:start])
        position = end
    parts.append(raw[position:])
    return b"".join(parts)


def trusted_results(header: Header, authserv_ids: Iterable[str]) -> tuple[AuthenticationResults, ...]:
    """What the named servers found, top to bottom. Only the topmost run of each is theirs for sure; the caller must
    know that they remove forged ones (RFC 8601 §7.1)."""
    wanted = {same_form(one) for one in authserv_ids}
    parsed = (parse_authentication_results(field.text) for field in header.all(FIELD)[:50])
    return tuple(results for results in parsed if same_form(results.authserv_id) in wanted)
