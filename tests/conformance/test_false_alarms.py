"""Rules on senders, wording and origin against the corpus's good mail, each by itself: what may weigh is counted.

The corpus has no DNS and no history, and its texts are read by hand: the rules see what a gate sees at worst.
"""

from __future__ import annotations

import asyncio
import tarfile
from collections import Counter
from pathlib import Path

import pytest

import gatepost
from by_hand import open_by_hand
from gatepost.inspector import rules
from gatepost.inspector.content import Content
from gatepost.inspector.decision import Action
from gatepost.inspector.facts import Facts, gather_facts
from gatepost.inspector.policy import decide
from gatepost.inspector.rule import in_runs, run_rules
from gatepost.inspector.settings import InspectorSettings
from gatepost.inspector.trace import read_path
from gatepost.message.message import parse_message
from gatepost.msgauth.authenticate import authenticate
from gatepost.names import Session

FAMILIES = ("wording", "pretending", "origin", "trail", "acquaintance", "sealed")
ADVERTISING = in_runs(rule for rule in rules.RULES if rule.code.startswith(("advert.", "shape.")))
MINE = in_runs(rule for rule in rules.RULES if rule.check.__module__.rpartition(".")[2] in FAMILIES)
NO_DNS = gatepost.ZoneResolver("")
MOST = 2  # of 600 good messages that one rule may be wrong about, where it weighs 1 or more
NOW = 1.79e9


async def facts_of(raw: bytes) -> Facts:
    message = parse_message(raw)
    session, path = read_path(message, Session(), saved=True)
    return gather_facts(
        message,
        session=session,
        path=path,
        mail_from=None,
        auth=await authenticate(message, session, None, NO_DNS, NOW),
        settings=InspectorSettings(),
        now=NOW,
        own_domains=("example.org",),
        content=Content(open_by_hand(raw)),
    )


@pytest.mark.suite("corpus")
def test_good_mail_raises_next_to_no_alarm_and_fraud_is_seen(suites: Path) -> None:
    alarms: dict[str, Counter[str]] = {"ham": Counter(), "spam": Counter(), "scam": Counter()}
    worded: Counter[str] = Counter()
    advertised: Counter[str] = Counter()
    with tarfile.open(suites / "corpus" / "shared-corpus.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".eml") else None
            if file is None:
                continue
            label = member.name.split("/")[1]
            facts = asyncio.run(facts_of(file.read()))
            found = run_rules(MINE, facts)
            advertised[label] += decide(run_rules(ADVERTISING, facts), InspectorSettings()).action is not Action.ACCEPT
            heavy = {finding.code for finding in found if finding.weight >= 1}
            alarms[label].update(heavy)
            worded[label] += any(code.startswith("wording.") for code in heavy)
    assert not {code: count for code, count in alarms["ham"].items() if count > MOST}
    assert worded["ham"] == 0
    assert advertised["ham"] == 0  # signs of advertising together, without anything else
    assert advertised["spam"] > 60
    assert worded["scam"] > 140  # of 352, most of them advertising and not fraud by words
    assert worded["spam"] > 15  # of 356
    assert alarms["spam"]["path.ehlo-borrowed"] > 10
