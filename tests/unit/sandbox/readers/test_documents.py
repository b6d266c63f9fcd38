"""Office files, Rich Text, PDF and OneNote: what they can do, where they lead, what they hold and say."""

from __future__ import annotations

import base64
import io
import random
import zlib
from collections.abc import Sequence
from typing import Any

import pikepdf
import pytest
from msoffcrypto.format.ooxml import OOXMLFile as OfficeFile

import documents as make
from gatepost.ports import Opened
from gatepost.sandbox.finds import Finds
from gatepost.sandbox.kinds import detect
from gatepost.sandbox.limits import Limits
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers import READERS, load
from gatepost.sandbox.unpack import Bomb, Budget


def read(
    octets: bytes, name: str = "a", passwords: Sequence[str] = (), limits: Limits | None = None
) -> tuple[Opened, list[Member]]:
    """What the readers for the kind of `octets` find, and the files they give."""
    kind = detect(octets, name=name).kind
    finds = Finds()
    finds.item("1", kind=kind, size=len(octets), sha256="")
    budget = Budget(limits or Limits())
    content = Content(path="1", octets=octets, name=name, kind=kind, passwords=passwords, budget=budget)
    members = [member for reader in READERS[kind] for member in load(reader)(content, finds)]
    return finds.opened(), members


def evidence(opened: Opened, code: str) -> dict[str, Any]:
    trait = opened.items[0].trait(code)
    assert trait is not None, [each.code for each in opened.items[0].traits]
    return dict(trait.evidence)


# --- Word, Excel, PowerPoint as XML


def test_a_plain_document_says_its_words_and_nothing_else() -> None:
    opened, members = read(make.docx("<w:p><w:r><w:t>Hello</w:t><w:tab/><w:t>Bob</w:t></w:r></w:p>"))
    assert opened.items[0].traits == ()
    assert opened.texts[0].visible == "Hello Bob"
    assert members == []
    assert opened.trouble == ()


def test_hidden_text_is_told_apart() -> None:
    body = "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>unseen</w:t></w:r><w:r><w:t>seen</w:t></w:r></w:p>"
    opened, _ = read(make.docx(body))
    assert (opened.texts[0].visible, opened.texts[0].hidden) == ("seen", "unseen")


def test_a_link_shows_its_words() -> None:
    body = '<w:p><w:hyperlink r:id="rId1"><w:r><w:t>www.bank.example</w:t></w:r></w:hyperlink></w:p>'
    rels = {"word___rels__document.xml.rels": make.relations(("hyperlink", make.LINK))}
    opened, _ = read(make.docx(body, **rels))
    assert [(link.target, link.shown, link.source) for link in opened.links] == [
        (make.LINK, "www.bank.example", "office")
    ]


@pytest.mark.parametrize(
    ("kind", "target", "code"),
    [
        ("attachedTemplate", "https://evil.example/t.dotm", "office.remote-template"),
        ("attachedTemplate", "\\\\evil.example\\share\\t.dotm", "office.remote-template"),
        ("attachedTemplate", "file://evil.example/share/t.dotm", "office.remote-template"),
        ("oleObject", "mhtml:https://evil.example/x.html!x-usc:x", "office.external-object"),
        ("frame", "http://evil.example/f", "office.external-object"),
    ],
)
def test_what_is_fetched_on_opening(kind: str, target: str, code: str) -> None:
    opened, _ = read(make.docx(**{"word___rels__s.xml.rels": make.relations((kind, target))}))
    assert evidence(opened, code)["target"] == target


@pytest.mark.parametrize("target", ["file:///C:\\Users\\Ann\\Normal.dotm", "\\\\fileserver\\templates\\letter.dotx"])
def test_a_template_of_the_house_is_nothing_to_remark_on(target: str) -> None:
    opened, _ = read(make.docx(**{"word___rels__s.xml.rels": make.relations(("attachedTemplate", target))}))
    assert opened.items[0].traits == ()


@pytest.mark.parametrize(
    "instruction",
    [
        'DDEAUTO c:\\\\windows\\\\system32\\\\cmd.exe "/k calc.exe"',
        "dde excel x",
        "QUOTE 68 68 69 65 85 84 79 32 99 109 100",
    ],
)
def test_dde_fields(instruction: str) -> None:
    opened, _ = read(make.docx(make.field(instruction.replace('"', "&quot;"))))
    assert evidence(opened, "office.dde")["commands"]


