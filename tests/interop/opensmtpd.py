"""A real OpenSMTPD on loopback, as our next hop.

In: a folder, a certificate. Out: `OpenSmtpd` with its port, its log and the Maildirs it delivered to. It takes mail for
user@ and other@example.net, refuses no@ and defers later@. Its queue has a built-in path: it is laid over in a private
mount namespace, like its program. Configuration: smtpd.conf(5).
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from neighbour import Running, free_port, wait_for_port

CONFIGURATION = """\
pki mx.example cert "{certificate}"
pki mx.example key "{key}"
table people {{ "user@example.net" = "nobody", "other@example.net" = "nobody" }}
filter "refuse" phase rcpt-to match rcpt-to {{ "no@example.net" }} reject "550 5.1.1 nobody of this name"
filter "defer" phase rcpt-to match rcpt-to {{ "later@example.net" }} reject "450 4.2.1 asleep"
listen on 127.0.0.1 port {port} tls pki mx.example hostname "opensmtpd.example.org" filter {{ "refuse", "defer" }}
action "keep" maildir "{folder}/mail/%{{rcpt.user}}" virtual <people>
match from any for domain "example.net" action "keep"
"""
START = """\
mount -t overlay overlay -o lowerdir="$0/usr":/usr /usr
for place in /var/spool /var/lib /run; do mount -t tmpfs tmpfs $place; done
mkdir -p /var/spool/smtpd /var/lib/opensmtpd/empty && chmod 711 /var/spool/smtpd
exec /usr/sbin/smtpd -d -f "$1"
"""


class OpenSmtpd:
    """Started at construction."""

    def __init__(self, unpacked: Path, folder: Path, certificate: Path, key: Path) -> None:
        self.folder, self.port = folder, free_port()
        for parent in (folder, *folder.parents[:3]):  # its delivery is not root; pytest's folders are 0700
            if parent.stat().st_uid == os.getuid():
                parent.chmod(parent.stat().st_mode | 0o011)
        (folder / "mail").mkdir()
        os.chown(folder / "mail", pwd.getpwnam("nobody").pw_uid, -1)
        own = folder / "smtpd.key"
        own.write_bytes(key.read_bytes())
        own.chmod(0o600)
        text = CONFIGURATION.format(folder=folder, port=self.port, certificate=certificate, key=own)
        configuration = folder / "smtpd.conf"
        configuration.write_text(text)
        command = ["unshare", "--mount", "sh", "-ec", START, str(unpacked), str(configuration)]
        self._running = Running(command, folder)
        try:
            wait_for_port(self.port)
        except OSError as error:
            self._running.stop()
            raise AssertionError(f"OpenSMTPD did not start: {self.log}") from error

    @property
    def log(self) -> str:
        """What OpenSMTPD has logged so far."""
        return self._running.output.read_text("utf-8", "replace")

    def mail_of(self, mailbox: str) -> list[bytes]:
        """The messages delivered to `mailbox` ("user")."""
        return [path.read_bytes() for path in sorted((self.folder / "mail" / mailbox / "new").glob("*"))]

    def stop(self) -> None:
        """Ends it and its children."""
        self._running.stop()
