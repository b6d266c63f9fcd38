"""What holds for the message room whatever comes in."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from gatepost.errors import InputError
from gatepost.message.addr_spec import Strictness, parse_addr_spec
from gatepost.message.addresses import parse_addresses
from gatepost.message.dates import parse_date, write_date
from gatepost.message.dsn import Action, DsnRecipient, read_dsn, write_dsn
from gatepost.message.fields import encode_words, write_field, write_mailbox
from gatepost.message.header import parse_header
from gatepost.message.mbox import MboxSplitter
from gatepost.message.message import Message
from gatepost.message.received import parse_received
from gatepost.message.trace import write_received
from gatepost.message.words import decode_words

# pieces that mean something to the parsers, so that random sequences of them do, too
PIECES = st.sampled_from(
    [
        *(
            b"\r\n",
            b"\n",
            b"\r",
            b" ",
            b"\t",
            b":",
            b"--x",
            b"--x--",
            b"--y",
            b"a",
            b"\xff",
            b"\0",
            b"=",
            b'"',
            b"<",
            b"(",
        ),
        *(b"Content-Type: multipart/mixed; boundary=x\r\n", b"Content-Type: multipart/digest; boundary=y\n", b";"),
        *(b"Content-Type: message/rfc822\r\n", b"Content-Transfer-Encoding: base64\r\n", b"aGVsbG8=", b"=C3=B6"),
        *(
            b"X: y\r\n",
            b"\r\n\r\n",
            b"From ",
            b"12:00",
            b">From ",
            b"Received: from a (b [192.0.2.1]) by c;",
            b"=?utf-8?q?a?=",
        ),
    ]
)
OCTETS = st.one_of(st.binary(max_size=300), st.lists(PIECES, max_size=40).map(b"".join))
# text without control characters and surrogates, as a person may type it
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=60)


@given(OCTETS)
def test_any_octets_are_a_message_and_offsets_give_them_back(raw: bytes) -> None:
    message = Message(raw)
    for field in message.header:
        assert raw[field.offset : field.offset + len(field.raw)] == field.raw
    joined = b"".join(field.raw for field in message.header)
    assert raw.startswith(joined)
    assert raw[len(joined) : message.header.end] in (b"", b"\n", b"\r\n")
    for part in message.tree.walk():
        assert part.start <= part.body_start <= part.body_end <= len(part.source)
        for child in part.children:
            if child.source is part.source:
                assert part.body_start <= child.start <= child.body_end <= part.body_end
    for part in message.tree.walk():
        assert part.text is not None


@given(st.lists(TEXT, min_size=1, max_size=4), st.data())
def test_a_written_multipart_reads_as_its_parts(texts: list[str], data: st.DataObject) -> None:
    line_end = data.draw(st.sampled_from((b"\r\n", b"\n")))
    bodies = [text.encode().replace(b"--", b"- -") for text in texts]
    parts = b"".join(b"--b" + line_end + line_end + body + line_end for body in bodies)
    raw = b"Content-Type: multipart/mixed; boundary=b" + line_end * 2 + parts + b"--b--" + line_end
    tree = Message(raw).tree
    assert tree.defects == ()
    assert [child.body for child in tree.children] == bodies


@given(TEXT)
def test_what_is_written_into_a_field_is_read_from_it(text: str) -> None:
    try:
        octets = write_field("Subject", encode_words(text))
    except InputError:
        assert max(map(len, text.split(" "))) > 900
        return
    header = parse_header(octets + b"\r\n")
    assert (len(header), header.defects) == (1, ())
    assert decode_words(header.fields[0].text).strip(" ") == text.strip(" ")


@given(TEXT)
def test_a_written_mailbox_is_read_back(name: str) -> None:
    found = parse_addresses(write_mailbox(name, "jo@b.example"))
    assert [box.address for box in found.mailboxes] == ["jo@b.example"]
    assert found.mailboxes[0].display_name.strip() == name.strip() or "=?" in name


@given(st.one_of(st.text(max_size=80), st.text('ab.@"\\<>()[],;: \r\n', max_size=60)))
def test_any_text_is_an_address_list_and_an_addr_spec_or_not(text: str) -> None:
    parse_addresses(text)
    checked = parse_addr_spec(text, smtputf8=True)
    assert (checked.addr_spec is None) == (checked.strictness is Strictness.INVALID)
    if checked.addr_spec is not None and checked.strictness <= Strictness.SMTP:
        assert parse_addr_spec(str(checked.addr_spec), smtputf8=True).addr_spec == checked.addr_spec
        assert [box.addr_spec for box in parse_addresses(text).mailboxes] == [checked.addr_spec]


@given(
    st.lists(st.sampled_from(["a", "b.c", "@", "<", ">", '"', ",", " ", "é", "=?utf-8?q?x?="]), max_size=12).map(
        "".join
    )
)
def test_simple_and_unusual_lists_are_read_alike(text: str) -> None:
    """In a group a list takes the long way through the parser; alone it may take the short one."""
    long = parse_addresses(f"group: {text};")
    if "unclosed-group" not in long.defects and "unclosed-quote" not in long.defects:
        assert parse_addresses(text).mailboxes == tuple(replace(box, group=None) for box in long.mailboxes)


@given(st.integers(-62_135_510_400, 253_402_214_399), st.integers(-14 * 60, 14 * 60))
def test_a_written_date_is_read_back(epoch: int, zone: int) -> None:
    parsed = parse_date(write_date(epoch, zone if abs(epoch) < 60_000_000_000 else 0))
    assert parsed.epoch == epoch


@given(
    st.integers(0, 32), st.sampled_from(["Jan", "feb", "FEB", "Dec", "Foo"]), st.integers(0, 9999), st.integers(0, 99)
)
def test_usual_and_unusual_dates_are_read_alike(day: int, month: str, year: int, number: int) -> None:
    """A second comment makes the parser take the long way."""
    for name in ("Mon, ", "Tue,  ", "", "Xyz, "):
        text = (
            f"{name}{day} {month} {year:04d} {number % 30:02d}:{number:02d}:{number:02d} -{number:02d}{number % 70:02d}"
        )
        assert parse_date(text) == parse_date(f"{text} (a) (b)")


@given(st.text(max_size=60), st.text(max_size=60), st.ip_addresses())
def test_our_received_field_tells_the_address_whatever_the_names(ehlo: str, name: str, address: object) -> None:
    octets = write_received(
        ehlo_domain=ehlo, client_ip=str(address), reverse_name=name, by="mx.example", protocol="ESMTP", id=name, date=0
    )
    header = parse_header(octets + b"\r\n")
    assert len(header) == 1
    hop = parse_received(header.fields[0].value)
    mapped = getattr(address, "ipv4_mapped", None)
    assert (hop.from_ip, hop.by, hop.date) == (str(mapped or address), "mx.example", 0)


@given(st.text(max_size=100), TEXT, st.sampled_from(list(Action)), st.booleans(), OCTETS)
def test_a_report_holds_what_it_was_given(words: str, mta: str, action: Action, utf8: bool, original: bytes) -> None:
    recipient = DsnRecipient(
        final_recipient="jo@b.example", action=action, status="4.2.2", diagnostic=words, remote_mta=mta
    )
    raw = write_dsn(
        reporting_mta="gate.example",
        sender="a@b.example",
        recipients=[recipient],
        original=original,
        message_id="1@gate.example",
        now=0,
        ret="FULL",
        utf8=utf8,
    )
    dsn = read_dsn(Message(raw))
    assert dsn is not None
    assert [(one.final_recipient, one.action, one.status) for one in dsn.recipients] == [
        ("jo@b.example", action, "4.2.2")
    ]


@given(OCTETS, st.integers(1, 20), st.integers(1, 200))
def test_an_mbox_has_the_same_messages_whatever_the_chunks(raw: bytes, size: int, limit: int) -> None:
    whole, pieces = MboxSplitter(limit), MboxSplitter(limit)
    expected = whole.feed(raw) + whole.close()
    found = [message for at in range(0, len(raw), size) for message in pieces.feed(raw[at : at + size])]
    assert found + pieces.close() == expected
    assert all(len(message.raw) <= limit for message in expected)
