"""The strictest wins: configuration, DANE and MTA-STS in a table; who counts what."""

from __future__ import annotations

import asyncio

import pytest

from gatepost.msgauth.sts import StsMode, StsPolicy
from gatepost.msgauth.tlsa import Tlsa
from gatepost.names import Tls
from gatepost.server.delivery.dane import Dane
from gatepost.server.delivery.demands import Demands, SessionSeen, demand_of
from gatepost.server.delivery.protection import Demand, Level, MxHost, lowered
from gatepost.server.delivery.settings import DeliverySettings, DestinationSettings
from gatepost.server.delivery.sts import Sts

HOST = MxHost("mx.example.org", 10, True)
RECORD = Tlsa(3, 1, 1, b"x" * 32)
GOOD = Dane(published=True, base="mx.example.org", records=(RECORD,))
USELESS = Dane(published=True, base="mx.example.org")
BROKEN = Dane(error="no answer")
NOTHING = Dane()


def sts(mode: StsMode, *mx: str) -> Sts:
    return Sts(policy=StsPolicy(mode=mode, max_age=86400, mx=mx or ("mx.example.org",)))


ENFORCE, TESTING, NONE = sts(StsMode.ENFORCE), sts(StsMode.TESTING), sts(StsMode.NONE)
ELSEWHERE = sts(StsMode.ENFORCE, "other.example.org")
TESTING_ELSEWHERE = sts(StsMode.TESTING, "other.example.org")
ANY, TLS, SURE = Level.OPPORTUNISTIC, Level.ENFORCED, Level.VERIFIED


@pytest.mark.parametrize(
    ("floor", "dane", "policy", "level", "source"),
    [
        (ANY, NOTHING, Sts(), ANY, "configuration"),
        (TLS, NOTHING, Sts(), TLS, "configuration"),
        (SURE, NOTHING, Sts(), SURE, "configuration"),
        (ANY, GOOD, Sts(), Level.DANE, "dane"),
        (SURE, GOOD, Sts(), Level.DANE, "dane"),
        (ANY, GOOD, ELSEWHERE, Level.DANE, "dane"),  # covered by DANE: judged by it alone
        (ANY, NOTHING, ENFORCE, SURE, "mta-sts"),
        (SURE, NOTHING, ENFORCE, SURE, "configuration"),
        (ANY, NOTHING, NONE, ANY, "configuration"),
        (TLS, NOTHING, TESTING_ELSEWHERE, TLS, "configuration"),
        (ANY, USELESS, Sts(), TLS, "dane"),  # RFC 7672 §2.2: TLS without a check
        (ANY, USELESS, ENFORCE, SURE, "mta-sts"),
        (SURE, USELESS, Sts(), SURE, "configuration"),
        (ANY, USELESS, TESTING, TLS, "dane"),
    ],
)
def test_the_strictest_wins(floor: Level, dane: Dane, policy: Sts, level: Level, source: str) -> None:
    demand = demand_of("example.org", HOST, dane, policy, floor)
    assert (demand.level, demand.source, demand.unusable) == (level, source, "")
    assert lowered(demand).level is floor


@pytest.mark.parametrize("policy", [Sts(), ENFORCE, TESTING, NONE])
@pytest.mark.parametrize("floor", [ANY, TLS, SURE])
def test_mta_sts_never_overrides_a_failed_dane(floor: Level, policy: Sts) -> None:
    demand = demand_of("example.org", HOST, BROKEN, policy, floor)
    assert (demand.unusable, demand.source, demand.code) == ("no answer", "dane", "4.4.3")


def test_a_host_outside_the_policy_is_not_used() -> None:
    demand = demand_of("example.org", HOST, NOTHING, ELSEWHERE, ANY)
    assert "not in the MTA-STS policy of example.org (other.example.org)" in demand.unusable
    assert demand.source == "mta-sts"
    assert not lowered(demand).unusable  # TLS-Required: No


