"""Lists, whatever strangers write and whatever servers answer: a value or one of our errors, and never a listing out of
nonsense."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import InputError
from gatepost.ports import Answer, DnsStatus, Question
from gatepost.reputation.answers import Outcome, read_answer
from gatepost.reputation.known import KNOWN, resolve_lists
from gatepost.reputation.local import EntryKind, LocalEntry, LocalLists, Verdict, parse_value
from gatepost.reputation.questions import Subject, SubjectKind, question_name
from gatepost.reputation.settings import ListsSettings

LISTS = resolve_lists(ListsSettings(use=tuple(KNOWN), spamhaus_key="key"))
ADDRESSES = st.ip_addresses().map(str)
RECORDS = st.lists(st.one_of(ADDRESSES, st.text(max_size=50), st.binary(max_size=20)), max_size=5)
URLISH = st.text(alphabet="ahtps:/@.[]%?#\\0127é-", max_size=60)


@given(st.sampled_from(LISTS), st.sampled_from(list(DnsStatus)), RECORDS)
def test_only_answers_in_127_8_are_listings(one: object, status: DnsStatus, records: list[str | bytes]) -> None:
    answer = Answer(question=Question("x", "A"), status=status, records=tuple(records))
    reading = read_answer(one, answer)  # type: ignore[arg-type]
    if reading.outcome is Outcome.LISTED:
        assert status is DnsStatus.OK
        assert all(isinstance(record, str) and record.startswith("127.") for record in records)
        assert not any(str(record).startswith("127.255.255.") for record in records)
        assert reading.meanings


@given(st.sampled_from(LISTS), st.sampled_from(list(SubjectKind)), st.one_of(st.text(), ADDRESSES, URLISH))
def test_questions_are_names_that_can_exist(one: object, kind: SubjectKind, value: str) -> None:
    name = question_name(one, Subject(kind=kind, value=value, where="x"))  # type: ignore[arg-type]
    if name is not None:
        assert name.isascii()
        assert len(name) <= 253
        assert all(0 < len(label) < 64 for label in name.split("."))


@given(st.one_of(st.text(), URLISH, ADDRESSES))
def test_an_entry_matches_itself_and_comes_back_the_same(text: str) -> None:
    try:
        kind, value = parse_value(text)
    except InputError:
        return
    written = f"https://{value}" if kind is EntryKind.URL else value
    if "%" not in written and "?" not in written and "#" not in written and "\\" not in written:
        assert parse_value(written) == (kind, value)
    lists = LocalLists([LocalEntry(verdict=Verdict.BLOCK, kind=kind, value=value)])
    found = {
        EntryKind.ADDRESS: lists.address(value, 0.0),
        EntryKind.NETWORK: lists.address(value.partition("/")[0], 0.0),
        EntryKind.DOMAIN: lists.domain(value, 0.0),
        EntryKind.SENDER: lists.sender(value, 0.0),
        EntryKind.URL: lists.url(text, 0.0),
    }
    assert found[kind] is not None


@given(st.text(), URLISH)
def test_looking_up_never_fails(text: str, url: str) -> None:
    lists = LocalLists([LocalEntry(verdict=Verdict.BLOCK, kind=EntryKind.DOMAIN, value="evil.example")])
    for look in (lists.address, lists.domain, lists.sender, lists.url):
        look(text, 0.0)
        look(url, 0.0)
