"""A real rbldnsd, the list server that most lists in DNS are served by, and servers that only pretend to be one.

In: zones with their data. Out: `Rbldnsd` on a free UDP port of 127.0.0.1; `BadServer`, which hangs or answers garbage.
Not here: what is asked of them (`test_rbldnsd`).
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path

from neighbour import Running, wait_until


class Rbldnsd:
    """`zones` maps a zone to its kind of data and the data, as rbldnsd(8) has it."""

    def __init__(self, program: str, zones: dict[str, tuple[str, str]]) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gatepost-rbldnsd-"))
        self.folder.chmod(0o755)
        arguments = []
        for number, (zone, (kind, data)) in enumerate(zones.items()):
            file = self.folder / f"zone-{number}"
            file.write_text("$SOA 60 ns.test. root.test. 1 600 300 86400 60\n$NS 60 ns.test.\n" + data)
            file.chmod(0o644)
            arguments.append(f"{zone}:{kind}:{file.name}")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        user = ["-u", "nobody"] if os.geteuid() == 0 else []
        command = [program, "-n", "-q", *user, "-w", str(self.folder), "-b", f"127.0.0.1/{self.port}", *arguments]
        self._running = Running(command, self.folder)
        assert wait_until(self._answers), self._running.output.read_text("utf-8", "replace")

    def _answers(self) -> bool:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.2)
            sock.sendto(b"\0\1\1\0\0\1\0\0\0\0\0\0\1x\4test\0\0\1\0\1", ("127.0.0.1", self.port))
            try:
                return len(sock.recv(512)) > 0
            except OSError:
                return False

    def stop(self) -> None:
        self._running.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class BadServer:
    """Takes questions; answers what `answer` makes of each, or never where that is None."""

    def __init__(self, answer: bytes | None) -> None:
        self._sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._sock.bind(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self.asked = 0
        self._answer = answer
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                question, peer = self._sock.recvfrom(4096)
            except OSError:
                return
            self.asked += 1
            if self._answer is not None:
                self._sock.sendto(question[:2] + self._answer, peer)

    def stop(self) -> None:
        self._sock.close()
