"""Reads what strace wrote: system calls in the order in which they ended, with their octets.

In: `strace -f -xx -s BIG -o FILE -e trace=…` of one process with its threads. Out: `Call`s. A call that another
thread's calls interrupted in the log counts where it was resumed; where a sync began matters: `Call.began` keeps it.
Standard: none (strace's own format). Not here: what the calls do to a disk (`disk`).
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

TRACED = (
    "openat,open,creat,close,dup,dup2,dup3,write,pwrite64,writev,pwritev,ftruncate,truncate,fallocate,rename,renameat,"
    "renameat2,unlink,unlinkat,link,linkat,symlink,mkdir,mkdirat,rmdir,fsync,fdatasync,sync_file_range,sync,syncfs"
)
_LINE = re.compile(r"(\d+) +(?:(\w+)\((.*?)(?:\) += (-?\d+)(?: .*)?| <unfinished \.\.\.>)|<\.\.\. \w+ resumed>(.*))$")
_END = re.compile(r"(.*?)\) += (-?\d+)(?: .*)?$")
_OCTETS = re.compile(r"\\x([0-9a-f]{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One system call: strings are bytes, everything else is text as strace shows it. `began` is the index in the
    log's order at which it was entered: a sync covers only what was written before."""

    name: str
    arguments: tuple[bytes | str, ...]
    result: int
    began: int


def run_traced(program: Path, arguments: Sequence[str], log: Path, timeout: float = 100) -> None:
    """Runs a Python program under strace; raises if it fails."""
    command = ["strace", "-f", "--seccomp-bpf", "-xx", "-s", "100000000", "-o", str(log), "-e", f"trace={TRACED}"]
    done = subprocess.run(
        [*command, sys.executable, str(program), *arguments], capture_output=True, timeout=timeout, check=False
    )
    if done.returncode != 0:
        raise AssertionError(f"{program.name} failed under strace: {done.stderr.decode()[-2000:]}")


def parse_calls(lines: Sequence[str]) -> Iterator[Call]:
    """The successful calls, in the order in which they ended."""
    unfinished: dict[str, tuple[str, str, int]] = {}
    for index, line in enumerate(lines):
        found = _LINE.match(line)
        if not found:
            if "+++" in line or "---" in line:
                continue
            raise AssertionError(f"strace wrote what we do not read: {line[:200]!r}")
        pid, name, arguments, result, resumed = found.groups()
        began = index
        if resumed is not None:
            ended = _END.match(resumed)
            if not ended or pid not in unfinished:
                raise AssertionError(f"a resumed call without its beginning: {line[:200]!r}")
            name, arguments, began = unfinished.pop(pid)
            arguments, result = arguments + ended[1], ended[2]
        elif result is None:
            unfinished[pid] = (name, arguments, index)
            continue
        if int(result) >= 0:
            yield Call(name=name, arguments=_arguments(arguments), result=int(result), began=began)


def _arguments(text: str) -> tuple[bytes | str, ...]:
    """Octets are all written as \\xNN, so that a comma always parts arguments."""
    return tuple(_argument(part) for part in text.split(", ")) if text else ()


def _argument(text: str) -> bytes | str:
    if text.startswith('"'):
        if text.endswith("..."):
            raise AssertionError("strace shortened a string: -s is too small")
        return bytes.fromhex("".join(_OCTETS.findall(text)))
    return text
