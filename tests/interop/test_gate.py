"""The whole gate among neighbours: swaks, curl, Postfix hand in; Dovecot, Postfix take over; OpenDKIM signs."""

from __future__ import annotations

import asyncio
import smtplib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from dovecot import Dovecot
from opendkim import OpenDkim, make_key
from postfix import Postfix

from gatepost import ZoneResolver, dkim
from running import ZONE, NameServer, RunningGate, mail, until

Start = Callable[..., RunningGate]
StartPostfix = Callable[..., Postfix]
TLS = '[tls]\ncertificate = "{}"\nkey = "{}"\n'
AS_SENDER = {"smtp_helo_name": "mail.sender.example", "mydomain": "sender.example"}


@pytest.fixture
def start_gate(tmp_path: Path) -> Iterator[Start]:
    """Starts a gate; `records` are added to the zone it asks."""
    running: list[RunningGate | NameServer] = []

    def start(records: str = "", **options: object) -> RunningGate:
        server = NameServer(ZONE + records)
        running.append(server)
        gate = RunningGate(tmp_path, server.port, **options)  # type: ignore[arg-type]
        running.insert(0, gate)
        return gate

    yield start
    for one in running:
        one.stop()


def test_swaks_hands_in_mail_over_starttls(swaks: str, start_gate: Start, certificate: tuple[Path, Path]) -> None:
    gate = start_gate(more=TLS.format(*certificate))
    where = ["--server", f"127.0.0.1:{gate.port}", "--ehlo", "mail.sender.example", "--tls"]
    who = ["--from", "joe@sender.example", "--to", "ann@gate.example", "--h-From", "joe@sender.example"]
    done = subprocess.run([swaks, *where, *who], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout
    assert "=== TLS started" in done.stdout
    text = gate.delivered("ann")[0].read_text()
    assert "with ESMTPS" in text
    assert "spf=pass" in text


def test_swaks_is_told_what_the_gate_will_not_do(swaks: str, start_gate: Start) -> None:
    gate = start_gate()
    where = ["--server", f"127.0.0.1:{gate.port}", "--ehlo", "mail.sender.example", "--from", "joe@sender.example"]
    for to, said in (("nobody@gate.example", "550 5.1.1"), ("user@elsewhere.example", "550 5.7.1")):
        done = subprocess.run([swaks, *where, "--to", to], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 24, done.stdout  # swaks: no recipient was accepted
        assert said in done.stdout


def test_curl_hands_in_mail_over_starttls(
    curl: str, start_gate: Start, certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    gate = start_gate(more=TLS.format(*certificate))
    letter = tmp_path / "letter.eml"
    letter.write_bytes(mail("curl", body="." * 5 + "\nend"))
    where = [f"smtp://localhost:{gate.port}/mail.sender.example", "--ssl-reqd", "--cacert", str(certificate[0])]
    resolve = ["--resolve", f"localhost:{gate.port}:127.0.0.1", "--silent", "--show-error", "--max-time", "50"]
    who = ["--mail-from", "joe@sender.example", "--mail-rcpt", "ann@gate.example", "--upload-file", str(letter)]
    done = subprocess.run([curl, *where, *resolve, *who], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    octets = gate.delivered("ann")[0].read_bytes()
    assert octets.endswith(b"\r\n.....\r\nend\r\n")
    assert b"with ESMTPS" in octets


def test_postfix_relays_to_the_gate_over_tls_and_bounces_what_the_gate_refuses(
    postfix: StartPostfix, start_gate: Start, certificate: tuple[Path, Path]
) -> None:
    gate = start_gate(more=TLS.format(*certificate))
    relay = postfix(
        {
            **AS_SENDER,
            "relay_domains": "gate.example",
            "relay_transport": f"smtp:[127.0.0.1]:{gate.port}",
            "smtp_tls_security_level": "encrypt",
            "smtp_tls_loglevel": "1",
            "virtual_mailbox_domains": "sender.example",
            "virtual_mailbox_maps": "inline:{ joe@sender.example=joe/ }",
        }
    )
    with smtplib.SMTP("127.0.0.1", relay.port) as client:
        client.sendmail("joe@sender.example", ["ann@gate.example", "bob@gate.example"], mail("both", body="grüße"))
        client.sendmail("joe@sender.example", ["nobody@gate.example"], mail("lost"))
    assert "grüße".encode() in gate.delivered("ann")[0].read_bytes()
    assert len(gate.delivered("bob")) == 1
    until(lambda: bool(relay.mail_of("joe")), relay.log)
    report = relay.mail_of("joe")[0]
    assert b"Status: 5.1.1" in report
    assert "TLS connection established" in relay.log
    assert relay.log.count("status=sent (250 2.0.0") >= 2


@pytest.mark.parametrize("canonicalization", ["relaxed/relaxed", "simple/simple"])
def test_what_opendkim_signs_for_postfix_is_verified_at_the_gate(
    postfix: StartPostfix,
    start_gate: Start,
    opendkim_program: str,
    openssl: str,
    tmp_path_factory: pytest.TempPathFactory,
    canonicalization: str,
) -> None:
    folder = tmp_path_factory.mktemp("opendkim")
    key, record = make_key(openssl, folder)
    signer = OpenDkim(opendkim_program, folder, key, "sender.example", "sel", canonicalization)
    try:
        gate = start_gate(f"sel._domainkey.sender.example. 300 IN TXT {record}\n")
        to_gate = {"relay_domains": "gate.example", "relay_transport": f"smtp:[127.0.0.1]:{gate.port}"}
        relay = postfix({**AS_SENDER, **to_gate, "smtpd_milters": signer.milter, "milter_default_action": "tempfail"})
        with smtplib.SMTP("127.0.0.1", relay.port) as client:
            client.sendmail("joe@sender.example", ["ann@gate.example"], mail("signed", body="a  b \n\n.dot\n\n"))
        text = gate.delivered("ann")[0].read_text()
    finally:
        signer.stop()
    assert "DKIM-Signature:" in text
    assert "dkim=pass" in text, text
    assert "dmarc=pass" in text


def test_what_opendkim_testmsg_signs_with_sha1_is_refused(opendkim_testmsg: str, openssl: str, tmp_path: Path) -> None:
    """RFC 8301 §3.1; the tool of OpenDKIM 2.11 knows nothing newer."""
    key, record = make_key(openssl, tmp_path)
    command = [opendkim_testmsg, "-d", "sender.example", "-s", "sel", "-k", str(key), "-C"]
    done = subprocess.run(command, input=mail("hi"), capture_output=True, timeout=30, check=True)
    assert b"a=rsa-sha1" in done.stdout
    resolver = ZoneResolver(f"sel._domainkey.sender.example. 300 IN TXT {record}\n")
    signed = done.stdout.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    verdict = asyncio.run(dkim.verify(signed, resolver=resolver, now=2e9))
    assert verdict.result == "permerror"
    assert "sha1" in verdict.signatures[0].reason


def test_the_gate_hands_mail_on_to_dovecot_by_lmtp(start_gate: Start, dovecot: Callable[..., Dovecot]) -> None:
    mailboxes = dovecot()
    gate = start_gate(domain=f'route = "lmtp:127.0.0.1:{mailboxes.lmtp_port}"')
    assert gate.send(mail("lmtp"), "ann@gate.example", "sales@gate.example")[0] == 250
    until(lambda: len(mailboxes.mail_of("bob@gate.example")) == 1, gate.log + mailboxes.log)
    until(lambda: len(mailboxes.mail_of("ann@gate.example")) >= 1, gate.log + mailboxes.log)
    text = mailboxes.mail_of("ann@gate.example")[0].decode()
    assert "Return-Path: <joe@sender.example>" in text
    assert "Authentication-Results: mx.gate.example" in text
    until(lambda: gate.cli_json("queue", "list") == [], "the queue is empty")


def hop_settings(
    rules: str, mailbox: str = "inline:{ ann@gate.example=ann/ joe@sender.example=joe/ }"
) -> dict[str, str]:
    return {
        "virtual_mailbox_domains": "gate.example sender.example",
        "virtual_mailbox_maps": "inline:{ ann@gate.example=ann/ joe@sender.example=joe/ }",
        "smtpd_recipient_restrictions": f"check_recipient_access inline:{{ {rules} }}, permit_mynetworks, reject",
    }


def test_what_the_next_hop_refuses_is_told_to_a_proven_sender_and_what_it_defers_waits(
    start_gate: Start, postfix: StartPostfix
) -> None:
    hop = postfix(hop_settings("{bob@gate.example=550 5.2.1 mailbox is closed}, {ann@gate.example=450 4.2.1 asleep}"))
    gate = start_gate(
        domain=f'route = "smtp:127.0.0.1:{hop.port}"', more=f'[delivery]\nrelay = "smtp:127.0.0.1:{hop.port}"\n'
    )
    code, text = gate.send(mail("mixed"), "ann@gate.example", "bob@gate.example")
    assert code == 250
    until(lambda: bool(hop.mail_of("joe")), "the report arrives")
    report = hop.mail_of("joe")[0].decode()
    assert report.startswith("Return-Path: <>")
    assert "Final-Recipient: rfc822; bob@gate.example" in report
    assert "Status: 5.2.1" in report
    assert "mailbox is closed" in report
    assert "ann@gate.example" not in report.partition("Content-Type: text/rfc822-headers")[0].partition("\n\n")[2]
    (waiting,) = gate.cli_json("queue", "list")
    assert waiting["id"] == text.rpartition(" ")[2]
    assert "status=deferred" in gate.log


def test_what_the_next_hop_refuses_of_an_unproven_sender_is_kept_and_nobody_is_told(
    start_gate: Start, postfix: StartPostfix
) -> None:
    hop = postfix(hop_settings("{bob@gate.example=550 5.2.1 mailbox is closed}"))
    gate = start_gate(
        "nobody.example. 300 IN MX 10 mail.sender.example.\n",
        domain=f'route = "smtp:127.0.0.1:{hop.port}"',
        more=f'[delivery]\nrelay = "smtp:127.0.0.1:{hop.port}"\n',
    )
    code, text = gate.send(mail("x", author="x@nobody.example"), "bob@gate.example", sender="x@nobody.example")
    assert code == 250
    until(lambda: "kept=quarantine" in gate.log, "it is kept")
    assert [one["id"] for one in gate.cli_json("quarantine", "list")] == [text.rpartition(" ")[2]]
    until(lambda: bool(hop.mail_of("ann")), "postmaster is told")
    assert b"gatepost quarantine release" in hop.mail_of("ann")[0]
    assert "nobody.example" not in hop.log.replace("from=<x@nobody.example>", "")


def test_call_forward_asks_a_real_postfix(start_gate: Start, postfix: StartPostfix) -> None:
    hop = postfix(hop_settings("{gone@gate.example=550 5.1.1 no such user}, {busy@gate.example=450 4.2.1 asleep}"))
    gate = start_gate(domain=f'recipients = "call-forward"\nroute = "smtp:127.0.0.1:{hop.port}"')
    with gate.client() as client:
        client.ehlo()
        client.mail("joe@sender.example")
        codes = [client.rcpt(f"{name}@gate.example")[0] for name in ("ann", "gone", "busy")]
    assert codes == [250, 550, 450]
