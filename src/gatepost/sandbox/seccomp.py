"""A filter on system calls, after which a child can read, compute and answer, and nothing else.

In: nothing. Out: the filter is on for this process and all its threads, for ever. Standard: seccomp(2), Linux 3.17;
classic BPF over `struct seccomp_data`. What is not in the table fails with EPERM: no socket, no program, no process,
no file opened for writing, no look at other processes. Not here: files that may be read (`landlock`), the rest
(`confine`).
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
from collections.abc import Iterable

# name: (x86_64, aarch64); -1 where an architecture has no such call
_FREE: dict[str, tuple[int, int]] = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "stat": (4, -1),
    "fstat": (5, 80),
    "lstat": (6, -1),
    "poll": (7, -1),
    "lseek": (8, 62),
    "mmap": (9, 222),
    "mprotect": (10, 226),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "readv": (19, 65),
    "writev": (20, 66),
    "access": (21, -1),
    "select": (23, -1),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "mincore": (27, 232),
    "madvise": (28, 233),
    "dup": (32, 23),
    "dup2": (33, -1),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "recvmsg": (47, 212),
    "exit": (60, 93),
    "uname": (63, 160),
    "fcntl": (72, 25),
    "getcwd": (79, 17),
    "readlink": (89, -1),
    "gettimeofday": (96, 169),
    "getrlimit": (97, 163),
    "getrusage": (98, 165),
    "sysinfo": (99, 179),
    "times": (100, 153),
    "getuid": (102, 174),
    "getgid": (104, 176),
    "geteuid": (107, 175),
    "getegid": (108, 177),
    "getppid": (110, 173),
    "sigaltstack": (131, 132),
    "statfs": (137, 43),
    "fstatfs": (138, 44),
    "arch_prctl": (158, -1),
    "setrlimit": (160, 164),
    "gettid": (186, 178),
    "time": (201, -1),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "getdents64": (217, 61),
    "set_tid_address": (218, 96),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_getres": (229, 114),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "newfstatat": (262, 79),
    "readlinkat": (267, 78),
    "faccessat": (269, 48),
    "pselect6": (270, 72),
    "ppoll": (271, 73),
    "set_robust_list": (273, 99),
    "dup3": (292, 24),
    "preadv": (295, 69),
    "getrandom": (318, 278),
    "membarrier": (324, 283),
    "statx": (332, 291),
    "rseq": (334, 293),
    "faccessat2": (439, 439),
}
# the C library falls back to an older call when these "do not exist": ones whose arguments a filter can see
_ABSENT: dict[str, tuple[int, int]] = {"clone3": (435, 435), "openat2": (437, 437)}
_OPEN, _OPENAT, _CLONE = (2, -1), (257, 56), (56, 220)
_IOCTL, _PRCTL, _PRLIMIT = (16, 29), (157, 167), (302, 261)
_KILL, _TGKILL = (62, 129), (234, 131)

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_WRITES = (
    os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | (getattr(os, "O_TMPFILE", 0) & ~os.O_DIRECTORY)
)
_CLONE_THREAD = 0x10000
_IOCTLS = (0x5401, 0x5451, 0x5450)  # TCGETS (is it a terminal?), FIOCLEX, FIONCLEX
_PRCTLS = (15, 16, 0x53564D41)  # PR_SET_NAME, PR_GET_NAME, PR_SET_VMA: how threads and memory are called

_LOAD, _EQUAL, _SET, _RETURN = 0x20, 0x15, 0x45, 0x06  # BPF_LD|W|ABS, JMP|JEQ|K, JMP|JSET|K, RET|K
_ALLOW, _EPERM, _ENOSYS, _KILL_PROCESS = 0x7FFF0000, 0x00050001, 0x00050026, 0x80000000
_NUMBER_AT, _ARCH_AT, _ARGUMENTS_AT = 0, 4, 16
_PR_SET_SECCOMP, _FILTER_MODE = 22, 2

Instruction = tuple[int, int, int, int]


def filter_calls() -> str:
    """Puts the filter on. Returns "" or, in plain words, why it is not on. `no_new_privs` must be set before."""
    found = _ARCHITECTURES.get(platform.machine())
    if found is None:
        return f"no filter is made for {platform.machine()}"
    program = b"".join(struct.pack("<HBBI", *instruction) for instruction in write_filter(*found, os.getpid()))
    buffer = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_SECCOMP, _FILTER_MODE, ctypes.create_string_buffer(header), 0, 0) != 0:
        return os.strerror(ctypes.get_errno())
    return ""


def write_filter(architecture: int, column: int, pid: int) -> list[Instruction]:
    """The filter as BPF; `column` says which numbers of the table count. `pid` may only signal itself."""
    code: list[Instruction] = [
        (_LOAD, 0, 0, _ARCH_AT),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER_AT),
    ]
    for numbers in _FREE.values():
        code += _answer(numbers[column], _ALLOW)
    for numbers in _ABSENT.values():
        code += _answer(numbers[column], _ENOSYS)
    code += _when(_OPEN[column], _without(1, _WRITES))
    code += _when(_OPENAT[column], _without(2, _WRITES))
    code += _when(_CLONE[column], [(_LOAD, 0, 0, _argument(0)), (_SET, 0, 1, _CLONE_THREAD), (_RETURN, 0, 0, _ALLOW)])
    code += _when(_IOCTL[column], _one_of(1, _IOCTLS))
    code += _when(_PRCTL[column], _one_of(0, _PRCTLS))
    code += _when(_PRLIMIT[column], _one_of(0, (0, pid)))
    code += _when(_KILL[column], _one_of(0, (pid,)))
    code += _when(_TGKILL[column], _one_of(0, (pid,)))
    # x32 calls on x86_64 have a bit that no number above has, so they end here too
    return [*code, (_RETURN, 0, 0, _EPERM)]


def _answer(number: int, answer: int) -> list[Instruction]:
    return [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, answer)] if number >= 0 else []


def _when(number: int, then: list[Instruction]) -> list[Instruction]:
    """`then` for this call only, and what it does not answer is refused."""
    return [(_EQUAL, 0, len(then) + 1, number), *then, (_RETURN, 0, 0, _EPERM)] if number >= 0 else []


def _without(argument: int, bits: int) -> list[Instruction]:
    return [(_LOAD, 0, 0, _argument(argument)), (_SET, 1, 0, bits), (_RETURN, 0, 0, _ALLOW)]


def _one_of(argument: int, values: Iterable[int]) -> list[Instruction]:
    code: list[Instruction] = [(_LOAD, 0, 0, _argument(argument))]
    for value in values:
        code += _answer(value, _ALLOW)
    return code


def _argument(index: int) -> int:
    """Where the low half of an argument lies; both architectures are little-endian."""
    return _ARGUMENTS_AT + 8 * index
