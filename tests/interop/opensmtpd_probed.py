"""A real OpenSMTPD on loopback, to be tested: with the rules given, safe or not.

In: a folder, a certificate and its key, rules. Out: `ProbedOpenSmtpd` with its port and output. Configuration:
smtpd.conf(5). Its built-in folders are laid over in a mount namespace of its own, and so is resolv.conf: it looks for
the name of every client, and nobody answers. It takes mail for user@example.net. Not here: a next hop (`opensmtpd`).
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from neighbour import Running, free_port, wait_for_port

SAFE_RULES = 'match from any for rcpt-to <recipients> action "keep"\n'
OPEN_RULES = 'match from any for domain "example.net" action "keep"\nmatch from any for any action "away"\n'
CONFIGURATION = """\
pki here cert "{cert}"
pki here key "{key}"
table recipients {{ "user@example.net", "postmaster@example.net" }}
table people {{ "user@example.net" = "nobody", "postmaster@example.net" = "nobody" }}
listen on 127.0.0.1 port {port} tls pki here hostname "smtpd.example.org"
action "keep" maildir "{d}/mail/%{{rcpt.user}}" virtual <people>
action "away" relay host "smtp://127.0.0.1:9"
{rules}"""
START = """\
mount -t overlay overlay -o lowerdir="$0/usr":/usr /usr
for place in /var/spool /var/lib /run; do mount -t tmpfs tmpfs $place; done
mount --bind "$2" "$(readlink -f /etc/resolv.conf)"
mkdir -p /var/spool/smtpd /var/lib/opensmtpd/empty && chmod 711 /var/spool/smtpd
exec /usr/sbin/smtpd -d -f "$1"
"""


class ProbedOpenSmtpd:
    """Started at construction."""

    def __init__(self, unpacked: Path, folder: Path, certificate: Path, key: Path, rules: str = SAFE_RULES) -> None:
        self.folder, self.port = folder, free_port()
        (folder / "mail").mkdir()
        os.chown(folder / "mail", pwd.getpwnam("nobody").pw_uid, -1)
        own = folder / "smtpd.key"
        own.write_bytes(key.read_bytes())
        own.chmod(0o600)
        configuration, names = folder / "smtpd.conf", folder / "resolv.conf"
        configuration.write_text(CONFIGURATION.format(d=folder, port=self.port, cert=certificate, key=own, rules=rules))
        names.write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        names.chmod(0o644)
        command = ["unshare", "--mount", "sh", "-ec", START, str(unpacked), str(configuration), str(names)]
        self._running = Running(command, folder)
        try:
            wait_for_port(self.port)
        except OSError as error:
            self._running.stop()
            raise AssertionError(f"OpenSMTPD did not start: {self.log}") from error

    @property
    def log(self) -> str:
        """What it has said so far."""
        return self._running.output.read_text("utf-8", "replace")

    def stop(self) -> None:
        """Ends it and its children."""
        self._running.stop()
