"""What is refused as a password, and what an audit finds of those that exist."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest

from gatepost.errors import InputError
from gatepost.store.accounts import Accounts, random_password
from gatepost.store.accounts.audit import audit, candidates
from gatepost.store.accounts.passwords import hash_password
from gatepost.store.accounts.strength import check_strength, common_passwords, unforeseen

ANNA = "anna.berg@bergwerk.example"
ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "passwordpassword",
        "PasswordPassword",
        "Password2026!!",
        "P@$$w0rd-1234!",
        "qwertyuiop12",
        "1qaz2wsx3edc4rfv",
        "summer2026rain",
        "123456789012345",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "anna.berg@bergwerk.example",
        "AnnaBerg-2026",
        "bergwerk-1234!",
        "Winter2026!Winter",
        "admin@123admin@123",
    ],
)
def test_what_anybody_would_try_is_refused(password: str) -> None:
    with pytest.raises(InputError) as refused:
        check_strength(password, ANNA)
    assert password not in str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "verlaufen im dunklen Wald",
        "Tr0ub4dor&3xyz",
        "x9!kQz-anna-T4vw",
        "два зелёных слона идут",
    ],
)
def test_what_nobody_would_try_is_taken(password: str) -> None:
    check_strength(password, ANNA)


def test_random_ones_always_pass() -> None:
    for _ in range(300):
        check_strength(random_password(), ANNA)


def test_any_text_is_counted_within_its_length() -> None:
    for text in ("", "1", "ab" * 512, "\U0001f600" * 30, "İ" * 20, "a" * 1024):
        assert 0 <= unforeseen(text, ANNA) <= len(text.lower()) + 1


def test_the_list_is_what_the_tool_makes() -> None:
    found = common_passwords()
    assert 2000 <= len(found) <= 10_000
    assert len(set(found)) == len(found)
    assert {"123456", "password", "admin", "calvin", "changeme", "vagrant", "xc3511"} <= set(found)
    spec = importlib.util.spec_from_file_location("make_passwords", ROOT / "tools" / "make_passwords.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    assert tool.TARGET.read_text("utf-8") == tool.text()


# --- audit


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    opened = Accounts.open(tmp_path)
    yield opened
    opened.close()


def _set_by_others(accounts: Accounts, address: str, password: str) -> None:
    """As an import, or an earlier version, may have left it."""
    accounts.add(address, random_password(), 0.0)
    accounts.book.write(("UPDATE account SET password_hash = ? WHERE address = ?", (hash_password(password), address)))


def test_weak_ones_are_found_and_not_told(accounts: Accounts) -> None:
    _set_by_others(accounts, "carl@example.org", "123456")
    _set_by_others(accounts, "dora@example.org", "Dora")
    accounts.add("eve@example.org", random_password(), 0.0)
    seen: list[int] = []
    found = audit(accounts, guesses=8, year=2026, is_over=lambda: False, progress=seen.append)
    assert {(weak.account, weak.kind) for weak in found.weak} == {
        ("carl@example.org", "common"),
        ("dora@example.org", "name"),
    }
    assert (found.accounts, found.guesses, found.as_json()["complete"]) == (3, 8, True)
    assert "123456" not in str(found.as_json())
    assert seen[-1] <= 24
    assert audit(accounts, only="eve@example.org", guesses=1, year=2026, is_over=lambda: False).accounts == 1


def test_a_search_that_is_cut_short_was_even(accounts: Accounts) -> None:
    for name in ("a1", "b1"):
        accounts.add(f"{name}@example.org", random_password(), 0.0)
    turns = iter([False, False, False, True])
    found = audit(accounts, guesses=50, year=2026, is_over=lambda: next(turns))
    assert (found.guesses, found.wanted, found.as_json()["complete"]) == (1, 50, False)


def test_the_guesses_are_names_and_common_ones_in_turn() -> None:
    tries = candidates(ANNA, 2026)
    first = [next(tries) for _ in range(60)]
    assert {kind for kind, _ in first} == {"name", "common"}
    assert len(set(first)) == 60
    assert ("common", "123456") in first
    assert {guess for _, guess in candidates(ANNA, 2026)} >= {"anna2026", "Bergwerk2026!", "berg123"}
