"""The XML of reports: what is broken is mended and noted, what is hostile is refused, and nothing costs more than it is
long."""

from __future__ import annotations

import pytest

from gatepost.reports.markup import MAX_CHILDREN, MAX_DEPTH, Element, MarkupReader, decode_markup
from gatepost.reports.reading import BadReport, Defects


def read(text: str) -> tuple[list[Element], tuple[str, ...]]:
    defects = Defects()
    return list(MarkupReader(text, defects).elements("feedback")), defects.codes()


def test_children_come_as_they_end_and_prefixes_do_not_count() -> None:
    found, defects = read(
        '<?xml version="1.0"?><!-- c --><d:feedback a="1"><d:A>x</d:A><b><c>y</c><c/></b></d:feedback>'
    )
    assert [(one.name, one.text) for one in found] == [("a", "x"), ("b", "")]
    assert found[1].value("c") == "y"
    assert len(found[1].all("c")) == 2
    assert defects == ()


@pytest.mark.parametrize(
    ("text", "value", "defect"),
    [
        ("<a>x &lt;&amp;&#65;&#x42;</a>", "x <&AB", None),
        ("<a>Fish & Chips</a>", "Fish & Chips", "broken-markup"),
        ("<a>&nbsp;</a>", "&nbsp;", "broken-markup"),
        ("<a>&#1114112;&#xD800;</a>", "&#1114112;&#xD800;", "broken-markup"),
        ("<a><x@y.example></a>", "<x@y.example>", "broken-markup"),
        ("<a>1 < 2</a>", "1 < 2", "broken-markup"),
        ("<a><![CDATA[<b>&amp;]]></a>", "<b>&", None),
        ("<a>x<b></a>", "x", "broken-markup"),
        ("</z><a>x</a>", "x", "broken-markup"),
    ],
)
def test_what_reporters_forget_to_escape_or_close_is_read(text: str, value: str, defect: str | None) -> None:
    found, defects = read(f"<feedback>{text}</feedback>")
    assert found[0].text == value
    assert defects == ((defect,) if defect else ())


def test_a_file_that_ends_early_gives_what_is_whole() -> None:
    found, defects = read("<feedback><a>1</a><a>2")
    assert [one.text for one in found] == ["1"]
    assert defects == ("cut",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><feedback>&b;</feedback>', "doctype"),
        ('<feedback><!ENTITY x SYSTEM "file:///etc/passwd"></feedback>', "doctype"),
        ("<feedback>" + "<a>" * (MAX_DEPTH + 1), "too-deep"),
        ("<feedback><a>" + "<b/>" * (MAX_CHILDREN + 1), "too-many-elements"),
        ("<html></html>", "no-report"),
        ("no markup at all", "no-report"),
    ],
)
def test_what_is_hostile_or_no_report_is_refused_by_name(text: str, code: str) -> None:
    with pytest.raises(BadReport) as caught:
        read(text)
    assert caught.value.code == code


def test_a_second_report_behind_the_first_is_told_of() -> None:
    found, defects = read("<feedback><a>1</a></feedback>\n<feedback><a>2</a></feedback>")
    assert [one.text for one in found] == ["1"]
    assert defects == ("more-behind",)


def test_elements_are_counted_over_the_whole_file() -> None:
    text = "<feedback>" + "<a/>" * 99 + "</feedback>"
    assert len(list(MarkupReader(text, Defects(), max_elements=100).elements("feedback"))) == 99
    with pytest.raises(BadReport) as caught:
        list(MarkupReader(text, Defects(), max_elements=99).elements("feedback"))
    assert caught.value.code == "too-many-elements"


@pytest.mark.parametrize("piece", ["<", "<a ", "&", "<!--", "<![CDATA[", "<feedback", "</a>", "<a", "< " * 10, "<?"])
def test_a_megabyte_of_any_mark_is_read_in_one_pass(piece: str) -> None:
    """Quadratic work here would take hours, and the test run would be ended."""
    with pytest.raises(BadReport):
        read("<feedbac>" + piece * (1_000_000 // len(piece)))
    read("<feedback><a b" + " " * 1_000_000 + "</feedback>")


@pytest.mark.parametrize(
    ("octets", "text", "defects"),
    [
        (b'<?xml version="1.0" encoding="iso-8859-1"?>\xe9', "\xe9", ()),
        ("\ufeff<a>é".encode(), "é", ()),
        ("<a>é".encode("utf-16"), "é", ()),
        (b'<?xml version="1.0" encoding="utf-16"?><a>x', "x", ()),
        (b"<a>\xff", "\ufffd", ("bad-octets",)),
        (b'<?xml version="1.0" encoding="nonsense"?>\xc3\xa9', "é", ()),
    ],
)
def test_the_encoding_is_the_declared_one_or_utf_8(octets: bytes, text: str, defects: tuple[str, ...]) -> None:
    noted = Defects()
    assert decode_markup(octets, noted).endswith(text)
    assert noted.codes() == defects
