"""Fuzzes the MIME tree and what hangs on it: parameters, transfer encodings, reports, and mbox around it."""

from __future__ import annotations

import itertools
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.message.dsn import read_dsn
from gatepost.message.mbox import MboxSplitter
from gatepost.message.message import Message
from gatepost.message.mime import MAX_DEPTH
from gatepost.message.parameters import parse_content_disposition, parse_content_type
from gatepost.message.transfer import decode_transfer

CORPUS = [
    b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\n=C3=B6=\r\n\r\n--x\r\n"
    b'Content-Disposition: attachment; filename*0*=utf-8\'\'%C3; filename*1*=%B6; filename="a \\"b"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\naGVsbG8=\r\n--x--\r\n",
    b"Content-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\nU3ViamVjdDogeAoKYm9keQo=\n",
    b'Content-Type: multipart/digest; boundary="a b"\n\n--a b\n\nSubject: in\n\nx\n--a b--\n',
    b"Content-Type: multipart/report; report-type=delivery-status; boundary=r\n\n--r\n\ntext\n--r\n"
    b"Content-Type: message/delivery-status\n\nReporting-MTA: dns; x\n\nFinal-Recipient: rfc822; a+40b@c\n"
    b"Action: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 no\n\n--r\n"
    b"Content-Type: text/rfc822-headers\n\nSubject: y\n--r--\n",
    b"From a@b 12:00\nSubject: 1\n\n>From x\n\nFrom c@d 12:00\nSubject: 2\n\nbegin 644 x\n#AAAA\n`\nend\n",
]


def target(data: bytes) -> None:
    message = Message(data)
    deepest = 0
    todo = [(message.tree, 1)]
    while todo:
        part, depth = todo.pop()
        deepest = max(deepest, depth)
        assert part.start <= part.body_start <= part.body_end <= len(part.source)
        assert part.body_start <= part.preamble_end <= part.body_end or not part.children
        for before, after in itertools.pairwise(part.children):
            assert before.body_end <= after.start
        assert isinstance(part.text, str)
        assert isinstance(part.filenames, tuple)
        todo += [(child, depth + 1) for child in part.children]
    assert deepest <= MAX_DEPTH + 1
    read_dsn(message)
    parse_content_type(data)
    parse_content_disposition(data)
    for encoding in ("base64", "quoted-printable", "uuencode", "?"):
        decode_transfer(data, encoding)
    whole, pieces = MboxSplitter(500), MboxSplitter(500)
    expected = whole.feed(data) + whole.close()
    step = len(data) // 7 + 1
    found = [one for at in range(0, len(data), step) for one in pieces.feed(data[at : at + step])] + pieces.close()
    assert found == expected


if __name__ == "__main__":
    main(target, CORPUS)
