"""Command lines: read by servers, written by clients.

In: a line without CRLF, and the extensions that were announced; or a command. Out: a command (`events`); or its line.
Standard: RFC 5321 §4.1.1, RFC 1870 (SIZE), RFC 6152 (BODY), RFC 6531 (SMTPUTF8), RFC 3461 (RET, ENVID, NOTIFY, ORCPT),
RFC 8689 (REQUIRETLS), RFC 4954 (AUTH), RFC 3207 (STARTTLS), RFC 2033 (LHLO), Postfix XCLIENT_README.
Not here: order (`state`); BDAT, whose octets follow its line (`server`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from gatepost.errors import LocalProtocolError, RemoteProtocolError
from gatepost.names import Body, Envelope, Recipient
from gatepost.wire.smtp import grammar
from gatepost.wire.smtp.events import Auth, AuthLine, Command, Hello, Mail, Plain, Rcpt, Xclient
from gatepost.wire.smtp.state import Verb

# RFC 5321 §4.1.1.2, §4.1.1.3:
#   mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
#   rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF
# Deviation: blanks after the colon, which many clients send. Groups: path's three, then the parameters.
_MAIL = re.compile(rb"(?i:MAIL FROM:) *+(?:<>|" + grammar.PATH + rb")( .*+)?+", re.DOTALL)
_RCPT = re.compile(rb"(?i:RCPT TO:) *+(?:<(?i:POSTMASTER)>|" + grammar.PATH + rb")( .*+)?+", re.DOTALL)

_BAD_SENDER = (501, "5.1.7", "Bad sender address syntax")
_BAD_RECIPIENT = (501, "5.1.3", "Bad recipient address syntax")
_UNKNOWN_PARAMETER = (555, "5.5.4", "Parameter not recognised or not implemented")

Extensions = Collection[str]


def _bad(text: str) -> RemoteProtocolError:
    return RemoteProtocolError(501, "5.5.4", text)


def _read_size(value: str | None) -> int:
    # RFC 1870 §4: size-value = 1*20DIGIT
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 20:
        raise _bad("SIZE wants a number")
    return int(value)


def _read_body(value: str | None) -> Body:
    try:
        return Body((value or "").upper())
    except ValueError:
        raise _bad("BODY wants 7BIT or 8BITMIME") from None


def _read_flag(value: str | None) -> bool:
    if value is not None:
        raise _bad("That parameter has no value")
    return True


def _read_ret(value: str | None) -> str:
    ret = (value or "").upper()
    if ret not in ("FULL", "HDRS"):
        raise _bad("RET wants FULL or HDRS")
    return ret


def _read_envid(value: str | None) -> str:
    # RFC 3461 §4.4: at most 100 characters
    if not value or len(value) > 100 or grammar.XTEXT.fullmatch(value) is None:
        raise _bad("ENVID wants up to 100 characters of xtext")
    return value


_NOTIFY = frozenset({"SUCCESS", "FAILURE", "DELAY"})


def _read_notify(value: str | None) -> tuple[str, ...]:
    # RFC 3461 §4.1: notify-list = "NEVER" / 1#( "SUCCESS" / "FAILURE" / "DELAY" )
    wishes = tuple((value or "").upper().split(","))
    if wishes != ("NEVER",) and (not _NOTIFY.issuperset(wishes) or len(set(wishes)) != len(wishes)):
        raise _bad("NOTIFY wants NEVER, or any of SUCCESS, FAILURE, DELAY")
    return wishes


_ADDR_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]++")


def _read_orcpt(value: str | None) -> str:
    # RFC 3461 §4.2: original-recipient-address = addr-type ";" xtext, at most 500 characters
    addr_type, semicolon, address = (value or "").partition(";")
    if not semicolon or not address or len(value or "") > 500 or _ADDR_TYPE.fullmatch(addr_type) is None:
        raise _bad("ORCPT wants addr-type;address")
    text = grammar.UNITEXT if addr_type.lower() == "utf-8" else grammar.XTEXT
    if text.fullmatch(address) is None or not address.isprintable():
        raise _bad("ORCPT wants addr-type;address")
    return value or ""


_Reader = Callable[[str | None], Any]

# Parameter: the extension that must have been announced, the field it fills, and how it is read.
_MAIL_PARAMETERS: dict[str, tuple[str, str, _Reader]] = {
    "SIZE": ("SIZE", "size", _read_size),
    "BODY": ("8BITMIME", "body", _read_body),
    "SMTPUTF8": ("SMTPUTF8", "smtputf8", _read_flag),
    "RET": ("DSN", "ret", _read_ret),
    "ENVID": ("DSN", "envid", _read_envid),
    "REQUIRETLS": ("REQUIRETLS", "requiretls", _read_flag),
}
_RCPT_PARAMETERS: dict[str, tuple[str, str, _Reader]] = {
    "NOTIFY": ("DSN", "notify", _read_notify),
    "ORCPT": ("DSN", "orcpt", _read_orcpt),
}


def _read_parameters(
    octets: bytes | None, known: dict[str, tuple[str, str, _Reader]], extensions: Extensions
) -> dict[str, Any]:
    if octets is None:
        return {}
    fields: dict[str, Any] = {}
    for keyword, value in grammar.split_parameters(octets).items():
        extension, field, reader = known.get(keyword, ("", "", _read_flag))
        if extension not in extensions:
            # RFC 5321 §4.1.1.11: 555 to what was not announced
            raise RemoteProtocolError(*_UNKNOWN_PARAMETER)
        fields[field] = reader(value)
    return fields


def _parse_mail(line: bytes, extensions: Extensions) -> Mail:
    found = _MAIL.fullmatch(line)
    if found is None:
        raise RemoteProtocolError(*_BAD_SENDER)
    fields = _read_parameters(found[4], _MAIL_PARAMETERS, extensions)
    sender = "" if found[1] is None else grammar.read_mailbox(found, fields.get("smtputf8", False), _BAD_SENDER)
    return Mail(Envelope(mail_from=sender, recipients=(), **fields))


def _parse_rcpt(line: bytes, extensions: Extensions, smtputf8: bool) -> Rcpt:
    found = _RCPT.fullmatch(line)
    if found is None:
        raise RemoteProtocolError(*_BAD_RECIPIENT)
    address = "postmaster" if found[1] is None else grammar.read_mailbox(found, smtputf8, _BAD_RECIPIENT)
    return Rcpt(Recipient(address=address, **_read_parameters(found[4], _RCPT_PARAMETERS, extensions)))


def _argument(line: bytes, verb: Verb) -> str:
    """What follows the verb, as text without control characters (logs and replies may show it)."""
    try:
        text = line[len(verb.value) :].decode("utf-8").strip(" ")
    except UnicodeDecodeError:
        raise _bad("Argument is not UTF-8") from None
    if not text.isprintable():
        raise _bad("Argument holds control characters")
    return text


def _parse_hello(line: bytes, verb: Verb) -> Hello:
    domain = _argument(line, verb)
    if not domain or " " in domain or len(domain) > grammar.MAX_DOMAIN:
        raise RemoteProtocolError(501, "5.5.4", f"{verb.value} wants the name of your host")
    return Hello(verb, domain)


def _parse_plain(line: bytes, verb: Verb) -> Plain:
    argument = _argument(line, verb)
    # RFC 5321 §4.1.1.5 and others: only NOOP and HELP may, VRFY and EXPN must have one.
    if verb in (Verb.VRFY, Verb.EXPN):
        if not argument:
            raise RemoteProtocolError(501, "5.5.4", f"{verb.value} wants a name")
    elif argument and verb not in (Verb.NOOP, Verb.HELP):
        raise RemoteProtocolError(501, "5.5.4", f"{verb.value} has no argument")
    return Plain(verb, argument)


_BASE64 = re.compile(r"[A-Za-z0-9+/]*+={0,2}")


def _parse_auth(line: bytes, verb: Verb) -> Auth:
    # RFC 4954 §4: auth-command = "AUTH" SP sasl-mech [SP initial-response]; "=" is an empty one
    words = _argument(line, verb).split(" ")
    if len(words) > 2 or not words[0] or (len(words) == 2 and _BASE64.fullmatch(words[1]) is None):
        raise RemoteProtocolError(501, "5.5.4", "AUTH wants a mechanism")
    return Auth(words[0].upper(), words[1] if len(words) == 2 else None)


def parse_auth_line(line: bytes) -> AuthLine:
    """The client's next line in an AUTH exchange (RFC 4954 §4); anything but base64 and "*" is refused."""
    text = line.decode("ascii", "replace")
    if text != "*" and _BASE64.fullmatch(text) is None:
        raise RemoteProtocolError(501, "5.5.2", "Cannot decode response")
    return AuthLine(text)


