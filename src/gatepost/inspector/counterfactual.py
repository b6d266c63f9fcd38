"""What one list changes for one message: the decision with it against the decision without it.

In: a judgement, one of its listings. Out: the action that the list leads to, or would lead to, None where it changes
nothing. For `gatepost lists report`. Standard: none. Not here: the decision itself (`policy`).
"""

from __future__ import annotations

from gatepost.finding import Finding, Severity
from gatepost.inspector.decision import Action
from gatepost.inspector.judge import Judgement
from gatepost.inspector.policy import decide
from gatepost.inspector.rules.lists import COUNTED_CODES, code_of
from gatepost.reputation.check import Listing


def effect_of(judgement: Judgement, listing: Listing) -> Action | None:
    """The action with `listing` counted, where it differs from the action without it."""
    facts = judgement.facts
    standing = facts.standing
    others = [one for one in standing.listings.listed if one.counts and one is not listing] if standing else []
    base = [finding for finding in judgement.findings if finding.code not in COUNTED_CODES]
    without = [*base, *(_finding(judgement, one) for one in others)]
    before = decide(without, facts.settings, judgement.forced).action
    after = decide([*without, _finding(judgement, listing)], facts.settings, judgement.forced).action
    return after if after is not before else None


def _finding(judgement: Judgement, listing: Listing) -> Finding:
    """The finding that `listing` alone would be; a good word for a sender who is not proven says nothing."""
    code = code_of(listing)
    weight = judgement.facts.settings.weights.get(code, listing.weight)
    if code == "list.allow" and not judgement.facts.aligned_pass:
        weight = 0.0
    return Finding(code=code, severity=Severity.INFO, weight=weight, group="lists", summary="")
