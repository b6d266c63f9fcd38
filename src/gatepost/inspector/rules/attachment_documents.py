"""Rules on attached documents that act: macros, templates and objects from elsewhere, DDE, embedded programs.

In: `Facts`. Out: `Seen`. Standard: ECMA-376, MS-OVBA; the traits are named in docs/content.md.
Not here: programs by themselves (`attachment_programs`), PDF (`attachment_pdf`), links (`links`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gatepost.finding import Severity
from gatepost.inspector import file_names as names
from gatepost.inspector.domains import same_organization
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.attachment_names import attached, attachments
from gatepost.inspector.rules.attachment_programs import DISK_IMAGES, PROGRAMS, SCRIPTS
from gatepost.ports import Item, Trait

DOCUMENTS = frozenset(
    (
        *("doc", "xls", "ppt", "docx", "docm", "xlsx", "xlsm", "xlsb", "pptx", "pptm", "odt", "ods", "odp"),
        *("rtf", "pdf", "onenote"),
    )
)


def with_trait(facts: Facts, code: str) -> Iterator[tuple[Item, Trait]]:
    """Attached files with this trait."""
    for item in attachments(facts):
        trait = item.trait(code)
        if trait is not None:
            yield item, trait


def _graver(evidence: Mapping[str, Any], weight: float | None) -> Seen:
    """What was seen; with a weight it is a danger."""
    return Seen(evidence=evidence, severity=Severity.DANGER if weight is not None else None, weight=weight)


def _macros_allowed(facts: Facts) -> bool:
    """Whether the author's domain is proven and one from which macros are expected."""
    allowed = facts.settings.macro_domains
    if not allowed or not facts.aligned_pass:
        return False
    return any(same_organization(author, domain) for author in facts.author_domains for domain in allowed)


@rule(
    code="attachment.macro",
    severity=Severity.NOTICE,
    weight=2.0,
    group="attachment",
    summary="The attached document {name} holds macros.",
    why="Macros are programs: they may do all that the reader may do. Those that start by themselves and call other"
    " programs are the commonest way of malware into offices.",
    remedy="Do not enable macros. Ask the sender for a file without them.",
    reference="MS-OVBA",
    when=attached,
)
def macro(facts: Facts) -> Seen | None:
    found: Seen | None = None
    for item, trait in with_trait(facts, "office.macro"):
        if _macros_allowed(facts):
            return None
        starts, grave = trait.evidence.get("autoexec", ()), trait.evidence.get("grave", ())
        evidence = {
            "name": names.visible(item.name),
            "autoexec": list(starts),
            "abilities": [*grave, *trait.evidence.get("words", ())],
            "item": item.path,
        }
        if starts and grave:
            summary = "The attached document {name} holds macros that start by themselves and reach outside Office."
            return Seen(evidence=evidence, severity=Severity.DANGER, weight=8.0, summary=summary)
        if starts or grave:
            summary = "The attached document {name} holds macros that start by themselves."
            summary = summary if starts else "The attached document {name} holds macros that reach outside Office."
            found = Seen(evidence=evidence, severity=Severity.WARNING, weight=4.0, summary=summary)
        found = found or Seen(evidence=evidence)
    return found


@rule(
    code="attachment.macro-sheet",
    severity=Severity.WARNING,
    weight=4.0,
    group="attachment",
    summary="The attached workbook {name} holds Excel 4.0 macro sheets.",
    why="This kind of macro was replaced in 1993; today those who hide from scanners use it.",
    remedy="Do not enable macros.",
    reference="MS-XLS §2.4.28",
    when=attached,
)
def macro_sheet(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "office.macro-xlm"):
        if _macros_allowed(facts):
            return None
        sheets = [str(sheet) for sheet in trait.evidence.get("sheets", ())]
        grave = any("hidden" in sheet for sheet in sheets) or bool(trait.evidence.get("autoexec"))
        evidence = {"name": names.visible(item.name), "sheets": sheets, "item": item.path}
        return _graver(evidence, 7.0 if grave else None)
    return None


@rule(
    code="attachment.remote-template",
    severity=Severity.DANGER,
    weight=7.0,
    group="attachment",
    summary="The attached document {name} fetches its template from {target} when it is opened.",
    why="The template may hold the macros that the document itself does not show to scanners.",
    remedy="Do not open it.",
    reference="ECMA-376 Part 1 §17.15.1.6 (attachedTemplate)",
    when=attached,
)
def remote_template(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "office.remote-template"):
        target = names.visible(str(trait.evidence.get("target", "")))
        return Seen(evidence={"name": names.visible(item.name), "target": target, "item": item.path})
    return None


