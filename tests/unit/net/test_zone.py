"""`ZoneResolver`: the same answers as from the network, from text."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.errors import InputError
from gatepost.net.zone import ZoneResolver
from gatepost.ports import DnsStatus, Mx, Question

ZONE = r"""
$TTL 600
$ORIGIN example.com.
@ 120 IN SOA ns hostmaster 1 2 3 4 30
@ IN TXT "v=spf1 " "-all"
  IN MX 10 mail
mail A 192.0.2.1
mail AAAA 2001:DB8:0:0::1
alias 60 CNAME Mail.Example.com.
out CNAME www.other.example.
loop CNAME loop
gone CNAME nope
a.ent TXT "x"
*.wild TXT "w"
*.wild MX 5 mail
host.wild A 192.0.2.9
*.star CNAME mail
$ORIGIN other.example.
@ MX 0 .
www A 192.0.2.7
odd TXT "caf\195\169"
num TYPE1234 \# 2 abcd
1.0.0.127.in-addr.arpa. PTR Host.Example.COM.
dotted.example. PTR bank\.example.evil.example.
"""


def ask(name: str, rtype: str, **options: object):
    return ZoneResolver(ZONE, **options).answer(Question(name, rtype))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "rtype", "records"),
    [
        ("example.com", "TXT", (b"v=spf1 -all",)),
        ("EXAMPLE.com.", "txt", (b"v=spf1 -all",)),
        ("example.com", "MX", (Mx(10, "mail.example.com"),)),
        ("mail.example.com", "AAAA", ("2001:db8::1",)),
        ("alias.example.com", "A", ("192.0.2.1",)),
        ("alias.example.com", "CNAME", ("mail.example.com",)),
        ("out.example.com", "A", ("192.0.2.7",)),
        ("other.example", "MX", (Mx(0, "."),)),
        ("odd.other.example", "TXT", ("café".encode(),)),
        ("num.other.example", "TYPE1234", (r"\# 2 abcd",)),
        ("1.0.0.127.in-addr.arpa", "PTR", ("host.example.com",)),
        ("x.star.example.com", "A", ("192.0.2.1",)),
        ("dotted.example", "PTR", (r"bank\.example.evil.example",)),
    ],
)
def test_decoded_records(name: str, rtype: str, records: tuple[object, ...]) -> None:
    answer = ask(name, rtype)
    assert (answer.status, answer.records) == (DnsStatus.OK, records)


@pytest.mark.parametrize(
    ("name", "rtype", "status"),
    [
        ("example.com", "AAAA", DnsStatus.NODATA),
        ("ent.example.com", "TXT", DnsStatus.NODATA),  # an empty non-terminal exists (RFC 4592 §2.2.2)
        ("com", "TXT", DnsStatus.NODATA),
        ("nope.example.com", "A", DnsStatus.NXDOMAIN),
        ("gone.example.com", "A", DnsStatus.NXDOMAIN),
        ("a..b", "A", DnsStatus.NXDOMAIN),
        ("x" * 64 + ".example", "A", DnsStatus.NXDOMAIN),
        (".".join(["x" * 60] * 5), "A", DnsStatus.NXDOMAIN),
        ("loop.example.com", "A", DnsStatus.TEMPFAIL),
    ],
)
def test_no_records(name: str, rtype: str, status: DnsStatus) -> None:
    answer = ask(name, rtype)
    assert (answer.status, answer.records) == (status, ())
    assert answer.reason


@pytest.mark.parametrize(
    ("name", "rtype", "status"),
    [
        ("x.wild.example.com", "TXT", DnsStatus.OK),
        ("x.y.wild.example.com", "TXT", DnsStatus.OK),
        ("*.wild.example.com", "TXT", DnsStatus.OK),
        ("x.wild.example.com", "A", DnsStatus.NODATA),
        ("host.wild.example.com", "TXT", DnsStatus.NODATA),  # a name that exists hides the wildcard
        ("x.host.wild.example.com", "TXT", DnsStatus.NXDOMAIN),  # and is the closest encloser of what is below
        ("wild.example.com", "TXT", DnsStatus.NODATA),
    ],
)
def test_wildcards_of_rfc_4592(name: str, rtype: str, status: DnsStatus) -> None:
    assert ask(name, rtype).status is status


def test_ttls() -> None:
    assert ask("mail.example.com", "A").ttl == 600
    assert ask("alias.example.com", "A").ttl == 60  # the least in the chain
    assert ask("nope.example.com", "A").ttl == 30  # RFC 2308 §5: SOA MINIMUM
    assert ask("nope.elsewhere.example", "A").ttl > 0


def test_faults_by_name_and_by_type() -> None:
    faults = {"timeouts": ["MAIL.example.com", "other.example MX"], "failures": ["bad.example."]}
    assert ask("mail.example.com", "A", **faults).reason == "timed out"
    assert ask("alias.example.com", "A", **faults).status is DnsStatus.TEMPFAIL  # through the chain
    assert ask("other.example", "MX", **faults).status is DnsStatus.TEMPFAIL
    assert ask("other.example", "TXT", **faults).status is DnsStatus.NODATA
    assert ask("bad.example", "TXT", **faults).reason == "SERVFAIL"


def test_authentic_names_hold_for_what_is_below_and_for_the_whole_chain() -> None:
    assert not ask("example.com", "TXT").authentic
    assert ask("example.com", "TXT", authentic=True).authentic
    assert ask("nope.example.com", "TXT", authentic=["example.com"]).authentic
    assert not ask("other.example", "MX", authentic=["example.com"]).authentic
    assert not ask("out.example.com", "A", authentic=["example.com"]).authentic
    assert ask("out.example.com", "A", authentic=["example.com", "other.example"]).authentic


def test_origin_argument_and_text_without_soa() -> None:
    resolver = ZoneResolver('@ TXT "here"\nwww A 192.0.2.3', origin="example.net")
    assert resolver.answer(Question("example.net", "TXT")).texts == (b"here",)
    assert resolver.answer(Question("www.example.net", "A")).names == ("192.0.2.3",)


def test_lookup_all_keeps_the_order() -> None:
    questions = [Question("other.example", "MX"), Question("mail.example.com", "A")]
    answers = asyncio.run(ZoneResolver(ZONE).lookup_all(questions, 1.0))
    assert [answer.question for answer in answers] == questions


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("\n\nfoo A 1.2.3\n", "line 3", "cannot be read"),
        ("a A 192.0.2.1\na CNAME b\n", "line 2", "CNAME"),
        ("$INCLUDE /etc/passwd\n", "line 1", "not allowed"),
        ("$GENERATE 1-999999999 a$ A 192.0.2.1\n", "line 1", "not allowed"),
        ('a TXT "' + "x" * 256 + '"', "line 1", "too long"),
        ("\n" + "x" * 70 + " A 192.0.2.1", "line 2", "63"),
        ("a BLA 4", "line 1", "BLA"),
        ("a.. A 192.0.2.1", "line 1", "empty"),
        ('a TXT "open', "line 1", "ended"),
    ],
)
def test_a_bad_zone_is_named_with_its_line(text: str, line: str, says: str) -> None:
    with pytest.raises(InputError) as caught:
        ZoneResolver(text)
    assert caught.value.value == line
    assert says in caught.value.remedy


def test_a_bad_fault_is_an_input_error() -> None:
    with pytest.raises(InputError):
        ZoneResolver("", timeouts=["a..b"])
    with pytest.raises(InputError):
        ZoneResolver("", failures=["a.example NOT A TYPE"])


def test_text_of_an_indented_literal_is_read() -> None:
    zone = ZoneResolver(
        """
        example.org.  A 192.0.2.1
                      A 192.0.2.2
        """
    )
    assert zone.answer(Question("example.org", "A")).records == ("192.0.2.1", "192.0.2.2")
