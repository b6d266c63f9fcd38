"""Status codes in plain English, for people who never heard of them.

In: a status code of RFC 3463. Out: a sentence. Standard: RFC 3463 §3, and the codes later RFCs registered
(RFC 7505 §4.2, RFC 8689 §5). Not here: the report around it (`write`).
"""

from __future__ import annotations

from gatepost.message.dsn.model import Action

# without the class: X.1.1 is the same subject whether it is permanent or not
_DETAILS = {
    "1.1": "There is no such address there. Please check its spelling.",
    "1.2": "The part after the @ is not a place that takes mail. Please check its spelling.",
    "1.3": "The address is not written as an address can be.",
    "1.6": "The mailbox has moved, and where to is not known.",
    "1.8": "The receiving side does not accept your address as a sender.",
    "1.10": "The domain after the @ says that it takes no mail at all.",
    "2.0": "There is something wrong with the recipient's mailbox.",
    "2.1": "The recipient's mailbox is closed at the moment.",
    "2.2": "The recipient's mailbox is full.",
    "2.3": "The message is larger than the recipient's mailbox accepts.",
    "3.1": "The receiving system has no room left.",
    "3.2": "The receiving system takes no mail at the moment.",
    "3.4": "The message is larger than the receiving system accepts.",
    "4.1": "The receiving system did not answer.",
    "4.2": "The connection to the receiving system broke off.",
    "4.3": "The domain name system, which tells where mail goes, could not be asked.",
    "4.4": "Nobody knows where mail for this domain goes.",
    "4.6": "The message went round in a circle between mail systems.",
    "4.7": "It could not be delivered for so long that we gave up.",
    "6.7": "The message needs international addresses, which the receiving system does not know.",
    "7.0": "The receiving system refused the message for reasons of security.",
    "7.1": "The receiving system does not accept this message from you.",
    "7.4": "The message asks for a protection that is not to be had on the way.",
    "7.7": "The message was changed on the way, or its signature is not right.",
    "7.10": "The message needs an encrypted connection, and the receiving system offers none.",
    "7.26": "The sender could not be proven to be who the message says.",
    "7.30": "The message asks for encryption all the way (REQUIRETLS), and the receiving system does not promise that.",
}
_SUBJECTS = {
    "1": "There is something wrong with the address.",
    "2": "There is something wrong with the recipient's mailbox.",
    "3": "The receiving system could not take the message.",
    "4": "The receiving system could not be reached.",
    "5": "The two mail systems did not understand each other.",
    "6": "The receiving system cannot handle what is in the message.",
    "7": "The receiving system refused the message for reasons of security or policy.",
}
_HEADLINES = {
    Action.FAILED: "Your message could not be delivered",
    Action.DELAYED: "Your message is delayed",
    Action.DELIVERED: "Your message was delivered",
    Action.RELAYED: "Your message was handed on",
    Action.EXPANDED: "Your message was sent on to a list",
}
_MEANINGS = {
    Action.FAILED: "It did not reach the people below, and nobody will try again. They know nothing of your message.",
    Action.DELAYED: "It has not yet reached the people below. We keep trying; you need not send it again.",
    Action.DELIVERED: "You asked to be told: it is now in the mailboxes of the people below.",
    Action.RELAYED: "You asked to be told: it was handed to a mail system that sends no such reports of its own.",
    Action.EXPANDED: "You asked to be told: it was sent on to several people; of them no further reports will come.",
}


def explain_status(status: str) -> str:
    """What `status` ("5.1.1") means, in one or two sentences; empty when the code says nothing."""
    _, _, detail = status.partition(".")
    return _DETAILS.get(detail) or _SUBJECTS.get(detail.partition(".")[0], "")


def headline(action: Action) -> str:
    """The subject of a report."""
    return _HEADLINES[action]


def meaning(action: Action) -> str:
    """What `action` means to the sender."""
    return _MEANINGS[action]
