"""message.transfer: base64, quoted-printable and uuencode, sound and broken."""

from __future__ import annotations

import base64
import binascii

import pytest

from gatepost.message.transfer import decode_transfer

BASE64 = [
    (b"aGVsbG8=", b"hello", ()),
    (b"aGVs\r\nbG8=\r\n", b"hello", ()),
    (b"aGVsbG8", b"hello", ("base64-cut",)),
    (b"aGVsbG8hI", b"hello!", ("base64-cut",)),
    (b"aGVs*bG8=", b"hello", ("bad-base64",)),
    (b"aGVsbG8=aGVs", b"hello", ("data-after-padding",)),
    (b"aGVsbG8= trailing", b"hello", ("data-after-padding",)),
    (b"", b"", ()),
    (b"====", b"", ("base64-cut",)),
    (b"\xff\x00", b"", ("bad-base64",)),
]


@pytest.mark.parametrize(("octets", "decoded", "defects"), BASE64)
def test_base64(octets: bytes, decoded: bytes, defects: tuple[str, ...]) -> None:
    found = decode_transfer(octets, "base64")
    assert (found.octets, found.defects) == (decoded, defects)


PRINTABLE = [
    (b"a=3Db=3d", b"a=b=", ()),
    (b"soft=\r\nline=\nend", b"softlineend", ()),
    (b"blank  \r\nend\t\n", b"blank\r\nend\n", ()),
    (b"soft= \r\nend", b"softend", ()),
    (b"bad=ZZ", b"bad=ZZ", ("bad-quoted-printable",)),
    (b"cut=", b"cut", ()),
    (b"cut=4", b"cut=4", ("bad-quoted-printable",)),
    (b"8bit \xff", b"8bit \xff", ()),
]


@pytest.mark.parametrize(("octets", "decoded", "defects"), PRINTABLE)
def test_quoted_printable(octets: bytes, decoded: bytes, defects: tuple[str, ...]) -> None:
    found = decode_transfer(octets, "quoted-printable")
    assert (found.octets, found.defects) == (decoded, defects)


def test_uuencode() -> None:
    data = bytes(range(256))
    lines = b"".join(binascii.b2a_uu(data[at : at + 45]) for at in range(0, 256, 45))
    found = decode_transfer(b"text\nbegin 644 a.bin\n" + lines + b"`\nend\nmore\n", "x-uuencode")
    assert (found.octets, found.defects) == (data, ())
    assert decode_transfer(b"begin 644 a\n" + lines, "uuencode").defects == ("bad-uuencode",)


def test_the_rest_stays_as_it_is() -> None:
    for encoding in ("", "7bit", "8bit", "binary"):
        assert decode_transfer(b"\x00=41", encoding).octets == b"\x00=41"
    assert decode_transfer(b"x", "rot13").defects == ("unknown-encoding",)
    assert decode_transfer(base64.encodebytes(b"x" * 100_000), "base64").octets == b"x" * 100_000
