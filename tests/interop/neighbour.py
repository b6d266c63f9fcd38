"""Starting and stopping the real programs that the interop tests meet.

In: a command and the folder of an unpacked neighbour. Out: `Running`, which stops by process id.
An unpacked neighbour's `usr` is laid over the machine's in a private mount namespace, so that its built-in paths hold
and nothing on the machine changes. Everything listens on 127.0.0.1 and keeps its files below a private folder.
"""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_spec = importlib.util.spec_from_file_location("gatepost_neighbours", ROOT / "tools" / "neighbours.py")
assert _spec is not None
assert _spec.loader is not None
tool = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tool)

LAY_OVER = 'mount -t overlay overlay -o lowerdir="$0/usr":/usr /usr && exec "$@"'


def laid_over(folder: Path, command: Sequence[str]) -> list[str]:
    """`command` with the unpacked neighbour's files over /usr, seen by it alone."""
    return ["unshare", "--mount", "sh", "-c", LAY_OVER, str(folder), *command]


def can_lay_over(folder: Path) -> bool:
    """True where mount namespaces and overlays are allowed (root, and not every container)."""
    return subprocess.run(laid_over(folder, ["true"]), capture_output=True, check=False).returncode == 0


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def is_listening(port: int) -> bool:
    """True when 127.0.0.1:`port` accepts connections."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_for_port(port: int, seconds: float = 20.0) -> None:
    """Returns once 127.0.0.1:`port` accepts connections."""
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def wait_until(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    """Polls a callable until it is true; False when `seconds` have passed."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.05)
    return bool(condition())


class Running:
    """One started neighbour, in a session (process group) of its own."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.output = folder / "output.log"
        with self.output.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=folder
            )

    def stop(self) -> None:
        """TERM to the process we started, KILL to its group when it has not ended in five seconds."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(5)
