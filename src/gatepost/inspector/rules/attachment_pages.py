"""Rules on attached pages and pictures: HTML and SVG with scripts, files built in the browser, codes in pictures.

In: `Facts`. Out: `Seen`. Standard: practice; the traits are named in docs/content.md.
Not here: where links lead, those of codes too (`links`), pages in the message's own text (`links`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector import file_names as names
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.attachment_documents import with_trait
from gatepost.inspector.rules.attachment_names import attached


@rule(
    code="attachment.html-smuggling",
    severity=Severity.DANGER,
    weight=7.0,
    group="attachment",
    summary="The attached page {name} builds a file in the browser and has it saved (HTML smuggling).",
    why="The harmful file never travels by mail or over the network, so that no filter sees it.",
    remedy="Do not open it.",
    reference="practice: HTML smuggling",
    when=attached,
)
def html_smuggling(facts: Facts) -> Seen | None:
    for code in ("html.smuggling", "svg.smuggling"):
        for item, trait in with_trait(facts, code):
            signs = list(trait.evidence.get("signs", ()))
            return Seen(evidence={"name": names.visible(item.name), "signs": signs, "item": item.path})
    return None


@rule(
    code="attachment.html-script",
    severity=Severity.WARNING,
    weight=2.0,
    group="attachment",
    summary="The attached page {name} holds scripts.",
    why="A page that is opened from the disk shows what it likes, without an address that could be checked: a log-in"
    " form as well as anything else.",
    remedy="Do not open it, and never type a password into an attached page.",
    reference="practice: HTML attachments",
    when=attached,
)
def html_script(facts: Facts) -> Seen | None:
    for item, _ in with_trait(facts, "html.script"):
        if item.name and item.trait("html.smuggling") is None:
            return Seen(evidence={"name": names.visible(item.name), "item": item.path})
    return None


@rule(
    code="attachment.page-asks-password",
    severity=Severity.DANGER,
    weight=6.0,
    group="attachment",
    summary="The attached page {name} asks for a password.",
    why="A log-in page belongs to the site it logs in to. One that comes as a file sends what is typed to a stranger.",
    remedy="Do not type anything into it. Go to the site by the address you know.",
    reference="practice: HTML attachments",
    when=attached,
)
def page_asks_password(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "html.form"):
        if item.name and trait.evidence.get("password"):
            return Seen(evidence={"name": names.visible(item.name), "item": item.path})
    return None


@rule(
    code="attachment.svg-script",
    severity=Severity.DANGER,
    weight=6.0,
    group="attachment",
    summary="The attached picture {name} holds scripts.",
    why="An SVG file looks like a picture and is a page: in a browser it can lead anywhere and ask for anything.",
    remedy="Do not open it.",
    reference="SVG 2 §15 (scripting)",
    when=attached,
)
def svg_script(facts: Facts) -> Seen | None:
    for item, _ in with_trait(facts, "svg.script"):
        return Seen(evidence={"name": names.visible(item.name), "item": item.path})
    return None


@rule(
    code="attachment.code-with-link",
    severity=Severity.NOTICE,
    weight=0.5,
    group="attachment",
    summary="A code in a picture leads to {target}.",
    why="A link in a code is followed with a telephone, outside the protection of the company's computers.",
    remedy="Look at the address before the telephone opens it.",
    reference="ISO/IEC 18004 (QR)",
    when=lambda facts: facts.content is not None and bool(facts.content.opened.links),
)
def code_with_link(facts: Facts) -> Seen | None:
    for link in facts.content.opened.links if facts.content is not None else ():
        if link.source == "code":
            return Seen(evidence={"target": names.visible(link.target), "item": link.item})
    return None
