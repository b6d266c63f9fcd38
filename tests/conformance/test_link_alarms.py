"""The rules on links and pages against the shared corpus: no weight on good mail, and what they see of the rest.

Each message is opened by the sandbox's own readers, in this process. No sender counts as proven, the worst case.
"""

from __future__ import annotations

import tarfile
from collections import Counter
from pathlib import Path

import pytest

from gatepost.inspector import rules
from gatepost.inspector.content import Content
from gatepost.inspector.facts import Facts, gather_facts
from gatepost.inspector.rule import in_runs, run_rules
from gatepost.inspector.settings import InspectorSettings
from gatepost.inspector.trace import read_path
from gatepost.message.message import parse_message
from gatepost.msgauth.authenticate import read_authors
from gatepost.names import Session
from gatepost.sandbox.finds import Finds
from gatepost.sandbox.readers import LIGHT
from gatepost.sandbox.walker import Walker
from judging import NOW, auth, dmarc

MINE = in_runs(rule for rule in rules.RULES if rule.code.startswith(("link.", "html.")))
HEAVY = 1.5


def facts_of(raw: bytes) -> Facts:
    message = parse_message(raw)
    finds = Finds()
    Walker(finds, only=frozenset(LIGHT), skip=True).walk(raw)
    session, path = read_path(message, Session(), (), saved=True)
    return gather_facts(
        message,
        session=session,
        path=path,
        mail_from=None,
        auth=auth(authors=read_authors(message.header.all("from")), dmarc=dmarc("none")),
        settings=InspectorSettings(),
        now=NOW,
        content=Content(finds.opened()),
    )


@pytest.mark.suite("corpus")
def test_links_of_good_mail_weigh_little_and_those_of_the_rest_are_seen(suites: Path) -> None:
    heavy: dict[str, Counter[str]] = {"ham": Counter(), "spam": Counter(), "scam": Counter()}
    with tarfile.open(suites / "corpus" / "shared-corpus.tar.xz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".eml") else None
            if file is None:
                continue
            raw = file.read().replace(b"hxxp", b"http").replace(b"[.]", b".")  # the corpus was de-fanged
            found = run_rules(MINE, facts_of(raw))
            label = member.name.split("/")[1]
            heavy[label].update(finding.code for finding in found if finding.weight >= HEAVY)
            heavy[label]["together"] += sum(finding.weight for finding in found) >= HEAVY
    assert heavy["ham"] == Counter({"together": 0})  # of 600
    assert heavy["scam"]["together"] > 250  # of 352, most of one campaign: hidden text, a page in a store of files
    assert heavy["spam"]["together"] > 20  # of 356
