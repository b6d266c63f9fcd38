"""Names and passwords: the examples of RFC 8265, look-alikes, and what nobody may be called."""

from __future__ import annotations

import pytest

from gatepost.wire.sasl.prepare import Unfit, prepare_name, prepare_password


@pytest.mark.parametrize(
    ("name", "prepared"),
    [
        ("juliet@example.com", "juliet@example.com"),  # RFC 8265 §3.5, table 1
        ("fussball", "fussball"),
        ("fu\N{LATIN SMALL LETTER SHARP S}ball", "fu\N{LATIN SMALL LETTER SHARP S}ball"),
        ("\N{GREEK SMALL LETTER PI}", "\N{GREEK SMALL LETTER PI}"),
        ("\N{GREEK CAPITAL LETTER SIGMA}", "\N{GREEK SMALL LETTER SIGMA}"),
        ("\N{GREEK SMALL LETTER FINAL SIGMA}", "\N{GREEK SMALL LETTER FINAL SIGMA}"),
        ("Juliet@Example.COM", "juliet@example.com"),
        ("JÜRGEN@example.org", "jürgen@example.org"),
        ("Ju\u0308rgen@example.org", "jürgen@example.org"),  # u and combining dots
        ("\uff2a\uff35\uff2c\uff29\uff25\uff34\uff20example.org", "juliet@example.org"),  # full width
        ("用户@例子.广告", "用户@例子.广告"),
        ("\u05d0\u05d1", "\u05d0\u05d1"),
        ("\u0661\u0662", None),  # RFC 5893 §2: may not begin with Arabic digits
    ],
)
def test_names(name: str, prepared: str | None) -> None:
    if prepared is None:
        with pytest.raises(Unfit):
            prepare_name(name)
        return
    assert prepare_name(name) == prepared
    assert prepare_name(prepared) == prepared


@pytest.mark.parametrize(
    "name",
    [
        "", "foo bar", "a\0b", "a\nb", "\N{BLACK CHESS KING}", "henry\N{ROMAN NUMERAL FOUR}", "\N{INFINITY}",  # table 2
        "a\u200bb", "a\u202eb", "a\u00adb", "ti\ufe0fm", "\ufb01x", "\U000e0041a", "\ue000", "\u0378", "\ud800",
        "\u3164", "l\u00b7l", "a\u0627", "x" * 256, "ü" * 128, "\u0627\u0661\u06f1", "\u212aelvin\u2126\ufb01",
    ],
)  # fmt: skip
def test_no_names(name: str) -> None:
    with pytest.raises(Unfit):
        prepare_name(name)


def test_what_looks_alike_is_not_the_same() -> None:
    """The Kelvin sign is K by Unicode's own word; a Cyrillic letter never is a Latin one."""
    assert prepare_name("\u212aelvin") == prepare_name("kelvin")
    for twin in ("\u0430nn", "ann\u0455", "\u03b1nn", "a\u0578n"):
        assert prepare_name(twin) not in (prepare_name("ann"), prepare_name("anns"))


@pytest.mark.parametrize(
    ("password", "prepared"),
    [
        ("correct horse battery staple", "correct horse battery staple"),  # RFC 8265 §4.3, table 3
        ("Correct Horse Battery Staple", "Correct Horse Battery Staple"),
        ("\u03c0\u00df\u00e5", "\u03c0\u00df\u00e5"),
        ("Jack of \u2666s", "Jack of \u2666s"),
        ("foo\u1680bar", "foo bar"),
        ("a\u00a0b", "a b"),
        ("e\u0301", "é"),
        ("\uff2a", "\uff2a"),  # passwords keep their width and their case
        ("\U0001f468\u200d\U0001f469", "\U0001f468\u200d\U0001f469"),
        ("\u2764\ufe0f", "\u2764\ufe0f"),
    ],
)
def test_passwords(password: str, prepared: str) -> None:
    assert prepare_password(password) == prepared
    assert prepare_password(prepared) == prepared


@pytest.mark.parametrize(
    "password", ["", "my cat is a \tby", "a\0b", "a\x7fb", "a\u200bb", "\u0085x\u0100", "x" * 1025]
)
def test_no_passwords(password: str) -> None:
    with pytest.raises(Unfit):
        prepare_password(password)


def test_the_reason_quotes_nothing() -> None:
    for bad in ("hunter2\t", "hunter2\u200b", "hunter2" * 200):
        with pytest.raises(Unfit) as caught:
            prepare_password(bad)
        assert "hunter" not in str(caught.value)
