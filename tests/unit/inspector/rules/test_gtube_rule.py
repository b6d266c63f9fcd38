"""The GTUBE text, seen and not seen, and what it leads to."""

from __future__ import annotations

from gatepost import inspect_message_sync
from gatepost.inspector.rules import gtube as rules
from gatepost.net.zone import ZoneResolver
from judging import see

HEADER = "From: a@example.org\n"
GTUBE = rules.TEXT.decode()


def test_gtube_is_seen_wherever_it_stands() -> None:  # content.gtube
    assert see(rules.gtube, header=f"{HEADER}Subject: {GTUBE}\n")
    assert see(rules.gtube, header=f"{HEADER}Subject: GTUBE-STANDARD-ANTI-UBE-TEST-EMAIL\n") is None


def test_gtube_is_refused_whatever_the_score() -> None:
    raw = f"{HEADER}\n{GTUBE}\n".encode()
    found = inspect_message_sync(raw, resolver=ZoneResolver(""), now=1.8e9)
    assert (found.decision.action.value, found.decision.decided_by) == ("reject", ("content.gtube",))
