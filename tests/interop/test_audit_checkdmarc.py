"""The audit and checkdmarc on the same zones, record by record: they agree."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkdmarc_world import inside
from neighbour import tool

SHARED = """
org. IN SOA ns1.org. h.org. 1 2 3 4 300
mx1.host.org. IN A 9.9.9.1
mx2.host.org. IN A 8.8.8.2
mx2.host.org. IN AAAA 2620:fe::2
alias.host.org. IN CNAME mx1.host.org.
sender.org. IN TXT "v=spf1 ip4:203.0.114.0/24 include:third.org -all"
third.org. IN TXT "v=spf1 a:mx1.host.org ~all"
loop.org. IN TXT "v=spf1 include:back.org -all"
back.org. IN TXT "v=spf1 include:loop.org -all"
five.org. IN TXT "v=spf1 a:mx1.host.org a:mx2.host.org mx:good.org a:alias.host.org a:mx1.host.org -all"
reports.org. IN MX 10 mx1.host.org.
willing.org. IN MX 10 mx1.host.org.
permitted.org._report._dmarc.willing.org. IN TXT "v=DMARC1"
"""
MX = "{d} IN MX 10 mx1.host.org."
SPF = '{d} IN TXT "v=spf1 mx -all"'
DMARC = '_dmarc.{d} IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@{n}"'
# Each domain with its records; {d} is its name with the dot, {n} without.
DOMAINS: dict[str, list[str]] = {
    "good.org": [
        MX,
        "{d} IN MX 20 mx2.host.org.",
        '{d} IN TXT "v=spf1 mx include:sender.org a:nix.{d} -all"',
        DMARC,
        '_smtp._tls.{d} IN TXT "v=TLSRPTv1; rua=mailto:tls@{n}"',
        'default._bimi.{d} IN TXT "v=BIMI1; l=https://{n}/l.svg"',
    ],
    "sub.good.org": [MX, SPF],
    "a.b.good.org": [MX, SPF],
    "bare.org": ["{d} IN A 9.9.9.9"],
    "null.org": ["{d} IN MX 0 .", '{d} IN TXT "v=spf1 -all"', DMARC],
    "two.org": [MX, SPF, '{d} IN TXT "v=spf1 a -all"', DMARC],
    "typo.org": [MX, '{d} IN TXT "v=spf1 mxx -all"', DMARC],
    "many.org": [MX, '{d} IN TXT "v=spf1 include:five.org include:sender.org mx a include:five.org -all"', DMARC],
    "ten.org": [MX, '{d} IN TXT "v=spf1 include:five.org include:sender.org mx -all"', DMARC],
    "lost.org": [MX, '{d} IN TXT "v=spf1 include:gone.org -all"', DMARC],
    "circle.org": [MX, '{d} IN TXT "v=spf1 include:loop.org -all"', DMARC],
    "redirect.org": [MX, '{d} IN TXT "v=spf1 ip4:9.9.9.1 redirect=sender.org"', DMARC],
    "void.org": [MX, '{d} IN TXT "v=spf1 a:no1.{d} a:no2.{d} a:no3.{d} mx -all"', DMARC],
    "macro.org": [MX, '{d} IN TXT "v=spf1 exists:%{{i}}.x.org mx -all"', DMARC],
    "none.org": [MX, SPF, '_dmarc.{d} IN TXT "v=DMARC1; p=none; sp=reject; np=quarantine; adkim=s; fo=1"'],
    "pct.org": [MX, SPF, '_dmarc.{d} IN TXT "v=DMARC1; p=quarantine; pct=20; rua=mailto:dmarc@{n}"'],
    "twice.org": [MX, SPF, DMARC, '_dmarc.{d} IN TXT "v=DMARC1; p=none"'],
    "foreign.org": [MX, SPF, '_dmarc.{d} IN TXT "v=DMARC1; p=reject; rua=mailto:x@reports.org"'],
    "permitted.org": [MX, SPF, '_dmarc.{d} IN TXT "v=DMARC1; p=reject; rua=mailto:x@willing.org"'],
    "mxless.org": ["{d} IN MX 10 nowhere.host.org.", SPF, DMARC],
}


@pytest.fixture(scope="module")
def answers(
    report_missing: Callable[[str], None], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, dict[str, Any]]:
    """What both say of every domain."""
    python = tool.venv_python("checkdmarc")
    if python is None:
        report_missing("the neighbour checkdmarc (tools/neighbours.py)")
    folder = tmp_path_factory.mktemp("checkdmarc")
    resolv = folder / "resolv.conf"
    resolv.write_text("nameserver 127.0.0.1\n")
    if subprocess.run(inside(resolv, "true"), capture_output=True, check=False).returncode:
        report_missing("the right to make a network and mounts of one's own, for the neighbour checkdmarc")
    zone = folder / "zone"
    records = [line.format(d=f"{name}.", n=name) for name, lines in DOMAINS.items() for line in lines]
    zone.write_text(SHARED + "\n".join(records) + "\n")
    program = Path(__file__).with_name("checkdmarc_world.py")
    command = inside(resolv, sys.executable, str(program), str(zone), str(python), *DOMAINS)
    done = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def codes(ours: dict[str, Any], *severities: str) -> set[str]:
    return {one["code"] for one in ours["findings"] if one["severity"] in severities}


pytestmark = pytest.mark.neighbour("checkdmarc")


@pytest.mark.parametrize("domain", DOMAINS)
def test_mail_exchangers(answers: dict[str, dict[str, Any]], domain: str) -> None:
    """The same hosts, preferences and addresses. An implicit MX and a null MX are no hosts to checkdmarc."""
    ours, theirs = answers["ours"][domain], answers["theirs"][domain]
    mine = [(one["name"], one["preference"], one["addresses"]) for one in ours["facts"]["hosts"] if not one["implicit"]]
    named = [one for one in theirs["mx"]["hosts"] if one["hostname"]]
    hosts = [(one["hostname"], one["preference"], sorted(one["addresses"])) for one in named]
    assert sorted((name, rank, sorted(addresses)) for name, rank, addresses in mine) == sorted(hosts)


BROKEN = {"spf.missing", "spf.several", "spf.syntax", "spf.broken-include", "spf.lookups", "spf.circle", "spf.voids"}


@pytest.mark.parametrize("domain", DOMAINS)
def test_spf(answers: dict[str, dict[str, Any]], domain: str) -> None:
    """Usable or not; the record; look-ups and void look-ups counted alike."""
    ours, theirs = answers["ours"][domain], answers["theirs"][domain]["spf"]
    assert theirs["valid"] is not bool(BROKEN & codes(ours, "danger")), theirs.get("error")
    if theirs["valid"]:
        tree = ours["facts"]["spf"]
        assert tree["record"] == [theirs["record"]]
        assert (tree["lookups"], tree["void_lookups"]) == (theirs["dns_lookups"], theirs["void_dns_lookups"])


@pytest.mark.parametrize("domain", DOMAINS)
def test_dmarc(answers: dict[str, dict[str, Any]], domain: str) -> None:
    """Whether a record holds, which one, where it stands, and its policies."""
    ours, theirs = answers["ours"][domain], answers["theirs"][domain]["dmarc"]
    holds = not {"dmarc.missing", "dmarc.several"} & codes(ours, "danger")
    assert holds is theirs["valid"]
    if not theirs["valid"] or not holds:
        return
    (policy,) = (one for one in ours["findings"] if one["code"] == "dmarc.policy")
    assert policy["evidence"]["text"] == theirs["record"]
    assert policy["evidence"]["at"] == f"_dmarc.{theirs['location']}"
    tags = theirs["tags"]
    wanted = tags["p"] if theirs["location"] == domain else tags["sp"]
    assert policy["evidence"]["policy"] == wanted["value"]


def test_removed_tags_and_permissions(answers: dict[str, dict[str, Any]]) -> None:
    assert "dmarc.removed-tags" in codes(answers["ours"]["pct.org"], "notice")
    assert "pct" in str(answers["theirs"]["pct.org"]["dmarc"]["warnings"])
    assert "dmarc.report-permission" in codes(answers["ours"]["foreign.org"], "warning")
    assert "dmarc.report-permission" not in codes(answers["ours"]["permitted.org"], "warning")


def test_tls_reports_and_bimi(answers: dict[str, dict[str, Any]]) -> None:
    for domain in DOMAINS:
        ours, theirs = answers["ours"][domain], answers["theirs"][domain]
        assert theirs["smtp_tls_reporting"]["valid"] is ("tlsrpt.record" in codes(ours, "pass")), domain
    assert "bimi.record" in codes(answers["ours"]["good.org"], "info")
    assert answers["theirs"]["good.org"]["bimi"]["valid"]


def test_servers_without_an_address_are_found_by_both(answers: dict[str, dict[str, Any]]) -> None:
    assert "mx.no-address" in codes(answers["ours"]["mxless.org"], "danger")
    assert "does not exist" in str(answers["theirs"]["mxless.org"]["mx"]["warnings"])
