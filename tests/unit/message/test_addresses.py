"""message.addresses: what people and programs write into From and To."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gatepost.message.addr_spec import AddrSpec, Strictness, parse_addr_spec
from gatepost.message.addresses import parse_addresses

READ = [
    ("a@b.c", [("", "a@b.c", ())]),
    ('Joe <joe@x.org>, "Doe, J" <j@y.org> (c)', [("Joe", "joe@x.org", ()), ("Doe, J", "j@y.org", ())]),
    ("Joe Q. Public <john.q.public@example.com>", [("Joe Q. Public", "john.q.public@example.com", ())]),
    ("a@b (Name)", [("Name", "a@b", ())]),
    ("Foo Bar foo@bar.com", [("Foo Bar", "foo@bar.com", ("no-angle",))]),
    ('"ceo@bank.example" <x@evil.example>', [("ceo@bank.example", "x@evil.example", ())]),
    ("ceo@bank.example <x@evil.example>", [("ceo@bank.example", "x@evil.example", ())]),
    ("<a@b> <c@d>", [("", "a@b", ("several-angles",)), ("", "c@d", ("several-angles",))]),
    ("<a@b", [("", "a@b", ("unclosed-angle",))]),
    ("<a@b, c@d>", [("", "a@b", ("unclosed-angle",)), ("", "c@d", ("stray-bracket",))]),
    ("foo", [("foo", "", ("no-address",))]),
    ("<@r1,@r2:u@v>", [("", "u@v", ("route",))]),
    ("John (a (nested) man) Doe <j . d @ e . f>", [("John Doe", "j.d@e.f", ("blank-in-address",))]),
    ("a@b@c", [("", '"a@b"@c', ("several-at",))]),
    ('"very odd"@x', [("", '"very odd"@x', ())]),
    ("x@[192.0.2.1]", [("", "x@[192.0.2.1]", ())]),
    ("=?utf-8?q?J=C3=B6rg?= =?utf-8?b?w7Y=?= <a@b>", [("Jörgö", "a@b", ())]),
    ('"=?utf-8?q?a?=" <x@y>', [("a", "x@y", ("encoded-word-in-quotes",))]),
    ("jörg@büro.example", [("", "jörg@büro.example", ())]),
    (",,,", []),
    ("", []),
]


@pytest.mark.parametrize(("text", "expected"), READ)
def test_mailboxes(text: str, expected: list[tuple[str, str, tuple[str, ...]]]) -> None:
    found = parse_addresses(text)
    assert [(box.display_name, box.address, box.defects) for box in found.mailboxes] == expected
    assert not found.defects


ALIKE = ["a@b, C <c@d> ,e@f", '" x" <a@b>', '"x"<a@b>', "x<a@b>", "a@b,", *(text for text, _ in READ)]


@pytest.mark.parametrize("text", ALIKE)
def test_the_short_way_and_the_long_way_agree(text: str) -> None:
    """In a group every list takes the long way."""
    short, long = parse_addresses(text), parse_addresses(f"group: {text};")
    assert short.mailboxes == tuple(replace(box, group=None) for box in long.mailboxes)


def test_groups_are_flattened_and_named() -> None:
    found = parse_addresses("Team: a@b, C <c@d>;, x@y, undisclosed-recipients:;")
    assert [(box.address, box.group) for box in found.mailboxes] == [("a@b", "Team"), ("c@d", "Team"), ("x@y", None)]
    assert found.groups == ("Team", "undisclosed-recipients")


@pytest.mark.parametrize(
    ("text", "defect"),
    [
        ("(open <a@b>", "unclosed-comment"),
        ('"open <a@b>', "unclosed-quote"),
        ("a@[1.2", "unclosed-literal"),
        ("a@b; c@d", "semicolon-for-comma"),
        ("g: a@b", "unclosed-group"),
        ("g: h: a@b;", "nested-group"),
        ("a@b," * 6000, "too-many-mailboxes"),
    ],
)
def test_what_is_wrong_with_a_list_is_noted_and_its_addresses_are_read(text: str, defect: str) -> None:
    found = parse_addresses(text)
    assert defect in found.defects
    assert "a@" in found.mailboxes[0].address


def test_octets_are_read_as_utf8_else_latin1() -> None:
    assert parse_addresses("Jörg <j@x>".encode()).mailboxes[0].display_name == "Jörg"
    assert parse_addresses("Jörg <j@x>".encode("latin-1")).mailboxes[0].display_name == "Jörg"


def test_utf8_in_an_address_needs_smtputf8() -> None:
    assert parse_addr_spec("jörg@büro.example").strictness is Strictness.INVALID
    checked = parse_addr_spec("jörg@büro.example", smtputf8=True)
    assert (checked.strictness, checked.addr_spec) == (Strictness.VALID, AddrSpec("jörg", "büro.example"))


def test_an_address_is_written_with_the_quotes_it_needs() -> None:
    checked = parse_addr_spec(r'"a \"b\" c"@x.example')
    assert checked.addr_spec == AddrSpec('a "b" c', "x.example")
    assert str(checked.addr_spec) == r'"a \"b\" c"@x.example'


def test_a_colon_behind_an_address_begins_no_group() -> None:
    found = parse_addresses("a@b: c@d")
    assert found.groups == ()
    assert found.mailboxes[0].group is None
