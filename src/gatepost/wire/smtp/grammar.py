"""What stands on an SMTP line: addresses, paths, parameters, xtext.

In: octets of one argument. Out: text, or RemoteProtocolError with the reply to give.
Standard: RFC 5321 §4.1.2, RFC 6531 §3.3 (UTF-8), RFC 3461 §4 (xtext), RFC 3464 §2.1.2 (addr-type).
Not here: which command has which argument (`commands`); whether an address exists or a domain resolves.
Every pattern is possessive, so that no input makes it go back: the time is linear in the line, whose length is limited.
"""

from __future__ import annotations

import ipaddress
import re

from gatepost.errors import RemoteProtocolError

# RFC 5321 §4.1.2, with RFC 6531 §3.3 adding UTF8-non-ascii to atext, qtextSMTP and sub-domain:
#   Local-part     = Dot-string / Quoted-string
#   Dot-string     = Atom *("."  Atom)
#   Quoted-string  = DQUOTE *QcontentSMTP DQUOTE
#   QcontentSMTP   = qtextSMTP / quoted-pairSMTP
#   sub-domain     = Let-dig [Ldh-str]
#   Domain         = sub-domain *("." sub-domain)
#   address-literal = "[" ( IPv4-address-literal / IPv6-address-literal / General-address-literal ) "]"
# Deviation: "_" counts as Let-dig. Names with it are in DNS and in use; whether one exists is asked later.
_ATOM = rb"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\xff]++"
_DOT_STRING = _ATOM + rb"(?:\." + _ATOM + rb")*+"
_QUOTED = rb'"(?:[ !#-\[\]-~\x80-\xff]|\\[ -~])*+"'
_LABEL = rb"[A-Za-z0-9_\x80-\xff]++(?:-++[A-Za-z0-9_\x80-\xff]++)*+"
_DOMAIN = _LABEL + rb"(?:\." + _LABEL + rb")*+"
_LITERAL = rb"\[[!-Z^-~]++\]"
_MAILBOX = rb"(?:" + _DOT_STRING + rb"|(" + _QUOTED + rb"))@(?:" + _DOMAIN + rb"|(" + _LITERAL + rb"))"
#   Path           = "<" [ A-d-l ":" ] Mailbox ">"
#   A-d-l          = At-domain *( "," At-domain )     ; MUST be accepted, and SHOULD be ignored
_ROUTE = rb"(?:@" + _DOMAIN + rb"(?:,@" + _DOMAIN + rb")*+:)?+"

# Groups: the mailbox, its quoted local part, its address literal.
PATH = rb"<" + _ROUTE + rb"(" + _MAILBOX + rb")>"

MAILBOX = re.compile(_MAILBOX)
DOMAIN = re.compile(_DOMAIN)

#   esmtp-param    = esmtp-keyword ["=" esmtp-value]
#   esmtp-value    = 1*(%d33-60 / %d62-126)           ; RFC 6531 §3.3 adds UTF8-non-ascii
_PARAMETER = re.compile(rb" ++([A-Za-z0-9][A-Za-z0-9-]*+)(?:=([!-<>-~\x80-\xff]++))?+(?=\ |$)")

#   xtext          = *( xchar / hexchar );  xchar = %d33-126 but "+" and "=";  hexchar = "+" 2(%x30-39 / %x41-46)
XTEXT = re.compile(r"(?:[!-*,-<>-~]|\+[0-9A-F]{2})*+")
# RFC 6533 §3: utf-8-addr-xtext and utf-8-addr-unitext also hold "\x{...}" and, with SMTPUTF8, UTF-8 itself.
UNITEXT = re.compile(r"(?:[!-*,-<>-~\x80-\U0010ffff]|\+[0-9A-F]{2})*+")

MAX_DOMAIN = 255  # RFC 5321 §4.5.3.1.2
MAX_LABEL = 63  # RFC 1035 §2.3.4


def read_mailbox(found: re.Match[bytes], smtputf8: bool, bad: tuple[int, str, str]) -> str:
    """The address that `PATH` found, as text, in its shortest form.

    `bad` is the reply to a syntax error: RFC 3463 has different codes for senders and recipients.
    A local part of any length is taken (RFC 5321 §4.5.3.1 asks for no limit where possible, and bounce addresses of
    mailing lists are longer than 64 octets); the line's length limits it.
    """
    mailbox, quoted, literal = found.group(1, 2, 3)
    try:
        address = mailbox.decode("ascii")
    except UnicodeDecodeError:
        address = _read_utf8(mailbox, smtputf8, bad)
    if quoted is not None:
        local = len(quoted.decode("utf-8"))
        address = _shortest_local(address[:local]) + address[local:]
    if literal is not None:
        if not is_address_literal(literal.decode("ascii")):
            raise RemoteProtocolError(*bad)
    elif len(mailbox) > MAX_LABEL and not _fits_dns(mailbox[len(quoted or b"") :].rpartition(b"@")[2]):
        raise RemoteProtocolError(*bad)
    return address


