"""The walk: numbers of parts, who is opened as what, and that nothing a reader raises is more than trouble."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from gatepost.ports import Opened
from gatepost.sandbox.finds import BadOutput, Finds, read_opened
from gatepost.sandbox.limits import Limits
from gatepost.sandbox.reader import Content, Member, Reader
from gatepost.sandbox.unpack import Bomb
from gatepost.sandbox.walker import Walker

NESTED = b"""From: a@example.org
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=o

--o
Content-Type: multipart/alternative; boundary=i

--i
Content-Type: text/plain

<html>shown as it stands</html>
--i
Content-Type: text/html

From: here
To: there
Subject: still a page <b>x</b>
--i--
--o
Content-Type: message/rfc822

Subject: inner
Content-Type: multipart/mixed; boundary=m

--m

one
--m
Content-Type: application/octet-stream; name="a.bin"
Content-Disposition: x-odd; filename="b.bin"
Content-ID: <c@d>

two
--m--
--o
Content-Type: message/rfc822

Subject: single

three
--o--
"""


def walk(raw: bytes, loader: Callable[[str], Reader] | None = None) -> Opened:
    """What the walk tells."""
    finds = Finds()
    (Walker(finds) if loader is None else Walker(finds, loader=loader)).walk(raw)
    return finds.opened()


def test_parts_are_numbered_as_imap_does() -> None:
    opened = walk(NESTED)
    assert [(item.path, item.parent, item.kind) for item in opened.items] == [
        ("1.1", "", "text"),
        ("1.2", "", "html"),
        ("2", "", "eml"),
        ("2.1", "2", "text"),
        ("2.2", "2", "text"),
        ("3", "", "eml"),
        ("3.1", "3", "text"),
    ]
    odd = opened.items[4]
    assert (odd.name, set(odd.names), odd.disposition, odd.content_id) == (
        "b.bin",
        {"a.bin", "b.bin"},
        "attachment",
        "c@d",
    )
    assert [text.item for text in opened.texts if text.kind == "plain"][:2] == ["1.1", "2.1"]


def test_a_message_of_one_part_has_number_one() -> None:
    assert [item.path for item in walk(b"Subject: x\r\n\r\nhello\r\n").items] == ["1"]


def test_uuencoded_files_are_found() -> None:
    raw = b"Subject: x\n\nhello\nbegin 644 a.txt\n%:&5L;&\\\n`\nend\nand\nbegin 600 b c.exe\n%:&5L;&\\\n`\nend\n"
    opened = walk(raw)
    assert [(item.path, item.parent, item.name, item.size) for item in opened.items] == [
        ("1", "", "", len(raw) - 12),
        ("1/1", "1", "a.txt", 5),
        ("1/2", "1", "b c.exe", 5),
    ]


def test_an_attached_message_is_opened(make_message: Callable[..., bytes]) -> None:
    opened = walk(make_message(NESTED, "mail.eml"))
    assert [item.kind for item in opened.items] == ["text", "eml", "text", "html", "text", "text", "text"]


def failing(error: BaseException) -> Callable[[str], Reader]:
    """Readers that find something and then raise `error`."""

    def read(content: Content, finds: Finds) -> Iterator[Member]:
        finds.link("http://first.example/", source="text", item=content.path)
        yield Member(name="inner", octets=bytes(range(250)))
        raise error

    return lambda name: read if name == "text" else lambda content, finds: ()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ValueError("odd"), "damaged"),
        (KeyError("\ud800"), "damaged"),
        (RecursionError(), "damaged"),
        (Bomb("large"), "bomb"),
        (MemoryError(), "memory"),
        (ImportError("x", name="some_library"), "unavailable"),
        (BaseException("a panic"), "crash"),
    ],
)
def test_what_readers_raise_is_trouble(error: BaseException, code: str) -> None:
    opened = walk(b"Subject: x\r\n\r\nhello\r\n", failing(error))
    assert {trouble.code for trouble in opened.trouble} == {code}
    assert opened.links
    assert len(opened.items) == 2


# --- what crosses to the parent


def test_finds_cut_what_is_too_long_and_say_so() -> None:
    limits = Limits(links=3, texts=2, text_length=10, text_total=15, trouble=5)
    finds = Finds(limits)
    finds.item("1", kind="text", size=1, sha256="0" * 64, name="\ud800" * 5000)
    for number in range(10):
        finds.link(f"http://{number}.example/" + "x" * 10_000, source="text", item="1")
        finds.text(item="1", kind="plain", visible="y" * 100, hidden="\udfff")
        finds.trait(
            "1", f"a.{number}", deep=[[[[[[1]]]]]], big=1 << 200, nan=float("nan"), odd=object(), many=list(range(999))
        )
        finds.trouble("damaged", "1", f"{number}" * 999)
    opened = read_opened(finds.write(), limits)
    assert len(opened.links) == 3
    assert [len(text.visible) for text in opened.texts] == [10, 4]  # one went to what is hidden
    assert {"limit"} <= {trouble.code for trouble in opened.trouble}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda v: v.pop("links"),
        lambda v: v.update(more=[]),
        lambda v: v.update(items={}),
        lambda v: v["links"].append({"target": "x", "shown": "", "source": "made-up", "item": "1"}),
        lambda v: v["links"].append({"target": 1, "shown": "", "source": "text", "item": "1"}),
        lambda v: v["links"].append({"target": "x" * 100_000, "shown": "", "source": "text", "item": "1"}),
        lambda v: v["trouble"].append({"code": "made-up", "item": "", "reason": ""}),
        lambda v: v["items"][0].update(size=-1),
        lambda v: v["items"][0].update(size=True),
        lambda v: v["items"][0].update(names="abc"),
        lambda v: v["items"][0].update(traits=[{"code": "x", "evidence": {"a": [[[[[[[]]]]]]]}}]),
        lambda v: v["texts"].extend([{"item": "", "kind": "plain", "visible": "", "hidden": ""}] * 10_000),
    ],
)
def test_the_parent_believes_nothing_out_of_shape(spoil: Callable[[dict[str, list[object]]], object]) -> None:
    finds = Finds()
    finds.item("1", kind="text", size=1, sha256="0" * 64)
    values = finds.write()
    read_opened(values)
    spoil(values)
    with pytest.raises(BadOutput):
        read_opened(values)
