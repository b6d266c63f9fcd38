"""Plays one visit over a real socket, octet for octet, as the probe does, and says how it ended by the replies.

In: a scenario, its stage, who visits. Out: `Visit`.
Standard: RFC 8314 §3.3 (TLS from the first octet at port 465). Not here: sockets and replies (`net.visits`),
whether that was right (`lab.judge`).
"""

from __future__ import annotations

import asyncio

from gatepost.lab.scenario import Door, Outcome, Scenario, Stage
from gatepost.ports.prober import Spoken, Target
from gatepost.ports.visitor import Call, Visit, Visitor

TIME = 90.0  # seconds for a visit; the slowest honest one waits for DNS that never answers


async def play(scenario: Scenario, stage: Stage, visitor: Visitor) -> Visit:
    """One visit from start to end; every way it can go is an `Outcome`."""
    there = stage.target
    port = there.port_of(scenario.door)
    if not port:
        reason = f"nobody listens for {scenario.door.value} there"
        return Visit(outcome=Outcome.NOT_OFFERED, reason=reason, asked=False, reached=False)
    target = Target(
        host=there.name,
        address=there.host,
        port=port,
        spoken=Spoken.SMTP,
        implicit_tls=scenario.door is Door.SUBMISSIONS,
    )
    call = Call(
        target=target,
        steps=await asyncio.to_thread(scenario.script, stage),  # signing takes a while
        seconds=TIME,
        verified=there.authority is not None,
        authority=there.authority,
        source=scenario.source if there.host.startswith("127.") else "",
    )
    return await visitor.visit(call)
