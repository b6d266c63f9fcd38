"""Rules on what the message's own pages do besides linking: scripts, forms, frames, hidden words, odd addresses.

In: `Facts`. Out: `Seen`. Standard: the HTML Standard; practice. Mail programs run no scripts, so a message that holds
some was meant for a browser, or to be saved and opened. Newsletters hide a line for the list of messages; that is not
hidden text. Not here: attached pages (`attachment_pages`), where links lead (`links`).
"""

from __future__ import annotations

from collections.abc import Iterator

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.links.domain import registrable_domain
from gatepost.inspector.links.seen import Seen as SeenLink
from gatepost.inspector.links.url import Url
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.links import sender_domains, told
from gatepost.ports import Item, Trait

HIDDEN_FROM = 400  # characters; a preview line has a hundred
MUCH_HIDDEN = 1000  # characters, and twice what shows: a second form for telephones has as much as shows
SPLIT_FROM = 3  # words; one may be a slip of an editor
_RUN = ("text/html", "image/svg", "text/xml", "application/xhtml", "application/javascript", "text/javascript")
_HARMLESS = ("javascript:void", "javascript:;", "javascript:window.print", "javascript:print", "javascript:history")
_SYSTEM = frozenset(("search-ms", "search", "ms-msdt", "ms-officecmd", "ms-search", "ms-appinstaller", "ms-excel"))
_OFFICE = frozenset(("ms-word", "ms-powerpoint", "ms-visio", "ms-project", "ms-publisher", "ms-access", "ms-infopath"))


def has_content(facts: Facts) -> bool:
    """Whether the message was opened and anything was in it."""
    return facts.content is not None and bool(facts.content.opened.items or facts.content.opened.links)


def _own_traits(facts: Facts, code: str) -> Iterator[tuple[Item, Trait]]:
    """What the message's own texts can do: not what is attached or packed."""
    assert facts.content is not None
    for item in facts.content.opened.items:
        if not item.parent and not item.name and item.disposition != "attachment":
            trait = item.trait(code)
            if trait is not None:
                yield item, trait


def _links(facts: Facts) -> tuple[SeenLink, ...]:
    assert facts.content is not None
    return facts.content.links.every


@rule(
    code="link.data-url",
    severity=Severity.DANGER,
    weight=3.5,
    group="links",
    summary="A link or frame carries a whole page in its own address ({kind}).",
    why="Such a page comes from nowhere: no filter can look it up, and the browser shows no host for it.",
    remedy="Do not follow it.",
    reference="RFC 2397 §2",
    when=has_content,
)
def data_url(facts: Facts) -> Seen | None:
    for seen in _links(facts):
        if seen.url.scheme == "data" and seen.link.source not in ("html-image", "html-style"):
            kind = seen.url.path[:60].partition(",")[0].partition(";")[0].strip().lower() or "text/plain"
            if kind.startswith(_RUN):
                return Seen(evidence={"kind": kind, "source": seen.link.source})
    return None


@rule(
    code="link.javascript",
    severity=Severity.NOTICE,
    weight=0.8,
    group="links",
    summary="A link runs a script instead of leading anywhere.",
    why="Mail programs do not run it; it is meant for who opens the message in a browser.",
    remedy="Do not follow it.",
    reference="HTML Standard §7.4.2.3.4 (javascript: URLs)",
    when=has_content,
)
def javascript(facts: Facts) -> Seen | None:
    for seen in _links(facts):
        if seen.url.scheme in ("javascript", "vbscript") and seen.pressed:
            text = "".join(seen.url.text.split()).lower()
            if len(text) > len("javascript:") and not text.startswith(_HARMLESS):
                return Seen(evidence={"target": told(seen.url)})
    return None


@rule(
    code="link.program",
    severity=Severity.DANGER,
    weight=3.0,
    group="links",
    summary="A link starts a program or opens a file of another machine: {target}.",
    why="Windows opens such addresses in programs that run what they are given, and hands the user's password hash to"
    " the machine that is named.",
    remedy="Do not follow it; block SMB (port 445) towards the internet.",
    reference="practice: file: and ms- addresses",
    when=has_content,
)
def program(facts: Facts) -> Seen | None:
    for seen in _links(facts):
        url = seen.url
        if url.scheme in _SYSTEM or (url.scheme in _OFFICE and "http" in url.text[:200]):
            return Seen(evidence={"target": told(url)})
        if _is_share(url) and not facts.is_own(url.host.ascii) and "." in url.host.ascii:
            return Seen(evidence={"target": told(url)})
    return None


def _is_share(url: Url) -> bool:
    """A file on another machine: file://host/share, or the same with two backslashes in front."""
    if url.scheme == "file":
        return bool(url.host.ascii)
    return url.text.strip().startswith("\\\\") and bool(url.host.ascii)


@rule(
    code="link.remote-form",
    severity=Severity.NOTICE,
    weight=0.5,
    group="links",
    summary="A form in the message sends what is typed to {host}.",
    why="A form that asks in the message itself, or in an attached page, shows no address while one types.",
    remedy="Never type a password or a card number into a message.",
    reference="HTML Standard §4.10.3 (form)",
    when=has_content,
)
def remote_form(facts: Facts) -> Seen | None:
    assert facts.content is not None
    asking = {item.path for item in facts.content.opened.items if _asks_for_password(item)}
    senders = sender_domains(facts)
    best: Seen | None = None
    for seen in _links(facts):
        if seen.link.source != "html-form" or not seen.url.is_web or facts.is_own(seen.url.host.ascii):
            continue
        evidence = {"host": seen.url.host.ascii, "target": told(seen.url), "item": seen.link.item}
        if seen.link.item in asking:
            summary = "A form in the message asks for a password and sends it to {host}."
            return Seen(evidence=evidence, severity=Severity.DANGER, weight=4.0, summary=summary)
        if registrable_domain(seen.url.host.ascii) not in senders:
            best = best or Seen(evidence=evidence)
    return best


def _asks_for_password(item: Item) -> bool:
    trait = item.trait("html.form")
    return trait is not None and trait.evidence.get("password") is True


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
    for seen in _links(facts):
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
    for seen in _links(facts):
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
