"""What every reader of a kind of content takes and gives.

In: `Content`, the octets of one item and what was said about it. Out: what it tells `Finds`, and the `Member`s inside,
which the walker opens in turn. A reader may raise anything: the walker takes it for a damaged file.
Not here: which reader is for what (`readers`), who calls them (`walker`).

    def read(content: Content, finds: Finds) -> Iterable[Member]:
        finds.trait(content.path, "thing.can-do", how="so")
        finds.link("https://example.org/", source="pdf", item=content.path)
        yield Member(name="inside.txt", octets=b"…")

A generator is best: members are then opened one after the other, and only one is in memory. Nothing is unpacked beyond
`content.limits.member` octets; `gatepost.sandbox.unpack.Budget`, as `content.budget`, counts for the whole message.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.limits import Limits
from gatepost.sandbox.unpack import Budget


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """One item. `path` is what finds are told under. `name` is the likeliest file name, `names` all of them,
    `declared_type` and `disposition` are in lower case, `kind` is a word of `kinds`, `charset` what the Content-Type
    says. `passwords` are words from the message's texts that may open it, likeliest first."""

    path: str
    octets: bytes
    name: str = ""
    names: tuple[str, ...] = ()
    declared_type: str = ""
    kind: str = "unknown"
    charset: str = ""
    disposition: str = ""
    passwords: Sequence[str] = ()
    limits: Limits = field(default_factory=Limits)
    budget: Budget = field(default_factory=Budget)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A file inside. What a container says of it beyond the name is optional; `names` are other readings of it."""

    name: str
    octets: bytes
    names: tuple[str, ...] = ()
    declared_type: str = ""
    charset: str = ""
    disposition: str = ""
    content_id: str = ""


Reader = Callable[[Content, Finds], Iterable[Member]]
