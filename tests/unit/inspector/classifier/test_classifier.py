"""The classifier: features are bounded, training is reproducible, scores are sensible, lessons count."""

from __future__ import annotations

import asyncio
import random
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import letters_of_today as letters
from gatepost.inspector.classifier.model import Model, Opinion, weigh
from gatepost.inspector.classifier.start import FILE, read_model, start_model
from gatepost.inspector.classifier.tokens import MAX_FEATURES, message_features
from gatepost.inspector.classifier.train import Sample, train, write_model
from gatepost.inspector.rules.classifier import LEVELS
from gatepost.message.message import parse_message
from gatepost.ports.memory import Learned
from gatepost.server.learning import learn
from gatepost.store.learned import LearnedStore

MAX_MODEL = 1_500_000  # octets


def features(raw: bytes) -> tuple[str, ...]:
    return message_features(parse_message(raw)).names


def opinion(raw: bytes, learned: Learned | None = None) -> Opinion:
    return weigh(features(raw), start_model(), learned)


@given(st.binary(max_size=2000))
@settings(max_examples=200, deadline=None)
def test_any_octets_have_bounded_features(raw: bytes) -> None:
    for octets in (raw, b"Content-Type: text/html\n\n" + raw, b"Subject: " + raw):
        found = message_features(parse_message(octets))
        assert len(found.names) <= MAX_FEATURES
        assert all("\n" not in name and "\t" not in name for name in found.names)


@pytest.mark.parametrize(
    "body",
    ["<" * 300_000, "<!--" * 80_000, "<style>" * 40_000, "(" * 200_000, "_" * 200_000 + "\n", "a@" * 100_000,
     "=\n" * 100_000, "http://" * 30_000, "<a href=" * 30_000, "-\n" * 100_000 + "-" * 30 + "\n", "[.]" * 90_000],
)  # fmt: skip
def test_hostile_text_costs_little(body: str) -> None:
    """Quadratic reading of these would run into the tests' time limit."""
    for kind in ("plain", "html"):
        features(f"Content-Type: text/{kind}\n\n{body}".encode())


def sample_set() -> list[Sample]:
    source = random.Random(1)
    words = [f"word{chr(97 + n)}" for n in range(20)]
    return [
        Sample(label=source.choice(("ham", "spam", "phish")), group=n // 2, features=tuple(source.sample(words, 6)))
        for n in range(60)
    ]


def test_the_same_samples_in_any_order_make_the_same_model() -> None:
    samples = sample_set()
    text = write_model(train(samples))
    random.Random(2).shuffle(samples)
    assert write_model(train(samples)) == text
    assert write_model(read_model(text)) == text


def test_what_stands_in_copies_of_one_message_only_is_left_out() -> None:
    pair = [Sample(label="spam", group=1, features=("only", "both"))] * 2
    model = train([*pair, Sample(label="spam", group=2, features=("both",)), Sample(label="ham", group=3, features=())])
    assert set(model.counts) == {"both"}
    assert model.messages == (1, 3, 0)


def test_people_and_tools_of_the_collection_are_left_out() -> None:
    names = ("n:justin", "spamassassin", "use_razor", "s:exmh", "n:walter", "l:path-listinfo", "click_here", "m:pdf")
    ham = [Sample(label="ham", group=n, features=(*names, "weather")) for n in range(3)]
    spam = [Sample(label="spam", group=n + 9, features=("n:lottery", "n:walter")) for n in range(2)]
    assert set(train([*ham, *spam]).counts) == {"weather", "n:lottery"}


def test_the_shipped_model_is_small_and_in_its_own_form() -> None:
    text = files("gatepost.inspector.classifier").joinpath(FILE).read_text("utf-8")
    assert len(text.encode()) < MAX_MODEL
    assert write_model(read_model(text)) == text


def test_seldom_features_are_believed_little() -> None:
    model = Model(messages=(100, 100, 100), counts={"often": (0, 50, 0), "once": (0, 1, 0)})
    assert model.odds["often"][0] > model.odds["once"][0] > 0 == model.odds["often"][1]
    assert weigh((), model).score == 0.0
    assert weigh(("unknown",), model).against == ()


SPAM = (
    b"From: MILLIONS <winner9981@mail.example>\nSubject: EARN $5000 a week FROM HOME!!! guaranteed income\n\n"
    b"You have been selected! Make money fast with this amazing opportunity. No experience required, no risk, 100% "
    b"money back guarantee. Order now and start earning extra cash from home. Financial freedom can be yours, this is "
    b"not a scam. Limited time offer, act now! Lose weight, save on your mortgage, lowest rates. To be removed from "
    b"our mailing list reply with remove in the subject. Thousands of people are making money every day, toll free.\n"
)


def test_plain_spam_is_like_spam_and_says_why() -> None:
    found = opinion(SPAM)
    assert found.kind == "spam"
    assert found.score >= LEVELS[0][0]
    assert len(found.against) > 3


@pytest.mark.parametrize("number", range(len(letters.LETTERS)))
def test_an_ordinary_letter_of_today_is_not_tagged(number: int) -> None:
    for raw in (letters.plain(number), letters.rich(number)):
        assert opinion(raw).score < LEVELS[0][0]


def test_a_lesson_of_this_place_outweighs_the_start_model() -> None:
    names = features(SPAM)
    ham = Learned(messages=(3, 0, 0), counts=dict.fromkeys(names, (3, 0, 0)))
    assert opinion(SPAM, ham).score < opinion(SPAM).score
    letter = letters.plain(0)
    spam = Learned(messages=(0, 1, 0), counts=dict.fromkeys(features(letter), (0, 1, 0)))
    taught = opinion(letter, spam)
    assert taught.learned
    assert taught.score > opinion(letter).score + 1
    assert opinion(letter, Learned()) == opinion(letter)


def test_lessons_of_one_side_count_for_copies_only(tmp_path: Path) -> None:
    """Who only ever teaches spam must not find all ordinary mail in Junk."""
    store = LearnedStore(tmp_path)
    source = random.Random(3)
    words = sorted({word for _, _, text in letters.LETTERS[12:] for word in text.split()})
    for number in range(60):
        body = " ".join(source.choices(words, k=120)) + " unsubscribe here"
        learn(store, f"Subject: {source.choice(words)}\nMessage-ID: <{number}>\n\n{body}\n".encode(), "spam", 1.0)
    for number in range(12):
        raw = letters.rich(number)
        assert weigh(features(raw), start_model(), asyncio.run(store.recall(features(raw)))) == opinion(raw)
    learn(store, letters.plain(0), "spam", 1.0)
    again = letters.plain(0).replace(b"Thursday", b"Friday")
    assert weigh(features(again), start_model(), asyncio.run(store.recall(features(again)))).score > LEVELS[0][0]
    store.close()
