"""Addresses, parameters and commands: what is read, and the reply to what cannot be."""

from __future__ import annotations

import time

import pytest

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.names import Envelope, Recipient
from gatepost.wire.smtp import Verb
from gatepost.wire.smtp.commands import find_verb, parse_command
from gatepost.wire.smtp.events import Auth, Hello, Mail, Plain, Rcpt, Xclient
from gatepost.wire.smtp.grammar import decode_xtext, encode_xtext, is_address_literal, is_domain, is_mailbox
from gatepost.wire.smtp.writer import write_command

ALL = frozenset({"SIZE", "8BITMIME", "SMTPUTF8", "DSN", "REQUIRETLS"})


def parse(line: bytes, smtputf8: bool = False) -> object:
    verb = find_verb(line)
    assert verb is not None
    return parse_command(verb, line, ALL, smtputf8)


@pytest.mark.parametrize(
    ("path", "address"),
    [
        (b"<a@example.com>", "a@example.com"),
        (b"<a.b+c@Example.COM>", "a.b+c@Example.COM"),
        (b"<@relay.example,@other.example:a@example.com>", "a@example.com"),  # RFC 5321 §4.1.1.3: ignored
        (b'<"joe"@example.com>', "joe@example.com"),
        (b'<"j\\oe"@example.com>', "joe@example.com"),
        (b'<"joe bloggs"@example.com>', '"joe bloggs"@example.com'),
        (b'<"a\\"b"@example.com>', '"a\\"b"@example.com'),
        (b'<""@example.com>', '""@example.com'),
        (b'<"a@b"@example.com>', '"a@b"@example.com'),
        (b"<a@[192.0.2.1]>", "a@[192.0.2.1]"),
        (b"<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
        (b"<" + b"x" * 100 + b"@example.com>", "x" * 100 + "@example.com"),
        (b"<a@my_host.example.com>", "a@my_host.example.com"),
        (b" <a@example.com>", "a@example.com"),
    ],
)
def test_paths(path: bytes, address: str) -> None:
    assert parse(b"MAIL FROM:" + path) == Mail(Envelope(mail_from=address, recipients=()))
    assert parse(b"rcpt to:" + path) == Rcpt(Recipient(address=address))


@pytest.mark.parametrize(
    "path",
    [
        b"", b"a@example.com", b"<a>", b"<a@>", b"<@example.com>", b"<a@b@c>", b"<a..b@example.com>",
        b"<.a@example.com>",
        b"<a.@example.com>", b"<a@-b.com>", b"<a@b-.com>", b"<a@b..c>", b"<a@.b>", b"<a@b.>", b"<a@example.com",
        b"<<a@b>>",
        b"<a b@example.com>", b"<a@exa mple.com>", b"<a\r@example.com>", b"<a\0@example.com>", b'<"a@example.com>',
        b'<a"b"@example.com>', b'<"a\n"@example.com>', b"<a@[192.0.2.256]>", b"<a@[2001:db8::1]>", b"<a@[IPv6:x]>",
        b"<a@[]>", b"<a@" + b"b" * 64 + b".com>", b"<a@" + b"bb." * 90 + b"com>", b"<a@example.com>x",
        b"<a@example.com>\tSIZE=1",
        b"<a@example.com> SIZE", b"<a@example.com> SIZE=x", b"<a@example.com> SIZE=1 SIZE=2", b"<a@example.com> =1",
        b"<a@example.com> BODY=BINARYMIME", b"<a@example.com> RET=ALL", b"<a@example.com> ENVID=a=b",
        b"<a@example.com> SMTPUTF8=1", b"<a@example.com> ENVID=" + b"x" * 101, b"<a@example.com> SIZE=" + b"1" * 21,
    ],
    ids=repr,
)  # fmt: skip
def test_bad_mail(path: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        parse(b"MAIL FROM:" + path)
    assert caught.value.reply_code in (501, 555)


def test_mail_parameters() -> None:
    mail = parse(b"MAIL FROM:<> size=10 Body=8bitmime RET=full ENVID=a+2Bb REQUIRETLS  ")
    assert isinstance(mail, Mail)
    envelope = mail.envelope
    assert (envelope.size, envelope.body, envelope.ret, envelope.envid) == (10, "8BITMIME", "FULL", "a+2Bb")
    assert envelope.requiretls


def test_rcpt_parameters() -> None:
    rcpt = parse(b"RCPT TO:<a@b> NOTIFY=success,DELAY ORCPT=rfc822;a+2B@b")
    assert rcpt == Rcpt(Recipient(address="a@b", notify=("SUCCESS", "DELAY"), orcpt="rfc822;a+2B@b"))
    assert parse(b"RCPT TO:<postMASTER>") == Rcpt(Recipient(address="postmaster"))


@pytest.mark.parametrize(
    "parameter",
    [b"NOTIFY=", b"NOTIFY=NEVER,SUCCESS", b"NOTIFY=SUCCESS,SUCCESS", b"NOTIFY=YES", b"ORCPT=a@b", b"ORCPT=rfc822;",
     b"ORCPT=rfc822;+zz", b"ORCPT=rfc822;" + b"x" * 500, b"ORCPT=;a", b"FOO=1", b"NOTIFY", b"SIZE=1"],
)  # fmt: skip
def test_bad_rcpt_parameters(parameter: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(b"RCPT TO:<a@b> " + parameter)


@pytest.mark.parametrize("address", ["a\x85b@example.com", "a\u2028b@example.com", "a\u202eb@example.com"])
def test_what_breaks_lines_elsewhere_is_no_address(address: str) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(b"RCPT TO:<" + address.encode() + b">", smtputf8=True)


def test_utf8_that_is_none() -> None:
    with pytest.raises(RemoteProtocolError):
        parse(b"RCPT TO:<a\xff@b>", smtputf8=True)


def test_an_address_is_read_in_linear_time() -> None:
    for evil in (b"a." * 100_000, b"a-" * 100_000, b'"' + b"\\a" * 100_000, b"@a," * 100_000, b"@a" + b"-" * 200_000):
        started = time.perf_counter()
        with pytest.raises(RemoteProtocolError):
            parse(b"MAIL FROM:<" + evil)
        assert time.perf_counter() - started < 1


@pytest.mark.parametrize(
    ("line", "command"),
    [
        (b"EHLO mx.example.com", Hello(Verb.EHLO, "mx.example.com")),
        (b"ehlo  [192.0.2.1] ", Hello(Verb.EHLO, "[192.0.2.1]")),
        (b"NOOP what ever", Plain(Verb.NOOP, "what ever")),
        (b"VRFY joe", Plain(Verb.VRFY, "joe")),
        (b"quit", Plain(Verb.QUIT)),
        (b"DATA  ", Plain(Verb.DATA)),
        (b"AUTH plain AGE=", Auth("PLAIN", "AGE=")),
        (b"AUTH LOGIN", Auth("LOGIN")),
        (b"XCLIENT addr=192.0.2.1 NAME=[tempunavail]", Xclient({"ADDR": "192.0.2.1", "NAME": None})),
    ],
)
def test_commands(line: bytes, command: object) -> None:
    assert parse(line) == command


@pytest.mark.parametrize(
    "line",
    [b"EHLO", b"EHLO a b", b"DATA x", b"QUIT now", b"RSET x", b"STARTTLS x", b"VRFY", b"DATAX", b"MAILFROM:<a@b>",
     b"MAIL TO:<a@b>", b"RCPT FROM:<a@b>", b"AUTH", b"AUTH PLAIN a b", b"AUTH PLAIN !", b"XCLIENT", b"XCLIENT FOO=1",
     b"XCLIENT ADDR=+0A", b"EHLO \x07", b"EHLO " + b"x" * 300, b"EHLO \xff"],
)  # fmt: skip
def test_bad_commands(line: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        parse(line)


@pytest.mark.parametrize(
    "line", [b"", b" ", b"FOO", b" MAIL FROM:<a@b>", b"STARTTLSX", b"(greeting)", b"BDAT LAST"[4:]]
)
def test_no_command(line: bytes) -> None:
    assert find_verb(line) is None


@pytest.mark.parametrize(
    "command",
    [
        Mail(Envelope(mail_from="a@b>\r\nRCPT TO:<c@d", recipients=())),
        Rcpt(Recipient(address="a b@c")),
        Rcpt(Recipient(address="")),
        Rcpt(Recipient(address="a@b", orcpt="rfc822;x\r\nDATA")),
        Rcpt(Recipient(address="a@b", orcpt="rfc822;x NOTIFY=NEVER")),
        Mail(Envelope(mail_from="a@b", recipients=(), envid="x SMTPUTF8")),
        Hello(Verb.EHLO, "x\r\nQUIT"),
        Hello(Verb.EHLO, "x y"),
    ],
)
def test_nothing_is_injected_into_what_we_write(command: Mail | Rcpt | Hello) -> None:
    with pytest.raises(LocalProtocolError):
        write_command(command)


def test_forms() -> None:
    assert is_domain("mx.example.com")
    assert not is_domain("mx..example.com")
    assert not is_domain("bücher.example")
    assert not is_domain("\ud800")
    assert is_address_literal("[ipv6:::1]")
    assert not is_address_literal("[IPv6:fe80::1%eth0]")
    assert not is_address_literal("192.0.2.1")
    assert is_mailbox("a@b")
    assert not is_mailbox("a@b\n")
    assert not is_mailbox("\udcff@b")


def test_xtext() -> None:
    assert encode_xtext(b"a+b=c d\xff") == "a+2Bb+3Dc+20d+FF"
    assert decode_xtext("a+2Bb+3Dc+20d+FF") == b"a+b=c d\xff"
    with pytest.raises(ValueError):
        decode_xtext("a=b")
