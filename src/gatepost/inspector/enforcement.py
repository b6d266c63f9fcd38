"""What a DMARC result makes the gate do, weighed with what else is known.

In: `Facts`. Out: `Enforcement`: an action (or none) and why. Standard: RFC 9989 §5.4 and §7.4: a receiver may know
better than the policy; a refusal hits mailing lists too. TRAPS: a temporary error is no pass and no refusal for good.
Not here: the evaluation (`msgauth.dmarc`), scores (`policy`).
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.inspector.decision import Action, Forced
from gatepost.inspector.facts import Facts
from gatepost.inspector.indirect import signs_of_indirect_flow, trusted_forwarder, trusted_sealer
from gatepost.inspector.settings import DmarcEnforcement, OnTemperror
from gatepost.msgauth.dmarc import DmarcPolicy, DmarcResultWord

FAIL_CODE = "auth.dmarc.fail"
TEMPERROR_CODE = "auth.dmarc.temperror"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """`action` is what DMARC demands here, None when it demands nothing; `why` says it in plain words. `vouched_by`
    is the trusted forwarder or sealer, `signs` what hints at an indirect flow."""

    action: Action | None
    why: str
    vouched_by: str = ""
    signs: tuple[str, ...] = ()


def enforce_dmarc(facts: Facts) -> Enforcement:
    """What the settings make of the DMARC result."""
    dmarc = facts.auth.dmarc
    if dmarc.result is DmarcResultWord.TEMPERROR and not dmarc.aligned:  # aligned: no policy could say more
        return _on_temperror(facts.settings.dmarc_temperror)
    if dmarc.result is not DmarcResultWord.FAIL:
        return Enforcement(action=None, why="nothing is demanded")
    sealer = trusted_sealer(facts)
    if sealer:
        return Enforcement(action=None, why=f"{sealer}, whose ARC seals are trusted, saw it pass", vouched_by=sealer)
    if facts.settings.dmarc is DmarcEnforcement.REPORT_ONLY:
        return Enforcement(action=None, why="DMARC is set to report only")
    if dmarc.disposition is DmarcPolicy.NONE:
        return Enforcement(action=None, why="the domain's owner asks for nothing to be done")
    forwarder = trusted_forwarder(facts)
    if forwarder:
        return Enforcement(action=Action.TAG, why=f"{forwarder} is a trusted forwarder", vouched_by=forwarder)
    return _obey(facts, dmarc.disposition)


def _obey(facts: Facts, disposition: DmarcPolicy) -> Enforcement:
    if disposition is DmarcPolicy.QUARANTINE:
        return Enforcement(action=Action.QUARANTINE, why="the domain's owner asks for quarantine")
    if facts.settings.dmarc is DmarcEnforcement.QUARANTINE:
        return Enforcement(action=Action.QUARANTINE, why="DMARC is set to quarantine at most")
    signs = signs_of_indirect_flow(facts)
    if signs:
        why = f"the owner asks for refusal, but it may have been forwarded: {signs[0]}"
        return Enforcement(action=Action.QUARANTINE, why=why, signs=signs)
    return Enforcement(action=Action.REJECT, why="the domain's owner asks for refusal, and nothing hints at forwarding")


def _on_temperror(setting: OnTemperror) -> Enforcement:
    why = "DNS does not answer, so nobody knows whether the author's domain is proven"
    action = {OnTemperror.DEFER: Action.DEFER, OnTemperror.TAG: Action.TAG}.get(setting)
    return Enforcement(action=action, why=why)


def forced_by(facts: Facts) -> tuple[Forced, ...]:
    """What the facts force whatever the score; the rules of the same codes say it in findings."""
    word = facts.auth.dmarc.result
    if word is DmarcResultWord.PASS or word is DmarcResultWord.NONE:
        return ()
    action = enforce_dmarc(facts).action
    if action is None:
        return ()
    code = TEMPERROR_CODE if word is DmarcResultWord.TEMPERROR else FAIL_CODE
    return (Forced(action=action, code=code),)
