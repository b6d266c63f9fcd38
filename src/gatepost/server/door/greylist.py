"""Greylisting: a stranger is asked to come again later, unless somebody waits for his mail.

In: the envelope, the client, and (at "data") the message with its proof. Out: whether it has to wait, in words.
Standard: RFC 6647 §2.3 (what a triplet is), §5 (exemptions). A large sender comes again from another address of the
same network, so the network stands in the triplet; one who uses many networks proves himself (an aligned pass).
At "rcpt" nothing of the message is known: there, a domain that was proven here before passes with an SPF pass.
Not here: the memory (`store.greylist`).
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Sequence

from gatepost.errors import StoreError
from gatepost.message.message import Message
from gatepost.msgauth.authenticate import AuthResults
from gatepost.msgauth.spf import SpfResultWord, check_host
from gatepost.names import Envelope, Session, domain_of
from gatepost.ports import Resolver
from gatepost.server.door.networks import home_of
from gatepost.server.door.onetime import cannot_wait
from gatepost.server.door.settings import GreylistSettings
from gatepost.store.greylist import Greylist

SPF_TIMEOUT = 10.0  # seconds; no answer is no pass


class Greylisting:
    """One worker's; the memory is everybody's. Raises StoreError when that fails: then nobody has to wait."""

    def __init__(self, settings: GreylistSettings, memory: Greylist) -> None:
        self.at = settings.at
        self._memory = memory

    async def wait_before(self, session: Session, mail_from: str, recipient: str, *, resolver: Resolver) -> float:
        """At RCPT: seconds that mail from `mail_from` to `recipient` has to wait."""
        domain, now = domain_of(mail_from), time.time()
        known = bool(domain) and await asyncio.to_thread(self._memory.was_proven, domain, now)
        if known:
            try:
                async with asyncio.timeout(SPF_TIMEOUT):
                    spf = await check_host(
                        ip=session.client_ip, ehlo=session.ehlo_domain, mail_from=mail_from, resolver=resolver
                    )
            except TimeoutError:
                pass
            else:
                if spf.result is SpfResultWord.PASS:
                    return 0.0
        key = _key(session.client_ip, domain or session.ehlo_domain.lower(), recipient)
        return await asyncio.to_thread(self._memory.ask, (key,), now)

    async def wait_after(
        self, session: Session, envelope: Envelope, message: Message, auth: AuthResults, exempt: Sequence[str]
    ) -> float:
        """At DATA: seconds that `message` has to wait. Mail to one of the `exempt` waits for nobody."""
        if auth.dmarc.aligned or exempt or cannot_wait(message):
            return 0.0
        domain = domain_of(envelope.mail_from) or session.ehlo_domain.lower()
        keys = [_key(session.client_ip, domain, recipient.address) for recipient in envelope.recipients]
        return await asyncio.to_thread(self._memory.ask, keys, time.time())

    async def accepted(self, envelope: Envelope, auth: AuthResults) -> None:
        """A message was accepted: the domain that it proved may come at once next time."""
        domain = domain_of(envelope.mail_from)
        if self.at == "rcpt" and domain and auth.dmarc.aligned and domain == auth.dmarc.author_domain:
            await asyncio.to_thread(self._memory.prove, domain, time.time())

    def close(self) -> None:
        """Closes the memory."""
        try:
            self._memory.close()
        except StoreError:
            pass


def _key(ip: str, sender: str, recipient: str) -> bytes:
    """Network, sender domain, recipient. Sixteen octets: rows stay small, and no addresses lie about."""
    text = "\0".join((home_of(ip).network, sender, recipient.lower()))
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=16).digest()
