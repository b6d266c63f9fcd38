"""The configuration that Thunderbird, K-9, Evolution and others fetch for an address.

In: a domain, what is offered. Out: an XML document. Standard: none; Mozilla's clientConfig 1.1, which they all read.
Not here: what is offered (`offers`), Outlook's form of it (`autodiscover`).
"""

from __future__ import annotations

from collections.abc import Iterable
from xml.sax.saxutils import escape

from gatepost.server.https.offers import Offer, Protocol

_SERVER = """    <{tag} type="{kind}">
      <hostname>{host}</hostname>
      <port>{port}</port>
      <socketType>{socket}</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </{tag}>
"""


def write_autoconfig(domain: str, name: str, offers: Iterable[Offer]) -> bytes:
    """The document for addresses in `domain`. The password is clear inside TLS only: without it none is taken."""
    servers = "".join(
        _SERVER.format(
            tag="outgoingServer" if offer.protocol is Protocol.SUBMISSION else "incomingServer",
            kind=offer.protocol.value,
            host=escape(offer.host),
            port=offer.port,
            socket="SSL" if offer.implicit_tls else "STARTTLS",
        )
        for offer in offers
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<clientConfig version="1.1">\n'
        f'  <emailProvider id="{escape(domain)}">\n'
        f"    <domain>{escape(domain)}</domain>\n"
        f"    <displayName>{escape(name)}</displayName>\n"
        f"    <displayShortName>{escape(name)}</displayShortName>\n"
        f"{servers}  </emailProvider>\n</clientConfig>\n"
    ).encode()
