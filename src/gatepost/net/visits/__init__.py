"""Visits over real sockets: what `ports.visitor` asks for.

A file a thing: `connection` (octets, TLS), `replies` (whole replies of SMTP, IMAP, POP3), `play` (one visit),
`visitor` (politeness, time). Not here: which visits there are, what follows from them.
"""

from gatepost.net.visits.visitor import SocketVisitor, VisitLimits

__all__ = ["SocketVisitor", "VisitLimits"]
