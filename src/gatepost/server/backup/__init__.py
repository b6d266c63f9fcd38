"""Backup MX: mail is held for domains whose own server is elsewhere, the primary, and brought there when it is back.

    recipients   whom the primary knows, asked and remembered for longer than it may be away
    primaries    which primaries are away; as soon as one answers, all that waits for it goes, oldest first

The rest is as for any domain: the same door, the same checks, the same spool.
Standard: RFC 5321 §5 (more than one exchanger), §4.5.4.1. Not here: which host is the primary (`delivery.mx`).
"""
