"""What is found while a message is opened, gathered under limits; how it crosses to the parent and is checked there.

In: calls of the walker and its readers, in the child. Out: `write()`, JSON values; `read_opened`, in the parent, makes
`Opened` of them and believes nothing: a child that was taken over may answer anything.
Standard: DESIGN, "output as size-limited, schema-checked JSON, never pickle". Not here: the pipe (`child`, `pool`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gatepost.ports import Item, Link, Opened, Text, Trait, Trouble
from gatepost.sandbox.limits import Limits

LINK_SOURCES = frozenset(
    (
        *("text", "html-a", "html-area", "html-form", "html-base", "html-refresh", "html-image", "html-style"),
        *("html-script", "html-frame", "svg", "calendar", "pdf", "office", "shortcut", "code", "header"),
    )
)
TEXT_KINDS = frozenset(("plain", "html", "calendar", "pdf", "office"))
TROUBLE_CODES = frozenset(
    ("bomb", "limit", "crash", "time", "memory", "output", "damaged", "encrypted", "unavailable"),
)
MAX_DEEP = 4  # levels of lists and tables in evidence


class Finds:
    """Gathers what readers find. No method raises for what a stranger wrote: what is too long is cut, what is too
    much is left out, and one `Trouble` says so."""

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self._items: dict[str, dict[str, Any]] = {}
        self._traits: dict[str, list[dict[str, Any]]] = {}
        self._trait_count = 0
        self._links: dict[tuple[str, str, str, str], None] = {}
        self._texts: list[dict[str, Any]] = []
        self._text_room = self.limits.text_total
        self._trouble: dict[tuple[str, str, str], None] = {}

    def item(
        self,
        path: str,
        *,
        kind: str,
        size: int,
        sha256: str,
        parent: str = "",
        name: str = "",
        names: Sequence[str] = (),
        declared_type: str = "",
        disposition: str = "",
        content_id: str = "",
    ) -> bool:
        """An item was met; False when there are too many and nothing should be done with it. The walker's to call."""
        if len(self._items) >= self.limits.items:
            self.trouble("limit", reason=f"more than {self.limits.items} parts and files")
            return False
        length = self.limits.name_length
        self._items[path] = {
            "path": path,
            "parent": parent,
            "name": _text(name, length),
            "names": [_text(each, length) for each in names[: self.limits.names]],
            "declared_type": _text(declared_type, 127),
            "kind": _text(kind, 40),
            "size": size,
            "sha256": sha256,
            "disposition": _text(disposition, 40),
            "content_id": _text(content_id, 250),
        }
        return True

    def link(self, target: str, *, source: str, item: str, shown: str = "") -> None:
        """A link whose target, without the format's own escapes, is `target`; `source` is one of LINK_SOURCES."""
        if len(self._links) >= self.limits.links:
            self.trouble("limit", reason=f"more than {self.limits.links} links")
            return
        key = (_text(target, self.limits.link_length), _text(shown, self.limits.shown_length), source, item)
        self._links[key] = None

    def text(self, *, item: str, kind: str, visible: str, hidden: str = "") -> None:
        """A text that a person reads; `kind` is one of TEXT_KINDS. What does not fit is cut."""
        if len(self._texts) >= self.limits.texts:
            self.trouble("limit", reason=f"more than {self.limits.texts} texts")
            return
        shown = _text(visible, min(self.limits.text_length, self._text_room))
        self._text_room -= len(shown)
        unseen = _text(hidden, min(self.limits.text_length, self._text_room))
        self._text_room -= len(unseen)
        self._texts.append({"item": item, "kind": kind, "visible": shown, "hidden": unseen})

    def trait(self, item_path: str, code: str, **evidence: Any) -> None:
        """Something `item_path` can do that matters; the same code twice for one item counts once."""
        traits = self._traits.setdefault(item_path, [])
        if self._trait_count >= self.limits.traits or any(trait["code"] == code for trait in traits):
            return
        self._trait_count += 1
        traits.append({"code": code, "evidence": self._evidence(evidence, 0)})

    def has_trait(self, item_path: str, code: str) -> bool:
        """Whether `trait` was called so."""
        return any(trait["code"] == code for trait in self._traits.get(item_path, ()))

    def trouble(self, code: str, item: str = "", reason: str = "") -> None:
        """Something could not be opened to the end; `code` is one of TROUBLE_CODES."""
        if len(self._trouble) < self.limits.trouble:
            self._trouble[(code, item, _text(reason, 200))] = None

    @property
    def texts(self) -> Sequence[str]:
        """What was read so far, for who looks for passwords."""
        return [text["visible"] for text in self._texts]

    def write(self) -> dict[str, Any]:
        """All of it as JSON values."""
        items = sorted(self._items.items(), key=lambda entry: _order(entry[0]))  # texts are opened before the rest
        return {
            "items": [{**item, "traits": self._traits.get(path, [])} for path, item in items],
            "links": [{"target": t, "shown": w, "source": s, "item": i} for t, w, s, i in self._links],
            "texts": self._texts,
            "trouble": [{"code": c, "item": i, "reason": r} for c, i, r in self._trouble],
        }

    def opened(self) -> Opened:
        """All of it as the port's value, without the way through JSON."""
        return read_opened(self.write(), self.limits)

    def _evidence(self, value: Any, level: int) -> Any:
        most = self.limits.evidence_entries
        if value is None or isinstance(value, bool | float):
            return value if value is None or value == value else None
        if isinstance(value, int):
            return value if abs(value) < 1 << 63 else str(1 << 63)
        if isinstance(value, str):
            return _text(value, self.limits.evidence_length)
        if level >= MAX_DEEP:
            return None
        if isinstance(value, Mapping):
            return {_text(str(k), 60): self._evidence(v, level + 1) for k, v in list(value.items())[:most]}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._evidence(each, level + 1) for each in list(value)[:most]]
        return _text(str(value), self.limits.evidence_length)


