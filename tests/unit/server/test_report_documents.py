"""Reports in their wrappings: what is inside is found whatever it is called, and what is built to overwhelm is refused
while the rest is read."""

from __future__ import annotations

import base64
import gzip
import io
import zipfile
import zlib

import pytest

from gatepost.server.reports import documents
from gatepost.server.reports.documents import Document, Refused, find_documents
from gatepost.server.reports.intake import read_reports

XML = b"<feedback><report_metadata><org_name>a</org_name></report_metadata></feedback>"


def archive(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", method) as made:
        for name, octets in members:
            made.writestr(name, octets)
    return held.getvalue()


def mail(*parts: tuple[str, bytes]) -> bytes:
    out = b"From: a@b.example\r\nSubject: Report\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n"
    for kind, octets in parts:
        body = base64.encodebytes(octets).replace(b"\n", b"\r\n")
        out += b"--x\r\nContent-Type: " + kind.encode() + b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + body
    return out + b"--x--\r\n"


def codes(octets: bytes) -> list[str]:
    return [one.code if isinstance(one, Refused) else one.kind for one in find_documents("f", octets)]


@pytest.mark.parametrize(
    "octets",
    [
        XML,
        b"\xef\xbb\xbf\r\n" + XML,
        XML.decode().encode("utf-16"),
        gzip.compress(XML) + b"\r\n",
        gzip.compress(gzip.compress(XML)),
        archive(("r.xml", XML)),
        archive(("folder/", b""), ("folder/r.xml", XML), method=zipfile.ZIP_STORED),
        gzip.compress(archive(("r.xml", XML))),
        mail(("text/plain", b"Hello"), ("application/octet-stream", archive(("r.xml", XML)))),
        mail(("application/zip", gzip.compress(XML))),
        mail(("text/html", b"<html>a page</html>"), ("text/xml", XML)),
        b"Content-Type: message/rfc822\r\n\r\n" + mail(("application/gzip", gzip.compress(XML))),
    ],
    ids=range(12),
)
def test_a_report_is_found_in_what_it_comes_in(octets: bytes) -> None:
    assert codes(octets) == ["aggregate"]


def test_several_reports_of_one_mail_are_all_found() -> None:
    both = mail(
        ("application/gzip", gzip.compress(XML)), ("application/tlsrpt+gzip", gzip.compress(b'{"policies":[]}'))
    )
    assert codes(both) == ["aggregate", "tls"]


@pytest.mark.parametrize(
    ("octets", "code"),
    [
        (b"", "empty"),
        (gzip.compress(b""), "empty"),
        (archive(), "empty"),
        (b"PK\x03\x04 no more than that", "damaged"),
        (b"\x1f\x8b no more than that", "damaged"),
        (gzip.compress(XML * 50)[:-30], "damaged"),
        (gzip.compress(gzip.compress(gzip.compress(gzip.compress(XML)))), "too-deep"),
        (gzip.compress(b" " * (40 << 20)), "bomb"),
        (archive(("bomb.xml", b" " * (40 << 20))), "bomb"),
    ],
    ids=range(9),
)
def test_what_is_damaged_or_hostile_is_one_refusal(octets: bytes, code: str) -> None:
    assert codes(octets) == [code]


def test_members_that_share_octets_are_no_archive_of_reports() -> None:
    whole = bytearray(archive(("a.xml", XML), ("b.xml", XML)))
    second = whole.rfind(b"PK\x01\x02")
    whole[second + 42 : second + 46] = (0).to_bytes(4, "little")  # both entries point at the first member
    assert codes(bytes(whole)) == ["bomb"]


def test_an_archive_of_very_many_files_is_looked_at_in_part() -> None:
    many = archive(*((f"{n}.xml", XML) for n in range(documents.MAX_MEMBERS + 5)))
    found = codes(many)
    assert found.count("aggregate") == documents.MAX_MEMBERS
    assert found[-1] == "limit"


def test_an_encrypted_member_is_refused_and_the_other_read() -> None:
    octets = bytearray(archive(("a.xml", XML), ("b.xml", XML)))
    first = octets.find(b"PK\x01\x02")
    octets[first + 8] |= 1
    assert codes(bytes(octets)) == ["encrypted", "aggregate"]


def test_a_damaged_member_is_refused_and_the_other_read() -> None:
    raw = zlib.compress(XML)[2:-4]
    octets = archive(("a.xml", XML), ("b.xml", XML))
    assert codes(octets.replace(raw[:10], b"\xff" * 10, 1))[1] == "aggregate"


def test_unpacking_is_counted_for_the_whole_mail() -> None:
    """Each is below every limit of its own; together they are not."""
    part = gzip.compress(bytes(n % 251 for n in range(1 << 16)) * 480, 1)  # 30 MB
    mails = mail(*[("application/gzip", part)] * 6)
    found = list(find_documents("f", mails))
    assert "bomb" in [one.code for one in found if isinstance(one, Refused)]
    assert sum(len(one.octets) for one in found if isinstance(one, Document)) <= documents.LIMITS.total + len(mails)


def test_mail_that_is_no_report_is_refused_by_name() -> None:
    (outcome,) = read_reports("f", b"From: a@b.example\r\nSubject: Lunch?\r\n\r\nHello.\r\n")
    assert (outcome.status, outcome.code) == ("refused", "no-report")
    assert outcome.as_json()["reason"]
