"""Accounts in a real PostgreSQL and a real OpenLDAP: who gets mail, who logs in, who may write as whom; and that a
directory that is down, slow, wrong or lying calls nobody unknown and lets nobody in."""

from __future__ import annotations

import asyncio
import dataclasses
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest
from argon2 import PasswordHasher
from neighbour import tool, wait_until
from openldap import OpenLdap, ssha
from postgresql import BIN, PASSWORD, Postgresql

from gatepost.errors import StoreError
from gatepost.net.authority import make_authority
from gatepost.net.directory import ExternalDirectory, open_directory
from gatepost.net.directory.settings import DirectorySettings, LdapSettings, PostgresqlSettings
from gatepost.server.directory import GateDirectory
from gatepost.store.accounts import Accounts
from gatepost.store.accounts.scram import derive_keys
from running import NameServer, RunningGate, mail

Missing = Callable[[str], None]
Answer = TypeVar("Answer")
SECRET = "blue wagons fly home"


@dataclasses.dataclass(frozen=True)
class Papers:
    """An authority's certificate in a file, and a server's."""

    ca_file: Path
    authority: bytes
    chain: bytes
    key: bytes


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    folder = tmp_path_factory.mktemp("papers")
    authority = make_authority("Test", now=time.time())
    authority.save(folder)
    leaf = authority.issue(["localhost"], now=time.time())
    pem = (folder / "ca.pem").read_bytes()
    return Papers(ca_file=folder / "ca.pem", authority=pem, chain=leaf.chain, key=leaf.key)


def folder_for(name: str) -> Path:
    return Path(tempfile.mkdtemp(prefix=f"gatepost-{name}-"))


def own_password(folder: Path, text: str) -> str:
    path = folder / f"own-password-{len(text)}"
    path.write_text(text + "\n")
    path.chmod(0o600)
    return str(path)


def answers(settings: DirectorySettings, work: Callable[[ExternalDirectory], Awaitable[Answer]]) -> Answer:
    """What `work` answers with a directory of these settings."""

    async def run() -> Answer:
        directory = open_directory(settings)
        assert directory is not None
        try:
            return await work(directory)
        finally:
            await directory.close()

    return asyncio.run(run())


def fails(settings: DirectorySettings, told: str) -> None:
    """Everything that may be asked is answered with StoreError: never with yes or no."""

    async def ask(directory: ExternalDirectory) -> None:
        asked = (
            directory.exists("ann@example.org"),
            directory.exists("nobody@example.org"),
            directory.check_password("ann@example.org", SECRET),
            directory.check_password("ann@example.org", "wrong"),
        )
        for one in asked:
            with pytest.raises(StoreError, match=told):
                await one

    answers(settings, ask)


# --- PostgreSQL


@pytest.fixture(scope="module")
def postgresql(papers: Papers, report_missing: Missing) -> Iterator[Postgresql]:
    if not (BIN / "postgres").exists():
        report_missing("the program postgres (postgresql-15)")
    keys = derive_keys(SECRET, iterations=4096)
    import base64

    salt, stored, server = (base64.b64encode(o).decode() for o in (keys.salt, keys.stored_key, keys.server_key))
    argon2 = PasswordHasher(time_cost=1, memory_cost=1024).hash(SECRET)
    sql = f"""
        CREATE TABLE mailbox (address text PRIMARY KEY, password_hash text);
        CREATE TABLE sender (account text, address text);
        INSERT INTO mailbox VALUES ('ann@example.org', '{argon2}'), ('scram@example.org',
            'SCRAM-SHA-256$4096:{salt}${stored}:{server}'), ('plain@example.org', 'secret'), ('ann@gate.example', 'x'),
            ('empty@example.org', NULL);
        INSERT INTO sender VALUES ('ann@example.org', 'sales@example.org');
        GRANT SELECT ON mailbox, sender TO gate;
    """
    folder = folder_for("postgresql")
    started = Postgresql(folder, sql, papers.chain, papers.key)
    yield started
    started.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def pg(postgresql: Postgresql, papers: Papers, tmp_path: Path) -> DirectorySettings:
    return DirectorySettings(
        kind="postgresql",
        url=f"postgresql://gate@localhost:{postgresql.port}/mail",
        password_file=own_password(tmp_path, PASSWORD),
        ca_file=str(papers.ca_file),
        timeout=5,
        postgresql=PostgresqlSettings(sender_query="SELECT 1 FROM sender WHERE account = $1 AND address = $2"),
    )