def _order(path: str) -> list[tuple[int, ...]]:
    """By number: 1, 2, 2/1, 2/10, 2.1, 10. Paths are the walker's own."""
    return [tuple(int(number) for number in step.split(".")) for step in path.split("/")]


def _text(text: str, most: int) -> str:
    """At most `most` characters, without lone surrogates, which no JSON file and no terminal can carry."""
    cut = text[: max(most, 0)]
    return cut if cut.isascii() else cut.encode("utf-8", "replace").decode("utf-8")


# --- the parent's side


class BadOutput(ValueError):
    """A child answered something that is no `Opened`."""


def read_opened(values: object, limits: Limits | None = None) -> Opened:
    """`Opened` from JSON values. Raises BadOutput for what `Finds.write` cannot have written under `limits`."""
    bound = limits or Limits()
    top = _table(values, ("items", "links", "texts", "trouble"))
    return Opened(
        items=tuple(_item(each, bound) for each in _rows(top["items"], bound.items)),
        links=tuple(_link(each, bound) for each in _rows(top["links"], bound.links)),
        texts=tuple(_read_text(each, bound) for each in _rows(top["texts"], bound.texts)),
        trouble=tuple(_read_trouble(each) for each in _rows(top["trouble"], bound.trouble)),
    )


_ITEM = (
    *("path", "parent", "name", "names", "declared_type", "kind", "size", "sha256", "disposition", "content_id"),
    "traits",
)


def _item(value: object, bound: Limits) -> Item:
    row = _table(value, _ITEM)
    size = row["size"]
    if type(size) is not int or size < 0:
        raise BadOutput("size")
    return Item(
        path=_string(row["path"], 200),
        parent=_string(row["parent"], 200),
        name=_string(row["name"], bound.name_length),
        names=tuple(_string(name, bound.name_length) for name in _rows(row["names"], bound.names)),
        declared_type=_string(row["declared_type"], 127),
        kind=_string(row["kind"], 40),
        size=size,
        sha256=_string(row["sha256"], 64),
        disposition=_string(row["disposition"], 40),
        content_id=_string(row["content_id"], 250),
        traits=tuple(_trait(trait, bound) for trait in _rows(row["traits"], bound.traits)),
    )


def _trait(value: object, bound: Limits) -> Trait:
    row = _table(value, ("code", "evidence"))
    evidence = row["evidence"]
    if type(evidence) is not dict:
        raise BadOutput("evidence")
    return Trait(code=_string(row["code"], 60), evidence=_json(evidence, bound, 0))


def _json(value: Any, bound: Limits, level: int) -> Any:
    """Evidence, which may be any JSON within bounds."""
    if value is None or type(value) in (bool, int, float):
        return value
    if type(value) is str:
        return _string(value, bound.evidence_length)
    if level <= MAX_DEEP and type(value) is list:
        return [_json(each, bound, level + 1) for each in _rows(value, bound.evidence_entries)]
    if level <= MAX_DEEP and type(value) is dict and len(value) <= bound.evidence_entries:
        return {_string(key, 60): _json(each, bound, level + 1) for key, each in value.items()}
    raise BadOutput("evidence")


def _link(value: object, bound: Limits) -> Link:
    row = _table(value, ("target", "shown", "source", "item"))
    return Link(
        target=_string(row["target"], bound.link_length),
        shown=_string(row["shown"], bound.shown_length),
        source=_word(row["source"], LINK_SOURCES),
        item=_string(row["item"], 200),
    )


def _read_text(value: object, bound: Limits) -> Text:
    row = _table(value, ("item", "kind", "visible", "hidden"))
    return Text(
        item=_string(row["item"], 200),
        kind=_word(row["kind"], TEXT_KINDS),
        visible=_string(row["visible"], bound.text_length),
        hidden=_string(row["hidden"], bound.text_length),
    )


def _read_trouble(value: object) -> Trouble:
    row = _table(value, ("code", "item", "reason"))
    return Trouble(
        code=_word(row["code"], TROUBLE_CODES), item=_string(row["item"], 200), reason=_string(row["reason"], 200)
    )


def _table(value: object, keys: Sequence[str]) -> dict[str, Any]:
    if type(value) is not dict or value.keys() != set(keys):
        raise BadOutput("table")
    return value


def _rows(value: object, most: int) -> list[object]:
    if type(value) is not list or len(value) > most:
        raise BadOutput("list")
    return value


def _string(value: object, most: int) -> str:
    if type(value) is not str or len(value) > most:
        raise BadOutput("string")
    return value


def _word(value: object, words: frozenset[str]) -> str:
    if type(value) is not str or value not in words:
        raise BadOutput("word")
    return value