def test_dde_in_a_workbook() -> None:
    sheet = "<worksheet><sheetData><row><c><f>cmd|' /c calc'!A0</f></c></row></sheetData></worksheet>"
    link = '<externalLink><ddeLink ddeService="cmd" ddeTopic="/c calc"/></externalLink>'
    for part in ({"xl/worksheets/sheet1.xml": sheet}, {"xl/externalLinks/externalLink1.xml": link}):
        opened, _ = read(make.zipped({"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>", **part}))
        assert "calc" in evidence(opened, "office.dde")["commands"][0]


def test_macro_sheets_of_excel_4() -> None:
    parts = {"[Content_Types].xml": "<Types/>", "xl/workbook.xml": "<workbook/>", "xl/macrosheets/sheet1.xml": "<x/>"}
    opened, _ = read(make.zipped(parts))
    assert evidence(opened, "office.macro-xlm")["sheets"] == ["xl/macrosheets/sheet1.xml"]


def test_files_and_pictures_in_a_document_are_members() -> None:
    parts = {"word__embeddings__oleObject1.bin": make.ole({"\x01Ole10Native": make.native("x.js", b"var a")})}
    opened, members = read(make.docx(**parts, word__media__image1=make.saved(make.qr())))
    assert [member.name for member in members] == ["word/embeddings/oleObject1.bin", "word/media/image1"]
    assert evidence(opened, "office.embedded")
    _, inner = read(members[0].octets)
    assert (inner[0].name, inner[0].octets) == ("x.js", b"var a")


def test_a_document_type_is_refused_so_that_no_entity_can_grow() -> None:
    bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]><a><t>&c;</t></a>'
    opened, _ = read(make.docx(**{"word__header1.xml": bomb}))
    assert "bbbb" not in opened.texts[0].visible


def test_a_part_that_unpacks_to_too_much_is_a_bomb() -> None:
    with pytest.raises(Bomb):
        read(make.docx(word__media__image1=b"\0" * 3_000_000), limits=Limits(member=1_000_000))


def test_open_document() -> None:
    text = (
        '<office:document-content xmlns:office="o" xmlns:text="t" xmlns:xlink="x"><office:body><text:p>Hello '
        f'<text:a xlink:href="{make.LINK}">here</text:a></text:p></office:body></office:document-content>'
    )
    parts = {"mimetype": "application/vnd.oasis.opendocument.text", "content.xml": text}
    module = '<script:module xmlns:script="s">Sub Main</script:module>'
    opened, _ = read(make.zipped({**parts, "Basic/Standard/Module1.xml": module}))
    assert opened.texts[0].visible == "Hello here"
    assert [(link.target, link.shown) for link in opened.links] == [(make.LINK, "here")]
    assert evidence(opened, "office.macro")["modules"] == 1


def test_an_action_of_a_slide_that_starts_a_program() -> None:
    slide = '<p:sld xmlns:p="p" xmlns:a="a"><a:hlinkMouseOver action="ppaction://program"/></p:sld>'
    parts = {"[Content_Types].xml": "<Types/>", "ppt/presentation.xml": "<p/>", "ppt/slides/slide1.xml": slide}
    opened, _ = read(make.zipped(parts))
    assert evidence(opened, "office.dde")["commands"] == ["hlinkMouseOver ppaction://program"]


def test_a_document_in_one_piece_of_xml_gives_what_is_packed_in_it() -> None:
    inner = make.ole({"VBA": b"x"})
    mso = b"ActiveMime" + b"\0" * 40 + zlib.compress(inner)
    text = '<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument xmlns:w='
    text += '"http://schemas.microsoft.com/office/word/2003/wordml"><w:binData w:name="editdata.mso">'
    _, members = read(text.encode() + base64.encodebytes(mso) + b"</w:binData></w:wordDocument>", name="a.doc")
    assert [member.octets for member in members] == [mso]
    _, members = read(mso)
    assert [member.octets for member in members] == [inner]


# --- encrypted


