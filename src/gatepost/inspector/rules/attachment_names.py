"""Rules on the names of attached files: what they promise and how they deceive.

In: `Facts`. Out: `Seen`. Standard: see `inspector.file_names`.
Not here: programs and scripts by their content (`attachment_programs`), documents (`attachment_documents`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from gatepost.finding import Severity
from gatepost.inspector import file_names as names
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.ports import Item

FEW = 20  # files in an archive that is a trap
_COMMANDS = frozenset(("pe", "unknown"))  # what .com may hold; "mail from bob@example.com" is a name too
_MAY_BE_PAGES = frozenset(("xml", "eml", "msg", "txt"))  # what programs save as pages under such names


def attached(facts: Facts) -> bool:
    """Whether anything is attached: the `when` of all rules on attachments."""
    return facts.content is not None and bool(facts.content.attachments)


def attachments(facts: Facts) -> tuple[Item, ...]:
    """What is attached, with everything inside it."""
    return facts.content.attachments if facts.content is not None else ()


def _dangerous(name: str, facts: Facts) -> bool:
    return names.extension(name) in names.PROGRAMS.union(facts.settings.blocked_extensions)


@rule(
    code="attachment.blocked-extension",
    severity=Severity.DANGER,
    weight=6.0,
    group="attachment",
    summary="The attached file {name} would be started, not shown, when it is opened.",
    why="Files with such endings run as programs on a double click. No honest sender mails them unasked.",
    remedy="Do not open it. Ask the sender for another way, and let the administrator look at it first.",
    reference="practice: blocked attachment types (inspector.blocked_extensions)",
    when=attached,
)
def blocked_extension(facts: Facts) -> Seen | None:
    blocked = frozenset(facts.settings.blocked_extensions)
    siblings = Counter(item.parent for item in attachments(facts))
    for item in attachments(facts):
        for name in item.names or (item.name,):
            ending = names.extension(name)
            if ending not in blocked or item.kind == "empty" or (ending == "com" and item.kind not in _COMMANDS):
                continue
            if item.parent and ending in names.SOURCES and siblings[item.parent] > FEW:
                continue  # somebody's source code, not a trap: those hold one or two files
            return Seen(evidence={"name": names.visible(name), "item": item.path, "kind": item.kind})
    return None


@rule(
    code="attachment.double-extension",
    severity=Severity.DANGER,
    weight=5.0,
    group="attachment",
    summary="The attached file {name} looks like a .{shown} file but is a .{real} file.",
    why="Windows hides the last ending, so that the file shows as a harmless document and starts as a program.",
    remedy="Do not open it.",
    reference="practice: double extensions",
    when=attached,
)
def double_extension(facts: Facts) -> Seen | None:
    for item in attachments(facts):
        for name in item.names or (item.name,):
            inner, last = names.inner_extension(name), names.extension(name)
            if inner in names.SHOWN and inner != last and (_dangerous(name, facts) or last in names.DISK_IMAGES):
                return Seen(evidence={"name": names.visible(name), "shown": inner, "real": last, "item": item.path})
    return None


@rule(
    code="attachment.page-named-document",
    severity=Severity.WARNING,
    weight=2.5,
    group="attachment",
    summary="The attached page {name} is named like a .{shown} document.",
    why="It opens in the browser and asks there for what a document never would.",
    remedy="Do not type anything into it.",
    reference="practice: double extensions",
    when=attached,
)
def page_named_document(facts: Facts) -> Seen | None:
    for item in attachments(facts):
        for name in item.names or (item.name,):
            inner = names.inner_extension(name)
            if names.extension(name) in names.PAGES and inner in names.SHOWN - names.PAGES - _MAY_BE_PAGES:
                return Seen(evidence={"name": names.visible(name), "shown": inner, "item": item.path})
    return None


@rule(
    code="attachment.direction-override",
    severity=Severity.DANGER,
    weight=6.0,
    group="attachment",
    summary="The name of an attached file is turned around by invisible characters: {name}.",
    why="`invoice-exe.pdf` can then be a program whose name ends in exe. No language needs this in a file name.",
    remedy="Do not open it.",
    reference="UAX #9 §2.2",
    when=attached,
)
def direction_override(facts: Facts) -> Seen | None:
    for item in attachments(facts):
        for name in item.names or (item.name,):
            if names.turned_around(name):
                return Seen(evidence={"name": names.visible(name), "item": item.path})
    return None


@rule(
    code="attachment.invisible-characters",
    severity=Severity.NOTICE,
    weight=1.0,
    group="attachment",
    summary="The name of the attached file {name} holds characters that do not show.",
    why="They hide an ending from filters, or make two names look the same.",
    remedy="Look at the file's real ending before you open it.",
    reference="practice: names of attachments",
    when=attached,
)
def invisible_characters(facts: Facts) -> Seen | None:
    for item in attachments(facts):
        for name in item.names or (item.name,):
            found = names.unseen(name)
            if found and not names.turned_around(name):
                evidence = {"name": names.visible(name), "characters": list(found), "item": item.path}
                grave = _dangerous(name, facts) or names.extension(name) in names.PAGES
                return Seen(evidence=evidence, weight=4.0 if grave else None)
    return None


@rule(
    code="attachment.pushed-out-of-sight",
    severity=Severity.WARNING,
    weight=3.0,
    group="attachment",
    summary="A long run of blanks pushes the end of a file's name out of sight: {name}.",
    why="What is shown ends in a harmless ending; the real one stands far to the right.",
    remedy="Do not open it.",
    reference="practice: names of attachments",
    when=attached,
)
def pushed_out_of_sight(facts: Facts) -> Seen | None:
    for item in attachments(facts):
        for name in item.names or (item.name,):
            if names.pushed_out(name):
                weight = 5.0 if _dangerous(name, facts) else None
                return Seen(evidence={"name": names.visible(name), "item": item.path}, weight=weight)
    return None


@rule(
    code="attachment.names-differ",
    severity=Severity.WARNING,
    weight=3.0,
    group="attachment",
    summary="An attached file goes by different names, of which one ends in .{risky}: {names}.",
    why="Mail programs and filters differ in which of the names they take; the filter sees a picture, the reader saves"
    " a program.",
    remedy="Do not open it.",
    reference="RFC 2183 §2.3; RFC 2231 §3",
    when=attached,
)
def names_differ(facts: Facts) -> Seen | None:
    for item in attachments(facts):
        endings = list(dict.fromkeys(names.extension(name) for name in item.names))
        if len(endings) < 2:
            continue
        risky = [end for end in endings if end in names.PROGRAMS | names.PAGES | names.DISK_IMAGES]
        if risky and len(risky) < len(endings):
            shown = ", ".join(names.visible(name) for name in item.names[:4])
            return Seen(evidence={"names": shown, "risky": risky[0], "item": item.path})
    return None


@rule(
    code="attachment.type-differs",
    severity=Severity.NOTICE,
    weight=0.8,
    group="attachment",
    summary="The attached file {name} is not what its ending says: it holds {kind}.",
    why="A filter that goes by the name lets it through; a program that goes by the content opens it as what it is.",
    remedy="Ask the sender what it is before you open it.",
    reference="practice: true file types",
    when=attached,
)
def type_differs(facts: Facts) -> Seen | None:
    """The gravest surprise of all files is told."""
    found: Seen | None = None
    for item, promised in _surprises(facts):
        evidence = {"name": names.visible(item.name), "kind": item.kind, "promised": promised, "item": item.path}
        if item.kind in names.GRAVE_KINDS:
            return Seen(evidence=evidence, severity=Severity.WARNING, weight=4.0)
        found = found or Seen(evidence=evidence)
    return found


def _surprises(facts: Facts) -> Iterator[tuple[Item, str]]:
    """Files that are not what their ending says, or, without a telling ending, what their Content-Type says."""
    for item in attachments(facts):
        ending = names.extension(item.name)
        if names.is_surprise(ending, item.kind):
            yield item, f".{ending}"
        elif item.kind in names.GRAVE_KINDS and _is_still(item.declared_type):
            yield item, item.declared_type


def _is_still(declared_type: str) -> bool:
    """Whether what is declared so cannot act."""
    return declared_type == "application/pdf" or (declared_type.startswith("image/") and "svg" not in declared_type)
