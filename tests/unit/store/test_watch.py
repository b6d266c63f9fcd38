"""What would have been stopped: kept one by one within bounds, counted exactly, never in mail's way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.errors import StoreError
from gatepost.store.settings import WatchSettings
from gatepost.store.watch import Tally, Watch, WatchWriter, WouldHave

DAY = 86400.0
NOW = 20_000 * DAY + 50


def hit(at: float = NOW, **more: str) -> WouldHave:
    return WouldHave(**{"check": "list.zen", "mode": "watch", "action": "weigh", **more}, at=at)


@pytest.fixture
def watch(tmp_path: Path) -> Iterator[Watch]:
    opened = Watch.open(tmp_path, WatchSettings(keep_days=7, max_rows=3))
    yield opened
    opened.close()


def test_a_hit_comes_back_whole(watch: Watch) -> None:
    noted = hit(client_ip="192.0.2.1", message_id="abc", session="7", subject="192.0.2.1", reason="a botnet\udcff")
    watch.keep([noted, hit(NOW + 1, subject="x" * 1000)])
    newest, oldest = watch.rows()
    assert len(newest.subject) == 300
    assert oldest == hit(client_ip="192.0.2.1", message_id="abc", session="7", subject="192.0.2.1", reason="a botnet?")
    assert watch.rows(since=NOW + 1) == [newest]


def test_a_flood_pushes_rows_out_but_is_counted(watch: Watch) -> None:
    watch.keep([hit(NOW + n) for n in range(10)])
    watch.keep([hit(NOW + 10, mode="on")])
    assert [row.at for row in watch.rows()] == [NOW + 10, NOW + 9, NOW + 8]
    assert watch.tallies() == [
        Tally(day=20_000, check="list.zen", mode="on", action="weigh", hits=1),
        Tally(day=20_000, check="list.zen", mode="watch", action="weigh", hits=10),
    ]


def test_age(watch: Watch) -> None:
    watch.keep([hit(NOW - 8 * DAY), hit()])
    assert watch.prune(NOW) == 1
    assert watch.prune(NOW) == 0
    assert [tally.day for tally in watch.tallies()] == [20_000]
    assert [tally.hits for tally in watch.tallies(since=NOW + DAY)] == []


def test_the_writer_gathers_and_waits_for_a_damaged_file_to_go(tmp_path: Path) -> None:
    damaged = tmp_path / "watch.db"
    damaged.write_bytes(b"no database" * 1000)
    told: list[tuple[StoreError | None, int]] = []
    writer = WatchWriter(Watch.open_sometime(tmp_path), lambda error, lost: told.append((error, lost)))
    writer.note(hit())
    writer.close()
    assert [(isinstance(error, StoreError), lost) for error, lost in told] == [(True, 1)]
    assert writer.lost == 1
    late = Watch.open_sometime(tmp_path)
    damaged.unlink()
    writer = WatchWriter(late)
    writer.note(hit())
    writer.close()
    watch = Watch.open(tmp_path)
    assert watch.rows() == [hit()]
    watch.close()
