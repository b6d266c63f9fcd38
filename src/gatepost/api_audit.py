"""The library's face: audits one domain.

In: a name; ports (without a prober no port is tried, without pages no web server is asked, without lists none).
Out: `Audit`. It ends within its deadline whatever the servers do, with what was found by then.
Standard: DESIGN, "What others may lean on". Not here: asking (`audit.gathering`), judging (`audit.checks`), printing it
(`cli.audit`).
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from gatepost.audit.check import Area, run_checks
from gatepost.audit.checks import checks_for, looked_at
from gatepost.audit.describe import describe
from gatepost.audit.facts import Facts, HeldKey
from gatepost.audit.gathering.stages import STAGES, Given, Stage
from gatepost.audit.grade import Grade, grade_all
from gatepost.audit.settings import AuditSettings
from gatepost.errors import InputError
from gatepost.finding import Finding
from gatepost.msgauth.spf.name import is_checkable, to_ascii
from gatepost.net.resolver import DnsResolver
from gatepost.ports import Pages, Prober, Resolver
from gatepost.reputation import Lists

_ESSENTIAL = frozenset(("zone", "hosts"))  # without these the stages that need them cannot begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """How a domain stands. `grade` is the whole's, `areas` have those of each area that was looked at."""

    facts: Facts
    findings: tuple[Finding, ...]
    grade: Grade
    areas: dict[Area, Grade] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def domain(self) -> str:
        """In A-labels."""
        return self.facts.domain

    def as_json(self) -> dict[str, Any]:
        """The whole as JSON values; the schema is docs/schema/audit.json."""
        return {
            "domain": self.facts.domain,
            "shown": self.facts.shown,
            "audited_at": self.facts.now,
            "seconds": round(self.seconds, 3),
            "grade": self.grade.as_json(),
            "areas": {area.value: grade.as_json() for area, grade in self.areas.items()},
            "findings": [finding.as_json() for finding in self.findings],
            "facts": describe(self.facts),
        }


async def audit_domain(
    domain: str,
    *,
    resolver: Resolver | None = None,
    prober: Prober | None = None,
    pages: Pages | None = None,
    lists: Lists | None = None,
    held: Sequence[HeldKey] = (),
    now: float | None = None,
    settings: AuditSettings | None = None,
) -> Audit:
    """Audits `domain` (any script). Without a `resolver` the network's is asked. `held` are the records of signing keys
    whose private halves are ours. Raises InputError for what is no domain name, and for nothing else."""
    chosen = settings or AuditSettings()
    name = read_domain(domain)
    moment = time.time() if now is None else now
    given = Given(
        domain=name,
        now=moment,
        settings=chosen,
        resolver=resolver or DnsResolver(),
        prober=prober,
        pages=pages,
        lists=lists,
        held=held,
    )
    begun = time.monotonic()
    pieces, unfinished = await _gather(given)
    facts = Facts(domain=name, shown=shown_domain(name), now=moment, settings=chosen, unfinished=unfinished, **pieces)
    return judge(facts, time.monotonic() - begun)


def audit_domain_sync(domain: str, **ports: Any) -> Audit:
    """`audit_domain` for scripts that have no event loop."""
    return asyncio.run(audit_domain(domain, **ports))


def judge(facts: Facts, seconds: float = 0.0) -> Audit:
    """The verdict on what is known."""
    findings = run_checks(checks_for(facts), facts)
    grade, areas = grade_all(findings, looked_at(facts))
    return Audit(facts=facts, findings=findings, grade=grade, areas=areas, seconds=seconds)


def read_domain(text: str) -> str:
    """`text` as a domain name in A-labels, lower case. Raises InputError."""
    name = to_ascii(text.strip().rstrip("."))
    if not is_checkable(name) or " " in name or "@" in name or "/" in name:
        raise InputError("domain", text, "is no domain name; give one as example.org, without http:// or an @")
    return name


def shown_domain(name: str) -> str:
    """The name as people write it; as it is where that cannot be."""
    if "xn--" not in name:
        return name
    import idna

    try:
        return idna.decode(name)
    except (idna.IDNAError, UnicodeError):
        return name


async def _gather(given: Given) -> tuple[dict[str, Any], dict[str, str]]:
    """Runs the stages, each as soon as what it waits for is there; gives up at the deadline."""
    end = time.monotonic() + given.settings.deadline
    pieces: dict[str, Any] = {}
    unfinished: dict[str, str] = {}
    waiting = [stage for stage in STAGES if stage.wanted(given)]
    done = {stage.name for stage in STAGES if stage not in waiting}  # nobody waits for what is not wanted
    running: dict[asyncio.Task[dict[str, Any]], Stage] = {}
    try:
        while waiting or running:
            for stage in [one for one in waiting if done.issuperset(one.needs)]:  # what failed is never done
                waiting.remove(stage)
                running[asyncio.create_task(_run(stage, given, pieces))] = stage
            if not running:
                break
            finished, _ = await asyncio.wait(
                running, timeout=max(end - time.monotonic(), 0), return_when=asyncio.FIRST_COMPLETED
            )
            if not finished:
                break
            for task in finished:
                stage = running.pop(task)
                if _end(stage, task, pieces, unfinished) or stage.name not in _ESSENTIAL:
                    done.add(stage.name)
    finally:
        for task in running:
            task.cancel()
    late = f"not finished within {given.settings.deadline:g} s"
    for stage in (*running.values(), *waiting):
        unfinished.setdefault(stage.name, late if running else "what it needs could not be looked at")
    if running:
        await asyncio.wait(running, timeout=1.0)
    return pieces, unfinished


async def _run(stage: Stage, given: Given, pieces: dict[str, Any]) -> dict[str, Any]:
    return await stage.gather(given, pieces)


def _end(stage: Stage, task: asyncio.Task[dict[str, Any]], pieces: dict[str, Any], unfinished: dict[str, str]) -> bool:
    """Keeps what a stage gave; a stage that failed is told of, and the others go on."""
    try:
        pieces |= task.result()
    except Exception as error:  # whatever a stranger's answer did to a library or to us must not cost the rest
        unfinished[stage.name] = f"it ended in trouble: {type(error).__name__}: {error}"[:200]
        return False
    return True
