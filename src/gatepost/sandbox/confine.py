"""Takes from a child everything that opening content does not need, layer by layer, and says which layers hold.

In: how much memory and processor time it may have. Out: `Layers`. Each layer is tried on its own: a kernel without one
still has the others. Standard: DESIGN, "killable sandbox children"; prctl(2), setrlimit(2), unshare(2).
Not here: the layers of some size (`seccomp`, `landlock`), the parent's timer (`pool`).
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
from dataclasses import dataclass

from gatepost.sandbox.landlock import close_files, readable
from gatepost.sandbox.seccomp import filter_calls

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_NEW_USER, _NEW_NET = 0x10000000, 0x40000000
_MAX_FILES = 64  # descriptors; importing takes a few
_RESERVED = 1 << 30  # octets of addresses without memory behind them: YARA-X reserves 80 MB for each scanner
_PAGE = resource.getpagesize()

Layers = dict[str, str]
"""The name of each layer, and "" where it holds or else why it does not."""
NAMES = ("no-new-privileges", "parent-death", "seccomp", "landlock", "namespace", "limits")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ration:
    """What one child may use: `memory` in octets beyond what it was born with, `cpu_seconds` a job."""

    memory: int
    cpu_seconds: int


def confine(ration: Ration, parent: int) -> Layers:
    """Puts every layer on this process. `parent` is the process with which it has to die."""
    libc = ctypes.CDLL(None, use_errno=True)
    layers = {
        "no-new-privileges": _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1),
        "parent-death": _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGKILL),
    }
    _prctl(libc, _PR_SET_DUMPABLE, 0)  # nobody of the same user may look into it, and it leaves no core file
    if os.getppid() != parent:
        os._exit(0)  # it died before the signal was asked for
    layers["limits"] = _limit(ration)
    layers["landlock"] = close_files(readable())
    if layers["landlock"]:
        layers["namespace"] = _leave_network(libc)
    layers["seccomp"] = filter_calls()
    if layers["seccomp"]:  # the next best against processes; it counts threads too, so only then
        resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
    return layers


def grant_time(seconds: int) -> None:
    """Processor time for the next job, counted from what was used so far; past it the kernel ends the process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(used.ru_utime + used.ru_stime) + seconds + 1, hard))


def _limit(ration: Ration) -> str:
    try:
        with open("/proc/self/statm") as numbers:
            pages = [int(number) for number in numbers.read().split()]
        space, data = pages[0] * _PAGE + ration.memory + _RESERVED, pages[5] * _PAGE + ration.memory
        resource.setrlimit(resource.RLIMIT_AS, (space, space))
        resource.setrlimit(resource.RLIMIT_DATA, (data, data))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (_MAX_FILES, _MAX_FILES))
    except (OSError, ValueError, IndexError) as error:
        return str(error)
    return ""


def _leave_network(libc: ctypes.CDLL) -> str:
    """Where files cannot be closed, the network at least is."""
    if libc.unshare(_NEW_USER | _NEW_NET) != 0:
        return os.strerror(ctypes.get_errno())
    return ""


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> str:
    return "" if libc.prctl(option, value, 0, 0, 0) == 0 else os.strerror(ctypes.get_errno())
