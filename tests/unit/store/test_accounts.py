"""Accounts: created, listed, checked, removed; never a readable password."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.errors import InputError
from gatepost.store.accounts import Accounts, random_password

NOW = 1_790_000_000.0


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    opened = Accounts.open(tmp_path)
    yield opened
    opened.close()


def test_a_password_is_right_or_not_in_any_case_of_the_address(accounts: Accounts, tmp_path: Path) -> None:
    password = random_password()
    accounts.add("Anna@Example.org", password, NOW)
    assert accounts.is_right("anna@example.ORG", password)
    assert not accounts.is_right("anna@example.org", password + "x")
    assert not accounts.is_right("nobody@example.org", password)
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert password.encode() not in stored
    assert b"$argon2id$" in stored


def test_list_change_remove(accounts: Accounts) -> None:
    for name in ("b", "a"):
        accounts.add(f"{name}@example.org", random_password(), NOW)
    assert accounts.addresses() == ["a@example.org", "b@example.org"]
    accounts.set_password("A@example.org", "correct horse battery")
    assert accounts.is_right("a@example.org", "correct horse battery")
    accounts.remove("a@example.org")
    assert accounts.addresses() == ["b@example.org"]


def test_what_will_not_do_is_refused_and_the_password_not_shown(accounts: Accounts) -> None:
    accounts.add("a@example.org", random_password(), NOW)
    with pytest.raises(InputError, match="exists already"):
        accounts.add("A@example.org", random_password(), NOW)
    with pytest.raises(InputError, match="at least 12") as refusal:
        accounts.add("b@example.org", "hunter2", NOW)
    assert "hunter2" not in str(refusal.value)
    for nonsense in ("", "a", "@x", "a@", "a b@x", "a\r\n@x"):
        with pytest.raises(InputError):
            accounts.add(nonsense, random_password(), NOW)
    with pytest.raises(InputError, match="does not exist"):
        accounts.remove("c@example.org")


def test_random_passwords_differ_and_are_long() -> None:
    passwords = {random_password() for _ in range(100)}
    assert len(passwords) == 100
    assert all(len(password) == 23 for password in passwords)
