"""Delivery meets real servers: LMTP into Dovecot, SMTP into Postfix, with what they refuse, defer and promise."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from delivering import FAST, RAW, Gate
from dovecot import Dovecot
from postfix import Postfix

from gatepost.message.dsn import read_dsn
from gatepost.message.message import parse_message
from gatepost.names import Body, Recipient
from gatepost.server.delivery.settings import DeliverySettings
from gatepost.store.spool import State


@pytest.fixture
def make_gate(tmp_path: Path) -> Iterator[Callable[..., Gate]]:
    made: list[Gate] = []

    def make(routes: dict[str, str], settings: DeliverySettings = FAST) -> Gate:
        made.append(Gate(tmp_path / f"gate{len(made)}", routes, settings))
        return made[-1]

    yield make
    for gate in made:
        gate.close()


def test_lmtp_into_dovecot_arrives_octet_by_octet(
    make_gate: Callable[..., Gate], dovecot: Callable[..., Dovecot]
) -> None:
    server = dovecot()
    gate = make_gate({"example.net": f"lmtp:127.0.0.1:{server.lmtp_port}"})
    ids = [gate.add("user@example.net", "other@example.net") for _ in range(5)]
    gate.deliver(lambda: all(gate.spool.get(i) is None for i in ids))
    for address in ("user@example.net", "other@example.net"):
        mails = server.mail_of(address)
        assert len(mails) == 5, gate.log + server.log
        # Dovecot stores LF and adds its own trace on top
        assert mails[0].replace(b"\r\n", b"\n").endswith(RAW.replace(b"\r\n", b"\n"))
        assert mails[0].startswith(b"Return-Path: <a@example.org>")
    assert gate.log.count("status=sent") == 10


def test_lmtp_answers_once_a_recipient(make_gate: Callable[..., Gate], dovecot: Callable[..., Dovecot]) -> None:
    server = dovecot()
    gate = make_gate({"example.net": f"lmtp:127.0.0.1:{server.lmtp_port}"})
    gate.add("user@example.net", "not*allowed@example.net")  # Dovecot's auth_username_chars has no "*"
    gate.deliver(lambda: gate.log.count("status=") == 2)
    assert len(server.mail_of("user@example.net")) == 1, gate.log
    assert gate.log.count("status=sent") == 1, gate.log


def test_smtp_into_postfix_over_one_connection(make_gate: Callable[..., Gate], postfix: Callable[..., Postfix]) -> None:
    server = postfix()
    settings = DeliverySettings(connection_idle=1.0, connections_per_hop=1)
    gate = make_gate({"example.net": f"smtp:127.0.0.1:{server.port}"}, settings)
    ids = [gate.add("user@example.net") for _ in range(10)]
    gate.deliver(lambda: all(gate.spool.get(i) is None for i in ids))
    assert server.log.count(": connect from") == 2, server.log  # the fixture's own look, and ours
    assert gate.log.count("status=sent") == 10


def test_what_postfix_refuses_bounces_to_the_sender_and_what_it_defers_stays(
    make_gate: Callable[..., Gate], postfix: Callable[..., Postfix]
) -> None:
    rules = "inline:{ {no@example.net=550 5.1.1 nobody of this name}, {later@example.net=450 4.2.1 asleep} }"
    server = postfix({"smtpd_recipient_restrictions": f"check_recipient_access {rules}, permit_mynetworks, reject"})
    settings = DeliverySettings(connection_idle=0.2, retry_min=60.0)
    gate = make_gate({"example.net": f"smtp:127.0.0.1:{server.port}", "example.org": "maildir"}, settings)
    message_id = gate.add("user@example.net", "no@example.net", "later@example.net", envid="id-1", ret="FULL")
    gate.deliver(lambda: gate.inbox("a@example.org"))
    (report,) = gate.inbox("a@example.org")
    dsn = read_dsn(parse_message(report))
    assert dsn is not None
    assert [(r.final_recipient, r.status) for r in dsn.recipients] == [("no@example.net", "5.1.1")]
    assert "nobody of this name" in dsn.recipients[0].diagnostic
    assert RAW.strip() in report
    kept = gate.spool.get(message_id)
    assert kept is not None
    assert [r.state for r in kept.recipients] == [State.DELIVERED, State.FAILED, State.QUEUED]


def test_postfix_gets_the_dsn_wishes_and_reports_by_itself(
    make_gate: Callable[..., Gate], postfix: Callable[..., Postfix]
) -> None:
    server = postfix()
    gate = make_gate({"example.net": f"smtp:127.0.0.1:{server.port}", "example.org": "maildir"})
    wish = Recipient(address="user@example.net", notify=("SUCCESS",), orcpt="rfc822;user@example.net")
    message_id = gate.add(wish, ret="HDRS", envid="QQ314159")
    gate.deliver(lambda: gate.spool.get(message_id) is None)
    assert "sender delivery status notification" in server.log or _wait_log(server, "status notification"), server.log
    assert gate.inbox("a@example.org") == []  # RFC 3461 §5.2.1: the hop that took the wish fulfils it


def _wait_log(server: Postfix, text: str) -> bool:
    end = time.monotonic() + 10
    while text not in server.log and time.monotonic() < end:
        time.sleep(0.1)
    return text in server.log


def test_eight_bit_and_utf8_reach_postfix_as_they_are(
    make_gate: Callable[..., Gate], postfix: Callable[..., Postfix]
) -> None:
    server = postfix()
    gate = make_gate({"example.net": f"smtp:127.0.0.1:{server.port}"})
    date = "Date: Mon, 16 Nov 2026 10:00:00 +0000\r\nMessage-ID: <2@example.org>\r\n"  # else Postfix adds its own
    raw = f"From: a@example.org\r\n{date}Subject: grüße\r\n\r\nhéllo\r\n".encode()
    message_id = gate.add("user@example.net", raw=raw, body=Body.EIGHT_BIT, smtputf8=True)
    gate.deliver(lambda: gate.spool.get(message_id) is None)
    gate.deliver(lambda: server.mail_of("user"))
    assert server.mail_of("user")[0].endswith("Subject: grüße\n\nhéllo\n".encode())


def test_requiretls_is_refused_where_the_hop_cannot(
    make_gate: Callable[..., Gate], postfix: Callable[..., Postfix]
) -> None:
    server = postfix()
    gate = make_gate({"example.net": f"smtp:127.0.0.1:{server.port}", "example.org": "discard"})
    message_id = gate.add("user@example.net", requiretls=True)
    gate.deliver(lambda: gate.spool.get(message_id) is None)
    assert "dsn=5.7.30" in gate.log


def test_a_hop_that_is_not_there_defers(make_gate: Callable[..., Gate], postfix: Callable[..., Postfix]) -> None:
    server = postfix()
    server.stop()
    gate = make_gate({"example.net": f"smtp:127.0.0.1:{server.port}"})
    message_id = gate.add("user@example.net")
    gate.deliver(lambda: "status=deferred" in gate.log)
    assert gate.spool.get(message_id) is not None
    assert "dsn=4.4.1" in gate.log


def test_tls_to_a_hop_opportunistic_and_verified(
    make_gate: Callable[..., Gate], postfix: Callable[..., Postfix], certificate: tuple[Path, Path]
) -> None:
    cert, key = certificate
    server = postfix(
        {
            "smtpd_tls_security_level": "encrypt",
            "smtpd_tls_key_file": str(key),
            "smtpd_tls_cert_file": str(cert),
            "smtpd_tls_loglevel": "1",
        }
    )
    route = f"smtp:localhost:{server.port}"
    for number, settings in enumerate(
        (
            DeliverySettings(connection_idle=0.2),
            DeliverySettings(connection_idle=0.2, tls="verified", ca_file=str(cert)),
        )
    ):
        gate = make_gate({"example.net": route}, settings)
        message_id = gate.add("user@example.net")
        gate.deliver(lambda g=gate, m=message_id: g.spool.get(m) is None)
        assert server.log.count("TLS connection established") == number + 1, server.log
    stranger = make_gate({"example.net": route}, DeliverySettings(tls="verified", connection_idle=0.2))
    stranger.add("user@example.net")
    stranger.deliver(lambda: "status=deferred" in stranger.log)
    assert "dsn=4.7.5" in stranger.log
