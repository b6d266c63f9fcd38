"""What was found inside a message, prepared for the rules.

In: `Opened`, from the opener. Out: `Content`, whose views are made when a rule first asks.
Not here: opening (`sandbox`), the rules on it (`rules.links`, `rules.attachments`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

from gatepost.inspector.links.seen import Links
from gatepost.inspector.wording import Folded, fold
from gatepost.inspector.wording.adverts import Family, find_adverts
from gatepost.ports import Followed, Item, Opened

_OWN_TEXTS = frozenset(("text", "html", "xml", "css", "ics", "empty"))


class Content:
    """`opened` never changes; `followed` is where some of its links were followed to."""

    def __init__(self, opened: Opened, followed: Iterable[Followed] = ()) -> None:
        self.opened = opened
        self._followed = tuple(followed)

    @cached_property
    def links(self) -> Links:
        """The links, parsed, with where they lead."""
        return Links(self.opened, self._followed)

    @cached_property
    def attachments(self) -> tuple[Item, ...]:
        """What a person could save or open: named parts, other than the message's own texts, and all inside them. What
        is no text is offered for saving without a name too."""
        return tuple(
            item
            for item in self.opened.items
            if item.parent or item.name or item.disposition == "attachment" or item.kind not in _OWN_TEXTS
        )

    @cached_property
    def malware(self) -> tuple[str, ...]:
        """Names of malware that is known without a scanner."""
        found = (trait for item in self.opened.items for trait in item.traits if trait.code.startswith("malware."))
        return tuple(dict.fromkeys(str(trait.evidence.get("name", trait.code)) for trait in found))

    @cached_property
    def visible(self) -> str:
        """What a person reads in the message's own texts, one after the other."""
        return "\n".join(text.visible for text in self.opened.texts)

    @cached_property
    def folded(self) -> Folded:
        """The same as it is compared with the phrases of fraudsters."""
        return fold(self.visible)

    @cached_property
    def adverts(self) -> Mapping[Family, tuple[str, ...]]:
        """The phrases of advertising in it."""
        return find_adverts(self.folded)
