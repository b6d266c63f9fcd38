"""The parameters of MAIL and RCPT: which extension each belongs to, and what it may hold.

In: what follows the path. Out: fields of `names.Envelope` and `names.Recipient`; RemoteProtocolError with the reply.
Standard: RFC 1870 (SIZE), RFC 6152 (BODY), RFC 6531 (SMTPUTF8), RFC 3461 (RET, ENVID, NOTIFY, ORCPT), RFC 8689
(REQUIRETLS), RFC 4954 §5 (AUTH). Not here: how keyword and value are told apart (`grammar`); writing them (`writer`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from typing import Any

from gatepost.errors import RemoteProtocolError
from gatepost.names import Body
from gatepost.wire.smtp import grammar

Extensions = Collection[str]


def bad_argument(text: str) -> RemoteProtocolError:
    """The reply to a parameter or argument that cannot be."""
    return RemoteProtocolError(501, "5.5.4", text)


def _read_size(value: str | None) -> int:
    # RFC 1870 §4: size-value = 1*20DIGIT
    if value is None or not value.isascii() or not value.isdigit() or len(value) > 20:
        raise bad_argument("SIZE wants a number")
    return int(value)


def _read_body(value: str | None) -> Body:
    try:
        return Body((value or "").upper())
    except ValueError:
        raise bad_argument("BODY wants 7BIT or 8BITMIME") from None


def _read_flag(value: str | None) -> bool:
    if value is not None:
        raise bad_argument("That parameter has no value")
    return True


def _read_ret(value: str | None) -> str:
    ret = (value or "").upper()
    if ret not in ("FULL", "HDRS"):
        raise bad_argument("RET wants FULL or HDRS")
    return ret


def _read_envid(value: str | None) -> str:
    # RFC 3461 §4.4: at most 100 characters
    if not value or len(value) > 100 or grammar.XTEXT.fullmatch(value) is None:
        raise bad_argument("ENVID wants up to 100 characters of xtext")
    return value


_NOTIFY = frozenset({"SUCCESS", "FAILURE", "DELAY"})


def _read_notify(value: str | None) -> tuple[str, ...]:
    # RFC 3461 §4.1: notify-list = "NEVER" / 1#( "SUCCESS" / "FAILURE" / "DELAY" )
    wishes = tuple((value or "").upper().split(","))
    if wishes != ("NEVER",) and (not _NOTIFY.issuperset(wishes) or len(set(wishes)) != len(wishes)):
        raise bad_argument("NOTIFY wants NEVER, or any of SUCCESS, FAILURE, DELAY")
    return wishes


_ADDR_TYPE = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]++")


def _read_orcpt(value: str | None) -> str:
    # RFC 3461 §4.2: original-recipient-address = addr-type ";" xtext, at most 500 characters
    addr_type, semicolon, address = (value or "").partition(";")
    if not semicolon or not address or len(value or "") > 500 or _ADDR_TYPE.fullmatch(addr_type) is None:
        raise bad_argument("ORCPT wants addr-type;address")
    text = grammar.UNITEXT if addr_type.lower() == "utf-8" else grammar.XTEXT
    if text.fullmatch(address) is None or not address.isprintable():
        raise bad_argument("ORCPT wants addr-type;address")
    return value or ""


def _read_auth(value: str | None) -> None:
    # RFC 4954 §5: "<>" or a mailbox in xtext. Taken and not believed: who sent a message is known by who logged in.
    if not value or len(value) > 500 or grammar.XTEXT.fullmatch(value) is None:
        raise bad_argument("AUTH wants a mailbox in xtext")


_Reader = Callable[[str | None], Any]
_Known = dict[str, tuple[str, str, _Reader]]

# Parameter: the extension that must have been announced, the field it fills (if any), and how it is read.
MAIL_PARAMETERS: _Known = {
    "SIZE": ("SIZE", "size", _read_size),
    "BODY": ("8BITMIME", "body", _read_body),
    "SMTPUTF8": ("SMTPUTF8", "smtputf8", _read_flag),
    "RET": ("DSN", "ret", _read_ret),
    "ENVID": ("DSN", "envid", _read_envid),
    "REQUIRETLS": ("REQUIRETLS", "requiretls", _read_flag),
    "AUTH": ("AUTH", "", _read_auth),
}
RCPT_PARAMETERS: _Known = {
    "NOTIFY": ("DSN", "notify", _read_notify),
    "ORCPT": ("DSN", "orcpt", _read_orcpt),
}


def read_parameters(octets: bytes | None, known: _Known, extensions: Extensions) -> dict[str, Any]:
    """The fields that the parameters in `octets` fill; RemoteProtocolError for one that is bad or was not announced."""
    if octets is None:
        return {}
    fields: dict[str, Any] = {}
    for keyword, value in grammar.split_parameters(octets).items():
        extension, field, reader = known.get(keyword, ("", "", _read_flag))
        if extension not in extensions:
            # RFC 5321 §4.1.1.11: 555 to what was not announced
            raise RemoteProtocolError(555, "5.5.4", "Parameter not recognised or not implemented")
        read = reader(value)
        if field:
            fields[field] = read
    return fields
