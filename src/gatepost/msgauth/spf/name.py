"""Domain names as SPF wants them: A-labels, lower case, fit for a DNS question.

In: names out of the envelope. Out: A-labels, or the empty string for what is no name.
Standard: RFC 7208 §4.3 (initial processing), RFC 5890 §2.3.2.1 (A-labels), RFC 8616 §4 (EAI).
Not here: names inside records (`macro`).
"""

from __future__ import annotations

from functools import lru_cache

MAX_INPUT = 1024  # characters; a name of U-labels is never this long, and IDNA is slow on long labels


def to_ascii(domain: str) -> str:
    """`domain` in lower case and A-labels, without the trailing dot; the empty string if it cannot be converted."""
    if len(domain) > MAX_INPUT:
        return ""
    if domain.isascii():
        return domain.lower().removesuffix(".")
    import idna  # only the few names with U-labels pay for its tables

    try:  # label by label: an underscore in one that is ASCII is no reason to refuse the others
        labels = [label if label.isascii() else idna.encode(label, uts46=True).decode() for label in domain.split(".")]
    except (idna.IDNAError, UnicodeError):
        return ""
    return ".".join(labels).lower().removesuffix(".")


def is_askable(name: str) -> bool:
    """Whether DNS can be asked for `name`: labels of 1 to 63 printable ASCII characters, 253 in all.
    A space may stand there, since a policy can write one (RFC 7208 §7.1: "%_"); a backslash means an escape to too
    many readers of names."""
    if len(name) > 253 or not name.isascii() or not name.isprintable() or "\\" in name:
        return False
    return all(0 < len(label) < 64 for label in name.split("."))


def is_checkable(domain: str) -> bool:
    """RFC 7208 §4.3: a well-formed name of several labels, no address literal."""
    return len(domain) <= 253 and _is_checkable(domain)


@lru_cache(maxsize=4096)
def _is_checkable(domain: str) -> bool:
    return "." in domain and "[" not in domain and is_askable(domain)
