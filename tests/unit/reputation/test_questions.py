"""The names that lists are asked for: addresses backwards, names as bought, hashes as the operators publish them."""

from __future__ import annotations

import hashlib

import pytest

from gatepost.reputation.known import resolve_lists
from gatepost.reputation.questions import Subject, SubjectKind, normal_address, probe_name, question_name
from gatepost.reputation.settings import DnsListSettings, ListsSettings

LISTS = {
    one.name: one
    for one in resolve_lists(
        ListsSettings(
            use=("zen", "dbl", "surbl", "hbl-email", "hbl-file", "ebl", "dnswl"),
            dns={"zen": DnsListSettings(key="k3y")},
            spamhaus_key="s3cret",
        )
    )
}  # fmt: skip


def name(listed: str, kind: SubjectKind, value: str, where: str = "client") -> str | None:
    return question_name(LISTS[listed], Subject(kind=kind, value=value, where=where))


def test_addresses_backwards() -> None:
    assert name("zen", SubjectKind.IP, "192.0.2.99") == "99.2.0.192.k3y.zen.dq.spamhaus.net"
    assert name("dnswl", SubjectKind.IP, "::ffff:192.0.2.99") == "99.2.0.192.list.dnswl.org"
    # The example of RFC 5782 §2.4.
    nibbles = "b.a.9.8.7.6.5.0.4.0.0.0.3.0.0.0.2.0.0.0.1.0.0.0.0.0.0.0.1.2.3.4"
    assert name("zen", SubjectKind.IP, "4321:0:1:2:3:4:567:89ab") == f"{nibbles}.k3y.zen.dq.spamhaus.net"


@pytest.mark.parametrize("ip", ["127.0.0.1", "10.1.2.3", "192.168.1.1", "100.64.0.1", "::1", "fe80::1", "fd00::1", "x"])
def test_nobody_outside_is_asked_about_what_is_inside(ip: str) -> None:
    assert name("zen", SubjectKind.IP, ip) is None


def test_names() -> None:
    assert name("surbl", SubjectKind.HOST, "WWW.a.example.co.uk.") == "example.co.uk.multi.surbl.org"
    assert name("surbl", SubjectKind.HOST, "bücher.example") == "xn--bcher-kva.example.multi.surbl.org"
    assert name("surbl", SubjectKind.HOST, "192.0.2.7") == "7.2.0.192.multi.surbl.org"
    assert name("dbl", SubjectKind.HOST, "www.example.org") == "www.example.org.s3cret.dbl.dq.spamhaus.net"
    assert name("dbl", SubjectKind.DOMAIN, "example.org") == "example.org.s3cret.dbl.dq.spamhaus.net"
    assert name("surbl", SubjectKind.DOMAIN, "example.org") is None  # it lists hosts of links only


@pytest.mark.parametrize(
    "host", ["192.0.2.1", "a..b.example", "x" * 64 + ".example", "a b.example", "", "a" * 300, "\x00"]
)
def test_what_is_no_name_is_not_asked(host: str) -> None:
    assert name("dbl", SubjectKind.HOST, host) is None


def test_a_public_suffix_is_nobodys_name() -> None:
    assert name("surbl", SubjectKind.HOST, "co.uk") is None
    assert name("surbl", SubjectKind.HOST, "someone.github.io") == "someone.github.io.multi.surbl.org"


def test_hashes() -> None:
    email = "f3pdgtmwu6lfigdjc67yniwry5zrm7erletnfo36qaeqpmbpw2da"  # that of Spamhaus' own test address
    asked = name("hbl-email", SubjectKind.EMAIL, "User+Tag@HBLtest.com")
    assert asked == f"{email}._email.s3cret.hbl.dq.spamhaus.net"
    assert asked == name("hbl-email", SubjectKind.EMAIL, "user@hbltest.com")
    assert name("ebl", SubjectKind.EMAIL, "user@hbltest.com") == (
        hashlib.sha1(b"user@hbltest.com").hexdigest() + ".ebl.msbl.org"
    )
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    asked = name("hbl-file", SubjectKind.HASH, empty)
    assert asked == "4oymiquy7qobjgx36tejs35zeqt24qpemsnzgtfeswmrw6csxbkq._file.s3cret.hbl.dq.spamhaus.net"
    assert name("hbl-file", SubjectKind.HASH, "xyz") is None


@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("First.Last@googlemail.com", "firstlast@gmail.com"),
        ("first.last+x@example.org", "first.last@example.org"),
        ("ann@Bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@localhost", None),
        ("@example.org", None),
        ("+x@example.org", None),
        ("x" * 65 + "@example.org", None),
    ],
)
def test_addresses_are_normalised(text: str, normal: str | None) -> None:
    assert normal_address(text) == normal


def test_probes() -> None:
    assert probe_name(LISTS["zen"], "127.0.0.2") == "2.0.0.127.k3y.zen.dq.spamhaus.net"
    assert probe_name(LISTS["dbl"], LISTS["dbl"].test_listed) == "dbltest.com.s3cret.dbl.dq.spamhaus.net"
    assert probe_name(LISTS["surbl"], LISTS["surbl"].test_unlisted) == "invalid.multi.surbl.org"


def test_keys_are_not_shown() -> None:
    assert LISTS["zen"].shown_zone == "KEY.zen.dq.spamhaus.net"
    assert "s3cret" not in LISTS["hbl-email"].shown_zone
