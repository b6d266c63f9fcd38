"""Rules on attached PDF: what it starts, runs, sends and holds.

In: `Facts`. Out: `Seen`. Standard: ISO 32000-2 §12.6 (actions), §7.11.4 (embedded files); traits: docs/content.md.
Not here: links in PDF (`links`), encryption (`attachment_archives`), programs inside (`attachment_documents`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector import file_names as names
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.attachment_documents import with_trait
from gatepost.inspector.rules.attachment_names import attached, attachments


@rule(
    code="attachment.pdf-launch",
    severity=Severity.DANGER,
    weight=7.0,
    group="attachment",
    summary="The attached PDF {name} starts a program or opens another file: {target}.",
    why="No honest document does this.",
    remedy="Do not open it.",
    reference="ISO 32000-2 §12.6.4.6 (launch actions), §12.6.4.3 (remote go-to)",
    when=attached,
)
def pdf_launch(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "pdf.launch"):
        target = names.visible(str(trait.evidence.get("target", "")))
        return Seen(evidence={"name": names.visible(item.name), "target": target, "item": item.path})
    for item, trait in with_trait(facts, "pdf.remote-goto"):
        target = str(trait.evidence.get("target", ""))
        if target.startswith(("\\\\", "//", "http:", "https:")):
            evidence = {"name": names.visible(item.name), "target": names.visible(target), "item": item.path}
            return Seen(evidence=evidence, severity=Severity.WARNING, weight=3.0)
    return None


@rule(
    code="attachment.pdf-script",
    severity=Severity.NOTICE,
    weight=0.8,
    group="attachment",
    summary="The attached PDF {name} holds scripts.",
    why="Forms use them to add up numbers; attackers use them to reach holes in readers.",
    remedy="Open it in a browser, whose reader runs almost none of them.",
    reference="ISO 32000-2 §12.6.4.17",
    when=attached,
)
def pdf_script(facts: Facts) -> Seen | None:
    for item, _ in with_trait(facts, "pdf.javascript"):
        opening = item.trait("pdf.open-action")
        grave = opening is not None and opening.evidence.get("action") == "JavaScript"
        summary = "The attached PDF {name} runs a script when it is opened." if grave else None
        evidence = {"name": names.visible(item.name), "item": item.path}
        return Seen(evidence=evidence, weight=2.5 if grave else None, summary=summary)
    return None


@rule(
    code="attachment.pdf-form",
    severity=Severity.NOTICE,
    weight=1.0,
    group="attachment",
    summary="The attached PDF {name} sends what is filled in to {target}.",
    why="A form in a document asks for passwords as well as a page does, and filters of web addresses do not see it.",
    remedy="Do not fill in passwords or card numbers.",
    reference="ISO 32000-2 §12.7.6.2",
    when=attached,
)
def pdf_form(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "pdf.submit-form"):
        target = names.visible(str(trait.evidence.get("target", "")))
        return Seen(evidence={"name": names.visible(item.name), "target": target, "item": item.path})
    return None


_ODD_IN_PDF = frozenset(
    (
        *("doc", "xls", "docx", "docm", "xlsx", "xlsm", "xlsb", "pptx", "pptm", "rtf", "html", "svg"),
        *("zip", "rar", "7z", "onenote"),
    )
)


@rule(
    code="attachment.pdf-embedded-file",
    severity=Severity.WARNING,
    weight=2.5,
    group="attachment",
    summary="The attached PDF {document} holds another file that may act ({kind}): {name}.",
    why="Invoices carry their data as XML, which is ordinary; Office files, pages and archives in a PDF are a detour"
    " past filters.",
    remedy="Do not open the inner file.",
    reference="ISO 32000-2 §7.11.4",
    when=attached,
)
def pdf_embedded_file(facts: Facts) -> Seen | None:
    items = {item.path: item for item in attachments(facts)}
    for item in items.values():
        parent = items.get(item.parent)
        if parent is not None and parent.kind == "pdf" and item.kind in _ODD_IN_PDF:
            document, name = names.visible(parent.name), names.visible(item.name)
            return Seen(evidence={"document": document, "name": name, "kind": item.kind, "item": item.path})
    return None
