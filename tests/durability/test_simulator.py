"""The simulator's own tests: the rules of losing power, one by one, and the reading of strace's log."""

from __future__ import annotations

from pathlib import Path

import pytest
from disk import KEPT, LOST, NAMES_ONLY, OCTETS_ONLY, Cut, Disk, after_cut, torn
from syscalls import parse_calls

ROOT = Path("/d")


def play(*lines: str) -> Disk:
    """The disk after these calls, written short: 'pwrite64 5 0 abc', 'open 5 a', 'rename a b'."""
    disk = Disk(ROOT)
    for at, call in enumerate(parse_calls([strace_line(line) for line in lines])):
        disk.apply(call, at)
    return disk


def strace_line(line: str) -> str:
    def octets(text: str) -> str:
        return '"' + "".join(f"\\x{octet:02x}" for octet in text.encode()) + '"'

    name, *rest = line.split(" ")
    if name == "open":
        path = f"/d/{rest[1]}" if rest[1] != "." else "/d"
        flags = "O_RDONLY|O_DIRECTORY" if rest[1] == "." else "O_RDWR|O_CREAT"
        return f"1 openat(AT_FDCWD, {octets(path)}, {flags}, 0600) = {rest[0]}"
    if name == "pwrite64":
        return f"1 pwrite64({rest[0]}, {octets(rest[2])}, {len(rest[2])}, {rest[1]}) = {len(rest[2])}"
    if name == "write":
        return f"1 write({rest[0]}, {octets(rest[1])}, {len(rest[1])}) = {len(rest[1])}"
    if name in ("rename", "link"):
        return f"1 {name}({octets('/d/' + rest[0])}, {octets('/d/' + rest[1])}) = 0"
    if name in ("unlink", "mkdir"):
        return f"1 {name}({octets('/d/' + rest[0])}) = 0"
    return f"1 {name}({', '.join(rest)}) = 0"


def left(disk: Disk, cut: Cut) -> dict[str, bytes | None]:
    return after_cut(disk, cut)


NAMED = ("open 5 a", "open 6 .", "fsync 6")  # an empty file whose name is safe


def test_nothing_is_safe_before_its_sync() -> None:
    disk = play("open 5 a", "write 5 abc")
    assert left(disk, LOST) == {}
    assert left(disk, KEPT) == {"a": b"abc"}
    assert left(disk, NAMES_ONLY) == {"a": b""}


def test_octets_are_safe_after_the_files_sync_and_names_after_their_folders() -> None:
    assert left(play("open 5 a", "write 5 abc", "fsync 5"), LOST) == {}
    assert left(play("open 5 a", "write 5 abc", "fsync 5", "open 6 .", "fsync 6"), LOST) == {"a": b"abc"}
    assert left(play(*NAMED, "write 5 abc"), LOST) == {"a": b""}
    assert left(play(*NAMED, "write 5 abc", "fdatasync 5", "write 5 def"), LOST) == {"a": b"abc"}
    assert left(play(*NAMED, "write 5 abc", "fdatasync 5", "write 5 def"), OCTETS_ONLY) == {"a": b"abcdef"}


def test_writes_overlap_leave_holes_and_are_cut() -> None:
    disk = play(*NAMED, "pwrite64 5 4 efgh", "pwrite64 5 0 ab", "pwrite64 5 5 XY", "ftruncate 5 7")
    assert left(disk, KEPT) == {"a": b"ab\0\0eXY"}
    assert left(play(*NAMED, "write 5 abc", "ftruncate 5 1", "ftruncate 5 3"), KEPT) == {"a": b"a\0\0"}


def test_each_half_of_a_rename_is_safe_on_its_own() -> None:
    begin = ("mkdir t", "mkdir n", "open 7 .", "fsync 7", "open 5 t/x", "write 5 abc", "fsync 5")
    renamed = play(*begin, "rename t/x n/x")
    assert left(renamed, KEPT) == {"t": None, "n": None, "n/x": b"abc"}
    assert left(renamed, LOST) == {"t": None, "n": None}


def test_an_unlinked_file_is_back_until_its_folder_is_synced() -> None:
    assert left(play(*NAMED, "unlink a"), LOST) == {"a": b""}
    assert left(play(*NAMED, "unlink a", "fsync 6"), LOST) == {}


def test_a_file_in_a_folder_whose_name_is_not_safe_is_lost() -> None:
    disk = play("mkdir t", "open 5 t/x", "write 5 abc", "fsync 5")
    assert left(disk, LOST) == {}
    assert left(disk, KEPT) == {"t": None, "t/x": b"abc"}


def test_a_new_file_under_an_old_name_is_another_file() -> None:
    disk = play(*NAMED, "write 5 old", "fsync 5", "unlink a", "close 5", "open 5 a", "write 5 new", "fsync 5")
    assert left(disk, LOST) == {"a": b"old"}
    assert left(disk, KEPT) == {"a": b"new"}


def test_torn_writes_keep_whole_sectors_of_old_or_new() -> None:
    old, new = "o" * 4096, "n" * 4096
    disk = play(*NAMED, f"write 5 {old}", "fsync 5", f"pwrite64 5 0 {new}")
    results = {left(disk, torn(seed))["a"] for seed in range(100)}
    assert len(results) > 5
    for octets in results:
        assert octets is not None
        assert len(octets) == 4096
        assert all(octets[n : n + 512] in (b"o" * 512, b"n" * 512) for n in range(0, 4096, 512))


def test_a_sync_covers_only_what_was_written_before_it_began() -> None:
    lines = [
        *(strace_line(line) for line in NAMED),
        strace_line("pwrite64 5 0 a"),
        "1 fdatasync(5 <unfinished ...>",
        strace_line("pwrite64 5 1 b").replace("1 pwrite64", "2 pwrite64"),
        "1 <... fdatasync resumed>)          = 0",
    ]
    disk = Disk(ROOT)
    for call in parse_calls(lines):
        disk.apply(call, call.began)
    assert left(disk, LOST) == {"a": b"a"}
    assert left(disk, KEPT) == {"a": b"ab"}


def test_what_failed_changed_nothing_and_what_is_not_understood_is_an_error() -> None:
    assert (
        list(parse_calls(['1 unlink("\\x2f\\x64") = -1 ENOENT (No such file or directory)', "1 +++ exited with 0 +++"]))
        == []
    )
    with pytest.raises(AssertionError, match="do not read"):
        list(parse_calls(["what is this"]))
    with pytest.raises(AssertionError, match="shortened"):
        list(parse_calls(['1 write(1, "\\x61"..., 5) = 5']))
    with pytest.raises(AssertionError, match="does not know the call"):
        play("sync_file_range 5 0 0 0")


def test_other_paths_are_not_its_business() -> None:
    other = [
        strace_line(line).replace("\\x2f\\x64\\x2f", "\\x2f\\x65\\x2f")
        for line in ("unlink x", "open 5 a", "write 5 abc")
    ]
    disk = Disk(ROOT)
    assert [disk.apply(call, 0) for call in parse_calls(other)] == [False, False, False]
    assert left(disk, KEPT) == {}
