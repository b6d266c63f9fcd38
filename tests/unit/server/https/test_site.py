"""What is served under which name, and that nothing else is; Outlook's question in all its hostile forms."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatepost.config import parse_settings
from gatepost.errors import ConfigError
from gatepost.msgauth.sts import StsPolicy, parse_sts_policy
from gatepost.server.https.autodiscover import MAX_TEXT, Asked, read_request
from gatepost.server.https.policy import policy_id, write_policy
from gatepost.server.https.site import Request, Response, Site

CONFIG = """
hostname = "mx.example.org"
[domains."example.org"]
[domains."bücher.example"]
[submission]
listen_tls = ["0.0.0.0:465"]
listen_starttls = ["0.0.0.0:587"]
[autoconfig]
imap = "imap.example.org:993"
name = "Us & them"
"""
QUESTION = """<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="http://schemas.microsoft.com/exchange/autodiscover/outlook/requestschema/2006">
<Request><EMailAddress>{address}</EMailAddress><AcceptableResponseSchema>{schema}</AcceptableResponseSchema></Request>
</Autodiscover>"""
OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
MOBILE = "http://schemas.microsoft.com/exchange/autodiscover/mobilesync/responseschema/2006"
OX = f"{{{OUTLOOK}}}"


def site(more: str = CONFIG) -> Site:
    return Site(parse_settings(more, Path("/x")), {"tok-1": b"tok-1.thumb"}.get)


def ask(host: str, path: str, method: str = "GET", secure: bool = True, query: str = "", body: bytes = b"") -> Response:
    return site().answer(Request(secure=secure, method=method, host=host, path=path, query=query, body=body))


def discover(address: str, schema: str = OUTLOOK) -> Response:
    body = QUESTION.format(address=address, schema=schema).encode()
    return ask("autodiscover.example.org", "/Autodiscover/Autodiscover.xml", "POST", body=body)


def test_the_policy_is_what_our_own_reader_and_the_rfc_want() -> None:
    for domain in ("example.org", "xn--bcher-kva.example"):
        found = ask(f"mta-sts.{domain}", "/.well-known/mta-sts.txt")
        assert (found.status, found.kind) == (200, "text/plain")
        assert found.body == b"version: STSv1\r\nmode: testing\r\nmx: mx.example.org\r\nmax_age: 1209600\r\n"
        policy = parse_sts_policy(found.body)
        assert isinstance(policy, StsPolicy)
        assert policy.names("mx.example.org")


def test_a_changed_policy_has_another_id() -> None:
    found = set()
    for more in ("", 'mode = "enforce"', 'mx = ["*.example.org"]', "max_age = 604800"):
        settings = parse_settings(f"{CONFIG}[mta_sts]\n{more}\n", Path("/x"))
        found.add(policy_id(write_policy(settings.mta_sts, settings.hostname)))
    assert len(found) == 4
    assert all(one.isalnum() and len(one) <= 32 for one in found)


@pytest.mark.parametrize("name", ["*", "mx example.org", "a.*.example.org", "*.*.example.org"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    settings = parse_settings(f'{CONFIG}[mta_sts]\nmx = ["{name}"]\n', Path("/x"))
    with pytest.raises(ConfigError, match=r"mta_sts\.mx"):
        write_policy(settings.mta_sts, settings.hostname)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("autoconfig.example.org", "/mail/config-v1.1.xml"),
        ("example.org", "/.well-known/autoconfig/mail/config-v1.1.xml"),
    ],
)
def test_thunderbird_is_told_what_there_is_implicit_tls_first(host: str, path: str) -> None:
    found = ask(host, path, query="emailaddress=ann%40example.org")
    provider = ElementTree.fromstring(found.body).find("emailProvider")
    assert provider is not None
    servers = [
        (one.tag, one.get("type"), *(one.findtext(name) for name in ("hostname", "port", "socketType")))
        for one in provider
        if one.tag.endswith("Server")
    ]
    assert servers == [
        ("incomingServer", "imap", "imap.example.org", "993", "SSL"),
        ("outgoingServer", "smtp", "mx.example.org", "465", "SSL"),
        ("outgoingServer", "smtp", "mx.example.org", "587", "STARTTLS"),
    ]
    assert provider.findtext("displayName") == "Us & them"


def test_outlook_is_told_for_an_address_of_ours() -> None:
    root = ElementTree.fromstring(discover("ann@example.org").body)
    told = [(one.findtext(f"{OX}Type"), one.findtext(f"{OX}Port"), one.findtext(f"{OX}LoginName")) for one in
            root.iter(f"{OX}Protocol")]  # fmt: skip
    assert told == [
        ("IMAP", "993", "ann@example.org"),
        ("SMTP", "465", "ann@example.org"),
        ("SMTP", "587", "ann@example.org"),
    ]
    by_get = ask("example.org", "/autodiscover/autodiscover.xml", query="EmailAddress=ann%40example.org")
    assert b"<LoginName>ann@example.org</LoginName>" in by_get.body


def test_outlook_gets_an_error_for_all_else() -> None:
    assert b"<ErrorCode>600<" in discover("ann@elsewhere.example").body
    assert b"<ErrorCode>601<" in discover("ann@example.org", MOBILE).body
    assert discover("nobody").status == 400
    assert b"&lt;b&gt;" in discover("&lt;b&gt;@example.org").body  # what it says is escaped again


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]>' + QUESTION.format(address="&b;", schema=OUTLOOK).encode()[38:], "DOCTYPE"),
        (b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "DOCTYPE"),
        (QUESTION.format(address="&b;", schema=OUTLOOK).encode(), "no XML"),
        (b"<a>" * 100_000, "nested"),
        (b"", "no XML"),
        (b'<?xml version="1.0" encoding="nonsense"?><a/>', "no XML"),
        (QUESTION.format(address="a" * 9000 + "@example.org", schema=OUTLOOK).encode(), "no address"),
    ],
)
def test_hostile_xml_is_refused(body: bytes, says: str) -> None:
    found = read_request(body)
    assert isinstance(found, str)
    assert says in found


@given(st.binary(max_size=300) | st.text(max_size=200).map(lambda t: QUESTION.format(address=t, schema="x").encode()))
def test_any_octets_give_a_question_or_a_reason(body: bytes) -> None:
    found = read_request(body)
    assert (isinstance(found, Asked) and len(found.address) <= MAX_TEXT) or (isinstance(found, str) and found)


@pytest.mark.parametrize(
    ("host", "path"),
    [
        ("mx.example.org", "/.well-known/mta-sts.txt"),
        ("mta-sts.elsewhere.example", "/.well-known/mta-sts.txt"),
        ("mta-sts.example.org", "/"),
        ("mta-sts.example.org", "/.well-known/../.well-known/mta-sts.txt"),
        ("mta-sts.example.org", "/mail/config-v1.1.xml"),
        ("autoconfig.example.org", "/.well-known/mta-sts.txt"),
        ("a.autoconfig.example.org", "/mail/config-v1.1.xml"),
        ("example.org", "/.well-known/acme-challenge/tok-1"),
        ("", ""),
    ],
)
def test_nothing_else_is_there(host: str, path: str) -> None:
    assert ask(host, path).status == 404


def test_other_methods_are_refused() -> None:
    assert ask("mta-sts.example.org", "/.well-known/mta-sts.txt", "POST").status == 405
    assert ask("example.org", "/autodiscover/autodiscover.xml", "DELETE").status == 405


def test_port_80_has_challenges_and_the_way_to_https() -> None:
    found = ask("anything.example", "/.well-known/acme-challenge/tok-1", secure=False)
    assert (found.status, found.body) == (200, b"tok-1.thumb")
    for token in ("tok-2", "../../etc/passwd", "a" * 200, ""):
        assert ask("example.org", f"/.well-known/acme-challenge/{token}", secure=False).status == 404
    found = ask("autoconfig.example.org", "/mail/config-v1.1.xml", secure=False, query="emailaddress=a")
    assert (found.status, found.location) == (302, "https://autoconfig.example.org/mail/config-v1.1.xml?emailaddress=a")
    assert ask("elsewhere.example", "/mail/config-v1.1.xml", secure=False).status == 404


def test_without_submission_programs_are_told_nothing() -> None:
    bare = site('hostname = "mx.example.org"\n[domains."example.org"]\n')
    path = "/mail/config-v1.1.xml"
    assert bare.answer(Request(secure=True, method="GET", host="autoconfig.example.org", path=path)).status == 404
