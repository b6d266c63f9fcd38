"""The memory of greylisting: waits, passes, forgets, and stays small."""

from __future__ import annotations

from pathlib import Path

from gatepost.store.backup import backup
from gatepost.store.bans import Ban, Bans
from gatepost.store.greylist import Greylist
from gatepost.store.restore import restore

NOW = 1_790_000_000.0


def memory(folder: Path, max_rows: int = 1000) -> Greylist:
    return Greylist.open(folder, delay=300, retry_window=3600, keep=100_000, max_rows=max_rows)


def test_who_comes_again_in_time_is_known_for_long(tmp_path: Path) -> None:
    grey = memory(tmp_path)
    assert grey.ask((b"a",), NOW) == 300
    assert grey.ask((b"a",), NOW + 100) == 200
    assert grey.ask((b"a", b"b"), NOW + 300) == 300  # one of two recipients is new
    assert grey.ask((b"a",), NOW + 300) == 0
    assert grey.ask((b"a",), NOW + 90_000) == 0
    assert grey.ask((b"a",), NOW + 189_000) == 0  # each mail counts anew
    assert grey.ask((b"a",), NOW + 300_000) == 300
    assert grey.ask((), NOW) == 0
    grey.close()


def test_who_comes_too_late_is_a_stranger_anew_and_a_restart_forgets_nothing(tmp_path: Path) -> None:
    grey = memory(tmp_path)
    assert grey.ask((b"a",), NOW) == 300
    assert grey.ask((b"a",), NOW + 3601) == 300
    grey.close()
    grey = memory(tmp_path)
    assert grey.ask((b"a",), NOW + 3901) == 0
    assert grey.ask((b"a",), NOW - 1e6) == 300  # the clock was set back: nobody waits for years
    grey.prove("a.example", NOW)
    assert grey.was_proven("a.example", NOW + 99_999)
    assert not grey.was_proven("a.example", NOW + 100_001)
    assert not grey.was_proven("b.example", NOW)
    grey.close()


def test_the_memory_is_bounded(tmp_path: Path) -> None:
    grey = memory(tmp_path, max_rows=1000)
    for turn in range(3001):
        grey.ask((b"%d" % turn, b"x%d" % turn), NOW + turn / 100)
    rows = grey._connection.execute("SELECT count(*) FROM seen").fetchone()[0]
    assert rows <= 3000  # the bound, and what came since the last clearing
    grey.close()


def test_a_backup_knows_bans_and_greylist(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    bans, grey = Bans.open(folder), memory(folder)
    bans.add(Ban(network="192.0.2.1/32", reason="x", since=NOW, by_hand=True))
    grey.ask((b"a",), NOW)
    backup(folder, tmp_path / "a.tar", NOW)
    bans.close()
    grey.close()
    restore(tmp_path / "a.tar", tmp_path / "back")
    bans, grey = Bans.open(tmp_path / "back"), memory(tmp_path / "back")
    assert [ban.network for ban in bans.in_force(NOW)] == ["192.0.2.1/32"]
    assert grey.ask((b"a",), NOW + 300) == 0
    bans.close()
    grey.close()
