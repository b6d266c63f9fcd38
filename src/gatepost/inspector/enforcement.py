"""What a DMARC result, a scan and the house's own blocks make the gate do, weighed with what else is known.

In: `Grounds`, settings. Out: `Enforcement`: an action (or none) and why; `Forced` actions.
Standard: RFC 9989 §5.4 and §7.4: a receiver may know better than the policy; a refusal hits mailing lists
too. TRAPS: a temporary error is no pass and no refusal for good.
Not here: the evaluation (`msgauth.dmarc`), scores (`policy`).
"""

from __future__ import annotations

from dataclasses import dataclass

from gatepost.inspector.decision import Action, Forced
from gatepost.inspector.grounds import Grounds
from gatepost.inspector.indirect import trusted_forwarder, trusted_sealer
from gatepost.inspector.settings import DmarcEnforcement, InspectorSettings, OnMalware, OnTemperror
from gatepost.msgauth.dmarc import DmarcPolicy, DmarcResultWord
from gatepost.ports import ScanStatus

FAIL_CODE = "auth.dmarc.fail"
TEMPERROR_CODE = "auth.dmarc.temperror"
MALWARE_CODE = "malware.found"
NOT_SCANNED_CODE = "malware.not-scanned"
BLOCK_CODE = "list.local-block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Enforcement:
    """`action` is what DMARC demands here, None when it demands nothing; `why` says it in plain words. `vouched_by`
    is the trusted forwarder or sealer, `signs` what hints at an indirect flow."""

    action: Action | None
    why: str
    vouched_by: str = ""
    signs: tuple[str, ...] = ()


def enforce_dmarc(grounds: Grounds, settings: InspectorSettings) -> Enforcement:
    """What the settings make of the DMARC result."""
    if grounds.dmarc is DmarcResultWord.TEMPERROR and not grounds.aligned:  # aligned: no policy could say more
        return _on_temperror(settings.dmarc_temperror)
    if grounds.dmarc is not DmarcResultWord.FAIL:
        return Enforcement(action=None, why="nothing is demanded")
    sealer = trusted_sealer(grounds.seals, settings.trusted_sealers)
    if sealer:
        return Enforcement(action=None, why=f"{sealer}, whose ARC seals are trusted, saw it pass", vouched_by=sealer)
    if settings.dmarc is DmarcEnforcement.REPORT_ONLY:
        return Enforcement(action=None, why="DMARC is set to report only")
    if grounds.disposition is DmarcPolicy.NONE:
        return Enforcement(action=None, why="the domain's owner asks for nothing to be done")
    forwarder = trusted_forwarder(grounds.proven, settings.trusted_forwarders)
    if forwarder:
        return Enforcement(action=Action.TAG, why=f"{forwarder} is a trusted forwarder", vouched_by=forwarder)
    return _obey(grounds, settings)


def _obey(grounds: Grounds, settings: InspectorSettings) -> Enforcement:
    if grounds.disposition is DmarcPolicy.QUARANTINE:
        return Enforcement(action=Action.QUARANTINE, why="the domain's owner asks for quarantine")
    if settings.dmarc is DmarcEnforcement.QUARANTINE:
        return Enforcement(action=Action.QUARANTINE, why="DMARC is set to quarantine at most")
    if grounds.signs:
        why = f"the owner asks for refusal, but it may have been forwarded: {grounds.signs[0]}"
        return Enforcement(action=Action.QUARANTINE, why=why, signs=grounds.signs)
    return Enforcement(action=Action.REJECT, why="the domain's owner asks for refusal, and nothing hints at forwarding")


def _on_temperror(setting: OnTemperror) -> Enforcement:
    why = "DNS does not answer, so nobody knows whether the author's domain is proven"
    action = {OnTemperror.DEFER: Action.DEFER, OnTemperror.TAG: Action.TAG}.get(setting)
    return Enforcement(action=action, why=why)


def forced_by(grounds: Grounds, settings: InspectorSettings) -> tuple[Forced, ...]:
    """What the grounds force whatever the score; the rules of the same codes say it in findings. A rule that is
    disabled forces nothing either."""
    if grounds.dmarc in _NOTHING_FORCED and grounds.scan in (None, ScanStatus.CLEAN) and not grounds.block:
        return ()  # most mail
    return (
        *_forced_by_dmarc(grounds, settings),
        *_forced_by_scan(grounds, settings),
        *_forced_by_block(grounds, settings),
    )


_NOTHING_FORCED = (DmarcResultWord.PASS, DmarcResultWord.NONE)


def _forced_by_dmarc(grounds: Grounds, settings: InspectorSettings) -> tuple[Forced, ...]:
    action = enforce_dmarc(grounds, settings).action
    if action is None:
        return ()
    code = TEMPERROR_CODE if grounds.dmarc is DmarcResultWord.TEMPERROR else FAIL_CODE
    return (Forced(action=action, code=code),)


def _forced_by_scan(grounds: Grounds, settings: InspectorSettings) -> tuple[Forced, ...]:
    """Malware is never let through, and "nobody looked" is never taken for "clean"."""
    if grounds.scan is ScanStatus.FOUND:
        action = Action.REJECT if settings.malware is OnMalware.REJECT else Action.QUARANTINE
        return (Forced(action=action, code=MALWARE_CODE),)
    if grounds.scan is not ScanStatus.ERROR or settings.not_scanned is OnTemperror.WEIGH:
        return ()
    # What is too large today is so tomorrow: putting it off would be a refusal that nobody explains.
    later = settings.not_scanned is OnTemperror.DEFER and not grounds.scan_lasting
    return (Forced(action=Action.DEFER if later else Action.TAG, code=NOT_SCANNED_CODE),)


def _forced_by_block(grounds: Grounds, settings: InspectorSettings) -> tuple[Forced, ...]:
    """The administrator's own word decides, where he has blocked a sender, an address or a link."""
    action = _BLOCKED.get(grounds.block) if BLOCK_CODE not in settings.disabled_rules else None
    return (Forced(action=action, code=BLOCK_CODE),) if action is not None else ()


_BLOCKED = {"tag": Action.TAG, "quarantine": Action.QUARANTINE, "reject": Action.REJECT}