def test_postgresql_knows_who_is_there(pg: DirectorySettings) -> None:
    async def ask(directory: ExternalDirectory) -> None:
        found = await directory.check_password("ann@example.org", SECRET)
        assert found is not None
        assert found.account == "ann@example.org"
        assert await directory.exists("ann@example.org")
        for nobody in ("nobody@example.org", "", "' OR '1'='1", "%", "ann@example.org'--", "a\0b", "\U0001f600"):
            assert not await directory.exists(nobody)
            assert await directory.check_password(nobody, SECRET) is None
            assert await directory.verifier(nobody) is None
        assert await directory.check_password("ann@example.org", "wrong") is None
        assert await directory.check_password("ann@example.org", "") is None
        assert await directory.may_send_as("ann@example.org", "sales@example.org")
        assert not await directory.may_send_as("ann@example.org", "boss@example.org")
        many = await asyncio.gather(*(directory.exists("ann@example.org") for _ in range(50)))
        assert all(many)

    answers(pg, ask)


def test_scram_verifiers_of_postgresql(pg: DirectorySettings) -> None:
    async def ask(directory: ExternalDirectory) -> None:
        kept = await directory.verifier("scram@example.org")
        assert kept is not None
        assert kept.stored_key == derive_keys(SECRET, salt=kept.salt, iterations=kept.iterations).stored_key
        assert await directory.check_password("scram@example.org", SECRET)
        assert await directory.verifier("ann@example.org") is None
        for damaged in ("plain@example.org", "empty@example.org"):
            with pytest.raises(StoreError):
                await directory.check_password(damaged, "secret")

    answers(pg, ask)


def test_a_query_may_compare_the_password_itself(pg: DirectorySettings) -> None:
    query = "SELECT address FROM mailbox WHERE address = $1 AND password_hash = $2"
    settings = dataclasses.replace(pg, postgresql=PostgresqlSettings(password_query=query))

    async def ask(directory: ExternalDirectory) -> None:
        assert await directory.check_password("plain@example.org", "secret")
        assert await directory.check_password("plain@example.org", "secret' OR 'a'='a") is None
        assert await directory.check_password("plain@example.org", "a\0b") is None
        assert await directory.verifier("scram@example.org") is None

    answers(settings, ask)


def test_postgresql_over_its_socket(pg: DirectorySettings, postgresql: Postgresql) -> None:
    url = f"postgresql://gate@/mail?host={postgresql.socket}&port={postgresql.port}"
    assert answers(dataclasses.replace(pg, url=url, ca_file=""), lambda directory: directory.exists("ann@example.org"))


def test_what_is_wrong_with_postgresql_is_never_nobody(pg: DirectorySettings, papers: Papers, tmp_path: Path) -> None:
    make_authority("Another", now=time.time()).save(tmp_path)
    fails(dataclasses.replace(pg, ca_file=str(tmp_path / "ca.pem")), "PostgreSQL")
    fails(dataclasses.replace(pg, url=pg.url.replace("localhost", "127.0.0.1")), "PostgreSQL")  # not in the certificate
    fails(dataclasses.replace(pg, tls="none"), "PostgreSQL")  # the server demands it
    fails(dataclasses.replace(pg, password_file=own_password(tmp_path, "wrong")), "PostgreSQL")
    broken = PostgresqlSettings(recipient_query="SELECT nonsense($1)", password_query="SELECT nonsense($1)")
    fails(dataclasses.replace(pg, postgresql=broken), "PostgreSQL")
    slow = "SELECT 1, pg_sleep(30) WHERE $1 <> ''"
    settings = PostgresqlSettings(recipient_query=slow, password_query=slow)
    fails(dataclasses.replace(pg, postgresql=settings, timeout=0.3), "PostgreSQL does not answer")


# --- LDAP


