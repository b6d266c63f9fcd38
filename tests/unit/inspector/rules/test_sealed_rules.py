"""S/MIME and OpenPGP are noticed and weigh nothing: in MIME parts, in the message's own type, inline."""

from __future__ import annotations

import pytest

from gatepost.inspector.content import Content
from gatepost.inspector.judge import judge
from gatepost.inspector.rules import sealed as rules
from gatepost.ports import Item, Opened
from judging import CLEAN_HEADER, make_facts, see


def typed(value: str) -> str:
    return f"{CLEAN_HEADER}Content-Type: {value}\n"


def items(*types: str) -> Content:
    found = (
        Item(path=str(n), declared_type=kind, kind="unknown", size=1, sha256="") for n, kind in enumerate(types, 1)
    )
    return Content(Opened(items=tuple(found)))


def test_sealed_smime_signed() -> None:  # sealed.smime-signed
    signed = 'multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary=b'
    assert see(rules.smime_signed, header=typed(signed)) is not None
    assert see(rules.smime_signed, header=typed("application/pkcs7-mime; smime-type=signed-data")) is not None
    assert see(rules.smime_signed, content=items("text/plain", "application/x-pkcs7-signature")) is not None
    assert see(rules.smime_signed, header=typed("application/pkcs7-mime; smime-type=enveloped-data")) is None
    assert see(rules.smime_signed) is None


def test_sealed_smime_encrypted() -> None:  # sealed.smime-encrypted
    for value in ("application/pkcs7-mime; smime-type=enveloped-data", "Application/X-PKCS7-mime; name=smime.p7m"):
        assert see(rules.smime_encrypted, header=typed(value)) is not None
    assert see(rules.smime_encrypted, header=typed("application/pkcs7-mime; smime-type=authEnveloped-data")) is not None
    value = "application/pkcs7-mime; smime-type=signed-data"
    assert see(rules.smime_encrypted, header=typed(value), content=items("application/pkcs7-mime")) is None
    assert see(rules.smime_encrypted) is None


def test_sealed_pgp_signed() -> None:  # sealed.pgp-signed
    signed = 'multipart/signed; protocol="application/pgp-signature"; micalg=pgp-sha256; boundary=b'
    assert see(rules.pgp_signed, header=typed(signed)) is not None
    assert see(rules.pgp_signed, content=items("text/plain", "application/pgp-signature")) is not None
    assert see(rules.pgp_signed, body="-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\nHello") is not None
    assert see(rules.pgp_signed, body="see -----BEGIN PGP SIGNED MESSAGE-----") is None
    assert see(rules.pgp_signed) is None


def test_sealed_pgp_encrypted() -> None:  # sealed.pgp-encrypted
    encrypted = 'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b'
    assert see(rules.pgp_encrypted, header=typed(encrypted)) is not None
    assert see(rules.pgp_encrypted, content=items("application/pgp-encrypted")) is not None
    assert see(rules.pgp_encrypted, body="Hi,\n-----BEGIN PGP MESSAGE-----\n\nhQEM") is not None
    assert see(rules.pgp_encrypted, body="-----BEGIN PGP PUBLIC KEY BLOCK-----") is None
    assert see(rules.pgp_encrypted) is None


@pytest.mark.parametrize("value", ["", ";", "multipart/signed", "application/pkcs7-mime; smime-type=\xff", "x" * 9000])
def test_odd_types_do_no_harm_and_nothing_sealed_weighs(value: str) -> None:
    judgement = judge(make_facts(typed(value).encode("latin-1"), content=items("application/pkcs7-mime")))
    assert all(finding.weight == 0 for finding in judgement.findings if finding.code.startswith("sealed."))
