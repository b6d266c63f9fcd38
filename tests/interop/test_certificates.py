"""Certificates from a real Pebble, with a real Knot: HTTP-01 through a running gate whose TLSA records are right at
every moment of two changes of keys, DNS-01 with a wildcard, and what goes wrong."""

from __future__ import annotations

import asyncio
import hashlib
import json
import smtplib
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from knot import Knot
from neighbour import tool
from pebble import Pebble

from gatepost.config import parse_settings
from gatepost.net.resolver import DnsResolver
from gatepost.net.tls import end_point
from gatepost.server.certificates.check import prepare_certificates
from gatepost.server.certificates.renewal import names_of
from gatepost.server.certificates.state import CertificateState
from gatepost.server.certificates.upkeep import Upkeep
from gatepost.server.logs import Log
from running import RunningGate, free_port, until
from schemas import validator

pytestmark = pytest.mark.neighbour("knotd", "pebble")
TLSA = "_25._tcp.mx.gate.example"
TTL = 4  # seconds: longer than a gate takes to show a new certificate, or the checker would see no mistake
NAMES = ("mx.gate.example", "mta-sts.gate.example")


class World:
    """Knot, Pebble, and the port where our HTTP is looked for."""

    def __init__(self, missing: Callable[[str], None]) -> None:
        programs = [tool.found(name) for name in ("knotd", "pebble")]
        for program, name in zip(programs, ("knotd", "pebble"), strict=True):
            if program is None:
                missing(f"the program {name}")
        hosts = "".join(f"{name}. 1 IN A 127.0.0.1\n" for name in NAMES)
        self.http = free_port()
        self.knot = Knot(str(programs[0]), {"gate.example": hosts})
        self.pebble = Pebble(str(programs[1]), http_port=self.http, dns_port=self.knot.port)

    def stop(self) -> None:
        self.pebble.stop()
        self.knot.stop()


@pytest.fixture(scope="module")
def world(report_missing: Callable[[str], None]) -> Iterator[World]:
    found = World(report_missing)
    yield found
    found.stop()


def public_data(certificate: bytes) -> str:
    key = x509.load_der_x509_certificate(certificate).public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


