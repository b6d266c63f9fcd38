"""What our own gate does in the lab, exactly, where a good server has a choice.

In: a scenario. Out: the same with one outcome and one verdict expected. Other servers are judged by the scenario alone,
which lets them choose among the answers that are right; for the gate in the lab a change of any answer is a difference.
Not here: the scenarios (`lab.scenarios`); comparing (`lab.judge`).
"""

from __future__ import annotations

from dataclasses import replace

from gatepost.lab.scenario import Outcome, Scenario

# name: how the visit ends, and the verdict ("" where the mail is never judged)
CHOICES: dict[str, tuple[Outcome, str]] = {
    "small-server": (Outcome.ACCEPTED, "accept"),
    "spoofed-no-policy": (Outcome.ACCEPTED, "accept"),
    "spoofed-monitored": (Outcome.ACCEPTED, "accept"),
    "name-carries-address": (Outcome.ACCEPTED, "tag"),
    "name-carries-address-unproven": (Outcome.ACCEPTED, "quarantine"),
    "no-reverse-name": (Outcome.ACCEPTED, "accept"),
    "borrowed-reverse-name": (Outcome.ACCEPTED, "accept"),
    "dkim-expired": (Outcome.ACCEPTED, "quarantine"),
    "arc-broken-seal": (Outcome.ACCEPTED, "quarantine"),
    "arc-unknown-sealer": (Outcome.ACCEPTED, "quarantine"),
    "from-the-future": (Outcome.ACCEPTED, "accept"),
    "ehlo-ours": (Outcome.ACCEPTED, "tag"),
    "no-from": (Outcome.ACCEPTED, "tag"),
    "long-text-line": (Outcome.ACCEPTED, "accept"),
    "link-shows-another": (Outcome.ACCEPTED, "quarantine"),
    "link-to-number": (Outcome.ACCEPTED, "quarantine"),
    "link-hidden-number": (Outcome.ACCEPTED, "tag"),
    "link-user-info": (Outcome.ACCEPTED, "quarantine"),
    "link-lookalike": (Outcome.ACCEPTED, "tag"),
    "link-in-code": (Outcome.ACCEPTED, "quarantine"),
    "script-in-link": (Outcome.ACCEPTED, "tag"),
    "form-in-mail": (Outcome.ACCEPTED, "quarantine"),
    "boss-at-freemail": (Outcome.ACCEPTED, "tag"),
    "new-bank-details": (Outcome.ACCEPTED, "accept"),
    "extortion": (Outcome.ACCEPTED, "quarantine"),
    "link-listed": (Outcome.ACCEPTED, "accept"),
    "test-virus": (Outcome.ACCEPTED, "quarantine"),
    "program": (Outcome.ACCEPTED, "quarantine"),
    "double-extension": (Outcome.ACCEPTED, "quarantine"),
    "turned-name": (Outcome.ACCEPTED, "quarantine"),
    "program-in-archive": (Outcome.ACCEPTED, "quarantine"),
    "locked-archive": (Outcome.ACCEPTED, "quarantine"),
    "bomb": (Outcome.ACCEPTED, "quarantine"),
    "shortcut": (Outcome.ACCEPTED, "quarantine"),
    "disk-image": (Outcome.ACCEPTED, "tag"),
    "page-that-builds-a-file": (Outcome.ACCEPTED, "quarantine"),
    "picture-with-program": (Outcome.ACCEPTED, "tag"),
    "remote-template": (Outcome.ACCEPTED, "quarantine"),
    "pdf-action": (Outcome.ACCEPTED, "tag"),
    "invitation": (Outcome.ACCEPTED, "accept"),
    "address-harvest": (Outcome.DEFERRED, ""),
    "smuggling-lf-lf": (Outcome.REFUSED, ""),
    "smuggling-lf-crlf": (Outcome.REFUSED, ""),
    "smuggling-crlf-lf": (Outcome.REFUSED, ""),
    "smuggling-cr-cr": (Outcome.REFUSED, ""),
    "smuggling-crlf-cr": (Outcome.REFUSED, ""),
    "smuggling-cr-lf": (Outcome.REFUSED, ""),
    "smuggling-cr-crlf": (Outcome.REFUSED, ""),
    "smuggling-lf-cr": (Outcome.REFUSED, ""),
    "smuggling-crlf-dot-crcrlf": (Outcome.REFUSED, ""),
    "starttls-injection": (Outcome.REFUSED, ""),
    "early-talker": (Outcome.REFUSED, ""),
    "pipelined-data": (Outcome.REFUSED, ""),
    "long-command": (Outcome.REFUSED, ""),
    "nul-in-command": (Outcome.REFUSED, ""),
    "cr-in-sender": (Outcome.REFUSED, ""),
    "password-in-the-clear": (Outcome.REFUSED, ""),
    "http-request": (Outcome.REFUSED, ""),
    "submit-password-in-the-open": (Outcome.REFUSED, ""),
    "submit-guesses": (Outcome.DEFERRED, ""),
    "submit-elsewhere": (Outcome.REFUSED, ""),
}


def for_gate(scenario: Scenario) -> Scenario:
    """`scenario` with the one answer that our gate gives."""
    choice = CHOICES.get(scenario.name)
    if choice is None:
        return scenario
    outcome, action = choice
    actions = (action,) if action else scenario.expected.actions
    return replace(scenario, expected=replace(scenario.expected, outcomes=(outcome,), actions=actions))