@pytest.fixture(scope="module")
def openldap(papers: Papers, report_missing: Missing) -> Iterator[OpenLdap]:
    program = tool.found("slapd")
    if program is None:
        report_missing("the program slapd")
    people = "".join(
        f"dn: uid={uid},ou=people,dc=example,dc=org\nobjectClass: inetOrgPerson\nuid: {uid}\ncn: {uid}\nsn: {uid}\n"
        f"{addresses}userPassword: {ssha(SECRET)}\n\n"
        for uid, addresses in {
            "ann": "mail: Ann@example.org\ndescription: sales@example.org\n",
            "two1": "mail: two@example.org\n",
            "two2": "mail: two@example.org\n",
            "nomail": "",
        }.items()
    )
    ldif = (
        "dn: dc=example,dc=org\nobjectClass: dcObject\nobjectClass: organization\no: Example\ndc: example\n\n"
        "dn: ou=people,dc=example,dc=org\nobjectClass: organizationalUnit\nou: people\n\n"
        "dn: cn=gate,dc=example,dc=org\nobjectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: gate\n"
        f"userPassword: {ssha(PASSWORD)}\n\n{people}"
    )
    folder = folder_for("openldap")
    started = OpenLdap(str(program), folder, ldif, authority=papers.authority, chain=papers.chain, key=papers.key)
    yield started
    started.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def ldap(openldap: OpenLdap, papers: Papers, tmp_path: Path) -> DirectorySettings:
    return DirectorySettings(
        kind="ldap",
        url=f"ldaps://localhost:{openldap.tls_port}",
        password_file=own_password(tmp_path, PASSWORD),
        ca_file=str(papers.ca_file),
        timeout=5,
        ldap=LdapSettings(
            base="ou=people,dc=example,dc=org",
            bind_dn="cn=gate,dc=example,dc=org",
            login_filter="(|(mail={address})(uid={address}))",
            sender_filter="(&(mail={account})(description={address}))",
        ),
    )


@pytest.fixture(params=["ldaps", "starttls", "socket"])
def any_ldap(request: pytest.FixtureRequest, ldap: DirectorySettings, openldap: OpenLdap) -> DirectorySettings:
    if request.param == "starttls":
        return dataclasses.replace(ldap, url=f"ldap://localhost:{openldap.port}")
    if request.param == "socket":
        return dataclasses.replace(ldap, url=openldap.socket_url)
    return ldap


def test_ldap_knows_who_is_there(any_ldap: DirectorySettings) -> None:
    async def ask(directory: ExternalDirectory) -> None:
        found = await directory.check_password("ann@example.org", SECRET)
        assert found is not None
        assert found.account == "ann@example.org"
        assert await directory.exists("ann@example.org")
        for nobody in (
            "nobody@example.org",
            "",
            "*",
            "ann@*",
            "*)(uid=*",
            "ann@example.org)(|(uid=*",
            "a\0b",
            "\\2a",
            "{local}",
        ):
            assert not await directory.exists(nobody)
            assert await directory.check_password(nobody, SECRET) is None
        for wrong in ("wrong", "", SECRET + " ", "x" * 1000):
            assert await directory.check_password("ann@example.org", wrong) is None
        assert await directory.may_send_as("ann@example.org", "sales@example.org")
        assert not await directory.may_send_as("ann@example.org", "*")
        assert not await directory.may_send_as("*", "sales@example.org")
        assert await directory.verifier("ann@example.org") is None
        assert all(await asyncio.gather(*(directory.exists("ann@example.org") for _ in range(30))))

    answers(any_ldap, ask)


def test_one_name_means_one_entry_with_an_address(ldap: DirectorySettings) -> None:
    async def ask(directory: ExternalDirectory) -> None:
        with pytest.raises(StoreError, match="more than one entry"):
            await directory.check_password("two@example.org", SECRET)
        with pytest.raises(StoreError, match="has no address in mail"):
            await directory.check_password("nomail", SECRET)
        assert await directory.check_password("nomail", "wrong") is None

    answers(ldap, ask)


def test_what_is_wrong_with_ldap_is_never_nobody(ldap: DirectorySettings, openldap: OpenLdap, tmp_path: Path) -> None:
    make_authority("Another", now=time.time()).save(tmp_path)
    fails(dataclasses.replace(ldap, ca_file=str(tmp_path / "ca.pem")), "LDAP does not answer")
    fails(dataclasses.replace(ldap, url=f"ldaps://127.0.0.1:{openldap.tls_port}"), "LDAP does not answer")
    fails(dataclasses.replace(ldap, url=f"ldap://localhost:{openldap.port}", tls="none"), "refuses to bind")
    fails(dataclasses.replace(ldap, password_file=own_password(tmp_path, "wrong")), "our own password is wrong")
    away = dataclasses.replace(ldap.ldap, base="ou=nowhere,dc=example,dc=org")
    fails(dataclasses.replace(ldap, ldap=away), "no such object")


class Liar:
    """A server on loopback that says `answer` to whoever connects, or nothing."""

    def __init__(self, answer: bytes) -> None:
        self._sock = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._sock.getsockname()[1]
        self._answer = answer
        self._held: list[socket.socket] = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                peer, _ = self._sock.accept()
                self._held.append(peer)
                if self._answer:
                    peer.sendall(self._answer)
            except OSError:
                return

    def stop(self) -> None:
        self._sock.close()
        for peer in self._held:
            peer.close()


