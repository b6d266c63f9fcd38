"""Delta Chat's real mails between providers: what a trusted Authentication-Results says of the author's domain.

The question is upstream's: does a field of the receiving provider say dkim=pass for the domain of From? Whose fields
are the provider's is configuration, given here by name; `forged*` senders put in fields of their own, which must not
count. The signatures themselves are not judged (their keys are not carried).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gatepost.message.header import Header, parse_header
from gatepost.msgauth.authres import AuthenticationResults, parse_authentication_results

# Suffixes of the authserv-ids; Outlook writes its field without one.
TRUSTED = {
    "aol.com": ".yahoo.com",
    "fastmail.com": ".messagingengine.com",
    "gmail.com": "mx.google.com",
    "gmx.de": "gmx.net",
    "hotmail.com": "",
    "icloud.com": ".icloud.com",
    "ik.me": "mx.infomaniak.com",
    "mail.de": ".mail.de",
    "mail.ru": "mxs.mail.ru",
    "outlook.com": "",
    "posteo.de": "posteo.de",
    "testrun.org": "testrun.org",
    "yahoo.com": ".yahoo.com",
}


def is_trusted(results: AuthenticationResults, receiver: str) -> bool:
    suffix = TRUSTED[receiver]
    return results.authserv_id.endswith(suffix) if suffix else not results.authserv_id


def says_pass(header: Header, receiver: str, author_domain: str) -> bool:
    for field in header.all("authentication-results"):
        results = parse_authentication_results(field.body)
        for dkim in results.all("dkim") if is_trusted(results, receiver) else ():
            domain = dkim.value("header.d") or dkim.value("header.i").rpartition("@")[2]
            if dkim.result == "pass" and domain.lower() == author_domain:
                return True
    return False


@pytest.fixture(scope="module")
def folder(suites: Path) -> Path:
    return suites / "authres" / "deltachat-dkimchecks"


def test_trusted_results(folder: Path) -> None:
    cases = [c for c in json.loads((folder / "expected.json").read_text("utf-8"))["cases"] if c["judged_upstream"]]
    assert len(cases) == 176
    wrong = []
    for case in cases:
        header = parse_header((folder / case["file"]).read_bytes())
        if says_pass(header, case["receiver_domain"], case["from"].partition("@")[2]) != case["dkim_passed"]:
            wrong.append(case["file"])
    assert wrong == []


def test_all_310_messages_are_read(folder: Path) -> None:
    """Every field of every provider is read to the end, judged upstream or not."""
    files = [path for path in (folder / "dkimchecks-2022-09-28").rglob("*") if path.is_file()]
    assert len(files) == 310
    for path in files:
        for field in parse_header(path.read_bytes()).all("authentication-results"):
            results = parse_authentication_results(field.body)
            assert set(results.defects) <= {"no-authserv-id"}, (path.name, field.raw, results)
