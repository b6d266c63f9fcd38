"""ARC: what those who passed a message on saw of it, sealed by each.

In: a message, a resolver, the time. Out: `ArcResult`; for forwarders a sealed message.
Standard: RFC 8617 (experimental, on its way to historic: chains are checked and shown; only
forwarded mail is sealed, by `server.forward`).
Files, in the order of the work: `record` and `chain` parse, `verify` judges with DKIM's keys and hashes, `seal` makes
one more set.
"""

from gatepost.msgauth.arc.result import ArcResult, ArcSetResult, ArcStatus
from gatepost.msgauth.arc.seal import seal_message
from gatepost.msgauth.arc.verify import verify

__all__ = ["ArcResult", "ArcSetResult", "ArcStatus", "seal_message", "verify"]
