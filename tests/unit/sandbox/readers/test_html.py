"""HTML, SVG, CSS and calendar parts: every link that a mail program follows, what hides, what a script is good for."""

from __future__ import annotations

from typing import Any

import pytest

from gatepost.ports import Opened
from gatepost.sandbox.finds import Finds
from gatepost.sandbox.reader import Content, Reader
from gatepost.sandbox.readers import calendar, css, html, html_events, svg
from gatepost.sandbox.readers.html_events import is_cheap
from gatepost.sandbox.readers.html_page import Page


def opened(text: str | bytes, reader: Reader = html.read, charset: str = "utf-8") -> Opened:
    octets = text.encode() if isinstance(text, str) else text
    finds = Finds()
    finds.item("1", kind="html", size=len(octets), sha256="")
    list(reader(Content(path="1", octets=octets, charset=charset), finds))
    return finds.opened()


def links(text: str, reader: Reader = html.read) -> list[tuple[str, str]]:
    return [(link.source, link.target) for link in opened(text, reader).links]


def evidence(text: str, code: str, reader: Reader = html.read) -> dict[str, Any] | None:
    trait = opened(text, reader).items[0].trait(code)
    return dict(trait.evidence) if trait is not None else None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("<a href=' http://a/ '>x</a>", ("html-a", " http://a/ ")),
        ("<a href='&#104;ttp://a/?x&amp;y'>x</a>", ("html-a", "http://a/?x&y")),
        ("<map><area href=http://a/></map>", ("html-area", "http://a/")),
        ("<form action=http://a/>", ("html-form", "http://a/")),
        ("<button formaction=http://a/>", ("html-form", "http://a/")),
        ("<meta http-equiv=REFRESH content='0;URL=http://a/'>", ("html-refresh", "http://a/")),
        ("<img src=http://a/>", ("html-image", "http://a/")),
        ("<table><td background=http://a/>", ("html-image", "http://a/")),
        ("<iframe src=http://a/>", ("html-frame", "http://a/")),
        ("<object data=http://a/>", ("html-frame", "http://a/")),
        ("<script src=http://a/></script>", ("html-script", "http://a/")),
        ("<link rel=stylesheet href=http://a/>", ("html-style", "http://a/")),
        ("<p style='background:url(http://a/)'>", ("html-style", "http://a/")),
        ("<style>@import 'http://a/';</style>", ("html-style", "http://a/")),
        ("<style>p{background:u\\72l(http://a/)}</style>", ("html-style", "http://a/")),
        ("<svg><a xlink:href=http://a/>x</a></svg>", ("html-a", "http://a/")),
        ("<!--[if mso]><a href=http://a/>x</a><![endif]-->", ("html-a", "http://a/")),
        ("<iframe srcdoc='<a href=http://a/>x</a>'>", ("html-a", "http://a/")),
        ("<p>go to www.example.org.</p>", ("text", "http://www.example.org")),
        ("<a href=javascript:x()>x</a>", ("html-a", "javascript:x()")),
        ("<a href='data:text/html,x'>x</a>", ("html-a", "data:text/html,x")),
    ],
)
def test_a_link_is_found(text: str, found: tuple[str, str]) -> None:
    assert found in links(text)


@pytest.mark.parametrize(
    "text", ["<img src=cid:x>", "<img src='data:image/png;base64,x'>", "<a href=#top>x</a>", "<a>x</a>"]
)
def test_what_leads_nowhere_is_no_link(text: str) -> None:
    assert links(text) == []


def test_base_makes_relative_links_whole_and_is_told() -> None:
    text = "<base href=http://evil.example/d/><a href=x>one</a><a href=http://b/>two</a>"
    assert links(text) == [
        ("html-base", "http://evil.example/d/"),
        ("html-a", "http://evil.example/d/x"),
        ("html-a", "http://b/"),
    ]
    assert evidence(text, "html.base") == {"count": 1}


def test_what_is_shown_for_a_link_goes_over_elements_and_is_no_link_itself() -> None:
    found = opened("<a href=http://a/>www.<b>paypal</b>.com <i style='display:none'>x</i></a>").links
    assert [(link.target, link.shown) for link in found] == [("http://a/", "www.paypal.com")]


