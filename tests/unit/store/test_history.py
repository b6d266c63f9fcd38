"""The history: who wrote is known again, what our people answered too; age and size are bounded."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.errors import StoreError
from gatepost.ports import Acquaintance, History
from gatepost.store.backup import backup
from gatepost.store.history import HistoryWriter, Received, SenderHistory, Sent
from gatepost.store.restore import restore
from gatepost.store.settings import HistorySettings

NOW = 1_790_000_000.0
DAY = 86400.0
BOB, ANN, CARL = "bob@example.net", "ann@gate.example", "carl@gate.example"


@pytest.fixture
def history(tmp_path: Path) -> Iterator[SenderHistory]:
    opened = SenderHistory(tmp_path)
    yield opened
    opened.close()


def received(at: float = NOW, author: str = BOB, recipients: tuple[str, ...] = (ANN,), number: int = 1) -> Received:
    return Received(author=author, recipients=recipients, message_id=f"<{number}@example.net>", at=at)


def ask(history: History, author: str = BOB, *recipients: str, references: tuple[str, ...] = ()) -> Acquaintance:
    return asyncio.run(history.lookup(author, recipients or (ANN, CARL), references))


def test_who_wrote_is_known_again(history: SenderHistory) -> None:
    history.keep([received(), received(NOW + DAY, number=2), received(NOW + DAY, "eve@example.net", (CARL,), 3)])
    known = ask(history, "Bob@Example.NET.", "ANN@gate.example", CARL, references=("<2@example.net>", "<9@x>"))
    assert (known.first_seen, known.messages) == (NOW, 2)
    assert (known.domain_first_seen, known.domain_messages) == (NOW, 3)
    assert known.by_recipient == {"ANN@gate.example": 2, CARL: 0}
    assert known.known_references == {"<2@example.net>"}
    assert (known.since, known.sent_since) == (NOW, None)
    assert (known.day, known.day_messages) == (int((NOW + DAY) // DAY), 1)


def test_what_our_people_wrote_is_known(history: SenderHistory) -> None:
    history.keep([Sent(sender=ANN, recipients=(BOB, "x@y.example"), message_id="<out@gate.example>", at=NOW)])
    known = ask(history, references=("<out@gate.example>",))
    assert known.replied == {ANN}
    assert known.by_recipient == {ANN: 0, CARL: 0}
    assert known.messages == 0
    assert known.known_references == {"<out@gate.example>"}
    assert known.sent_since == NOW


def test_an_empty_history_knows_nobody_and_makes_no_file(history: SenderHistory, tmp_path: Path) -> None:
    assert ask(history) == Acquaintance()
    assert history.prune(NOW) == 0
    assert not list(tmp_path.iterdir())


def test_a_damaged_history_is_told_and_begins_anew_once_moved_away(history: SenderHistory, tmp_path: Path) -> None:
    (tmp_path / "history.db").write_bytes(b"no database at all" * 400)
    assert ask(history) == Acquaintance()
    with pytest.raises(StoreError, match=r"history\.db"):
        history.keep([received()])
    (tmp_path / "history.db").unlink()
    history.keep([received()])
    assert ask(history).messages == 1


def test_damage_while_it_is_open_is_let_go_of(history: SenderHistory, tmp_path: Path) -> None:
    history.keep([received(number=n, author=f"a{n}@example.net") for n in range(200)])
    for path in tmp_path.glob("history.db*"):
        path.write_bytes(b"\xff" * path.stat().st_size)
    with pytest.raises(StoreError):
        history.keep([received(number=n, author=f"b{n}@example.com") for n in range(50)])
    for path in tmp_path.glob("history.db*"):
        path.unlink()
    history.keep([received()])
    assert ask(history).messages == 1


def test_a_schema_of_another_version_is_not_read(history: SenderHistory, tmp_path: Path) -> None:
    history.keep([received()])
    history.close()
    with sqlite3.connect(tmp_path / "history.db") as connection:
        connection.execute("PRAGMA user_version=99")
    assert ask(history) == Acquaintance()


def test_a_writer_at_work_holds_up_no_reader(history: SenderHistory, tmp_path: Path) -> None:
    history.keep([received()])
    other = sqlite3.connect(tmp_path / "history.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE author SET messages = 99")
    assert ask(history).messages == 1
    other.execute("COMMIT")
    other.close()
    assert ask(history).messages == 99


def test_old_rows_and_too_many_rows_go(tmp_path: Path) -> None:
    history = SenderHistory(tmp_path, HistorySettings(days=100, reference_days=10, max_rows=20))
    history.keep([received(NOW - 200 * DAY, "old@example.com"), received(NOW - 50 * DAY, number=2)])
    assert history.prune(NOW) == 2 + 3  # two message ids; the old author, his domain and his pair
    assert ask(history, "old@example.com").messages == 0
    assert ask(history).messages == 1
    assert ask(history, references=("<2@example.net>",)).known_references == frozenset()
    history.keep([received(NOW + n, f"a{n}@example.net", number=n) for n in range(50)])
    assert history.prune(NOW) == 31 + 31 + 30  # authors, pairs, ids: 20 of each stay
    assert ask(history, "a49@example.net").messages == 1
    assert ask(history, "a5@example.net").messages == 0
    assert history.prune(NOW) == 0
    history.close()


@pytest.mark.parametrize("author", ["", "nobody", "@", "a@", "@b", "x" * 400 + "@y.example", "\udcff@\udcff", "a\0@b"])
def test_odd_addresses_do_no_harm(history: SenderHistory, author: str) -> None:
    history.keep([received(author=author, recipients=(author, ANN)), Sent(sender=author, recipients=(author,), at=NOW)])
    assert ask(history, author, author, references=("", "<>", "\udcff")).messages in (0, 1)


def test_many_recipients_and_references_are_bounded(history: SenderHistory) -> None:
    history.keep([received(recipients=tuple(f"r{n}@gate.example" for n in range(500)))])
    known = ask(
        history, BOB, *(f"r{n}@gate.example" for n in range(500)), references=tuple(f"<{n}@z>" for n in range(999))
    )
    assert len(known.by_recipient) == 100
    assert sum(known.by_recipient.values()) == 100


def test_the_writer_writes_what_waits_and_tells_of_trouble(tmp_path: Path) -> None:
    told: list[tuple[bool, int]] = []
    history = SenderHistory(tmp_path / "h")
    (tmp_path / "h").write_bytes(b"in the way of the folder")
    writer = HistoryWriter(history, lambda error, lost: told.append((error is not None, lost)))
    writer.note_received(BOB, [ANN], "<1@x>", NOW)
    writer.close()
    assert told == [(True, 1)]
    (tmp_path / "h").unlink()
    writer = HistoryWriter(history)
    writer.note_received(BOB, [ANN], "<1@x>", NOW)
    writer.note_received(BOB, [], "<2@x>", NOW)  # nobody got it
    writer.note_sent(ANN, [BOB], "<3@x>", NOW)
    writer.close()
    known = ask(history, references=("<2@x>", "<3@x>"))
    assert (known.messages, known.replied, known.known_references) == (1, {ANN}, {"<3@x>"})
    history.close()


def test_several_processes_may_write(tmp_path: Path) -> None:
    several = [SenderHistory(tmp_path) for _ in range(3)]
    writers = [HistoryWriter(each) for each in several]
    for number in range(60):
        writers[number % 3].note_received(BOB, [ANN], f"<{number}@x>", NOW)
    for writer in writers:
        writer.close()
    assert ask(several[0]).messages == 60
    for each in several:
        each.close()


def test_a_backup_brings_it_back(history: SenderHistory, tmp_path: Path) -> None:
    store = tmp_path / "store"
    kept = SenderHistory(store)
    kept.keep([received()])
    backup(store, tmp_path / "archive.tar", NOW)
    kept.close()
    restore(tmp_path / "archive.tar", tmp_path / "again")
    again = SenderHistory(tmp_path / "again")
    assert ask(again).messages == 1
    again.close()
