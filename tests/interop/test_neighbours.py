"""The neighbours themselves stand: only other people's programs meet here, so that a later failure is ours."""

from __future__ import annotations

import smtplib
import subprocess
from collections.abc import Callable

from dovecot import Dovecot
from neighbour import wait_until
from postfix import Postfix

MAIL = b"From: a@example.org\r\nTo: user@example.net\r\nSubject: hello\r\nMessage-ID: <1@example.org>\r\n\r\nHello.\r\n"


def test_swaks_hands_postfix_a_mail_that_it_delivers(swaks: str, postfix: Callable[..., Postfix]) -> None:
    server = postfix()
    command = [swaks, "--server", f"127.0.0.1:{server.port}", "--from", "a@example.org", "--to", "user@example.net"]
    subprocess.run([*command, "--h-Subject", "hello"], check=True, capture_output=True, timeout=30)
    assert wait_until(lambda: server.mail_of("user")), server.log
    assert b"Subject: hello" in server.mail_of("user")[0]


def test_postfix_relays_to_dovecot_by_lmtp(postfix: Callable[..., Postfix], dovecot: Callable[..., Dovecot]) -> None:
    mailboxes = dovecot()
    server = postfix({"virtual_transport": f"lmtp:inet:127.0.0.1:{mailboxes.lmtp_port}"})
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.sendmail("a@example.org", ["user@example.net"], MAIL)
    assert wait_until(lambda: mailboxes.mail_of("user@example.net")), server.log + mailboxes.log
    assert b"Subject: hello" in mailboxes.mail_of("user@example.net")[0]


def test_postfix_refuses_and_defers_as_told(postfix: Callable[..., Postfix]) -> None:
    rules = "inline:{ no@example.net=REJECT, {later@example.net=DEFER} }"
    server = postfix({"smtpd_recipient_restrictions": f"check_recipient_access {rules}, permit_mynetworks, reject"})
    with smtplib.SMTP("127.0.0.1", server.port) as client:
        client.ehlo()
        client.mail("a@example.org")
        codes = [client.rcpt(f"{who}@example.net")[0] for who in ("no", "later", "user")]
    assert codes == [554, 450, 250]