@pytest.mark.parametrize(
    "hiding",
    [
        "<p style='display:none'>HID</p>",
        "<p style='dis\\70lay:no/**/ne'>HID</p>",
        "<p hidden>HID</p>",
        "<p style='font-size:0px'>HID</p>",
        "<p style='font:0/0 a'>HID</p>",
        "<p style='opacity:0'>HID</p>",
        "<p style='color:#fff;background:white'>HID</p>",
        "<body bgcolor=#112233><font color='#112233'>HID</font>",
        "<p style='position:absolute;left:-9999px'>HID</p>",
        "<p style='max-height:0;overflow:hidden'>HID</p>",
        "<style>.x{display:none}</style><p class='y x'>HID</p>",
        "<style>#x{visibility:hidden}</style><p id=x>HID</p>",
    ],
)
def test_hidden_text_is_told_apart(hiding: str) -> None:
    text = opened(f"{hiding}<p>shown</p>").texts[0]
    assert "HID" not in text.visible
    assert "HID" in text.hidden
    assert evidence(f"{hiding}<p style='color:black;background:white'>shown</p>", "html.hidden-text") is not None


@pytest.mark.parametrize(
    "shown",
    [
        "<td style='font-size:0'><p style='font-size:12px'>SEEN</p></td>",
        "<div style='background:#000'><p style='color:#fff'>SEEN</p></div>",
        "<td background=http://a/ style='color:#fff'>SEEN</td>",
        "<style>@media (max-width:600px){.x{display:none}}</style><p class=x>SEEN</p>",
        "<style>.x{display:none}</style><p class=x style='display:block'>SEEN</p>",
        "<!--[if mso]>old<![endif]--><p>SEEN</p>",
    ],
)
def test_what_shows_is_not_hidden(shown: str) -> None:
    assert "SEEN" in opened(shown).texts[0].visible


def test_a_script_that_makes_a_file_of_itself_is_smuggling() -> None:
    script = "<script>var b=new Blob([atob('QUJD')]);a.href=URL.createObjectURL(b);a.click()</script>"
    assert evidence(script, "html.smuggling") == {"signs": ["Blob", "atob", "click", "createObjectURL"]}
    assert evidence("<script>document.write(unescape('" + "%41" * 300 + "'))</script>", "html.smuggling") is not None
    assert evidence("<script>document.getElementById('x').focus()</script>", "html.smuggling") is None
    assert evidence("<p onclick='x()'>", "html.script") == {"how": ["event-attribute"]}


def test_a_form_tells_what_it_asks_for() -> None:
    form = "<form action=https://a.example/><input type=Password></form>"
    assert evidence(form, "html.form") == {"password": True, "remote": 1}
    assert evidence("<p>", "html.form") is None


def test_words_split_unseen_are_counted_and_padding_is_not() -> None:
    assert evidence("<p>Pay\u200bPal ac\u200ccount</p>", "text.split-words") == {"count": 2}
    assert evidence("<p>Hello \u200c \u200c \u200c there</p>", "text.split-words") is None


def test_the_charset_is_the_one_that_a_reader_takes() -> None:
    assert opened(b"<meta charset=iso-8859-2><p>\xb3</p>", charset="").texts[0].visible == "ł"
    assert opened("\ufeff<p>ä</p>".encode("utf-16-le"), charset="us-ascii").texts[0].visible == "ä"


@pytest.mark.parametrize(
    "text",
    [
        "<div>" * 100_000,
        "<a " + " ".join(f"a{n}=1" for n in range(20_000)) + ">",
        "<b><p>" * 20_000,
        "<!--[if mso]><a href=x><![endif]-->" * 10_000,
        "\u2003" * 200_000,
        "<style>" + "a" * 200_000 + "</style>",
        "<p style='" + "\\(" * 2000 + "'>",
        "<a href=x>" * 20_000,
        "<script>" + ("A" * 999 + " ") * 300,
    ],
    ids=["deep", "attributes", "misnested", "comments", "blanks", "sheet", "escapes", "links", "script"],
)
def test_hostile_pages_are_read_in_linear_time(text: str) -> None:
    assert opened(text).texts  # a quadratic reader needs minutes, and the test's own time-out tells


