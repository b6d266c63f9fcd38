"""What was learnt: each message counts once, moves, ages, is forgotten with all it added; workers see it at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gatepost.errors import InputError
from gatepost.ports.memory import Learned
from gatepost.store.learned import DAY, LearnedStore
from gatepost.store.settings import LearnedSettings

NOW = 1_790_000_000.0
WORDS = ("free", "s:pills", "l:count-1")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LearnedStore]:
    opened = LearnedStore(tmp_path, LearnedSettings(max_messages=3, days=10))
    yield opened
    opened.close()


def recall(store: LearnedStore, features: Sequence[str] = WORDS) -> Learned:
    return asyncio.run(store.recall(features))


def test_nothing_is_known_before_anything_was_learnt(store: LearnedStore) -> None:
    assert recall(store) == Learned()
    assert store.status().messages == (0, 0, 0)
    assert not store.path.exists(), "reading creates no file"


def test_another_process_knows_at_once(store: LearnedStore, tmp_path: Path) -> None:
    worker = LearnedStore(tmp_path)
    assert store.learn(b"1", "spam", WORDS, NOW)
    assert recall(worker, ["free", "unknown"]) == Learned(messages=(0, 1, 0), counts={"free": (0, 1, 0)})
    assert store.learn(b"2", "ham", ["free"], NOW)
    assert recall(worker, ["free"]) == Learned(messages=(1, 1, 0), counts={"free": (1, 1, 0)})
    worker.close()


def test_the_same_message_counts_once_and_moves_with_its_label(store: LearnedStore) -> None:
    assert store.learn(b"1", "spam", WORDS, NOW)
    assert not store.learn(b"1", "spam", WORDS, NOW + 1)
    assert recall(store).messages == (0, 1, 0)
    assert store.learn(b"1", "ham", WORDS, NOW + 2)
    assert recall(store) == Learned(messages=(1, 0, 0), counts=dict.fromkeys(WORDS, (1, 0, 0)))
    assert store.label_of(b"1") == "ham"


def test_what_is_forgotten_leaves_nothing_behind(store: LearnedStore) -> None:
    store.learn(b"1", "spam", WORDS, NOW)
    store.learn(b"2", "phish", ["free"], NOW)
    assert store.forget(b"1")
    assert not store.forget(b"1")
    assert recall(store) == Learned(messages=(0, 0, 1), counts={"free": (0, 0, 1)})
    assert store.forget_all() == 1
    assert recall(store) == Learned()
    assert store.status().features == 0


def test_the_oldest_give_way_and_age_ends_all(store: LearnedStore) -> None:
    for number in range(5):
        store.learn(bytes([number]), "spam", [f"w{number}", "free"], NOW + number)
    assert recall(store, ["w0", "w1", "w2", "free"]) == Learned(
        messages=(0, 3, 0), counts={"w2": (0, 1, 0), "free": (0, 3, 0)}
    )
    assert store.prune(NOW + 11 * DAY) == 3
    assert recall(store) == Learned()


def test_a_label_that_is_none_and_a_damaged_file(store: LearnedStore, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="ham, spam, phish"):
        store.learn(b"1", "junk", WORDS, NOW)
    (tmp_path / "learned.db").write_bytes(b"no database" * 500)
    assert recall(store) == Learned(), "mail does not wait for it"
