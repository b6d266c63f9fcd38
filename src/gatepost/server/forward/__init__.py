"""Forwarding: mail for an address of ours that goes on to people elsewhere, and what comes back from there.

In: recipients that an alias led to (`server.aliases`). Out: the envelope sender and the octets they leave with.
Files: `settings`, `secrets` (what SRS hashes with), `returns` (bounces at RCPT), `forwarding` (for the delivery),
`check`. Standard: SRS (`msgauth.srs`), RFC 8617 (ARC), RFC 3461 §5.2.7 (DSN and aliases).
Not here: the way out (`server.delivery`).
"""
