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

from collections.abc import Iterable
from dataclasses import dataclass, replace

from gatepost.finding import Finding, Severity
from gatepost.inspector.classifier.model import Opinion, weigh
from gatepost.inspector.classifier.start import start_model
from gatepost.inspector.classifier.tokens import findings_features, message_features
from gatepost.inspector.decision import Decision, Forced
from gatepost.inspector.enforcement import forced_by
from gatepost.inspector.facts import Facts
from gatepost.inspector.grounds import Grounds, grounds_of
from gatepost.inspector.policy import decide
from gatepost.inspector.rule import run_rules
from gatepost.inspector.rules import active_rules, last_rules


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
    """Runs every active rule on `facts`, the classifier's last: what the others found are features to it. Where nobody
    looked inside the message, or it has no header at all, it has nothing to go by."""
    disabled = facts.settings.disabled_rules
    findings = run_rules(active_rules(disabled, facts.content is not None), facts)
    last = last_rules(disabled)
    if last and facts.content is not None and facts.header.fields:
        facts = replace(facts, opinion=give_opinion(facts, findings))
        findings += run_rules(last, facts)
    grounds = grounds_of(facts)
    return Judgement(facts=facts, grounds=grounds, findings=findings, forced=forced_by(grounds, facts.settings))


def give_opinion(facts: Facts, findings: Iterable[Finding]) -> Opinion:
    """What the classifier makes of the message, with what else was found in it."""
    seen = tuple(findings)
    own = facts.features or message_features(facts.message, facts.content)
    features = (*own.names, *findings_features(seen))
    grave = any(finding.severity.rank >= Severity.WARNING.rank for finding in seen)
    return weigh(features, start_model(), facts.learned, grave=grave)
