"""What a client called itself: can it be true?

In: the argument of HELO or EHLO, the client's address, our own names. Out: a word and a sentence, or None.
Standard: RFC 5321 §4.1.1.1, §4.1.3. Whether a name leads to the address is not asked: §4.1.4 forbids refusing for it.
Not here: what the name weighs with a message (`inspector.rules.client`).
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from gatepost.wire.smtp.hello import is_host_name, literal_address

SHOWN = 100  # characters of the name in a sentence


class WrongHello(NamedTuple):
    """`word` is stable: "not-a-name", "ours" or "literal-differs"."""

    word: str
    words: str


@lru_cache(maxsize=1024)
def wrong_hello(ehlo: str, client_ip: str, own_names: frozenset[str]) -> WrongHello | None:
    """What is wrong with `ehlo`; `own_names` are in lower case."""
    if ehlo.startswith("["):
        address = literal_address(ehlo)
        if address == client_ip:
            return None
        return WrongHello("literal-differs", f"it introduced itself as {ehlo[:SHOWN]}, which is another address")
    if ehlo.lower().rstrip(".") in own_names:
        return WrongHello("ours", f"it introduced itself by our own name {ehlo[:SHOWN]}")
    if not is_host_name(ehlo):
        return WrongHello("not-a-name", f"it introduced itself as {ehlo[:SHOWN]}, which is no full host name")
    return None
