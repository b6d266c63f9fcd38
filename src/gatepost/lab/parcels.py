"""Attachments for the lab's mails: small files of the kinds that do harm, and honest ones of the same kinds.

In: nothing, or what a file shall hold. Out: octets. None of them does anything: programs are a few octets of a header,
scripts talk to names under .example. Standard: none. Not here: the mails that carry them (`lab.scenarios`).
"""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Mapping

# EICAR's test file, in two halves so that no scanner takes this source for it.
TEST_VIRUS = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-" + b"STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
PROGRAM = b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff\x00\x00" + bytes(44) + b"\x40\x00\x00\x00PE\x00\x00"
SHORTCUT = b"L\x00\x00\x00\x01\x14\x02\x00\x00\x00\x00\x00\xc0\x00\x00\x00\x00\x00\x00F" + bytes(56)
DISK = bytes(32768) + b"\x01CD001\x01\x00" + bytes(2040)

# A picture of a code whose text is http://bank-login.hoster.example/verify?u=alice
CODE = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAJQAAACUAQAAAABdRz15AAABDUlEQVR42u2WsZFeQQiDP904Fx28/st6HYgK5OD3JfY42g2PiCHQaJGAVfk79ot/"
    "46f235qkkZgdJM0xnlsa4XfcXuCsYQnzSa/0wENe57x/v76Th43v4JXZ8HSgHOqhIvD3aICzh/wKqDKf9IwfLbFTA3br5hgvqZPQmB7juSY1bW1f"
    "wKNtS2689wvi1c7gsjf8J6hMhoxyw8+CoC4vzzleiReCdcV/DS60cdoe6zGT4GrA0oX5cA1JMFfmo6Shdsipn1X02S7vVEC5sl8IHUcX7oekKWaX"
    "uXEv3bKZhxL2XF9ju67zx4437tG+YuIdcoNfSlwCPudX5qFAF5/rsRJEyw5Oju/lz3/yoPYb1xi9HwVqNHUAAAAASUVORK5CYII="
)
# An archive with the password 4711 and invoice.exe in it.
LOCKED = base64.b64decode(
    "UEsDBAoACQAAAMM+eF1KW5FUHAAAABAAAAALABwAaW52b2ljZS5leGVVVAkAA51CBWudQgVrdXgLAAEEAAAAAAQAAAAAxXggXa4fJ23+btNwEE9T"
    "SBiOMokeYdTO18xlNVBLBwhKW5FUHAAAABAAAABQSwECHgMKAAkAAADDPnhdSluRVBwAAAAQAAAACwAYAAAAAAAAAAAApIEAAAAAaW52b2ljZS5l"
    "eGVVVAUAA51CBWt1eAsAAQQAAAAABAAAAABQSwUGAAAAAAEAAQBRAAAAcQAAAAAA"
)


def archive(members: Mapping[str, bytes]) -> bytes:
    """A zip archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, octets in members.items():
            made.writestr(name, octets)
    return file.getvalue()


def bomb(megabytes: int = 400) -> bytes:
    """Zeros in an archive in an archive: a kilobyte or two that want to become hundreds of megabytes."""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as made, made.open("zeros.bin", "w") as member:
        for _ in range(megabytes):
            member.write(bytes(1 << 20))
    return archive({"inner.zip": inner.getvalue()})


_TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/word/document.xml"
 ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>
</Types>"""
_RELATIONS = """<?xml version="1.0" encoding="UTF-8"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>"""
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_DOCUMENT = """<?xml version="1.0" encoding="UTF-8"?>
<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">
<w:body><w:p><w:r><w:t>{}</w:t></w:r></w:p></w:body></w:document>"""


def word_document(text: str, template: str = "") -> bytes:
    """A Word document; with `template` it fetches that URL when it is opened."""
    main = f'<Relationship Id="rId1" Type="{_OFFICE}/officeDocument" Target="word/document.xml"/>'
    members = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELATIONS.format(main),
        "word/document.xml": _DOCUMENT.format(text),
    }
    if template:
        members["word/settings.xml"] = _DOCUMENT.format("")
        attached = (
            f'<Relationship Id="rId1" Type="{_OFFICE}/attachedTemplate" Target="{template}" TargetMode="External"/>'
        )
        members["word/_rels/settings.xml.rels"] = _RELATIONS.format(attached)
    return archive({name: part.encode() for name, part in members.items()})


def pdf(text: str, action: str = "") -> bytes:
    """A page of text; `action` is what the reader is told to do when it opens the file, in PDF's own words."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode("ascii")
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R" + (f" /OpenAction {action}".encode() if action else b"") + b" >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%b\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    file, places = b"%PDF-1.4\n", []
    for number, octets in enumerate(objects, 1):
        places.append(len(file))
        file += b"%d 0 obj\n%b\nendobj\n" % (number, octets)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    count = len(objects) + 1
    end = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, len(file))
    return file + b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table) + end
