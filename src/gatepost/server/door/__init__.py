"""At the door: what stops most junk before its message is read.

In: a connection, its commands. Out: a reply where it ends here; else signs that the message's story tells of.
Each check is "off", "watch" (only told) or "on". Standard: RFC 5321 §4.2, RFC 6647 (greylisting).
Not here: recipients (`pipeline.admission`), judging messages (`inspector`), limits on one connection (`smtp`).
"""
