"""Holds the gate on a leash: when the lab is gone, however it went, the gate is stopped too.

In: a command; standard input, which ends when the lab does. Out: the command's exit code.
Standard: none. Not here: what is started (`lab.gate`). A program of its own: `python -m gatepost.lab.leash COMMAND…`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading


def main(command: list[str]) -> int:
    """Runs `command` until it ends, SIGTERM comes or standard input ends."""
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: child.terminate())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_watch, args=(child,), daemon=True).start()
    return child.wait()


def _watch(child: subprocess.Popen[bytes]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    child.terminate()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
