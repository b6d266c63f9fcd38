"""Addresses of cryptocurrency wallets in a text: what extortion wants to be paid to.

In: a text. Out: the addresses, each with its currency. Standard: none (Bitcoin's base58check and BIP 173's form, in
length and letters; Ethereum's hexadecimal). Checksums are proven where hashing is enough (base58check), so that an id
that looks alike is none. Not here: what is written beside them (`topics`).
"""

from __future__ import annotations

import re
from hashlib import sha256

MAX_TEXT = 20_000  # characters that are looked through
MAX_FOUND = 5
MIN_WALLET = 26  # characters of the shortest address
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_SHAPES = re.compile(
    r"(?<![\w/=.+-])(?:(?P<bech32>bc1[ac-hj-np-z02-9]{39}(?:[ac-hj-np-z02-9]{20})?)"
    rf"|(?P<base58>[13LM][{_BASE58}]{{25,34}})|(?P<hex>0x[0-9a-fA-F]{{40}}))(?![\w/=+-])"
)
# where one may begin: the engine steps over all other characters at once
_STARTS = re.compile(r"[b13LM0](?<![\w/=.+-].)", re.DOTALL)


def find_wallets(text: str) -> tuple[str, ...]:
    """The wallet addresses in `text`, each once, at most five."""
    found: dict[str, None] = {}
    text, end = text[:MAX_TEXT], 0
    for start in _STARTS.finditer(text):
        match = _SHAPES.match(text, start.start()) if start.start() >= end else None
        if match is None:
            continue
        end = match.end()
        if match["base58"] is None or _is_base58check(match["base58"]):
            found[match[0]] = None
        if len(found) == MAX_FOUND:
            break
    return tuple(found)


def _is_base58check(address: str) -> bool:
    number = 0
    for letter in address:
        number = number * 58 + _BASE58.index(letter)
    octets = number.to_bytes(26, "big")[-25:] if number < 1 << 200 else b""
    return bool(octets) and sha256(sha256(octets[:-4]).digest()).digest()[:4] == octets[-4:]
