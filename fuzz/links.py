"""Fuzzes the reading of links: URLs, hosts, look-alikes, services, what is shown, addresses in plain text."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from harness import main

from gatepost.inspector.links.domain import registrable_domain
from gatepost.inspector.links.host import MAX_HOST, percent_decode
from gatepost.inspector.links.hosting import embedded_target, services_of
from gatepost.inspector.links.lookalike import Protected, loose_skeleton
from gatepost.inspector.links.scripts import mixes_scripts, passes_for_latin
from gatepost.inspector.links.seen import is_shortened
from gatepost.inspector.links.shown import credential_words, shown_host
from gatepost.inspector.links.url import MAX_URL, parse_url
from gatepost.sandbox.readers.text import count_split_words, find_addresses

NAMES = Protected(["example-bank.org", "müller.example"])
CORPUS = [
    b"https://user:pass@www.example.co.uk:8443/a/b;c?d=http%3A%2F%2Fevil.example%2F#e",
    b"http:\\\\0x7f.1\\..\\x",
    "ht\ttp://pа\u200bypal.com.evil.example/login".encode(),
    b"//[::ffff:1.2.3.4%25eth0]:80/",
    b"http://xn--80ak6aa92e.com/ xn--a xn---- www.xn--99999999999.de",
    b"data:text/html;base64,PGI+ javascript:alert(1) mailto:a@b?subject=c file://h/s",
    "<URL:http://example.com/a\n /b> www.a.de, b.com/x) „http://c.de/“ 3232235777 http://①②⑦.1/".encode(),
    "http://ⓔⓥⓘⓛ。com/ http://😀.ws/ http://faß.de http://a%2eb%2F.c/".encode(),
    b"https://bit.ly/x https://www.google.com/url?q=https%253A%252F%252Fpaypa1.com%252F rnicrosoft.com micorsoft.com",
]


def target(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for address in find_addresses(text):
        assert 0 < address.end <= len(text)
        _one(address.target)
    count_split_words(text)
    _one(text)
    for word in text.split()[:20]:
        _one(word)


def _one(text: str) -> None:
    url = parse_url(text)
    assert len(url.text) <= MAX_URL
    host = url.host.ascii
    assert len(host) <= MAX_HOST * 8
    assert host == "" or not url.is_web or registrable_domain(host)
    if url.host.is_address:
        assert parse_url(f"http://[{host}]/" if ":" in host else f"http://{host}/").host.ascii == host
    services_of(url)
    inner = embedded_target(url)
    assert inner is None or inner.is_web
    NAMES.likeness(host)
    for label in url.host.shown.split(".")[:20]:
        loose_skeleton(label)
        mixes_scripts(label)
        passes_for_latin(label)
    credential_words(url)
    shown_host(text)
    is_shortened(text)
    percent_decode(text)


if __name__ == "__main__":
    main(target, CORPUS)
