"""A domain's records are published to a real Knot by command, with TSIG: the difference is shown, what the owner chose
is kept, the server is asked again, and all of it is taken back; keys roll over by themselves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from knot import Knot
from neighbour import tool

from gatepost.cli.main import main
from gatepost.config import load_settings
from gatepost.net.publish import DnsPublisher
from gatepost.net.resolver import DnsResolver, ResolverSettings
from gatepost.ports.publisher import Action, Change
from gatepost.server.signing.publishing import publish_keys
from gatepost.server.signing.upkeep import look_once
from gatepost.store.keys import KeyStates, Stage
from schemas import validator

pytestmark = pytest.mark.neighbour("knotd")
THEIRS = """\
example.org. 60 IN MX 20 old.example.net.
example.org. 60 IN TXT "v=spf1 include:old.example.net -all"
example.org. 60 IN TXT "site-verification=1"
gp-rsa._domainkey.example.org. 60 IN TXT "v=DKIM1; k=rsa; p=AAAA"
"""


@pytest.fixture
def knot(report_missing) -> Iterator[Knot]:
    program = tool.found("knotd")
    if program is None:
        report_missing("the program knotd")
    server = Knot(str(program), {"example.org": THEIRS}, rights="update-type: [TXT, TLSA, MX, SRV, CNAME, CAA]")
    yield server
    server.stop()


@pytest.fixture
def config(knot: Knot, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert main(["init", "example.org", "--folder", str(tmp_path)]) == 0
    capsys.readouterr()
    path = tmp_path / "gatepost.toml"
    path.write_text(path.read_text() + "\n" + knot.settings)
    return str(path)


def run(capsys: pytest.CaptureFixture[str], name: str, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    assert main(["records", name, "example.org", *arguments, "--json"]) == code
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for one in found:
        validator(f"records-{name}").validate(one)
    return found


def test_the_difference_is_published_and_taken_back(
    knot: Knot, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    there = ("--resolver", f"127.0.0.1:{knot.port}", "-c", config)
    plan = {(one["name"], one["kind"]): one["compared"] for one in run(capsys, "plan", *there, code=1)}
    assert plan["example.org", "mx"] == plan["example.org", "spf"] == "yours"
    assert plan["gp-rsa._domainkey.example.org", "dkim"] == "differs"
    assert plan["_dmarc.example.org", "dmarc"] == "missing"

    made = run(capsys, "publish", "-c", config, "--yes")
    assert {one["outcome"] for one in made} == {"done"}
    assert all(one["stands"] for one in made)
    assert "example.org" not in {one["name"] for one in made}  # the owner's own stay
    assert knot.shows("_submissions._tcp.example.org", "SRV") == ["0 1 465 mail.example.org."]
    assert "p=AAAA" not in "".join(knot.shows("gp-rsa._domainkey.example.org", "TXT"))
    assert not any(one["trouble"] for one in run(capsys, "plan", *there))
    assert run(capsys, "publish", "-c", config, "--yes") == []

    overwritten = run(capsys, "publish", "-c", config, "--yes", "--overwrite", "spf")
    assert [one["name"] for one in overwritten] == ["example.org"]
    assert knot.shows("example.org", "TXT") == ['"site-verification=1"', '"v=spf1 mx -all"']
    run(capsys, "publish", "-c", config, "--yes", "--undo")
    assert knot.shows("example.org", "TXT") == ['"site-verification=1"', '"v=spf1 include:old.example.net -all"']
    undone = run(capsys, "publish", "-c", config, "--yes", "--undo")
    assert len(undone) == len(made)
    assert knot.shows("_dmarc.example.org", "TXT") == []
    assert knot.shows("gp-rsa._domainkey.example.org", "TXT") == ['"v=DKIM1; k=rsa; p=AAAA"']
    assert main(["records", "publish", "example.org", "-c", config, "--undo", "--yes"]) == 2


def test_what_others_changed_since_is_not_undone(knot: Knot, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "publish", "-c", config, "--yes", "--only", "dmarc")
    theirs = Change(action=Action.REPLACE, name="_dmarc.example.org", rtype="TXT", records=('"v=DMARC1; p=reject"',))
    asyncio.run(DnsPublisher(load_settings(Path(config)).publish).publish([theirs]))
    (found,) = run(capsys, "publish", "-c", config, "--yes", "--undo", code=1)
    assert (found["outcome"], found["stands"]) == ("conflict", False)
    assert knot.shows("_dmarc.example.org", "TXT") == ['"v=DMARC1; p=reject"']


def test_nobody_is_asked_without_a_terminal_and_people_see_the_difference(
    knot: Knot, config: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["records", "publish", "example.org", "-c", config]) == 2
    out, err = capsys.readouterr()
    assert '  + "v=DMARC1; p=quarantine; rua=mailto:postmaster@example.org"' in out
    assert '  - "v=DKIM1; k=rsa; p=AAAA"' in out
    assert "--yes" in err
    assert knot.shows("_dmarc.example.org", "TXT") == []


def test_a_server_that_refuses_or_is_away_is_one_line(
    knot: Knot, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(config)
    text = path.read_text()
    path.write_text(text.replace('key_name = "gate-key"', 'key_name = "other"'))
    assert main(["records", "publish", "example.org", "-c", config, "--yes"]) == 2
    assert "BADKEY" in capsys.readouterr().err
    path.write_text(text.replace(f"127.0.0.1:{knot.port}", "127.0.0.1:1"))
    assert main(["records", "publish", "example.org", "-c", config, "--yes"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_server_whose_name_is_in_anothers_zone_is_left_out(
    knot: Knot, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(config)
    path.write_text(path.read_text().replace('hostname = "mail.example.org"', 'hostname = "mx.provider.example"'))
    assert main(["records", "publish", "example.org", "-c", config, "--yes"]) == 0
    out, err = capsys.readouterr()
    assert "done: _dmarc.example.org TXT" in out
    assert "left out: mx.provider.example TXT" in err
    assert knot.shows("_submissions._tcp.example.org", "SRV") == ["0 1 465 mx.provider.example."]


def test_keys_roll_over_without_a_hand(knot: Knot, config: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The next keys' records are published, seen, used; the old ones go when their mail is gone."""
    settings = load_settings(Path(config))
    resolver = DnsResolver(ResolverSettings(servers=(f"127.0.0.1:{knot.port}",), max_ttl=0))
    publisher = DnsPublisher(settings.publish)
    now = 1_790_000_000.0

    def round_at(moment: float) -> set[tuple[str, str]]:
        told = [(event, facts["selector"]) for event, facts in asyncio.run(publish_keys(settings, publisher, moment))]
        asyncio.run(look_once(settings, resolver, moment))
        return set(told)

    def stages() -> dict[str, str]:
        states = KeyStates.open(Path(settings.store.folder))
        try:
            return {key.selector: key.stage.value for key in states.all()}
        finally:
            states.close()

    run(capsys, "publish", "-c", config, "--yes", "--only", "dkim")
    round_at(now)
    assert main(["records", "rotate", "example.org", "-c", config]) == 0
    assert "Published" in capsys.readouterr().err
    fresh = {selector for selector, stage in stages().items() if stage == Stage.NEXT}
    assert len(fresh) == 2
    assert all(knot.shows(f"{selector}._domainkey.example.org", "TXT") for selector in fresh)
    taken = Change(action=Action.DELETE, name=f"{min(fresh)}._domainkey.example.org", rtype="TXT")
    asyncio.run(publisher.publish([taken]))  # somebody's mistake is mended
    assert round_at(now + 120) == {("signing-record-published", min(fresh))}
    assert round_at(now + 130) == set()
    round_at(now + 150 + settings.signing.settle)
    assert {selector for selector, stage in stages().items() if stage == Stage.LIVE} == fresh
    old = {"gp-rsa", "gp-ed25519"}
    late = now + 200 + settings.signing.settle + settings.signing.keep_old + settings.delivery.expire
    round_at(late)
    assert all(knot.shows(f"{selector}._domainkey.example.org", "TXT") for selector in old)
    assert round_at(late + 60) == {("signing-record-removed", selector) for selector in old}
    assert not any(knot.shows(f"{selector}._domainkey.example.org", "TXT") for selector in old)
    assert set(stages()) == fresh
