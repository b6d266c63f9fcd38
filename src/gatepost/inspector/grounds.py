"""What the forced actions of a message rest on, besides the settings: a few plain values that can be kept.

In: `Facts`. Out: `Grounds`; as JSON and back, so that another policy can be tried on a message long gone.
Standard: RFC 9989 §7.4. Not here: what is forced (`enforcement`), signs of forwarding (`indirect`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gatepost.inspector.facts import Facts
from gatepost.inspector.indirect import Seal, proven_domains, seals_of, signs_of_indirect_flow
from gatepost.inspector.standing import gravest_block
from gatepost.msgauth.dmarc import DmarcPolicy, DmarcResultWord
from gatepost.ports import ScanStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """`aligned`, `policy` and `disposition` as in `DmarcResult`. `signs`, `proven` and `seals` (newest first, of a
    chain that holds) are gathered only where DMARC failed. `scan` is None where no scanner was asked and
    nothing known was found; `scan_lasting` as in `Scanned`. `block` is the action of the house's own entry that blocks
    the message, or empty."""

    dmarc: DmarcResultWord
    aligned: bool = False
    policy: DmarcPolicy | None = None
    disposition: DmarcPolicy = DmarcPolicy.NONE
    signs: tuple[str, ...] = ()
    proven: tuple[str, ...] = ()
    seals: tuple[Seal, ...] = ()
    scan: ScanStatus | None = None
    scan_lasting: bool = False
    block: str = ""

    def as_json(self) -> dict[str, Any]:
        """As JSON values, without what is at its default: most mail passes, and its grounds are one word."""
        data: dict[str, Any] = {"dmarc": self.dmarc.value}
        for name in ("aligned", "policy", "scan", "scan_lasting", "block"):
            if getattr(self, name):
                data[name] = getattr(self, name)
        if self.disposition is not DmarcPolicy.NONE:
            data["disposition"] = self.disposition.value
        for name in ("signs", "proven", "seals"):
            if getattr(self, name):
                data[name] = [list(one) if isinstance(one, tuple) else one for one in getattr(self, name)]
        return data


def grounds_of(facts: Facts) -> Grounds:
    """The grounds in `facts`."""
    dmarc, scanned = facts.auth.dmarc, facts.scanned
    failed = dmarc.result is DmarcResultWord.FAIL
    return Grounds(
        dmarc=dmarc.result,
        aligned=dmarc.aligned,
        policy=dmarc.policy,
        disposition=dmarc.disposition,
        signs=signs_of_indirect_flow(facts) if failed else (),
        proven=proven_domains(facts) if failed else (),
        seals=seals_of(facts) if failed else (),
        scan=_scan(facts),
        scan_lasting=scanned is not None and scanned.lasting,
        block=_block(facts),
    )


def _block(facts: Facts) -> str:
    found = gravest_block(facts.standing.blocks) if facts.standing is not None else None
    return found.entry.action if found is not None else ""


def _scan(facts: Facts) -> ScanStatus | None:
    """What the scanner said; malware that is known without one counts as found by it."""
    if facts.content is not None and facts.content.malware:
        return ScanStatus.FOUND
    return facts.scanned.status if facts.scanned is not None else None


def read_grounds(data: Mapping[str, Any]) -> Grounds:
    """What `as_json` wrote. Raises ValueError, KeyError or TypeError for anything else."""
    policy, scan = data.get("policy"), data.get("scan")
    return Grounds(
        dmarc=DmarcResultWord(data["dmarc"]),
        aligned=bool(data.get("aligned", False)),
        policy=None if policy is None else DmarcPolicy(policy),
        disposition=DmarcPolicy(data.get("disposition", "none")),
        signs=tuple(map(str, data.get("signs", ()))),
        proven=tuple(map(str, data.get("proven", ()))),
        seals=tuple((str(sealer), bool(saw)) for sealer, saw in data.get("seals", ())),
        scan=None if scan is None else ScanStatus(scan),
        scan_lasting=bool(data.get("scan_lasting", False)),
        block=str(data.get("block", "")),
    )
