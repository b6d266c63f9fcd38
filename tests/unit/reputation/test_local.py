"""The house's own lists: found by address, network, domain, sender and URL; in time; whatever strangers write."""

from __future__ import annotations

import pytest

from gatepost.errors import InputError
from gatepost.reputation.local import EntryKind, LocalEntry, LocalLists, Verdict, parse_value

NOW = 1_790_000_000.0


def entry(text: str, verdict: str = "block", **more: object) -> LocalEntry:
    kind, value = parse_value(text)
    return LocalEntry(verdict=Verdict(verdict), kind=kind, value=value, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("192.0.2.1", EntryKind.ADDRESS, "192.0.2.1"),
        ("[2001:DB8::1]", EntryKind.ADDRESS, "2001:db8::1"),
        ("::ffff:192.0.2.1", EntryKind.ADDRESS, "192.0.2.1"),
        ("192.0.2.9/24", EntryKind.NETWORK, "192.0.2.0/24"),
        ("Example.ORG.", EntryKind.DOMAIN, "example.org"),
        ("@example.org", EntryKind.DOMAIN, "example.org"),
        ("*.example.org", EntryKind.DOMAIN, "example.org"),
        ("Ann@Bücher.example", EntryKind.SENDER, "ann@xn--bcher-kva.example"),
        ("HTTPS://user@Evil.example:8443/A%20b/?q#f", EntryKind.URL, "evil.example/A b"),
    ],
)
def test_an_entry_is_known_by_its_form(text: str, kind: EntryKind, value: str) -> None:
    assert parse_value(text) == (kind, value)


@pytest.mark.parametrize(
    "text",
    ["", " ", "x", "0.0.0.0/0", "evil.example/path", "a@b", "https://", "https:///x", "a\nb.example", "x" * 2000],
)
def test_what_is_no_entry_is_told(text: str) -> None:
    with pytest.raises(InputError):
        parse_value(text)


def test_addresses_and_networks() -> None:
    lists = LocalLists(
        [entry("192.0.2.0/24"), entry("192.0.0.0/16"), entry("192.0.2.7", "allow"), entry("2001:db8::/32")]
    )
    assert lists.address("192.0.2.7", NOW) == lists.entries[2]  # the nearest word counts
    assert lists.address("192.0.2.8", NOW) == lists.entries[0]
    assert lists.address("192.0.9.9", NOW) == lists.entries[1]
    assert lists.address("2001:db8:1::1", NOW) == lists.entries[3]
    assert lists.address("198.51.100.1", NOW) is None
    assert lists.address("no address", NOW) is None


def test_domains_and_senders() -> None:
    lists = LocalLists([entry("evil.example"), entry("ann@evil.example", "allow"), entry("bob@good.example")])
    assert lists.domain("mail.EVIL.example.", NOW) == lists.entries[0]
    assert lists.domain("notevil.example", NOW) is None
    assert lists.sender("Ann@evil.example", NOW) == lists.entries[1]
    assert lists.sender("carl@mx.evil.example", NOW) == lists.entries[0]
    assert lists.sender("bob@good.example", NOW) == lists.entries[2]
    assert lists.sender("x@good.example", NOW) is None
    assert lists.sender("", NOW) is None


def test_urls() -> None:
    lists = LocalLists(
        [entry("https://evil.example/"), entry("https://share.example/bad"), entry("https://192.0.2.1/")]
    )
    assert lists.url("http://www.evil.example/x?y", NOW) == lists.entries[0]
    assert lists.url("https://share.example/bad/file.exe", NOW) == lists.entries[1]
    assert lists.url("https://share.example/b%61d", NOW) == lists.entries[1]
    assert lists.url("https://share.example/badge", NOW) is None
    assert lists.url("https://share.example@192.0.2.1/x", NOW) == lists.entries[2]
    for odd in ("", "://", "http://[", "http://\x00/", "\udcff://x", "http://" + "a." * 5000, "https://%zz/%"):
        assert lists.url(odd, NOW) is None


def test_time_and_contradiction() -> None:
    lists = LocalLists([entry("evil.example", expires=NOW), entry("a.example"), entry("a.example", "allow")])
    assert lists.domain("evil.example", NOW - 1) is not None
    assert lists.domain("evil.example", NOW) is None
    found = lists.domain("a.example", NOW)
    assert found is not None
    assert found.verdict is Verdict.BLOCK
    assert not LocalLists()
    assert lists
