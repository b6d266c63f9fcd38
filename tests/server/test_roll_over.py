"""Signing keys change under a running gate: DNS shows the next ones, and the workers sign with them."""

from __future__ import annotations

import json
import time
from pathlib import Path

from gatepost import ZoneResolver, dkim
from gatepost.config import parse_settings
from gatepost.server.records.wanted import key_records
from gatepost.server.signing.next_keys import make_next_keys
from handing_in import DOMAIN, PostOffice, letter
from running import ZONE, NameServer, until


def test_the_next_keys_sign_once_dns_shows_them(tmp_path: Path) -> None:
    settings = parse_settings(f'[domains."{DOMAIN}"]\n[store]\nfolder = "store"\n', tmp_path)
    fresh = make_next_keys(settings, DOMAIN, time.time())
    zone = ZONE + "".join(f"{record.text}\n" for record in key_records(fresh))
    server = NameServer(zone)
    office = PostOffice(tmp_path, server.port, more="[signing]\nsettle = 0\n")
    try:
        until(lambda: office.log.count("info signing-key-used ") == 2, "both next keys are used")
        assert office.log.count("info signing-key-retired ") == 2
        assert office.log.count("warning signing-record-missing ") == 2  # those that the test has not published
        names = {key.selector for key in fresh}
        until(lambda: _signed_by(office, zone) == names, "the workers sign with the next keys")
        stages = {one["selector"]: one["stage"] for one in _status(office)}
        assert stages == {"gp-rsa": "old", "gp-ed25519": "old"} | dict.fromkeys(names, "live")
    finally:
        office.stop()
        server.stop()


def _signed_by(office: PostOffice, zone: str) -> set[str]:
    """The selectors whose signatures pass on a message that is handed in now."""
    before = len(office.mailbox("bob"))
    assert office.hand_in(letter())[0] == 250
    raw = office.delivered("bob", before + 1)[-1].read_bytes()
    result = dkim.verify_sync(raw, resolver=ZoneResolver(zone), now=time.time())
    return {one.selector for one in result.signatures if one.result == "pass"}


def _status(office: PostOffice) -> list[dict[str, str]]:
    _, text = office.cli("records", "status", "--json")  # 1: the old keys were never published
    return [json.loads(line) for line in text.splitlines()]
