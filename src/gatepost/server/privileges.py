"""Least privilege: from root to a plain user, once and for good.

In: a user name. Out: a process that can't go back. Standard: POSIX setuid(2), setgroups(2).
Not here: the hardening that systemd does (packaging/gatepost.service).
"""

from __future__ import annotations

import grp
import os
import pwd

from gatepost.errors import ConfigError


def lookup_user(name: str) -> pwd.struct_passwd | None:
    """The user to become, or None where there is nothing to do (not root, or no name). ConfigError if unknown."""
    if os.geteuid() != 0 or not name:
        return None
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise ConfigError("server.user", name, "no such user; `useradd --system` makes one") from None


def become(user: pwd.struct_passwd | None) -> None:
    """Drops root. Supplementary groups are the user's own; there is no way back (saved ids change too)."""
    if user is None:
        return
    groups = [group.gr_gid for group in grp.getgrall() if user.pw_name in group.gr_mem]
    os.setgroups(groups)
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.umask(0o077)


def own(path: str, user: pwd.struct_passwd | None) -> None:
    """Makes the folder `path` (mode 0700) if needed and gives it to `user`."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    if user is not None and os.stat(path).st_uid != user.pw_uid:
        os.chown(path, user.pw_uid, user.pw_gid)
