"""The gate's decisions as a client sees them, and what is found afterwards in mailbox, spool and journal."""

from __future__ import annotations

import base64
import smtplib
from collections.abc import Callable
from pathlib import Path

import pytest

from gatepost.lab.dns import DnsFaults
from running import NameServer, RunningGate, mail, until


def test_accepted_mail_carries_our_fields_and_no_forged_ones(gate: RunningGate) -> None:
    forged = (
        "Return-Path: <forged@bank.example>\nGatepost-Verdict: accept; score=-99\n"
        "Authentication-Results: mx.gate.example; spf=pass\nAuthentication-Results: other.example; spf=pass\n"
    )
    code, text = gate.send(mail("fields", more=forged))
    assert code == 250
    lines = gate.delivered("ann")[0].read_bytes().decode().split("\r\n\r\n")[0].replace("\r\n\t", " ").split("\r\n")
    names = [line.partition(":")[0] for line in lines]
    assert names[:5] == ["Return-Path", "Delivered-To", "Received", "Authentication-Results", "Gatepost-Verdict"]
    assert names.count("Return-Path") == names.count("Gatepost-Verdict") == 1
    assert lines[0] == "Return-Path: <joe@sender.example>"
    assert "dmarc=pass" in lines[3]
    assert "spf=pass" in lines[3]
    assert lines[4].startswith("Gatepost-Verdict: accept; score=")
    assert [line for line in lines if "other.example" in line]
    assert text.rpartition(" ")[2] in lines[2]  # the id of the reply stands in Received


def test_a_spoofed_domain_is_refused_by_dmarc_and_the_reason_is_found(gate: RunningGate) -> None:
    code, text = gate.send(mail("spoof", author="chief@bank.example"))
    assert (code, text.split()[0]) == (550, "5.7.26")
    entry = gate.cli_json("log", "--from", "joe@sender.example")[0]
    assert entry["action"] == "reject"
    assert "auth.dmarc.fail" in entry["decided_by"]
    code, text = gate.cli("log", entry["id"])
    assert code == 0
    assert "bank.example" in text


def test_quarantine_is_listed_shown_and_released_with_exact_octets(gate: RunningGate) -> None:
    body = "text \x1b[31m with an escape"
    code, text = gate.send(mail("held", author="offer@shop.example", body=body), "ann@gate.example", "bob@gate.example")
    assert code == 250
    message_id = text.rpartition(" ")[2]
    listed = gate.cli_json("quarantine", "list")
    assert [one["id"] for one in listed] == [message_id]
    assert listed[0]["reason"]["action"] == "quarantine"
    shown = gate.cli("quarantine", "show", message_id)[1]
    assert "held@x.example" in shown
    assert "\x1b" not in shown
    assert gate.cli_json("quarantine", "release", message_id, "--to", "ann@gate.example") == [
        {"changed": {message_id: 1}}
    ]
    assert body.encode() in gate.delivered("ann")[0].read_bytes()
    assert gate.cli_json("quarantine", "delete", message_id) == [{"changed": {message_id: 1}}]
    assert gate.cli_json("quarantine", "list") == []
    assert not gate.mailbox("bob")
    assert gate.cli("quarantine", "release", message_id)[0] == 2


def test_recipients(gate: RunningGate) -> None:
    with gate.client() as client:
        client.ehlo()
        client.mail("joe@sender.example")
        answers = {
            address: client.rcpt(address)[0]
            for address in (
                "ann@gate.example", "Ann+news@gate.example", "sales@gate.example", "postmaster",
                "postmaster@gate.example",
                "nobody@gate.example", "x@elsewhere.example", "ann%elsewhere.example@gate.example",
            )
        }  # fmt: skip
    assert list(answers.values()) == [250] * 5 + [550] * 3, answers


def test_one_copy_each_for_an_alias(gate: RunningGate) -> None:
    assert gate.send(mail("alias"), "sales@gate.example", "ann@gate.example")[0] == 250
    gate.delivered("bob")
    gate.delivered("ann")
    until(lambda: gate.cli_json("queue", "list") == [], "an empty queue")
    assert len(gate.mailbox("ann")) == len(gate.mailbox("bob")) == 1


