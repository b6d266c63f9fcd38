"""Least privilege: from root to a plain user, once and for good.

In: a user name. Out: a process that can't go back. Standard: POSIX setuid(2), setgroups(2).
Not here: the hardening that systemd does (packaging/gatepost.service).
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path

from gatepost.errors import ConfigError

_OWNED = ("spool", "mail", "journal.db", "accounts.db")  # what the processes write to
_ROOT_MAKES = ("accounts.db", "bans.db", "lists.db")  # as a command, before there is a gate


def lookup_user(name: str) -> pwd.struct_passwd | None:
    """The user to become, or None where there is nothing to do (not root, or no name). ConfigError if unknown."""
    if os.geteuid() != 0 or not name:
        return None
    try:
        return pwd.getpwnam(name)
    except KeyError:
        raise ConfigError("server.user", name, "no such user; `useradd --system` makes one") from None


def _groups_of(user: pwd.struct_passwd) -> list[int]:
    return [group.gr_gid for group in grp.getgrall() if user.pw_name in group.gr_mem]


def become(user: pwd.struct_passwd | None) -> None:
    """Drops root. Supplementary groups are the user's own; there is no way back (saved ids change too)."""
    if user is None:
        return
    os.setgroups(_groups_of(user))
    os.setresgid(user.pw_gid, user.pw_gid, user.pw_gid)
    os.setresuid(user.pw_uid, user.pw_uid, user.pw_uid)
    os.umask(0o077)


def check_folder(folder: Path, user: pwd.struct_passwd | None) -> None:
    """Whether `user` can reach `folder` and owns what is in it. ConfigError with the command that mends it: without
    this look every process would fail, one after the other."""
    if user is None or not folder.is_dir():
        return
    for above in folder.absolute().parents:
        if not _may_enter(above.stat(), user):
            remedy = f"{user.pw_name} cannot enter {above}; chmod o+x {above}, or put the store elsewhere"
            raise ConfigError("store.folder", folder, remedy)
    for path in (folder / name for name in _OWNED):
        if path.exists() and path.lstat().st_uid != user.pw_uid:
            remedy = f"{path.name} in it is not {user.pw_name}'s; chown -R {user.pw_name}: {folder}"
            raise ConfigError("store.folder", folder, remedy)


def _may_enter(folder: os.stat_result, user: pwd.struct_passwd) -> bool:
    if folder.st_uid == user.pw_uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid in (user.pw_gid, *_groups_of(user)):
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def own(path: str, user: pwd.struct_passwd | None) -> None:
    """Makes the folder `path` (mode 0700) if needed and gives it to `user`."""
    os.makedirs(path, mode=0o700, exist_ok=True)
    if user is not None and os.stat(path).st_uid != user.pw_uid:
        os.chown(path, user.pw_uid, user.pw_gid)


def adopt(folder: Path, user: pwd.struct_passwd | None) -> None:
    """Databases that root made (`gatepost init`, `gatepost user`) become `user`'s, who has to write them. A link is
    left alone: in a folder of his, `user` could have made it himself."""
    if user is None:
        return
    for path in (folder / name for name in _ROOT_MAKES):
        if not path.exists():
            continue
        found = path.lstat()
        if found.st_uid == 0 and stat.S_ISREG(found.st_mode) and found.st_nlink == 1:
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
