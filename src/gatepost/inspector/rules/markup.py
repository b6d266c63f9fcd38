"""Rules on what the message's own pages do besides linking: scripts, frames, hidden and split words, padding.

In: `Facts`. Out: `Seen`. Standard: the HTML Standard; practice. Mail programs run no scripts, so a message that holds
some was meant for a browser, or to be saved and opened. Newsletters hide a line for the list of messages; that is not
hidden text. Not here: attached pages (`attachment_pages`), forms and odd addresses (`schemes`), links (`links`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.link_signs import every_link, has_content, sender_domains, told
from gatepost.ports import Item, Trait

HIDDEN_FROM = 400  # characters; a preview line has a hundred
MUCH_HIDDEN = 1000  # characters, and twice what shows: a second form for telephones has as much as shows
SPLIT_FROM = 3  # words; one may be a slip of an editor


def _own_traits(facts: Facts, code: str) -> Iterator[tuple[Item, Trait]]:
    """What the message's own texts can do: not what is attached or packed."""
    assert facts.content is not None
    for item in facts.content.opened.items:
        if not item.parent and not item.name and item.disposition != "attachment":
            trait = item.trait(code)
            if trait is not None:
                yield item, trait


@rule(
    code="html.smuggling",
    severity=Severity.DANGER,
    weight=4.0,
    group="links",
    summary="The message's page builds a file or another page out of itself ({signs}).",
    why="What is built in the browser never passes a filter.",
    remedy="Do not open the message in a browser.",
    reference="practice: HTML smuggling",
    when=has_content,
)
def smuggling(facts: Facts) -> Seen | None:
    for _, trait in _own_traits(facts, "html.smuggling"):
        signs = trait.evidence.get("signs")
        return Seen(evidence={"signs": ", ".join(map(str, signs)) if isinstance(signs, list) else "script"})
    return None


@rule(
    code="html.script",
    severity=Severity.NOTICE,
    weight=0.3,
    group="links",
    summary="The message holds scripts.",
    why="Mail programs do not run them, so honest senders leave them out; a web page that was sent has some.",
    remedy="Do not open the message in a browser.",
    reference="HTML Standard §4.12 (scripting)",
    when=has_content,
)
def script(facts: Facts) -> Seen | None:
    for _, trait in _own_traits(facts, "html.script"):
        return Seen(evidence={"how": trait.evidence.get("how", [])})
    return None


@rule(
    code="html.refresh",
    severity=Severity.WARNING,
    weight=2.0,
    group="links",
    summary="The message leads its reader to {host} by itself, without a click.",
    why="A page that is opened and leads on at once hides what it leads to.",
    remedy="Do not open the message in a browser.",
    reference="HTML Standard §4.2.5.3 (refresh)",
    when=has_content,
)
def refresh(facts: Facts) -> Seen | None:
    senders = sender_domains(facts)
    for seen in every_link(facts):
        if seen.link.source == "html-refresh" and seen.url.is_web and seen.domain not in senders:
            return Seen(evidence={"host": seen.url.host.ascii, "target": told(seen.url)})
    return None


@rule(
    code="html.frame",
    severity=Severity.NOTICE,
    weight=0.5,
    group="links",
    summary="The message shows a page from {host} inside itself.",
    why="What the frame shows can change after the message was checked; mail programs leave it empty.",
    remedy="Do not open the message in a browser.",
    reference="HTML Standard §4.8.5 (iframe)",
    when=has_content,
)
def frame(facts: Facts) -> Seen | None:
    for seen in every_link(facts):
        if seen.link.source == "html-frame" and seen.url.is_web:
            return Seen(evidence={"host": seen.url.host.ascii})
    return None


@rule(
    code="html.hidden-text",
    severity=Severity.NOTICE,
    weight=0.5,
    group="links",
    summary="The message holds {hidden} characters of text that do not show, and {visible} that do.",
    why="Hidden words are for filters: harmless ones to look honest, or noise to look like no other message.",
    remedy="Look at the message as plain text.",
    reference="practice: hidden text",
    when=has_content,
)
def hidden_text(facts: Facts) -> Seen | None:
    for _, trait in _own_traits(facts, "html.hidden-text"):
        hidden, visible = trait.evidence.get("hidden"), trait.evidence.get("visible")
        if isinstance(hidden, int) and isinstance(visible, int) and hidden >= HIDDEN_FROM and hidden > visible:
            evidence = {"hidden": hidden, "visible": visible}
            much = hidden >= MUCH_HIDDEN and hidden > 2 * visible
            return Seen(evidence=evidence, weight=1.5, severity=Severity.WARNING) if much else Seen(evidence=evidence)
    return None


@rule(
    code="html.too-long",
    severity=Severity.NOTICE,
    weight=1.0,
    group="links",
    summary="The message's page has {octets} octets, and only its beginning and end were read.",
    why="Nobody writes a million characters; such a page may be padded so that filters stop before what matters.",
    remedy="Look for links in its middle before you trust it.",
    reference="practice: padding",
    when=has_content,
)
def too_long(facts: Facts) -> Seen | None:
    for _, trait in _own_traits(facts, "html.too-long"):
        return Seen(evidence={"octets": trait.evidence.get("octets", 0)})
    return None


@rule(
    code="html.split-words",
    severity=Severity.WARNING,
    weight=2.0,
    group="links",
    summary="{count} words of the message are split by characters that do not show.",
    why="The reader sees the word and a filter does not.",
    remedy="Do not trust the message: no program writes so by itself.",
    reference="UTS 36 §2.10",
    when=has_content,
)
def split_words(facts: Facts) -> Seen | None:
    for _, trait in _own_traits(facts, "text.split-words"):
        count = trait.evidence.get("count")
        if isinstance(count, int) and count:
            if count < SPLIT_FROM:
                return Seen(evidence={"count": count}, weight=0.5, severity=Severity.NOTICE)
            return Seen(evidence={"count": count})
    return None
