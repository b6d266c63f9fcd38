"""Every record a domain wants, and how DNS compares: what the owner chose is his, what only the gate knows must be as
it says."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from gatepost import ZoneResolver
from gatepost.audit.records import Kind, Wishes, canonical, joined_text, quote_text, wanted_records
from gatepost.audit.standing import Compared, Planned
from gatepost.ports.publisher import Action, DnsStatus, Standing
from gatepost.server.records.plan import plan_by_resolver
from gatepost.server.records.publish import changes_of

KEY = "v=DKIM1; k=rsa; p=" + "A" * 300
WISHES = Wishes(
    domain="example.org",
    hostname="mail.example.org",
    reports_to="dmarc@example.org",
    keys=[("k1._domainkey.example.org", KEY, "the key")],
    sts_id="abc",
    web=["mta-sts.example.org"],
    tlsa=[
        ("_25._tcp.mail.example.org", "3 1 1 " + "ab" * 32, "in use"),
        ("_25._tcp.mail.example.org", "3 1 1 " + "cd" * 32, "next"),
    ],
    services=[("_submissions._tcp", 465, "mail.example.org"), ("_imap._tcp", 0, "")],
    caa=["ca.example"],
)


def planned(zone: str, **more: Any) -> tuple[Planned, ...]:
    return asyncio.run(plan_by_resolver(wanted_records(WISHES), ZoneResolver(zone, **more)))


def plan(zone: str, **more: Any) -> dict[tuple[Kind, str], Planned]:
    return {(one.wanted.kind, one.wanted.name): one for one in planned(zone, **more)}


def test_what_is_printed_is_right_when_it_is_published() -> None:
    zone = "".join(f"{record.text}\n" for record in wanted_records(WISHES))
    for one in plan(zone).values():
        assert one.compared in (Compared.RIGHT, Compared.BY_HAND), (one.wanted.text, one)
    assert [one.name for one in wanted_records(WISHES)].count("_25._tcp.mail.example.org") == 2
    assert all(record.why for record in wanted_records(WISHES))


def test_an_empty_zone_lacks_everything() -> None:
    found = plan("x.example. TXT x\n")
    assert {one.compared for one in found.values()} == {Compared.MISSING, Compared.BY_HAND}
    assert not found[Kind.TLSA, "_25._tcp.mail.example.org"].is_trouble  # only where the zone is signed


@pytest.mark.parametrize(
    ("line", "kind", "compared"),
    [
        ("example.org. MX 20 mail.example.org.\nexample.org. MX 10 mail.example.org.", Kind.MX, Compared.RIGHT),
        ("example.org. MX 10 mx.elsewhere.example.", Kind.MX, Compared.YOURS),
        ('example.org. TXT "v=spf1 include:a.example -all"', Kind.SPF, Compared.YOURS),
        ('example.org. TXT "v=spf1 mx -all"\nexample.org. TXT "v=spf1 a -all"', Kind.SPF, Compared.DIFFERS),
        ('example.org. TXT "site-verification=1"', Kind.SPF, Compared.MISSING),
        ('_dmarc.example.org. TXT "v=DMARC1; p=reject"', Kind.DMARC, Compared.YOURS),
        ('k1._domainkey.example.org. TXT "v=DKIM1; k=rsa; p=AAAA"', Kind.DKIM, Compared.DIFFERS),
        ('_mta-sts.example.org. TXT "v=STSv1; id=old;"', Kind.MTA_STS, Compared.DIFFERS),
        ("mta-sts.example.org. A 192.0.2.1", Kind.WEB, Compared.YOURS),
        ("_submissions._tcp.example.org. SRV 0 1 465 other.example.", Kind.SRV, Compared.DIFFERS),
        ('example.org. CAA 0 issue "other.example"', Kind.CAA, Compared.YOURS),
        ("_25._tcp.mail.example.org. TLSA 3 1 1 " + "00" * 32, Kind.TLSA, Compared.MISSING),
    ],
)
def test_what_stands_there_already(line: str, kind: Kind, compared: Compared) -> None:
    found = plan(line + "\n")
    assert next(one for (of, _), one in found.items() if of is kind).compared is compared


def test_a_key_counts_however_its_record_is_written() -> None:
    pieces = f'k1._domainkey.example.org. TXT "v=DKIM1;k=rsa ;  " "p={"A" * 200}" "{"A" * 100}"\n'
    assert plan(pieces)[Kind.DKIM, "k1._domainkey.example.org"].compared is Compared.RIGHT


def test_silence_is_never_missing() -> None:
    one = plan("x.example. TXT x\n", timeouts=["_dmarc.example.org"])[Kind.DMARC, "_dmarc.example.org"]
    assert (one.compared, one.is_trouble) == (Compared.UNKNOWN, False)


def changed(place: tuple[str, str], records: tuple[str, ...], zone: str, *overwrite: Kind) -> tuple[str, ...] | None:
    found = planned(zone)
    stands = {
        (one.wanted.name, one.wanted.rtype): Standing(
            name=one.wanted.name, rtype=one.wanted.rtype, status=DnsStatus.OK if records else DnsStatus.NODATA
        )
        for one in found
    }
    stands[place] = Standing(name=place[0], rtype=place[1], status=DnsStatus.OK, records=records, ttl=60)
    steps = {(s.change.name, s.change.rtype): s.change for s in changes_of(found, stands, 3600, overwrite)}
    change = steps.get(place)
    if change is None:
        return None
    assert (change.action, change.expected, change.ttl) == (Action.REPLACE, records, 60)
    return change.records


def test_a_change_keeps_what_is_not_ours() -> None:
    apex = ("example.org", "TXT")
    other = '"site-verification=1"'
    assert changed(apex, (other,), f"example.org. TXT {other}\n") == (other, '"v=spf1 mx -all"')
    theirs = '"v=spf1 a -all"'
    zone = f"example.org. TXT {other}\nexample.org. TXT {theirs}\n"
    assert changed(apex, (other, theirs), zone) is None
    assert changed(apex, (other, theirs), zone, Kind.SPF) == (other, '"v=spf1 mx -all"')


def test_tlsa_records_are_added_beside_others_and_only_when_asked() -> None:
    place = ("_25._tcp.mail.example.org", "TLSA")
    old = "3 1 1 " + "00" * 32
    zone = f"{place[0]}. TLSA {old}\n"
    assert changed(place, (old,), zone) is None
    assert changed(place, (old,), zone, Kind.TLSA) == (old, "3 1 1 " + "ab" * 32, "3 1 1 " + "cd" * 32)


@pytest.mark.parametrize("text", ["", "plain", 'quotes " and \\ slashes', "x" * 600, "v=DKIM1; p=" + "é" * 3])
def test_texts_survive_the_master_file(text: str) -> None:
    assert joined_text(quote_text(text)) == text
    assert canonical("TXT", quote_text(text)) == text
