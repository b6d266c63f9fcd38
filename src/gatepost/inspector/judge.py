"""Facts to a judgement: runs the rules, asks what is forced, and decides for whoever it is asked about.

In: `Facts`. Out: `Judgement`. Standard: DESIGN, "Findings and decisions".
Not here: the parts (`rules`, `enforcement`, `policy`).

    session, path = read_path(message, session, trusted_networks)
    auth = await authenticate(message, session, mail_from, resolver, now, msgauth_settings)
    judgement = judge(gather_facts(message, session=session, path=path, mail_from=mail_from, auth=auth, …))
    decisions = [judgement.decide(recipient) for recipient in recipients]
    action = decide_transaction(decisions)
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.finding import Finding
from gatepost.inspector.decision import Decision, Forced
from gatepost.inspector.enforcement import forced_by
from gatepost.inspector.facts import Facts
from gatepost.inspector.grounds import Grounds, grounds_of
from gatepost.inspector.policy import decide
from gatepost.inspector.rule import run_rules
from gatepost.inspector.rules import active_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The facts, what the rules found in them, and the actions that are forced whatever the score, with what those
    rest on."""

    facts: Facts
    grounds: Grounds
    findings: tuple[Finding, ...]
    forced: tuple[Forced, ...]

    def decide(self, recipient: str | None = None) -> Decision:
        """The decision for one recipient, or for anybody."""
        return decide(self.findings, self.facts.settings, self.forced, recipient)


def judge(facts: Facts) -> Judgement:
    """Runs every active rule on `facts`."""
    findings = run_rules(active_rules(facts.settings.disabled_rules), facts)
    grounds = grounds_of(facts)
    return Judgement(facts=facts, grounds=grounds, findings=findings, forced=forced_by(grounds, facts.settings))