def test_what_would_cost_a_tree_too_much_is_read_without_one_and_loses_no_link() -> None:
    page = "<div>" * 30_000 + "<a href=http://deep/>x</a>"
    assert not is_cheap(page)
    assert links(page) == [("html-a", "http://deep/")]


MANY = " ".join(f"a{number}" for number in range(5000))


def test_a_long_sheet_or_text_is_no_reason_to_do_without_the_tree() -> None:
    sheet = "td { color : red } \n" * 1000
    assert is_cheap(f"<html><head><style type='text/css'>{sheet}</style></head><body bgcolor=white>")
    assert is_cheap(f"<!DOCTYPE html PUBLIC '-//W3C//DTD'><!-- {sheet} --><p class=\"x y\">{sheet}</p><br/>")


@pytest.mark.parametrize(
    "page",
    [
        f"<a {MANY}>",
        f"<a b='<i>' {MANY}>",
        f"<a b='>' {MANY}>",
        f'<a x" y=">" {MANY}>',
        f"<a b='<!--' c='-->' {MANY}>",
        f"<!-- <a b='--> <a {MANY} '>",
        f"<style><a b='</style><a {MANY} '>",
        f"<svg><style><a {MANY}></style></svg>",
    ],
    ids=["plain", "tag-inside", "end-inside", "quote-in-name", "comment-inside", "comment", "sheet", "foreign"],
)
def test_attributes_are_counted_wherever_they_are_hidden(page: str) -> None:
    assert not is_cheap(page)


def test_both_ways_of_reading_find_the_same() -> None:
    text = (
        "<p>one <a href=http://a/>two</a><noscript><a href=http://n/>x</a></noscript><table><a href=http://f/>y</table>"
        "<!--[if mso]><a href=http://m/>z</a><![endif]--><select><option><a href=http://s/></select><b><p><i>t</b></p>u"
    )
    ways = []
    for events in (html_events._from_tree(text), html_events._from_tokens(text)):
        page = Page()
        for event in events:
            page.feed(event)
        ways.append({link.target for link in html.follow_inner(page).links})
    assert ways[0] == ways[1] == {"http://a/", "http://n/", "http://f/", "http://m/", "http://s/"}


def test_svg_tells_links_script_and_foreign_pages() -> None:
    text = (
        "<svg xmlns='http://www.w3.org/2000/svg' onload='go()'><a xlink:href='http://a/'><text>hi</text></a>"
        "<script><![CDATA[ location.href='http://b/' ]]></script><image href='data:image/png,x'/>"
        "<foreignObject><form action='http://f/'></form></foreignObject></svg>"
    )
    assert links(text, svg.read) == [("svg", "http://a/"), ("svg", "http://f/")]
    assert evidence(text, "svg.script", svg.read) == {"how": ["event-attribute", "script"]}
    assert evidence(text, "svg.foreign-object", svg.read) == {}
    assert evidence("<svg><circle r='1'/></svg>", "svg.script", svg.read) is None


def test_a_calendar_part_tells_links_and_words() -> None:
    text = (
        'BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nBEGIN:VEVENT\r\nORGANIZER;CN="a:b":mailto:x@example.org\r\n'
        "DESCRIPTION:see http://exam\r\n ple.com/a\\, and\\nmore\r\nURL:http://u.example/\r\n"
        'X-ALT-DESC;FMTTYPE=text/html:<a href="http://h.example/">s</a>\r\nATTACH:http://at.example/\r\n'
    )
    found = opened(text, calendar.read)
    assert {link.target for link in found.links} == {
        *("http://example.com/a", "http://u.example/", "http://h.example/", "http://at.example/"),
    }
    assert found.texts[0].visible == "see http://example.com/a, and\nmore"
    assert evidence(text, "calendar.invitation", calendar.read) == {
        "method": "REQUEST",
        "organizer": "mailto:x@example.org",
        "attachments": 1,
    }


def test_a_style_sheet_by_itself_tells_what_it_loads() -> None:
    assert links("@import 'http://a/'; p{background:url(http://b/)}", css.read) == [
        ("html-style", "http://b/"),
        ("html-style", "http://a/"),
    ]
