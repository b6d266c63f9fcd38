"""sisimai's 315 real bounces, auto-replies and complaints: read without a crash, and reports recognised as such."""

from __future__ import annotations

from pathlib import Path

import pytest

from gatepost.message.dsn import Action, Dsn, read_dsn
from gatepost.message.message import Message
from gatepost.message.received import parse_trace

# Announced as delivery reports, and without a part that says anything to a program.
WITHOUT_STATUS = {
    "lhost-activehunter-02": "two parts: text and message",
    "lhost-messagingserver-03": "its boundary never comes",
    "rfc3464-04": "its boundary never comes",
    "rfc3464-35": "two parts: text and message",
}
WITHOUT_RECIPIENTS = {"lhost-postfix-64", "lhost-x3-05"}  # only the group about the message
DEFECTIVE = {
    "lhost-mcafee-02": "Original-Recipient alone, no status",
    "lhost-mcafee-04": "Original-Recipient alone, no status",
    "lhost-sendmail-13": "Action: says 'error'",
}


def reports(suites: Path) -> dict[str, tuple[Message, Dsn | None]]:
    paths = sorted((suites / "bounces" / "sisimai" / "bsd").glob("*.eml"))
    messages = {path.stem: Message(path.read_bytes()) for path in paths}
    return {name: (message, read_dsn(message)) for name, message in messages.items()}


@pytest.mark.suite("sisimai")
def test_reports_are_recognised(suites: Path) -> None:
    found = reports(suites)
    assert len(found) == 315
    announced = {
        name
        for name, (message, _) in found.items()
        if message.tree.content_type.value == "multipart/report"
        and message.tree.content_type.get("report-type").lower() == "delivery-status"
    }
    read = {name: dsn for name, (_, dsn) in found.items() if dsn is not None}
    assert announced - set(read) == set(WITHOUT_STATUS)
    assert len(read) == 168
    assert sum("not-a-report" in dsn.defects for dsn in read.values()) == 7
    assert {name for name, dsn in read.items() if not dsn.recipients} == WITHOUT_RECIPIENTS


@pytest.mark.suite("sisimai")
def test_recipients_actions_and_codes_are_read(suites: Path) -> None:
    for name, (_, dsn) in reports(suites).items():
        for recipient in dsn.recipients if dsn else ():
            if name in DEFECTIVE:
                assert recipient.defects, name
                continue
            assert not recipient.defects, name
            assert recipient.final_recipient, name
            assert recipient.action in (Action.FAILED, Action.DELAYED, Action.DELIVERED, Action.EXPANDED), name
            assert recipient.status[0] in "245", name


@pytest.mark.suite("sisimai")
def test_one_in_full(suites: Path) -> None:
    message = Message((suites / "bounces" / "sisimai" / "bsd" / "lhost-sendmail-05.eml").read_bytes())
    dsn = read_dsn(message)
    assert dsn is not None
    (recipient,) = dsn.recipients
    assert (recipient.action, recipient.status, recipient.diagnostic_type) == (Action.FAILED, "5.2.3", "smtp")
    assert dsn.returned is not None
    assert dsn.returned.header.first("from") is not None


@pytest.mark.suite("sisimai")
def test_every_trace_has_its_hosts_and_times(suites: Path) -> None:
    """What the real servers of this suite write into Received is understood, apart from the made-up."""
    hops = [hop for message, _ in reports(suites).values() for hop in parse_trace(message.header)]
    assert len(hops) > 500
    assert sum(bool(hop.by) or "qmail" in hop.raw for hop in hops) / len(hops) > 0.97
    assert sum(hop.date is not None for hop in hops) / len(hops) > 0.95
