"""Other directories, as far as no server is needed: hashes, filters, what is believed, what cannot work."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
import hashlib
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import ConfigError, StoreError
from gatepost.net.directory import RecipientCache, check_directory, open_directory
from gatepost.net.directory.hashes import is_right, scram_keys
from gatepost.net.directory.ldap import escape
from gatepost.net.directory.settings import DirectorySettings, LdapSettings, PostgresqlSettings

SECRET = "blue wagons fly home"


def salted(scheme: str, name: str) -> str:
    digest = hashlib.new(name, SECRET.encode() + b"salt").digest()
    return scheme + base64.b64encode(digest + b"salt").decode()


# made by PostgreSQL 15 (password_encryption = scram-sha-256) and RFC 7677 §3
OF_PENCIL = (
    "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
)


@pytest.mark.parametrize(
    "kept",
    [
        PasswordHasher(time_cost=1, memory_cost=1024).hash(SECRET),
        "{ARGON2ID}" + PasswordHasher(time_cost=1, memory_cost=1024).hash(SECRET),
        salted("{SSHA}", "sha1"),
        salted("{ssha256}", "sha256"),
        salted("{SSHA512}", "sha512"),
    ],
)
def test_hashes_of_others(kept: str) -> None:
    assert is_right(kept, SECRET)
    assert not is_right(kept, SECRET + "x")


def test_a_scram_verifier_proves_a_password_too() -> None:
    assert is_right(OF_PENCIL, "pencil")
    assert not is_right(OF_PENCIL, "pencils")
    dovecot = "{SCRAM-SHA-256}" + OF_PENCIL.removeprefix("SCRAM-SHA-256$").replace(":", ",").replace("$", ",")
    keys = scram_keys(dovecot)
    assert keys is not None
    assert keys.iterations == 4096
    assert is_right(dovecot, "pencil")


@pytest.mark.parametrize(
    "kept",
    ["", "secret", "{PLAIN}secret", "{SHA}" + base64.b64encode(hashlib.sha1(b"secret").digest()).decode(),
     "$argon2id$nonsense", "{SSHA}!", "{SSHA}" + base64.b64encode(hashlib.sha1(b"secret").digest()).decode(),
     "$6$salt$hash", OF_PENCIL.replace("4096", "99999999"), OF_PENCIL[:-4]],
)  # fmt: skip
def test_what_cannot_be_read_is_no_wrong_password(kept: str) -> None:
    with pytest.raises(StoreError) as error:
        is_right(kept, "secret")
    assert "secret" not in str(error.value)


@given(st.text())
def test_any_value_is_hidden_in_a_filter(value: str) -> None:
    hidden = escape(value)
    assert not set(hidden) & set("*(){}\0\n ")
    octets = bytearray()
    rest = hidden
    while rest:
        if rest[0] == "\\":
            octets.append(int(rest[1:3], 16))
            rest = rest[3:]
        else:
            octets += rest[0].encode()
            rest = rest[1:]
    assert bytes(octets) == value.encode("utf-8", "replace")


# --- the cache


def test_answers_are_believed_for_a_while_and_errors_never() -> None:
    async def run() -> None:
        now, asked, answers = [0.0], [], {"a@x": True}

        async def ask(address: str) -> bool:
            asked.append(address)
            await asyncio.sleep(0)
            if address == "down@x":
                raise StoreError("down")
            return answers.get(address, False)

        cache = RecipientCache(ask, 10, 5, lambda: now[0])
        assert cache.known("a@x") is None
        assert await asyncio.gather(*(cache.exists("a@x") for _ in range(5))) == [True] * 5
        assert not await cache.exists("b@x")
        assert asked == ["a@x", "b@x"]
        for _ in range(2):
            with pytest.raises(StoreError):
                await cache.exists("down@x")
        assert asked.count("down@x") == 2
        now[0] = 6
        assert (cache.known("a@x"), cache.known("b@x"), cache.known("b@x", stale=True)) == (True, None, False)
        now[0] = 11
        assert (cache.known("a@x"), cache.known("a@x", stale=True)) == (None, True)

    asyncio.run(run())


# --- settings that cannot work

PG = DirectorySettings(kind="postgresql", url="postgresql://gatepost@db.example.org/mail")
LDAP = DirectorySettings(kind="ldap", url="ldaps://ldap.example.org", ldap=LdapSettings(base="dc=example"))


def test_what_can_work() -> None:
    for settings in (DirectorySettings(), PG, LDAP, dataclasses.replace(LDAP, url="ldapi://%2Frun%2Fldapi")):
        check_directory(settings)
    assert open_directory(DirectorySettings()) is None


@pytest.mark.parametrize(
    ("settings", "option"),
    [
        (dataclasses.replace(PG, url=""), "directory.url"),
        (dataclasses.replace(PG, url="mysql://x/y"), "directory.url"),
        (dataclasses.replace(PG, url="postgresql://u:secret@h/mail"), "directory.url"),
        (dataclasses.replace(PG, ca_file="/missing.pem"), "directory.ca_file"),
        (dataclasses.replace(PG, password_file="/missing"), "directory.password_file"),
        (
            dataclasses.replace(PG, postgresql=PostgresqlSettings(recipient_query="SELECT 1")),
            "directory.postgresql.recipient_query",
        ),
        (dataclasses.replace(LDAP, url="http://x"), "directory.url"),
        (dataclasses.replace(LDAP, url="ldap://x:port"), "directory.url"),
        (dataclasses.replace(LDAP, tls="none"), "directory.tls"),
        (dataclasses.replace(LDAP, ldap=LdapSettings()), "directory.ldap.base"),
        (dataclasses.replace(LDAP, ldap=LdapSettings(base="x", bind_dn="cn=x")), "directory.ldap.bind_dn"),
        (dataclasses.replace(LDAP, ldap=LdapSettings(base="x", login_filter="(&(mail={address})")), "directory.ldap"),
        (dataclasses.replace(LDAP, ldap=LdapSettings(base="x", login_filter="(a=b)")), "directory.ldap.login_filter"),
    ],
)
def test_what_cannot_work_is_told_before_it_is_tried(settings: DirectorySettings, option: str) -> None:
    with pytest.raises(ConfigError) as error:
        check_directory(settings)
    assert error.value.field == option
    assert "secret" not in str(error.value)


def test_a_password_file_is_for_us_alone(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("hidden\n")
    settings = dataclasses.replace(PG, password_file=str(path))
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        check_directory(settings)
    path.chmod(0o600)
    check_directory(settings)
    path.write_text("\n")
    with pytest.raises(ConfigError, match="first line"):
        check_directory(settings)


@pytest.mark.parametrize(
    ("kind", "module", "extra"), [("postgresql", "asyncpg", "cluster"), ("ldap", "sansldap", "ldap")]
)
def test_a_missing_library_names_the_extra(kind: str, module: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ConfigError, match=rf"gatepost\[{extra}\]"):
        check_directory(PG if kind == "postgresql" else LDAP)