_XCLIENT_NAMES = frozenset(
    {"NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT", "REVERSE_NAME"}
)  # fmt: skip


def _parse_xclient(line: bytes, verb: Verb) -> Xclient:
    # XCLIENT_README: "XCLIENT" 1*( SP attribute-name "=" attribute-value ), values in xtext
    attributes: dict[str, str | None] = {}
    for word in _argument(line, verb).split(" "):
        name, equals, value = word.partition("=")
        if not equals or name.upper() not in _XCLIENT_NAMES or len(value) > grammar.MAX_DOMAIN:
            raise RemoteProtocolError(501, "5.5.4", "Bad XCLIENT attribute")
        attributes[name.upper()] = _xclient_value(value)
    return Xclient(attributes)


def _xclient_value(value: str) -> str | None:
    if value.upper() in ("[UNAVAILABLE]", "[TEMPUNAVAIL]"):
        return None
    try:
        text = grammar.decode_xtext(value).decode("utf-8")
    except ValueError:
        raise RemoteProtocolError(501, "5.5.4", "Bad XCLIENT attribute") from None
    if not text.isprintable():
        raise RemoteProtocolError(501, "5.5.4", "Bad XCLIENT attribute")
    return text


_VERBS = {
    verb.value.encode("ascii"): verb
    for verb in Verb
    if verb not in (Verb.GREETING, Verb.MESSAGE, Verb.BDAT_LAST)
}  # fmt: skip
_OTHER_PARSERS: dict[Verb, Callable[[bytes, Verb], Command]] = {
    Verb.EHLO: _parse_hello,
    Verb.HELO: _parse_hello,
    Verb.LHLO: _parse_hello,
    Verb.AUTH: _parse_auth,
    Verb.XCLIENT: _parse_xclient,
}


