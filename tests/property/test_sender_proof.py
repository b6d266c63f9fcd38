"""SPF and DMARC: any octets give a value, never an exception, and the same value every time."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes import DictResolver
from gatepost.msgauth.dmarc import evaluate
from gatepost.msgauth.dmarc import parse_record as parse_dmarc
from gatepost.msgauth.generations import Generations
from gatepost.msgauth.iprev import check_iprev
from gatepost.msgauth.spf import check_host
from gatepost.msgauth.spf import parse_record as parse_spf
from gatepost.msgauth.spf.macro import MacroString, parse_macro_string
from gatepost.msgauth.spf.name import is_askable, to_ascii

TERMS = st.sampled_from(
    ["a", "mx", "-all", "ptr", "a:x.org", "include:example.org",
     "exists:%{ir}.x.org", "redirect=%{d}", "exp=%{s}.x.org",
     "ip4:192.0.2.0/24", "ip6:::/0", "mx//64", "a/0", "%{", "=", ":", "/", "moo=%%", "?", "\x00"]
)  # fmt: skip
RECORDS = st.one_of(
    st.binary(max_size=200), st.lists(TERMS, max_size=8).map(lambda t: ("v=spf1 " + " ".join(t)).encode())
)
TAGS = st.sampled_from(
    ["p=reject", "sp=", "np=none", "psd=y", "psd=n", "t=y", "pct=5", "adkim=s", "x", "=", "rua=mailto:a@b"]
)
POLICIES = st.one_of(
    st.binary(max_size=200), st.lists(TAGS, max_size=6).map(lambda t: ("v=DMARC1;" + ";".join(t)).encode())
)


@given(st.binary(max_size=2000))
def test_any_octets_give_records(raw: bytes) -> None:
    assert isinstance(parse_spf(raw).error, str)
    parse_dmarc(raw)
    parse_dmarc(b"v=DMARC1;" + raw)
    parse_spf(b"v=spf1 " + raw)


@settings(max_examples=200, deadline=None)
@given(RECORDS, st.text(max_size=60), st.text(max_size=60), st.ip_addresses())
def test_any_policy_and_any_envelope_give_a_result(raw: bytes, ehlo: str, mail_from: str, ip: object) -> None:
    resolver = DictResolver({"example.org": {"TXT": [raw], "A": "192.0.2.1"}})
    for sender in (mail_from, mail_from + "@example.org"):
        result = asyncio.run(check_host(ip=str(ip), ehlo=ehlo, mail_from=sender, resolver=resolver))
        assert result.lookups <= 11
        assert result.explanation.isascii()
    assert len(resolver.asked) <= 60


@settings(max_examples=200, deadline=None)
@given(POLICIES, POLICIES, st.text(max_size=60), st.sampled_from(["pass", "fail", "temperror"]))
def test_any_records_and_any_author_give_a_result(own: bytes, above: bytes, author: str, word: str) -> None:
    zone = {"_dmarc.a.example.org": {"TXT": [own]}, "_dmarc.org": {"TXT": [above]}}
    for domain in (author, "a.example.org", author + ".example.org"):
        result = asyncio.run(evaluate(domain, ("example.org", word), None, resolver=DictResolver(zone)))
        assert result.disposition == "none" or result.result == "fail"
        assert len(result.walk) <= 8
        result.as_json()


@given(st.text(max_size=100))
def test_any_address_gives_an_iprev_result(ip: str) -> None:
    asyncio.run(check_iprev(ip, DictResolver()))


@given(st.text(max_size=100))
def test_names_are_askable_or_refused(text: str) -> None:
    name = to_ascii(text)
    assert name.isascii()
    if is_askable(name):
        assert 0 < len(name) <= 253


@given(st.text(max_size=60))
def test_macro_strings_are_read_whole_or_refused(text: str) -> None:
    spec = parse_macro_string(text, explanation=True)
    if isinstance(spec, MacroString) and "%" not in text:
        assert spec.literal == text


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 5)), max_size=200))
def test_the_cache_never_grows_and_never_lies(puts: list[tuple[int, int]]) -> None:
    cache: Generations[int, int] = Generations(20)
    for key, weight in puts:
        cache.put(key, key * 2, weight)
        assert cache.get(key) == key * 2
        assert len(cache) <= 2 * 20


def test_the_fuzzers_run() -> None:
    folder = str(Path(__file__).resolve().parents[2] / "fuzz")
    sys.path.insert(0, folder)
    try:
        import importlib

        import harness

        for name in ("spf", "dmarc"):
            fuzzer = importlib.import_module(name)
            assert harness.run(fuzzer.target, fuzzer.CORPUS, seed=7, runs=300) == 300
    finally:
        sys.path.remove(folder)
