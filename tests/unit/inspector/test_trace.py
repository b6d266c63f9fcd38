"""inspector.trace: whose hop is judged, and where the trust ends."""

from __future__ import annotations

import pytest

from gatepost.errors import ConfigError
from gatepost.inspector.settings import InspectorSettings
from gatepost.inspector.trace import JudgedFrom, judge_from, read_path
from gatepost.message.message import Message, parse_message
from gatepost.names import Session
from judging import CLEAN_HEADER, DATE

RELAYS = ("203.0.113.0/24", "2001:db8:1::/48")
STRANGER = Session(client_ip="198.51.100.7", ehlo_domain="a.example", protocol="ESMTP", received_at=1_764_000_000)


def hop(name: str, ip: str, by: str = "mx.example.net", protocol: str = "ESMTP", date: str = DATE) -> str:
    address = f" ([{'IPv6:' if ':' in ip else ''}{ip}])" if ip else ""
    return f"Received: from {name}{address} by {by} with {protocol} id 1; {date}\n"


def message(*hops: str) -> Message:
    return parse_message(("".join(hops) + CLEAN_HEADER + "\nx\n").replace("\n", "\r\n").encode())


def test_a_stranger_is_judged_himself_whatever_his_fields_say() -> None:
    session, path = read_path(message(hop("good.example", "192.0.2.10")), STRANGER, RELAYS)
    assert session is STRANGER
    assert path.judged_from is JudgedFrom.SESSION
    assert [h.trusted for h in path.hops] == [False, True]
    assert path.hops[-1].address == "198.51.100.7"


@pytest.mark.parametrize("relay", ["203.0.113.9", "2001:db8:1::9"])
def test_behind_a_relay_its_own_field_names_the_hop_to_judge(relay: str) -> None:
    mail = message(hop("a.example", "192.0.2.10", "relay.example", "ESMTPS"), hop("b.example", "192.0.2.11"))
    session, path = read_path(mail, Session(client_ip=relay, ehlo_domain="relay.example"), RELAYS)
    assert (session.client_ip, session.ehlo_domain, session.relay_ip) == ("192.0.2.10", "a.example", relay)
    assert session.protocol == "ESMTPS"
    assert session.tls is not None
    assert (path.judged_from, path.judged_by, path.trusted_fields) == (JudgedFrom.RECEIVED, "relay.example", 1)


def test_a_chain_of_relays_is_followed_to_its_end() -> None:
    mail = message(hop("r2.example", "203.0.113.2"), hop("r1.example", "203.0.113.1"), hop("a.example", "192.0.2.10"))
    session, path = read_path(mail, Session(client_ip="203.0.113.3"), RELAYS)
    assert session.client_ip == "192.0.2.10"
    assert [h.trusted for h in path.hops] == [True, True, True]


def test_below_the_first_stranger_nothing_is_believed() -> None:
    mail = message(
        hop("a.example", "198.51.100.7"), hop("r1.example", "203.0.113.1"), hop("good.example", "192.0.2.10")
    )
    session, path = read_path(mail, Session(client_ip="203.0.113.3"), RELAYS)
    assert session.client_ip == "198.51.100.7"
    assert [h.trusted for h in path.hops] == [False, False, True]


def test_a_relay_that_does_not_name_its_client_is_judged_itself() -> None:
    relay = Session(client_ip="203.0.113.3")
    mail = message("Received: by relay.example; x\n", hop("good.example", "192.0.2.10"))
    assert judge_from(relay, mail, RELAYS) is relay
    assert judge_from(relay, message(), RELAYS) is relay


def test_no_private_network_is_trusted_by_itself() -> None:
    bridge = Session(client_ip="172.17.0.1")
    assert judge_from(bridge, message(hop("good.example", "192.0.2.10"))) is bridge


def test_a_saved_file_is_judged_by_the_first_field_that_names_an_outside_address() -> None:
    mail = message(
        "Received: from mx (localhost) by store.example.net with LMTP; x\n",
        hop("scan", "127.0.0.1"),
        hop("front", "10.1.1.1"),
        hop("a.example", "192.0.2.10"),
        hop("b.example", "192.0.2.11"),
    )
    session, path = read_path(mail, Session(), saved=True)
    assert session.client_ip == "192.0.2.10"
    assert path.trusted_fields == 4
    assert path.received_at == 1_764_000_000


def test_a_saved_file_without_a_trace_is_not_judged_by_address() -> None:
    session, path = read_path(message(), Session(ehlo_domain="x"), saved=True)
    assert session.client_ip == ""
    assert path.judged_from is JudgedFrom.UNKNOWN
    assert path.hops == ()


def test_delays_are_between_hops_that_tell_a_time() -> None:
    mail = message(
        hop("c", "", date="Mon, 24 Nov 2025 16:01:00 +0000"),
        hop("b", "", date="never"),
        hop("a", "", date="Mon, 24 Nov 2025 17:00:00 +0100"),
    )
    _, path = read_path(mail, STRANGER)
    assert [h.delay for h in path.hops] == [None, None, 60, STRANGER.received_at - 1_764_000_060]
    assert path.times == (1_764_000_000, None, 1_764_000_060)


def test_a_network_that_is_none_is_refused_when_it_is_set() -> None:
    with pytest.raises(ConfigError, match="trusted_relays"):
        InspectorSettings(trusted_relays=("relay.example",))
