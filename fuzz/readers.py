"""Fuzzes the readers of documents, pictures, scripts and shortcuts, as the sandbox's walker calls them.

What they raise is trouble with one file, what they tell has to pass the parent's own check. The first octet of an input
chooses a file name, so that mutation reaches the kinds that go by name. A parser in C that brings the process down ends
the run: in the gate it would be a child. Not here: archives (`archives`), pages and texts (`pages`).
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

import pikepdf
from harness import main

import documents as make
from gatepost.sandbox.finds import Finds
from gatepost.sandbox.kinds import detect
from gatepost.sandbox.limits import Limits
from gatepost.sandbox.reader import Content, Member
from gatepost.sandbox.readers import READERS, load
from gatepost.sandbox.unpack import Budget

NAMES = ("a", "a.js", "a.vbs", "a.ps1", "a.url", "a.library-ms")
LIMITS = Limits(member=1 << 20, total=4 << 20)
MINE = frozenset(
    ("office", "ole", "mso", "onenote", "rtf", "pdf", "picture", "script", "shortcut", "disk_image", "eicar")
)
FILES = [
    make.docx(
        make.field("DDEAUTO cmd") + '<w:p><w:hyperlink r:id="rId1"><w:r><w:t>here</w:t></w:r></w:hyperlink></w:p>',
        **{
            "word__embeddings__o.bin": make.ole({"\x01Ole10Native": make.native("x.js", b"var a")}),
            "word___rels__document.xml.rels": make.relations(("hyperlink", make.LINK), ("attachedTemplate", make.LINK)),
        },
    ),
    make.ole({"Workbook": make.macro_sheet("M", 2) * 10, "VBA": b"x", "_VBA_PROJECT": b"x"}),
    make.ole({"WordDocument": b'\xec\xa5\x13 HYPERLINK "https://x.example/y" \x14here\x15', "Equation Native": b"x"}),
    make.rtf_package("x.vbs", b"MsgBox 1"),
    make.pdf(
        root={"/OpenAction": make.action("JavaScript", JS=pikepdf.String("x"))},
        picture=make.qr(scale=2),
        files=[("x.exe", b"MZ" + bytes(90))],
    ),
    *(make.saved(make.qr(scale=2), form) for form in ("PNG", "GIF", "JPEG", "BMP", "WEBP", "TIFF")),
    make.lnk("cmd.exe", "/c start https://evil.example/"),
    make.onenote(b"@echo off", b"x"),
    b'var a = new ActiveXObject("WScript.Shell"); // http://x.example/',
    b"MsgBox 1",
    b"powershell -enc AAAA",
    b"[InternetShortcut]\nURL=https://evil.example/\n",
    b'<?xml version="1.0"?><libraryDescription><url>\\\\192.0.2.1\\x</url></libraryDescription>',
]
CORPUS = [*(b"\0" + octets for octets in FILES), *(bytes([n + 1]) + octets for n, octets in enumerate(FILES[-5:]))]


def target(data: bytes) -> None:
    name, octets = NAMES[data[0] % len(NAMES)] if data else "a", data[1:]
    finds = Finds(LIMITS)
    todo = [Member(name=name, octets=octets)]
    for number in range(20):
        if not todo:
            break
        member = todo.pop()
        kind = detect(member.octets, name=member.name).kind
        path = str(number + 1)
        finds.item(path, kind=kind, size=len(member.octets), sha256="")
        budget = Budget(LIMITS)
        content = Content(path=path, octets=member.octets, name=member.name, kind=kind, limits=LIMITS, budget=budget)
        for reader in MINE.intersection((*READERS.get(kind, ()), "eicar")):
            with contextlib.suppress(Exception):  # damage: the walker says so and goes on
                todo.extend(load(reader)(content, finds))
    finds.opened()


if __name__ == "__main__":
    sys.exit(main(target, CORPUS))
