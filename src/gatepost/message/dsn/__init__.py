"""Delivery status notifications: what other servers tell us, and what we tell senders.

In: a message, or what became of one. Out: `Dsn`, or the octets of a report. Standard: RFC 3464, RFC 3461, RFC 6533.
Not here: who gets a report, and when (delivery); the null reverse-path it travels with (the caller's).
"""

from __future__ import annotations

from gatepost.message.dsn.model import Action, Dsn, DsnRecipient
from gatepost.message.dsn.read import read_dsn
from gatepost.message.dsn.write import write_dsn

__all__ = ["Action", "Dsn", "DsnRecipient", "read_dsn", "write_dsn"]
