"""Delivery: accepted mail from the spool to mailboxes and next hops, and word to the sender when that fails.

    routes, schedule, requirements, loops   judge: facts in, values out, no I/O
    maildrop, relay                         carry: one to Maildirs, one over SMTP or LMTP
    lane                                    bounds: one per destination, so that a hanging one stops nobody else
    settle, notices                         answer: what is written back to the spool, who is told
    agent                                   drives all of it: `run_delivery`

Standard: RFC 5321 §4.5.4 (retrying), §6 (responsibility); RFC 3461 and RFC 3464 (reports).
"""
