"""An answer is no listing until it was read: only what a list can say counts, all else makes the list suspect."""

from __future__ import annotations

import pytest

from gatepost.ports import Answer, DnsStatus, Question, Record
from gatepost.reputation.answers import Outcome, Reading, read_answer
from gatepost.reputation.known import resolve_lists
from gatepost.reputation.settings import DnsListSettings, ListsSettings

OWN = {"own": DnsListSettings(kind="ip", zone="bl.example", weight=1.5)}
LISTS = {
    one.name: one for one in resolve_lists(ListsSettings(use=("zen", "dbl", "surbl", "uribl", "dnswl", "own"), dns=OWN))
}


def read(listed: str, *records: Record, status: DnsStatus = DnsStatus.OK) -> Reading:
    return read_answer(LISTS[listed], Answer(question=Question("x", "A"), status=status, records=records))


def test_codes() -> None:
    reading = read("zen", "127.0.0.2", "127.0.0.4")
    assert reading.outcome is Outcome.LISTED
    assert reading.codes == ("127.0.0.2", "127.0.0.4")
    assert [meaning.weight for meaning in reading.meanings] == [3.5, 3.0]
    assert read("dnswl", "127.0.10.3").meanings[0].weight == -2.5
    assert read("own", "127.0.0.77").meanings[0].weight == 1.5


def test_bits() -> None:
    assert [meaning.text for meaning in read("surbl", "127.0.0.80").meanings] == [
        "a site that spreads malware",
        "a site advertised in spam",
    ]
    assert read("surbl", "127.0.0.2").outcome is Outcome.CLEAR  # a bit that is not described


def test_no_record_is_no_listing_and_no_answer_is_nothing() -> None:
    assert read("zen", status=DnsStatus.NXDOMAIN).outcome is Outcome.CLEAR
    assert read("zen", status=DnsStatus.NODATA).outcome is Outcome.CLEAR
    assert read("zen", status=DnsStatus.TEMPFAIL).outcome is Outcome.UNKNOWN
    assert read("zen", "127.0.0.99").outcome is Outcome.CLEAR


@pytest.mark.parametrize(
    ("listed", "record"),
    [
        ("zen", "127.255.255.252"),
        ("zen", "127.255.255.254"),  # TRAPS: block list through a public resolver
        ("zen", "127.255.255.255"),
        ("zen", "127.255.255.1"),
        ("own", "127.255.255.254"),
        ("own", "127.0.0.1"),
        ("zen", "192.0.2.1"),  # a parked domain, or a resolver that makes names up
        ("zen", "0.0.0.0"),
        ("dbl", "127.0.1.255"),
        ("uribl", "127.0.0.1"),
        ("surbl", "127.0.0.1"),
        ("dnswl", "127.0.0.255"),
        ("zen", "garbage"),
        ("zen", b"\x00"),
    ],
)
def test_errors_of_use_are_no_listings(listed: str, record: Record) -> None:
    reading = read(listed, record)
    assert reading.outcome is Outcome.MISUSED
    assert not reading.meanings
    assert reading.reason


def test_one_error_spoils_the_whole_answer() -> None:
    assert read("zen", "127.0.0.2", "127.255.255.254").outcome is Outcome.MISUSED
