"""The door: which checks a client meets, step by step, and what becomes of what they see.

In: what a connection does (asked by `pipeline.gate`). Out: a reply, or None to go on; signs for the messages.
Where the client's looks decide, the refusal is given to RCPT: the log then names sender and recipient, and postmaster
can be reached (RFC 5321 §4.5.1). Standard: RFC 5321 §4.2, §4.3.2. Not here: each check (the files beside this);
mistakes (`offences`).
"""

from __future__ import annotations

import asyncio
import time

from gatepost.errors import StoreError
from gatepost.message.message import Message
from gatepost.msgauth.authenticate import AuthResults
from gatepost.names import DoorSign, Envelope, Recipient, domain_of
from gatepost.reputation import Verdict
from gatepost.server.door import replies
from gatepost.server.door.hello import wrong_hello
from gatepost.server.door.lookups import look_up
from gatepost.server.door.networks import home_of
from gatepost.server.door.offences import Offences
from gatepost.server.door.parts import DoorParts
from gatepost.server.door.settings import Mode
from gatepost.server.door.stay import Caught, Stay, stay_of
from gatepost.server.smtp.gatekeeper import Answer
from gatepost.server.smtp.visit import Stats, Visit
from gatepost.wire.smtp.replies import Reply

ENOUGH_LISTS = 2  # of one list alone nothing follows (DESIGN: no block list decides alone)


