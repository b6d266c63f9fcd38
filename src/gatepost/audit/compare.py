"""What changed between two audits of a domain.

In: two audits as JSON values (`Audit.as_json`), the older perhaps of an earlier version. Out: `Changes`.
A finding is the same when its code and what it is about (host, selector, address …) are the same; numbers that change
by themselves (days until expiry) are no change. Not here: reading files (`cli.audit`), alarms (`server.auditing`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gatepost.audit.check import Area
from gatepost.finding import Severity

# What a finding is about, by the names that checks give it.
_ABOUT = (
    "place",
    "host",
    "selector",
    "address",
    "name",
    "at",
    "subject",
    "list",
    "term",
    "uri",
    "network",
    "piece",
    "tag",
)
_GOOD = Severity.PASS.value


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """`new` are findings that were not there, `worse` those that are graver now, `better` those that are milder,
    `gone` those that are no more, as JSON values. `records` has each record that changed: what it was, what it is.
    `grade` is the old and the new letter."""

    domain: str
    grade: tuple[str, str]
    new: tuple[Mapping[str, Any], ...] = ()
    worse: tuple[Mapping[str, Any], ...] = ()
    better: tuple[Mapping[str, Any], ...] = ()
    gone: tuple[Mapping[str, Any], ...] = ()
    records: Mapping[str, tuple[list[str], list[str]]] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether everything is as it was."""
        same = self.grade[0] == self.grade[1]
        return same and not (self.new or self.worse or self.better or self.gone or self.records)

    @property
    def gravest(self) -> int:
        """The rank of the gravest finding that is new or became worse; -1 for none."""
        return max((Severity(one["severity"]).rank for one in (*self.new, *self.worse)), default=-1)

    def as_json(self) -> dict[str, Any]:
        """The changes as JSON values."""
        return {
            "grade": list(self.grade),
            "new": [dict(one) for one in self.new],
            "worse": [dict(one) for one in self.worse],
            "better": [dict(one) for one in self.better],
            "gone": [dict(one) for one in self.gone],
            "records": {name: {"before": old, "now": new} for name, (old, new) in (self.records or {}).items()},
        }


def compare(old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """What is different in `new`. Parts that `old` lacks, or that were not looked at in both, are no change."""
    before, now = _by_subject(_findings(old)), _by_subject(_findings(new))
    skipped = _unlooked(old) | _unlooked(new)
    added = [one for key, one in now.items() if key not in before and (_area(one) not in skipped or _is_gap(one))]
    gone = [one for key, one in before.items() if key not in now and _area(one) not in skipped]
    both = [(before[key], one) for key, one in now.items() if key in before]
    return Changes(
        domain=str(new.get("domain", "")),
        grade=(_letter(old), _letter(new)),
        new=tuple(one for one in added if one["severity"] != _GOOD),
        gone=tuple(one for one in gone if one["severity"] != _GOOD),
        worse=tuple(one for was, one in both if _rank(one) > _rank(was)),
        better=tuple(one for was, one in both if _rank(one) < _rank(was)),
        records=_records(old, new),
    )


def _findings(audit: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = audit.get("findings", [])
    wanted = [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
    return [one for one in wanted if isinstance(one.get("code"), str) and one.get("severity") in set(Severity)]


def _by_subject(findings: Iterable[Mapping[str, Any]]) -> dict[tuple[str, ...], Mapping[str, Any]]:
    found: dict[tuple[str, ...], Mapping[str, Any]] = {}
    for one in findings:
        evidence = one.get("evidence")
        about = evidence if isinstance(evidence, dict) else {}
        found.setdefault((one["code"], *(f"{key}={about[key]}" for key in _ABOUT if key in about)), one)
    return found


# Areas that rest on a piece of the facts: where the piece was not finished, that a finding is gone means nothing.
_RESTS_ON = {
    "zone": ("servers", "spf", "transport", "access", "lists", "zone"),
    "hosts": ("servers", "transport", "access", "lists"),
    "services": ("servers", "transport", "access"),
    "more": ("transport", "access", "zone"),
    "sts": ("transport",),
    "quick": ("transport", "zone"),
    "lookalikes": ("zone",),
    "host_spf": ("spf",),
}


def _unlooked(audit: Mapping[str, Any]) -> set[str]:
    """Areas without a grade, or with a gap: nobody looked."""
    areas, facts = audit.get("areas"), audit.get("facts")
    known = set(areas) if isinstance(areas, dict) else set()
    gaps = facts.get("unfinished") if isinstance(facts, dict) else None
    found = {area for piece in gaps for area in _RESTS_ON.get(piece, (piece,))} if isinstance(gaps, dict) else set()
    return ({area.value for area in Area} - known) | found


def _is_gap(finding: Mapping[str, Any]) -> bool:
    return bool(finding["code"] == "look.unfinished")


def _area(finding: Mapping[str, Any]) -> str:
    return str(finding.get("group", ""))


def _rank(finding: Mapping[str, Any]) -> int:
    return Severity(finding["severity"]).rank


def _letter(audit: Mapping[str, Any]) -> str:
    grade = audit.get("grade")
    return str(grade.get("letter", "-"))[:1] if isinstance(grade, dict) else "-"


def _records(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[list[str], list[str]]]:
    """Records of DNS that are others than before. A question that had no answer (a failure) is no change."""
    before, now = _answers(old), _answers(new)
    return {
        name: (before[name], now[name])
        for name in now
        if name not in ("soa", "a", "aaaa") and name in before and before[name] != now[name]
    }


def _answers(audit: Mapping[str, Any]) -> dict[str, list[str]]:
    facts = audit.get("facts")
    records = facts.get("records") if isinstance(facts, dict) else None
    found = {}
    for name, answer in records.items() if isinstance(records, dict) else ():
        if isinstance(answer, dict) and answer.get("status") != "tempfail" and isinstance(answer.get("records"), list):
            found[str(name)] = sorted(map(str, answer["records"]))
    dmarc = facts.get("dmarc") if isinstance(facts, dict) else None
    for step in dmarc.get("walk", []) if isinstance(dmarc, dict) else []:
        if isinstance(step, dict) and not step.get("failed"):
            found[f"dmarc {step.get('name')}"] = [str(step.get("record"))] if step.get("record") else []
    return found
