"""Fuzzes what a probed server may answer: replies of three protocols, hellos, a TLS handshake; and scenario files."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.audit.probe.marks import sign_of
from gatepost.audit.probe.own import read_scenarios
from gatepost.errors import InputError
from gatepost.net.visits.replies import NoReply, Replies, keywords
from gatepost.ports.mailbox import Found
from gatepost.ports.prober import Spoken
from gatepost.wire.renegotiation import RenegotiatingClient
from gatepost.wire.tls import COMMON, TLS_1_2, read_hello_answer, write_client_hello

HELLO = b"\x02\x00\x00\x26\x03\x03" + bytes(32) + b"\x00\xc0\x2b\x00"
CORPUS = [
    b"220 mx.example ESMTP\r\n250-mx.example\r\n250-SIZE 100\r\n250 STARTTLS\r\n421 bye\r\n",
    b"* OK [CAPABILITY IMAP4rev1] hi\r\n* CAPABILITY IMAP4rev1 ID\r\nc OK done\r\n+ go on\r\n* BYE out\r\n",
    b"+OK hi\r\n+OK\r\nUSER\r\nSTLS\r\n.\r\n-ERR no\r\n",
    b"\x16\x03\x03\x00\x2a" + HELLO + b"\x16\x03\x03\x00\x04\x0e\x00\x00\x00\x14\x03\x03\x00\x01\x01",
    b"\x15\x03\x03\x00\x02\x02\x28",
    write_client_hello(TLS_1_2, COMMON, bytes(32), name="mx.example"),
    b'[[scenario]]\nname = "a"\ngood = ["accepted"]\n[[scenario.step]]\nsend = "NOOP {domain}"\nquestion = true\n',
    b"X-Spam-Flag: YES\r\nSubject: [SPAM] a\r\nGatepost-Verdict: tag; score=1\r\n\r\n",
]


def target(data: bytes) -> None:
    for spoken in Spoken:
        reader = Replies(spoken)
        try:
            for at in range(0, len(data), 7):
                reader.feed(data[at : at + 7])
                while reply := reader.next(several=spoken is Spoken.POP3):
                    assert reply.kind
                    keywords(reply, spoken)
        except NoReply:
            pass
    read_hello_answer(data)
    client = RenegotiatingClient(bytes(range(96)), "mx.example")
    client.start()
    client.feed(data)
    client.closed()
    assert client.answer
    sign_of(Found(folder="INBOX", raw=data))
    try:
        read_scenarios(data.decode("utf-8", "replace"), "f")
    except InputError:
        pass


if __name__ == "__main__":
    main(target, CORPUS)
