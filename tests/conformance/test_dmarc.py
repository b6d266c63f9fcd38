"""RFC 9989 by our own table of cases, `dmarc_cases`."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest
from dmarc_cases import CASES, Case

from fakes import DictResolver
from gatepost.msgauth.dmarc import DmarcResult, evaluate


@dataclass(frozen=True)
class Signature:
    domain: str
    result: str


@dataclass(frozen=True)
class Dkim:
    signatures: tuple[Signature, ...]


def resolver_of(case: Case) -> DictResolver:
    zone: dict[str, dict[str, Any]] = {"_dmarc." + name: {"TXT": records} for name, records in case.zone.items()}
    zone.update({name: {"A": ["192.0.2.1"]} for name in case.exists})
    failing = [("_dmarc." + name, "TXT") if " " not in name else (name[2:], "A") for name in case.tempfail]
    return DictResolver(zone, tempfail=failing)


def seen(result: DmarcResult, name: str) -> Any:
    if name == "walk":
        return tuple(step.removeprefix("_dmarc.") for step in result.walk)
    if name.startswith("aligned_"):
        return getattr(result.alignment, name.removeprefix("aligned_"))
    return getattr(result, name)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.section} {case.name}")
def test_rfc_9989(case: Case) -> None:
    resolver = resolver_of(case)
    dkim = Dkim(tuple(Signature(*one) for one in case.dkim))
    result = asyncio.run(evaluate(case.author, case.spf, dkim, resolver=resolver))
    assert {name: seen(result, name) for name in case.expect} == case.expect, result
    assert len(result.walk) <= 8
    assert all(result.as_json()[key] is not None for key in ("result", "author_domain", "disposition", "alignment"))


def test_names_of_cases_are_different() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
