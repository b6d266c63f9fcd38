"""The openspf suite for RFC 7208: 203 cases in 16 scenarios, all expected to hold."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from fakes import DictResolver
from gatepost.msgauth.spf import check_host
from gatepost.ports import Mx

ROOT = Path(__file__).resolve().parents[2]
SUITE = Path("spf/openspf-rfc7208/rfc7208-tests.yml")
FOLDER = Path(os.environ.get("GATEPOST_SUITES", ROOT.parent / "shared" / "suites"))
NOW = 1_700_000_000.0
CASES = 203


class _Strings(yaml.SafeLoader):
    """YAML where every scalar is a string: `host: 1.2.3.4` and `NO` must not become numbers or booleans."""


_Strings.yaml_implicit_resolvers = {}


def load() -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(name, case, zone data) of every case; empty when the suite is not there."""
    if not (FOLDER / SUITE).is_file():
        return []
    documents = yaml.load_all((FOLDER / SUITE).read_text("utf-8"), Loader=_Strings)
    return [
        (f"{document['description']}: {name}", case, document["zonedata"])
        for document in documents
        for name, case in document["tests"].items()
    ]


def resolver_of(zone: dict[str, Any]) -> DictResolver:
    """Serves the zone data by the rules of the suite's README."""
    resolver = DictResolver()
    for name, entries in zone.items():
        add(resolver, name, [entries] if isinstance(entries, str) else entries)
    return resolver


def add(resolver: DictResolver, name: str, entries: list[Any]) -> None:
    resolver.add(name, {})
    has_txt = any(isinstance(entry, dict) and "TXT" in entry for entry in entries)
    served: set[str] = set()
    for entry in entries:
        if isinstance(entry, str):
            assert entry == "TIMEOUT" or entry.startswith("RCODE")
            continue
        ((rtype, value),) = entry.items()
        for kind in {"SPF": ["SPF"] if has_txt else ["SPF", "TXT"]}.get(rtype, [rtype]):
            if value != "NONE":
                resolver.add(name, {kind: [decoded(kind, value)]})
                served.add(kind)
    if any(isinstance(entry, str) and entry != "RCODE3" for entry in entries):
        resolver.fail(name, unless=served)


def decoded(rtype: str, value: Any) -> str | bytes | Mx:
    if rtype == "MX":
        return Mx(int(value[0]), value[1].lower().rstrip(".") or ".")
    if rtype in ("TXT", "SPF"):
        return "".join(value).encode("utf-8") if isinstance(value, list) else value.encode("utf-8")
    if rtype in ("PTR", "CNAME"):
        return value.lower().rstrip(".")
    return value


ALL = load()


def test_the_suite_is_complete(suites: Path) -> None:
    assert len(ALL) == CASES


@pytest.mark.parametrize(("case", "zone"), [pytest.param(c, z, id=n) for n, c, z in ALL])
def test_openspf(case: dict[str, Any], zone: dict[str, Any]) -> None:
    resolver = resolver_of(zone)
    result = asyncio.run(
        check_host(ip=case["host"], ehlo=case["helo"], mail_from=case["mailfrom"], resolver=resolver, now=NOW)
    )
    expected = case["result"]
    assert result.result in ([expected] if isinstance(expected, str) else expected), result
    if "explanation" in case:
        assert result.explanation == ("" if case["explanation"] == "DEFAULT" else case["explanation"])
