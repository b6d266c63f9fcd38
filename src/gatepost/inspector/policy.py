"""Findings to a decision: weights, caps of groups, thresholds.

In: the findings of a message, what some of them force, the settings. Out: a `Decision` for each recipient, and one
action for the whole transaction. Standard: DESIGN, "Findings and decisions"; RFC 5321 §4.2 (DATA has one reply).
Not here: what is seen (`rules`) and how DMARC's wish is enforced (`enforcement`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gatepost.finding import Finding, Severity
from gatepost.inspector.decision import Action, Decision, Forced
from gatepost.inspector.settings import InspectorSettings

# No block list and no classifier decides alone (DESIGN): lists alone do nothing to a message, the classifier alone puts
# it into the Junk folder at most, both together too. What holds back or refuses rests on something else as well.
NEVER_ALONE = frozenset({"lists", "classifier"})
MARGIN = 0.1  # how far below a threshold
# A classifier that is not sure may only strengthen what others saw in the message itself. Without that bound, a few
# words that advertising has too and a server without a reverse name would put honest mail into the Junk folder.
SURE = 4.0  # weight of the classifier's findings from which it is sure
BESIDE = 1.0  # how much more than the signs in the message an unsure one may weigh
NOT_IN_MESSAGE = NEVER_ALONE | {"path", "auth", "door", "acquaintance"}


def decide(
    findings: Sequence[Finding],
    settings: InspectorSettings,
    forced: Iterable[Forced] = (),
    recipient: str | None = None,
) -> Decision:
    """The decision for `recipient`, or for anybody when None.

    A forced action is a floor: no negative weight takes it back, and a higher score may still raise it. A forced
    deferral outranks what the score says, since the missing answer may change the score.
    """
    mine = tuple([f for f in findings if f.recipient is None or f.recipient == recipient])
    sums = _group_sums(mine, settings)
    score = round(sum(sums.values(), 0.0), 2)
    action = _by_score(score, settings)
    decided_by = _heaviest(mine, sums) if action is not Action.ACCEPT else ()
    demand = max((*forced, *_by_code(mine, settings)), key=lambda f: f.action.rank, default=None)
    if demand is not None and (demand.action.rank >= action.rank or demand.action is Action.DEFER):
        action, decided_by = demand.action, (demand.code,)
    return Decision(action=action, score=score, decided_by=decided_by, findings=mine, recipient=recipient)


def decide_transaction(decisions: Sequence[Decision]) -> Action:
    """The one reply to DATA: reject only if all recipients' decisions are to reject, defer if any must wait, else
    accept (those to be rejected are then quarantined: `for_delivery`)."""
    actions = {decision.action for decision in decisions}
    if Action.DEFER in actions:
        return Action.DEFER
    return Action.REJECT if actions == {Action.REJECT} else Action.ACCEPT


def outcomes(decisions: Sequence[Decision]) -> tuple[Action, ...]:
    """What becomes of each recipient's copy in one transaction."""
    together = decide_transaction(decisions)
    if together is Action.ACCEPT:
        return tuple(map(for_delivery, decisions))
    return (together,) * len(decisions)


def for_delivery(decision: Decision) -> Action:
    """What becomes of one recipient's copy once the transaction was accepted."""
    return Action.QUARANTINE if decision.action in (Action.REJECT, Action.DEFER) else decision.action


def _group_sums(findings: Iterable[Finding], settings: InspectorSettings) -> dict[str, float]:
    """Each group's sum, capped on both sides."""
    sums: dict[str, float] = {}
    for finding in findings:
        if finding.weight:
            sums[finding.group] = sums.get(finding.group, 0.0) + finding.weight
    if not sums:  # most honest mail
        return sums
    below_tag = min(settings.tag_at, settings.quarantine_at, settings.reject_at) - MARGIN
    below_hold = min(settings.quarantine_at, settings.reject_at) - MARGIN
    for group, total in sums.items():
        cap = settings.group_caps.get(group, settings.default_group_cap)
        if group in NEVER_ALONE:
            cap = max(0.0, min(cap, below_hold if group == "classifier" else below_tag))
        sums[group] = max(-cap, min(cap, total))
    if 0 < sums.get("classifier", 0.0) < SURE:
        signs = sum(total for group, total in sums.items() if group not in NOT_IN_MESSAGE and total > 0)
        sums["classifier"] = min(sums["classifier"], signs + BESIDE)
    if len(NEVER_ALONE & sums.keys()) == len(NEVER_ALONE):
        _hold_down(sums, below_hold)
    return sums


def _hold_down(sums: dict[str, float], most: float) -> None:
    """Lists and classifier together tag at most; only with a third group beside them may they do more."""
    others = sum(total for group, total in sums.items() if group not in NEVER_ALONE and total > 0)
    together = sum(sums[group] for group in NEVER_ALONE)
    if not others and together > most > 0:
        for group in NEVER_ALONE:
            sums[group] *= most / together


def _by_score(score: float, settings: InspectorSettings) -> Action:
    if score >= settings.reject_at:
        return Action.REJECT
    if score >= settings.quarantine_at:
        return Action.QUARANTINE
    return Action.TAG if score >= settings.tag_at else Action.ACCEPT


def _by_code(findings: Iterable[Finding], settings: InspectorSettings) -> list[Forced]:
    """What the administrator wants decided by one finding alone; never by a list or the classifier."""
    if not settings.reject_codes and not settings.quarantine_codes and not settings.defer_codes:
        return []
    forced = []
    for finding in findings:
        if finding.severity is Severity.PASS or finding.group in NEVER_ALONE:
            continue
        if finding.code in settings.reject_codes:
            forced.append(Forced(action=Action.REJECT, code=finding.code))
        elif finding.code in settings.defer_codes:
            forced.append(Forced(action=Action.DEFER, code=finding.code))
        elif finding.code in settings.quarantine_codes:
            forced.append(Forced(action=Action.QUARANTINE, code=finding.code))
    return forced


def _heaviest(findings: Iterable[Finding], sums: dict[str, float]) -> tuple[str, ...]:
    """The codes that speak against the message, heaviest first."""
    against = [f for f in findings if f.weight > 0 and sums.get(f.group, 0.0) > 0]
    return tuple(dict.fromkeys(f.code for f in sorted(against, key=lambda f: -f.weight)))
