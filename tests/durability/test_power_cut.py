"""The power goes at any moment: each message that was answered 250 is there afterwards, whole.

The store's life (`workload`) runs once under strace; then the disk is rebuilt as it may have stood after each call that
changed it, in several ways (`disk`), and the store is opened there as after a restart (`accounting`).
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from accounting import read_promises, take_account
from disk import KEPT, LOST, NAMES_ONLY, OCTETS_ONLY, Cut, Disk, File, Folder, after_cut, lay_out, torn
from syscalls import Call, parse_calls, run_traced
from workload import NOW, SETTINGS

PROGRAM = Path(__file__).parent / "workload.py"


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory, strace: str) -> Callable[..., tuple[Path, list[Call]]]:
    """Runs the workload under strace, once for each way of being careless."""
    done: dict[str, tuple[Path, list[Call]]] = {}

    def run(careless: str = "") -> tuple[Path, list[Call]]:
        if careless not in done:
            base = tmp_path_factory.mktemp("traced")
            (base / "store").mkdir()
            options = ["--careless", careless] if careless else []
            run_traced(PROGRAM, [str(base / "store"), *options], base / "log")
            lines = (base / "log").read_text(encoding="ascii").splitlines()
            done[careless] = (base / "store", list(parse_calls(lines)))
        return done[careless]

    return run


def moments(root: Path, calls: list[Call]) -> Iterator[tuple[int, Disk]]:
    """The disk after each call that changed it."""
    disk = Disk(root)
    for call in calls:
        if disk.apply(call, call.began):
            yield call.began, disk


def problems(root: Path, calls: list[Call], cuts: Callable[[int], list[Cut]], target: Path) -> tuple[int, list[str]]:
    """Cuts the power at every moment in each way; returns the number of different disks and what went wrong."""
    seen: set[int] = set()
    wrong: list[str] = []
    for index, (at, disk) in enumerate(moments(root, calls)):
        promises = read_promises(disk.printed)
        for cut in cuts(index):
            content = after_cut(disk, cut)
            key = hash((frozenset(content.items()), len(promises)))
            if key in seen:
                continue
            seen.add(key)
            folder = target / "after"
            lay_out(content, folder)
            try:
                account = take_account(folder / "spool", folder / "mail", promises, now=NOW, settings=SETTINGS)
                if not account.is_clean:
                    wrong.append(f"call {at}, {cut.name}: {account}")
            finally:
                shutil.rmtree(folder)
    return len(seen), wrong


def test_every_promise_survives_a_cut_after_every_write(
    trace: Callable[..., tuple[Path, list[Call]]], quick_folder: Path
) -> None:
    root, calls = trace()
    tried, wrong = problems(
        root,
        calls,
        lambda index: [LOST, KEPT, NAMES_ONLY, OCTETS_ONLY, *(torn(6 * index + n) for n in range(6))],
        quick_folder,
    )
    assert wrong == []
    assert tried > 1000, f"only {tried} different disks"


@pytest.mark.parametrize("careless", ["wal", "maildir", "body"])
def test_a_sync_that_is_missing_is_noticed(
    trace: Callable[..., tuple[Path, list[Call]]], quick_folder: Path, careless: str
) -> None:
    """The test's own test: with one sync taken away, promises are lost."""
    _, wrong = problems(*trace(careless), lambda index: [LOST], quick_folder)
    assert wrong


def test_data_and_directories_are_synced_before_each_250(trace: Callable[..., tuple[Path, list[Call]]]) -> None:
    """When a 250 is said, no octet of the spool's log waits for the disk, nor any name or octet of a large body.

    Where sessions overlap, others' octets may wait: there only the promised bodies are looked at.
    """
    root, calls = trace()
    disk, said = Disk(root), 0
    for call in calls:
        disk.apply(call, call.began)
        if call.name == "write" and call.arguments[0] == "1":
            said += 1
            waiting = list(unsynced(disk.top, ""))
            if b"TOGETHER" in disk.printed:
                waiting = [path for path in waiting if path.rpartition("/")[2] in read_promises(disk.printed)]
            assert waiting == [], f"call {call.began}"
    assert said > 10


def unsynced(folder: Folder, prefix: str) -> Iterator[str]:
    """Names and files of the spool that wait for the disk. The -shm file and locks are made anew after a crash."""
    for name, node in folder.now.items():
        if isinstance(node, Folder) and name != "mail":
            added = (changed for changed, entry, _ in node.pending if entry is not None)
            yield from (f"{prefix}{name}/{changed}" for changed in added if not changed.endswith(".owner"))
            yield from unsynced(node, f"{prefix}{name}/")
        elif isinstance(node, File) and node.pending and not name.endswith("-shm"):
            yield prefix + name
