"""The sandbox's promise: whatever a reader does, the message gets an answer in time, and the next one is unharmed."""

from __future__ import annotations

import asyncio
import io
import os
import sys
import tarfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gatepost.ports import Opened
from gatepost.sandbox.pool import Sandbox, read_here
from gatepost.sandbox.settings import ContentSettings

Make = Callable[..., bytes]
HOSTILE = (sys.executable, "-I", str(Path(__file__).with_name("hostile_child.py")))
QUICK = ContentSettings(children=1, deadline=20, cpu_seconds=10, memory=256 << 20)
LINK = "Look at https://example.org/x"


class Told:
    """What the sandbox told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: str, **facts: Any) -> None:
        self.events.append((event, facts))


def run(
    deed: Callable[[Sandbox], Awaitable[None]],
    settings: ContentSettings = QUICK,
    told: Told | None = None,
    program: tuple[str, ...] = HOSTILE,
) -> None:
    """`deed` with a sandbox of hostile readers."""

    async def main() -> None:
        async with Sandbox(settings, preload=False, told=told or Told(), program=program) as sandbox:
            await deed(sandbox)

    asyncio.run(main())


def codes(opened: Opened) -> list[str]:
    """What went wrong."""
    return [trouble.code for trouble in opened.trouble]


@pytest.mark.parametrize(
    ("deed", "code"),
    [
        ("abort", "crash"),
        ("fault", "crash"),
        ("exit", "crash"),
        ("garbage", "crash"),
        ("shape", "crash"),
        ("endless", "output"),
        ("memory", "memory"),
    ],
)
def test_a_lost_child_is_trouble_of_one_message(make_message: Make, deed: str, code: str) -> None:
    bad = make_message(b"{\\rtf1 %s}" % deed.encode(), "x.rtf", LINK)
    good = make_message(b"{\\rtf1 nothing}", "x.rtf", LINK)

    async def main(sandbox: Sandbox) -> None:
        opened = await sandbox.begin(bad)
        assert codes(opened) == [code]
        # what could be read without the reader that fell is there all the same
        assert [link.target for link in opened.links] == ["https://example.org/x"]
        assert codes(await sandbox.begin(good)) == []

    run(main)


def test_a_spinning_reader_is_ended_by_the_deadline(make_message: Make) -> None:
    async def main(sandbox: Sandbox) -> None:
        for deed in (b"spin", b"sleep"):
            opened = await sandbox.begin(make_message(b"{\\rtf1 %s}" % deed, "x.rtf", LINK))
            assert codes(opened) == ["time"]
            assert len(opened.links) == 1

    run(main, ContentSettings(children=1, deadline=4, cpu_seconds=60))


def test_a_spinning_reader_is_ended_by_its_processor_time(make_message: Make) -> None:
    async def main(sandbox: Sandbox) -> None:
        opened = await sandbox.begin(make_message(b"{\\rtf1 spin}", "x.rtf", LINK))
        assert codes(opened) == ["time"]
        assert "processor" in opened.trouble[0].reason

    run(main, ContentSettings(children=1, deadline=60, cpu_seconds=1))


def test_a_message_that_ended_a_child_is_not_tried_again(make_message: Make) -> None:
    bad = make_message(b"{\\rtf1 abort}", "x.rtf", LINK)
    told = Told()

    async def main(sandbox: Sandbox) -> None:
        for _ in range(3):
            assert codes(await sandbox.begin(bad)) == ["crash"]

    run(main, told=told)
    assert [event for event, _ in told.events].count("sandbox-child") == 1


def test_others_are_not_harmed_meanwhile(make_message: Make) -> None:
    async def main(sandbox: Sandbox) -> None:
        bad = [sandbox.begin(make_message(b"{\\rtf1 abort}", f"{n}.rtf")) for n in range(3)]
        good = [sandbox.begin(make_message(b"%PDF-1.7 none", f"{n}.txt", LINK)) for n in range(10)]
        for opened in await asyncio.gather(*good):
            assert len(opened.links) == 1
            assert "crash" not in codes(opened)
        for opened in await asyncio.gather(*bad):
            assert codes(opened) == ["crash"]

    run(main, ContentSettings(children=2))


def test_a_flood_of_finds_is_cut(make_message: Make) -> None:
    async def main(sandbox: Sandbox) -> None:
        opened = await sandbox.begin(make_message(b"{\\rtf1 flood}", "x.rtf"))
        assert set(codes(opened)) <= {"limit", "output"}
        assert codes(opened)
        assert len(opened.links) <= 4000

    run(main)


def test_nothing_but_reading_is_possible(make_message: Make) -> None:
    async def main(sandbox: Sandbox) -> None:
        opened = await sandbox.begin(make_message(b"{\\rtf1 tries}", "x.rtf"))
        said = {trait.code: trait.evidence["said"] for trait in opened.items[1].traits}
        assert said.pop("tried.thread") == "done"
        if sandbox.layers["landlock"]:  # a kernel without it lets a child read what everybody may read
            for name in ("passwd", "folder", "parent"):
                said.pop(f"tried.{name}")
        assert len(said) >= 14
        assert {name: words for name, words in said.items() if not words.startswith("errno")} == {}
        assert sandbox.layers["seccomp"] == ""
        assert sandbox.layers["no-new-privileges"] == ""

    run(main)
    assert not os.path.exists("/tmp/gatepost-was-here")


def test_too_many_are_not_waited_for(make_message: Make) -> None:
    async def main(sandbox: Sandbox) -> None:
        waits = [sandbox.begin(make_message(b"{\\rtf1 sleep}", f"{n}.rtf")) for n in range(6)]
        answers = await asyncio.gather(*waits)
        assert all(codes(opened) for opened in answers)
        assert [codes(opened) for opened in answers].count(["unavailable"]) >= 3

    run(main, ContentSettings(children=1, waiting=2, deadline=2))


def test_a_nursery_that_dies_is_replaced(make_message: Make) -> None:
    good = make_message(b"{\\rtf1 nothing}", "x.rtf", LINK)

    async def main(sandbox: Sandbox) -> None:
        assert codes(await sandbox.begin(good)) == []
        process = sandbox._nursery._process
        assert process is not None
        process.kill()
        await asyncio.sleep(0.2)
        for _ in range(3):
            opened = await sandbox.begin(good)
            if not codes(opened):
                break
        assert codes(opened) == []

    run(main)


def test_a_program_that_cannot_start_is_said(make_message: Make) -> None:
    message = make_message(b"x", "x.bin")
    for program in (("/no/such/python",), ("/bin/false",), (sys.executable, "-I", "-c", "raise SystemExit(3)")):

        async def main(sandbox: Sandbox) -> None:
            opened = await sandbox.begin(message)
            assert codes(opened) == ["unavailable"]

        run(main, program=program)


def test_children_end_with_the_sandbox(make_message: Make) -> None:
    pids: list[int] = []

    async def main(sandbox: Sandbox) -> None:
        await sandbox.begin(make_message(b"{\\rtf1 nothing}", "x.rtf"))
        pids.extend(child.pid for child in sandbox._idle)
        process = sandbox._nursery._process
        assert process is not None
        pids.append(process.pid)

    run(main)
    assert len(pids) == 2
    for pid in pids:
        for _ in range(100):
            if not _lives(pid):
                break
            asyncio.run(asyncio.sleep(0.05))
        assert not _lives(pid)


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_child_is_replaced_after_its_time(make_message: Make) -> None:
    async def main(sandbox: Sandbox) -> None:
        seen = set()
        for number in range(7):
            assert codes(await sandbox.begin(make_message(b"{\\rtf1 nothing}", f"{number}.rtf"))) == []
            seen.update(child.pid for child in sandbox._idle)
        assert len(seen) >= 2

    run(main, ContentSettings(children=1, messages_per_child=3))


def test_libraries_work_inside_the_walls(make_message: Make, needed: Callable[[str], Any]) -> None:
    needed("libarchive")
    py7zr = needed("py7zr")
    out, tar = io.BytesIO(), io.BytesIO()
    with py7zr.SevenZipFile(out, "w", password="pass1234") as archive:
        archive.writestr(b"words to read", "a.txt")
    with tarfile.open(fileobj=tar, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("empty.txt"))

    async def main() -> None:
        for preload in (True, False):
            async with Sandbox(QUICK, preload=preload) as sandbox:
                opened = await sandbox.begin(make_message(out.getvalue(), "x.7z", "password: pass1234"))
                assert [item.kind for item in opened.items] == ["text", "7z", "text"], opened
                assert codes(opened) == []
                opened = await sandbox.begin(make_message(tar.getvalue(), "x.tar"))
                assert [item.kind for item in opened.items] == ["text", "tar", "empty"]
                assert codes(opened) == []

    asyncio.run(main())


def test_plain_text_is_read_here_and_nothing_else(make_message: Make) -> None:
    plain = b"From: a@example.org\r\nSubject: x\r\n\r\nSee https://example.org/ now\r\n"
    opened = read_here(plain)
    assert opened is not None
    assert [link.target for link in opened.links] == ["https://example.org/"]
    assert read_here(make_message(b"x", "x.txt")) is None
    assert read_here(b"Content-Type: text/html\r\n\r\n<a href=x>") is None
    assert read_here(plain + b"x" * 100_000) is None
    disguised = b"Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n" + b"JVBERi0xLjcKAAECAwQF"
    assert read_here(disguised) is None
