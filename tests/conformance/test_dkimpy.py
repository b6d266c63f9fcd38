"""dkimpy's samples: RFC 6376's and RFC 8463's messages, Exim's Ed25519, records that must not verify."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from gatepost.dkim import DkimSettings, PrivateKey, sign_message, verify_sync
from gatepost.errors import InputError
from txt_zone import TxtZone

NOW = 1_700_000_000.0


@pytest.fixture(scope="module")
def data(suites: Path) -> Path:
    return suites / "dkim" / "dkimpy" / "data"


def test_the_message_of_rfc_8463(data: Path) -> None:
    """Signed with Ed25519 and RSA, saved with LF line ends."""
    zone = TxtZone(
        {
            "brisbane._domainkey.football.example.com": b"v=DKIM1; k=ed25519; "
            b"p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            "test._domainkey.football.example.com": (data / "test.txt").read_bytes().strip(),
        }
    )
    result = verify_sync((data / "rfc6376.signed.msg").read_bytes(), resolver=zone, now=NOW)
    assert result.result == "pass"
    found = [(s.algorithm, s.result.value) for s in result.signatures]
    assert found == [("ed25519-sha256", "pass"), ("rsa-sha256", "pass")], result


def test_exim_signs_with_ed25519(data: Path) -> None:
    zone = TxtZone({"sed._domainkey.test.ex": (data / "eximtest.dns").read_bytes().strip()})
    result = verify_sync((data / "ed25519test2.msg").read_bytes(), resolver=zone, now=NOW)
    assert result.result == "pass", result


def test_no_key_gives_permerror_and_a_late_answer_temperror(data: Path) -> None:
    raw = (data / "test2.message").read_bytes()
    assert verify_sync(raw, resolver=TxtZone({}), now=NOW).result == "permerror"
    name = "20120113._domainkey.gmail.com"
    assert verify_sync(raw, resolver=TxtZone({}, [name]), now=NOW, settings=DkimSettings()).result == "temperror"


def load_key(path: Path) -> PrivateKey:
    text = path.read_bytes()
    if not text.startswith(b"-----"):
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(text))
    key = load_pem_private_key(text, None)
    assert isinstance(key, RSAPrivateKey)
    return key


def zone_with(data: Path, record: str) -> TxtZone:
    return TxtZone({"test._domainkey.example.com": (data / record).read_bytes().strip()})


@pytest.mark.parametrize("header", ["simple", "relaxed"])
@pytest.mark.parametrize("body", ["simple", "relaxed"])
@pytest.mark.parametrize(
    ("message", "key", "record"),
    [
        ("test.message", "test.private", "test.txt"),
        ("test_extra.message", "test.private", "test2.txt"),
        ("rfc6376.msg", "test2.private", "test.txt"),
        ("ed25519test.msg", "ed25519test.key", "ed25519test.dns"),
    ],
)
def test_sign_then_verify(data: Path, message: str, key: str, record: str, header: str, body: str) -> None:
    """Upstream's own test: every pair of canonicalizations; an appended body and a second From do not pass."""
    signed = sign_message(
        (data / message).read_bytes(),
        domain="example.com",
        selector="test",
        key=load_key(data / key),
        now=NOW,
        canonicalization=f"{header}/{body}",
        fields=("from", "to", "subject", "date", "message-id"),
        oversign=(),
    )
    zone = zone_with(data, record)
    assert verify_sync(signed, resolver=zone, now=NOW).result == "pass"
    assert verify_sync(signed + b"more\r\n", resolver=zone, now=NOW).result == "fail"
    assert verify_sync(b"From: <other@example.org>\r\n" + signed, resolver=zone, now=NOW).result == "policy"


def test_appended_body_passes_only_with_l(data: Path) -> None:
    signed = sign_message(
        (data / "test.message").read_bytes(),
        domain="example.com",
        selector="test",
        key=load_key(data / "test.private"),
        now=NOW,
        body_length=True,
    )
    zone = zone_with(data, "test.txt")
    (signature,) = verify_sync(signed + b"more\r\n", resolver=zone, now=NOW).signatures
    assert (signature.result, signature.unsigned_body) == ("pass", 6)
    strict = DkimSettings(body_length="refuse")
    assert verify_sync(signed + b"more\r\n", resolver=zone, now=NOW, settings=strict).result == "policy"


@pytest.mark.parametrize("record", ["badk.txt", "badversion.txt", "test_bad.txt", "test_tlsrpt.txt"])
def test_records_that_must_not_verify(data: Path, record: str) -> None:
    signed = sign_message(
        (data / "test.message").read_bytes(),
        domain="example.com",
        selector="test",
        key=load_key(data / "test.private"),
        now=NOW,
    )
    assert verify_sync(signed, resolver=zone_with(data, record), now=NOW).result in {"permerror", "fail"}


def test_a_message_without_from_is_not_signed(data: Path) -> None:
    raw, key = (data / "test_nofrom.message").read_bytes(), load_key(data / "test.private")
    with pytest.raises(InputError):
        sign_message(raw, domain="example.com", selector="test", key=key, now=NOW)
