"""A real Postfix on loopback, as the one who relays to us or as our next hop.

In: a folder and settings of main.cf. Out: `Postfix` with its port, its log and the Maildirs it delivered to.
Configuration: postconf(5), master(5); no DNS is asked, no file below /etc is touched.
"""

from __future__ import annotations

import grp
import os
import pwd
import subprocess
from collections.abc import Mapping
from pathlib import Path

from neighbour import Running, free_port, is_listening, laid_over, wait_for_port, wait_until

SERVICES = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
lmtp      unix  - - n - - lmtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
virtual   unix  - n n - - virtual
anvil     unix  - - n - 1 anvil
postlog   unix-dgram n - n - 1 postlogd
"""
QUEUE = [
    "active",
    "bounce",
    "corrupt",
    "defer",
    "deferred",
    "flush",
    "hold",
    "incoming",
    "pid",
    "private",
    "saved",
    "trace",
]


class Postfix:
    """`settings` override the defaults below, `services` are more lines for master.cf ("{port}" is filled in); mail for
    example.net is delivered to Maildirs by `virtual`."""

    def __init__(
        self, unpacked: Path, folder: Path, settings: Mapping[str, str] | None = None, services: str = ""
    ) -> None:
        self.unpacked, self.folder, self.port = unpacked, folder, free_port()
        self.maildirs = folder / "mail"
        self._services = SERVICES + services
        self._make_folders()
        self._write_configuration(settings or {})
        master = ["/usr/lib/postfix/sbin/master", "-s", "-c", str(folder / "conf")]
        self._running = Running(laid_over(unpacked, master), folder)
        try:
            wait_for_port(self.port)
        except OSError as error:
            self._running.stop()
            raise AssertionError(f"Postfix did not start: {self.log} {self._running.output.read_text()}") from error

    def _make_folders(self) -> None:
        owner = pwd.getpwnam("postfix").pw_uid
        drop = grp.getgrnam("postdrop").gr_gid
        nobody = pwd.getpwnam("nobody").pw_uid
        for parent in (
            self.folder,
            *self.folder.parents[:3],
        ):  # Postfix' daemons are not root; pytest's folders are 0700
            parent.chmod(parent.stat().st_mode | 0o011) if parent.stat().st_uid == os.getuid() else None
        spool = self.folder / "spool"
        for folder in (spool, self.folder / "conf", self.folder / "data", self.maildirs):
            folder.mkdir()
        for name in QUEUE:
            (spool / name).mkdir(mode=0o700)
            os.chown(spool / name, 0 if name == "pid" else owner, 0)
        (spool / "pid").chmod(0o755)
        for name, mode in (("public", 0o710), ("maildrop", 0o1730)):
            (spool / name).mkdir()
            os.chown(spool / name, owner, drop)
            (spool / name).chmod(mode)
        os.chown(self.folder / "data", owner, 0)
        os.chown(self.maildirs, nobody, -1)

    def _write_configuration(self, settings: Mapping[str, str]) -> None:
        main = {
            "compatibility_level": "3.6",
            "queue_directory": f"{self.folder}/spool",
            "data_directory": f"{self.folder}/data",
            "command_directory": "/usr/sbin",
            "daemon_directory": "/usr/lib/postfix/sbin",
            "maillog_file_prefixes": str(self.folder),
            "maillog_file": f"{self.folder}/mail.log",
            "inet_interfaces": "127.0.0.1",
            "inet_protocols": "ipv4",
            "myhostname": "postfix.example.org",
            "mydestination": "",
            "mynetworks": "127.0.0.0/8",
            "smtpd_peername_lookup": "no",  # nobody here asks the system's resolver
            "smtp_dns_support_level": "disabled",
            "alias_maps": "",
            "alias_database": "",
            "local_recipient_maps": "",
            "virtual_mailbox_domains": "example.net",
            "virtual_mailbox_base": str(self.maildirs),
            "virtual_mailbox_maps": "inline:{ user@example.net=user/ other@example.net=other/ }",
            "virtual_uid_maps": "static:65534",
            "virtual_gid_maps": "static:65534",
            "smtpd_recipient_restrictions": "permit_mynetworks, reject",
        } | settings
        conf = self.folder / "conf"
        (conf / "main.cf").write_text("".join(f"{key} = {value}\n" for key, value in main.items()))
        (conf / "master.cf").write_text(self._services.format(port=self.port))

    @property
    def log(self) -> str:
        """What Postfix has logged so far."""
        path = self.folder / "mail.log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def mail_of(self, mailbox: str) -> list[bytes]:
        """The messages delivered to `mailbox` ("user")."""
        return [path.read_bytes() for path in sorted((self.maildirs / mailbox / "new").glob("*"))]

    def flush(self) -> None:
        """Tries all that is deferred once more."""
        command = ["postqueue", "-c", str(self.folder / "conf"), "-f"]
        subprocess.run(laid_over(self.unpacked, command), check=True, capture_output=True)

    def stop(self) -> None:
        """Ends Postfix and its children (master ends them); returns when nobody listens any more."""
        self._running.stop()
        wait_until(lambda: not is_listening(self.port))
