"""Takes the file system away from a child, but for what Python itself must read, and with it TCP and signals to others.

In: folders and files that may be read. Out: the rest is closed to this process for ever. Standard: landlock(7), Linux
5.13 and newer; what an older kernel does not know of is left out. Not here: system calls (`seccomp`).
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_VERSION = 1  # LANDLOCK_CREATE_RULESET_VERSION
_PATH_BENEATH = 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
_FILES = (0, 13, 14, 15, 15, 16)  # by version: how many kinds of access to files the kernel knows
_NETWORK_SINCE, _SCOPE_SINCE = 4, 6
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache")
_FACTS = ("/proc/meminfo", "/dev/urandom")  # py7zr asks how much it may hold, qpdf for random numbers to decrypt


def version() -> int:
    """Which version of Landlock the kernel has; 0 for none."""
    found = ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, 0, _VERSION)
    return max(int(found), 0)


def readable() -> list[str]:
    """What Python reads when it imports: its own folders, those of the installed packages, shared libraries."""
    paths = sysconfig.get_paths()
    own = [paths["stdlib"], paths["platstdlib"], paths["purelib"], paths["platlib"]]
    return [
        path for path in dict.fromkeys((*own, *filter(None, sys.path), *_LIBRARIES, *_FACTS)) if os.path.exists(path)
    ]


def close_files(allowed: Iterable[str]) -> str:
    """Only `allowed` may be read from now on. Returns "" or, in plain words, why nothing was closed. `no_new_privs`
    must be set before."""
    known = version()
    if not known:
        return "the kernel has no Landlock"
    libc = ctypes.CDLL(None, use_errno=True)
    files = (1 << _FILES[min(known, len(_FILES) - 1)]) - 1
    rules = struct.pack("<QQQ", files, 0b11 if known >= _NETWORK_SINCE else 0, 0b11 if known >= _SCOPE_SINCE else 0)[
        : 24 if known >= _SCOPE_SINCE else 16 if known >= _NETWORK_SINCE else 8
    ]
    ruleset = libc.syscall(_CREATE, ctypes.create_string_buffer(rules, len(rules)), len(rules), 0)
    if ruleset < 0:
        return os.strerror(ctypes.get_errno())
    try:
        for path in allowed:
            _allow(libc, ruleset, path)
        if libc.syscall(_RESTRICT, ruleset, 0) != 0:
            return os.strerror(ctypes.get_errno())
    finally:
        os.close(ruleset)
    return ""


def _allow(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    """A path that cannot be opened stays closed."""
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        access = _READ_FILE | (_READ_DIR if os.path.isdir(path) else 0)
        rule = struct.pack("<Qi", access, handle)
        libc.syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.create_string_buffer(rule, len(rule)), 0)
    finally:
        os.close(handle)
