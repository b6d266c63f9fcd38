"""What may not be a feature is none: dates, trace fields, results of sender checks, marks of archives, recipients.

In these the parts of the training collection differ most, so a model that sees them looks good and knows nothing.
"""

from __future__ import annotations

import re

import pytest

from gatepost.inspector.classifier.custom import LEFT_OUT
from gatepost.inspector.classifier.model import weigh
from gatepost.inspector.classifier.start import start_model
from gatepost.inspector.classifier.tokens import findings_features, message_features
from gatepost.inspector.rule import Seen
from gatepost.inspector.rules import RULES
from gatepost.message.message import parse_message

HEAD = "From: Ann Example <ann@example.org>\nSubject: the offer you asked for\nMessage-ID: <1@example.org>\n"
BODY = "\nDear friend,\nplease see https://shop.example.org/login/page for the money, as we agreed.\n"
ADDED = {
    "a date": "Date: Mon, 23 Nov 2026 10:00:00 +0000\n",
    "an old date": "Date: Fri, 06 Sep 2002 11:51:20 +0100\n",
    "a trace": "Received: from a.example (a.example [192.0.2.1]) by b.example; Fri, 06 Sep 2002 11:51:20 +0100\n" * 3,
    "a return path": "Return-Path: <ann@example.org>\nDelivered-To: yyyy@localhost\n",
    "passes": "Authentication-Results: mx.example; spf=pass; dkim=pass; dmarc=pass\nReceived-SPF: pass\n",
    "a signature": "DKIM-Signature: v=1; a=rsa-sha256; d=example.org; s=s; h=from; bh=eA==; b=eA==\n",
    "a chain": "ARC-Seal: i=1; a=rsa-sha256; cv=none; d=google.com; s=arc; b=eA==\n",
    "a receiver's fields": "X-MS-Exchange-Organization-SCL: 5\nX-Spam-Status: No\nX-Google-DKIM-Signature: x\n",
    "a list of 2002": "List-Id: Friends <fork.xent.com>\nX-Beenthere: fork@spamassassin.taint.org\nErrors-To: fork@x\n",
    "a recipient": "To: redacted@redacted.com\n",
    "another recipient": "To: Bob Brown <bob@example.net>\n",
}
FORBIDDEN = re.compile(
    r"\d{4}|\b(19|20)\d\d\b|received|dkim|dmarc|\bspf\b|authres|arc-seal|hxxp|redacted|spamassassin|taint|exmh|xent|jmason"
    r"|razor|ilug|freshrpms|zzzz|yyyy|netnoteinc|sourceforge|\b(january|february|october|november|december)\b"
)


def features(head: str = HEAD, body: str = BODY) -> tuple[str, ...]:
    return message_features(parse_message((head + body).encode())).names


@pytest.mark.parametrize("what", ADDED)
def test_fields_of_the_way_and_of_the_archive_change_nothing(what: str) -> None:
    assert features(ADDED[what] + HEAD) == features()
    assert features(HEAD + ADDED[what]) == features()


@pytest.mark.parametrize(
    ("mark", "real"),
    [("hxxps://shop[.]example[.]org/login/page", "https://shop.example.org/login/page"), ("[.]", ".")],
)
def test_defanging_changes_nothing(mark: str, real: str) -> None:
    assert features(body=BODY.replace(real, mark)) == features()


@pytest.mark.parametrize("text", ["Sent on Monday, 3 December 2026", "redacted", "hxxp", "REDACTED 2002"])
def test_dates_and_marks_in_the_text_are_no_words(text: str) -> None:
    added = set(features(body=BODY + text + "\n")) - set(features())
    assert not {name for name in added if FORBIDDEN.search(name)}


def test_a_recipients_own_name_is_no_word() -> None:
    head = "To: Zebulon Quux <zebulon@example.net>\n" + HEAD
    assert not {n for n in features(head, "\nDear Zebulon Quux, hello.\n") if "zebulon" in n or "quux" in n}


def test_findings_on_proof_path_and_clock_are_no_features() -> None:
    for rule in RULES:
        names = findings_features([rule.finding(Seen(summary="-"), {})])
        if rule.code.startswith(("auth.", "path.", "date.", "list.", "door.", "classifier.", "sender.first-time")):
            assert not names, rule.code


def test_the_shipped_vocabulary_holds_none_of_them() -> None:
    model = start_model()
    assert len(model.counts) > 10_000
    assert not [name for name in model.counts if FORBIDDEN.search(name)]
    parts = {part for name in model.counts for part in name.rpartition(":")[2].removeprefix("path-").split("_")}
    assert not parts & LEFT_OUT
    fields = {name for name in model.counts if name.startswith("h:")}
    assert not {name for name in fields if re.search(r"date|received|auth|list-id|delivered|return-path", name)}


def test_the_score_is_the_same_with_and_without() -> None:
    model = start_model()
    everything = "".join(dict.fromkeys(ADDED.values()))
    assert weigh(features(everything + HEAD), model) == weigh(features(), model)
