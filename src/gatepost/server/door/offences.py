"""Mistakes and misbehaviour: slower answers, and a ban where it goes on.

In: what was refused, in whose connection. Out: the reply, at once or later. An address that hides many clients is not
banned, nor one that brings as much good mail. Standard: none.
Not here: how slow (`tarpit`), how often (`rates`), the ban itself (`bans`).
"""

from __future__ import annotations

from gatepost.server.door.parts import DoorParts
from gatepost.server.door.stay import stay_of
from gatepost.server.smtp.gatekeeper import Answer
from gatepost.server.smtp.visit import Stats, Visit
from gatepost.wire.smtp.replies import Reply

_GUESSED = frozenset({"5.1.1", "5.7.1"})  # no such recipient; relaying


class Offences:
    """One worker's."""

    def __init__(self, parts: DoorParts) -> None:
        self._parts = parts
        self._ban_mode = parts.settings.bans.mode
        self._tarpit_mode = parts.settings.tarpit.mode

    def refused_recipient(self, visit: Visit, reply: Reply) -> Answer:
        """A recipient was refused; one who does not exist or is not ours is an offence, lack of TLS is none."""
        if reply.enhanced in _GUESSED:
            self.note(visit, "a recipient that does not exist or is not ours")
        return self.slow(visit, reply)

    def refused_message(self, visit: Visit) -> None:
        """A message was refused for good."""
        self.note(visit, "a refused message")

    def accepted_message(self, visit: Visit) -> None:
        """A message was accepted: large senders make mistakes, but bring mail, too."""
        if self._ban_mode != "off" and not stay_of(visit).exempt:
            self._parts.bans.accepted(visit.session.client_ip)

    def slow(self, visit: Visit, reply: Reply) -> Answer:
        """`reply` to a mistake, perhaps late."""
        stay, tarpit = stay_of(visit), self._parts.tarpit
        if stay.exempt or self._tarpit_mode == "off" or reply.code == 421:
            return reply
        seconds = tarpit.delay(visit.stats.errors + 1)
        if seconds <= 0 or tarpit.full:
            return reply
        if "tarpit" not in stay.told:
            stay.told.add("tarpit")
            self._parts.teller.caught(visit, "tarpit", self._tarpit_mode, "slow", "it makes mistake after mistake")
        return tarpit.hold(reply, seconds) if self._tarpit_mode == "on" else reply

    def note(self, visit: Visit, offence: str) -> None:
        """An offence, and perhaps the last one."""
        parts, ip = self._parts, visit.session.client_ip
        if self._ban_mode == "off" or stay_of(visit).exempt:
            return
        ban = parts.bans.offended(ip, offence)
        if ban is None:
            return
        parts.teller.caught(visit, "ban", self._ban_mode, "ban", ban.reason, ban.network)
        if self._ban_mode == "on":
            parts.bans.put_in_force(ban, parts.teller.banned)

    def closed(self, visit: Visit, stats: Stats) -> None:
        """A connection ended."""
        if stats.ended == "limit: errors":
            self.note(visit, "too many errors in one connection")
