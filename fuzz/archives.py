"""Fuzzes what tells kinds apart, archives, TNEF and .msg, and the walk through all of them.

Any octets give items, or trouble with one of them; never another exception, never more than the limits allow; and what
is told passes the parent's own check. Not here: documents and pictures (`readers`), pages and texts (`pages`).
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import json
import lzma
import sys
import tarfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from harness import main

import documents as make
from gatepost.sandbox.compound import BadCompound
from gatepost.sandbox.finds import Finds, read_opened
from gatepost.sandbox.kinds import detect
from gatepost.sandbox.limits import Limits
from gatepost.sandbox.outlook import read_outlook, write_mime
from gatepost.sandbox.passwords import MAX_PASSWORDS, find_passwords
from gatepost.sandbox.walker import NeedsChild, Walker

ONLY = frozenset(("archive", "archive_zip", "archive_7z", "archive_stream", "tnef", "msg", "message", "text", "eicar"))
LIMITS = Limits(items=60, depth=4, member=1 << 20, total=2 << 20, ratio_from=1 << 16)


def zipped(files: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, octets in files.items():
            archive.writestr(name, octets)
    return out.getvalue()


def tarred(octets: bytes) -> bytes:
    """A tar of one file."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("../a.exe")
        info.size = len(octets)
        archive.addfile(info, io.BytesIO(octets))
    return out.getvalue()


def tnef() -> bytes:
    """Two attributes of an attachment."""
    rows = [(2, 0x00069002, bytes(14)), (2, 0x00018010, b"a.exe\0"), (2, 0x0006800F, b"MZ" + bytes(70))]
    rows.append((1, 0x00069003, (1).to_bytes(4, "little") + b"\x1e\x00\x00\x10" + b"\1\0\0\0\3\0\0\0hi\0\0"))
    head = b"\x78\x9f\x3e\x22\1\0"
    return head + b"".join(
        bytes([n]) + i.to_bytes(4, "little") + len(d).to_bytes(4, "little") + d + b"\0\0" for n, i, d in rows
    )


WORDS = b"Password: 1234 and more words\n" * 3
MSG = make.ole({"__properties_version1.0": bytes(32), "__substg1.0_1000001F": "words".encode("utf-16-le")})
FILES = [
    zipped({"a.txt": WORDS, "b/c.zip": zipped({"d.exe": b"MZ" + bytes(70)})}),
    zipped({"a.txt": WORDS}, zipfile.ZIP_LZMA),
    zipped({"a.txt": WORDS}, zipfile.ZIP_BZIP2),
    gzip.compress(tarred(WORDS)),
    bz2.compress(WORDS),
    lzma.compress(WORDS),
    lzma.compress(WORDS, lzma.FORMAT_ALONE),
    tarred(WORDS),
    tnef(),
    MSG,
    b"From: a@b\r\nSubject: x\r\nTo: c@d\r\n\r\nbegin 644 x\r\n#AAAA\r\n`\r\nend\r\n",
    b"\x89PNG\r\n\x1a\n" + bytes(20) + zipped({"a": b"b"}),
]
HEAD = b'Content-Type: application/octet-stream; name="x"\r\nContent-Transfer-Encoding: binary\r\n\r\n'


def target(data: bytes) -> None:
    detected = detect(data)
    assert detected.kind
    with contextlib.suppress(BadCompound):
        write_mime(read_outlook(data))
    finds = Finds(LIMITS)
    with contextlib.suppress(NeedsChild):
        Walker(finds, only=ONLY, skip=True).walk(HEAD + data)
    opened = read_opened(json.loads(json.dumps(finds.write())), LIMITS)
    assert sum(item.size for item in opened.items) <= LIMITS.total + LIMITS.member + len(data) * 2
    assert len({item.path for item in opened.items}) == len(opened.items)
    found = find_passwords([data.decode("utf-8", "replace")])
    assert len(found) <= MAX_PASSWORDS


if __name__ == "__main__":
    sys.exit(main(target, FILES))
