"""A letter to other domains: handed in, signed, sent by MX past a dead host; back with the reason if it fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from handing_in import PostOffice, letter
from next_hop import NextHop
from running import ZONE, NameServer, until

ELSEWHERE = """
far.example. 300 IN MX 10 dead.far.example.
far.example. 300 IN MX 20 mx.far.example.
dead.far.example. 300 IN A 127.0.0.44
mx.far.example. 300 IN A 127.0.0.1
alone.example. 300 IN A 127.0.0.1
null.example. 300 IN MX 0 .
"""


@pytest.fixture
def far() -> Iterator[NextHop]:
    hop = NextHop()
    hop.refuses = {"nobody@far.example": "550 5.1.1 no such user", "later@far.example": "450 4.2.0 come again"}
    yield hop
    hop.stop()


@pytest.fixture
def office(tmp_path: Path, far: NextHop) -> Iterator[PostOffice]:
    server = NameServer(ZONE + ELSEWHERE)
    more = f'[delivery]\nrelay = "mx"\nmx_port = {far.port}\nforbidden_networks = []\n'
    office = PostOffice(tmp_path, server.port, more=more)
    yield office
    office.stop()
    server.stop()


def test_out_by_mx(office: PostOffice, far: NextHop) -> None:
    """Mail goes out by MX, past a dead host"""
    assert office.hand_in(letter(), "joe@far.example")[0] == 250
    assert office.hand_in(letter(), "joe@alone.example")[0] == 250
    until(lambda: bool(far.mail_for("joe@far.example")) and bool(far.mail_for("joe@alone.example")), "both arrived")
    (raw,) = far.mail_for("joe@far.example")
    assert raw.count(b"DKIM-Signature: ") == 2
    until(lambda: "relay=mx.far.example[127.0.0.1]" in office.log, "the log names the host that took it")

    for address, reason in (
        ("nobody@far.example", b"Status: 5.1.1"),
        ("joe@null.example", b"Status: 5.1.10"),
        ("joe@gone.example", b"Status: 5.1.2"),
    ):
        before = len(office.mailbox("ann"))
        assert office.hand_in(letter(), address)[0] == 250
        report = office.delivered("ann", before + 1)
        assert any(reason in path.read_bytes() and address.encode() in path.read_bytes() for path in report), address

    assert office.hand_in(letter(), "later@far.example")[0] == 250
    until(lambda: bool(_waiting(office)) and _waiting(office)[0]["attempts"] > 0, "it waits")
    (waiting,) = _waiting(office)
    assert "come again" in waiting["last_reply"]
    far.refuses.clear()
    code, text = office.cli("queue", "retry", "--all")
    assert code == 0, text
    until(lambda: bool(far.mail_for("later@far.example")), "retried at once")
    until(lambda: not _waiting(office), "nothing waits")
    assert len(far.mail_for("joe@far.example")) == 1


def _waiting(office: PostOffice) -> list[dict[str, object]]:
    return [recipient for found in office.cli_json("queue", "list") for recipient in found["recipients"]]
