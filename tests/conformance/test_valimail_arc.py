"""ValiMail's ARC suite: 171 chain validations, 17 sealings.

A validation with an empty expectation is a chain so broken that upstream gives no status: read as fail (the suite's
README). A sealing is judged without regard to the order of tags: our set is added, then the chain is validated; it
passes unless the expected seal says cv=fail, and nothing is added where no seal is expected.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gatepost.arc import seal_message, verify_sync
from gatepost.message.header import parse_header
from gatepost.msgauth.arc.chain import RESULTS
from txt_zone import TxtZone

NOW = 1_700_000_000.0


def scenarios(path: Path) -> Iterator[tuple[dict[str, Any], TxtZone]]:
    for scenario in yaml.load_all(path.read_text("utf-8"), Loader=yaml.BaseLoader):
        if scenario:
            records = {name: text.encode() for name, text in scenario["txt-records"].items()}
            yield scenario, TxtZone(records)


@pytest.fixture(scope="module")
def folder(suites: Path) -> Path:
    return suites / "arc" / "valimail"


def octets(message: str) -> bytes:
    return message.replace("\n", "\r\n").encode()


def test_validation(folder: Path) -> None:
    wrong: dict[str, str] = {}
    count = 0
    for scenario, zone in scenarios(folder / "arc-draft-validation-tests.yml"):
        for name, case in scenario["tests"].items():
            count += 1
            result = verify_sync(octets(case["message"]), resolver=zone, now=NOW)
            if result.result.value != (case["cv"].lower() or "fail"):
                wrong[name] = f"expected {case['cv']}, is {result.result.value}: {result.reason}"
    assert wrong == {}
    assert count == 171


def own_results(raw: bytes, authserv_id: str) -> bytes:
    """The Authentication-Results of `authserv_id` in the message, merged, as upstream's sealer does."""
    bodies = [field.value for field in parse_header(raw).all("authentication-results")]
    ours = [body.partition(b";")[2].strip() for body in bodies if body.startswith(authserv_id.encode())]
    return b"; ".join([authserv_id.encode(), *ours])


def test_sealing(folder: Path) -> None:
    count = 0
    for scenario, zone in scenarios(folder / "arc-draft-sign-tests.yml"):
        key = load_pem_private_key(scenario["privatekey"].encode(), None)
        assert isinstance(key, RSAPrivateKey)
        for name, case in scenario["tests"].items():
            count += 1
            raw = octets(case["message"])
            sealed = seal_message(
                raw,
                chain=verify_sync(raw, resolver=zone, now=NOW),
                results=own_results(raw, case["srv-id"]),
                domain=scenario["domain"],
                selector=scenario["sel"],
                key=key,
                now=float(case["t"]),
                fields=case["sig-headers"].split(":"),
            )
            if not case["AS"]:
                assert sealed == raw, name
                continue
            expected = "fail" if "cv=fail" in case["AS"] else "pass"
            result = verify_sync(sealed, resolver=zone, now=NOW)
            assert result.result == expected, (name, result)
            assert b" ".join(parse_header(sealed).all(RESULTS)[0].value.split()) == one_line(case["AAR"]), name
    assert count == 17


def one_line(field_body: str) -> bytes:
    return " ".join(field_body.split()).encode()
