"""How addresses of ours are spelt: case, A-labels, quotes, sub-addresses.

In: addresses as clients and the configuration write them. Out: one spelling of each, for look-ups.
Standard: RFC 5321 §2.4 (case), §4.1.2 (quoting), RFC 5891 (A-labels), RFC 5233 (sub-addresses).
Not here: who has an address (`recipients`).
"""

from __future__ import annotations

import re


def ascii_domain(domain: str) -> str:
    """`domain` in lower case and A-labels; what IDNA refuses stays as it is, and then matches no served domain."""
    lowered = domain.lower().rstrip(".")
    if lowered.isascii():
        return lowered
    import idna

    try:
        return idna.encode(lowered, uts46=True).decode("ascii")
    except idna.IDNAError:
        return lowered


def candidates(local: str, separator: str) -> tuple[str, ...]:
    """The local part itself, then without its sub-address."""
    base = local.partition(separator)[0] if separator else local
    return (local, base) if base and base != local else (local,)


_PAIR = re.compile(r"\\(.)")


def unquoted(local: str) -> str:
    """RFC 5321 §4.1.2: "ann" in quotes is the same local part as ann."""
    if len(local) >= 2 and local[0] == local[-1] == '"':
        return _PAIR.sub(r"\1", local[1:-1])
    return local


_PLAIN = re.compile(
    r"[^\x00-\x20\x7f\"(),.:;<>@\[\\\]]+(?:\.[^\x00-\x20\x7f\"(),.:;<>@\[\\\]]+)*"
)  # RFC 5321 §4.1.2: Dot-string


def quoted(local: str) -> str:
    """The other way round: a local part that means something else bare is quoted."""
    if _PLAIN.fullmatch(local):
        return local
    return '"' + local.replace("\\", "\\\\").replace('"', '\\"') + '"'


def full_address(address: str, domain: str) -> str:
    """`address` in lower case, with `domain` where it names none."""
    local, at, own = address.rpartition("@")
    return f"{local.lower()}@{ascii_domain(own)}" if at else f"{address.lower()}@{domain}"
