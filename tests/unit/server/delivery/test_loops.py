"""Loops: too many hops, too often through here, and mail that comes back to the mailbox it was in."""

from __future__ import annotations

from gatepost.message.header import Header, parse_header
from gatepost.server.delivery.loops import find_loop, was_delivered

HERE = "mx.example.net"


def header(*fields: str) -> Header:
    return parse_header(("\r\n".join(fields) + "\r\n\r\nbody\r\n").encode())


def received(by: str, count: int) -> list[str]:
    return [
        f"Received: from a.example (a.example [192.0.2.1])\r\n\tby {by} (X) with ESMTP; Mon, 1 Jan 2026 00:00:00 +0000"
    ] * count


def test_a_straight_way_is_no_loop() -> None:
    assert find_loop(header(*received("other.example", 50)), HERE, max_received=50, max_own_hops=4) == ""


def test_too_many_hops_are_a_loop() -> None:
    assert "51 Received" in find_loop(header(*received("other.example", 51)), HERE, max_received=50, max_own_hops=4)


def test_too_often_through_here_is_a_loop_whatever_the_case_of_the_name() -> None:
    assert find_loop(header(*received("MX.example.net", 4)), HERE, max_received=50, max_own_hops=4) == ""
    assert find_loop(header(*received("MX.example.net", 5)), HERE, max_received=50, max_own_hops=4)


def test_a_name_that_only_contains_ours_does_not_count() -> None:
    mails = header(*received("mx.example.net.evil.example", 9), *received("notmx.example.net", 9))
    assert find_loop(mails, HERE, max_received=50, max_own_hops=4) == ""


def test_mail_that_was_in_this_mailbox_before_is_seen() -> None:
    mail = header("Delivered-To: Ann@example.net", "Subject: x")
    assert was_delivered(mail, "ann@example.net")
    assert not was_delivered(mail, "bob@example.net")
    assert not was_delivered(header("X-Delivered-To: bob@example.net"), "bob@example.net")
