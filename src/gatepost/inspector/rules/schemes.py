"""Rules on addresses that are no web address: pages in an address, scripts, programs and shares; and on forms.

In: `Facts`. Out: `Seen`. Standard: RFC 2397 (data), the HTML Standard (javascript:, forms), practice for the rest.
Not here: web addresses (`links`, `hosts`), what else pages do (`markup`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector.facts import Facts
from gatepost.inspector.links.domain import registrable_domain
from gatepost.inspector.links.url import Url
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.link_signs import every_link, has_content, sender_domains, told
from gatepost.ports import Item

_RUN = ("text/html", "image/svg", "text/xml", "application/xhtml", "application/javascript", "text/javascript")
_HARMLESS = ("javascript:void", "javascript:;", "javascript:window.print", "javascript:print", "javascript:history")
_SYSTEM = frozenset(("search-ms", "search", "ms-msdt", "ms-officecmd", "ms-search", "ms-appinstaller", "ms-excel"))
_OFFICE = frozenset(("ms-word", "ms-powerpoint", "ms-visio", "ms-project", "ms-publisher", "ms-access", "ms-infopath"))


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
    for seen in every_link(facts):
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
    for seen in every_link(facts):
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
    for seen in every_link(facts):
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
    for seen in every_link(facts):
        if seen.link.source != "html-form" or not seen.url.is_web or facts.is_own(seen.url.host.ascii):
            continue
        evidence = {"host": seen.url.host.ascii, "target": told(seen.url), "item": seen.link.item}
        if seen.link.item in asking:
            summary = "A form in the message asks for a password and sends it to {host}."
            return Seen(evidence=evidence, severity=Severity.DANGER, weight=5.0, summary=summary)
        if registrable_domain(seen.url.host.ascii) not in senders:
            best = best or Seen(evidence=evidence)
    return best


def _asks_for_password(item: Item) -> bool:
    trait = item.trait("html.form")
    return trait is not None and trait.evidence.get("password") is True
