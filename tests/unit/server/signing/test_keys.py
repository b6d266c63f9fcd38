"""Keys from the first to the last day: made, loaded, changed by what DNS shows, seen by a running signer, deleted."""

from __future__ import annotations

import asyncio
import dataclasses
import os
from pathlib import Path

import pytest

from gatepost import dkim
from gatepost.config import parse_settings
from gatepost.errors import ConfigError, InputError
from gatepost.msgauth.dkim.publish import key_name
from gatepost.server.logs import Log
from gatepost.server.settings import GateSettings
from gatepost.server.signing.fresh import keep_fresh
from gatepost.server.signing.keyfiles import find_keys, key_folder, make_key, write_key
from gatepost.server.signing.keyring import load_ring, read_states, without_keys
from gatepost.server.signing.next_keys import make_next_keys
from gatepost.server.signing.rotation import Happened
from gatepost.server.signing.signer import Signer, check_signing, describe_signing
from gatepost.server.signing.upkeep import look_once, tell
from txt_zone import TxtZone

NOW = 1_795_000_000.0
HOUR, DAY = 3600.0, 86_400.0
MAIL = b"From: ann@example.org\r\nTo: b@example.net\r\nSubject: hello\r\n\r\nHello.\r\n"


def settings_in(folder: Path, more: str = "") -> GateSettings:
    text = f'hostname = "mx.example.org"\n[domains."example.org"]\n[store]\nfolder = "store"\n{more}'
    return parse_settings(text, folder)


@pytest.fixture
def gate(tmp_path: Path) -> GateSettings:
    """A gate as `init` leaves it: two keys that sign."""
    settings = settings_in(tmp_path)
    for algorithm in ("rsa", "ed25519"):
        write_key(key_folder(settings), "example.org", f"gp-{algorithm}", make_key(algorithm))
    return settings


def zone_of(settings: GateSettings) -> TxtZone:
    """DNS as it is when every record of today's keys was published."""
    return TxtZone({key_name(key.selector, key.domain): key.record.encode() for key in read_states(settings)})


def look(settings: GateSettings, zone: TxtZone, now: float) -> list[Happened]:
    return [one.what for one in asyncio.run(look_once(settings, zone, now))]


def signers(settings: GateSettings) -> list[str]:
    return [one.selector for one in load_ring(settings).find("example.org")]


def test_both_keys_sign_rsa_first(gate: GateSettings) -> None:
    look(gate, TxtZone({}), NOW)
    signed = Signer(gate.signing, load_ring(gate)).sign(MAIL, "example.org", NOW)
    assert signed.by == ("gp-rsa@example.org", "gp-ed25519@example.org")
    result = dkim.verify_sync(signed.raw, resolver=zone_of(gate), now=NOW)
    assert [one.result for one in result.signatures] == ["pass", "pass"]
    assert [one.algorithm for one in result.signatures] == ["rsa-sha256", "ed25519-sha256"]


def test_a_roll_over_from_the_command_to_the_last_file(gate: GateSettings) -> None:
    look(gate, TxtZone({}), NOW)
    first = zone_of(gate)
    fresh = make_next_keys(gate, "Example.org.", NOW)
    assert [key.selector for key in fresh] == ["gp20261118-rsa", "gp20261118-ed25519"]
    assert make_next_keys(gate, "example.org", NOW + 5) == fresh  # said twice, made once
    assert signers(gate) == ["gp-rsa", "gp-ed25519"]
    look(gate, first, NOW + 2 * HOUR)
    assert signers(gate) == ["gp-rsa", "gp-ed25519"]  # DNS does not show them
    both = zone_of(gate)
    look(gate, both, NOW + 3 * HOUR)
    look(gate, both, NOW + 4 * HOUR)
    assert signers(gate) == ["gp20261118-rsa", "gp20261118-ed25519"]
    changed = NOW + 4 * HOUR
    stays = gate.signing.keep_old + gate.delivery.expire
    assert look(gate, both, changed + stays - 1) == []
    assert len(find_keys(gate)) == 4
    assert look(gate, both, changed + stays) == [Happened.REMOVABLE, Happened.REMOVABLE]
    assert sorted(file.selector for file in find_keys(gate)) == ["gp20261118-ed25519", "gp20261118-rsa"]
    assert len(read_states(gate)) == 4
    later = TxtZone({name: text for name, text in both.records.items() if "gp2026" in name})
    assert look(gate, later, changed + stays + DAY) == [Happened.GONE, Happened.GONE]
    assert {key.stage.value for key in read_states(gate)} == {"live"}
    assert len(read_states(gate)) == 2


def test_a_state_without_a_file_signs_nothing_and_breaks_nothing(gate: GateSettings) -> None:
    """As a kill between the two leaves it."""
    for key in make_next_keys(gate, "example.org", NOW):
        (key_folder(gate) / "example.org" / f"{key.selector}.key").unlink()
    zone = zone_of(gate)
    look(gate, zone, NOW)
    assert signers(gate) == ["gp-rsa", "gp-ed25519"]


def test_a_running_signer_sees_the_change(gate: GateSettings) -> None:
    signer = Signer(gate.signing, load_ring(gate))
    old = signer.ring

    async def run() -> None:
        task = asyncio.create_task(keep_fresh(signer, gate, Log(), every=0.01))
        await asyncio.sleep(0.05)
        make_next_keys(gate, "example.org", NOW)
        zone = zone_of(gate)
        await look_once(gate, zone, NOW)
        await look_once(gate, zone, NOW + HOUR)
        for _ in range(300):
            if signer.ring.find("example.org")[0].selector == "gp20261118-rsa":
                break
            await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(run())
    assert [one.selector for one in signer.ring.find("example.org")] == ["gp20261118-rsa", "gp20261118-ed25519"]
    assert [one.selector for one in old.find("example.org")] == ["gp-rsa", "gp-ed25519"]


