"""The sandbox's program with one reader more, that does what the octets ask for: what a taken-over reader might do.

Run by tests as `python -I hostile_child.py DESCRIPTOR`. Not here: anything that the product could reach.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable
from typing import Any, cast

from gatepost.sandbox import child, readers


def _attempt(deed: Callable[[], object]) -> str:
    try:
        return f"done: {deed()}"
    except OSError as error:
        return f"errno {error.errno}"
    except ValueError as error:
        return f"errno, as Python says it: {error}"


def _open(path: str, mode: str = "rb") -> bytes:
    with open(path, mode) as file:
        return file.read(10)


def _spin() -> None:
    while True:
        pass


DEEDS: dict[str, Callable[[], object]] = {
    "abort": os.abort,
    "fault": lambda: ctypes.string_at(8),
    "exit": lambda: os._exit(7),
    "spin": _spin,
    "sleep": lambda: time.sleep(600),
    "memory": lambda: [bytearray(64 << 20) for _ in range(100)],
    "garbage": lambda: (os.write(3, b"F\x00\x00\x00\x05hello"), time.sleep(600)),
    "endless": lambda: (os.write(3, b"F\xff\xff\xff\xff" + b"x" * 1000), time.sleep(600)),
    "shape": lambda: (os.write(3, b'F\x00\x00\x00\x1a{"opened": {}, "rss": "no"}'[:31]), time.sleep(600)),
}
TRIES: dict[str, Callable[[], object]] = {
    "socket": lambda: socket.socket(),
    "unix socket": lambda: socket.socket(socket.AF_UNIX),
    "exec": lambda: os.execv("/bin/true", ["true"]),
    "fork": os.fork,
    "spawn": lambda: subprocess.run(["/bin/true"], check=False),
    "write": lambda: _open("/tmp/gatepost-was-here", "w"),
    "append": lambda: _open("/tmp/gatepost-was-here", "ab"),
    "unlink": lambda: os.unlink("/tmp/gatepost-was-here"),
    "passwd": lambda: _open("/etc/passwd"),
    "folder": lambda: os.listdir("/etc"),
    "kill": lambda: os.kill(1, 0),
    "mkdir": lambda: os.mkdir("/tmp/gatepost-was-here"),
    "pipe": os.pipe,
    "memfd": lambda: os.memfd_create("x"),
    "parent": lambda: _open(f"/proc/{os.getppid()}/environ"),
    "chmod": lambda: os.chmod("/tmp", os.stat("/tmp").st_mode & 0o7777),  # harmless, should the wall be down
    "raise limits": lambda: __import__("resource").setrlimit(__import__("resource").RLIMIT_AS, (-1, -1)),
}


def read(content: Any, finds: Any) -> tuple[()]:
    """Does the deed that the octets name; "tries" reports on all."""
    words = content.octets.decode().partition(" ")[2].strip(" }\r\n")
    if words == "tries":
        for name, deed in TRIES.items():
            finds.trait(content.path, f"tried.{name}", said=_attempt(deed))
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        finds.trait(content.path, "tried.thread", said="done")
    elif words == "flood":
        for number in range(100_000):
            finds.link(f"http://{number}.example/" + "x" * 4000, source="text", item=content.path)
    elif words in DEEDS:
        DEEDS[words]()
    return ()


if __name__ == "__main__":
    module = types.ModuleType("gatepost.sandbox.readers.hostile")
    module.read = read  # type: ignore[attr-defined]
    sys.modules[module.__name__] = module
    cast(dict[str, tuple[str, ...]], readers.READERS)["rtf"] = ("hostile",)
    child.main(sys.argv[1:])
