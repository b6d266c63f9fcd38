"""What the door says. Little: which kind of trouble it is, so that an honest administrator can mend it.

Standard: RFC 3463 and RFC 7372 (enhanced status codes), RFC 5321 §4.3.2 (554 in place of the greeting).
Not here: when it is said.
"""

from __future__ import annotations

from gatepost.wire.smtp.replies import Reply

EARLY_TALKER = Reply(554, "You spoke before the greeting", enhanced="5.5.0")
PIPELINING = Reply(550, "You did not wait for our replies where you must", enhanced="5.5.0")
HELLO = Reply(550, "You introduced yourself by a name that cannot be yours", enhanced="5.7.1")
NO_REVERSE = Reply(450, "Your address has no reverse name that leads back to it", enhanced="4.7.25")
LISTED = Reply(554, "Your address is on block lists", enhanced="5.7.1")
BANNED = Reply(421, "Your address is banned for a time, try again later", enhanced="4.7.0")
BANNED_FOR_GOOD = Reply(554, "Your address is banned", enhanced="5.7.1")
BLOCKED = Reply(554, "Your address is blocked here", enhanced="5.7.1")
TOO_OFTEN = Reply(421, "Too many connections in a short time, try again later", enhanced="4.7.0")
TOO_MUCH = Reply(450, "Too many messages in a short time, try again later", enhanced="4.7.1")
TOO_MUCH_MAIL = Reply(450, "The recipient gets too much mail now, try again later", enhanced="4.2.1")
GREYLISTED = Reply(451, "We do not know you yet; try again in some minutes", enhanced="4.7.1")
