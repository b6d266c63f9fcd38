"""The rules on attachments, seen and not seen, and what the gravest of them force."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.finding import Finding, Severity
from gatepost.inspector.content import Content
from gatepost.inspector.decision import Action, Decision
from gatepost.inspector.rule import Rule
from gatepost.inspector.rules import (
    attachment_archives,
    attachment_documents,
    attachment_names,
    attachment_pages,
    attachment_pdf,
    attachment_programs,
)
from gatepost.inspector.settings import InspectorSettings, OnMalware
from gatepost.ports import Item, Link, Opened, Trait
from judging import dmarc, judged, see

names, programs, documents = attachment_names, attachment_programs, attachment_documents
BODY = Item(path="1", kind="text", size=7, sha256="0" * 64, declared_type="text/plain")


def item(name: str, kind: str, *traits: Trait, path: str = "2", parent: str = "", **more: Any) -> Item:
    named = {"names": (name,) if name else (), **more}
    return Item(path=path, parent=parent, name=name, kind=kind, size=9, sha256="1" * 64, traits=traits, **named)


def content(*items: Item, links: tuple[Link, ...] = ()) -> Content:
    return Content(Opened(items=(BODY, *items), links=links))


def found(rule: Rule, *items: Item, **options: Any) -> Finding | None:
    return see(rule, content=content(*items), **options)


def trait(code: str, **evidence: Any) -> Trait:
    return Trait(code=code, evidence=evidence)


def decided(*items: Item, **settings: Any) -> Decision:
    return judged(content=content(*items), settings=InspectorSettings(**settings)).decide()


PLAIN = (
    item("report.pdf", "pdf"),
    item("letter.doc", "rtf"),
    item("sheet.xls", "html"),
    item("photo.jpg", "png"),
    item("notes.txt", "text"),
    item("backup.tar.gz", "gzip"),
    item("patch.diff", "text"),
    item("archive.zip", "zip"),
    item("invite.ics", "ics"),
    item("Invoice from example.com", "pdf"),
    item("bob@example.com", "vcard"),
    item("Grüße an José.docx", "docx"),
    item("فاتورة\u200f.pdf", "pdf"),
    item("signature.asc", "pgp"),
    item("build.sh", "script-sh"),
    item("", "png"),
)


@pytest.mark.parametrize("plain", PLAIN, ids=lambda one: one.name or "nameless")
def test_ordinary_files_are_not_remarked_on(plain: Item) -> None:
    assert [f.code for f in judged(content=content(plain)).findings if f.code.startswith("attachment.")] == []


def test_nothing_is_found_without_a_look_inside() -> None:
    assert [f.code for f in judged().findings if f.code.startswith("attachment.")] == []


# --- names


@pytest.mark.parametrize("name", ["setup.exe", "invoice.JS", "photo.scr", "x.hta ", "run.bat."])
def test_blocked_extension(name: str) -> None:  # attachment.blocked-extension
    assert found(names.blocked_extension, item(name, "unknown"))
    assert not found(names.blocked_extension, item("a.txt", "text"))


def test_source_code_in_an_archive_is_not_blocked_but_a_lone_script_is() -> None:
    archive = item("site.zip", "zip")
    many = [item(f"m{n}.js", "script-js", path=f"2/{n}", parent="2") for n in range(40)]
    assert not found(names.blocked_extension, archive, *many)
    assert not found(programs.script, archive, *many)
    assert found(names.blocked_extension, archive, many[0])
    assert found(programs.script, archive, many[0])


def test_blocked_extensions_are_the_administrators_choice() -> None:
    settings = InspectorSettings(blocked_extensions=("xyz",))
    assert found(names.blocked_extension, item("a.xyz", "text"), settings=settings)
    assert not found(names.blocked_extension, item("a.js", "script-js"), settings=settings)


def test_double_extension() -> None:  # attachment.double-extension
    finding = found(names.double_extension, item("invoice.pdf       .exe", "pe"))
    assert finding is not None
    assert finding.severity is Severity.DANGER
    for name in ("report.final.pdf", "a.tar.gz", "page.html.txt", "v1.2.exe"):
        assert not found(names.double_extension, item(name, "pe"))


def test_page_named_document() -> None:  # attachment.page-named-document
    assert found(names.page_named_document, item("invoice.pdf.html", "html"))
    for name in ("invoice.html", "mail.eml.html", "a.html.html", "notes.txt.htm"):
        assert not found(names.page_named_document, item(name, "html"))


def test_direction_override() -> None:  # attachment.direction-override
    finding = found(names.direction_override, item("ann\u202efdp.exe", "pe"))
    assert finding is not None
    assert "\u202e" not in finding.summary
    assert "<U+202E>" in finding.summary
    assert not found(names.direction_override, item("\u200fשלום.pdf", "pdf"))


def test_invisible_characters() -> None:  # attachment.invisible-characters
    assert found(names.invisible_characters, item("inv\u200boice.pdf", "pdf"))
    grave = found(names.invisible_characters, item("invoice.e\u200bxe", "pe"))
    assert grave is not None
    assert grave.weight == 4
    assert not found(names.invisible_characters, item("शब्द\u200dक.pdf", "pdf"))  # a joiner, which writing needs


def test_pushed_out_of_sight() -> None:  # attachment.pushed-out-of-sight
    assert found(names.pushed_out_of_sight, item("invoice.pdf" + " " * 60 + ".exe", "pe"))
    assert not found(names.pushed_out_of_sight, item("invoice   2026 .pdf", "pdf"))


def test_names_differ() -> None:  # attachment.names-differ
    assert found(names.names_differ, item("a.jpg", "pe", names=("a.jpg", "a.exe")))
    assert not found(names.names_differ, item("a.jpg", "jpeg", names=("a.jpg", "b.jpeg")))


@pytest.mark.parametrize(
    ("name", "kind", "declared", "weight"),
    [
        ("renamed.jpg", "xlsm", "", 4.0),
        ("invoice.pdf", "html", "", 4.0),
        ("invoice.pdf", "docx", "", 0.8),
        ("", "pe", "image/png", 4.0),
        ("", "zip", "application/pdf", 4.0),
    ],
)
def test_type_differs(name: str, kind: str, declared: str, weight: float) -> None:  # attachment.type-differs
    finding = found(names.type_differs, item(name, kind, declared_type=declared))
    assert finding is not None
    assert finding.weight == weight
    for honest in (item("a.jpg", "png"), item("a.doc", "docx"), item("a.bin", "zip"), item("a.pdf", "unknown")):
        assert not found(names.type_differs, honest)
    assert not found(names.type_differs, item("", "png", declared_type="image/jpeg"))


# --- programs


def test_program() -> None:  # attachment.program
    assert found(programs.program, item("holiday.jpg", "pe"))
    inside = found(programs.program, item("a.zip", "zip"), item("x", "elf", path="2/1", parent="2"))
    assert inside is not None
    assert "inside" in inside.summary
    assert not found(programs.program, item("a.zip", "zip"))


def test_what_a_package_holds_is_told_once() -> None:
    jar = item("app.jar", "jar")
    finding = found(programs.program, jar, item("A.class", "java-class", path="2/1", parent="2"))
    assert finding is not None
    assert finding.evidence["item"] == "2"


def test_script() -> None:  # attachment.script
    mild = found(programs.script, item("a.js", "script-js", trait("script.abilities", abilities=[])))
    grave = found(programs.script, item("a.vbs", "vbs", trait("script.abilities", abilities=["runs programs"])))
    assert mild is not None
    assert grave is not None
    assert mild.weight < grave.weight
    assert not found(programs.script, item("a.py", "script-py"))


def test_shortcut() -> None:  # attachment.shortcut
    lnk = item("a.lnk", "lnk", trait("shortcut.target", target="cmd.exe", arguments="/c x"))
    assert found(programs.shortcut, lnk)
    web = found(programs.shortcut, item("a.url", "url", trait("shortcut.target", target="https://example.org/")))
    share = found(programs.shortcut, item("a.url", "url", trait("shortcut.target", target="file://192.0.2.1/x")))
    assert web is not None
    assert share is not None
    assert web.weight < share.weight
    assert not found(programs.shortcut, item("a.txt", "text"))


def test_disk_image() -> None:  # attachment.disk-image
    assert found(programs.disk_image, item("a.iso", "iso", trait("disk.image", format="ISO 9660")))
    assert not found(programs.disk_image, item("a.zip", "zip"))


@pytest.mark.parametrize(("severity", "weight"), [("danger", 8.0), ("warning", 3.5), ("notice", 1.0), ("info", 0.0)])
def test_pattern(severity: str, weight: float) -> None:  # attachment.pattern
    rules = [{"set": "own", "name": "bad", "description": "what is bad", "severity": severity}]
    finding = found(programs.pattern, item("a.html", "html", trait("yara.match", rules=rules, severity=severity)))
    assert finding is not None
    assert finding.weight == weight
    assert "what is bad" in finding.summary
    assert not found(programs.pattern, item("a.html", "html"))
    words = item("", "text", trait("yara.match", rules=rules, severity=severity), path="2.1", parent="2")
    assert not found(programs.pattern, words)


# --- documents


def test_macro() -> None:  # attachment.macro
    plain = found(documents.macro, item("a.xlsm", "xlsm", trait("office.macro", modules=1)))
    auto = found(documents.macro, item("a.xlsm", "xlsm", trait("office.macro", autoexec=["Workbook_Open"], grave=[])))
    worst = found(documents.macro, item("a.doc", "doc", trait("office.macro", autoexec=["AutoOpen"], grave=["Shell"])))
    assert plain is not None
    assert auto is not None
    assert worst is not None
    assert plain.weight < auto.weight < worst.weight
    assert not found(documents.macro, item("a.xlsx", "xlsx"))


def test_macros_are_expected_from_whom_the_administrator_names_but_only_if_proven() -> None:
    one = item("a.xlsm", "xlsm", trait("office.macro", modules=1), trait("office.macro-xlm", sheets=["S"]))
    settings = InspectorSettings(macro_domains=("example.org",))
    assert not found(documents.macro, one, settings=settings)
    assert not found(documents.macro_sheet, one, settings=settings)
    assert found(documents.macro, one, settings=settings, dmarc=dmarc("fail"))


def test_macro_sheet() -> None:  # attachment.macro-sheet
    shown = found(documents.macro_sheet, item("a.xls", "xls", trait("office.macro-xlm", sheets=["Macro1"])))
    hidden = found(documents.macro_sheet, item("a.xls", "xls", trait("office.macro-xlm", sheets=["M (very hidden)"])))
    assert shown is not None
    assert hidden is not None
    assert shown.weight < hidden.weight
    assert not found(documents.macro_sheet, item("a.xls", "xls"))


@pytest.mark.parametrize(
    ("rule", "one"),
    [
        (  # attachment.remote-template
            documents.remote_template,
            item("a.docx", "docx", trait("office.remote-template", target="https://evil.example/t.dotm")),
        ),
        (  # attachment.dde
            documents.dde,
            item("a.docx", "docx", trait("office.dde", commands=["DDEAUTO c:\\windows\\cmd.exe"])),
        ),
        (  # attachment.onenote
            documents.onenote,
            item("a.one", "onenote", trait("onenote.embedded", count=2)),
        ),
        (  # attachment.pdf-form
            attachment_pdf.pdf_form,
            item("a.pdf", "pdf", trait("pdf.submit-form", target="https://evil.example/")),
        ),
        (  # attachment.locked-archive
            attachment_archives.locked_archive,
            item("a.zip", "zip", trait("archive.encrypted", opened=False)),
        ),
        (  # attachment.locked-document
            attachment_archives.locked_document,
            item("a.pdf", "pdf", trait("pdf.encrypted", opened=False)),
        ),
        (  # attachment.default-password
            attachment_archives.default_password,
            item("a.xls", "xls", trait("office.encrypted", opened=True, password="default")),
        ),
        (  # attachment.two-kinds
            attachment_archives.two_kinds,
            item("a.png", "png", trait("file.polyglot", kinds=["png", "zip"])),
        ),
        (  # attachment.html-smuggling
            attachment_pages.html_smuggling,
            item("a.html", "html", trait("html.smuggling")),
        ),
        (  # attachment.html-script
            attachment_pages.html_script,
            item("a.html", "html", trait("html.script")),
        ),
        (  # attachment.page-asks-password
            attachment_pages.page_asks_password,
            item("a.html", "html", trait("html.form", password=True, remote=1)),
        ),
        (  # attachment.archive-trick
            attachment_archives.archive_trick,
            item("a.zip", "zip", trait("archive.hidden-member", names=["x.exe"])),
        ),
        (  # attachment.svg-script
            attachment_pages.svg_script,
            item("a.svg", "svg", trait("svg.script")),
        ),
    ],
    ids=lambda value: value.code if isinstance(value, Rule) else "",
)
def test_traits_that_say_it_all(rule: Rule, one: Item) -> None:
    assert found(rule, one)
    assert not found(rule, item(one.name, one.kind))


def test_a_page_that_is_the_body_may_hold_scripts_without_being_an_attached_one() -> None:
    body = item("", "html", trait("html.script"), disposition="inline", parent="1")
    assert not found(attachment_pages.html_script, body)


def test_external_object() -> None:  # attachment.external-object
    mild = trait("office.external-object", target="https://example.org/book.xlsx", type="externalLinkPath")
    grave = trait("office.external-object", target="https://evil.example/x.hta", type="oleObject")
    one, other = (found(documents.external_object, item("a.docx", "docx", each)) for each in (mild, grave))
    assert one is not None
    assert other is not None
    assert one.weight < other.weight
    assert not found(documents.external_object, item("a.docx", "docx"))


def test_program_in_document() -> None:  # attachment.program-in-document
    deep = (
        item("a.docx", "docx"),
        item("oleObject1.bin", "ole", path="2/1", parent="2"),
        item("x.js", "script-js", path="2/1/1", parent="2/1"),
    )
    assert found(documents.program_in_document, *deep)
    assert not found(documents.program_in_document, *deep[:2])
    assert not found(documents.program_in_document, item("a.zip", "zip"), item("x", "pe", path="2/1", parent="2"))


def test_objects() -> None:  # attachment.equation-object, attachment.rtf-object
    old = found(documents.equation_object, item("a.doc", "doc", trait("office.equation")))
    rtf = found(documents.equation_object, item("a.doc", "rtf", trait("office.equation")))
    assert old is not None
    assert rtf is not None
    assert old.weight < rtf.weight
    assert not found(documents.equation_object, item("a.doc", "doc"))
    assert found(documents.rtf_object, item("a.rtf", "rtf", trait("rtf.object", classes=["Package"], update=True)))
    assert not found(documents.rtf_object, item("a.rtf", "rtf"))


def test_pdf_launch() -> None:  # attachment.pdf-launch
    assert found(attachment_pdf.pdf_launch, item("a.pdf", "pdf", trait("pdf.launch", target="cmd.exe")))
    share = found(attachment_pdf.pdf_launch, item("a.pdf", "pdf", trait("pdf.remote-goto", target="\\\\192.0.2.1\\x")))
    assert share is not None
    assert share.severity is Severity.WARNING
    assert not found(attachment_pdf.pdf_launch, item("a.pdf", "pdf", trait("pdf.remote-goto", target="part2.pdf")))


def test_pdf_script() -> None:  # attachment.pdf-script
    form = found(attachment_pdf.pdf_script, item("a.pdf", "pdf", trait("pdf.javascript")))
    opening = item("a.pdf", "pdf", trait("pdf.javascript"), trait("pdf.open-action", action="JavaScript"))
    auto = found(attachment_pdf.pdf_script, opening)
    assert form is not None
    assert auto is not None
    assert form.weight < auto.weight
    assert not found(attachment_pdf.pdf_script, item("a.pdf", "pdf", trait("pdf.open-action", action="URI")))


def test_pdf_embedded_file() -> None:  # attachment.pdf-embedded-file
    pdf = item("a.pdf", "pdf")
    assert found(attachment_pdf.pdf_embedded_file, pdf, item("b.docm", "docm", path="2/1", parent="2"))
    assert not found(attachment_pdf.pdf_embedded_file, pdf, item("factur-x.xml", "xml", path="2/1", parent="2"))


def test_password_in_text() -> None:  # attachment.password-in-text
    assert found(attachment_archives.password_in_text, item("a.zip", "zip", trait("archive.password-in-text")))
    told = trait("office.encrypted", opened=True, password="in the text")
    assert found(attachment_archives.password_in_text, item("a.docx", "ole", told))
    free = trait("pdf.encrypted", opened=True, password="none")
    assert not found(attachment_archives.password_in_text, item("a.pdf", "pdf", free))
    assert not found(
        attachment_archives.password_in_text, item("a.zip", "zip", trait("archive.encrypted", opened=False))
    )


def test_code_with_link() -> None:  # attachment.code-with-link
    code = Link(target="https://evil.example/", source="code", item="2")
    other = Link(target="https://evil.example/", source="text", item="1")
    assert see(attachment_pages.code_with_link, content=content(item("a.png", "png"), links=(other, code)))
    assert not see(attachment_pages.code_with_link, content=content(item("a.png", "png"), links=(other,)))


# --- what they force

EICAR = item("eicar.com", "text", trait("malware.eicar", name="EICAR-Test-File"))
FRIENDLY: dict[str, Any] = {"weights": {"auth.dmarc.pass": -100.0}, "group_caps": {"auth": 100.0}}


def test_eicar_is_malware_without_any_scanner() -> None:
    decision = decided(EICAR, **FRIENDLY)
    assert decision.action is Action.QUARANTINE
    assert "malware.found" in decision.decided_by
    assert any("EICAR" in finding.summary for finding in decision.findings)
    assert decided(EICAR, malware=OnMalware.REJECT, **FRIENDLY).action is Action.REJECT


@pytest.mark.parametrize(
    "one",
    [item("a.pdf", "pe"), item("a.js", "script-js"), item("a.pdf.iso", "iso"), item("a\u202efdp.txt", "text")],
    ids=["program", "script", "double", "override"],
)
def test_what_starts_programs_is_held_back_whatever_speaks_for_the_message(one: Item) -> None:
    assert decided(one, **FRIENDLY).action is Action.QUARANTINE
    assert decided(one, quarantine_codes=(), **FRIENDLY).action is Action.ACCEPT


def test_the_worst_macros_are_held_back_by_their_weight() -> None:
    one = item("a.docm", "docm", trait("office.macro", autoexec=["AutoOpen"], grave=["Shell"]))
    assert decided(one).action is Action.QUARANTINE


def test_a_plain_macro_or_a_locked_archive_alone_does_not_even_tag() -> None:
    assert decided(item("a.xlsm", "xlsm", trait("office.macro", modules=1))).action is Action.ACCEPT
    assert decided(item("a.zip", "zip", trait("archive.encrypted", opened=False))).action is Action.ACCEPT