def encrypted(password: str) -> bytes:
    file = io.BytesIO()
    noise = random.Random(1).randbytes(6_000)  # msoffcrypto writes files below 4096 octets that nobody can read
    OfficeFile(io.BytesIO(make.docx(word__media__noise=noise))).encrypt(password, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("password", "known", "how"),
    [("VelvetSweatshop", (), "default"), ("Sommer2026", ("wrong", "Sommer2026"), "in the text")],
)
def test_a_locked_document_is_opened(password: str, known: tuple[str, ...], how: str) -> None:
    opened, members = read(encrypted(password), passwords=known)
    assert evidence(opened, "office.encrypted") == {"opened": True, "password": how}
    assert detect(members[0].octets).kind == "docx"


def test_a_locked_document_whose_password_nobody_knows_says_so() -> None:
    opened, members = read(encrypted("Sommer2026"), passwords=("wrong",))
    assert evidence(opened, "office.encrypted")["opened"] is False
    assert [trouble.code for trouble in opened.trouble] == ["encrypted"]
    assert members == []


def test_no_password_is_tried_where_each_would_take_seconds() -> None:
    octets = encrypted("Sommer2026").replace(b'spinCount="100000"', b'spinCount="900000"')
    opened, _ = read(octets, passwords=("Sommer2026",))
    assert evidence(opened, "office.encrypted")["opened"] is False
    assert "stretched" in opened.trouble[0].reason


# --- compound files


def test_an_old_workbook() -> None:
    supbook = make.record(0x1AE, b"\0\0" + len("cmd\x03/c calc").to_bytes(2, "little") + b"\0cmd\x03/c calc")
    opened, _ = read(make.ole({"Workbook": make.macro_sheet("Macro1", hidden=2) + supbook}))
    assert evidence(opened, "office.macro-xlm") == {"sheets": ["Macro1 (very hidden)"], "autoexec": ["Auto_Open"]}
    assert evidence(opened, "office.dde")["commands"] == ["cmd /c calc"]


@pytest.mark.parametrize("codec", ["cp1252", "utf-16-le"])
def test_an_old_document(codec: str) -> None:
    text = f'Dear Bob, please look \x13 HYPERLINK "{make.LINK}" \x14here\x15 and \x13DDEAUTO cmd "/k calc"\x15 end.'
    stream = b"\xec\xa5" + b"\0" * 510 + text.encode(codec)
    opened, _ = read(make.ole({"WordDocument": stream, "1Table": b""}))
    assert make.LINK in {link.target for link in opened.links}
    assert "calc" in evidence(opened, "office.dde")["commands"][0]
    assert "Dear Bob" in opened.texts[0].visible


def test_an_equation_object() -> None:
    opened, _ = read(make.ole({"WordDocument": b"x", "Equation Native": b"x"}))
    assert evidence(opened, "office.equation")


# --- Rich Text


def test_rich_text_gives_its_objects_and_words() -> None:
    opened, members = read(make.rtf_package("run.vbs", b"MsgBox 1"))
    assert [(member.name, member.octets) for member in members] == [("run.vbs", b"MsgBox 1")]
    assert evidence(opened, "rtf.object") == {"classes": ["Package"], "update": True}
    assert opened.texts[0].visible.startswith("Hello.")


def test_rich_text_from_elsewhere() -> None:
    text = (
        b"{\\rtf1{\\*\\template https://evil.example/t.dotm}"
        b'{\\field{\\*\\fldinst{ HYPERLINK "https://evil.example/link" }}'
        b"{\\fldrslt here}}{\\field{\\*\\fldinst{ DDEAUTO cmd /c}}}}"
    )
    opened, _ = read(text)
    assert evidence(opened, "office.remote-template")["target"] == "https://evil.example/t.dotm"
    assert evidence(opened, "office.dde")
    assert make.LINK in {link.target for link in opened.links}


# --- OneNote


def test_a_notebook_gives_its_files() -> None:
    opened, members = read(make.onenote(b"@echo off", b"two"))
    assert [member.octets for member in members] == [b"@echo off", b"two"]
    assert evidence(opened, "onenote.embedded")["count"] == 2


# --- PDF


