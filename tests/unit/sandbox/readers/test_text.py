"""Plain text: what a mail program makes links of, and what it leaves alone."""

from __future__ import annotations

import pytest

from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content
from gatepost.sandbox.readers import text as reader


def targets(text: str) -> list[str]:
    return [address.target for address in reader.find_addresses(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("See http://example.com/a.", "http://example.com/a"),
        ("(https://en.example.org/A_(b))", "https://en.example.org/A_(b)"),
        ("go to www.example.org, now", "http://www.example.org"),
        ("WWW.EXAMPLE.museum", "http://WWW.EXAMPLE.museum"),
        ("bare: evil.top/x?y=1; and", "http://evil.top/x?y=1"),
        ("login.bank.example.com:8080/a", "http://login.bank.example.com:8080/a"),
        ("<http://example.com/very/long/\n  path>", "http://example.com/very/long/path"),
        ("<URL:http://example.com/>", "http://example.com/"),
        ("http:\\\\evil.example\\x", "http:\\\\evil.example\\x"),
        ("http://münchen.example/ü", "http://münchen.example/ü"),
        ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
        ("http://3232235777/x", "http://3232235777/x"),
        ("http://user:pw@host.example/", "http://user:pw@host.example/"),
        ("„http://example.com/“", "http://example.com/"),
    ],
)
def test_an_address_is_found(text: str, found: str) -> None:
    assert targets(text) == [found]


@pytest.mark.parametrize(
    "text",
    [
        *("hxxp://evil.example.com/x", "evil[.]com", "node.js and file.py, e.g. this", "bob@example.com", "1.2.3.4"),
        *("http://", "http:// x", "www.", "a.b.c", "..com", "end.com-ing", "C:\\windows\\x.com", "12:30"),
    ],
)
def test_what_is_no_address_is_left_alone(text: str) -> None:
    assert targets(text) == []


def test_an_address_over_a_wrapped_line_is_put_together() -> None:
    long = "https://example.com/" + "a" * 60 + "?x=1"
    assert targets(f"look:\n{long}\n&y=2\nend") == [long + "&y=2"]
    assert targets(f"look:\n{long}\nthe end") == [long]
    assert targets("http://example.com/a\n/b") == ["http://example.com/a"]


@pytest.mark.parametrize(
    "text",
    [
        "a." * 100_000,
        "a.com.." * 20_000,
        "<http://" * 20_000,
        "http://a" + ")" * 200_000,
        "@a.com" * 30_000,
        "www." * 50_000,
    ],
)
def test_hostile_text_ends(text: str) -> None:
    assert len(targets(text)) <= reader.MAX_LINKS


def test_the_text_and_its_links_are_told() -> None:
    finds = Finds()
    finds.item("1", kind="text", size=1, sha256="")
    list(reader.read(Content(path="1", octets="Pay\u200bPal: http://a.example/ä".encode(), charset="utf-8"), finds))
    opened = finds.opened()
    assert [(link.target, link.source, link.item) for link in opened.links] == [("http://a.example/ä", "text", "1")]
    assert opened.texts[0].kind == "plain"
    trait = opened.items[0].trait("text.split-words")
    assert trait is not None
    assert trait.evidence == {"count": 1}
