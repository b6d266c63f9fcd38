"""The mail room: what people do with mail that waits or is held, for the command line and for the web page.

In: the gate's settings, who asks, ids. Out: messages to look at, changes that are noted in the journal.
Not here: printing (`cli`), the spool and the journal themselves (`store`), the decision to hold (`inspector.policy`).
"""

from gatepost.server.mailroom.operations import DELETE, DROP, HOLD, RELEASE, RETRY, UNHOLD, Operation
from gatepost.server.mailroom.room import Done, MailRoom
from gatepost.server.mailroom.view import View, open_content, view_data, view_message

__all__ = [
    "DELETE",
    "DROP",
    "HOLD",
    "RELEASE",
    "RETRY",
    "UNHOLD",
    "Done",
    "MailRoom",
    "Operation",
    "View",
    "open_content",
    "view_data",
    "view_message",
]
