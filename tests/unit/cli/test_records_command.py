"""`gatepost records`: what is printed can be published, and `status` says what is still to be done."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from gatepost import ZoneResolver, dkim
from gatepost.cli.main import main
from gatepost.config import load_settings
from gatepost.server.signing.keyring import load_ring
from gatepost.server.signing.signer import Signer
from schemas import validator

MAIL = b"From: ann@example.org\r\n\r\nHello.\r\n"


@pytest.fixture
def config(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """A gate that `gatepost init` made."""
    assert main(["init", "example.org", "--folder", str(tmp_path)]) == 0
    capsys.readouterr()
    return str(tmp_path / "gatepost.toml")


def run(capsys: pytest.CaptureFixture[str], schema: str, *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    assert main(["records", *arguments, "--json"]) == code
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for one in found:
        validator(schema).validate(one)
    return found


def zone_of(records: list[dict[str, Any]]) -> str:
    return "".join(f"{record['record']}\n" for record in records)


def test_what_init_and_print_say_is_the_same_zone(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = run(capsys, "records", "print", "example.org", "-c", config)
    first = {line for line in (tmp_path / "dns-records.txt").read_text().splitlines() if line and line[0] != ";"}
    assert first == {record["record"] for record in records if record["record"][0] != ";"}
    settings = load_settings(Path(config))
    signed = Signer(settings.signing, load_ring(settings)).sign(MAIL, "example.org", 1_795_000_000.0)
    result = dkim.verify_sync(signed.raw, resolver=ZoneResolver(zone_of(records)), now=1_795_000_000.0)
    assert [one.result for one in result.signatures] == ["pass", "pass"]


def test_rotate_prints_the_next_keys_and_status_tells_what_they_wait_for(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = run(capsys, "records", "rotate", "example.org", "-c", config)
    assert len(fresh) == 2
    assert run(capsys, "records", "rotate", "example.org", "-c", config) == fresh
    printed = run(capsys, "records", "print", "example.org", "-c", config)
    assert all(record in printed for record in fresh)
    zone = tmp_path / "zone"
    zone.write_text((tmp_path / "dns-records.txt").read_text())
    found = run(capsys, "records-status", "status", "-c", config, "--zone", str(zone), code=1)
    assert [(one["stage"], one["condition"], one["trouble"]) for one in found] == [
        *[("live", "right", False)] * 2,
        *[("next", "missing", True)] * 2,
    ]
    zone.write_text(zone_of(printed))
    found = run(capsys, "records-status", "status", "example.org", "-c", config, "--zone", str(zone))
    assert {one["next"] for one in found} == {"signs", "signs in 60 minutes if its record stays"}


def test_a_table_for_people(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["records", "status", "-c", config, "--zone", str(tmp_path / "dns-records.txt")]) == 0
    assert "gp-rsa" in capsys.readouterr().out


def test_a_key_without_its_file_is_told_of(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(capsys, "records", "rotate", "example.org", "-c", config)
    for path in (tmp_path / "data" / "keys" / "example.org").glob("*.key"):
        path.unlink()
    found = run(capsys, "records-status", "status", "-c", config, "--zone", str(tmp_path / "dns-records.txt"), code=1)
    assert all("file is gone" in one["next"] for one in found)


@pytest.mark.parametrize("arguments", [("print", "example.net"), ("rotate", "exa mple"), ("status", "\ud800")])
def test_domains_of_others_are_one_line(config: str, capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(["records", *arguments, "-c", config]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_each_record_is_explained_in_every_form(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    records = run(capsys, "records", "print", "example.org", "-c", config)
    assert {"mx", "spf", "dkim", "dmarc", "tls-rpt", "srv"} <= {one["kind"] for one in records}
    assert all(one["why"] for one in records)
    for form in ("bind", "plain", "route53", "cloudflare", "json"):
        assert main(["records", "print", "example.org", "-c", config, "--format", form]) == 0
        out = capsys.readouterr().out
        assert "v=DMARC1; p=quarantine" in out
        if form == "route53":
            changes = json.loads(out)["Changes"]
            assert {one["ResourceRecordSet"]["Type"] for one in changes} == {"MX", "TXT", "SRV"}
        elif form == "cloudflare":
            mx = next(one for one in map(json.loads, out.splitlines()) if one["type"] == "MX")
            assert (mx["priority"], mx["content"]) == (10, "mail.example.org")
        elif form == "plain":
            assert "Name:  @" in out
            assert "Name:  _dmarc\n" in out
    only = run(capsys, "records", "print", "example.org", "-c", config, "--only", "mx")
    assert [one["value"] for one in only] == ["10 mail.example.org."]


def test_reports_go_where_the_configuration_says(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(config)
    path.write_text(path.read_text() + '\n[records]\nreports_to = "dmarc@example.org"\n')
    found = {one["kind"]: one["value"] for one in run(capsys, "records", "print", "example.org", "-c", config)}
    assert found["dmarc"].endswith("rua=mailto:dmarc@example.org")
    assert found["tls-rpt"] == "v=TLSRPTv1; rua=mailto:dmarc@example.org"


def test_what_https_serves_is_among_the_records(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = Path(config)
    path.write_text(path.read_text() + '\n[https]\nlisten = ["127.0.0.1:8443"]\n')
    before = {one["name"]: one["value"] for one in run(capsys, "records", "print", "example.org", "-c", config)}
    assert before["mta-sts.example.org"] == before["autoconfig.example.org"] == "mail.example.org."
    path.write_text(path.read_text() + '\n[mta_sts]\nmode = "enforce"\n')
    after = {one["name"]: one["value"] for one in run(capsys, "records", "print", "example.org", "-c", config)}
    assert before["_mta-sts.example.org"] != after["_mta-sts.example.org"]


def test_with_acme_the_authority_is_named_and_no_key_before_its_certificate(
    config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(config)
    text = "\n".join(line for line in path.read_text().splitlines() if not line.startswith(("certificate =", "key =")))
    path.write_text(text + '\n[acme]\nnames = ["mail.example.org"]\nagree_to_terms = true\n')
    found = {one["kind"]: one["value"] for one in run(capsys, "records", "print", "example.org", "-c", config)}
    assert found["caa"] == '0 issue "letsencrypt.org"'
    assert "tlsa" not in found


def test_the_plan_is_what_is_missing(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zone = tmp_path / "zone"
    records = run(capsys, "records", "print", "example.org", "-c", config)
    zone.write_text("".join(f"{one['record']}\n" for one in records if one["kind"] != "dmarc"))
    found = run(capsys, "records-plan", "plan", "example.org", "-c", config, "--zone", str(zone), code=1)
    assert [one["kind"] for one in found if one["trouble"]] == ["dmarc"]
    assert main(["records", "plan", "example.org", "-c", config, "--zone", str(zone)]) == 1
    out = capsys.readouterr().out
    assert '_dmarc.example.org. IN TXT "v=DMARC1; p=quarantine' in out
    zone.write_text(zone_of(records))
    run(capsys, "records-plan", "plan", "example.org", "-c", config, "--zone", str(zone))


def test_publishing_without_a_server_names_the_option(config: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["records", "publish", "example.org", "-c", config, "--yes"]) == 2
    assert "publish.server" in capsys.readouterr().err


def test_a_record_is_tried_before_it_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    zone = tmp_path / "zone"
    zone.write_text(
        'example.org. MX 10 mail.example.org.\nexample.org. TXT "v=spf1 mx -all"\nmail.example.org. A 192.0.2.1\n'
    )
    there = ("--zone", str(zone), "--now", "2026-11-24T12:00Z")
    (bad,) = run(capsys, "records-try", "try", "example.org", "v=spf1 include:gone.example +all", *there, code=1)
    worse = {one["code"] for one in (*bad["new"], *bad["worse"])}
    assert {"spf.broken-include", "spf.ends-open"} <= worse
    (good,) = run(capsys, "records-try", "try", "example.org", "v=DMARC1; p=reject; rua=mailto:a@example.org", *there)
    assert good["records"]["dmarc _dmarc.example.org"]["now"] == ["v=DMARC1; p=reject; rua=mailto:a@example.org"]
    (same,) = run(capsys, "records-try", "try", "example.org", "mail.example.org. 60 IN A 192.0.2.1", *there)
    assert same["new"] == same["worse"] == same["gone"] == []
    for record in ("nonsense", "x\ny TXT z", "example.org. TYPE TXT"):
        assert main(["records", "try", "example.org", record, *there]) == 2
        assert capsys.readouterr().err.count("\n") == 1
    assert main(["records", "try", "example.org", *there]) == 2