_FETCHED_AND_RUN = frozenset(("oleObject", "frame", "subDocument", "aFChunk", "package", "link"))


@rule(
    code="attachment.external-object",
    severity=Severity.NOTICE,
    weight=1.0,
    group="attachment",
    summary="The attached document {name} refers to {target} and may fetch it when it is opened.",
    why="Office has often been attacked through objects that it fetches by itself; at the least the sender learns"
    " who opens it.",
    remedy="Keep the document in protected view.",
    reference="ECMA-376 Part 2 §9.3 (external relationships)",
    when=attached,
)
def external_object(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "office.external-object"):
        target = names.visible(str(trait.evidence.get("target", "")))
        evidence = {"name": names.visible(item.name), "target": target, "item": item.path}
        return _graver(evidence, 5.0 if trait.evidence.get("type") in _FETCHED_AND_RUN else None)
    return None


@rule(
    code="attachment.dde",
    severity=Severity.DANGER,
    weight=6.0,
    group="attachment",
    summary="The attached document {name} starts another program through a field, formula or action: {command}.",
    why="DDE runs commands without any macro.",
    remedy="Do not open it, and answer no to questions about updating links.",
    reference="ECMA-376 Part 1 §17.16.5.15; MS-XLS §2.4.271",
    when=attached,
)
def dde(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "office.dde"):
        commands = [str(command)[:200] for command in trait.evidence.get("commands", ())]
        evidence = {"name": names.visible(item.name), "command": names.visible(commands[0] if commands else "")}
        return Seen(evidence={**evidence, "commands": commands, "item": item.path})
    return None


@rule(
    code="attachment.program-in-document",
    severity=Severity.DANGER,
    weight=8.0,
    group="attachment",
    summary="The attached document {document} has a file in it that acts ({kind}): {name}.",
    why="A document with a program in it asks the reader to double-click it there, past all filters on attachments.",
    remedy="Do not open it.",
    reference="MS-OLEDS §2.3.6; ISO 32000-2 §7.11.4",
    when=attached,
)
def program_in_document(facts: Facts) -> Seen | None:
    items = {item.path: item for item in attachments(facts)}
    for item in items.values():
        if item.kind not in PROGRAMS | SCRIPTS | DISK_IMAGES | {"lnk"}:
            continue
        parent = items.get(item.parent)
        while parent is not None and parent.kind not in DOCUMENTS:
            parent = items.get(parent.parent)
        if parent is not None:
            document = names.visible(parent.name)
            name = names.visible(item.name)
            return Seen(evidence={"document": document, "name": name, "kind": item.kind, "item": item.path})
    return None


@rule(
    code="attachment.equation-object",
    severity=Severity.WARNING,
    weight=2.0,
    group="attachment",
    summary="The attached document {name} holds an object of the old equation editor.",
    why="The editor has holes that run a command without asking, and was removed from Office in 2018 for them.",
    remedy="Open it only in protected view.",
    reference="CVE-2017-11882",
    when=attached,
)
def equation_object(facts: Facts) -> Seen | None:
    for item, _ in with_trait(facts, "office.equation"):
        evidence = {"name": names.visible(item.name), "item": item.path}
        return _graver(evidence, 6.0 if item.kind == "rtf" else None)
    return None


@rule(
    code="attachment.rtf-object",
    severity=Severity.NOTICE,
    weight=1.5,
    group="attachment",
    summary="The attached Rich Text {name} holds embedded objects: {classes}.",
    why="Rich Text is chosen by attackers since its objects are opened without asking.",
    remedy="Open it only in protected view.",
    reference="MS-OLEDS §2.2",
    when=attached,
)
def rtf_object(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "rtf.object"):
        classes = ", ".join(str(each) or "without a class" for each in trait.evidence.get("classes", ())[:5])
        evidence = {"name": names.visible(item.name), "classes": names.visible(classes), "item": item.path}
        return Seen(evidence=evidence, weight=3.5 if trait.evidence.get("update") else None)
    return None


@rule(
    code="attachment.onenote",
    severity=Severity.WARNING,
    weight=2.5,
    group="attachment",
    summary="A OneNote notebook with {count} files in it is attached: {name}.",
    why="Notebooks are shared, not mailed; those that come by mail hide a script under a picture of a button.",
    remedy="Do not click on anything in it.",
    reference="MS-ONESTORE §2.6.13",
    when=attached,
)
def onenote(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "onenote.embedded"):
        count = trait.evidence.get("count", 0)
        return Seen(evidence={"name": names.visible(item.name), "count": count, "item": item.path})
    return None