class Door:
    """One worker's."""

    def __init__(self, parts: DoorParts) -> None:
        self._parts = parts
        self._settings = parts.settings
        self.offences = Offences(parts)
        self._looks = parts.resolver is not None or parts.ask_lists is not None

    @property
    def parts(self) -> DoorParts:
        """What it is made of, for those who guard something else beside it."""
        return self._parts

    async def keep_up(self) -> None:
        """Learns of bans that others make or lift; runs until it is cancelled."""
        await self._parts.bans.watch()

    async def close(self) -> None:
        """Closes the files."""
        await self._parts.bans.close()
        if self._parts.greylisting is not None:
            self._parts.greylisting.close()

    # -- the client --------------------------------------------------------------------------------------------------

    def connected(self, visit: Visit) -> Answer:
        """Bans, rates; then the look-ups begin, and the greeting may wait."""
        banned, parts, ip = self.banned(visit), self._parts, visit.session.client_ip
        stay = stay_of(visit)
        if banned is None and not stay.exempt:
            self._ask_own_list(ip, stay)
        if banned is not None or stay.exempt:
            return banned
        if parts.limits is not None:
            over = parts.limits.connection(ip)
            if over is not None:
                parts.teller.caught(visit, over.check, parts.settings.rates.mode, "refuse", over.words, over.subject)
                if parts.settings.rates.mode == "on":
                    return replies.TOO_OFTEN
        if self._looks:
            stay.looking = asyncio.get_running_loop().create_task(self._look(visit, stay))
        if self._settings.greet_delay > 0 or (stay.looking is not None and parts.ask_lists is not None):
            return self._greet_late(visit, stay)
        return None

    def banned(self, visit: Visit) -> Reply | None:
        """Whether the client is sent away for a ban; nothing else is asked."""
        parts, ip = self._parts, visit.session.client_ip
        stay = visit.notes = Stay(exempt=parts.is_exempt(ip))
        ban = parts.bans.find(ip) if not stay.exempt else None
        if ban is None:
            return None
        parts.teller.caught(visit, "ban", "on", "refuse", ban.reason)
        # for a time: an honest sender comes again, and nobody holds the connection open
        return replies.BANNED if ban.until is not None else replies.BANNED_FOR_GOOD

    def _ask_own_list(self, ip: str, stay: Stay) -> None:
        """The house's own entries for addresses: a block refuses at RCPT what would be refused after the message, an
        allow spares the client every check here (what it sends is judged as ever)."""
        entry = self._parts.own_entry(ip)
        if entry is None:
            return
        if entry.verdict is Verdict.ALLOW:
            stay.exempt = True
        elif entry.action == "reject":
            stay.catch("own-list", f"{entry.value} is blocked here", "on", replies.BLOCKED)

    async def _look(self, visit: Visit, stay: Stay) -> None:
        parts, settings = self._parts, self._settings
        found = await look_up(visit.session.client_ip, parts.resolver, parts.ask_lists, settings.lookup_timeout)
        if found.reverse:
            stay.catch("reverse-dns", found.reverse, settings.reverse_dns, replies.NO_REVERSE)
        stay.listed = found.listed
        if len(found.listed) >= ENOUGH_LISTS:
            words = f"its address is on {', '.join(found.listed)}"
            stay.catch("lists", words, settings.lists, replies.LISTED)

    async def _greet_late(self, visit: Visit, stay: Stay) -> Reply | None:
        settings = self._settings
        await asyncio.sleep(settings.greet_delay)
        if settings.greet_delay > 0 and settings.early_talker != "off" and visit.early_talker:
            caught = stay.catch(
                "early-talker", "it talked before the greeting", settings.early_talker, replies.EARLY_TALKER
            )
            self._tell(visit, stay, caught)
            self.offences.note(visit, "talked before the greeting")
            if caught.mode == "on":
                return caught.reply
        if settings.lists != "off":
            await self._looked(stay)
            listed = stay.caught.get("lists")
            if listed is not None:
                self._tell(visit, stay, listed)
                return listed.reply if listed.mode == "on" else None
        return None

    async def _looked(self, stay: Stay) -> None:
        """The look-ups are done; they have their own time-out."""
        if stay.looking is not None:
            await asyncio.shield(stay.looking)
            stay.looking = None

    def ehlo(self, visit: Visit, domain: str) -> Answer:
        """Only noted: who comes from a private address under many names hides others."""
        ip = visit.session.client_ip
        shared = self._parts.shared
        if not stay_of(visit).exempt and home_of(ip).private and shared.met(ip, domain, time.monotonic()):
            self._parts.bans.spare(ip)
            self._parts.teller.shared(ip, self._settings.shared_peers)
        return None

    # -- the transaction ---------------------------------------------------------------------------------------------

    def mail(self, visit: Visit, envelope: Envelope) -> Answer:
        """A ban that came meanwhile; rates of address, network and sender domain."""
        if stay_of(visit).exempt:
            return None
        parts, ip = self._parts, visit.session.client_ip
        if parts.bans.find(ip) is not None:
            return replies.BANNED
        if parts.limits is None:
            return None
        over = parts.limits.message(ip, domain_of(envelope.mail_from))
        if over is None:
            return None
        mode = parts.settings.rates.mode
        parts.teller.caught(visit, over.check, mode, "delay", over.words, over.subject)
        return replies.TOO_MUCH if mode == "on" else None

    def recipient(self, visit: Visit, envelope: Envelope, recipient: Recipient) -> Answer:
        """A recipient who exists: what the client looks like, the recipient's rate, greylisting."""
        stay = stay_of(visit)
        if stay.exempt or self._parts.is_exempt_recipient(recipient.address):
            return None
        greylisting = self._parts.greylisting
        if stay.looking is not None or (greylisting is not None and greylisting.at == "rcpt"):
            return self._recipient_later(visit, envelope, recipient, stay)
        return self._judge(visit, recipient, stay)

    async def _recipient_later(
        self, visit: Visit, envelope: Envelope, recipient: Recipient, stay: Stay
    ) -> Reply | None:
        await self._looked(stay)
        reply = self._judge(visit, recipient, stay)
        greylisting = self._parts.greylisting
        if reply is not None or greylisting is None or greylisting.at != "rcpt":
            return reply
        try:
            wait = await greylisting.wait_before(
                visit.session, envelope.mail_from, recipient.address, resolver=self._parts.spf_resolver
            )
        except StoreError as error:
            self._parts.teller.store_failed("greylisting", error)
            return None
        return self._greylisted(visit, stay, wait, recipient.address)

    def _judge(self, visit: Visit, recipient: Recipient, stay: Stay) -> Reply | None:
        self._catch(visit, stay)
        if stay.caught and not _is_postmaster(recipient.address):
            for caught in stay.caught.values():
                self._tell(visit, stay, caught)
            refused = stay.refused
            if refused is not None:
                return refused.reply
        limits = self._parts.limits
        over = limits.recipient(recipient.address) if limits is not None else None
        if over is None:
            return None
        mode = self._settings.rates.mode
        self._parts.teller.caught(visit, over.check, mode, "delay", over.words, over.subject)
        return replies.TOO_MUCH_MAIL if mode == "on" else None

    def _catch(self, visit: Visit, stay: Stay) -> None:
        """The signs that show by now."""
        settings = self._settings
        if visit.improper_pipelining and settings.pipelining != "off" and "pipelining" not in stay.caught:
            words = "it sent commands without waiting where it must"
            stay.catch("pipelining", words, settings.pipelining, replies.PIPELINING)
        ehlo = visit.session.ehlo_domain
        if settings.hello != "off" and stay.hello != ehlo:
            stay.hello = ehlo
            stay.caught.pop("hello", None)
            wrong = wrong_hello(ehlo, visit.session.client_ip, self._parts.own_names)
            if wrong is not None:
                stay.catch("hello", wrong.words, settings.hello, replies.HELLO)
        if len(stay.listed) == 1 and stay.caught and "lists" not in stay.caught:
            words = f"its address is on {stay.listed[0]}, and {next(iter(stay.caught.values())).sign.words}"
            stay.catch("lists", words, settings.lists, replies.LISTED)

    # -- the message -------------------------------------------------------------------------------------------------

    def signs(self, visit: Visit) -> tuple[DoorSign, ...]:
        """What was seen, for the message's story."""
        return stay_of(visit).signs

    async def delayed(self, visit: Visit, envelope: Envelope, message: Message, auth: AuthResults) -> Reply | None:
        """The message would be accepted: does greylisting ask for it again later?"""
        greylisting, stay = self._parts.greylisting, stay_of(visit)
        if greylisting is None or stay.exempt:
            return None
        exempt = [r.address for r in envelope.recipients if self._parts.is_exempt_recipient(r.address)]
        try:
            wait = 0.0
            if greylisting.at == "data":
                wait = await greylisting.wait_after(visit.session, envelope, message, auth, exempt)
            else:
                await greylisting.accepted(envelope, auth)
        except StoreError as error:
            self._parts.teller.store_failed("greylisting", error)
            return None
        return self._greylisted(visit, stay, wait, envelope.mail_from)

    def _greylisted(self, visit: Visit, stay: Stay, wait: float, subject: str) -> Reply | None:
        if wait <= 0:
            return None
        mode: Mode = self._settings.greylist.mode
        words = f"a stranger; he may come again in {int(wait) + 1} seconds"
        self._parts.teller.caught(visit, "greylist", mode, "delay", words, subject)
        return replies.GREYLISTED if mode == "on" else None

    def _tell(self, visit: Visit, stay: Stay, caught: Caught) -> None:
        """Once a connection."""
        check = caught.sign.check
        if check not in stay.told:
            stay.told.add(check)
            action = "delay" if caught.reply.transient else "refuse"
            self._parts.teller.caught(visit, check, caught.mode, action, caught.sign.words)

    def closed(self, visit: Visit, stats: Stats) -> None:
        """The connection ended."""
        stay = stay_of(visit)
        if stay.looking is not None:
            stay.looking.cancel()
            stay.looking = None
        self.offences.closed(visit, stats)


def _is_postmaster(address: str) -> bool:
    """RFC 5321 §4.5.1: postmaster may stand alone."""
    return address.lower().partition("@")[0] == "postmaster"