BABBLE = [
    b"",
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"\x30\x84\x7f\xff\xff\xff" + b"x" * 100,
    bytes.fromhex("300c02010161070a010004000400"),  # "you are bound", before anybody asked
    bytes.fromhex("300c02010978070a010004000400"),  # an answer to something else
    b"\x30\x80\x00\x00" * 1000,
]
LIES = [*((kind, answer) for kind in ("ldap", "postgresql") for answer in BABBLE), ("ldap", b"\0" * 2_000_000)]


@pytest.mark.parametrize(("kind", "answer"), LIES, ids=[str(number) for number in range(len(LIES))])
def test_a_server_that_lies_or_hangs(kind: str, answer: bytes, tmp_path: Path) -> None:
    liar = Liar(answer)
    try:
        url = f"ldap://127.0.0.1:{liar.port}" if kind == "ldap" else f"postgresql://gate@127.0.0.1:{liar.port}/mail"
        settings = DirectorySettings(
            kind=kind,  # type: ignore[arg-type]
            url=url,
            tls="verified" if kind == "ldap" else "none",
            timeout=0.3,
            ldap=LdapSettings(base="dc=example"),
        )
        fails(settings, "directory: ")
    finally:
        liar.stop()


# --- in the gate


def test_what_we_say_of_accounts_holds_for_those_of_another_directory(pg: DirectorySettings, tmp_path: Path) -> None:
    async def run() -> None:
        accounts = Accounts.open(tmp_path / "store")
        settings = dataclasses.replace(pg, home="example.org")
        directory = GateDirectory(settings, accounts, at_once=1, waiting=5)
        ann = "ann@example.org"
        try:
            found = await directory.check_password("ann", SECRET)
            assert found is not None
            app = accounts.app_passwords.add(ann, "phone", ["imap"], 0.0, elsewhere=True)
            accounts.certificates.add(ann, "fingerprint", "ab" * 32, 0.0, elsewhere=True)
            accounts.rights.delegate(ann, "@other.example", 0.0)
            used = await directory.check_password(ann, app)
            assert used is not None
            assert (used.account, used.credential) == (ann, "app:phone")
            assert await directory.by_certificate("ab" * 32, "")
            assert await directory.may_send_as(ann, "x@other.example")
            assert await directory.may_send_as(ann, "sales@example.org")
            assert not await directory.may_send_as(ann, "x@third.example")
            accounts.rights.suspend(ann, "stolen", 1.0)
            accounts.rights.suspend("scram@example.org", "stolen", 1.0)
            for password in (SECRET, app):
                assert await directory.check_password(ann, password) is None
            assert await directory.by_certificate("ab" * 32, "") is None
            assert await directory.verifier("scram@example.org") is None
            assert await directory.exists(ann)
        finally:
            await directory.close()

    asyncio.run(run())


def test_a_gate_with_its_accounts_in_postgresql(pg: DirectorySettings, postgresql: Postgresql, tmp_path: Path) -> None:
    more = (
        f'[directory]\nkind = "postgresql"\nurl = "{pg.url}"\npassword_file = "{pg.password_file}"\n'
        f'ca_file = "{pg.ca_file}"\ntimeout = 2.0\ncache_positive = 0\ncache_negative = 0\n'
    )
    dns = NameServer()
    (tmp_path / "gate").mkdir()
    gate = RunningGate(tmp_path / "gate", dns.port, more=more)

    def rcpt(address: str) -> int:
        with gate.client() as client:
            client.ehlo()
            client.mail("joe@sender.example")
            return client.rcpt(address)[0]

    try:
        postgresql.sql("INSERT INTO mailbox VALUES ('zoe@gate.example', 'x')")
        assert gate.send(mail(), "zoe+lists@gate.example")[0] == 250
        assert gate.delivered("zoe")
        assert rcpt("nobody@gate.example") == 550
        assert rcpt("bob@gate.example") == 250  # of the configuration
        postgresql.stop()
        assert rcpt("zoe@gate.example") == 451
        assert rcpt("nobody@gate.example") == 451
        assert rcpt("bob@gate.example") == 250
        assert "directory-failed" in gate.log
        postgresql.start()
        assert wait_until(lambda: rcpt("zoe@gate.example") == 250)
        assert rcpt("nobody@gate.example") == 550
        assert PASSWORD not in gate.log
    finally:
        gate.stop()
        dns.stop()
