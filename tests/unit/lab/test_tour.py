"""The tour finds the mistakes of a careless server, and the table tells them."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Sequence

import pytest
from naive_server import NaiveServer
from rich.console import Console

from gatepost.lab.internet import Internet, make_internet
from gatepost.lab.judge import Result, Seen, judge
from gatepost.lab.scenario import Outcome, Scenario, Stage, Target
from gatepost.lab.scenarios import SCENARIOS
from gatepost.lab.table import as_json, exit_code, print_table
from gatepost.lab.tour import run_tour
from gatepost.msgauth import arc, dkim
from gatepost.ports.visitor import Visit

NOW = 1_790_000_000.0
BY_NAME = {scenario.name: scenario for scenario in SCENARIOS}


@pytest.fixture(scope="module")
def internet() -> Internet:
    return make_internet(NOW)


def stage_at(internet: Internet, port: int = 25) -> Stage:
    target = Target(
        host="127.0.0.1", port=port, recipient="alice@gate.example", domain="gate.example", name="mx.gate.example"
    )
    return Stage(target=target, internet=internet, now=NOW, mark="m.1")


def tour_of_naive(internet: Internet, names: Sequence[str]) -> dict[str, Result]:
    async def main() -> tuple[Result, ...]:
        async with NaiveServer() as server:
            target = stage_at(internet, server.port).target
            return await run_tour(target, internet, [BY_NAME[name] for name in names])

    return {result.scenario.name: result for result in asyncio.run(main())}


def test_a_careless_server_is_found_out(internet: Internet) -> None:
    careless = ("relay", "unknown-recipient", "spoofed-reject", "smuggling-lf-lf", "oversize", "starttls-injection")
    honest = ("spf-only", "pipelined", "bounce", "postmaster")
    results = tour_of_naive(internet, [*careless, *honest])
    assert {name for name, result in results.items() if not result.as_expected} == set(careless)
    assert results["smuggling-lf-lf"].visit.outcome is Outcome.FOOLED
    assert results["starttls-injection"].visit.outcome is Outcome.NOT_OFFERED
    assert exit_code(tuple(results.values())) == 1
    assert exit_code([results["spf-only"]]) == 0


def test_nobody_there_is_an_outcome(internet: Internet) -> None:
    results = asyncio.run(run_tour(stage_at(internet, 1).target, internet, [BY_NAME["spf-only"]]))
    assert results[0].visit.outcome is Outcome.CLOSED
    assert "no connection" in results[0].visit.reason


def test_a_refusing_greeting_ends_the_visit(internet: Internet) -> None:
    async def main() -> tuple[Result, ...]:
        async with NaiveServer(b"554 go away\r\n") as server:
            return await run_tour(stage_at(internet, server.port).target, internet, [BY_NAME["spf-only"]])

    assert asyncio.run(main())[0].visit.outcome is Outcome.REFUSED


def test_names_are_unique_and_everything_is_said() -> None:
    assert len(BY_NAME) == len(SCENARIOS) >= 20
    for scenario in SCENARIOS:
        assert scenario.title
        assert scenario.why.endswith(".")
        assert scenario.expected.outcomes
        assert scenario.source.startswith("127.")


def message_of(scenario: Scenario, stage: Stage) -> bytes:
    """The mail that a script hands in."""
    steps = scenario.script(stage)
    position = next(index for index, step in enumerate(steps) if step.send == b"DATA\r\n")
    return steps[position + 1].send.removesuffix(b".\r\n")


def test_scripts_write_one_mail_with_their_mark(internet: Internet) -> None:
    stage = stage_at(internet)
    for scenario in SCENARIOS:
        if any(step.send == b"DATA\r\n" for step in scenario.script(stage)[:-1]):
            raw = message_of(scenario, stage)
            assert raw.count(b"Message-ID: <m.1@") >= 1, scenario.name


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("dkim-only", dkim.DkimStatus.PASS),
        ("spf-and-dkim", dkim.DkimStatus.PASS),
        ("utf8-address", dkim.DkimStatus.PASS),
        ("mailing-list", dkim.DkimStatus.PASS),
        ("dkim-replay-changed", dkim.DkimStatus.FAIL),
        ("spf-only", dkim.DkimStatus.NONE),
    ],
)
def test_signatures_are_as_the_titles_say(internet: Internet, name: str, result: dkim.DkimStatus) -> None:
    raw = message_of(BY_NAME[name], stage_at(internet))
    found = asyncio.run(dkim.verify(raw, resolver=internet.resolver, now=NOW))
    assert found.result is result


@pytest.mark.parametrize(
    ("name", "result"),
    [
        ("forwarded-sealed", arc.ArcStatus.PASS),
        ("arc-unknown-sealer", arc.ArcStatus.PASS),
        ("arc-broken-seal", arc.ArcStatus.FAIL),
    ],
)
def test_seals_are_as_the_titles_say(internet: Internet, name: str, result: arc.ArcStatus) -> None:
    raw = message_of(BY_NAME[name], stage_at(internet))
    found = asyncio.run(arc.verify(raw, resolver=internet.resolver, now=NOW))
    assert found.result is result


def test_the_verdict_and_the_mailbox_are_judged_where_they_can_be_seen(internet: Internet) -> None:
    scenario, stage = BY_NAME["spf-only"], stage_at(internet)
    good = Seen(action="accept", codes=("auth.spf.pass", "auth.dmarc.pass"), delivered=b"x")
    assert judge(scenario, Visit(), good, stage).as_expected
    lost = Seen(action="accept", codes=("auth.spf.pass", "auth.dmarc.pass"))
    assert judge(scenario, Visit(), lost, stage).differences == ("it is not in the mailbox",)
    wrong = Seen(action="tag", codes=("auth.spf.pass",), delivered=b"x")
    assert len(judge(scenario, Visit(), wrong, stage).differences) == 2
    refused = Visit(outcome=Outcome.REFUSED, reason="550 no")
    assert "refused" in judge(scenario, refused, None, stage).differences[0]


def test_forged_fields_left_in_the_mail_are_seen(internet: Internet) -> None:
    scenario, stage = BY_NAME["forged-verdict"], stage_at(internet)
    forged = message_of(scenario, stage)
    assert scenario.expected.delivered is not None
    assert "forged" in scenario.expected.delivered(forged, stage)
    clean = b"Authentication-Results: mx.gate.example; dmarc=pass\r\n" + forged.partition(b"forged=yes\r\nFrom")[2]
    assert scenario.expected.delivered(clean, stage) == ""


def test_table_and_json_tell_the_same(internet: Internet) -> None:
    results = tuple(tour_of_naive(internet, ["relay", "spf-only"]).values())
    out = io.StringIO()
    print_table(results, Console(file=out, width=160))
    assert "1 different: relay" in out.getvalue()
    document = json.loads(as_json(results))
    assert (document["visits"], document["different"]) == (2, 1)
    assert {row["name"]: row["as_expected"] for row in document["results"]} == {"relay": False, "spf-only": True}
