"""A real clamd with signatures of the test's own, on a unix socket and on 127.0.0.1.

In: a folder, more lines for clamd.conf. Out: `Clamd`: its addresses; it stops by process id.
"""

from __future__ import annotations

from pathlib import Path

from neighbour import Running, free_port, wait_for_port

from gatepost.net.settings import ScannerSettings

MALWARE = b"GATEPOST-HARMLESS-TEST-STRING-THAT-A-SIGNATURE-OF-THIS-TEST-KNOWS"
NAME = "Gatepost.Test-1.UNOFFICIAL"
CONFIG = """
DatabaseDirectory {folder}/db
LocalSocket {folder}/clamd.ctl
TCPSocket {port}
TCPAddr 127.0.0.1
PidFile {folder}/clamd.pid
TemporaryDirectory {folder}
Foreground yes
LogFile {folder}/clamd.log
StreamMaxLength 1M
{more}
"""


class Clamd:
    """clamd, listening. It knows one signature."""

    def __init__(self, program: str, folder: Path, more: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        (folder / "db").mkdir()
        (folder / "db" / "test.ndb").write_text(f"Gatepost.Test-1:0:*:{MALWARE.hex()}\n")
        (folder / "clamd.conf").write_text(CONFIG.format(folder=folder, port=self.port, more=more))
        self.running = Running([program, "--config-file", str(folder / "clamd.conf")], folder)
        try:
            wait_for_port(self.port, 60)
        except OSError:
            self.stop()
            raise AssertionError(self.running.output.read_text("utf-8", "replace")) from None

    def settings(self, *, tcp: bool = False, **more: object) -> ScannerSettings:
        """How to reach it."""
        address = f"127.0.0.1:{self.port}" if tcp else str(self.folder / "clamd.ctl")
        return ScannerSettings(address=address, **more)  # type: ignore[arg-type]

    def stop(self) -> None:
        self.running.stop()