def test_a_tested_policy_keeps_what_the_configuration_demands() -> None:
    demand = demand_of("example.org", HOST, NOTHING, TESTING, TLS)
    assert (demand.level, demand.testing, demand.floor) == (SURE, True, TLS)


def test_dane_names_are_base_host_and_domain() -> None:
    dane = Dane(published=True, base="real.example.net", records=(RECORD,))
    assert demand_of("example.org", HOST, dane, Sts(), ANY).names == (
        "real.example.net",
        "mx.example.org",
        "example.org",
    )


@pytest.mark.parametrize(
    ("domain", "level"),
    [
        ("example.net", TLS),
        ("EXAMPLE.net.", TLS),
        ("a.example.net", SURE),
        ("b.a.example.net", SURE),
        ("example.com", ANY),
        ("net", ANY),
    ],
)
def test_a_destination_of_the_configuration(domain: str, level: Level) -> None:
    tables = {"example.net": DestinationSettings(tls="enforced"), ".example.net": DestinationSettings(tls="verified")}
    demands = Demands(DeliverySettings(destinations=tables), find_dane=None, find_sts=None)
    (demand,) = asyncio.run(demands.demands(domain, [HOST]))
    assert demand.level is level


def run(settings: DeliverySettings, dane: Dane | None, policy: Sts | None) -> tuple[list[str], list[Demand]]:
    asked: list[str] = []

    async def find_dane(host: MxHost) -> Dane:
        asked.append("dane")
        return dane or Dane()

    async def find_sts(domain: str) -> Sts:
        asked.append("sts")
        return policy or Sts()

    demands = Demands(settings, find_dane=find_dane if dane else None, find_sts=find_sts if policy else None)
    return asked, list(asyncio.run(demands.demands("example.org", [HOST, HOST])))


def test_who_wants_no_tls_is_not_asked_about() -> None:
    none = DeliverySettings(destinations={"example.org": DestinationSettings(tls="none")})
    asked, demands = run(none, GOOD, ENFORCE)
    assert (asked, [one.level for one in demands]) == ([], [Level.NONE, Level.NONE])


def test_one_domain_may_be_spared_what_it_broke() -> None:
    spared = {"example.org": DestinationSettings(dane=False), ".org": DestinationSettings(mta_sts=False)}
    assert run(DeliverySettings(destinations=spared), BROKEN, ENFORCE)[0] == ["sts"]
    spared = {".org": DestinationSettings(mta_sts=False)}
    asked, demands = run(DeliverySettings(destinations=spared), NOTHING, ENFORCE)
    assert (asked, demands[0].level) == (["dane", "dane"], ANY)


def test_a_policy_is_not_asked_for_where_dane_covers_all_hosts() -> None:
    assert run(DeliverySettings(), GOOD, ENFORCE)[0] == ["dane", "dane"]
    assert run(DeliverySettings(), NOTHING, ENFORCE)[0] == ["dane", "dane", "sts"]
    assert run(DeliverySettings(), None, ENFORCE)[0] == ["sts"]


def test_sessions_are_counted_with_the_policy_they_were_under() -> None:
    counted: list[SessionSeen] = []

    async def find_sts(domain: str) -> Sts:
        return ENFORCE

    demands = Demands(DeliverySettings(), find_dane=None, find_sts=find_sts, count=counted.append)
    (demand,) = asyncio.run(demands.demands("example.org", [HOST]))
    tls = Tls(version="TLSv1.3", cipher="x", bits=256)
    demands.took("example.org", HOST, "192.0.2.1", demand, tls, "")
    demands.took("example.org", HOST, "192.0.2.1", demand, None, "certificate-expired: yesterday")
    demands.took("example.net", HOST, "192.0.2.1", Demand(level=ANY), None, "")
    assert [one.failure.partition(":")[0] for one in counted] == ["", "certificate-expired", "starttls-not-supported"]
    assert counted[0].policy.text == ("version: STSv1", "mode: enforce", "mx: mx.example.org", "max_age: 86400")
    assert counted[2].policy.kind == "no-policy-found"
