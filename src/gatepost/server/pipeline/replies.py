"""What the gate says. Little to the peer: why in one sentence and where to read on, nothing about our rules.

Standard: RFC 3463 (enhanced status codes), RFC 7372 (codes for authentication failures), RFC 7505 §4.2 (null MX),
RFC 8689 §4.2 (REQUIRETLS), RFC 3207 §4 (530), RFC 6531 §3.5 (SMTPUTF8). Not here: when it is said.
"""

from __future__ import annotations

from gatepost.wire.smtp.replies import Reply

NEED_TLS = Reply(530, "Must issue a STARTTLS command first", enhanced="5.7.0")
NEED_TLS_FOR_REQUIRETLS = Reply(530, "REQUIRETLS needs TLS", enhanced="5.7.10")
RELAY_DENIED = Reply(550, "Relaying is denied; this server takes mail for its own domains only", enhanced="5.7.1")
ROUTED = Reply(550, "Addresses that route on are not taken", enhanced="5.7.1")
UNKNOWN = Reply(550, "There is no such recipient here", enhanced="5.1.1")
BOUNCES_ONLY = Reply(550, "This address takes reports of failed delivery only", enhanced="5.7.1")
ASK_LATER = Reply(450, "The recipient cannot be checked now, try again later", enhanced="4.2.1")
NO_DIRECTORY = Reply(451, "The recipient cannot be looked up now, try again later", enhanced="4.3.0")
NO_SMTPUTF8 = Reply(553, "The recipient's system takes no internationalised mail", enhanced="5.6.7")
NO_REQUIRETLS = Reply(550, "The recipient's system cannot promise TLS all the way", enhanced="5.7.30")
NULL_MX = Reply(550, "The sender's domain says that it sends no mail", enhanced="5.7.27")
NO_SENDER_DOMAIN = Reply(550, "The sender's domain has no mail exchanger and no address", enhanced="5.1.8")
LOOP = Reply(554, "Too many hops: this message goes round in circles", enhanced="5.4.6")
SLOW = Reply(451, "The sender could not be checked in time, try again later", enhanced="4.4.3")
SPOOL_FULL = Reply(452, "No room now, try again later", enhanced="4.3.1")
FULL = Reply(421, "No room for mail now, try again later", enhanced="4.3.1")
SPOOL_FAILED = Reply(451, "The message could not be stored, try again later", enhanced="4.3.0")

# RFC 7372 §3: the code says which check refused; anything else is 5.7.1 (RFC 3463 §3.8).
_CODES = (
    ("auth.dmarc", "7.26", "The message is not proven to come from the domain in its From field"),
    ("auth.spf", "7.23", "The sending server is not allowed to send for the envelope sender's domain"),
    ("auth.dkim", "7.20", "No valid signature was found"),
    ("path.reverse", "7.25", "The sending server's address has no valid reverse name"),
    ("path.no-reverse", "7.25", "The sending server's address has no valid reverse name"),
)


def refusal(codes: tuple[str, ...], log_id: str) -> Reply:
    """The 550 for a message that `codes` refused."""
    detail, text = _detail(codes, "7.1", "Message refused")
    return Reply(550, f"{text} ({log_id})", enhanced=f"5.{detail}")


def deferral(codes: tuple[str, ...], log_id: str) -> Reply:
    """The 451 for a message that cannot be judged now."""
    del codes  # the peer learns that it may try again; which question had no answer is for the log
    return Reply(451, f"The sender cannot be verified now, try again later ({log_id})", enhanced="4.7.0")


def queued(log_id: str) -> Reply:
    """The 250: said only when the message is durable. The form is Postfix's, which log readers know."""
    return Reply(250, f"OK: queued as {log_id}", enhanced="2.0.0")


def _detail(codes: tuple[str, ...], default: str, text: str) -> tuple[str, str]:
    for code in codes:
        for prefix, detail, words in _CODES:
            if code.startswith(prefix):
                return detail, words
    return default, text
