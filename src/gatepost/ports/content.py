"""What is inside a message, as pure rooms ask for it.

In: the octets of a message. Out: `Opened`: items, links, texts and what went wrong, as frozen values of plain types.
Everything here was written by a stranger: text is limited in length by who answers, and may hold any character.
Not here: who opens (`sandbox`), what is made of it (`inspector`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An address that a reader, or his mail program, could follow.

    `target` is as it stands once the format's own escapes are undone (HTML entities, PDF strings), not normalised.
    `shown` is what a person sees in its place, empty where that is the target itself or nothing. `source` is where it
    stood: "text", "html-a", "html-area", "html-form", "html-base", "html-refresh", "html-image", "html-style",
    "html-script", "html-frame", "svg", "calendar", "pdf", "office", "shortcut", "code" (a QR or other code in a
    picture), "header". `item` is the path of the `Item` or `Text` it was found in.
    """

    target: str
    shown: str = ""
    source: str
    item: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text that a person reads. `kind` is "plain", "html", "calendar", "pdf" or "office". `visible` is what shows,
    `hidden` what stands there without showing (styles, zero size, colour on the same colour). `item` is the path."""

    item: str
    kind: str
    visible: str
    hidden: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trait:
    """Something a format can do that matters: `code` is dotted ("office.macro", "pdf.open-action",
    "archive.encrypted"), `evidence` JSON values. `sandbox/README` in docs lists the codes."""

    code: str
    evidence: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A leaf of the MIME tree, or a member of an archive or document in it.

    `path` is unique: part numbers as IMAP counts them ("1", "2.1"), then "/" and a number for each member inside
    ("2/1"). `parent` is the path of what holds it, empty for a part of the message. `names` are all the file names
    some reader may take, `name` the one most take. `declared_type` is the Content-Type's, in lower case ("" inside
    archives); `kind` is what the octets are, a word of `sandbox.kinds` ("pdf", "zip", "pe", "html", "text", "ole",
    "docx", "png", "unknown", …). `size` and `sha256` are of the decoded octets. `disposition` is "attachment",
    "inline" or "".
    """

    path: str
    parent: str = ""
    name: str = ""
    names: tuple[str, ...] = ()
    declared_type: str = ""
    kind: str
    size: int
    sha256: str
    disposition: str = ""
    content_id: str = ""
    traits: tuple[Trait, ...] = ()

    def trait(self, code: str) -> Trait | None:
        """The first trait with this code."""
        return next((trait for trait in self.traits if trait.code == code), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Something could not be opened to the end. `code` is "bomb" (made to overwhelm: ratio, depth, overlap,
    itself inside), "limit" (more or larger than is looked at), "crash", "time", "memory", "output", "damaged" (the
    format is broken), "encrypted" or "unavailable" (no reader, no child); `item` is the path or empty for the whole
    message, `reason` plain words."""

    code: str
    item: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """All that was found; `trouble` is empty when everything was opened to the end."""

    items: tuple[Item, ...] = ()
    links: tuple[Link, ...] = ()
    texts: tuple[Text, ...] = ()
    trouble: tuple[Trouble, ...] = ()


class Opener(Protocol):
    """Opens messages where a parser may crash without harm."""

    def begin(self, raw: bytes) -> Awaitable[Opened]:
        """Starts at once; the answer is awaited when it is needed. It comes within the opener's own deadline and never
        raises: what fails is in `Opened.trouble`."""
        ...
