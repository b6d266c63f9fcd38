"""Rules on where links lead: what is meant to deceive is seen, what newsletters do is not."""

from __future__ import annotations

import pytest

from gatepost.finding import Finding, Severity
from gatepost.inspector.links.settings import LinkSettings
from gatepost.inspector.rules import links as rules
from gatepost.inspector.settings import InspectorSettings
from gatepost.ports import Followed
from judging import dmarc, judged, see
from pages import linked, page

STRANGER = {"dmarc": dmarc("none")}
NEWSLETTER = "".join(f"<a href='http://click.news.example/{n}'>offer {n}</a>" for n in range(6))


def found(rule: object, text: str, **options: object) -> Finding | None:
    return see(rule, content=page(text), **({**STRANGER, **options}))  # type: ignore[arg-type]


def test_text_differs() -> None:  # link.text-differs
    seen = found(rules.text_differs, "<a href=http://evil.example/x>www.paypal.com</a>")
    assert seen is not None
    assert (seen.severity, seen.evidence["shown"], seen.evidence["host"]) == (
        *(Severity.DANGER, "www.paypal.com", "evil.example"),
    )
    for target in ("http://paypal.top/", "http://evil.example/?u=https://www.paypal.com/"):
        assert found(rules.text_differs, f"<a href={target}>www.paypal.com</a>") is not None
    plain = found(rules.text_differs, "<a href=http://evil.example/x>https://shop.example.com/a</a>")
    assert plain is not None
    assert plain.severity is Severity.WARNING
    assert plain.weight < seen.weight


@pytest.mark.parametrize(
    "text",
    [
        "<a href=http://www.example.com/a>example.com</a>",
        "<a href=http://example.de/>www.example.com</a>",
        "<a href=http://click.example/?u=https%3A%2F%2Fwww.example.com%2Fa>www.example.com</a>",
        "<a href=http://x.list-manage.com/track?u=1>www.example.com</a>",
        "<a href=http://evil.example/>Node.js</a>",
        "<a href=http://evil.example/>click here</a>",
        "<a href=mailto:ann@example.com>ann@example.com</a>",
        "<a href=https://office.com/x>https://microsoft.com/</a>",
        "<a href=http://evil.example/>write to ann@paypal.com</a>",
    ],
)
def test_text_that_does_not_differ(text: str) -> None:
    assert found(rules.text_differs, text) is None


def test_a_newsletters_click_counter_is_ordinary() -> None:
    text = NEWSLETTER + "<a href=http://click.news.example/7>www.example.com</a>"
    seen = found(rules.text_differs, text)
    assert seen is not None
    assert seen.weight == 0.0
    own = see(rules.text_differs, content=page("<a href=http://click.example.org/7>www.elsewhere.com</a>"))
    assert own is not None
    assert own.weight == 0.0
    trackers = InspectorSettings(links=LinkSettings(click_trackers=("C.example.",)))
    assert found(rules.text_differs, "<a href=http://c.example/7>www.paypal.com</a>", settings=trackers) is None


def test_shortener() -> None:  # link.shortener
    seen = see(rules.shortener, content=linked("https://bit.ly/x"))
    assert seen is not None
    assert seen.weight < 1
    way = Followed(hops=("https://bit.ly/x", "https://paypa1.com/login"))
    worse = see(rules.shortener, content=linked("https://bit.ly/x", followed=(way,)))
    assert worse is not None
    assert worse.weight > seen.weight
    assert worse.evidence["leads_to"] == "https://paypa1.com/login"
    assert see(rules.shortener, content=linked("https://example.com/bit.ly")) is None


def test_redirect() -> None:  # link.redirect
    seen = see(rules.redirect, content=linked("https://www.google.com/url?q=https://evil.example/a"))
    assert seen is not None
    assert seen.evidence["target"] == "https://evil.example/a"
    worse = see(rules.redirect, content=linked("https://www.google.com/url?q=https://evil.example/webmail/login"))
    assert worse is not None
    assert worse.weight > seen.weight
    assert see(rules.redirect, content=linked("https://www.google.com/maps?q=x")) is None


def test_free_hosting() -> None:  # link.free-hosting
    seen = see(rules.free_hosting, content=linked("https://ann.github.io/"))
    assert seen is not None
    assert seen.weight < 1
    for target in (
        "https://paypal-help.web.app/",
        "https://x.pages.dev/account/verify",
        "https://storage.googleapis.com/b/a.html",
    ):
        worse = see(rules.free_hosting, content=linked(target))
        assert worse is not None
        assert worse.severity is Severity.WARNING
    assert (
        see(rules.free_hosting, content=linked("https://storage.googleapis.com/b/a.png", source="html-image")) is None
    )
    assert see(rules.free_hosting, content=linked("https://example.com/")) is None


