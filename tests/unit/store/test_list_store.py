"""Own entries, the lists' health and our own standing: kept, replaced, seen by other processes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.errors import InputError
from gatepost.store import lists
from gatepost.store.backup import backup
from gatepost.store.lists import ListStore, OwnListing, StoredEntry, StoredHealth
from gatepost.store.restore import restore

NOW = 1_790_000_000.0
ENTRY = StoredEntry(
    kind="domain",
    value="evil.example",
    verdict="block",
    expires=NOW + 5,
    comment="a nuisance",
    added_at=NOW,
    added_by="ann",
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[ListStore]:
    opened = ListStore.open(tmp_path)
    yield opened
    opened.close()


def test_entries_come_and_go(store: ListStore) -> None:
    assert store.add(ENTRY) is None
    allowed = StoredEntry(kind="domain", value="evil.example", verdict="allow")
    assert store.add(allowed) == ENTRY
    assert store.entries() == [allowed]
    assert store.remove("domain", "evil.example") == allowed
    with pytest.raises(InputError, match="on no list here"):
        store.remove("domain", "evil.example")


def test_entries_over_their_time_are_deleted(store: ListStore) -> None:
    store.add(ENTRY)
    assert store.prune(NOW) == 0
    assert store.prune(NOW + 5) == 1
    assert store.entries() == []


def test_there_is_a_bound(store: ListStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MAX_ENTRIES", 1)
    store.add(ENTRY)
    store.add(ENTRY)
    with pytest.raises(InputError, match="at most"):
        store.add(StoredEntry(kind="domain", value="other.example", verdict="block"))


def test_another_process_sees_a_change(store: ListStore, tmp_path: Path) -> None:
    other = ListStore.open(tmp_path)
    before = other.changed()
    assert other.changed() == before
    store.add(ENTRY)
    assert other.changed() != before
    assert other.entries() == [ENTRY]
    other.close()


def test_health_is_replaced(store: ListStore) -> None:
    store.keep_health([StoredHealth(name="zen", condition="well", since=NOW)])
    sick = [StoredHealth(name="dbl", condition="sick", since=NOW, reason="silent")]
    store.keep_health(sick)
    assert store.health() == sick


def test_own_listings_keep_their_time_and_those_of_silent_lists_stay(store: ListStore) -> None:
    zen = OwnListing(name="zen", subject="192.0.2.1", says="spam", since=NOW)
    dbl = OwnListing(name="dbl", subject="example.org", says="spam", since=NOW)
    assert store.keep_own([zen, dbl], ["zen", "dbl"]) == ([zen, dbl], [])
    again = OwnListing(name="zen", subject="192.0.2.1", says="spam", since=NOW + 3600)
    assert store.keep_own([again], ["zen"]) == ([], [])
    assert store.own() == [dbl, zen]
    assert store.keep_own([], ["zen", "dbl"]) == ([], [dbl, zen])
    assert store.own() == []


def test_a_backup_brings_entries_back(store: ListStore, tmp_path: Path) -> None:
    store.add(ENTRY)
    archive = tmp_path.parent / f"{tmp_path.name}.tar"
    backup(tmp_path, archive, NOW)
    restored = tmp_path.parent / f"{tmp_path.name}-restored"
    restore(archive, restored)
    again = ListStore.open(restored)
    assert again.entries() == [ENTRY]
    again.close()
