"""What root made before there was a gate becomes the gate's user's; nothing else does."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

import pytest

from gatepost.server.privileges import adopt, check_folder


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_only_our_own_files_are_given_away(tmp_path: Path) -> None:
    user = pwd.getpwnam("nobody")
    other = tmp_path / "etc"
    other.mkdir()
    (other / "shadow").write_text("root's")
    store = tmp_path / "store"
    store.mkdir()
    (store / "accounts.db").touch()
    (store / "notes.txt").touch()
    os.link(other / "shadow", store / "bans.db")
    (store / "lists.db").symlink_to(other / "shadow")
    adopt(store, None)
    assert (store / "accounts.db").stat().st_uid == 0
    adopt(store, user)
    assert (store / "accounts.db").stat().st_uid == user.pw_uid
    assert {(other / "shadow").stat().st_uid, (store / "notes.txt").stat().st_uid} == {0}
    for above in (tmp_path, *tmp_path.parents[:2]):
        above.chmod(above.stat().st_mode | 0o011)
    check_folder(store, user)