def test_credential_words() -> None:  # link.credential-words
    assert see(rules.words_in_address, content=linked("https://evil.example/secure/login.php")) is not None
    assert see(rules.words_in_address, content=linked("https://www.example.org/account/login")) is None  # the sender's
    assert see(rules.words_in_address, content=linked("https://evil.example/login")) is None
    assert see(rules.words_in_address, content=linked("https://accounts.google.com/signin/recovery")) is None


def test_many_hosts() -> None:  # link.many-hosts
    targets = [f"https://example{n}.com/" for n in range(40)]
    assert see(rules.many_hosts, content=linked(*targets)) is not None
    assert see(rules.many_hosts, content=linked(*targets[:20])) is None


def test_code() -> None:  # link.code
    for target in ("https://paypa1.com/", "https://evil.example/verify", "https://bit.ly/x", "http://192.0.2.1/"):
        assert see(rules.code, content=linked(target, source="code"), **STRANGER) is not None
    assert see(rules.code, content=linked("https://tickets.example/123", source="code"), **STRANGER) is None
    assert (
        see(rules.code, content=linked("https://www.example.org/login", source="code")) is None
    )  # the proven sender's
    assert see(rules.code, content=linked("https://paypa1.com/"), **STRANGER) is None


def test_base_trick() -> None:  # link.base-trick
    seen = found(rules.base_trick, "<base href=http://evil.example/><a href=login>x</a>")
    assert seen is not None
    assert seen.evidence["links"] == 1
    assert found(rules.base_trick, "<base href=http://www.example.org/><a href=login>x</a>") is None
    assert found(rules.base_trick, "<base href=http://evil.example/><a href=http://b.example/>x</a>") is None


ORDINARY = {
    "github": "<a href=https://github.com/a/b/pull/1>#1</a>"
    "<a href=https://github.com/notifications/unsubscribe-auth/A>u</a>",
    "newsletter": "<div style='display:none'>Preview &zwnj;&nbsp;&zwnj;</div>"
    + "".join(
        f"<a href='https://shop.us1.list-manage.com/track/click?id={n}'>www.shop.example/{n}</a>" for n in range(6)
    ),
    "mail filter": "<a href='https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fwww.paypal.com%2Fx'>"
    "https://www.paypal.com/x</a>",
    "click counter": "".join(f"<a href='https://click.mail.example/?qs={n}'>Item {n}</a>" for n in range(8))
    + "<a href='https://click.mail.example/?qs=9'>facebook.com/store</a>",
    "password reset": "<a href='https://app.example.org/account/password/reset?t=1'>https://app.example.org/account/…</a>",
    "single sign-on": "<a href='https://login.microsoftonline.com/common/oauth2/authorize'>Sign in</a>"
    "<a href='https://corp.sharepoint.com/sites/x'>https://corp.sharepoint.com/sites/x</a>",
    "invoice": "<a href='https://pay.stripe.com/invoice/acct_1'>Pay</a> <a href='https://dashboard.stripe.com/login'>x</a>",
    "meeting": "<a href='https://us02web.zoom.us/j/1?pwd=x'>https://us02web.zoom.us/j/1</a> https://meet.google.com/abc",
    "parcel": "<a href='https://www.dhl.de/de/privatkunden/verfolgen.html?piececode=1'>Sendung verfolgen</a>",
    "shop": "<a href='https://www.amazon.de/gp/r.html?U=https%3A%2F%2Fwww.amazon.de%2Fyour-account'>Konto</a>",
    "two forms": "<style>@media(max-width:600px){.d{display:none}}</style><p class=d>" + "Desktop text. " * 90 + "</p>"
    "<p style='display:none'>" + "Mobile text. " * 90 + "</p>",
    "umlauts": "<a href='https://xn--mller-kva.example/'>müller.example</a>",
    "files": "<a href='https://docs.google.com/document/d/1'>https://docs.google.com/document/d/1</a>"
    "<a href='https://s3.amazonaws.com/b/report.pdf'>report</a> <a href='https://ann.github.io/docs/login.html'>docs</a>",
    "tweet": "<a href='https://t.co/abc'>https://www.example.org/blog</a>",
}


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_mail_of_today_weighs_next_to_nothing(text: str) -> None:
    findings = judged(content=page(text), **STRANGER).findings
    weighty = {f.code: f.weight for f in findings if f.code.startswith(("link.", "html.")) and f.weight > 0}
    assert sum(weighty.values()) <= 1, weighty


def test_without_content_nothing_is_seen() -> None:
    for rule in (rules.text_differs, rules.shortener, rules.code):
        assert rule.when is not None
        assert see(rule, content=linked("mailto:a@b.example")) is None
