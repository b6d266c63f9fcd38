"""The tour against a server that is not ours: a real Postfix, whose answers are known, so that visits are tested."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from postfix import Postfix

from gatepost.lab.internet import make_internet
from gatepost.lab.scenario import Outcome, Target
from gatepost.lab.scenarios import SCENARIOS
from gatepost.lab.tour import run_tour

STRANGERS = {
    "mynetworks": "127.0.0.99/32",
    "smtpd_recipient_restrictions": "reject_unauth_destination",
    "smtpd_relay_restrictions": "reject_unauth_destination",
}
SESSIONS = (
    *("relay", "relay-routed", "unknown-recipient", "out-of-order", "nul-in-command", "http-request", "long-command"),
    *("spf-only", "dkim-only", "bounce", "pipelined", "chunked", "postmaster", "utf8-address"),
)
SMUGGLING = ("smuggling-lf-lf", "smuggling-lf-crlf", "smuggling-crlf-lf", "smuggling-cr-cr", "smuggling-crlf-cr")


def tour(postfix: Postfix, names: tuple[str, ...]) -> dict[str, Outcome]:
    target = Target(host="127.0.0.1", port=postfix.port, recipient="user@example.net", domain="example.net")
    chosen = [scenario for scenario in SCENARIOS if scenario.name in names]
    results = asyncio.run(run_tour(target, make_internet(time.time()), chosen))
    return {result.scenario.name: result.visit.outcome for result in results}


def test_postfix_does_what_the_visits_expect(postfix: Callable[..., Postfix]) -> None:
    server = postfix(STRANGERS)
    target = Target(host="127.0.0.1", port=server.port, recipient="user@example.net", domain="example.net")
    chosen = [scenario for scenario in SCENARIOS if scenario.name in SESSIONS]
    results = asyncio.run(run_tour(target, make_internet(time.time()), chosen))
    assert {result.scenario.name: result.differences for result in results if not result.as_expected} == {}


def test_a_postfix_that_forgives_bare_newlines_is_found_out(postfix: Callable[..., Postfix]) -> None:
    outcomes = tour(postfix({**STRANGERS, "smtpd_forbid_bare_newline": "no"}), SMUGGLING)
    assert {name for name, outcome in outcomes.items() if outcome is Outcome.FOOLED} == set(SMUGGLING[:3])


def test_a_postfix_that_does_not_is_not(postfix: Callable[..., Postfix]) -> None:
    outcomes = tour(postfix({**STRANGERS, "smtpd_forbid_bare_newline": "yes"}), SMUGGLING)
    assert Outcome.FOOLED not in outcomes.values()
