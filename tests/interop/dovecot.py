"""A real Dovecot on loopback: LMTP takes mail in, IMAP shows it.

In: a folder. Out: `Dovecot` with the ports of LMTP and IMAP. Any user exists; the password is PASSWORD.
Configuration: doc.dovecot.org 2.3; its mailboxes are Maildirs below the private folder.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from neighbour import Running, free_port, laid_over, wait_for_port

PASSWORD = "neighbourly"
CONFIGURATION = """\
protocols = lmtp imap
listen = 127.0.0.1
base_dir = {d}/run
state_dir = {d}/state
log_path = {d}/dovecot.log
ssl = no
disable_plaintext_auth = no
default_internal_user = dovecot
default_internal_group = dovecot
default_login_user = dovenull
first_valid_uid = 1
first_valid_gid = 1
mail_location = maildir:{d}/mail/%u
postmaster_address = postmaster@example.net
hostname = dovecot.example.net
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=nobody gid=nogroup home={d}/mail/%u allow_all_users=yes
}}
service lmtp {{
  inet_listener lmtp {{
    port = {lmtp}
  }}
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
{extra}
"""


class Dovecot:
    """Started at construction; `extra` is appended to the configuration."""

    def __init__(self, unpacked: Path, folder: Path, extra: str = "") -> None:
        self.folder, self.lmtp_port, self.imap_port = folder, free_port(), free_port()
        for parent in (folder, *folder.parents[:3]):  # its children run as other users; pytest's folders are 0700
            if parent.stat().st_uid == os.getuid():
                parent.chmod(parent.stat().st_mode | 0o011)
        (folder / "mail").mkdir()
        os.chown(folder / "mail", pwd.getpwnam("nobody").pw_uid, -1)
        text = CONFIGURATION.format(d=folder, password=PASSWORD, lmtp=self.lmtp_port, imap=self.imap_port, extra=extra)
        (folder / "dovecot.conf").write_text(text)
        command = ["/usr/sbin/dovecot", "-F", "-c", str(folder / "dovecot.conf")]
        self._running = Running(laid_over(unpacked, command), folder)
        wait_for_port(self.lmtp_port)
        wait_for_port(self.imap_port)

    @property
    def log(self) -> str:
        """What Dovecot has logged so far."""
        path = self.folder / "dovecot.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def mail_of(self, user: str) -> list[bytes]:
        """The messages in the inbox of `user` ("user@example.net")."""
        inbox = self.folder / "mail" / user
        return [path.read_bytes() for part in ("new", "cur") for path in sorted((inbox / part).glob("*"))]

    def stop(self) -> None:
        """Ends Dovecot and its children (the master ends them)."""
        self._running.stop()
