"""Where accounts logged in from: remembered over a restart, bounded, forgotten; one secret for all."""

from __future__ import annotations

from pathlib import Path

from gatepost.store.logins import MAX_NETWORKS, Logins

NOW = 1_790_000_000.0
NET = "192.0.2.0/24"


def test_a_network_is_remembered_for_its_account(tmp_path: Path) -> None:
    logins = Logins.open(tmp_path)
    logins.succeeded("ann@example.net", NET, NOW, forget_before=NOW - 100)
    secret = logins.secret
    logins.close()
    again, other = Logins.open(tmp_path), Logins.open(tmp_path)
    assert again.secret == other.secret == secret
    assert len(secret) == 32
    assert again.came_from("ann@example.net", NET, NOW - 50)
    assert not again.came_from("ann@example.net", NET, NOW + 50)
    assert not again.came_from("bob@example.net", NET, NOW - 50)
    assert not again.came_from("ann@example.net", "198.51.100.0/24", NOW - 50)
    again.close()
    other.close()
    assert (tmp_path / "logins.db").stat().st_mode & 0o077 == 0


def test_what_is_old_goes_and_an_account_has_so_many(tmp_path: Path) -> None:
    logins = Logins.open(tmp_path)
    logins.succeeded("bob@example.net", NET, NOW, forget_before=0)
    for n in range(MAX_NETWORKS + 1):
        logins.succeeded("ann@example.net", f"10.{n}.0.0/24", NOW + n, forget_before=0)
    assert not logins.came_from("ann@example.net", "10.0.0.0/24", 0)
    assert logins.came_from("ann@example.net", "10.1.0.0/24", 0)
    assert logins.came_from("bob@example.net", NET, 0)
    logins.succeeded("ann@example.net", NET, NOW + 1000, forget_before=NOW + 1000)
    assert not logins.came_from("bob@example.net", NET, 0)
    assert not logins.came_from("ann@example.net", "10.1.0.0/24", 0)
    logins.close()
