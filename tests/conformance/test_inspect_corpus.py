"""Real mail through the whole inspector: never a crash, always JSON by the schema, and no harm to good mail.

The corpus's addresses mean nothing in today's DNS, and it is never asked: the resolver knows no names at all. So every
sender lacks every record, which is worse than any real sender; even so good mail must not be held back or refused.
"""

from __future__ import annotations

import asyncio
import json
import tarfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import gatepost
from gatepost.sandbox.pool import Sandbox
from gatepost.sandbox.settings import ContentSettings
from schemas import validator

EVERY_NTH = 5  # of the corpus's messages; all of them take ten seconds
NO_DNS = gatepost.ZoneResolver("")


class Inspector:
    """Inspects one message after the other, with one sandbox for all: a start for each would cost most of the time."""

    def __init__(self, runner: asyncio.Runner, sandbox: Sandbox) -> None:
        self._runner = runner
        self._sandbox = sandbox

    def __call__(self, raw: bytes) -> gatepost.Inspection:
        found = self._runner.run(gatepost.inspect_message(raw, resolver=NO_DNS, opener=self._sandbox))
        answer = json.loads(json.dumps(found.as_json()))
        validator("inspect").validate(answer)
        assert not [f for f in found.findings if "{" in f.summary and "{" not in raw.decode("latin-1")]
        return found


@pytest.fixture(scope="module")
def inspect() -> Iterator[Inspector]:
    """What inspects a message."""
    with asyncio.Runner() as runner:

        async def opened() -> Sandbox:
            return Sandbox(ContentSettings(deadline=60))

        sandbox = runner.run(opened())
        yield Inspector(runner, sandbox)
        runner.run(sandbox.close())


@pytest.mark.suite("corpus")
def test_the_corpus_is_explained_and_good_mail_comes_through(suites: Path, inspect: Inspector) -> None:
    actions: dict[str, Counter[str]] = {}
    with tarfile.open(suites / "corpus" / "shared-corpus.tar.xz") as archive:
        for number, member in enumerate(m for m in archive if m.name.endswith(".eml")):
            if number % EVERY_NTH:
                continue
            file = archive.extractfile(member)
            assert file is not None
            label = member.name.split("/")[1]
            actions.setdefault(label, Counter())[inspect(file.read()).decision.action.value] += 1
    assert sum(actions["ham"].values()) > 100
    assert set(actions["ham"]) <= {"accept", "tag"}, actions


@pytest.mark.suite("deltachat")
def test_mails_with_many_kinds_of_authentication_results(suites: Path, inspect: Inspector) -> None:
    folder = suites / "authres" / "deltachat-dkimchecks" / "dkimchecks-2022-09-28"
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    assert len(files) > 100
    for path in files[::3]:
        inspect(path.read_bytes())


@pytest.mark.suite("valimail")
@pytest.mark.parametrize("folder", ["arc", "dkim", "mime", "bounces"])
def test_messages_of_other_suites(suites: Path, folder: str, inspect: Inspector) -> None:
    files = sorted(path for path in (suites / folder).rglob("*") if path.suffix in (".eml", ".msg", ".txt", ".mail"))
    for path in files[:: max(1, len(files) // 60)]:
        inspect(path.read_bytes())
