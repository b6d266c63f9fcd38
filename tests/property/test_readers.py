"""Whatever an attached file holds, the sandbox answers: no child is lost to a damaged document.

Documents of every kind are cut and mutated, and opened as the server does it. fuzz/readers.py looks longer.
"""

from __future__ import annotations

import asyncio
import random

import documents as make
from gatepost.ports import Opened
from gatepost.sandbox.pool import Sandbox
from gatepost.sandbox.settings import ContentSettings

LOST = frozenset(("crash", "time", "memory", "output"))
FILES = {
    "a.docx": make.docx(make.field("DDEAUTO cmd"), word__embeddings__o=make.ole({"\x01Ole10Native": b"x" * 900})),
    "a.xls": make.ole({"Workbook": make.macro_sheet("M", 2) * 20, "_VBA_PROJECT": b"x"}),
    "a.rtf": make.rtf_package("x.vbs", b"MsgBox 1"),
    "a.pdf": make.pdf(picture=make.qr(scale=2), files=[("x.exe", b"MZ" + bytes(90))]),
    "locked.pdf": make.pdf(password="Sommer2026"),
    "a.png": make.saved(make.qr(scale=2)),
    "a.gif": make.saved(make.qr(scale=2), "GIF"),
    "a.jpg": make.saved(make.qr(scale=2), "JPEG"),
    "a.webp": make.saved(make.qr(scale=2), "WEBP"),
    "a.tiff": make.saved(make.qr(scale=2), "TIFF"),
    "a.lnk": make.lnk("cmd.exe", "/c x"),
    "a.one": make.onenote(b"@echo off", b"x"),
    "a.url": b"[InternetShortcut]\nURL=https://evil.example/\n",
    "a.js": b'var a = new ActiveXObject("WScript.Shell");',
}


def mutated(octets: bytes, rng: random.Random) -> bytes:
    """Cut, or with some octets changed, repeated or taken out."""
    found = bytearray(octets)
    if rng.random() < 0.2:
        return bytes(found[: rng.randrange(len(found))])
    for _ in range(rng.randint(1, 8)):
        at = rng.randrange(len(found) or 1)
        match rng.randrange(4):
            case 0:
                found[at : at + 1] = bytes([rng.randrange(256)])
            case 1:
                found[at : at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f"))
            case 2:
                del found[at : at + rng.randint(1, 50)]
            case _:
                found[at:at] = found[at : at + rng.randint(1, 200)]
    return bytes(found)


async def open_all(messages: list[bytes]) -> list[Opened]:
    async with Sandbox(ContentSettings(children=1)) as sandbox:
        return [await sandbox.begin(raw) for raw in messages]


def test_no_damaged_document_ends_a_child() -> None:
    rng = random.Random(20261124)
    text = "The password is Sommer2026\n"
    messages = [make.mail((name, mutated(octets, rng)), text=text) for name, octets in FILES.items() for _ in range(12)]
    for raw, opened in zip(messages, asyncio.run(open_all(messages)), strict=True):
        assert not LOST & {trouble.code for trouble in opened.trouble}, (raw, opened.trouble)
        assert any(item.path == "2" for item in opened.items)


def test_the_undamaged_ones_are_read_in_the_sandbox_as_well() -> None:
    messages = [make.mail(one, text="The password is Sommer2026\n") for one in FILES.items()]
    for (name, _), opened in zip(FILES.items(), asyncio.run(open_all(messages)), strict=True):
        assert [trouble for trouble in opened.trouble if trouble.code != "damaged"] == [], name
        assert any(item.traits for item in opened.items), name
