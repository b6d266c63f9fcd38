"""Outlook's question for an address, and the answer.

In: a stranger's XML; what is offered. Out: the address in it, or in one sentence why there is none; an XML document.
Standard: none; Microsoft's MS-OXDSCLI ("plain old XML"). A document with a DOCTYPE is refused, so entities cannot
be declared; of all others only two elements' text is looked at, and no more than `MAX_TEXT` of it is kept.
Not here: limits on the size of a request (`connection`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from xml.parsers import expat
from xml.sax.saxutils import escape

from gatepost.server.https.offers import Offer

MAX_TEXT = 320  # characters of an address (RFC 5321 §4.5.3.1: 64 + 1 + 255)
MAX_DEPTH = 16  # the real ones have three
_ADDRESS, _SCHEMA = "EMailAddress", "AcceptableResponseSchema"
_OUTLOOK = "http://schemas.microsoft.com/exchange/autodiscover/outlook/responseschema/2006a"
_RESPONSE = "http://schemas.microsoft.com/exchange/autodiscover/responseschema/2006"


class _Refused(Exception):
    """The document is not read any further."""


@dataclass(slots=True)
class _Reader:
    """What expat calls."""

    found: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)

    def start(self, name: str, _: object) -> None:
        self.path.append(name.rpartition(" ")[2])
        if len(self.path) > MAX_DEPTH:
            raise _Refused("its elements are nested too deeply")

    def end(self, _: str) -> None:
        self.path.pop()

    def text(self, text: str) -> None:
        if self.path[-1] in (_ADDRESS, _SCHEMA):
            self.found[self.path[-1]] = (self.found.get(self.path[-1], "") + text)[:MAX_TEXT]

    def doctype(self, *_: object) -> None:
        raise _Refused("it has a DOCTYPE")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a program asks: for which address, and whether in Outlook's form (ActiveSync is another)."""

    address: str
    is_outlook: bool


def read_request(body: bytes) -> Asked | str:
    """The question, or why there is none. Any octets give one of both."""
    reader = _Reader()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = reader.doctype
    try:
        parser.Parse(body, True)
    except _Refused as error:
        return str(error)
    except (expat.ExpatError, ValueError, LookupError) as error:
        return f"it is no XML: {error}"
    address = reader.found.get(_ADDRESS, "").strip()
    if not is_address(address):
        return "it names no address"
    return Asked(address, reader.found.get(_SCHEMA, _OUTLOOK).strip() == _OUTLOOK)


def is_address(text: str) -> bool:
    """Good enough to be shown its own domain's settings; nobody is looked up."""
    local, at, domain = text.rpartition("@")
    return bool(local and at and domain) and text.isprintable() and len(text) <= MAX_TEXT and " " not in text


def write_response(address: str, offers: Iterable[Offer]) -> bytes:
    """The settings for `address`, which may be empty."""
    login = f"        <LoginName>{escape(address)}</LoginName>\n" if address else ""
    protocols = "".join(_protocol(offer, login) for offer in offers)
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<Autodiscover xmlns="{_RESPONSE}">\n'
        f'  <Response xmlns="{_OUTLOOK}">\n    <Account>\n      <AccountType>email</AccountType>\n'
        f"      <Action>settings</Action>\n{protocols}    </Account>\n  </Response>\n</Autodiscover>\n"
    ).encode()


def _protocol(offer: Offer, login: str) -> str:
    secured = "<SSL>on</SSL>" if offer.implicit_tls else "<Encryption>TLS</Encryption>"
    return (
        f"      <Protocol>\n        <Type>{offer.protocol.value.upper()}</Type>\n"
        f"        <Server>{escape(offer.host)}</Server>\n        <Port>{offer.port}</Port>\n{login}"
        f"        {secured}\n        <SPA>off</SPA>\n        <AuthRequired>on</AuthRequired>\n      </Protocol>\n"
    )


def write_error(code: int, words: str) -> bytes:
    """MS-OXDSCLI §2.2.4.1.1.1: 600 is a request that cannot be used, 601 a form that is not known here."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<Autodiscover xmlns="{_RESPONSE}">\n  <Response>\n'
        f'    <Error Time="00:00:00" Id="0">\n      <ErrorCode>{code}</ErrorCode>\n'
        f"      <Message>{escape(words)}</Message>\n    </Error>\n  </Response>\n</Autodiscover>\n"
    ).encode()
