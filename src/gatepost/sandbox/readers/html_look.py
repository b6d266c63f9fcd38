"""How text shows inside the elements of a page: hidden, too small, or in the colour of what is behind it.

In: an element's tag and attributes, how text shows around it, the page's style sheets. Out: `State`.
Standard: what mail programs obey: styles in attributes and simple rules of sheets (without CSS's weights: the attribute
beats the sheets), HTML's own colours, `hidden`.
Not here: styles themselves (`css`), the elements (`html_page`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gatepost.sandbox.readers.colors import read_color, same_to_the_eye
from gatepost.sandbox.readers.css import PLAIN, Look, read_style

TINY = 2.0  # pixels: smaller text is no text
MAX_CLASSES = 12  # of one element


@dataclass(slots=True)
class State:
    """How text shows inside an open element; colours as in `css.Look`, `size` in pixels. `conceals`: nobody sees it."""

    tag: str
    hidden: bool = False
    color: str = "000000"
    background: str = "ffffff"
    size: float = 16.0
    conceals: bool = False

    def within(self, tag: str) -> State:
        """The same, inside another element."""
        return State(tag, self.hidden, self.color, self.background, self.size, self.conceals)


@dataclass(slots=True)
class Styles:
    """What the page's style sheets said so far, by simple selector."""

    looks: dict[str, Look] = field(default_factory=dict)

    def inside(self, tag: str, attributes: Mapping[str, str | None], above: State) -> State:
        """The state inside an element, from HTML's own attributes, the sheets, then its style."""
        state = above.within(tag)
        looks = self._of(tag, attributes) if self.looks else []
        if attributes.get("bgcolor"):
            state.background = read_color(attributes["bgcolor"] or "") or state.background
        if attributes.get("background"):
            state.background = "image"
        color = attributes.get("text" if tag == "body" else "color")
        if color and tag in ("font", "body", "basefont"):
            state.color = read_color(color) or state.color
        style = attributes.get("style")
        if style:
            looks.append(read_style(style))
        hides = "hidden" in attributes
        for look in looks:
            if look is PLAIN:
                continue
            hides = bool(look.hides) or (hides and not look.shows)
            state.color, state.background = look.color or state.color, look.background or state.background
            state.size = state.size if look.size is None else look.size
        state.hidden = state.hidden or hides
        state.conceals = state.hidden or state.size < TINY or same_to_the_eye(state.color, state.background)
        return state

    def _of(self, tag: str, attributes: Mapping[str, str | None]) -> list[Look]:
        """What the sheets say of an element, by tag, classes and id."""
        names = [tag]
        for word in (attributes.get("class") or "")[:500].lower().split()[:MAX_CLASSES]:
            names += [f".{word}", f"{tag}.{word}"]
        ident = (attributes.get("id") or "")[:100].lower()
        if ident:
            names += [f"#{ident}", f"{tag}#{ident}"]
        return [self.looks[name] for name in names if name in self.looks]
