"""Kinds are told by content; names and declared types only settle what kind of text a text is."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest

from gatepost.ports import Opened
from gatepost.sandbox.kinds import detect

Open = Callable[..., Opened]
MAIL = b"From: a@example.org\r\nTo: b@example.net\r\nSubject: x\r\nDate: now\r\n\r\nhello\r\n"


def zipped(*names: str, first: bytes = b"x") -> bytes:
    """A zip with files of these names."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, first)
    return out.getvalue()


PE = b"MZ" + bytes(58) + struct.pack("<I", 64) + b"PE\x00\x00" + bytes(64)
BINARY = [
    (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "pdf"),
    (b"\x00\x00junk%PDF-1.4\n" + bytes(50), "pdf"),
    (b"\x89PNG\r\n\x1a\n" + bytes(20), "png"),
    (b"\xff\xd8\xff\xe0\x00\x10JFIF", "jpeg"),
    (b"GIF89a" + bytes(10), "gif"),
    (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "webp"),
    (b"II*\x00\x08\x00\x00\x00", "tiff"),
    (PE, "pe"),
    (b"\x7fELF\x02\x01\x01" + bytes(20), "elf"),
    (b"\xca\xfe\xba\xbe\x00\x00\x00\x34" + bytes(9), "java-class"),
    (b"\xca\xfe\xba\xbe\x00\x00\x00\x02" + bytes(9), "macho"),
    (b"\xcf\xfa\xed\xfe" + bytes(9), "macho"),
    (b"dex\n035\x00" + bytes(9), "dex"),
    (b"7z\xbc\xaf\x27\x1c\x00\x04", "7z"),
    (b"Rar!\x1a\x07\x01\x00", "rar"),
    (b"\x1f\x8b\x08\x00" + bytes(6), "gzip"),
    (b"BZh91AY&SY" + bytes(9), "bzip2"),
    (b"\xfd7zXZ\x00\x00\x04", "xz"),
    (b"\x28\xb5\x2f\xfd\x04\x00", "zstd"),
    (b"MSCF\x00\x00\x00\x00" + bytes(9), "cab"),
    (b"\x78\x9f\x3e\x22\x01\x00", "tnef"),
    (bytes(257) + b"ustar\x0000" + bytes(300), "tar"),
    (bytes(32769) + b"CD001\x01", "iso"),
    (bytes(1000) + b"conectix" + bytes(504), "vhd"),
    (b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3" + bytes(9), "onenote"),
    (b"L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00F" + bytes(9), "lnk"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "ole"),
    (zipped("a.txt"), "zip"),
    (zipped("[Content_Types].xml", "word/document.xml"), "docx"),
    (zipped("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "docm"),
    (zipped("[Content_Types].xml", "xl/workbook.xml"), "xlsx"),
    (zipped("[Content_Types].xml", "xl/workbook.bin"), "xlsb"),
    (zipped("[Content_Types].xml", "xl\\workbook.xml", "xl/vbaProject.bin"), "xlsm"),
    (zipped("[Content_Types].xml", "ppt/presentation.xml"), "pptx"),
    (zipped("mimetype", first=b"application/vnd.oasis.opendocument.text"), "odt"),
    (zipped("META-INF/MANIFEST.MF", "A.class"), "jar"),
    (zipped("META-INF/MANIFEST.MF", "AndroidManifest.xml", "classes.dex"), "apk"),
    (bytes(range(256)) * 4, "unknown"),
    (b"", "empty"),
]


@pytest.mark.parametrize(("octets", "kind"), BINARY)
@pytest.mark.parametrize("name", ["", "harmless.txt", "x.docx", "x.js"])
def test_content_alone_tells_what_is_no_text(octets: bytes, kind: str, name: str) -> None:
    assert detect(octets, name=name, declared_type="text/plain").kind == kind


@pytest.mark.parametrize(
    ("octets", "name", "declared_type", "kind"),
    [
        (b"Hello, this is text.\n", "", "", "text"),
        (b"Hello, this is text.\n", "x.exe", "application/octet-stream", "text"),
        (b"<html><body>x</body></html>", "", "text/plain", "html"),
        (b"  <!-- c -->\n<!DOCTYPE html><p>x", "x.txt", "", "html"),
        (b"\xef\xbb\xbf<script>x</script>", "invoice.pdf", "", "html"),
        ("<html><b>x</b></html>".encode("utf-16"), "", "", "html"),
        (b"<b>bold</b>", "", "text/html", "html"),
        (b"<b>bold</b>", "a.shtml", "", "html"),
        (b'<?xml version="1.0"?><svg xmlns="x"><script/></svg>', "", "", "svg"),
        (b'<?xml version="1.0"?><invoice/>', "i.xml", "", "xml"),
        (b"<html><hta:application id=x /></html>", "x.html", "", "hta"),
        (b'<job><script language="VBScript">x</script></job>', "", "", "wsf"),
        (b"{\\rtf1\\ansi x}", "x.doc", "", "rtf"),
        (b"{\\rt x}", "x.doc", "", "rtf"),
        (b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n", "", "", "ics"),
        (b"[InternetShortcut]\r\nURL=https://x/\r\n", "x.txt", "", "url"),
        (b"#!/bin/sh\nrm x\n", "readme", "", "script-sh"),
        (b"#!/usr/bin/env python3\nx\n", "", "", "script-py"),
        (b"var a = 1;", "x.js", "", "script-js"),
        (b'Dim a\nSet a = CreateObject("x")\n', "x.dat", "", "vbs"),
        (b"var a = new ActiveXObject('x');", "x.dat", "", "script-js"),
        (b"@echo off\nstart calc\n", "x", "", "bat"),
        (b"$a = New-Object Net.WebClient\n", "x.dat", "", "ps1"),
        (b"anything\n", "x.vbs", "", "vbs"),
        (MAIL, "", "", "eml"),
        (MAIL, "x.eml", "application/octet-stream", "eml"),
    ],
)
def test_texts(octets: bytes, name: str, declared_type: str, kind: str) -> None:
    assert detect(octets, name=name, declared_type=declared_type).kind == kind


@pytest.mark.parametrize(
    ("octets", "name"),
    [
        (b"Dim the lights.\nSet the table.\nOn Error Resume Next, he said.\n", "story.txt"),
        (b"--- a/x.js\n+++ b/x.js\n+var a = new ActiveXObject('x');\n", "fix.patch"),
        (b"MZ is how the names of some people begin.\n", "names"),
        (b"CWS: a company\nFWS: another\n", "list"),
        (b"Subject: a word\nand no header\n", ""),
        (b"a < b and b > c; <p> is a tag\n", "math"),
        ("Grüße aus Köln, 5 °C\n".encode("latin-1"), ""),
    ],
)
def test_words_stay_words(octets: bytes, name: str) -> None:
    assert detect(octets, name=name).kind == "text"


def test_two_things_at_once() -> None:
    archive = zipped("evil.js")
    assert detect(b"\x89PNG\r\n\x1a\n" + bytes(30) + archive).others == ("zip",)
    assert detect(b"GIF89a/*<script>alert(1)</script>").others == ("html",)
    assert detect(PE + archive).others == ("zip",)
    assert detect(b"\xff\xd8\xff\xe0 %PDF-1.4\n" + bytes(2000) + b"\n%%EOF\n").others == ("pdf",)
    assert detect(archive).others == ()
    assert detect(b"%PDF-1.7\n" + archive + bytes(100_000) + b"\n%%EOF\n").others == ()  # a file in the PDF


def test_both_readings_are_opened(open_attachment: Open) -> None:
    opened = open_attachment(b"\x89PNG\r\n\x1a\n" + bytes(30) + zipped("evil.exe", first=PE), "photo.png")
    assert [(item.path, item.kind) for item in opened.items[1:]] == [("2", "png"), ("2/1", "pe")]
    assert opened.items[1].trait("file.polyglot") is not None