def _read_utf8(octets: bytes, smtputf8: bool, bad: tuple[int, str, str]) -> str:
    if not smtputf8:
        # RFC 6531 §3.5: 553 with 5.6.7 to an address that needs the extension.
        raise RemoteProtocolError(553, "5.6.7", "An address that is not ASCII needs SMTPUTF8")
    try:
        text = octets.decode("utf-8")
    except UnicodeDecodeError:
        raise RemoteProtocolError(*bad) from None
    if not text.isprintable():  # C1 controls and line separators break lines for some readers of logs and headers
        raise RemoteProtocolError(*bad)
    return text


_DOT_STRING_TEXT = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\U0010ffff]++(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~\x80-\U0010ffff]++)*+")  # fmt: skip # noqa: E501
_QUOTED_PAIR = re.compile(r"\\(.)")
_NEEDS_PAIR = re.compile(r'(["\\])')


def _shortest_local(quoted: str) -> str:
    """RFC 5321 §4.1.2: quoting that changes nothing means the same mailbox, so that "joe"@x and joe@x are one."""
    content = _QUOTED_PAIR.sub(r"\1", quoted[1:-1])
    if _DOT_STRING_TEXT.fullmatch(content):
        return content
    return '"' + _NEEDS_PAIR.sub(r"\\\1", content) + '"'


def _fits_dns(domain: bytes) -> bool:
    return len(domain) <= MAX_DOMAIN and all(len(label) <= MAX_LABEL for label in domain.split(b"."))


def is_address_literal(text: str) -> bool:
    """Whether `text` is "[192.0.2.1]" or "[IPv6:2001:db8::1]"; other tags are not in use (RFC 5321 §4.1.3)."""
    if len(text) > 64 or text[:1] != "[" or text[-1:] != "]" or "%" in text:
        return False
    try:
        if text[1:6].upper() == "IPV6:":
            ipaddress.IPv6Address(text[6:-1])
        else:
            ipaddress.IPv4Address(text[1:-1])
    except ValueError:
        return False
    return True


def is_domain(text: str) -> bool:
    """Whether `text` has the form of a domain name in ASCII, as EHLO needs one (RFC 5321 §4.1.1.1)."""
    octets = text.encode("utf-8", "surrogatepass")
    return text.isascii() and DOMAIN.fullmatch(octets) is not None and _fits_dns(octets)


def is_mailbox(address: str) -> bool:
    """Whether `address` (local-part@domain) may stand between angle brackets."""
    try:
        found = MAILBOX.fullmatch(address.encode("utf-8"))
    except UnicodeEncodeError:
        return False
    if found is None or not address.isprintable():
        return False
    literal = found.group(2)
    if literal is not None:
        return is_address_literal(literal.decode("ascii"))
    return _fits_dns(address.encode("utf-8").rpartition(b"@")[2])


def split_parameters(octets: bytes) -> dict[str, str | None]:
    """ESMTP parameters by upper-case keyword; None stands for a keyword without value (RFC 5321 §4.1.2)."""
    parameters: dict[str, str | None] = {}
    position, end = 0, len(octets.rstrip(b" "))  # trailing blanks: RFC 5321 §4.1.1 asks to tolerate them
    while position < end:
        found = _PARAMETER.match(octets, position, end)
        if found is None:
            raise RemoteProtocolError(501, "5.5.4", "Bad parameter syntax")
        keyword = found[1].decode("ascii").upper()
        if keyword in parameters:
            raise RemoteProtocolError(501, "5.5.4", "Parameter given twice")
        try:
            parameters[keyword] = found[2].decode("utf-8") if found[2] is not None else None
        except UnicodeDecodeError:
            raise RemoteProtocolError(501, "5.5.4", "Bad parameter syntax") from None
        position = found.end()
    return parameters


_HEXCHAR = re.compile(r"\+([0-9A-F]{2})")
_NOT_XCHAR = re.compile(rb"[^!-*,-<>-~]")


def decode_xtext(text: str) -> bytes:
    """The octets that `text` stands for; ValueError when it is no xtext (RFC 3461 §4)."""
    if XTEXT.fullmatch(text) is None:
        raise ValueError("not xtext")
    return _HEXCHAR.sub(lambda found: chr(int(found[1], 16)), text).encode("latin-1")


def encode_xtext(octets: bytes) -> str:
    """`octets` as xtext."""
    return _NOT_XCHAR.sub(lambda found: b"+%02X" % found[0][0], octets).decode("ascii")