def find_verb(line: bytes) -> Verb | None:
    """The verb that `line` starts with, in any case; None when there is none that we know."""
    return _VERBS.get(line[:4].upper()) or _VERBS.get(line.partition(b" ")[0].upper())


def parse_command(verb: Verb, line: bytes, extensions: Extensions, smtputf8: bool) -> Command:
    """The command on `line`, which `find_verb` found to start with `verb`.

    `extensions` are the keywords announced to this client, `smtputf8` whether this transaction's MAIL asked for it.
    RemoteProtocolError carries the reply to what is no command.
    """
    if verb is Verb.MAIL:
        return _parse_mail(line, extensions)
    if verb is Verb.RCPT:
        return _parse_rcpt(line, extensions, smtputf8)
    if line[len(verb.value) :][:1] not in (b"", b" "):
        raise RemoteProtocolError(500, "5.5.2", "Command not recognised")
    return _OTHER_PARSERS.get(verb, _parse_plain)(line, verb)


def parse_chunk_size(line: bytes) -> tuple[int, bool]:
    """The argument of BDAT: how many octets follow, and whether they are the last (RFC 3030 §2)."""
    words = line.split(b" ")
    last = len(words) == 3 and words[2].upper() == b"LAST"
    if len(words) not in (2, 3) or (len(words) == 3 and not last) or not words[1].isdigit() or len(words[1]) > 20:
        raise RemoteProtocolError(501, "5.5.4", "BDAT wants a size")
    return int(words[1]), last


def write_command(command: Command) -> bytes:
    """The line of `command`, CRLF included; LocalProtocolError when it cannot be written."""
    match command:
        case Mail(envelope=envelope):
            text = _write_mail(envelope)
        case Rcpt(recipient=recipient):
            text = _write_rcpt(recipient)
        case Hello(verb=verb, domain=domain):
            text = f"{verb.value} {domain}"
        case Plain(verb=verb, argument=argument):
            text = f"{verb.value} {argument}" if argument else verb.value
        case Auth(mechanism=mechanism, initial_response=response):
            text = f"AUTH {mechanism}" if response is None else f"AUTH {mechanism} {response}"
        case AuthLine(text=text):
            pass
        case Xclient(attributes=attributes):
            text = "XCLIENT " + " ".join(f"{name}={_write_xclient(value)}" for name, value in attributes.items())
    if not text.isprintable():
        raise LocalProtocolError("a command holds control characters")
    return text.encode("utf-8") + b"\r\n"


def _write_path(address: str) -> str:
    if not grammar.is_mailbox(address) and address != "postmaster":
        raise LocalProtocolError(f"{address!r} is no mailbox")
    return f"<{address}>"


def _write_mail(envelope: Envelope) -> str:
    words = ["MAIL FROM:" + (_write_path(envelope.mail_from) if envelope.mail_from else "<>")]
    if envelope.size is not None:
        words.append(f"SIZE={envelope.size}")
    if envelope.body is not Body.SEVEN_BIT:
        words.append(f"BODY={envelope.body.value}")
    words += ["SMTPUTF8"] * envelope.smtputf8 + ["REQUIRETLS"] * envelope.requiretls
    if envelope.ret is not None:
        words.append(f"RET={envelope.ret}")
    if envelope.envid is not None:
        words.append(f"ENVID={envelope.envid}")
    return " ".join(words)


def _write_rcpt(recipient: Recipient) -> str:
    words = ["RCPT TO:" + _write_path(recipient.address)]
    if recipient.notify:
        words.append("NOTIFY=" + ",".join(recipient.notify))
    if recipient.orcpt is not None:
        words.append(f"ORCPT={recipient.orcpt}")
    return " ".join(words)


def _write_xclient(value: str | None) -> str:
    return "[UNAVAILABLE]" if value is None else grammar.encode_xtext(value.encode("utf-8"))
