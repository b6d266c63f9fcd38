"""The pipeline: what a message meets between the client's first word and the 250.

In: visits, envelopes and octets from `server.smtp`. Out: replies; durable messages in the spool.
Files, in the order of the work: `gate` is asked at each step, `admission` decides about recipients, `examine` proves
and judges, `stamp` writes our header fields, `record` tells log, journal and metrics.
"""

from gatepost.server.pipeline.gate import Gate

__all__ = ["Gate"]
