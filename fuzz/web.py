"""Fuzzes what strangers say to the HTTPS listener: requests as h11 reads them, and Outlook's XML."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.config import parse_settings
from gatepost.server.https.autodiscover import MAX_TEXT, Asked, read_request
from gatepost.server.https.connection import MAX_HEAD, Exchange
from gatepost.server.https.site import Site

SITE = Site(
    parse_settings('[domains."example.org"]\n[submission]\nlisten_tls = ["0.0.0.0:465"]\n', Path("/x")),
    {"a": b"b"}.get,
)
CORPUS = [
    b"GET /.well-known/mta-sts.txt HTTP/1.1\r\nHost: mta-sts.example.org\r\n\r\n",
    b"POST /autodiscover/autodiscover.xml HTTP/1.1\r\nHost: example.org:443\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"21\r\n<a><EMailAddress>a@example.org</EMailAddress></a>\r\n0\r\n\r\n",
    b"HEAD http://autoconfig.example.org/mail/config-v1.1.xml?a=%00 HTTP/1.0\r\nHost: [::1]:80\r\n\r\n",
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a xmlns="d">&b;<EMailAddress>a@b.example</EMailAddress></a>',
]


class Writer:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, octets: bytes) -> None:
        self.written += octets

    async def drain(self) -> None:
        return None


async def ask(data: bytes, secure: bool) -> bytes:
    reader, writer = asyncio.StreamReader(), Writer()
    reader.feed_data(data)
    reader.feed_eof()
    status = await Exchange(reader, writer, secure=secure).run(SITE.answer)  # type: ignore[arg-type]
    assert bool(status) is (b"HTTP/1.1 " in writer.written.replace(b"HTTP/1.1 100 ", b""))
    return writer.written


def target(data: bytes) -> None:
    found = read_request(data)
    assert found if isinstance(found, str) else isinstance(found, Asked) and len(found.address) <= MAX_TEXT
    for secure in (True, False):
        written = asyncio.run(ask(data, secure))
        assert written.count(b"HTTP/1.1 ") <= 2
        assert b"\r\n\r\n" in written or not written
        assert len(written) < 20 * MAX_HEAD


if __name__ == "__main__":
    main(target, CORPUS)
