"""The same message under another policy: findings that were kept, weighed anew.

In: findings as they were, the `Basis` kept with them, the recipients, other settings. Out: `Replayed`: what would have
become of each recipient's copy, and which rules were not run then. Exact for what `REPLAYED` names; rules themselves
are not run again: the message is gone. Standard: DESIGN, "a changed policy can be tried against the last days' mail".
Not here: where they are kept (`store.journal`), walking through days of mail (`server.trial`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from gatepost.finding import Finding
from gatepost.inspector.decision import Action, Decision
from gatepost.inspector.enforcement import FAIL_CODE, enforce_dmarc, forced_by
from gatepost.inspector.grounds import Grounds, read_grounds
from gatepost.inspector.policy import decide, outcomes
from gatepost.inspector.rules.dmarc import weigh_failure
from gatepost.inspector.settings import InspectorSettings

REPLAYED = frozenset(
    {
        "tag_at",
        "quarantine_at",
        "reject_at",
        "group_caps",
        "default_group_cap",
        "weights",
        "disabled_rules",
        "quarantine_codes",
        "reject_codes",
        "defer_codes",
        "dmarc",
        "dmarc_temperror",
        "malware",
        "not_scanned",
        "trusted_forwarders",
        "trusted_sealers",
    }
)
"""The options of the inspector whose change is replayed. Others decide what a rule sees, and are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """What a decision rests on besides the findings. `disabled` are the rules that were not run; `actions` tells what
    became of the copies of those recipients who were decided about by themselves."""

    grounds: Grounds
    disabled: tuple[str, ...] = ()
    actions: Mapping[str, Action] = field(default_factory=dict)


def write_basis(basis: Basis) -> str:
    """As JSON."""
    data = basis.grounds.as_json()
    if basis.disabled:
        data["disabled"] = list(basis.disabled)
    if basis.actions:
        data["actions"] = {address: action.value for address, action in basis.actions.items()}
    return _encode(data)


_encode = json.JSONEncoder(separators=(",", ":")).encode  # `json.dumps` would make one for each message


def read_basis(text: str) -> Basis | None:
    """What `write_basis` wrote; None for nothing, and for what another version wrote and this one cannot read."""
    try:
        data = json.loads(text)
        return Basis(
            grounds=read_grounds(data),
            disabled=tuple(map(str, data.get("disabled", ()))),
            actions={str(address): Action(action) for address, action in data.get("actions", {}).items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """`actions` and `decisions` run parallel to the recipients. `not_run` are rules that were disabled then and are
    active in the other settings: what they would have found nobody knows."""

    actions: tuple[Action, ...]
    decisions: tuple[Decision, ...]
    not_run: tuple[str, ...]


def replay(
    findings: Sequence[Finding], basis: Basis, recipients: Sequence[str], settings: InspectorSettings
) -> Replayed:
    """The decisions that `settings` would have led to."""
    weighed = reweigh(findings, basis.grounds, settings)
    forced = forced_by(basis.grounds, settings)
    if any(finding.recipient is not None for finding in weighed):
        decisions = tuple(decide(weighed, settings, forced, recipient) for recipient in recipients)
    else:
        decisions = (decide(weighed, settings, forced),) * len(recipients)
    return Replayed(
        actions=outcomes(decisions),
        decisions=decisions,
        not_run=tuple(code for code in basis.disabled if code not in settings.disabled_rules),
    )


def reweigh(findings: Sequence[Finding], grounds: Grounds, settings: InspectorSettings) -> tuple[Finding, ...]:
    """The findings with the weights that `settings` give them, without those of rules that it disables."""
    return tuple(
        _reweighed(finding, grounds, settings) for finding in findings if finding.code not in settings.disabled_rules
    )


def _reweighed(finding: Finding, grounds: Grounds, settings: InspectorSettings) -> Finding:
    severity = finding.severity
    own = finding.weight if finding.given_weight is None else finding.given_weight
    if finding.code == FAIL_CODE:  # the one rule whose weight follows from these settings
        severity, own = weigh_failure(grounds, enforce_dmarc(grounds, settings), settings)
    weight = settings.weights.get(finding.code, own)
    if weight == finding.weight and severity is finding.severity:
        return finding
    return replace(finding, weight=weight, severity=severity)
