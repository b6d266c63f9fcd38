"""Recipients at the door: ours or not, there or not, and able to take what the message needs.

In: a recipient, the envelope so far. Out: None to accept, or the reply. Asking the next hop is the only slow way.
Standard: RFC 5321 §3.6 (relaying), §7.9; RFC 3207 §4 (530), RFC 6531 §3.5, RFC 8689 §4.2.
Not here: what a recipient resolves to (`server.recipients`), the next hops' abilities (`hops`).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from gatepost.errors import StoreError
from gatepost.names import Envelope, Recipient, Session, domain_of
from gatepost.server.backup.recipients import PrimaryRecipients
from gatepost.server.callforward import CallForward, Known
from gatepost.server.pipeline import replies
from gatepost.server.pipeline.hops import NextHops
from gatepost.server.recipients import Found, Recipients, Resolution
from gatepost.server.settings import DomainSettings
from gatepost.wire.smtp.replies import Reply

Exists = Callable[[str], Awaitable[bool]]

_REFUSED = {Found.NOT_OURS: replies.RELAY_DENIED, Found.ROUTED: replies.ROUTED, Found.UNKNOWN: replies.UNKNOWN}


class Admission:
    """Decides about recipients. `exists` asks the directory, where another one keeps the accounts; `primaries` asks
    those of backup domains; `way_out` is the route of forwarded mail; `bounces_only` keeps the addresses that
    forwarding wrote to the null sender."""

    def __init__(
        self,
        recipients: Recipients,
        hops: NextHops,
        call_forward: CallForward,
        exists: Exists | None = None,
        *,
        primaries: PrimaryRecipients | None = None,
        way_out: str = "",
        bounces_only: bool = True,
    ) -> None:
        self.recipients = recipients
        self.hops = hops
        self._call_forward = call_forward
        self._exists = exists
        self._primaries = primaries
        self._way_out = way_out
        self._bounces_only = bounces_only

    def check(
        self, session: Session, envelope: Envelope, recipient: Recipient
    ) -> Reply | Awaitable[Reply | None] | None:
        """None when mail to `recipient` is taken."""
        return self._judged(self.recipients.resolve(recipient.address), session, envelope, recipient)

    def _judged(
        self, resolution: Resolution, session: Session, envelope: Envelope, recipient: Recipient
    ) -> Reply | Awaitable[Reply | None] | None:
        refused = _REFUSED.get(resolution.found)
        if refused is not None:
            return refused
        if resolution.found is Found.RETURNED and envelope.mail_from and self._bounces_only:
            return replies.BOUNCES_ONLY
        if any(self.recipients.serves(domain_of(address)) is None for address in resolution.addresses):
            lacking = self._lacking_way(self._way_out, envelope)
            if lacking is not None:
                return lacking
        settings = self.recipients.serves(resolution.domain)
        if settings is not None:
            lacking = self._lacking(settings, session, envelope)
            if lacking is not None:
                return lacking
            if resolution.found is Found.ASK:
                return self._ask(settings, resolution)
            if resolution.found is Found.LOOK_UP:
                return self._look_up(resolution, session, envelope, recipient)
        return None

    async def _look_up(
        self, resolution: Resolution, session: Session, envelope: Envelope, recipient: Recipient
    ) -> Reply | None:
        """TRAPS: a directory that does not answer is never "no such recipient"."""
        if self._exists is None:
            return replies.NO_DIRECTORY
        try:
            for address in resolution.candidates:
                if await self._exists(address):
                    break
        except StoreError:
            return replies.NO_DIRECTORY
        settled = self.recipients.resolve(recipient.address, stale=True)
        if settled.found is Found.LOOK_UP:  # the answer is gone again: more recipients than are kept
            return replies.NO_DIRECTORY
        answer = self._judged(settled, session, envelope, recipient)
        return answer if answer is None or isinstance(answer, Reply) else await answer

    def _lacking(self, settings: DomainSettings, session: Session, envelope: Envelope) -> Reply | None:
        if settings.require_tls and session.tls is None:
            return replies.NEED_TLS
        return self._lacking_way(settings.route, envelope)

    def _lacking_way(self, route: str, envelope: Envelope) -> Reply | None:
        """What the message needs and the route cannot do."""
        if envelope.smtputf8 and not self.hops.can(route, "SMTPUTF8"):
            return replies.NO_SMTPUTF8
        if envelope.requiretls and not self.hops.can(route, "REQUIRETLS"):
            return replies.NO_REQUIRETLS
        return None

    def _ask(self, settings: DomainSettings, resolution: Resolution) -> Reply | Awaitable[Reply | None] | None:
        address = resolution.addresses[0]
        asked = self._primaries if settings.primary and self._primaries is not None else self._call_forward
        known = asked.cached(settings.route, address)
        if known is not None:
            return _answer(known.known)
        return self._ask_hop(asked, settings, address)

    async def _ask_hop(
        self, asked: CallForward | PrimaryRecipients, settings: DomainSettings, address: str
    ) -> Reply | None:
        verdict = await asked.check(settings.route, address)
        if settings.primary_unknown == "accept" and verdict.known is Known.UNSURE and not verdict.reached:
            return None  # it may bounce once the primary is back: the administrator has chosen so
        return _answer(verdict.known)


def _answer(known: Known) -> Reply | None:
    if known is Known.YES:
        return None
    return replies.UNKNOWN if known is Known.NO else replies.ASK_LATER


def final_recipients(envelope: Envelope, recipients: Recipients) -> tuple[Recipient, ...]:
    """The recipients with aliases expanded, each final address once; DSN wishes stay with the first that named it.

    RFC 3461 §5.2.7.1 leaves ORCPT as it was: a report then names the address that the sender wrote. `via` is the
    address of ours that led to the final one.
    """
    found: dict[str, Recipient] = {}
    for recipient in envelope.recipients:
        resolution = recipients.resolve(recipient.address, stale=True)
        for address in resolution.addresses or (recipient.address,):
            if address not in found:
                orcpt = recipient.orcpt
                if orcpt is None and address != recipient.address.lower():
                    orcpt = f"rfc822;{_xtext(recipient.address)}"
                via = resolution.alias if resolution.alias != address else ""
                found[address] = Recipient(address=address, notify=recipient.notify, orcpt=orcpt, via=via)
    return tuple(found.values())


def _xtext(text: str) -> str:
    """RFC 3461 §4: printable ASCII without "+" and "=", the rest as +HH."""
    encoded = text.encode("utf-8")
    return "".join(chr(o) if 33 <= o <= 126 and o not in b"+=" else f"+{o:02X}" for o in encoded)
