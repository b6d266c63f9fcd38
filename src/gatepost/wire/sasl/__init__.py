"""SASL: how a client proves who it is, as machines without input and output.

In: what the other side sent. Out: events for the house (`events`), octets for the client. SMTP, IMAP and POP3 share it.
Standard: RFC 4422; RFC 4616 (PLAIN), RFC 5802 and RFC 7677 (SCRAM-SHA-256). Not here: passwords (`store`), who is
let in (`server.submission`).
"""

from gatepost.wire.sasl.events import (
    Challenge,
    CheckCertificate,
    CheckPassword,
    Failed,
    NeedVerifier,
    Proven,
    Question,
    Reason,
    ServerEvent,
)
from gatepost.wire.sasl.exchange import ServerExchange, decode_line, encode_line
from gatepost.wire.sasl.mechanisms import MECHANISMS, SCRAM, Channel, client_exchange, server_exchange
from gatepost.wire.sasl.oauth_client import token_exchange

__all__ = [
    "MECHANISMS",
    "SCRAM",
    "Challenge",
    "Channel",
    "CheckCertificate",
    "CheckPassword",
    "Failed",
    "NeedVerifier",
    "Proven",
    "Question",
    "Reason",
    "ServerEvent",
    "ServerExchange",
    "client_exchange",
    "decode_line",
    "encode_line",
    "server_exchange",
    "token_exchange",
]
