"""Whose names strangers borrow: colleagues and managers, as the configuration and the accounts name them.

In: names with their addresses, accounts. Out: `People`, which tells for a display name whose name it carries.
A name is compared by its words, whatever their order, case, accents and look-alike letters: "SMITH, John (CEO)" is
"John Smith". Standard: none. Not here: brands (`links.lookalike`), what follows (`rules.pretending`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import combinations

from gatepost.inspector.links.lookalike import skeleton

MAX_NAME = 200  # characters of a display name that are read
MAX_WORDS = 6  # words that a name may stand among; each pair and triple of them is looked up
_WORDS = re.compile(r"[^\W_]{2,60}")
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


class People:
    """Made once for a configuration; cheap to ask."""

    def __init__(self, names: Mapping[str, Iterable[str]], accounts: Iterable[str] = ()) -> None:
        """`names` are names as people write them, each with its addresses; of an account ("john.smith@…") the name is
        in the local part, if it has one with two words."""
        self._known: dict[frozenset[str], tuple[str, frozenset[str]]] = {}
        for name, addresses in names.items():
            self._add(name, addresses)
        for account in accounts:
            local = account.partition("@")[0].partition("+")[0]
            words = [word for word in re.split(r"[._-]", local) if word.isalpha() and len(word) > 1]
            if 2 <= len(words) <= 3:
                self._add(" ".join(words).title(), (account,))

    def _add(self, name: str, addresses: Iterable[str]) -> None:
        words = frozenset(words_of(name))
        if words:
            shown, known = self._known.get(words, (name, frozenset()))
            self._known[words] = (shown, known | {address.lower() for address in addresses})

    def __bool__(self) -> bool:
        return bool(self._known)

    def whose(self, display_name: str) -> tuple[str, frozenset[str]] | None:
        """The person whose name stands in `display_name`, with the addresses that are his; None for nobody's."""
        words = words_of(display_name)
        if not self._known or not words or len(words) > MAX_WORDS:
            return None
        whole = self._known.get(frozenset(words))
        if whole is not None:
            return whole
        for size in (3, 2):
            for some in combinations(words, size):
                found = self._known.get(frozenset(some))
                if found is not None:
                    return found
        return None


NOBODY = People({})


def words_of(name: str) -> list[str]:
    """The words of a name as they are compared."""
    text = _INVISIBLE.sub("", name[:MAX_NAME])
    return [skeleton(word.casefold()) for word in _WORDS.findall(text)]