def test_a_plain_pdf() -> None:
    opened, members = read(make.pdf())
    assert opened.items[0].traits == ()
    assert opened.texts[0].visible == "Please open www.bank.example"
    assert [(link.target, link.shown, link.source) for link in opened.links] == [
        (make.LINK, "Please open www.bank.example", "pdf")
    ]
    assert members == []


def test_what_a_pdf_does() -> None:
    script = make.action("JavaScript", JS=pikepdf.String("app.alert(1)"))
    launch = make.action("Launch", F=pikepdf.String("cmd.exe"))
    form = pikepdf.Dictionary(Fields=pikepdf.Array([]), XFA=pikepdf.String("<xdp/>"))
    opened, _ = read(
        make.pdf(root={"/OpenAction": script, "/AcroForm": form}, page={"/AA": pikepdf.Dictionary(O=launch)})
    )
    assert evidence(opened, "pdf.open-action") == {"action": "JavaScript"}
    assert evidence(opened, "pdf.javascript") == {"script": "app.alert(1)"}
    assert evidence(opened, "pdf.launch") == {"target": "cmd.exe"}
    assert {"pdf.additional-actions", "pdf.xfa"} <= {trait.code for trait in opened.items[0].traits}


@pytest.mark.parametrize(
    ("kind", "code"), [("GoToR", "pdf.remote-goto"), ("GoToE", "pdf.remote-goto"), ("SubmitForm", "pdf.submit-form")]
)
def test_where_a_pdf_leads(kind: str, code: str) -> None:
    where = pikepdf.Dictionary(
        Type=pikepdf.Name.Filespec, FS=pikepdf.Name.URL, F=pikepdf.String("https://evil.example/s")
    )
    opened, _ = read(make.pdf(root={"/OpenAction": make.action(kind, F=where)}))
    assert evidence(opened, code)["target"] == "https://evil.example/s"
    assert "https://evil.example/s" in {link.target for link in opened.links}


def test_opening_at_a_page_is_nothing_to_remark_on() -> None:
    opened, _ = read(make.pdf(root={"/OpenAction": make.action("GoTo", D=pikepdf.String("p"))}))
    assert opened.items[0].traits == ()


def test_files_in_a_pdf() -> None:
    opened, members = read(make.pdf(files=[("x.exe", b"MZ" + b"\0" * 90)]))
    assert [(member.name, member.octets[:2]) for member in members] == [("x.exe", b"MZ")]
    assert evidence(opened, "pdf.embedded-files")["files"] == ["x.exe"]


def test_a_code_on_a_page() -> None:
    opened, _ = read(make.pdf(picture=make.qr()))
    assert ("code", make.CODE) in {(link.source, link.target) for link in opened.links}


def test_a_locked_pdf_is_opened_with_a_password_from_the_text() -> None:
    locked = make.pdf(password="Sommer2026")
    opened, _ = read(locked, passwords=("wrong", "Sommer2026"))
    assert evidence(opened, "pdf.encrypted") == {"opened": True, "password": "in the text"}
    assert opened.texts
    opened, _ = read(locked)
    assert evidence(opened, "pdf.encrypted")["opened"] is False
    assert [trouble.code for trouble in opened.trouble] == ["encrypted"]


def test_a_file_in_a_pdf_that_unpacks_to_too_much_is_a_bomb() -> None:
    document = pikepdf.new()
    document.add_blank_page()
    packed = pikepdf.Stream(document, zlib.compress(b"\0" * 3_000_000))
    packed.Filter = pikepdf.Name.FlateDecode
    table = pikepdf.Dictionary(Type=pikepdf.Name.Filespec, F=pikepdf.String("x"), EF=pikepdf.Dictionary(F=packed))
    document.Root.Extra = document.make_indirect(table)
    file = io.BytesIO()
    document.save(file, compress_streams=False)
    with pytest.raises(Bomb):
        read(file.getvalue(), limits=Limits(member=1_000_000))


def test_a_broken_pdf_still_shows_what_its_octets_say() -> None:
    opened, _ = read(b"%PDF-1.7\n/OpenAction << /S /JavaScript >> /URI (https://evil.example/raw)")
    assert {trouble.code for trouble in opened.trouble} <= {"damaged"}
    assert "https://evil.example/raw" in {link.target for link in opened.links}
