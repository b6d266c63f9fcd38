"""Command lines as servers read them.

In: a line without CRLF, and the extensions that were announced. Out: a command (`events`).
Standard: RFC 5321 §4.1.1, RFC 4954 (AUTH), RFC 3207 (STARTTLS), RFC 3030 (BDAT), RFC 2033 (LHLO), Postfix's
XCLIENT_README.
Not here: writing them (`writer`), parameters (`parameters`), order (`state`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gatepost.errors import RemoteProtocolError
from gatepost.names import Envelope, Recipient
from gatepost.wire.smtp import grammar
from gatepost.wire.smtp.events import Auth, AuthLine, Command, Hello, Mail, Plain, Rcpt, Xclient
from gatepost.wire.smtp.parameters import MAIL_PARAMETERS, RCPT_PARAMETERS, Extensions, bad_argument, read_parameters
from gatepost.wire.smtp.state import Verb

# RFC 5321 §4.1.1.2, §4.1.1.3:
#   mail = "MAIL FROM:" Reverse-path [SP Mail-parameters] CRLF
#   rcpt = "RCPT TO:" ( "<Postmaster@" Domain ">" / "<Postmaster>" / Forward-path ) [SP Rcpt-parameters] CRLF
# Deviation: blanks after the colon, which many clients send. Groups: path's three, then the parameters.
_MAIL = re.compile(rb"(?i:MAIL FROM:) *+(?:<>|" + grammar.PATH + rb")( .*+)?+", re.DOTALL)
_RCPT = re.compile(rb"(?i:RCPT TO:) *+(?:<(?i:POSTMASTER)>|" + grammar.PATH + rb")( .*+)?+", re.DOTALL)

_BAD_SENDER = (501, "5.1.7", "Bad sender address syntax")
_BAD_RECIPIENT = (501, "5.1.3", "Bad recipient address syntax")


def _parse_mail(line: bytes, extensions: Extensions) -> Mail:
    found = _MAIL.fullmatch(line)
    if found is None:
        raise RemoteProtocolError(*_BAD_SENDER)
    fields = read_parameters(found[4], MAIL_PARAMETERS, extensions)
    sender = "" if found[1] is None else grammar.read_mailbox(found, fields.get("smtputf8", False), _BAD_SENDER)
    return Mail(Envelope(mail_from=sender, recipients=(), **fields))


def _parse_rcpt(line: bytes, extensions: Extensions, smtputf8: bool) -> Rcpt:
    found = _RCPT.fullmatch(line)
    if found is None:
        raise RemoteProtocolError(*_BAD_RECIPIENT)
    address = "postmaster" if found[1] is None else grammar.read_mailbox(found, smtputf8, _BAD_RECIPIENT)
    return Rcpt(Recipient(address=address, **read_parameters(found[4], RCPT_PARAMETERS, extensions)))


def _argument(line: bytes, verb: Verb) -> str:
    """What follows the verb, as text without control characters (logs and replies may show it)."""
    try:
        text = line[len(verb.value) :].decode("utf-8").strip(" ")
    except UnicodeDecodeError:
        raise bad_argument("Argument is not UTF-8") from None
    if not text.isprintable():
        raise bad_argument("Argument holds control characters")
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