class Checker:
    """Looks like a sender that checks DANE, without a pause, with the records of this moment and with those that a
    cache may still hold."""

    def __init__(self, knot: Knot, port: int, ttl: float) -> None:
        self._knot, self._port, self._ttl = knot, port, ttl
        self.served: list[str] = []
        self.wrong: list[str] = []
        self._sets: list[tuple[float, set[str]]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _look(self) -> set[str]:
        found = {text.rpartition(" ")[2].lower() for text in self._knot.shows(TLSA, "TLSA")}
        self._sets.append((time.monotonic(), found))
        return found

    def _run(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        while not self._stop.is_set():
            time.sleep(0.05)
            self._look()
            began = time.monotonic()
            with smtplib.SMTP("127.0.0.1", self._port, timeout=20) as client:
                client.starttls(context=context)
                data = public_data(client.sock.getpeercert(True))  # type: ignore[union-attr]
            if not self.served or self.served[-1] != data:
                self.served.append(data)
            held = [found for at, found in self._sets if at >= began - self._ttl]
            self.wrong += [f"{data} served, {sorted(found)} held" for found in held if found and data not in found]

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)


def test_over_http_with_tlsa_records_that_are_right_at_every_moment(world: World, tmp_path: Path, curl: str) -> None:
    names, https = ", ".join(f'"{name}"' for name in NAMES), free_port()
    more = f"""
[acme]
names = [{names}]
tlsa = "publish"
settle = 0
check_every = 1
{world.pebble.settings}
[https]
listen = ["127.0.0.1:{https}"]
http_listen = ["127.0.0.1:{world.http}"]
{world.knot.settings}ttl = {TTL}
"""
    gate = RunningGate(tmp_path, world.knot.port, more=more)
    checker = None
    try:
        until(lambda: gate.log.count("info tlsa-published ") >= 2, "both keys' records are published")
        checker = Checker(world.knot, gate.port, TTL)
        until(lambda: gate.log.count("info certificate-renewed ") == 1, "the first certificate is shown")
        context = ssl.create_default_context(cadata=world.pebble.root)
        (shown,) = gate.cli_json("certificate", "show")
        until(lambda: time.time() > shown["next_seen_since"] + TTL + 1, "the next key may be used")
        code, text = gate.cli("certificate", "renew")
        assert (code, "Renewed" in text) == (0, True), text
        until(lambda: "info tlsa-removed " in gate.log, "the record of the key before is gone")
        (shown,) = gate.cli_json("certificate", "show")
        validator("certificate-show").validate(shown)
        assert shown["names"] == list(NAMES)
        assert sorted(world.knot.shows(TLSA, "TLSA")) == sorted(f"3 1 1 {shown[key]}" for key in ("key", "next_key"))
        with smtplib.SMTP("127.0.0.1", gate.port, timeout=20) as client:
            client._host = NAMES[0]  # type: ignore[attr-defined] # what is asked for and checked
            client.starttls(context=context)
            assert public_data(client.sock.getpeercert(True)) == shown["key"]  # type: ignore[union-attr]
        records = [
            json.loads(line)["record"]
            for line in gate.cli("records", "print", "gate.example", "--json")[1].splitlines()
        ]
        assert f"{TLSA}. IN TLSA 3 1 1 {shown['next_key']}" in records
        (tmp_path / "root.pem").write_text(world.pebble.root)
        command = [curl, "-sS", "--cacert", str(tmp_path / "root.pem"), "--resolve", f"{NAMES[1]}:{https}:127.0.0.1"]
        url = f"https://{NAMES[1]}:{https}/.well-known/mta-sts.txt"
        policy = subprocess.run([*command, url], capture_output=True, check=True, timeout=60).stdout
        assert policy.startswith(b"version: STSv1\r\nmode: testing\r\nmx: mx.gate.example\r\n")
        checker.stop()
        assert not checker.wrong
        assert len(set(checker.served)) == 2  # the first certificate kept the self-signed one's key
        assert checker.served[-1] == shown["key"]
        folder = tmp_path / "store" / "certificates"
        assert {path.stat().st_mode & 0o77 for path in folder.rglob("*")} == {0}
        assert len(list(folder.rglob("key.pem"))) == 1  # older keys are of use to thieves only
        assert not list((folder / "challenges").iterdir())
    finally:
        if checker is not None:
            checker.stop()
        gate.stop()


def settings_of(
    world: World,
    folder: Path,
    more: str = "",
    names: str = '"mx.gate.example"',
    host: str = "none",
    authority: str = "",
):  # type: ignore[no-untyped-def]
    text = f"""
hostname = "mx.gate.example"
[domains."gate.example"]
[acme]
names = [{names}]
challenge = "dns-01"
dns_delay = 0
settle = 0
tlsa_names = ["{host}.gate.example"]
{authority or world.pebble.settings}
{more}
{world.knot.settings}ttl = 1
[store]
folder = "store"
[dns]
servers = ["127.0.0.1:{world.knot.port}"]
max_negative_ttl = 0
"""
    settings = parse_settings(text, folder)
    prepare_certificates(settings, None, time.time())
    return settings


def look(settings, clock: Callable[[], float] = time.time) -> tuple[CertificateState, Upkeep]:  # type: ignore[no-untyped-def]
    async def once() -> tuple[CertificateState, Upkeep]:
        upkeep = Upkeep(settings, DnsResolver(settings.dns), Log("warning"), b"", clock=clock)
        pair = upkeep.folder.current()
        assert pair is not None
        upkeep.shown = end_point(pair.leaf)
        return await upkeep.look_once(), upkeep

    return asyncio.run(once())


def test_over_dns_with_a_wildcard(world: World, tmp_path: Path) -> None:
    names = '"mx.gate.example", "*.gate.example", "gate.example"'
    state, upkeep = look(settings_of(world, tmp_path, names=names))
    pair = upkeep.folder.current()
    assert (state.error, state.failures) == ("", 0)
    assert pair is not None
    assert names_of(pair.leaf) == {"mx.gate.example", "*.gate.example", "gate.example"}
    assert world.knot.shows("_acme-challenge.gate.example", "TXT") == []
    account = (upkeep.folder.path / "account.json").read_bytes()
    upkeep.folder.ask()
    look(upkeep.settings)
    again = upkeep.folder.current()
    assert again is not None
    assert again.chain != pair.chain
    assert again.key != pair.key  # no TLSA record stands, so nobody minds
    assert (upkeep.folder.path / "account.json").read_bytes() == account
    gone_account = {
        "directory": world.pebble.directory,
        "uri": f"https://127.0.0.1:{world.pebble.port}/my-account/gone",
    }
    (upkeep.folder.path / "account.json").write_text(json.dumps(gone_account))
    for good in (False, True):  # an account that the authority has forgotten is made anew at the next try
        upkeep.folder.ask()
        state, _ = look(upkeep.settings)
        assert bool(state.error) is not good, state.error


def test_an_account_that_is_known_already(world: World, tmp_path: Path) -> None:
    key = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"
    strict = Pebble(str(tool.found("pebble")), http_port=1, dns_port=world.knot.port, eab={"kid-1": key})
    try:
        (tmp_path / "eab").write_text(key + "\n")
        (tmp_path / "eab").chmod(0o600)
        own = f'directory = "{strict.directory}"\nca_file = "{strict.web_root}"\n'
        for number, (more, says) in enumerate((("", "external"), ('eab_kid = "kid-1"\neab_key_file = "../eab"', ""))):
            folder = tmp_path / str(number)
            folder.mkdir()
            state, upkeep = look(settings_of(world, folder, more=f"{more}\n{own}", authority="agree_to_terms = true"))
            assert says in state.error.lower()
            pair = upkeep.folder.current()
            assert pair is not None
            assert pair.is_self_signed is bool(says)
            assert bool(state.error) is bool(says)
    finally:
        strict.stop()


def test_a_tlsa_record_that_somebody_else_keeps_is_never_broken(
    world: World, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Trap: certificate renewed, TLSA not."""
    settings = settings_of(world, tmp_path, host="other")
    _, upkeep = look(settings)
    first = upkeep.folder.current()
    assert first is not None
    by_hand = f"_25._tcp.other.gate.example. 1 IN TLSA 3 1 1 {public_data(first.leaf.public_bytes(Encoding.DER))}"
    world.knot.change(f"add {by_hand}")
    upkeep.folder.ask()
    look(settings)
    second = upkeep.folder.current()
    assert second is not None
    assert (second.chain != first.chain, second.key) == (True, first.key)
    told = capfd.readouterr().err
    assert "warning tlsa-next-missing " in told
    assert "warning certificate-key-kept " in told


@pytest.mark.parametrize(
    ("names", "more", "says"),
    [
        ('"mx.elsewhere.example"', "", "dns-01: "),
        ('"mx.gate.example"', 'eab_kid = "none"\neab_key_file = "key"', "chmod 600"),
    ],
)
def test_a_failure_says_why_and_is_tried_again_later(
    world: World, tmp_path: Path, names: str, more: str, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "key").write_text("c2VjcmV0")
    settings = settings_of(world, tmp_path, names=names, more=more)
    state, upkeep = look(settings)
    assert says in state.error
    assert state.failures == 1
    assert "error certificate-failed " in capfd.readouterr().err
    again, _ = look(settings)
    assert again == CertificateState(**{**_fields(again), "failures": 1, "retry_at": state.retry_at})
    later, _ = look(settings, clock=lambda: state.retry_at + 1)
    assert later.failures == 2
    assert later.retry_at - state.retry_at > 1000
    pair = upkeep.folder.current()
    assert pair is not None
    assert pair.is_self_signed


def _fields(state: CertificateState) -> dict[str, object]:
    return {name: getattr(state, name) for name in state.__dataclass_fields__}


def test_an_authority_that_is_not_there(world: World, tmp_path: Path) -> None:
    settings = settings_of(world, tmp_path)
    import dataclasses

    for late, directory, ca_file, says in (
        (0, f"https://127.0.0.1:{free_port()}/dir", str(world.pebble.web_root), "cannot be reached"),
        (1e5, world.pebble.directory, "", "not trusted"),
    ):
        acme = dataclasses.replace(settings.acme, directory=directory, ca_file=ca_file)
        state, _ = look(dataclasses.replace(settings, acme=acme), clock=lambda late=late: time.time() + late)
        assert says in state.error
