"""The inspector alone: CPU time of trace, facts, rules and decision for one clean message, without the crypto.

In: nothing (the authentication results are made beforehand). Out: microseconds a message, part by part.
Run: python bench/inspector.py [--rounds N] [--json]. Messages differ in sender, subject and time, so that nothing of
one serves the next. The goal is 150 microseconds; there is no peer that does the same work.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from gatepost.inspector import InspectorSettings, gather_facts, judge, read_path
from gatepost.message.message import Message, parse_message
from gatepost.msgauth.authenticate import AuthResults, authenticate
from gatepost.names import Session
from gatepost.net.zone import ZoneResolver

MESSAGES = 200
GOAL = 150.0  # microseconds
NOW = 1_764_000_000.0
SETTINGS = InspectorSettings()
SESSION = Session(client_ip="192.0.2.10", ehlo_domain="mail.example.org", protocol="ESMTPS", received_at=NOW)
ZONE = """
example.org.                TXT "v=spf1 ip4:192.0.2.10 -all"
_dmarc.example.org.         TXT "v=DMARC1; p=reject"
mail.example.org.           A 192.0.2.10
10.2.0.192.in-addr.arpa.    PTR mail.example.org.
"""


def make_message(number: int) -> bytes:
    """A message of ordinary shape: two hops before us, twelve fields, 10 KB of body."""
    clock = f"{16 + number % 4:02}:{number % 60:02}"
    return (
        (
            f"Received: from out{number}.example.org (out{number}.example.org [10.0.0.5])\n"
            f"\tby mail.example.org (Postfix) with ESMTPS id 4X{number}; Mon, 24 Nov 2025 {clock}:03 +0000\n"
            f"Received: from [10.0.0.9] by out{number}.example.org with ESMTPSA; Mon, 24 Nov 2025 {clock}:01 +0000\n"
            f'From: "Ann No. {number}" <ann{number}@example.org>\nTo: bob@example.net\nSubject: Report {number}\n'
            f"Date: Mon, 24 Nov 2025 {clock}:00 +0000\nMessage-ID: <{number}.abc@example.org>\nMIME-Version: 1.0\n"
            "Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 7bit\nUser-Agent: Mail 1.0\n\n"
            + "The quick brown fox jumps over the lazy dog again.\n"
            * 200
        )
        .replace("\n", "\r\n")
        .encode()
    )


def prepare() -> list[tuple[Message, AuthResults]]:
    resolver = ZoneResolver(ZONE)

    async def one(number: int) -> tuple[Message, AuthResults]:
        message = parse_message(make_message(number))
        return message, await authenticate(message, SESSION, f"ann{number}@example.org", resolver, NOW)

    async def every() -> list[tuple[Message, AuthResults]]:
        return [await one(number) for number in range(MESSAGES)]

    return asyncio.run(every())


def measure(work: Callable[[int], Any], rounds: int) -> float:
    """The best round's microseconds a message: the others are what else the machine does."""
    best = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        for number in range(MESSAGES):
            work(number)
        best = min(best, time.process_time() - begun)
    return best / MESSAGES * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description="CPU time of the inspector for one clean message")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    prepared = prepare()

    def facts(number: int) -> Any:
        # A fresh Message each time: what it keeps of itself must not serve twice.
        message, auth = parse_message(raws[number]), prepared[number][1]
        session, path = read_path(message, SESSION)
        return gather_facts(
            message, session=session, path=path, mail_from="x@example.org", auth=auth, settings=SETTINGS, now=NOW
        )

    results: dict[str, float] = {}
    raws = [message.raw for message, _ in prepared]
    results["header section"] = measure(lambda n: parse_message(raws[n]), options.rounds)
    until_facts = measure(facts, options.rounds)
    results["path and facts"] = until_facts - results["header section"]
    gathered = [facts(n) for n in range(MESSAGES)]
    results["rules"] = measure(lambda n: judge(facts(n)), options.rounds) - until_facts
    judged = [judge(one) for one in gathered]
    results["decision"] = measure(lambda n: judged[n].decide("bob@example.net"), options.rounds)
    total = results["path and facts"] + results["rules"] + results["decision"]
    results["inspector, all"] = total
    if options.json:
        print(json.dumps(results))
    else:
        for name, value in results.items():
            print(f"{name:<18}{value:>8.1f} us a message")
        print(f"goal: {GOAL:g} us for path, facts, rules and decision: {'met' if total <= GOAL else 'MISSED'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
