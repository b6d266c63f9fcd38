"""A real Exim on loopback, to be tested or to be sent to.

In: a folder, settings for the main section, the recipients' ACL. Out: `Exim` with its port, log and Maildirs.
Configuration: exim 4.96's specification; no DNS is asked, no file below /etc is touched. It takes mail for user@ and
postmaster@example.net and delivers it to Maildirs.
"""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from neighbour import Running, free_port, laid_over, wait_for_port

SAFE_ACL = """\
  drop   condition = ${if >{$rcpt_fail_count}{5}}
         message = too many unknown recipients
  accept domains = example.net
         local_parts = user : postmaster
  deny   message = not here
"""
SAFE_AUTH_ACL = """\
  drop   ratelimit = 5 / 1h / strict / per_cmd
         message = too many tries
  accept
"""
CONFIGURATION = """\
primary_hostname = exim.example.org
spool_directory = {d}/spool
log_file_path = {d}/log/%slog
pid_file_path = {d}/exim.pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
host_lookup =
rfc1413_hosts =
keep_environment =
smtp_banner = {banner}
acl_smtp_rcpt = check_rcpt
acl_smtp_data = check_data
acl_smtp_auth = check_auth
{main}
begin acl
check_rcpt:
{acl}
check_data:
  accept
check_auth:
{auth_acl}
begin routers
here:
  driver = accept
  domains = example.net
  transport = maildir
elsewhere:
  driver = accept
  transport = nowhere
begin transports
maildir:
  driver = appendfile
  directory = {d}/mail/$local_part
  maildir_format
  user = nobody
  group = nogroup
nowhere:
  driver = appendfile
  file = /dev/null
  user = nobody
  group = nogroup
begin retry
* * F,2h,15m
begin rewrite
begin authenticators
{authenticators}
"""


class Exim:
    """Started at construction."""

    def __init__(
        self,
        unpacked: Path,
        folder: Path,
        *,
        main: str = "",
        acl: str = SAFE_ACL,
        auth_acl: str = SAFE_AUTH_ACL,
        authenticators: str = "",
        banner: str = "$primary_hostname ESMTP",
    ) -> None:
        self.folder, self.port = folder, free_port()
        owner = pwd.getpwnam("Debian-exim")
        for name in ("spool", "log", "mail"):
            (folder / name).mkdir()
        for name in ("spool", "log"):
            os.chown(folder / name, owner.pw_uid, owner.pw_gid)
        os.chown(folder / "mail", pwd.getpwnam("nobody").pw_uid, -1)
        text = CONFIGURATION.format(
            d=folder,
            port=self.port,
            main=main,
            acl=acl,
            auth_acl=auth_acl,
            authenticators=authenticators,
            banner=banner,
        )
        configuration = folder / "exim.conf"
        configuration.write_text(text)
        configuration.chmod(0o644)
        command = ["/usr/sbin/exim4", "-bdf", "-q5m", "-C", str(configuration)]
        self._running = Running(laid_over(unpacked, command), folder)
        try:
            wait_for_port(self.port)
        except OSError as error:
            self._running.stop()
            raise AssertionError(f"Exim did not start: {self.log} {self._running.output.read_text()}") from error

    @property
    def log(self) -> str:
        """What Exim has logged so far."""
        return "".join(path.read_text("utf-8", "replace") for path in sorted((self.folder / "log").glob("*log")))

    def mail_of(self, mailbox: str) -> list[bytes]:
        """The messages delivered to `mailbox` ("user")."""
        return [path.read_bytes() for path in sorted((self.folder / "mail" / mailbox / "new").glob("*"))]

    def stop(self) -> None:
        """Ends the daemon; its children end with their sessions."""
        self._running.stop()
