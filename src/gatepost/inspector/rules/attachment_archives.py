"""Rules on what is locked (encrypted archives and documents, passwords in the text), and on files of two kinds.

In: `Facts`. Out: `Seen`. Standard: practice; the traits are named in docs/content.md.
Not here: archives that cannot be opened to the end, bombs (`trouble`), programs in archives (`attachment_programs`).
"""

from __future__ import annotations

from gatepost.finding import Severity
from gatepost.inspector import file_names as names
from gatepost.inspector.facts import Facts
from gatepost.inspector.rule import Seen, rule
from gatepost.inspector.rules.attachment_documents import with_trait
from gatepost.inspector.rules.attachment_names import attached

_TRICKS = {
    "archive.path-traversal": "a member's name leads out of the folder it is unpacked into",
    "archive.symlink": "a member is a link to another place",
    "archive.overlap": "members share the same octets",
    "archive.hidden-member": "members are missing in the list of contents",
    "archive.name-differs": "a member has two names",
    "archive.contains-itself": "it contains itself",
}
IN_TEXT = "in the text"  # the readers' word for a password that the message tells


@rule(
    code="attachment.password-in-text",
    severity=Severity.WARNING,
    weight=3.0,
    group="attachment",
    summary="The attached file {name} is locked, and the message itself tells the password.",
    why="Locking and telling the password in the same breath protects from nobody but from filters.",
    remedy="Ask the sender on another way before you open it.",
    reference="practice: encrypted attachments",
    when=attached,
)
def password_in_text(facts: Facts) -> Seen | None:
    for code in ("archive.password-in-text", "office.encrypted", "pdf.encrypted"):
        for item, trait in with_trait(facts, code):
            if trait.evidence.get("password", IN_TEXT) == IN_TEXT:
                return Seen(evidence={"name": names.visible(item.name), "kind": item.kind, "item": item.path})
    return None


@rule(
    code="attachment.locked-archive",
    severity=Severity.NOTICE,
    weight=2.0,
    group="attachment",
    summary="The attached archive {name} is locked, and nobody could look inside.",
    why="What filters cannot see they cannot stop. Malware often comes so.",
    remedy="Ask the sender on another way what it is.",
    reference="practice: encrypted attachments",
    when=attached,
)
def locked_archive(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "archive.encrypted"):
        if not trait.evidence.get("opened"):
            return Seen(evidence={"name": names.visible(item.name), "kind": item.kind, "item": item.path})
    return None


@rule(
    code="attachment.locked-document",
    severity=Severity.NOTICE,
    weight=0.8,
    group="attachment",
    summary="The attached document {name} is locked, and nobody could look inside.",
    why="Payslips and statements come so; malware too.",
    remedy="Open it only if you expect it and know the password from somewhere else.",
    reference="practice: encrypted attachments",
    when=attached,
)
def locked_document(facts: Facts) -> Seen | None:
    for code in ("office.encrypted", "pdf.encrypted"):
        for item, trait in with_trait(facts, code):
            if not trait.evidence.get("opened"):
                return Seen(evidence={"name": names.visible(item.name), "kind": item.kind, "item": item.path})
    return None


@rule(
    code="attachment.default-password",
    severity=Severity.NOTICE,
    weight=1.5,
    group="attachment",
    summary="The attached workbook {name} is encrypted with a password that Excel tries by itself.",
    why="It opens like any other and looks like noise to scanners. Excel itself did this to workbooks whose structure"
    " is protected, so it proves nothing.",
    remedy="Be as careful as with any workbook.",
    reference="MS-OFFCRYPTO §2.4.2.3",
    when=attached,
)
def default_password(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "office.encrypted"):
        if trait.evidence.get("password") == "default":
            return Seen(evidence={"name": names.visible(item.name), "item": item.path})
    return None


@rule(
    code="attachment.two-kinds",
    severity=Severity.WARNING,
    weight=4.0,
    group="attachment",
    summary="The attached file {name} is two files at once: {kinds}.",
    why="One program sees a picture, another the archive or document behind it; filters are meant to see the first.",
    remedy="Do not open it.",
    reference="practice: polyglot files",
    when=attached,
)
def two_kinds(facts: Facts) -> Seen | None:
    for item, trait in with_trait(facts, "file.polyglot"):
        kinds = ", ".join(str(kind) for kind in trait.evidence.get("kinds", ()))
        return Seen(evidence={"name": names.visible(item.name), "kinds": kinds, "item": item.path})
    return None


@rule(
    code="attachment.archive-trick",
    severity=Severity.WARNING,
    weight=4.0,
    group="attachment",
    summary="The attached archive {name} is put together so that programs read it differently: {how}.",
    why="What one program unpacks another does not see, or writes where it should not; archivers make no such files by"
    " themselves.",
    remedy="Do not open it.",
    reference="practice: archives; APPNOTE 6.3 §4.3",
    when=attached,
)
def archive_trick(facts: Facts) -> Seen | None:
    for code, how in _TRICKS.items():
        for item, _ in with_trait(facts, code):
            weight = 1.5 if code == "archive.symlink" else None  # backups of Unix systems have them
            evidence = {"name": names.visible(item.name), "how": how, "trait": code, "item": item.path}
            return Seen(evidence=evidence, weight=weight)
    return None
