"""The program of the sandbox's processes: a nursery with all readers loaded, and the children it bears.

In: `python -I -m gatepost.sandbox.child DESCRIPTOR`: a socket to the parent, which sends `Birth` first. The nursery
never sees a message; it bears a child for each "fork" and tells how each ended. A child is confined before its first
job; a job is a descriptor to read a message from, the answer one frame of JSON (`job`).
Standard: DESIGN, "killable sandbox children". Not here: the parent's side (`nursery`, `pool`).
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import resource
import selectors
import signal
import socket
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from gatepost.sandbox import readers
from gatepost.sandbox.confine import Ration, confine, grant_time
from gatepost.sandbox.finds import Finds
from gatepost.sandbox.job import FULL, GREETING, write_frame
from gatepost.sandbox.limits import Limits
from gatepost.sandbox.walker import Walker

STDERR = 2
MAX_BIRTH = 1 << 16
_MAX_COMMAND = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Birth:
    """What every child of a nursery is born with. `preload`: load all readers first. `processors`: where they may run,
    since a reception process may be bound to one of them."""

    limits: Limits
    ration: Ration
    processors: list[int]
    preload: bool
    yara_rules: str


def read_birth(text: bytes) -> Birth:
    """`Birth` from JSON; the parent is believed."""
    values = json.loads(text)
    limits, ration = Limits(**values.pop("limits")), Ration(**values.pop("ration"))
    return Birth(limits=limits, ration=ration, **values)


# --- the nursery


class Nursery:
    """Bears children and buries them."""

    def __init__(self, control: socket.socket, birth: Birth) -> None:
        self._control = control
        self._birth = birth
        self._living: set[int] = set()
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def run(self) -> None:
        """Until the parent is gone."""
        signal.set_wakeup_fd(self._wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(self._control, selectors.EVENT_READ, self._command)
            selector.register(self._woken, selectors.EVENT_READ, self._bury)
            while True:
                for key, _ in selector.select():
                    if not key.data():
                        return

    def _command(self) -> bool:
        data, descriptors, _, _ = socket.recv_fds(self._control, _MAX_COMMAND, 1)
        word, _, argument = data.partition(b" ")
        if word == b"fork" and descriptors:
            pid = self._bear(descriptors[0])
            os.close(descriptors[0])
            self._tell({"forked": int(argument), "pid": pid})
        elif word == b"kill" and int(argument) in self._living:
            os.kill(int(argument), signal.SIGKILL)
        return bool(data)

    def _bear(self, descriptor: int) -> int:
        own_pid = os.getpid()
        pid = os.fork()
        if pid:
            self._living.add(pid)
            return pid
        status = 1
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            job = os.dup2(descriptor, STDERR + 1, inheritable=False)
            os.closerange(STDERR + 2, 1 << 16)
            serve(socket.socket(fileno=job), self._birth, own_pid)
            status = 0
        finally:
            os._exit(status)

    def _bury(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            os.read(self._woken, 4096)
        for pid in list(self._living):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                self._living.discard(pid)
                self._tell({"ended": pid, "status": os.waitstatus_to_exitcode(status)})
        return True

    def _tell(self, values: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            self._control.send(json.dumps(values).encode())


def preload(birth: Birth) -> list[str]:
    """Loads the readers that children are to be born with, and the rules of YARA, whose folder no child may read. Out:
    what is wrong with those. What is not installed is reported by the reader that needs it."""
    names = dict.fromkeys((*(name for row in readers.READERS.values() for name in row), *readers.EVERY))
    for name in names if birth.preload else ():
        with contextlib.suppress(ImportError):
            readers.load(name)
    for module in readers.HEAVY if birth.preload else ():
        with contextlib.suppress(ImportError, OSError):
            import_module(module)
    if not birth.preload and not birth.yara_rules:
        return []
    try:
        from gatepost.sandbox.readers.yara import prepare

        return prepare(Path(birth.yara_rules) if birth.yara_rules else None)
    except ImportError as error:
        return [f"{birth.yara_rules}: {error}"] if birth.yara_rules else []


# --- a child


def serve(jobs: socket.socket, birth: Birth, parent: int) -> None:
    """Confines itself, says how far that went, then does one job after the other until the parent hangs up."""
    write_frame(jobs, GREETING, {"layers": confine(birth.ration, parent)})
    while True:
        data, descriptors, _, _ = socket.recv_fds(jobs, 1, 1)
        if not data or not descriptors:
            return
        grant_time(birth.ration.cpu_seconds)
        answer, sound = do(descriptors[0], birth.limits, full=data == FULL)
        write_frame(jobs, data, answer)
        if not sound:
            return


def do(descriptor: int, limits: Limits, *, full: bool) -> tuple[dict[str, Any], bool]:
    """One job: the answer, and whether this process is fit for another."""
    finds = Finds(limits)
    walker = Walker(finds, only=None if full else readers.LIGHT, skip=not full)
    sound = False
    try:
        walker.walk(_contents(descriptor))
        sound = walker.sound
    except MemoryError:
        finds.trouble("memory", reason="opening the message took too much memory")
    gc.collect(0)
    return {"opened": finds.write(), "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}, sound


def _contents(descriptor: int) -> bytes:
    try:
        size = os.fstat(descriptor).st_size
        chunks: list[bytes] = []
        at = 0
        while at < size and (chunk := os.pread(descriptor, size - at, at)):
            chunks.append(chunk)
            at += len(chunk)
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)
    finally:
        os.close(descriptor)


def main(arguments: list[str]) -> None:
    """The nursery's life."""
    control = socket.socket(fileno=int(arguments[0]))
    control.set_inheritable(False)
    birth = read_birth(control.recv(MAX_BIRTH))
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, birth.processors)
    problems = preload(birth)
    gc.collect()
    gc.freeze()  # the collector leaves shared memory alone, so that it stays shared
    control.send(json.dumps({"ready": [problem[:300] for problem in problems[:10]]}).encode())
    Nursery(control, birth).run()


if __name__ == "__main__":
    main(sys.argv[1:])
