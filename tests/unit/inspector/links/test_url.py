"""URLs as browsers read them, and the hosts in them."""

from __future__ import annotations

import pytest

from gatepost.inspector.links.domain import looks_registered, registrable_domain
from gatepost.inspector.links.host import HostMark, parse_host, percent_decode
from gatepost.inspector.links.hosting import Service, embedded_target, services_of
from gatepost.inspector.links.url import MAX_URL, UrlMark, parse_url


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("http://Example.COM./", "example.com"),
        ("http:\\\\evil.example\\a", "evil.example"),
        ("https:evil.example", "evil.example"),
        ("https:////evil.example/", "evil.example"),
        ("ht\ttp://a.exa\nmple/", "a.example"),
        ("//x.example/z", "x.example"),
        ("\\\\x.example/z", "x.example"),
        ("http://bank.example@evil.example/", "evil.example"),
        ("http://bank.example\\@evil.example/", "bank.example"),
        ("http://a@b@evil.example/", "evil.example"),
        ("http://evil.example?@bank.example/", "evil.example"),
        ("http://evil.example#@bank.example/", "evil.example"),
        ("http://%65vil.example", "evil.example"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://3232235777", "192.168.1.1"),
        ("http://0300.0250.1.1/", "192.168.1.1"),
        ("http://0xC0A80101/", "192.168.1.1"),
        ("http://1.2.3.4./", "1.2.3.4"),
        ("http://[::ffff:1.2.3.4]:80/", "1.2.3.4"),
        ("http://[2001:DB8::1]/", "2001:db8::1"),
        ("http://ｅｘａｍｐｌｅ．ｃｏｍ/", "example.com"),
        ("http://①②⑦.0.0.1/", "127.0.0.1"),
        ("http://faß.de/", "xn--fa-hia.de"),
        ("http://😀.example/", "xn--e28h.example"),
        ("http://_dmarc.ä.example/", "_dmarc.xn--4ca.example"),
        ("http://a\u200bb.example/", "ab.example"),
        ("http://a\u00adb.example/", "ab.example"),
    ],
)
def test_the_host_is_the_one_a_browser_reaches(text: str, host: str) -> None:
    assert parse_url(text).host.ascii == host


@pytest.mark.parametrize(
    "text", ["http://1.2.3.4.5/", "http://256.1.1.1.example/", "http://08.1/", "http://1.2.3.400/"]
)
def test_what_is_no_address_stays_a_name(text: str) -> None:
    assert not parse_url(text).host.is_address


def test_what_is_odd_is_marked() -> None:
    assert parse_url("http://0x7f.1/").host.marks == {HostMark.ODD_ADDRESS}
    assert parse_url("http://127.0.0.1/").host.marks == {HostMark.ADDRESS}
    assert HostMark.ENCODED in parse_url("http://%65xample.com").host.marks
    assert HostMark.INVISIBLE in parse_url("http://a\u200bb.example").host.marks
    assert HostMark.PUNYCODE in parse_url("http://xn--fa-hia.de").host.marks
    assert parse_url("http://xn--fa-hia.de").host.shown == "faß.de"
    assert HostMark.BAD in parse_url("http://a..b/").host.marks
    assert HostMark.BAD in parse_url("http://[::g]/").host.marks
    assert UrlMark.USER_INFO in parse_url("http://a@b/").marks
    assert UrlMark.BACKSLASH in parse_url("http:\\\\b/").marks
    assert UrlMark.LINE_END in parse_url("http://b/\nx").marks
    assert UrlMark.BAD_PORT in parse_url("http://b:99999/").marks
    assert UrlMark.CUT in parse_url("http://b/" + "x" * MAX_URL).marks
    assert parse_url("http://b/plain?q#f").marks == frozenset()


def test_parts() -> None:
    url = parse_url("https://u:p%40@example.com:8443/a/b?c=d#e")
    assert (url.scheme, url.user, url.port, url.path, url.query, url.fragment) == (
        *("https", "u:p@", 8443, "/a/b", "c=d", "e"),
    )
    assert parse_url("https://example.com:443/").port is None
    assert parse_url("mailto:a@example.com?subject=x").path == "a@example.com"
    assert parse_url("data:text/html,<a?b#c>").path == "text/html,<a?b#c>"
    assert parse_url("JavaScript:alert(1)").scheme == "javascript"
    assert parse_url("file://server/share").host.ascii == "server"
    assert parse_url("page.html").scheme == ""
    assert not parse_url("page.html").is_web


def test_registrable_domains() -> None:
    assert registrable_domain("www.example.co.uk") == "example.co.uk"
    assert registrable_domain("evil.github.io") == "evil.github.io"
    assert registrable_domain("localhost") == "localhost"
    assert looks_registered("example.com")
    assert not looks_registered("node.js")
    assert not looks_registered("com")


def test_percent_decoding_is_total() -> None:
    assert percent_decode("%41%4") == "A%4"
    assert percent_decode("%zz%C3%A4%") == "%zzä%"
    assert percent_decode("%1_") == "%1_"
    assert parse_host("%").ascii == "%"


def test_what_hosts_do_is_known() -> None:
    assert services_of(parse_url("http://bit.ly/x")) == {Service.SHORTENER}
    assert services_of(parse_url("http://x.y.github.io/")) == {Service.FREE}
    assert services_of(parse_url("https://www.google.com/url?q=http://evil.example/")) == {Service.REDIRECTOR}
    assert services_of(parse_url("https://www.google.com/maps")) == frozenset()
    assert services_of(parse_url("https://notbit.ly/")) == frozenset()


def test_the_address_inside_a_redirect_is_read() -> None:
    for query in (
        "u=http://evil.example/a",
        "u=http%3A%2F%2Fevil.example%2Fa&x",
        "u=http%253A%252F%252Fevil.example%252Fa",
    ):
        inner = embedded_target(parse_url(f"https://r.example/?{query}"))
        assert inner is not None
        assert inner.host.ascii == "evil.example"
    assert embedded_target(parse_url("https://r.example/?u=1")) is None