def test_a_parent_signs_for_domains_below_and_unicode_is_the_same_domain(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    write_key(key_folder(settings), "xn--exmple-cua.org", "s", make_key("ed25519"))
    ring = load_ring(settings)
    for name in ("exämple.org", "EXÄMPLE.org", "news.exämple.org", "xn--exmple-cua.org"):
        assert [one.selector for one in ring.find(name)] == ["s"], name
    for name in ("org", "", "ple.org", "\ud800", "a" * 2000, "xn--exmple-cua.org.evil.example"):
        assert ring.find(name) == (), name
    assert without_keys(settings, ring) == ("example.org",)


def test_mail_without_a_key_leaves_unsigned_only_where_the_setting_says_so(tmp_path: Path) -> None:
    refusing = Signer(settings_in(tmp_path).signing, load_ring(settings_in(tmp_path)))
    answer = refusing.sign(MAIL, "example.org", NOW)
    assert answer.refusal
    assert answer.raw == MAIL
    sending = dataclasses.replace(refusing.settings, unsigned="send")
    answer = Signer(sending, refusing.ring).sign(MAIL, "example.org", NOW)
    assert (answer.refusal, answer.reason, answer.by, answer.raw) == ("", "no-key", (), MAIL)


def test_a_message_without_from_is_told_of(gate: GateSettings) -> None:
    answer = Signer(gate.signing, load_ring(gate)).sign(b"To: b@example.net\r\n\r\nx\r\n", "example.org", NOW)
    assert (answer.reason, answer.by) == ("no-from", ())
    assert answer.refusal


def test_keys_that_lie_elsewhere_sign_and_are_never_deleted(tmp_path: Path) -> None:
    path = write_key(tmp_path / "old", "x.example", "sel2020", make_key("rsa"))
    more = f'[signing.domains."example.org"]\nkeys = {{ sel2020 = "{path.relative_to(tmp_path)}" }}\n'
    settings = settings_in(tmp_path, more)
    assert signers(settings) == ["sel2020"]
    make_next_keys(settings, "example.org", NOW)
    zone = zone_of(settings)
    for hours in (0, 1, 24 * 13):
        look(settings, zone, NOW + hours * HOUR)
    assert {key.stage.value for key in read_states(settings) if key.selector == "sel2020"} == {"removable"}
    assert path.exists()


def test_keys_that_cannot_be_used_are_one_clear_line(gate: GateSettings, tmp_path: Path) -> None:
    path = key_folder(gate) / "example.org" / "gp-rsa.key"
    path.chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        load_ring(gate)
    path.chmod(0o600)
    path.write_bytes(b"nonsense")
    with pytest.raises(ConfigError, match="no private key"):
        load_ring(gate)
    path.unlink()
    with pytest.raises(ConfigError, match="cannot be read"):
        load_ring(settings_in(tmp_path, '[signing.domains."example.org"]\nkeys = { s = "nowhere.key" }\n'))
    with pytest.raises(InputError, match="not served here"):
        make_next_keys(gate, "example.net", NOW)


def test_files_that_are_no_keys_are_passed_over(gate: GateSettings) -> None:
    folder = key_folder(gate) / "example.org"
    (folder / "gp-rsa.key~").write_bytes(b"x")
    (folder / ".#odd name.key").write_bytes(b"x")
    (key_folder(gate) / "README").write_bytes(b"x")
    assert len(find_keys(gate)) == 2


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ('fields = ["to"]', "must hold from"),
        ('fields = ["from", "a b"]', "no name of a header field"),
        ('oversign = ["x-other"]', "not signed at all"),
        ("expire = 60", "delivery.expire"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, option: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        check_signing(settings_in(tmp_path, f"[signing]\n{option}\n"))


def test_check_names_the_domain_that_would_be_refused(gate: GateSettings, tmp_path: Path) -> None:
    ports = '[submission]\nlisten_tls = ["127.0.0.1:4650"]\n'
    assert "gp-rsa@example.org" in describe_signing(settings_in(tmp_path, ports))
    other = f'[domains."example.net"]\n{ports}'
    with pytest.raises(ConfigError, match=r"example\.net.*records rotate example\.net"):
        describe_signing(settings_in(tmp_path, other))
    assert describe_signing(settings_in(tmp_path, f'{other}[signing]\nunsigned = "send"\n')).startswith("NOT SIGNED")
    assert "nobody hands in" in describe_signing(settings_in(tmp_path, '[domains."example.net"]\n'))


def test_the_log_says_what_to_do(gate: GateSettings) -> None:
    look(gate, TxtZone({}), NOW)
    wrong = TxtZone(dict.fromkeys(zone_of(gate).records, b"v=DKIM1; p=AAAA"))
    news = asyncio.run(look_once(gate, wrong, NOW + 600))
    read, write = os.pipe()
    tell(news, Log(fd=write, stamp=False))
    os.close(write)
    lines = os.read(read, 10_000).decode().splitlines()
    os.close(read)
    assert len(lines) == 2
    assert all(line.startswith("warning signing-record-wrong domain=example.org selector=gp-") for line in lines)
    assert all("gatepost records print example.org" in line for line in lines)


def test_the_first_look_at_unpublished_keys_warns(gate: GateSettings) -> None:
    assert look(gate, TxtZone({}), NOW) == [Happened.LOST, Happened.LOST]
    assert look(gate, TxtZone({}), NOW + 600) == []
