"""What the classifier reads: looked for by signs, found as by the plain patterns."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from gatepost.inspector.classifier.glance import count_letters, names_money
from gatepost.inspector.classifier.texts import read_texts
from gatepost.message.message import parse_message
from gatepost.sandbox.passwords import find_passwords

LINK = re.compile(
    r"\b(?:https?|ftp)://[^\s<>\"'\])},]{3,500}|\bwww\.[\w.-]{4,100}[^\s<>\"'\])},]{0,300}", re.IGNORECASE
)
ADDRESS = re.compile(r"\S{1,64}@\S{1,255}")
SUM = re.compile(r"[$€£]\s?\d|\d\s?[$€£]|\b(?:usd|eur|gbp)\b", re.IGNORECASE)
PIECES = st.sampled_from(
    ["http://a.example/x", "HTTPS://b", "ftp://", "www.c.example/y", "xwww.d", "://", "a@b", "@", "x" * 70 + "@y",
     " ", "  ", "5", "$", "€ ", "USD", "eur", "usde", "_gbp", "Über", "ß", "Σ", ")", "word"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=30).map("".join)


@settings(max_examples=200, deadline=None)
@given(TEXTS)
def test_links_and_addresses_are_taken_out_as_by_their_patterns(text: str) -> None:
    read = read_texts(parse_message(b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + text.encode()), None)
    assert read.text == ADDRESS.sub(" ", LINK.sub(" ", text))
    assert len(read.links) <= len(LINK.findall(text))


@settings(max_examples=200, deadline=None)
@given(TEXTS | st.text(max_size=60))
def test_letters_and_sums_are_found_as_by_looking_at_each_character(text: str) -> None:
    assert count_letters(text) == (sum(map(str.isalpha, text)), sum(map(str.isupper, text)))
    if "ſ" not in text:  # which a pattern takes for s
        assert names_money(text) == bool(SUM.search(text))


def test_passwords_are_found_by_any_of_their_words_in_any_case() -> None:
    texts = ["PASSWORD: one", "das Kennwort lautet zwei", "Mot\nde  passe : trois", "paſſword four", "the pin is five"]
    found = find_passwords(texts)
    assert {"one", "zwei", "trois", "four", "five"} <= set(found)
    assert "six" not in find_passwords(["the motor has a remote: six"])
