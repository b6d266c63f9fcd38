"""Domain names and selectors as DNS wants them.

In: the octets of a `d=`, `s=` or `i=`. Out: text in A-labels and lower case, or "" for what cannot be a name.
Standard: RFC 8616 §3 (U-labels may stand there), RFC 5890 (labels), RFC 1035 §2.3.4 (lengths).
Not here: DNS itself (`lookup`).
"""

from __future__ import annotations

from functools import lru_cache

import idna

_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789-_"


MAX_NAME = 1000  # octets of a name as written; with U-labels it is longer than the 253 of RFC 1035 §2.3.4


def to_ascii(name: bytes) -> str:
    """`name` in A-labels, lower case, without a trailing dot; "" when it is no name. Underscores are let through:
    they stand in real selectors."""
    return _to_ascii(name) if len(name) <= MAX_NAME else ""  # a longer one must not fill the cache


@lru_cache(maxsize=4096)
def _to_ascii(name: bytes) -> str:
    if not name.isascii():
        name = _encode(name)
    lower = name.lower()
    labels = lower.split(b".")
    if not lower or len(lower) > 253 or lower.translate(None, _LETTERS + b"."):
        return ""
    if not all(0 < len(label) < 64 for label in labels):
        return ""
    return lower.decode("ascii")


def _encode(name: bytes) -> bytes:
    """U-labels to A-labels; b"" when that cannot be done."""
    try:
        text = name.decode("utf-8")
        return b".".join(_encode_label(label) for label in text.split("."))
    except (UnicodeError, ValueError):  # idna's errors are UnicodeErrors
        return b""


def _encode_label(label: str) -> bytes:
    """One label. ASCII ones pass as they are: idna refuses the underscores that stand in selectors."""
    return label.encode("ascii") if label.isascii() else idna.encode(label, uts46=True)


def is_within(name: str, domain: str) -> bool:
    """True when `name` is `domain` or below it (both in A-labels)."""
    return name == domain or name.endswith("." + domain)
