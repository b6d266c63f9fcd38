"""Chains against TLSA records: RFC 7672 §3.1 and §3.2, RFC 7671 §5, line by line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certificates import Made
from gatepost.msgauth.tlsa import Tlsa, tlsa_data
from gatepost.msgauth.tlsa_chain import check_chain

NOW = 1_800_000_000.0
ROOT = Made(["root"], NOW, authority=True)
MIDDLE = Made(["middle"], NOW, by=ROOT, authority=True)
LEAF = Made(["mx.example.org"], NOW, by=MIDDLE)
DOMAIN_LEAF = Made(["example.org", "*.wild.example.org"], NOW, by=MIDDLE)
EXPIRED = Made(["mx.example.org"], NOW, by=MIDDLE, days=-1)
FUTURE = Made(["mx.example.org"], NOW, by=MIDDLE, days=200)
ALONE = Made(["other.example"], NOW)
NO_AUTHORITY = Made(["no"], NOW, by=ROOT)
BELOW_LEAF = Made(["mx.example.org"], NOW, by=NO_AUTHORITY)
OLD_MIDDLE = Made(["old"], NOW, by=ROOT, authority=True, days=-1)
BELOW_OLD = Made(["mx.example.org"], NOW, by=OLD_MIDDLE)
NAMES = ("mx.example.org", "example.org")


def record(usage: int, of: Made, selector: int = 1, matching_type: int = 1) -> Tlsa:
    data = tlsa_data(of.der, selector, matching_type)
    assert data is not None
    return Tlsa(usage, selector, matching_type, data)


KINDS = [(selector, matching) for selector in (0, 1) for matching in (0, 1, 2)]


@pytest.mark.parametrize(("selector", "matching"), KINDS)
def test_every_selector_and_matching_type(selector: int, matching: int) -> None:
    for usage, of in ((3, LEAF), (2, MIDDLE), (2, ROOT)):
        assert check_chain(LEAF.chain, [record(usage, of, selector, matching)], NAMES, NOW) == ""
        assert check_chain(LEAF.chain, [record(usage, ALONE, selector, matching)], NAMES, NOW)


@pytest.mark.parametrize(
    ("chain", "usage", "of", "expected"),
    [
        (LEAF.chain, 3, LEAF, ""),
        (EXPIRED.chain, 3, EXPIRED, ""),  # RFC 7672 §3.1.1: dates do not count
        (FUTURE.chain, 3, FUTURE, ""),
        (ALONE.chain, 3, ALONE, ""),  # nor the name, nor who issued it
        (LEAF.chain, 3, MIDDLE, "certificate-not-trusted"),  # usage 3 is the server's own
        (LEAF.chain, 2, LEAF, "certificate-not-trusted"),  # usage 2 is one above it
        (DOMAIN_LEAF.chain, 2, MIDDLE, ""),  # RFC 7672 §3.2.2: the next-hop domain does
        (ALONE.chain, 2, ALONE, "certificate-not-trusted"),
        (EXPIRED.chain, 2, MIDDLE, "certificate-expired"),
        (FUTURE.chain, 2, MIDDLE, "certificate-expired"),
        (LEAF.chain[:1], 2, MIDDLE, "certificate-not-trusted"),  # the authority was not shown
        (LEAF.chain[:2], 2, MIDDLE, ""),  # nobody above it is needed
        ((LEAF.der, ROOT.der), 2, ROOT, "certificate-not-trusted"),  # a link is missing
        ((LEAF.der, ROOT.der, MIDDLE.der), 2, ROOT, ""),  # in any order
        ((ALONE.der, *LEAF.chain), 2, MIDDLE, "certificate-host-mismatch"),  # shown, but not above the server's own
        (BELOW_LEAF.chain, 2, ROOT, "certificate-not-trusted"),  # issued by one that is no authority
        (BELOW_LEAF.chain, 2, NO_AUTHORITY, "certificate-not-trusted"),
        (BELOW_OLD.chain, 2, ROOT, "certificate-not-trusted"),  # an authority between has expired
        ((), 3, LEAF, "validation-failure"),
        ((b"nonsense",), 3, LEAF, "certificate-not-trusted"),
        ((b"nonsense", MIDDLE.der), 2, MIDDLE, "validation-failure"),
    ],
)
def test_usages(chain: tuple[bytes, ...], usage: int, of: Made, expected: str) -> None:
    assert check_chain(chain, [record(usage, of)], NAMES, NOW).partition(":")[0] == expected


@pytest.mark.parametrize(
    ("names", "fits"),
    [
        (("mx.example.org",), False),
        (("example.org",), True),
        (("EXAMPLE.org",), True),
        (("a.wild.example.org",), True),
        (("a.b.wild.example.org",), False),
        (("wild.example.org",), False),
        ((), False),
    ],
)
def test_names_with_usage_2(names: tuple[str, ...], fits: bool) -> None:
    answer = check_chain(DOMAIN_LEAF.chain, [record(2, MIDDLE)], names, NOW)
    assert (answer == "") is fits
    assert fits or answer.startswith("certificate-host-mismatch")


def test_the_whole_authority_in_the_record_need_not_be_shown() -> None:
    assert check_chain(LEAF.chain[:2], [record(2, ROOT, 0, 0)], NAMES, NOW) == ""
    assert check_chain(ALONE.chain, [record(2, ROOT, 0, 0)], ("other.example",), NOW)


def test_any_of_several_records_does_and_those_of_no_use_do_not() -> None:
    good = record(3, LEAF)
    assert check_chain(LEAF.chain, [record(3, ALONE), record(2, ALONE), good], NAMES, NOW) == ""
    for usage in (0, 1, 4, 255):
        assert check_chain(LEAF.chain, [Tlsa(usage, 1, 1, good.data)], NAMES, NOW)
    assert check_chain(LEAF.chain, [Tlsa(3, 2, 1, good.data)], NAMES, NOW)
    assert check_chain(LEAF.chain, [Tlsa(3, 1, 1, good.data[:31])], NAMES, NOW)
    assert check_chain(LEAF.chain, [], NAMES, NOW)


@given(st.lists(st.binary(max_size=60), max_size=4), st.binary(max_size=40), st.text(max_size=20))
def test_any_octets_give_an_answer(chain: list[bytes], data: bytes, name: str) -> None:
    for matching in (0, 1, 2):
        assert check_chain(chain, [Tlsa(2, 0, matching, data), Tlsa(3, 1, matching, data)], (name,), NOW)
        assert check_chain([LEAF.der, *chain], [Tlsa(2, 0, matching, data)], (name,), NOW)
