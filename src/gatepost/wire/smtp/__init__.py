"""SMTP and LMTP as machines without I/O, the same tables for server and client.

In: octets and replies. Out: events and octets. Standard: RFC 5321, RFC 2033 (LMTP) and the extensions named in
`commands`. Not here: sockets, time and policy (`server.smtp`). Start reading with `state`, then `connection`.
"""

from gatepost.wire.smtp.client import ClientConnection
from gatepost.wire.smtp.replies import Reply
from gatepost.wire.smtp.server import ServerConnection
from gatepost.wire.smtp.settings import Limits
from gatepost.wire.smtp.state import State, Verb

__all__ = ["ClientConnection", "Limits", "Reply", "ServerConnection", "State", "Verb"]