def test_octets_without_a_header_stay_body(gate: RunningGate) -> None:
    gate.send(b"no field at all\r\nsecond line\r\n")
    found = gate.delivered("ann", folder=".Junk")[0].read_bytes()
    assert found.endswith(b"\r\n\r\nno field at all\r\nsecond line\r\n")


def test_the_null_sender_is_taken(gate: RunningGate) -> None:
    assert gate.send(mail("bounce"), sender="")[0] == 250
    assert gate.delivered("ann")[0].read_bytes().startswith(b"Return-Path: <>\r\n")


def test_a_loop_is_refused(gate: RunningGate) -> None:
    hops = "Received: from a.example by b.example; Tue, 24 Nov 2026 04:00:00 +0000\n" * 60
    assert gate.send(mail("loop", more=hops))[0] == 554
    back = mail("back", more="Delivered-To: ann@gate.example")
    assert gate.send(back)[0] == 554
    assert gate.send(back, "ann@gate.example", "bob@gate.example")[0] == 250
    gate.delivered("bob")


def test_the_check_before_the_start_names_what_is_missing(gate: RunningGate) -> None:
    gate.stop()
    assert gate.cli("serve", "--check")[0] == 0
    gate.configure(domain="require_tls = true")
    code, text = gate.cli("serve", "--check")
    assert code == 2
    assert "needs tls.certificate" in text


def test_senders_that_cannot_be_answered(start_gate: Callable[..., RunningGate]) -> None:
    gate = start_gate(more="[relay]\nrefuse_unknown_senders = true\n")
    assert gate.send(mail("mute"), sender="x@mute.example")[1].startswith("5.7.27 ")
    assert gate.send(mail("missing"), sender="x@missing.example")[1].startswith("5.1.8 ")
    assert gate.send(mail("null"), sender="")[0] == 250


def test_dns_that_does_not_answer_means_later_never_no(tmp_path: Path) -> None:
    server = NameServer(faults=DnsFaults(timeouts=("sender.example", "_dmarc.sender.example")))
    gate = RunningGate(tmp_path, server.port, more="[msgauth]\nprefetch_deadline = 0.5\n")
    try:
        assert gate.send(mail("dns"))[0] == 451
        assert not gate.mailbox("ann")
    finally:
        gate.stop()
        server.stop()


@pytest.mark.parametrize("behind", [b"\n.\r\n", b"\n.\n", b"\r\n.\n", b"\r.\r", b"\r\n.\r"])
def test_a_smuggled_second_message_never_arrives(gate: RunningGate, behind: bytes) -> None:
    first = mail("first").removesuffix(b"\r\n")
    smuggled = first + behind + b"MAIL FROM:<x@bank.example>\r\nRCPT TO:<bob@gate.example>\r\nDATA\r\n" + mail("second")
    client = gate.client()
    client.ehlo()
    client.mail("joe@sender.example")
    client.rcpt("ann@gate.example")
    client.putcmd("data")
    assert client.getreply()[0] == 354
    client.send(smuggled + b".\r\n")
    assert client.getreply()[0] == 550
    try:
        client.quit()
    except smtplib.SMTPServerDisconnected:
        pass
    assert gate.send(mail("after"))[0] == 250
    gate.delivered("ann")
    assert not gate.mailbox("bob")


def test_a_password_on_port_25_is_refused_and_its_owner_warned(gate: RunningGate) -> None:
    """Nobody logs in there, and who tries in the clear has told everybody on the way."""
    assert gate.cli("user", "add", "zoe@gate.example")[0] == 0
    for name in ("Zoe@gate.example", "nobody@gate.example"):
        with gate.client() as client:
            client.ehlo()
            assert "auth" not in client.esmtp_features
            sent = base64.b64encode(f"\0{name}\0a secret of mine".encode()).decode()
            code, text = client.docmd("AUTH", f"PLAIN {sent}")
            assert (code, text) == (502, b"5.5.1 AUTH is not offered")
    until(lambda: "password-exposed" in gate.log, "the owner is warned")
    warnings = [line for line in gate.log.splitlines() if "password-exposed" in line]
    assert len(warnings) == 1
    assert "warning password-exposed account=zoe@gate.example mechanism=PLAIN client=127.0.0.1" in warnings[0]
    assert "secret" not in gate.log
    assert sent not in gate.log
